// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file-format.hpp"
#include "grey-mapping.hpp"
#include "image-to-write.hpp"
#include "result-facts.hpp"

#include <gst/tomo/device/array.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace tomo::io {

// Images of a stream, a plane of a deeper array counting as one.
struct StreamLength {
    std::uint64_t came = 0;
    std::optional<std::uint64_t> announced; // before, if anybody did

    bool is_interrupted = false; // somebody ended the stream that the images are made of

    bool is_known() const { return announced || is_interrupted; }
    bool is_complete() const { return announced && came >= *announced && !is_interrupted; }
    bool lacks_some() const { return announced && came < *announced; }
};

struct WriteOptions {
    FileType type = FileType::Automatic;

    // Numbers in file names with a pattern.
    unsigned counter_start = 0;
    unsigned counter_step = 1;
    // Bytes of image data after which the next file of a pattern begins, 0: every image has its own.
    std::uint64_t bytes_per_file = 0;
    // Without a pattern: continue behind the images that are there. With one: leave out numbers that are in
    // use.
    bool append = false;
    // Continue what an interrupted run with the same settings left: images that are there are compared with
    // those that come, and not written again.
    bool resume = false;
    // BigTIFF or classic TIFF, which ends at 4 GiB; unset: classic where the images are known to fit.
    std::optional<bool> big_tiff;
    unsigned jpeg_quality = 95; // 0 to 100
    // Wait until a file is on the disk before it gets its name, and at each flush of HDF5 files.
    bool fsync = true;
    // What a kill may cost of an HDF5 file: images of so long are not known to it yet.
    std::chrono::milliseconds flush_interval{1000};
    unsigned deflate = 0; // level of compression in HDF5 files; 0: none
    // Asked at the beginning and at the end of a file that holds the whole stream.
    std::function<StreamLength()> length;
    // What HDF5 files shall say about how the images came about; asked when the first image comes, ...
    std::function<ResultFacts()> facts;
    // ... and completed when all are there.
    std::function<void(ResultFacts &)> add_final_facts;
    // Arrays of depth 3 are pictures in colour instead of three pages.
    bool rgb = false;

    // 32: samples stay as they are, where the format has them; JPEG has 8 bits, PNG 8 and 16. 8 or 16:
    // unsigned integers of so many bits, clipped and rounded, NaN becomes 0.
    unsigned bits = 32;
    // Maps minimum..maximum to the integer range; otherwise the values themselves are taken.
    bool rescale = true;
    // Unset: of all images. Then these are kept in a file beside the target and converted at the end.
    std::optional<double> minimum, maximum;
    // Unset minimum and maximum are those of each image instead.
    bool range_per_image = false;
    // Told once, of what the integers of all images stand for.
    std::function<void(const GreyMapping &)> tell_range;

    // Images that were given to the writer and are not written hold no more than this, or are one.
    std::uint64_t most_bytes_under_way = 256 << 20;
    // Told of the first failure at once, in a thread of the writer; that of an image may be thrown only when
    // the next one comes.
    std::function<void(std::exception_ptr)> report;
    // Told of what a person should know although everything was written, before finish() returns.
    std::function<void(const std::string &)> warn;
};

// Writes pages to one file or a numbered series. Files are named NAME.partial while they are written; a
// dataset in an HDF5 file that exists already is named DATASET.partial. For one thread at a time; it has
// others of its own. Files of a series get their names in the order of their numbers.
class ImageWriter {
  public:
    virtual ~ImageWriter() = default; // abandons what was not finished

    // Adds an image; each plane of a deeper one is a page of its own. It is written by and by: an Error may
    // be that of an image before. After one only abandon() makes sense.
    virtual void write(const ImageToWrite &image) = 0;
    // Waits until all images are written.
    virtual void settle() = 0;

    // Adds an image and waits until it is written.
    void write(const ArrayInfo &info, const void *data) {
        write(ImageToWrite(info, data));
        settle();
    }

    // With resume, before the first image: how many images of this shape are there from an earlier run. They
    // can be left out with skip(), which must not go beyond them.
    virtual std::uint64_t images_there(const ArrayInfo &) { return 0; }
    virtual void skip(const ArrayInfo &, std::uint64_t /*images*/) {}

    // Success: completes the files and gives them their names. Without any image nothing is created.
    virtual void finish() = 0;

    // Stops early. Whole images of the file under way stay readable under its .partial name; a file without
    // any is removed. Returns a sentence that says what was kept where, empty if nothing.
    virtual std::string abandon() noexcept = 0;
};

// An empty path is standard output, which gets raw samples. Throws where path or options can't work, before
// anything is created.
std::unique_ptr<ImageWriter> open_writer(const std::string &path, const WriteOptions &options = {});

} // namespace tomo::io
