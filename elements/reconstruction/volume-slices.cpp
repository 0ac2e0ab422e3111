// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "volume-slices.hpp"

#include "general-geometry.hpp"

#include <gst/tomo/geometry/degrees.hpp>

#include <algorithm>
#include <cmath>

namespace tomo {

namespace {

constexpr unsigned most_staged = 16; // slices

} // namespace

VolumeSlices::Job VolumeSlices::job_of(const ArrayInfo &projection, bool is_swept, double z) const {
    const VolumeGrid::Axis whole{-0.5 * projection.width, 1.0, projection.width};
    Job job;
    job.is_swept = is_swept;
    job.z = z;
    job.grid = {region_axis(x_region, whole), region_axis(y_region, whole), region_axis(region, {z, 1.0, 0})};
    if (job.grid.z.count == 0) { // the geometry as it is
        job.grid.z.count = 1;
        job.is_swept = false;
    }
    return job;
}

std::unique_ptr<VolumeOperator> VolumeSlices::make_operator(const Job &job) {
    return std::make_unique<GeneralBackprojector>(*this, job.settings);
}

Axis VolumeSlices::scan_axis(const Scan &scan, const char *property, unsigned columns) {
    const auto axis = resolve_axis({}, property, scan, columns);
    if (axis.origin == Origin::assumed)
        warn(axis.assumption());
    return axis;
}

std::optional<std::uint64_t> VolumeSlices::output_count(std::uint64_t inputs, const ArrayInfo &in) const {
    try {
        const std::uint64_t planes = inputs * in.depth, slices = job(in).grid.z.count;
        return num_projections ? planes / num_projections * slices
                               : std::min<std::uint64_t>(planes, 1) * slices;
    } catch (const Error &) {
        return {}; // begin() tells of it
    }
}

ArrayInfo VolumeSlices::slice() const {
    return input_info()
        .with_size(job_.grid.x.count, job_.grid.y.count, 1)
        .with_format(job_.format)
        .with_domain(GST_TOMO_DOMAIN_SLICE);
}

void VolumeSlices::begin(const ArrayInfo &in) {
    if (in.domain == GST_TOMO_DOMAIN_SINOGRAM)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("got sinograms (%s), but reconstructs slices from projections: leave out the "
                         "tomotransposeprojections before, or put another one behind it",
                         in.describe().c_str()));
    clear();
    job_ = job(in);
    operator_ = make_operator(job_);
    negotiate(slice());
}

void VolumeSlices::clear() {
    operator_.reset();
    held_.clear();
    frame_angles_.clear();
    staged_ = {};
    taken_ = 0;
    count_ = promised_ = slab_first_ = slab_planes_ = slice_ = 0;
    adds_at_once_ = is_resolved_ = is_complete_ = false;
}

GstFlowReturn VolumeSlices::take(GstBuffer *buffer) {
    const auto *meta = gst_buffer_get_tomo_frame_meta(buffer);
    const auto own = own_angle();
    has_own_angle_ = own.has_value();
    frame_angle_ = own.value_or(meta ? meta->angle : std::nan(""));
    return Reducer::take(buffer);
}

// The scan of the slices is known with their geometry.
EventRef VolumeSlices::scan_event(EventRef event) {
    scan_event_ = event;
    scan_ = Scan(event.get());
    return {};
}

// Columns and slices have places as the detector would see them at the axis, where a pixel is that of the
// volume.
EventRef VolumeSlices::scan_of_slices() const {
    const auto a = arrangement(0, 0.0, job_.is_swept ? std::optional(job_.grid.z.from) : std::nullopt);
    const auto &[x, y, z] = job_.grid;
    Scan scan(scan_without_views(*scan_event_).get());
    const double column = scan.binning_x, pixel = std::abs(column), sense = is_against_beam() ? 1.0 : -1.0;
    scan.region_beam = scan.region_x + a.centre_x * column + sense * (y.from - y.step / 2.0) * pixel;
    scan.binning_beam = sense * y.step * pixel;
    scan.region_x += (a.centre_x + x.from - x.step / 2.0) * column;
    scan.binning_x *= x.step;
    scan.region_y += (a.centre_z + z.from - z.step / 2.0) * scan.binning_y;
    scan.binning_y *= z.step;
    if (job_.is_swept)
        scan.forget_region_y();
    scan.pixel_size *= std::abs(x.step) * a.scale();
    scan.axis_position = a.centre_x;
    return scan.to_event();
}

