// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "column-means.hpp"
#include "daubechies.hpp"

#include <gst/operators/fourier-transforms.hpp>

#include <gst/tomo/bases/effective.hpp>

#include <algorithm>
#include <cmath>

using namespace tomo;

namespace {

enum class Padding { mean, zeros, none };

// Of sinograms, on all sides.
struct Frame {
    unsigned above = 0, below = 0, left = 0, right = 0;
};

Frame frame_of(const ArrayInfo &in, Padding padding) {
    if (padding == Padding::mean) {
        const unsigned side = std::min(150u, std::min(in.width, in.height) / 10);
        return {side, side, side, side};
    }
    const unsigned rows = padding == Padding::zeros ? in.height / 8 : 0;
    return {rows / 2, rows - rows / 2, 0, 0};
}

// One level of the transform.
struct Level {
    unsigned width, height;  // of the image that it halves
    unsigned columns, rows;  // of the halves
    Array response;          // of what is taken out of the details' rows
    fourier::Transforms fft; // of these, two columns in one
    ArrayInfo details() const { return {GST_TOMO_FORMAT_COMPLEX64, rows, (columns + 1) / 2}; }
};

class RemoveStripesWavelet final : public BatchFilter {
  public:
    static constexpr Info info{
        .task = "remove-stripes-wavelet",
        .klass = "Filter/Effect",
        .blurb =
            "Removes vertical stripes of sinograms from the vertical details of a wavelet transform, in their "
            "spectra along the views",
        .details =
            R"(Each level of a two-dimensional wavelet transform halves the sinogram, and leaves details. Stripes are in the vertical
ones, low-pass along the views and high-pass along the row, near the frequency 0 of the views: there each column's spectrum is
multiplied by 1 - exp(-k^2 / (2 sigma^2)), k the signed frequency in units of one period over all views of the level. Then
everything is transformed back. B. Muench, P. Trtik, F. Marone and M. Stampanoni, Stripe and ring artifact removal with
combined wavelet-Fourier filtering, Optics Express 17 (2009) 8567, doi 10.1364/OE.17.008567.

Stripes of about 2^n columns are removed in level n; more levels remove wider ones, and more of what the object has as rings
around the axis. A larger `sigma` removes stripes that change along the views, or end. Lines go on as their mirror image in
every level. Samples that are not finite stay as they are, and count as the mean of their column.

`padding=mean` adds a tenth of the smaller side, at most 150, on all four sides, as algotom does; `zeros` an eighth of the
views, as TomoPy's remove_stripe_fw does. The window is that of the paper, 0 at k = 0; in even numbers of rows that of
algotom 1.6 is one frequency off, and that of TomoPy half of one.)",
        .example =
            "tomoread path=sinogram.tif ! tomoremovestripeswavelet levels=4 wavelet=db5 sigma=2 ! tomowrite "
            "filename=clean.tif",
    };

    Property<unsigned> levels{
        this,
        "levels",
        Automatic{0},
        {0, 20},
        When::reshapes,
        "Levels of the transform; 0: as many as leave 16 rows and columns, at least one and at most five"};
    Property<std::string> wavelet{
        this, "wavelet", "db5", When::reshapes,
        "haar, or Daubechies' db1 to db20, by the number of their vanishing moments"};
    Property<float> sigma{
        this,           "sigma",
        2.0f,           {0.01f, 1e4f},
        When::reshapes, "Width of the removed band of frequencies along the views; larger removes more"};
    Choice<Padding> padding{
        this,
        "padding",
        Padding::mean,
        {{Padding::mean, "mean", "Rows are means of the columns, columns the edge values"},
         {Padding::zeros, "zeros", "Rows are 0; no columns are added"},
         {Padding::none, "none", "Nothing is added"}},
        When::reshapes,
        "How the sinogram is continued"};

    ArrayInfo shape(const ArrayInfo &in) override {
        const auto filter = correction::daubechies(moments());
        length_ = static_cast<unsigned>(filter.size());
        taps_ = upload(std::vector<float>(filter.begin(), filter.end()));
        means_ = {*this, in, 1};
        frame_ = frame_of(in, padding);
        plan(in.width + frame_.left + frame_.right, in.height + frame_.above + frame_.below, in.depth);
        kernel("wavelet_subtract", options());
        transform("wavelet_halve_columns");
        report_effective(EffectiveValues().add("levels", static_cast<unsigned>(levels_->size())));
        return Filter::shape(in);
    }

