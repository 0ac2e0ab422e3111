// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/compute/compute.hpp>

#include <algorithm>
#include <cstring>
#include <regex>
#include <sstream>

namespace tomo {

namespace {

const std::string standard = "-cl-std=CL1.2 -cl-kernel-arg-info ";

// OpenCL C's name of a format; float16 is only storage, see kernels/common.h.
const char *cl_type(GstTomoFormat format) {
    switch (format) {
    case GST_TOMO_FORMAT_UINT8:
        return "uchar";
    case GST_TOMO_FORMAT_UINT16:
        return "ushort";
    case GST_TOMO_FORMAT_UINT32:
        return "uint";
    case GST_TOMO_FORMAT_INT16:
        return "short";
    case GST_TOMO_FORMAT_INT32:
        return "int";
    case GST_TOMO_FORMAT_FLOAT16:
        return "half";
    case GST_TOMO_FORMAT_FLOAT32:
        return "float";
    case GST_TOMO_FORMAT_FLOAT64:
        return "double";
    case GST_TOMO_FORMAT_COMPLEX64:
        return "float2";
    case GST_TOMO_FORMAT_UNKNOWN:
        break;
    }
    throw Error(GST_STREAM_ERROR_FORMAT, "the format of an input is not known yet");
}

} // namespace

Compute::Compute(std::shared_ptr<Device> device, WorkTag tag) : device_(std::move(device)), tag_(tag) {}

Compute::~Compute() = default;

const std::shared_ptr<Device> &Compute::device() const {
    if (!device_)
        throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                    "no OpenCL device is open: elements have one from state READY on");
    return device_;
}

void Compute::use_device(std::shared_ptr<Device> device) {
    in_flight_.clear();
    kernels_.clear();
    device_ = std::move(device);
}

// Kernels
// -----------------------------------------------------------------------------------------------------

WorkSize &WorkSize::groups(std::size_t x, std::size_t y, std::size_t z) {
    const std::size_t size[3] = {x, y, z};
    for (int i = 0; i < 3; i++) {
        local[i] = size[i];
        global[i] = (global[i] + size[i] - 1) / size[i] * size[i];
    }
    return *this;
}

Compute::Launch::Launch(Compute &compute, Kernel kernel)
    : compute_(compute), kernel_(std::move(kernel)), queue_(compute.queue()), waits_(queue_) {}

void Compute::Launch::set(std::size_t size, const void *value) {
    cl_check(clSetKernelArg(kernel_.get(), next_, size, value),
             text("setting argument %u of kernel %s", next_, kernel_.name().c_str()));
    next_++;
}

void Compute::Launch::add_place(const Array &array) {
    const cl_mem buffer = array.storage()->buffer();
    const cl_ulong offset = array.sample_offset();
    set(sizeof buffer, &buffer);
    set(sizeof offset, &offset);
}

void Compute::Launch::add(const Array &array) {
    waits_.add(array.storage()->read(queue_));
    reads_.push_back(array.storage());
    add_place(array);
}

// A kernel would find nothing in an array whose contents are discarded before; without memory of its own a
// device finds them all the same, so that it would show nowhere but on others.
static void must_be_written(const Kernel &kernel, cl_uint argument) {
    cl_kernel_arg_type_qualifier how = 0;
    if (clGetKernelArgInfo(kernel.get(), argument, CL_KERNEL_ARG_TYPE_QUALIFIER, sizeof how, &how, nullptr) ==
            CL_SUCCESS &&
        (how & CL_KERNEL_ARG_TYPE_CONST))
        throw Error(GST_LIBRARY_ERROR_FAILED,
                    text("kernel %s reads its argument %u, which is given to be written: pass a const Array",
                         kernel.name().c_str(), argument));
}

void Compute::Launch::add_written(Array &array, Storage::Contents contents) {
    if (contents == Storage::Contents::discard)
        must_be_written(kernel_, next_);
    waits_.add(array.storage()->write(queue_, contents));
    writes_.push_back(array.storage());
    add_place(array);
}

void Compute::Launch::add(BareBuffer whole) {
    waits_.add(whole.array.storage()->read(queue_));
    reads_.push_back(whole.array.storage());
    const cl_mem buffer = whole.array.storage()->buffer();
    set(sizeof buffer, &buffer);
}

void Compute::Launch::add(ReadWriteBareBuffer whole) {
    waits_.add(whole.array.storage()->write(queue_, Storage::Contents::keep));
    writes_.push_back(whole.array.storage());
    const cl_mem buffer = whole.array.storage()->buffer();
    set(sizeof buffer, &buffer);
}

void Compute::Launch::add(const ClMem &mem) {
    const cl_mem raw = mem.get();
    set(sizeof raw, &raw);
}

void Compute::Launch::add(const ClSampler &sampler) {
    const cl_sampler raw = sampler.get();
    set(sizeof raw, &raw);
}

