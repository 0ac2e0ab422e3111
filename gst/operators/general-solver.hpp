// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/shared-projector.hpp>
#include <gst/operators/solver.hpp>
#include <gst/operators/volume-operator.hpp>

#include <functional>
#include <vector>

namespace tomo {

// The slices of a volume by iterations, in any geometry. The device holds the whole volume and all
// projections. Others may compute parts of projections and backprojections, with the bits of one device; they
// hold a volume and all projections, too.
class GST_TOMO_API GeneralSolver final : public VolumeOperator {
  public:
    // Once all iterations are done.
    using Tell = std::function<void(const Solver::Solution &made)>;

    // A start for slices (x, y, z).
    using MakeStart = std::function<Solver::Start(const ArrayInfo &slices)>;

    // Other devices, and what is told of them.
    struct Sharing {
        std::vector<std::shared_ptr<Device>> devices = {};
        bool goes_on = false; // without one that fails
        ProjectorHelpers::Listener listener = {};
        // Once all iterations are done, if several devices were there.
        std::function<void(const std::vector<ProjectorHelpers::Share> &)> made = {};
    };

    GeneralSolver(Compute &compute, SolverMethod method, const SolverSettings &settings, MakeStart start,
                  Tell tell)
        : GeneralSolver(compute, method, settings, std::move(start), std::move(tell), {}) {}
    GeneralSolver(Compute &compute, SolverMethod method, const SolverSettings &settings, MakeStart start,
                  Tell tell, Sharing sharing)
        : compute_(compute), method_(method), settings_(settings), start_(std::move(start)),
          tell_(std::move(tell)), sharing_(std::move(sharing)) {}

    // All slices, or Error.
    bool fits(const ArrayInfo &projection, unsigned projections, const VolumePart &part,
              const ArrayInfo &out) const override;
    void begin(const ArrayInfo &projection, unsigned projections, const VolumePart &part) override;
    void add(const Array &projection, const std::vector<WeightedView> &views) override;
    void copy_slices(unsigned first, Array &out, const Greys &greys) override;

  private:
    void solve();
    std::uint64_t memory_for_copies(const SolverSettings &settings) const;

    Compute &compute_;
    const SolverMethod method_;
    const SolverSettings settings_;
    const MakeStart start_;
    const Tell tell_;
    Sharing sharing_; // devices that were left out are left out of later volumes, too
    ArrayInfo projection_;
    VolumeGrid grid_;
    std::vector<Array> blocks_; // of projections
    unsigned in_block_ = 0;     // of the last one
    std::vector<ViewGeometry> views_;
    Array volume_; // once it is solved
};

} // namespace tomo
