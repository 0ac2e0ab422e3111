// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/file-format.hpp>

#include <gst/tomo/device/array.hpp>

#include <hdf5.h>

#include <array>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// The common part of the reader and the writer of HDF5.
namespace tomo::io {

// The library is not thread-safe in every build, so every caller holds this lock, also to close handles. The
// library prints nothing while it is held.
class Hdf5Lock {
  public:
    Hdf5Lock();
    ~Hdf5Lock();
    Hdf5Lock(const Hdf5Lock &) = delete;
    Hdf5Lock &operator=(const Hdf5Lock &) = delete;

  private:
    std::unique_lock<std::recursive_mutex> lock_;
    H5E_auto2_t report_ = nullptr;
    void *report_data_ = nullptr;
};

// Owns an identifier of the library.
class Hdf5Handle {
  public:
    using Close = herr_t (*)(hid_t);

    Hdf5Handle() = default;
    Hdf5Handle(hid_t id, Close close) : id_(id), close_(close) {}
    Hdf5Handle(Hdf5Handle &&other) noexcept
        : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
    Hdf5Handle &operator=(Hdf5Handle &&other) noexcept {
        std::swap(id_, other.id_);
        std::swap(close_, other.close_);
        return *this;
    }
    ~Hdf5Handle() { close(); }

    explicit operator bool() const { return id_ >= 0; }
    hid_t get() const { return id_; }
    bool close(); // false if the library reports a failure

  private:
    hid_t id_ = H5I_INVALID_HID;
    Close close_ = nullptr;
};

// The error of a call that just failed: `what`, with the library's reasons.
Error hdf5_error(GstResourceError code, const std::string &what);

// `result`, unless it is negative: then throws hdf5_error(code, what).
template <class Result>
Result hdf5_check(Result result, GstResourceError code, const std::string &what) {
    if (result < 0)
        throw hdf5_error(code, what);
    return result;
}

// Extents of a dataset.
using Hdf5Shape = std::vector<hsize_t>;
Hdf5Shape hdf5_shape(hid_t dataset);
std::string hdf5_shape_text(const Hdf5Shape &shape); // "91 x 135 x 160"

// Throws if the file is too small for the size that a dataset claims, as in a damaged header. The check
// covers `bytes` read at once (and a chunk) and the chunks. Call it before allocating memory.
void hdf5_check_storage(hid_t dataset, std::uint64_t bytes, const std::string &where);

// Opens a file, also one that is being written for several readers (SWMR). If the library can't, throws an
// Error that names the fault.
Hdf5Handle hdf5_open(const std::string &path, bool writable);
// Opens a file without recovery; empty if the library can't. `live` also opens files whose writer is alive or
// was killed.
Hdf5Handle hdf5_open_to_read(const std::string &path, bool live = true);
// The file that contains an object; a link may lead to another file.
std::string hdf5_file_of(hid_t object);
// Whether another process may write to the file of an object (SWMR).
bool hdf5_is_live(hid_t object);
// Opens a dataset; in a live file with its present extent. A handle of a live file must be closed before the
// lock is released: with several handles, or one that is kept, the library (1.10) shows the earlier extent.
Hdf5Handle hdf5_open_dataset(hid_t file, const std::string &path, hid_t access = H5P_DEFAULT);
// Access properties for files of this project.
Hdf5Handle hdf5_file_access();

// The hyperslab of some rows (and columns, 0 for all) of one image of a dataset whose last two dimensions are
// rows and columns.
Hdf5Handle hdf5_select_image(hid_t dataset, std::uint64_t image, unsigned first_row, unsigned rows,
                             unsigned row_step, unsigned first_column = 0, unsigned columns = 0);

} // namespace tomo::io
