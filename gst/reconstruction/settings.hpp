// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// All parameters of a reconstruction, each declared only here. Parameters that tofu has as well keep its
// names and sections.
#pragma once

#include <gst/reconstruction/geometry-parameters.hpp>

#include <cstdint>
#include <optional>

namespace tomo::reconstruction {

namespace section {
inline constexpr Section scan{"scan", "Scan"}, stitching{"stitching", "Scans at several heights"},
    reading{"reading", "Part of the scan"}, correction{"flat-correction", "Correction by darks and flats"},
    cleaning{"cleaning", "Outliers and rings"}, distortion{"distortion-correction", "Distortion"},
    phase{"retrieve-phase", "Phase"}, shifts{"shifts", "Displaced projections"},
    axis{"axis", "Rotation axis"}, angles{"angles", "Angles"},
    reconstruction{"reconstruction", "Reconstruction"}, output{"output", "Output"},
    machine{"machine", "Device and memory"};
} // namespace section

class GST_TOMO_API Settings : public Parameters {
  public:
    // Scan
    Parameter<std::string> scan{
        this,
        "",
        {.name = "scan",
         .section = &section::scan,
         .blurb =
             "The scan: an HDF5 file (NXtomo, Data Exchange), a file of a scanner (Nikon .xtekct, SkyScan .log, Zeiss "
             ".txrm), a folder of images, or a pattern such as 'scan/*.tif'"}};
    Parameter<std::string> entry{this,
                                 "",
                                 {.name = "entry",
                                  .section = &section::scan,
                                  .automatic = "the only one",
                                  .blurb = "Which scan of an HDF5 file with several: path of its group"}};
    Parameter<std::string> detector{this,
                                    "",
                                    {.name = "detector",
                                     .section = &section::scan,
                                     .level = Level::advanced,
                                     .automatic = "the one with images",
                                     .blurb = "Which detector of an entry with several: its name or path"}};
    Parameter<std::string> projections{
        this,
        "",
        {.name = "projections",
         .section = &section::scan,
         .automatic = "those of the scan",
         .blurb = "Projections, where no scan holds them: a file, folder or pattern"}};
    Parameter<std::string> darks{this,
                                 "",
                                 {.name = "darks",
                                  .section = &section::scan,
                                  .automatic = "those of the scan",
                                  .blurb = "Darks: a file, folder or pattern"}};
    Parameter<std::string> flats{this,
                                 "",
                                 {.name = "flats",
                                  .section = &section::scan,
                                  .automatic = "those of the scan",
                                  .blurb = "Flats before the projections: a file, folder or pattern"}};
    Parameter<std::string> flats2{this,
                                  "",
                                  {.name = "flats2",
                                   .section = &section::scan,
                                   .automatic = "those of the scan",
                                   .blurb = "Flats after the projections: a file, folder or pattern"}};
    Parameter<std::string> sinograms{
        this,
        "",
        {.name = "sinograms",
         .section = &section::scan,
         .blurb = "Corrected sinograms instead of a scan: a file, folder or pattern"}};

    // Scans at several heights
    Parameter<std::string> stitch{
        this,
        "",
        {.name = "stitch",
         .section = &section::stitching,
         .automatic = "none",
         .blurb =
             "More scans of the sample, at other heights, which become one volume with it: what scan takes, with "
             "commas between them, or FILE.nxs:/entry for one of several scans in a file"}};
    Choice stitch_method{
        this,
        {"auto", "scan", "views"},
        {.name = "stitch-method",
         .section = &section::stitching,
         .blurb =
             "How the displacement between the heights is found; scan: by the positions that the files tell; "
             "views: by comparing views in the rows that both scans see; auto: by the positions, which the "
             "views check, else by the views"}};
    Numbers stitch_overlap{
        this,
        {.name = "stitch-overlap",
         .section = &section::stitching,
         .unit = "px",
         .automatic = "by stitch-method",
         .blurb =
             "Rows that each scan shares with the one that is named behind it: one number for all, or one for "
             "each pair"}};
    Choice stitch_weights{this,
                          {"cosine", "linear"},
                          {.name = "stitch-weights",
                           .section = &section::stitching,
                           .level = Level::advanced,
                           .blurb = "How slices pass from the upper to the lower scan where both see them"}};
    Numbers stitch_axes{
        this,
        {.name = "stitch-axes",
         .section = &section::stitching,
         .level = Level::advanced,
         .unit = "px",
         .automatic = "as axis, else each is found",
         .blurb =
             "Axis of each scan, as axis is that of one: one number for each, in the order of their names"}};
    Numbers stitch_rolls{
        this,
        {.name = "stitch-rolls",
         .section = &section::stitching,
         .level = Level::advanced,
         .unit = "deg",
         .automatic = "as roll, else each is found",
         .blurb =
             "Roll of each scan, as roll is that of one: one number for each, in the order of their names"}};

