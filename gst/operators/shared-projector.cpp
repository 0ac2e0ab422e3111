// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/shared-projector.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

namespace tomo {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// The time that a device takes for a part: for its input, and for each view, the result included.
class PartTime {
  public:
    void add(double of_input, double bytes, double of_part, double views) {
        // Kernels and memory are made with the first part.
        if (!std::exchange(has_begun_, true) || views <= 0.0)
            return;
        constexpr double least = 1e-9;
        const double weight = is_known_ ? 0.5 : 1.0;
        of_byte_ += weight * (of_input / std::max(bytes, 1.0) - of_byte_);
        of_view_ += weight * (std::max(of_part, least) / views - of_view_);
        is_known_ = true;
    }
    // Before any is known, by billions of voxels and views for each unit (gst/reconstruction/speed.cpp).
    double of_view(const Device &device, double voxels, double bytes_of_view) const {
        constexpr double units_of_cpu = 12e6, units_of_gpu = 0.8e9; // forth or back
        const double rate = device.compute_units() * (device.is_cpu() ? units_of_cpu : units_of_gpu);
        return is_known_ ? of_view_ : voxels / rate + bytes_of_view * usual_of_byte;
    }
    double of_byte() const { return is_known_ ? of_byte_ : usual_of_byte; }

    // Where a device would hold up others, whether to try it all the same: ever more seldom.
    bool is_tried_again() {
        if (++left_out_ < next_try_)
            return false;
        left_out_ = 0;
        next_try_ *= 4;
        return true;
    }
    void takes_part() { next_try_ = first_try; }

  private:
    static constexpr double usual_of_byte = 2e-10;
    static constexpr unsigned first_try = 16;
    bool has_begun_ = false, is_known_ = false;
    double of_byte_ = 0.0, of_view_ = 0.0;
    unsigned left_out_ = 0, next_try_ = first_try;
};

} // namespace

struct ProjectorHelpers::Member {
    PartTime times[2]; // forth and back
    double done = 0.0; // views
};

struct ProjectorHelpers::Helper : Member {
    Helper(Compute &owner, const std::shared_ptr<Device> &device) : worker(owner, device) {}

    DeviceWorker worker;
    bool is_left_out = false;

    std::string name() const {
        return text("device %u (%s)", worker.device().index(), worker.device().name().c_str());
    }
};

ProjectorHelpers::ProjectorHelpers(Compute &owner, const std::vector<std::shared_ptr<Device>> &devices,
                                   bool goes_on, Listener listener)
    : owner_(owner), goes_on_(goes_on), listener_(std::move(listener)), of_owner_(new Member) {
    for (const auto &device : devices)
        if (device != owner.device())
            helpers_.push_back(std::make_unique<Helper>(owner, device));
    for (const auto &helper : helpers_)
        if (helper->worker.device().is_cpu() != owner.device()->is_cpu())
            leave_out(*helper,
                      text("device %u, which has the volume, is of another kind", owner.device()->index()));
}

ProjectorHelpers::~ProjectorHelpers() = default;

std::size_t ProjectorHelpers::count() const {
    return static_cast<std::size_t>(std::count_if(helpers_.begin(), helpers_.end(),
                                                  [](const auto &helper) { return !helper->is_left_out; }));
}

void ProjectorHelpers::leave_out(Helper &helper, const std::string &why) {
    helper.is_left_out = true;
    if (listener_.left_out)
        listener_.left_out(helper.worker.device(), text("%s takes no part in the iterations: %s",
                                                        helper.name().c_str(), why.c_str()));
}

void ProjectorHelpers::leave_out(const std::string &why) {
    for (const auto &helper : helpers_)
        if (!helper->is_left_out)
            leave_out(*helper, why);
}

void ProjectorHelpers::keep_those_with_room(std::uint64_t bytes) {
    for (const auto &helper : helpers_) {
        const auto &device = helper->worker.device();
        if (!helper->is_left_out && (bytes > device.memory_limit() / 8 * 7))
            leave_out(*helper, text("its parts need %.3g GB of the %.3g GB that it may use",
                                    1e-9 * double(bytes), 1e-9 * double(device.memory_limit())));
    }
}

std::vector<ProjectorHelpers::Share> ProjectorHelpers::shares() const {
    double all = of_owner_->done;
    for (const auto &helper : helpers_)
        all += helper->done;
    std::vector<Share> shares{{owner_.device().get(), all > 0.0 ? of_owner_->done / all : 1.0}};
    for (const auto &helper : helpers_)
        shares.push_back({&helper->worker.device(), all > 0.0 ? helper->done / all : 0.0});
    return shares;
}

struct SharedProjector::Task {
    Part part{0, 0};
    Array made; // on the owner's device
    bool is_alike = true;
    double of_input = 0.0, of_part = 0.0;
};

