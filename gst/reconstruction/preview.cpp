// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/formats/npy-header.hpp>
#include <gst/reconstruction/preview.hpp>
#include <gst/tomo/device/array-layout.hpp>
#include <gst/tomo/device/device-array.hpp>
#include <gst/tomo/graph/protocol.hpp>
#include <gst/tomo/support/error.hpp>
#include <gst/tomo/support/text-file.hpp>

#include <cstring>
#include <string_view>

namespace tomo::reconstruction {

namespace {

constexpr std::uint64_t header_bytes = 128; // of a file of numpy

SampleRef last_plane(GstPad *pad, GstBuffer *buffer, guint64 number) {
    const CapsRef caps(gst_pad_get_current_caps(pad));
    if (!caps)
        return {};
    const auto all = ArrayInfo::from_caps(caps.get());
    const auto layout = layout_of(buffer, all);
    const auto image = all.with_size(all.width, all.height, 1);
    BufferRef copy(gst_buffer_new_allocate(nullptr, image.size(), nullptr));
    {
        const MappedBuffer from(buffer, GST_MAP_READ), to(copy.get(), GST_MAP_WRITE);
        const auto row = image.width * image.sample_size();
        const auto *plane = from.data() + layout.offset + (all.depth - 1) * layout.plane_stride;
        for (unsigned y = 0; y < image.height; y++)
            std::memcpy(to.data() + y * row, plane + y * layout.row_stride, row);
    }
    GST_BUFFER_OFFSET(copy.get()) = number;
    const CapsRef image_caps(image.to_caps(false));
    return SampleRef(gst_sample_new(copy.get(), image_caps.get(), nullptr, nullptr));
}

} // namespace

IteratingElements::IteratingElements(const Graph &graph) {
    for (const auto &node : graph.nodes())
        elements_.push_back(node.element);
}

// Those of the graph, and those of copies for several devices.
template <class F>
void IteratingElements::for_each(F function) const {
    for (const auto &element : elements_) {
        if (!GST_IS_BIN(element.get())) {
            function(element.get());
            continue;
        }
        auto *within = gst_bin_iterate_recurse(GST_BIN(element.get()));
        const auto call = [](const GValue *item, gpointer f) {
            (*static_cast<F *>(f))(GST_ELEMENT(g_value_get_object(item)));
        };
        while (gst_iterator_foreach(within, call, &function) == GST_ITERATOR_RESYNC)
            gst_iterator_resync(within);
        gst_iterator_free(within);
    }
}

void IteratingElements::ask() {
    asked_++;
    for_each([this](GstElement *element) {
        auto *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), "preview");
        if (spec && G_IS_PARAM_SPEC_UINT(spec))
            g_object_set(element, "preview", asked_, nullptr);
    });
}

SampleRef IteratingElements::image_of(const GstStructure *told, guint64 before) const {
    guint64 number = 0;
    unsigned iteration = 0, iterations = 0;
    GstSample *given = nullptr;
    if (!gst_structure_get(told, "slice", G_TYPE_UINT64, &number, "iteration", G_TYPE_UINT, &iteration,
                           "iterations", G_TYPE_UINT, &iterations, "sample", GST_TYPE_SAMPLE, &given,
                           nullptr))
        return {};
    const SampleRef sample(given);
    const auto all = ArrayInfo::from_caps(gst_sample_get_caps(sample.get()));
    Region region{0, 0, all.width, all.height};
    for_each([&](GstElement *element) {
        if (GST_OBJECT_NAME(element) == std::string_view("crop-slices"))
            g_object_get(element, "x", &region.x, "y", &region.y, "width", &region.width, "height",
                         &region.height, nullptr);
    });
    if (region.x + region.width > all.width || region.y + region.height > all.height)
        return {};
    const auto image = all.with_size(region.width, region.height);
    BufferRef part(gst_buffer_new_allocate(nullptr, image.size(), nullptr));
    {
        const MappedBuffer from(gst_sample_get_buffer(sample.get()), GST_MAP_READ),
            to(part.get(), GST_MAP_WRITE);
        const std::size_t pixel = image.sample_size(), row = image.width * pixel;
        for (unsigned y = 0; y < image.height; y++)
            std::memcpy(to.data() + y * row, from.data() + ((region.y + y) * all.width + region.x) * pixel,
                        row);
    }
    GST_BUFFER_OFFSET(part.get()) = before + number;
    const CapsRef caps(image.to_caps(false));
    return SampleRef(gst_sample_new(part.get(), caps.get(), nullptr,
                                    gst_structure_new("iterate", "iteration", G_TYPE_UINT, iteration,
                                                      "iterations", G_TYPE_UINT, iterations, nullptr)));
}

GstSample *Preview::next() {
    std::lock_guard<std::mutex> lock(lock_);
    is_wanted_ = next_is_wanted_ = true;
    return last_.release();
}

void Preview::ask(const std::string &path) {
    std::lock_guard<std::mutex> lock(lock_);
    paths_.push_back(path);
    is_wanted_ = true;
}

void Preview::wait_for_first() { waits_for_first_ = true; }

void Preview::give(SampleRef image) {
    if (image)
        hand_out(image);
    waits_for_first_ = false;
}

void Preview::offer(GstPad *pad, GstBuffer *buffer, guint64 number) {
    if (waits_for_first_ || !is_wanted_)
        return;
    try {
        hand_out(last_plane(pad, buffer, number));
    } catch (const std::exception &e) { // the sink meets the same, and tells it
        GST_DEBUG_OBJECT(pad, "no preview: %s", e.what());
    }
}

void Preview::offer_iterate(const SampleRef &image) {
    if (image && wants_iterate())
        hand_out(image);
}

void Preview::hand_out(const SampleRef &image) {
    std::lock_guard<std::mutex> lock(lock_);
    if (next_is_wanted_)
        last_ = image;
    for (const auto &path : paths_)
        for_files_.emplace_back(path, image);
    paths_.clear();
    is_wanted_ = next_is_wanted_ = false;
}

std::optional<std::pair<std::string, SampleRef>> Preview::take() {
    std::lock_guard<std::mutex> lock(lock_);
    if (for_files_.empty())
        return {};
    auto first = std::move(for_files_.front());
    for_files_.pop_front();
    return first;
}

std::vector<std::string> Preview::unserved() {
    std::lock_guard<std::mutex> lock(lock_);
    return std::exchange(paths_, {});
}

Json write_preview_file(const std::string &path, GstSample *image) {
    const auto info = ArrayInfo::from_caps(gst_sample_get_caps(image));
    auto *buffer = gst_sample_get_buffer(image);
    {
        const MappedBuffer mapped(buffer, GST_MAP_READ);
        std::string contents = io::npy_header(info.format, {info.height, info.width}, header_bytes);
        contents.append(reinterpret_cast<const char *>(mapped.data()), info.size());
        replace_text_file(path, contents);
    }
    Json told = event_of("preview");
    told.set("path", Json::text(path));
    Json shape = Json::list();
    for (const unsigned extent : {info.height, info.width})
        shape.add(Json::integer(guint64{extent}));
    told.set("shape", std::move(shape));
    told.set("format", Json::text(gst_tomo_format_to_string(info.format)));
    told.set("slice", Json::integer(guint64{GST_BUFFER_OFFSET(buffer)}));
    if (const auto *iterate = gst_sample_get_info(image))
        for (const char *key : {"iteration", "iterations"})
            if (unsigned number = 0; gst_structure_get_uint(iterate, key, &number))
                told.set(key, Json::integer(guint64{number}));
    return told;
}

} // namespace tomo::reconstruction