    // Part of the scan
    Parameter<unsigned> y{this,
                          0,
                          {.name = "y",
                           .section = &section::reading,
                           .unit = "px",
                           .blurb = "First detector row to reconstruct"}};
    Parameter<unsigned> height{this,
                               0,
                               {.name = "height",
                                .section = &section::reading,
                                .unit = "px",
                                .automatic = "all rows from there",
                                .blurb = "Detector rows from there"}};
    Parameter<unsigned> y_step{this,
                               1,
                               1,
                               G_MAXUINT,
                               {.name = "y-step",
                                .section = &section::reading,
                                .level = Level::advanced,
                                .unit = "px",
                                .blurb = "Takes every n-th row"}};
    Choice slice{this,
                 {"all", "middle"},
                 {.name = "slice",
                  .section = &section::reading,
                  .blurb = "All slices of the rows, or the middle one alone, for a look"}};
    Parameter<unsigned> start{this,
                              0,
                              {.name = "start",
                               .section = &section::reading,
                               .level = Level::advanced,
                               .blurb = "First projection"}};
    Parameter<unsigned> number{this,
                               0,
                               {.name = "number",
                                .section = &section::reading,
                                .level = Level::advanced,
                                .automatic = "all from there",
                                .blurb = "Most projections to read"}};
    Parameter<unsigned> step{this,
                             1,
                             1,
                             G_MAXUINT,
                             {.name = "step",
                              .section = &section::reading,
                              .level = Level::advanced,
                              .blurb = "Takes every n-th projection"}};
    Parameter<std::string> turns{
        this,
        "",
        {.name = "turns",
         .section = &section::reading,
         .automatic = "all views are one volume, if they make one turn",
         .blurb =
             "Turns of a scan in time that become a volume each: all, N or FROM:TO, from 0; together: one volume"}};
    Parameter<double> turn_degrees{this,
                                   360.0,
                                   1.0,
                                   1e6,
                                   {.name = "turn-degrees",
                                    .section = &section::reading,
                                    .unit = "deg",
                                    .blurb = "Angle that the views of one turn cover, such as 180"}};
    Parameter<double> turn_step_degrees{this,
                                        0.0,
                                        0.0,
                                        1e6,
                                        {.name = "turn-step-degrees",
                                         .section = &section::reading,
                                         .level = Level::advanced,
                                         .unit = "deg",
                                         .automatic = "turn-degrees",
                                         .blurb =
                                             "Angle from the begin of a turn to that of the next one; a "
                                             "smaller one than turn-degrees moves a window over the scan"}};
    Parameter<unsigned> binning{this,
                                1,
                                1,
                                16,
                                {.name = "binning",
                                 .section = &section::reading,
                                 .unit = "px",
                                 .blurb = "Pixels of the detector, along both directions, that become one"}};

    // Correction
    Choice flat_correction{
        this,
        {"auto", "on", "off", "dynamic"},
        {.name = "flat-correction",
         .section = &section::correction,
         .blurb =
             "Whether projections are corrected by darks and flats; auto: where the scan has flats; dynamic: "
             "by a flat of their own, of the principal components of many flats"}};
    Parameter<unsigned> flat_components{
        this,
        0,
        0,
        8,
        {.name = "flat-components",
         .section = &section::correction,
         .level = Level::advanced,
         .automatic = "those that stand out of noise",
         .blurb = "Principal components of the flats that count with flat-correction=dynamic"}};
    Choice reduction_mode{this,
                          {"average", "median"},
                          {.name = "reduction-mode",
                           .section = &section::correction,
                           .blurb = "What the darks, and the flats, are reduced to"}};
    Parameter<double> white_level{
        this,
        0.0,
        0.0,
        1e30,
        {.name = "white-level",
         .section = &section::correction,
         .automatic = "that of the scanner",
         .blurb =
             "Counts of the whole beam, in projections that are divided by flats already and are no transmission"}};
    Parameter<std::string> detector_linearity{
        this,
        "",
        {.name = "detector-linearity",
         .section = &section::correction,
         .level = Level::advanced,
         .automatic = "counts are in proportion to the intensity",
         .blurb =
             "Polynomial that makes counts of the detector proportional to the intensity, in projections, darks and "
             "flats: c1,c2,... for c1 n + c2 n^2 + ..., or a text file with two columns, exposure and counts"}};
    Parameter<unsigned> detector_linearity_order{
        this,
        3,
        1,
        8,
        {.name = "detector-linearity-order",
         .section = &section::correction,
         .level = Level::advanced,
         .blurb = "Order of the polynomial through the steps of detector-linearity"}};
    Parameter<double> dark_scale{this,
                                 1.0,
                                 0.0,
                                 G_MAXDOUBLE,
                                 {.name = "dark-scale",
                                  .section = &section::correction,
                                  .level = Level::advanced,
                                  .blurb = "Factor of the darks, for another time of exposure"}};
    Parameter<double> flat_scale{this,
                                 1.0,
                                 0.0,
                                 G_MAXDOUBLE,
                                 {.name = "flat-scale",
                                  .section = &section::correction,
                                  .level = Level::advanced,
                                  .blurb = "Factor of the flats, for another time of exposure"}};
    Choice beam{this,
                {"auto", "monitor", "none"},
                {.name = "beam",
                 .section = &section::correction,
                 .blurb =
                     "Whether projections and flats are divided by the intensity of the beam that a monitor "
                     "told for each of them; auto: where the scan has such a monitor"}};
    Parameter<std::string> air{
        this,
        "",
        {.name = "air",
         .section = &section::correction,
         .unit = "px",
         .automatic = "none",
         .blurb =
             "Region X,Y,WIDTH,HEIGHT of the full detector where no view sees the sample: the mean of each "
             "corrected projection there becomes 1"}};
    Choice absorptivity{
        this,
        {"auto", "on", "off"},
        {.name = "absorptivity",
         .section = &section::correction,
         .blurb =
             "Whether the negative logarithm is taken, so that slices are attenuation; auto: where flats correct the projections"}};
    Parameter<std::string> beam_hardening{
        this,
        "",
        {.name = "beam-hardening",
         .section = &section::correction,
         .automatic = "not corrected",
         .blurb =
             "Polynomial that makes line integrals of a beam of many energies proportional to the thickness: c1,c2,... "
             "for c1 p + c2 p^2 + ..., or a text file with two columns, thickness and transmission of a step wedge"}};
    Parameter<unsigned> beam_hardening_order{
        this,
        3,
        1,
        8,
        {.name = "beam-hardening-order",
         .section = &section::correction,
         .level = Level::advanced,
         .blurb = "Order of the polynomial through the steps of beam-hardening"}};
    Parameter<double> beam_hardening_attenuation{
        this,
        0.0,
        0.0,
        1e9,
        {.name = "beam-hardening-attenuation",
         .section = &section::correction,
         .level = Level::advanced,
         .unit = "1/mm",
         .automatic = "that of a thin layer of the wedge",
         .blurb = "Attenuation that the material of the wedge has in the slices, as at one energy"}};
    Parameter<bool> fix_nan_and_inf{this,
                                    true,
                                    {.name = "fix-nan-and-inf",
                                     .section = &section::correction,
                                     .level = Level::advanced,
                                     .blurb = "Whether NaN and infinities behind the correction become 0"}};

