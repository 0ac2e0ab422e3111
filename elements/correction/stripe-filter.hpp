// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "../fourier/transform.hpp"
#include "stripes.hpp"

#include <gst/tomo/bases/filter.hpp>

namespace tomo {

// A filter that removes stripes of sinograms.
class StripeFilter : public BatchFilter {
  public:
    static constexpr unsigned largest_window = 1023;
    static constexpr double usual_drop_ratio = 0.1;

    std::string kernel_file_name() const override { return "stripes.cl"; }

  protected:
    unsigned batch_that_pays(const ArrayInfo &in) override { return fourier::batch_that_pays(*device(), in); }

    Stripes &stripes() {
        if (!*stripes_)
            stripes_ = std::make_unique<Stripes>(*this);
        return **stripes_;
    }

  private:
    UntilStop<std::unique_ptr<Stripes>> stripes_{this};
};

} // namespace tomo
