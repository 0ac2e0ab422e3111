// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL

// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/fourier-transforms.hpp>
#include "stripes.hpp"

#include <gst/tomo/bases/filter.hpp>

namespace tomo {

constexpr double usual_drop_ratio = 0.1;

// Properties that several of these filters have.
inline Property<unsigned>
median_size(Element *owner, unsigned usual, const char *name = "size",
            const char *blurb = "Columns of the window of the medians; larger removes wider stripes") {
    return Property<unsigned>(owner, name, usual, {1, 1023}, When::reshapes, blurb);
}
inline Property<double> stripe_snr(Element *owner) {
    return Property<double>(owner, "snr", 3.0, {0.1, 1e6},
                            "How far from the noise of all columns a stripe is, as a multiple of that noise; "
                            "smaller finds more");
}
inline Property<double> drop_ratio_of_views(Element *owner) {
    return Property<double>(owner, "drop-ratio", usual_drop_ratio, {0.0, 0.8},
                            "Share of the views, half of them the lowest and half the highest ones of a "
                            "column, that do not count for its mean");
}

// A filter that removes stripes of sinograms.
class StripeFilter : public BatchFilter {
  public:
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
