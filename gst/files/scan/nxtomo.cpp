// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// NXtomo (https://manual.nexusformat.org/classes/applications/NXtomo.html) with the names that the ESRF adds.
#ifdef HAVE_HDF5

#include "nxtomo.hpp"
#include "nxtomo-detectors.hpp"
#include "nxtomo-frames.hpp"
#include <gst/tomo/geometry/magnification.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <utility>

namespace tomo::io {

namespace {

// Where angles stand: where NXtomo wants them, else as many numbers as there are frames, or projections, in
// an NXdata or NXpositioner of the entry or the instrument, with a unit of angles or a name that says so.
std::string find_angles(const Hdf5Tree &tree, ScanLayout &scan, const std::string &entry, std::size_t frames,
                        std::size_t projections) {
    const Names usual = {entry + "/sample/rotation_angle", entry + "/data/rotation_angle"};
    if (const auto numbers = first_of(tree, usual); !numbers.empty())
        return numbers;
    Names groups = groups_of(tree, entry, "NXdata", "data");
    for (const auto &parent : tree.groups(entry)) {
        const auto nx = tree.attribute(parent, "NX_class");
        if (nx != "NXinstrument" && nx != "NXsample" && nx != "NXcollection" && nx != "NXpositioner" &&
            last_of(parent) != "instrument" && last_of(parent) != "sample")
            continue;
        for (const auto &group : nx == "NXpositioner" ? Names{parent} : tree.groups(parent))
            if (tree.attribute(group, "NX_class") == "NXpositioner")
                groups.push_back(group);
    }
    Names by_name, by_unit;
    for (const auto &group : groups)
        for (const auto &dataset : tree.children(group)) {
            const auto count = tree.count_of_list(dataset);
            if (count < 2 || (count != frames && count != projections))
                continue;
            const auto units = tree.attribute(dataset, "units");
            const bool is_angle = g_ascii_strncasecmp(units.c_str(), "deg", 3) == 0 ||
                                  g_ascii_strncasecmp(units.c_str(), "rad", 3) == 0 || units == "°";
            const bool says_angle = names_angle(last_of(dataset)) || names_angle(last_of(group));
            if (!is_angle && !(units.empty() && says_angle))
                continue;
            const auto values = tree.numbers(dataset);
            if (std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end())
                continue; // something that stood still
            (says_angle ? by_name : by_unit).push_back(dataset);
        }
    const auto &found = by_name.empty() ? by_unit : by_name;
    if (found.empty()) {
        check_angles(tree, scan, usual);
        return {};
    }
    const auto same = tree.numbers(found[0]); // one may be a link to another
    if (std::any_of(found.begin(), found.end(),
                    [&](const std::string &other) { return tree.numbers(other) != same; })) {
        scan.unclear_angles =
            text("several datasets may be the angles of the projections (%s); they count as "
                 "unknown: name one by the property angles, as in angles=%s:%s",
                 list_of(found).c_str(), tree.path().c_str(), found[0].c_str());
        return {};
    }
    return found[0];
}

// Links may lead in circles.
class EntrySearch {
  public:
    explicit EntrySearch(const Hdf5Tree &tree) : tree_(tree) { find("", 3); }

    Names named, alike;

  private:
    void find(const std::string &group, unsigned depth) {
        const auto identity = tree_.identity(group);
        if (!identity || !known_.insert(*identity).second)
            return;
        if (tree_.words(group + "/definition") == "NXtomo" ||
            tree_.attribute(group.empty() ? "/" : group, "definition") == "NXtomo")
            named.push_back(group);
        else if (const auto detectors = detectors_of(tree_, group); std::any_of(
                     detectors.begin(), detectors.end(), [](const auto &d) { return !d.key.empty(); }))
            alike.push_back(group);
        if (depth > 0)
            for (const auto &child : tree_.groups(group))
                if (const auto nx = tree_.attribute(child, "NX_class");
                    nx.empty() || nx == "NXentry" || nx == "NXsubentry" || nx == "NXroot" ||
                    nx == "NXcollection")
                    find(child, depth - 1);
    }

