// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/beam.hpp>
#include <gst/reconstruction/flat-field.hpp>
#include <gst/reconstruction/line.hpp>
#include <gst/reconstruction/linearisation.hpp>
#include <gst/reconstruction/phase.hpp>
#include <gst/reconstruction/rings.hpp>
#include <gst/reconstruction/source-line.hpp>

#include <algorithm>
#include <string_view>

namespace tomo::reconstruction {

bool are_values_transmission(const Settings &settings, const Inspection &scan) {
    return scan.is_corrected(settings) || scan.whole_beam(settings) > 0.0;
}

bool takes_logarithm(const Settings &settings, const Inspection &scan) {
    return settings.absorptivity.is("on") ||
           (settings.absorptivity.is("auto") && are_values_transmission(settings, scan));
}

bool takes_logarithm_behind_rings(const Settings &settings, const Inspection &scan) {
    return takes_logarithm(settings, scan) && rings_want_transmission(settings) &&
           !settings.result.is("projections");
}

bool takes_logarithm_behind_phase(const Settings &settings, const Inspection &scan) {
    return takes_logarithm(settings, scan) && retrieves_phase(settings) &&
           !takes_logarithm_behind_rings(settings, scan);
}

static bool takes_logarithm_at_once(const Settings &settings, const Inspection &scan) {
    return takes_logarithm(settings, scan) && !takes_logarithm_behind_rings(settings, scan) &&
           !takes_logarithm_behind_phase(settings, scan);
}

std::string absorption(const Settings &settings) {
    return calculation("absorption",
                       settings.fix_nan_and_inf ? "isfinite(v) && v > 0.0f ? -log(v) : 0.0f" : "-log(v)");
}

static std::string finite() { return calculation("finite", "isfinite(v) ? v : 0.0f"); }

std::string uncorrected(const Settings &settings, const Inspection &scan) {
    if (takes_logarithm_at_once(settings, scan))
        return absorption(settings);
    const bool is_integer = scan.image.format < GST_TOMO_FORMAT_FLOAT16;
    return settings.fix_nan_and_inf && !is_integer ? finite() : "";
}

bool is_flat_dynamic(const Settings &settings, const Inspection &scan) {
    return scan.is_corrected(settings) && settings.flat_correction.is("dynamic");
}

bool are_flat_sets_apart(const Settings &settings, const Inspection &scan) {
    return scan.flat_sets > 1 && scan.is_corrected(settings) && !settings.reduction_mode.is("median") &&
           !is_flat_dynamic(settings, scan);
}

namespace {

// One of the corrections by darks and flats of a line: that of the projections, or that of their air.
struct FlatField {
    std::string prefix;     // of the names of its elements
    unsigned binning = 1;   // of its images
    unsigned width, height; // of a dark, binned
    bool as_projections;

