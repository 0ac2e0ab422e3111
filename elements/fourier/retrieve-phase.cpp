// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phase-filter.hpp"
#include <gst/operators/fourier-transforms.hpp>

#include <gst/tomo/bases/addressing.hpp>
#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/magnification.hpp>
#include <gst/tomo/geometry/scan.hpp>
#include <gst/tomo/geometry/wavelength.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

using namespace tomo;
using phase::Method;

namespace {

enum class Quantity { filtered, phase, thickness };

struct Value {
    double number;
    Origin origin;
};

class RetrievePhase final : public BatchFilter {
  public:
    static constexpr Info info{
        .task = "retrieve-phase",
        .klass = "Filter/Effect",
        .blurb =
            "Retrieves phase or thickness from projections with propagation-based phase contrast, by a filter in "
            "frequencies",
        .in = formats::all,
        .out = formats::float32 | formats::complex64,
        .details =
            R"(Real input are projections of transmission, I / I0 (`tomoflatfieldcorrect absorption-correct=false`), in whole:
the element pads them, transforms, multiplies by the filter H, transforms back and crops. Complex input are
two-dimensional spectra (`tomofft dimensions=2`), which are multiplied by H.

With a = pi L (z_x u^2 + z_y v^2), L the wavelength, z the distance and u, v the frequencies at the sample,
and R = 10^-`regularization-rate`, where 1 / R stands for delta / beta of the refractive index 1 - delta + i beta:

| method | H |
|---|---|
| `tie` | 1 / (2 (a + R)): transport of intensity, for objects of one material. D. Paganin and others, J. Microsc. 206, 33 (2002), doi 10.1046/j.1365-2818.2002.01010.x |
| `gpm` | The same with (1 - cos(2 pi u p)) / (2 pi^2 p^2) in place of u^2, p the pixel size, and v^2 likewise, which blurs less: generalised Paganin method. D. M. Paganin and others, J. Opt. 22, 115607 (2020), doi 10.1088/2040-8986/abbab9 |
| `ctf` | 1 / (2 (sin a + R)), 0 where sin a + R is: contrast transfer, for objects that are weak in phase and in absorption. P. Cloetens and others, Appl. Phys. Lett. 75, 2912 (1999), doi 10.1063/1.125225 |
| `qp` | As `ctf`, but 0 where a > pi / 2 and abs(sin a + R) < T = `thresholding-rate`: quasiparticles. J. Moosmann and others, Opt. Express 19, 12066 (2011), doi 10.1364/OE.19.012066 |
| `qp2` | As `qp`, but sign(sin a + R) / (2 (T + R)) there |
| `ctf_multidistance` | C_i / (sum of C_j^2) for distance i, C = sin(a) / R + cos a: least squares over several distances. S. Zabler and others, Rev. Sci. Instrum. 76, 073705 (2005), doi 10.1063/1.1960797 |
| `ict` | C_i / (sum of C_j^2 + alpha): intensity contrast transfer, for objects of one material that absorb as much as they like, at any distance. T. Faragó and others, Opt. Lett. 49, 5159 (2024), doi 10.1364/OL.530330. alpha is 0 up to the first maximum of C, or up to a = `ict-alpha-threshold`, and `ict-alpha` beyond. With `ict-alpha=0` and one distance it is 1 / C, the filter that TomocuPy calls farago |

`frequency-cutoff` makes H zero from that a on; `qp2` has its bound there. At frequency zero, H of `ctf` and `qp` is 0, and that
of `qp2` is 1 / (2 (T + R)). `normalize` multiplies H by 2 R and makes it 1 at frequency zero. So a projection keeps its mean,
and becomes the transmission that the object would have without phase contrast. `ctf_multidistance` and `ict` are
normalised as they are. These two take the projections of one view as planes, in the order of `distance`, and give one;
deeper stacks are several views. For the other methods each plane is a projection of its own.

`quantity=phase` gives the phase shift behind the object in radians, ln(v) / (2 R), where v is the normalised result.
`quantity=thickness` gives the projected thickness in metres of a material of that `delta`, T = -L / (4 pi R delta) ln(v); the
phase is -2 pi delta T / L (Paganin, 2002). Where v is not positive, both are NaN. An image with phase contrast tells nothing of
slow changes of the phase; these come from absorption, by R.

Behind a point source at `source-distance` R1 from the sample, with the detector at `distance` R2 behind it, the image is that of a
parallel beam at the distance z = R1 R2 / (R1 + R2), magnified by M = (R1 + R2) / R1 (Fresnel scaling theorem: D. M. Paganin,
Coherent X-Ray Optics, Oxford 2006, section 1.4). `pixel-size` is that of the detector; the sample's is 1 / M of it. The scan of
the stream tells the pixel size at the sample where it tells a source, and that counts as it is. Without a source, both are the same.
Where several distances have several magnifications, scale the images to that of the first one before.

A projection with a sample that is not finite is NaN, as the transform makes it.)",
        .example =
            "tomoscansrc name=s location=scan.nxs ! flat.projections s.darks ! flat.darks s.flats ! flat.flats "
            "tomoflatfieldcorrect name=flat ! tomoretrievephase normalize=true energy=20 distance='<0.05>' "
            "regularization-rate=1.5 ! tomocalculate expression='-log(v)' ! tomowrite filename=attenuation.h5:/data\n"
            "tomoread path=projection.tif ! tomoretrievephase energy=20 distance='<0.05>' pixel-size=2e-6 "
            "quantity=thickness delta=4e-7 ! tomowrite filename=thickness.tif\n"
            "tomoread path=projection.tif ! tomofft dimensions=2 auto-zeropadding=true ! tomoretrievephase method=qp "
            "energy=20 distance='<0.05>' pixel-size=2e-6 ! tomoifft dimensions=2 crop-width=256 crop-height=80 ! "
            "tomowrite filename=phase.tif",
    };

