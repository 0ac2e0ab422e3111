// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "general-geometry.hpp"
#include "iterative-slices.hpp"
#include "volume-slices.hpp"

#include <gst/operators/general-solver.hpp>

#include <numbers>

using namespace tomo;

namespace {

class GeneralIterate final : public VolumeSlices {
  public:
    GeneralIterate()
        : VolumeSlices(
              "From, to, step of the heights of slices; empty or step 0: as many as rows, with the middle at 0") {
    }

    static constexpr Info info{
        .task = "general-iterate",
        .klass = "Filter/Effect",
        .blurb = "Reconstructs the slices of a volume from the projections of a parallel or cone beam by "
                 "iterations, in any arrangement of source, object and detector",
        .details =
            "Geometry, regions and angles are those of `tomogeneralbackproject`, drawn in [Geometry](../geometry.md). A "
            "is the projection of `tomogeneralforwardproject`, and A* its transpose. Projections are line integrals: "
            "not filtered, without weights of a cone beam. Slices are in their unit per step 1 of the volume, so "
            "attenuation per pixel, or in a cone beam per length that a pixel shows at the axis. Voxels outside of the "
            "regions count as 0: a region that leaves out a part of the object gets artefacts.\n"
            "\n"
            "With `method` sirt and sart, x += `relaxation` A*((b - A x) / A 1) / A* 1, then `minimum` and `maximum`, for "
            "one subset of views after another, from x = 0: sirt has `subsets` of them, sart one for each view "
            "(`tomosirt`, `tomosart`). With mlem, x *= A*(b / A x) / A* 1 from x = 1 (`tomomlem`). With cgls, conjugate "
            "gradients for the least |A x - b| (`tomocgls`). Those elements name the sources.\n"
            "\n"
            "All projections and the volume lie on the device until the last iteration. Behind it comes an element "
            "message `tomo-iterations`: `index` of the volume, and `residuals`, |b - A x| / |b| for each iteration. A "
            "residual that grows is a warning.",
        .example =
            "tomometaballs width=40 height=40 number=32 ! tomostack number=32 ! tomogeneralforwardproject "
            "number=40 columns=60 source-position-y='<-300.0>' detector-position-y='<100.0>' ! "
            "tomogeneraliterate method=cgls num-iterations=5 source-position-y='<-300.0>' "
            "detector-position-y='<100.0>' ! tomowrite filename=slices.h5:/slices",
    };

    enum class Method { sirt, sart, cgls, mlem };
    Choice<Method> method{
        this,
        "method",
        Method::sirt,
        {{Method::sirt, "sirt", "All views at once, or subsets of them"},
         {Method::sart, "sart", "View by view"},
         {Method::cgls, "cgls", "Conjugate gradients"},
         {Method::mlem, "mlem", "Expectation maximization, for counts that are never negative"}},
        When::ready,
        "How slices are improved"};
    Property<unsigned> num_iterations{this,        "num-iterations",
                                      10,          {1, 100000},
                                      When::ready, "Iterations, each of which goes through all views once"};
    Property<double> relaxation{
        this,        "relaxation", Automatic{0},
        {0.0, 10.0}, When::ready,  "Factor of each correction of sirt and sart; 0: 1, and 0.25 for sart"};
    Property<unsigned> subsets{this,       "subsets",   Automatic{0},
                               {0, 32768}, When::ready, "Subsets of the views for sirt and mlem; 0: 1"};
    PixelBounds bounds{this, -G_MAXDOUBLE, When::ready};
    Property<double> tolerance{this,        "tolerance",
                               0.0,         {0.0, 1.0},
                               When::ready, "The iterations end when |b - A x| / |b| is no larger"};
    Result residual{
        this, "residual", {0.0, G_MAXDOUBLE}, "Last residual of the last volume, |b - A x| / |b|"};
    GeneralGeometry geometry{this};
    Property<double> angle_step{
        this, "angle-step", Automatic{0}, When::ready,
        "Radians between projections, negative for the other sense; 0: overall-angle, else "
        "the scan's angles"};
    Property<double> overall_angle{
        this, "overall-angle", Automatic{0}, When::ready,
        "Angle in radians that the projections cover in even steps; may be negative; 0: angles of the scan"};

  protected:
    Job job(const ArrayInfo &projection) const override {
        Job job = job_of(projection, false, 0.0);
        // A slice alone would leave out most of what its rays pass.
        job.grid.z = region_axis(region, {-0.5 * (projection.height - 1.0), 1.0, projection.height});
        return job;
    }

    std::unique_ptr<VolumeOperator> make_operator(const Job &) override {
        return std::make_unique<GeneralSolver>(
            *this, solver_method(), settings(),
            [this](const std::vector<double> &residuals) { tell_residuals(residuals); });
    }

    void resolve(const ArrayInfo &projection, const Scan &scan, unsigned number) override {
        std::optional<Axis> axis;
        if (!geometry.has_center_x())
            axis = scan_axis(scan, geometry.center_x.name(), projection.width);
        geometry.resolve(axis, projection.height, number);
    }
    GivenTurn turn() const override { return geometry.turn(overall_angle.chosen(), angle_step.chosen()); }
    bool has_weights() const override { return false; }
    Arrangement arrangement(unsigned view, double angle, std::optional<double>) const override {
        return geometry.at(view, angle);
    }
    void add_effective(EffectiveValues &values) const override { geometry.add_to(values); }

  private:
    SolverMethod solver_method() const {
        return method == Method::cgls   ? SolverMethod::gradients
               : method == Method::mlem ? SolverMethod::multiplicative
                                        : SolverMethod::additive;
    }

    // Throws Error for one that does not count.
    void refuse(bool is_set, const char *name, bool counts, const char *where) const {
        if (is_set && !counts)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("%s does not count with method=%s; leave it out, or take %s", name,
                             method.nick(), where));
    }

    SolverSettings settings() const {
        const bool is_additive = solver_method() == SolverMethod::additive,
                   has_bounds = method != Method::cgls;
        refuse(relaxation.chosen().has_value(), relaxation.name(), is_additive, "sirt or sart");
        refuse(subsets.chosen().has_value(), subsets.name(), method == Method::sirt || method == Method::mlem,
               "sirt or mlem");
        refuse(bounds.minimum > -G_MAXDOUBLE, bounds.minimum.name(), has_bounds, "another method");
        refuse(bounds.maximum < G_MAXDOUBLE, bounds.maximum.name(), has_bounds, "another method");
        SolverSettings settings{.iterations = num_iterations,
                                .relaxation =
                                    relaxation.chosen().value_or(method == Method::sart ? 0.25 : 1.0),
                                .subsets = method == Method::sart ? G_MAXUINT : subsets.chosen().value_or(1)};
        settings.tolerance = tolerance;
        bounds.add_to(settings);
        return settings;
    }

    void tell_residuals(const std::vector<double> &residuals) {
        residual.report(residuals.back());
        post_message(iterations_message(volume_index(), residuals));
        if (const auto growth = growth_of(residuals, text("volume %" G_GUINT64_FORMAT, volume_index()));
            !growth.empty())
            warn(growth);
    }
};

} // namespace

TOMO_ELEMENT(GeneralIterate)
