# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomomeasure against numpy and scipy in float64."""

import subprocess
import tempfile
import unittest

import scipy.stats

import os
import sys

from tomotest import *
from elementtest import ElementTestCase, Stream

KERNELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "kernels")
METRICS = {
    "min": np.min,
    "max": np.max,
    "sum": np.sum,
    "mean": np.mean,
    "var": np.var,
    "std": np.std,
    "skew": scipy.stats.skew,
    "kurtosis": scipy.stats.kurtosis,
}


def reference(a, metric, axis=-1):
    planes = a.astype(np.float64).reshape((-1,) + a.shape[-2:])
    measure = METRICS[metric]
    if axis == -1:
        return measure(planes.reshape(len(planes), -1), axis=1).reshape(-1, 1, 1)
    if axis == 2:
        return measure(planes, axis=0)[None]
    return measure(planes, axis=2 - axis).reshape(len(planes), 1, -1)


class Measure(ElementTestCase):
    def check(self, a, metric, axis=-1, tolerance=1e-6):
        (result,) = run(f"tomomeasure metric={metric} axis={axis}", [a])
        self.assertEqual(result.dtype, np.float32)
        wanted = reference(a, metric, axis)
        self.assert_close(result, wanted[0] if len(wanted) == 1 else wanted, tolerance, f"{metric} {axis} {a.shape}")

    def test_properties(self):
        limits = np.finfo(np.float64).min, np.finfo(np.float64).max
        self.check_properties(
            "tomomeasure", {"metric": ("std", set(METRICS)), "axis": (-1, -1, 2), "value": (0.0, *limits)}
        )

    def test_every_format(self):
        for name in REAL:
            a = random_array(FORMATS[name], (13, 17))
            for metric in METRICS:
                if name == "float16" and metric in ("skew", "kurtosis"):
                    continue
                with self.subTest(format=name, metric=metric):
                    # Sums of numbers of both signs may nearly cancel.
                    self.check(a, metric, tolerance=1e-5 if metric in ("skew", "kurtosis", "sum", "mean") else 1e-6)

    def test_axes_and_shapes(self):
        for shape in ((1, 1), (1, 31), (29, 1), (31, 37), (3, 129, 257)):
            a = np.abs(random_array(np.float32, shape)) + np.float32(0.1)
            for axis in (-1, 0, 1, 2):
                for metric in ("min", "max", "sum", "mean", "var", "skew"):
                    if metric == "skew" and not (shape == (3, 129, 257) and axis < 2):
                        continue
                    with self.subTest(shape=shape, axis=axis, metric=metric):
                        self.check(a, metric, axis, 1e-5 if metric == "skew" else 1e-6)

    def test_offsets_cost_no_precision(self):
        a = random_array(np.float64, (101, 103)) + 1e6
        for metric in ("var", "skew", "kurtosis"):
            self.check(a, metric, tolerance=1e-5)

    def test_nan_and_constant(self):
        a = random_array(np.float32, (7, 11))
        a[3, 4] = np.nan
        for metric in METRICS:
            (result,) = run(f"tomomeasure metric={metric}", [a])
            self.assertTrue(np.isnan(result), metric)
        (result,) = run("tomomeasure metric=max axis=1", [a])
        np.testing.assert_array_equal(result[0], np.max(a, 0))
        constant = np.full((5, 7), 2.5, np.float32)
        self.assertEqual(run("tomomeasure metric=var", [constant])[0], 0)
        self.assertTrue(np.isnan(run("tomomeasure metric=skew", [constant])[0]))

    def test_message_and_property(self):
        arrays = [random_array(np.float32, (2, 5, 7)) for _ in range(3)]
        notified = []
        with Stream("tomomeasure name=m metric=mean", play=False) as stream:
            stream["m"].connect("notify::value", lambda element, _: notified.append(element.get_property("value")))
            stream.play()
            for a in arrays:
                stream.push(a)
            results = stream.finish()
            messages = stream.element_messages("tomo-measure")
            self.assertEqual([m.get_uint64("index")[1] for m in messages], [0, 0, 1, 1, 2, 2])
            self.assertEqual([m.get_uint("plane")[1] for m in messages], [0, 1] * 3)
            self.assertEqual({m.get_string("metric") for m in messages}, {"mean"})
            values = [m.get_double("value")[1] for m in messages]
            self.assertEqual(values, np.concatenate(results).ravel().tolist())
            self.assert_close(values, np.concatenate([reference(a, "mean") for a in arrays]).ravel(), 1e-6)
            self.assertEqual(notified, values)

    def test_changes_while_playing(self):
        a = random_array(np.float32, (5, 7))
        with Stream("tomomeasure name=m metric=min") as stream:
            self.assertEqual(stream.through(a), a.min())
            stream["m"].set_property("metric", "max")
            self.assertEqual(stream.through(a), a.max())
            stream["m"].set_property("axis", 0)
            np.testing.assert_array_equal(stream.through(a), a.max(1)[None])

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.float32, (5, 7)) for _ in range(3)]
        wanted = [reference(a, "std")[0] for a in arrays]
        self.check_memory("tomomeasure", arrays, reference=wanted, tolerance=1e-6)
        self.check_state_cycles("tomomeasure", arrays, reference=wanted, tolerance=1e-6)

    @unittest.skipIf("GST_TOMO_KERNEL_PATH" in os.environ, "is the variant itself")
    def test_devices_without_double_precision(self):
        """The same tests with sums as such devices have them."""
        with tempfile.TemporaryDirectory() as folder, open(os.path.join(KERNELS, "common.h")) as common:
            with open(os.path.join(folder, "common.h"), "w") as variant:
                variant.write("#define TOMO_COMPENSATED\n" + common.read())
            environment = dict(os.environ, GST_TOMO_KERNEL_PATH=folder, GST_TOMO_TEST_SEED=str(SEED))
            result = subprocess.run([sys.executable, os.path.abspath(__file__), "Measure.test_axes_and_shapes"],
                                    env=environment, capture_output=True, text=True, timeout=300)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("Ran 1 test", result.stderr)


if __name__ == "__main__":
    main()