    // Outliers and rings
    Parameter<double> outliers{
        this,
        0.0,
        0.0,
        G_MAXDOUBLE,
        {.name = "outliers",
         .section = &section::cleaning,
         .automatic = "not removed",
         .blurb =
             "Replaces pixels of corrected projections that differ from the median around them by more than this"}};
    Parameter<unsigned> outliers_size{this,
                                      3,
                                      3,
                                      31,
                                      {.name = "outliers-size",
                                       .section = &section::cleaning,
                                       .level = Level::advanced,
                                       .unit = "px",
                                       .blurb = "Side of the square whose median counts; odd"}};
    Choice rings{
        this,
        {"none", "fourier", "wavelet", "titarenko", "normalization", "double-flat-field", "sorting", "filtering",
         "fitting", "large", "dead", "all"},
        {.name = "rings",
         .section = &section::cleaning,
         .blurb = "How stripes of sinograms, which make rings, are removed; fourier: in their spectrum; wavelet: in "
                  "that of wavelets (Muench 2009); titarenko: by smooth means over the views, regularized (2010); "
                  "normalization: the same by a Gaussian; double-flat-field: by these means of the transmission; "
                  "sorting, filtering, fitting, large, dead, all: as Vo, Atwood and Drakopoulos (2018) do, on transmission"}};
    Parameter<unsigned> rings_size{
        this,
        21,
        1,
        1023,
        {.name = "rings-size",
         .section = &section::cleaning,
         .unit = "px",
         .automatic = "21, with large and dead 51",
         .blurb =
             "Columns of the window of the medians, for rings=sorting, filtering, large, dead, and for the "
             "small stripes of all; wider than the widest stripe"}};
    Parameter<unsigned> rings_large_size{
        this,
        51,
        1,
        1023,
        {.name = "rings-large-size",
         .section = &section::cleaning,
         .level = Level::advanced,
         .unit = "px",
         .blurb = "The same for the large and the dead stripes of rings=all"}};
    Parameter<double> rings_snr{
        this,
        3.0,
        0.1,
        1e6,
        {.name = "rings-snr",
         .section = &section::cleaning,
         .blurb =
             "How far from the noise of all columns a stripe is that rings=large, dead and all find; less finds more"}};
    Parameter<unsigned> rings_order{this,
                                    2,
                                    0,
                                    10,
                                    {.name = "rings-order",
                                     .section = &section::cleaning,
                                     .level = Level::advanced,
                                     .blurb = "Order of the polynomials of rings=fitting"}};
    Parameter<double> rings_width{
        this,
        12.0,
        1.0,
        1e5,
        {.name = "rings-width",
         .section = &section::cleaning,
         .level = Level::advanced,
         .unit = "px",
         .blurb = "Structures wider than this are kept by rings=fourier, also those of rings"}};
    Parameter<double> rings_sigma{
        this,
        0.0,
        0.0,
        1000.0,
        {.name = "rings-sigma",
         .section = &section::cleaning,
         .level = Level::advanced,
         .automatic = "2 for wavelet, 3 for filtering, 10 for fitting, 15 for the others",
         .blurb = "Width of the Gaussian of rings=normalization and double-flat-field in columns, of rings=wavelet "
                  "and filtering in frequencies along the views, or of rings=fitting in frequencies along the rows"}};
    Parameter<std::string> rings_wavelet{
        this,
        "db5",
        {.name = "rings-wavelet",
         .section = &section::cleaning,
         .level = Level::advanced,
         .blurb = "Wavelet of rings=wavelet: haar, or db1 to db20"}};
    Parameter<unsigned> rings_levels{
        this,
        0,
        0,
        20,
        {.name = "rings-levels",
         .section = &section::cleaning,
         .level = Level::advanced,
         .automatic = "as many as leave 16 rows and columns, at most 5",
         .blurb = "Levels of rings=wavelet; stripes of about 2^n columns are removed in level n"}};
    Parameter<double> rings_alpha{
        this,
        0.0005,
        1e-10,
        1e4,
        {.name = "rings-alpha",
         .section = &section::cleaning,
         .level = Level::advanced,
         .blurb = "Regularization of rings=titarenko; smaller removes wider stripes, up to about 1 / sqrt(alpha) "
                  "columns"}};
    Parameter<unsigned> rings_chunks{
        this,
        1,
        1,
        10000,
        {.name = "rings-chunks",
         .section = &section::cleaning,
         .level = Level::advanced,
         .blurb = "Parts of the scan whose stripes are removed one by one by rings=titarenko and normalization"}};
    Choice slice_rings{
        this,
        {"none", "polar"},
        {.name = "slice-rings",
         .section = &section::cleaning,
         .level = Level::advanced,
         .blurb = "How rings are removed from the slices themselves; polar: by medians along the radius (Sijbers 2004). "
                  "rings removes them better, if it can"}};
    Parameter<unsigned> slice_rings_width{this,
                                          30,
                                          1,
                                          200,
                                          {.name = "slice-rings-width",
                                           .section = &section::cleaning,
                                           .level = Level::advanced,
                                           .unit = "px",
                                           .blurb = "Widest rings that slice-rings removes"}};
    Parameter<double> slice_rings_threshold{
        this,
        0.0,
        0.0,
        1e30,
        {.name = "slice-rings-threshold",
         .section = &section::cleaning,
         .level = Level::advanced,
         .automatic = "none",
         .blurb = "What differs by more than this from the medians is no ring for slice-rings"}};
    Parameter<double> slice_rings_arc{this,
                                      30.0,
                                      0.0,
                                      360.0,
                                      {.name = "slice-rings-arc",
                                       .section = &section::cleaning,
                                       .level = Level::advanced,
                                       .unit = "deg",
                                       .blurb = "Shortest rings that slice-rings removes"}};

