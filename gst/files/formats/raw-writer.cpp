// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Samples and nothing else, in the byte order of the host, to a file or to standard output.

#include <gst/files/file-writer.hpp>
#include <gst/files/output-file.hpp>

#include <cerrno>
#include <unistd.h>

namespace tomo::io {

namespace {

class RawFile final : public SingleFile {
  public:
    RawFile(const std::string &path, Existing existing, const WriteOptions &options)
        : SingleFile(path, existing, options) {
        end_ = existing == Existing::Resume ? 0 : file_.initial_size();
    }

    std::uint64_t resume(const ArrayInfo &plane) override {
        shape_.check(plane, "'" + file_.target() + "'");
        images_ = file_.initial_size() / plane.size();
        image_bytes_ = plane.size();
        end_ = images_ * image_bytes_;
        return images_;
    }

    bool holds(std::uint64_t image, const Page &page) override {
        return file_.holds(image * page.info.size(), page.samples, page.info.size());
    }

    void write(const Page &page) override {
        const auto &plane = page.info;
        shape_.check(plane, "'" + file_.target() + "'");
        if (images_ == 0 && end_ % plane.size() != 0)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("'%s' can't be continued: its %" G_GUINT64_FORMAT
                             " bytes are not a whole number of images "
                             "of %s",
                             file_.target().c_str(), end_, plane.describe().c_str()));
        file_.write_at(end_, page.samples, plane.size());
        end_ += plane.size();
        images_++;
        image_bytes_ = plane.size();
    }

  private:
    std::uint64_t worth_keeping() const override { return images_ ? end_ / image_bytes_ : 0; }

    SameShape shape_{"raw data"};
    std::uint64_t images_ = 0; // besides those of a file that is continued
    std::uint64_t image_bytes_ = 0;
};

class StandardOutput final : public FileWriter {
  public:
    StandardOutput() {
        if (isatty(STDOUT_FILENO))
            throw Error(GST_RESOURCE_ERROR_SETTINGS, "no file name is set, which means raw samples to "
                                                     "standard output, but that is a terminal; set "
                                                     "filename, or redirect the output");
    }

    void write(const Page &page) override {
        shape_.check(page.info, "standard output");
        const auto *next = static_cast<const char *>(page.samples);
        for (auto left = page.info.size(); left > 0;) {
            const auto written = ::write(STDOUT_FILENO, next, left);
            if (written < 0 && errno == EINTR)
                continue;
            if (written <= 0)
                throw system_error("write to", "standard output", errno, GST_RESOURCE_ERROR_WRITE);
            next += written;
            left -= static_cast<std::uint64_t>(written);
        }
    }

    std::uint64_t resume(const ArrayInfo &) override { return 0; }
    bool holds(std::uint64_t, const Page &) override { return false; }
    void finish() override {}
    Remains abandon() override { return {}; }

  private:
    SameShape shape_{"raw data"};
};

} // namespace

std::unique_ptr<SingleFile> create_raw_file(const std::string &file, Existing existing,
                                            const WriteOptions &options) {
    return std::make_unique<RawFile>(file, existing, options);
}

std::unique_ptr<FileWriter> write_raw_to_standard_output() { return std::make_unique<StandardOutput>(); }

} // namespace tomo::io
