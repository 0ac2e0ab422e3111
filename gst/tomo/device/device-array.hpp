// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/device/array.hpp>
#include <gst/tomo/device/gobject.hpp>

namespace tomo {

// An array on a device: a shape and the place of its packed samples in a storage. Kernels read a const Array
// and write any other. Copies are views of the same samples.
class GST_TOMO_API Array {
  public:
    Array() = default;
    Array(const ArrayInfo &info, std::shared_ptr<Storage> storage, std::size_t byte_offset = 0)
        : info_(info), storage_(std::move(storage)), byte_offset_(byte_offset) {}
    // New memory with undefined contents.
    Array(const ArrayInfo &info, const std::shared_ptr<Device> &device, const AskPatience &ask = {})
        : Array(info, std::make_shared<Storage>(device, info.size(), ask)) {}

    const ArrayInfo &info() const { return info_; }
    const std::shared_ptr<Storage> &storage() const { return storage_; }
    std::size_t byte_offset() const { return byte_offset_; }
    std::size_t sample_offset() const { return byte_offset_ / info_.sample_size(); }
    explicit operator bool() const { return storage_ != nullptr; }

    unsigned width() const { return info_.width; }
    unsigned height() const { return info_.height; }
    unsigned depth() const { return info_.depth; }

    Array plane(unsigned z) const {
        return {info_.with_size(info_.width, info_.height, 1), storage_,
                byte_offset_ + z * info_.plane_samples() * info_.sample_size()};
    }
    // The same samples with another shape.
    Array as(const ArrayInfo &info) const { return {info, storage_, byte_offset_}; }
    Array floats() const { return as(info_.floats()); }

    BufferRef to_buffer() const;

  private:
    ArrayInfo info_;
    std::shared_ptr<Storage> storage_;
    std::size_t byte_offset_ = 0;
};

// Maps an array to the host while this object exists. `Host<const float>` reads, `Host<float>` writes and
// reads.
template <class T>
class Host {
  public:
    explicit Host(const Array &array)
        : storage_(array.storage()),
          data_(reinterpret_cast<T *>(static_cast<char *>(storage_->map(writes)) + array.byte_offset())) {}
    ~Host() { storage_->unmap(writes); }
    Host(const Host &) = delete;
    Host &operator=(const Host &) = delete;

    T *data() const { return data_; }
    T &operator[](std::size_t i) const { return data_[i]; }

  private:
    static constexpr bool writes = !std::is_const<T>::value;
    std::shared_ptr<Storage> storage_;
    T *data_;
};

// Maps any buffer, of this library or not. Throws Error if it can't be mapped.
class GST_TOMO_API MappedBuffer {
  public:
    MappedBuffer(GstBuffer *buffer, GstMapFlags flags);
    ~MappedBuffer();
    MappedBuffer(const MappedBuffer &) = delete;
    MappedBuffer &operator=(const MappedBuffer &) = delete;

    guint8 *data() const { return map_.data; }
    std::size_t size() const { return map_.size; }

  private:
    GstBuffer *buffer_;
    GstMapInfo map_;
};

// Copies an array, which may have strides (GstTomoArrayMeta), out of a buffer and packs it. Throws Error if
// the buffer is smaller than the array.
GST_TOMO_API void copy_packed(GstBuffer *buffer, const ArrayInfo &info, void *destination);

} // namespace tomo