    // Distortion
    Parameter<std::string> distortion{
        this,
        "",
        {.name = "distortion",
         .section = &section::distortion,
         .automatic = "none",
         .blurb =
             "Polynomial of the lens's distortion, which is corrected: a0,a1,... by which places go from their centre, "
             "as a0 + a1 r + a2 r^2 ... of the distance r in pixels (backward model), or a file of Discorpy"}};
    Numbers distortion_center{
        this,
        {.name = "distortion-center",
         .section = &section::distortion,
         .unit = "px",
         .automatic = "that of the file, else the middle of the detector",
         .blurb = "Column and row of the centre of distortion, edge coordinates of the full detector"}};
    Choice distortion_interpolation{this,
                                    {"cubic", "linear", "nearest"},
                                    {.name = "distortion-interpolation",
                                     .section = &section::distortion,
                                     .level = Level::advanced,
                                     .blurb = "How straight images are sampled in distorted ones"}};
    Choice distortion_padding_mode{this,
                                   {"clamp_to_edge", "clamp", "repeat", "mirrored_repeat", "none"},
                                   {.name = "distortion-padding-mode",
                                    .section = &section::distortion,
                                    .level = Level::advanced,
                                    .blurb = "Values beyond the edges of projections; clamp and none: 0"}};

    // Phase
    Choice retrieval_method{
        this,
        {"none", "tie", "gpm", "ctf", "qp", "qp2", "ict"},
        {.name = "retrieval-method",
         .section = &section::phase,
         .blurb =
             "How projections with phase contrast by propagation become those without it; tie: transport of "
             "intensity (Paganin 2002); gpm: generalised Paganin (2020), sharper; ctf: contrast transfer, for weak "
             "objects; qp, qp2: quasiparticles, ctf without its zeros; ict: intensity contrast transfer (Farago 2024), "
             "at any distance"}};
    Parameter<double> regularization_rate{
        this,
        2.0,
        0.0,
        30.0,
        {.name = "regularization-rate",
         .section = &section::phase,
         .blurb = "Decadic logarithm of delta / beta of the material; larger blurs more"}};
    Parameter<double> energy{this,
                             0.0,
                             0.0,
                             1e5,
                             {.name = "energy",
                              .section = &section::phase,
                              .unit = "keV",
                              .automatic = "that of the scan",
                              .blurb = "Energy of the photons, for phase retrieval"}};
    Numbers propagation_distance{
        this,
        {.name = "propagation-distance",
         .section = &section::phase,
         .unit = "m",
         .automatic = "that of the scan",
         .blurb =
             "From the sample to the detector, for phase retrieval and cone beams; two numbers, for phase "
             "retrieval: along columns and along rows"}};
    Parameter<double> source_distance{
        this,
        0.0,
        0.0,
        G_MAXDOUBLE,
        {.name = "source-distance",
         .section = &section::phase,
         .unit = "m",
         .automatic = "that of the scan, else the beam is parallel",
         .blurb = "From a point source to the sample, for phase retrieval and cone beams"}};
    Parameter<double> pixel_size{
        this,
        0.0,
        0.0,
        1.0,
        {.name = "pixel-size",
         .section = &section::phase,
         .unit = "m",
         .automatic = "that of the scan",
         .blurb = "Size of a pixel on the detector, for phase retrieval and cone beams; behind a "
                  "point source it is smaller at the sample, by the magnification"}};
    Parameter<double> delta{
        this,
        0.0,
        0.0,
        1.0,
        {.name = "delta",
         .section = &section::phase,
         .automatic = "slices are attenuation",
         .blurb =
             "Decrement of the refractive index of a material: projections and sinograms become its projected "
             "thickness in metres, slices its share, 1 inside"}};
    Parameter<double> thresholding_rate{
        this,
        0.01,
        0.0,
        1e6,
        {.name = "thresholding-rate",
         .section = &section::phase,
         .level = Level::advanced,
         .blurb = "How far around the zeros of ctf qp leaves frequencies out, and qp2 bounds them"}};
    Parameter<double> frequency_cutoff{
        this,
        1e30,
        0.0,
        1e30,
        {.name = "frequency-cutoff",
         .section = &section::phase,
         .level = Level::advanced,
         .unit = "rad",
         .blurb = "Frequencies (u, v) are left out from here on, as pi wavelength distance (u^2 + v^2)"}};
    Parameter<double> ict_alpha{this,
                                0.1,
                                0.0,
                                1e6,
                                {.name = "ict-alpha",
                                 .section = &section::phase,
                                 .level = Level::advanced,
                                 .blurb = "Regularization of ict"}};
    Parameter<double> ict_alpha_threshold{
        this,
        0.0,
        0.0,
        1e6,
        {.name = "ict-alpha-threshold",
         .section = &section::phase,
         .level = Level::advanced,
         .unit = "rad",
         .automatic = "the first maximum of the transfer",
         .blurb = "Up to where ict is not regularized, counted as frequency-cutoff"}};
    Parameter<unsigned> retrieval_padded_width{
        this,
        0,
        0,
        65536,
        {.name = "retrieval-padded-width",
         .section = &section::phase,
         .level = Level::advanced,
         .unit = "px",
         .automatic = "as many more as the filter reaches, at most twice",
         .blurb = "Columns of padded projections, an even number"}};
    Parameter<unsigned> retrieval_padded_height{
        this,
        0,
        0,
        65536,
        {.name = "retrieval-padded-height",
         .section = &section::phase,
         .level = Level::advanced,
         .unit = "px",
         .automatic = "as many more as the filter reaches, at most twice",
         .blurb = "Rows of padded projections"}};
    Choice retrieval_padding_mode{this,
                                  {"clamp_to_edge", "clamp", "repeat", "mirrored_repeat", "none"},
                                  {.name = "retrieval-padding-mode",
                                   .section = &section::phase,
                                   .level = Level::advanced,
                                   .blurb = "Values beyond the edges of projections; clamp and none: 0"}};

