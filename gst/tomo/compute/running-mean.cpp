// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/compute/running-mean.hpp>

#include <utility>

namespace tomo {

static constexpr const char *file = "average.cl";

void RunningMean::prepare(const ArrayInfo &in) {
    owner_.input_format("in", in.floats().format);
    owner_.kernel("average_add", "", file);
    owner_.kernel("average_mean", "", file);
}

void RunningMean::add(const Array &in) {
    const auto floats = in.floats();
    const auto info = in.info().is_complex() ? in.info() : in.info().with_format(GST_TOMO_FORMAT_FLOAT32);
    if (!count_) {
        info_ = info;
        // Eight bytes for each float, see the kernel.
        sum_ = owner_.allocate(floats.info().with_format(GST_TOMO_FORMAT_COMPLEX64));
        const double zero = 0.0;
        owner_.fill(sum_, &zero, sizeof zero);
    } else if (info.width != info_.width || info.height != info_.height || info.depth != info_.depth ||
               info.format != info_.format) {
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("array %" G_GUINT64_FORMAT " is %s, but those before it are %s: "
                         "wanted one size, for their mean",
                         count_, in.info().describe().c_str(), info_.describe().c_str()));
    }
    count_++;
    owner_.input_format("in", floats.info().format);
    owner_.launch(owner_.kernel("average_add", "", file), WorkSize(floats.info().samples()), floats,
                  ReadWrite{sum_});
}

Array RunningMean::mean() {
    auto out = owner_.allocate(info_);
    auto floats = out.floats();
    owner_.launch(owner_.kernel("average_mean", "", file), WorkSize(floats.info().samples()),
                  std::as_const(sum_), floats, cl_ulong{count_});
    return out;
}

void RunningMean::clear() {
    sum_ = {};
    count_ = 0;
}

} // namespace tomo
