// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

using namespace tomo;

namespace {

class MapColor final : public Filter {
  public:
    static constexpr Info info{
        .task = "map-color",
        .klass = "Filter/Effect",
        .blurb = "Gives each plane the colours of viridis between its least and its largest value, as three "
                 "planes of 0 to 255",
        .details =
            "Planes 3 z, 3 z + 1 and 3 z + 2 of the output are red, green and blue of plane z. The range "
            "is divided into 256 equal intervals, one for each colour; a plane of one value has the first "
            "colour. Infinite samples and NaN do not change the range; NaN stays NaN. The colours are "
            "those of Stefan van der Walt and Nathaniel Smith.",
        .example =
            "tomoread path=slice.tif ! tomomapcolor ! tomowrite filename=colors.tif bits=8 rescale=false",
    };

    std::string kernel_file_name() const override { return "convert.cl"; } // which has the colours

    ArrayInfo shape(const ArrayInfo &in) override {
        kernel("map_color");
        return in.with_format(GST_TOMO_FORMAT_FLOAT32).with_size(in.width, in.height, std::uint64_t{3} * in.depth);
    }

    void process(const Array &in, Array &out) override {
        const cl_uint parts = device()->prefers_local_memory() ? 1024 : 4 * device()->compute_units(),
                      depth = in.depth();
        Array ranges = allocate({GST_TOMO_FORMAT_COMPLEX64, parts, depth});
        Array range = allocate({GST_TOMO_FORMAT_COMPLEX64, depth, 1});
        launch(kernel("color_ranges"), {parts, depth}, in, ranges, cl_ulong{in.info().plane_samples()},
               cl_uint{device()->prefers_local_memory()});
        launch(kernel("color_range"), depth, std::as_const(ranges), range, parts);
        launch(kernel("map_color"), WorkSize(in.info()), in, std::as_const(range), out);
    }
};

} // namespace

TOMO_ELEMENT(MapColor)
