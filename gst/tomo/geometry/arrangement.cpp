// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/geometry/arrangement.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>

namespace tomo {

namespace {

constexpr std::array<const char *, part_count> part_names = {
    "axis-angle-x",      "axis-angle-y",        "axis-angle-z",        "volume-angle-x",
    "volume-angle-y",    "volume-angle-z",      "detector-angle-x",    "detector-angle-y",
    "detector-angle-z",  "detector-position-x", "detector-position-y", "detector-position-z",
    "source-position-x", "source-position-y",   "source-position-z",   "center-position-x",
    "center-position-z",
};

[[noreturn]] void refuse(Part part, double value, std::uint64_t view, const char *wanted) {
    throw Error(GST_LIBRARY_ERROR_SETTINGS, text("%s is %g for projection %" G_GUINT64_FORMAT "; wanted %s",
                                                 name_of(part), value, view, wanted));
}

void check_numbers(Arrangement arrangement, std::uint64_t view) {
    for (unsigned i = 0; i < part_count; i++) {
        const Part part{static_cast<int>(i)};
        const double value = part_of(arrangement, part);
        if (!std::isfinite(value) && !(part == Part::source_position_y && arrangement.is_parallel()))
            refuse(part, value, view,
                   part == Part::source_position_y ? "less than 0 pixels, or -inf for a parallel beam"
                                                   : "a finite number");
    }
    if (arrangement.is_parallel())
        return;
    if (!(arrangement.source.y < 0.0))
        refuse(Part::source_position_y, arrangement.source.y, view,
               "less than 0 pixels, which is before the axis, or -inf for a parallel beam");
    if (!(arrangement.detector.y > arrangement.source.y))
        refuse(
            Part::detector_position_y, arrangement.detector.y, view,
            text("more than source-position-y=%g, which is behind the source", arrangement.source.y).c_str());
}

// The part of the normal along the ray; too little of it, and rays graze the detector.
void check_facing(double along, double whole, std::uint64_t view) {
    if (!(std::abs(along) > 1e-6 * whole))
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("detector-angle-x, -y and -z turn the detector of projection %" G_GUINT64_FORMAT
                         " along the beam; wanted one that faces it",
                         view));
}

} // namespace

const char *name_of(Part part) { return part_names[static_cast<unsigned>(part)]; }

double &part_of(Arrangement &a, Part part) {
    switch (part) {
    case Part::axis_angle_x:
        return a.axis_angle.x;
    case Part::axis_angle_y:
        return a.axis_angle.y;
    case Part::axis_angle_z:
        return a.axis_angle.z;
    case Part::volume_angle_x:
        return a.volume_angle.x;
    case Part::volume_angle_y:
        return a.volume_angle.y;
    case Part::volume_angle_z:
        return a.volume_angle.z;
    case Part::detector_angle_x:
        return a.detector_angle.x;
    case Part::detector_angle_y:
        return a.detector_angle.y;
    case Part::detector_angle_z:
        return a.detector_angle.z;
    case Part::detector_position_x:
        return a.detector.x;
    case Part::detector_position_y:
        return a.detector.y;
    case Part::detector_position_z:
        return a.detector.z;
    case Part::source_position_x:
        return a.source.x;
    case Part::source_position_y:
        return a.source.y;
    case Part::source_position_z:
        return a.source.z;
    case Part::center_position_x:
        return a.centre_x;
    case Part::center_position_z:
        break;
    }
    return a.centre_z;
}

Arrangements::Arrangements() {
    for (const char *name : part_names)
        values_.emplace_back(name, std::vector<double>());
}

void Arrangements::set(Part part, std::vector<double> values) {
    values_[static_cast<unsigned>(part)] = PerView(name_of(part), std::move(values));
}

void Arrangements::check(std::uint64_t views) const {
    for (const auto &list : values_)
        list.check(views);
}

Arrangement Arrangements::at(std::uint64_t view) const {
    Arrangement arrangement;
    for (unsigned i = 0; i < part_count; i++) {
        double &value = part_of(arrangement, Part{static_cast<int>(i)});
        value = values_[i].at(view, value);
    }
    return arrangement;
}

