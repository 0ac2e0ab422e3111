# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoocl1liner against numpy."""

import subprocess

import tempfile

from tomotest import *
from elementtest import ElementTestCase, Stream


class OclOneLiner(ElementTestCase):
    def test_properties(self):
        self.check_properties(
            "tomoocl1liner", {"one-line": None, "num-inputs": (1, 0, 2**32 - 1), "quiet": True}
        )

    def test_every_format(self):
        for name in REAL:
            a = random_array(FORMATS[name], (3, 7))
            with self.subTest(format=name):
                (result,) = run('tomoocl1liner one-line="out_px = 2 * in_0_px"', [a])
                self.assertEqual(result.dtype, np.float32)
                self.assert_close(result, 2 * a.astype(np.float64), 1e-6)

    def test_ways_to_say_it(self):
        arrays = [random_array(np.float32, s) for s in ((1, 1), (5, 7), (2, 3, 5))]
        y, x = np.indices((3, 5))
        for line, wanted in (
            ("out[px_index] = in0[px_index] + in_0[px_index];", lambda a: 2 * a),
            # Of UFO's documentation: one pixel to the left.
            (
                "out[px_index] = IMG_VAL((x<(sizeX-1))?x+1:(sizeX-1),y,in_0)",
                lambda a: np.concatenate([a[..., 1:], a[..., -1:]], -1),
            ),
            (
                "out_px = x + 10 * y + 100 * z + 1000 * sizeX + 10000 * sizeY",
                lambda a: sum(
                    f * n for f, n in zip((100, 10, 1), np.indices(a.shape if a.ndim == 3 else (1,) + a.shape))
                ).reshape(a.shape)
                + 1000 * a.shape[-1]
                + 10000 * a.shape[-2],
            ),
            ("if (x > 0) out_px = 1", lambda a: np.broadcast_to(np.arange(a.shape[-1]) > 0, a.shape)),
        ):
            for a, result in zip(arrays, run(f'tomoocl1liner one-line="{line}"', arrays), strict=True):
                with self.subTest(line=line, shape=a.shape):
                    np.testing.assert_array_equal(result, wanted(a))

    def test_many_inputs(self):
        inputs = [[random_array(np.float32, (3, 5)) for _ in range(n)] for n in (1, 3, 2)]
        for number in (3, 0):
            line = (
                f'tomoocl1liner name=o num-inputs={number} one-line="out_px = in_0_px * in_1_px - in_2_px" '
                "SRC0 ! o. SRC1 ! o. SRC2 ! o. o. ! SINK"
            )
            results = run(line, *inputs)
            self.assertEqual(len(results), 3)
            for i, result in enumerate(results):
                a, b, c = (arrays[min(i, len(arrays) - 1)].astype(np.float64) for arrays in inputs)
                self.assert_close(result, a * b - c, 1e-6)

    def test_complex_and_nan(self):
        a = random_array(np.complex64, (3, 5))
        a[1, 1] = np.nan
        (result,) = run('tomoocl1liner one-line="out_px = x % 2 ? -in_0_px : in_0_px"', [a])
        np.testing.assert_array_equal(result, a.conj())

    def test_quiet(self):
        line = "tomodummydata width=2 number=1 ! tomoocl1liner one-line=out_px=x+7 %s ! fakesink"
        for option, printed in (("", False), ("quiet=false", True)):
            command = ["gst-launch-1.0", "-q", *(line % option).split()]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            self.assertEqual("out_px=x+7" in output and "kernel void ocl_1liner" in output, printed)

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.float32, (3, 5)) for _ in range(3)]
        wanted = [2 * a for a in arrays]
        line = 'tomoocl1liner one-line="out_px = 2 * in_0_px"'
        self.check_memory(line, arrays, reference=wanted, tolerance=0)
        self.check_state_cycles(line, arrays, reference=wanted, tolerance=0)

    def test_errors(self):
        a = random_array(np.float32, (3, 5))
        self.assert_fails(["one-line is empty"], "tomoocl1liner", [a])
        error = self.assert_fails(["one-line:1:", "missing", "^"], 'tomoocl1liner one-line="out_px = missing"', [a])
        self.assertIn("out_px = missing", str(error))
        for line in ("'out_px = 1'", "\\\"out_px = 1\\\";", "out_px = 'a'"):
            words = ["one-line is", "leave out the quotes"]
            self.assert_fails(words, f'tomoocl1liner one-line="{line}"', [a])
        (result,) = run(r'tomoocl1liner one-line="if (in_0_px > 1e30f) printf(\"%f\", in_0_px); out_px = 2"', [a])
        np.testing.assert_array_equal(result, 2)
        self.assert_fails(["1 inputs", "num-inputs=2"], 'tomoocl1liner num-inputs=2 one-line="out_px = 1"', [a])
        two = 'tomoocl1liner name=o num-inputs=2 one-line="out_px = 1" SRC0 ! o. SRC1 ! o. o. ! SINK'
        self.assert_fails(["same size"], two, [a], [a[:2]])


if __name__ == "__main__":
    main()
