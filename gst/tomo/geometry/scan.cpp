// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/geometry/origin.hpp>
#include <gst/tomo/geometry/scan.hpp>
#include <gst/tomo/support/number-list.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace tomo {

namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

// In the event when it is not `usual`.
struct Number {
    const char *name;
    double Scan::*value;
    double usual = unknown;

    bool is_usual(double number) const {
        return number == usual || (std::isnan(number) && std::isnan(usual));
    }
};
constexpr Number numbers[] = {{"energy", &Scan::energy},
                              {"distance", &Scan::distance},
                              {"source-distance", &Scan::source_distance},
                              {"flats-frame", &Scan::flats_frame},
                              {"flats-after-frame", &Scan::flats_after_frame},
                              {"flats-after-beam", &Scan::flats_after_beam},
                              {"total-projections", &Scan::total_projections},
                              {"total-rows", &Scan::total_rows},
                              {"region-x", &Scan::region_x, 0.0},
                              {"region-y", &Scan::region_y, 0.0},
                              {"binning-x", &Scan::binning_x, 1.0},
                              {"binning-y", &Scan::binning_y, 1.0},
                              {"region-beam", &Scan::region_beam},
                              {"binning-beam", &Scan::binning_beam}};

constexpr const char *axis_source = "axis-source";

struct List {
    const char *name;
    std::vector<double> Scan::*values;
};
constexpr List lists[] = {{"frames", &Scan::frames},
                          {"projection-numbers", &Scan::projection_numbers},
                          {"flat-set-frames", &Scan::flat_set_frames},
                          {"beam", &Scan::beam},
                          {"flats-beam", &Scan::flats_beam},
                          {"shifts-x", &Scan::shifts_x},
                          {"shifts-y", &Scan::shifts_y}};

} // namespace

Scan::Scan(GstEvent *event) : event_(EventRef::referenced(event)) {
    guint n = 0;
    const std::unique_ptr<double, Free> list(
        gst_event_parse_tomo_scan(event, &n, &axis_position, &pixel_size));
    angles.assign(list.get(), list.get() + n);
    const auto *s = gst_event_get_structure(event);
    const char *source = gst_structure_get_string(s, axis_source);
    axis_is_found = source && source == std::string(name_of(Origin::found));
    for (const auto &list : lists)
        this->*list.values = list_of(s, list.name);
    for (const auto &number : numbers)
        gst_structure_get_double(s, number.name, &(this->*number.value));
}

EventRef Scan::to_event() const {
    EventRef event(gst_event_new_tomo_scan(angles.data(), angles.size(), axis_position, pixel_size));
    auto *s = gst_event_writable_structure(event.get());
    if (event_)
        gst_structure_foreach(
            gst_event_get_structure(event_.get()),
            [](GQuark field, const GValue *value, gpointer to) -> gboolean {
                if (!gst_structure_id_has_field(static_cast<GstStructure *>(to), field))
                    gst_structure_id_set_value(static_cast<GstStructure *>(to), field, value);
                return TRUE;
            },
            s);
    gst_structure_remove_field(s, axis_source);
    if (axis_is_found)
        gst_structure_set(s, axis_source, G_TYPE_STRING, name_of(Origin::found), nullptr);
    for (const auto &list : lists) {
        gst_structure_remove_field(s, list.name);
        if (!(this->*list.values).empty())
            set_list(s, list.name, this->*list.values);
    }
    for (const auto &number : numbers) {
        gst_structure_remove_field(s, number.name);
        if (!number.is_usual(this->*number.value))
            gst_structure_set(s, number.name, G_TYPE_DOUBLE, this->*number.value, nullptr);
    }
    return event;
}

static std::vector<double> values_of_rows(const std::vector<double> &angles, const Layout &rows) {
    const double last = static_cast<double>(angles.size() - 1);
    std::vector<double> result;
    for (unsigned j = 0; j < rows.size; j++) {
        const double edge = (j + 0.5) / rows.scale + rows.offset;
        if (edge < 0.0 || edge > static_cast<double>(angles.size()))
            return {};
        const double centre = std::clamp(edge - 0.5, 0.0, last);
        const auto before = static_cast<std::size_t>(centre);
        const auto after = std::min(before + 1, angles.size() - 1);
        result.push_back(angles[before] + (centre - before) * (angles[after] - angles[before]));
    }
    return result;
}

void Scan::rows_are_views(const ArrayInfo &in) {
    if (in.domain != GST_TOMO_DOMAIN_UNKNOWN)
        total_rows = unknown;
    else if (total_rows >= 1.0)
        projection_numbers.clear();
}

std::size_t Scan::view_of(std::uint64_t number, std::uint64_t nth) const {
    const auto frame = std::lower_bound(frames.begin(), frames.end(), static_cast<double>(number));
    return frame != frames.end() && *frame == static_cast<double>(number)
               ? static_cast<std::size_t>(frame - frames.begin())
               : static_cast<std::size_t>(nth);
}

void Scan::forget_views() {
    for (auto *list : view_lists())
        list->clear();
}

void Scan::forget_rows(GstTomoDomain domain) {
    if (domain == GST_TOMO_DOMAIN_SINOGRAM)
        forget_views();
    else if (domain == GST_TOMO_DOMAIN_SLICE)
        region_beam = binning_beam = unknown;
    else
        forget_region_y();
}

void Scan::repeat_views(std::uint64_t n, Order order) {
    std::size_t longest = 1;
    for (const auto *list : view_lists())
        longest = std::max(longest, list->size());
    if (n > most_views / longest)
        forget_views();
    for (auto *list : view_lists()) {
        const auto once = std::exchange(*list, {});
        for (std::uint64_t i = 0; i < n * once.size(); i++)
            list->push_back(order == Order::each ? once[i / n] : once[i % once.size()]);
    }
}

EventRef scan_without_views(const EventRef &event) {
    Scan scan(event.get());
    scan.forget_views();
    return scan.to_event();
}

bool has_detector_columns(const ArrayInfo &info) {
    return info.domain == GST_TOMO_DOMAIN_UNKNOWN || info.domain == GST_TOMO_DOMAIN_PROJECTION ||
           info.domain == GST_TOMO_DOMAIN_SINOGRAM;
}

EventRef scan_after(const EventRef &event, const ArrayInfo &in, const Layout &columns, const Layout &rows) {
    Scan scan(event.get());
    if (in.domain == GST_TOMO_DOMAIN_SLICE) {
        scan.region_x += columns.offset * scan.binning_x;
        scan.binning_x /= columns.scale;
        scan.region_beam += rows.offset * scan.binning_beam;
        scan.binning_beam /= rows.scale;
        scan.pixel_size /= std::abs(columns.scale);
        return scan.to_event();
    }
    if (!has_detector_columns(in))
        return event;
    scan.axis_position = (scan.axis_position - columns.offset) * columns.scale;
    scan.pixel_size /= std::abs(columns.scale);
    scan.region_x += columns.offset * scan.binning_x;
    scan.binning_x /= columns.scale;
    if (in.domain == GST_TOMO_DOMAIN_SINOGRAM) {
        for (auto *list : scan.view_lists())
            if (list->size() == in.height)
                *list = values_of_rows(*list, rows);
    } else {
        scan.region_y += rows.offset * scan.binning_y;
        scan.binning_y /= rows.scale;
    }
    return scan.to_event();
}

} // namespace tomo
