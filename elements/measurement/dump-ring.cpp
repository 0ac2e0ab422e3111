// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ring-list.hpp"

#include <gst/tomo/bases/joiner.hpp>

#include <cmath>

using namespace tomo;

namespace {

enum { images, rings };

class DumpRing final : public Joiner {
  public:
    static constexpr Info info{
        .task = "dump-ring",
        .klass = "Filter/Effect",
        .blurb = "Draws the rings of a list into an image",
        .details =
            "x, y and the radius times `scale` are rounded to pixels; a pixel belongs to the circle if its distance to x, y "
            "is between radius - 1/2 and radius + 1/2. With the largest value m of a plane, circles have m + 100 where m is "
            "above 100, 2 m where it is above 0, else m + 1. All planes of a stack get the rings of one list. A list that "
            "is the last one serves all images that follow. `tomofilterparticle` has the form of lists.",
        .example =
            "tomoread path=slice.tif ! tee name=t ! queue ! d.images  t. ! queue ! tomofilterparticle min=0 "
            "threshold=0.5 radius=9 ! d.rings  tomodumpring name=d ! tomowrite filename=rings.tif",
    };

    Property<unsigned> scale{this, "scale", 1, {1, G_MAXUINT}, "Factor on coordinates and radii"};

    std::vector<Input> inputs() const override { return {{"images"}, {"rings"}}; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        check_ring_list(in[rings]);
        return in[images].with_format(GST_TOMO_FORMAT_FLOAT32);
    }

    void process(const std::vector<Array> &in, Array &out) override {
        const auto circles = this->circles(in[rings]);
        const auto &image = in[images];
        auto maxima = allocate({GST_TOMO_FORMAT_FLOAT32, image.width(), image.depth()});
        auto values = allocate({GST_TOMO_FORMAT_FLOAT32, image.depth(), 1});
        launch(kernel("column_maxima"), WorkSize(image.width(), image.depth()), image,
               ReadWriteBareBuffer{maxima}, cl_uint{image.height()});
        launch(kernel("brightness"), WorkSize(image.depth()), BareBuffer{maxima}, cl_uint{image.width()},
               ReadWriteBareBuffer{values});
        const auto table = upload(circles.data(), circles.size() * sizeof(cl_float4));
        launch(kernel("dump_ring"), WorkSize(out.info()), image, out, BareBuffer{table},
               cl_uint(circles.size() - 1), BareBuffer{values});
    }

  private:
    // With one more behind the last, because a table has at least one.
    std::vector<cl_float4> circles(const Array &list) const {
        std::vector<cl_float4> result;
        const Host<const float> values(list);
        const auto scaled = [&](float value) {
            return static_cast<cl_float>(std::round(double(value) * scale));
        };
        for (const auto &ring : rings_of(values.data(), list.info(), frame()))
            result.push_back({{scaled(ring.x), scaled(ring.y), scaled(ring.radius), 0.0f}});
        result.push_back({});
        return result;
    }
};

} // namespace

TOMO_ELEMENT(DumpRing)
