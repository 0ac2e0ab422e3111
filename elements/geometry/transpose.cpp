// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <algorithm>

using namespace tomo;

namespace {

class Transpose final : public Filter {
  public:
    static constexpr Info info{
        .task = "transpose",
        .klass = "Filter/Effect",
        .blurb = "Swaps columns and rows of each plane",
        .in = formats::all,
        .out = formats::all,
        .details = "Output (i, j) is input (j, i), sample for sample, in any type.",
        .example = "tomoread path=sinogram.tif ! tomotranspose ! tomowrite filename=transposed.tif",
    };

    ArrayInfo shape(const ArrayInfo &in) override {
        input_size("in", in.sample_size());
        const auto most = static_cast<unsigned>(std::min<std::size_t>(device()->max_work_group(), 256));
        tile_ = !device()->prefers_local_memory() || most >= 32 ? 32 : most;
        rows_ = !device()->prefers_local_memory() ? 0 : std::max(most / tile_, 1u);
        tiled();
        const auto out = in.with_size(in.height, in.width);
        const bool axes_named =
            in.domain == GST_TOMO_DOMAIN_PROJECTION || in.domain == GST_TOMO_DOMAIN_SINOGRAM;
        return axes_named ? out.with_domain(GST_TOMO_DOMAIN_UNKNOWN) : out;
    }

    void process(const Array &in, Array &out) override {
        WorkSize size((in.width() + tile_ - 1) / tile_, (in.height() + tile_ - 1) / tile_, in.depth());
        if (rows_) {
            size.global[0] *= tile_;
            size.global[1] *= rows_;
            size.groups(tile_, rows_);
        }
        launch(tiled(), size, in, out, cl_uint{in.width()}, cl_uint{in.height()});
    }

  protected:
    // The columns of a slice are along the beam then; projections and sinograms lose their axes altogether.
    EventRef scan_event(EventRef event) override {
        if (input_info().domain != GST_TOMO_DOMAIN_SLICE)
            return event;
        Scan scan(event.get());
        scan.forget_region_x();
        scan.forget_rows(GST_TOMO_DOMAIN_SLICE);
        return scan.to_event();
    }

  private:
    Kernel tiled() {
        const auto rows = rows_ ? text(" -D ROWS=%u", rows_) : "";
        return kernel("transpose", text("-D TILE=%u%s", tile_, rows.c_str()));
    }

    unsigned tile_ = 0; // columns and rows of a square that moves at once
    unsigned rows_ = 0; // of its work-group, which has tile_ columns; 0: a single work-item
};

} // namespace

TOMO_ELEMENT(Transpose)
