// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/gobject.hpp>
#include <gst/tomo/gsttomocontext.h>

namespace {

template <class Handle>
guint64 as_number(Handle handle) {
    return reinterpret_cast<guintptr>(handle);
}

} // namespace

/**
 * GstTomoDevice:
 *
 * One OpenCL device.
 */
struct _GstTomoDevice {
    GstObject parent;
    std::shared_ptr<tomo::Device> *device;
};

G_DEFINE_TYPE(GstTomoDevice, gst_tomo_device, GST_TYPE_OBJECT)

// g_object_new(), which other languages call, makes one of nothing.
static bool is_made(GstTomoDevice *device) { return GST_IS_TOMO_DEVICE(device) && *device->device; }

static void gst_tomo_device_init(GstTomoDevice *self) { self->device = new std::shared_ptr<tomo::Device>; }

static void gst_tomo_device_finalize(GObject *object) {
    delete GST_TOMO_DEVICE(object)->device;
    G_OBJECT_CLASS(gst_tomo_device_parent_class)->finalize(object);
}

static void gst_tomo_device_class_init(GstTomoDeviceClass *klass) {
    G_OBJECT_CLASS(klass)->finalize = gst_tomo_device_finalize;
}

/**
 * gst_tomo_device_get_name:
 * @device: a device
 *
 * Returns: (transfer none): the name the driver gives it
 */
const gchar *gst_tomo_device_get_name(GstTomoDevice *device) {
    g_return_val_if_fail(is_made(device), nullptr);
    return (*device->device)->name().c_str();
}

/**
 * gst_tomo_device_get_index:
 * @device: a device
 *
 * Returns: its number among the devices of all platforms, as property "device" of the elements takes it
 */
guint gst_tomo_device_get_index(GstTomoDevice *device) {
    g_return_val_if_fail(is_made(device), 0);
    return (*device->device)->index();
}

/**
 * gst_tomo_device_is_cpu:
 * @device: a device
 *
 * Returns: whether it is the host's processor
 */
gboolean gst_tomo_device_is_cpu(GstTomoDevice *device) {
    g_return_val_if_fail(is_made(device), FALSE);
    return (*device->device)->is_cpu();
}

/**
 * gst_tomo_device_get_handle:
 * @device: a device
 *
 * Returns: its cl_device_id as a number, for instance for pyopencl's Device.from_int_ptr
 */
guint64 gst_tomo_device_get_handle(GstTomoDevice *device) {
    g_return_val_if_fail(is_made(device), 0);
    return as_number((*device->device)->id());
}

/**
 * gst_tomo_device_get_memory_in_use:
 * @device: a device
 *
 * Returns: bytes in use by buffers, without those kept for reuse
 */
guint64 gst_tomo_device_get_memory_in_use(GstTomoDevice *device) {
    g_return_val_if_fail(is_made(device), 0);
    return (*device->device)->memory_in_use();
}

/**
 * gst_tomo_device_get_memory_limit:
 * @device: a device
 *
 * Returns: bytes that may be in use; see gst_tomo_context_new_limited() and environment variable
 *   GST_TOMO_MEMORY_LIMIT
 */
guint64 gst_tomo_device_get_memory_limit(GstTomoDevice *device) {
    g_return_val_if_fail(is_made(device), 0);
    return (*device->device)->memory_limit();
}

/**
 * GstTomoContext:
 *
 * The OpenCL devices of the machine with one of them as the default, shared by the elements of a pipeline. A
 * device is opened, with a cl_context of its own, when somebody asks for it.
 */
struct _GstTomoContext {
    GstObject parent;
    std::shared_ptr<tomo::Context> *context;
};

G_DEFINE_TYPE(GstTomoContext, gst_tomo_context, GST_TYPE_OBJECT)

static bool is_made(GstTomoContext *context) { return GST_IS_TOMO_CONTEXT(context) && *context->context; }

template <class Open>
static GstTomoDevice *opened(const Open &open) {
    GError *error = nullptr;
    auto *device =
        tomo::to_gerror(&error, [&]() -> GstTomoDevice * { return tomo::new_device_object(open()); });
    if (error)
        g_warning("%s", error->message);
    g_clear_error(&error);
    return device;
}

static void gst_tomo_context_init(GstTomoContext *self) {
    self->context = new std::shared_ptr<tomo::Context>;
}

static void gst_tomo_context_finalize(GObject *object) {
    delete GST_TOMO_CONTEXT(object)->context;
    G_OBJECT_CLASS(gst_tomo_context_parent_class)->finalize(object);
}

static void gst_tomo_context_class_init(GstTomoContextClass *klass) {
    G_OBJECT_CLASS(klass)->finalize = gst_tomo_context_finalize;
}

/**
 * gst_tomo_context_new:
 * @device: (nullable): index or part of the name of the default device; %NULL for environment variable
 *   GST_TOMO_DEVICE, else the best device there is
 * @error: why there is none
 *
 * Returns: (transfer full) (nullable): a new context, %NULL on error
 */
GstTomoContext *gst_tomo_context_new(const gchar *device, GError **error) {
    return tomo::to_gerror(error, [&]() -> GstTomoContext * {
        return tomo::new_context_object(tomo::Context::create(device ? device : ""));
    });
}