    const Hdf5Tree &tree_;
    std::set<Hdf5Identity> known_;
};

double axis_of(const Hdf5Tree &tree, const std::string &detector) {
    const auto values = tree.numbers(detector + "/x_rotation_axis_pixel_position");
    // As a pixel's index, which is half a pixel less than the edge coordinate of its centre.
    return values.empty() ? ScanLayout::unknown : values[0] + 0.5;
}

// The ESRF tells the distance that a parallel beam would have as well; without a source it is what counts.
void read_distances(const Hdf5Tree &tree, ScanLayout &scan, const std::string &entry,
                    const std::string &detector) {
    const auto of = [&](const Names &names) { return std::abs(quantity(tree, scan, names, metres, "m")); };
    const double source = of({entry + "/instrument/source/distance", entry + "/source/distance"}),
                 parallel = of({entry + "/sample/propagation_distance"}),
                 known = of({detector + "/distance"});
    if (!is_source_near(source)) {
        scan.distance = std::isnan(parallel) ? known : parallel;
        return;
    }
    scan.source_distance = source;
    scan.distance = std::isnan(known) && parallel < source ? parallel * source / (source - parallel) : known;
}

// Metres at the sample.
double pixel_of(const Hdf5Tree &tree, ScanLayout &scan, const std::string &entry, const std::string &detector,
                const std::string &name) {
    const double at_sample = quantity(tree, scan, {entry + "/sample/" + name}, metres, "m");
    if (std::isfinite(at_sample))
        return at_sample;
    return scan.at_sample(quantity(tree, scan, {detector + "/" + name}, metres, "m"));
}

// Of a scan that is being written nobody knows the last projection: flats behind the first one count as
// after.
void sort_by_key(ScanLayout &scan, const std::vector<long> &keys, const std::string &data, bool follow) {
    for (auto *images : {&scan.projections, &scan.darks, &scan.flats, &scan.flats_after}) {
        images->files = {data};
        images->type = FileType::Hdf5;
    }
    std::size_t last_projection = 0;
    bool found = false;
    for (std::size_t i = 0; i < keys.size(); i++) {
        if (keys[i] == 0 && !(follow && std::exchange(found, true)))
            last_projection = i;
    }
    bool is_new_set = false; // projections lie between the last flat and this one
    for (std::size_t i = 0; i < keys.size(); i++) {
        ScanImages::Image image{0, i, i};
        is_new_set = is_new_set || keys[i] == 0;
        if (keys[i] == 0)
            scan.projections.images.push_back(image);
        else if (keys[i] == 1) {
            auto &images = (i < last_projection ? scan.flats : scan.flats_after).images;
            if (!images.empty())
                image.set = images.back().set + is_new_set;
            images.push_back(image);
            is_new_set = false;
        } else if (keys[i] == 2 && !(found && i > last_projection))
            scan.darks.images.push_back(image);
    }
    if (scan.flats.empty() && !follow)
        std::swap(scan.flats, scan.flats_after);
    scan.has_order = true;
}

} // namespace

NxTomoEntries::NxTomoEntries(const Hdf5Tree &tree) {
    EntrySearch search(tree);
    named = std::move(search.named);
    alike = std::move(search.alike);
}

std::string choose_entry(const Hdf5Tree &tree, const Names &entries) {
    if (entries.size() == 1)
        return entries[0];
    const auto by_default = "/" + tree.attribute("/", "default");
    if (std::find(entries.begin(), entries.end(), by_default) != entries.end())
        return by_default;
    throw Error(GST_RESOURCE_ERROR_SETTINGS,
                text("'%s' holds %" G_GSIZE_FORMAT " scans; choose one by entry: %s", tree.path().c_str(),
                     entries.size(), list_of(entries).c_str()));
}

std::optional<std::string> entry_of_images(const Hdf5Tree &tree, const std::string &dataset) {
    const auto group = parent_of(dataset);
    const auto has_instrument = [&](const std::string &entry) {
        return !groups_of(tree, entry, "NXinstrument", "instrument").empty();
    };
    const bool is_described = tree.attribute(group.empty() ? "/" : group, "NX_class") == "NXdetector" ||
                              tree.names_dataset(group + "/image_key") ||
                              tree.names_dataset(group + "/rotation_angle");
    if (!is_described || !tree.is_stack(dataset))
        return {};
    for (auto entry = group; !entry.empty();) {
        entry = parent_of(entry);
        const auto nx = tree.attribute(entry.empty() ? "/" : entry, "NX_class");
        if (nx == "NXentry" || nx == "NXsubentry" || has_instrument(entry))
            return entry;
    }
    return {};
}

ScanLayout nxtomo(const Hdf5Tree &tree, const std::string &entry, const std::string &wanted, bool follow,
                  const std::string &dataset) {
    ScanLayout scan;
    scan.name = dataset.empty()
                    ? text("'%s', NXtomo %s", tree.path().c_str(), entry.empty() ? "/" : entry.c_str())
                    : "'" + tree.path() + ":" + dataset + "'";
    auto detector = dataset.empty()
                        ? choose_detector(tree, scan, entry, wanted)
                        : Detector{parent_of(dataset), dataset, key_of(tree, entry, parent_of(dataset))};
    tree.require_target(detector.data);
    const auto images = images_in(tree, detector.data);
    auto frames = images.count;
    if (detector.key.empty())
        detector.key = only_key_of(tree, entry, frames);
    if (!detector.key.empty())
        tree.require_numbers(detector.key);
    auto stored = tree.numbers(detector.key);
    const auto projections = static_cast<std::size_t>(std::count(stored.begin(), stored.end(), 0.0));
    const auto angles = angles_at(tree, scan, find_angles(tree, scan, entry, frames, projections));
    if (follow && !detector.key.empty()) {
        scan.frames = frames;
        scan.announced = stored.size();
        frames = std::min({frames, stored.size(), angles.empty() ? frames : angles.size()});
        stored.resize(frames);
    }
    std::vector<long> keys(frames, 0);
    if (detector.key.empty()) {
        scan.warnings.push_back(
            text("there is no image_key: all %" G_GSIZE_FORMAT " frames count as projections", frames));
    } else {
        if (stored.size() != frames)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("%s has %" G_GSIZE_FORMAT " frames, but image_key has %" G_GSIZE_FORMAT,
                             scan.name.c_str(), frames, stored.size()));
        std::size_t strange = 0;
        for (std::size_t i = 0; i < frames; i++) {
            const bool is_key = stored[i] == 0 || stored[i] == 1 || stored[i] == 2 || stored[i] == 3;
            strange += !is_key && stored[i] != -1;
            keys[i] = is_key ? std::lround(stored[i]) : 3;
        }
        if (strange > 0)
            scan.warnings.push_back(text(
                "%" G_GSIZE_FORMAT " frames have an image_key that is none of 0 (projection), 1 (flat), 2 "
                "(dark) and 3 (invalid); they are left out",
                strange));
        // Below zero: images taken to align, whatever image_key says.
        const auto control = tree.numbers(detector.group + "/image_key_control");
        for (std::size_t i = 0; i < std::min(frames, control.size()); i++)
            if (control[i] < 0)
                keys[i] = 3;
    }
    sort_by_key(scan, keys, tree.path() + ":" + detector.data, follow);
    scan.all_frames = frames;

