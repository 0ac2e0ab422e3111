// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Scans in HDF5: NXtomo (https://manual.nexusformat.org/classes/applications/NXtomo.html) with the names that
// the ESRF adds, and APS Data Exchange (https://dxfile.readthedocs.io).
#ifdef HAVE_HDF5

#include <gst/files/hdf5/file.hpp>
#include "layout.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

namespace tomo::io {

namespace {

using Names = std::vector<std::string>;

// A file as its groups and datasets, read as numbers and words. Missing ones are empty.
class Tree {
  public:
    explicit Tree(const std::string &path) : path_(path), file_(hdf5_open(path, false)) {}

    hid_t file() const { return file_.get(); }
    const std::string &path() const { return path_; }

    bool has(const std::string &object, Hdf5Node::Kind kind) const {
        const auto node = hdf5_look_up(file(), object);
        return node.kind == kind && node.next.empty();
    }
    bool has_dataset(const std::string &object) const { return has(object, Hdf5Node::Kind::Dataset); }
    // Or a link that leads nowhere.
    bool names_dataset(const std::string &object) const {
        return has_dataset(object) || hdf5_look_up(file(), object).kind == Hdf5Node::Kind::Dangling;
    }

    // Whether there are images in it, of numbers.
    bool is_stack(const std::string &object) const {
        if (!has_dataset(object))
            return false;
        const auto data = hdf5_open_dataset(file(), object);
        const Hdf5Handle type(H5Dget_type(data.get()), H5Tclose);
        return data && type && hdf5_shape(data.get()).size() >= 3 &&
               hdf5_memory_type(type.get()).format != GST_TOMO_FORMAT_UNKNOWN;
    }
    // How many items a dataset with one dimension has; 0 for all else.
    std::size_t count_of_list(const std::string &object) const {
        if (!has_dataset(object))
            return 0;
        const auto shape = hdf5_shape(hdf5_open_dataset(file(), object).get());
        return shape.size() == 1 ? static_cast<std::size_t>(shape[0]) : 0;
    }

    std::optional<Hdf5Identity> identity(const std::string &group) const {
        const Hdf5Handle opened(H5Oopen(file(), group.empty() ? "/" : group.c_str(), H5P_DEFAULT), H5Oclose);
        return hdf5_identity(opened.get());
    }

    // A link that leads nowhere is told, instead of taking the data for missing.
    void require_target(const std::string &object) const {
        const auto node = hdf5_look_up(file(), object);
        if (node.kind != Hdf5Node::Kind::Dangling)
            return;
        std::string target;
        H5L_info_t link;
        if (H5Lget_info(file(), node.next.c_str(), &link, H5P_DEFAULT) >= 0 &&
            link.type == H5L_TYPE_EXTERNAL) {
            std::string value(link.u.val_size, '\0');
            const char *other_file = nullptr, *other_object = nullptr;
            if (H5Lget_val(file(), node.next.c_str(), value.data(), value.size(), H5P_DEFAULT) >= 0 &&
                H5Lunpack_elink_val(value.data(), value.size(), nullptr, &other_file, &other_object) >= 0)
                target = text(" '%s' of the file '%s'", other_object, other_file);
        }
        throw NotYet(
            GST_RESOURCE_ERROR_NOT_FOUND,
            text("'%s': '%s' is a link to%s, which can't be found; put that file there or beside '%s'",
                 path_.c_str(), node.next.c_str(), target.empty() ? " something" : target.c_str(),
                 path_.c_str()));
    }

    std::vector<double> numbers(const std::string &dataset) const {
        require_target(dataset);
        if (!has_dataset(dataset))
            return {};
        const auto data = hdf5_open_dataset(file(), dataset);
        const Hdf5Handle type(H5Dget_type(data.get()), H5Tclose);
        const auto type_class = H5Tget_class(type.get());
        if (type_class != H5T_INTEGER && type_class != H5T_FLOAT)
            return {};
        const Hdf5Handle space(H5Dget_space(data.get()), H5Sclose);
        const auto count = H5Sget_simple_extent_npoints(space.get());
        const auto where = text("'%s': '%s'", path_.c_str(), dataset.c_str());
        check_image_count(where, static_cast<std::uint64_t>(count)); // it is for an image each
        if (count > 0)
            hdf5_check_storage(data.get(), std::uint64_t(count) * sizeof(double), where);
        std::vector<double> values(static_cast<std::size_t>(count));
        if (count > 0)
            hdf5_check(H5Dread(data.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
                       GST_RESOURCE_ERROR_READ, where + " can't be read");
        return values;
    }

    void require_numbers(const std::string &dataset) const {
        require_target(dataset);
        const auto data = hdf5_open_dataset(file(), dataset);
        const Hdf5Handle type(H5Dget_type(data.get()), H5Tclose);
        if (const auto type_class = H5Tget_class(type.get());
            type_class != H5T_INTEGER && type_class != H5T_FLOAT)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("'%s': numbers are wanted in '%s', which has %s", path_.c_str(), dataset.c_str(),
                             hdf5_describe_type(type.get()).c_str()));
    }

