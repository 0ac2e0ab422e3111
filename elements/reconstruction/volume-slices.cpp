// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "volume-slices.hpp"

#include "general-geometry.hpp"

#include <gst/tomo/device/device-list.hpp>
#include <gst/tomo/device/gobject.hpp>
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/geometry/magnification.hpp>

#include <algorithm>
#include <cmath>

namespace tomo {

namespace {

constexpr unsigned most_staged = 16; // slices

// How many are copied at a time of a slab of so many.
unsigned copied_at_a_time(unsigned planes) { return std::clamp(planes / 8, 1u, most_staged); }

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
    job.planes = job.grid.z.count;
    return job;
}

std::unique_ptr<VolumeOperator> VolumeSlices::make_operator(const Job &job) {
    return std::make_unique<GeneralBackprojector>(*this, job.settings);
}

std::vector<std::shared_ptr<Device>> VolumeSlices::devices_in(const std::string &list) {
    std::vector<std::shared_ptr<Device>> devices;
    if (list.empty())
        return devices;
    // As the context of the element has them, whose devices may have limits.
    const QueryRef query(gst_query_new_context(GST_TOMO_CONTEXT_TYPE));
    GstContext *carrier = nullptr;
    if (handle_context_query(query.get()))
        gst_query_parse_context(query.get(), &carrier);
    const ObjectRef<GstTomoContext> context(carrier ? gst_tomo_context_from_context(carrier) : nullptr);
    for (const auto index : choose_devices(all_devices(), list)) {
        const auto selector = std::to_string(index);
        const auto device = context ? context_of(context.get())->find(selector) : nullptr;
        devices.push_back(device ? device : Context::create(selector)->default_device());
    }
    return devices;
}

void VolumeSlices::tell_made(const Device &device, std::uint64_t planes) {
    const auto name = text("device %u (%s)", device.index(), device.name().c_str());
    post_message(gst_structure_new("tomo-device", "element", G_TYPE_STRING, GST_OBJECT_NAME(gst()), "device",
                                   G_TYPE_STRING, name.c_str(), "planes", G_TYPE_UINT64, guint64{planes},
                                   nullptr));
}

void VolumeSlices::tell_failed(const Device &device) {
    post_message(gst_structure_new("tomo-device-failed", "index", G_TYPE_UINT, device.index(), nullptr));
}

Axis VolumeSlices::scan_axis(const Scan &scan, const char *property, unsigned columns, bool is_swept) {
    const auto axis = resolve_axis({}, property, scan, columns);
    if (axis.origin == Origin::assumed && !is_swept && !has_told_axis_) {
        warn(axis.assumption());
        has_told_axis_ = true;
    }
    return axis;
}

std::optional<std::uint64_t> VolumeSlices::output_count(std::uint64_t inputs, const ArrayInfo &in) const {
    try {
        const std::uint64_t planes = inputs * in.depth, slices = job(in).given().count;
        return num_projections ? planes / num_projections * slices
                               : std::min<std::uint64_t>(planes, 1) * slices;
    } catch (const Error &) {
        return {}; // begin() tells of it
    }
}

ArrayInfo VolumeSlices::slice() const {
    return projection_.with_size(job_.grid.x.count, job_.grid.y.count, 1)
        .with_format(job_.format)
        .with_domain(GST_TOMO_DOMAIN_SLICE);
}

void VolumeSlices::begin(const ArrayInfo &in) {
    if (in.domain == GST_TOMO_DOMAIN_SINOGRAM)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("got sinograms (%s), but reconstructs slices from projections: leave out the "
                         "tomotransposeprojections before, or put another one behind it",
                         in.describe().c_str()));
    const ArrayInfo plane = in.with_size(in.width, in.height, 1);
    if (count_ > 0 && plane == projection_ && in.depth != depth_) {
        depth_ = in.depth; // a last, shorter stack
        is_outdated_ = true;
        return;
    }
    // Where downstream wants no more slices, it says so again to the next one.
    static_cast<void>(Reducer::drain());
    clear();
    projection_ = plane;
    depth_ = in.depth;
    job_ = job(in);
    operator_ = make_operator(job_);
    negotiate(slice());
}

GstFlowReturn VolumeSlices::drain() {
    const auto flow = Reducer::drain();
    forget_stream();
    return flow;
}

void VolumeSlices::reset() {
    Reducer::reset();
    forget_stream();
    is_flushed_ = !is_cancelled(Cancel::stop);
    has_told_axis_ &= is_flushed_;
}

void VolumeSlices::forget_stream() {
    taken_ = event_first_ = 0;
    has_taken_ = is_flushed_ = false;
}

