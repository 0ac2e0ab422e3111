// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/filter.hpp>

#include <algorithm>

namespace {

class Transpose final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{"transpose", "Filter/Effect", "Swaps columns and rows of each plane",
                                     tomo::formats::all, tomo::formats::all};

    tomo::ArrayInfo shape(const tomo::ArrayInfo &in) override {
        input_size("in", in.sample_size());
        const auto most = static_cast<unsigned>(std::min<std::size_t>(device()->max_work_group(), 256));
        tile_ = most >= 32 ? 32 : most;
        rows_ = std::max(most / tile_, 1u);
        tiled();
        const auto out = in.with_size(in.height, in.width);
        const bool axes_named =
            in.domain == GST_TOMO_DOMAIN_PROJECTION || in.domain == GST_TOMO_DOMAIN_SINOGRAM;
        return axes_named ? out.with_domain(GST_TOMO_DOMAIN_UNKNOWN) : out;
    }

    void process(const tomo::Array &in, tomo::Array &out) override {
        const std::size_t tiles_x = (in.width() + tile_ - 1) / tile_,
                          tiles_y = (in.height() + tile_ - 1) / tile_;
        launch(tiled(), tomo::WorkSize(tiles_x * tile_, tiles_y * rows_, in.depth()).groups(tile_, rows_), in,
               out, cl_uint{in.width()}, cl_uint{in.height()});
    }

  private:
    tomo::Kernel &tiled() { return kernel("transpose", tomo::text("-D TILE=%u -D ROWS=%u", tile_, rows_)); }

    unsigned tile_ = 0, rows_ = 0; // columns and rows of a work-group
};

} // namespace

TOMO_ELEMENT(Transpose)
