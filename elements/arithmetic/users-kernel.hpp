// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the elements with kernels of users share. Such kernels take what UFO gives them: global float pointers
// to packed arrays from their first sample on, complex samples as two floats.
#pragma once

#include <gst/tomo/compute/compute.hpp>

// For the details of each of these elements, as their last paragraph.
#define TOMO_USERS_KERNEL_CAUTION                                                                            \
    "\n\nThe device runs a kernel as it is written. A kernel that never ends can't be stopped: "             \
    "`tomo-launch` and `tomo-runjson` end their process at the second Ctrl-C, other programs have to be "    \
    "killed. A kernel that writes outside of its arrays changes other data or crashes the process: try new " \
    "kernels on a few small images."

namespace tomo::users {

struct Source {
    std::string name; // for messages
    std::string text;
    bool is_ours; // kernels that take arrays of one size
};

// `text` where it is not empty, else the file: that of a path, else as other kernel files are found.
Source source(const std::string &text, const std::string &filename);

// Throws where the text begins a constant of characters: quotes that a pipeline description left around an
// expression make it a valid one of C, whose value is none of the expression's. A statement may have strings,
// for printf.
enum class Strings { none, inside };
void must_not_be_quoted(const char *property, const std::string &text, Strings strings);

// A kernel with `arrays` global pointers as its first arguments, or with any number of them and nothing else.
constexpr unsigned any_number = 0;
Kernel kernel(Compute &compute, const Source &source, const std::string &function,
               const std::string &options, unsigned arrays = any_number);
unsigned arguments(const Kernel &kernel);

// The pieces that a kernel of so many dimensions gets of an array, one after another: all of it as a line or
// a block, or each of its planes.
std::vector<Array> pieces(const Array &array, unsigned dimensions);
WorkSize work_size(const ArrayInfo &piece, unsigned dimensions, bool halve_width);

// As float32 and from the first sample of a buffer on; a copy where it is not so already.
Array plain(Compute &compute, const Array &array);
// A plain array of that shape, all zeros, so that samples that a kernel leaves out are not those of another
// image.
Array plain_zeros(Compute &compute, const ArrayInfo &info);

} // namespace tomo::users
