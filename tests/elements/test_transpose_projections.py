# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomotransposeprojections: projections to sinograms."""

import gc
import os
import subprocess
import sys
import unittest

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *


def sinograms(projections):
    """Row y of all projections; a deep projection gives deep sinograms."""
    stack = np.array(projections)  # projection, (plane,) row, column
    return list(np.moveaxis(stack, -2, 0) if stack.ndim == 3 else stack.transpose(2, 1, 0, 3))


def projections_of(dtype, number, shape):
    return [random_array(dtype, shape) for _ in range(number)]


class TransposeProjections(ElementTestCase):
    def assert_same(self, results, wanted):
        self.assertEqual(len(results), len(wanted))
        for result, w in zip(results, wanted):
            w = np.ascontiguousarray(w)
            self.assertEqual((result.dtype, result.shape), (w.dtype, w.shape))
            np.testing.assert_array_equal(result.view(np.uint8), w.view(np.uint8))

    def test_properties(self):
        self.check_properties("tomotransposeprojections", {"number": (0, 0, 2**31 - 1)})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                projections = projections_of(dtype, 7, (5, 11))
                self.assert_same(run("tomotransposeprojections", projections), sinograms(projections))

    def test_shapes(self):
        for number, shape in (1, (1, 1)), (1, (5, 7)), (5, (1, 1)), (3, (1, 7)), (4, (7, 1)), (53, (31, 37)), (6, (2, 3, 5)):
            for line in "tomotransposeprojections", f"tomotransposeprojections number={number}":
                with self.subTest(line=line, number=number, shape=shape):
                    projections = projections_of(np.float32, number, shape)
                    self.assert_same(run(line, projections), sinograms(projections))

    def test_sets(self):
        projections = projections_of(np.float32, 15, (3, 4))
        with Pads("tomotransposeprojections number=5") as pads:
            for first in 0, 5, 10:
                self.assertEqual(pads.push(*projections[first:first + 4]), [])
                self.assert_same(arrays_of(pads.push(projections[first + 4])), sinograms(projections[first:first + 5]))
            self.assertEqual(pads.eos(), [])
            self.assertTrue(pads.ended())

    def test_twice_is_once_more_the_same(self):
        projections = projections_of(np.uint16, 6, (4, 5))
        self.assert_same(run("tomotransposeprojections ! tomotransposeprojections", projections), projections)
        self.assert_same(run("tomotransposeprojections number=3 ! tomotransposeprojections number=4", projections),
                         projections)

    def test_too_few(self):
        projections = projections_of(np.float32, 7, (3, 4))
        self.assert_fails(["7 projections", "number=10"], "tomotransposeprojections number=10", projections)
        error = self.assert_fails(["2 projections", "number=5"], "tomotransposeprojections number=5", projections)
        self.assertEqual(error.message.count("projections came"), 1)
        with Pads("tomotransposeprojections number=5") as pads:
            pads.push(*projections)
            self.assertEqual(len(pads.outputs), 3)
            with self.assertRaises(PipelineError):
                pads.eos()
            self.assertFalse(pads.ended(), "a broken stream must not look complete")

    def test_a_change_of_caps(self):
        first, second = projections_of(np.float32, 4, (3, 4)), projections_of(np.uint8, 3, (2, 5))
        with Pads("tomotransposeprojections") as pads:
            self.assertEqual(pads.push(*first), [])
            self.assert_same(arrays_of(pads.push(*second)), sinograms(first))
            self.assert_same(arrays_of(pads.eos()), sinograms(second))
        with Pads("tomotransposeprojections number=2") as pads:
            self.assert_same(arrays_of(pads.push(*first)), sinograms(first[:2]) + sinograms(first[2:]))
            with self.assertRaisesRegex(PipelineError, "1 projections.*number=2"):
                pads.push(*second)
                pads.eos()

    def test_an_empty_stream(self):
        for line in "tomotransposeprojections", "tomotransposeprojections number=3":
            with Pads(line) as pads:
                pads.begin(random_array(np.float32, (2, 3)))
                self.assertEqual(pads.eos(), [])
                self.assertTrue(pads.ended())

    def test_memory(self):
        projections = projections_of(np.float32, 5, (7, 11))
        self.check_memory("tomotransposeprojections", projections, reference=sinograms(projections), tolerance=0)
        results = run("tomocalculate expression=v*2 ! tomotransposeprojections ! queue ! tomocalculate expression=v+1",
                      projections)
        self.assert_same(results, [s * 2 + 1 for s in sinograms(projections)])

    def test_inputs_are_views(self):
        volume = random_array(np.uint8, (5, 3, 7))
        self.assert_same(run("tomoslice ! tomotransposeprojections", [volume]), sinograms(volume))

    @unittest.skipUnless("GST_TOMO_MEMORY_LIMIT" in os.environ, "is run by the next test")
    def test_under_a_budget(self):
        limit = int(os.environ["GST_TOMO_MEMORY_LIMIT"])
        for line in "tomotransposeprojections", "tomotransposeprojections number=61":
            for projections in projections_of(np.float32, 61, (16, 64)), projections_of(np.uint16, 61, (3, 7, 64)):
                with Pads(line) as pads:
                    pads.push(*projections[:60])
                    in_use = pads.device.get_memory_in_use()
                    results = arrays_of(pads.push(projections[60]) + pads.eos())
                self.assert_same(results, sinograms(projections))
                self.assertLessEqual(in_use, limit / 2)
                size = sum(p.nbytes for p in projections[:60])
                self.assertGreaterEqual(in_use, min(size, limit // 5))

    def test_more_than_the_device_can_hold(self):
        """From all projections on the device to nearly all in the system's memory, with two ways of a transfer."""
        test = "TransposeProjections.test_under_a_budget"
        for limit in 10000000, 400000, 100000, 60000:
            for discrete in "0", "1":
                with self.subTest(limit=limit, discrete=discrete):
                    environment = dict(os.environ, GST_TOMO_MEMORY_LIMIT=str(limit), GST_TOMO_TEST_DISCRETE=discrete,
                                       GST_TOMO_TEST_SEED=str(SEED))
                    result = subprocess.run([sys.executable, os.path.abspath(__file__), test], env=environment,
                                            capture_output=True, text=True, timeout=300)
                    self.assertEqual(result.returncode, 0, result.stderr)
                    self.assertIn("Ran 1 test", result.stderr)
                    self.assertNotIn("skipped", result.stderr)

    def test_flush_and_state_cycles(self):
        projections = projections_of(np.float32, 8, (3, 4))
        for line, wanted in (("tomotransposeprojections", sinograms(projections[2:])),
                             ("tomotransposeprojections number=6", sinograms(projections[2:]))):
            with Pads(line) as pads:
                pads.push(*projections[:2])
                pads.flush()
                self.assert_same(arrays_of(pads.push(*projections[2:]) + pads.eos()), wanted)
                for state in Gst.State.READY, Gst.State.NULL, Gst.State.READY:
                    pads.stop(state)
                    pads.play()
                    pads.push(*projections[:3])  # forgotten
                    pads.stop(state)
                    pads.play()
                    self.assert_same(arrays_of(pads.push(*projections[2:]) + pads.eos()), wanted)

    def test_memory_is_given_back(self):
        projections = projections_of(np.float32, 8, (30, 40))
        with Pads("tomotransposeprojections") as pads:
            gc.collect()  # of other tests, on the same device
            before = pads.device.get_memory_in_use()
            pads.push(*projections)
            self.assertGreaterEqual(pads.device.get_memory_in_use() - before, 8 * 4800)
            pads.flush()
            self.assertEqual(pads.device.get_memory_in_use(), before)
            pads.push(*projections)
            pads.eos()
            self.assertEqual(pads.device.get_memory_in_use(), before)

    def test_a_downstream_that_wants_no_more(self):
        projections = projections_of(np.float32, 4, (30, 4))
        for flow in Gst.FlowReturn.EOS, Gst.FlowReturn.FLUSHING:
            with Pads("tomotransposeprojections number=2") as pads:
                pads.flow = flow
                pads.push(projections[0])
                pads.push(projections[1])
                self.assertEqual(pads.last_flow, flow)

    def test_time_and_facts(self):
        projections = projections_of(np.float32, 4, (3, 4))
        with Pads("tomotransposeprojections number=2") as pads:
            outputs = pads.push(*projections, rate=10, domain="projection", source="a.tif")
            # Two frames at 10 Hz make three sinograms at 15 Hz.
            self.assertEqual([o.pts for o in outputs],
                             [start + i * Gst.SECOND // 15 for start in (0, Gst.SECOND // 5) for i in range(3)])
            self.assertEqual([o.offset for o in outputs], list(range(6)))
            self.assertEqual([o.index for o in outputs], list(range(6)))
            self.assertEqual({(o.domain, o.rate) for o in outputs}, {("sinogram", (15, 1))})
            self.assertEqual({o.source for o in outputs}, {None})

    def test_the_scan_goes_on(self):
        projections = projections_of(np.float32, 4, (3, 4))
        angles = [0.0, 0.1, 0.3, 0.7]
        for line in "tomotransposeprojections", "tomotransposeprojections number=4":
            with Pads(line) as pads:
                pads.send(scan_event(angles, 1.5, 1e-6))
                pads.push(*projections)
                pads.eos()
                self.assertEqual(pads.scan(), (angles, 1.5, 1e-6))

    def scans_of_sets(self, pads):
        """Angles that were known when each of the outputs came."""
        known, result = None, []
        for n in range(len(pads.outputs)):
            for event, before in pads.events:
                if before == n and event.has_name("tomo-scan"):
                    known = list(GstTomo.event_parse_tomo_scan(event)[0])
            result.append(known)
        return result

    def test_every_set_has_its_own_angles(self):
        projections = projections_of(np.float32, 6, (2, 4))
        angles = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
        with Pads("tomotransposeprojections number=3") as pads:
            pads.send(scan_event(angles, 1.5))
            pads.push(*projections)
            self.assertEqual(self.scans_of_sets(pads), [angles[:3]] * 2 + [angles[3:]] * 2)
            # After a seek to frame 3.
            pads.flush()
            pads.outputs.clear()
            pads.events.clear()
            pads.sent = 3
            pads.push(*projections[3:])
            self.assertEqual(pads.scan()[0], angles[3:])
        with Pads("tomotransposeprojections number=3") as pads:
            pads.send(scan_event(angles[:4]))
            with self.assertRaisesRegex(PipelineError, "projections 3 to 5 have no angles.* 4"):
                pads.push(*projections)

    def test_frames_know_their_angles(self):
        projections = projections_of(np.float32, 4, (2, 4))
        with Pads("tomotransposeprojections number=2") as pads:
            for i, projection in enumerate(projections):
                pads.push(projection, angle=i / 4)
            self.assertEqual(self.scans_of_sets(pads), [[0, 0.25]] * 2 + [[0.5, 0.75]] * 2)
        # They win over the list, of which somebody may have left out frames.
        with Pads("tomotransposeprojections") as pads:
            pads.send(scan_event(np.arange(8) / 8, 1.5))
            for i, projection in enumerate(projections):
                pads.push(projection, angle=i / 4)
            pads.eos()
            self.assertEqual(pads.scan()[:2], ([0, 0.25, 0.5, 0.75], 1.5))

    @unittest.skipUnless(os.environ.get("POCL_DEVICES") == "pthread pthread", "is run by the next test")
    def test_on_the_other_device(self):
        if GstTomo.Context.new(None).get_n_devices() < 2:
            self.skipTest("no PoCL, no second device")
        projections, angles = projections_of(np.float32, 6, (3, 4)), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
        with Stream("tomoupload device=1 ! tomotransposeprojections number=3 ! tomotransposeprojections number=3 ! "
                    "tomotransposeprojections name=e number=3") as stream:
            for i, projection in enumerate(projections):
                stream.push(projection, event=None if i else scan_event(angles, 2.5))
            self.assert_same(stream.finish(), sinograms(projections[:3]) + sinograms(projections[3:]))
            event = stream["e"].get_static_pad("src").get_sticky_event(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, 0)
            self.assertEqual(list(GstTomo.event_parse_tomo_scan(event)[0]), angles[3:])

    def test_a_device_that_is_found_with_the_first_buffer(self):
        """Elements move to the device of their input, and know the scan all the same."""
        result = subprocess.run([sys.executable, os.path.abspath(__file__), "TransposeProjections.test_on_the_other_device"],
                                env=dict(os.environ, POCL_DEVICES="pthread pthread", GST_TOMO_TEST_SEED=str(SEED)),
                                capture_output=True, text=True, timeout=300)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("Ran 1 test", result.stderr)

    def test_a_live_stream(self):
        line = ("videotestsrc is-live=true pattern=ball ! video/x-raw,format=GRAY8,width=8,height=4,framerate=50/1 ! "
                "tomoconvert ! tee name=t ! queue ! tomotransposeprojections name=e number=5 ! SINK "
                "t. ! queue ! appsink name=frames sync=false")
        with Stream(line, inputs=0) as stream:
            results = [stream.pull() for _ in range(12)]
            frames = [to_array(stream["frames"].try_pull_sample(Gst.SECOND)) for _ in range(15)]
            for first in 0, 5, 10:
                n = first // 5 * 4
                self.assert_same(results[n:n + 4], sinograms(frames[first:first + 5]))
            after, before = Gst.Query.new_latency(), Gst.Query.new_latency()
            self.assertTrue(stream["e"].query(after))
            self.assertTrue(stream["e"].get_static_pad("sink").peer_query(before))
            self.assertTrue(after.parse_latency()[0])
            self.assertEqual(after.parse_latency()[1] - before.parse_latency()[1], 4 * Gst.SECOND // 50)

    def test_duration_query(self):
        for number, count in ("0", 5), ("3", 20):
            pipeline = Gst.parse_launch(f"tomodummydata number=12 height=5 ! tomotransposeprojections number={number} ! "
                                        "fakesink name=sink")
            pipeline.set_state(Gst.State.PAUSED)
            pipeline.get_state(10 * Gst.SECOND)
            self.assertEqual(pipeline.get_by_name("sink").query_duration(Gst.Format.DEFAULT), (True, count))
            pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    main()
