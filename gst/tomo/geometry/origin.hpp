// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace tomo {

// Where a value of the geometry comes from: somebody set it, the scan has it, an element found it in the
// images, or nobody knows it and the usual one was taken.
enum class Origin { property, scan, found, assumed };

constexpr const char *name_of(Origin origin) {
    switch (origin) {
    case Origin::property:
        return "property";
    case Origin::scan:
        return "scan";
    case Origin::found:
        return "found";
    case Origin::assumed:
        break;
    }
    return "assumed";
}

} // namespace tomo
