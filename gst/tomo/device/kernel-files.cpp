// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/kernel-files.hpp>
#include <gst/tomo/support/error.hpp>
#include <gst/tomo/support/text-file.hpp>

#include <gio/gio.h>

#include <memory>
#include <optional>
#include <sstream>

namespace tomo {

static std::optional<std::string> find_kernel_file(const std::string &name) {
    if (const char *path = g_getenv("GST_TOMO_KERNEL_PATH")) {
        std::istringstream folders(path);
        for (std::string folder; std::getline(folders, folder, G_SEARCHPATH_SEPARATOR);) {
            const std::string file = folder + G_DIR_SEPARATOR_S + name;
            if (g_file_test(file.c_str(), G_FILE_TEST_EXISTS))
                return read_text_file(file, "kernels in OpenCL C");
        }
    }
    std::unique_ptr<GBytes, decltype(&g_bytes_unref)> bytes(
        g_resources_lookup_data(("/gst-tomo/kernels/" + name).c_str(), G_RESOURCE_LOOKUP_FLAGS_NONE, nullptr),
        [](GBytes *b) {
            if (b)
                g_bytes_unref(b);
        });
    if (!bytes)
        return {};
    gsize size = 0;
    const auto *data = static_cast<const char *>(g_bytes_get_data(bytes.get(), &size));
    return std::string(data, size);
}

bool has_kernel_file(const std::string &name) { return find_kernel_file(name).has_value(); }

std::string kernel_file(const std::string &name) {
    if (auto file = find_kernel_file(name))
        return *std::move(file);
    throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                text("kernel file %s is neither in GST_TOMO_KERNEL_PATH nor built in", name.c_str()));
}

} // namespace tomo
