// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "result.hpp"
#include "pipeline.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>

namespace tomo::io {

namespace {

constexpr char pipeline_attribute[] = "pipeline";
constexpr char folder_attribute[] = "working_directory";
constexpr char view_attribute[] = "volumes_of"; // of our views
constexpr char minimum_attribute[] = "grey_minimum", maximum_attribute[] = "grey_maximum";

Hdf5Handle string_type() {
    Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.get(), H5T_VARIABLE);
    H5Tset_cset(type.get(), H5T_CSET_UTF8);
    return type;
}

template <class Result>
Result must(Result result) {
    return hdf5_check(result, GST_RESOURCE_ERROR_WRITE, "cannot write what describes the result");
}

Hdf5Handle scalar() { return Hdf5Handle(H5Screate(H5S_SCALAR), H5Sclose); }

void remove_attribute(hid_t object, const char *name) {
    if (H5Aexists(object, name) > 0)
        must(H5Adelete(object, name));
}

void write_attribute(hid_t object, const char *name, hid_t type, hid_t space, const void *value) {
    remove_attribute(object, name);
    const Hdf5Handle attribute(must(H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT)),
                               H5Aclose);
    must(H5Awrite(attribute.get(), type, value));
}

void set_attribute(hid_t object, const char *name, const std::string &value) {
    const char *text = value.c_str();
    write_attribute(object, name, string_type().get(), scalar().get(), &text);
}

void set_attribute(hid_t object, const char *name, const std::vector<std::string> &values) {
    const hsize_t count = values.size();
    const Hdf5Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
    std::vector<const char *> texts;
    for (const auto &value : values)
        texts.push_back(value.c_str());
    write_attribute(object, name, string_type().get(), space.get(), texts.data());
}

void set_real(hid_t object, const char *name, double value) {
    write_attribute(object, name, H5T_NATIVE_DOUBLE, scalar().get(), &value);
}

void set_integer(hid_t object, const char *name, std::int64_t value) {
    write_attribute(object, name, H5T_NATIVE_INT64, scalar().get(), &value);
}

// As h5py knows booleans.
Hdf5Handle boolean_type() {
    Hdf5Handle type(H5Tenum_create(H5T_NATIVE_INT8), H5Tclose);
    const std::int8_t no = 0, yes = 1;
    H5Tenum_insert(type.get(), "FALSE", &no);
    H5Tenum_insert(type.get(), "TRUE", &yes);
    return type;
}

void set_flag(hid_t object, const char *name, bool value) {
    const std::int8_t stored = value;
    write_attribute(object, name, boolean_type().get(), scalar().get(), &stored);
}

// Others may have said it before.
void set_missing(hid_t object, const char *name, const std::string &value) {
    if (H5Aexists(object, name) == 0)
        set_attribute(object, name, value);
}

std::string read_attribute(hid_t object, const char *name) {
    const Hdf5Handle attribute(H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : -1,
                               H5Aclose);
    if (!attribute)
        return {};
    const Hdf5Handle stored(H5Aget_type(attribute.get()), H5Tclose);
    if (H5Tis_variable_str(stored.get()) <= 0)
        return {};
    char *text = nullptr;
    const auto type = string_type();
    if (H5Aread(attribute.get(), type.get(), &text) < 0 || !text)
        return {};
    const std::string value = text;
    H5free_memory(text);
    return value;
}

Hdf5Handle make_group(hid_t parent, const std::string &name, const char *nexus_class) {
    Hdf5Handle group(must(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)), H5Gclose);
    set_attribute(group.get(), "NX_class", nexus_class);
    return group;
}

