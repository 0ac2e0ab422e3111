// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/scan.hpp>

using namespace tomo;

namespace {

class Crop final : public Filter {
  public:
    static constexpr Info info{
        .task = "crop",
        .klass = "Filter/Effect",
        .blurb = "Cuts a rectangle out of each plane",
        .in = formats::all,
        .out = formats::all,
        .details =
            "Samples keep their type and value. Facts about the scan, such as the place of the rotation "
            "axis, follow the new left edge. A rectangle that reaches over the edge is an error.",
        .example = "tomoread path=slice.tif ! tomocrop width=160 height=120 from-center=true ! tomowrite "
                   "filename=middle.tif",
    };

    Property<unsigned> x{this, "x", 0, When::reshapes, "Left edge in pixels"};
    Property<unsigned> y{this, "y", 0, When::reshapes, "Top edge in pixels"};
    Property<unsigned> width{this,           "width",        Automatic{G_MAXUINT},
                             {1, G_MAXUINT}, When::reshapes, "Columns; 4294967295: all to the right edge"};
    Property<unsigned> height{this,           "height",       Automatic{G_MAXUINT},
                              {1, G_MAXUINT}, When::reshapes, "Rows; 4294967295: all to the bottom edge"};
    Property<bool> from_center{
        this, "from-center", false, When::reshapes,
        "Centre the rectangle, so that pixel (W div 2, H div 2) of W x H becomes pixel (width div 2, "
        "height div 2); x and y have to be 0"};

    ArrayInfo shape(const ArrayInfo &in) override {
        columns_ = range("x", x, "width", width, in.width);
        rows_ = range("y", y, "height", height, in.height);
        return in.with_size(columns_.size, rows_.size);
    }

  protected:
    Array apply(const Array &in) override {
        if (output_info() == in.info())
            return in;
        Array out = allocate(output_info());
        const std::size_t sample = in.info().sample_size();
        const std::size_t row = in.width() * sample, out_row = out.width() * sample;
        for (unsigned z = 0; z < in.depth(); z++)
            copy_rows(in.plane(z), {rows_.first * row + columns_.first * sample, row}, out,
                      {z * out.height() * out_row, out_row}, out_row, out.height());
        return out;
    }

    EventRef scan_event(EventRef event) override {
        return scan_after(event, input_info(), {double(columns_.first), 1.0, columns_.size},
                          {double(rows_.first), 1.0, rows_.size});
    }

    // Those behind may take the rows for views, and must know that some are missing.
    EventRef own_scan_event() override {
        if (input_info().domain != GST_TOMO_DOMAIN_UNKNOWN)
            return {};
        Scan scan;
        scan.total_rows = input_info().height;
        return scan_event(scan.to_event());
    }

  private:
    struct Range {
        std::size_t first;
        unsigned size;
    };

    Range range(const char *edge, unsigned first, const char *extent, unsigned wanted,
                unsigned available) const {
        if (from_center && first)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("%s=%u contradicts from-center=true: set one of them", edge, first));
        const bool to_the_end = wanted == G_MAXUINT;
        if (first >= available || (!to_the_end && wanted > available - first))
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("%s=%u %s=%s lies outside of an image whose %s is %u: the last pixel is %u",
                             edge, first, extent, to_the_end ? "to the end" : std::to_string(wanted).c_str(),
                             extent, available, available - 1));
        const unsigned size = to_the_end ? available - first : wanted;
        return {from_center ? available / 2 - size / 2 : first, size};
    }

    Range columns_{}, rows_{};
};

} // namespace

TOMO_ELEMENT(Crop)
