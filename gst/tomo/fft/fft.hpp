// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Discrete Fourier transforms of complex64 samples, of any length, on an OpenCL device.
//
// Three engines do the work: VkFFT (default), FFTW on the host but in the order of the device's queue
// (default on CPU devices where its module is installed) and clFFT. GST_TOMO_FFT=vkfft|fftw|clfft overrides
// the choice.
#pragma once

#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/recently-used.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <tuple>

namespace tomo {

enum class FftDirection {
    Forward, // X[k] = sum x[n] e^{-2 pi i k n / N}
    Inverse, // x[n] = sum X[k] e^{+2 pi i k n / N} / N
};

struct GST_TOMO_API FftShape {
    unsigned dimensions = 1;            // 1: rows, 2: planes, 3: blocks
    std::array<std::size_t, 3> size{1}; // x (fastest), y, z; sizes past `dimensions` are 0 or 1
    std::size_t batch = 1;              // rows, planes or blocks, one after the other

    std::size_t item_samples() const; // samples of one row, plane or block
    std::size_t samples() const { return item_samples() * batch; }
    std::string describe() const; // "16 x (2048 x 1024)"
};

// A plan for a device and a shape. It can run any number of times, from any thread and on any in-order queue
// of its device.
class GST_TOMO_API Fft {
  public:
    virtual ~Fft();
    Fft(const Fft &) = delete;
    Fft &operator=(const Fft &) = delete;

    // Transforms shape().samples() packed samples from `in` to `out`, which are the same place or do not
    // overlap; if they differ, `in` keeps its values. The transform starts after the events of `wait` and all
    // earlier commands of the queue. The returned event completes with the whole transform.
    ClEvent enqueue(cl_command_queue queue, FftDirection direction, cl_mem in, std::size_t in_offset_samples,
                    cl_mem out, std::size_t out_offset_samples, const WaitList &wait);

    virtual const char *engine() const = 0; // name as in GST_TOMO_FFT
    const FftShape &shape() const { return shape_; }

  protected:
    // Place of samples: a buffer that is not a sub-buffer, and the first byte.
    struct Place {
        cl_mem buffer;
        std::size_t byte;
        bool operator==(const Place &o) const { return buffer == o.buffer && byte == o.byte; }
    };
    struct Launch {
        cl_command_queue queue;
        FftDirection direction;
        Place in, out;
        const WaitList &wait;
    };

    explicit Fft(const FftShape &shape) : shape_(shape) {}
    virtual ClEvent launch(const Launch &launch) = 0;

  private:
    Place place(cl_mem buffer, std::size_t offset_samples, const char *role) const;

    const FftShape shape_;
};

// Makes a plan, which may take seconds. Throws if the chosen engine is not installed or does not support the
// shape.
GST_TOMO_API std::unique_ptr<Fft> make_fft(cl_context context, cl_device_id device, const FftShape &shape);

// The most recently used plans. A companion of the device, because plans keep references to its context.
class GST_TOMO_API FftCache {
  public:
    FftCache();
    ~FftCache();
    FftCache(const FftCache &) = delete;
    FftCache &operator=(const FftCache &) = delete;

    // The cached plan, or a new one by make_fft(). From any thread.
    std::shared_ptr<Fft> get(cl_context context, cl_device_id device, const FftShape &shape);

  private:
    // By name of the engine, context, device and shape.
    using Key = std::tuple<std::string, cl_context, cl_device_id, std::array<std::size_t, 3>, std::size_t>;
    RecentlyUsed<Key, std::shared_ptr<Fft>> plans_;
};

// The plan for a shape on a device, from its cache.
GST_TOMO_API std::shared_ptr<Fft> fft_of(Device &device, const FftShape &shape);

} // namespace tomo
