// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Private to the bases: caps, events and queries about caps, memory and the end of a stream.
#pragma once

#include <gst/tomo/bases/element.hpp>

#include <optional>

namespace tomo {

// The caps for `out`, in the memory that the peer prefers. Throws Error when it accepts none.
CapsRef choose_output_caps(GstPad *src, const ArrayInfo &out, OutputPlace place);
bool is_on_device(const GstCaps *caps);

// In the words of users: "arrays of uint8 or float32", "video".
std::string describe_caps(const GstCaps *caps);
// The end of a message that names an element to put between an output and an input that do not fit; empty if
// none is known to help.
std::string link_advice(const GstCaps *given, const GstCaps *taken);

// Throws Error unless the pad's template takes the caps.
void check_accepts(GstPad *sink, const GstCaps *caps);

// Whether the stream flows by itself, as fast as it is consumed: from files, but not from a camera, nor from
// an application that may wait for a result before it gives more. Only then may an element hold frames back.
// A source that sends an event when it waits flows by itself, too, if the event reaches the element;
// `event_passes` is false if the event would come only with the next frame.
bool flows_by_itself(GstPad *sink, bool event_passes = true);
// Whether the query asks flows_by_itself(). An answer always means yes.
bool is_flow_query(GstQuery *query);

// Whether the stream may end anywhere, because it is live or was interrupted. An incomplete set of arrays is
// no fault of the stream then.
bool may_end_anywhere(GstPad *sink);
std::string incomplete_set_text(unsigned arrays);
// Whether the query asks for an interruption. An answer always means yes.
bool is_interruption_query(GstQuery *query);
// The extent of a stream that was ended early, in arrays of its source.
struct GST_TOMO_API Interruption {
    std::optional<std::uint64_t> came, announced;
    std::string in_words() const; // "27 of 180 arrays came from the source", as far as known
};
// Whether somebody has ended the stream at its source, whose end is still to come. So it says nothing about
// arrays that the stream lacks. It is for work that takes long.
GST_TOMO_API bool is_ending_early(GstPad *sink);
GST_TOMO_API bool is_early_end_query(GstQuery *query);
void answer_interruption(GstQuery *query, const Interruption &interruption);
// The interruption of the stream at this pad; none if all of it came. Known after its end.
GST_TOMO_API std::optional<Interruption> interruption_of(GstPad *sink);

// Answers a query with these caps, as far as its filter takes them.
void answer_caps_query(GstQuery *query, CapsRef caps);

// Answers the queries that all sink pads answer alike: caps, acceptance, memory, context.
bool answer_sink_query(Element &element, GstPad *sink, GstQuery *query);

// The stream time of `pts`; none in a segment of another unit, such as bytes (appsrc's default).
GstClockTime stream_time(const GstSegment &segment, GstClockTime pts);

// Whether an output's pixels are at the positions of the input's.
enum class Pixels { moved, same };
// Copies the flags, times and metas that stay true for an output made of one input. The tags of a meta tell
// whether it depends on the memory, which is new, or on position and size of the image, which most elements
// change.
GST_TOMO_API void copy_frame_metadata(GstBuffer *from, GstBuffer *to, Pixels pixels = Pixels::moved);
// Copies only the metas of other libraries, from the first of several inputs.
void copy_foreign_metas(GstBuffer *from, GstBuffer *to);
// Sets time and number of an output: it is the n-th output of the input that gave it its time, and has the
// number `index` in the stream.
GST_TOMO_API void number_output(GstBuffer *output, const ArrayInfo &info, std::uint64_t n,
                                std::uint64_t index);

// A seek event's contents.
struct Seek {
    explicit Seek(GstEvent *event);
    bool is_flushing() const { return flags & GST_SEEK_FLAG_FLUSH; }
    bool sets_start() const { return start_type == GST_SEEK_TYPE_SET; }
    bool sets_stop() const { return stop_type == GST_SEEK_TYPE_SET; }
    // The end of a message "can't seek ..." for a seek that no source of this library supports; null for a
    // supported one.
    const char *problem(bool has_rate) const;

    gdouble rate = 1;
    GstFormat format = GST_FORMAT_UNDEFINED;
    GstSeekFlags flags = GST_SEEK_FLAG_NONE;
    GstSeekType start_type = GST_SEEK_TYPE_NONE, stop_type = GST_SEEK_TYPE_NONE;
    gint64 start = 0, stop = -1;
};

} // namespace tomo
