// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Pairs of mirrored views on the device, which correlation and overlap compare.
#pragma once

#include "axis-method.hpp"

namespace tomo {

// The pairs of a scan, with the measured views next to an extrapolated pair behind them.
class PairsOnDevice {
  public:
    explicit PairsOnDevice(Compute &compute) : compute_(compute) {}

    // Throws Error where no two views are half a turn apart.
    void begin(const ArrayInfo &sinograms, const ViewAngles &views, unsigned most);
    void report(EffectiveValues &report) const;
    std::size_t count() const { return pairs_.pairs.size(); }
    bool is_extrapolated() const { return pairs_.missing > 0.0; }
    // With that of measured views.
    std::size_t compared() const { return count() + is_extrapolated(); }
    // The first and the second view of each pair, as rows, for each plane. NaN stays, or counts as 0.
    enum class Nan { stays, is_zero };
    Array views(const Array &sinograms, Nan nan);

  private:
    Compute &compute_;
    MirroredPairs pairs_;
    Array table_;
};

} // namespace tomo
