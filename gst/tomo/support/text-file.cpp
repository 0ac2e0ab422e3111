// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/support/text-file.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tomo {

namespace {

constexpr std::size_t largest = std::size_t{256} << 20;

class OpenFile {
  public:
    // Without O_NONBLOCK a pipe would wait here for its other end.
    OpenFile(const std::string &path, int flags)
        : number_(open(path.c_str(), flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666)) {}
    ~OpenFile() {
        if (number_ >= 0)
            close(number_);
    }
    OpenFile(const OpenFile &) = delete;
    OpenFile &operator=(const OpenFile &) = delete;
    int get() const { return number_; }
    void release() { number_ = -1; }

  private:
    int number_;
};

// What it is instead of a regular file; nothing if it is one.
const char *other_kind(mode_t mode) {
    return S_ISREG(mode)    ? nullptr
           : S_ISDIR(mode)  ? "a folder"
           : S_ISFIFO(mode) ? "a pipe"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

[[noreturn]] void fail(const char *verb, const std::string &path, int number, GstResourceError code) {
    throw Error(number == ENOENT ? GST_RESOURCE_ERROR_NOT_FOUND : code,
                text("can't %s '%s': %s", verb, path.c_str(), g_strerror(number)));
}

void require_regular(const std::string &path, const OpenFile &file, const char *verb,
                     const std::string &wanted, GstResourceError code) {
    struct stat facts;
    // A pipe without a reader, a socket, a folder
    if (file.get() < 0 && (errno == ENXIO || errno == EISDIR) && stat(path.c_str(), &facts) == 0)
        errno = 0;
    else if (file.get() < 0 || fstat(file.get(), &facts) != 0)
        fail(verb, path, errno, code);
    if (const char *kind = other_kind(facts.st_mode))
        throw Error(code, text("'%s' is %s; wanted %s", path.c_str(), kind, wanted.c_str()));
}

} // namespace

std::string read_text_file(const std::string &path, const std::string &what) {
    const OpenFile file(path, O_RDONLY);
    require_regular(path, file, "read", "a file with " + what, GST_RESOURCE_ERROR_OPEN_READ);
    std::string contents;
    char part[65536];
    while (true) {
        const ssize_t got = read(file.get(), part, sizeof part);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            fail("read", path, errno, GST_RESOURCE_ERROR_READ);
        if (got == 0)
            return contents;
        contents.append(part, static_cast<std::size_t>(got));
        if (contents.size() > largest) // also of a file that grows meanwhile, or of /proc
            throw Error(GST_RESOURCE_ERROR_READ, text("'%s' holds more than %zu MiB; wanted %s", path.c_str(),
                                                      largest >> 20, what.c_str()));
    }
}

TextFile write_text_file(const std::string &path, Begin begin) {
    OpenFile file(path, O_WRONLY | O_CREAT | (begin == Begin::at_end ? O_APPEND : 0));
    // Nobody has to read what a device such as /dev/null or a terminal takes.
    struct stat facts;
    const bool is_device = file.get() >= 0 && fstat(file.get(), &facts) == 0 && S_ISCHR(facts.st_mode);
    if (!is_device)
        require_regular(path, file, "write to", "the name of a file", GST_RESOURCE_ERROR_OPEN_WRITE);
    // Only now: nothing of another kind is cut.
    if (begin == Begin::anew && !is_device && ftruncate(file.get(), 0) != 0)
        fail("write to", path, errno, GST_RESOURCE_ERROR_OPEN_WRITE);
    TextFile made(fdopen(file.get(), begin == Begin::at_end ? "a" : "w"));
    if (!made)
        fail("write to", path, errno, GST_RESOURCE_ERROR_OPEN_WRITE);
    file.release();
    return made;
}

void replace_text_file(const std::string &path, const std::string &contents) {
    struct stat facts;
    if (stat(path.c_str(), &facts) == 0)
        if (const char *kind = other_kind(facts.st_mode))
            throw Error(GST_RESOURCE_ERROR_OPEN_WRITE,
                        text("'%s' is %s; wanted the name of a file", path.c_str(), kind));
    GError *error = nullptr;
    if (!g_file_set_contents(path.c_str(), contents.data(), static_cast<gssize>(contents.size()), &error)) {
        const std::unique_ptr<GError, decltype(&g_error_free)> owned(error, g_error_free);
        throw Error(GST_RESOURCE_ERROR_WRITE, error->message);
    }
}

} // namespace tomo
