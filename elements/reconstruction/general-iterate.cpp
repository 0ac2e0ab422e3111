// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "general-geometry.hpp"
#include "iterative-slices.hpp"
#include "variation-properties.hpp"
#include "volume-slices.hpp"

#include <gst/operators/general-solver.hpp>

#include <map>
#include <numbers>

using namespace tomo;

namespace {

enum class OnFailure { error, go_on };

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
            "regions count as 0: a region that leaves out a part of the object gets artefacts. `slices-before` and "
            "`slices-behind` are made with the slices of `region` and not given: so a part of the heights has none, where "
            "they reach as far as rays of the projections pass the object.\n"
            "\n"
            "With `method` sirt and sart, x += `relaxation` A*((b - A x) / A 1) / A* 1, then `minimum` and `maximum`, for "
            "one subset of views after another, from x = 0: sirt has `subsets` of them, sart one for each view "
            "(`tomosirt`, `tomosart`). With mlem, x *= A*(b / A x) / A* 1 from x = 1 (`tomomlem`). With cgls, conjugate "
            "gradients for the least |A x - b| (`tomocgls`). With fista and sbtv, x has the least |A x - b|^2 / (2 V) + "
            "`lambda` TV(x) within the bounds, for V projections (`tomofista`, `tomosbtv`), and with asdpocs, steps down TV(x) "
            "follow those of sart (`tomoasdpocs`; set minimum=0 where nothing is negative). Those elements name the sources. " TOMO_VARIATION_DETAILS
            "With `tv-dimensions` 3, differences between slices count as those within; a step of one "
            "size along all three regions gives all directions one weight.\n"
            "\n"
            "The device holds, in float32, with sirt, sart and mlem 5 times the volume and 3 times the projections; with "
            "asdpocs 8 times and 3 times; with cgls 5 times, a volume for each of the first 32 iterations (in at most a "
            "quarter of its memory) and twice the projections; with fista and sbtv 12 and 14 times (10 and 12 with "
            "`tv-dimensions` 2) and twice. An eighth of its memory is left to other elements, and a volume that finds no place is an error. "
            "Behind the last iteration comes an element "
            "message `tomo-iterations`: `index` of the volume, and `residuals`, |b - A x| / |b| for each iteration, and `seconds`, "
            "the time at which each was handed to the device, which is a few kernels behind. A "
            "residual that grows is a warning.\n"
            "\n"
            "With `devices` others compute parts of each projection and of its transpose: some views each, and rows of all "
            "slices, as many as they make in the same time. Steps between these are made by the device of the element; inputs "
            "and parts go through the host. The others hold a volume and all projections three times at most, and the host one "
            "of each for every device. Slices are the bits of one device, if all are of one model with one driver. A device "
            "without that memory, or of another kind than that of the element, takes no part, which is a warning. With "
            "`on-failure=continue` one that fails is a warning as well, and its parts are made again; if the device of the element "
            "fails, that is an error. Behind the last iteration, element messages `tomo-device` tell how many slices (`planes`) the part of "
            "each `device` comes to." TOMO_ITERATION_WATCH_DETAILS TOMO_SOLVER_INPUTS_DETAILS
            "They come in arrays of one or more slices, volume after volume, and have those of `region`: slices before and "
            "behind these begin as without inputs, and all of them may change. Where they end with a volume, it serves for "
            "those that follow, and where they end with one slice, it serves for all slices.",
        .example =
            "tomometaballs width=40 height=40 number=32 ! tomostack number=32 ! tomogeneralforwardproject "
            "number=40 columns=60 source-position-y='<-300.0>' detector-position-y='<100.0>' ! "
            "tomogeneraliterate method=cgls num-iterations=5 source-position-y='<-300.0>' "
            "detector-position-y='<100.0>' ! tomowrite filename=slices.h5:/slices",
    };

    enum class Method { sirt, sart, cgls, mlem, fista, sbtv, asdpocs };
    Choice<Method> method{
        this,
        "method",
        Method::sirt,
        {{Method::sirt, "sirt", "All views at once, or subsets of them"},
         {Method::sart, "sart", "View by view"},
         {Method::cgls, "cgls", "Conjugate gradients"},
         {Method::mlem, "mlem", "Expectation maximization, for counts that are never negative"},
         {Method::fista, "fista", "Proximal gradients, with little total variation"},
         {Method::sbtv, "sbtv", "Split Bregman iterations, with little total variation"},
         {Method::asdpocs, "asdpocs", "View by view, then down the total variation"}},
        When::ready,
        "How slices are improved"};
    Property<unsigned> num_iterations{
        this,
        "num-iterations",
        Automatic{0},
        {0, 100000},
        When::ready,
        "Iterations, each of which goes through all views once at least; 0: 10, 50 for fista, and 20 for sbtv "
        "and asdpocs"};
    Property<double> relaxation{
        this,         "relaxation",
        Automatic{0}, {0.0, 10.0},
        When::ready,  "Factor of each correction of sirt, sart and asdpocs; 0: 1, and 0.25 for sart"};
    Property<unsigned> subsets{
        this,
        "subsets",
        Automatic{0},
        {0, 32768},
        When::ready,
        "Subsets of the views for sirt, mlem, fista and asdpocs; 0: 1, and one for each "
        "view with asdpocs"};
    VariationWeight weight{this, When::ready};
    VariationSteps variation_steps{this, When::ready,
                                   "Steps of fista and asdpocs for the total variation in each iteration, or "
                                   "with each subset of fista"};
    SplitSteps split_steps{this, When::ready};
    VariationDescent descent{this, When::ready};
    Property<unsigned> dimensions{
        this,
        "tv-dimensions",
        3,
        {2, 3},
        When::ready,
        "Directions of the total variation's differences: 2, within each slice; 3, also between slices"};
    PixelBounds bounds{this, -G_MAXDOUBLE, When::ready};
    Property<double> tolerance{this,        "tolerance",
                               0.0,         {0.0, 1.0},
                               When::ready, "The iterations end when |b - A x| / |b| is no larger"};
    SolverInputs inputs{this};
    IterationWatch watch{this};
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

    Property<std::string> devices{
        this, "devices", "", When::ready,
        "OpenCL devices that compute parts beside that of the element, as tomodistribute takes them: all, gpu, cpu, indices and "
        "parts of names, with commas between; empty: the device of the element alone"};
    Choice<OnFailure> on_failure{
        this,
        "on-failure",
        OnFailure::error,
        {{OnFailure::error, "error", "The stream ends with an error"},
         {OnFailure::go_on, "continue", "The device of the element and others make its parts"}},
        When::ready,
        "What happens when one of devices fails"};
    Property<unsigned> slices_before{
        this, "slices-before", 0, When::ready,
        "Slices before the first one of region that are made with the others and not given, because rays "
        "pass the object there"};
    Property<unsigned> slices_behind{this, "slices-behind", 0, When::ready,
                                     "The same behind the last one of region"};

  protected:
    Job job(const ArrayInfo &projection) const override {
        Job job = job_of(projection, false, 0.0);
        // A slice alone would leave out most of what its rays pass.
        job.grid.z = region_axis(region, {-0.5 * (projection.height - 1.0), 1.0, projection.height});
        auto &heights = job.grid.z;
        if (std::uint64_t{heights.count} + slices_before + slices_behind > G_MAXINT)
            throw Error(GST_LIBRARY_ERROR_SETTINGS, text("slices-before=%u and slices-behind=%u are too many",
                                                         slices_before.value(), slices_behind.value()));
        job.hidden_before = slices_before;
        job.hidden_behind = slices_behind;
        heights.from -= heights.step * slices_before;
        heights.count += slices_before + slices_behind;
        job.planes = heights.count;
        return job;
    }

    std::unique_ptr<VolumeOperator> make_operator(const Job &job) override {
        const auto chosen = settings();
        const auto slices = job.given().count;
        GeneralSolver::Sharing sharing{devices_in(devices),
                                       on_failure == OnFailure::go_on,
                                       {[this](const Device &, const std::string &why) { warn(why); },
                                        [this](const Device &device) { tell_failed(device); }},
                                       [this, slices](const auto &shares) { tell_shares(shares, slices); }};
        return std::make_unique<GeneralSolver>(
            *this, solver_method(), chosen,
            [this, iterations = chosen.iterations](const ArrayInfo &slices) {
                auto start = inputs.start_of_volume(
                    *this, volume_index(), slices, num_projections != 0,
                    {slices_before, slices_behind, method == Method::mlem ? 1.0f : 0.0f});
                IterationWatch::Slices watched{.shape = slices,
                                               .before = slices_before,
                                               .behind = slices_behind,
                                               .kind = "volume",
                                               .number = volume_index(),
                                               .depth = slices.depth};
                watched.first = volume_index() * watched.given();
                start.watch = watch.over(watched, solver_method(), iterations);
                return start;
            },
            [this](const Solver::Solution &made) { tell_residuals(made); }, std::move(sharing));
    }

    void stop() override {
        inputs.clear();
        watch.clear();
        made_.clear();
        VolumeSlices::stop();
    }
    void reset() override {
        inputs.clear();
        VolumeSlices::reset();
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
        return method == Method::cgls      ? SolverMethod::gradients
               : method == Method::mlem    ? SolverMethod::multiplicative
               : method == Method::fista   ? SolverMethod::fista
               : method == Method::sbtv    ? SolverMethod::split_bregman
               : method == Method::asdpocs ? SolverMethod::asd_pocs
                                           : SolverMethod::additive;
    }

    // Throws Error for one that does not count.
    void refuse(bool is_set, const char *name, bool counts, const char *where) const {
        if (is_set && !counts)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("%s does not count with method=%s; leave it out, or take %s", name,
                             method.nick(), where));
    }

    SolverSettings settings() {
        const bool is_fista = method == Method::fista, is_sbtv = method == Method::sbtv,
                   is_asdpocs = method == Method::asdpocs, is_sart = method == Method::sart,
                   has_variation = is_fista || is_sbtv || is_asdpocs;
        const auto refuse_changed = [&](const char *name, bool counts, const char *where) {
            refuse(name != nullptr, name, counts, where);
        };
        refuse(relaxation.chosen().has_value(), relaxation.name(),
               method == Method::sirt || is_sart || is_asdpocs, "sirt, sart or asdpocs");
        refuse(subsets.chosen().has_value(), subsets.name(),
               method == Method::sirt || method == Method::mlem || is_fista || is_asdpocs,
               "sirt, mlem, fista or asdpocs");
        refuse(bounds.minimum > -G_MAXDOUBLE, bounds.minimum.name(), method != Method::cgls,
               "another method");
        refuse(bounds.maximum < G_MAXDOUBLE, bounds.maximum.name(), method != Method::cgls, "another method");
        refuse_changed(weight.changed(), is_fista || is_sbtv, "fista or sbtv");
        refuse_changed(variation_steps.changed(), is_fista || is_asdpocs, "fista or asdpocs");
        refuse_changed(split_steps.changed(), is_sbtv, "sbtv");
        refuse_changed(descent.changed(), is_asdpocs, "asdpocs");
        refuse_changed(changed_of(dimensions, 3u), has_variation, "fista, sbtv or asdpocs");
        SolverSettings settings{
            .iterations = num_iterations.chosen().value_or(usual_iterations(solver_method())),
            .relaxation = relaxation.chosen().value_or(is_sart ? 0.25 : 1.0),
            .subsets = is_sart ? G_MAXUINT : subsets.chosen().value_or(is_asdpocs ? G_MAXUINT : 1)};
        settings.tolerance = tolerance;
        settings.dimensions = dimensions;
        settings.given = inputs.held(num_projections != 0);
        bounds.add_to(settings);
        weight.add_to(settings);
        descent.add_to(settings);
        if (is_sbtv)
            split_steps.add_to(settings);
        else
            variation_steps.add_to(settings);
        return settings;
    }

    // In whole slices, as many in all as there are.
    void tell_shares(const std::vector<ProjectorHelpers::Share> &shares, unsigned slices) {
        double so_far = 0.0;
        unsigned first = 0;
        for (const auto &[device, part] : shares) {
            so_far += part;
            const auto end = static_cast<unsigned>(so_far * slices + 0.5);
            auto &made = made_[device->index()];
            made += end - first;
            first = end;
            tell_made(*device, made);
        }
    }

    void tell_residuals(const Solver::Solution &made) {
        const auto &residuals = made.residuals.front();
        residual.report(residuals.back());
        post_message(iterations_message(volume_index(), residuals, made.seconds));
        watch.check_growth(text("volume %" G_GUINT64_FORMAT, volume_index()), solver_method(),
                           residuals.front(), residuals.back(), residuals.size());
    }

    std::map<unsigned, std::uint64_t> made_; // slices of the stream so far, by device
};

} // namespace

TOMO_ELEMENT(GeneralIterate)
