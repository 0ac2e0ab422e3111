# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Properties that change: driven over time, bound to results of other elements, set while the stream runs."""

import json
import pathlib
import subprocess
import sys
import threading

from pipetest import *

gi.require_version("GstController", "1.0")
gi.require_version("GstTomo", "1.0")
from gi.repository import GLib, GstController, GstTomo
import gsttomo
import tomoref

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "moving-axis.py"


def ramp(number, factor):
    """What the n-th array has to be multiplied with, and how to have a control source say so."""
    source = GstController.InterpolationControlSource(mode=GstController.InterpolationMode.NONE)
    for i in range(number):
        source.set(i * Gst.SECOND, factor * (i + 1))
    return source


class Control(PipelineTestCase):
    def test_moving_axis(self):
        images = write_sinograms(shape=(20, 33), number=5)
        first, step = rng.uniform(15, 17), rng.uniform(-0.5, 0.5)
        result = subprocess.run([sys.executable, str(EXAMPLE), "folder/sino*.tif", str(first), str(step), "out.h5:/slices"],
                                text=True, capture_output=True, timeout=PATIENCE)
        self.assertEqual(result.returncode, 0, result.stderr)
        moved = read_dataset("out.h5", "slices")
        self.assertEqual(len(moved), len(images))
        for i, image in enumerate(images):
            alone, = gsttomo.Backproject(axis_pos=first + i * step)(gsttomo.RampFilter()(image))
            self.assert_close(moved[i], alone, 1e-6)

    def test_measured_axis(self):
        """The axis that is found in a sinogram is that of its slice, and of no other."""
        axes, step = [40.0, 44.5, 37.25], np.pi / 90
        angles = tomoref.angles_of_scan(91, step)  # the last view is half a turn after the first
        ellipses = [tomoref.disc(6.0, -4.0, 9.0, 0.02), tomoref.disc(-9.0, 7.0, 5.0, 0.05)]
        sinograms = [tomoref.line_integrals(ellipses, angles, 83, axis).astype(np.float32)
                     for axis in axes]
        measured = gsttomo.CenterOfRotation(angle_step=step)(iter(sinograms))
        slices = list(gsttomo.Backproject(axis_pos=measured.result("center"))(gsttomo.RampFilter()(measured)))
        self.assertEqual(len(slices), len(axes))
        for sinogram, axis, result in zip(sinograms, axes, slices):
            search = gsttomo.CenterOfRotation(angle_step=step)
            list(search(iter([sinogram])))
            self.assertLess(abs(search.center - axis), 0.1)
            alone, = gsttomo.Backproject(axis_pos=search.center)(gsttomo.RampFilter()(iter([sinogram])))
            self.assert_close(result, alone, 1e-6)

    def test_while_playing(self):
        """A task's property is that of its running elements."""
        shift = gsttomo.Calculate(expression="v + 1")

        def images():
            yield np.zeros((3, 5), np.float32)
            changed.wait(PATIENCE)
            yield np.zeros((3, 5), np.float32)

        changed = threading.Event()
        outputs = iter(shift(images()))
        self.assertEqual(next(outputs)[0, 0], 1)
        shift.expression = "v + 7"
        changed.set()
        self.assertEqual([image[0, 0] for image in outputs], [7])

    def graph(self, number):
        """volume `a`, which a control source drives, and audioamplify `b`, which takes its amplification from that."""
        graph = GstTomo.Graph.new_from_json(json.dumps({
            "nodes": [{"plugin": "audiotestsrc", "name": "s", "properties": {
                          "wave": "square", "samplesperbuffer": 10, "num-buffers": number, "freq": 1.0, "volume": 1.0}},
                      {"plugin": "capsfilter", "name": "c", "properties": {"caps": "audio/x-raw,format=F32LE,rate=10"}},
                      {"plugin": "volume", "name": "a"}, {"plugin": "queue", "name": "q"},
                      {"plugin": "audioamplify", "name": "b", "properties": {"clipping-method": "none"}},
                      {"plugin": "fakesink", "name": "out", "properties": {"signal-handoffs": True}}],
            "edges": [{"from": a, "to": b} for a, b in zip("scaqb", [*"caqb", "out"])],
            "bindings": [{"from": {"name": "a", "property": "volume"}, "to": {"name": "b", "property": "amplification"}}],
        }))
        return graph

    def test_elements_of_others(self):
        number = int(rng.integers(5, 12))
        factor = 0.25
        graph = self.graph(number)
        volume = graph.get_node("a")
        volume.add_control_binding(GstController.DirectControlBinding.new_absolute(volume, "volume", ramp(number, factor)))
        peaks = []
        graph.get_node("out").connect(
            "handoff", lambda _, buffer, __: peaks.append(np.frombuffer(buffer.extract_dup(0, 40), np.float32).max()))
        graph.run()
        self.assertEqual(len(peaks), number)
        # The same factor twice: once from the control source, once bound.
        expected = [(factor * (i + 1)) ** 2 for i in range(number)]
        np.testing.assert_allclose(peaks, expected, rtol=1e-5)

    def test_python(self):
        images = rng.uniform(1, 2, (6, 4, 5)).astype(np.float32)
        first, second = gsttomo.element("identity"), gsttomo.element("identity")

        def given():
            yield images[0]
            first.sleep_time = 7
            yield from images[1:]

        flow = first(given())
        second.sleep_time = flow.result("sleep_time")
        run = gsttomo.Null()(second(flow)).run()
        run.wait()
        self.assertEqual({task: element.get_property("sleep-time") for task, element in run._elements if task is second},
                         {second: 7})

        with self.assertRaisesRegex(AttributeError, "no-such-property"):
            flow.result("no-such-property")
        # A branch beside that never tells: an error, no hang.
        slow = gsttomo.element("identity")
        slow.sleep_time = gsttomo.element("identity")(images).result("sleep_time")
        with self.assertRaisesRegex(gsttomo.Error, "ended without telling"):
            list(slow(images))

    def test_errors(self):
        graph = self.graph(3)
        for arguments, words in ((("a", "volume", "x", "amplification"), "no node 'x'"),
                                 (("a", "volme", "b", "amplification"), "did you mean 'volume'"),
                                 (("s", "volume", "b", "amplification"), "already takes")):
            with self.assertRaisesRegex(GLib.Error, words):
                graph.bind(*arguments)
        self.assertEqual(json.loads(graph.to_json())["bindings"],
                         [{"from": {"name": "a", "property": "volume"}, "to": {"name": "b", "property": "amplification"}}])


if __name__ == "__main__":
    main()