Hdf5Handle make_field(hid_t group, const std::string &name, hid_t type, hid_t space, const void *data) {
    Hdf5Handle field(
        must(H5Dcreate2(group, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)), H5Dclose);
    must(H5Dwrite(field.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    return field;
}

void add_field(hid_t group, const std::string &name, const std::string &value) {
    const char *text = value.c_str();
    make_field(group, name, string_type().get(), scalar().get(), &text);
}
void add_field(hid_t group, const std::string &name, std::int64_t value) {
    make_field(group, name, H5T_NATIVE_INT64, scalar().get(), &value);
}
void add_field(hid_t group, const std::string &name, double value) {
    make_field(group, name, H5T_NATIVE_DOUBLE, scalar().get(), &value);
}
void add_field(hid_t group, const std::string &name, bool value) {
    const std::int8_t stored = value;
    make_field(group, name, boolean_type().get(), scalar().get(), &stored);
}

bool exists(hid_t parent, const std::string &name) {
    return H5Lexists(parent, name.c_str(), H5P_DEFAULT) > 0;
}

// Centres of the pixels.
void add_axis(hid_t group, const std::string &name, hsize_t size, const AxisFacts &facts) {
    auto centres = facts.values;
    if (centres.empty())
        for (hsize_t i = 0; i < size; i++)
            centres.push_back(facts.origin + (static_cast<double>(i) + 0.5) * facts.step);
    centres.resize(size); // the stream may have ended early
    if (exists(group, name))
        must(H5Ldelete(group, name.c_str(), H5P_DEFAULT));
    const Hdf5Handle space(H5Screate_simple(1, &size, nullptr), H5Sclose);
    const auto axis = make_field(group, name, H5T_NATIVE_DOUBLE, space.get(), centres.data());
    set_attribute(axis.get(), "units", facts.units);
}

void describe_data(hid_t group, const std::string &name, const ResultFacts &facts) {
    const Hdf5Handle dataset(must(H5Dopen2(group, name.c_str(), H5P_DEFAULT)), H5Dclose);
    const auto shape = hdf5_shape(dataset.get());
    set_missing(group, "NX_class", "NXdata");
    // The first dataset of a group is its signal and has plain names of axes, unless somebody uses those.
    const bool is_signal = H5Aexists(group, "signal") == 0 || read_attribute(group, "signal") == name;
    const bool is_first = H5Aexists(group, "signal") == 0;
    auto known = facts.axes;
    std::vector<std::string> axes;
    for (std::size_t i = 0; i < known.size(); i++) {
        if (!known[i].values.empty() && known[i].values.size() < shape[i])
            known[i] = {"view", "", -0.5, 1, {}}; // these values are not of all of them
        axes.push_back(known[i].name);
    }
    const bool taken =
        !is_signal || (is_first && std::any_of(axes.begin(), axes.end(),
                                               [&](const auto &axis) { return exists(group, axis); }));
    for (std::size_t i = 0; i < axes.size(); i++) {
        if (taken)
            axes[i] = name + "_" + axes[i];
        add_axis(group, axes[i], shape[i], known[i]);
    }
    if (is_signal) {
        set_attribute(group, "signal", name);
        set_attribute(group, "axes", axes);
    } else {
        set_attribute(dataset.get(), "axes", axes[0] + ":" + axes[1] + ":" + axes[2]);
    }
}

std::string now() {
    const auto seconds = std::time(nullptr);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&seconds));
    return text;
}

void add_value(hid_t group, const std::string &name, const FactValue &value) {
    std::visit([&](const auto &known) { add_field(group, name, known); }, value);
}

void describe_parameters(hid_t process, const Hdf5Shape &shape, const ResultFacts &facts,
                         const StreamLength &length) {
    const auto group = make_group(process, "parameters", "NXparameters");
    std::string raw;
    for (const auto &input : facts.inputs)
        raw += (raw.empty() ? "" : "\n") + input.path;
    add_field(group.get(), "raw_file", raw);
    for (const auto &[name, extent] :
         {std::pair{"images", shape[0]}, {"rows", shape[1]}, {"columns", shape[2]}})
        add_field(group.get(), name, static_cast<std::int64_t>(extent));
    if (length.is_known())
        add_field(group.get(), "complete", length.is_complete());
    if (length.lacks_some())
        add_field(group.get(), "images_expected", static_cast<std::int64_t>(*length.announced));
    for (const auto &fact : facts.effective) {
        if (exists(group.get(), fact.name))
            continue;
        add_value(group.get(), fact.name, fact.value);
        const Hdf5Handle field(must(H5Dopen2(group.get(), fact.name.c_str(), H5P_DEFAULT)), H5Dclose);
        if (!fact.units.empty())
            set_attribute(field.get(), "units", fact.units);
        if (!fact.source.empty())
            set_attribute(field.get(), "source", fact.source);
    }
}

