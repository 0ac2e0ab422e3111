# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoslice: planes one by one, as views of the same memory."""

from tomotest import *
from elementtest import ElementTestCase
from padtest import *


class Slice(ElementTestCase):
    def assert_planes(self, results, volumes):
        planes = [plane for v in volumes for plane in (v if v.ndim == 3 else [v])]
        self.assertEqual(len(results), len(planes))
        for result, plane in zip(results, planes):
            self.assertEqual(result.dtype, plane.dtype)
            np.testing.assert_array_equal(result.view(np.uint8), np.ascontiguousarray(plane).view(np.uint8))

    def test_properties(self):
        self.check_properties("tomoslice", {})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                volumes = [random_array(dtype, (3, 5, 7)) for _ in range(2)]
                self.assert_planes(run("tomoslice", volumes), volumes)

    def test_shapes(self):
        for shape in (1, 1), (5, 7), (13, 1, 1), (2, 31, 37):
            with self.subTest(shape=shape):
                volumes = [random_array(np.float32, shape) for _ in range(3)]
                self.assert_planes(run("tomoslice", volumes), volumes)

    def test_memory(self):
        volume = random_array(np.float32, (4, 5, 7))
        self.check_memory("tomoslice", [volume], reference=list(volume), tolerance=0)
        results = run("tomocalculate expression=v*2 ! tomoslice ! queue ! tomocalculate expression=v+1", [volume])
        for result, plane in zip(results, volume, strict=True):
            np.testing.assert_array_equal(result, plane * 2 + 1)

    def test_planes_share_memory_and_may_not_be_written(self):
        volume = random_array(np.float32, (3, 4, 5))
        with Pads("tomoslice") as pads:
            pads.keep = True
            buffers = [o.buffer for o in pads.push(volume)]
            handles = {GstTomo.memory_get_handle(b.peek_memory(0)) for b in buffers}
            self.assertEqual(len(handles), 1)
            offsets = [b.peek_memory(0).get_sizes()[1] for b in buffers]
            self.assertEqual(offsets, [0, 80, 160])
            for buffer in buffers:
                memory = buffer.peek_memory(0)
                self.assertTrue(memory.mini_object.flags & Gst.MemoryFlags.READONLY)

    def test_changes_of_caps(self):
        volumes = [random_array(np.float32, (2, 3, 4)), random_array(np.float32, (3, 3, 4)),
                   random_array(np.uint8, (2, 2)), random_array(np.uint8, (2, 1, 1))]
        with Pads("tomoslice") as pads:
            self.assert_planes(arrays_of(pads.push(*volumes)), volumes)
            self.assertEqual(pads.eos(), [])

    def test_flush_and_state_cycles(self):
        volumes = [random_array(np.float32, (2, 3, 4)) for _ in range(3)]
        with Pads("tomoslice") as pads:
            pads.push(volumes[0])
            pads.flush()
            self.assert_planes(arrays_of(pads.push(*volumes[1:])), volumes[1:])
            for state in Gst.State.READY, Gst.State.NULL:
                pads.eos()
                pads.stop(state)
                pads.play()
                self.assert_planes(arrays_of(pads.push(*volumes)), volumes)

    def test_time_and_facts(self):
        volumes = [random_array(np.float32, (4, 2, 3)) for _ in range(2)]
        with Pads("tomoslice") as pads:
            pads.send(scan_event([1, 2], 1.5))
            outputs = pads.push(*volumes, rate=10, domain="volume", angle=0.5, source="a.tif")
            self.assertEqual([o.pts for o in outputs], [i * Gst.SECOND // 40 for i in range(8)])
            self.assertEqual({o.duration for o in outputs}, {Gst.SECOND // 40})
            self.assertEqual([o.offset for o in outputs], list(range(8)))
            self.assertEqual([o.index for o in outputs], list(range(8)))
            self.assertEqual({(o.angle, o.source) for o in outputs}, {(0.5, "a.tif")})
            self.assertEqual({(o.domain, o.rate) for o in outputs}, {("slice", (40, 1))})
            self.assertEqual(pads.scan()[0], [1, 2])

    def test_duration_query(self):
        pipeline = Gst.parse_launch("tomodummydata number=7 depth=3 ! tomoslice ! fakesink name=sink")
        pipeline.set_state(Gst.State.PAUSED)
        pipeline.get_state(10 * Gst.SECOND)
        self.assertEqual(pipeline.get_by_name("sink").query_duration(Gst.Format.DEFAULT), (True, 21))
        pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    main()
