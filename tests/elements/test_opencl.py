# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoopencl: the built-in kernels against numpy, and kernels of users as UFO takes them."""

import os
import tempfile

from tomotest import *
from elementtest import ElementTestCase, Stream

TWO = "tomoopencl name=o %s SRC0 ! o.sink_0  SRC1 ! o.sink_1  o. ! SINK"
# As written for UFO: no const, indices by the global size.
SCALE = (
    "kernel void scale (global float *input, global float *output) { "
    "size_t idx = get_global_id (1) * get_global_size (0) + get_global_id (0); output[idx] = FACTOR * input[idx]; }"
)
LINE = (
    "kernel void line (global float *input, global float *output) { "
    "size_t i = get_global_id (0), n = get_global_size (0); output[i] = input[n - 1 - i]; }"
)
BLOCK = (
    "kernel void block (global float *input, global float *output) { "
    "size_t w = get_global_size (0), h = get_global_size (1), d = get_global_size (2); "
    "size_t x = get_global_id (0), y = get_global_id (1), z = get_global_id (2); "
    "output[(z * h + y) * w + x] = input[((d - 1 - z) * h + y) * w + x]; }"
)
THREE = (
    "kernel void three (global float *a, global float *b, global float *c, global float *out) { "
    "size_t i = get_global_id (1) * get_global_size (0) + get_global_id (0); out[i] = a[i] + 2 * b[i] + 3 * c[i]; }"
)


def nlm(a, search=10, patch=3, sigma=12):
    """Of the mean over all pixels in reach, with patches that fit into the image."""
    a = a.astype(np.float64)
    height, width = a.shape
    result = np.empty_like(a)
    for y in range(height):
        for x in range(width):
            r = min(patch, x, width - 1 - x, y, height - 1 - y)
            mine = a[y - r : y + r + 1, x - r : x + r + 1]
            total = weights = 0.0
            for j in range(max(y - search, r), min(y + search, height - 1 - r) + 1):
                for i in range(max(x - search, r), min(x + search, width - 1 - r) + 1):
                    d = ((mine - a[j - r : j + r + 1, i - r : i + r + 1]) ** 2).mean()
                    w = np.exp(-(sigma**2) * d)
                    total, weights = total + w * a[j, i], weights + w
            result[y, x] = total / weights
    return result


