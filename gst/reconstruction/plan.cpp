// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/file-format.hpp>
#include <gst/files/memory/images.hpp>
#include <gst/files/number-pattern.hpp>
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/cluster/conditions.hpp>
#include <gst/reconstruction/conditions.hpp>
#include <gst/reconstruction/devices/shared-line.hpp>
#include <gst/reconstruction/general-volume.hpp>
#include <gst/reconstruction/off-axis.hpp>
#include <gst/reconstruction/parts.hpp>
#include <gst/reconstruction/plan.hpp>
#include <gst/reconstruction/room.hpp>
#include <gst/reconstruction/stitch.hpp>
#include <gst/reconstruction/sweep.hpp>
#include <gst/reconstruction/turns.hpp>
#include <gst/tomo/graph/graph.hpp>
#include <gst/tomo/gsttomograph.h>
#include <gst/tomo/support/c-string.hpp>

#include <algorithm>
#include <memory>
#include <string_view>

namespace tomo::reconstruction {

namespace {

constexpr char dataset[] = "/entry/data/data";

bool has_hdf5() { return io::supported_suffixes().find(".h5") != std::string::npos; }

// Of files of the format that is asked for.
std::string suffix_of(const Settings &settings) {
    const auto &format = settings.format;
    return format.is("ome-zarr")                                     ? ".ome.zarr"
           : format.is("tiff") || !(has_hdf5() || format.is("hdf5")) ? ".tif"
                                                                     : ".h5";
}

// Where the result goes, as tomowrite takes it.
std::string output_of(const Settings &settings) {
    if (io::names_memory(settings.output))
        return settings.output;
    auto place = io::split_location(settings.output);
    if (place.file.empty()) {
        auto from = io::split_location(settings.source()).file;
        while (from.size() > 1 && from.back() == '/')
            from.pop_back();
        CString base(g_path_get_basename(from.c_str()));
        if (const std::string name = base.get(); name.find_first_of("*?[") != std::string::npos) {
            const CString folder(g_path_get_dirname(from.c_str()));
            base.reset(g_path_get_basename(folder.get()));
        }
        std::string name = base.get();
        if (const auto dot = name.find_last_of('.'); dot != std::string::npos && dot > 0)
            name.resize(dot);
        if (name.empty() || name == "." || name == ".." || name == "/" ||
            name.find_first_of("*?[%") != std::string::npos)
            name = "scan";
        place.file =
            name + "-" + (settings.sweep.empty() ? settings.result.value() : "sweep") + suffix_of(settings);
    } else if (!settings.format.is("auto") && io::type_of_suffix(place.file) == io::FileType::Automatic) {
        place.file += suffix_of(settings);
    }
    if (io::type_of_suffix(place.file) == io::FileType::Hdf5 && place.dataset.empty())
        place.dataset = dataset;
    return place.text();
}

bool exists(const std::string &file) { return g_file_test(file.c_str(), G_FILE_TEST_EXISTS); }

io::NumberPattern pattern_of(const std::string &output) {
    return io::NumberPattern(io::split_location(output).file);
}

// Integers whose grey range is not known before the first slice.
bool has_open_grey_range(const Settings &settings) {
    return !settings.output_bitdepth.is("32") &&
           !(settings.output_minimum.is_given() && settings.output_maximum.is_given());
}

// Images that were copied to their places are not converted again.
void check_grey_range(const Settings &settings) {
    if (has_open_grey_range(settings))
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("output-bitdepth=%s in memory needs output-minimum and output-maximum; only files are "
                 "converted when all values are known",
                 settings.output_bitdepth.value().c_str()));
}

void check_output(const Plan &plan) {
    const auto place = io::split_location(plan.output);
    io::require_type(place.file, io::FileType::Automatic); // throws where there is no such format
    if (plan.is_picture() && plan.shape.depth > 1)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s' holds one image, but there are %u: put a number such as %%05i into the name, "
                         "take --slice middle, or write HDF5 or TIFF",
                         place.file.c_str(), plan.shape.depth));
    if (!plan.guards)
        return;
    for (const auto &output : plan.outputs()) {
        const auto pattern = pattern_of(output);
        const auto images = pattern.has_number() ? plan.shape.depth / plan.outputs().size() : 1;
        for (unsigned i = 0; i < images; i++)
            if (const auto file = pattern.name(i); exists(file))
                throw Error(
                    GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s' is there already: --overwrite replaces it, --output names another file, and "
                         "--resume continues one that was interrupted",
                         file.c_str()));
    }
}

