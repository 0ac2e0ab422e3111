// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/geometry/cone-beam.hpp>
#include <gst/tomo/support/error.hpp>

#include <cmath>

namespace tomo {

double PerView::at(std::uint64_t view) const {
    if (values_.size() != 1 && view >= values_.size())
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("%s has %zu values, but projection %" G_GUINT64_FORMAT
                         " came, counted from 0; wanted one value, or one for each projection",
                         name_, values_.size(), view));
    return values_.size() == 1 ? values_[0] : values_[view];
}

void PerView::check(std::uint64_t views) const {
    if (is_list() && values_.size() != views)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("%s has %zu values for %" G_GUINT64_FORMAT
                         " projections; wanted one value, or one for each projection",
                         name_, values_.size(), views));
}

ConeView ConeBeam::view(std::uint64_t index, unsigned columns, unsigned rows) const {
    const ConeView view{centre_x.at(index, columns / 2.0), centre_z.at(index, rows / 2.0),
                        source_distance.at(index), detector_distance.at(index), tilt.at(index, 0.0)};
    if (!(view.source_distance > 0.0) || std::isinf(view.source_distance))
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("%s is %g for projection %" G_GUINT64_FORMAT "; wanted more than 0 pixels",
                         source_distance.name(), view.source_distance, index));
    if (!(view.source_distance + view.detector_distance > 0.0) || std::isinf(view.detector_distance))
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("%s is %g for projection %" G_GUINT64_FORMAT
                         "; wanted pixels, with the detector behind the source",
                         detector_distance.name(), view.detector_distance, index));
    return view;
}

std::string ConeBeam::assumption(const ConeView &view) const {
    if (centre_x.is_given() && centre_z.is_given())
        return {};
    return text("the beam's middle was taken at column %g (%s) and row %g (%s); set %s and %s", view.centre_x,
                name_of(origin(centre_x)), view.centre_z, name_of(origin(centre_z)), centre_x.name(),
                centre_z.name());
}

} // namespace tomo
