// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ring-list.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

using namespace tomo;

namespace {

class GetDupCirc final : public RingFilter {
  public:
    static constexpr Info info{
        .task = "get-dup-circ",
        .klass = "Filter/Effect",
        .blurb = "Joins rings of a list that are nearly the same",
        .in = formats::float32,
        .details =
            "From the first ring on, each takes up those behind it whose centre is nearer than `threshold` and whose radius "
            "differs by less than that, and becomes the mean of all; it does so again until it finds no more. The "
            "contrast and the intensity are the largest of these rings. `tomofilterparticle` has the form of lists; a list "
            "has up to 2000 rings.",
        .example = "tomoread path=slice.tif ! tomofilterparticle min=0 threshold=0.5 ! tomogetdupcirc ! "
                   "tomoringwriter filename=particles.txt",
    };

    Property<float> threshold{
        this, "threshold", 10.0f, {1.0f, FLT_MAX}, "Pixels by which centres and radii may differ"};

  protected:
    std::vector<Ring> filter(std::vector<Ring> rings) override {
        check_number(rings);
        std::vector<bool> is_taken(rings.size());
        std::vector<Ring> result;
        for (std::size_t i = 0; i < rings.size(); i++) {
            if (is_taken[i])
                continue;
            Mean mean(rings[i]);
            for (bool found = true; found;) {
                found = false;
                const Ring now = mean.ring();
                for (std::size_t j = i + 1; j < rings.size(); j++)
                    if (!is_taken[j] && now.distance(rings[j]) < threshold &&
                        std::abs(double(now.radius) - rings[j].radius) < threshold) {
                        mean.add(rings[j]);
                        found = is_taken[j] = true;
                    }
            }
            result.push_back(mean.ring());
        }
        return result;
    }

  private:
    class Mean {
      public:
        explicit Mean(const Ring &ring) : best_(ring), x_(ring.x), y_(ring.y), radius_(ring.radius) {}

        void add(const Ring &ring) {
            x_ += ring.x;
            y_ += ring.y;
            radius_ += ring.radius;
            count_++;
            best_.contrast = std::max(best_.contrast, ring.contrast);
            best_.intensity = std::max(best_.intensity, ring.intensity);
        }

        Ring ring() const {
            const auto mean = [&](double sum) { return static_cast<float>(sum / count_); };
            return {mean(x_), mean(y_), mean(radius_), best_.contrast, best_.intensity};
        }

      private:
        Ring best_;
        double x_, y_, radius_;
        int count_ = 1;
    };
};

} // namespace

TOMO_ELEMENT(GetDupCirc)
