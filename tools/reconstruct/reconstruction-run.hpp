// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "../driven/driven-run.hpp"
#include "../driven/event-output.hpp"
#include "../graph-program.hpp"

#include <string>

namespace reconstruct {

using Reconstruction = tool::Owned<GstTomoReconstruction>;

// Whether a parameter is wrong, as opposed to the scan or the machine.
bool is_usage(const GError *error);

// A reconstruction that tells events.
class ReconstructionRun final : public tool::DrivenRun {
  public:
    // Starts it; throws std::runtime_error, or Usage where a parameter is wrong.
    ReconstructionRun(Reconstruction reconstruction, tool::EventOutput &output);
    ~ReconstructionRun() override;

    bool poll() override;
    void obey(const std::string &command) override;
    void finish() override;
    void abort() override;
    int end() override;
    // Of end(); empty if it was good.
    const std::string &problem() const { return problem_; }

  private:
    const Reconstruction reconstruction_;
    tool::EventOutput &output_;
    std::string problem_;
};

} // namespace reconstruct