ClEvent Compute::Launch::run(const WorkSize &size) {
    cl_event event = nullptr;
    const bool chosen = size.local[0] != 0;
    cl_check(clEnqueueNDRangeKernel(queue_, kernel_.get(), 3, size.offset, size.global,
                                    chosen ? size.local : nullptr, waits_.size(), waits_.data(), &event),
             text("running kernel %s on %s", kernel_.name().c_str(), compute_.device()->name().c_str()));
    const ClEvent done(event);
    record(Command::Kind::kernel, kernel_.name(), 0, queue_, done, compute_.tag());
    for (const auto &storage : reads_)
        storage->read_done(queue_, done);
    for (const auto &storage : writes_)
        storage->write_done(queue_, done);
    return done;
}

void Compute::input_format(const std::string &name, GstTomoFormat format) { input_formats_[name] = format; }

void Compute::input_size(const std::string &name, std::size_t bytes) {
    input_format(name, bytes == 1   ? GST_TOMO_FORMAT_UINT8
                       : bytes == 2 ? GST_TOMO_FORMAT_UINT16
                       : bytes == 4 ? GST_TOMO_FORMAT_UINT32
                                    : GST_TOMO_FORMAT_COMPLEX64);
}

std::string Compute::input_types(const std::string &source) const {
    // Named as a word, IN(in) or a macro's argument, or as its type.
    const auto is_used = [&](const std::string &input) {
        return source.empty() ||
               std::regex_search(source, std::regex("(^|[^A-Za-z0-9_])" + input + "(_T)?([^A-Za-z0-9_]|$)"));
    };
    std::string options;
    for (const auto &[input, format] : input_formats_) {
        if (format == GST_TOMO_FORMAT_FLOAT64 && !device_->has_fp64())
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("%s has no float64: convert the input before", device_->name().c_str()));
        if (is_used(input))
            options += text(" -D %s_T=%s", input.c_str(), cl_type(format));
    }
    return options;
}