void VolumeSlices::clear() {
    operator_.reset();
    held_.clear();
    frame_angles_.clear();
    staged_ = {};
    count_ = promised_ = slab_first_ = slab_planes_ = slice_ = 0;
    adds_at_once_ = is_resolved_ = is_complete_ = is_outdated_ = false;
}

GstFlowReturn VolumeSlices::take(GstBuffer *buffer) {
    const auto *meta = gst_buffer_get_tomo_frame_meta(buffer);
    const auto own = own_angle();
    has_own_angle_ = own.has_value();
    frame_angle_ = own.value_or(meta ? meta->angle : std::nan(""));
    if (!has_taken_)
        check_begin(buffer);
    return Reducer::take(buffer);
}

// The scan of the slices is known with their geometry.
EventRef VolumeSlices::scan_event(EventRef event) {
    const GstEvent *before = scan_event_->get();
    if (before != event.get() &&
        !(before && gst_structure_is_equal(gst_event_get_structure(const_cast<GstEvent *>(before)),
                                           gst_event_get_structure(event.get()))))
        event_first_ = taken_;
    scan_event_ = event;
    // Of a set that is not complete, the angles are those of the scan that it began with.
    if (!num_projections || count_ == 0)
        take_scan();
    return {};
}

void VolumeSlices::take_scan() {
    volume_event_ = *scan_event_;
    scan_ = *volume_event_ ? Scan(volume_event_->get()) : Scan();
}

// Columns and slices have places as the detector would see them at the axis, where a pixel is that of the
// volume.
EventRef VolumeSlices::scan_of_slices() const {
    const auto a = arrangement(0, 0.0, job_.is_swept ? std::optional(job_.grid.z.from) : std::nullopt);
    const auto &x = job_.grid.x, &y = job_.grid.y, z = job_.given();
    Scan scan(scan_without_views(*volume_event_).get());
    const double column = scan.binning_x, pixel = std::abs(column), sense = is_against_beam() ? 1.0 : -1.0;
    scan.region_beam = scan.region_x + a.centre_x * column + sense * (y.from - y.step / 2.0) * pixel;
    scan.binning_beam = sense * y.step * pixel;
    scan.region_x += (a.centre_x + x.from - x.step / 2.0) * column;
    scan.binning_x *= x.step;
    scan.region_y += (a.centre_z - job_.first_row + z.from - z.step / 2.0) * scan.binning_y;
    scan.binning_y *= z.step;
    if (job_.is_swept)
        scan.forget_region_y();
    // A scan that tells its source has the size at the sample already.
    scan.pixel_size *= std::abs(x.step) * (is_source_near(scan.source_distance) ? 1.0 : a.scale());
    scan.axis_position = a.centre_x;
    return scan.to_event();
}

// Whether the scan tells the angles of a volume of so many projections.
bool VolumeSlices::scan_has_angles(unsigned number) const {
    return scan_.angles.size() == number ||
           (num_projections && scan_.angles.size() >= first_in_scan_ + number);
}

// Whether the angles of all projections are known before the last one came.
bool VolumeSlices::has_angles() const {
    if (has_own_angle_)
        return false;
    return is_turn_given() || scan_has_angles(promised_) || std::isnan(frame_angle_);
}

bool VolumeSlices::is_turn_given() const {
    return turn().angles.is_list() || turn().overall_angle || turn().step;
}

// Angles of some frames alone tell nothing of the others.
void VolumeSlices::check_frame_angle() const {
    const bool has_angle = !std::isnan(frame_angle_), has_first = !std::isnan(frame_angles_.front());
    if (has_angle == has_first || is_turn_given() || !scan_.angles.empty())
        return;
    throw Error(GST_STREAM_ERROR_FORMAT,
                text("projection %u of the volume has no angle, but projection %u came with one: give all of "
                     "them their angle, or set %s, in radians",
                     has_angle ? 0 : count_, has_angle ? count_ : 0, turn().angles.name()));
}

// Numbers of the projections, where a seek has left out some.
void VolumeSlices::check_begin(GstBuffer *buffer) {
    has_taken_ = true;
    if (!is_flushed_ || !GST_BUFFER_OFFSET_IS_VALID(buffer) || !input_count() || !std::isnan(frame_angle_))
        return;
    taken_ = GST_BUFFER_OFFSET(buffer) * depth_;
    if (num_projections ? taken_ % num_projections != 0 : taken_ != 0)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("the stream goes on at projection %" G_GUINT64_FORMAT
                         ", within a volume: seek to the first projection of one, which is %s",
                         taken_,
                         num_projections
                             ? text("a multiple of num-projections=%u", num_projections.value()).c_str()
                             : "0, or set num-projections"));
}

