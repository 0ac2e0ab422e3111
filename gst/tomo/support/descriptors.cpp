// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/support/descriptors.hpp>

#include <array>

#include <fcntl.h>
#include <unistd.h>

namespace tomo {

bool can_open_files(unsigned count) noexcept {
    std::array<int, 64> opened;
    unsigned n = 0;
    while (n < count && n < opened.size() && (opened[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        n++;
    const bool enough = n == count;
    while (n > 0)
        close(opened[--n]);
    return enough;
}

void need_files(unsigned count, const char *who) {
    if (!can_open_files(count))
        throw Error(
            GST_RESOURCE_ERROR_OPEN_READ,
            text("%s needs %u files, but fewer can be opened: raise the limit of open files (ulimit -n)", who,
                 count));
}

bool prepare_exceptions() noexcept {
    static const bool ready = [] {
        if (!can_open_files(2))
            return false;
        try {
            throw Flushing();
        } catch (const Flushing &) {
            return true;
        }
    }();
    return ready;
}

// Also for programs that never ask.
[[maybe_unused]] static const bool prepared = prepare_exceptions();

} // namespace tomo
