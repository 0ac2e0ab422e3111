// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "formats.hpp"
#include "names.hpp"
#include <gst/files/ordered-work.hpp>

#include <mutex>

// How pages get into files, in the threads of an OrderedWork.
namespace tomo::io {

// The names in a folder are on the disk when the folder is, for which once is enough.
class NamesOnDisk {
  public:
    explicit NamesOnDisk(bool fsync) : fsync_(fsync) {}

    void add(const std::string &file);
    void sync() const;

  private:
    const bool fsync_;
    std::string last_; // file that got its name
};

class SeriesFiles {
  public:
    virtual ~SeriesFiles() = default;

    // What has to be done for a page. With `is_there`, an earlier run has written it.
    virtual std::unique_ptr<OrderedWork::Job> job(const ImageToWrite &page, bool is_there) = 0;
    // When all jobs are done.
    virtual void finish() = 0;
    // When no more are done.
    virtual Remains abandon() = 0;
};

// Each file has several pages, which are written one after the other. Their samples are made, and compressed,
// at the same time.
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
    bool is_full(const ArrayInfo &page) const;
    void open(const ArrayInfo &page);
    void close();

    SeriesNames &names_;
    const FileMaker &maker_;
    NamesOnDisk on_disk_;
    std::unique_ptr<FileWriter> file_;
    Location opened_;                  // its name
    std::uint64_t bytes_ = 0;          // of images in the file
    std::uint64_t at_ = 0, there_ = 0; // images of this run in the file, and of an earlier one
};

// Each page has a file of its own. A file system lets one thread at a time write to a file, so that many
// files go faster than one. Their names, which others may wait for, appear in order.
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
    Remains left_; // by a run that failed, in files behind the one that did
};

} // namespace tomo::io
