// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/joiner.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace tomo;

namespace {

enum { projections, darks, flats, flats_after };
enum class Several { automatic, mean, pairs };

class FlatFieldCorrect final : public Joiner {
  public:
    static constexpr Info info{
        .task = "flat-field-correct",
        .klass = "Filter/Effect",
        .blurb = "Transmission of projections from darks and flats, (p - d) / (f - d), or absorption, its "
                 "negative logarithm",
        .details =
            R"((p - d) / (f - d), or with `absorption-correct` its negative logarithm; p is a projection, d the dark and f the flat
of each pixel, both times their scale. Of several darks the mean is taken, and so it is of flats and of flats-after, summed in
double precision as they come; so nothing comes before the last of them. A live stream does not wait for that: each
projection takes the mean of those that came in time. With `sinogram-input`, or `several=pairs` as in UFO, each projection
takes the next dark and the next flat, and those of an input that has ended repeat its last one. Where f <= d the result is what
IEEE 754 makes of the division, inf or NaN, unless `fix-nan-and-inf` is set; a warning says how many pixels that were.

With flats before and after the projections, the flat of projection i lies on the line between both:

    f(i) = f_before + w (f_after - f_before),    w = (i - b) / (a - b), not below 0 nor above 1

i, b and a are numbers among all frames of the scan: of the projection, and the means of those of both flats.
`tomoscansrc` tells them. Where nobody does, flats stand directly before the first of N projections and behind the
last one: w = (i + 1/2) / N. With `sinogram-input` i is that of each row.)",
        .example =
            "tomoscansrc name=s location=scan.nxs s.projections ! f.projections s.darks ! f.darks s.flats "
            "! f.flats s.flats-after ! f.flats-after tomoflatfieldcorrect name=f ! tomowrite "
            "filename=corrected.tif",
    };

    Property<bool> absorption_correct{this, "absorption-correct", false, "Give ln((f - d) / (p - d))"};
    Property<bool> fix_nan_and_inf{
        this, "fix-nan-and-inf", false,
        "Pixels whose flat is not above the dark, or whose result is not finite, become 0; their "
        "number is told in an element message, and by a warning where they are more than 1 % of all "
        "pixels"};
    Property<bool> sinogram_input{
        this, "sinogram-input", false, When::reshapes,
        "Inputs are sinograms: darks and flats are single rows, one value per column; of several the "
        "first one"};
    Property<float> dark_scale{this, "dark-scale", 1.0f, {-FLT_MAX, FLT_MAX}, "Factor on the darks"};
    Property<float> flat_scale{this, "flat-scale", 1.0f, {-FLT_MAX, FLT_MAX}, "Factor on the flats"};

    Property<unsigned> num_projections{
        this, "num-projections", Automatic{0},
        "Number of projections between flats and flats-after, if the stream does not tell it; 0: the "
        "stream's number"};

    Choice<Several> several{
        this,
        "several",
        Several::automatic,
        {{Several::automatic, "automatic", "pairs with sinogram-input, else mean"},
         {Several::mean, "mean", "Their mean is taken for all projections"},
         {Several::pairs, "pairs", "One is taken for each projection, the last one again and again"}},
        When::ready,
        "For what several darks or flats are"};

    std::vector<Input> inputs() const override {
        return {{"projections"}, {"darks"}, {"flats"}, {"flats-after", true}};
    }

