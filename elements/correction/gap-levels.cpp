// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gap-levels.hpp"

#include <algorithm>
#include <utility>

namespace tomo {

namespace {

struct Place {
    unsigned x, y, z;
};

constexpr int steps[4][2] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};

class Builder {
  public:
    Builder(const std::uint8_t *marks, unsigned width, unsigned height)
        : marks_(marks), width_(width), height_(height) {}

    GapLevels build(unsigned planes) {
        const std::size_t samples = std::size_t{width_} * height_;
        for (unsigned z = 0; z < planes; z++) {
            const auto *plane = marks_ + z * samples;
            if (std::find(plane, plane + samples, 0) == plane + samples)
                result_.lost.push_back(z);
            else
                number(z);
        }
        if (places_.empty())
            return std::move(result_);
        result_.levels.push_back(first());
        while (has_links(result_.levels.back()))
            result_.levels.push_back(next(result_.levels.back(), planes));
        return std::move(result_);
    }

  private:
    void number(unsigned z) {
        rows_.resize((z + std::size_t{1}) * width_ * height_, GapLevel::none);
        for (unsigned y = 0; y < height_; y++)
            for (unsigned x = 0; x < width_; x++)
                if (const auto at = index(x, y, z); marks_[at]) {
                    rows_[at] = static_cast<std::uint32_t>(places_.size());
                    places_.push_back({x, y, z});
                    result_.positions.push_back(static_cast<std::uint32_t>(at));
                }
    }

    std::size_t index(unsigned x, unsigned y, unsigned z) const {
        return (std::size_t{z} * height_ + y) * width_ + x;
    }

    GapLevel first() const {
        GapLevel level;
        for (std::uint32_t i = 0; i < places_.size(); i++) {
            const auto [x, y, z] = places_[i];
            add_row(level, i);
            for (int k = 0; k < 4; k++) {
                const unsigned nx = x + static_cast<unsigned>(steps[k][0]),
                               ny = y + static_cast<unsigned>(steps[k][1]);
                if (nx >= width_ || ny >= height_)
                    continue;
                level.diagonal[i]++;
                if (const auto row = rows_[index(nx, ny, z)]; row != GapLevel::none) {
                    level.links[i][k] = row;
                    level.weights[i][k] = 1.0f;
                }
            }
        }
        return level;
    }

    static void add_row(GapLevel &level, std::uint32_t i) {
        level.diagonal.push_back(0.0f);
        level.links.push_back({i, i, i, i});
        level.weights.push_back({});
    }

    static bool has_links(const GapLevel &level) {
        return std::any_of(level.weights.begin(), level.weights.end(), [](const auto &weights) {
            return std::any_of(weights.begin(), weights.end(), [](float w) { return w != 0.0f; });
        });
    }

    // The places become those of the next level.
    GapLevel next(GapLevel &fine, unsigned planes) {
        width_ = (width_ + 1) / 2;
        height_ = (height_ + 1) / 2;
        rows_.assign(std::size_t{planes} * width_ * height_, GapLevel::none);
        GapLevel coarse;
        std::vector<Place> places;
        for (std::uint32_t i = 0; i < places_.size(); i++) {
            const Place place{places_[i].x / 2, places_[i].y / 2, places_[i].z};
            auto &row = rows_[index(place.x, place.y, place.z)];
            if (row == GapLevel::none) {
                row = static_cast<std::uint32_t>(places.size());
                places.push_back(place);
                add_row(coarse, row);
                coarse.children.push_back({GapLevel::none, GapLevel::none, GapLevel::none, GapLevel::none});
            }
            fine.parents.push_back(row);
            *std::find(coarse.children[row].begin(), coarse.children[row].end(), GapLevel::none) = i;
        }
        for (std::uint32_t i = 0; i < places_.size(); i++) {
            const auto row = fine.parents[i];
            coarse.diagonal[row] += fine.diagonal[i];
            for (int k = 0; k < 4; k++) {
                const auto other = fine.parents[fine.links[i][k]];
                if (other == row) {
                    coarse.diagonal[row] -= fine.weights[i][k];
                } else {
                    coarse.links[row][k] = other;
                    coarse.weights[row][k] += fine.weights[i][k];
                }
            }
        }
        places_ = std::move(places);
        return coarse;
    }

    const std::uint8_t *marks_;
    unsigned width_, height_;
    std::vector<std::uint32_t> rows_; // at places of the level; `none` where nothing is to be filled
    std::vector<Place> places_;       // of the level's rows
    GapLevels result_;
};

} // namespace

GapLevels gap_levels(const std::uint8_t *marks, unsigned width, unsigned height, unsigned planes) {
    return Builder(marks, width, height).build(planes);
}

} // namespace tomo
