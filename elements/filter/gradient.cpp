// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/addressing.hpp>
#include <gst/tomo/bases/filter.hpp>

using namespace tomo;

namespace {

enum class Direction { horizontal, vertical, both, both_abs, both_mag };
enum class Difference { forward, backward, central };

class Gradient final : public PointFilter {
  public:
    static constexpr Info info{
        .task = "gradient",
        .klass = "Filter/Effect",
        .blurb = "Finite differences along rows, columns, or both",
        .details = "A NaN makes every pixel NaN that is computed from it. Planes are independent.",
        .example =
            "tomoread path=slice.tif ! tomogradient direction=both_mag ! tomowrite filename=gradient.tif",
    };

    Choice<Direction> direction{
        this,
        "direction",
        Direction::horizontal,
        {{Direction::horizontal, "horizontal", "gx"},
         {Direction::vertical, "vertical", "gy"},
         {Direction::both, "both", "gx + gy"},
         {Direction::both_abs, "both_abs", "|gx| + |gy|"},
         {Direction::both_mag, "both_mag", "The gradient's length, sqrt(gx^2 + gy^2)"}},
        "Result; gx is the difference along the row, gy the one along the column"};
    Choice<Difference> difference{this,
                                  "finite-difference-type",
                                  Difference::central,
                                  {{Difference::forward, "forward", "v[i + 1] - v[i]"},
                                   {Difference::backward, "backward", "v[i] - v[i - 1]"},
                                   {Difference::central, "central", "(v[i + 1] - v[i - 1]) / 2"}},
                                  "Formula for the derivative of v at pixel i"};
    AddressingMode addressing_mode{this, Addressing::clamp,
                                   "Nothing: a pixel that lacks a neighbour becomes 0"};

    std::string kernel_file_name() const override { return "derivatives.cl"; }

  protected:
    std::string kernel_options() const override { return addressing_mode.option(); }
    void add_arguments(Launch &launch, const Array &) override {
        launch.add(cl_int(direction.value()));
        launch.add(cl_int(difference.value()));
    }
};

} // namespace

TOMO_ELEMENT(Gradient)
