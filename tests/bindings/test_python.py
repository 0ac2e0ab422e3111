# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The typelib GstTomo-1.0 from Python."""

import math

from tomotest import *

gi.require_version("GstTomo", "1.0")
from gi.repository import GstTomo


class Typelib(TestCase):
    def test_context(self):
        context = GstTomo.Context.new(None)
        self.assertGreater(context.get_n_devices(), 0)
        device = context.get_default_device()
        self.assertTrue(device.get_name())
        self.assertNotEqual(context.get_handle(), 0)
        self.assertNotEqual(device.get_handle(), 0)
        wrapped = GstTomo.Context.new_wrapped(context.get_handle())
        self.assertEqual(wrapped.get_handle(), context.get_handle())

    def test_wrong_device(self):
        with self.assertRaises(GLib.Error) as caught:
            GstTomo.Context.new("no such device")
        self.assertIn("no such device", caught.exception.message)
        self.assertIn("0: ", caught.exception.message)  # what there is instead

    def test_context_of_application_is_used(self):
        context = GstTomo.Context.new(None)
        pipeline = Gst.parse_launch("tomodummydata width=5 height=3 ! appsink name=sink sync=false")
        pipeline.set_context(context.to_context())
        pipeline.set_state(Gst.State.PLAYING)
        sample = pipeline.get_by_name("sink").pull_sample()
        memory = sample.get_buffer().peek_memory(0)
        self.assertTrue(GstTomo.memory_is(memory))
        self.assertNotEqual(GstTomo.memory_get_handle(memory), 0)
        self.assertEqual(GstTomo.memory_get_device(memory).get_handle(), context.get_default_device().get_handle())
        in_use = context.get_default_device().get_memory_in_use()
        self.assertGreaterEqual(in_use, 60)
        pipeline.set_state(Gst.State.NULL)

    def test_array_info(self):
        info = GstTomo.ArrayInfo.new(GstTomo.Format.UINT16, 5, 7, 3)
        self.assertEqual((info.width, info.height, info.depth, info.get_size()), (5, 7, 3, 210))
        caps = info.to_caps(True)
        self.assertTrue(caps.get_features(0).contains("memory:TomoCL"))
        self.assertTrue(GstTomo.ArrayInfo.new_from_caps(caps).is_equal(info))
        with self.assertRaises(GLib.Error):
            GstTomo.ArrayInfo.new_from_caps(Gst.Caps.from_string("video/x-raw"))

    def test_frame_meta(self):
        buffer = Gst.Buffer.new()
        GstTomo.buffer_add_tomo_frame_meta(buffer, 7, 0.5, Gst.CLOCK_TIME_NONE, "scan.h5")
        copy = buffer.copy_deep()
        meta = GstTomo.buffer_get_tomo_frame_meta(copy)
        self.assertEqual((meta.index, meta.angle, meta.source), (7, 0.5, "scan.h5"))

    def test_scan_event(self):
        event = GstTomo.event_new_tomo_scan([0.0, 0.25, 0.5], 12.5, math.nan)
        self.assertTrue(GstTomo.event_is_tomo_scan(event))
        angles, axis, pixel_size = GstTomo.event_parse_tomo_scan(event)
        self.assertEqual((list(angles), axis), ([0.0, 0.25, 0.5], 12.5))
        self.assertTrue(math.isnan(pixel_size))


if __name__ == "__main__":
    main()
