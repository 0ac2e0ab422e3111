// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "image-reader.hpp"
#include "input-file.hpp"

namespace tomo::io {

// A file of images one behind the other, each with a header of its own. Reads only headers, and no more of
// them than necessary.
class SuccessiveImages : public ImageReader {
  public:
    bool has_page(std::size_t page) override {
        while (found() <= page && next_ < file_.size())
            look_further();
        return page < found();
    }

    std::size_t pages() override {
        while (next_ < file_.size())
            look_further();
        return found();
    }

  protected:
    explicit SuccessiveImages(const std::string &path) : file_(path) {}

    // Pages found so far.
    virtual std::size_t found() const = 0;
    // Reads the header at next_ and moves next_ behind its data.
    virtual void follow() = 0;

    InputFile file_;
    std::uint64_t next_ = 0; // place of the next header

  private:
    // If follow() throws, the next call reads the same header and throws again.
    void look_further() {
        const auto begin = next_;
        try {
            follow();
        } catch (...) {
            next_ = begin;
            throw;
        }
    }
};

} // namespace tomo::io