// A part of the result, in a file of its own in the plan's folder, or at its place in memory.
std::string output_of_part(const Plan &plan, unsigned first_image) {
    if (plan.is_in_memory())
        return text("%s/%u", plan.output.c_str(), first_image);
    const auto digits = static_cast<int>(std::max<std::size_t>(std::to_string(plan.shape.depth).size(), 5));
    return text(has_hdf5() ? "%s/%0*u.h5:%s" : "%s/%0*u.tif", plan.folder.c_str(), digits, first_image,
                dataset);
}

// Of a part, which others are joined to, or which stays as it is.
std::string sink_of_part(const Settings &settings, const Plan &plan, const std::string &output) {
    if (!plan.is_virtual)
        return sink_line(settings, output, !plan.is_in_memory());
    Settings of_slab;
    of_slab.assign(settings);
    of_slab.pyramid.set_text("no");
    return sink_line(of_slab, output, false);
}

// `step` is for all of their images.
void join_parts(const Settings &given, Plan &plan, const std::string &step = {}) {
    if (plan.is_in_memory())
        return;
    Settings settings;
    settings.assign(given);
    if (plan.is_virtual) // they are integers already
        for (ParameterBase *parameter : {static_cast<ParameterBase *>(&settings.output_bitdepth),
                                         static_cast<ParameterBase *>(&settings.output_minimum),
                                         static_cast<ParameterBase *>(&settings.output_maximum)})
            parameter->reset();
    const auto all = text(has_hdf5() ? "%s/*.h5:%s" : "%s/*.tif", plan.folder.c_str(), dataset);
    plan.join =
        "tomoread name=read" + launch_property("path", all) + step + sink_line(settings, plan.output, false);
}

void check_crop(const Settings &settings, unsigned columns) {
    if (settings.crop_width > columns)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("crop-width=%u would have no effect: slices have %u columns",
                         settings.crop_width.value(), columns));
}

// A slice for each value.
void plan_sweep(const Settings &settings, const Inspection &scan, const Sweep &sweep, Plan &plan) {
    if (!plan.is_in_memory())
        plan.folder = plan.beside(".slabs");
    const auto axis_of = [&](const Settings &of_value) {
        return of_value.given_axis().value_or(plan.axis.position);
    };
    const auto devices = is_shared(settings) ? sharing_indices(settings) : std::vector<std::string>();
    // Slices of joined half turns have columns by their axis, and only those of one size can be compared.
    unsigned narrowest = G_MAXUINT, widest = 0;
    Settings of_value;
    for (std::size_t i = 0; i < sweep.values.size(); i++) {
        sweep.apply(i, settings, of_value);
        const auto columns = scan.output(of_value, axis_of(of_value)).width;
        narrowest = std::min(narrowest, columns);
        widest = std::max(widest, columns);
    }
    if (sweep.is_of_axis())
        check_crop(settings, narrowest);
    for (std::size_t i = 0; i < sweep.values.size(); i++) {
        sweep.apply(i, settings, of_value);
        if (narrowest < widest)
            of_value.crop_width.set_text(std::to_string(narrowest));
        if (!devices.empty()) { // one line on each of them at a time
            of_value.device.set_text(devices[i % devices.size()]);
            of_value.devices.reset();
        }
        const auto parts = parts_of(of_value, scan, axis_of(of_value));
        if (sweep.is_of_axis() || !plan.axis.from.empty())
            parts->check();
        Slab slab;
        slab.rows = parts->rows(0, 1);
        slab.images = 1;
        slab.value = sweep.name + "=" + sweep.values[i];
        slab.output = output_of_part(plan, static_cast<unsigned>(i));
        slab.line = parts->line(0, 1) + sink_of_part(of_value, plan, slab.output);
        plan.slabs.push_back(slab);
        plan.shape = scan.output(of_value, axis_of(of_value));
    }
    plan.shape.depth = static_cast<unsigned>(sweep.values.size());
    join_parts(settings, plan, sweep.sharpness_line(settings, scan.image.width, plan.shape));
}