// Whether the scan tells the angles of a volume of so many projections.
bool VolumeSlices::scan_has_angles(unsigned number) const {
    return scan_.angles.size() == number ||
           (num_projections && scan_.angles.size() >= taken_ - count_ + std::uint64_t{number});
}

// Whether the angles of all projections are known before the last one came.
bool VolumeSlices::has_angles() const {
    if (has_own_angle_)
        return false;
    return turn().angles.is_list() || turn().overall_angle || turn().step || scan_has_angles(promised_) ||
           std::isnan(frame_angle_);
}

// Before the first projection of a volume.
void VolumeSlices::start_volume() {
    if (!operator_)
        operator_ = make_operator(job_);
    scan_ = *scan_event_ ? Scan(scan_event_->get()) : Scan();
    promised_ = num_projections;
    if (!promised_)
        promised_ = static_cast<unsigned>(
            std::min<std::uint64_t>(input_count().value_or(0) * input_info().depth, G_MAXINT));
    resolve(input_info(), scan_, promised_);
    frame_angles_.clear();
    is_resolved_ = promised_ && has_angles();
    if (is_resolved_)
        resolve_views(promised_); // tells of impossible geometries before anything is computed
    const unsigned planes = job_.grid.z.count;
    adds_at_once_ =
        is_resolved_ && operator_->planes_that_fit(input_info(), promised_, slice(), planes) >= planes;
    if (adds_at_once_)
        begin_slab(0, planes);
}

void VolumeSlices::resolve_views(unsigned number) {
    Scan scan = scan_;
    GivenTurn turn = this->turn();
    const bool frames_know =
        frame_angles_.size() == number &&
        std::none_of(frame_angles_.begin(), frame_angles_.end(), [](double a) { return std::isnan(a); });
    if (frames_know && has_own_angle_)
        turn.angles = PerView("tomo-angle", frame_angles_);
    else if (frames_know && !scan_has_angles(number))
        scan.angles = frame_angles_;
    // A stream of several volumes may tell the angles of one, or of all.
    const std::uint64_t first = scan.angles.size() == number ? 0 : taken_ - count_;
    views_ = resolve_turn(turn, scan, first, number, turn_kind());
    const unsigned last = job_.grid.z.count - 1;
    for (unsigned view = 0; view < number; view++) {
        views_of(view, job_.is_swept ? job_.grid.planes(0, 1) : job_.grid);
        if (job_.is_swept && last > 0)
            views_of(view, job_.grid.planes(last, 1));
    }
    tell();
    if (*scan_event_)
        send_scan(scan_of_slices());
}

void VolumeSlices::tell() {
    EffectiveValues values;
    values.add(views_.views).add("angle-covered", views_.covered, "rad", views_.views.origin);
    add_effective(values);
    values.say(text("%s, which cover %.4g degrees", views_.views.sentence.c_str(), degrees(views_.covered)));
    report_effective(values);
    if (!views_.warning.empty())
        warn(views_.warning);
    if (!views_.views.assumption.empty())
        warn(views_.views.assumption);
}

// Throws Error where one can't be.
std::vector<WeightedView> VolumeSlices::views_of(unsigned view, const VolumeGrid &slab) const {
    std::vector<WeightedView> views;
    const unsigned planes = job_.is_swept ? slab.z.count : 1;
    for (unsigned plane = 0; plane < planes; plane++) {
        const auto swept = job_.is_swept ? std::optional(slab.z.at(plane)) : std::nullopt;
        const auto a = arrangement(view, views_.views.angles[view], swept);
        WeightedView weighted{ViewGeometry(a, view), views_.weights[view]};
        if (!turn().overall_angle)
            weighted.weight *= a.scale() * a.scale() * weighted.geometry.axis_sine();
        const double low = job_.is_swept ? job_.z : slab.z.at(0),
                     high = job_.is_swept ? job_.z : slab.z.at(slab.z.count - 1);
        weighted.geometry.check_box({slab.x.at(0), slab.y.at(0), low},
                                    {slab.x.at(slab.x.count - 1), slab.y.at(slab.y.count - 1), high}, view);
        views.push_back(weighted);
    }
    return views;
}

