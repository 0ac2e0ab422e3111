# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One element between two pads of the test's own, so that everything happens in the test's thread and in its order."""

import gi
import numpy as np
from tomotest import FORMATS, Gst, PipelineError, caps, random_array, to_array, to_buffer

gi.require_version("GstTomo", "1.0")
from gi.repository import GstTomo


class Output:
    """A buffer with the caps that it came under."""

    def __init__(self, buffer, caps, keep):
        self.buffer = buffer if keep else None
        self.array = to_array(Gst.Sample.new(buffer, caps, None, None))
        self.pts, self.duration, self.offset = buffer.pts, buffer.duration, buffer.offset
        meta = GstTomo.buffer_get_tomo_frame_meta(buffer)
        self.index, self.angle, self.source = (meta.index, meta.angle, meta.source) if meta else (None, None, None)
        structure = caps.get_structure(0)
        self.domain = structure.get_string("domain")
        self.rate = structure.get_fraction("framerate")[1:]


def scan_event(angles=(), axis=float("nan"), pixel_size=float("nan")):
    return GstTomo.event_new_tomo_scan(list(map(float, angles)), axis, pixel_size)


class Pads:
    """`Pads("tomoaverage number=2")`; use it in a `with`. Errors on the bus are raised by whatever caused them."""

    def __init__(self, description):
        self.element = Gst.parse_launch(description)
        self.bus = Gst.Bus()
        self.element.set_bus(self.bus)
        context = GstTomo.Context.new(None)
        self.element.set_context(context.to_context())
        self.device = context.get_default_device()
        self.source = Gst.Pad.new("src", Gst.PadDirection.SRC)
        anything = Gst.PadTemplate.new("sink", Gst.PadDirection.SINK, Gst.PadPresence.ALWAYS, Gst.Caps.new_any())
        self.end = Gst.Pad.new_from_template(anything, "sink")
        self.end.set_chain_function_full(self._chain)
        self.end.set_event_function_full(self._event)
        assert self.source.link(self.element.get_static_pad("sink")) == Gst.PadLinkReturn.OK
        assert self.element.get_static_pad("src").link(self.end) == Gst.PadLinkReturn.OK
        self.flow = Gst.FlowReturn.OK  # what downstream answers
        self.keep = False  # whether outputs keep their buffers
        self.play()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop(Gst.State.NULL)
        self.element.set_bus(None)

    def play(self):
        self.outputs, self.events, self.warnings, self.shape, self.sent = [], [], [], None, 0
        self.source.set_active(True)
        self.end.set_active(True)
        assert self.element.set_state(Gst.State.PLAYING) != Gst.StateChangeReturn.FAILURE, self.check()
        self.source.push_event(Gst.Event.new_stream_start("test"))

    def stop(self, state):
        self.element.set_state(state)
        self.source.set_active(False)
        self.end.set_active(False)

    def _chain(self, pad, _parent, buffer):
        if self.flow == Gst.FlowReturn.OK:
            self.outputs.append(Output(buffer, pad.get_current_caps(), self.keep))
        return self.flow

    def _event(self, _pad, _parent, event):
        self.events.append((event, len(self.outputs)))
        return True

    def check(self):
        while message := self.bus.pop():
            if message.type == Gst.MessageType.ERROR:
                raise PipelineError(message)
            if message.type == Gst.MessageType.WARNING:
                self.warnings.append(message.parse_warning()[0].message)

    def begin(self, array, rate=0, domain=None):
        """Caps and, the first time, a segment."""
        c = caps(array.dtype, array.shape, framerate=f"{rate}/1")
        if domain:
            c = Gst.Caps.from_string(f"{c.to_string()}, domain=(string){domain}")
        first = self.shape is None
        self.shape = (array.dtype, array.shape, rate, domain)
        self.source.push_event(Gst.Event.new_caps(c))
        self.check()
        if first:
            self.segment()

    def segment(self):
        segment = Gst.Segment()
        segment.init(Gst.Format.TIME)
        self.source.push_event(Gst.Event.new_segment(segment))

    def push(self, *arrays, rate=0, domain=None, angle=None, source=None):
        """Feeds arrays and returns what comes out meanwhile."""
        before = len(self.outputs)
        for array in arrays:
            if self.shape != (array.dtype, array.shape, rate, domain):
                self.begin(array, rate, domain)
            buffer = to_buffer(array, self.sent, rate)
            if angle is not None or source is not None:
                meta = GstTomo.buffer_add_tomo_frame_meta
                meta(buffer, self.sent, float("nan") if angle is None else angle, Gst.CLOCK_TIME_NONE, source)
            self.sent += 1
            self.last_flow = self.source.push(buffer)
            self.check()
        return self.outputs[before:]

    def eos(self):
        before = len(self.outputs)
        self.source.push_event(Gst.Event.new_eos())
        self.check()
        return self.outputs[before:]

    def send(self, event):
        result = self.source.push_event(event)
        self.check()
        return result

    def flush(self):
        self.source.push_event(Gst.Event.new_flush_start())
        self.source.push_event(Gst.Event.new_flush_stop(True))
        self.segment()

    def ended(self):
        return any(event.type == Gst.EventType.EOS for event, _ in self.events)

    def scan(self):
        """Angles, axis and pixel size of the scan, as known downstream; None where nothing is."""
        event = self.end.get_sticky_event(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, 0)
        if event is None:
            return None
        angles, axis, pixel_size = GstTomo.event_parse_tomo_scan(event)
        return list(angles), axis, pixel_size


def arrays_of(outputs):
    return [o.array for o in outputs]


def check_facts_stay(case, description):
    """An element that hands arrays on does so with everything that is known about them."""
    with Pads(description) as pads:
        pads.send(scan_event([1.0], 1.5, 1e-6))
        (output,) = pads.push(random_array(np.float32, (2, 4)), rate=10, domain="slice", angle=0.5, source="a.tif")
        case.assertEqual((output.domain, output.rate, output.angle, output.source), ("slice", (10, 1), 0.5, "a.tif"))
        case.assertEqual(pads.scan(), ([1.0], 1.5, 1e-6))


__all__ = ["FORMATS", "GstTomo", "Output", "Pads", "arrays_of", "check_facts_stay", "np", "scan_event"]
