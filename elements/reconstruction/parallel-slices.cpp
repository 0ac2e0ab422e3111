// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "parallel-slices.hpp"

#include <gst/tomo/geometry/degrees.hpp>

#include <utility>

namespace tomo {

ArrayInfo ParallelSlices::shape(const ArrayInfo &in) {
    if (in.domain == GST_TOMO_DOMAIN_PROJECTION)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("got projections (%s), but reconstructs slices from sinograms: put "
                         "tomotransposeprojections before, which makes these",
                         in.describe().c_str()));
    const auto slice = region(in.width);
    const auto out = in.with_size(slice.width, slice.height)
                         .with_format(GST_TOMO_FORMAT_FLOAT32)
                         .with_domain(GST_TOMO_DOMAIN_SLICE);
    settings_.reset();
    plan(in.with_size(in.width, in.height, in.depth * batch_size()), out);
    return out;
}

void ParallelSlices::process(const Array &in, Array &out) {
    update_views(in);
    reconstruct(in, out);
}

void ParallelSlices::stop() {
    settings_.reset();
    scan_ = {};
    angle_warning_.clear();
    assumed_.clear();
    is_of_scan_ = has_reported_ = false;
}

EventRef ParallelSlices::scan_event(EventRef event) {
    scan_ = Scan(event.get());
    scan_.rows_are_views(input_info());
    is_of_scan_ = true;
    settings_.reset();
    return scan_behind();
}

EventRef ParallelSlices::own_scan_event() {
    return region(input_info().width).begins_at_corner() && !slice_axis_pos.chosen() ? EventRef()
                                                                                     : scan_of_region({});
}

SliceRegion ParallelSlices::region(unsigned columns) const {
    return {roi_x, roi_y, roi_width.chosen(), roi_height.chosen(), columns};
}

Axis ParallelSlices::axis() const {
    return resolve_axis(axis_pos.chosen(), axis_pos.name(), scan_, input_info().width);
}

GivenViews ParallelSlices::given_views() const {
    return {angle_step.chosen(), angle_offset, num_projections.chosen(), offset};
}

EventRef ParallelSlices::scan_of_region(Scan scan) const {
    const double axis = this->axis().position;
    return scan_of_slices(std::move(scan), input_info(), axis, axis_in_slice(axis),
                          region(input_info().width))
        .to_event();
}

// The scan of the slices, with their axis.
EventRef ParallelSlices::scan_behind() const {
    const auto axis = this->axis();
    auto scan = scan_;
    scan.axis_position = axis.position;
    scan.axis_is_found = axis.origin == Origin::found;
    return scan_of_region(std::move(scan));
}

// What is in force, once, and numbers again when they change. What was assumed is told to people once: as
// a warning, unless it is no more than that all views that there are make half a turn.
void ParallelSlices::tell(const Axis &axis, const ParallelViews &views, const SliceRegion &slice) {
    EffectiveValues report;
    report.add(axis).add(views.scan).add("angle-covered", views.covered, "rad", views.scan.origin);
    report.add("region-width", slice.width).add("region-height", slice.height);
    if (!std::exchange(has_reported_, true))
        report.say(text("%s, %s, which cover %.4g of 180 degrees", axis.sentence().c_str(),
                        views.scan.sentence.c_str(), degrees(views.covered)));
    report_effective(report);
    std::string assumed = axis.assumption();
    if (!views.scan.assumption.empty())
        assumed += (assumed.empty() ? "" : ". And ") + views.scan.assumption;
    if (!assumed.empty() && assumed_ != assumed) {
        if (axis.origin == Origin::assumed || views.scan.is_part)
            warn(assumed);
        else
            inform(assumed);
    }
    assumed_ = assumed;
}

// The views follow properties, which may change from frame to frame.
void ParallelSlices::update_views(const Array &in) {
    const auto axis = this->axis();
    const auto slice = region(in.width());
    const double in_slice = axis_in_slice(axis.position);
    const Settings now{axis.position, in_slice, axis.origin, given_views(), slice.x, slice.y, in.height()};
    if (settings_ == now)
        return;
    settings_.reset();
    const auto views = resolve_views(now.views, scan_, in.height());
    if (views.warning != std::exchange(angle_warning_, views.warning) && !angle_warning_.empty())
        warn(angle_warning_);
    tell(axis, views, slice);
    if (is_of_scan_)
        send_scan(scan_behind());
    set_views({views.angles, views.weights, axis.position, in_slice, slice});
    settings_ = now;
}

} // namespace tomo
