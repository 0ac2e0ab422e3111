# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomotranspose against numpy."""

from tomotest import *
from elementtest import ElementTestCase
from padtest import *


class Transpose(ElementTestCase):
    def check(self, *arrays):
        for result, a in zip(run("tomotranspose", list(arrays)), arrays, strict=True):
            wanted = np.ascontiguousarray(np.swapaxes(a, -1, -2))
            self.assertEqual((result.dtype, result.shape), (a.dtype, wanted.shape))
            np.testing.assert_array_equal(np.ascontiguousarray(result).view(np.uint8), wanted.view(np.uint8))

    def test_properties(self):
        self.check_properties("tomotranspose", {})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                self.check(random_array(dtype, (41, 67)))

    def test_payloads_of_nan_survive(self):
        for bits, dtype in (np.uint16, np.float16), (np.uint32, np.float32), (np.uint64, np.float64):
            self.check(random_array(bits, (9, 5)).view(dtype))

    # Around the tiles' size, in one stream: every change of shape is one of caps.
    def test_shapes(self):
        shapes = (1, 1), (1, 71), (71, 1), (31, 33), (32, 32), (64, 31), (127, 131), (3, 33, 5), (4, 1, 1)
        self.check(*(random_array(np.float32, shape) for shape in shapes))

    def test_memory(self):
        arrays = [random_array(np.float32, (37, 41)) for _ in range(2)]
        self.check_memory("tomotranspose", arrays, reference=[a.T for a in arrays], tolerance=0)
        results = run("tomocalculate expression=v*2 ! tomotranspose ! queue ! tomotranspose ! tomocalculate expression=v+1",
                      arrays)
        for result, a in zip(results, arrays, strict=True):
            np.testing.assert_array_equal(result, a * 2 + 1)

    def test_views(self):
        """Planes of a larger memory start anywhere in it."""
        volume = random_array(np.uint8, (5, 3, 7))
        for result, plane in zip(run("tomoslice ! tomotranspose", [volume]), volume, strict=True):
            np.testing.assert_array_equal(result, plane.T)

    def test_flush_and_state_cycles(self):
        arrays = [random_array(np.float32, (5, 7)) for _ in range(3)]
        with Pads("tomotranspose") as pads:
            pads.push(*arrays)
            pads.flush()
            np.testing.assert_array_equal(pads.push(arrays[0])[0].array, arrays[0].T)
        self.check_state_cycles("tomotranspose", arrays, reference=[a.T for a in arrays], tolerance=0)

    def test_facts(self):
        a = random_array(np.float32, (5, 7))
        with Pads("tomotranspose") as pads:
            for domain, wanted in ("sinogram", None), ("projection", None), ("slice", "slice"), (None, None):
                (output,) = pads.push(a, rate=10, domain=domain, angle=0.5, source="a.tif")
                self.assertEqual((output.domain, output.rate), (wanted, (10, 1)))
                self.assertEqual((output.angle, output.source), (0.5, "a.tif"))
            self.assertEqual((output.pts, output.offset), (3 * Gst.SECOND // 10, 3))


if __name__ == "__main__":
    main()
