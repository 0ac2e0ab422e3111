// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner.hpp>

#include <algorithm>

using namespace tomo;

namespace {

enum { images, models };

class FindShift final : public Joiner {
  public:
    static constexpr Info info{
        .task = "find-shift",
        .klass = "Filter/Analyzer",
        .blurb = "Displacement of each image against a model of it, in parts of pixels",
        .details =
            R"(Each plane p of `images` and the same one q of `models` give two numbers: by how many pixels p lies to larger columns
and to larger rows of q. They are x and y of the least squares of

    p - a (q - x dq/dx - y dq/dy) - b

where factor a and offset b are free, and slopes are central differences (B. D. Lucas and T. Kanade, IJCAI 1981). So x and y
are right for displacements that are less than the width of structures; move the image back by them and repeat for larger
ones. Blur both where there is noise. Pixels that are not finite, and their neighbours, do not count. Numbers are 0 where
nothing has a slope, and where p is no more like q than like -q.

With reprojections of slices as models, this aligns the projections of a scan (D. Gursoy et al., Sci. Rep. 7, 11818, 2017).)",
        .example =
            "tomofindshift name=f ! tomowrite filename=shifts.tif  tomoread path=radiographs ! tomoblur ! "
            "f.images  tomoread path=radiographs number=1 ! tomoblur ! f.models",
    };

    Property<unsigned> margin{this, "margin", 0, When::reshapes,
                              "Pixels at each edge that do not count; one at least, for its slope"};

    std::vector<Input> inputs() const override { return {{"images"}, {"models"}}; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        check_equal(in);
        const auto &image = in[images];
        const auto is_left = [&](unsigned length) {
            return length < 3 || length / 2.0 > std::max(margin.value(), 1u);
        };
        if (!is_left(image.width) || !is_left(image.height))
            throw Error(GST_STREAM_ERROR_FORMAT, text("margin=%u leaves no pixels of %s; wanted less",
                                                      margin.value(), image.describe().c_str()));
        return image.with_format(GST_TOMO_FORMAT_FLOAT32)
            .with_size(2, 1, image.depth)
            .with_domain(GST_TOMO_DOMAIN_UNKNOWN);
    }

    void process(const std::vector<Array> &in, Array &out) override {
        const auto &image = in[images].info();
        const auto items = std::min<std::size_t>(device()->max_work_group(), 64);
        Array found = allocate({GST_TOMO_FORMAT_FLOAT32, 2 * sums * groups * image.depth, 1});
        launch(kernel("find_shift_sums"), WorkSize(groups * items, image.depth).groups(items, 1), in[images],
               in[models], ReadWriteBareBuffer{found}, cl_uint{image.width}, cl_uint{image.height},
               cl_uint{margin}, LocalMemory{items * sizeof(cl_double)});
        launch(kernel("find_shift"), image.depth, BareBuffer{found}, out, cl_uint{groups});
    }

  private:
    static constexpr unsigned groups = 32, sums = 15; // sums as in the kernel
};

} // namespace

TOMO_ELEMENT(FindShift)
