// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "formats.hpp"
#include "names.hpp"
#include <gst/files/hdf5/compress.hpp>
#include <gst/files/ordered-work.hpp>
#include <gst/files/stream-pyramid.hpp>

#include <mutex>
#include <optional>

// Ways to write pages to files, in the threads of an OrderedWork.
namespace tomo::io {

// Syncs the folder of the files once, which puts all their names on the disk.
class NamesOnDisk {
  public:
    explicit NamesOnDisk(bool fsync) : fsync_(fsync) {}

    void add(const std::string &file);
    void sync() const;

  private:
    const bool fsync_;
    std::string last_; // the last file that got its name
};

class SeriesFiles {
  public:
    virtual ~SeriesFiles() = default;

    // The job that writes a page. With `is_there`, an earlier run has written it.
    virtual std::unique_ptr<OrderedWork::Job> job(const ImageToWrite &page, bool is_there) = 0;
    // Called when all jobs are done.
    virtual void finish() = 0;
    // Called when no more jobs run.
    virtual Remains abandon() = 0;
};

// Several pages in each file, written one after the other. Several threads make and compress their samples.
class FilesOfManyPages final : public SeriesFiles {
  public:
    FilesOfManyPages(SeriesNames &names, const FileMaker &maker)
        : names_(names), maker_(maker), on_disk_(maker.options().fsync) {}

    std::unique_ptr<OrderedWork::Job> job(const ImageToWrite &page, bool is_there) override;
    void finish() override;
    Remains abandon() override;

  private:
    class Page;

    void add(const ImageToWrite &page, bool is_there, const ChunkedPage *chunked);
    void prepare(const ArrayInfo &page);
    bool is_full(const ArrayInfo &page) const;
    void write(const ImageToWrite &image, const ChunkedPage *chunked);
    void begin_levels();
    void open(const ArrayInfo &page);
    void close();

    SeriesNames &names_;
    const FileMaker &maker_;
    NamesOnDisk on_disk_;
    std::unique_ptr<FileWriter> file_;
    Location opened_;                        // its name
    std::unique_ptr<StreamPyramid> pyramid_; // if there is one beside the images
    bool has_levels_ = false;                // they were begun
    std::optional<ChunkLayout> layout_;      // of images that are compressed one by one
    std::uint64_t jobs_ = 0;
    std::uint64_t bytes_ = 0;          // of images in the file
    std::uint64_t at_ = 0, there_ = 0; // images of this run in the file, and of an earlier one
};

// One file for each page. A file system lets one thread at a time write to a file, so several files are
// faster than one. Their names appear in order, because other programs may wait for them.
class FilesOfOnePage final : public SeriesFiles {
  public:
    FilesOfOnePage(SeriesNames &names, const FileMaker &maker)
        : names_(names), maker_(maker), on_disk_(maker.options().fsync) {}

    std::unique_ptr<OrderedWork::Job> job(const ImageToWrite &page, bool is_there) override;
    void finish() override { on_disk_.sync(); }
    Remains abandon() override;

  private:
    class Page;

    void keep(SingleFile &file);

    SeriesNames &names_;
    const FileMaker &maker_;
    NamesOnDisk on_disk_;
    std::mutex lock_;
    Remains left_; // images of a failed run, in files behind the one that failed
};

} // namespace tomo::io
