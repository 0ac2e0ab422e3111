// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/cache.hpp>
#include <gst/tomo/support/debug.hpp>
#include <gst/tomo/support/c-string.hpp>

#include <cerrno>

#define GST_CAT_DEFAULT tomo::device_debug()

namespace tomo {

std::string sha256(const std::string &data) {
    const CString sum(g_compute_checksum_for_data(
        G_CHECKSUM_SHA256, reinterpret_cast<const guchar *>(data.data()), data.size()));
    return sum.get();
}

std::string cache_path(const std::string &key, const char *suffix) {
    const std::string name = sha256(key) + '.' + suffix;
    const char *dir = g_getenv("GST_TOMO_CACHE_DIR");
    const CString path(dir ? g_build_filename(dir, name.c_str(), nullptr)
                           : g_build_filename(g_get_user_cache_dir(), "gst-tomo", name.c_str(), nullptr));
    return path.get();
}

void store_in_cache(const std::string &path, const std::string &contents) noexcept {
    const CString dir(g_path_get_dirname(path.c_str()));
    GError *error = nullptr;
    if (g_mkdir_with_parents(dir.get(), 0700) != 0 ||
        !g_file_set_contents(path.c_str(), contents.data(), static_cast<gssize>(contents.size()), &error)) {
        GST_INFO("can't write %s: %s", path.c_str(), error ? error->message : g_strerror(errno));
        g_clear_error(&error);
    }
}

} // namespace tomo
