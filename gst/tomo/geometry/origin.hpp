// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace tomo {

// Source of a value of the geometry: a property, the scan, an element that found it in the images, or an
// assumption because the value is not known.
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
