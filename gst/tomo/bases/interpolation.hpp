// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Sampling between the centres of pixels. Kernels include sampling.h and are compiled with option(), together
// with AddressingMode::option() where positions may lie outside.
#pragma once

#include <gst/tomo/bases/property.hpp>

namespace tomo {

enum class Interpolation { nearest, linear, cubic };

class InterpolationMode final : public ChoiceBase {
  public:
    // `most` is the highest order that the element offers.
    InterpolationMode(Element *owner, Interpolation most, Interpolation initial = Interpolation::linear)
        : ChoiceBase(owner, "interpolation", int(initial), options(most), When::reshapes,
                     "How the input is sampled between pixel centres") {}

    operator Interpolation() const { return static_cast<Interpolation>(value_.load()); }
    std::string option() const { return " -D INTERPOLATION=" + std::to_string(value_.load()); }

  private:
    static std::vector<Option> options(Interpolation most) {
        std::vector<Option> all = {
            {int(Interpolation::nearest), "nearest", "The pixel that is met"},
            {int(Interpolation::linear), "linear", "Linear between two pixels along each axis"},
            {int(Interpolation::cubic), "cubic", "Catmull-Rom splines through four pixels along each axis"}};
        all.resize(static_cast<std::size_t>(most) + 1);
        return all;
    }
};

} // namespace tomo
