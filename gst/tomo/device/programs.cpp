// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/cache.hpp>
#include <gst/tomo/device/programs.hpp>
#include <gst/tomo/support/debug.hpp>
#include <gst/tomo/support/descriptors.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <vector>

#define GST_CAT_DEFAULT tomo::device_debug()

namespace tomo {

namespace {

// A cached program is a file of the binary's checksum, as text, and the binary.
constexpr std::size_t checksum_length = 64;

ClProgram load_binary(cl_context context, cl_device_id id, const std::string &path,
                      const std::string &options) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        return {};
    std::stringstream contents;
    contents << file.rdbuf();
    const std::string stored = contents.str();
    // Drivers trust what they load, so nothing damaged may reach them.
    const std::string binary = stored.substr(std::min(stored.size(), checksum_length));
    if (stored.compare(0, checksum_length, sha256(binary)) != 0) {
        GST_INFO("cached program %s is damaged, compiling anew", path.c_str());
        return {};
    }
    const auto *data = reinterpret_cast<const unsigned char *>(binary.data());
    const std::size_t size = binary.size();
    cl_int loaded = CL_SUCCESS, status = CL_SUCCESS;
    ClProgram program(clCreateProgramWithBinary(context, 1, &id, &size, &data, &loaded, &status));
    if (status != CL_SUCCESS || loaded != CL_SUCCESS ||
        clBuildProgram(program.get(), 1, &id, options.c_str(), nullptr, nullptr) != CL_SUCCESS) {
        GST_INFO("cached program %s is of no use here, compiling anew", path.c_str());
        return {};
    }
    return program;
}

void store_binary(const ClProgram &program, cl_device_id id, const std::string &path) {
    // A program has an entry for each device of its context, built for or not.
    std::size_t ids_size = 0;
    if (clGetProgramInfo(program.get(), CL_PROGRAM_DEVICES, 0, nullptr, &ids_size) != CL_SUCCESS)
        return;
    std::vector<cl_device_id> ids(ids_size / sizeof(cl_device_id));
    std::vector<std::size_t> sizes(ids.size());
    if (clGetProgramInfo(program.get(), CL_PROGRAM_DEVICES, ids_size, ids.data(), nullptr) != CL_SUCCESS ||
        clGetProgramInfo(program.get(), CL_PROGRAM_BINARY_SIZES, sizes.size() * sizeof sizes[0], sizes.data(),
                         nullptr) != CL_SUCCESS)
        return;
    const std::size_t ours = std::find(ids.begin(), ids.end(), id) - ids.begin();
    if (ours == ids.size() || sizes[ours] == 0)
        return;
    std::string binary(sizes[ours], '\0');
    std::vector<unsigned char *> places(ids.size()); // null: not wanted
    places[ours] = reinterpret_cast<unsigned char *>(binary.data());
    if (clGetProgramInfo(program.get(), CL_PROGRAM_BINARIES, places.size() * sizeof places[0], places.data(),
                         nullptr) != CL_SUCCESS)
        return;
    store_in_cache(path, sha256(binary) + binary);
}

// The line of the source that a message of the compiler means, "name:3:14", with a mark below its place;
// empty where it means none.
std::string marked_line(const std::string &source, const std::string &message) {
    const std::string directive = "\n#line 1 \"";
    for (auto at = source.rfind(directive); at != std::string::npos;
         at = at ? source.rfind(directive, at - 1) : at) {
        const auto name_at = at + directive.size(), name_end = source.find('"', name_at);
        const std::string name = source.substr(name_at, name_end - name_at) + ':';
        unsigned line = 0, column = 0;
        const auto place = message.find(name);
        if (place == std::string::npos ||
            std::sscanf(message.c_str() + place + name.size(), "%u:%u", &line, &column) != 2)
            continue;
        std::istringstream lines(source.substr(source.find('\n', name_end) + 1));
        std::string meant;
        for (unsigned n = 0; n < line; n++)
            if (!std::getline(lines, meant))
                return {};
        return '\n' + meant + '\n' + std::string(column > 0 ? column - 1 : 0, ' ') + '^';
    }
    return {};
}

// NVIDIA's compiler counts lines through the whole source, "<kernel>:136:1", whatever directives say. Gives
// the message with the name and the line that they do.
std::string by_names(const std::string &message, const std::string &source) {
    constexpr std::string_view whole = "<kernel>:";
    unsigned wanted = 0, column = 0;
    if (message.compare(0, whole.size(), whole) != 0 ||
        std::sscanf(message.c_str() + whole.size(), "%u:%u", &wanted, &column) != 2)
        return message;
    std::istringstream lines(source);
    std::string name, line;
    unsigned in_name = 0;
    for (unsigned n = 0; n < wanted && std::getline(lines, line); n++) {
        in_name++;
        constexpr std::string_view directive = "#line 1 \"";
        if (line.compare(0, directive.size(), directive) != 0)
            continue;
        name = line.substr(directive.size(), line.rfind('"') - directive.size());
        in_name = 0;
    }
    const auto rest = message.find(':', message.find(':', whole.size()) + 1);
    return name.empty() || rest == std::string::npos
               ? message
               : text("%s:%u:%u%s", name.c_str(), in_name, column, message.c_str() + rest);
}

// The first line of a compiler's log that tells what is wrong, with what it means.
std::string first_error(const std::string &log, const std::string &source) {
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);)
        if (line.find("error") != std::string::npos) {
            const auto named = by_names(line, source);
            return named + marked_line(source, named);
        }
    return log.substr(0, log.find('\n'));
}

} // namespace

Programs::Programs(cl_context context, cl_device_id id, const std::string &device, const std::string &driver,
                   std::size_t most)
    : context_(context), id_(id), device_(device), driver_(driver), programs_(most) {}

ClProgram Programs::get(const std::string &name, const std::string &source, const std::string &options) {
    must_not_be_forked();
    const std::string path = cache_path(driver_ + '\n' + device_ + '\n' + options + '\n' + source, "clbin");
    return programs_.get(path, [&] { return build(name, source, options, path); });
}

ClProgram Programs::build(const std::string &name, const std::string &source, const std::string &options,
                          const std::string &path) const {
    // PoCL (3.1) ends the process when it can't link a kernel, which it does by the linker's program.
    constexpr unsigned files_of_compiler = 32;
    need_files(files_of_compiler, "the OpenCL compiler");
    ClProgram program = load_binary(context_, id_, path, options);
    if (!program) {
        GST_INFO("compiling %s for %s with '%s'", name.c_str(), device_.c_str(), options.c_str());
        const char *lines = source.c_str();
        const std::size_t size = source.size();
        cl_int status = CL_SUCCESS;
        program = ClProgram(clCreateProgramWithSource(context_, 1, &lines, &size, &status));
        cl_check(status, "creating the program " + name);
        status = clBuildProgram(program.get(), 1, &id_, options.c_str(), nullptr, nullptr);
        if (status != CL_SUCCESS) {
            std::size_t log_size = 0;
            clGetProgramBuildInfo(program.get(), id_, CL_PROGRAM_BUILD_LOG, 0, nullptr, &log_size);
            std::string log(log_size, '\0');
            clGetProgramBuildInfo(program.get(), id_, CL_PROGRAM_BUILD_LOG, log_size, log.data(), nullptr);
            log = log.c_str();
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text("%s does not compile for %s: %s", name.c_str(), device_.c_str(),
                     first_error(log, source).c_str()),
                text("%s with options '%s':\n%s", cl_error_name(status), options.c_str(), log.c_str()));
        }
        store_binary(program, id_, path);
    }
    return program;
}

} // namespace tomo