    if (angles.size() == frames || (follow && angles.size() > frames))
        for (const auto &image : scan.projections.images)
            scan.angles.push_back(angles[image.page]);
    else
        scan.angles = angles; // of the projections alone, or find_scan() complains
    scan.axis_position = axis_of(tree, detector.group);
    if (scan.axis_position < 0.0 || scan.axis_position > double(images.width)) {
        scan.warnings.push_back(
            text("x_rotation_axis_pixel_position is %g, which is no column of the detector; the axis "
                 "counts as unknown",
                 scan.axis_position - 0.5));
        scan.axis_position = ScanLayout::unknown;
    }
    const auto &d = detector.group;
    read_distances(tree, scan, entry, d);
    scan.pixel_size = pixel_of(tree, scan, entry, d, "x_pixel_size");
    if (!follow) {
        const double pixel_height = pixel_of(tree, scan, entry, d, "y_pixel_size");
        const double height = std::isnan(pixel_height) ? scan.pixel_size : pixel_height;
        read_translations(tree, scan, entry, frames, scan.pixel_size, height);
        read_stage(tree, scan, entry, frames, height);
        read_monitor(tree, scan, entry, frames);
    }
    scan.energy = quantity(tree, scan,
                           {entry + "/instrument/beam/incident_energy", entry + "/beam/incident_energy",
                            entry + "/instrument/monochromator/energy"},
                           kilo_electronvolts, "keV");
    return scan;
}

} // namespace tomo::io

#endif // HAVE_HDF5
