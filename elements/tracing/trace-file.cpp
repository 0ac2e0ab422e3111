// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "trace-file.hpp"

#include <gst/tomo/support/json.hpp>

#include <cerrno>
#include <unistd.h>

namespace tomo {

namespace {

// Microseconds with all digits, whatever the locale.
std::string microseconds(std::int64_t nanoseconds) {
    const bool is_negative = nanoseconds < 0;
    const auto size = static_cast<unsigned long long>(is_negative ? -nanoseconds : nanoseconds);
    return text("%s%llu.%03llu", is_negative ? "-" : "", size / 1000, size % 1000);
}

} // namespace

TraceFile::TraceFile(const std::string &path) : path_(path), file_(write_text_file(path, Begin::anew)) {
    std::fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[", file_.get());
    complete("{}");
}

void TraceFile::add(const std::string &event) {
    std::fputs(is_empty_ ? "\n" : ",\n", file_.get());
    std::fputs(event.c_str(), file_.get());
    is_empty_ = false;
}

void TraceFile::name_group(unsigned group, const std::string &name) {
    add(text(R"({"ph":"M","name":"process_name","pid":%u,"tid":0,"args":{"name":%s}})", group,
             json_string(name).c_str()));
    add(text(R"({"ph":"M","name":"process_sort_index","pid":%u,"tid":0,"args":{"sort_index":%u}})", group,
             group));
}

void TraceFile::name_line(unsigned group, unsigned line, const std::string &name) {
    add(text(R"({"ph":"M","name":"thread_name","pid":%u,"tid":%u,"args":{"name":%s}})", group, line,
             json_string(name).c_str()));
    add(text(R"({"ph":"M","name":"thread_sort_index","pid":%u,"tid":%u,"args":{"sort_index":%u}})", group,
             line, line));
}

void TraceFile::span(unsigned group, unsigned line, const std::string &name, std::int64_t begin,
                     std::int64_t duration, const std::string &details) {
    add(text(R"({"ph":"X","name":%s,"pid":%u,"tid":%u,"ts":%s,"dur":%s%s%s})", json_string(name).c_str(),
             group, line, microseconds(begin).c_str(), microseconds(duration).c_str(),
             details.empty() ? "" : ",\"args\":", details.c_str()));
}

void TraceFile::level(unsigned group, const std::string &name, std::int64_t time, std::uint64_t value) {
    add(text(R"({"ph":"C","name":%s,"pid":%u,"tid":0,"ts":%s,"args":{"bytes":%llu}})",
             json_string(name).c_str(), group, microseconds(time).c_str(),
             static_cast<unsigned long long>(value)));
}

void TraceFile::complete(const std::string &summary) {
    const long end_of_events = std::ftell(file_.get());
    std::fprintf(file_.get(), "\n],\"tomo\":%s}\n", summary.c_str());
    // What stood there before may have been longer.
    const bool is_written = std::fflush(file_.get()) == 0 && !std::ferror(file_.get()) &&
                            end_of_events >= 0 &&
                            ftruncate(fileno(file_.get()), std::ftell(file_.get())) == 0 &&
                            std::fseek(file_.get(), end_of_events, SEEK_SET) == 0;
    if (!is_written && !has_failed_) {
        has_failed_ = true;
        throw Error(GST_RESOURCE_ERROR_WRITE,
                    text("the trace file %s is not whole: %s", path_.c_str(), g_strerror(errno)));
    }
}

} // namespace tomo