void describe_process(hid_t entry, const std::string &name, const Hdf5Shape &shape, const ResultFacts &facts,
                      const StreamLength &length) {
    if (exists(entry, name))
        must(H5Ldelete(entry, name.c_str(), H5P_DEFAULT));
    const auto process = make_group(entry, name, "NXprocess");
    add_field(process.get(), "program", std::string("gst-tomo"));
    add_field(process.get(), "version", facts.version);
    add_field(process.get(), "date", now());
    add_field(process.get(), "gstreamer_version", facts.gstreamer);
    unsigned major, minor, release;
    H5get_libversion(&major, &minor, &release);
    add_field(process.get(), "hdf5_version", text("%u.%u.%u", major, minor, release));
    add_field(process.get(), "device", facts.device);
    add_field(process.get(), "driver", facts.driver);
    add_field(process.get(), folder_attribute, facts.folder);
    add_field(process.get(), pipeline_attribute, facts.pipeline);
    describe_parameters(process.get(), shape, facts, length);
    const auto elements = make_group(process.get(), "elements", "NXcollection");
    std::int64_t index = 0;
    for (const auto &step : facts.steps) {
        const auto group = make_group(elements.get(), step.name, "NXparameters");
        set_attribute(group.get(), "plugin", step.plugin);
        set_attribute(group.get(), "task", step.task);
        add_field(group.get(), "sequence_index", ++index);
        for (const auto &[key, value] : step.parameters)
            add_value(group.get(), key, value);
    }
    for (const auto &input : facts.inputs) {
        const auto group = make_group(process.get(), "input_" + input.name, "NXparameters");
        add_field(group.get(), "path", input.path);
        add_field(group.get(), "files", static_cast<std::int64_t>(input.files));
        add_field(group.get(), "bytes", static_cast<std::int64_t>(input.bytes));
        add_field(group.get(), "checksum", input.digest);
        add_field(group.get(), "checksum_method", input.method);
    }
}

} // namespace

void hdf5_sign_dataset(hid_t dataset, const ResultFacts &facts) {
    set_attribute(dataset, "creator", "gst-tomo " + facts.version);
    set_attribute(dataset, folder_attribute, facts.folder);
    set_attribute(dataset, pipeline_attribute, facts.pipeline);
}

void hdf5_sign_level(hid_t dataset, unsigned factor, const std::string &volume) {
    set_integer(dataset, hdf5_level_attribute, factor);
    set_attribute(dataset, "pyramid_of", volume);
    set_attribute(dataset, "long_name",
                  text("means of %u x %u x %u samples of ", factor, factor, factor) + volume);
}

void hdf5_set_range(hid_t dataset, const ValueRange &range) {
    set_real(dataset, minimum_attribute, range.minimum);
    set_real(dataset, maximum_attribute, range.maximum);
}

std::optional<ValueRange> hdf5_range_of(hid_t dataset) {
    ValueRange range;
    for (const auto &[name, value] :
         {std::pair{minimum_attribute, &range.minimum}, {maximum_attribute, &range.maximum}}) {
        const Hdf5Handle attribute(H5Aexists(dataset, name) > 0 ? H5Aopen(dataset, name, H5P_DEFAULT) : -1,
                                   H5Aclose);
        if (!attribute || H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, value) < 0)
            return {};
    }
    return range;
}

void hdf5_write_ranges(hid_t file, hid_t dataset, const std::string &name,
                       const std::vector<ValueRange> &ranges) {
    const hsize_t count = ranges.size();
    const Hdf5Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
    for (const auto &[which, value] :
         {std::pair{minimum_attribute, &ValueRange::minimum}, {maximum_attribute, &ValueRange::maximum}}) {
        std::vector<double> values;
        for (const auto &range : ranges) // NaN where an image has no finite value
            values.push_back(range.is_empty() ? std::nan("") : range.*value);
        const auto field = name + "_" + which;
        if (exists(file, field))
            must(H5Ldelete(file, field.c_str(), H5P_DEFAULT));
        if (count > 0)
            make_field(file, field, H5T_NATIVE_DOUBLE, space.get(), values.data());
    }
    const auto own = name.substr(name.rfind('/') + 1);
    if (count > 0)
        set_attribute(dataset, "grey_range",
                      text("of each image, in %s_%s and %s_%s", own.c_str(), minimum_attribute, own.c_str(),
                           maximum_attribute));
}

static std::string view_of(const std::string &dataset) { return dataset + "_volumes"; }

static bool is_own_view(hid_t file, const std::string &view) {
    const Hdf5Handle there(H5Oopen(file, view.c_str(), H5P_DEFAULT), H5Oclose);
    const bool is_own = there && H5Aexists(there.get(), view_attribute) > 0;
    H5Eclear2(H5E_DEFAULT);
    return is_own;
}

void hdf5_check_volumes(hid_t file, const std::string &name, unsigned images_per_volume) {
    const auto view = view_of(name);
    if (images_per_volume && exists(file, view) && !is_own_view(file, view))
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s' is there and is no view of volumes: rename it, or write another dataset",
                         view.c_str()));
}