void VolumeSlices::begin_slab(unsigned first, unsigned planes) {
    slab_first_ = first;
    slab_planes_ = planes;
    slab_ = job_.grid.planes(first, planes);
    VolumeGrid volume = slab_;
    if (job_.is_swept)
        volume.z = {job_.z, 0.0, planes};
    operator_->begin(input_info().with_size(input_info().width, input_info().height, 1), volume,
                     job_.is_swept);
}

void VolumeSlices::consume(const Array &in) {
    for (unsigned z = 0; z < in.depth(); z++) {
        if (is_complete_)
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("num-projections=%u make a volume, but they end within an array of %u projections: set "
                     "it to a multiple of that",
                     num_projections.value(), in.depth()));
        if (count_ == 0)
            start_volume();
        if (promised_ && count_ == promised_)
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("the stream promised %u projections, and more came: set num-projections", promised_));
        frame_angles_.push_back(frame_angle_);
        const Array plane = in.plane(z);
        if (adds_at_once_)
            operator_->add(plane, views_of(count_, slab_));
        else
            held_.add(plane);
        count_++;
        taken_++;
        is_complete_ = num_projections && count_ == num_projections;
    }
}

void VolumeSlices::finish() {
    if (num_projections)
        throw Error(
            GST_STREAM_ERROR_FAILED,
            text("%u projections came at the end of the stream where num-projections=%u make a volume: set "
                 "num-projections to those of the scan, or to 0 for all",
                 count_, num_projections.value()));
    if (is_resolved_ && count_ < promised_ && !input_may_end_anywhere())
        warn(
            text("%u of the %u projections came that the stream promised, and slices are made of these alone",
                 count_, promised_));
    is_complete_ = count_ > 0;
}

// The next slices of a volume whose projections are held.
void VolumeSlices::next_slab() {
    if (!is_resolved_) {
        resolve(input_info(), scan_, count_);
        resolve_views(count_);
        is_resolved_ = true;
    }
    const unsigned planes = job_.grid.z.count, first = slab_first_ + slab_planes_;
    unsigned fit = slab_planes_;
    if (fit == 0)
        fit = std::max(operator_->planes_that_fit(input_info(), count_, slice(), planes), 1u);
    begin_slab(first, std::min(fit, planes - first));
    for (unsigned view = 0; view < count_; view++) {
        if (is_cancelled())
            throw Flushing();
        const Array plane = held_.on_device(view);
        operator_->add(plane, views_of(view, slab_));
        limit_frames_in_flight(plane);
    }
}

// From a copy of several slices, because they lie side by side where z is along the lanes.
Array VolumeSlices::next_slice() {
    Array out = allocate(slice());
    const unsigned left = slab_first_ + slab_planes_ - slice_;
    const unsigned slices = std::min(std::clamp(slab_planes_ / 8, 1u, most_staged), left);
    const bool is_staged = staged_ && slice_ >= staged_first_ && slice_ - staged_first_ < staged_.depth();
    if (slices == 1 && !is_staged) {
        operator_->copy_slices(slice_ - slab_first_, out, job_.greys);
        return out;
    }
    if (!is_staged) {
        if (!staged_ || staged_.depth() != slices)
            staged_ = allocate(slice().with_size(slice().width, slice().height, slices));
        operator_->copy_slices(slice_ - slab_first_, staged_, job_.greys);
        staged_first_ = slice_;
    }
    const std::size_t bytes = slice().size();
    copy_rows(staged_, {(slice_ - staged_first_) * bytes}, out, {0}, bytes);
    return out;
}

Array VolumeSlices::produce() {
    if (slice_ == slab_first_ + slab_planes_) {
        staged_ = {};
        next_slab();
    }
    Array out = next_slice();
    if (++slice_ == job_.grid.z.count) {
        held_.clear();
        count_ = slice_ = slab_first_ = slab_planes_ = 0;
        is_complete_ = false;
        staged_ = {};
    }
    return out;
}

} // namespace tomo
