// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flat-components.hpp"

#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/joiner.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

using namespace tomo;

namespace {

enum { projections, darks, flats, flats_after };

class DynamicFlatFieldCorrect final : public Joiner {
  public:
    static constexpr Info info{
        .task = "dynamic-flat-field-correct",
        .klass = "Filter/Effect",
        .blurb =
            "Transmission of projections by a flat of their own, of the principal components of many flats",
        .details =
            R"(For beams whose profile changes between flats and projections (V. Van Nieuwenhove et al., "Dynamic intensity
normalization using eigen flat fields in X-ray imaging", Optics Express 23, 27975, 2015, doi:10.1364/OE.23.027975). The
flat of a projection p is F = m + w_1 u_1 + w_2 u_2 + ..., where m is the mean of the flats without the dark d, and
u_k are the principal components of their deviations from it. As many components count as have more variance than those of
images with noise alone (parallel analysis: the mean of up to 20 draws and two standard deviations), or `components`. The
variance of the other components is that of noise. `denoise` takes noise of it off those that count: in their place comes
the quadratic surface that fits best to 7 x 7 pixels, and what deviates from it by more than noise (as in J.-S. Lee, IEEE
Trans. PAMI 2, 165, 1980). The paper has a filter that matches blocks there.

The weights w make the total variation of the corrected projection least, the sum of

    |gradient of mean(F) (p - d) / F|

over an image that is smaller by `downsampling`; lengths of gradients are smoothed by a thousandth of mean(m). That says
nothing about the intensity of the whole beam, as the factor mean(F) cancels it: make the mean of a region of air 1
behind (`tomoaircorrect`).

`flats` and `flats-after` are stacks, each in one array, by `tomostack`. Of several darks the mean is taken. A part of the
image has other components: correct the whole, and crop behind.)",
        .example =
            "tomoscansrc name=s location=scan.nxs s.projections ! f.projections s.darks ! f.darks s.flats ! "
            "tomostack number=100 ! f.flats tomodynamicflatfieldcorrect name=f ! tomowrite filename=corrected.tif",
    };

    Property<bool> absorption_correct{this, "absorption-correct", false, "Give ln(F / (p - d))"};
    Property<bool> fix_nan_and_inf{
        this, "fix-nan-and-inf", false,
        "Pixels whose flat is not above 0, or whose result is not finite, become 0"};
    Property<unsigned> components{
        this,         "components",
        Automatic{0}, {0, most_components},
        When::ready,  "Principal components that count; 0: those above noise, at most eight"};
    Property<bool> denoise{this, "denoise", true, When::ready, "Remove noise from the components"};
    Property<unsigned> downsampling{
        this,
        "downsampling",
        Automatic{0},
        {0, 1024},
        When::ready,
        "Pixels along both directions whose mean is one of the image that the weights are found in; 0: so "
        "many that its shorter side has about 100"};

    std::vector<Input> inputs() const override {
        return {{"projections"}, {"darks"}, {"flats"}, {"flats-after", true}};
    }
    bool takes_mean(std::size_t input) const override { return input == darks; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        const auto &main = in[projections];
        if (main.domain == GST_TOMO_DOMAIN_SINOGRAM)
            throw Error(GST_STREAM_ERROR_FORMAT, "sinograms came; the weights of a flat are those of whole "
                                                 "projections: put tomotransposeprojections behind");
        for (const int side : {darks, flats, flats_after})
            if (in[side].format != GST_TOMO_FORMAT_UNKNOWN &&
                (in[side].width != main.width || in[side].height != main.height ||
                 (side == darks && in[side].depth != 1)))
                throw Error(GST_STREAM_ERROR_FORMAT,
                            text("%s are %s, but projections are %s: wanted the same width and height%s",
                                 inputs()[side].name, in[side].describe().c_str(), main.describe().c_str(),
                                 side == darks ? ", and one plane" : ""));
        mean_ = {};
        return main.with_format(GST_TOMO_FORMAT_FLOAT32);
    }

    void process(const std::vector<Array> &in, Array &out) override {
        if (!*mean_)
            learn(in);
        const Array weights = find_weights(in);
        launch(kernel("dynamic_flat_field_correct", options()), WorkSize(out.info()), in[projections],
               in[darks], BareBuffer{*mean_}, BareBuffer{*components_}, BareBuffer{weights}, out,
               cl_int{absorption_correct}, cl_int{fix_nan_and_inf});
    }

  private:
    static constexpr unsigned most_components = 8;
    static constexpr unsigned block = 4;   // as in the kernel
    static constexpr unsigned groups = 64; // of sums over an image
    static constexpr unsigned variation_groups = 16;
    static constexpr unsigned steps = 30;
    static constexpr cl_float smoothing = 1e-3f; // of gradients, over the mean flat
    static constexpr unsigned usual_side = 100;
    static constexpr unsigned least_flats = 3;

