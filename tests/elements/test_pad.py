# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomopad against numpy.pad."""

from tomotest import *
from elementtest import ElementTestCase
from padtest import *

MODES = {"none", "clamp", "clamp_to_edge", "repeat", "mirrored_repeat"}


def index(mode, i, n):
    """The formula of each mode; -1 where there is no pixel."""
    if mode == "clamp_to_edge":
        return np.clip(i, 0, n - 1)
    if mode == "repeat":
        return i % n
    if mode == "mirrored_repeat":
        m = i % (2 * n)
        return np.where(m < n, m, 2 * n - 1 - m)
    return np.where((i >= 0) & (i < n), i, -1)


def pad(a, mode, x, y, width, height):
    j, i = index(mode, np.arange(height) - y, a.shape[-2]), index(mode, np.arange(width) - x, a.shape[-1])
    result = a[..., j[:, None], i[None, :]].copy()
    result[..., (j < 0)[:, None] | (i < 0)[None, :]] = 0
    return result


class Pad(ElementTestCase):
    def check(self, mode, x, y, width, height, *arrays):
        line = f"tomopad addressing-mode={mode} x={x} y={y} width={width} height={height}"
        for result, a in zip(run(line, list(arrays)), arrays, strict=True):
            wanted = pad(a, mode, x, y, width or a.shape[-1], height or a.shape[-2])
            self.assertEqual((result.dtype, result.shape), (a.dtype, wanted.shape), line)
            np.testing.assert_array_equal(np.ascontiguousarray(result).view(np.uint8), wanted.view(np.uint8), line)

    def test_properties(self):
        self.check_properties("tomopad", {
            "width": (0, 0, 131072), "height": (0, 0, 131072), "x": (0, -131072, 131072), "y": (0, -131072, 131072),
            "addressing-mode": ("clamp", MODES)})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                self.check("clamp", 2, 1, 11, 9, random_array(dtype, (5, 7)))

    def test_payloads_of_nan_survive(self):
        for bits, dtype in (np.uint16, np.float16), (np.uint64, np.float64):
            self.check("clamp", 2, 1, 11, 9, random_array(bits, (5, 7)).view(dtype))

    def test_modes(self):
        shapes = (1, 1), (1, 13), (5, 7), (2, 3, 5)
        for mode in sorted(MODES - {"none"}):
            arrays = [random_array(np.float32, shape) for shape in shapes]
            for x, y, width, height in ((0, 0, 0, 0), (3, 2, 17, 19), (-2, -1, 31, 3), (40, 29, 89, 61), (-131072, 5, 9, 0),
                                        (131072, -3, 131072 if mode == "repeat" else 7, 2)):
                with self.subTest(mode=mode, x=x, y=y, width=width, height=height):
                    self.check(mode, x, y, width, height, *arrays)

    def test_numpy_agrees(self):
        a = random_array(np.float32, (5, 7))
        for mode, name in (("clamp", "constant"), ("clamp_to_edge", "edge"), ("repeat", "wrap"),
                           ("mirrored_repeat", "symmetric")):
            (result,) = run(f"tomopad addressing-mode={mode} x=6 y=4 width=20 height=14", [a])
            np.testing.assert_array_equal(result, np.pad(a, ((4, 5), (6, 7)), name), mode)

    def test_none_gives_nothing_outside(self):
        a = random_array(np.float32, (5, 7))
        self.check("none", 0, 0, 0, 0, a)
        self.check("none", -2, -1, 5, 4, a)
        for properties, words in (("x=1", ["x=1", "7"]), ("width=8", ["width of 8"]), ("y=-1", ["y=-1", "height of 5"]),
                                  ("y=-1 height=5", ["outside"])):
            with self.subTest(properties):
                self.assert_fails(["addressing-mode=none", *words], f"tomopad addressing-mode=none {properties}", [a])

    def test_memory(self):
        arrays = [random_array(np.float32, (5, 7)) for _ in range(2)]
        wanted = [pad(a, "repeat", 3, 0, 12, 5) for a in arrays]
        self.check_memory("tomopad addressing-mode=repeat x=3 width=12", arrays, reference=wanted, tolerance=0)
        results = run("tomocalculate expression=v*2 ! tomopad x=2 width=11 ! queue ! tomocrop x=2 width=7 ! "
                      "tomocalculate expression=v+1", arrays)
        for result, a in zip(results, arrays, strict=True):
            np.testing.assert_array_equal(result, a * 2 + 1)
        volume = random_array(np.uint16, (3, 3, 7))
        for result, plane in zip(run("tomoslice ! tomopad x=2 width=10", [volume]), volume, strict=True):
            np.testing.assert_array_equal(result, pad(plane, "clamp", 2, 0, 10, 3))

    def test_flush_and_state_cycles(self):
        arrays = [random_array(np.float32, (5, 7)) for _ in range(3)]
        wanted = [pad(a, "clamp", 2, 0, 10, 5) for a in arrays]
        with Pads("tomopad x=2 width=10") as pads:
            pads.push(*arrays)
            pads.flush()
            np.testing.assert_array_equal(pads.push(arrays[0])[0].array, wanted[0])
        self.check_state_cycles("tomopad x=2 width=10", arrays, reference=wanted, tolerance=0)

    def test_facts(self):
        a = random_array(np.float32, (5, 7))
        with Pads("tomopad x=2 width=12") as pads:
            pads.send(scan_event([0.0, 0.25, 0.5, 0.75, 1.0], 3.5, 2e-6))
            (output,) = pads.push(a, rate=10, domain="sinogram", angle=0.5, source="a.tif")
            self.assertEqual((output.domain, output.rate, output.source), ("sinogram", (10, 1), "a.tif"))
            self.assertEqual(pads.scan(), ([0.0, 0.25, 0.5, 0.75, 1.0], 5.5, 2e-6))
            self.assertEqual(pads.warnings, [])
            # Rows that are no views have no angle.
            pads.element.set_property("height", 8)
            pads.push(a, rate=10, domain="sinogram")
            self.assertEqual(pads.scan(), ([], 5.5, 2e-6))
            self.assertEqual(len(pads.warnings), 1)


if __name__ == "__main__":
    main()
