// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/output-port.hpp>

#include <gst/base/gstpushsrc.h>

#include <optional>

namespace tomo {

// A source of numbered frames. The frame rate is whatever downstream asks for, none otherwise.
class GST_TOMO_API Source : public Element {
  public:
    static GType parent_type();

    // Shape and format of frame `n`; nothing behind the last one. Throws Error on what can't be read.
    virtual std::optional<ArrayInfo> frame_info(std::uint64_t n) = 0;
    // The frame itself. `info` is what frame_info said.
    virtual Array frame(std::uint64_t n, const ArrayInfo &info) = 0;
    // How many frames there are, where that is known without reading them all.
    virtual std::optional<std::uint64_t> frame_count() { return {}; }
    // Whether it is no error to have no frame at all.
    virtual bool may_be_empty() const { return false; }
    // The scan event of these frames, where something is known; asked for once, before the first frame goes
    // out.
    virtual EventRef scan_event() { return {}; }
    // Additional facts of a frame.
    virtual void describe_frame(std::uint64_t n, GstTomoFrameMeta &meta);

    void describe_pads(GstElementClass *klass) const override;
    void attach() override;

    void activate();
    void deactivate() noexcept;
    GstFlowReturn create(GstBuffer **buffer);
    bool can_seek(GstEvent *event);
    bool prepare_seek(GstEvent *event, GstSegment *segment);
    bool seek(GstSegment *segment);
    bool query(GstQuery *query);
    // Somebody ends the stream before its end.
    // Somebody ends the stream: it has no frames any more, and a wait for one is over.
    void interrupt() {
        interrupted_ = true;
        cancel(Cancel::flush);
    }
    bool is_interrupted() const { return interrupted_; }
    // The peer asks for caps anew.
    void renegotiate() { output_.renegotiate(); }

  protected:
    bool output_is_on_device() const { return output_.is_on_device(); } // known from the first frame() on

  private:
    CapsRef choose_caps(const ArrayInfo &info);
    ArrayInfo rate();
    std::optional<std::uint64_t> known_count() noexcept;
    std::optional<std::uint64_t> announced_count() noexcept;
    bool was_cut_off();
    GstBaseSrc *base() const { return reinterpret_cast<GstBaseSrc *>(gst()); }

    std::mutex lock_; // of what other threads ask for
    std::uint64_t next_ = 0;
    std::uint64_t stop_ = G_MAXUINT64;
    ArrayInfo info_; // with the rate that downstream asks for
    OutputPort output_{*this};
    std::atomic<bool> interrupted_{false};
    std::atomic<bool> ended_{false}; // all frames were given
    bool discont_ = true;
    bool knows_scan_ = false;
};

} // namespace tomo
