// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/device/device.hpp>

namespace tomo {

// Work-groups of GPUs that make columns, of voxels or of rays: `lanes` work-items are neighbours along a
// column.
struct ColumnGroups {
    static constexpr unsigned lanes = 32, least_rows = 8, most_rows = 16;

    static bool are_possible(const Device &device) { return device.max_work_group() >= lanes * least_rows; }
    static unsigned rows(const Device &device) {
        return device.max_work_group() >= lanes * most_rows ? most_rows : least_rows;
    }
};

} // namespace tomo
