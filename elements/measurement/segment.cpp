// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../correction/conjugate-gradients.hpp"

#include <gst/tomo/bases/joiner.hpp>
#include <gst/tomo/device/samples.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

using namespace tomo;
using Gradients = ConjugateGradients;

namespace {

enum { volume, labels };

class Segment final : public JoiningReducer {
  public:
    static constexpr Info info{
        .task = "segment",
        .klass = "Filter/Effect",
        .blurb =
            "Spreads the labels of some voxels over a volume, up to its edges, and gives it slice by slice",
        .details =
            "Each voxel gets the label that a random walker from there most probably meets first. The walker goes to one of "
            "six neighbours with a probability that is proportional to w = exp(-d^2 / (2 sigma^2)) + 1e-6 with the difference "
            "d of both values. These probabilities are computed, not drawn: they are the solutions of the equation that a "
            "voxel's probability is the mean of its neighbours', weighted by w, with 1 at the label and 0 at all others "
            "(Grady, IEEE Trans. Pattern Anal. Mach. Intell. 28, 1768 (2006), doi 10.1109/TPAMI.2006.233), by conjugate "
            "gradients until the error is `tolerance`; a warning tells where this takes more than 5000 steps.\n"
            "\n"
            "Labels are whole numbers from 1 to 65535, at most 256 different ones; voxels of 0 and less have none. Labels of "
            "one plane are those of the volume's first slice; otherwise they have as many planes as the volume. Where "
            "probabilities are equal, the smallest label wins. The volume comes as one array, from `tomostack`; the "
            "device needs 14 times its size in float32. Values that are not finite differ from all others.",
        .example =
            "tomoread path=volume.h5:/volume ! tomostack number=1 ! s.volume  tomoread path=slice.tif ! "
            "tomocalculate expression=\"(v > 0.006f) + 2 * (v < 0.001f)\" ! s.labels  tomosegment name=s ! "
            "tomowrite filename=labels.tif",
    };

    Property<float> sigma{
        this,
        "sigma",
        Automatic{0},
        {0.0f, FLT_MAX},
        "Difference between neighbours that is an edge; 0: the root of the mean square of all differences"};
    Property<float> tolerance{this,
                              "tolerance",
                              1e-4f,
                              {1e-6f, 0.1f},
                              "Error of the probabilities, relative, by the norm of energy"};