    std::string words(const std::string &dataset) const {
        if (!has_dataset(dataset))
            return {};
        const auto data = hdf5_open_dataset(file(), dataset);
        const Hdf5Handle type(H5Dget_type(data.get()), H5Tclose);
        const Hdf5Handle space(H5Dget_space(data.get()), H5Sclose);
        return first_string(type.get(), space.get(), [&](hid_t memory, void *to) {
            return H5Dread(data.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, to);
        });
    }

    std::string attribute(const std::string &object, const char *name) const {
        if (H5Aexists_by_name(file(), object.c_str(), name, H5P_DEFAULT) <= 0)
            return {};
        const Hdf5Handle data(H5Aopen_by_name(file(), object.c_str(), name, H5P_DEFAULT, H5P_DEFAULT),
                              H5Aclose);
        const Hdf5Handle type(H5Aget_type(data.get()), H5Tclose);
        const Hdf5Handle space(H5Aget_space(data.get()), H5Sclose);
        return first_string(type.get(), space.get(),
                            [&](hid_t memory, void *to) { return H5Aread(data.get(), memory, to); });
    }

    Names children(const std::string &group) const {
        constexpr std::size_t most = 10000;
        struct Found {
            Names names;
            static herr_t add(hid_t, const char *name, const H5L_info_t *, void *to) {
                auto &names = static_cast<Found *>(to)->names;
                names.push_back(name);
                return names.size() >= most;
            }
        } found;
        constexpr std::size_t most_in_all = 100000; // many links may lead to one group
        if (listed_ > most_in_all)
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("'%s' has too many groups to look for a scan in; name it as entry", path_.c_str()));
        const Hdf5Handle opened(H5Gopen2(file(), group.empty() ? "/" : group.c_str(), H5P_DEFAULT), H5Gclose);
        if (opened)
            H5Literate(opened.get(), H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, Found::add, &found);
        listed_ += 1 + found.names.size();
        std::sort(found.names.begin(), found.names.end());
        for (auto &name : found.names)
            name = group + "/" + name;
        return found.names;
    }

    Names groups(const std::string &group) const {
        Names found;
        for (const auto &name : children(group))
            if (has(name, Hdf5Node::Kind::Group))
                found.push_back(name);
        return found;
    }

  private:
    template <class Read>
    static std::string first_string(hid_t type, hid_t space, Read read) {
        if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1)
            return {};
        std::string result;
        if (H5Tis_variable_str(type) > 0) {
            char *word = nullptr;
            const Hdf5Handle memory(H5Tcopy(type), H5Tclose);
            if (read(memory.get(), &word) < 0 || !word)
                return {};
            result = word;
            H5free_memory(word);
        } else {
            constexpr std::size_t most = 1 << 16; // of a word
            if (H5Tget_size(type) > most)
                return {};
            result.resize(H5Tget_size(type));
            if (read(type, result.data()) < 0)
                return {};
            result.resize(std::min(result.size(), result.find('\0')));
        }
        const auto end = result.find_last_not_of(" \t\n");
        return end == std::string::npos ? std::string() : result.substr(0, end + 1);
    }

    std::string path_;
    Hdf5Handle file_;
    mutable std::size_t listed_ = 0; // by children()
};

// The first of these datasets that holds numbers.
std::string first_of(const Tree &tree, const Names &datasets) {
    for (const auto &dataset : datasets)
        if (!tree.numbers(dataset).empty())
            return dataset;
    return {};
}