[[noreturn]] void refuse_memory(const Settings &settings, std::uint64_t least) {
    throw Error(GST_RESOURCE_ERROR_SETTINGS,
                text("memory=%s is too small; the least that does is %" G_GUINT64_FORMAT "K",
                     settings.memory.text().c_str(), (least + 1023) / 1024));
}

// How many images a dataflow makes at once.
unsigned images_of_slabs(const Settings &settings, const Inspection &scan, const ImageParts &parts,
                         Plan &plan) {
    const auto size = parts.at_once();
    if (size.images == 0)
        refuse_memory(settings, size.least);
    plan.memory = std::max(plan.memory, size.memory);
    return std::min(size.images, scan.most_images);
}

// The same of a part of the volume, whose scans share the memory.
unsigned rows_of_slabs(const StitchedPart &part, const std::vector<Height> &heights, Plan &plan) {
    unsigned most = part.rows.count;
    std::uint64_t memory = 0;
    const std::size_t scans = part.fades ? 2 : 1;
    for (std::size_t i = 0; i < scans; i++) {
        const auto &height = heights[part.upper + i];
        const unsigned binning = height.settings->binning, between = height.part() > 0.0 ? binning : 0;
        Settings sharing;
        sharing.assign(*height.settings);
        sharing.memory.set_text(std::to_string(height.settings->memory_bytes() / scans));
        const auto share = rows_at_once(sharing, *height.scan, rows_in(height, part, binning));
        if (share.rows < between + binning)
            refuse_memory(*height.settings,
                          scans * least_memory(sharing, *height.scan, between / binning + 1));
        most = std::min(most, share.rows - between);
        memory += share.memory;
    }
    plan.memory = std::max(plan.memory, memory);
    return most;
}

// Fewer images than these may be computed in other steps, and differ in their last bits; see "Batches" in
// docs/architecture.md. So no slab of a cluster has so few.
constexpr unsigned few = 5;

// Lines for all images of a volume. They write `whole`, or, if that is empty, parts in the plan's folder,
// which are numbered from `first_image` on.
void add_slabs(const Settings &settings, const ImageParts &parts, unsigned most, Plan &plan,
               unsigned first_image, const std::string &whole) {
    for (unsigned first = 0; first < parts.images(); first += plan.slabs.back().images) {
        Slab slab;
        slab.images = std::min(most, parts.images() - first);
        if (const unsigned left = parts.images() - first - slab.images;
            !settings.cluster.empty() && most >= few && left < few) // fewer for want of memory stay few
            slab.images += left;
        slab.rows = parts.rows(first, slab.images);
        slab.output = whole.empty() ? output_of_part(plan, first_image + first) : whole;
        slab.line =
            parts.line(first, slab.images) + (whole.empty() ? sink_of_part(settings, plan, slab.output)
                                                            : sink_line(settings, slab.output, false));
        if (!whole.empty() && first > 0)
            slab.line += property("counter-start", first);
        plan.slabs.push_back(slab);
    }
}

