// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/reconstruction/inspection.hpp>

#include <string>

namespace tomo {
class Device;
}

namespace tomo::reconstruction {

enum class Method { fbp, dfi, iterative };

// How slices are made, and why where method=auto chose. `axis` is an edge coordinate of the full detector.
struct MethodChoice {
    Method method;
    std::string reason; // empty where nothing was to choose
};
MethodChoice chosen_method(const Settings &settings, const Inspection &scan, double axis);

// Throws Error where the device has no units for the precision.
void check_precision(const Settings &settings, const Device &device);

bool is_iterative(const Settings &settings);
// Those given, or the default of the method's element.
unsigned iterations_of(const Settings &settings);
// Whether iterations correct slices view by view, and not by many of them.
bool goes_view_by_view(const Settings &settings);

// Properties of an element of iterations, and of the filter of rows.
std::string iteration_words(const Settings &settings);
std::string filter_words(const Settings &settings);
// " ! " and the elements of the method, with what is particular to it; geometry is added behind.
std::string method_line(const Settings &settings, Method method);

} // namespace tomo::reconstruction
