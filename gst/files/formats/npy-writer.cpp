// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Arrays as numpy.save() writes them: one image is (rows, columns), several are (images, rows, columns).

#include <gst/files/file-writer.hpp>
#include "npy-header.hpp"

namespace tomo::io {

namespace {

class NpyFile final : public SingleFile {
  public:
    NpyFile(const std::string &path, Existing existing, const WriteOptions &options)
        : SingleFile(path, existing, options) {
        if (existing != Existing::Continue || file_.initial_size() == 0)
            return;
        try {
            continue_file();
        } catch (...) {
            file_.discard();
            throw;
        }
    }

    std::uint64_t resume(const ArrayInfo &plane) override {
        shape_.check(plane, "'" + file_.target() + "'");
        plane_ = plane;
        const auto size = file_.initial_size();
        if (size <= offset_)
            return 0;
        // Up to the shape, which may be that of fewer images than there are.
        const auto header = npy_header(plane.format, {}, offset_);
        if (!file_.holds(0, header.data(), header.find('(')))
            throw Error(
                GST_RESOURCE_ERROR_OPEN_WRITE,
                text("'%s' can't be resumed: it does not begin as tomowrite would begin it for images of "
                     "%s; remove it, or write to another file",
                     file_.target().c_str(), plane.describe().c_str()));
        images_ = (size - offset_) / plane.size();
        end_ = offset_ + images_ * plane.size();
        return images_;
    }

    void complete() override {
        if (images_ > 0 && plane_.format != GST_TOMO_FORMAT_UNKNOWN)
            write_header();
        SingleFile::complete();
    }

    bool holds(std::uint64_t image, const Page &page) override {
        return file_.holds(offset_ + image * page.info.size(), page.samples, page.info.size());
    }

    void write(const Page &page) override {
        const auto &plane = page.info;
        if (before_.format != GST_TOMO_FORMAT_UNKNOWN)
            shape_.check(before_, "'" + file_.target() + "'");
        shape_.check(plane, "'" + file_.target() + "'");
        file_.write_at(offset_ + images_ * plane.size(), page.samples, plane.size());
        images_++;
        written_++;
        plane_ = plane;
        write_header();
        end_ = offset_ + images_ * plane.size();
    }

  private:
    // As numpy aligns samples.
    static constexpr std::uint64_t header_bytes = 128;

    std::uint64_t worth_keeping() const override { return written_ ? images_ : 0; }

    void write_header() {
        std::vector<std::uint64_t> shape{plane_.height, plane_.width};
        if (images_ > 1)
            shape.insert(shape.begin(), images_);
        const auto header = npy_header(plane_.format, shape, offset_);
        if (!file_.holds(0, header.data(), header.size()))
            file_.write_at(0, header.data(), header.size());
    }

    void continue_file() {
        const InputFile original(file_.target());
        const NpyHeader header(original);
        const auto reader = open_npy_reader(file_.target(), {});
        before_ = reader->info(0);
        if (header.fortran_order || header.type.swapped || header.type.form != StoredType::Form::AsFormat ||
            header.said_type == "|b1" || reader->pages() * before_.size() != original.size() - header.offset)
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("'%s' can't be continued: its samples are '%s'%s, and new ones would not be of that "
                     "kind; write to another file",
                     file_.target().c_str(), header.said_type.c_str(),
                     header.fortran_order ? " in Fortran order" : ""));
        images_ = reader->pages();
        offset_ = header.offset;
        end_ = original.size();
    }

    SameShape shape_{"a file of numpy"};
    ArrayInfo plane_;
    ArrayInfo before_; // of the images of a file that is continued
    std::uint64_t offset_ = header_bytes;
    std::uint64_t images_ = 0, written_ = 0;
};

} // namespace

std::unique_ptr<SingleFile> create_npy_file(const std::string &file, Existing existing,
                                            const WriteOptions &options) {
    return std::make_unique<NpyFile>(file, existing, options);
}

} // namespace tomo::io