    void process(const Array &in, Array &out) override {
        const unsigned depth = in.depth();
        const auto means = means_->of(*this, in);
        auto filled = allocate(means.info());
        launch(kernel("wavelet_fill", options()), WorkSize(in.width(), depth), means, filled);

        std::vector<Array> details;
        Array image;
        for (const auto &level : *levels_) {
            Array rows = allocate({GST_TOMO_FORMAT_FLOAT32, level.width, level.rows, depth});
            const WorkSize halving(parts(level.width, lanes_), parts(level.rows, rows_of_item), depth);
            const auto size = [](unsigned n) { return static_cast<cl_int>(n); };
            if (image)
                launch(transform("wavelet_halve_views"), halving, std::as_const(image), rows,
                       BareBuffer{*taps_}, size(level.width), size(level.height));
            else
                launch(kernel("wavelet_halve_views_first", options()), halving, in, std::as_const(filled),
                       rows, BareBuffer{*taps_}, size(level.width), size(level.height), size(in.width()),
                       size(in.height()), size(frame_.left), size(frame_.above),
                       cl_int{padding == Padding::mean});
            Array coarse = allocate({GST_TOMO_FORMAT_FLOAT32, level.columns, level.rows, depth});
            const auto one = level.details();
            details.push_back(allocate(one.with_size(one.width, one.height, depth)));
            launch(transform("wavelet_halve_columns"), tiles(level.columns, level.rows, depth),
                   std::as_const(rows), coarse, details.back(), BareBuffer{*taps_}, size(level.width),
                   size(level.rows));
            image = std::move(coarse);
        }

        bool has_coarse = false; // the coarsest image has no stripes
        for (std::size_t n = levels_->size(); n-- > 0;) {
            auto &level = (*levels_)[n];
            keep_stripes(level, details[n]);
            Array rows = allocate({GST_TOMO_FORMAT_FLOAT32, level.width, level.rows, depth});
            launch(transform("wavelet_double_columns"), tiles(level.width, level.rows, depth),
                   std::as_const(image), std::as_const(details[n]), rows, BareBuffer{*taps_},
                   static_cast<cl_int>(level.width), static_cast<cl_int>(level.rows), cl_int{has_coarse});
            has_coarse = true;
            details.pop_back();
            if (n == 0) {
                launch(kernel("wavelet_subtract", options()), WorkSize(out.info()), in, std::as_const(rows),
                       out, BareBuffer{*taps_}, static_cast<cl_int>(level.width),
                       static_cast<cl_int>(level.rows), static_cast<cl_int>(frame_.left),
                       static_cast<cl_int>(frame_.above));
                break;
            }
            image = allocate({GST_TOMO_FORMAT_FLOAT32, level.width, level.height, depth});
            launch(transform("wavelet_double_views"), WorkSize(image.info()), std::as_const(rows), image,
                   BareBuffer{*taps_});
        }
    }

  protected:
    unsigned batch_that_pays(const ArrayInfo &in) override { return fourier::batch_that_pays(*device(), in); }

  private:
    static constexpr unsigned rows_of_item = 4; // the kernels' RUN

    static std::size_t parts(unsigned n, unsigned size) { return (n + size - 1) / size; }

    unsigned moments() const {
        const std::string name = wavelet;
        if (name == "haar")
            return 1;
        for (unsigned n = 1; n <= correction::most_moments; n++)
            if (name == text("db%u", n))
                return n;
        throw Error(GST_LIBRARY_ERROR_SETTINGS, text("wavelet=%s is not known; wanted haar or db1 to db%u",
                                                     name.c_str(), correction::most_moments));
    }

    std::string options() const { return text("-D LENGTH=%u -D LANES=%u", length_, lanes_); }

    Kernel transform(const char *name) { return kernel(name, options(), "wavelet.cl"); }

    // Work-items that take two columns, or twice as many as there are lanes, of a row. Neighbours along the
    // views write and read neighbouring details.
    WorkSize tiles(unsigned width, unsigned height, unsigned depth) const {
        WorkSize size(parts(width, 2 * lanes_), height, depth);
        if (lanes_ == 1)
            size.groups(16, std::min<std::size_t>(device()->max_work_group() / 16, 16));
        return size;
    }

    void plan(unsigned width, unsigned height, unsigned depth) {
        const auto &cl = *device();
        lanes_ = cl.is_cpu() && !cl.prefers_local_memory() ? 32 : 1;
        const unsigned smaller = std::min(width, height);
        unsigned count = 1;
        if (levels)
            count = levels;
        else
            while (count < 5 && smaller >> (count + 5) > 0)
                count++;
        levels_ = {};
        for (unsigned n = 0; n < count; n++) {
            Level level{width, height, (width + length_ - 1) / 2, (height + length_ - 1) / 2, {}, {}};
            level.response = upload(response(level.rows));
            const auto one = level.details();
            level.fft = {*this, one.with_size(one.width, std::uint64_t{one.height} * depth), 1, batch_size()};
            width = level.columns;
            height = level.rows;
            levels_->push_back(std::move(level));
        }
    }

    std::vector<float> response(unsigned length) const {
        std::vector<float> values;
        for (unsigned k = 0; k < length; k++) {
            const double scaled = std::min(k, length - k) / double{sigma};
            values.push_back(static_cast<float>(std::exp(-0.5 * scaled * scaled)));
        }
        return values;
    }

    void keep_stripes(Level &level, Array &details) {
        level.fft.run(*this, FftDirection::Forward, details, details);
        launch(transform("wavelet_keep_stripes"), WorkSize(level.rows, details.height() * details.depth()),
               ReadWrite{details}, BareBuffer{level.response});
        level.fft.run(*this, FftDirection::Inverse, details, details);
    }

    unsigned length_ = 0; // of the filters
    unsigned lanes_ = 1;  // columns of a work-item
    Frame frame_;
    UntilStop<Array> taps_{this};
    UntilStop<correction::ColumnMeans> means_{this};
    UntilStop<std::vector<Level>> levels_{this};
};

} // namespace

TOMO_ELEMENT(RemoveStripesWavelet)
