# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoprojectionring: which projections it keeps, and with which angles."""

import sys

from tomotest import *
from elementtest import ElementTestCase, Stream, scan_event
from livetest import axis_plane, slice_of

LARGEST = sys.float_info.max
SHAPE, AXIS = (3, 14), 6.2


def projections(number, shape=SHAPE):
    return [rng.standard_normal(shape).astype(np.float32) for _ in range(number)]


def wanted(images, angles, views):
    """Slices of all moving windows."""
    place = axis_plane("z", 0, SHAPE, AXIS)
    return [slice_of(images[n - views:n], angles[n - views:n], AXIS, place) for n in range(views, len(images) + 1)]


class ProjectionRing(ElementTestCase):
    def check(self, results, images, angles, views, tolerance=2e-6):
        for result, slice in zip(results, wanted(images, angles, views), strict=True):
            self.assert_close(result, slice, tolerance)

    def slices(self, ring, images, events=(), metas=None):
        with Stream(f"tomoprojectionring {ring} ! tomoliveslice axis-pos={AXIS}") as stream:
            for n, image in enumerate(images):
                stream.push(image, event=events[n] if n < len(events) else None)
            return stream.finish()

    def test_properties(self):
        self.check_properties("tomoprojectionring", {"views": (0, 0, 2**20), "angle-step": (0.0, -LARGEST, LARGEST),
                                                     "speed": (0.0, -LARGEST, LARGEST), "precision-mode": ("single", {"single", "half"})})

    def test_every_moving_window_is_a_scan(self):
        """Of fewer views than a block has, of as many, and of more."""
        for views in 5, 16, 21, 33:
            with self.subTest(views):
                images, step = projections(views + 19), np.pi / views * rng.choice([-1, 1])
                self.check(self.slices(f"views={views} angle-step={step}", images), images, step * np.arange(len(images)), views)

    def test_half_a_turn_by_the_angles(self):
        images = projections(30)
        self.check(self.slices(f"angle-step={np.pi / 11}", images), images, np.pi / 11 * np.arange(30), 11)

    def test_angles_of_the_scan(self):
        angles = (np.arange(25) + rng.uniform(-0.4, 0.4, 25)) * np.pi / 25
        images = projections(25)
        self.check(self.slices("views=25", images, [scan_event(angles)]), images, angles, 25)

    def test_speed(self):
        images = projections(12)
        with Stream(f"tomoprojectionring views=10 speed=6.5 ! tomoliveslice axis-pos={AXIS}", framerate=20) as stream:
            for image in images:
                stream.push(image)
            self.check(stream.finish(), images, 6.5 / 20 * np.arange(12), 10, 1e-5)

    def test_lost_frames_leave_a_gap(self):
        images = projections(20)
        there = [0, 1, 2, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 19]
        with Stream(f"tomoprojectionring views=9 angle-step=0.4 ! tomoliveslice axis-pos={AXIS}") as stream:
            for n in there:
                stream.sent[0] = n
                if n == 0:
                    stream.push(images[n])
                else:
                    buffer = to_buffer(images[n], n)
                    stream.sources[0].push_buffer(buffer)
            results = stream.finish()
        self.check(results, [images[n] for n in there], 0.4 * np.array(there), 9)

    def sliced(self, numbers, new_stream=None):
        """How many slices half turns of ten projections give; the source begins anew in front of one."""
        images = projections(len(numbers))
        with Stream(f"tomoprojectionring angle-step={np.pi / 10} ! tomoliveslice axis-pos={AXIS}") as stream:
            for k, (n, image) in enumerate(zip(numbers, images, strict=True)):
                if k == 0:
                    stream.push(image)
                    continue
                if k == new_stream:
                    stream.sources[0].send_event(Gst.Event.new_stream_start("again"))
                stream.sources[0].push_buffer(to_buffer(image, n))
            return len(stream.finish())

    def test_a_wide_gap_begins_half_a_turn_anew(self):
        self.assertEqual(self.sliced([*range(15), *range(16, 20)]), 10)
        self.assertEqual(self.sliced([*range(15), *range(25, 40)]), 6 + 6)

    def test_a_source_that_counts_anew_begins_anew(self):
        self.assertEqual(self.sliced([*range(15), *range(15)], 15), 6 + 6)
        self.assertEqual(self.sliced([*range(15), *range(15, 20)], 15), 11)  # it went on

    def test_stacks_are_projections_that_follow(self):
        images = projections(24)
        stacks = [np.stack(images[n:n + 3]) for n in range(0, 24, 3)]
        results = self.slices(f"views=12 angle-step={np.pi / 12}", stacks)
        all_windows = wanted(images, np.pi / 12 * np.arange(24), 12)
        for result, slice in zip(results, all_windows[::3], strict=True):
            self.assert_close(result, slice, 2e-6)

    def test_stacks_of_an_element(self):
        """Its arrays have numbers of their own, and the last stack is shorter."""
        images, step = projections(23), np.pi / 12
        stacks = run(f"tomostack number=3 ! tomoprojectionring views=12 angle-step={step} ! tomoliveslice axis-pos={AXIS}", images)
        all_windows = wanted(images, step * np.arange(23), 12)
        for result, slice in zip(stacks, [*all_windows[::3], all_windows[-1]], strict=True):
            self.assert_close(result, slice, 2e-6)

    def test_angles_of_an_earlier_scan_are_forgotten(self):
        with Stream(f"tomoprojectionring views=2 ! tomoliveslice axis-pos={AXIS}") as stream:
            stream.push(projections(1)[0], event=scan_event([0.0, 1.5]))
            stream.finish()
            stream.pipeline.set_state(Gst.State.READY)
            stream.sent[0] = 0
            stream.play()
            stream.push(projections(1)[0])
            with self.assertRaises(PipelineError) as caught:
                stream.finish()
            self.assertIn("projection 0 has no angle", caught.exception.message)

    def test_projections_go_on_unchanged(self):
        for name in REAL:
            with self.subTest(format=name):
                arrays = [random_array(FORMATS[name], (2, 5)) for _ in range(3)]
                for array, result in zip(arrays, run("tomoprojectionring angle-step=0.1", arrays), strict=True):
                    np.testing.assert_array_equal(result, array)

    def test_every_format_is_kept(self):
        for name in REAL:
            with self.subTest(format=name):
                images = [rng.integers(0, 100, SHAPE).astype(FORMATS[name]) for _ in range(8)]
                self.check(self.slices(f"views=8 angle-step={np.pi / 8}", images), images, np.pi / 8 * np.arange(8), 8)

    def test_a_flush_and_new_sizes_begin_anew(self):
        first = projections(5)
        with Stream(f"tomoprojectionring views=6 angle-step={np.pi / 6} ! tomoliveslice axis-pos={AXIS}") as stream:
            for image in first:
                stream.push(image)
            other = projections(6, (5, 11))
            for image in other:
                stream.sources[0].push_sample(Gst.Sample.new(to_buffer(image, stream.sent[0]), caps(image.dtype, image.shape), None, None))
                stream.sent[0] += 1
            result, = stream.finish()
        self.assert_close(result, slice_of(other, np.pi / 6 * np.arange(5, 11), AXIS, axis_plane("z", 0, (5, 11), AXIS)), 2e-6)

    def test_memory_and_states(self):
        images = projections(10)
        line = f"tomoprojectionring views=8 angle-step={np.pi / 8} ! tomoliveslice axis-pos={AXIS}"
        reference = wanted(images, np.pi / 8 * np.arange(10), 8)
        self.check_memory(line, images, reference=reference, tolerance=2e-6)
        self.check_state_cycles(line, images, reference=reference, tolerance=2e-6)

    def test_messages(self):
        image = projections(1)
        self.assert_fails(["projection 0 has no angle", "angle-step", "speed"], "tomoprojectionring", image)
        self.assert_fails(["speed needs times", "angle-step"], "tomoprojectionring speed=1", image)
        with Stream("tomoprojectionring views=5 angle-step=0.5 ! tomoliveslice axis-pos=6") as stream:
            for image in projections(4):
                stream.push(image)
            self.assertEqual(stream.finish(), [])
            self.assertIn("before there were projections enough", stream.warnings()[-1])
        with Stream("tomoprojectionring views=5 angle-step=0.1 ! tomoliveslice axis-pos=6") as stream:
            for image in projections(6):
                stream.push(image)
            self.assertEqual(len(stream.finish()), 2)
            self.assertIn("leave out 151.4 of 180 degrees", stream.warnings()[-1])


if __name__ == "__main__":
    main()
