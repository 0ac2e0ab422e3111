// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fields.hpp"

#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/side-by-side.hpp>

#include <utility>

using namespace tomo;

namespace {

class LiveCorrect final : public Filter, public WithHistory {
  public:
    static constexpr Info info{
        .task = "live-correct",
        .klass = "Filter/Effect",
        .blurb =
            "Absorption or transmission of projections by the darks and flats that tomolivestore has taken",
        .in = formats::real,
        .details =
            R"(ln((f - d) / (p - d)), or without `absorption-correct` (p - d) / (f - d), as [tomoflatfieldcorrect](correction.md#tomoflatfieldcorrect) has them; p is a
projection, d the dark and f the flat of each pixel, the means that `tomolivestore` had when the projection passed. So darks and flats are
replaced while the stream goes on, between two frames.

Projections without flats do not go on, and a warning says so once: they do as soon as flats have been taken. Without darks, d is 0, with
a warning as well.)",
        .example =
            "tomoread path=projections ! tomolivestore darks=darks flats=flats angle-step=0.01745 ! tomolivecorrect ! tomowrite "
            "filename=corrected.tif",
    };

    Property<bool> absorption_correct{this, "absorption-correct", true, "Give ln((f - d) / (p - d))"};
    Property<bool> fix_nan_and_inf{
        this, "fix-nan-and-inf", true,
        "Pixels whose flat is not above the dark, or whose result is not finite, become 0"};

    ArrayInfo shape(const ArrayInfo &in) override {
        counts_ = {};
        return in.with_format(GST_TOMO_FORMAT_FLOAT32);
    }
    std::optional<std::uint64_t> output_count(std::uint64_t, const ArrayInfo &) const override { return {}; }
    std::string history() const override { return "darks and flats are those that were taken before"; }
    void device_changed() override {
        forget();
        Filter::device_changed();
    }
    void stop() override { forget(); }

    void process(const Array &in, Array &out) override {
        const auto options = text("-D COUNTERS=%u", counters);
        const cl_uint one = 1;
        if (!counts_) {
            counts_ = allocate({GST_TOMO_FORMAT_UINT32, counters, 2});
            const cl_uint zero = 0;
            fill(counts_, &zero, sizeof zero);
        }
        // Kernels read what is const, and write what is not.
        launch(kernel("flat_field_correct", options, "flat-field-correct.cl"), WorkSize(out.info()), in,
               std::as_const(dark_), std::as_const(flat_), out, ReadWrite{counts_}, cl_uint{out.height()},
               one, cl_uint{out.height()}, one, 1.0f, 1.0f, cl_int{absorption_correct},
               cl_int{fix_nan_and_inf});
    }

  protected:
    GstFlowReturn take(GstBuffer *buffer) override {
        import(buffer, input_info()); // settles the device
        const auto fields = live::FieldsMeta::of(buffer);
        if (!fields)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        "a projection came without its darks and flats: put tomolivestore before, without "
                        "elements between that make new images");
        if (!fields->flat) {
            if (!std::exchange(told_flats_, true))
                warn(
                    "there are no flats yet, so no projection goes on: take some, with the sample out of the "
                    "beam, or name a file of them");
            return GST_FLOW_OK;
        }
        if (!fields->dark && !std::exchange(told_darks_, true))
            warn(
                "there are no darks, so 0 counts as dark: take some, with the beam closed, or name a file of "
                "them");
        told_flats_ = false;
        told_darks_ = told_darks_ && !fields->dark;
        use(*fields);
        return Filter::take(buffer);
    }
    void clear() override { told_flats_ = told_darks_ = false; }

  private:
    static constexpr unsigned counters = 256; // see kernels/flat-field-correct.cl

    // Uploads what is new.
    void use(const live::Fields &fields) {
        const auto &in = input_info();
        const ArrayInfo one(GST_TOMO_FORMAT_FLOAT32, in.width, in.height);
        if (!flat_ || used_.flat != fields.flat)
            flat_ = upload(fields.flat->mean).as(one);
        if (!dark_ || used_.dark != fields.dark)
            dark_ = upload(fields.dark ? fields.dark->mean : std::vector<float>(one.samples())).as(one);
        used_ = fields;
        input_format("darks", GST_TOMO_FORMAT_FLOAT32);
        input_format("flats", GST_TOMO_FORMAT_FLOAT32);
        input_format("projections", in.format);
    }

    void forget() {
        used_ = {};
        dark_ = flat_ = counts_ = {};
        clear();
    }

    live::Fields used_;
    Array dark_, flat_, counts_;
    bool told_flats_ = false, told_darks_ = false;
};

} // namespace

TOMO_ELEMENT(LiveCorrect)
