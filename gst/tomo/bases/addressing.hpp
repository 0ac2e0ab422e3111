// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The property `addressing-mode`: the values beyond the edges of an image. Kernels read it through
// tomo_address() of kernels/common.h, with the build option that option() gives.
#pragma once

#include <gst/tomo/bases/property.hpp>

namespace tomo {

// kernels/common.h uses the same order.
enum class Addressing { none, clamp, clamp_to_edge, repeat, mirrored_repeat };

class AddressingMode final : public ChoiceBase {
  public:
    // `none_means` describes how the element treats pixels outside in the mode none.
    AddressingMode(Element *owner, Addressing initial, const char *none_means)
        : ChoiceBase(
              owner, "addressing-mode", int(initial),
              {{int(Addressing::none), "none", none_means},
               {int(Addressing::clamp), "clamp", "Zero"},
               {int(Addressing::clamp_to_edge), "clamp_to_edge", "The nearest pixel, min(max(i, 0), N - 1)"},
               {int(Addressing::repeat), "repeat", "The input again, i mod N"},
               {int(Addressing::mirrored_repeat), "mirrored_repeat",
                "The input mirrored at its edges: m = i mod 2N, or 2N - 1 - m from N on"}},
              When::reshapes, "Value at position i outside of the N pixels of the input, along either axis") {
    }

    operator Addressing() const { return static_cast<Addressing>(value_.load()); }
    int number() const { return value_.load(); } // of tomo_address() in kernels/common.h
    std::string option() const { return "-D ADDRESSING=" + std::to_string(value_.load()); }
};

} // namespace tomo
