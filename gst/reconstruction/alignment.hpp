// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Finds by how much projections are displaced: each is compared with the reprojection of slices that all of
// them made, moved back, and again.
#pragma once

#include <gst/reconstruction/inspection.hpp>

#include <functional>
#include <string>
#include <vector>

namespace tomo::reconstruction {

// Whether the settings ask for it.
bool wants_alignment(const Settings &settings);

// A folder for files of the work, which goes with its owner.
class WorkFolder {
  public:
    // The name gets an ending of its own. Throws Error.
    explicit WorkFolder(const std::string &name);
    ~WorkFolder();
    WorkFolder(const WorkFolder &) = delete;
    WorkFolder &operator=(const WorkFolder &) = delete;

    std::string file(const std::string &name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

class Aligner {
  public:
    // Runs a line to its end.
    using RunLine = std::function<void(const std::string &)>;
    // Gets the number of a step that is done.
    using Tell = std::function<void(unsigned)>;

    // `axis` is an edge coordinate of the full detector. Throws Error where the views can't be aligned.
    Aligner(const Settings &settings, const Inspection &scan, double axis, RunLine run_line);

    struct Result {
        // In pixels of the detector, of all projections: those that the scan tells, if it does, and what was
        // found. A sinusoid of x and a constant of y, which move the whole sample, are left out.
        std::vector<double> x, y;
        unsigned steps = 0;
        double last_step = 0.0; // root mean square, pixels
        bool has_settled = false;
    };
    Result find(const WorkFolder &folder, const Tell &tell);

  private:
    unsigned columns() const; // of the finest images that are compared
    unsigned rows() const;
    std::string compared(const WorkFolder &folder, unsigned coarse) const;
    double move_on(const std::string &file, unsigned coarse);
    void set_binning();
    Result result(unsigned steps, double last_step) const;

    Settings looked_; // all rows of the detector, binned
    const Inspection &scan_;
    const double axis_;
    const RunLine run_line_;
    const unsigned most_steps_;
    std::vector<double> angles_; // radians, of the views
    std::vector<double> x_, y_;  // of the views, in binned pixels
};

// The text of a file with displacements.
std::string shifts_text(const Aligner::Result &found);

} // namespace tomo::reconstruction
