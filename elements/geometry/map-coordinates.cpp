// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/addressing.hpp>
#include <gst/tomo/bases/interpolation.hpp>
#include <gst/tomo/bases/joiner.hpp>

using namespace tomo;

namespace {

enum { images, x, y };

class MapCoordinates final : public Joiner {
  public:
    static constexpr Info info{
        .task = "map-coordinates",
        .klass = "Filter/Effect",
        .blurb = "Samples images at the places that maps of columns and rows give",
        .details =
            R"(Output pixel (i, j) is the image at column x(i, j) and row y(i, j), where whole numbers are pixel
centres (in edge coordinates: at x + 1/2). The output has the size of the maps. `cubic` is the Catmull-Rom
spline, which goes through the pixels. Coordinates that are not finite give NaN. Maps of one plane serve all
planes of an image; maps that have ended serve all images that follow. Maps in float64 keep their precision
where the device has it. The columns of the output are no detector columns any more, so nothing is known
about the scan.)",
        .example =
            "tomoread path=projections number=4 ! m.images  tomoread path=projection.tif ! tomocalculate "
            "dimensions=2 expression=\"x + 3 * sin(y / 5.0f)\" ! m.x  tomoread path=projection.tif ! "
            "tomocalculate dimensions=2 expression=\"y\" ! m.y  tomomapcoordinates name=m "
            "interpolation=cubic ! tomowrite filename=waves.h5:/data",
    };

    AddressingMode addressing_mode{this, Addressing::clamp, "Zero; nothing is undefined"};
    InterpolationMode interpolation{this, Interpolation::cubic};

    std::vector<Input> inputs() const override { return {{"images"}, {"x"}, {"y"}}; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        const auto &map = in[x];
        if (in[y].width != map.width || in[y].height != map.height || in[y].depth != map.depth ||
            (map.depth != 1 && map.depth != in[images].depth))
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("x is %s, y is %s and images are %s; wanted x and y of the same size, "
                             "of one plane or as many as the images have",
                             map.describe().c_str(), in[y].describe().c_str(),
                             in[images].describe().c_str()));
        mapped();
        return in[images].with_format(GST_TOMO_FORMAT_FLOAT32).with_size(map.width, map.height);
    }

    void process(const std::vector<Array> &in, Array &out) override {
        launch(mapped(), WorkSize(out.info()), in[images], in[x], in[y], out, cl_int(in[images].width()),
               cl_int(in[images].height()), cl_int{in[x].depth() > 1});
    }

  protected:
    EventRef scan_event(EventRef) override { return {}; }

  private:
    Kernel mapped() { return kernel("map_coordinates", addressing_mode.option() + interpolation.option()); }
};

} // namespace

TOMO_ELEMENT(MapCoordinates)