    std::string options() const { return count_ ? text("-D COMPONENTS=%u", count_) : ""; }
    std::size_t items() { return std::min<std::size_t>(device()->max_work_group(), 64); }
    static ArrayInfo floats(std::uint64_t count) {
        return {GST_TOMO_FORMAT_FLOAT32, static_cast<unsigned>(count), 1};
    }

    // Sums of `each` results of each of `blocks` blocks, of all work-groups.
    std::vector<double> add_up(const Array &found, unsigned blocks, unsigned each) {
        Array totals = allocate(floats(std::uint64_t{blocks} * each));
        launch(kernel("add_up"), WorkSize(std::size_t{blocks} * each), BareBuffer{found},
               ReadWriteBareBuffer{totals}, cl_uint{groups}, cl_uint{each});
        const Host<const float> host(totals);
        return {host.data(), host.data() + blocks * each};
    }

    // The mean of the flats and their components, once.
    void learn(const std::vector<Array> &in) {
        const auto &one = in[projections].info();
        const unsigned before = in[flats].depth(), after = in[flats_after] ? in[flats_after].depth() : 0;
        const unsigned number = before + after;
        if (number < least_flats || components >= number)
            throw Error(
                GST_STREAM_ERROR_FAILED,
                text("%u flat%s came, and %s components are found in at least %u: stack all of them in one "
                     "array by tomostack, or correct by their mean, by tomoflatfieldcorrect",
                     number, number == 1 ? "" : "s",
                     components ? std::to_string(components).c_str() : "principal",
                     std::max(least_flats, components + 1)));
        flats_in_use_ = number;
        const cl_ulong n = cl_ulong{one.width} * one.height;
        const auto image = one.with_format(GST_TOMO_FORMAT_FLOAT32).with_size(one.width, one.height, 1);
        Array all = allocate(resized(image, one.width, one.height, number, text("%u flats", number)));
        launch(kernel("flats_without_dark"), WorkSize(n, before), in[flats], in[darks],
               ReadWriteBareBuffer{all}, cl_uint{0});
        if (after)
            launch(kernel("flats_after_without_dark"), WorkSize(n, after), in[flats_after], in[darks],
                   ReadWriteBareBuffer{all}, cl_uint{before});
        Array mean = allocate(image), variances = allocate(floats(4 * groups));
        launch(kernel("center_flats"), WorkSize(groups * items()).groups(items()), ReadWriteBareBuffer{all},
               ReadWriteBareBuffer{mean}, ReadWriteBareBuffer{variances}, n, cl_uint{number},
               LocalMemory{items() * sizeof(cl_double)});
        mean_ = mean;
        const auto sums = add_up(variances, 1, 2);
        choose_components(all, n, number, sums[0], sums[1]);
        shrink(image);
        EffectiveValues values;
        report_effective(values.add("components", count_)
                             .add("flats", number)
                             .say(text("%u components of %u flats", count_, number)));
    }

    void choose_components(const Array &all, cl_ulong n, unsigned number, double variances, double squares) {
        const unsigned rows = (number + block - 1) / block;
        std::vector<cl_uint> pairs;
        for (cl_uint i = 0; i < rows; i++)
            for (cl_uint j = 0; j <= i; j++)
                pairs.insert(pairs.end(), {i, j});
        const auto count = static_cast<unsigned>(pairs.size() / 2);
        Array found = allocate(floats(std::uint64_t{2} * count * groups * block * block));
        const auto table = upload(pairs.data(), pairs.size() * sizeof pairs[0]);
        launch(kernel("products_of_flats"), WorkSize(groups * items(), count).groups(items(), 1),
               BareBuffer{all}, BareBuffer{table}, ReadWriteBareBuffer{found}, n, cl_uint{number},
               LocalMemory{items() * sizeof(cl_double)});
        const auto sums = add_up(found, count, block * block);
        std::vector<double> products(std::size_t{number} * number);
        for (unsigned p = 0; p < count; p++)
            for (unsigned k = 0; k < block * block; k++) {
                const unsigned i = pairs[2 * p] * block + k / block, j = pairs[2 * p + 1] * block + k % block;
                if (i < number && j < number)
                    products[i * number + j] = products[j * number + i] =
                        sums[p * block * block + k] / static_cast<double>(n);
            }
        const auto found_components = principal_components(products, number);
        count_ = std::min({components.value(), number - 1, most_components});
        if (!components && squares > 0.0) {
            const auto noise = variances_of_noise(number, variances / static_cast<double>(n),
                                                  variances * variances / squares);
            const unsigned most = std::min(number - 1, most_components);
            while (count_ < most && found_components[count_].variance > noise[count_])
                count_++;
        }
        std::vector<float> weights;
        for (unsigned k = 0; k < count_; k++)
            weights.insert(weights.end(), found_components[k].weights.begin(),
                           found_components[k].weights.end());
        Array combined = allocate(floats(std::max<cl_ulong>(count_, 1)));
        if (count_) {
            const auto info = mean_->info();
            combined = allocate(info.with_size(info.width, info.height, count_));
            launch(kernel("combine_flats"), WorkSize(n, count_), BareBuffer{all}, BareBuffer{upload(weights)},
                   ReadWriteBareBuffer{combined}, cl_uint{number});
            if (denoise) {
                Array noisy = std::exchange(combined, allocate(combined.info()));
                double noise = variances / static_cast<double>(n) * (number - 1);
                for (unsigned k = 0; k < count_; k++)
                    noise -= found_components[k].variance;
                const auto of_pixel =
                    static_cast<cl_float>(std::max(noise, 0.0) / std::max(number - 1 - count_, 1u));
                launch(kernel("denoise_components"), WorkSize(combined.info()), BareBuffer{noisy},
                       ReadWriteBareBuffer{combined}, of_pixel);
            }
        }
        components_ = combined;
    }

