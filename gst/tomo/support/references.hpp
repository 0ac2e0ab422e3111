// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Owning references to GStreamer's objects.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <utility>

namespace tomo {

// A reference to a GObject or mini object: adopts on construction, refs on copy, unrefs at the end.
template <class T, gpointer (*ref)(gpointer), void (*unref)(gpointer)>
class Reference {
  public:
    Reference() = default;
    explicit Reference(T *adopted) : object_(adopted) {}
    Reference(const Reference &other) : object_(other.object_) {
        if (object_)
            ref(object_);
    }
    Reference(Reference &&other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Reference &operator=(Reference other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Reference() {
        if (object_)
            unref(object_);
    }

    static Reference referenced(T *borrowed) {
        if (borrowed)
            ref(borrowed);
        return Reference(borrowed);
    }

    T *get() const { return object_; }
    T *release() { return std::exchange(object_, nullptr); }
    T *operator->() const { return object_; }
    explicit operator bool() const { return object_ != nullptr; }

  private:
    T *object_ = nullptr;
};

inline gpointer mini_object_ref(gpointer o) { return gst_mini_object_ref(GST_MINI_OBJECT_CAST(o)); }
inline void mini_object_unref(gpointer o) { gst_mini_object_unref(GST_MINI_OBJECT_CAST(o)); }
inline void object_unref(gpointer o) { gst_object_unref(o); }

template <class T>
using ObjectRef = Reference<T, gst_object_ref, object_unref>;
using BufferRef = Reference<GstBuffer, mini_object_ref, mini_object_unref>;
using CapsRef = Reference<GstCaps, mini_object_ref, mini_object_unref>;
using SampleRef = Reference<GstSample, mini_object_ref, mini_object_unref>;
using EventRef = Reference<GstEvent, mini_object_ref, mini_object_unref>;
using QueryRef = Reference<GstQuery, mini_object_ref, mini_object_unref>;

struct FreeStructure {
    void operator()(GstStructure *structure) const { gst_structure_free(structure); }
};
using StructurePtr = std::unique_ptr<GstStructure, FreeStructure>;

} // namespace tomo
