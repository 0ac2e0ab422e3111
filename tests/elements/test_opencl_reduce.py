# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoopenclreduce: the built-in kernels against numpy, and kernels of users as UFO takes them."""

import os
import tempfile

from tomotest import *
from elementtest import ElementTestCase, Stream

from padtest import *

WEIGHTED = (
    "kernel void fold (global float *input, global float *output) { "
    "size_t i = get_global_id (1) * get_global_size (0) + get_global_id (0); output[i] = 0.5f * output[i] + input[i]; } "
    "kernel void end (global float *output, uint count) { "
    "size_t i = get_global_id (1) * get_global_size (0) + get_global_id (0); output[i] += count; }"
)


def weighted(arrays, start=None):
    arrays = [a.astype(np.float64) for a in arrays]
    result = arrays[0] if start is None else 0.5 * start + arrays[0]
    for a in arrays[1:]:
        result = 0.5 * result + a
    return result + len(arrays)


class OpenCLReduce(ElementTestCase):
    def test_properties(self):
        largest = float(np.finfo(np.float32).max)
        self.check_properties(
            "tomoopenclreduce",
            {
                "filename": "opencl-reduce.cl",
                "source": None,
                "kernel": None,
                "finish": None,
                "fold-value": (largest, -largest, largest),
                "dimensions": (2, 1, 3),
            },
        )

    def test_built_in_kernels(self):
        for shape in ((1, 1), (3, 5), (2, 3, 5)):
            arrays = [random_array(np.float32, shape) for _ in range(5)]
            stack = np.array(arrays, np.float64)
            for dimensions in (1, 2, 3):
                for options, wanted in (
                    ("kernel=minimum", stack.min(0)),
                    ("kernel=maximum", stack.max(0)),
                    ("kernel=sum", stack.sum(0)),
                    ("kernel=sum finish=divide", stack.mean(0)),
                    ("kernel=maximum fold-value=0.5", np.maximum(stack.max(0), 0.5)),
                    ("kernel=sum fold-value=3", stack.sum(0) + 3),
                    ("kernel=sum fold-value=0", stack.sum(0)),
                ):
                    with self.subTest(shape=shape, dimensions=dimensions, options=options):
                        (result,) = run(f"tomoopenclreduce dimensions={dimensions} {options}", arrays)
                        magnitudes = (np.abs(stack).sum(0) + 3.0) / (5 if "divide" in options else 1)
                        self.assert_close(result, wanted, 1e-6, size=magnitudes if "sum" in options else None)

    def test_users_kernels(self):
        arrays = [random_array(np.float32, (3, 5)) for _ in range(4)]
        line = f'tomoopenclreduce kernel=fold finish=end source="{WEIGHTED}"'
        self.assert_close(run(line, arrays)[0], weighted(arrays), 1e-6)
        self.assert_close(run(line + " fold-value=2", arrays)[0], weighted(arrays, 2.0), 1e-6)
        self.assert_close(run(line, arrays[:1])[0], weighted(arrays[:1]), 1e-6)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "mine.cl")
            with open(path, "w") as file:
                file.write(WEIGHTED)
            (result,) = run(f"tomoopenclreduce filename={path} kernel=fold finish=end", arrays)
            self.assert_close(result, weighted(arrays), 1e-6)

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            arrays = [random_array(dtype, (3, 5)) for _ in range(3)]
            with self.subTest(format=name):
                (result,) = run("tomoopenclreduce kernel=sum", arrays)
                complex_ = name == "complex64"
                self.assertEqual(result.dtype, np.complex64 if complex_ else np.float32)
                wanted = np.array(arrays, np.complex128 if complex_ else np.float64).sum(0)
                self.assert_close(result, wanted, 1e-5)

    def test_nan(self):
        arrays = [random_array(np.float32, (3, 5)) for _ in range(3)]
        arrays[0][0, 0], arrays[1][1, 1], arrays[2][2, 2] = np.nan, np.nan, np.nan
        for kernel, wanted in (("minimum", np.min), ("maximum", np.max)):
            np.testing.assert_array_equal(run(f"tomoopenclreduce kernel={kernel}", arrays)[0], wanted(arrays, 0))

    def test_empty_streams_flushes_and_changes(self):
        arrays = [random_array(np.float32, (2, 3)) for _ in range(4)]
        others = [random_array(np.uint16, (3, 4)) for _ in range(2)]
        with Pads("tomoopenclreduce kernel=maximum") as pads:
            self.assertEqual(pads.eos(), [])
        with Pads("tomoopenclreduce kernel=maximum") as pads:
            pads.push(*arrays[:2])
            pads.flush()
            self.assertEqual(pads.push(*arrays[2:]), [])
            before, (after,) = pads.push(*others), pads.eos()
            np.testing.assert_array_equal(before[0].array, np.max(arrays[2:], 0))
            np.testing.assert_array_equal(after.array, np.max(others, 0))

    def test_memory(self):
        arrays = [random_array(np.float32, (3, 5)) for _ in range(3)]
        self.check_memory("tomoopenclreduce kernel=maximum", arrays, reference=[np.max(arrays, 0)], tolerance=0)

    def test_errors(self):
        a = random_array(np.float32, (3, 5))
        self.assert_fails(["kernel is not set"], "tomoopenclreduce", [a])
        self.assert_fails(["no kernel 'nothing'", "minimum"], "tomoopenclreduce kernel=nothing", [a])
        self.assert_fails(["no kernel 'no'"], "tomoopenclreduce kernel=sum finish=no", [a])
        three = "kernel void k(global float *a, global float *b, global float *c) {}"
        self.assert_fails(["3 arguments", "wanted 2"], f'tomoopenclreduce kernel=k source="{three}"', [a])
        self.assert_fails(["source:1:", "^"], 'tomoopenclreduce kernel=k source="kernel void k("', [a])


if __name__ == "__main__":
    main()
