// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The projections, darks and flats of a scan, with their files, and other facts that the files hold.
#pragma once

#include <gst/files/image-reader.hpp>
#include <gst/files/natural-order.hpp>

#include <limits>
#include <vector>

namespace tomo::io {

// Images of one kind, in the order of time.
struct ScanImages {
    struct Image {
        std::size_t file;
        std::size_t page;
        std::uint64_t number; // among all frames of the scan
        unsigned set = 0;     // of flats: those with no projection between them, counted from 0
    };
    std::vector<std::string> files; // as open_reader() takes them
    std::vector<Image> images;
    FileType type = FileType::Automatic; // of the files, by their suffix
    bool one_page_each = false;          // assumed for a long series; the reader checks it

    bool empty() const { return images.empty(); }
    unsigned sets() const { return images.empty() ? 0 : images.back().set + 1; }
    // Adds all pages of a file.
    void add_file(const std::string &file, std::uint64_t pages);
};

// Throws if a file claims to hold more images than any scan has.
void check_image_count(const std::string &where, std::uint64_t count);

// Pixels of the detector by which each projection is displaced.
struct ViewShifts {
    std::vector<double> x, y; // to larger columns, to larger rows

    bool empty() const { return x.empty(); }
};

struct ScanLayout {
    static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

    std::string name; // for messages: "'scan.nxs', NXtomo /entry"
    ScanImages projections, darks, flats, flats_after;
    std::vector<double> angles; // of the projections in radians; empty when unknown
    ViewShifts shifts;          // of the projections; empty when the scan tells of none
    double stage_y = unknown,
           stage_z = unknown;         // pixels by which the sample is lifted, of the first projection
    std::string unusable_shifts;      // why those of the scan cannot count, though it tells of some
    std::vector<double> beam;         // intensity at each frame of all kinds; empty when unknown
    bool has_order = false;           // whether Image::number gives the order of time over all kinds
    double axis_position = unknown;   // edge coordinate
    double pixel_size = unknown;      // metres at the sample
    double energy = unknown;          // keV
    double distance = unknown;        // metres, from the sample to the detector
    double source_distance = unknown; // metres, from a point source to the sample; unknown: a parallel beam
    double white_level =
        unknown; // counts of the whole beam, in projections that the scanner divided by flats
    // For a scan that is being written: existing and announced frames of all kinds.
    std::size_t frames = 0, announced = 0;
    // Frames of all kinds if image_key gives their kinds.
    std::size_t all_frames = 0;
    std::vector<std::string> warnings;
    // Of a pixel of the detector, metres at the sample.
    double at_sample(double pixel_of_detector) const;

    std::string unclear_angles;  // a warning if the request names no angles
    std::string unusable_angles; // an error if the request names no angles
};

struct ScanRequest {
    std::string location;                  // a file, a folder or a pattern
    std::string entry;                     // of an HDF5 file with several scans
    std::string darks, flats, flats_after; // other places of these, as tomoread's path
    std::string angles;                    // a text file, or a dataset of an HDF5 file
    std::string detector;                  // name or path, if the entry has several
    std::string shifts;                    // a file instead of the displacements that the scan tells
    std::optional<double> axis = {};       // instead of that of the scan
    NameOrder order = NameOrder::Natural;  // of files
    bool follow = false;                   // the scan is being written: parts may still be missing
};

// Recognises the scan by the files' contents. Throws if there is none.
ScanLayout find_scan(const ScanRequest &request);

// The parts of find_scan(). `group` names the entry, or is empty.
ScanLayout find_hdf5_scan(const std::string &file, const std::string &group, const std::string &detector,
                          bool follow);
ScanLayout find_folder_scan(const std::string &folder_or_pattern, NameOrder order);
// Of the file of facts that a laboratory scanner writes beside its images, Nikon .xtekct and SkyScan .log, or
// of all images in one file, Zeiss .txrm and .xrm.
bool names_scanner(const std::string &file);
ScanLayout find_scanner_scan(const std::string &file);
ScanLayout find_xradia_scan(const std::string &file);

// Whether the location is that of a whole scan in one file, of any kind with darks and flats of its own: HDF5
// without a dataset's name, or what a scanner writes.
bool names_scan_file(const std::string &location);

// Opens a file of a scan. Images of scans are grey, so planes of a TIFF that its writer marked as colours are
// images, too.
std::unique_ptr<ImageReader> open_scan_reader(const std::string &path, const ReadOptions &options = {});

// Angles in radians from a file of any of the kinds below.
std::vector<double> angles_of_file(const std::string &path);
// Angles in radians from a text file: one per line, or behind an index; with a heading, from its column of
// angles. The file has degrees, unless the heading says radians.
std::vector<double> angles_of_text(const std::string &file);
// An array of numpy.save() of one axis, in degrees. Throws on any other.
std::vector<double> angles_of_npy(const std::string &file);
// Of a dataset.
std::vector<double> angles_of_hdf5(const Location &location);
// The axis that a result of projections or sinograms tells beside its dataset, an edge coordinate of its
// columns; empty if it tells none.
std::optional<double> axis_of_result(const Location &dataset);
// Pixels to larger columns and larger rows, two numbers for each projection: a text file with two columns, an
// array of numpy.save(), a dataset, or an array in memory.
ViewShifts shifts_of_file(const std::string &path);
// Whether the name of a column or dataset says that it holds angles.
bool names_angle(const std::string &name);

// Angles in radians, from numbers in `units` ("deg", "radian", ..., or empty if unknown).
std::vector<double> angles_in_radians(std::vector<double> angles, const std::string &units);
// The factor from `units` to metres or keV, 1 if `units` is empty. Throws on an unknown unit.
double metres(const std::string &units);
double kilo_electronvolts(const std::string &units);

} // namespace tomo::io
