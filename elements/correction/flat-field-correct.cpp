// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/joiner.hpp>

#include <numeric>

namespace {

enum { projections, darks, flats };

class FlatFieldCorrect final : public tomo::Joiner {
  public:
    static constexpr tomo::Info info{"flat-field-correct", "Filter/Effect",
                                     "Transmission of projections from darks and flats, (p - d) / (f - d), "
                                     "or absorption, its negative logarithm"};

    tomo::Property<bool> absorption_correct{this, "absorption-correct", "Give ln((f - d) / (p - d))", false};
    tomo::Property<bool> fix_nan_and_inf{this, "fix-nan-and-inf",
                                         "Pixels whose flat is not above the dark, or whose result is not "
                                         "finite, become 0; their number is told in an element message",
                                         false};
    tomo::Property<bool> sinogram_input{
        this, "sinogram-input", "Inputs are sinograms: darks and flats are single rows, one value per column",
        false, tomo::When::reshapes};
    tomo::Property<float> dark_scale{this, "dark-scale", "Factor on the darks", 1.0f, {-FLT_MAX, FLT_MAX}};
    tomo::Property<float> flat_scale{this, "flat-scale", "Factor on the flats", 1.0f, {-FLT_MAX, FLT_MAX}};

    std::vector<Input> inputs() const override { return {{"projections"}, {"darks"}, {"flats"}}; }

    tomo::ArrayInfo shape(const std::vector<tomo::ArrayInfo> &in) override {
        for (int side : {darks, flats})
            check_size(inputs()[side].name, in[side], in[projections]);
        return in[projections].with_format(GST_TOMO_FORMAT_FLOAT32);
    }

    void process(const std::vector<tomo::Array> &in, tomo::Array &out) override {
        if (!bad_) {
            bad_ = allocate({GST_TOMO_FORMAT_UINT32, counters, 2});
            const cl_uint zero = 0;
            fill(bad_, &zero, sizeof zero);
        }
        auto rows = [&](int side) { return cl_uint{in[side].height() == out.height() ? out.height() : 1}; };
        auto planes = [&](int side) { return cl_uint{in[side].depth()}; };
        launch(kernel("flat_field_correct", tomo::text("-D COUNTERS=%u", counters)),
               tomo::WorkSize(out.info()), in[projections], in[darks], in[flats], out, tomo::Update{bad_},
               rows(darks), planes(darks), rows(flats), planes(flats), dark_scale.value(), flat_scale.value(),
               cl_int{absorption_correct}, cl_int{fix_nan_and_inf});
    }

    // Counted on the device and told once, because asking for every frame would wait for every frame.
    void finish() override {
        if (!bad_)
            return;
        const auto left = count_of(0), fixed = count_of(1);
        bad_ = {};
        if (fixed)
            post_message(gst_structure_new("tomo-fixed-pixels", "count", G_TYPE_UINT64, fixed, nullptr));
        if (left)
            warn(tomo::text("%" G_GUINT64_FORMAT " pixels are not finite, as where a flat equals its dark; "
                            "fix-nan-and-inf=true makes them 0",
                            left));
    }

    void stop() override { bad_ = {}; }

  private:
    void check_size(const char *name, const tomo::ArrayInfo &side, const tomo::ArrayInfo &main) const {
        const bool height_fits = side.height == main.height || (sinogram_input && side.height == 1);
        if (side.width != main.width || !height_fits || (side.depth != main.depth && side.depth != 1))
            throw tomo::Error(
                GST_STREAM_ERROR_FORMAT,
                tomo::text("%s are %u x %u x %u, but projections are %u x %u x %u; wanted the same size, %s",
                           name, side.width, side.height, side.depth, main.width, main.height, main.depth,
                           sinogram_input ? "one row or one plane"
                                          : "one plane, or with sinogram-input=true one row"));
    }

    guint64 count_of(unsigned row) const {
        const tomo::Host<const cl_uint> host(bad_);
        return std::accumulate(host.data() + row * counters, host.data() + (row + 1) * counters, guint64{0});
    }

    static constexpr unsigned counters = 256;
    tomo::Array bad_; // how many pixels so far: a row for those left as they are and one for those made 0
};

} // namespace

TOMO_ELEMENT(FlatFieldCorrect)
