// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/general-line.hpp>
#include <gst/reconstruction/method.hpp>
#include <gst/reconstruction/parts.hpp>
#include <gst/reconstruction/room.hpp>

#include <algorithm>

namespace tomo::reconstruction {

namespace {

// Row by row of the detector.
class RowParts final : public ImageParts {
  public:
    RowParts(const Settings &settings, const Inspection &scan, double axis)
        : settings_(settings), scan_(scan), axis_(axis), all_(scan.rows(settings)) {}

    unsigned images() const override { return all_.count / settings_.binning; }

    PartSize at_once() const override {
        const auto share = rows_at_once(settings_, scan_, all_);
        return {share.rows / settings_.binning, share.memory, least_memory(settings_, scan_)};
    }

    Rows rows(unsigned first, unsigned count) const override {
        const unsigned binning = settings_.binning;
        return {all_.first + first * binning * all_.step, count * binning, all_.step};
    }

    unsigned row_of(unsigned image) const override {
        return rows(image, 1).first + settings_.binning / 2 * all_.step;
    }

    std::string line(unsigned first, unsigned count) const override {
        return sinogram_line(settings_, scan_, rows(first, count)) +
               (settings_.result.is("slices") ? slice_line(settings_, scan_, axis_) : "");
    }

    std::string first_behind_correction() const override {
        return first_name_in(slice_line(settings_, scan_, axis_));
    }

  private:
    const Settings &settings_;
    const Inspection &scan_;
    const double axis_;
    const Rows all_;
};

// Plane by plane of a volume.
class PlaneParts final : public ImageParts {
  public:
    PlaneParts(const Settings &settings, const Inspection &scan, double axis)
        : settings_(settings), scan_(scan), volume_(settings, scan, axis) {}

    unsigned images() const override { return volume_.images(); }
    bool can_be_single() const override { return !is_iterative(settings_) || images() == 1; }

    PartSize at_once() const override {
        const auto least = memory(can_be_single() ? 1 : images());
        const auto most = settings_.memory_bytes();
        unsigned fits = 0, fails = images() + 1;
        if (!can_be_single())
            fits = least <= most ? images() : 0;
        else
            while (fails - fits > 1) {
                const unsigned tried = fits + (fails - fits) / 2;
                (memory(tried) <= most ? fits : fails) = tried;
            }
        return {fits, memory(std::max(fits, 1u)), least};
    }

    Rows rows(unsigned first, unsigned count) const override {
        const unsigned binning = settings_.binning;
        return is_iterative(settings_) ? Rows{0, scan_.image.height / binning * binning, 1}
                                       : volume_.rows(first, count);
    }

    unsigned row_of(unsigned image) const override { return volume_.row_of(image); }

    std::string line(unsigned first, unsigned count) const override {
        const Rows read = rows(first, count);
        return general_source_line(settings_, scan_, read) +
               general_slice_line(settings_, volume_, read, first, count);
    }

    std::string first_behind_correction() const override {
        return first_name_in(general_slice_line(settings_, volume_, rows(0, 1), 0, 1));
    }

  private:
    // Bytes that a part of so many planes holds, wherever it lies.
    std::uint64_t memory(unsigned count) const {
        const auto plane = sizeof(float) * std::uint64_t{volume_.grid().x.count} * volume_.grid().y.count;
        const unsigned last = images() - count;
        unsigned most_rows = 0;
        for (const unsigned first : {0u, last / 2, last})
            most_rows = std::max(most_rows, rows(first, count).count / settings_.binning);
        const auto projections = least_memory(settings_, scan_, most_rows); // twice
        if (is_iterative(settings_)) {
            const auto [volumes, sets] = held_by_iterations();
            return volumes * plane * count + sets * projections / 2;
        }
        const bool holds_projections = !settings_.rings.is("none");
        return plane * count + least_memory(settings_, scan_, 0) + (holds_projections ? 2 * projections : 0);
    }

    // Volumes and sets of projections, as tomogeneraliterate tells.
    std::pair<std::uint64_t, std::uint64_t> held_by_iterations() const {
        const auto &method = settings_.method;
        if (method.is("cgls"))
            return {5 + std::min(iterations_of(settings_), 32u), 2};
        if (method.is("fista") || method.is("sbtv"))
            return {14, 2};
        return {method.is("asdpocs") ? 8 : 5, 3};
    }

    const Settings &settings_;
    const Inspection &scan_;
    const GeneralVolume volume_;
};

} // namespace

std::unique_ptr<ImageParts> parts_of(const Settings &settings, const Inspection &scan, double axis) {
    if (is_general(settings, scan))
        return std::make_unique<PlaneParts>(settings, scan, axis);
    return std::make_unique<RowParts>(settings, scan, axis);
}

} // namespace tomo::reconstruction
