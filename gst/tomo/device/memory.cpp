// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/memory.hpp>
#include <gst/tomo/device/profile.hpp>

#include <algorithm>
#include <cstdlib>
#include <sys/mman.h>

namespace tomo {

Block::~Block() {
    if (!staging_ptr || is_forked())
        return;
    // An upload may still read the pinned memory. Downloads sit in the queue that the unmap joins.
    const cl_command_queue queue = staging_write.queue.get();
    const cl_event upload = staging_read.event.get();
    if (upload)
        clFlush(staging_read.queue.get());
    clEnqueueUnmapMemObject(queue, staging.get(), staging_ptr, upload ? 1 : 0, upload ? &upload : nullptr,
                            nullptr);
    clFlush(queue);
}

void Block::forget_failures() {
    for (Stamp *stamp : {&write, &staging_read})
        if (has_failed(*stamp))
            *stamp = {};
    reads.erase(std::remove_if(reads.begin(), reads.end(), has_failed), reads.end());
    // The queue stays: the pinned memory is unmapped there.
    if (has_failed(staging_write))
        staging_write.event = {};
}

Storage::Storage(std::shared_ptr<Device> device, std::size_t size, const AskPatience &ask)
    : device_(std::move(device)), size_(size), block_(device_->memory().take(size, ask)) {}

Storage::~Storage() { device_->memory().give(std::move(block_)); }

// Keeps the last read of each in-order queue: it ends after all earlier ones.
void Storage::add_read(cl_command_queue queue, const ClEvent &command) {
    Stamp stamp{command, ClQueue::retained(queue)};
    auto same = std::find_if(block_->reads.begin(), block_->reads.end(),
                             [&](const Stamp &s) { return s.queue.get() == queue; });
    if (same != block_->reads.end())
        *same = std::move(stamp);
    else
        block_->reads.push_back(std::move(stamp));
}

// Large pages are pinned several times as fast as small ones, which counts when a process starts: pinning,
// not reading, is what the first arrays wait for.
static constexpr std::size_t large_page = std::size_t{2} << 20;

static ClMem pinned_buffer(cl_context context, std::size_t size) {
    const std::size_t alignment = size >= large_page ? large_page : std::size_t{4096};
    const std::size_t room = (size + alignment - 1) / alignment * alignment;
    void *pages = std::aligned_alloc(alignment, room);
    if (!pages)
        throw Error(GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                    text("no %zu bytes of the host's memory are left", size));
#ifdef MADV_HUGEPAGE
    madvise(pages, room, MADV_HUGEPAGE); // no is an answer, too
#endif
    cl_int status = CL_SUCCESS;
    ClMem buffer(clCreateBuffer(context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, size, pages, &status));
    // The buffer outlives its owner where commands still use it.
    if (status == CL_SUCCESS)
        status = clSetMemObjectDestructorCallback(
            buffer.get(), [](cl_mem, void *pages) { std::free(pages); }, pages);
    if (status != CL_SUCCESS) {
        buffer = {};
        std::free(pages);
    }
    cl_check(status, text("allocating %zu bytes of pinned memory", size));
    return buffer;
}

void Storage::ensure_staging() {
    if (block_->staging)
        return;
    ClMem staging = pinned_buffer(device_->context(), block_->size);
    cl_int status = CL_SUCCESS;
    cl_event mapped = nullptr;
    block_->staging_ptr =
        clEnqueueMapBuffer(device_->download_queue(), staging.get(), CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0,
                           block_->size, 0, nullptr, &mapped, &status);
    cl_check(status, text("mapping %zu bytes of pinned memory", block_->size));
    block_->staging = std::move(staging);
    block_->staging_write = {ClEvent(mapped), ClQueue::retained(device_->download_queue())};
}

// Both are called with the lock held.
//
// Host to device, asynchronous: the pinned side stays untouched until staging_read has ended.
void Storage::upload() {
    const auto queue = device_->upload_queue();
    WaitList waits(queue);
    waits.add(block_->write);
    for (const auto &read : block_->reads)
        waits.add(read);
    cl_event event = nullptr;
    cl_check(clEnqueueWriteBuffer(queue, block_->buffer.get(), CL_FALSE, 0, size_, block_->staging_ptr,
                                  waits.size(), waits.data(), &event),
             text("uploading %zu bytes to %s", size_, device_->name().c_str()));
    block_->write = {ClEvent(event), ClQueue::retained(queue)};
    record(Command::Kind::upload, "upload", size_, queue, block_->write.event);
    block_->staging_read = block_->write;
    block_->reads.clear();
    on_device_ = true;
}

void Storage::download() {
    ensure_staging();
    const auto queue = device_->download_queue();
    WaitList waits(queue);
    waits.add(block_->write);
    waits.add(block_->staging_read);
    cl_event event = nullptr;
    cl_check(clEnqueueReadBuffer(queue, block_->buffer.get(), CL_FALSE, 0, size_, block_->staging_ptr,
                                 waits.size(), waits.data(), &event),
             text("downloading %zu bytes from %s", size_, device_->name().c_str()));
    block_->staging_write = {ClEvent(event), ClQueue::retained(queue)};
    record(Command::Kind::download, "download", size_, queue, block_->staging_write.event);
    add_read(queue, block_->staging_write.event);
    cl_check(clFlush(queue), "flushing the download queue");
    on_host_ = true;
}

WaitList Storage::read(cl_command_queue queue) {
    must_not_be_forked();
    std::lock_guard<std::mutex> lock(lock_);
    if (!on_device_ && on_host_)
        upload();
    WaitList waits(queue);
    waits.add(block_->write);
    return waits;
}

void Storage::read_done(cl_command_queue queue, const ClEvent &command) {
    std::lock_guard<std::mutex> lock(lock_);
    add_read(queue, command);
}

WaitList Storage::write(cl_command_queue queue, Contents contents) {
    must_not_be_forked();
    std::lock_guard<std::mutex> lock(lock_);
    if (contents == Contents::keep && !on_device_ && on_host_)
        upload();
    WaitList waits(queue);
    waits.add(block_->write);
    for (const auto &read : block_->reads)
        waits.add(read);
    return waits;
}

void Storage::write_done(cl_command_queue queue, const ClEvent &command) {
    std::lock_guard<std::mutex> lock(lock_);
    block_->write = {command, ClQueue::retained(queue)};
    block_->reads.clear();
    on_device_ = true;
    on_host_ = false;
}

void *Storage::map(bool for_writing) {
    must_not_be_forked();
    std::vector<Stamp> waits;
    const bool shared = device_->shares_host_memory();
    {
        std::lock_guard<std::mutex> lock(lock_);
        if (!shared) {
            // What a writer leaves alone must survive, so both kinds of map need the bytes; memory that was
            // never written has none.
            if (!on_host_ && on_device_)
                download();
            ensure_staging();
            waits.push_back(block_->staging_write);
            if (for_writing)
                waits.push_back(block_->staging_read);
        } else {
            waits.push_back(block_->write);
            if (for_writing)
                waits.insert(waits.end(), block_->reads.begin(), block_->reads.end());
        }
    }
    // Outside of the lock: others may read meanwhile.
    for (const auto &stamp : waits) {
        if (stamp && stamp.queue)
            cl_check(clFlush(stamp.queue.get()), "flushing a queue that the host waits for");
        wait_for(stamp, text("computing %zu bytes on %s", size_, device_->name().c_str()));
    }

    if (!shared) {
        if (for_writing) {
            std::lock_guard<std::mutex> lock(lock_);
            on_device_ = false;
            on_host_ = true;
        }
        return block_->staging_ptr;
    }

    std::lock_guard<std::mutex> lock(map_lock_);
    // One OpenCL map serves all readers; a first writer maps anew, because the modes differ.
    if (maps_ == 0 || (for_writing && write_maps_ == 0)) {
        cl_int status = CL_SUCCESS;
        void *ptr = clEnqueueMapBuffer(device_->download_queue(), block_->buffer.get(), CL_TRUE,
                                       for_writing ? CL_MAP_READ | CL_MAP_WRITE : CL_MAP_READ, 0,
                                       block_->size, 0, nullptr, nullptr, &status);
        cl_check(status, text("mapping %zu bytes of %s", size_, device_->name().c_str()));
        if (mapped_ && ptr != mapped_)
            throw Error(GST_RESOURCE_ERROR_FAILED, device_->name() + " maps one buffer at two addresses");
        if (mapped_) // the reader's map is not needed beside the writer's
            clEnqueueUnmapMemObject(device_->download_queue(), block_->buffer.get(), mapped_, 0, nullptr,
                                    nullptr);
        mapped_ = ptr;
    }
    maps_++;
    if (for_writing) {
        write_maps_++;
        written_while_mapped_ = true;
    }
    return mapped_;
}

void Storage::unmap(bool was_written) noexcept {
    if (!device_->shares_host_memory() || is_forked())
        return; // pinned memory stays mapped; the upload happens when a device asks for it

    std::lock_guard<std::mutex> maps(map_lock_);
    if (maps_ == 0)
        return;
    if (was_written && write_maps_ > 0)
        write_maps_--;
    if (--maps_ == 0) {
        cl_event event = nullptr;
        const auto queue = device_->download_queue();
        clEnqueueUnmapMemObject(queue, block_->buffer.get(), mapped_, 0, nullptr, &event);
        mapped_ = nullptr;
        std::lock_guard<std::mutex> lock(lock_);
        if (written_while_mapped_)
            block_->write = {ClEvent(event), ClQueue::retained(queue)};
        else
            add_read(queue, ClEvent(event));
        written_while_mapped_ = false;
        clFlush(queue);
    }
}

void Storage::prefetch() {
    must_not_be_forked();
    if (device_->shares_host_memory())
        return;
    std::lock_guard<std::mutex> lock(lock_);
    if (!on_host_ && on_device_)
        download();
}

void Storage::start_upload() {
    must_not_be_forked();
    if (device_->shares_host_memory())
        return;
    std::lock_guard<std::mutex> lock(lock_);
    if (on_device_ || !on_host_)
        return;
    upload();
    cl_check(clFlush(device_->upload_queue()), "flushing the upload queue");
}

Stamp Storage::last_write() {
    std::lock_guard<std::mutex> lock(lock_);
    return block_->write;
}

void Storage::discard() {
    std::lock_guard<std::mutex> lock(lock_);
    on_device_ = on_host_ = false;
    block_->forget_failures();
}

void Storage::move_to_device() {
    must_not_be_forked();
    std::lock_guard<std::mutex> lock(lock_);
    if (!on_device_ && on_host_)
        upload();
    on_device_ = true;
    on_host_ = false;
}

void Storage::finish() {
    must_not_be_forked();
    std::vector<Stamp> waits;
    {
        std::lock_guard<std::mutex> lock(lock_);
        waits = block_->reads;
        waits.push_back(block_->write);
    }
    for (const auto &stamp : waits)
        wait_for(stamp, text("computing %zu bytes on %s", size_, device_->name().c_str()));
}

} // namespace tomo
