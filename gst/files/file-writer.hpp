// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file-format.hpp"
#include "image-writer.hpp"
#include "output-file.hpp"

#include <gst/tomo/device/array.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

// Base classes and factories of the writers of single files.
namespace tomo::io {

// The whole images that remain after an early stop.
struct Remains {
    std::uint64_t images = 0;
    std::string place;
    std::uint64_t lost = 0;  // whole images that could not be kept
    bool damaged = false;    // the disk may lack some of these images
    std::string faults = {}; // in words: failures on the way, other than these
};

// Treatment of an existing file or dataset.
enum class Existing {
    Replace,
    Continue, // new images come behind the existing ones
    Resume,   // the first images exist already, from an interrupted run or in a whole file
};

// As words for the user; empty if there is nothing to tell.
std::string describe(const Remains &remains);

inline OutputFile::Begin begin_of(Existing existing) {
    return existing == Existing::Replace    ? OutputFile::Begin::Empty
           : existing == Existing::Continue ? OutputFile::Begin::AsCopy
                                            : OutputFile::Begin::AsItWas;
}

// A page with its samples.
struct Page {
    ArrayInfo info;
    const void *samples;
    std::optional<ValueRange> grey; // the values that the smallest and the largest integer stand for
};

// The range of values for the integers of all pages, if the options give it.
inline std::optional<ValueRange> common_range(const WriteOptions &options) {
    if (options.bits == 32 || !options.rescale || !options.minimum || !options.maximum ||
        !(*options.minimum <= *options.maximum))
        return {};
    return ValueRange{*options.minimum, *options.maximum};
}
inline bool has_range_per_page(const WriteOptions &options) {
    return options.bits != 32 && options.rescale && options.range_per_image &&
           !(options.minimum && options.maximum);
}

// Whether a pyramid stands beside such images in HDF5.
bool wants_pyramid(const WriteOptions &options, const ArrayInfo &page);

// The completeness of the stream as keys and values for a file; empty if it is not known.
std::vector<std::pair<std::string, std::string>> completeness_words(const StreamLength &length);

// Writes the pages of a single file or dataset. A page of depth 3 is a picture in colour; its pixels are red,
// green and blue.
class FileWriter {
  public:
    virtual ~FileWriter() = default;

    // Whether the format allows this page besides the pages in the file.
    virtual bool has_room(const ArrayInfo &) const { return true; }

    // For Existing::Resume, called once before the first write(): the number of whole images of this kind
    // that the same writer left. write() appends behind them.
    virtual std::uint64_t resume(const ArrayInfo &plane) = 0;
    // Whether one of these images equals the page, bit by bit.
    virtual bool holds(std::uint64_t image, const Page &page) = 0;

    virtual void write(const Page &page) = 0;
    // The same with chunks of the page that were compressed before, for formats with chunks.
    virtual void write_chunked(const Page &page, const struct ChunkedPage &) { write(page); }
    // For formats with a pyramid beside the images: makes the levels, with an image for each whole pair of
    // the level before. Called once, before write_level().
    virtual void begin_levels(const class StreamPyramid &) {}
    virtual void write_level(unsigned /*level*/, const Page &) {}
    virtual void read_level(unsigned /*level*/, std::uint64_t /*image*/, void * /*samples*/) {}
    virtual void finish() = 0;

    // Called once, instead of finish(), by the owner of the writer.
    virtual Remains abandon() = 0;
};

// A writer that owns the whole file.
class SingleFile : public FileWriter {
  public:
    // The two steps of finish().
    virtual void complete() { file_.complete(end_); } // the file is whole, and still named NAME.partial
    void publish() { file_.publish(); }

    void finish() final {
        complete();
        publish();
    }
    Remains abandon() final {
        const auto images = worth_keeping();
        if (images == 0) {
            file_.discard();
            return {};
        }
        return {images, file_.keep(end_), 0, file_.is_damaged()};
    }

  protected:
    SingleFile(const std::string &path, Existing existing, const WriteOptions &options)
        : file_(path, begin_of(existing), options.fsync) {}

    // Number of whole images in NAME.partial; 0 if NAME holds all of them, too.
    virtual std::uint64_t worth_keeping() const = 0;

    OutputFile file_;
    std::uint64_t end_ = 0; // of the last whole image
};

// For formats that can't mark where images of another size begin.
class SameShape {
  public:
    explicit SameShape(std::string format) : format_(std::move(format)) {}

    void check(const ArrayInfo &plane, const std::string &place) {
        if (first_.format != GST_TOMO_FORMAT_UNKNOWN &&
            (plane.format != first_.format || plane.width != first_.width || plane.height != first_.height))
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("%s: an image of %s can't follow images of %s in %s; write TIFF files, or one file "
                     "per image",
                     place.c_str(), plane.describe().c_str(), first_.describe().c_str(), format_.c_str()));
        first_ = plane;
    }

  private:
    std::string format_;
    ArrayInfo first_;
};

std::unique_ptr<SingleFile> create_edf_file(const std::string &file, Existing existing,
                                            const WriteOptions &options);
std::unique_ptr<FileWriter> create_hdf5_file(const Location &location, Existing existing,
                                             const WriteOptions &options);
std::unique_ptr<SingleFile> create_jpeg_file(const std::string &file, Existing existing,
                                             const WriteOptions &options);
std::unique_ptr<SingleFile> create_png_file(const std::string &file, Existing existing,
                                            const WriteOptions &options);
std::unique_ptr<SingleFile> create_npy_file(const std::string &file, Existing existing,
                                            const WriteOptions &options);
std::unique_ptr<SingleFile> create_raw_file(const std::string &file, Existing existing,
                                            const WriteOptions &options);
// `is_large` makes a BigTIFF if the options leave that open.
std::unique_ptr<SingleFile> create_tiff_file(const std::string &file, Existing existing,
                                             const WriteOptions &options, bool is_large);
std::unique_ptr<FileWriter> write_raw_to_standard_output();

// Whether writing to `location` would replace something.
bool hdf5_target_exists(const Location &location);

} // namespace tomo::io
