# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomocut: columns that stay."""

from tomotest import *
from elementtest import ElementTestCase
from padtest import *

def cut(a, width):
    rest = a.shape[-1] - width
    left = min(rest, rest // 2 + 1)
    return np.concatenate([a[..., :left], a[..., a.shape[-1] - (rest - left):]], axis=-1)


class Cut(ElementTestCase):
    def check(self, width, *arrays):
        for result, a in zip(run(f"tomocut width={width}", list(arrays)), arrays, strict=True):
            wanted = np.ascontiguousarray(cut(a, width))
            self.assertEqual((result.dtype, result.shape), (wanted.dtype, wanted.shape))
            np.testing.assert_array_equal(result.view(np.uint8), wanted.view(np.uint8))

    def test_properties(self):
        self.check_properties("tomocut", {"width": (0, 0, 2**32 - 1)})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                self.check(3, random_array(dtype, (5, 8)))

    def test_widths(self):
        for width in range(7):
            self.check(width, random_array(np.float32, (3, 7)), random_array(np.uint8, (2, 3, 8)))
        self.check(0, random_array(np.float32, (1, 1)))

    def test_low_frequencies_of_a_spectrum_stay(self):
        a = random_array(np.complex64, (1, 16))
        frequencies = np.fft.fftfreq(16) * 16
        for n in 5, 8:
            (result,) = run(f"tomocut width={16 - n}", [frequencies.astype(np.float32)[None]])
            self.assertEqual(sorted(abs(result[0])), sorted(abs(np.fft.fftfreq(n) * n)))
            (result,) = run(f"tomocut width={16 - n}", [a])
            np.testing.assert_array_equal(result, cut(a, 16 - n))

    def test_errors(self):
        for width in 4, 2**32 - 1:
            self.assert_fails([f"width={width}", "4", "nothing left"], f"tomocut width={width}",
                              [random_array(np.float32, (3, 4))])

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (9, 8)) for _ in range(2)]
        wanted = [cut(a, 3) for a in arrays]
        self.check_memory("tomocut width=3", arrays, reference=wanted, tolerance=0)
        self.check_state_cycles("tomocut width=3", arrays, reference=wanted, tolerance=0)
        volume = random_array(np.uint16, (5, 3, 7))
        for result, plane in zip(run("tomoslice ! tomocut width=2", [volume]), volume, strict=True):
            np.testing.assert_array_equal(result, cut(plane, 2))

    def test_facts(self):
        a = random_array(np.float32, (2, 10))
        for axis, wanted in (2.5, 2.5), (4.0, 4.0), (5.0, np.nan), (8.5, 4.5), (np.nan, np.nan):
            with Pads("tomocut width=4") as pads:
                pads.send(scan_event([0.0, 1.0], axis, 1e-6))
                pads.push(a, domain="sinogram")
                np.testing.assert_array_equal(pads.scan()[1], wanted)
                self.assertEqual((pads.scan()[0], pads.scan()[2]), ([0.0, 1.0], 1e-6))


if __name__ == "__main__":
    main()