    Choice<Method> method{
        this,
        "method",
        Method::tie,
        {{Method::tie, "tie", "Transport of intensity (Paganin)"},
         {Method::ctf, "ctf", "Contrast transfer"},
         {Method::ctf_multidistance, "ctf_multidistance", "Contrast transfer at several distances"},
         {Method::qp, "qp", "Contrast transfer without the surroundings of its zeros"},
         {Method::qp2, "qp2", "Contrast transfer, bounded around its zeros"},
         {Method::ict, "ict", "Intensity contrast transfer, at one distance or at several"},
         {Method::gpm, "gpm", "Transport of intensity in differences between pixels"}},
        When::reshapes,
        "The filter"};
    Property<double> energy{this,           "energy",       Automatic{0.0},
                            {0.0, FLT_MAX}, When::reshapes, "keV; 0: that of the scan"};
    Property<std::vector<double>> distance{
        this, "distance", When::reshapes,
        "From the sample to the detector, metres; of each projection for methods that take several; none: that of "
        "the scan"};
    Property<std::vector<double>> source_distance{
        this, "source-distance", When::reshapes,
        "From a point source to the sample, metres; one, or one for each distance; none: that of the scan, else the "
        "beam is parallel"};
    Property<double> distance_x{
        this,           "distance-x",
        Automatic{0.0}, {0.0, FLT_MAX},
        When::reshapes, "Metres, along columns where the beam has two; 0: distance. Goes with distance-y"};
    Property<double> distance_y{this,           "distance-y",   Automatic{0.0},
                                {0.0, FLT_MAX}, When::reshapes, "The same along rows"};
    Property<double> pixel_size{
        this,
        "pixel-size",
        Automatic{0.0},
        {0.0, FLT_MAX},
        When::reshapes,
        "Of the array's pixels on the detector, metres; 0: that of the scan, with its binning"};
    Property<double> regularization_rate{
        this, "regularization-rate", 2.5, {0.0, 30.0}, When::reshapes, "Decadic logarithm of delta / beta"};
    Property<double> thresholding_rate{this,           "thresholding-rate", 0.1,
                                       {0.0, FLT_MAX}, When::reshapes,      "T of qp and qp2"};
    Property<double> frequency_cutoff{this,           "frequency-cutoff", FLT_MAX,
                                      {0.0, FLT_MAX}, When::reshapes,     "Upper bound of a, radians"};
    Property<double> ict_alpha{this,           "ict-alpha",    0.1,
                               {0.0, FLT_MAX}, When::reshapes, "Regularization of ict"};
    Property<double> ict_alpha_threshold{
        this,
        "ict-alpha-threshold",
        Automatic{0.0},
        {0.0, FLT_MAX},
        When::reshapes,
        "Value of a up to which ict is not regularized, radians; 0: that of the first maximum"};
    Property<bool> normalize{this, "normalize", false, When::reshapes,
                             "Divide by the gain at frequency zero, so that means stay"};
    Choice<Quantity> quantity{this,
                              "quantity",
                              Quantity::filtered,
                              {{Quantity::filtered, "filtered", "The filtered projection"},
                               {Quantity::phase, "phase", "Phase shift in radians"},
                               {Quantity::thickness, "thickness", "Projected thickness in metres, by delta"}},
                              When::reshapes,
                              "Result for real input"};
    Property<double> delta{this,           "delta",
                           Automatic{0.0}, {0.0, 1.0},
                           When::reshapes, "Decrement of the material's refractive index, for thickness"};
    Property<unsigned> padded_width{
        this,
        "padded-width",
        Automatic{0},
        {0, 65536},
        When::reshapes,
        "Columns of the transform of real input, an even number; 0: as many more as the filter reaches on both "
        "sides, at most twice the image's"};
    Property<unsigned> padded_height{this,       "padded-height", Automatic{0},
                                     {0, 65536}, When::reshapes,  "The same for rows, which may be odd"};
    AddressingMode addressing_mode{this, Addressing::clamp_to_edge, "Zero; nothing is undefined"};
    Property<bool> output_filter{
        this, "output-filter", false, When::reshapes,
        "Give the filter in place of its result: of the size of the transform, one plane for each distance"};

