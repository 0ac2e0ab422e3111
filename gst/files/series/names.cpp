// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "names.hpp"
#include "formats.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>

namespace tomo::io {

std::string folder_of(const Location &location) {
    return location.file.substr(0, location.file.rfind('/') + 1);
}

static bool looks_like_pattern(const std::string &folder) {
    std::error_code ignored;
    if (folder.empty() || std::filesystem::is_directory(folder, ignored))
        return false;
    try {
        return NumberPattern(folder).has_number();
    } catch (const Error &) { // per cent signs of other kinds
        return false;
    }
}

SeriesNames::SeriesNames(const Location &location, FileType type, const WriteOptions &options)
    : text_(location.text()), folder_(folder_of(location)), pattern_(text_, folder_.size()),
      file_pattern_(location.file, folder_.size()), type_(type), step_(options.counter_step),
      bytes_per_file_(options.bytes_per_file), append_(options.append), length_(options.length),
      number_(options.counter_start) {
    if (step_ == 0)
        throw Error(GST_RESOURCE_ERROR_SETTINGS, "counter-step is 0; the numbers of files must differ");
    if (!is_series() && bytes_per_file_ != 0)
        throw Error(GST_RESOURCE_ERROR_SETTINGS, text("bytes-per-file is %" G_GUINT64_FORMAT
                                                      ", but the file name '%s' has no place for a number; "
                                                      "put one in, such as %%05i",
                                                      bytes_per_file_, text_.c_str()));
    if (!is_series() && looks_like_pattern(folder_))
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s': there is no folder '%s', and numbers are put into the names of files only; "
                         "write the number into the file's name, or make the folder",
                         text_.c_str(), folder_.c_str()));
}

Location SeriesNames::ahead(std::uint64_t files) const {
    return split_location(pattern_.name(number_ + files * step_), type_);
}

std::uint64_t SeriesNames::files_for(std::uint64_t images, std::uint64_t bytes) const {
    const auto in_each = std::max<std::uint64_t>(bytes_per_file_ / std::max<std::uint64_t>(bytes, 1), 1);
    return std::max<std::uint64_t>(images / in_each + (images % in_each != 0), 1);
}

void SeriesNames::claim(const ArrayInfo &page) {
    if (!file_pattern_.has_number())
        return;
    numbers_.emplace(split_location(text_, type_).file);
    if (append_)
        return;
    const auto announced = length_ ? length_().announced : std::nullopt;
    if (announced)
        claimed_ = files_for(*announced, page.size());
    if (!numbers_->take(number_, step_, announced ? std::optional(claimed_) : std::nullopt))
        throw is_another_ones(announced ? text("; this stream has %" G_GUINT64_FORMAT " of them", claimed_)
                                        : "; nobody knows how many numbers this stream needs");
    if (!announced)
        claimed_ = std::numeric_limits<std::uint64_t>::max();
}

Location SeriesNames::next() {
    // More than were announced are taken one by one.
    const auto take = [&] { return !numbers_ || used_ < claimed_ || numbers_->take(number_); };
    while (append_ && is_series() && (!take() || target_exists(type_, ahead(0)))) {
        if (numbers_ && numbers_->is_taken_for_ever(number_))
            throw is_another_ones(", as to all that follow, because nobody knows how many it needs");
        number_ += step_;
    }
    const auto location = ahead(0);
    if (!append_ && !take())
        throw is_another_ones("");
    number_ += step_;
    used_++;
    return location;
}

Error SeriesNames::is_another_ones(const std::string &why) const {
    return Error(GST_RESOURCE_ERROR_BUSY,
                 text("cannot write '%s': another process is writing this series, '%s', and has that number "
                      "or will come to it%s. Wait for it, or write to another folder",
                      ahead(0).file.c_str(), text_.c_str(), why.c_str()));
}

// A reader of the pattern would take them for the next ones.
void SeriesNames::tell_of_older_files(const std::function<void(const std::string &)> &warn) const {
    namespace fs = std::filesystem;
    if (!numbers_ || append_)
        return;
    const auto last = number_ - step_;
    std::uint64_t count = 0, first = std::numeric_limits<std::uint64_t>::max();
    std::error_code error;
    for (fs::directory_iterator entry(folder_.empty() ? "." : folder_, error), end; !error && entry != end;
         entry.increment(error)) {
        const auto file = folder_ + entry->path().filename().string();
        const auto number = file_pattern_.number_in(file);
        if (!number || *number <= last || !numbers_->is_older(file))
            continue;
        count++;
        first = std::min(first, *number);
    }
    if (count > 0)
        warn(text("%" G_GUINT64_FORMAT " file%s of this series, from '%s' on, %s older than this run, which "
                  "ended with '%s'; if %s left from a longer series, remove %s",
                  count, count == 1 ? "" : "s", file_pattern_.name(first).c_str(), count == 1 ? "is" : "are",
                  file_pattern_.name(last).c_str(), count == 1 ? "it is" : "they are",
                  count == 1 ? "it" : "them"));
}

} // namespace tomo::io
