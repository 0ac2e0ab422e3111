// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/addressing.hpp>
#include <gst/tomo/bases/filter.hpp>

using namespace tomo;

namespace {

enum class Operator { sobel, laplace, prewitt };

class DetectEdge final : public PointFilter {
  public:
    static constexpr Info info{
        .task = "detect-edge",
        .klass = "Filter/Effect",
        .blurb = "Strength of edges, from the 3 x 3 pixels around each pixel",
        .details =
            "Sobel and Prewitt give sqrt(gx^2 + gy^2), where gx takes the difference of the columns "
            "beside the pixel, weighted by 1, 2, 1 (Sobel) or 1, 1, 1 (Prewitt) over the rows, and gy is "
            "its transpose. Laplace gives the sum of the four neighbours minus four times the pixel, with "
            "its sign. NaN spreads to the pixels around it. Planes are independent.",
        .example = "tomoread path=slice.tif ! tomodetectedge filter=prewitt ! tomowrite filename=edges.tif",
    };

    Choice<Operator> filter{this,
                            "filter",
                            Operator::sobel,
                            {{Operator::sobel, "sobel", "Length of the gradient after Sobel"},
                             {Operator::laplace, "laplace", "Sum of the second derivatives"},
                             {Operator::prewitt, "prewitt", "Length of the gradient after Prewitt"}},
                            "Kind of edge"};
    AddressingMode addressing_mode{this, Addressing::clamp_to_edge, "Nothing: the outermost pixels become 0"};

    std::string kernel_file_name() const override { return "derivatives.cl"; }

  protected:
    std::string kernel_options() const override { return addressing_mode.option(); }
    void add_arguments(Launch &launch, const Array &) override { launch.add(cl_int(filter.value())); }
};

} // namespace

TOMO_ELEMENT(DetectEdge)
