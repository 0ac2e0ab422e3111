// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/array.hpp>
#include <gst/tomo/device/gobject.hpp>
#include <gst/tomo/device/profile.hpp>
#include <gst/tomo/gsttomocontext.h>
#include <gst/tomo/gsttomomemory.h>

#include <cstring>

GST_DEBUG_CATEGORY_STATIC(tomo_memory_debug);
#define GST_CAT_DEFAULT tomo_memory_debug

namespace {

struct GstTomoMemory {
    GstMemory memory;
    std::shared_ptr<tomo::Storage> storage;
};

GstTomoMemory *tomo_memory(GstMemory *memory) { return reinterpret_cast<GstTomoMemory *>(memory); }

thread_local std::string map_error;

// Runs `function`; what it throws is kept for take_map_error(), and the result is nothing.
template <class Function>
auto guarded(Function function) noexcept -> decltype(function()) {
    try {
        return function();
    } catch (...) {
        map_error = tomo::current_error().what();
        GST_ERROR("%s", map_error.c_str());
        return {};
    }
}

// Allocator of every GstTomoMemory that has no allocator of a device: shares and memories made from C++.
GstAllocator *plain_allocator() {
    static GstAllocator *allocator = [] {
        auto *a = GST_ALLOCATOR(g_object_new(GST_TYPE_TOMO_ALLOCATOR, nullptr));
        GST_OBJECT_FLAG_SET(a, GST_OBJECT_FLAG_MAY_BE_LEAKED);
        return GST_ALLOCATOR(gst_object_ref_sink(a));
    }();
    return allocator;
}

GstMemory *make_memory(std::shared_ptr<tomo::Storage> storage, GstMemory *parent, gsize offset, gsize size,
                       GstMemoryFlags flags) {
    auto *self = new GstTomoMemory;
    self->storage = std::move(storage);
    gst_memory_init(&self->memory, flags, plain_allocator(), parent, self->storage->size(), 0, offset, size);
    return &self->memory;
}

} // namespace

/**
 * GstTomoAllocator:
 *
 * Allocates memory on one OpenCL device.
 */
struct _GstTomoAllocator {
    GstAllocator parent;
    std::shared_ptr<tomo::Device> *device;
};

G_DEFINE_TYPE(GstTomoAllocator, gst_tomo_allocator, GST_TYPE_ALLOCATOR)

static GstMemory *gst_tomo_allocator_alloc(GstAllocator *allocator, gsize size, GstAllocationParams *params) {
    const auto &device = *GST_TOMO_ALLOCATOR(allocator)->device;
    g_return_val_if_fail(device, nullptr);
    const gsize prefix = params ? params->prefix : 0, padding = params ? params->padding : 0;
    // Nothing is cleared, so nothing is promised.
    constexpr int promises = GST_MEMORY_FLAG_ZERO_PREFIXED | GST_MEMORY_FLAG_ZERO_PADDED;
    const int flags = params ? params->flags & ~promises : 0;
    return guarded([&] {
        auto storage = std::make_shared<tomo::Storage>(device, prefix + size + padding);
        return make_memory(std::move(storage), nullptr, prefix, size, static_cast<GstMemoryFlags>(flags));
    });
}

static void gst_tomo_allocator_free(GstAllocator *, GstMemory *memory) { delete tomo_memory(memory); }

static gpointer gst_tomo_memory_map(GstMemory *memory, gsize, GstMapFlags flags) {
    return guarded([&]() -> gpointer { return tomo_memory(memory)->storage->map(flags & GST_MAP_WRITE); });
}

static void gst_tomo_memory_unmap(GstMemory *memory, GstMapInfo *info) {
    tomo_memory(memory)->storage->unmap(info->flags & GST_MAP_WRITE);
}

static GstMemory *gst_tomo_memory_share(GstMemory *memory, gssize offset, gssize size) {
    GstMemory *parent = memory->parent ? memory->parent : memory;
    if (size == -1)
        size = static_cast<gssize>(memory->size) - offset;
    const int flags = GST_MINI_OBJECT_FLAGS(parent) | GST_MINI_OBJECT_FLAG_LOCK_READONLY;
    return guarded([&] {
        return make_memory(tomo_memory(memory)->storage, parent, memory->offset + offset, size,
                           static_cast<GstMemoryFlags>(flags));
    });
}

