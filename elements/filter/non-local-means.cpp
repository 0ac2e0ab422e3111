// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "noise-level.hpp"
#include "padded.hpp"

#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/side-by-side.hpp>
#include <gst/tomo/compute/steps.hpp>

#include <algorithm>
#include <cmath>

using namespace tomo;

namespace {

class NonLocalMeans final : public Filter, public WithHistory {
  public:
    static constexpr Info info{
        .task = "non-local-means",
        .klass = "Filter/Effect",
        .blurb =
            "Mean of the pixels around each pixel, weighted by how much their surroundings look like its own",
        .details =
            "A. Buades, B. Coll, J.-M. Morel, Image Processing On Line 1, 208 (2011): the weight is "
            "exp(-max(0, d^2 - 2 sigma^2) / h^2), where d^2 is the mean square difference of the patches "
            "around both pixels. The fast variant sums the differences along columns first and takes the "
            "same time for patches of all heights. An estimated noise is that of the first array of the "
            "stream, for each plane, after J. Immerkaer, Computer Vision and Image Understanding 64, 300 "
            "(1996). Patches with a NaN have no weight; a pixel with a NaN in its own patch becomes NaN.",
        .example = "tomoread path=slice.tif ! tomononlocalmeans search-radius=5 patch-radius=2 "
                   "estimate-sigma=true ! tomowrite filename=denoised.tif",
    };

    Property<unsigned> search_radius{
        this,      "search-radius", 10,
        {1, 8192}, When::reshapes,  "Largest distance, in rows and in columns, of pixels that are compared"};
    Property<unsigned> patch_radius{this,     "patch-radius", 3,
                                    {1, 100}, When::reshapes, "Pixels that a patch reaches to all sides"};
    Property<float> h{this,
                      "h",
                      Automatic{0},
                      {0.0f, FLT_MAX},
                      "Difference up to which patches count as alike; 0: the estimated noise"};
    Property<float> sigma{this, "sigma", 0.0f, {0.0f, FLT_MAX}, "Standard deviation of the noise"};
    Property<bool> window{
        this, "window", true, When::reshapes,
        "With fast=false: weigh the differences in a patch by a Gaussian of half the radius"};
    Property<bool> fast{this, "fast", true, When::reshapes,
                        "Sum each difference once for all patches that it belongs to"};
    Property<bool> estimate_sigma{this, "estimate-sigma", false, "Estimate the noise and ignore sigma"};
    AddressingMode addressing_mode{this, Addressing::mirrored_repeat,
                                   "Nothing; an error, because patches reach outside"};

    std::string history() const override {
        return estimate_sigma || !h.chosen()
                   ? "the noise is that of the first one (set h, and estimate-sigma=false)"
                   : "";
    }

    ArrayInfo shape(const ArrayInfo &in) override {
        if (addressing_mode == Addressing::none)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        "addressing-mode=none gives no pixels outside of the image, but the patches of its "
                        "border reach there: choose another mode");
        noise_ = {};
        window_ = upload(patch_weights());
        kernel(fast ? "means_of_columns" : "means_of_patches");
        return Filter::shape(in);
    }

    void process(const Array &in, Array &out) override {
        const unsigned margin = search_radius + patch_radius;
        const auto images = padded(*this, in, {margin, margin, margin, margin}, addressing_mode);
        if (!*noise_)
            noise_ = noise_level(*this, images, margin);
        for (unsigned z = 0; z < in.depth(); z++) {
            const auto image = images.plane(z);
            auto plane = out.plane(z);
            if (fast)
                sum_by_columns(image, z, plane);
            else
                sum_by_patches(image, z, plane);
        }
    }

  private:
    // The weights of the pixels of a patch; their sum is 1.
    std::vector<float> patch_weights() const {
        if (fast)
            return {1.0f};
        const int radius = patch_radius;
        const double width = 0.5 * radius;
        std::vector<double> weights;
        double sum = 0.0;
        for (int y = -radius; y <= radius; y++)
            for (int x = -radius; x <= radius; x++)
                sum +=
                    weights.emplace_back(window ? std::exp(-(x * x + y * y) / (2.0 * width * width)) : 1.0);
        std::vector<float> result;
        for (const double weight : weights)
            result.push_back(static_cast<float>(weight / sum));
        return result;
    }

    // A kernel that runs for long can't be stopped, so the image is done in bands of some tenths of a second.
    void sum_by_patches(const Array &image, cl_uint z, Array &out) {
        const double side = 2.0 * search_radius + 1.0, patch = 2.0 * patch_radius + 1.0;
        const double differences = device()->is_cpu() ? 0x1p28 : 0x1p36;
        const double rows = differences / (out.width() * side * side * patch * patch);
        Steps steps(*this);
        const auto band = static_cast<unsigned>(std::clamp(rows, 1.0, double(out.height())));
        for (unsigned y = 0; y < out.height(); y += band) {
            WorkSize size(out.width(), std::min(band, out.height() - y));
            size.offset[1] = y;
            launch(kernel("means_of_patches"), size, image, ReadWrite{out}, cl_int(search_radius),
                   cl_int(patch_radius), BareBuffer{*window_}, BareBuffer{*noise_}, z, h.value(),
                   sigma.value(), cl_int{estimate_sigma});
            steps.done(out);
        }
    }

    // Shift by shift, as many at once as fit into a moderate amount of memory: the squared differences
    // between the image and the shifted one, summed over the height of a patch, then weights from sums over
    // the width.
    void sum_by_columns(const Array &image, cl_uint z, Array &out) {
        const cl_uint width = out.width() + 2 * patch_radius, height = out.height();
        const std::uint64_t side = 2 * search_radius + 1, shifts = side * side;
        const auto together = static_cast<cl_uint>(std::clamp<std::uint64_t>(
            (64 << 20) / (sizeof(float) * width * height), 1, std::min<std::uint64_t>(shifts, 64)));
        auto columns = allocate({GST_TOMO_FORMAT_FLOAT32, width, height, together});
        auto sums = allocate({GST_TOMO_FORMAT_COMPLEX64, out.width(), height}); // of values and of weights
        const double nothing = 0.0;
        fill(sums, &nothing, sizeof nothing);
        const cl_uint run = 32; // rows for which differences are added in front and taken away behind
        Steps steps(*this);
        for (std::uint64_t first = 0; first < shifts; first += together) {
            const auto number = static_cast<cl_uint>(std::min<std::uint64_t>(together, shifts - first));
            launch(kernel("sum_columns"), WorkSize(width, (height - 1) / run + 1, number), image, columns,
                   cl_uint{image.width()}, height, cl_int(search_radius), cl_int(patch_radius),
                   cl_uint(first), run);
            launch(kernel("means_of_columns"), WorkSize(out.info()), image, std::as_const(columns),
                   ReadWrite{sums}, cl_int(search_radius), cl_int(patch_radius), cl_uint(first), number,
                   BareBuffer{*noise_}, z, h.value(), sigma.value(), cl_int{estimate_sigma});
            steps.done(sums);
        }
        launch(kernel("divide_sums"), WorkSize(out.info()), image, std::as_const(sums), ReadWrite{out},
               cl_int(search_radius) + cl_int(patch_radius));
    }

    UntilStop<Array> noise_{this};
    UntilStop<Array> window_{this};
};

} // namespace

TOMO_ELEMENT(NonLocalMeans)
