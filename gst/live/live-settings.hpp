// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// All parameters of GstTomoLive, each declared only here.
#pragma once

#include <gst/reconstruction/parameter.hpp>

#include <limits>

namespace tomo::live {

namespace section {
using reconstruction::Section;
inline constexpr Section camera{"camera", "Camera"}, correction{"correction", "Darks and flats"},
    phase{"phase", "Phase"}, angles{"angles", "Angles"}, slices{"slices", "Slices"},
    keep{"keep", "Keeping frames"}, machine{"machine", "Device"};
} // namespace section

using reconstruction::Choice;
using reconstruction::Level;
using reconstruction::Parameter;

class LiveSettings : public reconstruction::Parameters {
    static constexpr char of_source[] = "that which the source tells";

    static reconstruction::About of_phase(const char *name, const char *unit, const char *automatic,
                                          const char *blurb) {
        return {
            .name = name, .section = &section::phase, .unit = unit, .automatic = automatic, .blurb = blurb};
    }

  public:
    // Camera
    Parameter<std::string> source{
        this,
        "",
        {.name = "source",
         .section = &section::camera,
         .blurb =
             "Where frames come from: elements of GStreamer, such as 'aravissrc camera-name=...', 'v4l2src' or "
             "'tomophantomcamera', or a scan that is played"}};
    Parameter<double> frame_rate{
        this,
        0.0,
        0.0,
        1e6,
        {.name = "frame-rate",
         .section = &section::camera,
         .unit = "1/s",
         .automatic = "25, or as fast as frames are taken where none may be left out",
         .blurb = "Frames a second at which a scan is played; 0: as fast as they are taken"}};
    Parameter<double> patience{
        this,
        3.0,
        0.1,
        1e6,
        {.name = "patience",
         .section = &section::camera,
         .level = Level::advanced,
         .unit = "s",
         .blurb = "Time without a frame after which the camera counts as stopped, which is told"}};
    Parameter<double> retry{this,
                            2.0,
                            0.0,
                            1e6,
                            {.name = "retry",
                             .section = &section::camera,
                             .level = Level::advanced,
                             .unit = "s",
                             .blurb =
                                 "Time after which a source that has failed is started again; 0: a failure "
                                 "ends the run"}};
    Parameter<bool> drop{
        this,
        true,
        {.name = "drop",
         .section = &section::camera,
         .level = Level::advanced,
         .blurb =
             "Whether frames are left out of the slices where they come faster than the device computes; "
             "otherwise the source waits, as is right for scans that are played. Frames that are kept are "
             "never left out"}};
    Parameter<unsigned> waiting_frames{
        this,
        8,
        1,
        100000,
        {.name = "waiting-frames",
         .section = &section::camera,
         .level = Level::advanced,
         .blurb = "Frames that may wait for the device before the oldest of them is left out"}};

    // Darks and flats
    Parameter<std::string> darks{
        this,
        "",
        {.name = "darks",
         .section = &section::correction,
         .automatic = "those of a scan that is played, else they are taken on command",
         .blurb = "Darks: a file, folder or pattern, or a scan that has some"}};
    Parameter<std::string> flats{
        this,
        "",
        {.name = "flats",
         .section = &section::correction,
         .automatic = "those of a scan that is played, else they are taken on command",
         .blurb = "Flats: a file, folder or pattern, or a scan that has some"}};
    Choice correction{
        this,
        {"on", "off"},
        {.name = "correction",
         .section = &section::correction,
         .blurb = "Whether frames are corrected by darks and flats; off: they are line integrals"}};
    Parameter<std::string> process{
        this,
        "",
        {.name = "process",
         .section = &section::correction,
         .level = Level::advanced,
         .automatic = "nothing",
         .blurb =
             "Elements through which corrected projections pass before they are filtered, such as "
             "'tomoremoveoutliers'. Where one is tomoretrievephase, projections come to them as transmission"}};

    // Phase, by the names of a reconstruction
    Choice retrieval_method{
        this,
        {"none", "tie", "gpm", "ctf", "qp", "qp2", "ict"},
        of_phase(
            "retrieval-method", "", "",
            "How projections with phase contrast by propagation become those without it; tie: transport of "
            "intensity (Paganin 2002); gpm: generalised Paganin (2020), sharper; ctf: contrast transfer, for "
            "weak objects; qp, qp2: quasiparticles; ict: intensity contrast transfer (Farago 2024)")};
    Parameter<double> regularization_rate{
        this, 2.0, 0.0, 30.0,
        of_phase(
            "regularization-rate", "", "",
            "Decadic logarithm of delta / beta of the material, for phase retrieval; larger blurs more")};
    Parameter<double> energy{
        this, 0.0, 0.0, 1e5,
        of_phase("energy", "keV", of_source, "Energy of the photons, for phase retrieval")};
    Parameter<double> propagation_distance{this, 0.0, 0.0, 1e6,
                                           of_phase("propagation-distance", "m", of_source,
                                                    "From the sample to the detector, for phase retrieval")};
    Parameter<double> source_distance{this, 0.0, 0.0, 1e6,
                                      of_phase("source-distance", "m",
                                               "that which the source tells, else the beam is parallel",
                                               "From a point source to the sample, for phase retrieval")};
    Parameter<double> pixel_size{
        this, 0.0, 0.0, 1.0,
        of_phase("pixel-size", "m", of_source, "Size of a pixel on the detector, for phase retrieval")};

