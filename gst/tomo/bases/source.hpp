// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/output-port.hpp>

#include <gst/base/gstpushsrc.h>

#include <optional>

namespace tomo {

// A source of numbered frames. The frame rate is the one that downstream asks for, else none.
class GST_TOMO_API Source : public Element {
  public:
    static GType parent_type();

    // Shape and format of frame `n`; empty behind the last one. Throws Error on a frame that can't be read.
    virtual std::optional<ArrayInfo> frame_info(std::uint64_t n) = 0;
    // The frame itself. `info` is the result of frame_info().
    virtual Array frame(std::uint64_t n, const ArrayInfo &info) = 0;
    // Number of frames, if it is known without reading all of them.
    virtual std::optional<std::uint64_t> frame_count() { return {}; }
    // Whether a stream without any frame is allowed.
    virtual bool may_be_empty() const { return false; }
    // The scan event of these frames, or null. Called once, before the first frame goes out.
    virtual EventRef scan_event() { return {}; }
    // Adds facts about a frame.
    virtual void describe_frame(std::uint64_t n, GstTomoFrameMeta &meta);

    void describe_pads(GstElementClass *klass) const override;
    void attach() override;

    void activate();
    void deactivate() noexcept;
    GstFlowReturn create(GstBuffer **buffer);
    // Whether it is a seek that can't be done; asked before anything is flushed, since the base would carry out
    // a part of it.
    bool refuses(GstEvent *event);
    bool prepare_seek(GstEvent *event, GstSegment *segment);
    bool seek(GstSegment *segment);
    bool query(GstQuery *query);
    // Ends the stream early: it has no more frames, and a wait for a frame ends.
    void interrupt() { cancel(Cancel::end); }
    bool is_interrupted() const { return is_cancelled(Cancel::end); }
    // Negotiates again before the next frame, because the peer asks for it.
    void renegotiate() { output_.renegotiate(); }

  protected:
    bool output_is_on_device() const { return output_.is_on_device(); } // valid from the first frame() on

  private:
    CapsRef choose_caps(const ArrayInfo &info);
    ArrayInfo rate();
    std::optional<std::uint64_t> known_count() noexcept;
    std::optional<std::uint64_t> announced_count() noexcept;
    bool was_cut_off();
    bool can_seek(GstEvent *event);
    GstBaseSrc *base() const { return reinterpret_cast<GstBaseSrc *>(gst()); }

    std::mutex lock_; // for members that other threads read
    std::uint64_t next_ = 0;
    std::uint64_t stop_ = G_MAXUINT64;
    ArrayInfo info_; // with the rate that downstream asks for, else none
    OutputPort output_{*this};
    std::atomic<bool> ended_{false}; // all frames were pushed
    bool discont_ = true;
    bool knows_scan_ = false;
};

} // namespace tomo
