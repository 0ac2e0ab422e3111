// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "output-file.hpp"
#include "file-format.hpp"
#include "input-file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

namespace tomo::io {

OutputFile::OutputFile(const std::string &path, Begin begin, bool fsync)
    : target_(prepare_target(path)), fsync_(fsync) {
    std::error_code ignored;
    if (begin == Begin::AsItWas && !std::filesystem::exists(partial(), ignored) &&
        std::filesystem::exists(target_, ignored)) {
        const InputFile original(target_);
        descriptor_ = FileDescriptor(dup(original.descriptor()));
        initial_size_ = original.size();
        is_target_ = true;
        return;
    }
    descriptor_ = claim_partial(target_, begin == Begin::AsItWas);
    if (begin == Begin::AsItWas) {
        initial_size_ = file_size(descriptor_.get());
    } else if (begin == Begin::AsCopy && std::filesystem::exists(target_)) {
        begin_copy();
    }
}

void OutputFile::begin_copy() {
    try {
        copy_target();
    } catch (...) {
        discard();
        throw;
    }
}

bool OutputFile::read_at(std::uint64_t offset, void *data, std::uint64_t bytes) const {
    const auto got = read_bytes(descriptor_.get(), offset, data, bytes);
    if (!got)
        throw system_error("read", is_target_ ? target_ : partial(), errno, GST_RESOURCE_ERROR_READ);
    return *got == bytes;
}

bool OutputFile::holds(std::uint64_t offset, const void *data, std::uint64_t bytes) const {
    std::vector<char> there(std::min<std::uint64_t>(bytes, 4 << 20));
    const auto *expected = static_cast<const char *>(data);
    for (std::uint64_t done = 0; done < bytes; done += there.size()) {
        const auto now = std::min<std::uint64_t>(there.size(), bytes - done);
        if (!read_at(offset + done, there.data(), now) ||
            std::memcmp(there.data(), expected + done, now) != 0)
            return false;
    }
    return true;
}

void OutputFile::copy_target() {
    const InputFile original(target_);
    const auto size = original.size();
    std::uint64_t done = 0;
    // In the kernel, where both files' system can do it.
    for (loff_t from = 0, to = 0; done < size;) {
        const auto copied =
            copy_file_range(original.descriptor(), &from, descriptor_.get(), &to, size - done, 0);
        if (copied <= 0)
            break;
        done += static_cast<std::uint64_t>(copied);
    }
    std::vector<char> block(std::min<std::uint64_t>(size - done, 4 << 20));
    while (done < size) {
        const auto bytes = std::min<std::uint64_t>(block.size(), size - done);
        original.read_at(done, block.data(), bytes, "data to be kept");
        write_at(done, block.data(), bytes);
        done += bytes;
    }
    initial_size_ = size;
}

void OutputFile::write_at(std::uint64_t offset, const void *data, std::uint64_t bytes) {
    if (is_target_) {
        descriptor_ = claim_partial(target_);
        is_target_ = false;
        begin_copy();
    }
    if (!write_bytes(descriptor_.get(), offset, data, bytes))
        throw system_error("write", partial(), errno, GST_RESOURCE_ERROR_WRITE);
    if (fsync_)
        early_sync_.wrote(descriptor_.get(), bytes);
}

void OutputFile::complete(std::uint64_t size) {
    if (is_target_ && size == initial_size_) {
        descriptor_.close();
        return; // it was complete
    }
    if (is_target_)
        write_at(size, nullptr, 0);
    if (size < initial_size_ && ftruncate(descriptor_.get(), static_cast<off_t>(size)) != 0)
        throw system_error("write", partial(), errno, GST_RESOURCE_ERROR_WRITE);
    if (fsync_ && !sync_to_disk(descriptor_.get())) {
        is_damaged_ = true;
        throw system_error("write", partial(), errno, GST_RESOURCE_ERROR_WRITE);
    }
    // The name changes while the lock is held; a second descriptor keeps it while the first one is closed for
    // the sake of late errors.
    lock_ = FileDescriptor(dup(descriptor_.get()));
    if (descriptor_.close() != 0) {
        is_damaged_ = true;
        throw system_error("write", partial(), errno, GST_RESOURCE_ERROR_WRITE);
    }
}

void OutputFile::publish() {
    if (lock_)
        rename_partial(target_);
    lock_.close();
}

std::string OutputFile::keep(std::uint64_t size) {
    if (descriptor_ && !is_target_ && ftruncate(descriptor_.get(), static_cast<off_t>(size)) != 0)
        g_warning("cannot cut '%s' to its whole images: %s", target_.c_str(), g_strerror(errno));
    if (fsync_ && descriptor_ && !is_target_ && !sync_to_disk(descriptor_.get()))
        is_damaged_ = true;
    auto name = partial();
    // Where nothing looks for something to go on from.
    if (is_damaged_) {
        rename(name.c_str(), (target_ + ".damaged").c_str());
        name = target_ + ".damaged";
    }
    descriptor_.close();
    lock_.close();
    return name;
}

void OutputFile::discard() noexcept {
    if ((descriptor_ || lock_) && !is_target_)
        unlink(partial().c_str());
    descriptor_.close();
    lock_.close();
}

} // namespace tomo::io