    // Angles
    Parameter<unsigned> half_turn{
        this,
        0,
        0,
        1u << 20,
        {.name = "half-turn",
         .section = &section::angles,
         .automatic = "by angle-step-degrees, speed-degrees, or the source",
         .blurb = "Frames in half a turn, at even steps. The number of a frame tells its angle"}};
    Parameter<double> angle_step_degrees{
        this,
        0.0,
        -360.0,
        360.0,
        {.name = "angle-step-degrees",
         .section = &section::angles,
         .unit = "deg",
         .automatic = "by half-turn, speed-degrees, or the source",
         .blurb = "Angle from the frame of one number to the next one, negative for the other sense"}};
    Parameter<double> speed_degrees{
        this,
        0.0,
        -1e6,
        1e6,
        {.name = "speed-degrees",
         .section = &section::angles,
         .unit = "deg/s",
         .automatic = "by half-turn, angle-step-degrees, or the source",
         .blurb = "Speed at which the sample turns: the time of a frame tells its angle"}};
    Parameter<unsigned> views{this,
                              0,
                              0,
                              1u << 20,
                              {.name = "views",
                               .section = &section::angles,
                               .automatic = "half-turn, or as many as cover half a turn",
                               .blurb = "Newest projections that slices are made of"}};
    Parameter<double> axis{this,
                           0.0,
                           0.0,
                           32768.0,
                           {.name = "axis",
                            .section = &section::angles,
                            .unit = "px",
                            .automatic = "that of the scan, else the middle of the columns",
                            .blurb = "Rotation axis in the middle row: the middle of W columns is W / 2"}};
    Parameter<double> roll{
        this,
        0.0,
        -85.0,
        85.0,
        {.name = "roll",
         .section = &section::angles,
         .unit = "deg",
         .blurb =
             "Angle by which the axis is turned in the detector, positive where it is further to the right in "
             "lower rows"}};

    // Slices
    Parameter<std::string> planes{
        this,
        "x=0;y=0;z=0",
        {.name = "planes",
         .section = &section::slices,
         .blurb =
             "Planes with semicolons between: x, y or z and the pixels from the axis and the middle row, or any "
             "plane as at=X:Y:Z,right=X:Y:Z,down=X:Y:Z,width=N,height=N"}};
    Parameter<unsigned> size{
        this,
        0,
        0,
        16384,
        {.name = "size",
         .section = &section::slices,
         .unit = "px",
         .automatic = "pixels of the detector",
         .blurb = "Columns of slices that say no size of their own, over the whole field"}};
    Parameter<double> rate{this,
                           0.0,
                           0.0,
                           1e6,
                           {.name = "rate",
                            .section = &section::slices,
                            .unit = "1/s",
                            .automatic = "as many as the device makes",
                            .blurb = "Most slices of a plane in a second"}};
    Parameter<double> minimum{this,
                              std::numeric_limits<double>::max(),
                              {.name = "minimum",
                               .section = &section::slices,
                               .automatic = "by the first slices",
                               .blurb = "Value that is shown black"}};
    Parameter<double> maximum{this,
                              std::numeric_limits<double>::lowest(),
                              {.name = "maximum",
                               .section = &section::slices,
                               .automatic = "by the first slices",
                               .blurb = "Value that is shown white"}};
    Parameter<unsigned> volume_size{this,
                                    256,
                                    8,
                                    2048,
                                    {.name = "volume-size",
                                     .section = &section::slices,
                                     .unit = "px",
                                     .blurb =
                                         "Columns, rows and at most planes of the coarse volume, over the "
                                         "whole field"}};
    Parameter<double> volume_rate{this,
                                  0.0,
                                  0.0,
                                  1e3,
                                  {.name = "volume-rate",
                                   .section = &section::slices,
                                   .unit = "1/s",
                                   .automatic = "on request alone",
                                   .blurb = "Coarse volumes in a second"}};
    Parameter<std::string> volume_path{
        this,
        "",
        {.name = "volume-path",
         .section = &section::slices,
         .level = Level::advanced,
         .automatic = "no files",
         .blurb =
             "Files of coarse volumes: a pattern with a number, such as volume-%03i.h5, of which the first "
             "one that is free counts"}};

    // Keeping frames
    Parameter<std::string> store_limit{
        this,
        "",
        {.name = "store-limit",
         .section = &section::keep,
         .unit = "B",
         .automatic = "an eighth of the computer's memory, 1 GiB at most",
         .blurb =
             "Memory for the newest frames, which can still be kept; a number, also with k, M, G behind"}};
    Parameter<std::string> keep_when{
        this,
        "",
        {.name = "keep-when",
         .section = &section::keep,
         .automatic = "on command alone",
         .blurb = "Measured value of the frames' counts that begins to keep them: mean, minimum, maximum or "
                  "deviation, < or >, and a bound, such as 'mean>3000'"}};
    Parameter<double> keep_seconds{this,
                                   0.0,
                                   0.0,
                                   1e9,
                                   {.name = "keep-seconds",
                                    .section = &section::keep,
                                    .unit = "s",
                                    .blurb = "Time before keep-when that is kept as well"}};
    Parameter<std::string> keep_path{this,
                                     "",
                                     {.name = "keep-path",
                                      .section = &section::keep,
                                      .automatic = "live-%03i.h5",
                                      .blurb = "File of the frames that keep-when keeps, or a pattern with a "
                                               "number such as kept-%03i.h5"}};

    // Device
    Parameter<std::string> device{this,
                                  "",
                                  {.name = "device",
                                   .section = &section::machine,
                                   .automatic = "the best one",
                                   .blurb = "OpenCL device: an index, or a part of its name"}};
    Choice precision_mode{
        this,
        {"single", "half"},
        {.name = "precision-mode",
         .section = &section::machine,
         .level = Level::advanced,
         .blurb = "What projections are kept in on the device; half needs half of the memory"}};
};

} // namespace tomo::live
