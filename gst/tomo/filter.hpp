// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/transform.hpp>

namespace tomo {

// One array in, one array out.
class GST_TOMO_API Filter : public Transform {
  public:
    // Shape and format of the output; throws Error on an input that can't be processed. Called when the
    // input's caps or a reshaping property changes, before the first process().
    virtual ArrayInfo shape(const ArrayInfo &in) { return in.with_format(GST_TOMO_FORMAT_FLOAT32); }

    // Computes `out`. The kernels' array `in` has the input's type.
    virtual void process(const Array &in, Array &out);

  protected:
    // For filters that hand on memory instead of computing.
    virtual Array apply(const Array &in);
    const ArrayInfo &output_info() const { return out_; }
    std::uint64_t frame_index() const { return frame_index_; } // of the frame in process, from 0

    void input_changed() override;
    GstFlowReturn take(GstBuffer *buffer) override;
    void reset() override { frame_index_ = 0; }

  private:
    ArrayInfo out_;
    std::uint64_t frame_index_ = 0;
};

} // namespace tomo
