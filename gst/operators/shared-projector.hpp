// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/device-worker.hpp>
#include <gst/operators/general-projector.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tomo {

// Devices that compute parts of projectors beside their owner, who has the arrays. How much each of them
// computes goes by the time that they have taken so far, transfers included.
class GST_TOMO_API ProjectorHelpers {
  public:
    struct Listener {
        // Tells that a device takes part no more, and why.
        std::function<void(const Device &, const std::string &)> left_out = {};
        // Just before a function throws the error of this device.
        std::function<void(const Device &)> failed = {};
    };

    // Those of `devices` that are not the owner's. `goes_on`: without a device that fails, instead of
    // throwing its error; one without memory is always left out.
    ProjectorHelpers(Compute &owner, const std::vector<std::shared_ptr<Device>> &devices, bool goes_on,
                     Listener listener);
    ~ProjectorHelpers();

    std::size_t count() const; // that are not left out
    // Leaves out those that have no room for so many bytes.
    void keep_those_with_room(std::uint64_t bytes);
    // Leaves out all.
    void leave_out(const std::string &why);

    // Of all work so far, by device, the owner first. Their sum is 1.
    struct Share {
        const Device *device;
        double part;
    };
    std::vector<Share> shares() const;

  private:
    friend class SharedProjector;
    struct Member;
    struct Helper;
    void leave_out(Helper &helper, const std::string &why);

    Compute &owner_;
    const bool goes_on_;
    const Listener listener_;
    std::vector<std::unique_ptr<Helper>> helpers_;
    const std::unique_ptr<Member> of_owner_;
};

// A projector of which several devices compute parts: each a part of the views, and of the rows of all
// slices or of the slices. Arrays are those of the owner of `helpers`, and results have the bits of its own
// projector.
class GST_TOMO_API SharedProjector final : public Projector {
  public:
    using Make = std::function<std::unique_ptr<GeneralProjector>(Compute &)>;

    // `make` is called in threads of the helpers, too, and kept.
    SharedProjector(ProjectorHelpers &helpers, Make make);
    ~SharedProjector() override;

    // Bytes that a helper needs for its parts at most, and the owner for those of helpers beside its own
    // projector.
    std::uint64_t helper_bytes() const;
    std::uint64_t owner_bytes() const;

    ArrayInfo volume(unsigned slices = 1) const override { return own_->volume(slices); }
    ArrayInfo projections(unsigned slices = 1) const override { return own_->projections(slices); }
    void forward(const Array &volume, Array &projections) override;
    void back(const Array &projections, Array &volume) override;

  private:
    enum class Way : std::size_t { forward, back };
    struct Task;
    using Part = GeneralProjector::Part;

    void apply(Way way, const Array &from, Array &to);
    // Of the owner, then of each helper.
    std::vector<Part> divide(Way way, const ArrayInfo &from);
    unsigned units(Way way) const;
    static void make_part(GeneralProjector &projector, Way way, const Array &from, const Part &part,
                          Array &to);
    GeneralProjector::Strips strips(Way way, const Part &part) const;
    void run(std::size_t number, Task &task, Way way, const Array &from, const ArrayInfo &result);
    void make_own(Way way, const Array &from, const Part &part, Array &to);
    double views_of(Way way, const Part &part) const; // of work
    void take_failure(ProjectorHelpers::Helper &helper, const Error &error);

    ProjectorHelpers &helpers_;
    const Make make_;
    const std::unique_ptr<GeneralProjector> own_;
    std::vector<std::unique_ptr<GeneralProjector>> others_; // by helper; made when they are needed
};

} // namespace tomo
