// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/file-format.hpp>

#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstring>

#include <jpeglib.h> // behind those: it needs FILE and size_t

namespace tomo::io {

// libjpeg's errors as Error. Its handlers must not return, and exceptions must not pass through C, so the
// handlers use longjmp(). Warnings after which libjpeg fills missing data with grey are errors, too.
class JpegErrors {
  public:
    jpeg_error_mgr *handler() {
        jpeg_std_error(&manager_.base);
        manager_.base.error_exit = exit;
        manager_.base.emit_message = emit;
        manager_.base.output_message = [](j_common_ptr) {};
        return &manager_.base;
    }

    // Calls `work`, which calls libjpeg. `work` must not hold objects with destructors, because longjmp()
    // skips them.
    template <class Work>
    void run(const std::string &where, Work work) {
        if (setjmp(manager_.out) == 0) {
            work();
            return;
        }
        throw Error(GST_STREAM_ERROR_DECODE, where + ": " + manager_.said);
    }

    // From inside of libjpeg.
    [[noreturn]] static void stop(j_common_ptr common, const char *what) {
        auto *manager = reinterpret_cast<Manager *>(common->err);
        g_strlcpy(manager->said, what, sizeof manager->said);
        longjmp(manager->out, 1);
    }

  private:
    struct Manager {
        jpeg_error_mgr base; // first: libjpeg knows only this
        std::jmp_buf out;
        char said[JMSG_LENGTH_MAX + 64];
    };

    [[noreturn]] static void exit(j_common_ptr common) {
        char message[JMSG_LENGTH_MAX] = "", said[JMSG_LENGTH_MAX + 64];
        common->err->format_message(common, message);
        g_snprintf(said, sizeof said, "the JPEG data can't be used (libjpeg: %s)", message);
        stop(common, said);
    }
    static void emit(j_common_ptr common, int level) {
        if (level < 0)
            exit(common);
    }

    Manager manager_;
};

} // namespace tomo::io
