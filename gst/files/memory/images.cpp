// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "images.hpp"

#include <gst/tomo/support/error.hpp>

#include <cerrno>
#include <map>
#include <mutex>

#include <sys/mman.h>

namespace tomo::io {

namespace {

constexpr char scheme[] = "memory:";

std::mutex lock; // of all below
std::map<std::string, std::weak_ptr<MemoryImages>> all;
unsigned last_number = 0;

std::string new_location(const std::string &kind) {
    const std::lock_guard<std::mutex> guard(lock);
    return scheme + kind + "-" + std::to_string(++last_number);
}

std::shared_ptr<MemoryImages> registered(std::shared_ptr<MemoryImages> images) {
    const std::lock_guard<std::mutex> guard(lock);
    all[images->location()] = images;
    return images;
}

// A region for a result. The system gives its pages when they are written, in large pieces where it can.
class Region {
  public:
    explicit Region(std::size_t bytes) : bytes_(bytes) {
        start_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (start_ == MAP_FAILED)
            throw Error(
                GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                text("%.4g MB of memory for the result are not to be had: %s; take fewer rows, or write to a "
                     "file",
                     static_cast<double>(bytes) / 1e6, g_strerror(errno)));
        madvise(start_, bytes, MADV_HUGEPAGE);
    }
    ~Region() { munmap(start_, bytes_); }
    Region(const Region &) = delete;
    Region &operator=(const Region &) = delete;

    static BufferRef buffer(std::size_t bytes) {
        auto region = std::make_unique<Region>(bytes);
        void *start = region->start_;
        const auto free = [](gpointer data) { delete static_cast<Region *>(data); };
        return BufferRef(gst_buffer_new_wrapped_full(static_cast<GstMemoryFlags>(0), start, bytes, 0, bytes,
                                                     region.release(), free));
    }

  private:
    const std::size_t bytes_;
    void *start_;
};

} // namespace

bool names_memory(const std::string &path) { return path.rfind(scheme, 0) == 0; }

// Of the memory itself where it is written: samples that others hold as well have buffers that are shared.
struct MemoryImages::Map {
    Map(GstBuffer *of, Access access) : buffer(of) {
        if (access == Access::Write && gst_buffer_n_memory(buffer) == 1)
            memory = gst_buffer_peek_memory(buffer, 0);
        const bool is_mapped = memory ? gst_memory_map(memory, &info, GST_MAP_READWRITE)
                                      : access == Access::Read && gst_buffer_map(buffer, &info, GST_MAP_READ);
        if (!is_mapped)
            throw Error(GST_RESOURCE_ERROR_FAILED, access == Access::Read
                                                       ? "an array in memory can't be read"
                                                       : "the array for the result can't be written to");
    }
    ~Map() {
        if (memory)
            gst_memory_unmap(memory, &info);
        else
            gst_buffer_unmap(buffer, &info);
    }
    Map(const Map &) = delete;
    Map &operator=(const Map &) = delete;

    GstBuffer *buffer;
    GstMemory *memory = nullptr;
    GstMapInfo info = GST_MAP_INFO_INIT;
};

MemoryImages::MemoryImages(const std::string &kind) : location_(new_location(kind)) {}

MemoryImages::~MemoryImages() {
    const std::lock_guard<std::mutex> guard(lock);
    all.erase(location_);
}

std::shared_ptr<MemoryImages> MemoryImages::lent(const std::string &kind, GstSample *sample, Access access) {
    const auto *caps = gst_sample_get_caps(sample);
    auto *buffer = gst_sample_get_buffer(sample);
    if (!caps || !buffer)
        throw Error(GST_RESOURCE_ERROR_SETTINGS, kind + ": a sample without caps or buffer is no array");
    const auto info = ArrayInfo::from_caps(caps);
    if (info.samples() == 0)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("%s: an array of %s holds no image", kind.c_str(), info.describe().c_str()));
    std::shared_ptr<MemoryImages> images(new MemoryImages(kind));
    images->hold(BufferRef::referenced(buffer), info, access);
    return registered(std::move(images));
}

std::shared_ptr<MemoryImages> MemoryImages::reserved(const std::string &kind) {
    return registered(std::shared_ptr<MemoryImages>(new MemoryImages(kind)));
}

std::shared_ptr<MemoryImages> MemoryImages::named(const std::string &location) {
    {
        const std::lock_guard<std::mutex> guard(lock);
        if (const auto found = all.find(location); found != all.end())
            if (auto images = found->second.lock())
                return images;
    }
    throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                text("nobody in this process lends images as '%s': names of memory are those of a running "
                     "application and end with it; name a file",
                     location.c_str()));
}

void MemoryImages::hold(BufferRef buffer, const ArrayInfo &info, Access access) {
    layout_ = layout_of(buffer.get(), info);
    map_ = std::make_unique<Map>(buffer.get(), access);
    buffer_ = std::move(buffer);
    info_ = info;
    first_ = reinterpret_cast<const char *>(map_->info.data) + layout_.offset;
}

const char *MemoryImages::row(std::size_t image, std::size_t y) const {
    return first_ + image * layout_.plane_stride + y * layout_.row_stride;
}

char *MemoryImages::room_of(std::size_t image) const {
    return reinterpret_cast<char *>(map_->info.data) + layout_.offset + image * layout_.plane_stride;
}

void MemoryImages::allocate(const ArrayInfo &info) {
    written_ = 0;
    if (!buffer_) {
        hold(Region::buffer(info.size()), info, Access::Write);
        return;
    }
    if (!map_ || info.format != info_.format || info.width != info_.width || info.height != info_.height ||
        info.depth != info_.depth || !layout_.is_packed)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("the result is %s, but the array for it is %s%s", info.describe().c_str(),
                         info_.describe().c_str(), layout_.is_packed ? "" : ", with gaps between its rows"));
}

GstSample *MemoryImages::take_result() {
    map_.reset(); // the receiver may map it to write
    if (!buffer_ || written_ == 0)
        return nullptr;
    const auto there = info_.with_size(info_.width, info_.height, written_);
    const CapsRef caps(there.to_caps(false));
    auto *sample = gst_sample_new(buffer_.get(), caps.get(), nullptr, nullptr);
    buffer_ = {};
    return sample;
}

} // namespace tomo::io
