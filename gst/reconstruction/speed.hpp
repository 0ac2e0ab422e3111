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
    unsigned batch;      // slices that an iteration in parallel beams takes at once
    double least_batch;  // share of a whole batch's time that several slices take, however few they are
    double single_slice; // the same of one slice
    double samples;      // through correction, transposition and filter
    double reading;      // bytes
    double writing;      // bytes
    double start;        // seconds until a dataflow runs
    double next_start;   // the same in a process in which another one has run
};

// compute_units: those of the device, or a share of them.
GST_TOMO_API Rates rates_of(bool is_cpu, double compute_units, double reading);

// Workers of a cluster that are alike.
struct Workers {
    std::string device; // its name
    bool is_cpu;
    double compute_units; // of the device for each worker; those of one device share them
    double disk;          // share of its computer's rates of reading and writing that a worker has
    std::size_t count;
};

// Steps of a dataflow overlap, so the slowest one counts; where projections are held, slices wait for them.
GST_TOMO_API double expected_seconds(const Plan &plan, const Settings &settings, const Inspection &scan,
                                     const Rates &rates);
// The same where workers make the slabs: each of them the next slab as soon as it is free.
GST_TOMO_API double expected_seconds(const Plan &plan, const Settings &settings, const Inspection &scan,
                                     const std::vector<Workers> &workers);

// Fills in the device, or the devices that share the slices, and the seconds of a plan.
void expect_time(Plan &plan, const Settings &settings, const Inspection &scan, const Device &device,
                 const std::vector<SharingDevice> &devices = {});
// The same of a plan for a cluster.
void expect_time(Plan &plan, const Settings &settings, const Inspection &scan,
                 const std::vector<Workers> &workers);

} // namespace tomo::reconstruction