// A single number with a unit that `factor` knows; unknown where nobody says it.
double quantity(const Tree &tree, ScanLayout &scan, const Names &datasets,
                double (*factor)(const std::string &), const char *usual_unit) {
    for (const auto &dataset : datasets) {
        try {
            const auto values = tree.numbers(dataset);
            if (values.empty() || !std::isfinite(values[0]))
                continue;
            const auto units = tree.attribute(dataset, "units");
            return values[0] * factor(units.empty() ? usual_unit : units);
        } catch (const Error &error) {
            scan.warnings.push_back(text("%s (%s); it counts as unknown", error.what(), dataset.c_str()));
        }
    }
    return ScanLayout::unknown;
}

struct Images {
    std::size_t count;
    hsize_t width;
};

Images images_in(const Tree &tree, const std::string &dataset) {
    const auto data = hdf5_open_dataset(tree.file(), dataset);
    hdf5_check(data.get(), GST_RESOURCE_ERROR_OPEN_READ,
               text("'%s': '%s' can't be opened", tree.path().c_str(), dataset.c_str()));
    const auto shape = hdf5_shape(data.get());
    const auto rank = shape.size();
    if (rank == 2)
        return {1, shape[1]};
    if (rank < 2 || std::any_of(shape.begin(), shape.end() - 3, [](hsize_t extent) { return extent != 1; }))
        throw Error(
            GST_STREAM_ERROR_FORMAT,
            text("'%s': '%s' has %s samples; images of a scan are three-dimensional (images, rows, columns)",
                 tree.path().c_str(), dataset.c_str(), hdf5_shape_text(shape).c_str()));
    check_image_count(text("'%s': '%s'", tree.path().c_str(), dataset.c_str()), shape[rank - 3]);
    return {shape[rank - 3], shape[rank - 1]};
}

ScanImages all_of(const Tree &tree, const std::string &dataset) {
    ScanImages found;
    tree.require_target(dataset);
    if (!tree.has_dataset(dataset))
        return found;
    found.type = FileType::Hdf5;
    found.add_file(tree.path() + ":" + dataset, images_in(tree, dataset).count);
    return found;
}

std::vector<double> angles_at(const Tree &tree, ScanLayout &scan, const std::string &dataset) {
    if (dataset.empty())
        return {};
    try {
        const auto numbers = tree.numbers(dataset);
        const auto units = tree.attribute(dataset, "units");
        auto angles = angles_in_radians(numbers, units);
        const auto is_kept = [](double a, double b) { return a == b || std::isnan(a); };
        if (units.empty() && numbers.size() > 1 &&
            std::equal(numbers.begin(), numbers.end(), angles.begin(), is_kept))
            scan.warnings.push_back(
                text("'%s' has no unit; its values cover a turn or half a turn in radians, so they count as "
                     "radians",
                     dataset.c_str()));
        return angles;
    } catch (const Error &error) {
        throw Error(error.domain, error.code,
                    text("'%s': '%s': %s", tree.path().c_str(), dataset.c_str(), error.what()));
    }
}

// NXtomo
// ---------------------------------------------------------------------------------------------------------

// Groups of a class or, without one, of a name.
Names groups_of(const Tree &tree, const std::string &parent, const char *nx_class, const char *name) {
    Names found;
    for (const auto &group : tree.groups(parent))
        if (tree.attribute(group, "NX_class") == nx_class || group == parent + "/" + name)
            found.push_back(group);
    return found;
}

// Where the images and their keys are.
struct Detector {
    std::string group, data, key;

    bool has_own_key() const { return !group.empty() && key == group + "/image_key"; }
};

std::string parent_of(const std::string &path) { return path.substr(0, path.rfind('/')); }
std::string last_of(const std::string &path) { return path.substr(path.rfind('/') + 1); }

// The key of the detector in `group`, else that of the entry.
std::string key_of(const Tree &tree, const std::string &entry, const std::string &group) {
    for (const auto &key : {group + "/image_key", entry + "/data/image_key"})
        if (tree.names_dataset(key))
            return key;
    return {};
}

// The only one of all detectors, where it is for as many frames: images may stand elsewhere.
std::string only_key_of(const Tree &tree, const std::string &entry, std::size_t frames) {
    Names keys;
    for (const auto &instrument : groups_of(tree, entry, "NXinstrument", "instrument"))
        for (const auto &group : tree.groups(instrument))
            if (tree.has_dataset(group + "/image_key"))
                keys.push_back(group + "/image_key");
    return keys.size() == 1 && tree.count_of_list(keys[0]) == frames ? keys[0] : std::string();
}

