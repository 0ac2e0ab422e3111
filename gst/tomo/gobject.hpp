// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// From the C types of the public interface to what stands behind them, and references of both.
#pragma once

#include <gst/tomo/gsttomo.h>
#include <gst/tomo/memory.hpp>

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
using EventRef = Reference<GstEvent, mini_object_ref, mini_object_unref>;
using QueryRef = Reference<GstQuery, mini_object_ref, mini_object_unref>;

struct Free {
    void operator()(gpointer p) const { g_free(p); }
};
using CString = std::unique_ptr<char, Free>;

struct FreeStructure {
    void operator()(GstStructure *structure) const { gst_structure_free(structure); }
};
using StructurePtr = std::unique_ptr<GstStructure, FreeStructure>;

GST_TOMO_API std::string to_string(const GstCaps *caps);

// For functions of the C interface: runs `function`; what it throws becomes a GError, and the result nothing.
template <class Function>
auto to_gerror(GError **error, Function function) -> decltype(function()) {
    try {
        return function();
    } catch (const Error &e) {
        g_set_error_literal(error, e.domain, e.code, e.what());
    } catch (const std::exception &e) {
        g_set_error_literal(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED, e.what());
    }
    return {};
}

GST_TOMO_API const std::shared_ptr<Context> &context_of(GstTomoContext *context);
GST_TOMO_API GstTomoContext *new_context_object(std::shared_ptr<Context> context); // transfer full
GST_TOMO_API const std::shared_ptr<Device> &device_of(GstTomoDevice *device);
GST_TOMO_API GstTomoDevice *new_device_object(std::shared_ptr<Device> device); // transfer full

// The storage behind a GstTomoMemory; null for memory of any other type. `offset` of the memory is in
// bytes from the storage's start.
GST_TOMO_API const std::shared_ptr<Storage> &storage_of(GstMemory *memory);
GST_TOMO_API GstMemory *new_memory(std::shared_ptr<Storage> storage); // transfer full

// What went wrong in the last map of this thread, for maps that returned no pointer.
GST_TOMO_API std::string take_map_error();

} // namespace tomo