    ArrayInfo shape(const ArrayInfo &in) override {
        check(in);
        is_planned_ = false;
        if (output_filter) {
            // Before the scan is known it may be that of another size.
            const bool is_open = !in.is_complex() && !is_known();
            const auto size = is_open ? Size{in.width, in.height} : size_of(in, filter());
            return in.with_size(size.width, size.height, is_open ? 1 : number_of_distances())
                .with_format(GST_TOMO_FORMAT_FLOAT32)
                .with_domain(GST_TOMO_DOMAIN_SPECTRUM);
        }
        return in.with_size(in.width, in.height, in.depth / number_of_distances())
            .with_format(in.is_complex() ? GST_TOMO_FORMAT_COMPLEX64 : GST_TOMO_FORMAT_FLOAT32);
    }

    void process(const Array &in, Array &out) override {
        if (!is_planned_)
            plan(in.info());
        const auto distances = static_cast<cl_uint>(number_of_distances());
        const BareBuffer table{*table_};
        if (output_filter)
            launch(kernel("phase_response"), WorkSize(out.info()), out, table, distances);
        else if (in.info().is_complex())
            launch(kernel("phase_multiply", "-D COMPLEX"), WorkSize(out.info()), in, out, table, distances);
        else
            retrieve(in, out, table, distances);
    }

    void stop() override {
        scan_ = {};
        is_planned_ = false;
    }

  protected:
    unsigned batch_that_pays(const ArrayInfo &in) override { return fourier::batch_that_pays(*device(), in, 2); }

    EventRef scan_event(EventRef event) override {
        const Scan now(event.get());
        const auto facts = [](const Scan &s) {
            return std::array{s.energy,     s.distance,  s.source_distance,
                              s.pixel_size, s.binning_x, s.binning_y};
        };
        const auto is_same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
        const auto before = facts(scan_), after = facts(now);
        if (!std::equal(before.begin(), before.end(), after.begin(), is_same)) {
            is_planned_ = false;
            if (output_filter)
                reshape();
        }
        scan_ = now;
        return output_filter ? scan_without_views(event) : std::move(event);
    }

  private:
    struct Size {
        unsigned width, height;
    };

