// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Memory on a device that the host can map, with the order of the commands that use it.
#pragma once

#include <gst/tomo/device/device.hpp>

namespace tomo {

// A piece of memory that can be reused: the buffer, its pinned twin, and the commands that may still use
// them. The device orders reuse by these stamps; the host does not wait for them.
struct Block {
    std::size_t size = 0;
    ClMem buffer;
    ClMem staging;               // pinned host memory, on devices that do not share the host's
    void *staging_ptr = nullptr; // kept mapped: mapping pinned memory anew is slow

    Stamp write;              // last command that wrote the buffer
    std::vector<Stamp> reads; // commands that read the buffer since, the last one of each queue
    Stamp staging_write;      // last download into staging
    Stamp staging_read;       // last upload from staging

    ~Block();
    // Drops failed commands. The next user of the block writes it first, so failures of the last user do not
    // matter.
    void forget_failures();
};

// One piece of memory with two places, device and host, either of which may hold the valid bytes.
//
// Device access: `read` or `write` returns the events that a command has to wait for and starts transfers on
// queues of their own; `read_done` or `write_done` records the command. Reads are recorded as well as writes,
// because a later write, also after reuse through a pool, waits for them on the device.
//
// Any number of threads may read at a time. A writer must be the only user, as GStreamer's rule of writable
// buffers already requires.
class GST_TOMO_API Storage : public std::enable_shared_from_this<Storage> {
  public:
    Storage(std::shared_ptr<Device> device, std::size_t size, const AskPatience &ask = {});
    ~Storage();
    Storage(const Storage &) = delete;
    Storage &operator=(const Storage &) = delete;

    const std::shared_ptr<Device> &device() const { return device_; }
    std::size_t size() const { return size_; }
    cl_mem buffer() const { return block_->buffer.get(); }

    WaitList read(cl_command_queue queue);
    void read_done(cl_command_queue queue, const ClEvent &command);

    enum class Contents { discard, keep };
    WaitList write(cl_command_queue queue, Contents contents = Contents::discard);
    void write_done(cl_command_queue queue, const ClEvent &command);

    // Maps the memory to the host. Blocks until the bytes are valid there and, for writing, until no command
    // uses them any more. Calls nest. Bytes that a writer does not write keep their values.
    void *map(bool for_writing);
    void unmap(bool was_written) noexcept;

    // Declares the bytes invalid. Later commands still wait for the commands that use them.
    void discard();

    // Starts the download, so that a later map only waits.
    void prefetch();
    // Starts the upload, so that it is under way before a command needs it.
    void start_upload();

    Stamp last_write();

    // Waits on the host for all recorded commands. Throws Error if one failed.
    void finish();

    // For commands that the application enqueues, which may also write: afterwards only the device's bytes
    // are valid.
    void move_to_device();

  private:
    void upload();
    void download();
    void ensure_staging();
    void add_read(cl_command_queue queue, const ClEvent &command);

    std::shared_ptr<Device> device_;
    std::size_t size_;
    std::unique_ptr<Block> block_;

    std::mutex lock_;
    bool on_device_ = false;
    bool on_host_ = false;

    // Host maps under way, on devices that share memory with the host.
    std::mutex map_lock_;
    void *mapped_ = nullptr;
    unsigned maps_ = 0;
    unsigned write_maps_ = 0;
    bool written_while_mapped_ = false;
};

} // namespace tomo
