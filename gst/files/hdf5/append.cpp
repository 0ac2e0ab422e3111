// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "append.hpp"
#include "journal.hpp"
#include "journaled-file.hpp"

#include <cerrno>

namespace tomo::io {

namespace {

// Calls write(told) with the library's lock, then writes the samples that it placed, if the library does not
// keep a copy of them.
template <class Write>
void write_placed(Hdf5Target &target, ImageDataset &to, bool places_only, const std::string &name,
                  Write write) {
    struct Deferral {
        ~Deferral() {
            if (file)
                file->forget_deferred();
        }
        JournaledFile *file = nullptr;
    } deferral;
    {
        const Hdf5Lock lock;
        if (places_only)
            deferral.file = hdf5_defer_samples(target.file());
        write("cannot write '" + name + "'");
    }
    const bool is_written = !deferral.file || deferral.file->write_deferred();
    const int reason = errno;
    if (is_written)
        return;
    const Hdf5Lock lock;
    to.forget_last();
    throw system_error("write", name, reason, GST_RESOURCE_ERROR_WRITE);
}

void write_group(Hdf5Target &target, ImageDataset &to, const std::string &name) {
    constexpr std::uint64_t bytes_of_place = 256; // more than an entry of a chunk takes in the file's index
    const auto chunks = to.chunks_of_group();
    write_placed(target, to, true, name, [&](const std::string &told) {
        std::uint64_t bytes = 0;
        for (const auto &chunk : chunks.chunks)
            bytes += chunk.bytes;
        target.reserve(chunks.chunks.size() * bytes_of_place, bytes);
        to.add_group(chunks, told);
    });
}

} // namespace

void hdf5_append(Hdf5Target &target, ImageDataset &to, const void *samples, const ChunkedPage *chunked,
                 const std::string &name) {
    if (to.is_grouped()) {
        if (to.put(samples, "cannot continue '" + name + "'"))
            write_group(target, to, name);
        return;
    }
    write_placed(target, to, to.takes_samples_themselves(), name, [&](const std::string &told) {
        const auto bytes = to.image().size();
        target.reserve(to.has_own_chunks() ? 0 : bytes, to.has_own_chunks() ? bytes : 0);
        to.add(samples, chunked, told);
    });
}

void hdf5_complete(Hdf5Target &target, ImageDataset &to, const std::string &name) {
    if (to.stored() < to.images())
        write_group(target, to, name);
}

} // namespace tomo::io

#endif // HAVE_HDF5
