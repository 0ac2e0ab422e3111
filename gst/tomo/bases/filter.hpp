// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/transform.hpp>

namespace tomo {

// One array in, one array out.
class GST_TOMO_API Filter : public Transform {
  public:
    // Shape and format of the output. Throws Error on an input that can't be processed. Called before the
    // first process() and when the input's caps or a reshaping property change.
    virtual ArrayInfo shape(const ArrayInfo &in) { return in.with_format(GST_TOMO_FORMAT_FLOAT32); }

    // Computes `out`. The kernels' array `in` has the input's type.
    virtual void process(const Array &in, Array &out);

  protected:
    // For filters that pass memory on instead of computing.
    virtual Array apply(const Array &in);
    const ArrayInfo &output_info() const { return out_; }
    // Of the frame that process() gets, from 0; of several, of the first one.
    std::uint64_t frame_index() const { return frame_index_; }
    void set_frame_index(std::uint64_t index) { frame_index_ = index; }

    void begin(const ArrayInfo &in) override;
    GstFlowReturn take(GstBuffer *buffer) override;
    void reset() override;

  private:
    ArrayInfo out_;
    std::uint64_t frame_index_ = 0;
};

// A filter that is one kernel with a work-item for each sample of the output. Its arguments are the input,
// the output and those of add_arguments(). It is compiled before the first array comes.
class GST_TOMO_API PointFilter : public Filter {
  public:
    void process(const Array &in, Array &out) final;

  protected:
    // By default the task's name, with underscores.
    virtual std::string kernel_name() const;
    virtual std::string kernel_options() const { return {}; }
    virtual void add_arguments(Launch &, const Array & /*in*/) {}
    virtual WorkSize work_size(const ArrayInfo &out) const { return WorkSize(out); }
    // Whether the kernel only moves samples. Then the output has the input's format, and formats of one size
    // share a program.
    virtual bool only_moves() const { return false; }

    void begin(const ArrayInfo &in) override;
};

// A filter that gains from several arrays at once. process() gets them as one array, one behind another along
// depth, so it has to accept any multiple of the shape's depth. Other elements do not notice: the same number
// of arrays comes out, each with its facts. The filter holds arrays back only if the stream flows by itself,
// see flows_by_itself().
class GST_TOMO_API BatchFilter : public Filter {
  public:
    Property<unsigned> batch{
        this,
        "batch",
        Automatic{0},
        {0, 1024},
        When::reshapes,
        "Arrays computed at once; 0: as many as pay off on the device, and one in live streams and "
        "others that may wait for a result before they go on"};

    unsigned latency() const override { return batch_size_ - 1; }

  protected:
    // How many arrays of this shape pay off on the device at once. The caller limits the memory.
    virtual unsigned batch_that_pays(const ArrayInfo &in) = 0;
    // Most arrays that process() gets at once; known before shape() is called.
    unsigned batch_size() const { return batch_size_; }

    void begin(const ArrayInfo &in) override;
    GstFlowReturn take(GstBuffer *buffer) override;
    GstFlowReturn drain() override { return release(); }
    GstFlowReturn release() override;
    void reset() override;

  private:
    struct Held {
        std::uint64_t index;
        Array array;
        BufferRef facts; // a buffer without memory

        bool is_numbered_before(std::uint64_t frame) const {
            return GST_BUFFER_OFFSET_IS_VALID(facts.get()) && index < frame;
        }
    };

    unsigned choose_batch_size();
    Array gather(const std::vector<Held> &held);

    unsigned batch_size_ = 1;
    std::vector<Held> held_;
};

} // namespace tomo
