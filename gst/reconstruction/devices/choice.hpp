// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which devices share the slices of one reconstruction.
#pragma once

#include <gst/reconstruction/devices/shares.hpp>
#include <gst/reconstruction/inspection.hpp>

namespace tomo::reconstruction {

// The devices that `devices` means, else GST_TOMO_DEVICES where no `device` is given, the fastest one first;
// empty where neither is there. Throws Error where they mean none, name one twice, or where `device` is given
// as well.
std::vector<SharingDevice> devices_of(const Settings &settings);
// Takes those away that are so many times slower than the first one, and returns them.
std::vector<SharingDevice> take_devices_slower_than(std::vector<SharingDevice> &devices, double times);
// Takes processors away where the first device is a GPU, and returns them.
std::vector<SharingDevice> take_processors_beside_gpus(std::vector<SharingDevice> &devices);
// Why slices can't be shared, as the end of a sentence; empty where they can.
std::string why_not_shared(const Settings &settings);

} // namespace tomo::reconstruction
