# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomointerpolatestream against piecewise linear interpolation in float64."""

import os

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *

import tempfile

import tifffile
from scipy import interpolate

TOLERANCE = 1e-6


def between(arrays, n):
    stack = np.array(arrays, np.float64)
    places = np.linspace(0, len(arrays) - 1, n) if n > 1 else [0.0]
    if len(arrays) == 1:
        return [stack[0]] * n
    return list(interpolate.interp1d(np.arange(len(arrays)), stack, axis=0)(places))


class InterpolateStream(ElementTestCase):
    def assert_between(self, results, arrays, n):
        for result, wanted in zip(results, between(arrays, n), strict=True):
            self.assertEqual(result.dtype, np.float32)
            self.assert_close(result, wanted, TOLERANCE)

    def test_properties(self):
        self.check_properties("tomointerpolatestream", {"number": (1, 1, 2**32 - 1)})

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                arrays = [rng.uniform(0, 99, (5, 4)).astype(FORMATS[name]) for _ in range(3)]
                self.assert_between(run("tomointerpolatestream number=4", arrays), arrays, 4)

    def test_numbers(self):
        for m in 1, 2, 3, 7:
            for n in 1, 2, 3, 7, 20:
                with self.subTest(m=m, n=n):
                    arrays = [random_array(np.float32, (3, 5)) for _ in range(m)]
                    self.assert_between(run(f"tomointerpolatestream number={n}", arrays), arrays, n)
        arrays = [random_array(np.float32, (2, 1, 1)) for _ in range(3)]
        self.assert_between(run("tomointerpolatestream number=4", arrays), arrays, 4)

    def test_files(self):
        """Where the number is known beforehand."""
        for m in 1, 2, 5:
            with tempfile.TemporaryDirectory() as folder:
                arrays = [random_array(np.float32, (3, 5)) for _ in range(m)]
                for i, a in enumerate(arrays):
                    tifffile.imwrite(os.path.join(folder, f"{i}.tif"), a)
                for n in 1, 2, 3, 5, 12:
                    with self.subTest(m=m, n=n):
                        self.assert_between(run(f"tomoread path={folder} ! tomointerpolatestream number={n}"), arrays, n)

    def test_only_two_are_kept(self):
        """Of a stream whose length is known, outputs come while it runs."""
        with Pads("tomointerpolatestream number=5") as pads:
            pads.source.set_query_function_full(self.answer_ten)
            arrays = [np.full((64, 64), i, np.float32) for i in range(10)]
            counts, in_use = [], []
            for a in arrays:
                counts.append(len(pads.push(a)))
                in_use.append(pads.device.get_memory_in_use())
            self.assertEqual(counts, [1, 0, 0, 1, 0, 1, 0, 1, 0, 1])
            self.assertLessEqual(max(in_use), 6 * arrays[0].nbytes)
            np.testing.assert_allclose([o.array[0, 0] for o in pads.outputs], np.linspace(0, 9, 5))
            self.assertEqual(pads.eos(), [])
            self.assertTrue(pads.ended())

    @staticmethod
    def answer_ten(pad, parent, query):
        if query.type == Gst.QueryType.DURATION:
            query.set_duration(Gst.Format.DEFAULT, 10)
            return True
        return pad.query_default(parent, query)

    def test_another_number_than_announced(self):
        for n in 3, 11:
            with self.subTest(n=n), Pads("tomointerpolatestream number=5") as pads:
                pads.source.set_query_function_full(self.answer_ten)
                with self.assertRaisesRegex(PipelineError, "10 arrays were announced, but (only 3|at least 11)"):
                    pads.push(*[random_array(np.float32, (2, 3))] * n)
                    pads.eos()

    def test_nan(self):
        arrays = [random_array(np.float32, (3, 4)) for _ in range(3)]
        arrays[1][0, 0] = np.nan
        results = run("tomointerpolatestream number=5", arrays)
        self.assertEqual([bool(np.isnan(r[0, 0])) for r in results], [False, True, True, True, False])

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (4, 6)) for _ in range(3)]
        wanted = between(arrays, 4)
        self.check_memory("tomointerpolatestream number=4", arrays, reference=wanted, tolerance=TOLERANCE)
        with Pads("tomointerpolatestream number=4") as pads:
            pads.push(*arrays)
            pads.flush()
            pads.push(*arrays)
            self.assert_between(arrays_of(pads.eos()), arrays, 4)

    def test_facts(self):
        with Pads("tomointerpolatestream number=5") as pads:
            pads.send(scan_event([0.0, 1.0, 3.0], 1.5, 1e-6))
            pads.push(*[random_array(np.float32, (2, 4))] * 3, domain="projection")
            self.assertEqual({o.domain for o in pads.eos()}, {"projection"})
            self.assertEqual(pads.scan(), ([0.0, 0.5, 1.0, 2.0, 3.0], 1.5, 1e-6))


if __name__ == "__main__":
    main()
