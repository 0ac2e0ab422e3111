// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/profile.hpp>
#include <gst/tomo/fft/engine.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>

GST_DEBUG_CATEGORY_STATIC(tomo_fft_debug);
#define GST_CAT_DEFAULT tomo_fft_debug

namespace tomo {

namespace {

constexpr const char *engine_variable = "GST_TOMO_FFT";
constexpr std::size_t sample_size = sizeof(cl_float2);
constexpr std::size_t kept_plans = 32;

enum class Engine { VkFft, Fftw, ClFft };

struct EngineInfo {
    Engine engine;
    const char *name;
    std::unique_ptr<Fft> (*make)(const FftTask &); // null where it was left out of the build
};

constexpr EngineInfo engines[] = {
#ifdef GST_TOMO_HAVE_VKFFT
    {Engine::VkFft, "vkfft", make_vkfft},
#else
    {Engine::VkFft, "vkfft", nullptr},
#endif
    {Engine::Fftw, "fftw", make_fftw},
#ifdef GST_TOMO_HAVE_CLFFT
    {Engine::ClFft, "clfft", make_clfft},
#else
    {Engine::ClFft, "clfft", nullptr},
#endif
};

void init_debug() {
    static const bool once = [] {
        GST_DEBUG_CATEGORY_INIT(tomo_fft_debug, "tomofftplan", 0, "Fourier transforms of gst-tomo");
        return true;
    }();
    (void)once;
}

const EngineInfo &info_of(Engine engine) {
    return *std::find_if(std::begin(engines), std::end(engines),
                         [engine](const EngineInfo &info) { return info.engine == engine; });
}

const EngineInfo &engine_by_name(const char *name) {
    const auto found = std::find_if(std::begin(engines), std::end(engines),
                                    [name](const EngineInfo &info) { return g_str_equal(info.name, name); });
    if (found == std::end(engines))
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("%s=%s is no FFT engine; wanted vkfft, fftw or clfft", engine_variable, name));
    if (!found->make)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("%s=%s: this build of gst-tomo is without %s; unset %s or build with it",
                         engine_variable, name, name, engine_variable));
    return *found;
}

const EngineInfo &default_engine(cl_device_id device) {
    const auto type = cl_query<cl_device_type>(clGetDeviceInfo, device, CL_DEVICE_TYPE);
    if (type & CL_DEVICE_TYPE_CPU) {
        std::string reason;
        if (fftw_is_available(device, reason))
            return info_of(Engine::Fftw);
        static std::once_flag told;
        std::call_once(told, [&reason] {
            init_debug();
            GST_INFO("FFTs on CPU devices go without FFTW and are slower: %s", reason.c_str());
        });
    }
    for (Engine engine : {Engine::VkFft, Engine::ClFft})
        if (info_of(engine).make)
            return info_of(engine);
    throw Error(GST_LIBRARY_ERROR_SETTINGS,
                text("no FFT engine for the device '%s': this build of gst-tomo has neither VkFFT nor clFFT",
                     cl_query_string(clGetDeviceInfo, device, CL_DEVICE_NAME).c_str()));
}

const EngineInfo &choose_engine(cl_device_id device) {
    const char *asked = g_getenv(engine_variable);
    return asked && *asked ? engine_by_name(asked) : default_engine(device);
}

// The shape without dimensions of one sample, which lie in memory as if they were not there. Throws where it
// is no shape.
FftShape normalised(const FftShape &given) {
    if (given.dimensions < 1 || given.dimensions > 3)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("an FFT can't have %u dimensions; wanted 1, 2 or 3", given.dimensions));
    FftShape shape;
    shape.dimensions = 0;
    shape.size = {1, 1, 1};
    shape.batch = given.batch;
    std::size_t room = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) / sample_size;
    const auto take = [&room, &given](std::size_t factor) {
        if (factor == 0)
            throw Error(GST_LIBRARY_ERROR_SETTINGS, text("an FFT of %s is empty", given.describe().c_str()));
        room /= factor;
        if (room == 0)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("an FFT of %s is larger than any memory", given.describe().c_str()));
    };
    take(given.batch);
    for (unsigned i = 0; i < given.size.size(); i++) {
        if (i >= given.dimensions) {
            if (given.size[i] > 1)
                throw Error(GST_LIBRARY_ERROR_SETTINGS,
                            text("an FFT in %u dimensions has no size %zu in dimension %u; wanted 1",
                                 given.dimensions, given.size[i], i + 1));
            continue;
        }
        take(given.size[i]);
        if (given.size[i] > 1)
            shape.size[shape.dimensions++] = given.size[i];
    }
    return shape;
}