// On the device, in the order of its queue.
static GstMemory *gst_tomo_memory_copy(GstMemory *memory, gssize offset, gssize size) {
    if (size == -1)
        size = static_cast<gssize>(memory->size) > offset ? static_cast<gssize>(memory->size) - offset : 0;
    return guarded([&] {
        const auto &from = tomo_memory(memory)->storage;
        const auto &device = from->device();
        auto to = std::make_shared<tomo::Storage>(device, size);
        const auto queue = device->queue();
        if (size == 0) // OpenCL copies no nothing
            return make_memory(std::move(to), nullptr, 0, 0, GstMemoryFlags{});
        auto waits = from->read(queue);
        waits.add(to->write(queue));
        cl_event event = nullptr;
        tomo::cl_check(clEnqueueCopyBuffer(queue, from->buffer(), to->buffer(), memory->offset + offset, 0,
                                           size, waits.size(), waits.data(), &event),
                       "copying memory");
        const tomo::ClEvent done(event);
        tomo::record(tomo::Command::Kind::copy, "copy", size, queue, done);
        from->read_done(queue, done);
        to->write_done(queue, done);
        return make_memory(std::move(to), nullptr, 0, size, GstMemoryFlags{});
    });
}

static gboolean gst_tomo_memory_is_span(GstMemory *, GstMemory *, gsize *) { return FALSE; }