// Datasets that may be a detector's images, or are to be where a link leads.
Names images_of_detector(const Tree &tree, const std::string &entry, const std::string &instrument,
                         const std::string &group) {
    // Some keep them in a group of the entry with the detector's name.
    for (const auto &data : {group + "/data", entry + group.substr(instrument.size()) + "/data"})
        if (hdf5_look_up(tree.file(), data).kind != Hdf5Node::Kind::Missing)
            return {data};
    Names found;
    if (tree.attribute(group, "NX_class") == "NXdetector")
        for (const auto &child : tree.children(group))
            if (tree.is_stack(child))
                found.push_back(child);
    return found;
}

std::vector<Detector> detectors_of(const Tree &tree, const std::string &entry) {
    std::vector<Detector> found;
    for (const auto &instrument : groups_of(tree, entry, "NXinstrument", "instrument"))
        for (const auto &group : tree.groups(instrument)) {
            const auto images = images_of_detector(tree, entry, instrument, group);
            if (images.size() != 1 || !tree.names_dataset(images[0]))
                continue;
            const Detector detector{group, images[0], key_of(tree, entry, group)};
            if (detector.has_own_key() || tree.attribute(group, "NX_class") == "NXdetector")
                found.push_back(detector);
        }
    return found;
}

// Images that stand in an NXdata of the entry, as they do where a detector is a link that leads nowhere.
std::vector<Detector> shown_images_of(const Tree &tree, const std::string &entry) {
    std::vector<Detector> found;
    for (const auto &group : groups_of(tree, entry, "NXdata", "data")) {
        const auto signal = tree.attribute(group, "signal");
        const auto data = group + "/" + (signal.empty() ? "data" : signal);
        if (tree.is_stack(data))
            found.push_back({group, data, key_of(tree, entry, group)});
    }
    return found;
}

std::string list_of(const Names &names) {
    std::string list;
    for (const auto &name : names)
        list += (list.empty() ? "'" : ", '") + (name.empty() ? "/" : name) + "'";
    return list;
}

// The one whose images can be read; with image_key of its own where several can.
Detector choose_detector(const Tree &tree, const ScanLayout &scan, const std::string &entry,
                         const std::string &wanted) {
    auto detectors = detectors_of(tree, entry);
    if (detectors.empty())
        detectors = shown_images_of(tree, entry);
    if (detectors.empty())
        throw Error(GST_STREAM_ERROR_FORMAT, scan.name +
                                                 ": there is no detector with data below the instrument; " +
                                                 hdf5_list_datasets(tree.file()));
    const auto names_of = [](const std::vector<Detector> &list) {
        Names names;
        for (const auto &detector : list)
            names.push_back(detector.group);
        return list_of(names);
    };
    if (!wanted.empty()) {
        const auto chosen = std::find_if(detectors.begin(), detectors.end(), [&](const Detector &detector) {
            return detector.group == wanted || detector.group == "/" + wanted ||
                   last_of(detector.group) == wanted;
        });
        if (chosen == detectors.end())
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("%s has no detector '%s' with images; there are %s", scan.name.c_str(),
                             wanted.c_str(), names_of(detectors).c_str()));
        return *chosen;
    }
    std::vector<Detector> readable, keyed;
    for (const auto &detector : detectors)
        if (tree.is_stack(detector.data))
            readable.push_back(detector);
    if (readable.empty())
        return detectors[0]; // of which will be told what is wrong with it
    std::copy_if(readable.begin(), readable.end(), std::back_inserter(keyed),
                 [](const Detector &detector) { return detector.has_own_key(); });
    if (readable.size() > 1 && keyed.size() != 1)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("%s has several detectors with images (%s); choose one by the property detector",
                         scan.name.c_str(), names_of(readable).c_str()));
    return keyed.size() == 1 ? keyed[0] : readable[0];
}

// Angles
// ---------------------------------------------------------------------------------------------------------