void hdf5_write_volumes(hid_t file, const std::string &name, unsigned images_per_volume) {
    const auto view = view_of(name);
    hdf5_check_volumes(file, name, images_per_volume);
    if (exists(file, view) && is_own_view(file, view))
        must(H5Ldelete(file, view.c_str(), H5P_DEFAULT));
    if (!images_per_volume)
        return;
    const Hdf5Handle dataset(must(H5Dopen2(file, name.c_str(), H5P_DEFAULT)), H5Dclose);
    const Hdf5Handle type(must(H5Dget_type(dataset.get())), H5Tclose);
    const auto shape = hdf5_shape(dataset.get());
    const hsize_t volumes = shape[0] / images_per_volume;
    if (volumes == 0)
        return;
    const hsize_t extent[] = {volumes, images_per_volume, shape[1], shape[2]}, first[] = {0, 0, 0},
                  images[] = {volumes * images_per_volume, shape[1], shape[2]};
    const Hdf5Handle space(must(H5Screate_simple(4, extent, nullptr)), H5Sclose);
    const Hdf5Handle source(must(H5Screate_simple(3, shape.data(), nullptr)), H5Sclose);
    const Hdf5Handle creation(must(H5Pcreate(H5P_DATASET_CREATE)), H5Pclose);
    must(H5Sselect_hyperslab(source.get(), H5S_SELECT_SET, first, nullptr, images, nullptr));
    // "." is the file of the view, whatever its name will be.
    must(H5Pset_virtual(creation.get(), space.get(), ".", name.c_str(), source.get()));
    const Hdf5Handle made(must(H5Dcreate2(file, view.c_str(), type.get(), space.get(), H5P_DEFAULT,
                                          creation.get(), H5P_DEFAULT)),
                          H5Dclose);
    set_attribute(made.get(), view_attribute, name);
}

void hdf5_set_completeness(hid_t dataset, const StreamLength &length) {
    remove_attribute(dataset, "complete");
    remove_attribute(dataset, "images_expected");
    if (length.is_known())
        set_flag(dataset, "complete", length.is_complete());
    if (length.lacks_some())
        set_integer(dataset, "images_expected", static_cast<std::int64_t>(*length.announced));
}

void hdf5_name_images(hid_t file, const std::string &dataset, const std::string &name,
                      const std::vector<std::string> &values) {
    const auto slash = dataset.rfind('/');
    const auto data = dataset.substr(slash + 1);
    const Hdf5Handle group(
        must(H5Gopen2(file, slash == 0 ? "/" : dataset.substr(0, slash).c_str(), H5P_DEFAULT)), H5Gclose);
    const bool is_signal = read_attribute(group.get(), "signal") == data;
    const auto field = is_signal ? name : data + "_" + name;
    if (exists(group.get(), field))
        must(H5Ldelete(group.get(), field.c_str(), H5P_DEFAULT));
    std::vector<double> numbers;
    std::vector<const char *> texts;
    for (const auto &value : values) {
        gchar *end = nullptr;
        const double number = g_ascii_strtod(value.c_str(), &end);
        if (!value.empty() && !*end)
            numbers.push_back(number);
        texts.push_back(value.c_str());
    }
    const hsize_t count = values.size();
    const Hdf5Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
    if (numbers.size() == values.size())
        make_field(group.get(), field, H5T_NATIVE_DOUBLE, space.get(), numbers.data());
    else
        make_field(group.get(), field, string_type().get(), space.get(), texts.data());
    if (is_signal)
        set_attribute(group.get(), "axes", std::vector<std::string>{field, "y", "x"});
}

std::string hdf5_process_of(const std::string &dataset) {
    const auto data = dataset.rfind('/');
    const auto group = data == std::string::npos || data == 0 ? 0 : dataset.rfind('/', data - 1);
    if (group == 0 || group == std::string::npos)
        return {};
    const auto name = dataset.substr(data + 1);
    return dataset.substr(0, group) + (name == "data" ? "/reconstruction" : "/reconstruction_" + name);
}

