// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the engines behind Fft share. Private to the library.
#pragma once

#include <gst/tomo/fft/fft.hpp>

#include <vector>

namespace tomo {

// What an engine gets to make a plan. Every size in the shape is above 1: a dimension of one sample changes
// nothing, so it is dropped before.
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

// Lets a multi-kernel transform start after its waits.
void fft_begin(cl_command_queue queue, const std::vector<cl_event> &wait);
// An event for everything enqueued so far.
ClEvent fft_end(cl_command_queue queue);

// Scratch memory of a plan serves one transform at a time. Within one in-order queue that is given; from one
// queue to the next the turn is handed on by an event. The plan's own lock must be held.
class FftTurn {
  public:
    // What a transform on this queue has to wait for, the caller's events included.
    std::vector<cl_event> take(cl_command_queue queue, const WaitList &wait) const;
    // The transform is enqueued and ends with this event.
    void give(cl_command_queue queue, const ClEvent &done);

  private:
    Stamp last_;
};

} // namespace tomo
