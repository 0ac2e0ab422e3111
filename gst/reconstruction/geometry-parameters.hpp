// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Parameters of cone beams, laminography and other arrangements, a part of Settings. tofu's `reco` has most
// of these names and units.
#pragma once

#include <gst/reconstruction/parameter.hpp>

#include <array>

namespace tomo::reconstruction {

namespace section {
inline constexpr Section geometry{"general-reconstruction", "Cone beam and laminography"};
}

struct GST_TOMO_API GeometryParameters {
    explicit GeometryParameters(Parameters *owner)
        : geometry(
              owner, {"auto", "parallel", "cone", "lamino"},
              {.name = "geometry",
               .section = &section::geometry,
               .blurb =
                   "Arrangement of source, sample and detector; cone: a cone or fan beam from a point; lamino: an axis "
                   "that is tilted along the beam, by axis-angle-x; parallel: the source counts as far away; auto: a "
                   "cone where the rays through the sample diverge by more than a quarter of a pixel, tilted where "
                   "axis-angle-x is given"}),
          source_x(owner, pixels("source-position-x", "Source across the beam", "0")),
          source_y(
              owner,
              pixels("source-position-y",
                     "Source along the beam, from the axis, so a negative number, in pixels of the detector",
                     "by source-distance, else the beam is parallel")),
          source_z(owner, pixels("source-position-z", "Source along the axis", "0")),
          detector_x(owner, pixels("detector-position-x", "Detector across the beam", "0")),
          detector_y(owner, pixels("detector-position-y",
                                   "Detector along the beam, from the axis, in pixels of the detector",
                                   "by propagation-distance where source-distance counts, else 0")),
          detector_z(owner, pixels("detector-position-z", "Detector along the axis", "0")),
          detector_angle_x(owner, angle("detector-angle-x", "Rotation of the detector about x")),
          detector_angle_y(owner, angle("detector-angle-y", "Rotation of the detector about y, its roll")),
          detector_angle_z(owner, angle("detector-angle-z", "Rotation of the detector about z")),
          axis_angle_x(owner, angle("axis-angle-x",
                                    "Tilt of the axis along the beam, as in laminography; 0 is tomography")),
          axis_angle_y(owner, angle("axis-angle-y", "Tilt of the axis across the beam")),
          axis_angle_z(owner,
                       angle("axis-angle-z", "Angle that is added to those of all projections; a list has "
                                             "the angles themselves")),
          volume_angle_x(owner, angle("volume-angle-x", "Rotation of the volume about x")),
          volume_angle_y(owner, angle("volume-angle-y", "Rotation of the volume about y")),
          volume_angle_z(owner, angle("volume-angle-z", "Rotation of the volume about z")),
          center_x(owner, pixels("center-position-x", "Column of the axis; one number is the same as axis",
                                 "axis counts")),
          center_z(owner,
                   pixels("center-position-z",
                          "Row of z = 0, in edge coordinates of the full detector; in a cone beam that "
                          "which the ray across the axis meets",
                          "the middle of the rows")),
          x_region(owner, pixels("x-region",
                                 "Columns of slices: from, to, step across the beam, relative to the axis",
                                 "all columns")),
          y_region(owner,
                   pixels("y-region", "Rows of slices: from, to, step along the beam, relative to the axis",
                          "all columns, from the detector to the source as in parallel beams")),
          slice_region(owner, pixels("region",
                                     "Heights of slices: from, to, step along the axis, relative to "
                                     "center-position-z; or values of z-parameter, in its unit",
                                     "the rows that y and height choose, as they are seen at the axis")),
          z(owner, G_MAXDOUBLE, -G_MAXDOUBLE, G_MAXDOUBLE,
            {.name = "z",
             .section = &section::geometry,
             .level = Level::advanced,
             .unit = "px",
             .automatic = "region counts; 0 with z-parameter",
             .blurb = "Height of the only slice, or of all slices with z-parameter"}),
          z_parameter(owner,
                      {"z", "axis-angle-x", "axis-angle-y", "axis-angle-z", "volume-angle-x",
                       "volume-angle-y", "volume-angle-z", "detector-angle-x", "detector-angle-y",
                       "detector-angle-z", "detector-position-x", "detector-position-y",
                       "detector-position-z", "source-position-x", "source-position-y", "source-position-z",
                       "center-position-x", "center-position-z"},
                      {.name = "z-parameter",
                       .section = &section::geometry,
                       .level = Level::advanced,
                       .blurb = "Number that differs from slice to slice, with the values of region"}),
          cone_beam_weight(owner, true,
                           {.name = "cone-beam-weight",
                            .section = &section::geometry,
                            .level = Level::advanced,
                            .blurb =
                                "Whether projections of a cone beam are weighted by the obliquity of their "
                                "rays, before the filter"}),
          redundancy_weight(
              owner, {"auto", "short-scan", "offset", "none"},
              {.name = "redundancy-weight",
               .section = &section::geometry,
               .level = Level::advanced,
               .blurb =
                   "How rays that come twice are weighted; short-scan: half a turn and the fan, or more (Parker "
                   "1982); offset: a whole turn with the axis off the middle of the detector, whose slices become "
                   "wider than it (Wang 2002); auto: as angles and axis need it, of an upright axis"}),
          padding_mode(
              owner, {"clamp", "clamp_to_edge", "repeat", "mirrored_repeat", "none"},
              {.name = "genreco-padding-mode",
               .section = &section::geometry,
               .level = Level::advanced,
               .blurb = "Values beyond the edges of projections in the backprojection; clamp and none: 0"}) {}

    Choice geometry;
    Numbers source_x, source_y, source_z, detector_x, detector_y, detector_z;
    Numbers detector_angle_x, detector_angle_y, detector_angle_z, axis_angle_x, axis_angle_y, axis_angle_z,
        volume_angle_x, volume_angle_y, volume_angle_z;
    Numbers center_x, center_z;
    Numbers x_region, y_region, slice_region;
    Parameter<double> z;
    Choice z_parameter;
    Parameter<bool> cone_beam_weight;
    Choice redundancy_weight, padding_mode;

    // One number, or one for each projection.
    std::array<const Numbers *, 17> arrangement() const {
        return {&axis_angle_x,   &axis_angle_y,     &axis_angle_z,     &volume_angle_x,   &volume_angle_y,
                &volume_angle_z, &detector_angle_x, &detector_angle_y, &detector_angle_z, &detector_x,
                &detector_y,     &detector_z,       &source_x,         &source_y,         &source_z,
                &center_x,       &center_z};
    }

  private:
    static About pixels(const char *name, const char *blurb, const char *automatic) {
        return {.name = name,
                .section = &section::geometry,
                .level = Level::advanced,
                .unit = "px",
                .automatic = automatic,
                .blurb = blurb};
    }
    static About angle(const char *name, const char *blurb) {
        return {.name = name,
                .section = &section::geometry,
                .level = Level::advanced,
                .unit = "deg",
                .automatic = "0",
                .blurb = blurb};
    }
};

} // namespace tomo::reconstruction