void hdf5_describe_result(hid_t file, const std::string &dataset, const ResultFacts &facts,
                          const StreamLength &length) {
    const auto process = hdf5_process_of(dataset);
    if (process.empty())
        return;
    const auto group = process.rfind('/'), data = dataset.rfind('/');
    const auto name = dataset.substr(data + 1);
    const Hdf5Handle entry(must(H5Gopen2(file, dataset.substr(0, group).c_str(), H5P_DEFAULT)), H5Gclose);
    const Hdf5Handle holder(must(H5Gopen2(file, dataset.substr(0, data).c_str(), H5P_DEFAULT)), H5Gclose);
    set_missing(entry.get(), "NX_class", "NXentry");
    if (!exists(entry.get(), "definition"))
        add_field(entry.get(), "definition", std::string("NXtomoproc"));
    set_missing(entry.get(), "default", dataset.substr(group + 1, data - group - 1));
    // What viewers show first, where nobody chose something else.
    if (dataset.find('/', 1) == group) {
        const Hdf5Handle root(must(H5Gopen2(file, "/", H5P_DEFAULT)), H5Gclose);
        set_missing(root.get(), "default", dataset.substr(1, group - 1));
    }
    describe_data(holder.get(), name, facts);
    const Hdf5Handle result(must(H5Dopen2(holder.get(), name.c_str(), H5P_DEFAULT)), H5Dclose);
    describe_process(entry.get(), process.substr(group + 1), hdf5_shape(result.get()), facts, length);
}

std::uint64_t hdf5_result_bytes(const Hdf5Shape &shape, const ResultFacts &facts) {
    constexpr std::uint64_t object = 1024; // with its header, its link and its string
    std::uint64_t bytes = 3 * (facts.pipeline.size() + facts.folder.size()) + 64 * object;
    for (const auto extent : shape)
        bytes += extent * sizeof(double) + object;
    for (const auto &step : facts.steps)
        bytes += (step.parameters.size() + 4) * object;
    for (const auto &input : facts.inputs)
        bytes += 8 * object + 2 * input.path.size();
    bytes += 3 * object * facts.effective.size(); // with their attributes
    return bytes;
}

// Reading it again
// ----------------------------------------------------------------------------------------------------

namespace {

struct Search {
    std::vector<std::string> found;

    static herr_t visit(hid_t root, const char *name, const H5O_info_t *object, void *user_data) {
        if (object->type != H5O_TYPE_DATASET)
            return 0;
        const Hdf5Handle dataset(H5Dopen2(root, name, H5P_DEFAULT), H5Dclose);
        if (dataset && !read_attribute(dataset.get(), pipeline_attribute).empty())
            static_cast<Search *>(user_data)->found.push_back("/" + std::string(name));
        return 0;
    }
};

} // namespace

bool is_hdf5_file(const std::string &path) {
    const std::string file = split_location(path).file;
    if (!g_file_test(file.c_str(), G_FILE_TEST_IS_REGULAR)) // the library would wait for a pipe's other end
        return false;
    const Hdf5Lock lock;
    const bool is = H5Fis_hdf5(file.c_str()) > 0;
    H5Eclear2(H5E_DEFAULT);
    return is;
}

RecordedPipeline hdf5_recorded_pipeline(const std::string &path) {
    const Hdf5Lock lock;
    auto location = split_location(path, FileType::Hdf5);
    const auto file = hdf5_open(location.file, false);
    if (location.dataset.empty()) {
        Search search;
        H5Ovisit2(file.get(), H5_INDEX_NAME, H5_ITER_INC, Search::visit, &search, H5O_INFO_BASIC);
        if (search.found.size() > 1) {
            std::string names;
            for (const auto &name : search.found)
                names += (names.empty() ? "" : ", ") + name;
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("'%s' holds several results (%s); name one of them as in %s:%s",
                             location.file.c_str(), names.c_str(), location.file.c_str(),
                             search.found[0].c_str()));
        }
        if (!search.found.empty())
            location.dataset = search.found[0];
    }
    const Hdf5Handle dataset(
        location.dataset.empty() ? -1 : H5Dopen2(file.get(), location.dataset.c_str(), H5P_DEFAULT),
        H5Dclose);
    H5Eclear2(H5E_DEFAULT);
    RecordedPipeline recorded;
    if (dataset)
        recorded = {read_attribute(dataset.get(), pipeline_attribute),
                    read_attribute(dataset.get(), folder_attribute)};
    if (recorded.json.empty())
        throw Error(GST_STREAM_ERROR_WRONG_TYPE,
                    text("'%s' does not say how it was made: %s", path.c_str(),
                         location.dataset.empty() ? "it holds no result that tomowrite wrote"
                         : dataset                ? "that dataset was not written by tomowrite"
                                                  : "there is no such dataset"));
    return recorded;
}

} // namespace tomo::io

#endif // HAVE_HDF5
