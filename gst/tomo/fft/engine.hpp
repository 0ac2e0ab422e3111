// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The common part of the engines behind Fft. Private to the library.
#pragma once

#include <gst/tomo/fft/fft.hpp>

#include <vector>

namespace tomo {

// The input for a plan. Every size in the shape is above 1: make_fft() drops dimensions of one sample, which
// change nothing.
struct FftTask {
    cl_context context;
    cl_device_id device;
    FftShape shape;
};

std::unique_ptr<Fft> make_vkfft(const FftTask &task);
std::unique_ptr<Fft> make_clfft(const FftTask &task);
std::unique_ptr<Fft> make_fftw(const FftTask &task);

// Whether FFTW can serve the device; if not, `reason` says why.
bool fftw_is_available(cl_device_id device, std::string &reason);

// Makes the following commands of a transform wait for these events.
void fft_begin(cl_command_queue queue, const std::vector<cl_event> &wait);
// An event for everything enqueued so far.
ClEvent fft_end(cl_command_queue queue);

// The scratch memory of a plan serves one transform at a time. One in-order queue guarantees that; between
// two queues an event does. The caller must hold the plan's lock.
class ScratchUse {
  public:
    // The events that a transform on this queue has to wait for, including the caller's.
    std::vector<cl_event> waits_of(cl_command_queue queue, const WaitList &wait) const;
    // The transform is enqueued and ends with this event.
    void record(cl_command_queue queue, const ClEvent &done);

  private:
    Stamp last_;
};

} // namespace tomo
