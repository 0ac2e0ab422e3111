// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/element.hpp>

#include <condition_variable>

namespace tomo {

class Transform;

// A request pad of an element with one main input, for arrays that go with it: its element asks for them by
// number and waits until they are there. One array at a time waits in the pad.
class GST_TOMO_API SideInput {
  public:
    // `name` is that of the pad.
    SideInput(Transform *owner, const char *name);
    SideInput(const SideInput &) = delete;
    SideInput &operator=(const SideInput &) = delete;

    const char *name() const { return name_; }

    // For the element, in the thread of its main input
    // ------------------------------------------------------------------------------

    bool is_linked();
    // The array of this number, from 0, as a copy of the element's own. Numbers do not fall. None where the
    // stream ended before. Throws Flushing where nobody waits for the result any more.
    std::optional<Array> array(std::uint64_t number);
    // The last array of this stream that array() gave, as its copy.
    const Array &last() const { return last_; }

    // For Transform
    // ------------------------------------------------------------------------------

    GstPad *make_pad(GstPadTemplate *templ); // null, with a warning, if there is one
    void release_pad(GstPad *pad);
    // The pad, if it has a peer.
    ObjectRef<GstPad> linked_pad();
    // The element stops.
    void clear();

  private:
    GstFlowReturn chain(BufferRef buffer);
    gboolean event(EventRef event);
    gboolean query(GstQuery *query);
    bool is_stopped() const;
    void forget();
    void let_old_go();

    Transform &owner_;
    const char *const name_;
    std::mutex lock_; // for the members below
    std::condition_variable changed_;
    GstPad *pad_ = nullptr; // owned by the element
    ArrayInfo info_;
    bool has_info_ = false, has_ended_ = false, is_flushing_ = false;
    BufferRef waiting_;
    ArrayInfo waiting_info_;
    std::uint64_t taken_ = 0; // arrays
    bool is_last_old_ = false;
    Array last_; // for the thread of the main input, which lets an old one go
};

} // namespace tomo
