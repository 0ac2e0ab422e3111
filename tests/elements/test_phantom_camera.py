# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomophantomcamera: what its frames show, their numbers and times."""

import time

from tomotest import *
from elementtest import ElementTestCase, frame_meta
from phantomcamera import transmission


class PhantomCamera(ElementTestCase):
    def shoot(self, options, number, **keywords):
        samples = run(f"tomophantomcamera num-buffers={number} live=false {options}", samples=True, **keywords)
        return samples, [frame_meta(sample.get_buffer()) for sample in samples]

    def test_properties(self):
        self.check_properties("tomophantomcamera", {
            "width": (512, 1, 32768), "height": (512, 1, 32768), "frame-rate": (50.0, 1e-3, 1e6), "half-turn": (180, 1, 2**20), "live": True,
            "scene": ("sample", {"sample", "flat", "dark"}), "axis-pos": (0.0, 0.0, 32768.0), "dark": (200.0, 0.0, 20000.0),
            "noise": (1.0, 0.0, 100.0), "moving": (0.0, -1e4, 1e4), "jitter": (0.0, 0.0, 0.5), "lost": (0.0, 0.0, 0.99),
            "repeated": (0.0, 0.0, 0.99), "tells-angle": False, "stopped": False, "seed": (0, 0, 2**64 - 1)})

    def test_frames_are_line_integrals(self):
        """Of the phantom at each angle, as counts that are rounded."""
        width, rows, axis, moving = 61, 40, 28.3, 4.0
        options = f"width={width} height={rows} axis-pos={axis} half-turn=9 noise=0 moving={moving}"
        flat, dark = (to_array(self.shoot(f"{options} scene={scene}", 1)[0][0]).astype(float) for scene in ("flat", "dark"))
        self.assertTrue((dark == 200).all())
        self.assertTrue((flat > 30000).all() and flat.std() > 100)
        samples, metas = self.shoot(options, 10)
        for n, (sample, meta) in enumerate(zip(samples, metas)):
            self.assertEqual((meta.index, sample.get_buffer().offset), (n, n))
            self.assertTrue(np.isnan(meta.angle))
            wanted = dark + (flat - dark) * transmission(np.pi * n / 9, (rows, width), axis, moving)
            self.assertLess(np.abs(to_array(sample).astype(float) - wanted).max(), 1.6)

    def test_noise(self):
        """That of photons, and the same for one seed."""
        options = "width=64 height=64 scene=flat noise=2"
        noisy = [to_array(sample).astype(float) for sample in self.shoot(options, 3)[0]]
        even = to_array(self.shoot("width=64 height=64 scene=flat noise=0", 1)[0][0]).astype(float)
        self.assertNotEqual(noisy[0].tolist(), noisy[1].tolist())
        self.assertAlmostEqual(((noisy[0] - even) / (2 * np.sqrt(even - 200))).std(), 1.0, delta=0.06)
        again = [to_array(sample).astype(float) for sample in self.shoot(options, 3)[0]]
        self.assertEqual([image.tolist() for image in noisy], [image.tolist() for image in again])
        other = to_array(self.shoot(f"{options} seed=1", 1)[0][0])
        self.assertNotEqual(noisy[0].tolist(), other.tolist())

    def test_times_and_angles_with_jitter(self):
        """The angle is that of the time."""
        samples, metas = self.shoot("width=8 height=8 half-turn=20 frame-rate=10 jitter=0.4 tells-angle=true", 50)
        times = np.array([meta.time for meta in metas]) / Gst.SECOND
        self.assertEqual([sample.get_buffer().pts for sample in samples], [meta.time for meta in metas])
        deviations = times * 10 - np.arange(50)
        self.assertEqual(deviations[0], 0)
        self.assertLessEqual(np.abs(deviations).max(), 0.4)
        self.assertGreater(np.abs(deviations).max(), 0.2)
        np.testing.assert_allclose([meta.angle for meta in metas], np.pi / 20 * times * 10, atol=1e-7)

    def test_lost_and_repeated_frames(self):
        samples, metas = self.shoot("width=8 height=8 lost=0.2 repeated=0.1 noise=1", 400)
        numbers = np.array([meta.index for meta in metas])
        steps = np.diff(numbers)
        self.assertTrue((steps >= 0).all())
        self.assertAlmostEqual((steps == 0).mean(), 0.1 / 1.1, delta=0.06)
        self.assertAlmostEqual(1 - len(set(numbers)) / (numbers[-1] + 1), 0.2, delta=0.07)
        for n in np.flatnonzero(steps == 0):
            self.assertEqual(to_array(samples[n]).tolist(), to_array(samples[n + 1]).tolist())

    def test_frames_come_at_their_times(self):
        begin = time.monotonic()
        run("tomophantomcamera num-buffers=21 width=8 height=8 frame-rate=50", samples=True)
        self.assertGreater(time.monotonic() - begin, 0.39)

    def test_who_is_slow_loses_frames(self):
        samples = run("tomophantomcamera num-buffers=30 width=8 height=8 frame-rate=500 ! tomosleep time=0.02", samples=True)
        numbers = [frame_meta(sample.get_buffer()).index for sample in samples]
        self.assertGreater(numbers[-1], 150)

    def test_a_new_size(self):
        pipeline = Gst.parse_launch("tomophantomcamera name=c width=8 height=6 frame-rate=200 ! appsink name=k sync=false max-buffers=2")
        try:
            pipeline.set_state(Gst.State.PLAYING)
            sink = pipeline.get_by_name("k")
            self.assertEqual(to_array(sink.try_pull_sample(TIMEOUT * Gst.SECOND)).shape, (6, 8))
            pipeline.get_by_name("c").set_property("width", 10)
            shapes = [to_array(sink.try_pull_sample(TIMEOUT * Gst.SECOND)).shape for _ in range(6)]
            self.assertEqual(shapes[-1], (6, 10))
        finally:
            pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    main()
