// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The time that a plan will take. It is a model: the amounts of the plan over rates of device and disk.
#pragma once

#include <gst/reconstruction/devices/shares.hpp>
#include <gst/reconstruction/plan.hpp>

namespace tomo {
class Device;
}

namespace tomo::reconstruction {

// Rates per second.
struct Rates {
    double updates;            // of the backprojection: a pixel by a view
    double general;            // the same in the general geometry: a voxel by a view
    double general_iterations; // the same in an iteration there, forth and back
    double view_by_view; // backprojections that take as long as an iteration view by view in parallel beams
    double samples;      // through correction, transposition and filter
    double reading;      // bytes
    double writing;      // bytes
    double start;        // seconds until a dataflow runs
};

Rates rates_of(bool is_cpu, unsigned compute_units, double reading);

// Steps of a dataflow overlap, so the slowest one counts; where projections are held, slices wait for them.
GST_TOMO_API double expected_seconds(const Plan &plan, const Settings &settings, const Inspection &scan,
                                     const Rates &rates);

// Fills in the device, or the devices that share the slices, and the seconds of a plan.
void expect_time(Plan &plan, const Settings &settings, const Inspection &scan, const Device &device,
                 const std::vector<SharingDevice> &devices = {});

} // namespace tomo::reconstruction
