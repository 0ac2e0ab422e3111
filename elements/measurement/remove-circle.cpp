// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ring-list.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace tomo;

namespace {

class RemoveCircle final : public RingFilter {
  public:
    static constexpr Info info{
        .task = "remove-circle",
        .klass = "Filter/Effect",
        .blurb = "Removes rings from a list that others make believe",
        .in = formats::float32,
        .details =
            "First, from the strongest ring on, each removes those that touch it from inside and are weaker than 3/4 of it: "
            "|d + r - R| < 6 with the distance d of the centres, the smaller radius r and the larger R; the strength is "
            "contrast times intensity. Then rings go that lie between two others which overlap: with the distance d of "
            "these, the sum s of their radii, and d < s, the ring's radius differs by less than `threshold` from (s - d) "
            "/ 2 or from (s + d) / 2, and its centre is nearer than d / 2 to the middle between the two. The others keep "
            "their order. `tomofilterparticle` has the form of lists; a list has up to 2000 rings.",
        .example = "tomoread path=slice.tif ! tomofilterparticle min=0 threshold=0.5 ! tomoremovecircle ! "
                   "tomoringwriter filename=particles.txt",
    };

    Property<float> threshold{this, "threshold", 5.0f, {1.0f, FLT_MAX}, "Pixels by which radii may differ"};

  protected:
    std::vector<Ring> filter(std::vector<Ring> rings) override {
        check_number(rings);
        return without_crossings(without_inner(rings));
    }

  private:
    static constexpr double touching = 6.0; // pixels
    static constexpr float weaker = 0.75f;

    static std::vector<Ring> without_inner(const std::vector<Ring> &rings) {
        std::vector<std::size_t> order(rings.size());
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(),
                         [&](auto a, auto b) { return rings[a].strength() > rings[b].strength(); });
        std::vector<bool> is_removed(rings.size());
        for (std::size_t k = 0; k < order.size(); k++) {
            const auto &strong = rings[order[k]];
            if (is_removed[order[k]])
                continue;
            for (std::size_t m = k + 1; m < order.size(); m++) {
                const auto &other = rings[order[m]];
                const double smaller = std::min(strong.radius, other.radius),
                             larger = std::max(strong.radius, other.radius);
                if (std::abs(strong.distance(other) + smaller - larger) < touching &&
                    other.strength() < weaker * strong.strength())
                    is_removed[order[m]] = true;
            }
        }
        return kept(rings, is_removed);
    }

    std::vector<Ring> without_crossings(const std::vector<Ring> &rings) const {
        std::vector<bool> is_removed(rings.size());
        for (std::size_t a = 0; a < rings.size(); a++)
            for (std::size_t b = a + 1; b < rings.size(); b++) {
                const double distance = rings[a].distance(rings[b]),
                             sum = double(rings[a].radius) + rings[b].radius;
                if (!(distance < sum))
                    continue;
                const Ring middle{(rings[a].x + rings[b].x) / 2, (rings[a].y + rings[b].y) / 2, 0, 0, 0};
                for (std::size_t c = 0; c < rings.size(); c++)
                    if (c != a && c != b && rings[c].distance(middle) < distance / 2 &&
                        (is_near(rings[c].radius, (sum - distance) / 2) ||
                         is_near(rings[c].radius, (sum + distance) / 2)))
                        is_removed[c] = true;
            }
        return kept(rings, is_removed);
    }

    bool is_near(double radius, double other) const { return std::abs(radius - other) < threshold; }

    static std::vector<Ring> kept(const std::vector<Ring> &rings, const std::vector<bool> &is_removed) {
        std::vector<Ring> result;
        for (std::size_t i = 0; i < rings.size(); i++)
            if (!is_removed[i])
                result.push_back(rings[i]);
        return result;
    }
};

} // namespace

TOMO_ELEMENT(RemoveCircle)
