// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/file-writer.hpp>

#include <vector>

namespace tomo::io {

// A file of a format with one picture per file, which is encoded in memory.
class PictureFile : public SingleFile {
  public:
    PictureFile(const std::string &path, Existing existing, const WriteOptions &options, const char *format);

    bool has_room(const ArrayInfo &) const override { return !written_; }
    std::uint64_t resume(const ArrayInfo &plane) override;
    bool holds(std::uint64_t image, const Page &page) override;
    void write(const Page &page) override;

  protected:
    const std::string &target() const { return file_.target(); }
    // Texts beside the picture, as keys and values.
    std::vector<std::pair<std::string, std::string>> words_of(const Page &page) const;

  private:
    virtual std::vector<unsigned char> encode(const Page &page) const = 0;

    std::uint64_t worth_keeping() const override { return written_; }

    const char *format_;
    const std::function<StreamLength()> length_;
    bool written_ = false;
};

} // namespace tomo::io