// Before the first projection of a volume.
void VolumeSlices::start_volume() {
    if (is_outdated_) {
        job_ = job(projection_);
        negotiate(slice());
    }
    if (!operator_ || is_outdated_)
        operator_ = make_operator(job_);
    is_outdated_ = false;
    take_scan();
    first_in_scan_ = taken_ - event_first_;
    promised_ = promise();
    resolve(projection_, scan_, promised_);
    frame_angles_.clear();
    is_resolved_ = promised_ && has_angles();
    if (is_resolved_)
        resolve_views(promised_); // tells of impossible geometries before anything is computed
    adds_at_once_ = is_resolved_ && fits(0, job_.planes);
    if (adds_at_once_)
        begin_slab(0, job_.planes);
}

// Of a number of projections, as far as it is known; else 0.
unsigned VolumeSlices::promise() const {
    if (num_projections)
        return num_projections;
    const std::uint64_t arrays = std::min<std::uint64_t>(input_count().value_or(0), G_MAXINT / depth_);
    if (depth_ == 1 || arrays == 0)
        return static_cast<unsigned>(arrays);
    // The last stack may have fewer planes.
    const std::uint64_t angles = scan_.angles.size();
    return angles > (arrays - 1) * depth_ && angles <= arrays * depth_ ? static_cast<unsigned>(angles) : 0;
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
    const std::uint64_t first = scan.angles.size() == number ? 0 : first_in_scan_;
    if (!num_projections && !is_turn_given() && !has_own_angle_ && scan.angles.size() > number)
        warn(text(
            "the scan has %zu angles, but %u projections came, which get the first of them: if some were "
            "left out, set %s, or set num-projections to those of a volume",
            scan.angles.size(), number, turn.angles.name()));
    const unsigned last = job_.grid.z.count - 1;
    weights_.clear();
    for (unsigned plane = 0; plane <= (job_.is_swept ? last : 0); plane++) {
        const auto swept = job_.is_swept ? std::optional(job_.grid.z.at(plane)) : std::nullopt;
        const TurnKind kind = kind_of(arrangement(0, 0.0, swept));
        if (weights_.count(kind))
            continue;
        views_ = resolve_turn(turn, scan, first, number, kind);
        weights_[kind] = views_.weights;
    }
    for (unsigned view = 0; view < number; view++) {
        views_of(view, 0, job_.is_swept ? 1 : last + 1);
        if (job_.is_swept && last > 0)
            views_of(view, last, 1);
    }
    tell();
    if (*volume_event_)
        send_scan(scan_of_slices());
}