// A transform of single samples: each is its own spectrum.
class SingleSamples final : public Fft {
  public:
    SingleSamples(const FftShape &shape, const char *engine) : Fft(shape), engine_(engine) {}
    const char *engine() const override { return engine_; }

  private:
    ClEvent launch(const Launch &l) override {
        cl_event done = nullptr;
        if (l.in == l.out)
            cl_check(clEnqueueBarrierWithWaitList(l.queue, l.wait.size(), l.wait.data(), &done),
                     "ordering an FFT of single samples");
        else
            cl_check(clEnqueueCopyBuffer(l.queue, l.in.buffer, l.out.buffer, l.in.byte, l.out.byte,
                                         shape().samples() * sample_size, l.wait.size(), l.wait.data(),
                                         &done),
                     "copying in an FFT of single samples");
        return ClEvent(done);
    }

    const char *engine_;
};

std::unique_ptr<Fft> make_with(const EngineInfo &engine, cl_context context, cl_device_id device,
                               const FftShape &shape) {
    if (shape.dimensions == 0)
        return std::make_unique<SingleSamples>(shape, engine.name);
    init_debug();
    GST_DEBUG("planning an FFT of %s with %s", shape.describe().c_str(), engine.name);
    return engine.make({context, device, shape});
}

} // namespace

std::size_t FftShape::item_samples() const {
    std::size_t samples = 1;
    for (unsigned i = 0; i < std::min<std::size_t>(dimensions, size.size()); i++)
        samples *= size[i];
    return samples;
}

std::string FftShape::describe() const {
    std::string item = text("%zu", size[0]);
    for (unsigned i = 1; i < std::min<std::size_t>(dimensions, size.size()); i++)
        item += text(" x %zu", size[i]);
    return text(dimensions > 1 ? "%zu x (%s)" : "%zu x %s", batch, item.c_str());
}

Fft::~Fft() = default;

Fft::Place Fft::place(cl_mem buffer, std::size_t offset_samples, const char *role) const {
    if (!buffer)
        throw Error(GST_LIBRARY_ERROR_FAILED,
                    text("FFT of %s: no %s buffer", shape_.describe().c_str(), role));
    const auto size = cl_query<std::size_t>(clGetMemObjectInfo, buffer, CL_MEM_SIZE);
    const std::size_t has = size / sample_size, needs = shape_.samples();
    if (offset_samples > has || needs > has - offset_samples)
        throw Error(GST_LIBRARY_ERROR_FAILED,
                    text("FFT of %s: the %s buffer holds %zu samples, wanted %zu from sample %zu on",
                         shape_.describe().c_str(), role, has, needs, offset_samples));
    const auto parent = cl_query<cl_mem>(clGetMemObjectInfo, buffer, CL_MEM_ASSOCIATED_MEMOBJECT);
    const auto origin = cl_query<std::size_t>(clGetMemObjectInfo, buffer, CL_MEM_OFFSET);
    return {parent ? parent : buffer, (parent ? origin : 0) + offset_samples * sample_size};
}