// Where angles stand: where NXtomo wants them, else as many numbers as there are frames, or projections, in
// an NXdata or NXpositioner of the entry or the instrument, with a unit of angles or a name that says so.
std::string find_angles(const Tree &tree, ScanLayout &scan, const std::string &entry, std::size_t frames,
                        std::size_t projections) {
    const auto usual = first_of(tree, {entry + "/sample/rotation_angle", entry + "/data/rotation_angle"});
    if (!usual.empty())
        return usual;
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
    if (found.empty())
        return {};
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

// Entries that say that they are NXtomo, and those that look like it. Links may lead in circles.
class Entries {
  public:
    explicit Entries(const Tree &tree) : tree_(tree) { find("", 3); }

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

    const Tree &tree_;
    std::set<Hdf5Identity> known_;
};

double axis_of(const Tree &tree, const std::string &detector) {
    const auto values = tree.numbers(detector + "/x_rotation_axis_pixel_position");
    // As a pixel's index, which is half a pixel less than the edge coordinate of its centre.
    return values.empty() ? ScanLayout::unknown : values[0] + 0.5;
}

// Of a scan that is being written nobody knows the last projection: flats behind the first one count as
// after.
void sort_by_key(ScanLayout &scan, const std::vector<long> &keys, const std::string &data, bool follow) {
    for (auto *images : {&scan.projections, &scan.darks, &scan.flats, &scan.flats_after}) {
        images->files = {data};
        images->type = FileType::Hdf5;
    }
    std::size_t last_projection = 0, runs = 0;
    bool found = false;
    for (std::size_t i = 0; i < keys.size(); i++) {
        if (keys[i] == 0 && !(follow && std::exchange(found, true)))
            last_projection = i;
        runs += keys[i] == 1 && (i == 0 || keys[i - 1] != 1);
    }
    for (std::size_t i = 0; i < keys.size(); i++) {
        const ScanImages::Image image{0, i, i};
        if (keys[i] == 0)
            scan.projections.images.push_back(image);
        else if (keys[i] == 1)
            (i < last_projection ? scan.flats : scan.flats_after).images.push_back(image);
        else if (keys[i] == 2 && !(found && i > last_projection))
            scan.darks.images.push_back(image);
    }
    if (scan.flats.empty() && !follow)
        std::swap(scan.flats, scan.flats_after);
    if (runs > 2 && !scan.flats_after.empty())
        scan.warnings.push_back(text("flats were taken %" G_GSIZE_FORMAT
                                     " times; all before the last projection count as those before",
                                     runs));
    scan.has_order = true;
}

// `wanted` names the detector or is empty; `dataset` are the images, or empty.
ScanLayout nxtomo(const Tree &tree, const std::string &entry, const std::string &wanted, bool follow,
                  const std::string &dataset = {}) {
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
    scan.pixel_size =
        quantity(tree, scan, {entry + "/sample/x_pixel_size", d + "/x_pixel_size"}, metres, "m");
    scan.distance =
        quantity(tree, scan, {entry + "/sample/propagation_distance", d + "/distance"}, metres, "m");
    scan.distance = std::abs(scan.distance);
    scan.energy = quantity(tree, scan,
                           {entry + "/instrument/beam/incident_energy", entry + "/beam/incident_energy",
                            entry + "/instrument/monochromator/energy"},
                           kilo_electronvolts, "keV");
    return scan;
}

// Data Exchange
// ---------------------------------------------------------------------------------------------------------

// `group` is /exchange, or /exchange_1 and so on in a file with several.
ScanLayout data_exchange(const Tree &tree, const std::string &group) {
    ScanLayout scan;
    scan.name = "'" + tree.path() + "', Data Exchange" + (group == "/exchange" ? "" : " " + group);
    if (const auto axes = tree.attribute(group + "/data", "axes");
        axes.find("theta") != std::string::npos && axes.find("theta") != 0)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("%s: the axes of '%s/data' are '%s', but projections are wanted (theta:y:x); "
                         "reorder the dataset first",
                         scan.name.c_str(), group.c_str(), axes.c_str()));
    scan.projections = all_of(tree, group + "/data");
    scan.darks = all_of(tree, group + "/data_dark");
    scan.flats = all_of(tree, group + "/data_white");
    scan.angles = angles_at(tree, scan, first_of(tree, {group + "/theta"}));
    const std::string instrument = "/measurement/instrument";
    scan.pixel_size =
        quantity(tree, scan, {instrument + "/detection_system/objective/resolution"}, metres, "um");
    if (std::isnan(scan.pixel_size))
        scan.pixel_size = quantity(tree, scan, {instrument + "/detector/pixel_size_x"}, metres, "m");
    scan.energy = quantity(tree, scan, {instrument + "/monochromator/energy"}, kilo_electronvolts, "keV");
    scan.distance =
        quantity(tree, scan, {instrument + "/camera_motor_stack/setup/camera_distance"}, metres, "mm");
    return scan;
}