    std::vector<Input> inputs() const override { return {{"volume"}, {"labels"}}; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        const auto &v = in[volume], &l = in[labels];
        if (l.width != v.width || l.height != v.height || (l.depth != v.depth && l.depth != 1))
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text(
                    "labels are %u x %u x %u, but the volume is %u x %u x %u; wanted the same size or one plane",
                    l.width, l.height, l.depth, v.width, v.height, v.depth));
        if (v.samples() > std::numeric_limits<std::uint32_t>::max())
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("got %s; wanted less than 2^32 voxels: bin the volume before", v.describe().c_str()));
        return v.with_size(v.width, v.height, 1)
            .with_format(GST_TOMO_FORMAT_FLOAT32)
            .with_domain(v.domain == GST_TOMO_DOMAIN_VOLUME ? GST_TOMO_DOMAIN_SLICE : v.domain)
            .with_rate_times(v.depth, 1);
    }

    std::uint64_t output_count(std::uint64_t inputs) const override {
        return inputs * std::max(depth_.load(), 1u);
    }

    void consume(const std::vector<Array> &in) override {
        const auto found = labels_in(in[labels]);
        size_ = in[volume].info();
        depth_ = size_.depth;
        spread(in, found);
        next_ = 0;
    }

    bool ready() const override { return chosen_ && next_ < size_.depth; }

    Array produce() override {
        Array out = allocate(output_info());
        const auto rows = static_cast<cl_uint>(size_.plane_samples());
        launch(kernel("give_slice"), Gradients::each_row(rows, 1), BareBuffer{chosen_},
               cl_ulong{next_ * size_.plane_samples()}, out, rows);
        if (++next_ == size_.depth)
            clear();
        return out;
    }

    void clear() override {
        chosen_ = {};
        next_ = 0;
    }

  private:
    static constexpr unsigned most_steps = 5000;
    static constexpr std::size_t most_labels = 256;

    Kernel kernel(const char *name) { return Compute::kernel(name, Gradients::options(*this), "segment.cl"); }

    // In a place of its own.
    Array as_floats(const Array &in) {
        Array out = allocate(in.info().with_format(GST_TOMO_FORMAT_FLOAT32));
        input_format("in", in.info().format);
        const auto rows = static_cast<cl_uint>(in.info().samples());
        launch(Compute::kernel("as_floats", "", "as-floats.cl"), Gradients::each_row(rows, 1), in, out, rows);
        return out;
    }

    std::vector<cl_uint> labels_in(const Array &array) {
        std::set<double> found;
        const Host<const char> data(array);
        with_real_samples(array.info().format, data.data(), [&](const auto *samples) {
            double last = 0.0;
            for (std::uint64_t i = 0; i < array.info().samples(); i++) {
                const double label = static_cast<double>(samples[i]);
                if (label == last || label <= 0.0)
                    continue;
                last = label;
                if (label != std::floor(label) || !(label <= G_MAXUINT16))
                    throw Error(
                        GST_STREAM_ERROR_FORMAT,
                        text("label %g came; wanted whole numbers up to %d, and 0 where there is none", label,
                             G_MAXUINT16));
                found.insert(label);
                if (found.size() > most_labels)
                    throw Error(
                        GST_STREAM_ERROR_FORMAT,
                        text(
                            "more than %zu different labels came: are the inputs volume and labels exchanged?",
                            most_labels));
            }
        });
        if (found.empty())
            throw Error(GST_STREAM_ERROR_FORMAT,
                        "no voxel has a label; wanted labels above 0 where they are known");
        return {found.begin(), found.end()};
    }

    void spread(const std::vector<Array> &in, const std::vector<cl_uint> &found) {
        const auto rows = static_cast<cl_uint>(size_.samples());
        const cl_uint width = size_.width, height = size_.height, depth = size_.depth;
        const auto all = Gradients::each_row(rows, 1);
        const auto floats = [&] { return Gradients::vector(*this, rows, 1); };
        const auto words = [&] { return allocate(ArrayInfo(GST_TOMO_FORMAT_UINT16, rows, 1)); };

        auto right = floats(), down = floats(), deeper = floats(), weights = floats();
        const auto values = as_floats(in[volume]);
        const auto variance = this->variance(values, rows);
        launch(kernel("weigh"), all, BareBuffer{values}, ReadWriteBareBuffer{right},
               ReadWriteBareBuffer{down}, ReadWriteBareBuffer{deeper}, BareBuffer{variance}, rows, width,
               height, depth);
        auto seeds = words();
        const auto planted = as_floats(in[labels]);
        launch(kernel("plant_labels"), all, BareBuffer{planted}, cl_uint(planted.info().samples()),
               ReadWriteBareBuffer{seeds}, rows);
        const auto walk = [&](const char *name, const WorkSize &size, auto &&...more) {
            launch(kernel(name), size, BareBuffer{right}, BareBuffer{down}, BareBuffer{deeper},
                   BareBuffer{seeds}, more..., rows, width, height, depth);
        };
        walk("sum_weights", all, ReadWriteBareBuffer{weights});

        Gradients gradients(
            *this, rows,
            [&](const Array &direction, Array &image, Array &parts) {
                if (is_cancelled())
                    throw Flushing();
                walk("apply_walk", Gradients::share(*this, rows, 1), BareBuffer{weights},
                     BareBuffer{direction}, ReadWriteBareBuffer{image}, ReadWriteBareBuffer{parts});
            },
            [&](const Array &residual) {
                auto result = floats();
                launch(kernel("divide_by_weights"), all, BareBuffer{weights}, BareBuffer{residual},
                       ReadWriteBareBuffer{result}, rows);
                return result;
            });

        auto best = floats(), left = floats();
        chosen_ = words();
        const float none = -1.0f, one = 1.0f;
        fill(best, &none, sizeof none);
        fill(left, &one, sizeof one);
        for (const auto label : found) {
            const bool is_last = label == found.back();
            Array probability = best;
            if (!is_last) {
                auto side = floats();
                walk("right_of_label", all, label, ReadWriteBareBuffer{side});
                unsigned steps = 0;
                probability = gradients.solve(std::move(side), {tolerance, 10, most_steps}, steps);
                if (steps == most_steps)
                    warn(text(
                        "the probabilities of label %u are not exact to tolerance=%g after %u steps: make sigma larger",
                        label, double{tolerance}, steps));
            }
            launch(kernel("choose_label"), all, BareBuffer{probability}, BareBuffer{seeds}, label,
                   cl_uint{is_last}, ReadWriteBareBuffer{best}, ReadWriteBareBuffer{left},
                   ReadWriteBareBuffer{chosen_}, rows);
        }
    }

    Array variance(const Array &in, cl_uint rows) {
        if (sigma.chosen())
            return upload(std::vector<float>{sigma * sigma});
        const auto size = in.info();
        auto sums = Gradients::parts(*this, rows, 1), mean = Gradients::vector(*this, 1, 1);
        launch(kernel("differences"), Gradients::share(*this, rows, 1), BareBuffer{in},
               ReadWriteBareBuffer{sums}, rows, cl_uint{size.width}, cl_uint{size.height},
               cl_uint{size.depth});
        const double links = 3.0 * double(size.samples()) - double(size.plane_samples()) -
                             double(size.depth) * (double(size.width) + double(size.height));
        launch(kernel("mean_of_parts"), WorkSize(1), BareBuffer{sums}, cl_uint{sums.width()},
               cl_float(std::max(links, 1.0)), ReadWriteBareBuffer{mean});
        return mean;
    }

    ArrayInfo size_;
    std::atomic<unsigned> depth_{1}; // of the volumes, for output_count()
    Array chosen_;                   // labels of the volume whose slices are given
    unsigned next_ = 0;
};

} // namespace

TOMO_ELEMENT(Segment)
