# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoredundancyweight against the formulas of Parker and Wang in float64, and against what they are for."""

import sys

from tomotest import *
from elementtest import ElementTestCase, Stream, scan_event
from filtertest import *

NAME = "tomoredundancyweight"


def parker(turned, angle, excess):
    end = np.pi + 2 * excess
    if turned < 2 * (excess - angle):
        return np.sin(np.pi / 4 * turned / (excess - angle)) ** 2
    if turned > np.pi - 2 * angle:
        return np.sin(np.pi / 4 * (end - turned) / (excess + angle)) ** 2
    return 1.0


def weights(mode, width, centre, distance, angles, covered):
    """Views x columns; angles within a turn, evenly."""
    columns = np.arange(width) + 0.5 - centre
    fan = np.arctan(columns / distance) if distance else columns
    if mode == "short-scan":
        turned = angles - angles.min() + covered / len(angles) / 2
        return covered / np.pi * np.array([[parker(t, g, (covered - np.pi) / 2) for g in fan] for t in turned])
    side = 1 if centre < width / 2 else -1
    edge = min(centre, width - centre)
    narrow = np.arctan(edge / distance) if distance else edge
    return np.tile(2 * (1 + np.sin(np.pi / 2 * np.clip(side * fan / narrow, -1, 1))) / 2, (len(angles), 1))