    bool takes_mean(std::size_t input) const override {
        return input != projections &&
               (several == Several::mean || (several == Several::automatic && !sinogram_input));
    }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        for (int side : {darks, flats, flats_after})
            if (in[side].format != GST_TOMO_FORMAT_UNKNOWN)
                check_size(inputs()[side].name, in[side], in[projections]);
        return in[projections].with_format(GST_TOMO_FORMAT_FLOAT32);
    }

    void process(const std::vector<Array> &in, Array &out) override {
        if (!*bad_) {
            tell_means(in);
            corrected_ = 0;
            bad_ = allocate({GST_TOMO_FORMAT_UINT32, counters, 2});
            const cl_uint zero = 0;
            fill(*bad_, &zero, sizeof zero);
        }
        corrected_ += out.info().samples();
        auto rows = [&](int side) { return cl_uint{in[side].height()}; };
        auto planes = [&](int side) { return cl_uint{in[side].depth()}; };
        const auto options = text("-D COUNTERS=%u%s", counters, sinogram_input ? " -D SINOGRAMS" : "");
        const WorkSize size(out.info());
        if (!in[flats_after])
            return launch(kernel("flat_field_correct", options), size, in[projections], in[darks], in[flats],
                          out, ReadWrite{*bad_}, rows(darks), planes(darks), rows(flats), planes(flats),
                          dark_scale.value(), flat_scale.value(), cl_int{absorption_correct},
                          cl_int{fix_nan_and_inf});
        const auto weights = upload(weights_after(out.height()));
        launch(kernel("flat_field_correct", options + " -D FLATS_AFTER"), size, in[projections], in[darks],
               in[flats], in[flats_after], out, ReadWrite{*bad_}, rows(darks), planes(darks), rows(flats),
               planes(flats), rows(flats_after), planes(flats_after), BareBuffer{weights},
               cl_uint{weights.width()}, dark_scale.value(), flat_scale.value(), cl_int{absorption_correct},
               cl_int{fix_nan_and_inf});
    }

    EventRef scan_event(EventRef event) override {
        scan_ = Scan(event.get());
        return event;
    }

    // Counted on the device and told once, because asking for every frame would wait for every frame.
    void finish() override {
        if (!*bad_)
            return;
        const auto left = count_of(0), fixed = count_of(1);
        bad_ = {};
        if (fixed)
            post_message(gst_structure_new("tomo-fixed-pixels", "count", G_TYPE_UINT64, fixed, nullptr));
        if (fixed * 100 > corrected_)
            warn(text("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                      " pixels (%.3g %%) were made 0 by fix-nan-and-inf: their flat is not above the "
                      "dark, or their result is not finite. Check that darks and flats are not swapped",
                      fixed, corrected_, 100.0 * double(fixed) / double(corrected_)));
        if (left)
            warn(text("%" G_GUINT64_FORMAT " pixels are not finite, as where a flat equals its dark; "
                      "fix-nan-and-inf=true makes them 0",
                      left));
    }

  private:
    void check_size(const char *name, const ArrayInfo &side, const ArrayInfo &main) {
        const bool height_fits = side.height == main.height || sinogram_input;
        if (side.width != main.width || !height_fits || (side.depth != main.depth && side.depth != 1))
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("%s are %u x %u x %u, but projections are %u x %u x %u; wanted the same size, %s", name,
                     side.width, side.height, side.depth, main.width, main.height, main.depth,
                     sinogram_input ? "one row, or one plane of one"
                                    : "one plane, or with sinogram-input=true one row"));
        // Rows of a sinogram are angles; which row of the detector it is from, only the user knows.
        if (sinogram_input && side.height > 1)
            warn(text("%s have %u rows, of which sinogram-input=true takes the first one: give them the row "
                      "of the sinogram alone, by tomoread y=ROW height=1 or tomocrop y=ROW height=1",
                      name, side.height));
    }

    void tell_means(const std::vector<Array> &in) {
        EffectiveValues values;
        std::string sentence;
        for (const int side : {darks, flats, flats_after}) {
            if (!in[side] || !takes_mean(side))
                continue;
            const char *name = inputs()[side].name;
            const auto n = averaged(side);
            values.add(text("%s-averaged", name), std::uint64_t{n});
            if (n > 1)
                sentence +=
                    text("%s%" G_GUINT64_FORMAT " %s", sentence.empty() ? "the mean of " : ", of ", n, name);
        }
        if (!sentence.empty())
            values.say(sentence);
        report_effective(values);
    }

    // Of the flats after, for the projection, or for each row of a sinogram.
    std::vector<float> weights_after(unsigned rows) {
        std::vector<double> frames{double(frame())};
        double before = scan_->flats_frame, after = scan_->flats_after_frame;
        const bool told = after > before && (!sinogram_input || scan_->frames.size() == rows);
        if (sinogram_input) {
            frames = scan_->frames;
            if (!told) {
                frames.resize(rows);
                std::iota(frames.begin(), frames.end(), 0.0);
            }
        }
        if (!told) {
            before = -0.5;
            after = (sinogram_input ? rows : number_of_projections()) - 0.5;
        }
        std::vector<float> weights;
        for (const double frame : frames)
            weights.push_back(float(std::clamp((frame - before) / (after - before), 0.0, 1.0)));
        return weights;
    }

    double number_of_projections() {
        if (num_projections)
            return num_projections;
        if (const auto count = main_count())
            return double(*count);
        throw Error(GST_STREAM_ERROR_FAILED,
                    "flats-after is linked, but nobody knows how many projections there are: set "
                    "num-projections, or read the scan by tomoscansrc");
    }

    guint64 count_of(unsigned row) const {
        const Host<const cl_uint> host(*bad_);
        return std::accumulate(host.data() + row * counters, host.data() + (row + 1) * counters, guint64{0});
    }

    static constexpr unsigned counters = 256;
    UntilStop<Scan> scan_{this};
    guint64 corrected_ = 0; // pixels of the projections so far
    UntilStop<Array> bad_{
        this}; // how many pixels so far: a row for those left as they are and one for those made 0
};

} // namespace

TOMO_ELEMENT(FlatFieldCorrect)