/**
 * gst_tomo_context_new_limited:
 * @device: (nullable): as for gst_tomo_context_new()
 * @memory_limit: bytes of each device that may be in use at a time, of this context alone; not more than
 * those of the process, which environment variable GST_TOMO_MEMORY_LIMIT sets
 * @error: why there is none
 *
 * Returns: (transfer full) (nullable): a new context, %NULL on error
 */
GstTomoContext *gst_tomo_context_new_limited(const gchar *device, guint64 memory_limit, GError **error) {
    return tomo::to_gerror(error, [&]() -> GstTomoContext * {
        if (memory_limit == 0)
            throw tomo::Error(GST_LIBRARY_ERROR_SETTINGS,
                              "a memory limit of 0 bytes leaves no room for anything");
        return tomo::new_context_object(
            tomo::Context::create(device ? device : "")->with_memory_limit(memory_limit));
    });
}

/**
 * gst_tomo_context_new_wrapped:
 * @cl_context: a cl_context as a number, for instance pyopencl's Context.int_ptr; it is retained
 * @error: what is wrong with it
 *
 * Returns: (transfer full) (nullable): a context that uses it, %NULL on error
 */
GstTomoContext *gst_tomo_context_new_wrapped(guint64 cl_context, GError **error) {
    return tomo::to_gerror(error, [&]() -> GstTomoContext * {
        return tomo::new_context_object(
            tomo::Context::wrap(reinterpret_cast<::cl_context>(static_cast<guintptr>(cl_context))));
    });
}

/**
 * gst_tomo_context_get_handle:
 * @context: a context
 *
 * Returns: the cl_context of the default device as a number, not retained for the caller
 */
guint64 gst_tomo_context_get_handle(GstTomoContext *context) {
    g_return_val_if_fail(is_made(context), 0);
    return as_number((*context->context)->handle());
}

/**
 * gst_tomo_context_get_n_devices:
 * @context: a context
 *
 * Returns: how many devices it has, in use or not
 */
guint gst_tomo_context_get_n_devices(GstTomoContext *context) {
    g_return_val_if_fail(is_made(context), 0);
    return (*context->context)->size();
}

/**
 * gst_tomo_context_get_device:
 * @context: a context
 * @n: 0 to gst_tomo_context_get_n_devices() - 1
 *
 * Opens the device if nobody has done so before.
 *
 * Returns: (transfer full) (nullable): the device, %NULL with a warning if its driver fails
 */
GstTomoDevice *gst_tomo_context_get_device(GstTomoContext *context, guint n) {
    g_return_val_if_fail(is_made(context), nullptr);
    g_return_val_if_fail(n < (*context->context)->size(), nullptr);
    return opened([&] { return (*context->context)->device(n); });
}

/**
 * gst_tomo_context_get_default_device:
 * @context: a context
 *
 * Returns: (transfer full) (nullable): the device of elements that name none, %NULL with a warning if its
 * driver fails
 */
GstTomoDevice *gst_tomo_context_get_default_device(GstTomoContext *context) {
    g_return_val_if_fail(is_made(context), nullptr);
    return opened([&] { return (*context->context)->default_device(); });
}

/**
 * gst_tomo_context_to_context:
 * @context: a context
 *
 * Returns: (transfer full): a #GstContext for gst_element_set_context(), so that a pipeline uses it
 */
GstContext *gst_tomo_context_to_context(GstTomoContext *context) {
    g_return_val_if_fail(is_made(context), nullptr);
    GstContext *carrier = gst_context_new(GST_TOMO_CONTEXT_TYPE, TRUE);
    gst_structure_set(gst_context_writable_structure(carrier), "context", GST_TYPE_TOMO_CONTEXT, context,
                      nullptr);
    return carrier;
}

/**
 * gst_tomo_context_from_context:
 * @context: a #GstContext
 *
 * Returns: (transfer full) (nullable): the context that it carries, %NULL if it is of another type
 */
GstTomoContext *gst_tomo_context_from_context(GstContext *context) {
    GstTomoContext *found = nullptr;
    if (gst_context_has_context_type(context, GST_TOMO_CONTEXT_TYPE))
        gst_structure_get(gst_context_get_structure(context), "context", GST_TYPE_TOMO_CONTEXT, &found,
                          nullptr);
    if (found && !is_made(found))
        gst_clear_object(&found);
    return found;
}

namespace tomo {

const std::shared_ptr<Context> &context_of(GstTomoContext *context) { return *context->context; }
const std::shared_ptr<Device> &device_of(GstTomoDevice *device) { return *device->device; }

GstTomoContext *new_context_object(std::shared_ptr<Context> context) {
    auto *self = GST_TOMO_CONTEXT(g_object_new(GST_TYPE_TOMO_CONTEXT, nullptr));
    gst_object_ref_sink(self);
    *self->context = std::move(context);
    return self;
}

GstTomoDevice *new_device_object(std::shared_ptr<Device> device) {
    auto *self = GST_TOMO_DEVICE(g_object_new(GST_TYPE_TOMO_DEVICE, nullptr));
    gst_object_ref_sink(self);
    *self->device = std::move(device);
    return self;
}

} // namespace tomo
