// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gap-solver.hpp"

#include <gst/tomo/bases/joiner.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

using namespace tomo;

namespace {

enum { images, masks, guidance };

class Inpaint final : public Joiner {
  public:
    static constexpr Info info{
        .task = "inpaint",
        .klass = "Filter/Effect",
        .blurb = "Fills the pixels of a mask, and those that are not finite, smoothly from all around",
        .details =
            "Filled pixels are the mean of their neighbours to the left, to the right, above and below (the Laplace equation "
            "with the pixels around the gap as its boundary); at the edges of the image only those inside count. With "
            "`guidance`, the gap gets the differences between neighbours that the guidance image has, and meets the pixels "
            "around it (the Poisson equation; Perez, Gangnet, Blake, ACM Trans. Graph. 22, 313 (2003), doi "
            "10.1145/882262.882269): with another projection for a guide, structures go on through the gap. tofu solves "
            "the same equations by Fourier transforms (Morel, Petro, Sbert, Pattern Recognit. Lett. 33, 342 (2012), doi "
            "10.1016/j.patrec.2011.10.010), approximately for gaps that are not rectangles.\n"
            "\n"
            "A pixel is filled if its mask is not 0, or if it is NaN or infinite; without `masks` only the latter. All "
            "others stay as they are. Gaps may have any shape and size, and touch the edges; the equations are solved to "
            "float32's precision, by conjugate gradients over several grids. Masks and guidance have as many planes "
            "as the images, or one for all; those that have ended serve all images that follow. A plane without any "
            "pixel to start from becomes NaN, with a warning. Guidance that is not finite makes the gaps NaN.\n"
            "\n"
            "The time goes by the number of pixels that are filled. Equations are set up by the host when "
            "the gaps differ from those of the image before.",
        .example =
            "tomoread path=projection.tif ! tee name=t ! queue ! i.images  t. ! queue ! tomofindlargespots "
            "spot-threshold=0.2 spot-threshold-mode=below ! i.masks  tomoinpaint name=i ! tomowrite "
            "filename=filled.tif",
    };

    std::vector<Input> inputs() const override { return {{"images"}, {"masks", true}, {"guidance", true}}; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        const auto &image = in[images];
        for (const int side : {masks, guidance}) {
            const auto &other = in[side];
            if (other.format != GST_TOMO_FORMAT_UNKNOWN &&
                (other.width != image.width || other.height != image.height ||
                 (other.depth != image.depth && other.depth != 1)))
                throw Error(
                    GST_STREAM_ERROR_FORMAT,
                    text(
                        "%s are %u x %u x %u, but images are %u x %u x %u; wanted the same size or one plane",
                        inputs()[side].name, other.width, other.height, other.depth, image.width,
                        image.height, image.depth));
        }
        if (image.samples() > std::numeric_limits<std::uint32_t>::max())
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("got %s; wanted less than 2^32 samples at once: use tomoslice before",
                             image.describe().c_str()));
        clear();
        return image.with_format(GST_TOMO_FORMAT_FLOAT32);
    }

    void process(const std::vector<Array> &in, Array &out) override {
        update_gaps(in);
        const auto &image = in[images], &guide = in[guidance];
        const cl_ulong samples = out.info().samples();
        const auto all = each_sample(samples);
        const cl_ulong guide_samples = guide.info().samples();
        if (!solver_ || !guide)
            launch(kernel("copy_images"), all, samples, image, out);
        else
            launch(kernel("subtract_guidance", "-D GUIDED"), all, samples, image, guide, guide_samples, out);
        if (solver_) {
            solver_->fill(out, marks_, planes_);
            if (guide)
                launch(kernel("add_guidance", "-D GUIDED"), all, samples, image, guide, guide_samples,
                       BareBuffer{marks_}, ReadWrite{out});
        }
        const float nan = std::nanf("");
        for (const unsigned z : lost_) {
            auto plane = out.plane(z);
            fill(plane, &nan, sizeof nan);
        }
    }

    void stop() override { has_warned_ = false; }

  protected:
    void clear() override {
        solver_.reset();
        marks_ = marked_by_ = {};
        lost_.clear();
    }

  private:
    static WorkSize each_sample(std::uint64_t samples) { return WorkSize(samples).groups(64); }

    static bool has_only_finite(GstTomoFormat format) {
        return format != GST_TOMO_FORMAT_FLOAT16 && format != GST_TOMO_FORMAT_FLOAT32 &&
               format != GST_TOMO_FORMAT_FLOAT64;
    }

    void update_gaps(const std::vector<Array> &in) {
        const auto &image = in[images], &mask = in[masks];
        const bool is_first = !marks_;
        if (!is_first && has_only_finite(image.info().format) && mask.storage() == marked_by_.storage())
            return;
        const cl_uint zero = 0;
        if (is_first) {
            marks_ = allocate(image.info().with_format(GST_TOMO_FORMAT_UINT8));
            fill(marks_, &zero, 1);
        }
        auto is_changed = upload(&zero, sizeof zero);
        const cl_ulong samples = image.info().samples();
        const auto all = each_sample(samples);
        if (mask)
            launch(kernel("mark_gaps", "-D MASKED"), all, samples, image, mask,
                   cl_ulong{mask.info().samples()}, ReadWriteBareBuffer{marks_},
                   ReadWriteBareBuffer{is_changed});
        else
            launch(kernel("mark_gaps"), all, samples, image, ReadWriteBareBuffer{marks_},
                   ReadWriteBareBuffer{is_changed});
        marked_by_ = mask;
        if (*Host<const cl_uint>(is_changed).data())
            plan();
    }

    // Planes with the same gaps share their equations.
    void plan() {
        const Host<const std::uint8_t> marks(marks_);
        const std::size_t samples = marks_.info().plane_samples();
        const unsigned depth = marks_.depth();
        planes_ = depth;
        for (unsigned z = 1; z < depth; z++)
            if (std::memcmp(marks.data(), marks.data() + z * samples, samples) != 0)
                planes_ = 1;
        const auto gaps = gap_levels(marks.data(), marks_.width(), marks_.height(), depth / planes_);
        lost_.clear();
        for (const unsigned z : gaps.lost)
            for (unsigned other = z; other < depth; other += depth / planes_)
                lost_.push_back(other);
        if (!lost_.empty() && !std::exchange(has_warned_, true))
            warn(text(
                "%zu of %u planes have no pixel to fill the others from: they become NaN. Check the masks",
                lost_.size(), depth));
        solver_.reset();
        if (gaps.levels.empty())
            return;
        solver_.emplace(*this, gaps);
    }

    std::optional<GapSolver> solver_; // none where nothing is to be filled
    Array marks_;                     // 1 where a pixel is to be filled
    Array marked_by_;                 // the masks that these are from
    unsigned planes_ = 1;             // that have the same gaps
    std::vector<unsigned> lost_;
    bool has_warned_ = false;
};

} // namespace

TOMO_ELEMENT(Inpaint)
