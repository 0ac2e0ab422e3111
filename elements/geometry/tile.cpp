// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/reducer.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <algorithm>
#include <cmath>

using namespace tomo;

namespace {

class Tile final : public Reducer {
  public:
    static constexpr Info info{
        .task = "tile",
        .klass = "Filter/Effect",
        .blurb = "Cuts each array into tiles of one size, given one by one",
        .in = formats::all,
        .out = formats::all,
        .details =
            R"(The tiles come from left to right, then from top to bottom; a tile has all planes. Tiles have to
fill the image. With several tiles side by side, each tile shows other columns, and the axis of the scan is
unknown. The angles of sinograms are unknown if tiles cut them between rows.)",
        .example =
            "tomoread path=projection.tif ! tomotile width=64 height=40 ! tomowrite filename=tile-%02i.tif",
    };

    Property<unsigned> width{this, "width", Automatic{0}, When::reshapes, "Columns of a tile; 0: all"};
    Property<unsigned> height{this, "height", Automatic{0}, When::reshapes, "Rows of a tile; 0: all"};

    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &in) const override {
        return in.width ? inputs * (in.width / (width ? width.value() : in.width)) *
                              (in.height / (height ? height.value() : in.height))
                        : 0;
    }

    void begin(const ArrayInfo &in) override {
        clear();
        columns_ = count("width", width, in.width);
        rows_ = count("height", height, in.height);
        out_ = in.with_size(in.width / columns_, in.height / rows_)
                   .with_rate_times(std::min<std::uint64_t>(tiles(), G_MAXUINT), 1);
        negotiate(out_);
    }

    void consume(const Array &in) override { image_ = in; }
    bool ready() const override { return static_cast<bool>(image_); }

    Array produce() override {
        const std::size_t sample = out_.sample_size(), row = image_.width() * sample,
                          tile_row = out_.width * sample;
        const std::uint64_t left = next_ % columns_ * tile_row, top = next_ / columns_ * out_.height * row;
        Array out = allocate(out_);
        for (unsigned z = 0; z < out_.depth; z++)
            copy_rows(image_.plane(z), {top + left, row}, out, {z * out_.height * tile_row, tile_row},
                      tile_row, out_.height);
        if (++next_ == tiles())
            clear();
        return out;
    }

    void clear() override {
        image_ = {};
        next_ = 0;
    }

  protected:
    EventRef scan_event(EventRef event) override {
        Scan scan(event.get());
        if (columns_ > 1 && has_detector_columns(out_))
            scan.axis_position = std::nan("");
        if (columns_ > 1)
            scan.forget_region_x();
        if (rows_ > 1)
            scan.forget_rows(out_.domain);
        if (out_.domain == GST_TOMO_DOMAIN_PROJECTION)
            scan.repeat_views(tiles());
        return scan.to_event();
    }

  private:
    std::uint64_t tiles() const { return std::uint64_t{columns_} * rows_; }

    static unsigned count(const char *name, unsigned size, unsigned available) {
        if (size && available % size)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("tiles of %s=%u do not fill a %s of %u: crop or pad it before", name, size, name,
                             available));
        return size ? available / size : 1;
    }

    ArrayInfo out_;
    unsigned columns_ = 1, rows_ = 1; // of tiles
    Array image_;
    std::uint64_t next_ = 0;
};

} // namespace

TOMO_ELEMENT(Tile)