ViewGeometry::ViewGeometry(const Arrangement &a, std::uint64_t view) : is_parallel_(a.is_parallel()) {
    check_numbers(a, view);
    const Matrix3 rotation = rotation_zyx(a.axis_angle) * rotation_zyx(a.volume_angle);
    const Matrix3 detector = rotation_zyx(a.detector_angle);
    const double scale = a.scale();
    to_volume_ = transposed(rotation);
    for (Vector3 *column : {&to_volume_.x, &to_volume_.y, &to_volume_.z})
        *column = (1.0 / scale) * *column;
    across_ = detector.x;
    down_ = detector.z;
    const Vector3 normal = detector.y;
    corner_ = a.detector - a.centre_x * across_ - a.centre_z * down_;

    // A linear function of points in the frame of source and detector, as one of points in the volume.
    const Matrix3 back = transposed(rotation);
    const auto form = [&](const Vector3 &factors, double constant) {
        return Form{scale * (back * factors), constant};
    };
    const Vector3 axis = rotation_x(a.axis_angle.x) * (rotation_y(a.axis_angle.y) * Vector3{0.0, 0.0, 1.0});
    if (is_parallel_) {
        // The ray through v meets the detector at v + t (0, 1, 0), t = (corner - v) normal / normal.y.
        check_facing(normal.y, 1.0, view);
        source_ = {};
        const auto seen = [&](const Vector3 &side) {
            const double slope = side.y / normal.y;
            return form(side - slope * normal, slope * dot(corner_, normal) - dot(corner_, side));
        };
        column_ = seen(across_);
        row_ = seen(down_);
        depth_ = distance_ = Form{{}, 1.0};
        axis_sine_ = length(cross(axis, {0.0, 1.0, 0.0}));
        return;
    }
    // The ray through v meets it at source + (v - source) / depth.
    source_ = a.source;
    const Vector3 reach = corner_ - source_;
    const double facing = dot(a.detector - source_, normal);
    check_facing(facing, length(a.detector - source_), view);
    const Vector3 depth = (1.0 / facing) * normal;
    const double depth_constant = -dot(depth, source_);
    depth_ = form(depth, depth_constant);
    const auto seen = [&](const Vector3 &side) {
        const double edge = -dot(reach, side);
        return form(side + edge * depth, edge * depth_constant - dot(side, source_));
    };
    column_ = seen(across_);
    row_ = seen(down_);
    const double along = a.detector.y - source_.y;
    distance_ = form({0.0, 1.0 / along, 0.0}, -source_.y / along);
    axis_sine_ = length(cross(axis, source_)) / length(source_);
}

ViewGeometry::Rays ViewGeometry::rays() const {
    Rays rays{is_parallel_, {}, {}, to_volume_ * corner_, to_volume_ * across_, to_volume_ * down_};
    if (is_parallel_) {
        const Vector3 along = to_volume_ * Vector3{0.0, 1.0, 0.0};
        rays.direction = (1.0 / length(along)) * along;
    } else {
        rays.source = to_volume_ * source_;
    }
    return rays;
}

void ViewGeometry::check_box(const Vector3 &low, const Vector3 &high, std::uint64_t view) const {
    if (is_parallel_)
        return;
    for (int corner = 0; corner < 8; corner++) {
        const Vector3 point{corner & 1 ? high.x : low.x, corner & 2 ? high.y : low.y,
                            corner & 4 ? high.z : low.z};
        for (const Form *form : {&depth_, &distance_})
            if (!(form->at(point) > 1e-6))
                throw Error(
                    GST_LIBRARY_ERROR_SETTINGS,
                    text("the volume reaches the source of projection %" G_GUINT64_FORMAT
                         ", source-position-y=%g: its corner (%g, %g, %g) is not in front of it; wanted a "
                         "smaller x-region, y-region or region, or a source farther away",
                         view, source_.y, point.x, point.y, point.z));
    }
}

} // namespace tomo