    std::string name(const char *part) const { return prefix + part; }
};

// The steps of the images of each kind before the correction.
std::string prepared(const FlatField &field, const char *kind, const Settings &settings, std::size_t images,
                     unsigned sets = 1) {
    std::string line;
    const auto name = [&](const char *step) { return field.name(step) + "-" + kind; };
    const bool is_reduced = std::string_view(kind) != "projections";
    line += detector_linearity_line(settings, name("linear"));
    if (is_reduced && settings.reduction_mode.is("median") && images > 1)
        line += text(" ! tomostack name=%s number=%zu ! tomoflatten name=%s mode=median",
                     name("stack").c_str(), images, name("median").c_str());
    if (field.binning == 1)
        return line;
    if (sets > 1) // planes of one array, which would be binned together
        line += text(" ! tomoslice name=%s", name("split").c_str());
    line += text(" ! tomobin name=%s size=%u", name("bin").c_str(), field.binning);
    if (sets > 1)
        line += text(" ! tomostack name=%s number=%u", name("join").c_str(), sets);
    return line;
}

// From the source of this name to the input of the correction.
std::string darks_line(const FlatField &field, const char *source, const Settings &settings,
                       const Inspection &scan) {
    const std::string input = text(" ! %s.darks", field.name("flat").c_str());
    if (scan.darks)
        return text(" %s.darks", source) + prepared(field, "darks", settings, scan.darks) + input;
    return text(" tomodummydata name=%s", field.name("no-darks").c_str()) + property("width", field.width) +
           property("height", field.as_projections ? field.height : 1) + input;
}

// From the source of this name, with the result open.
std::string flat_field(const FlatField &field, const char *source, const Settings &settings,
                       const Inspection &scan) {
    std::string line;
    const std::string flat = field.name("flat");
    // Sums over bins cancel in the ratio.
    const auto input = [&](const char *output, const char *input, std::size_t images, unsigned sets = 1) {
        line += text(" %s.%s", source, output) + prepared(field, output, settings, images, sets) +
                text(" ! %s.%s", flat.c_str(), input);
    };
    input("projections", "projections", scan.views);
    line += darks_line(field, source, settings, scan);
    if (scan.flats)
        input("flats", "flats", scan.flats, are_flat_sets_apart(settings, scan) ? scan.flat_sets : 1);
    if (scan.flats_after)
        input("flats-after", scan.flats ? "flats-after" : "flats", scan.flats_after);
    line += " tomoflatfieldcorrect name=" + flat;
    if (!field.as_projections)
        line += " sinogram-input=true";
    if (is_monitor_used(settings, scan))
        line += " normalize-beam=true";
    if (settings.dark_scale.is_given())
        line += property("dark-scale", settings.dark_scale.value());
    if (settings.flat_scale.is_given())
        line += property("flat-scale", settings.flat_scale.value());
    return line;
}

// " ! " and the element that makes the mean of each projection in the region of air 1. The region is read by
// itself, wherever the rows of the line lie, and whole, so that no finite number of a defect counts as air.
std::string air_line(const AirRegion &air, const Settings &settings, const Inspection &scan,
                     bool as_projections) {
    const FlatField field{"air-", 1, air.width, air.height, as_projections};
    std::string source = scan_images("air-scan", settings, scan, as_projections) + property("x", air.x) +
                         property("width", air.width) + property("y", air.y) + property("height", air.height);
    if (!as_projections)
        source += property("stack", air.height);
    return " ! air.projections " + source + device_property(settings) +
           flat_field(field, "air-scan", settings, scan) + " ! air.air tomoaircorrect name=air";
}

// The flat of each projection is of components of all flats. `rows` are those of the projections that come.
std::string dynamically_corrected(const FlatField &field, const Rows &rows, const Settings &settings,
                                  const Inspection &scan) {
    std::string line = " scan.projections" + prepared(field, "projections", settings, scan.views) +
                       " ! flat.projections" + darks_line(field, "scan", settings, scan);
    const auto stack = [&](const char *output, const char *input, std::size_t images) {
        if (images)
            line += text(" scan.%s", output) + prepared(field, output, settings, images) +
                    text(" ! tomostack name=all-%s number=%zu ! flat.%s", output, images, input);
    };
    stack("flats", "flats", scan.flats);
    stack("flats-after", scan.flats ? "flats-after" : "flats", scan.flats_after);
    line += " tomodynamicflatfieldcorrect name=flat";
    if (settings.flat_components.is_given())
        line += property("components", settings.flat_components.value());
    const auto air = air_region(settings, scan);
    if (!air)
        return line + (takes_logarithm_at_once(settings, scan) ? " absorption-correct=true" : "") +
               (settings.fix_nan_and_inf ? " fix-nan-and-inf=true" : "");
    // All of the image is there. Bins count that lie in the region.
    const unsigned binning = field.binning, top = std::max(air->y, rows.first) - rows.first,
                   end = std::max(air->y + air->height, rows.first) - rows.first,
                   x = (air->x + binning - 1) / binning, y = (top + binning - 1) / binning,
                   right = (air->x + air->width) / binning, bottom = end / binning;
    if (right <= x || bottom <= y)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("air=%s holds no whole bin of binning=%u; give a larger region",
                         settings.air.value().c_str(), binning));
    line +=
        " ! tee name=corrected corrected. ! queue name=whole ! air.projections corrected. ! queue name=part"
        " ! tomocrop name=air-region" +
        property("x", x) + property("y", y) + property("width", right - x) + property("height", bottom - y) +
        " ! air.air tomoaircorrect name=air";
    if (takes_logarithm_at_once(settings, scan))
        return line + absorption(settings);
    return line + (settings.fix_nan_and_inf ? finite() : "");
}

} // namespace

std::string corrected(const Settings &settings, const Inspection &scan, const Rows &rows,
                      bool as_projections) {
    const unsigned binning = settings.binning;
    const FlatField field{"", binning, scan.image.width / binning, rows.count / binning, as_projections};
    if (!scan.is_corrected(settings)) {
        std::string line = " scan.projections" + prepared(field, "projections", settings, scan.views);
        const double white = scan.whole_beam(settings);
        if (binning > 1 || white > 0.0)
            line += calculation("mean", "v / " + literal(binning * binning * (white > 0.0 ? white : 1.0)));
        return line + uncorrected(settings, scan);
    }
    if (is_flat_dynamic(settings, scan))
        return dynamically_corrected(field, rows, settings, scan);
    std::string line = flat_field(field, "scan", settings, scan);
    const auto air = air_region(settings, scan);
    if (takes_logarithm_at_once(settings, scan) && !air)
        line += " absorption-correct=true";
    if (settings.fix_nan_and_inf)
        line += " fix-nan-and-inf=true";
    if (air)
        line += air_line(*air, settings, scan, as_projections) +
                (takes_logarithm_at_once(settings, scan) ? absorption(settings) : "");
    return line;
}

} // namespace tomo::reconstruction
