// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "users-kernel.hpp"

#include <gst/tomo/support/text-file.hpp>

namespace tomo::users {

// The first quote outside of comments.
static std::size_t first_quote(const std::string &text) {
    for (std::size_t i = 0; i < text.size(); i++) {
        if (text[i] == '\'' || text[i] == '"')
            return i;
        const bool is_line = text.compare(i, 2, "//") == 0, is_block = text.compare(i, 2, "/*") == 0;
        if (is_line || is_block)
            i = text.find(is_line ? "\n" : "*/", i + 2);
        if (i == std::string::npos)
            break;
    }
    return std::string::npos;
}

void must_not_be_quoted(const char *property, const std::string &text, Strings strings) {
    const auto quote = first_quote(text);
    if (quote == std::string::npos ||
        (strings == Strings::inside && text[quote] == '"' && quote != text.find_first_not_of(" \t\n")))
        return;
    throw Error(
        GST_LIBRARY_ERROR_SETTINGS,
        tomo::text("%s is %s, with a quote %c at character %zu, where C would read characters and compute "
                   "nothing; leave out the quotes. Around the value in a pipeline description, use "
                   "double ones: %s=\"...\"",
                   property, text.c_str(), text[quote], quote + 1, property));
}

Source source(const std::string &text, const std::string &filename) {
    if (!text.empty())
        return {"source", text, false};
    if (filename.empty())
        throw Error(GST_LIBRARY_ERROR_SETTINGS, "neither source nor filename is set: there is no kernel");
    if (!g_file_test(filename.c_str(), G_FILE_TEST_EXISTS) ||
        g_file_test(filename.c_str(), G_FILE_TEST_IS_DIR))
        return {filename, kernel_file(filename), filename == "opencl.cl" || filename == "complex.cl"};
    return {filename, read_text_file(filename, "kernels in OpenCL C"), false};
}

unsigned arguments(const Kernel &kernel) {
    cl_uint count = 0;
    cl_check(clGetKernelInfo(kernel.get(), CL_KERNEL_NUM_ARGS, sizeof count, &count, nullptr),
             "counting the arguments of kernel " + kernel.name());
    return count;
}

Kernel kernel(Compute &compute, const Source &source, const std::string &function,
               const std::string &options, unsigned arrays) {
    if (function.empty())
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    tomo::text("kernel is not set: name one of those in %s", source.name.c_str()));
    Kernel kernel = compute.users_kernel(source.name, source.text, function, options);
    const unsigned count = arguments(kernel), pointers = arrays == any_number ? count : arrays;
    if (count < std::max(pointers, 2u))
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    tomo::text("kernel %s has %u arguments; wanted %s", function.c_str(), count,
                               "at least an input and an output"));
    for (unsigned i = 0; i < pointers; i++) {
        cl_kernel_arg_address_qualifier space = CL_KERNEL_ARG_ADDRESS_GLOBAL;
        cl_kernel_arg_access_qualifier access = CL_KERNEL_ARG_ACCESS_NONE;
        // Not every driver knows of arguments; those that do make a better message than a failed call.
        clGetKernelArgInfo(kernel.get(), i, CL_KERNEL_ARG_ADDRESS_QUALIFIER, sizeof space, &space,
                           nullptr);
        clGetKernelArgInfo(kernel.get(), i, CL_KERNEL_ARG_ACCESS_QUALIFIER, sizeof access, &access,
                           nullptr);
        if (space != CL_KERNEL_ARG_ADDRESS_GLOBAL && space != CL_KERNEL_ARG_ADDRESS_CONSTANT)
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                tomo::text("argument %u of kernel %s is no global float pointer", i, function.c_str()));
        if (access != CL_KERNEL_ARG_ACCESS_NONE)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        tomo::text("argument %u of kernel %s is an image; wanted a global float pointer", i,
                                   function.c_str()));
    }
    return kernel;
}

std::vector<Array> pieces(const Array &array, unsigned dimensions) {
    if (dimensions != 2)
        return {array};
    std::vector<Array> planes;
    for (unsigned z = 0; z < array.depth(); z++)
        planes.push_back(array.plane(z));
    return planes;
}

WorkSize work_size(const ArrayInfo &piece, unsigned dimensions, bool halve_width) {
    const ArrayInfo info = halve_width ? piece : piece.floats();
    return dimensions == 1 ? WorkSize(info.samples()) : WorkSize(info);
}

Array plain(Compute &compute, const Array &array) {
    const Array floats = array.floats();
    const bool is_float = floats.info().format == GST_TOMO_FORMAT_FLOAT32;
    if (is_float && array.byte_offset() == 0)
        return floats;
    Array copy = compute.allocate(floats.info().with_format(GST_TOMO_FORMAT_FLOAT32));
    if (is_float) {
        compute.copy_rows(floats, {}, copy, {}, floats.info().size());
    } else {
        compute.input_format("in", floats.info().format);
        compute.launch(compute.kernel("to_float", "", "read.cl"), WorkSize(floats.info().samples()), floats,
                       copy);
    }
    return copy;
}

Array plain_zeros(Compute &compute, const ArrayInfo &info) {
    Array zeros = compute.allocate(info);
    const cl_float zero = 0.0f;
    compute.fill(zeros, &zero, sizeof zero);
    return zeros;
}

} // namespace tomo::users
