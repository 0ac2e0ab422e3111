// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/middle-row.hpp>
#include <gst/tomo/device/device-array.hpp>
#include <gst/tomo/device/samples.hpp>

#include <algorithm>
#include <atomic>

namespace tomo::reconstruction {

Middle::Middle(const Plan &plan, unsigned binning) {
    const unsigned slices = plan.shape.depth / plan.turns;
    image = plan.turns / 2 * slices + slices / 2;
    unsigned before = 0;
    for (slab = 0; slab + 1 < plan.slabs.size() && before + plan.slabs[slab].images <= image; slab++)
        before += plan.slabs[slab].images;
    image_in_slab = image - before;
    const auto &rows = plan.slabs[slab].rows;
    row = plan.middle_row.value_or(rows.first + (image_in_slab * binning + binning / 2) * rows.step);
    row_in_slab = (row - rows.first) / rows.step / binning;
}

class MiddleRow::Watch {
  public:
    Watch(MiddleRow &owner, const Graph &graph) : owner_(owner) {
        for (const auto &node : graph.nodes()) {
            const bool is_scan = node.name == "scan";
            if (is_scan || node.name == "read")
                look_at(node.element.get(), is_scan ? "projections" : "src", on_raw);
            if (is_scan)
                g_object_get(node.element.get(), "y", &first_row_, "y-step", &row_step_, nullptr);
            if (node.name == owner_.corrected_into_)
                look_at(node.element.get(), "sink", on_corrected);
            if (GST_IS_BIN(node.element.get())) { // of copies that it will make for devices
                const auto signal =
                    g_signal_connect(node.element.get(), "deep-element-added", G_CALLBACK(on_element), this);
                bins_.emplace_back(node.element, signal);
            }
        }
    }
    ~Watch() {
        for (const auto &[bin, signal] : bins_)
            g_signal_handler_disconnect(bin.get(), signal);
        for (const auto &[pad, probe] : probes_)
            gst_pad_remove_probe(pad.get(), probe);
    }
    Watch(const Watch &) = delete;
    Watch &operator=(const Watch &) = delete;

  private:
    using Look = void (Watch::*)(GstBuffer *, const ArrayInfo &);

    void look_at(GstElement *element, const char *name, GstPadProbeCallback look) {
        ObjectRef<GstPad> pad(gst_element_get_static_pad(element, name));
        if (!pad)
            return;
        const auto probe = gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, look, this, nullptr);
        probes_.emplace_back(std::move(pad), probe);
    }

    static void on_element(GstBin *, GstBin *, GstElement *element, gpointer self) {
        auto *watch = static_cast<Watch *>(self);
        if (GST_OBJECT_NAME(element) == watch->owner_.corrected_into_)
            watch->look_at(element, "sink", on_corrected_in_copy);
    }

    template <Look look>
    static GstPadProbeReturn on_buffer(GstPad *pad, GstPadProbeInfo *info, gpointer self) {
        const CapsRef caps(gst_pad_get_current_caps(pad));
        if (!caps)
            return GST_PAD_PROBE_OK;
        try { // a report is worth no failure of the run
            (static_cast<Watch *>(self)->*look)(GST_PAD_PROBE_INFO_BUFFER(info),
                                                ArrayInfo::from_caps(caps.get()));
        } catch (const std::exception &) {
        }
        return GST_PAD_PROBE_OK;
    }
    static GstPadProbeReturn on_raw(GstPad *pad, GstPadProbeInfo *info, gpointer self) {
        return on_buffer<&Watch::look_at_raw>(pad, info, self);
    }
    static GstPadProbeReturn on_corrected(GstPad *pad, GstPadProbeInfo *info, gpointer self) {
        return on_buffer<&Watch::look_at_corrected>(pad, info, self);
    }
    static GstPadProbeReturn on_corrected_in_copy(GstPad *pad, GstPadProbeInfo *info, gpointer self) {
        return on_buffer<&Watch::look_at_corrected_in_copy>(pad, info, self);
    }

    void look_at_raw(GstBuffer *buffer, const ArrayInfo &info) {
        const unsigned first = std::exchange(raw_came_, raw_came_ + info.depth);
        const auto &middle = owner_.middle_;
        const unsigned row = row_step_ ? (middle.row - first_row_) / row_step_ : middle.image_in_slab;
        if (!row_step_ || info.domain == GST_TOMO_DOMAIN_SINOGRAM) {
            keep_plane(owner_.raw_, buffer, info, row, first);
            return;
        }
        keep_row(owner_.raw_, buffer, info, row, first);
    }

