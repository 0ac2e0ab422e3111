// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/device-worker.hpp>
#include <gst/operators/shared-volume.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cstring>

namespace tomo {

// A device with its part of the volume.
class SharedVolume::Worker {
  public:
    Worker(Compute &owner, std::shared_ptr<Device> device, const Make &make, const Listener &listener)
        : worker_(owner, std::move(device), listener.failed),
          is_owners_(worker_.compute().device() == owner.device()), operator_(make(worker_.compute())) {}
    ~Worker() { worker_.stop(); } // before all that its tasks use

    const Device &device() const { return worker_.device(); }
    // Relative to others, by billions of updates for each unit (gst/reconstruction/speed.cpp).
    double speed() const { return device().compute_units() * (device().is_cpu() ? 0.5 : 6.4); }
    unsigned first() const { return part_.first; }
    unsigned planes() const { return part_.planes; }
    std::uint64_t made = 0; // planes that were copied

    // The device has the group of slices that the worker makes ahead; the owner's has the one that goes out,
    // too.
    bool fits(const ArrayInfo &projection, unsigned projections, const VolumePart &part,
              const ArrayInfo &out) const {
        const auto own = own_part(projection, part);
        const unsigned ahead = std::min(out.depth, part.planes);
        return operator_->fits(rows_of(projection, own), projections, own,
                               out.with_size(out.width, out.height, ahead + (is_owners_ ? out.depth : 0)));
    }

    void begin(const ArrayInfo &projection, unsigned projections, const VolumePart &part) {
        wait();
        part_ = own_part(projection, part);
        first_row_ = part.first_row;
        projection_ = rows_of(projection, part_);
        staged_ = {};
        staged_count_ = 0;
        if (planes() > 0)
            worker_.post([this, projections] { operator_->begin(projection_, projections, part_); });
    }

    // `samples`: the same on the host, null where the worker has the device that computed it.
    void add(const Array &projection, const std::shared_ptr<Host<const char>> &samples,
             std::vector<WeightedView> views) {
        worker_.post([this, projection = samples ? Array() : projection, samples, views = std::move(views)] {
            const Array own = samples ? here(samples->data()) : projection;
            operator_->add(own, views);
            worker_.compute().limit_frames_in_flight(own);
        });
    }
    bool wants_samples() const { return !is_owners_; }

    // Begins to copy slices from `plane` of the whole volume on, so many at most.
    void stage(unsigned plane, const ArrayInfo &slices, const Greys &greys) {
        staged_first_ = plane;
        staged_count_ = std::min(slices.depth, part_.first + part_.planes - plane);
        worker_.post([this, slices, greys] {
            const auto info = slices.with_size(slices.width, slices.height, staged_count_);
            if (!staged_ || staged_.info() != info) {
                staged_ = {}; // before another one is made
                staged_ = worker_.compute().allocate(info);
            }
            operator_->copy_slices(staged_first_ - part_.first, staged_, greys);
            staged_.storage()->prefetch();
        });
    }
    bool has_staged(unsigned plane) const {
        return staged_count_ > 0 && plane >= staged_first_ && plane - staged_first_ < staged_count_;
    }
    void copy_staged(unsigned plane, char *to, std::size_t bytes) {
        wait();
        const Host<const char> from(staged_);
        std::memcpy(to, from.data() + (plane - staged_first_) * bytes, bytes);
    }
    void forget_staged() {
        wait();
        staged_ = {};
        staged_count_ = 0;
    }

    // Until all is enqueued. Throws what a task threw.
    void wait() { worker_.wait(); }

  private:
    // Other devices get the rows that see their slices alone.
    VolumePart own_part(const ArrayInfo &projection, const VolumePart &part) const {
        VolumePart own = part;
        if (is_owners_ || part.planes == 0)
            return own;
        own.seen = [rows = part.rows(projection.height)](unsigned, unsigned) { return rows; };
        own.first_row = part.rows(projection.height).first;
        return own;
    }
    ArrayInfo rows_of(const ArrayInfo &projection, const VolumePart &own) const {
        const unsigned rows = is_owners_ || own.planes == 0 ? projection.height : own.rows(0).count;
        return projection.with_size(projection.width, rows, 1);
    }
    Array here(const char *samples) {
        Array own = worker_.compute().allocate(projection_);
        const std::size_t row = projection_.width * projection_.sample_size();
        const Host<char> to(own);
        std::memcpy(to.data(), samples + (part_.first_row - first_row_) * row, projection_.size());
        return own;
    }

