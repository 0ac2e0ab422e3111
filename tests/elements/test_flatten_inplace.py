# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoflatteninplace against numpy over a stream."""

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *

TOLERANCE = 1e-6
MODES = {"sum": np.sum, "min": np.min, "max": np.max}


class FlattenInplace(ElementTestCase):
    def check(self, mode, arrays):
        (result,) = run(f"tomoflatteninplace mode={mode}", arrays)
        self.assertEqual(result.dtype, np.float32)
        wanted = MODES[mode](np.array(arrays, np.float64), axis=0)
        np.testing.assert_array_equal(np.isnan(result), np.isnan(wanted))
        self.assert_close(np.nan_to_num(result), np.nan_to_num(wanted.astype(np.float32)), TOLERANCE, mode)

    def test_properties(self):
        self.check_properties("tomoflatteninplace", {"mode": ("sum", set(MODES))})

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                self.check("max", [random_array(FORMATS[name], (5, 4)) for _ in range(4)])

    def test_modes(self):
        for mode in MODES:
            for shape in (1, 1), (31, 37), (3, 5, 7):
                for n in 1, 2, 9:
                    self.check(mode, [random_array(np.float32, shape) for _ in range(n)])

    def test_the_first_image_counts(self):
        positive = [rng.uniform(1, 2, (3, 4)).astype(np.float32) for _ in range(3)]
        self.check("min", positive)
        self.check("max", [-a for a in positive])

    def test_nan_and_infinity(self):
        for mode in MODES:
            arrays = [random_array(np.float32, (4, 5)) for _ in range(4)]
            arrays[0][0, 0], arrays[2][1, 1], arrays[3][2, 2], arrays[1][3, 3] = np.nan, np.nan, np.inf, -np.inf
            self.check(mode, arrays)
            self.check(mode, [np.full((2, 2), -np.inf, np.float32)] * 2)

    def test_long_sums(self):
        huge = random_array(np.float32, (3, 5)) * np.float32(1e9)
        self.check("sum", [huge, *(random_array(np.float32, (3, 5)) for _ in range(300)), -huge])

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (9, 8)) for _ in range(3)]
        wanted = [np.min(arrays, axis=0)]
        self.check_memory("tomoflatteninplace mode=min", arrays, reference=wanted, tolerance=0)
        with Pads("tomoflatteninplace mode=min") as pads:
            in_use = []
            for a in arrays * 3:
                pads.push(a)
                in_use.append(pads.device.get_memory_in_use())
            self.assertEqual(len(set(in_use)), 1, in_use)
            pads.flush()
            pads.push(arrays[1])
            np.testing.assert_array_equal(pads.eos()[0].array, arrays[1])

    def test_facts(self):
        with Pads("tomoflatteninplace") as pads:
            pads.send(scan_event([1.0, 2.0], 1.5, 1e-6))
            pads.push(*[random_array(np.float32, (2, 4))] * 2, rate=10, domain="projection")
            (output,) = pads.eos()
            self.assertEqual((output.domain, output.rate, output.pts, output.duration), ("projection", (0, 1), 0, Gst.SECOND // 5))
            self.assertEqual(pads.scan(), ([], 1.5, 1e-6))


if __name__ == "__main__":
    main()
