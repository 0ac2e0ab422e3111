// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which images of which files are the projections, darks and flats of a scan, and what else the files tell
// about it.
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
    // Frames of all kinds where image_key tells which are which.
    std::size_t all_frames = 0;
    std::vector<std::string> warnings;
    std::string unclear_angles;  // a warning for who names none
    std::string unusable_angles; // an error for who names none
};

struct ScanRequest {
    std::string location;                  // a file, a folder or a pattern
    std::string entry;                     // of an HDF5 file with several scans
    std::string darks, flats, flats_after; // where these are if elsewhere, as tomoread's path
    std::string angles;                    // a text file, or a dataset of an HDF5 file
    std::string detector;                  // of an entry with several: its name, or its path
    NameOrder order = NameOrder::Natural;  // of files
    bool follow = false; // the scan is being written: there may be less than there should be
};

// Finds out what is there by the files' contents. Throws where that is no scan.
ScanLayout find_scan(const ScanRequest &request);

// The layouts behind it. `group` names the entry, or is empty.
ScanLayout find_hdf5_scan(const std::string &file, const std::string &group, const std::string &detector,
                          bool follow);
ScanLayout find_folder_scan(const std::string &folder_or_pattern, NameOrder order);

// Opens a file of a scan. Its images are grey, so that planes of a TIFF which its writer took for colours are
// images, too.
std::unique_ptr<ImageReader> open_scan_reader(const std::string &path, const ReadOptions &options = {});

// Angles in radians of a text file: one per line, or behind an index; with a heading, the column that it
// calls an angle. Degrees, unless the heading says radians.
std::vector<double> angles_of_text(const std::string &file);
// An array of numpy.save() of one axis, in degrees. Throws on any other.
std::vector<double> angles_of_npy(const std::string &file);
// Of a dataset.
std::vector<double> angles_of_hdf5(const Location &location);
// Numbers with blanks or commas between them, or with semicolons, and then a comma is a decimal point.
// Nothing where something else is among them.
std::optional<std::vector<double>> numbers_in_words(const std::string &words);
// Whether a column or dataset of this name holds angles, where nothing else says what it is.
bool names_angle(const std::string &name);

// Angles in radians, from numbers in `units` ("deg", "radian", ... or empty when nothing is said).
std::vector<double> angles_in_radians(std::vector<double> angles, const std::string &units);
// The factor from `units` to metres or keV, 1 where nothing is said; throws on a unit that is not known.
double metres(const std::string &units);
double kilo_electronvolts(const std::string &units);

} // namespace tomo::io
