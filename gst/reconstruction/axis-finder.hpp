// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The search for the rotation axis: which methods serve a scan, and how far they agree.
#pragma once

#include <gst/reconstruction/axis.hpp>
#include <gst/reconstruction/inspection.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tomo::reconstruction {

class AxisFinder {
  public:
    // Runs a line; the function gets the messages of its elements.
    using RunLine = std::function<void(const std::string &, const std::function<void(GstMessage *)> &)>;

    AxisFinder(const Settings &settings, const Inspection &scan, RunLine run_line);

    // By `axis-method`, or by all methods that serve the scan. Throws AxisNotFound, and the errors of lines.
    AxisEstimate find();
    // By correlation in few rows, to check another axis. Empty where that would take a while or tells
    // nothing.
    std::optional<AxisEstimate> look();

  private:
    struct Range {
        double from, to;
    };

    AxisEstimate find_by(const std::vector<std::string> &methods);
    AxisEstimate find_in_general();
    std::vector<std::string> methods() const;
    std::optional<Range> given_range() const;
    Range range_without(double part) const;
    bool covers_half_turn() const;
    // An estimate of each method, in one look at the rows. Those that fail have their reason as `failure`.
    std::vector<AxisEstimate> estimates(const std::vector<std::string> &methods, unsigned rows,
                                        const std::optional<Range> &range);
    AxisEstimate combined(const std::vector<AxisEstimate> &all);
    AxisEstimate decided(const AxisEstimate &one, const AxisEstimate &other);

    Settings looked_; // at rows as the detector has them
    Inspection scan_; // of the first turn
    const RunLine run_line_;
};

} // namespace tomo::reconstruction