    DeviceWorker worker_;
    const bool is_owners_;
    const std::unique_ptr<VolumeOperator> operator_;
    // Changed while no task is under way.
    VolumePart part_;
    unsigned first_row_ = 0; // of what comes
    ArrayInfo projection_;   // of it that the worker takes
    unsigned staged_first_ = 0, staged_count_ = 0;
    Array staged_;
};

SharedVolume::SharedVolume(Compute &owner, const std::vector<std::shared_ptr<Device>> &devices,
                           const Make &make, Listener listener)
    : listener_(std::move(listener)) {
    for (const auto &device : devices)
        workers_.push_back(std::make_unique<Worker>(owner, device, make, listener_));
}

SharedVolume::~SharedVolume() = default;

// By speed, at slices that are many steps of a launch, if there are enough of them.
std::vector<unsigned> SharedVolume::borders(const VolumePart &part) const {
    unsigned grain = 128;
    while (grain > 1 && std::size_t{grain} * 4 * workers_.size() > part.planes)
        grain /= 2;
    double all = 0.0, so_far = 0.0;
    for (const auto &worker : workers_)
        all += worker->speed();
    std::vector<unsigned> borders;
    for (const auto &worker : workers_) {
        const unsigned end = part.first + static_cast<unsigned>(part.planes * so_far / all + 0.5);
        borders.push_back(std::max(end / grain * grain, part.first));
        so_far += worker->speed();
    }
    borders.front() = part.first;
    borders.push_back(part.first + part.planes);
    return borders;
}

bool SharedVolume::fits(const ArrayInfo &projection, unsigned projections, const VolumePart &part,
                        const ArrayInfo &out) const {
    const auto from = borders(part);
    for (std::size_t i = 0; i < workers_.size(); i++)
        if (const unsigned planes = from[i + 1] - from[i];
            planes > 0 && !workers_[i]->fits(projection, projections, part.sub(from[i], planes), out))
            return false;
    return true;
}

void SharedVolume::begin(const ArrayInfo &projection, unsigned projections, const VolumePart &part) {
    part_ = part;
    const auto from = borders(part);
    for (std::size_t i = 0; i < workers_.size(); i++)
        workers_[i]->begin(projection, projections, part.sub(from[i], from[i + 1] - from[i]));
    // A volume that finds no place is told before anything is added.
    for (const auto &worker : workers_)
        worker->wait();
}

void SharedVolume::add(const Array &projection, const std::vector<WeightedView> &views) {
    std::shared_ptr<Host<const char>> samples;
    if (std::any_of(workers_.begin(), workers_.end(), [](const auto &w) { return w->wants_samples(); }))
        samples = std::make_shared<Host<const char>>(projection);
    for (const auto &worker : workers_) {
        if (worker->planes() == 0)
            continue;
        auto own = views;
        if (part_.is_per_plane) {
            const auto first = views.begin() + (worker->first() - part_.first);
            own.assign(first, first + worker->planes());
        }
        worker->add(projection, worker->wants_samples() ? samples : nullptr, std::move(own));
    }
}

SharedVolume::Worker &SharedVolume::worker_of(unsigned plane) const {
    for (const auto &worker : workers_)
        if (plane >= worker->first() && plane - worker->first() < worker->planes())
            return *worker;
    throw Error(GST_LIBRARY_ERROR_FAILED, text("slice %u is in no part of the volume", plane));
}

void SharedVolume::copy_slices(unsigned first, Array &out, const Greys &greys) {
    const ArrayInfo slice = out.info().with_size(out.width(), out.height(), 1);
    if (first == 0) // all devices end their work at the same time
        for (const auto &worker : workers_)
            if (worker->planes() > 0)
                worker->stage(worker->first(), out.info(), greys);
    const Host<char> to(out);
    for (unsigned z = 0; z < out.depth(); z++) {
        const unsigned plane = part_.first + first + z;
        auto &worker = worker_of(plane);
        if (!worker.has_staged(plane))
            worker.stage(plane, out.info(), greys);
        worker.copy_staged(plane, to.data() + z * slice.size(), slice.size());
        if (plane + 1 == worker.first() + worker.planes()) {
            worker.made += worker.planes();
            worker.forget_staged();
            if (listener_.made)
                listener_.made(worker.device(), worker.made);
        }
    }
}

} // namespace tomo