SharedProjector::SharedProjector(ProjectorHelpers &helpers, Make make)
    : helpers_(helpers), make_(std::move(make)), own_(make_(helpers.owner_)),
      others_(helpers.helpers_.size()) {}

SharedProjector::~SharedProjector() = default;

void SharedProjector::forward(const Array &volume, Array &projections) {
    apply(Way::forward, volume, projections);
}

void SharedProjector::back(const Array &projections, Array &volume) { apply(Way::back, projections, volume); }

// The input, a whole result, of which a part is made, and that part by itself.
std::uint64_t SharedProjector::helper_bytes() const {
    const std::uint64_t volume = own_->volume().size(), rays = own_->projections().size();
    return volume + rays + std::max(own_->bytes_of_forward() + rays, own_->bytes_of_back() + volume);
}

std::uint64_t SharedProjector::owner_bytes() const {
    return std::max(own_->bytes_of_forward() + own_->projections().size(),
                    own_->bytes_of_back() + own_->volume().size());
}

unsigned SharedProjector::units(Way way) const {
    return way == Way::forward ? own_->forward_units() : own_->back_units();
}

GeneralProjector::Strips SharedProjector::strips(Way way, const Part &part) const {
    return way == Way::forward ? own_->strips_of_forward(part) : own_->strips_of_back(part);
}

// A part of the slices counts as that part of the views.
double SharedProjector::views_of(Way way, const Part &part) const {
    const auto samples = static_cast<double>(strips(way, part).samples());
    const auto rays = own_->projections();
    return way == Way::forward ? samples / rays.width
                               : samples / static_cast<double>(own_->volume().samples()) * rays.height;
}

void SharedProjector::make_part(GeneralProjector &projector, Way way, const Array &from, const Part &part,
                                Array &to) {
    if (way == Way::forward)
        projector.forward_part(from, part, to);
    else
        projector.back_part(from, part, to);
}

// So that all end at the same time. Devices that would take longer for their input get nothing.
std::vector<SharedProjector::Part> SharedProjector::divide(Way way, const ArrayInfo &from) {
    struct Taker {
        double input, of_view;
    };
    const auto n = static_cast<std::size_t>(way);
    const double views = own_->projections().height, voxels = static_cast<double>(own_->volume().samples());
    const auto result = way == Way::forward ? own_->projections() : own_->volume();
    const double bytes = static_cast<double>(from.size()),
                 bytes_of_view = static_cast<double>(result.size()) / views;
    std::vector<Taker> takers{
        {0.0, helpers_.of_owner_->times[n].of_view(*helpers_.owner_.device(), voxels, 0.0)}};
    for (const auto &helper : helpers_.helpers_) {
        const auto &time = helper->times[n];
        takers.push_back({helper->is_left_out ? G_MAXDOUBLE : time.of_byte() * bytes,
                          time.of_view(helper->worker.device(), voxels, bytes_of_view)});
    }
    // The device that begins first works alone until the next one begins, and so on.
    std::vector<std::size_t> order(takers.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return takers[a].input < takers[b].input; });
    double rate = 0.0, before = 0.0, end = 0.0;
    for (const auto i : order) {
        if (rate > 0.0 && takers[i].input >= end)
            break;
        rate += 1.0 / takers[i].of_view;
        before += takers[i].input / takers[i].of_view;
        end = (views + before) / rate;
    }
    const unsigned units = this->units(way);
    std::vector<Part> parts;
    double so_far = 0.0;
    unsigned first = 0;
    for (auto &taker : takers) {
        so_far += std::max(end - taker.input, 0.0) / taker.of_view;
        const auto next =
            std::clamp(static_cast<unsigned>(std::lround(units * so_far / views)), first, units);
        parts.push_back({first, next - first});
        first = next;
    }
    g_assert(first == units);
    for (std::size_t i = 0; i < helpers_.helpers_.size(); i++) {
        auto &helper = *helpers_.helpers_[i];
        auto &own = parts[i + 1];
        if (own.count > 0)
            helper.times[n].takes_part();
        else if (!helper.is_left_out && parts.front().count > 1 && helper.times[n].is_tried_again()) {
            // From the end of the owner's; those between move.
            parts.front().count--;
            for (std::size_t k = 1; k <= i; k++)
                parts[k].first--;
            own = {parts[i].end(), 1};
        }
    }
    return parts;
}