    void look_at_corrected(GstBuffer *buffer, const ArrayInfo &info) {
        const unsigned first = std::exchange(corrected_came_, corrected_came_ + info.depth);
        if (info.domain == GST_TOMO_DOMAIN_PROJECTION)
            keep_row(owner_.corrected_, buffer, info, owner_.middle_.row_in_slab, first);
        else
            keep_plane(owner_.corrected_, buffer, info, owner_.middle_.image_in_slab, first);
    }

    // A copy gets some of the arrays, with their numbers.
    void look_at_corrected_in_copy(GstBuffer *buffer, const ArrayInfo &info) {
        unsigned depth = depth_; // of all arrays but the last one
        while (depth < info.depth && !depth_.compare_exchange_weak(depth, info.depth)) {
        }
        const auto first = static_cast<unsigned>(GST_BUFFER_OFFSET(buffer)) * std::max(depth, info.depth);
        keep_plane(owner_.corrected_, buffer, info, owner_.middle_.image_in_slab, first);
    }

    // Of projections from `first` on.
    void keep_row(std::vector<Kept> &kept, GstBuffer *buffer, const ArrayInfo &info, unsigned row,
                  unsigned first) {
        if (row >= info.height)
            return;
        for (unsigned z = 0; z < info.depth; z++)
            if ((first + z) % owner_.every_ == 0)
                keep(kept, buffer, info, info.with_size(info.width, 1, 1),
                     (z * info.plane_samples() + std::uint64_t{row} * info.width) * info.sample_size());
    }

    // Of planes from `first` on.
    void keep_plane(std::vector<Kept> &kept, GstBuffer *buffer, const ArrayInfo &info, unsigned plane,
                    unsigned first) {
        if (plane >= first && plane - first < info.depth)
            keep(kept, buffer, info, info.with_size(info.width, info.height, 1),
                 (plane - first) * info.plane_samples() * info.sample_size());
    }

    void keep(std::vector<Kept> &kept, GstBuffer *buffer, const ArrayInfo &info, const ArrayInfo &part,
              std::uint64_t offset) {
        if (gst_buffer_get_size(buffer) != info.size())
            return;
        BufferRef copy(gst_buffer_copy_region(
            buffer, static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_MEMORY | GST_BUFFER_COPY_DEEP), offset,
            part.size()));
        if (!copy)
            return;
        std::lock_guard<std::mutex> lock(owner_.lock_);
        kept.push_back({std::move(copy), part});
    }

    MiddleRow &owner_;
    std::vector<std::pair<ObjectRef<GstPad>, gulong>> probes_;
    std::vector<std::pair<ObjectRef<GstElement>, gulong>> bins_;
    std::atomic<unsigned> depth_{0};
    guint first_row_ = 0, row_step_ = 0; // of the source; no step: it gives sinograms that were chosen
    unsigned raw_came_ = 0, corrected_came_ = 0;
};

std::shared_ptr<MiddleRow::Watch> MiddleRow::watch(const Graph &graph) {
    return std::make_shared<Watch>(*this, graph);
}

Picture MiddleRow::picture_of(const std::vector<Kept> &parts) {
    Picture picture;
    for (const auto &part : parts) {
        const MappedBuffer mapped(part.buffer.get(), GST_MAP_READ);
        picture.width = part.info.width;
        picture.height += part.info.height;
        picture.values.reserve(parts.size() * part.info.samples());
        with_real_samples(part.info.format, mapped.data(), [&](const auto *samples) {
            for (std::uint64_t i = 0; i < part.info.samples(); i++)
                picture.values.push_back(static_cast<float>(samples[i]));
        });
    }
    return picture;
}

Picture MiddleRow::raw() const {
    std::lock_guard<std::mutex> lock(lock_);
    auto picture = picture_of(raw_);
    if (raw_.size() > 1) // view by view
        picture.row_step = static_cast<unsigned>(every_);
    return picture;
}

Picture MiddleRow::corrected() const {
    std::lock_guard<std::mutex> lock(lock_);
    auto picture = picture_of(corrected_);
    if (corrected_.size() > 1)
        picture.row_step = static_cast<unsigned>(every_);
    return picture;
}

} // namespace tomo::reconstruction
