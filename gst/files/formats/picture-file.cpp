// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "picture-file.hpp"
#ifndef HAVE_PNG
#include "png.hpp"
#endif

namespace tomo::io {

PictureFile::PictureFile(const std::string &path, Existing existing, const WriteOptions &options,
                         const char *format)
    : SingleFile(path, existing, options), format_(format), length_(options.length) {
    if (existing == Existing::Continue && file_.initial_size() > 0) {
        file_.discard();
        throw Error(
            GST_RESOURCE_ERROR_OPEN_WRITE,
            text("'%s' can't be continued: a %s file holds one image; put a number such as %%05i in the name",
                 path.c_str(), format));
    }
}

// A picture that is made of a part of the stream says so; that it is made of all is known too late.
std::vector<std::pair<std::string, std::string>> PictureFile::words_of(const Page &page) const {
    auto words = grey_words(page.grey);
    if (const auto length = length_ ? length_() : StreamLength{}; length.is_interrupted)
        words.emplace_back("complete", "false");
    return words;
}

// Half a picture is none; what has the final name is whole.
std::uint64_t PictureFile::resume(const ArrayInfo &) {
    written_ = file_.initial_size() > 0 && file_.is_target();
    end_ = written_ ? file_.initial_size() : 0;
    return written_;
}

bool PictureFile::holds(std::uint64_t, const Page &page) {
    const auto picture = encode(page);
    return picture.size() == end_ && file_.holds(0, picture.data(), picture.size());
}

void PictureFile::write(const Page &page) {
    if (written_)
        throw Error(
            GST_STREAM_ERROR_FORMAT,
            text("'%s': a %s file holds one image; put a number such as %%05i in the name, or write TIFF",
                 target().c_str(), format_));
    const auto picture = encode(page);
    file_.write_at(0, picture.data(), picture.size());
    end_ = picture.size();
    written_ = true;
}

#ifndef HAVE_PNG
std::vector<unsigned char> png_of(const ArrayInfo &, const void *,
                                  std::vector<std::pair<std::string, std::string>>) {
    throw not_built_in(FileType::Png, "a picture");
}
#endif

} // namespace tomo::io