TurnKind VolumeSlices::kind_of(const Arrangement &arrangement) const {
    return has_weights() && only_turns() ? turn_kind_of(arrangement) : TurnKind::unknown;
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

// Of these slices of the whole volume. Throws Error where one can't be.
std::vector<WeightedView> VolumeSlices::views_of(unsigned view, unsigned first, unsigned planes) const {
    std::vector<WeightedView> views;
    const auto &[x, y, z] = job_.grid;
    for (unsigned plane = 0; plane < (job_.is_swept ? planes : 1); plane++) {
        const auto swept = job_.is_swept ? std::optional(z.at(first + plane)) : std::nullopt;
        const auto a = arrangement(view, views_.views.angles[view], swept);
        WeightedView weighted{ViewGeometry(a, view), weights_.at(kind_of(a))[view]};
        if (has_weights() && !turn().overall_angle) {
            const double sine = weighted.geometry.axis_sine();
            if (sine < 1e-6)
                throw Error(GST_LIBRARY_ERROR_SETTINGS,
                            text("the rotation axis is along the beam of projection %u, where filtered "
                                 "projections count nothing: set %s to another tilt, or overall-angle to "
                                 "count all the same",
                                 view, tilt_name()));
            weighted.weight *= a.scale() * a.scale() * sine;
        }
        const double low = job_.is_swept ? job_.z : z.at(first),
                     high = job_.is_swept ? job_.z : z.at(first + planes - 1);
        weighted.geometry.check_box({x.at(0), y.at(0), low}, {x.at(x.count - 1), y.at(y.count - 1), high},
                                    view);
        views.push_back(weighted);
    }
    return views;
}

void VolumeSlices::begin_slab(unsigned first, unsigned planes) {
    slab_first_ = first;
    slab_planes_ = planes;
    operator_->begin(projection_, std::max(promised_, count_), volume_part(first, planes));
}

// These of the slices that are made.
VolumePart VolumeSlices::volume_part(unsigned first, unsigned planes) const {
    VolumePart part{job_.grid,
                    job_.first + first,
                    planes,
                    job_.is_swept,
                    job_.detector_rows ? job_.detector_rows : projection_.height,
                    job_.first_row};
    if (job_.is_swept)
        part.volume.z = {job_.z, 0.0, job_.grid.z.count};
    // Addressing modes that begin anew need all rows.
    if (!job_.is_swept && job_.settings.addressing < 3 && is_resolved_)
        part.seen = [this](unsigned from, unsigned count) { return rows_seen(from, count); };
    return part;
}

// Of the rows that come, those that see these slices of the whole volume, and two around, between which
// samples lie.
DetectorRows VolumeSlices::rows_seen(unsigned first, unsigned planes) const {
    constexpr double around = 2.0;
    const auto &[x, y, z] = job_.grid;
    double least = HUGE_VAL, most = -HUGE_VAL;
    for (unsigned view = 0; view < views_.views.angles.size(); view++) {
        const ViewGeometry geometry(arrangement(view, views_.views.angles[view], {}), view);
        // The farthest places are those of corners, as straight lines stay straight.
        for (const double i : {x.at(0), x.at(x.count - 1)})
            for (const double j : {y.at(0), y.at(y.count - 1)})
                for (const double k : {z.at(first), z.at(first + planes - 1)}) {
                    const double row = geometry.row().at({i, j, k}) / geometry.depth().at({i, j, k});
                    least = std::min(least, row);
                    most = std::max(most, row);
                }
    }
    const double low = job_.first_row, high = low + projection_.height;
    const auto from = static_cast<unsigned>(std::clamp(std::floor(least - around), low, high - 1.0)),
               to = static_cast<unsigned>(std::clamp(std::ceil(most + around), from + 1.0, high));
    return {from, to - from};
}

bool VolumeSlices::fits(unsigned first, unsigned planes) const {
    const auto one = slice();
    return operator_->fits(projection_, std::max(promised_, count_), volume_part(first, planes),
                           one.with_size(one.width, one.height, copied_at_a_time(planes)));
}

// One of them at least.
unsigned VolumeSlices::most_that_fit(unsigned first, unsigned planes) const {
    unsigned fit = 1, fails = planes + 1;
    if (fits(first, planes))
        return planes;
    while (fails - fit > 1) {
        const unsigned tried = fit + (fails - fit) / 2;
        (fits(first, tried) ? fit : fails) = tried;
    }
    return fit;
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
        if (count_ > 0)
            check_frame_angle();
        frame_angles_.push_back(frame_angle_);
        const Array plane = in.plane(z);
        if (adds_at_once_)
            operator_->add(plane, views_of(count_, job_.first + slab_first_, slab_planes_));
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
        resolve(projection_, scan_, count_);
        resolve_views(count_);
        is_resolved_ = true;
    }
    const unsigned first = slab_first_ + slab_planes_;
    begin_slab(first, most_that_fit(first, job_.planes - first));
    for (unsigned view = 0; view < count_; view++) {
        if (is_cancelled())
            throw Flushing();
        const Array plane = held_.on_device(view);
        operator_->add(plane, views_of(view, job_.first + slab_first_, slab_planes_));
        limit_frames_in_flight(plane);
    }
}

// From a copy of several slices, because they lie side by side where z is along the lanes.
Array VolumeSlices::next_slice() {
    Array out = allocate(slice());
    const unsigned left = slab_first_ + slab_planes_ - slice_;
    const unsigned slices = std::min(copied_at_a_time(slab_planes_), left);
    const bool is_staged = staged_ && slice_ >= staged_first_ && slice_ - staged_first_ < staged_.depth();
    if (slices == 1 && !is_staged) {
        operator_->copy_slices(slice_ - slab_first_, out, job_.greys);
        return out;
    }
    if (!is_staged) {
        if (!staged_ || staged_.depth() != slices) {
            staged_ = {}; // before another one is made
            staged_ = allocate(slice().with_size(slice().width, slice().height, slices));
        }
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
    slice_ = std::max(slice_, job_.hidden_before); // within the first slab, as such a job has one alone
    Array out = next_slice();
    if (++slice_ == job_.planes - job_.hidden_behind) {
        held_.clear();
        count_ = slice_ = slab_first_ = slab_planes_ = 0;
        is_complete_ = false;
        staged_ = {};
    }
    return out;
}

} // namespace tomo
