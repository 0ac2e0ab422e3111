// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/projector.hpp>
#include <gst/tomo/support/error.hpp>

namespace tomo {

Projector::~Projector() = default;

std::unique_ptr<ViewSweep> Projector::sweep(std::vector<unsigned>) { return {}; }

void Projector::check_shapes(const ArrayInfo &from, ArrayInfo wanted_from, const ArrayInfo &to,
                             const ArrayInfo &wanted_to) {
    if (!from.is_complex() && from.format != GST_TOMO_FORMAT_UNKNOWN)
        wanted_from = wanted_from.with_format(from.format);
    const auto is_like = [](const ArrayInfo &came, const ArrayInfo &wanted) {
        return came.format == wanted.format && came.width == wanted.width && came.height == wanted.height &&
               came.depth == wanted.depth;
    };
    if (!is_like(from, wanted_from) || !is_like(to, wanted_to))
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("arrays of %s and %s came to a projector; wanted %s and, for the result, %s",
                         from.describe().c_str(), to.describe().c_str(), wanted_from.describe().c_str(),
                         wanted_to.describe().c_str()));
}

} // namespace tomo
