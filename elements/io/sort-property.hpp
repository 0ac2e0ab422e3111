// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/natural-order.hpp>

#include <gst/tomo/bases/element.hpp>

namespace tomo::io {

// The property `sort` of elements that read folders and patterns.
inline Choice<NameOrder> sort_property(Element *owner) {
    return {owner,
            "sort",
            NameOrder::Natural,
            {{NameOrder::Natural, "natural", "Numbers in the names count as numbers: 2 before 10"},
             {NameOrder::Name, "name", "Names byte by byte, as UFO sorts them"}},
            When::ready,
            "Order of the files"};
}

} // namespace tomo::io
