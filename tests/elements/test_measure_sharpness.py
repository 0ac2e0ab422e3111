# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomomeasuresharpness against numpy in float64."""

from tomotest import *
from elementtest import ElementTestCase, Stream, scan_event
from real_scans import AXES, real_scan
import tomoref

METRICS = ("gradient", "absolute", "negativity", "entropy")


def reference(a, metric="gradient", radius=0):
    a = a.astype(np.float64)
    y, x = ((np.arange(n) + 0.5 - n / 2) for n in a.shape)
    inside = x**2 + y[:, np.newaxis] ** 2 <= radius**2 if radius else np.ones(a.shape, bool)
    v = a[inside]
    if metric == "gradient":
        inner = a[1:, 1:]
        return ((np.abs(inner - a[1:, :-1]) + np.abs(inner - a[:-1, 1:])) * inside[1:, 1:]).sum() / 2 / v.size
    if metric == "absolute":
        return np.abs(v).mean()
    if metric == "negativity":
        return np.maximum(-v, 0).mean()
    if v.std() == 0:
        return 0.0
    edges = v.mean() + v.std() * np.linspace(-4, 4, 257)
    shares = np.histogram(np.clip(v, edges[0], edges[-1]), edges)[0] / v.size
    return -(shares[shares > 0] * np.log2(shares[shares > 0])).sum()


class MeasureSharpness(ElementTestCase):
    def sharpness(self, arrays, settings=""):
        """Of all planes, and what came out."""
        with Stream(f"tomomeasuresharpness name=m {settings}") as stream:
            for a in arrays:
                stream.push(a)
            results = stream.finish()
            messages = stream.element_messages("tomo-sharpness")
            values = [m.get_double("sharpness")[1] for m in messages]
            np.testing.assert_equal(stream["m"].get_property("sharpness"), values[-1])
        return values, results

    def test_properties(self):
        self.check_properties("tomomeasuresharpness", {
            "metric": ("gradient", set(METRICS)), "radius": (0.0, 0.0, 65536.0),
            "sharpness": (0.0, 0.0, np.finfo(np.float64).max)})

    def test_every_format(self):
        for name in REAL:
            a = random_array(FORMATS[name], (13, 17))
            with self.subTest(format=name):
                (value,), (result,) = self.sharpness([a])
                self.assert_close(value, reference(a), 1e-6)
                self.assertEqual(result.dtype, a.dtype)
                np.testing.assert_array_equal(result, a)

    def test_shapes(self):
        arrays = [random_array(np.float32, s) for s in ((1, 1), (1, 13), (31, 37), (211, 103))]
        for a in arrays:
            self.assert_close(self.sharpness([a])[0], [reference(a)], 1e-6)
        volume = random_array(np.float32, (3, 5, 7))
        self.assert_close(self.sharpness([volume, volume])[0], [reference(p) for p in volume] * 2, 1e-6)

    def test_metrics(self):
        for metric in METRICS:
            for radius in (0, 5.3, 40):
                for shape in ((31, 37), (3, 57, 41)):
                    a = random_array(np.float32, shape)
                    settings = f"metric={metric} radius={radius}"
                    with self.subTest(settings=settings, shape=shape):
                        values, _ = self.sharpness([a], settings)
                        wanted = [reference(p, metric, radius) for p in a.reshape(-1, *shape[-2:])]
                        # A value at the border of two steps may be counted in either.
                        self.assert_close(values, wanted, 1e-3 if metric == "entropy" else 1e-6)
        constant = np.full((7, 9), 2.5, np.float32)
        self.assertEqual([self.sharpness([constant], f"metric={m}")[0] for m in METRICS], [[0], [2.5], [0], [0]])

    def test_least_at_the_right_axis(self):
        """Of the real scans, and of a noisy phantom with stripes: entropy and negativity, whole plane or circle."""
        width, angles = 129, np.arange(180) * np.pi / 180
        axis = width / 2 + rng.uniform(-8, 8)
        rows = tomoref.line_integrals(tomoref.shepp_logan(45, 0.02), angles, width, axis)
        rows += 0.005 * rows.max() * (rng.standard_normal(rows.shape) + rng.standard_normal(width))
        cases = [("phantom", rows, angles, axis, 55)]
        for name, number, radius in (("savu24737.nxs", 72, 70), ("savu24737.nxs", 104, 70), ("tooth.h5", 0, 150)):
            attenuation, views = real_scan(name)
            rows, axis = attenuation[number], AXES[name]
            if name == "tooth.h5":  # half as wide, which is quicker
                rows, axis = (rows[:, ::2] + rows[:, 1::2]) / 2, axis / 2
            cases.append((name, rows, views, axis, radius))
        for name, rows, views, axis, radius in cases:
            offsets = np.arange(-2, 2.1, 0.5) * (0.5 if name == "tooth.h5" else 1)
            measured = [(metric, r) for metric in ("entropy", "negativity") for r in (0, radius)]
            chain = " ! ".join(f"tomomeasuresharpness name=m{i} metric={metric} radius={r}"
                               for i, (metric, r) in enumerate(measured))
            values = []
            for offset in offsets:
                with Stream(f"tomorampfilter ! tomobackproject axis-pos={axis + offset} ! {chain}") as stream:
                    stream.push(rows.astype(np.float32), event=scan_event(views))
                    stream.finish()
                    values.append([stream[f"m{i}"].get_property("sharpness") for i in range(len(measured))])
            for (metric, r), along in zip(measured, np.transpose(values), strict=True):
                with self.subTest(scan=name, metric=metric, radius=r):
                    self.assertLessEqual(abs(offsets[np.argmin(along)]), max(offsets) / 4, along)
                    self.assertGreater(min(along[0], along[-1]), 1.002 * min(along))

    def test_blurred_is_less_sharp(self):
        a = random_array(np.float32, (31, 37))
        blurred = [a]
        for _ in range(3):
            blurred.append(sum(np.roll(blurred[-1], shift, (0, 1)) for shift in ((0, 0), (0, 1), (1, 0), (1, 1))) / 4)
        values, _ = self.sharpness(blurred)
        self.assertEqual(values, sorted(values, reverse=True))

    def test_nan(self):
        a = random_array(np.float32, (5, 7))
        a[2, 3] = np.nan
        for metric in METRICS:
            self.assertTrue(np.isnan(self.sharpness([a], f"metric={metric}")[0][0]), metric)
        # One outside of the circle does not count.
        b = a.copy()
        b[0, 0] = np.nan
        b[2, 3] = 1
        self.assertTrue(np.isfinite(self.sharpness([b], "metric=absolute radius=1.5")[0][0]))

    def test_errors(self):
        a = random_array(np.float32, (4, 6))
        self.assert_fails(["radius=0.1", "larger"], "tomomeasuresharpness radius=0.1", [a])

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.float32, (5, 7)) for _ in range(3)]
        self.check_memory("tomomeasuresharpness", arrays, reference=arrays, tolerance=0)
        self.check_state_cycles("tomomeasuresharpness", arrays, reference=arrays, tolerance=0)


if __name__ == "__main__":
    main()
