// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where source, object and detector are, in any arrangement of rigid bodies. docs/geometry.md draws it.
#pragma once

#include <gst/tomo/geometry/cone-beam.hpp>
#include <gst/tomo/geometry/vector3.hpp>

#include <limits>

namespace tomo {

// The arrangement for one projection. x is across the beam, along the columns of the detector; y is along the
// beam; z is along the rotation axis, in the direction of growing rows. Lengths are in detector pixels,
// angles in radians.
struct Arrangement {
    static constexpr double infinity = std::numeric_limits<double>::infinity();

    Vector3 source{0.0, -infinity, 0.0}; // y = -infinity: a parallel beam along y
    Vector3 detector;                    // the point of the detector that is seen at the centre
    Vector3 detector_angle, axis_angle, volume_angle;
    double centre_x = 0.0, centre_z = 0.0; // column and row of the detector's point, in edge coordinates

    bool operator==(const Arrangement &) const = default;
    bool is_parallel() const { return source.y == -infinity; }
    // Length in the volume that one detector pixel shows, seen at the axis.
    double scale() const { return is_parallel() ? 1.0 : source.y / (source.y - detector.y); }
};

// The numbers of an arrangement, with the names of their properties.
enum class Part {
    axis_angle_x,
    axis_angle_y,
    axis_angle_z,
    volume_angle_x,
    volume_angle_y,
    volume_angle_z,
    detector_angle_x,
    detector_angle_y,
    detector_angle_z,
    detector_position_x,
    detector_position_y,
    detector_position_z,
    source_position_x,
    source_position_y,
    source_position_z,
    center_position_x,
    center_position_z,
};
constexpr unsigned part_count = 17;
GST_TOMO_API const char *name_of(Part part); // "axis-angle-x"
GST_TOMO_API double &part_of(Arrangement &arrangement, Part part);

// The arrangements of all projections: each number is the same for all of them, or one of a list.
class GST_TOMO_API Arrangements {
  public:
    Arrangements();

    // An empty list means that the property was not set.
    void set(Part part, std::vector<double> values);
    const PerView &values(Part part) const { return values_[static_cast<unsigned>(part)]; }
    // Throws Error, which names the property, if a list has another length than `views`.
    void check(std::uint64_t views) const;
    // For projection `view`, counted from 0. Throws Error where a list has no value for it.
    Arrangement at(std::uint64_t view) const;

  private:
    std::vector<PerView> values_;
};

// How a volume projects to the detector. Points X of the volume are relative to the point about which it
// rotates. Their unit of length is a detector pixel, or the part of it that the pixel shows at the axis of a
// cone beam (Arrangement::scale()).
class GST_TOMO_API ViewGeometry {
  public:
    // A linear function of points.
    struct Form {
        Vector3 factors;
        double constant = 0.0;
        double at(const Vector3 &point) const { return dot(factors, point) + constant; }
    };
    // The rays of a projection, in the coordinates of the volume.
    struct Rays {
        bool is_parallel;
        Vector3 source;      // of a cone beam: where all rays come from
        Vector3 direction;   // of a parallel beam, along the beam, of length 1
        Vector3 corner;      // of the detector, where column and row are 0 in edge coordinates
        Vector3 column, row; // steps from one pixel to the next
        // The middle of a pixel.
        Vector3 pixel(double i, double j) const { return corner + (i + 0.5) * column + (j + 0.5) * row; }
    };

    // Throws Error, which names the property, for an arrangement that can't be; `view` is for its message.
    explicit ViewGeometry(const Arrangement &arrangement, std::uint64_t view = 0);

    bool is_parallel() const { return is_parallel_; }
    // A point X is seen at column().at(X) / depth().at(X) and row().at(X) / depth().at(X), in edge
    // coordinates of the detector. The depth is 1 in a parallel beam, and 1 on the detector in a cone beam.
    const Form &column() const { return column_; }
    const Form &row() const { return row_; }
    const Form &depth() const { return depth_; }
    // Distance from the source, measured along y as a part of the distance of the detector; 1 in a parallel
    // beam. One over its square is the weight of Feldkamp, Davis and Kress.
    const Form &distance() const { return distance_; }
    Rays rays() const;
    // Sine of the angle between the rotation axis and the ray through the middle of the volume: the density
    // of the rays about an axis that is tilted along the beam, as a part of that about an upright one.
    double axis_sine() const { return axis_sine_; }
    // Throws Error unless the source is outside of the box between two points of the volume, and the box is
    // in front of it.
    void check_box(const Vector3 &low, const Vector3 &high, std::uint64_t view) const;

  private:
    bool is_parallel_;
    Form column_, row_, depth_, distance_;
    double axis_sine_;
    Matrix3 to_volume_; // from the frame of source and detector
    Vector3 source_, corner_, across_, down_;
};

} // namespace tomo