    // Shifts
    Parameter<std::string> shifts{
        this,
        "",
        {.name = "shifts",
         .section = &section::shifts,
         .automatic = "those of the scan",
         .blurb =
             "Displacement of each projection, which is moved back by it: a file with two numbers for each, pixels "
             "to larger columns and to larger rows (text, .npy, or a dataset as in file.h5:/shifts); none: "
             "those of the scan do not count; align: what is left of them is found against reprojections of slices"}};
    Parameter<unsigned> align_iterations{this,
                                         20,
                                         1,
                                         1000,
                                         {.name = "align-iterations",
                                          .section = &section::shifts,
                                          .level = Level::advanced,
                                          .blurb =
                                              "Most steps of shifts=align; it ends where one moves less than "
                                              "1/100 pixel"}};
    Parameter<unsigned> align_binning{
        this,
        1,
        1,
        16,
        {.name = "align-binning",
         .section = &section::shifts,
         .level = Level::advanced,
         .unit = "px",
         .automatic = "at most 512 columns",
         .blurb =
             "Pixels, along both directions, of one pixel of the projections that shifts=align compares"}};
    Choice shifts_reverse{this,
                          {"none", "x", "y", "both"},
                          {.name = "shifts-reverse",
                           .section = &section::shifts,
                           .level = Level::advanced,
                           .blurb = "Displacements that count the other way, as where images are mirrored"}};

    // Axis
    Parameter<double> axis{
        this,
        G_MAXDOUBLE,
        0.0,
        G_MAXDOUBLE,
        {.name = "axis",
         .section = &section::axis,
         .unit = "px",
         .automatic = "that of the scan, else it is found",
         .blurb =
             "Rotation axis in edge coordinates of the full detector: the middle of W columns is W / 2"}};
    Parameter<double> axis_index{this,
                                 G_MAXDOUBLE,
                                 -0.5,
                                 G_MAXDOUBLE,
                                 {.name = "axis-index",
                                  .section = &section::axis,
                                  .level = Level::advanced,
                                  .unit = "px",
                                  .automatic = "axis counts",
                                  .blurb = "The same for people with pixel indices: the axis less 1/2"}};
    Choice axis_method{
        this,
        {"auto", "scan", "correlation", "spectrum", "sharpness", "overlap", "middle"},
        {.name = "axis-method",
         .section = &section::axis,
         .blurb =
             "Where the axis comes from, if it is not given; auto: from the scan, else by the methods that serve it: "
             "correlation of mirrored views, the spectrum of the sinogram, sharpness of slices, overlap of the half "
             "turns of a whole one"}};
    Parameter<std::string> axis_range{
        this,
        "",
        {.name = "axis-range",
         .section = &section::axis,
         .unit = "px",
         .automatic = "all columns, or the middle half of them by spectrum and sharpness",
         .blurb = "Where the axis is looked for: FROM:TO, edge coordinates of the full detector"}};
    Choice axis_metric{this,
                       {"entropy", "absolute", "negativity"},
                       {.name = "axis-metric",
                        .section = &section::axis,
                        .level = Level::advanced,
                        .blurb = "What is least in the right slice, for axis-method=sharpness; the last two want "
                                 "all of the object, and air around it, in all views"}};
    Choice off_axis{
        this,
        {"auto", "on", "off"},
        {.name = "off-axis",
         .section = &section::axis,
         .blurb =
             "Whether the half turns of a scan over 360 degrees make slices wider than the detector; auto: where "
             "the axis is more than 1/20 of the width off the middle"}};
    Parameter<unsigned> axis_rows{this,
                                  15,
                                  1,
                                  1000,
                                  {.name = "axis-rows",
                                   .section = &section::axis,
                                   .level = Level::advanced,
                                   .blurb = "Detector rows, evenly spread, in which the axis is looked for"}};
    Parameter<double> roll{
        this,
        G_MAXDOUBLE,
        -G_MAXDOUBLE,
        G_MAXDOUBLE,
        {.name = "roll",
         .section = &section::axis,
         .unit = "deg",
         .automatic = "found where the axis is found, and corrected where it matters",
         .blurb = "Angle between the detector's columns and the axis, by which projections are rotated about the "
                  "middle of the detector; positive: the axis leans to the right in lower rows; 0: none"}};

