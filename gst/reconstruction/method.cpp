// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/method.hpp>
#include <gst/reconstruction/off-axis.hpp>

namespace tomo::reconstruction {

// The time of a Fourier reconstruction hardly depends on views and region, that of backprojection is
// proportional to views and pixels.
MethodChoice chosen_method(const Settings &settings, const Inspection &scan, double axis) {
    constexpr unsigned enough_views = 100, small_part = 2;
    if (!settings.method.is("auto"))
        return {settings.method.is("dfi"), {}};
    const unsigned columns = field_of_slices(settings, scan, axis).columns;
    if (scan.views < enough_views)
        return {false, text("fbp, because %zu views are few", std::size_t{scan.views})};
    if (settings.crop_width && settings.crop_width < columns / small_part)
        return {false, text("fbp, because %u of %u columns are a small region", settings.crop_width.value(),
                            columns)};
    return {true, text("dfi, which takes less time for %zu views and slices of %u columns",
                       std::size_t{scan.views}, columns)};
}

} // namespace tomo::reconstruction
