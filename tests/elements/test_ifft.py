# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoifft against numpy.fft, and the way there and back."""

from tomotest import *
from elementtest import DEVICE_CAPS, ElementTestCase, Stream

TOLERANCE = 1e-6


def reference(spectrum, dimensions=1, crop_width=None, crop_height=None):
    spectrum = np.asarray(spectrum, dtype=np.complex128)
    axes = tuple(range(max(spectrum.ndim - dimensions, 0), spectrum.ndim))
    return np.fft.ifftn(spectrum, axes=axes).real[..., :crop_height, :crop_width]


class Ifft(ElementTestCase):
    def test_properties(self):
        self.check_properties(
            "tomoifft",
            {
                "batch": (0, 0, 1024),
                "dimensions": (1, 1, 3),
                "crop-width": (0, 0, 32768),
                "crop-height": (0, 0, 32768),
            },
        )

    def test_dimensions_and_sizes(self):
        for shape in ((1, 1), (7, 1), (1, 2), (3, 97), (4, 8), (3, 2, 5), (5, 7, 11), (2, 1, 1)):
            for dimensions in (1, 2, 3):
                with self.subTest(shape=shape, dimensions=dimensions):
                    a = random_array(np.complex64, shape)
                    wanted = reference(a if a.ndim == 3 else a[None], dimensions)
                    (sample,) = run(f"tomoifft dimensions={dimensions}", [a], samples=True, framerate=30)
                    self.assert_close(to_array(sample), wanted.reshape(shape), TOLERANCE)
                    structure = sample.get_caps().get_structure(0)
                    self.assertEqual(structure.get_string("format"), "float32")
                    self.assertFalse(structure.has_field("domain"))
                    self.assertEqual(structure.get_fraction("framerate")[1:], (30, 1))

    def test_crop_is_the_top_left(self):
        a = random_array(np.complex64, (3, 6, 11))
        for width, height, dimensions in ((7, 0, 1), (0, 4, 2), (1, 1, 2), (11, 6, 1), (3, 5, 3)):
            with self.subTest(width=width, height=height, dimensions=dimensions):
                (result,) = run(
                    f"tomoifft dimensions={dimensions} crop-width={width} crop-height={height}", [a]
                )
                self.assert_close(result, reference(a, dimensions, width or None, height or None), TOLERANCE)

    def test_there_and_back(self):
        """Padding and crop undo each other, for every real format."""
        for name in REAL:
            with self.subTest(format=name):
                a = random_array(FORMATS[name], (7, 13))
                (result,) = run("tomofft size-x=16 ! tomoifft crop-width=13", [a])
                self.assert_close(result, a, TOLERANCE)
        a = random_array(np.float32, (5, 7, 13))
        for dimensions, sizes, crop in (
            (1, "", ""),
            (2, "size-x=17 size-y=9", "crop-width=13 crop-height=7"),
            (2, "auto-zeropadding=true", "crop-width=13 crop-height=7"),
            (3, "", ""),
        ):
            with self.subTest(dimensions=dimensions, sizes=sizes):
                (result,) = run(
                    f"tomofft dimensions={dimensions} {sizes} ! tomoifft dimensions={dimensions} {crop}", [a]
                )
                self.assert_close(result, a, TOLERANCE)

    def test_only_the_real_part_is_given(self):
        a = (1j * random_array(np.float32, (2, 9))).astype(np.complex64)
        (result,) = run("tomofft ! tomoifft", [a])
        np.testing.assert_allclose(result, 0, atol=1e-5)

    def test_nan_stays_in_its_row(self):
        a = random_array(np.complex64, (9, 12))
        a[2, 5] = complex(np.nan, np.nan)
        (result,) = run("tomoifft", [a])
        self.assertTrue(np.isnan(result[2]).all())
        others = np.arange(9) != 2
        self.assert_close(result[others], reference(a[others]), TOLERANCE)

    def test_memory(self):
        arrays = [random_array(np.complex64, (3, 10)) for _ in range(5)]
        self.check_memory(
            "tomoifft crop-width=7",
            arrays,
            reference=[reference(a, 1, 7) for a in arrays],
            tolerance=TOLERANCE,
        )

    def test_state_cycles(self):
        arrays = [random_array(np.complex64, (3, 10)) for _ in range(3)]
        self.check_state_cycles(
            "tomoifft", arrays, reference=[reference(a) for a in arrays], tolerance=TOLERANCE
        )

    def test_input_is_left_alone(self):
        a = random_array(np.complex64, (4, 6))
        whole, inverse = f"queue ! {DEVICE_CAPS} ! appsink name=whole sync=false", "queue ! tomoifft ! SINK"
        with Stream(f"SRC0 ! tomoupload ! tee name=t ! {whole}  t. ! {inverse}") as stream:
            stream.push(a)
            self.assert_close(stream.pull(), reference(a), TOLERANCE)
            np.testing.assert_array_equal(to_array(stream["whole"].try_pull_sample(10 * Gst.SECOND)), a)

    def test_changes_while_playing(self):
        a = random_array(np.complex64, (3, 5))
        with Stream("tomoifft name=f") as stream:
            self.assert_close(stream.through(a), reference(a), TOLERANCE)
            stream["f"].set_property("crop-width", 4)
            self.assert_close(stream.through(a), reference(a, 1, 4), TOLERANCE)
            stream["f"].set_property("dimensions", 2)
            stream["f"].set_property("crop-height", 1)
            self.assert_close(stream.through(a), reference(a, 2, 4, 1), TOLERANCE)

    def test_caps_changes(self):
        arrays = [random_array(np.complex64, shape) for shape in ((3, 5), (4, 9), (2, 4, 9), (3, 5))]
        for a, result in zip(arrays, run("tomoifft", arrays), strict=True):
            self.assert_close(result, reference(a), TOLERANCE)

    def test_errors(self):
        a = random_array(np.complex64, (3, 5))
        self.assert_fails(["crop-width=6", "5 samples"], "tomoifft crop-width=6", [a])
        self.assert_fails(["crop-height=4", "3 samples"], "tomoifft crop-height=4", [a])
        self.assert_fails(["sink", "float32", "complex64"], "tomoifft", [random_array(np.float32, (3, 5))])


if __name__ == "__main__":
    main()