std::string choose_entry(const Tree &tree, const Names &entries) {
    if (entries.size() == 1)
        return entries[0];
    const auto by_default = "/" + tree.attribute("/", "default");
    if (std::find(entries.begin(), entries.end(), by_default) != entries.end())
        return by_default;
    throw Error(GST_RESOURCE_ERROR_SETTINGS,
                text("'%s' holds %" G_GSIZE_FORMAT " scans; choose one by entry: %s", tree.path().c_str(),
                     entries.size(), list_of(entries).c_str()));
}

// The entry that a dataset of images belongs to, with an image_key or a rotation angle for it. Nothing where
// it stands for itself.
std::optional<std::string> entry_of_images(const Tree &tree, const std::string &dataset) {
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

ScanLayout dataset_alone(const Tree &tree, const std::string &dataset) {
    ScanLayout scan;
    scan.name = "'" + tree.path() + ":" + dataset + "'";
    scan.projections = all_of(tree, dataset);
    return scan;
}

} // namespace

static void refuse_detector(const Tree &tree, const std::string &detector) {
    if (!detector.empty())
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s' is Data Exchange, which has no detectors to choose from; detector is '%s'",
                         tree.path().c_str(), detector.c_str()));
}

ScanLayout find_hdf5_scan(const std::string &file, const std::string &group, const std::string &detector,
                          bool follow) {
    const Hdf5Lock lock;
    const Tree tree(file);
    if (!group.empty()) {
        const auto entry = group == "/" ? std::string() : group[0] == '/' ? group : "/" + group;
        tree.require_target(entry);
        const auto is_exchange = [&](const std::string &name) {
            return name == "/exchange" ||
                   (name.rfind("/exchange_", 0) == 0 && tree.names_dataset(name + "/data"));
        };
        if (tree.has_dataset(entry)) {
            if (!detector.empty())
                throw Error(GST_RESOURCE_ERROR_SETTINGS,
                            text("'%s:%s' names the images; detector=%s would choose them: give one of them",
                                 file.c_str(), entry.c_str(), detector.c_str()));
            if (last_of(entry) == "data" && is_exchange(parent_of(entry)))
                return data_exchange(tree, parent_of(entry));
            if (const auto scan = entry_of_images(tree, entry))
                return nxtomo(tree, *scan, {}, follow, entry);
            return dataset_alone(tree, entry);
        }
        if (is_exchange(entry)) {
            refuse_detector(tree, detector);
            return data_exchange(tree, entry);
        }
        if (!entry.empty() && !tree.has(entry, Hdf5Node::Kind::Group))
            throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                        text("'%s': there is no entry '%s'; %s", file.c_str(), entry.c_str(),
                             hdf5_list_datasets(tree.file()).c_str()));
        return nxtomo(tree, entry, detector, follow);
    }
    const Entries entries(tree);
    if (!entries.named.empty())
        return nxtomo(tree, choose_entry(tree, entries.named), detector, follow);
    if (tree.names_dataset("/exchange/data")) {
        refuse_detector(tree, detector);
        return data_exchange(tree, "/exchange");
    }
    if (!entries.alike.empty())
        return nxtomo(tree, choose_entry(tree, entries.alike), detector, follow);
    throw Error(
        GST_STREAM_ERROR_WRONG_TYPE,
        text("'%s' holds neither NXtomo nor Data Exchange; name a dataset of projections as in %s:/path, and "
             "where darks and flats are; %s",
             file.c_str(), file.c_str(), hdf5_list_datasets(tree.file()).c_str()));
}

std::vector<double> angles_of_hdf5(const Location &location) {
    const Hdf5Lock lock;
    const Tree tree(location.file);
    if (location.dataset.empty())
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s': no dataset is named for the angles; write it behind a colon, as in %s:/theta",
                         location.file.c_str(), location.file.c_str()));
    tree.require_target(location.dataset);
    if (!tree.has_dataset(location.dataset))
        throw Error(GST_RESOURCE_ERROR_NOT_FOUND, text("'%s': there is no dataset '%s' with angles",
                                                       location.file.c_str(), location.dataset.c_str()));
    tree.require_numbers(location.dataset);
    ScanLayout scan;
    return angles_at(tree, scan, location.dataset);
}

} // namespace tomo::io

#endif // HAVE_HDF5