// One volume of scans at several heights.
void plan_heights(const Settings &settings, const Inspection &whole, const std::vector<Height> &heights,
                  Plan &plan) {
    const unsigned binning = settings.binning;
    std::vector<StitchedPart> parts;
    for (auto part : stitched_parts(settings, whole, heights)) {
        const unsigned all = rows_of_slabs(part, heights, plan), rows = part.rows.count,
                       most = whole.most_images < all / binning ? whole.most_images * binning : all;
        for (unsigned done = 0; done < rows; done += part.rows.count) {
            part.rows.count = std::min(most, rows - done);
            part.images = part.rows.count / binning;
            parts.push_back(part);
            part.first += part.images;
            part.rows.first += part.rows.count * part.rows.step;
            part.way_begin += part.images;
        }
    }
    const bool is_whole = parts.size() == 1 && settings.cluster.empty();
    if (!is_whole && !plan.is_in_memory())
        plan.folder = plan.beside(".slabs");
    for (const auto &part : parts) {
        Slab slab;
        slab.rows = rows_in(heights[part.upper], part, binning);
        slab.images = part.images;
        slab.output = is_whole ? plan.output : output_of_part(plan, part.first);
        slab.line =
            stitched_line(settings, heights, part) +
            (is_whole ? sink_line(settings, slab.output, false) : sink_of_part(settings, plan, slab.output));
        slab.scans.push_back(part.upper);
        if (part.fades)
            slab.scans.push_back(part.upper + 1);
        plan.slabs.push_back(slab);
    }
    if (!is_whole)
        join_parts(settings, plan);
}

// A volume of each turn. A series has its turns one after the other; a file joins them when all are there.
void plan_turns(const Settings &settings, const Inspection &scan, const std::vector<Turn> &turns,
                Plan &plan) {
    const auto file = io::split_location(plan.output).file;
    const bool is_series = series_of_turn(file, 0).has_value();
    if (!is_series && !plan.is_in_memory() &&
        (io::type_of_suffix(file) != io::FileType::Hdf5 || io::NumberPattern(file).has_number()))
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("'%s' holds one volume, and there are %zu: write one HDF5 file, or put two numbers, of the "
                 "turn and of the slice, into the name, as in slice-%%03i-%%05i.tif",
                 file.c_str(), turns.size()));
    if (is_series && has_open_grey_range(settings))
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            "the integers of all turns stand for one grey range: give output-minimum and output-maximum, "
            "or write HDF5");
    if (settings.pyramid.is("yes"))
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            "pyramid=yes is for one volume, and there are several turns: leave it out, or take one turn");
    if (!is_series && !plan.is_in_memory())
        plan.folder = plan.beside(".slabs");
    plan.turns = static_cast<unsigned>(turns.size());
    const unsigned slices = plan.shape.depth / plan.turns;
    for (std::size_t i = 0; i < turns.size(); i++) {
        Settings of_turn;
        of_turn.assign(settings);
        Inspection part = scan;
        take_turn(turns[i], of_turn, part);
        const auto before = plan.slabs.size();
        const auto parts = parts_of(of_turn, part, plan.axis.position);
        if (!plan.axis.from.empty())
            parts->check();
        add_slabs(of_turn, *parts, images_of_slabs(of_turn, part, *parts, plan), plan,
                  static_cast<unsigned>(i) * slices, is_series ? *series_of_turn(file, turns[i].number) : "");
        plan.middle_row = parts->row_of(parts->images() / 2); // the same in all turns
        for (auto slab = plan.slabs.begin() + static_cast<std::ptrdiff_t>(before); slab != plan.slabs.end();
             ++slab)
            slab->turn = turns[i].number;
    }
    if (is_series || plan.is_in_memory())
        return;
    join_parts(settings, plan);
    plan.join += property("hdf5-volume", slices);
}

} // namespace