static void gst_tomo_allocator_init(GstTomoAllocator *self) {
    self->device = new std::shared_ptr<tomo::Device>;
    auto *allocator = GST_ALLOCATOR_CAST(self);
    allocator->mem_type = GST_TOMO_MEMORY_TYPE;
    allocator->mem_map_full = [](GstMemory *m, GstMapInfo *info, gsize maxsize) {
        return gst_tomo_memory_map(m, maxsize, info->flags);
    };
    allocator->mem_unmap_full = gst_tomo_memory_unmap;
    allocator->mem_copy = gst_tomo_memory_copy;
    allocator->mem_share = gst_tomo_memory_share;
    allocator->mem_is_span = gst_tomo_memory_is_span;
    GST_OBJECT_FLAG_SET(allocator, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

static void gst_tomo_allocator_finalize(GObject *object) {
    delete GST_TOMO_ALLOCATOR(object)->device;
    G_OBJECT_CLASS(gst_tomo_allocator_parent_class)->finalize(object);
}

static void gst_tomo_allocator_class_init(GstTomoAllocatorClass *klass) {
    GST_DEBUG_CATEGORY_INIT(tomo_memory_debug, "tomomemory", 0, "memory of gst-tomo");
    G_OBJECT_CLASS(klass)->finalize = gst_tomo_allocator_finalize;
    GST_ALLOCATOR_CLASS(klass)->alloc = gst_tomo_allocator_alloc;
    GST_ALLOCATOR_CLASS(klass)->free = gst_tomo_allocator_free;
}

/**
 * gst_tomo_allocator_new:
 * @device: a device
 *
 * Returns: (transfer full): an allocator of memory on that device
 */
GstAllocator *gst_tomo_allocator_new(GstTomoDevice *device) {
    g_return_val_if_fail(GST_IS_TOMO_DEVICE(device), nullptr);
    auto *self = GST_TOMO_ALLOCATOR(g_object_new(GST_TYPE_TOMO_ALLOCATOR, nullptr));
    gst_object_ref_sink(self);
    *self->device = tomo::device_of(device);
    return GST_ALLOCATOR_CAST(self);
}

/**
 * gst_tomo_wrap_memory:
 * @caps: caps of an array, `application/x-tomo-array` with format, width, height and depth
 * @address: address of the first sample in memory of this process
 * @row_stride: bytes from one row to the next
 * @plane_stride: bytes from one plane to the next
 * @is_writable: whether the memory may be written to
 * @release: (scope async) (closure user_data): called when nobody uses the memory any more, from any thread
 * @user_data: data for it
 * @error: why the caps are those of no array
 *
 * An array of the application as a sample, without a copy. The memory has to stay where it is until @release,
 * which is called in any case.
 *
 * Returns: (transfer full) (nullable): the sample
 */
GstSample *gst_tomo_wrap_memory(const GstCaps *caps, guint64 address, gsize row_stride, gsize plane_stride,
                                gboolean is_writable, GstTomoRelease release, gpointer user_data,
                                GError **error) {
    g_return_val_if_fail(caps && address && release, nullptr);
    GstTomoArrayInfo *info = gst_tomo_array_info_new_from_caps(caps, error);
    if (!info) {
        release(user_data);
        return nullptr;
    }
    const gsize bytes = (info->depth - 1) * plane_stride + (info->height - 1) * row_stride +
                        info->width * gst_tomo_format_get_size(info->format);
    gst_tomo_array_info_free(info);
    auto *buffer = gst_buffer_new_wrapped_full(
        is_writable ? static_cast<GstMemoryFlags>(0) : GST_MEMORY_FLAG_READONLY,
        reinterpret_cast<gpointer>(static_cast<guintptr>(address)), bytes, 0, bytes, user_data, release);
    gst_buffer_add_tomo_array_meta(buffer, 0, row_stride, plane_stride);
    auto *sample = gst_sample_new(buffer, const_cast<GstCaps *>(caps), nullptr, nullptr);
    gst_buffer_unref(buffer);
    return sample;
}

/**
 * gst_tomo_memory_is:
 * @memory: a memory
 *
 * Returns: whether it is memory on an OpenCL device of this library
 */
gboolean gst_tomo_memory_is(GstMemory *memory) { return gst_memory_is_type(memory, GST_TOMO_MEMORY_TYPE); }

/**
 * gst_tomo_memory_get_handle:
 * @memory: a memory for which gst_tomo_memory_is() holds
 *
 * Commands that use the buffer behind the library's back must have ended before anybody else touches
 * the memory, and must be preceded by gst_tomo_memory_finish().
 *
 * Returns: the cl_mem as a number, not retained for the caller; the data start at the offset of
 *   gst_memory_get_sizes()
 */
guint64 gst_tomo_memory_get_handle(GstMemory *memory) {
    g_return_val_if_fail(gst_tomo_memory_is(memory), 0);
    return reinterpret_cast<guintptr>(tomo_memory(memory)->storage->buffer());
}

/**
 * gst_tomo_memory_get_device:
 * @memory: a memory for which gst_tomo_memory_is() holds
 *
 * Returns: (transfer full): the device it is on
 */
GstTomoDevice *gst_tomo_memory_get_device(GstMemory *memory) {
    g_return_val_if_fail(gst_tomo_memory_is(memory), nullptr);
    return tomo::new_device_object(tomo_memory(memory)->storage->device());
}

/**
 * gst_tomo_memory_prefetch:
 * @memory: a memory for which gst_tomo_memory_is() holds
 *
 * Starts the download to the host, so that mapping the memory later only waits for its end.
 */
void gst_tomo_memory_prefetch(GstMemory *memory) {
    g_return_if_fail(gst_tomo_memory_is(memory));
    // Where it fails, the map will try again and fail where somebody listens.
    guarded([&] { return tomo_memory(memory)->storage->prefetch(), true; });
}

/**
 * gst_tomo_memory_finish:
 * @memory: a memory for which gst_tomo_memory_is() holds
 * @error: what went wrong in a command
 *
 * Waits for everything that was asked of the memory so far, and sees to it that the device has the contents.
 *
 * Returns: whether all of it succeeded
 */
gboolean gst_tomo_memory_finish(GstMemory *memory, GError **error) {
    g_return_val_if_fail(gst_tomo_memory_is(memory), FALSE);
    return tomo::to_gerror(error, [&] {
        tomo_memory(memory)->storage->move_to_device();
        tomo_memory(memory)->storage->finish();
        return TRUE;
    });
}

/**
 * GstTomoBufferPool:
 *
 * A pool of buffers on one OpenCL device. Buffers come back with the commands that still use them, and
 * whoever gets them next is ordered behind those on the device.
 */
struct _GstTomoBufferPool {
    GstBufferPool parent;
    GstTomoDevice *device;
};

G_DEFINE_TYPE(GstTomoBufferPool, gst_tomo_buffer_pool, GST_TYPE_BUFFER_POOL)

static GstFlowReturn gst_tomo_buffer_pool_alloc(GstBufferPool *pool, GstBuffer **buffer,
                                                GstBufferPoolAcquireParams *) {
    const auto *self = GST_TOMO_BUFFER_POOL(pool);
    g_return_val_if_fail(self->device, GST_FLOW_ERROR);
    GstStructure *config = gst_buffer_pool_get_config(pool);
    guint size = 0;
    gst_buffer_pool_config_get_params(config, nullptr, &size, nullptr, nullptr);
    gst_structure_free(config);
    try {
        auto storage = std::make_shared<tomo::Storage>(tomo::device_of(self->device), size, [pool] {
            return GST_BUFFER_POOL_IS_FLUSHING(pool) ? tomo::Patience::none : tomo::Patience::limited;
        });
        *buffer = gst_buffer_new();
        gst_buffer_append_memory(*buffer,
                                 make_memory(std::move(storage), nullptr, 0, size, GstMemoryFlags{}));
        return GST_FLOW_OK;
    } catch (const tomo::Flushing &) {
        return GST_FLOW_FLUSHING;
    } catch (...) {
        GST_ERROR_OBJECT(pool, "%s", tomo::current_error().what());
        return GST_FLOW_ERROR;
    }
}

static void gst_tomo_buffer_pool_reset(GstBufferPool *pool, GstBuffer *buffer) {
    GstMemory *memory = gst_buffer_peek_memory(buffer, 0);
    const auto &storage = tomo::storage_of(memory);
    // Where nobody else has it: or the next writer would download what nobody wants.
    if (storage.use_count() == 1 && gst_memory_is_writable(memory))
        guarded([&] { return storage->discard(), true; });
    GST_BUFFER_POOL_CLASS(gst_tomo_buffer_pool_parent_class)->reset_buffer(pool, buffer);
}

static void gst_tomo_buffer_pool_init(GstTomoBufferPool *) {}

static void gst_tomo_buffer_pool_finalize(GObject *object) {
    auto *self = GST_TOMO_BUFFER_POOL(object);
    gst_clear_object(&self->device);
    G_OBJECT_CLASS(gst_tomo_buffer_pool_parent_class)->finalize(object);
}

static void gst_tomo_buffer_pool_class_init(GstTomoBufferPoolClass *klass) {
    G_OBJECT_CLASS(klass)->finalize = gst_tomo_buffer_pool_finalize;
    GST_BUFFER_POOL_CLASS(klass)->alloc_buffer = gst_tomo_buffer_pool_alloc;
    GST_BUFFER_POOL_CLASS(klass)->reset_buffer = gst_tomo_buffer_pool_reset;
}

/**
 * gst_tomo_buffer_pool_new:
 * @device: a device
 *
 * Returns: (transfer full): a pool of buffers on that device
 */
GstBufferPool *gst_tomo_buffer_pool_new(GstTomoDevice *device) {
    g_return_val_if_fail(GST_IS_TOMO_DEVICE(device), nullptr);
    auto *self = GST_TOMO_BUFFER_POOL(g_object_new(GST_TYPE_TOMO_BUFFER_POOL, nullptr));
    gst_object_ref_sink(self);
    self->device = GST_TOMO_DEVICE(gst_object_ref(device));
    return GST_BUFFER_POOL_CAST(self);
}

namespace tomo {

const std::shared_ptr<Storage> &storage_of(GstMemory *memory) {
    static const std::shared_ptr<Storage> none;
    return gst_tomo_memory_is(memory) ? tomo_memory(memory)->storage : none;
}

GstMemory *new_memory(std::shared_ptr<Storage> storage) {
    const auto size = storage->size();
    return make_memory(std::move(storage), nullptr, 0, size, GstMemoryFlags{});
}

std::string take_map_error() { return std::exchange(map_error, {}); }

} // namespace tomo
