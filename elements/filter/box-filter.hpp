// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "padded.hpp"

#include <gst/tomo/bases/filter.hpp>

#include <algorithm>

namespace tomo {

// A filter that orders the values in the box around each pixel, with a kernel of kernels/order-statistics.cl.
// A box of even width reaches one pixel farther to the right and down than to the left and up.
class BoxFilter : public Filter {
  public:
    std::string kernel_file_name() const override { return "order-statistics.cl"; }

    ArrayInfo shape(const ArrayInfo &in) override {
        box_ = box_width();
        kernel(kernel_name());
        // Places of the box's pixels, from its first one on, in the image with its margin.
        std::vector<cl_int> offsets;
        for (unsigned y = 0; y < box_; y++)
            for (unsigned x = 0; x < box_; x++)
                offsets.push_back(static_cast<cl_int>(y * (in.width + box_ - 1) + x));
        offsets_ = upload(offsets.data(), offsets.size() * sizeof offsets[0]);
        return Filter::shape(in);
    }

  protected:
    static constexpr unsigned largest_box = 1023;

    // Throws Error on a width that can't be.
    virtual unsigned box_width() const = 0;
    virtual const char *kernel_name() const = 0;

    // `outside` is what stands beyond the edges; with Addressing::none nothing that counts.
    template <class... Args>
    void order(const Array &in, Array &out, Addressing outside, Args... args) {
        const unsigned before = (box_ - 1) / 2, after = box_ / 2;
        const auto image = padded(*this, in, {before, before, after, after}, outside);
        // Boxes move down a column for as many rows as pay for looking at the whole of the first one.
        const unsigned runs = (in.height() - 1) / std::max(16u, box_) + 1;
        launch(kernel(kernel_name()), WorkSize(in.width(), runs, in.depth()), image, out,
               BareBuffer{*offsets_}, cl_uint{box_}, cl_uint{in.height()}, args...);
    }

  private:
    unsigned box_ = 1;
    UntilStop<Array> offsets_{this};
};

} // namespace tomo
