# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomofft against numpy.fft, alone and with tomoifft, on every engine."""

import os
import subprocess
import sys
import unittest

from tomotest import *
from elementtest import DEVICE_CAPS, ElementTestCase, Stream

TOLERANCE = 1e-6
ENGINES = ("vkfft", "fftw", "clfft")


def reference(array, dimensions=1, size=()):
    """Forward transform in double precision; `size` as for numpy, of the transformed axes."""
    array = np.asarray(array, dtype=np.complex128 if np.iscomplexobj(array) else np.float64)
    axes = tuple(range(max(array.ndim - dimensions, 0), array.ndim))
    return np.fft.fftn(array, size or None, axes)


class Fft(ElementTestCase):
    def test_properties(self):
        self.check_properties(
            "tomofft",
            {
                "batch": (0, 0, 1024),
                "dimensions": (1, 1, 3),
                "size-x": (0, 0, 32768),
                "size-y": (0, 0, 32768),
                "size-z": (0, 0, 32768),
                "auto-zeropadding": False,
            },
        )

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                a = random_array(dtype, (5, 12))
                (sample,) = run("tomofft", [a], samples=True, framerate=25)
                self.assert_close(to_array(sample), reference(a), TOLERANCE)
                structure = sample.get_caps().get_structure(0)
                self.assertEqual(structure.get_string("format"), "complex64")
                self.assertEqual(structure.get_string("domain"), "spectrum")
                self.assertEqual(structure.get_fraction("framerate")[1:], (25, 1))

    def test_dimensions_and_sizes(self):
        shapes = [(1, 1), (7, 1), (1, 2), (3, 97), (4, 8), (2, 1021), (3, 2, 5), (5, 7, 11), (2, 1, 1)]
        for shape in shapes:
            for dimensions in (1, 2, 3):
                with self.subTest(shape=shape, dimensions=dimensions):
                    a = random_array(np.float32, shape)
                    wanted = reference(a if a.ndim == 3 else a[None], dimensions)
                    (result,) = run(f"tomofft dimensions={dimensions}", [a])
                    self.assert_close(result, wanted.reshape(shape), TOLERANCE)

    def test_long_rows(self):
        a = random_array(np.float32, (3, 4096)) + np.float32(1.0)
        self.assert_close(run("tomofft", [a])[0], reference(a), TOLERANCE)

    def test_padding_appends_zeros(self):
        a = random_array(np.float32, (3, 5, 6))
        for line, dimensions, size in (
            ("size-x=11", 1, (11,)),
            ("dimensions=2 size-y=8", 2, (8, 6)),
            ("dimensions=3 size-x=7 size-y=5 size-z=4", 3, (4, 5, 7)),
        ):
            with self.subTest(line=line):
                (result,) = run(f"tomofft {line}", [a])
                self.assert_close(result, reference(a, dimensions, size), TOLERANCE)

    def test_auto_zeropadding(self):
        for length, padded in ((1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (9, 16), (16, 16)):
            with self.subTest(length=length):
                a = random_array(np.float32, (3, length))
                self.assert_close(
                    run("tomofft auto-zeropadding=true", [a])[0], reference(a, 1, (padded,)), TOLERANCE
                )
        a = random_array(np.float32, (3, 5, 6))
        self.assert_close(
            run("tomofft auto-zeropadding=true dimensions=2 size-x=7", [a])[0],
            reference(a, 2, (8, 7)),
            TOLERANCE,
        )
        self.assert_close(
            run("tomofft auto-zeropadding=true dimensions=3", [a])[0], reference(a, 3, (4, 8, 8)), TOLERANCE
        )

    def test_nan_stays_in_its_row(self):
        a = random_array(np.float32, (9, 12))
        a[4, 3] = np.nan
        (result,) = run("tomofft", [a])
        self.assertTrue(np.isnan(result[4]).all())
        others = np.arange(9) != 4
        self.assert_close(result[others], reference(a[others]), TOLERANCE)

    def test_memory(self):
        arrays = [random_array(np.float32, (3, 10)) for _ in range(5)]
        self.check_memory(
            "tomofft size-x=12",
            arrays,
            reference=[reference(a, 1, (12,)) for a in arrays],
            tolerance=TOLERANCE,
        )

    def test_state_cycles(self):
        arrays = [random_array(np.float32, (3, 10)) for _ in range(3)]
        self.check_state_cycles(
            "tomofft", arrays, reference=[reference(a) for a in arrays], tolerance=TOLERANCE
        )

    def test_input_is_left_alone(self):
        """Others read the same memory; complex input could be transformed in place by mistake."""
        a = random_array(np.complex64, (4, 6))
        whole, spectrum = f"queue ! {DEVICE_CAPS} ! appsink name=whole sync=false", "queue ! tomofft ! SINK"
        with Stream(f"SRC0 ! tomoupload ! tee name=t ! {whole}  t. ! {spectrum}") as stream:
            stream.push(a)
            self.assert_close(stream.pull(), reference(a), TOLERANCE)
            np.testing.assert_array_equal(to_array(stream["whole"].try_pull_sample(10 * Gst.SECOND)), a)

    def test_changes_while_playing(self):
        a = random_array(np.float32, (3, 5))
        with Stream("tomofft name=f") as stream:
            self.assert_close(stream.through(a), reference(a), TOLERANCE)
            stream["f"].set_property("size-x", 8)
            self.assert_close(stream.through(a), reference(a, 1, (8,)), TOLERANCE)
            stream["f"].set_property("dimensions", 2)
            self.assert_close(stream.through(a), reference(a, 2, (3, 8)), TOLERANCE)
            stream["f"].set_property("size-x", 0)
            stream["f"].set_property("auto-zeropadding", True)
            self.assert_close(stream.through(a), reference(a, 2, (4, 8)), TOLERANCE)

    def test_caps_changes(self):
        arrays = [
            random_array(t, s)
            for t, s in (
                (np.float32, (3, 5)),
                (np.uint16, (3, 5)),
                (np.uint16, (4, 9)),
                (np.float32, (2, 4, 9)),
                (np.complex64, (3, 5)),
            )
        ]
        for a, result in zip(arrays, run("tomofft", arrays), strict=True):
            self.assert_close(result, reference(a), TOLERANCE)

    def test_errors(self):
        a = random_array(np.float32, (3, 5))
        self.assert_fails(["size-x=4", "5 samples", "crop"], "tomofft size-x=4", [a])
        self.assert_fails(["size-y=2", "3 samples"], "tomofft dimensions=2 size-y=2", [a])
        self.assert_fails(["size-y=8", "dimensions=1"], "tomofft size-y=8", [a])
        self.assert_fails(["size-z=8", "dimensions=2"], "tomofft dimensions=2 size-z=8", [a])


class Engine(ElementTestCase):
    """Run by Engines, once with each engine."""

    @classmethod
    def setUpClass(cls):
        if not os.environ.get("GST_TOMO_FFT"):
            raise unittest.SkipTest("run by Engines")

    def test_there_and_back(self):
        for shape, dimensions in (((3, 15), 1), ((2, 6, 10), 2), ((1, 1), 1)):
            with self.subTest(shape=shape, dimensions=dimensions):
                a = random_array(np.float32, shape)
                (spectrum,) = run(f"tomofft dimensions={dimensions}", [a])
                self.assert_close(spectrum, reference(a, dimensions), TOLERANCE)
                (again,) = run(f"tomofft dimensions={dimensions} ! tomoifft dimensions={dimensions}", [a])
                self.assert_close(again, a, TOLERANCE)

    def test_prime(self):
        a = random_array(np.float32, (2, 37))
        if os.environ["GST_TOMO_FFT"] == "clfft":
            self.assert_fails(["clFFT", "37"], "tomofft", [a])
        else:
            self.assert_close(run("tomofft ! tomoifft", [a])[0], a, TOLERANCE)
            self.assert_close(run("tomofft", [a])[0], reference(a), TOLERANCE)


class Engines(unittest.TestCase):
    def start(self, engine, *names, **environment):
        environment = {**os.environ, "GST_TOMO_FFT": engine, "GST_TOMO_TEST_SEED": str(SEED), **environment}
        process = subprocess.Popen(
            [sys.executable, __file__, *names],
            env=environment,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(process.kill)
        return process

    def test_engines(self):
        debug = {"GST_DEBUG": "tomofft*:5", "GST_DEBUG_NO_COLOR": "1"}
        processes = {engine: self.start(engine, "Engine", **debug) for engine in ENGINES}
        for engine, process in processes.items():
            with self.subTest(engine=engine):
                _, output = process.communicate(timeout=2 * TIMEOUT)
                if f"this build of gst-tomo is without {engine}" in output:
                    self.skipTest(f"built without {engine}")
                self.assertEqual(process.returncode, 0, output)
                self.assertIn(f"of 3 x 15 with {engine}", output)
                for other in set(ENGINES) - {engine}:
                    self.assertNotIn(f"with {other}", output)

    def test_unknown_engine(self):
        process = self.start("fastest", "Fft.test_long_rows")
        _, output = process.communicate(timeout=TIMEOUT)
        self.assertNotEqual(process.returncode, 0)
        for words in ("GST_TOMO_FFT=fastest", "vkfft", "fftw", "clfft"):
            self.assertIn(words, output)


if __name__ == "__main__":
    main()