// In the thread of a helper.
void SharedProjector::run(std::size_t number, Task &task, Way way, const Array &from,
                          const ArrayInfo &result) {
    auto &compute = helpers_.helpers_[number]->worker.compute();
    const auto copy = [](const Array &source, const Array &target) {
        const Host<const char> bytes(source);
        const Host<char> to(target);
        std::memcpy(to.data(), bytes.data(), source.info().size());
    };
    auto start = Clock::now();
    Array here = compute.allocate(from.info());
    copy(from, here);
    here.storage()->start_upload();
    here.storage()->finish();
    task.of_input = seconds_since(start);
    start = Clock::now();
    auto &projector = others_[number];
    if (!projector)
        projector = make_(compute);
    task.is_alike = projector->variant() == own_->variant();
    if (!task.is_alike)
        return;
    Array whole = compute.allocate(result);
    make_part(*projector, way, here, task.part, whole);
    const auto strips = this->strips(way, task.part);
    constexpr std::size_t size = sizeof(float);
    // Lines as in the result, whose number of samples an array may have.
    const ArrayInfo shape(GST_TOMO_FORMAT_FLOAT32, result.width, strips.length / result.width, strips.number);
    Array packed = compute.allocate(shape);
    compute.copy_rows(whole, {strips.first * size, strips.pitch * size}, packed, {0, strips.length * size},
                      strips.length * size, strips.number);
    task.made = helpers_.owner_.allocate(shape);
    copy(packed, task.made);
    task.made.storage()->start_upload();
    task.made.storage()->finish();
    task.of_part = seconds_since(start);
}

void SharedProjector::make_own(Way way, const Array &from, const Part &part, Array &to) {
    if (part.count == 0)
        return;
    const auto start = Clock::now();
    make_part(*own_, way, from, part, to);
    wait_for(to.storage()->last_write(), "a part of a projector");
    helpers_.of_owner_->times[static_cast<std::size_t>(way)].add(0.0, 1.0, seconds_since(start),
                                                                 views_of(way, part));
    helpers_.of_owner_->done += views_of(way, part);
}

void SharedProjector::apply(Way way, const Array &from, Array &to) {
    if (helpers_.count() == 0) {
        make_part(*own_, way, from, {0, units(way)}, to);
        helpers_.of_owner_->done += views_of(way, {0, units(way)});
        return;
    }
    const auto parts = divide(way, from.info());
    const auto &helpers = helpers_.helpers_;
    std::vector<Task> tasks(helpers.size());
    // Also where an error ends this.
    struct Waiting {
        std::vector<DeviceWorker *> workers = {};
        ~Waiting() {
            for (auto *worker : workers)
                try {
                    worker->wait();
                } catch (...) { // another error is told
                }
        }
    } waiting;
    wait_for(from.storage()->last_write(), "the input of a projector");
    for (std::size_t i = 0; i < helpers.size(); i++) {
        tasks[i].part = parts[i + 1];
        if (tasks[i].part.count == 0)
            continue;
        auto &worker = helpers[i]->worker;
        worker.post(
            [this, i, &task = tasks[i], way, from, result = to.info()] { run(i, task, way, from, result); });
        waiting.workers.push_back(&worker);
    }
    make_own(way, from, parts.front(), to);
    for (std::size_t i = 0; i < helpers.size(); i++) {
        auto &task = tasks[i];
        if (task.part.count == 0)
            continue;
        auto &helper = *helpers[i];
        try {
            helper.worker.wait();
        } catch (const Error &error) {
            take_failure(helper, error);
            make_own(way, from, task.part, to);
            continue;
        }
        if (!task.is_alike) {
            helpers_.leave_out(helper, text("it takes other kernels than device %u, which round otherwise",
                                            helpers_.owner_.device()->index()));
            make_own(way, from, task.part, to);
            continue;
        }
        const auto strips = this->strips(way, task.part);
        constexpr std::size_t size = sizeof(float);
        helpers_.owner_.copy_rows(task.made, {0, strips.length * size}, to,
                                  {strips.first * size, strips.pitch * size}, strips.length * size,
                                  strips.number);
        const double views = views_of(way, task.part);
        helper.times[static_cast<std::size_t>(way)].add(
            task.of_input, static_cast<double>(from.info().size()), task.of_part, views);
        helper.done += views;
    }
}

// Throws the error where it is one that the others must not go on with.
void SharedProjector::take_failure(ProjectorHelpers::Helper &helper, const Error &error) {
    if (is_out_of_device_memory(error))
        return helpers_.leave_out(helper, error.what());
    if (!helpers_.goes_on_ || !is_device_failure(error)) {
        if (helpers_.listener_.failed)
            helpers_.listener_.failed(helper.worker.device());
        throw error;
    }
    helper.is_left_out = true;
    if (helpers_.listener_.left_out)
        helpers_.listener_.left_out(helper.worker.device(), text("%s failed, and the others do its parts: %s",
                                                                 helper.name().c_str(), error.what()));
}

} // namespace tomo
