// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Private to the bases: what they say to other elements about caps, memory and the end of a stream.
#pragma once

#include <gst/tomo/bases/element.hpp>

#include <optional>

namespace tomo {

// The caps to send `out` with: in the memory that the peer prefers. Throws Error when it takes none.
CapsRef choose_output_caps(GstPad *src, const ArrayInfo &out, OutputPlace place);
bool is_on_device(const GstCaps *caps);

// In the words of users: "arrays of uint8 or float32", "video".
std::string describe_caps(const GstCaps *caps);
// What to put between an output and an input that do not fit, as the end of a message; empty where nothing is
// known to help.
std::string link_advice(const GstCaps *given, const GstCaps *taken);

// Throws Error unless the pad's template takes the caps.
void check_accepts(GstPad *sink, const GstCaps *caps);

// Whether the stream comes by itself, as fast as it is taken: from files, not from a camera, nor from an
// application that may wait for a result before it gives more. Only then may an element hold frames back. A
// source that says with an event when it waits flows by itself, too, if the event gets to the element:
// `event_passes` is false where it does not come before the next frame.
bool flows_by_itself(GstPad *sink, bool event_passes = true);
// Whether it is that question. Who answers the query at all says yes.
bool is_flow_query(GstQuery *query);

// Whether the stream may end anywhere, because it is live or somebody interrupted it. A set of arrays that is
// not complete then is no fault of the stream's.
bool may_end_anywhere(GstPad *sink);
std::string incomplete_set_text(unsigned arrays);
// Whether it is the question for an interruption. Who answers it at all says yes.
bool is_interruption_query(GstQuery *query);
// What came of a stream that somebody ended before its end. The numbers are those of its source.
struct GST_TOMO_API Interruption {
    std::optional<std::uint64_t> came, announced;
    std::string in_words() const; // "27 of 180 arrays came from the source", as far as that is known
};
void answer_interruption(GstQuery *query, const Interruption &interruption);
// Whether the stream that comes here was ended so; none where all of it came. Known behind its end.
GST_TOMO_API std::optional<Interruption> interruption_of(GstPad *sink);

// Answers what every sink pad answers alike: caps, acceptance, memory, context.
bool answer_sink_query(Element &element, GstPad *sink, GstQuery *query);

// The time of the stream; none in a segment that counts something else, such as bytes (appsrc's default).
GstClockTime stream_time(const GstSegment &segment, GstClockTime pts);

// Whether an output's pixels are where those of the input were.
enum class Pixels { moved, same };
// Flags, times and metas that stay true for an output that is made of one input. The tags of a meta tell what
// it depends on: the memory, which is another one, or the place and size of the image, which most elements
// change.
GST_TOMO_API void copy_frame_metadata(GstBuffer *from, GstBuffer *to, Pixels pixels = Pixels::moved);
// Of those metas the ones that are not of this library: what is known of the first of several inputs.
void copy_foreign_metas(GstBuffer *from, GstBuffer *to);
// Time and number of an output, the n-th of those that come of what it has its time from, and number `index`
// of the stream.
GST_TOMO_API void number_output(GstBuffer *output, const ArrayInfo &info, std::uint64_t n,
                                std::uint64_t index);

// A seek event's contents.
struct Seek {
    explicit Seek(GstEvent *event);
    bool is_flushing() const { return flags & GST_SEEK_FLAG_FLUSH; }
    bool sets_start() const { return start_type == GST_SEEK_TYPE_SET; }
    bool sets_stop() const { return stop_type == GST_SEEK_TYPE_SET; }
    // What no source of this library does, as the end of "can't seek ..."; null for what one does.
    const char *problem(bool has_rate) const;

    gdouble rate = 1;
    GstFormat format = GST_FORMAT_UNDEFINED;
    GstSeekFlags flags = GST_SEEK_FLAG_NONE;
    GstSeekType start_type = GST_SEEK_TYPE_NONE, stop_type = GST_SEEK_TYPE_NONE;
    gint64 start = 0, stop = -1;
};

} // namespace tomo