class OpenCL(ElementTestCase):
    def test_properties(self):
        self.check_properties(
            "tomoopencl",
            {
                "filename": "opencl.cl",
                "source": None,
                "kernel": None,
                "options": None,
                "dimensions": (2, 1, 3),
                "halve-width": True,
            },
        )

    def test_built_in_kernels(self):
        a = np.abs(random_array(np.float32, (5, 7))) + np.float32(0.1)
        b = random_array(np.float32, (5, 7))
        for kernel, wanted in (
            ("diff", np.subtract),
            ("add", np.add),
            ("multiply", np.multiply),
            ("divide", np.divide),
        ):
            with self.subTest(kernel=kernel):
                (result,) = run(TWO % f"kernel={kernel}", [a], [b])
                self.assert_close(result, wanted(a.astype(np.float64), b), 1e-6)
        self.assert_close(run("tomoopencl kernel=absorptivity", [a])[0], -np.log(a.astype(np.float64)), 1e-6)
        volume = np.abs(random_array(np.float32, (3, 5, 7))) + np.float32(0.1)
        for dimensions in 1, 2, 3:
            (result,) = run(f"tomoopencl kernel=absorptivity dimensions={dimensions}", [volume])
            self.assert_close(result, -np.log(volume.astype(np.float64)), 1e-6, f"dimensions={dimensions}")
        (result,) = run("tomoopencl kernel=nlm_noise_reduction dimensions=3", [volume])
        self.assert_close(result, [nlm(plane) for plane in volume], 1e-5)
        b[0, 1], b[2, 2], b[4, 6] = np.nan, np.inf, -np.inf
        np.testing.assert_array_equal(
            run("tomoopencl kernel=fix_nan_and_inf", [b])[0], np.where(np.isfinite(b), b, 0)
        )

    def test_non_local_means(self):
        a = random_array(np.float32, (9, 11)) * np.float32(0.1)
        self.assert_close(run("tomoopencl kernel=nlm_noise_reduction", [a])[0], nlm(a), 1e-5)
        options = 'options="-DSEARCH_RADIUS=2 -DPATCH_RADIUS=1 -DSIGMA=20"'
        self.assert_close(run(f"tomoopencl kernel=nlm_noise_reduction {options}", [a])[0], nlm(a, 2, 1, 20), 1e-5)

    def test_complex_kernels(self):
        a, b = random_array(np.complex64, (2, 3, 5)), random_array(np.complex64, (2, 3, 5))
        wide = a.astype(np.complex128)
        for kernel, wanted in (("c_add", wide + b), ("c_mul", wide * b), ("c_div", wide / b)):
            with self.subTest(kernel=kernel):
                (result,) = run(TWO % f"filename=complex.cl kernel={kernel}", [a], [b])
                self.assertEqual(result.dtype, np.complex64)
                self.assert_close(result, wanted, 1e-6)
        for kernel, wanted in (("c_conj", wide.conj()), ("c_abs_squared", np.abs(wide) ** 2 + 0j)):
            with self.subTest(kernel=kernel):
                (result,) = run(f"tomoopencl dimensions=3 filename=complex.cl kernel={kernel}", [a])
                self.assert_close(result, wanted, 1e-6)

    def test_every_format(self):
        for name in REAL:
            a = random_array(FORMATS[name], (3, 7))
            with self.subTest(format=name):
                (result,) = run(f'tomoopencl kernel=scale options=-DFACTOR=3 source="{SCALE}"', [a])
                self.assertEqual(result.dtype, np.float32)
                self.assert_close(result, 3 * a.astype(np.float64), 1e-6)

    def test_dimensions(self):
        for shape in ((1, 1), (3, 5), (2, 3, 5)):
            a = random_array(np.float32, shape)
            with self.subTest(shape=shape):
                (result,) = run(f'tomoopencl dimensions=1 kernel=line source="{LINE}"', [a])
                np.testing.assert_array_equal(result, a.ravel()[::-1].reshape(shape))
                (result,) = run(f'tomoopencl dimensions=3 kernel=block source="{BLOCK}"', [a])
                np.testing.assert_array_equal(result, a[::-1] if a.ndim == 3 else a)
                # Two dimensions: every plane.
                (result,) = run(f'tomoopencl kernel=scale options=-DFACTOR=2 source="{SCALE}"', [a])
                np.testing.assert_array_equal(result, 2 * a)

    def test_halve_width(self):
        a = random_array(np.complex64, (3, 5))
        line = f'tomoopencl kernel=scale options=-DFACTOR=2 source="{SCALE}" halve-width=%s'
        np.testing.assert_array_equal(run(line % "false", [a])[0], 2 * a)
        # Only as many floats as there are complex samples; the rest is 0.
        wanted = np.zeros(30, np.float32)
        wanted[:15] = 2 * a.view(np.float32).ravel()[:15]
        np.testing.assert_array_equal(run(line % "true", [a])[0].view(np.float32).ravel(), wanted)

    def test_options_make_another_program(self):
        a = random_array(np.float32, (3, 5))
        for factor in (2, 3, 2):
            (result,) = run(f'tomoopencl kernel=scale options=-DFACTOR={factor} source="{SCALE}"', [a])
            np.testing.assert_array_equal(result, factor * a)

    def test_many_inputs(self):
        inputs = [[random_array(np.float32, (3, 5)) for _ in range(n)] for n in (3, 1, 2)]
        line = f'tomoopencl name=o kernel=three source="{THREE}" SRC0 ! o. SRC1 ! o. SRC2 ! o. o. ! SINK'
        results = run(line, *inputs)
        self.assertEqual(len(results), 3)
        for i, result in enumerate(results):
            a, b, c = (arrays[min(i, len(arrays) - 1)].astype(np.float64) for arrays in inputs)
            self.assert_close(result, a + 2 * b + 3 * c, 1e-6)

    def test_files(self):
        a = random_array(np.float32, (3, 5))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "mine.cl")
            with open(path, "w") as file:
                file.write('#include "factor.h"\n' + SCALE)
            with open(os.path.join(folder, "factor.h"), "w") as file:
                file.write("#define FACTOR 5\n")
            (result,) = run(f'tomoopencl filename={path} kernel=scale options="-I {folder}"', [a])
            np.testing.assert_array_equal(result, 5 * a)
            old = os.environ.get("GST_TOMO_KERNEL_PATH")
            os.environ["GST_TOMO_KERNEL_PATH"] = folder
            try:
                line = f'tomoopencl filename=mine.cl kernel=scale options="-I {folder}"'
                np.testing.assert_array_equal(run(line, [a])[0], 5 * a)
            finally:
                os.environ.pop("GST_TOMO_KERNEL_PATH")
                if old is not None:
                    os.environ["GST_TOMO_KERNEL_PATH"] = old
        self.assert_fails(["no-such.cl"], "tomoopencl filename=no-such.cl kernel=k", [a])

    def test_memory_and_state_cycles(self):
        inputs = [[random_array(np.float32, (3, 5)) for _ in range(3)] for _ in range(2)]
        wanted = [a.astype(np.float64) + b for a, b in zip(*inputs)]
        places = "tomoopencl name=o kernel=add  SRC1 ! o.sink_1  SRC0 ! o.sink_0  o."
        self.check_memory(places, *inputs, reference=wanted, tolerance=1e-6)
        self.check_state_cycles(TWO % "kernel=add", *inputs, reference=wanted, tolerance=1e-6)

    def test_changes_while_playing(self):
        a = random_array(np.float32, (3, 5))
        with Stream(f'tomoopencl name=o kernel=scale options=-DFACTOR=2 source="{SCALE}"') as stream:
            np.testing.assert_array_equal(stream.through(a), 2 * a)
            stream["o"].set_property("options", "-DFACTOR=4")
            np.testing.assert_array_equal(stream.through(a), 4 * a)

    def test_mistakes_are_marked(self):
        a = random_array(np.float32, (3, 5))
        text = "kernel void k(global float *in, global float *out) {\n    out[0] = in[0] + missing;\n}\n"
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "wrong.cl")
            with open(path, "w") as file:
                file.write(text)
            error = self.assert_fails([f"{path}:2:", "missing"], f"tomoopencl filename={path} kernel=k", [a])
        self.assertIn("out[0] = in[0] + missing;", str(error))
        self.assertIn("^", str(error))
        self.assert_fails(["source:1:", "nothing", "^"], 'tomoopencl source="nothing" kernel=k', [a])

    def test_errors(self):
        a, b = random_array(np.float32, (3, 5)), random_array(np.float32, (3, 4))
        self.assert_fails(["kernel is not set", "opencl.cl"], "tomoopencl", [a])
        self.assert_fails(["no kernel 'nothing'", "absorptivity"], "tomoopencl kernel=nothing", [a])
        self.assert_fails(["2 inputs", "1 are linked"], "tomoopencl kernel=add", [a])
        self.assert_fails(["same size"], TWO % "kernel=add", [a], [b])
        for arguments, words in (
            ("global float *in", "1 arguments"),
            ("global float *in, float scale, global float *out", "argument 1"),
            ("global float *in, local float *cache, global float *out", "argument 1"),
        ):
            with self.subTest(arguments=arguments):
                self.assert_fails([words], f'tomoopencl kernel=k source="kernel void k({arguments}) {{}}"', [a])


if __name__ == "__main__":
    main()