// A moment in an in-order queue. NVIDIA's driver 580 has no times for barriers and markers, so this is a
// command that does something.
static ClEvent mark_time(cl_command_queue queue, const WaitList &wait) {
    cl_int status = CL_SUCCESS;
    const ClMem mark(clCreateBuffer(cl_query<cl_context>(clGetCommandQueueInfo, queue, CL_QUEUE_CONTEXT),
                                    CL_MEM_READ_WRITE, sizeof(cl_uint), nullptr, &status));
    cl_check(status, "timing an FFT");
    const cl_uint zero = 0;
    cl_event event = nullptr;
    cl_check(clEnqueueFillBuffer(queue, mark.get(), &zero, sizeof zero, 0, sizeof zero, wait.size(),
                                 wait.data(), &event),
             "timing an FFT");
    return ClEvent(event);
}

ClEvent Fft::enqueue(cl_command_queue queue, FftDirection direction, cl_mem in, std::size_t in_offset_samples,
                     cl_mem out, std::size_t out_offset_samples, const WaitList &wait) {
    const Launch request{queue, direction, place(in, in_offset_samples, "input"),
                         place(out, out_offset_samples, "output"), wait};
    if (request.in.buffer == request.out.buffer && !(request.in == request.out)) {
        const std::size_t distance = request.in.byte > request.out.byte ? request.in.byte - request.out.byte
                                                                        : request.out.byte - request.in.byte;
        if (distance < shape_.samples() * sample_size)
            throw Error(GST_LIBRARY_ERROR_FAILED,
                        text("FFT of %s: input and output overlap, %zu bytes apart; wanted the same place or "
                             "separate ones",
                             shape_.describe().c_str(), distance));
    }
    const auto properties =
        cl_query<cl_command_queue_properties>(clGetCommandQueueInfo, queue, CL_QUEUE_PROPERTIES);
    if (properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE)
        throw Error(GST_LIBRARY_ERROR_FAILED, "FFTs need an in-order queue; this one is out of order");
    if (!is_recording())
        return launch(request);
    // A transform may be several kernels: its time is that between what it waits for and its end.
    const ClEvent begin = mark_time(queue, wait);
    ClEvent done = launch(request);
    const ClEvent end = mark_time(queue, WaitList(queue));
    record_always({Command::Kind::fft, "fft of " + shape_.describe(), 0, nullptr, begin, end, queue});
    return done;
}

std::unique_ptr<Fft> make_fft(cl_context context, cl_device_id device, const FftShape &shape) {
    return make_with(choose_engine(device), context, device, normalised(shape));
}

FftCache::FftCache() : plans_(kept_plans) {}
FftCache::~FftCache() = default;

std::shared_ptr<Fft> FftCache::get(cl_context context, cl_device_id device, const FftShape &shape) {
    const EngineInfo &engine = choose_engine(device);
    const FftShape wanted = normalised(shape);
    return plans_.get({engine.name, context, device, wanted.size, wanted.batch},
                      [&] { return std::shared_ptr<Fft>(make_with(engine, context, device, wanted)); });
}

void fft_begin(cl_command_queue queue, const std::vector<cl_event> &wait) {
    if (!wait.empty())
        cl_check(clEnqueueBarrierWithWaitList(queue, static_cast<cl_uint>(wait.size()), wait.data(), nullptr),
                 "ordering an FFT");
}

ClEvent fft_end(cl_command_queue queue) {
    cl_event done = nullptr;
    cl_check(clEnqueueMarkerWithWaitList(queue, 0, nullptr, &done), "marking the end of an FFT");
    return ClEvent(done);
}

std::vector<cl_event> ScratchUse::waits_of(cl_command_queue queue, const WaitList &wait) const {
    std::vector<cl_event> events = wait.raw();
    if (last_ && last_.queue.get() != queue)
        events.push_back(last_.event.get());
    return events;
}

void ScratchUse::record(cl_command_queue queue, const ClEvent &done) {
    last_ = {done, ClQueue::retained(queue)};
    // Another queue may wait for this one from now on, and must not wait for somebody to flush it.
    cl_check(clFlush(queue), "flushing the queue of an FFT");
}

std::shared_ptr<Fft> fft_of(Device &device, const FftShape &shape) {
    return device.companion<FftCache>().get(device.context(), device.id(), shape);
}

} // namespace tomo
