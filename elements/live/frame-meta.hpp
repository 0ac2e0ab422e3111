// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Objects that travel with buffers. The meta has no tags, so it stays with its frame.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <utility>

namespace tomo::live {

// `T::meta_name` and `T::meta_api_name` are names of types in GLib.
template <class T>
class FrameMeta {
  public:
    using Shared = std::shared_ptr<const T>;

    static void attach(GstBuffer *buffer, Shared object) {
        auto owned = std::make_unique<Shared>(std::move(object));
        auto *meta = reinterpret_cast<Meta *>(gst_buffer_get_meta(buffer, api()));
        if (!meta)
            meta = reinterpret_cast<Meta *>(gst_buffer_add_meta(buffer, meta_info(), nullptr));
        const std::unique_ptr<Shared> former(meta->object);
        meta->object = owned.release();
    }
    // Null where there is none.
    static Shared of(GstBuffer *buffer) {
        const auto *meta = reinterpret_cast<Meta *>(gst_buffer_get_meta(buffer, api()));
        return meta ? *meta->object : nullptr;
    }
    static void detach(GstBuffer *buffer) {
        if (auto *meta = gst_buffer_get_meta(buffer, api()))
            gst_buffer_remove_meta(buffer, meta);
    }

  private:
    struct Meta {
        GstMeta meta;
        Shared *object;
    };

    static GType api() {
        static const gchar *tags[] = {nullptr};
        static const GType type = gst_meta_api_type_register(T::meta_api_name, tags);
        return type;
    }
    static const GstMetaInfo *meta_info() {
        static const GstMetaInfo *info = gst_meta_register(
            api(), T::meta_name, sizeof(Meta),
            [](GstMeta *meta, gpointer, GstBuffer *) -> gboolean {
                reinterpret_cast<Meta *>(meta)->object = nullptr;
                return TRUE;
            },
            [](GstMeta *meta, GstBuffer *) {
                const std::unique_ptr<Shared> owned(reinterpret_cast<Meta *>(meta)->object);
            },
            [](GstBuffer *to, GstMeta *meta, GstBuffer *, GQuark, gpointer) -> gboolean {
                attach(to, *reinterpret_cast<Meta *>(meta)->object);
                return TRUE;
            });
        return info;
    }
};

} // namespace tomo::live