    void check(const ArrayInfo &in) const {
        const auto settings = [](const std::string &message) {
            throw Error(GST_LIBRARY_ERROR_SETTINGS, message);
        };
        if (in.domain == GST_TOMO_DOMAIN_SINOGRAM)
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text(
                    "got sinograms (%s), but phase is retrieved from whole projections: put the element before "
                    "tomotransposeprojections",
                    in.describe().c_str()));
        const auto given = distance.value();
        if (distance_x.chosen().has_value() != distance_y.chosen().has_value())
            settings(text("distance-x=%g and distance-y=%g came; wanted both or none", distance_x.value(),
                          distance_y.value()));
        if (distance_x.chosen() && !given.empty())
            settings("distance came beside distance-x and distance-y; wanted one of them");
        if (given.size() > 1 && !phase::takes_several_distances(method))
            settings(text(
                "method=%s takes one distance, and distance has %zu; give one, or method=ctf_multidistance or "
                "ict",
                method.nick(), given.size()));
        if (const auto bad = std::find_if(given.begin(), given.end(),
                                          [](double z) { return !(z > 0.0) || !std::isfinite(z); });
            bad != given.end())
            settings(text("distance has %g; wanted metres above 0", *bad));
        const auto sources = source_distance.value();
        if (sources.size() > 1 && sources.size() != number_of_distances())
            settings(text("source-distance has %zu numbers for %zu distances; wanted one, or one for each",
                          sources.size(), number_of_distances()));
        if (const auto bad =
                std::find_if(sources.begin(), sources.end(), [](double z) { return !(z > 0.0); });
            bad != sources.end())
            settings(text("source-distance has %g; wanted metres above 0", *bad));
        if (in.depth % number_of_distances() != 0)
            settings(text(
                "%u planes came for %zu distances; wanted a projection for each of them, as by tomostack",
                in.depth, number_of_distances()));
        if ((quantity == Quantity::thickness) != delta.chosen().has_value())
            settings(text("quantity=%s with delta=%g; %s", quantity.nick(), delta.value(),
                          delta.chosen()
                              ? "delta is that of quantity=thickness"
                              : "wanted the decrement of the material's refractive index above 0"));
        if (quantity != Quantity::filtered && (in.is_complex() || output_filter))
            settings(text("quantity=%s needs real projections and their logarithm, but %s; leave it out",
                          quantity.nick(), output_filter ? "output-filter is set" : "spectra came"));
        if (in.is_complex() && (padded_width || padded_height))
            settings(
                text("padded-width=%u and padded-height=%u have no meaning for spectra: pad before tomofft",
                     padded_width.value(), padded_height.value()));
        const auto check_padded = [&](const Property<unsigned> &size, unsigned least, bool is_even) {
            if (size && (size < least || (is_even && size % 2 != 0)))
                settings(text("%s=%u came for projections of %u x %u pixels; wanted %s number of at least %u",
                              size.name(), size.value(), in.width, in.height, is_even ? "an even" : "a",
                              least));
        };
        check_padded(padded_width, in.width, true);
        check_padded(padded_height, in.height, false);
    }

    std::size_t number_of_distances() const { return std::max<std::size_t>(distance.value().size(), 1); }

    static std::optional<double> first_of(const Property<std::vector<double>> &list) {
        const auto values = list.value();
        return values.empty() ? std::nullopt : std::optional(values.front());
    }
    std::optional<Value> value_of(std::optional<double> given, double of_scan) const {
        if (given)
            return Value{*given, Origin::property};
        return of_scan > 0.0 && std::isfinite(of_scan) ? std::optional(Value{of_scan, Origin::scan})
                                                       : std::nullopt;
    }

    std::optional<Value> known_energy() const { return value_of(energy.chosen(), scan_.energy); }
    std::optional<Value> known_pixel() const { return value_of(pixel_size.chosen(), scan_.pixel_size); }
    std::optional<Value> known_distance() const {
        const auto given = first_of(distance);
        return value_of(given ? given : distance_x.chosen(), scan_.distance);
    }
    // From the source to the sample, at the distance of this number; NaN or infinite: the beam is parallel.
    double source(std::size_t number = 0) const {
        const auto given = source_distance.value();
        return given.empty() ? scan_.source_distance : given[std::min(number, given.size() - 1)];
    }
    double at_sample(double pixel, double z) const {
        const bool is_told_at_sample = !pixel_size.chosen() && is_source_near(scan_.source_distance);
        return is_told_at_sample ? pixel : pixel / magnification(source(), z);
    }
    // As a share of the width.
    double height_of_pixel() const {
        const double ratio = std::abs(scan_.binning_y / scan_.binning_x);
        return pixel_size.chosen() || !std::isfinite(ratio) ? 1.0 : ratio;
    }
    bool is_known() const { return known_energy() && known_pixel() && known_distance(); }

    phase::Filter filter() const {
        const auto wanted = [](const std::optional<Value> &value, const char *what, const char *name) {
            if (!value)
                throw Error(GST_LIBRARY_ERROR_SETTINGS,
                            text("no %s is known: the stream's scan tells none; give %s", what, name));
            return value->number;
        };
        const double length = wavelength(wanted(known_energy(), "energy", "energy, in keV")),
                     z = wanted(known_distance(), "distance to the detector", "distance, in metres"),
                     pixel = wanted(known_pixel(), "pixel size", "pixel-size, in metres"),
                     z_y = distance_y.chosen().value_or(z);
        const double columns = std::numbers::pi * length / std::pow(at_sample(pixel, z), 2),
                     rows =
                         std::numbers::pi * length / std::pow(at_sample(pixel * height_of_pixel(), z_y), 2);
        phase::Filter made{.method = method,
                           .distances = {},
                           .ratio = std::pow(10.0, regularization_rate),
                           .thresholding_rate = thresholding_rate,
                           .frequency_cutoff = frequency_cutoff,
                           .ict_alpha = ict_alpha,
                           .ict_alpha_threshold = ict_alpha_threshold,
                           .normalize = normalize || quantity != Quantity::filtered};
        const auto distances = distance.value();
        for (std::size_t i = 0; i < distances.size(); i++) {
            const double parallel = distance_of_parallel_beam(source(i), distances[i]);
            made.distances.push_back({columns * parallel, rows * parallel});
        }
        if (made.distances.empty())
            made.distances.push_back({columns * distance_of_parallel_beam(source(), z),
                                      rows * distance_of_parallel_beam(source(), z_y)});
        if (!std::all_of(made.distances.begin(), made.distances.end(),
                         [](const auto &d) { return std::isfinite(d.columns) && std::isfinite(d.rows); }))
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text(
                    "energy=%g keV, distance=%g m and pixel-size=%g m make no finite filter; wanted those of an "
                    "experiment",
                    known_energy()->number, z, pixel));
        return made;
    }

    // Of the transform.
    Size size_of(const ArrayInfo &in, const phase::Filter &filter) const {
        if (in.is_complex())
            return {in.width, in.height};
        const auto reach = filter.reach();
        const auto padded = [](unsigned given, unsigned length, double reach) {
            return given ? given
                         : fourier::good_length(length +
                                                2.0 * std::min(std::ceil(reach), std::ceil(length / 2.0)));
        };
        return {padded(padded_width, in.width, reach.columns), padded(padded_height, in.height, reach.rows)};
    }

    void plan(const ArrayInfo &in) {
        const auto filter = this->filter();
        const auto size = size_of(in, filter);
        table_ = upload(filter.quadrant(size.width, size.height));
        if (!in.is_complex() && !output_filter) {
            const auto planes = input_info().depth;
            packed_ = resized(in.with_format(GST_TOMO_FORMAT_COMPLEX64), size.width / 2, size.height,
                              planes * std::uint64_t{batch_size()}, "padded projections");
            const auto one = packed_.with_size(packed_.width, packed_.height, planes);
            forward_ = {*this, one, 2, batch_size()};
            inverse_ = {*this, one.with_size(one.width, one.height, planes / number_of_distances()), 2,
                        batch_size()};
        }
        report(size);
        is_planned_ = true;
    }

    void retrieve(const Array &in, Array &out, const BareBuffer &table, cl_uint distances) {
        const cl_uint pairs = packed_.width, rows = packed_.height;
        Array spectra = allocate(packed_.with_size(pairs, rows, in.depth()));
        launch(kernel("phase_pack", addressing_mode.option()), WorkSize(spectra.info()), in, spectra,
               cl_uint{in.width()}, cl_uint{in.height()});
        forward_->run(*this, FftDirection::Forward, spectra, spectra);
        Array filtered = allocate(packed_.with_size(pairs, rows, out.depth()));
        launch(kernel("phase_filter"), WorkSize(pairs, rows / 2 + 1, out.depth()), std::as_const(spectra),
               filtered, table, distances, pairs, rows);
        inverse_->run(*this, FftDirection::Inverse, filtered, filtered);
        const bool is_linear = quantity == Quantity::filtered;
        launch(kernel("phase_crop", is_linear ? "" : "-D LOGARITHM"), WorkSize(out.info()),
               std::as_const(filtered), out, pairs, rows, static_cast<float>(is_linear ? 1.0 : scale()));
    }

    // Of the logarithm.
    double scale() const {
        const double of_phase = 0.5 * std::pow(10.0, regularization_rate);
        return quantity == Quantity::phase
                   ? of_phase
                   : -of_phase * wavelength(known_energy()->number) / (2.0 * std::numbers::pi * delta);
    }

    void report(const Size &size) {
        EffectiveValues values;
        const auto add = [&](const char *name, const Value &value, const char *unit) {
            values.add(name, value.number, unit, value.origin);
        };
        add("energy", *known_energy(), "keV");
        add("distance", *known_distance(), "m");
        if (is_source_near(source())) {
            const double z = known_distance()->number;
            add("source-distance", *value_of(first_of(source_distance), scan_.source_distance), "m");
            values.add("propagation-distance", distance_of_parallel_beam(source(), z), "m");
            values.add("pixel-size-at-sample", at_sample(known_pixel()->number, z), "m");
        }
        add("pixel-size", *known_pixel(), "m");
        report_effective(values.add("transform-width", size.width).add("transform-height", size.height));
    }

    Scan scan_;
    bool is_planned_ = false;      // all below
    UntilStop<Array> table_{this}; // the filter
    ArrayInfo packed_;             // of padded projections, two columns as one complex sample
    UntilStop<fourier::Transforms> forward_{this}, inverse_{this};
};

} // namespace

TOMO_ELEMENT(RetrievePhase)
