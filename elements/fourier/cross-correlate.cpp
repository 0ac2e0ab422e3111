// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL

// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/fourier-transforms.hpp>

#include <gst/tomo/bases/joiner.hpp>

#include <algorithm>
#include <cmath>

using namespace tomo;

namespace {

enum class Postproc { align, output, pick_closest };

class CrossCorrelate final : public Joiner {
  public:
    static constexpr Info info{
        .task = "cross-correlate",
        .klass = "Filter/Effect",
        .blurb = "Registers images by the peak of their cross-correlation with the first one",
        .in = formats::complex64,
        .out = formats::float32 | formats::complex64,
        .details =
            R"(Inputs are two-dimensional spectra (`tomofft dimensions=2`) of one size, any size. All planes of
all inputs are the images, the first plane of sink_0 is the reference. The correlation is the inverse
transform of conj(F0) F w without its mean, w = exp(-4 pi^2 gauss-sigma^2 (u^2 + v^2)), which is a Gaussian
blur of both images, with `apply-laplace` times (4 pi^2 (u^2 + v^2))^2, the Laplace operator on both; u and
v are in cycles per pixel. The place of its largest value is the circular shift of an image. With
`supersampling` s > 1 the transform is computed at steps of 1 / s within half a pixel around that place (M.
Guizar-Sicairos et al., Opt. Lett. 33, 156 (2008)), and the place of the largest of these values is taken.

An element message `tomo-shift` tells each image's way back (fields `index` of the output, `input`, `plane`,
`x` and `y` in pixels, columns and rows that the image is moved by); the host waits for them. An image with
NaN becomes NaN.)",
        .example = "tomocrosscorrelate name=c supersampling=10 ! tomoifft dimensions=2 ! tomowrite "
                   "filename=aligned.tif  tomoread path=radiographs number=1 ! tomofft dimensions=2 ! c.  "
                   "tomoread path=radiographs ! tomofft dimensions=2 ! c.",
    };

    Property<unsigned> num_inputs{this, "num-inputs", 2, {2, 128}, When::reshapes, "Inputs"};
    Property<unsigned> nth{
        this,
        "nth",
        1,
        {1, G_MAXUINT},
        "Correlate the first arrays of the inputs and every n-th ones after them; others move as "
        "those before. The maps of postproc=output are always computed"};
    Choice<Postproc> postproc{
        this,
        "postproc",
        Postproc::align,
        {{Postproc::align, "align", "The spectra of all images, moved to where the reference is"},
         {Postproc::output, "output",
          "The correlations of all images with the reference, real, lag 0 in the corner"},
         {Postproc::pick_closest, "pick-closest",
          "The reference's spectrum and that of the image with the highest peak, moved"}},
        When::reshapes,
        "Output, as planes"};
    Property<unsigned> supersampling{this, "supersampling", 1, {1, 128}, "Steps of a pixel"};
    Property<float> gauss_sigma{this,
                                "gauss-sigma",
                                0.0f,
                                {0.0f, FLT_MAX},
                                "Width of a Gaussian blur before the correlation, in pixels"};
    Property<bool> apply_laplace{this, "apply-laplace", false, "Correlate edges"};

    std::vector<Input> inputs() const override { return {}; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        if (in.size() != num_inputs)
            throw Error(GST_CORE_ERROR_PAD,
                        text("%zu inputs are linked, but num-inputs=%u", in.size(), num_inputs.value()));
        unsigned images = 0;
        for (const auto &input : in)
            images += input.depth;
        auto planes = in;
        for (auto &input : planes)
            input.depth = 1;
        check_equal(planes);
        correlations_ = in[0].with_size(in[0].width, in[0].height, images);
        inverse_ = {*this, correlations_, 2, 1};
        places_.clear();
        if (postproc == Postproc::output)
            return correlations_.with_format(GST_TOMO_FORMAT_FLOAT32).with_domain(GST_TOMO_DOMAIN_UNKNOWN);
        return postproc == Postproc::align ? correlations_ : in[0].with_size(in[0].width, in[0].height, 2);
    }

    void process(const std::vector<Array> &in, Array &out) override {
        const bool is_map = postproc == Postproc::output;
        if (is_map || places_.empty() || index_ % nth == 0) {
            const auto spectra = correlate(in);
            auto maps = allocate(spectra.info());
            inverse_->run(*this, FftDirection::Inverse, spectra, maps);
            if (is_map)
                launch(kernel("real_part"), out.info().samples(), std::as_const(maps), out);
            else
                find(spectra, maps);
        }
        if (!is_map)
            move(in, out);
        index_++;
    }

  protected:
    void clear() override {
        places_.clear();
        index_ = 0;
    }

  private:
    // Where the correlation of an image is largest, in steps of a pixel.
    struct Place {
        cl_long column = 0, row = 0;
        double value = 0.0;
        bool is_known = true;
    };

    Array correlate(const std::vector<Array> &in) {
        auto spectra = allocate(correlations_);
        cl_uint first = 0;
        for (const auto &input : in) {
            launch(kernel("correlate"), WorkSize(input.info()), in[0], input, ReadWrite{spectra}, first,
                   gauss_sigma.value(), cl_int{apply_laplace});
            first += input.depth();
        }
        return spectra;
    }

    void find(const Array &spectra, const Array &maps) {
        const cl_uint parts = device()->prefers_local_memory() ? 4096 : 4 * device()->compute_units();
        Array values = allocate({GST_TOMO_FORMAT_FLOAT32, parts, maps.depth()});
        Array indices = allocate({GST_TOMO_FORMAT_UINT32, parts, maps.depth()});
        launch(kernel("peaks"), {parts, maps.depth()}, maps, values, indices,
               cl_ulong{maps.info().plane_samples()}, cl_uint{device()->prefers_local_memory()});
        steps_ = supersampling;
        places_.assign(maps.depth(), {});
        const Host<const float> value(values);
        const Host<const cl_uint> index(indices);
        for (unsigned z = 0; z < maps.depth(); z++) {
            unsigned best = z * parts;
            for (unsigned i = best; i < (z + 1) * parts; i++)
                if (std::isnan(value[i]) || value[i] > value[best] ||
                    (value[i] == value[best] && index[i] < index[best]))
                    best = i;
            places_[z] = {index[best] % maps.width(), index[best] / maps.width(), value[best],
                          std::isfinite(value[best])};
            if (places_[z].is_known)
                refine(spectra, z, places_[z]);
        }
    }

    // The factors that move an axis of so many frequencies back by `first` steps, and rows of more.
    Array turns(unsigned frequencies, cl_long first, unsigned rows) {
        auto turns = allocate({GST_TOMO_FORMAT_COMPLEX64, frequencies, rows});
        launch(kernel("make_turns"), {frequencies, rows}, turns, first, cl_uint{steps_});
        return turns;
    }

    void refine(const Array &spectra, cl_uint plane, Place &place) {
        place.column *= steps_;
        place.row *= steps_;
        if (steps_ == 1)
            return;
        const cl_long half = steps_ / 2;
        const unsigned side = steps_ / 2 * 2 + 1;
        Array rows = allocate({GST_TOMO_FORMAT_COMPLEX64, 2 * spectra.width(), side});
        Array grid = allocate({GST_TOMO_FORMAT_COMPLEX64, side, side});
        const auto turns_y = turns(spectra.height(), place.row - half, side);
        const auto turns_x = turns(spectra.width(), place.column - half, side);
        launch(kernel("refine_rows"), {spectra.width(), side}, spectra, turns_y, rows, plane,
               cl_uint{spectra.height()});
        launch(kernel("refine_columns"), {side, side}, std::as_const(rows), turns_x, grid,
               cl_uint{spectra.width()});
        const Host<const cl_float2> values(grid);
        auto value = [&](unsigned i) { return double{values[i].s[0]} + values[i].s[1]; };
        unsigned best = side * side / 2; // that of the pixel, if others are no better
        for (unsigned i = 0; i < side * side; i++)
            if (value(i) > value(best))
                best = i;
        place.column += best % side - half;
        place.row += best / side - half;
        place.value = value(best) / static_cast<double>(spectra.info().plane_samples());
    }

    void move(const std::vector<Array> &in, Array &out) {
        const bool all = postproc == Postproc::align;
        unsigned closest = 1;
        for (unsigned z = 1; z < places_.size(); z++)
            if (places_[z].is_known &&
                (!places_[closest].is_known || places_[z].value > places_[closest].value))
                closest = z;
        unsigned image = 0;
        for (unsigned i = 0; i < in.size(); i++)
            for (unsigned plane = 0; plane < in[i].depth(); plane++, image++) {
                if (!all && image != 0 && image != closest)
                    continue;
                const Place &place = places_[image];
                launch(kernel("shift"), {out.width(), out.height()}, in[i],
                       turns(out.width(), place.column, 1), turns(out.height(), place.row, 1), ReadWrite{out},
                       cl_uint{plane}, cl_uint{all ? image : image != 0}, cl_int{place.is_known});
                if (image != 0)
                    tell(i, plane, place, out);
            }
    }

    void tell(unsigned input, unsigned plane, const Place &place, const Array &out) {
        auto back = [&](cl_long steps, unsigned length) {
            const double moved = static_cast<double>(steps) / steps_;
            return place.is_known ? (moved > length / 2.0 ? length - moved : 0.0 - moved) : std::nan("");
        };
        post_message(gst_structure_new("tomo-shift", "index", G_TYPE_UINT64, index_, "input", G_TYPE_UINT,
                                       input, "plane", G_TYPE_UINT, plane, "x", G_TYPE_DOUBLE,
                                       back(place.column, out.width()), "y", G_TYPE_DOUBLE,
                                       back(place.row, out.height()), nullptr));
    }

    ArrayInfo correlations_;
    UntilStop<fourier::Transforms> inverse_{this};
    std::vector<Place> places_; // of all images
    unsigned steps_ = 1;
    guint64 index_ = 0;
};

} // namespace

TOMO_ELEMENT(CrossCorrelate)
