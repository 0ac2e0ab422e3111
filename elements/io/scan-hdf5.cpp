// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Scans in HDF5: NXtomo (https://manual.nexusformat.org/classes/applications/NXtomo.html) with the names that
// the ESRF adds, and APS Data Exchange (https://dxfile.readthedocs.io).
#ifdef HAVE_HDF5

#include "hdf5-file.hpp"
#include "scan-layout.hpp"

#include <algorithm>
#include <cmath>
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
                text("'%s' has no unit; by what it covers it counts as radians", dataset.c_str()));
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
};

std::vector<Detector> detectors_of(const Tree &tree, const std::string &entry) {
    std::vector<Detector> found;
    for (const auto &instrument : groups_of(tree, entry, "NXinstrument", "instrument"))
        for (const auto &group : tree.groups(instrument)) {
            Detector detector{group, group + "/data", {}};
            // Some keep the images in a group of the entry with the detector's name.
            const auto beside = entry + group.substr(instrument.size()) + "/data";
            if (hdf5_look_up(tree.file(), detector.data).kind == Hdf5Node::Kind::Missing)
                detector.data = beside;
            for (const auto &key : {group + "/image_key", entry + "/data/image_key"})
                if (detector.key.empty() && tree.names_dataset(key))
                    detector.key = key;
            const bool there = tree.names_dataset(detector.data);
            if (there && tree.names_dataset(group + "/image_key"))
                found.insert(found.begin(), detector);
            else if (there && tree.attribute(group, "NX_class") == "NXdetector")
                found.push_back(detector);
        }
    return found;
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

ScanLayout nxtomo(const Tree &tree, const std::string &entry, bool follow) {
    ScanLayout scan;
    scan.name = text("'%s', NXtomo %s", tree.path().c_str(), entry.empty() ? "/" : entry.c_str());
    const auto detectors = detectors_of(tree, entry);
    if (detectors.empty())
        throw Error(GST_STREAM_ERROR_FORMAT, scan.name +
                                                 ": there is no detector with data below the instrument; " +
                                                 hdf5_list_datasets(tree.file()));
    const auto &detector = detectors[0];
    if (detectors.size() > 1 &&
        (detector.key.empty() || detectors[1].key == detectors[1].group + "/image_key")) {
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("%s has several detectors ('%s', '%s'); name the dataset as location, as in %s:%s",
                         scan.name.c_str(), detector.group.c_str(), detectors[1].group.c_str(),
                         tree.path().c_str(), detector.data.c_str()));
    }
    tree.require_target(detector.data);
    const auto images = images_in(tree, detector.data);
    auto frames = images.count;
    if (!detector.key.empty())
        tree.require_numbers(detector.key);
    const auto angles = angles_at(
        tree, scan, first_of(tree, {entry + "/sample/rotation_angle", entry + "/data/rotation_angle"}));
    auto stored = tree.numbers(detector.key);
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

std::string list_of(const Names &names) {
    std::string list;
    for (const auto &name : names)
        list += (list.empty() ? "'" : ", '") + (name.empty() ? "/" : name) + "'";
    return list;
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

ScanLayout dataset_alone(const Tree &tree, const std::string &dataset) {
    ScanLayout scan;
    scan.name = "'" + tree.path() + ":" + dataset + "'";
    scan.projections = all_of(tree, dataset);
    return scan;
}

} // namespace

ScanLayout find_hdf5_scan(const std::string &file, const std::string &group, bool follow) {
    const Hdf5Lock lock;
    const Tree tree(file);
    if (!group.empty()) {
        const auto entry = group == "/" ? std::string() : group[0] == '/' ? group : "/" + group;
        tree.require_target(entry);
        if (tree.has_dataset(entry))
            return dataset_alone(tree, entry);
        if (entry == "/exchange" ||
            (entry.rfind("/exchange_", 0) == 0 && tree.names_dataset(entry + "/data")))
            return data_exchange(tree, entry);
        if (!entry.empty() && !tree.has(entry, Hdf5Node::Kind::Group))
            throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                        text("'%s': there is no entry '%s'; %s", file.c_str(), entry.c_str(),
                             hdf5_list_datasets(tree.file()).c_str()));
        return nxtomo(tree, entry, follow);
    }
    const Entries entries(tree);
    if (!entries.named.empty())
        return nxtomo(tree, choose_entry(tree, entries.named), follow);
    if (tree.names_dataset("/exchange/data"))
        return data_exchange(tree, "/exchange");
    if (!entries.alike.empty())
        return nxtomo(tree, choose_entry(tree, entries.alike), follow);
    throw Error(
        GST_STREAM_ERROR_WRONG_TYPE,
        text("'%s' holds neither NXtomo nor Data Exchange; name a dataset of projections as in %s:/path, and "
             "where darks and flats are; %s",
             file.c_str(), file.c_str(), hdf5_list_datasets(tree.file()).c_str()));
}

} // namespace tomo::io

#endif // HAVE_HDF5