    // Angles
    Parameter<std::string> angles{
        this,
        "",
        {.name = "angles",
         .section = &section::angles,
         .automatic = "those of the scan",
         .blurb =
             "File with the angle of each projection in degrees: text, .npy, or a dataset as in file.h5:/theta"}};
    Parameter<double> angle{
        this,
        G_MAXDOUBLE,
        -G_MAXDOUBLE,
        G_MAXDOUBLE,
        {.name = "angle",
         .section = &section::angles,
         .unit = "rad",
         .automatic =
             "those of the scan, else half a turn over all projections, and in a cone beam and laminography a "
             "whole one",
         .blurb = "Angle between two projections of the scan"}};
    Parameter<double> angle_step_degrees{this,
                                         G_MAXDOUBLE,
                                         -G_MAXDOUBLE,
                                         G_MAXDOUBLE,
                                         {.name = "angle-step-degrees",
                                          .section = &section::angles,
                                          .unit = "deg",
                                          .automatic = "as with angle",
                                          .blurb = "The same in degrees"}};
    Parameter<double> range_degrees{
        this,
        G_MAXDOUBLE,
        -G_MAXDOUBLE,
        G_MAXDOUBLE,
        {.name = "range-degrees",
         .section = &section::angles,
         .unit = "deg",
         .automatic = "as with angle",
         .blurb = "Angle that all projections of the scan cover, each with the step behind it"}};
    Parameter<double> overall_angle{this,
                                    G_MAXDOUBLE,
                                    -G_MAXDOUBLE,
                                    G_MAXDOUBLE,
                                    {.name = "overall-angle",
                                     .section = &section::angles,
                                     .level = Level::advanced,
                                     .unit = "deg",
                                     .automatic = "as with angle",
                                     .blurb = "The same as range-degrees, by the name of tofu reco"}};
    Parameter<double> offset{this,
                             0.0,
                             -G_MAXDOUBLE,
                             G_MAXDOUBLE,
                             {.name = "offset",
                              .section = &section::angles,
                              .level = Level::advanced,
                              .unit = "rad",
                              .blurb = "Added to all angles, which turns the slices"}};

    // Source, sample and detector
    GeometryParameters general{this};