static Plan lines_of(const Settings &settings, const Inspection &scan, const Axis &axis,
                     const std::vector<Height> *heights) {
    const auto turns = turns_of(settings, scan);
    if (turns.size() == 1) {
        Settings of_turn;
        of_turn.assign(settings);
        Inspection part = scan;
        take_turn(turns.front(), of_turn, part);
        return lines_of(of_turn, part, axis, nullptr);
    }
    Plan plan;
    plan.device_memory = settings.device_memory;
    plan.axis = axis;
    plan.shape = scan.output(settings, axis.position);
    plan.output = output_of(settings);
    check_conditions(settings, scan, plan.output);
    if (!settings.cluster.empty()) {
        check_cluster(settings, scan, plan.output);
        plan.is_virtual = is_volume_virtual(settings, plan.output) && turns.empty();
        plan.most_images = scan.most_images;
    }
    if (!axis.from.empty())
        check_crop(settings, heights ? frame_of_slices(*heights).columns
                             : is_general(settings, scan)
                                 ? GeneralVolume(settings, scan, axis.position).whole_columns()
                                 : field_of_slices(settings, scan, axis.position).columns);
    if (!turns.empty() && (!settings.sweep.empty() || !settings.result.is("slices")))
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("turns=%s are several volumes; take one of the turns for %s",
                         settings.turns.value().c_str(),
                         settings.sweep.empty() ? settings.result.value().c_str() : "a sweep"));
    if (heights) {
        if (const unsigned columns = frame_of_slices(*heights).columns; !settings.crop_width)
            plan.shape = plan.shape.with_size(columns, columns, plan.shape.depth);
        plan_heights(settings, scan, *heights, plan);
    } else if (const auto sweep = sweep_of(settings)) {
        plan_sweep(settings, scan, *sweep, plan);
    } else if (settings.result.is("projections")) {
        if (scan.is_sinograms)
            throw Error(GST_RESOURCE_ERROR_SETTINGS, "sinograms are read, of which no projections are made");
        const Rows all = scan.rows(settings);
        plan.slabs.push_back(
            {all, plan.shape.depth, plan.output, "",
             projection_line(settings, scan, all) + sink_line(settings, plan.output, false)});
    } else if (turns.empty()) {
        const auto parts = parts_of(settings, scan, axis.position);
        if (!axis.from.empty())
            parts->check();
        const unsigned most = images_of_slabs(settings, scan, *parts, plan);
        const bool is_whole = most == parts->images() && settings.cluster.empty();
        if (!is_whole && !plan.is_in_memory())
            plan.folder = plan.beside(".slabs");
        add_slabs(settings, *parts, most, plan, 0, is_whole ? plan.output : "");
        plan.middle_row = parts->row_of(parts->images() / 2);
        if (!is_whole)
            join_parts(settings, plan);
    } else {
        plan_turns(settings, scan, turns, plan);
    }
    if (!settings.cluster.empty() && plan.folder.empty())
        throw Error(
            GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE,
            "cluster can't make this result: a series of several turns is written in one stream; write "
            "one HDF5 file");
    plan.resumes = settings.resume;
    if (plan.is_in_memory()) {
        plan.guards = false;
        check_grey_range(settings);
        return plan;
    }
    plan.guards = !settings.resume && !settings.overwrite;
    check_output(plan);
    return plan;
}

// Without what changes nothing about a slab: whether it is resumed, and on which devices.
static void take_for_recipe(const Settings &settings, Settings &bare) {
    bare.assign(settings);
    for (ParameterBase *parameter :
         {static_cast<ParameterBase *>(&bare.resume), static_cast<ParameterBase *>(&bare.device),
          static_cast<ParameterBase *>(&bare.devices)})
        parameter->reset();
    bare.overwrite.set_text("true"); // what is there is no obstacle
}

Plan make_plan(const Settings &settings, const Inspection &scan, const Axis &axis,
               const std::vector<Height> *heights) {
    auto plan = lines_of(settings, scan, axis, heights);
    if (plan.folder.empty())
        return plan;
    Settings bare;
    take_for_recipe(settings, bare);
    std::vector<Height> bare_heights;
    std::vector<std::unique_ptr<Settings>> of_heights;
    for (const auto &height : heights ? *heights : std::vector<Height>()) {
        take_for_recipe(*height.settings, *of_heights.emplace_back(std::make_unique<Settings>()));
        bare_heights.push_back(height);
        bare_heights.back().settings = of_heights.back().get();
    }
    const auto recipes = lines_of(bare, scan, axis, heights ? &bare_heights : nullptr);
    for (std::size_t i = 0; i < plan.slabs.size(); i++)
        plan.slabs[i].recipe = recipes.slabs.at(i).line;
    return plan;
}

