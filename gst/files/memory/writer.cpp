// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "images.hpp"

#include <gst/files/file-writer.hpp>
#include <gst/files/open-writer.hpp>
#include <gst/files/ordered-work.hpp>
#include <gst/files/series/integers.hpp>
#include <gst/files/share-work.hpp>

#include <cstring>

namespace tomo::io {

namespace {

// "memory:slices-2/40": from image 40 on.
struct Room {
    explicit Room(const std::string &location) {
        const auto slash = location.find('/');
        images = MemoryImages::named(location.substr(0, slash));
        if (slash != std::string::npos)
            next = static_cast<std::size_t>(g_ascii_strtoull(location.c_str() + slash + 1, nullptr, 10));
    }

    std::shared_ptr<MemoryImages> images;
    std::size_t next = 0;
};

class MemoryWriter final : public ImageWriter {
  public:
    MemoryWriter(const std::string &location, const WriteOptions &options)
        : room_(location), most_bytes_(options.most_bytes_under_way), report_(options.report) {}
    ~MemoryWriter() override { abandon(); }

    void write(const ImageToWrite &image) override {
        for (unsigned i = 0; i < image.info().depth; i++)
            add(image.plane(i));
    }
    void settle() override {
        if (work_)
            work_->settle();
    }
    void finish() override { settle(); }
    std::string abandon() noexcept override {
        work_.reset();
        return {};
    }

  private:
    class Copy final : public OrderedWork::Job {
      public:
        Copy(MemoryImages &images, std::size_t number, const ImageToWrite &image)
            : images_(images), number_(number), image_(image) {}
        void work() override {
            std::memcpy(images_.room_of(number_), image_.samples(), image_.info().size());
        }
        void run_in_order() override { images_.note(number_ + 1); }

      private:
        MemoryImages &images_;
        const std::size_t number_;
        const ImageToWrite image_;
    };

    void add(const ImageToWrite &image) {
        const auto &room = room_.images->info();
        const auto &info = image.info();
        if (info.format != room.format || info.width != room.width || info.height != room.height ||
            room_.next >= room.depth)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("image %zu is %s, for which '%s' of %s has no room", room_.next,
                             info.describe().c_str(), room_.images->location().c_str(),
                             room.describe().c_str()));
        if (!work_)
            work_ = std::make_unique<OrderedWork>(threads_for_writing(), most_bytes_, report_);
        work_->add(std::make_unique<Copy>(*room_.images, room_.next++, image), image.bytes_in_memory());
    }

    Room room_;
    const std::uint64_t most_bytes_;
    const OrderedWork::Report report_;
    std::unique_ptr<OrderedWork> work_; // last: its threads use the others
};

} // namespace

std::unique_ptr<ImageWriter> open_memory_writer(const std::string &location, const WriteOptions &options) {
    if (options.append || options.resume || options.deflate || options.rgb)
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("'%s' is memory: append, resume, hdf5-deflate and rgb are for files", location.c_str()));
    auto writer = std::make_unique<MemoryWriter>(location, options);
    if (options.bits == 32)
        return writer;
    if (needs_all_images(options))
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("bits=%u in memory needs a minimum and a maximum: images that were copied are not "
                         "converted again",
                         options.bits));
    return convert_to_integers(std::move(writer), options);
}

} // namespace tomo::io
