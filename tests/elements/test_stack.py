# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomostack: arrays along depth."""

from tomotest import *
from elementtest import ElementTestCase
from padtest import *


def stacks(arrays, number):
    """What is left at the end makes a stack of less depth."""
    planes = [a if a.ndim == 3 else a[None] for a in arrays]
    return [np.concatenate(planes[i:i + number]) for i in range(0, len(planes), number)]


class Stack(ElementTestCase):
    def assert_same(self, results, wanted):
        self.assertEqual(len(results), len(wanted))
        for result, w in zip(results, wanted):
            if w.shape[0] == 1:
                w = w[0]
            self.assertEqual((result.dtype, result.shape), (w.dtype, w.shape))
            np.testing.assert_array_equal(result.view(np.uint8), w.view(np.uint8))

    def test_properties(self):
        self.check_properties("tomostack", {"number": (1, 1, 2**31 - 1)})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                arrays = [random_array(dtype, (5, 7)) for _ in range(6)]
                self.assert_same(run("tomostack number=3", arrays), stacks(arrays, 3))

    def test_shapes(self):
        for shape in (1, 1), (1, 7), (31, 37), (2, 3, 5):
            for number in 1, 2, 5:
                with self.subTest(shape=shape, number=number):
                    arrays = [random_array(np.float32, shape) for _ in range(10)]
                    self.assert_same(run(f"tomostack number={number}", arrays), stacks(arrays, number))

    def test_nothing_is_lost_at_the_end(self):
        arrays = [random_array(np.float32, (2, 3)) for _ in range(8)]
        with Pads("tomostack number=3") as pads:
            self.assert_same(arrays_of(pads.push(*arrays)), stacks(arrays, 3)[:2])
            self.assert_same(arrays_of(pads.eos()), [np.array(arrays[6:])])
            self.assertTrue(pads.ended())
        self.assert_same(run("tomostack number=100", arrays), [np.array(arrays)])

    def test_a_change_of_caps_ends_a_stack(self):
        first = [random_array(np.float32, (2, 3)) for _ in range(4)]
        second = [random_array(np.float32, (2, 4)) for _ in range(3)]
        with Pads("tomostack number=3") as pads:
            results = arrays_of(pads.push(*first, *second) + pads.eos())
        self.assert_same(results, stacks(first, 3) + stacks(second, 3))

    def test_memory(self):
        arrays = [random_array(np.float32, (5, 7)) for _ in range(4)]
        self.check_memory("tomostack number=2", arrays, reference=stacks(arrays, 2), tolerance=0)
        results = run("tomocalculate expression=v*2 ! tomostack number=2 ! tomocalculate expression=v+1", arrays)
        self.assert_same(results, [s * 2 + 1 for s in stacks(arrays, 2)])

    def test_inputs_are_not_kept(self):
        """Memory that was an input comes back at once."""
        arrays = [random_array(np.float32, (64, 64)) for _ in range(6)]
        with Pads("tomostack number=6") as pads:
            in_use = []
            for array in arrays[:5]:
                pads.push(array)
                in_use.append(pads.device.get_memory_in_use())
            self.assertEqual(len(set(in_use)), 1, in_use)
            self.assertIn(in_use[0], range(6 * arrays[0].nbytes, 7 * arrays[0].nbytes))
            self.assert_same(arrays_of(pads.push(arrays[5])), [np.array(arrays)])

    def test_flush_and_state_cycles(self):
        arrays = [random_array(np.float32, (2, 3)) for _ in range(6)]
        with Pads("tomostack number=3") as pads:
            pads.push(*arrays[:2])
            pads.flush()
            self.assert_same(arrays_of(pads.push(*arrays[2:])), stacks(arrays[2:5], 3))
            for state in Gst.State.READY, Gst.State.NULL, Gst.State.READY:
                pads.stop(state)
                pads.play()
                self.assert_same(arrays_of(pads.push(*arrays[:4])), stacks(arrays[:3], 3))

    def test_time_and_facts(self):
        arrays = [random_array(np.float32, (2, 3)) for _ in range(5)]
        with Pads("tomostack number=2") as pads:
            pads.send(scan_event([1, 2, 3, 4, 5], 1.5))
            outputs = pads.push(*arrays, rate=10, domain="slice", angle=0.5) + pads.eos()
            self.assertEqual([o.pts for o in outputs], [i * Gst.SECOND // 5 for i in range(3)])
            self.assertEqual([o.offset for o in outputs], [0, 1, 2])
            self.assertEqual({(o.domain, o.rate) for o in outputs}, {("volume", (5, 1))})
            self.assertEqual([np.isnan(o.angle) for o in outputs], [True, True, False])
            self.assertEqual(pads.scan()[0], [1, 2, 3, 4, 5])

    def test_too_large(self):
        self.assert_fails(["number=2147483647", "float32 3 x 2 x 2", "too large"], "tomostack number=2147483647",
                          [random_array(np.float32, (2, 2, 3))])

    def test_latency_and_duration(self):
        pipeline = Gst.parse_launch("videotestsrc is-live=true ! video/x-raw,format=GRAY8,width=8,height=4,"
                                    "framerate=50/1 ! tomoconvert ! tomostack number=5 ! fakesink name=sink")
        try:
            pipeline.set_state(Gst.State.PLAYING)
            sink = pipeline.get_by_name("sink")
            message = pipeline.get_bus().timed_pop_filtered(10 * Gst.SECOND,
                                                            Gst.MessageType.ASYNC_DONE | Gst.MessageType.ERROR)
            self.assertEqual(message.type, Gst.MessageType.ASYNC_DONE)
            with_stack, without = Gst.Query.new_latency(), Gst.Query.new_latency()
            self.assertTrue(sink.get_static_pad("sink").peer_query(with_stack))
            stack = sink.get_static_pad("sink").get_peer().get_parent_element()
            self.assertTrue(stack.get_static_pad("sink").peer_query(without))
            live, least, _ = with_stack.parse_latency()
            self.assertTrue(live)
            self.assertEqual(least - without.parse_latency()[1], 4 * Gst.SECOND // 50)
        finally:
            pipeline.set_state(Gst.State.NULL)
        pipeline = Gst.parse_launch("tomodummydata number=7 ! tomostack number=3 ! fakesink name=sink")
        pipeline.set_state(Gst.State.PAUSED)
        pipeline.get_state(10 * Gst.SECOND)
        self.assertEqual(pipeline.get_by_name("sink").query_duration(Gst.Format.DEFAULT), (True, 3))
        pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    main()