    // Of the mean and the components, and the means of these.
    void shrink(const ArrayInfo &image) {
        size_ = downsampling ? downsampling.value()
                             : std::max(std::min(image.width, image.height) / usual_side, 1u);
        size_ = std::min({size_, image.width, image.height});
        const unsigned width = image.width / size_, height = image.height / size_;
        small_mean_ = shrunk(*mean_, image.with_size(width, height, 1));
        std::vector<float> means{mean_of(*small_mean_, 0)};
        if (count_)
            small_components_ = shrunk(*components_, image.with_size(width, height, count_));
        for (unsigned k = 0; k < count_; k++)
            means.push_back(mean_of(*small_components_, k));
        means_ = upload(means);
    }

    Array shrunk(const Array &planes, const ArrayInfo &to) {
        Array out = allocate(to);
        launch(kernel("shrink_planes"), WorkSize(to), BareBuffer{planes}, ReadWriteBareBuffer{out},
               cl_uint{planes.width()}, cl_uint{planes.height()}, cl_uint{size_});
        return out;
    }

    static float mean_of(const Array &planes, unsigned plane) {
        const Host<const float> host(planes);
        const auto n = planes.info().plane_samples();
        const auto *first = host.data() + plane * n;
        return static_cast<float>(std::accumulate(first, first + n, 0.0) / static_cast<double>(n));
    }

    // Of each plane, within the state of the search for them.
    Array find_weights(const std::vector<Array> &in) {
        const auto &info = in[projections].info();
        const unsigned sums = count_ * (count_ + 1) / 2 + count_ + 1,
                       state = 2 * count_ + sums + 2; // as in the kernel
        Array states = allocate(floats(std::uint64_t{state} * info.depth));
        if (!count_)
            return states;
        const auto small = small_mean_->info();
        Array views = allocate(small.with_size(small.width, small.height, info.depth));
        launch(kernel("shrink_projections"), WorkSize(views.info()), in[projections], in[darks],
               ReadWriteBareBuffer{views}, cl_uint{info.width}, cl_uint{info.height}, cl_uint{size_});
        Array found = allocate(floats(std::uint64_t{2} * sums * variation_groups * info.depth));
        const auto scale = static_cast<cl_float>(1.0 / std::sqrt(flats_in_use_));
        launch(kernel("begin_search", options()), info.depth, ReadWriteBareBuffer{states});
        for (unsigned step = 0; step < steps; step++) {
            launch(kernel("total_variation", options()),
                   WorkSize(variation_groups * items(), info.depth).groups(items(), 1), BareBuffer{views},
                   BareBuffer{*small_mean_}, BareBuffer{*small_components_}, BareBuffer{*means_},
                   BareBuffer{states}, ReadWriteBareBuffer{found}, cl_uint{small.width},
                   cl_uint{small.height}, smoothing, LocalMemory{items() * sizeof(cl_double)});
            launch(kernel("next_weights", options()), info.depth, BareBuffer{found}, BareBuffer{*means_},
                   ReadWriteBareBuffer{states}, cl_uint{variation_groups}, scale);
        }
        return states;
    }

    unsigned count_ = 0; // components in use
    unsigned size_ = 1;  // pixels of one of a small image
    unsigned flats_in_use_ = 0;
    UntilStop<Array> mean_{this}, components_{this};
    UntilStop<Array> small_mean_{this}, small_components_{this}, means_{this};
};

} // namespace

TOMO_ELEMENT(DynamicFlatFieldCorrect)
