// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which images of which files are the projections, darks and flats of a scan, and what else the files tell
// about it.
#pragma once

#include "file-format.hpp"

#include <limits>
#include <vector>

namespace tomo::io {

// Images of one kind, in the order of time.
struct ScanImages {
    struct Image {
        std::size_t file;
        std::size_t page;
        std::uint64_t number; // among all frames of the scan
    };
    std::vector<std::string> files; // as open_reader() takes them
    std::vector<Image> images;
    FileType type = FileType::Automatic; // of the files, by their suffix
    bool one_page_each = false;          // as it is believed of a long series; to be checked when reading

    bool empty() const { return images.empty(); }
    // All pages of another file.
    void add_file(const std::string &file, std::uint64_t pages);
};

// Throws where a file claims to hold more images than any scan has.
void check_image_count(const std::string &where, std::uint64_t count);

struct ScanLayout {
    static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

    std::string name; // for messages: "'scan.nxs', NXtomo /entry"
    ScanImages projections, darks, flats, flats_after;
    std::vector<double> angles;     // of the projections in radians; empty when unknown
    bool has_order = false;         // whether `number`s tell the order of time over all kinds
    double axis_position = unknown; // edge coordinate
    double pixel_size = unknown;    // metres
    double energy = unknown;        // keV
    double distance = unknown;      // metres
    // Of a scan that is being written: frames of all kinds that are there, and that are told to come.
    std::size_t frames = 0, announced = 0;
    std::vector<std::string> warnings;
};

struct ScanRequest {
    std::string location;                  // a file, a folder or a pattern
    std::string entry;                     // of an HDF5 file with several scans
    std::string darks, flats, flats_after; // where these are if elsewhere, as tomoread's path
    std::string angles;                    // a text file, in degrees
    bool follow = false; // the scan is being written: there may be less than there should be
};

// Finds out what is there by the files' contents. Throws where that is no scan.
ScanLayout find_scan(const ScanRequest &request);

// The layouts behind it. `group` names the entry, or is empty.
ScanLayout find_hdf5_scan(const std::string &file, const std::string &group, bool follow);
ScanLayout find_folder_scan(const std::string &folder_or_pattern);

// Angles in radians, from numbers in `units` ("deg", "radian", ... or empty when nothing is said).
std::vector<double> angles_in_radians(std::vector<double> angles, const std::string &units);
// The factor from `units` to metres or keV, 1 where nothing is said; throws on a unit that is not known.
double metres(const std::string &units);
double kilo_electronvolts(const std::string &units);

} // namespace tomo::io
