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
last one: w = (i + 1/2) / N. With `sinogram-input` i is that of each row.

Where the scan's flats come as the means of several sets, by `flat-sets=means` of `tomoscansrc`, the flat lies on the line
between the two sets around i, the flats after being the last set.

`normalize-beam` divides by the intensity I of the beam that the scan tells, as that of a ring or a monitor: the result is

    (p - d) / I(i) / ((1 - w) (f_before - d) / I_before + w (f_after - d) / I_after)

where I_before and I_after are the means over those flats.)",
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

    Property<bool> normalize_beam{
        this, "normalize-beam", false,
        "Divide projections and flats by the intensity of the beam that the scan tells for each of them"};

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
        scan_ = received_scan() ? Scan(received_scan().get()) : Scan();
        sets_ = sets_of(in);
        pairs_ = {};
        weights_ = {};
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
        if (sets_ > 1 || normalize_beam) {
            const Array &pairs = pairs_of(out.height(), bool(in[flats_after]));
            const auto sets = text(" -D SETS=%u", sets_);
            if (!in[flats_after])
                return launch(kernel("flat_field_correct", options + sets), size, in[projections], in[darks],
                              in[flats], out, ReadWrite{*bad_}, rows(darks), planes(darks), rows(flats),
                              planes(flats), BareBuffer{pairs}, pair_rows_, dark_scale.value(),
                              flat_scale.value(), cl_int{absorption_correct}, cl_int{fix_nan_and_inf});
            return launch(kernel("flat_field_correct", options + sets + " -D FLATS_AFTER"), size,
                          in[projections], in[darks], in[flats], in[flats_after], out, ReadWrite{*bad_},
                          rows(darks), planes(darks), rows(flats), planes(flats), rows(flats_after),
                          planes(flats_after), BareBuffer{pairs}, pair_rows_, dark_scale.value(),
                          flat_scale.value(), cl_int{absorption_correct}, cl_int{fix_nan_and_inf});
        }
        if (!in[flats_after])
            return launch(kernel("flat_field_correct", options), size, in[projections], in[darks], in[flats],
                          out, ReadWrite{*bad_}, rows(darks), planes(darks), rows(flats), planes(flats),
                          dark_scale.value(), flat_scale.value(), cl_int{absorption_correct},
                          cl_int{fix_nan_and_inf});
        if (!sinogram_input || !*weights_)
            weights_ = upload(weights_after(out.height()));
        const Array &weights = *weights_;
        launch(kernel("flat_field_correct", options + " -D FLATS_AFTER"), size, in[projections], in[darks],
               in[flats], in[flats_after], out, ReadWrite{*bad_}, rows(darks), planes(darks), rows(flats),
               planes(flats), rows(flats_after), planes(flats_after), BareBuffer{weights},
               cl_uint{weights.width()}, dark_scale.value(), flat_scale.value(), cl_int{absorption_correct},
               cl_int{fix_nan_and_inf});
    }

    // Once it is corrected, the intensity says nothing any more.
    EventRef scan_event(EventRef event) override {
        if (!normalize_beam)
            return event;
        Scan scan(event.get());
        scan.beam.clear();
        scan.flats_beam.clear();
        scan.flats_after_beam = std::nan("");
        return scan.to_event();
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
    // Sets of the flats that come apart; 1 if they do not.
    unsigned sets_of(const std::vector<ArrayInfo> &in) const {
        const auto told = static_cast<unsigned>(scan_->flat_set_frames.size());
        const auto came = sinogram_input ? in[flats].height : in[flats].depth;
        return told > 1 && told == came && (sinogram_input || in[projections].depth == 1) ? told : 1;
    }

    void check_size(const char *name, const ArrayInfo &side, const ArrayInfo &main) {
        const bool is_sets = sets_ > 1 && name == std::string(inputs()[flats].name);
        const bool height_fits = side.height == main.height || sinogram_input;
        const bool depth_fits = side.depth == main.depth || side.depth == 1 || (is_sets && !sinogram_input);
        if (side.width != main.width || !height_fits || !depth_fits)
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("%s are %u x %u x %u, but projections are %u x %u x %u; wanted the same size, %s", name,
                     side.width, side.height, side.depth, main.width, main.height, main.depth,
                     sinogram_input ? "one row, or one plane of one"
                                    : "one plane, or with sinogram-input=true one row"));
        // Rows of a sinogram are angles; which row of the detector it is from, only the user knows.
        if (sinogram_input && side.height > 1 && !is_sets)
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

    // As in the kernel.
    struct Pair {
        cl_uint first, second;
        cl_float first_weight, second_weight;
    };

    // All sinograms have the same ones.
    const Array &pairs_of(unsigned rows, bool has_after) {
        const bool normalizes = normalize_beam;
        if (!sinogram_input || !*pairs_ || normalizes != has_normalized_pairs_)
            pairs_ = upload_pairs(rows, has_after, normalizes);
        has_normalized_pairs_ = normalizes;
        return *pairs_;
    }

    // The sets of flats around the projection, or around each row of a sinogram, and what they count.
    Array upload_pairs(unsigned rows, bool has_after, bool normalizes) {
        std::vector<std::uint64_t> views(sinogram_input ? rows : 1);
        for (std::size_t i = 0; i < views.size(); i++)
            views[i] = sinogram_input ? i : scan_->view_of(frame(), frame());
        auto times = sets_ > 1 ? scan_->flat_set_frames : std::vector{scan_->flats_frame};
        if (has_after)
            times.push_back(scan_->flats_after_frame);
        const bool told = scan_->frames.size() > views.back() && std::is_sorted(times.begin(), times.end()) &&
                          !std::isnan(times.front() + times.back());
        if (!told && sets_ > 1)
            throw Error(GST_STREAM_ERROR_FAILED,
                        text("flats of %u times came, but the stream does not tell when the projections were "
                             "taken: read both by one tomoscansrc",
                             sets_));
        const auto after = has_after && !told ? weights_after(rows) : std::vector<float>();
        std::vector<Pair> pairs;
        for (std::size_t i = 0; i < views.size(); i++) {
            Pair pair{0, 0, 1.0f, 0.0f};
            if (told) {
                const double frame = std::clamp(scan_->frames[views[i]], times.front(), times.back());
                const auto next = std::lower_bound(times.begin(), times.end(), frame);
                pair.second = static_cast<cl_uint>(next - times.begin());
                pair.first = pair.second > 0 ? pair.second - 1 : 0;
                const double from = times[pair.first], to = times[pair.second];
                pair.second_weight = static_cast<cl_float>(to > from ? (frame - from) / (to - from) : 1.0);
            } else if (has_after) {
                pair.second = 1;
                pair.second_weight = after[after.size() > 1 ? i : 0];
            }
            pair.first_weight = 1.0f - pair.second_weight;
            if (normalizes) {
                const double now = beam_of_view(views[i]);
                pair.first_weight *= static_cast<cl_float>(now / beam_of_set(pair.first));
                pair.second_weight *= static_cast<cl_float>(now / beam_of_set(pair.second));
            }
            pairs.push_back(pair);
        }
        pair_rows_ = static_cast<cl_uint>(pairs.size());
        return upload(pairs.data(), pairs.size() * sizeof pairs[0]);
    }

    double beam_of_view(std::uint64_t view) const {
        if (view < scan_->beam.size())
            return checked_beam(scan_->beam[view], "a projection");
        throw Error(GST_STREAM_ERROR_FAILED,
                    "normalize-beam is set, but the scan does not tell the intensity of the beam in the "
                    "projections: leave it out, or read a scan with a monitor by tomoscansrc");
    }

    double beam_of_set(unsigned set) const {
        const auto &before = scan_->flats_beam;
        const double beam = set >= sets_ ? scan_->flats_after_beam : set < before.size() ? before[set] : NAN;
        return checked_beam(beam, "the flats");
    }

    static double checked_beam(double beam, const char *where) {
        if (std::isfinite(beam) && beam > 0.0)
            return beam;
        throw Error(GST_STREAM_ERROR_FAILED,
                    text("normalize-beam is set, but the intensity of the beam in %s is %g; wanted a number "
                         "above 0: leave it out",
                         where, beam));
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
    unsigned sets_ = 1; // of the flats before
    cl_uint pair_rows_ = 1;
    UntilStop<Array> pairs_{this}, weights_{this}; // of the flats, on the device
    bool has_normalized_pairs_ = false;
    UntilStop<Scan> scan_{this};
    guint64 corrected_ = 0; // pixels of the projections so far
    UntilStop<Array> bad_{
        this}; // how many pixels so far: a row for those left as they are and one for those made 0
};

} // namespace

TOMO_ELEMENT(FlatFieldCorrect)
