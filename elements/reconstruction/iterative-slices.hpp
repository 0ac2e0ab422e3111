// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "iteration-watch.hpp"
#include "parallel-slices.hpp"
#include "projector-choice.hpp"
#include "solver-inputs.hpp"

#include <optional>

namespace tomo {

// The message about iterations of array or volume `index`; transfer full.
GstStructure *iterations_message(std::uint64_t index, const std::vector<double> &residuals,
                                 const std::vector<double> &seconds);

// What is common to iterative methods for a parallel beam; text for their descriptions.
#define TOMO_ITERATIVE_DETAILS                                                                                                                                       \
    "\n\nA is the projection by Joseph's method (IEEE Trans. Med. Imaging 1, 192 (1982)), as by "                                                                    \
    "`tomoforwardproject`, in pixels, and A* its transpose, so that slices are attenuation per pixel. The sinograms are "                                            \
    "not filtered before, and pixels outside of the slice's region count as 0: a region that leaves out a part of the "                                              \
    "object gets artefacts. Axis, angles and region are those of `tomobackproject`, and so are its messages.\n\n"                                                    \
    "With each slice comes an element message `tomo-iterations`: `index` of the array, `plane`, the number of the `slice` in the "                                   \
    "stream, and `residuals`, a "                                                                                                                                    \
    "list with |b - A x| / |b| for each iteration; the host waits for it. `seconds` is a list of the times at which each "                                           \
    "iteration was handed to the device, which is a few kernels behind. A residual that grows is a warning." TOMO_ITERATION_WATCH_DETAILS TOMO_SOLVER_INPUTS_DETAILS \
    "Array n of them is for array n of the sinograms, with a plane for each of its planes or one for all; where they "                                               \
    "end, the last one stays, so that one slice may serve all sinograms. An input without any array counts as not linked."

class IterativeSlices : public ParallelSlices {
  public:
    explicit IterativeSlices(SolverMethod method)
        : num_iterations(this, "num-iterations", usual_iterations(method), {1, 100000}, When::reshapes,
                         "Iterations, each of which goes through all views once at least"),
          method_(method) {}

    Property<unsigned> num_iterations;
    Property<double> tolerance{
        this,
        "tolerance",
        0.0,
        {0.0, 1.0},
        When::reshapes,
        "A slice whose residual |b - A x| / |b| is no larger stays as it is; when all slices of a batch do, the "
        "iterations end"};
    SolverInputs inputs{this};
    IterationWatch watch{this};
    Result residual{this, "residual", {0.0, G_MAXDOUBLE}, "Last residual of the last slice, |b - A x| / |b|"};

    void stop() override;

  protected:
    using ParallelSlices::batch_that_pays;

    // Besides iterations and tolerance.
    virtual SolverSettings solver_settings() const { return {}; }
    // Of methods that need no more than A and A*. Null: Joseph's method.
    virtual const ProjectorChoice *projector_choice() const { return nullptr; }

    void plan(const ArrayInfo &sinograms, const ArrayInfo &slices) final;
    void set_views(const Views &views) final;
    void reconstruct(const Array &sinograms, Array &slices) final;
    unsigned batch_that_pays(const ArrayInfo &in, const SliceRegion &slice) final;

  private:
    SolverSettings settings(const ArrayInfo &sinogram, const SliceRegion &slice);
    void tell(std::uint64_t index, unsigned plane, const std::vector<double> &residuals,
              const std::vector<double> &seconds);

    const SolverMethod method_;
    std::optional<Solver> solver_;
};

// The neighbours of a pixel, for methods with total variation.
struct VariationPlanes {
    explicit VariationPlanes(Element *element)
        : dimensions(
              element, "tv-dimensions", 2, {2, 3}, When::reshapes,
              "Directions of the differences: 2, within each slice; 3, also between the planes of an array, such as "
              "tomostack number=N makes of N sinograms; arrays are not neighbours") {}

    // `sinograms` is the shape of one array.
    void add_to(SolverSettings &settings, const ArrayInfo &sinograms) const {
        settings.coupled = dimensions == 3 ? sinograms.depth : 1;
        settings.dimensions = dimensions;
    }

    Property<unsigned> dimensions;
};

// Text for descriptions.
#define TOMO_VARIATION_DETAILS                                                                               \
    "TV(x) is the sum over all pixels of the length of their forward differences (isotropic; 0 behind the last pixel). "

#define TOMO_VARIATION_OBJECTIVE                                                                                        \
    "|A x - b|^2 / (2 V) + `lambda` TV(x) with `minimum` <= x <= `maximum`, for V views. " TOMO_VARIATION_DETAILS       \
    "`lambda` has the unit of the sinogram, and holds for other numbers of views. Begin with the noise of a sample of " \
    "the sinogram divided by the square root of V: more lambda smooths more, and lowers the contrast of small parts"

// Bounds of pixels, for methods that can have some.
struct PixelBounds {
    explicit PixelBounds(Element *element, double least = -G_MAXDOUBLE, When when = When::reshapes)
        : minimum(element, "minimum", least, {-G_MAXDOUBLE, G_MAXDOUBLE}, when,
                  "Least value of a pixel, after each step; 0 leaves no negative ones"),
          maximum(element, "maximum", G_MAXDOUBLE, {-G_MAXDOUBLE, G_MAXDOUBLE}, when,
                  "Largest value of a pixel, after each step") {}

    // Throws Error where there is nothing between them.
    void add_to(SolverSettings &settings) const;

    Property<double> minimum, maximum;
};

} // namespace tomo