    // Reconstruction
    Choice method{
        this,
        {"fbp", "dfi", "auto", "sirt", "sart", "cgls", "mlem", "fista", "sbtv", "asdpocs"},
        {.name = "method",
         .section = &section::reconstruction,
         .blurb = "How slices are reconstructed: fbp by filtered backprojection, dfi by direct Fourier inversion, which "
                  "takes less time where views are many and interpolates exactly, auto by dfi unless views are few or "
                  "the region is small; sirt, sart, cgls and mlem by iterations, for few or noisy views; fista, sbtv "
                  "and asdpocs by iterations for slices with little total variation, for fewer or noisier views"}};
    Parameter<unsigned> num_iterations{this,
                                       0,
                                       0,
                                       100000,
                                       {.name = "num-iterations",
                                        .section = &section::reconstruction,
                                        .automatic = "10; 50 for fista, 20 for sbtv and asdpocs",
                                        .blurb = "Iterations of method=sirt and of all behind it"}};
    Parameter<double> lambda{this,
                             0.001,
                             0.0,
                             1e6,
                             {.name = "lambda",
                              .section = &section::reconstruction,
                              .blurb = "Weight of the total variation of method=fista and sbtv: about the noise of a sample of "
                                       "a sinogram, divided by the square root of the number of views"}};
    Parameter<double> relaxation_factor{this,
                                        0.0,
                                        0.0,
                                        10.0,
                                        {.name = "relaxation-factor",
                                         .section = &section::reconstruction,
                                         .level = Level::advanced,
                                         .automatic = "1 for sirt and asdpocs, 0.25 for sart",
                                         .blurb = "Factor of each correction of method=sirt, sart and asdpocs"}};
    Parameter<unsigned> subsets{this,
                                0,
                                0,
                                32768,
                                {.name = "subsets",
                                 .section = &section::reconstruction,
                                 .level = Level::advanced,
                                 .automatic = "1; one for each view for asdpocs",
                                 .blurb = "Subsets of the views that method=sirt, mlem, fista and asdpocs take one after another"}};
    Parameter<double> slice_minimum{this,
                                    -G_MAXDOUBLE,
                                    -G_MAXDOUBLE,
                                    G_MAXDOUBLE,
                                    {.name = "slice-minimum",
                                     .section = &section::reconstruction,
                                     .level = Level::advanced,
                                     .unit = "1/px",
                                     .automatic = "no bound; 0 for asdpocs",
                                     .blurb = "Least value of pixels in the iterations of all methods but cgls"}};
    Parameter<double> slice_maximum{this,
                                    G_MAXDOUBLE,
                                    -G_MAXDOUBLE,
                                    G_MAXDOUBLE,
                                    {.name = "slice-maximum",
                                     .section = &section::reconstruction,
                                     .level = Level::advanced,
                                     .unit = "1/px",
                                     .automatic = "no bound",
                                     .blurb = "Largest value of pixels in the iterations of all methods but cgls"}};
    Parameter<std::string> initial{
        this,
        "",
        {.name = "initial",
         .section = &section::reconstruction,
         .automatic = "zeros; ones for mlem",
         .blurb =
             "Slices that iterations begin with, such as an earlier result: a file, folder or pattern, of the result's "
             "size, with one slice for all, one for each image, or one for each row of the scan"}};
    Parameter<std::string> mask{
        this,
        "",
        {.name = "mask",
         .section = &section::reconstruction,
         .automatic = "all pixels may change",
         .blurb =
             "Slices that are 0 where iterations leave a pixel as it begins: a file, folder or pattern, of the sizes "
             "of initial"}};
    Choice projector{
        this,
        {"joseph", "fourier"},
        {.name = "operator",
         .section = &section::reconstruction,
         .blurb =
             "How method=sirt, cgls, fista and sbtv project slices of a parallel beam: joseph by sums along the rays, "
             "fourier by Fourier transforms, which takes a fraction of the time where views are many"}};
    Parameter<double> tolerance{
        this,
        1e-3,
        1e-5,
        1e-2,
        {.name = "tolerance",
         .section = &section::reconstruction,
         .level = Level::advanced,
         .blurb =
             "Largest error by the transform of method=dfi, as a share of a slice of white noise, and by operator=fourier, as a "
             "share of its projections (0.002 there, unless given)"}};
    Choice projection_filter{this,
                             {"ramp-fromreal", "none", "ramp", "butterworth", "faris-byer", "bh3", "hamming"},
                             {.name = "projection-filter",
                              .section = &section::reconstruction,
                              .blurb = "Response of the filter of the rows"}};
    Parameter<double> projection_filter_cutoff{
        this,
        0.5,
        0.0,
        1.0,
        {.name = "projection-filter-cutoff",
         .section = &section::reconstruction,
         .level = Level::advanced,
         .unit = "1/px",
         .blurb = "Cut-off frequency of butterworth and hamming; 0.5 is the highest one"}};
    Parameter<unsigned> crop_width{this,
                                   0,
                                   {.name = "crop-width",
                                    .section = &section::reconstruction,
                                    .level = Level::advanced,
                                    .unit = "px",
                                    .automatic = "all columns",
                                    .blurb = "Columns and rows of the slices, around their middle"}};
    Parameter<bool> circle{this,
                           false,
                           {.name = "circle",
                            .section = &section::reconstruction,
                            .blurb = "Whether pixels outside of the circle that all views see become 0"}};
    Parameter<std::string> sweep{
        this,
        "",
        {.name = "sweep",
         .section = &section::reconstruction,
         .level = Level::advanced,
         .blurb = "Makes the middle slice for several values of a parameter: NAME=FROM:TO:STEP, or "
                  "NAME= and values with commas between them"}};
    Choice precision{
        this,
        {"single", "half"},
        {.name = "precision",
         .section = &section::reconstruction,
         .level = Level::advanced,
         .blurb =
             "Computation of the backprojection; half is faster on NVIDIA GPUs and leaves errors of 1e-4 of the noise"}};