bool Plan::is_picture() const {
    const auto place = io::split_location(output);
    const auto type = io::type_of_suffix(place.file);
    return (type == io::FileType::Png || type == io::FileType::Jpeg) &&
           !io::NumberPattern(place.file).has_number();
}

bool Plan::is_in_memory() const { return io::names_memory(output); }

std::vector<std::string> Plan::outputs() const {
    if (turns == 1 || !folder.empty() || is_in_memory())
        return {output};
    std::vector<std::string> series;
    for (const auto &slab : slabs)
        if (series.empty() || slab.output != series.back())
            series.push_back(slab.output);
    return series;
}

std::string Plan::first_file() const { return pattern_of(outputs().front()).name(0); }

std::string Plan::beside(const char *ending) const {
    const auto file = io::split_location(output).file;
    if (!pattern_of(outputs().front()).has_number())
        return file + ending;
    std::string name = file.substr(0, file.find('%'));
    while (!name.empty() && std::string_view("-_. ").find(name.back()) != std::string_view::npos)
        name.pop_back();
    return (name.empty() || name.back() == '/' ? name + "result" : name) + ending;
}

Json Plan::devices_json() const {
    Json list = Json::list();
    for (const auto &[name, share] : shares) {
        Json one = Json::object();
        one.set("device", Json::text(name));
        one.set("share", Json::number(share));
        list.add(std::move(one));
    }
    return list;
}

Json Plan::json() const {
    Json json = Json::object();
    json.set("output", Json::text(output));
    json.set("format", Json::text(gst_tomo_format_to_string(shape.format)));
    json.set("width", Json::integer(guint64{shape.width}));
    json.set("height", Json::integer(guint64{shape.height}));
    json.set("depth", Json::integer(guint64{shape.depth}));
    json.set("bytes", Json::integer(guint64{shape.size()}));
    if (turns > 1)
        json.set("turns", Json::integer(guint64{turns}));
    json.set("memory", Json::integer(guint64{memory}));
    if (seconds > 0.0) {
        json.set("device", Json::text(device));
        json.set("seconds", Json::number(seconds));
    }
    if (!shares.empty())
        json.set("devices", devices_json());
    if (!axis.from.empty()) {
        json.set("axis", Json::number(axis.position));
        json.set("axis-from", Json::text(axis.from));
    }
    Json list = Json::list();
    for (const auto &slab : slabs) {
        Json item = Json::object();
        item.set("first-row", Json::integer(guint64{slab.rows.first}));
        item.set("rows", Json::integer(guint64{slab.rows.count}));
        item.set("row-step", Json::integer(guint64{slab.rows.step}));
        item.set("images", Json::integer(guint64{slab.images}));
        item.set("output", Json::text(slab.output));
        if (!slab.scans.empty()) {
            Json scans = Json::list();
            for (const auto number : slab.scans)
                scans.add(Json::integer(guint64{number}));
            item.set("heights", std::move(scans));
        }
        if (slab.turn)
            item.set("turn", Json::integer(guint64{*slab.turn}));
        if (!slab.value.empty())
            item.set("value", Json::text(slab.value));
        item.set("line", Json::text(slab.line));
        item.set("graph", Json::parse(Graph::from_line(slab.line)->to_json(), "graph"));
        list.add(std::move(item));
    }
    json.set("slabs", std::move(list));
    json.set("script", Json::text(script()));
    if (!join.empty()) {
        json.set("join", Json::text(join));
        json.set("folder", Json::text(folder));
    }
    if (is_virtual)
        json.set("virtual", Json::boolean(true));
    return json;
}

} // namespace tomo::reconstruction
