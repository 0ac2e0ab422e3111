# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomosirt against float64 iterations with the same matrix."""

import tempfile

from iterativetest import *


class Sirt(IterativeTestCase):
    def test_iterations(self):
        for properties, relaxation, number in (("", 1.0, 1), ("relaxation=1.7", 1.7, 1), ("subsets=5 relaxation=0.8", 0.8, 5)):
            parts = [self.rows(views) for views in subsets(self.VIEWS, number)]
            with self.subTest(properties=properties):
                self.check_method(f"tomosirt num-iterations=20 {properties}",
                                  lambda b: additive(self.a, b, 20, relaxation, parts))

    def test_fourier(self):
        for properties, number in (("relaxation=1.7", 1), ("subsets=5 relaxation=1.7", 5), ("subsets=32768 relaxation=1.7", self.VIEWS)):
            parts = [self.rows(views) for views in subsets(self.VIEWS, number)]
            with self.subTest(properties=properties):
                self.check_method(f"tomosirt num-iterations=20 {properties} {self.FOURIER}",
                                  lambda b: additive(self.fourier, b, 20, 1.7, parts, sums=self.a))
        self.check_fourier("tomosirt")

    def test_fourier_converges(self):
        """With all relaxations that do with Joseph's projection, also where the detector hardly sees some pixels."""
        for region in "", "roi-x=0 roi-y=0 roi-width=49 roi-height=50 slice-axis-pos=25", "roi-width=60 roi-height=7 slice-axis-pos=5":
            with self.subTest(region=region), Stream(f"tomosirt num-iterations=300 relaxation=1.9 operator=fourier {region}") as stream:
                stream.push(self.data()[0], event=scan_event(self.angles, self.AXIS))
                self.assertTrue(np.isfinite(stream.finish()[0]).all())
                residuals = stream.element_messages("tomo-iterations")[0].get_value("residuals")
                # Those in the norm of the method fall always, plain ones at the end.
                self.assertTrue((np.diff([residuals[i] for i in range(100, 300)]) < 1e-6).all(), f"(seed {SEED})")
                self.assertLess(residuals[299], residuals[0])

    def test_bounds(self):
        parts = [self.rows(range(self.VIEWS))]
        self.check_method("tomosirt num-iterations=20 minimum=0 maximum=0.5",
                          lambda b: additive(self.a, b, 20, 1.0, parts, 0.0, 0.5))
        self.assert_fails(["minimum=1", "maximum=0.5"], "tomosirt minimum=1 maximum=0.5", [self.data()[0]])

    def test_axis_elsewhere_in_the_slice(self):
        a = matrix(self.angles, self.COLUMNS, 15.3, 21, 23, axis_in_slice=11.25)
        sinogram = self.data(matrix=a)[0]
        with Stream("tomosirt num-iterations=4 roi-width=21 roi-height=23 slice-axis-pos=11.25") as stream:
            stream.push(sinogram, event=scan_event(self.angles, 15.3))
            result = stream.pull()
        wanted, _ = additive(a, sinogram.astype(np.float64).ravel(), 4, 1.0, [slice(None)])
        self.assertLess(np.linalg.norm(result.ravel() - wanted), 1e-4 * np.linalg.norm(wanted))

    def test_divergence_is_told(self):
        self.slices("tomosirt relaxation=3", self.data())
        self.assertRegex(" ".join(self.warnings), "residual of array 0 grew.*relaxation")
        self.slices("tomosirt", self.data())
        self.assertEqual(self.warnings, [])

    def test_a_slice_amid_iterations(self):
        """The middle one of those that are made together, with the number of its iteration; and how far these are."""
        a = matrix(self.angles, self.COLUMNS, 15.3, 21, 23)
        sinograms = self.data(4, a)
        with Stream("tomosirt name=it num-iterations=100000 relaxation=1.5 roi-width=21 roi-height=23") as stream:
            stream["it"].set_property("preview", 7)
            stream.push(sinograms, event=scan_event(self.angles, 15.3))
            deadline = GLib.get_monotonic_time() + TIMEOUT * 1000000
            while len(stream.element_messages("tomo-iterating")) < 2 and GLib.get_monotonic_time() < deadline:
                stream._poll()
            shown = stream.element_messages("tomo-iterate")
            first, second = stream.element_messages("tomo-iterating")[:2]
        self.assertEqual([[m.get_value(key) for key in ("slice", "iteration", "iterations")] for m in shown], [[2, 1, 100000]])
        sample = shown[0].get_value("sample")
        image = np.frombuffer(sample.get_buffer().extract_dup(0, 21 * 23 * 4), np.float32)
        wanted, _ = additive(a, sinograms[2].astype(np.float64).ravel(), 1, 1.5, [slice(None)])
        self.assertLess(np.linalg.norm(image - wanted), 1e-5 * np.linalg.norm(wanted))
        for key, value in (("slice", 0), ("slices", 4), ("iterations", 100000)):
            self.assertEqual((first.get_value(key), second.get_value(key)), (value, value))
        for key in ("iteration", "seconds"):
            self.assertGreater(second.get_value(key), first.get_value(key))
        self.assertTrue(0 < second.get_value("residual") < 1.0001 * first.get_value("residual"))  # it converges soon

    def test_start(self):
        parts = [self.rows(views) for views in subsets(self.VIEWS, 2)]
        self.check_start("tomosirt num-iterations=3 subsets=2", lambda b, start, mask: additive(
            self.a, b, 3, 1.0, parts, start=start, mask=mask)[0])

    def test_start_that_does_not_fit(self):
        sinogram, slices = self.data()[0], np.ones((2, self.HEIGHT, self.WIDTH), np.float32)
        for start, error in (([slices[0, :-1]], f"input initial got float32 {self.WIDTH} x {self.HEIGHT - 1}.*wanted slices of "
                              f"{self.WIDTH} x {self.HEIGHT}"),
                             ([slices], "a plane for each of 1 sinograms")):
            with self.assertRaisesRegex(PipelineError, error):
                self.slices_from("tomosirt", [sinogram], start)
        (without,), (alone,) = self.slices_from("tomosirt", [sinogram], []), self.slices_from("tomosirt", [sinogram])
        np.testing.assert_array_equal(without, alone)

    def test_start_that_does_not_come(self):
        """A flush, a stop and an end do not wait for it."""
        sinogram = self.data()[0]
        with Stream("SRC0 ! it.sink SRC1 ! it.initial tomosirt name=it num-iterations=1", inputs=2) as stream:
            stream.push(sinogram)
            GLib.usleep(200000)
            start = GLib.get_monotonic_time()
            self.assertTrue(stream["src0"].send_event(Gst.Event.new_flush_start()))
            self.assertTrue(stream["src0"].send_event(Gst.Event.new_flush_stop(True)))
            self.assertLess(GLib.get_monotonic_time() - start, 5e6)
            for _ in range(2):  # for the sinogram that the flush took, and the next one
                stream.push(np.zeros((self.COLUMNS, self.COLUMNS), np.float32), 1)
            self.assertTrue(np.isfinite(stream.through(sinogram)).all())
            stream.push(sinogram)  # waits again
            GLib.usleep(200000)
            start = GLib.get_monotonic_time()
        self.assertLess(GLib.get_monotonic_time() - start, 5e6)
        with Stream("tomodummydata width=33 height=24 number=2 init=1 ! queue ! it.sink SRC0 ! it.initial "
                    "tomosirt name=it", inputs=1) as stream:
            GLib.usleep(200000)
            self.assertTrue(stream.pipeline.send_event(Gst.Event.new_eos()))
            with self.assertRaises(EOFError):
                while True:  # the end of the start lets the sinograms go that wait for it, from zero on
                    stream.pull(TIMEOUT / 2)

    def test_start_before_a_flush(self):
        """It is none for the stream behind."""
        sinogram, start = self.data()[0], rng.uniform(0, 1, (self.COLUMNS, self.COLUMNS)).astype(np.float32)
        with Stream("SRC0 ! it.sink SRC1 ! it.initial tomosirt name=it num-iterations=1", inputs=2) as stream:
            stream.push(start, 1)
            begun = stream.through(sinogram)
            for event in Gst.Event.new_flush_start(), Gst.Event.new_flush_stop(True):
                for source in "src0", "src1":
                    self.assertTrue(stream[source].send_event(event))
            stream.end(1)
            alone = stream.through(sinogram)
        with Stream("tomosirt num-iterations=1") as stream:
            np.testing.assert_array_equal(alone, stream.through(sinogram))
        self.assertGreater(np.abs(begun - alone).max(), 0.01)

    def test_seek(self):
        """Sinograms and their starts stay pairs; a start for all serves behind a seek as well."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        np.save(f"{folder}/sinograms.npy", self.data(4))
        np.save(f"{folder}/starts.npy", rng.uniform(0, 1, (4, 33, 33)).astype(np.float32))
        np.save(f"{folder}/start.npy", rng.uniform(0, 1, (33, 33)).astype(np.float32))
        for start in "starts.npy", "start.npy":
            line = (f"tomoread path={folder}/sinograms.npy ! it.sink tomoread path={folder}/{start} ! it.initial "
                    "tomosirt name=it num-iterations=1")
            with Stream(line, inputs=0) as stream:
                whole = [stream.pull() for _ in range(4)]
                with self.assertRaises(EOFError):
                    stream.pull()
                self.assertTrue(stream.pipeline.seek(1.0, Gst.Format.DEFAULT, Gst.SeekFlags.FLUSH, Gst.SeekType.SET, 2,
                                                     Gst.SeekType.NONE, -1))
                for wanted in whole[2:]:
                    np.testing.assert_array_equal(stream.pull(), wanted)

    def test_stops(self):
        self.check_stops("tomosirt")

    def test_streams(self):
        self.check_streams("tomosirt")


if __name__ == "__main__":
    main()