// What kernel files come before a source: common.h and those that it names in lines #include "file", which
// are made empty, so that what the compiler says keeps to the lines of each file. Other names are left to the
// compiler.
static std::string take_files_before(std::string &source) {
    static const std::regex include(R"re(^[ \t]*#[ \t]*include[ \t]+"([^"]+)".*)re");
    std::string before = kernel_file("common.h"), rest;
    std::istringstream lines(source);
    for (std::string line; std::getline(lines, line); rest += line + '\n') {
        std::smatch found;
        if (line.find("include") == std::string::npos || !std::regex_match(line, found, include) ||
            !has_kernel_file(found[1]))
            continue;
        before += text("\n#line 1 \"%s\"\n", found[1].str().c_str()) + kernel_file(found[1]);
        line.clear();
    }
    source = std::move(rest);
    return before;
}

Kernel Compute::kernel(const std::string &function, const std::string &options, const std::string &file) {
    const std::string name = file.empty() ? kernel_file_name() : file;
    if (name.empty())
        throw Error(GST_LIBRARY_ERROR_SETTINGS, text("kernel %s: its file is not named", function.c_str()));
    return kernels_.get(name + ':' + function + ':' + options + input_types(), [&] {
        std::string source = kernel_file(name);
        const std::string before = take_files_before(source);
        return compile(name, source, function, standard + options + input_types(source), before);
    });
}

Kernel Compute::kernel_from_source(const std::string &name, const std::string &source,
                                   const std::string &function, const std::string &options) {
    return kernels_.get(name + ':' + function + ':' + options + '\n' + source, [&] {
        std::string own = source;
        const std::string before = take_files_before(own);
        return compile(name, own, function, standard + options, before);
    });
}

Kernel Compute::users_kernel(const std::string &name, const std::string &source, const std::string &function,
                             const std::string &options) {
    return kernels_.get("user's " + name + ':' + function + ':' + options + '\n' + source, [&] {
        const bool has_standard = options.find("-cl-std") != std::string::npos;
        return compile(name, source, function,
                       has_standard ? "-cl-kernel-arg-info " + options : standard + options, "");
    });
}

static std::string kernel_names(const ClProgram &program) {
    std::size_t size = 0;
    if (clGetProgramInfo(program.get(), CL_PROGRAM_KERNEL_NAMES, 0, nullptr, &size) != CL_SUCCESS)
        return {};
    std::string names(size, '\0');
    if (clGetProgramInfo(program.get(), CL_PROGRAM_KERNEL_NAMES, size, names.data(), nullptr) != CL_SUCCESS)
        return {};
    names = names.c_str();
    std::replace(names.begin(), names.end(), ';', ' ');
    return names;
}

Kernel Compute::compile(const std::string &name, const std::string &source, const std::string &function,
                        const std::string &options, const std::string &before) {
    std::string file = name; // as the compiler will name it
    std::replace(file.begin(), file.end(), '"', '\'');
    std::replace(file.begin(), file.end(), '\n', ' ');
    const std::string whole = before + "\n#line 1 \"" + file + "\"\n" + source;
    const auto program = device()->program(name, whole, options);
    cl_int status = CL_SUCCESS;
    ClKernel handle(clCreateKernel(program.get(), function.c_str(), &status));
    if (status == CL_INVALID_KERNEL_NAME)
        throw Error(GST_LIBRARY_ERROR_SETTINGS, text("%s has no kernel '%s'; its kernels: %s", name.c_str(),
                                                     function.c_str(), kernel_names(program).c_str()));
    cl_check(status, text("taking kernel %s from %s", function.c_str(), name.c_str()));
    return {std::move(handle), function};
}

Array Compute::allocate(const ArrayInfo &info) {
    return {info, device(), [this] { return patience(); }};
}

ArrayInfo Compute::resized(const ArrayInfo &in, std::uint64_t width, std::uint64_t height,
                           std::uint64_t depth, const std::string &what) {
    if (std::max({width, height, depth}) <= G_MAXINT) {
        const auto out = in.with_size(width, height, depth);
        if (out.is_countable() && out.size() <= device()->max_allocation())
            return out;
    }
    throw Error(GST_LIBRARY_ERROR_SETTINGS,
                text("%s make %s %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT
                     ", which is too large: %s takes at most %zu bytes in one piece",
                     what.c_str(), gst_tomo_format_to_string(in.format), width, height, depth,
                     device()->name().c_str(), device()->max_allocation()));
}

void Compute::fill(Array &array, const void *pattern, std::size_t pattern_size) {
    const auto q = queue();
    const auto waits = array.storage()->write(q);
    cl_event event = nullptr;
    cl_check(clEnqueueFillBuffer(q, array.storage()->buffer(), pattern, pattern_size, array.byte_offset(),
                                 array.info().size(), waits.size(), waits.data(), &event),
             "filling an array");
    const ClEvent done(event);
    record(Command::Kind::copy, "fill", array.info().size(), q, done, tag_);
    array.storage()->write_done(q, done);
}

void Compute::copy_rows(const Array &from, Rows source, Array &to, Rows target, std::size_t bytes,
                        std::size_t rows) {
    const auto q = queue();
    auto waits = from.storage()->read(q);
    waits.add(to.storage()->write(q, Storage::Contents::keep));
    const std::size_t first = from.byte_offset() + source.offset, there = to.byte_offset() + target.offset;
    cl_event event = nullptr;
    if (rows == 1 || (source.pitch == bytes && target.pitch == bytes)) {
        cl_check(clEnqueueCopyBuffer(q, from.storage()->buffer(), to.storage()->buffer(), first, there,
                                     rows * bytes, waits.size(), waits.data(), &event),
                 "copying an array");
    } else {
        const std::size_t origin[3] = {first % source.pitch, first / source.pitch, 0};
        const std::size_t destination[3] = {there % target.pitch, there / target.pitch, 0};
        const std::size_t region[3] = {bytes, rows, 1};
        cl_check(clEnqueueCopyBufferRect(q, from.storage()->buffer(), to.storage()->buffer(), origin,
                                         destination, region, source.pitch, 0, target.pitch, 0, waits.size(),
                                         waits.data(), &event),
                 "copying rows of an array");
    }
    const ClEvent done(event);
    record(Command::Kind::copy, "copy", rows * bytes, q, done, tag_);
    from.storage()->read_done(q, done);
    to.storage()->write_done(q, done);
}

Array Compute::upload(const void *table, std::size_t bytes) {
    Array array = allocate({GST_TOMO_FORMAT_UINT8, bytes, 1});
    const Host<char> host(array);
    std::memcpy(host.data(), table, bytes);
    return array;
}

Array Compute::upload(const std::vector<float> &values) {
    Array array = allocate({GST_TOMO_FORMAT_FLOAT32, values.size(), 1});
    const Host<float> host(array);
    std::memcpy(host.data(), values.data(), values.size() * sizeof(float));
    return array;
}

Array Compute::upload_reals(const double *numbers, std::size_t count) {
    if (device()->has_fp64())
        return upload(numbers, count * sizeof(double));
    return upload(std::vector<float>(numbers, numbers + count));
}

void Compute::limit_frames_in_flight(const Array &newest, bool live) {
    // A device with memory of its own is far enough away to need a long list of things to do: while it
    // computes a batch, all that the next batch needs is enqueued.
    constexpr std::size_t least = 3, most = 64, share = 64;
    std::size_t limit = least;
    if (!live && !device()->shares_host_memory())
        limit = std::clamp(device()->memory_limit() / share / newest.storage()->size(), least, most);
    in_flight_.push_back(newest.storage()->last_write());
    if (in_flight_.size() <= limit)
        return;
    const Stamp oldest = in_flight_.front();
    in_flight_.pop_front();
    wait_for(oldest, text("computing a frame on %s", device()->name().c_str()));
}

} // namespace tomo
