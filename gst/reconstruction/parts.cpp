// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/devices/shared-line.hpp>
#include <gst/reconstruction/general-line.hpp>
#include <gst/reconstruction/given-slices.hpp>
#include <gst/reconstruction/method.hpp>
#include <gst/reconstruction/off-axis.hpp>
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
        return settings_.result.is("slices")
                   ? given_slices_lines(settings_, made(), first, count) +
                         sinograms_to_slices_line(settings_, scan_, rows(first, count), axis_)
                   : sinogram_line(settings_, scan_, rows(first, count));
    }

    void check() const override {
        if (settings_.result.is("slices"))
            check_given_slices(settings_, made());
    }

    std::string first_behind_correction() const override {
        return first_name_in(slice_line(settings_, scan_, axis_));
    }

  private:
    MadeSlices made() const {
        const unsigned columns = field_of_slices(settings_, scan_, axis_).columns,
                       own = settings_.crop_width ? std::min(settings_.crop_width.value(), columns) : columns,
                       edge = (columns - own) / 2, binning = settings_.binning;
        const auto element = with_inputs_of(settings_, settings_.method.value());
        MadeSlices made{element, columns, columns, edge, edge, own, own, images()};
        if (all_.first % binning == 0) {
            made.of_scan = scan_.image.height / binning;
            made.first = all_.first / binning;
            made.step = all_.step;
        }
        return made;
    }

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
        const auto size = [&](unsigned count) { return held(std::max(count, 1u)).all(); };
        const unsigned whole = images();
        if (is_iterative(settings_)) {
            // On a device with memory of its own the element tells that it does not find place.
            const bool fits = scan_.device_memory || takes(whole);
            return {fits ? whole : 0, size(whole), size(whole)};
        }
        // The element makes a volume in parts that the device does not take, from projections that are read
        // once and lie on the host meanwhile.
        if (scan_.device_memory && !takes(whole) && settings_.rings.is("none") &&
            projections(whole) <= settings_.memory_bytes())
            return {whole, projections(whole), size(1)};
        unsigned fits = 0, fails = whole + 1;
        while (fails - fits > 1) {
            const unsigned tried = fits + (fails - fits) / 2;
            (takes(tried) ? fits : fails) = tried;
        }
        return {fits, size(fits), size(1)};
    }

    Rows rows(unsigned first, unsigned count) const override { return volume_.rows(first, count); }

    unsigned row_of(unsigned image) const override { return volume_.row_of(image); }

    std::string line(unsigned first, unsigned count) const override {
        const Rows read = rows(first, count);
        return given_slices_lines(settings_, made(), first, count) +
               general_source_line(settings_, scan_, read) +
               general_slice_line(settings_, volume_, read, first, count);
    }

    void check() const override { check_given_slices(settings_, made()); }

    std::string first_behind_correction() const override {
        return first_name_in(general_slice_line(settings_, volume_, rows(0, 1), 0, 1));
    }

  private:
    MadeSlices made() const {
        const auto &grid = volume_.grid(), &all = volume_.made();
        const auto &place = volume_.place();
        MadeSlices made{"iterate", all.x.count,  all.y.count,  place.x,
                        place.y,   grid.x.count, grid.y.count, images()};
        const auto &general = settings_.general;
        const auto rows = scan_.rows(settings_);
        const unsigned binning = settings_.binning;
        if (!general.slice_region.is_given() && !general.z.is_given() && rows.first % binning == 0) {
            made.of_scan = scan_.image.height / binning;
            made.first = rows.first / binning;
            made.step = rows.step;
        }
        return made;
    }

    // Bytes that a part of so many planes holds.
    struct Held {
        std::uint64_t volume, projections; // on the device, and as a rule on the host
        std::uint64_t all() const { return volume + projections; }
    };
    Held held(unsigned count) const {
        const auto &made = volume_.made();
        const auto volume = sizeof(float) * std::uint64_t{made.x.count} * made.y.count *
                            (is_iterative(settings_) ? made.z.count : count);
        const auto flats = least_memory(settings_, scan_, 0);
        if (is_iterative(settings_)) {
            const auto [volumes, sets] = held_by_iterations(volume);
            return {volumes * volume,
                    sets * projections(count) + flats + exchanged(volume, projections(count))};
        }
        // Sinograms, and what they are made of, twice.
        return {volume, (settings_.rings.is("none") ? 0 : 4 * projections(count)) + flats};
    }

    // Bytes on the host for devices that share iterations: volume and projections come and go by pinned
    // memory. Those that compute in the host's memory have copies there as well.
    std::uint64_t exchanged(std::uint64_t volume, std::uint64_t projections) const {
        if (!is_shared(settings_) || !settings_.sweep.empty())
            return 0;
        const auto others = sharing_indices(settings_).size() - 1;
        return others * (scan_.device_memory ? 2 : 3) * (volume + projections);
    }

    // Of all rows that a part of so many planes reads.
    std::uint64_t projections(unsigned count) const {
        const unsigned last = images() - count;
        unsigned most = 0;
        for (const unsigned first : {0u, last / 2, last})
            most = std::max(most, rows(first, count).count / settings_.binning);
        return sizeof(float) * std::uint64_t{scan_.image.width / settings_.binning} * scan_.views * most;
    }

    bool takes(unsigned count) const {
        const auto [volume, projections] = held(count);
        if (!scan_.device_memory)
            return volume + projections <= settings_.memory_bytes();
        const auto for_volume = scan_.device_memory / 4 * 3; // the rest is for projections on their way
        return volume <= for_volume && projections <= settings_.memory_bytes();
    }

    // Volumes of so many bytes and sets of projections, as tomogeneraliterate tells.
    std::pair<std::uint64_t, std::uint64_t> held_by_iterations(std::uint64_t volume) const {
        const auto &method = settings_.method;
        if (method.is("cgls")) { // whose gradients have a quarter of the memory at most
            const auto memory = scan_.device_memory ? scan_.device_memory : settings_.memory_bytes();
            const auto fit = std::max<std::uint64_t>(memory / 4 / volume, 1);
            return {5 + std::min<std::uint64_t>({iterations_of(settings_), 32, fit}), 2};
        }
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