class RedundancyWeight(ElementTestCase):
    def check(self, words, projections, wanted, tolerance=1e-6):
        results = run(f"{NAME} {words}", projections)
        for result, projection, factors in zip(results, projections, wanted, strict=True):
            self.assert_close(result, projection * factors, tolerance)

    def test_properties(self):
        largest = sys.float_info.max
        self.check_properties(NAME, {
            "mode": ("auto", {"auto", "short-scan", "offset", "none"}),
            "center-position-x": [], "source-distance": [], "detector-distance": [], "axis-angle-z": [],
            "overall-angle": (0.0, -largest, largest),
            "num-projections": (0, 0, 32768),
        })

    def test_short_scan(self):
        width, distance, views = 31, 120.0, 40
        half_fan = np.arctan(width / 2 / distance)
        projections = [random_array(np.float32, (5, width)) for _ in range(views)]
        for covered in np.pi + 2 * half_fan + 0.05, 5.0:
            angles = np.arange(views) * covered / views
            wanted = weights("short-scan", width, width / 2, distance, angles, covered)
            for sense, order in (1, wanted), (-1, weights("short-scan", width, width / 2, distance, -angles, covered)):
                self.check(f"source-distance=<100> detector-distance=<20> overall-angle={sense * covered} "
                           f"num-projections={views}", projections, order)
            # The same circle, begun elsewhere and told modulo a turn.
            told = np.mod(angles + 4.0, 2 * np.pi)
            self.check("mode=short-scan source-distance=<100> detector-distance=<20> axis-angle-z=<" +
                       ",".join(map(repr, map(float, told))) + ">", projections, wanted)

    def test_both_measurements_of_a_ray(self):
        """Together they count covered / pi."""
        width, views = 64, 720
        ones = [np.ones((1, width), np.float32)] * views
        for mode, covered in ("short-scan", 4.0), ("short-scan", 2 * np.pi), ("offset", 2 * np.pi):
            centre = 25.0 if mode == "offset" else 32.0
            results = np.array(run(f"{NAME} mode={mode} source-distance=<150> overall-angle={covered} num-projections={views} "
                                   f"center-position-x=<{centre}>", ones))[:, 0].astype(float)
            step = covered / views
            columns = np.arange(width) + 0.5 - centre
            for i in range(0, width, 7):
                other = -columns[i]
                if not columns[0] <= other <= columns[-1]:
                    np.testing.assert_allclose(results[:, i], covered / np.pi, atol=1e-5)
                    continue
                for view in range(0, views, 37):
                    back = view * step + np.pi + 2 * np.arctan(columns[i] / 150)
                    back = np.mod(back, 2 * np.pi)
                    at = back / step
                    if at > views - 1:
                        total = results[view, i] if covered < 6 else None
                    else:
                        k, f = int(at), at - int(at)
                        here = (1 - f) * results[k] + f * results[k + 1]
                        total = results[view, i] + np.interp(other, columns, here)
                    if total is not None:
                        self.assertAlmostEqual(total, covered / np.pi, delta=0.01)

    def test_offset(self):
        width, views = 33, 6
        projections = [random_array(np.float32, (4, width)) for _ in range(views)]
        angles = np.arange(views) * 2 * np.pi / views
        for centre in 12.25, 20.5:
            self.check(f"source-distance=<100> detector-distance=<20> overall-angle={2 * np.pi} num-projections={views} "
                       f"center-position-x=<{centre}>", projections,
                       weights("offset", width, centre, 120.0, angles, 2 * np.pi))
            self.check(f"mode=offset overall-angle={2 * np.pi} num-projections={views} center-position-x=<{centre}>",
                       projections, weights("offset", width, centre, None, angles, 2 * np.pi))

    def test_nothing_to_weight(self):
        projections = [random_array(np.float32, (4, 33)) for _ in range(8)]
        for words in ("source-distance=<100>", "source-distance=<100> center-position-x=<16.6>", "mode=none center-position-x=<3>"):
            self.check(f"{words} overall-angle={2 * np.pi} num-projections=8", projections, np.ones(8))
        self.check(f"overall-angle={np.pi} num-projections=8", projections, np.ones(8))

    def test_formats_planes_and_memory(self):
        angles = np.arange(6) * 0.7
        words = f"source-distance=<100> overall-angle=4.2 num-projections=6"
        factors = weights("short-scan", 13, 6.5, 100.0, angles, 4.2)
        for name in REAL:
            self.check(words, [random_array(FORMATS[name], (3, 13)) for _ in range(6)], factors)
        stacks = [random_array(np.float32, (3, 5, 13)) for _ in range(2)]
        self.check(words, stacks, factors.reshape(2, 3, 1, 13))
        for shape in (1, 13), (7, 1):
            self.check(words if shape[1] > 1 else "mode=none num-projections=6",
                       [random_array(np.float32, shape) for _ in range(6)], factors if shape[1] > 1 else np.ones(6))
        projections = [random_array(np.float32, (3, 13)) for _ in range(6)]
        wanted = [p * f for p, f in zip(projections, factors)]
        self.check_memory(f"{NAME} {words}", projections, reference=wanted, tolerance=1e-6)
        self.check_state_cycles(f"{NAME} {words}", projections, reference=wanted, tolerance=1e-6)

    def test_the_scan_tells(self):
        angles = 1.0 + np.arange(6) * 0.7
        projections = [random_array(np.float32, (3, 13)) for _ in range(6)]
        with Stream(f"{NAME} source-distance=<100>") as stream:
            for i, projection in enumerate(projections):
                stream.push(projection, event=scan_event(angles, 6.25) if i == 0 else None)
            results = stream.finish()
        wanted = weights("short-scan", 13, 6.25, 100.0, angles, 4.2)
        for result, projection, factors in zip(results, projections, wanted, strict=True):
            self.assert_close(result, projection * factors, 1e-6)
        (effective, *_) = stream.element_messages("tomo-effective")
        self.assertEqual(effective.get_string("mode"), "short-scan")

    def test_volumes_and_stacks(self):
        """Each volume has the weights of its angles; planes count, also those of a last, shorter stack."""
        angles = np.concatenate([np.arange(6) * 0.7, 0.3 + np.cumsum(rng.uniform(0.6, 0.75, 6))])
        more = 0.5 + np.cumsum(rng.uniform(0.6, 0.75, 6))
        ones = np.ones((1, 13), np.float32)
        words = f"{NAME} mode=short-scan source-distance=<100> num-projections=6 center-position-x=<6.5>"

        def one(part):
            return np.array(run(f"{words} axis-angle-z=<{','.join(repr(float(a)) for a in part)}>", [ones] * 6))

        with Stream(words) as stream:
            for i in range(18):
                event = scan_event(angles) if i == 0 else scan_event(more) if i == 12 else None
                stream.push(ones, event=event)
            results = np.array(stream.finish())
        for i, part in enumerate((angles[:6], angles[6:], more)):
            np.testing.assert_array_equal(results[6 * i:6 * i + 6], one(part))
        stacks = [np.ones((planes, 1, 13), np.float32) for planes in (4, 2)]
        results = run(f"{words} overall-angle=4.2", stacks)
        np.testing.assert_array_equal(np.concatenate(results), run(f"{words} overall-angle=4.2", [ones] * 6))

    def test_errors(self):
        a = [random_array(np.float32, (5, 7))] * 4
        for words, properties in ((["cover 229.2 degrees", "needs a full turn"], "mode=offset overall-angle=4 center-position-x=<2>"),
                                  (["set source-distance"], "mode=short-scan overall-angle=4"),
                                  (["source-distance is -3"], "source-distance=<-3> overall-angle=4"),
                                  (["source-distance is a list"], "source-distance=<3,4> overall-angle=4"),
                                  (["center-position-x is 9"], "mode=offset overall-angle=6.2832 center-position-x=<9>")):
            with self.subTest(properties=properties):
                self.assert_fails(words, f"{NAME} num-projections=4 {properties}", a)
        with Stream(f"{NAME} source-distance=<10> overall-angle=3.3 num-projections=40") as stream:
            for projection in a:
                stream.push(projection)
            stream.finish()
        self.assertTrue(any("rays are missing" in warning for warning in stream.warnings()))


if __name__ == "__main__":
    main()
