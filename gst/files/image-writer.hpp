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
#include <limits>
#include <memory>
#include <optional>
#include <string>

namespace tomo::io {

// Numbers of images of a stream. Each plane of a deeper array counts as one.
struct StreamLength {
    std::uint64_t came = 0;
    std::optional<std::uint64_t> announced; // number announced before the stream, if known

    bool is_interrupted = false; // the stream was ended early

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
    // Without a pattern: continue behind the existing images. With one: skip numbers that are in use.
    bool append = false;
    // Continue an interrupted run with the same settings: images already written are compared with the new
    // ones, and not written again.
    bool resume = false;
    // Images of the interrupted run behind these are written anew (HDF5).
    std::uint64_t most_resumed = std::numeric_limits<std::uint64_t>::max();
    // BigTIFF or classic TIFF, which ends at 4 GiB; unset: classic if the images are known to fit.
    std::optional<bool> big_tiff;
    unsigned jpeg_quality = 95; // 0 to 100
    // Wait until a file is on the disk before it gets its name, and at each flush of HDF5 files.
    bool fsync = true;
    // Most time between two flushes of an HDF5 file; a kill may lose the images of this time.
    std::chrono::milliseconds flush_interval{1000};
    unsigned deflate = 0; // level of compression in HDF5 files; 0: none
    unsigned volume = 0;  // images of a volume, for a view of an HDF5 dataset as several of them; 0: none
    // Called at the beginning and at the end of a file that holds the whole stream.
    std::function<StreamLength()> length;
    // Facts for HDF5 files about the making of the images; called when the first image comes, ...
    std::function<ResultFacts()> facts;
    // ... and completed at the end.
    std::function<void(ResultFacts &)> add_final_facts;
    // Arrays of depth 3 are pictures in colour instead of three pages.
    bool rgb = false;

    // 32: samples keep their type, if the format has it; JPEG has 8 bits, PNG 8 and 16. 8 or 16: unsigned
    // integers of this number of bits, clipped and rounded; NaN becomes 0.
    unsigned bits = 32;
    // Maps minimum..maximum to the integer range; false: integers are the values themselves.
    bool rescale = true;
    // Unset: the limits of all images. Images are kept in a file beside the target then, and converted at the
    // end.
    std::optional<double> minimum, maximum;
    // Unset limits are those of each image instead.
    bool range_per_image = false;
    // Called at the end: NaN of images that came as integers.
    std::function<std::uint64_t()> count_missing;
    // Called once with the mapping of the integers of all images.
    std::function<void(const GreyMapping &)> tell_range;

    // How a volume is cut into chunks, see chunk_sizes(); empty: as it is best for the format.
    std::string chunks;
    // Whether a pyramid of means stands beside the volume. Automatic: in OME-Zarr, and in HDF5 if the volume
    // is larger than 1 GB.
    enum class Pyramid { Automatic, Yes, No } pyramid = Pyramid::Automatic;
    // Files for the images of an HDF5 dataset, which is a virtual one then.
    unsigned parts = 1;
    unsigned threads = 0; // 0: one for each processor, but no more than 16
    // Most bytes of images that are not written yet; a single image may be larger.
    std::uint64_t most_bytes_under_way = 256 << 20;
    // Called with the first failure at once, in a thread of the writer. write() throws the failure of an
    // image only with a later image.
    std::function<void(std::exception_ptr)> report;
    // Called before finish() returns, with warnings for the user although all images were written.
    std::function<void(const std::string &)> warn;
};

// Writes pages to one file or a numbered series. Files are named NAME.partial while they are written; a new
// dataset in an existing HDF5 file is named DATASET.partial. One thread at a time may use a writer, which has
// further threads of its own. Files of a series get their names in the order of their numbers.
class ImageWriter {
  public:
    virtual ~ImageWriter() = default; // calls abandon() unless finish() was called

    // Adds an image; each plane of a deeper one is a page of its own. The image is written later: an Error
    // may belong to an earlier image. After an Error call only abandon().
    virtual void write(const ImageToWrite &image) = 0;
    // Waits until all images are written.
    virtual void settle() = 0;

    // Adds an image and waits until it is written.
    void write(const ArrayInfo &info, const void *data) {
        write(ImageToWrite(info, data));
        settle();
    }

    // With resume, before the first image: the number of images of this shape from an earlier run. skip()
    // leaves out images, but no more than these.
    virtual std::uint64_t images_there(const ArrayInfo &) { return 0; }
    virtual void skip(const ArrayInfo &, std::uint64_t /*images*/) {}

    // Completes the files and gives them their names. Creates nothing if there was no image.
    virtual void finish() = 0;

    // Stops early. Whole images of an unfinished file stay readable under its .partial name; a file without
    // any is removed. Returns a sentence with number and place of the images kept, empty if there are none.
    virtual std::string abandon() noexcept = 0;
};

// A writer to files that takes the range of integers that come.
class ImageTarget : public ImageWriter {
  public:
    // Called when the first page comes, even if it is written later.
    virtual void begin(const ArrayInfo &page) = 0;
    // The range of values for integers, before the first image.
    virtual void set_range(const ValueRange &range) = 0;
};

} // namespace tomo::io
