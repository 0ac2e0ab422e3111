// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Planes of the volume that slices are made of.
#pragma once

#include <gst/tomo/geometry/vector3.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tomo::live {

// In detector pixels from the axis in the middle row: x and y as columns and rows of a slice, z along the
// axis to lower rows. Pixel (i, j) lies at middle + (i + 1/2 - width / 2) right + (j + 1/2 - height / 2)
// down. Planes of a stack lie the way `deep` behind each other, about the middle.
struct PlacedPlane {
    Vector3 middle, right, down;
    unsigned width, height;
    Vector3 deep = {};
    unsigned depth = 1;
};

// A plane as a person writes it.
class Plane {
  public:
    // "z=3.5", "x=0,width=256,step=2", "z=0,size=256,depth=all" or
    // "at=1:0:-4,right=1:0:0,down=0:1:1,width=256,height=256". Throws Error.
    explicit Plane(const std::string &text);
    // Of this field: columns, rows, and the axis in edge coordinates.
    PlacedPlane placed(unsigned columns, unsigned rows, double axis) const;

  private:
    char normal_ = 0; // x, y or z; 0: any direction
    double offset_ = 0.0;
    std::optional<double> step_;
    std::optional<Vector3> at_, right_, down_;
    std::optional<unsigned> width_, height_, size_, depth_;
    bool fills_depth_ = false;
};

// Texts with semicolons between.
std::vector<std::string> plane_texts(const std::string &planes);

} // namespace tomo::live
