// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/element.hpp>

#include <condition_variable>
#include <map>
#include <string>

namespace tomo {

class Transform;

// A request pad of an element with one main input, for arrays that go with it: its element asks for them by
// number and waits until they are there. One array at a time waits in the pad.
//
// Where copies of the element compute the arrays of one stream side by side, the element that runs them has
// the pad, and hands the arrays over.
class GST_TOMO_API SideInput {
  public:
    struct Came {
        BufferRef buffer;
        ArrayInfo info;
    };

    // `name` is that of the pad.
    SideInput(Transform *owner, const char *name);
    // Of an element that runs copies.
    SideInput(Element *owner, const std::string &name) : owner_(*owner), name_(name) {}
    SideInput(const SideInput &) = delete;
    SideInput &operator=(const SideInput &) = delete;

    const char *name() const { return name_.c_str(); }

    // For the element, in the thread of its main input
    // ------------------------------------------------------------------------------

    // Or handed over.
    bool is_linked();
    // The array of this number, from 0, as a copy of the element's own. Numbers do not fall. None where the
    // stream ended before. Throws Flushing where nobody waits for the result any more, and where somebody ended
    // the stream before this array.
    std::optional<Array> array(std::uint64_t number);
    // The last array of this stream that array() gave, as its copy.
    const Array &last() const { return last_; }
    // The array of this number as it came; the last one where the stream ended before, and no buffer where it
    // ended without any. Numbers do not fall. Throws Flushing as array() does.
    Came came(std::uint64_t number);

    // For an element that runs copies, on the input of each copy
    // --------------------------------------------------------------------------

    // Before the start: whether arrays are handed over.
    void expect(bool handed_over);
    // The array of this number, in any order, before the array of the main input with this number.
    void hand_over(std::uint64_t number, Came array);
    // A flush.
    void forget_handed_over();

    // For Transform
    // ------------------------------------------------------------------------------

    GstPad *add_pad(GstPadTemplate *templ); // to the element; null, with a warning, if there is one
    void release_pad(GstPad *pad);
    // Whether somebody ended the stream, and all of its arrays were taken.
    bool has_run_out_early();
    // The pad, if it has a peer.
    ObjectRef<GstPad> linked_pad();
    // A seek of the main input: with a flush, all arrays come again, and are counted from the first one. None
    // is given until found(), when that input has been flushed as well.
    void begin_again(GstEvent *seek);
    void found();
    // The element stops.
    void clear();

  private:
    GstPad *make_pad(GstPadTemplate *templ);
    GstFlowReturn chain(BufferRef buffer);
    gboolean event(EventRef event);
    gboolean query(GstQuery *query);
    bool is_stopped() const;
    void forget();
    void let_old_go();
    bool take_up_to(std::uint64_t number);
    bool has_taken(std::uint64_t number);
    std::optional<Array> handed_over(std::uint64_t number);
    void keep(const Came &came);

    Element &owner_;
    const std::string name_;
    std::mutex lock_; // for the members below
    std::condition_variable changed_;
    GstPad *pad_ = nullptr; // owned by the element
    ArrayInfo info_;
    // An array may be missing where its source was ended early: then the one before is not for all.
    bool has_info_ = false, has_ended_ = false, was_cut_off_ = false, is_flushing_ = false,
         is_sought_ = false;
    Came waiting_;
    std::uint64_t taken_ = 0; // arrays
    bool is_last_old_ = false;
    bool is_handed_over_ = false;
    std::map<std::uint64_t, Came> handed_over_;
    // For the thread of the main input, which lets old ones go
    Array last_;
    Came last_came_; // what last_ will be a copy of, or is one of where it was handed over
};

} // namespace tomo
