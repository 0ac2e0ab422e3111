// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The sinogram of the middle row, as it comes from the scan and as it goes into the backprojection. It is
// kept when it passes, so that nothing is read or computed twice.
#pragma once

#include <gst/reconstruction/plan.hpp>
#include <gst/tomo/graph/graph.hpp>

#include <memory>
#include <mutex>

namespace tomo::reconstruction {

// Values of an image in rows.
struct Picture {
    unsigned width = 0, height = 0;
    unsigned row_step = 1; // rows of what it shows, of which one is there
    std::vector<float> values;

    bool is_empty() const { return values.empty(); }
};

// Where the middle of a result is.
struct Middle {
    std::size_t slab = 0;
    unsigned image = 0;         // of the result
    unsigned image_in_slab = 0; // the same, of the slab
    unsigned row = 0;           // of the detector, or number of the sinogram
    unsigned row_in_slab = 0;   // the same in projections of the slab, after binning

    Middle(const Plan &plan, unsigned binning);
};

class MiddleRow {
  public:
    // `corrected_into` names the element that takes the corrected sinograms or projections.
    MiddleRow(const Middle &middle, std::size_t views, std::string corrected_into)
        : middle_(middle), every_((views + most_views - 1) / most_views),
          corrected_into_(std::move(corrected_into)) {}

    const Middle &middle() const { return middle_; }

    // Looks at the streams of the middle slab's graph, from their begin on, as long as the returned object
    // lives.
    class Watch;
    std::shared_ptr<Watch> watch(const Graph &graph);

    // Empty if it did not come. They wait for the device.
    Picture raw() const;
    Picture corrected() const;

  private:
    // A part of an array, on its device if it was there.
    struct Kept {
        BufferRef buffer;
        ArrayInfo info;
    };
    static Picture picture_of(const std::vector<Kept> &parts);

    const Middle middle_;
    static constexpr std::size_t most_views = 800; // of a scan that comes view by view
    const std::size_t every_;                      // of the views is kept
    const std::string corrected_into_;
    mutable std::mutex lock_;
    std::vector<Kept> raw_, corrected_; // a sinogram, or a row of each view
};

} // namespace tomo::reconstruction
