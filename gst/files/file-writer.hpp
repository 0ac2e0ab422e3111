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

// Inside of the image writers.
namespace tomo::io {

// Whole images left after a stop.
struct Remains {
    std::uint64_t images = 0;
    std::string place;
    std::uint64_t lost = 0; // whole images that could not be kept
    bool damaged = false;   // the disk may lack some of those that are there
};

// What becomes of a file or dataset that is there already.
enum class Existing {
    Replace,
    Continue, // new images come behind those that are there
    Resume,   // what an interrupted run left, or a whole file: the first images are there already
};

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

// What the integers of all pages stand for, where options say it beforehand.
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

// What a file says of whether all images came, or all of which they are made, as keys and values; nothing
// where nobody knows.
std::vector<std::pair<std::string, std::string>> completeness_words(const StreamLength &length);

// Writes the pages of a single file or dataset. A page of depth 3 is a picture in colour; its pixels are red,
// green and blue.
class FileWriter {
  public:
    virtual ~FileWriter() = default;

    // Whether the format allows this page in the file, besides what it holds.
    virtual bool has_room(const ArrayInfo &) const { return true; }

    // For Existing::Resume, once and before the first write(), which then comes behind: how many whole images
    // of this kind are there, written by the same writer.
    virtual std::uint64_t resume(const ArrayInfo &plane) = 0;
    // Whether one of them is this page, bit by bit.
    virtual bool holds(std::uint64_t image, const Page &page) = 0;

    virtual void write(const Page &page) = 0;
    // With what may be made of the page before, if the format has chunks.
    virtual void write_chunked(const Page &page, const struct ChunkedPage &) { write(page); }
    virtual void finish() = 0;

    // Called once, by whoever owns the writer and did not finish it.
    virtual Remains abandon() = 0;
};

// A writer to which the whole file belongs.
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

    // Whole images in NAME.partial; none if it holds nothing that is not in NAME, too.
    virtual std::uint64_t worth_keeping() const = 0;

    OutputFile file_;
    std::uint64_t end_ = 0; // of the last whole image
};

// For formats in which nothing could tell where images of another size begin.
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
// `is_large`: where the options leave it open, it becomes a BigTIFF.
std::unique_ptr<SingleFile> create_tiff_file(const std::string &file, Existing existing,
                                             const WriteOptions &options, bool is_large);
std::unique_ptr<FileWriter> write_raw_to_standard_output();

// Whether there is something that writing to `location` would replace.
bool hdf5_target_exists(const Location &location);

} // namespace tomo::io
