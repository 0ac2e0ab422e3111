// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "file-writer.hpp"

namespace tomo::io {

std::vector<std::pair<std::string, std::string>> completeness_words(const StreamLength &length) {
    if (!length.is_known())
        return {};
    std::vector<std::pair<std::string, std::string>> words = {
        {"complete", length.is_complete() ? "true" : "false"}};
    if (length.lacks_some())
        words.emplace_back("images_expected", std::to_string(*length.announced));
    return words;
}

std::string describe(const Remains &remains) {
    std::string said;
    if (remains.images > 0)
        said =
            text("%" G_GUINT64_FORMAT "%s image%s kept in '%s'%s", remains.images,
                 remains.damaged ? "" : " whole", remains.images == 1 ? " is" : "s are",
                 remains.place.c_str(), remains.damaged ? ", but the disk may lack some of the samples" : "");
    if (remains.lost > 0)
        said += text("%s%" G_GUINT64_FORMAT " could not be kept", said.empty() ? "" : ", ", remains.lost);
    if (!remains.faults.empty())
        said += (said.empty() ? "" : "; ") + remains.faults;
    return said;
}

bool wants_pyramid(const WriteOptions &options, const ArrayInfo &page) {
    constexpr std::uint64_t large = 1000000000;
    if (options.append || options.volume > 0)
        return false;
    if (options.pyramid != WriteOptions::Pyramid::Automatic)
        return options.pyramid == WriteOptions::Pyramid::Yes;
    const auto length = options.length ? options.length() : StreamLength{};
    std::uint64_t bytes = 0;
    return length.announced && (!multiply({*length.announced, page.size()}, bytes) || bytes > large);
}

} // namespace tomo::io