    // Output
    Choice result{this,
                  {"slices", "sinograms", "projections"},
                  {.name = "result",
                   .section = &section::output,
                   .level = Level::advanced,
                   .blurb = "What is written: slices, or what they are made of, corrected"}};
    Parameter<std::string> output{
        this,
        "",
        {.name = "output",
         .section = &section::output,
         .automatic = "the scan's name with -slices.h5, in this folder",
         .blurb = "FILE.h5[:/dataset], NAME.ome.zarr, FILE.tif, or NAME-%05i.tif for a file for each slice"}};
    Choice format{
        this,
        {"auto", "hdf5", "ome-zarr", "tiff"},
        {.name = "format",
         .section = &section::output,
         .blurb =
             "Format of the result, where the name of output does not tell it; ome-zarr: a folder for viewers such as "
             "napari and neuroglancer, with a pyramid. auto: as the name tells, else HDF5"}};
    Parameter<std::string> chunks{
        this,
        "",
        {.name = "chunks",
         .section = &section::output,
         .level = Level::advanced,
         .unit = "px",
         .automatic = "cube in OME-Zarr, image in HDF5",
         .blurb = "How a volume of HDF5 or OME-Zarr is cut into chunks: cube (64 samples along each axis), which serves "
                  "all three axes, image, which is written fastest, or sizes along slices, rows and columns such as "
                  "32,256,256"}};
    Choice output_bitdepth{
        this,
        {"32", "16", "8"},
        {.name = "output-bitdepth",
         .section = &section::output,
         .unit = "bit",
         .blurb =
             "Bits of a sample: 32 are attenuation in float32, fewer are integers over one grey range of the volume"}};
    Parameter<double> output_minimum{this,
                                     -G_MAXDOUBLE,
                                     -G_MAXDOUBLE,
                                     G_MAXDOUBLE,
                                     {.name = "output-minimum",
                                      .section = &section::output,
                                      .level = Level::advanced,
                                      .automatic = "the least value",
                                      .blurb = "Value that becomes 0, with output-maximum"}};
    Parameter<double> output_maximum{this,
                                     G_MAXDOUBLE,
                                     -G_MAXDOUBLE,
                                     G_MAXDOUBLE,
                                     {.name = "output-maximum",
                                      .section = &section::output,
                                      .level = Level::advanced,
                                      .automatic = "the largest value",
                                      .blurb = "Value that becomes the largest integer"}};
    Parameter<unsigned> compression{this,
                                    0,
                                    0,
                                    9,
                                    {.name = "compression",
                                     .section = &section::output,
                                     .level = Level::advanced,
                                     .blurb = "Level of deflate in HDF5; 0: not compressed"}};
    Parameter<unsigned> output_parts{
        this,
        1,
        1,
        256,
        {.name = "output-parts",
         .section = &section::output,
         .level = Level::advanced,
         .blurb = "Files that hold the images of an HDF5 result, in the folder NAME.parts; NAME joins them. A computer "
                  "writes several files faster than one, which counts beyond about 2 GB per second"}};
    Choice pyramid{
        this,
        {"auto", "yes", "no"},
        {.name = "pyramid",
         .section = &section::output,
         .level = Level::advanced,
         .blurb =
             "Whether volumes of half the size along each axis, a quarter and so on stand beside the slices, so that "
             "viewers show a large volume at once: in HDF5 as NAME_2x, NAME_4x; auto: in OME-Zarr, and in HDF5 for "
             "slices above 1 GB"}};
    Parameter<bool> report{this,
                           true,
                           {.name = "report",
                            .section = &section::output,
                            .blurb = "Whether a page about scan, axis and slices, RESULT.html, is written beside "
                                     "slices"}};
    Parameter<bool> picture{
        this,
        true,
        {.name = "picture",
         .section = &section::output,
         .blurb = "Whether a picture of the middle slice with a scale bar, RESULT.png, is written "
                  "beside slices; of a sweep it shows all slices with their values"}};
    Parameter<bool> overwrite{this,
                              false,
                              {.name = "overwrite",
                               .section = &section::output,
                               .blurb = "Whether an earlier result may be replaced"}};
    Parameter<bool> resume{this,
                           false,
                           {.name = "resume",
                            .section = &section::output,
                            .blurb = "Whether a result that was interrupted is continued"}};
    Parameter<std::string> ignore{
        this,
        "",
        {.name = "ignore",
         .section = &section::output,
         .level = Level::advanced,
         .blurb =
             "Names of findings that do not stop the reconstruction, separated by commas; all: none does"}};

    // Device and memory
    Parameter<std::string> device{this,
                                  "",
                                  {.name = "device",
                                   .section = &section::machine,
                                   .automatic = "the best one",
                                   .blurb = "OpenCL device: its index or a part of its name"}};
    Parameter<std::string> devices{
        this,
        "",
        {.name = "devices",
         .section = &section::machine,
         .automatic = "`device` alone, or those of GST_TOMO_DEVICES",
         .blurb = "OpenCL devices that share the slices, with commas or + between: all, gpu, cpu, indices, parts of names"}};
    Choice on_failure{
        this,
        {"continue", "error"},
        {.name = "on-failure",
         .section = &section::machine,
         .level = Level::advanced,
         .blurb = "What happens where one of several devices fails: continue, so that the others make its slices again, or error"}};
    Parameter<std::string> memory{this,
                                  "",
                                  {.name = "memory",
                                   .section = &section::machine,
                                   .level = Level::advanced,
                                   .automatic = "half of the computer's",
                                   .blurb = "Memory of the computer that is used, in bytes or as in 8G"}};
    Parameter<std::string> device_memory{
        this,
        "",
        {.name = "device-memory",
         .section = &section::machine,
         .level = Level::advanced,
         .automatic =
             "85 % of the device's own, half of what it shares with the computer, or GST_TOMO_MEMORY_LIMIT",
         .blurb =
             "Memory of the device that this reconstruction uses, in bytes or as in 8G; where it runs out, fewer slices "
             "are made at a time"}};
    Parameter<std::string> cluster{
        this,
        "",
        {.name = "cluster",
         .section = &section::machine,
         .level = Level::advanced,
         .automatic = "this computer makes all slices",
         .blurb =
             "Where slabs of slices are made as jobs of Dask: the address of a scheduler, such as tcp://host:8786; "
             "local:N for N processes of this computer; slurm:FILE.yaml for jobs of Slurm"}};
    Parameter<unsigned> cluster_slab{
        this,
        0,
        {.name = "cluster-slab",
         .section = &section::machine,
         .level = Level::advanced,
         .automatic = "by the number of workers",
         .blurb = "Images of the result that one job of a cluster makes; the last one may have four more"}};
    Parameter<double> cluster_patience{
        this,
        300.0,
        1.0,
        1e6,
        {.name = "cluster-patience",
         .section = &section::machine,
         .level = Level::advanced,
         .unit = "s",
         .blurb = "Time without a sign of a job, after which another worker of the cluster makes its slab"}};

    // Bytes; half of the computer's memory if `memory` is not given. Throws Error if it is not a size.
    std::uint64_t memory_bytes() const;
    // Bytes, if `device_memory` is given. Throws Error if it is not a size.
    std::optional<std::uint64_t> device_memory_bytes() const;
    // The source of the images as the user named it; empty if none is named.
    std::string source() const;
    // The axis from `axis`, `axis-index` or `center-position-x`, if one is given; of a list, the first
    // number. Throws Error if several are.
    std::optional<double> given_axis() const;
    // Radians between two projections of the scan, from the parameter that gives them. Throws Error if
    // several parameters do.
    std::optional<double> given_step(std::size_t projections) const;
};

} // namespace tomo::reconstruction
