# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomobin against sums of blocks in float64."""

from tomotest import *
from elementtest import ElementTestCase
from padtest import *

TOLERANCE = 1e-6


def binned(a, size):
    """The sum over blocks; what does not fill one is left out."""
    a = np.asarray(a, np.float64)
    for axis, n in enumerate(a.shape):
        whole = n // size * size
        a = np.add.reduceat(a.take(range(whole), axis), range(0, whole, size), axis)
    return a


class Bin(ElementTestCase):
    def check(self, size, *arrays):
        for result, a in zip(run(f"tomobin size={size}", list(arrays)), arrays, strict=True):
            wanted = binned(a, size)
            self.assertEqual(result.dtype, np.float32)
            self.assert_close(result, wanted[0] if wanted.ndim == 3 and wanted.shape[0] == 1 else wanted, TOLERANCE)

    def test_properties(self):
        self.check_properties("tomobin", {"size": (2, 2, 16)})

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                self.check(3, rng.uniform(0, 100, (7, 11)).astype(FORMATS[name]))

    def test_sizes(self):
        for size in 2, 3, 5, 16:
            self.check(size, rng.random((16, 16), np.float32), rng.random((37, 53), np.float32),
                       rng.random((size, 3 * size - 1), np.float32))

    def test_volumes(self):
        self.check(2, rng.random((2, 2, 2), np.float32), rng.random((5, 7, 9), np.float32))
        self.check(16, rng.random((33, 17, 35), np.float32))

    def test_nan_spoils_its_bin_only(self):
        a = rng.random((6, 6), np.float32)
        a[1, 4] = np.nan
        (result,) = run("tomobin size=3", [a])
        np.testing.assert_array_equal(np.isnan(result), [[False, True], [False, False]])

    def test_errors(self):
        for shape in (3, 9), (9, 3), (2, 9, 9):
            self.assert_fails(["size=4", "float32"], "tomobin size=4", [random_array(np.float32, shape)])
        self.assert_fails("complex64", "tomobin", [random_array(np.complex64, (4, 4))])

    def test_memory_and_states(self):
        arrays = [rng.random((9, 8), np.float32) for _ in range(2)]
        self.check_memory("tomobin", arrays, reference=[binned(a, 2) for a in arrays], tolerance=TOLERANCE)
        self.check_state_cycles("tomobin", arrays, reference=[binned(a, 2) for a in arrays], tolerance=TOLERANCE)

    def test_facts(self):
        with Pads("tomobin size=2") as pads:
            pads.send(scan_event([0.0, 0.25, 0.5, 0.75, 1.0], 3.0, 1e-6))
            (output,) = pads.push(rng.random((5, 9), np.float32), rate=10, domain="sinogram", source="a.tif")
            self.assertEqual((output.domain, output.rate, output.source), ("sinogram", (10, 1), "a.tif"))
            self.assertEqual(pads.scan(), ([0.125, 0.625], 1.5, 2e-6))
            pads.element.set_property("size", 3)
            pads.push(rng.random((5, 9), np.float32), domain="projection")
            self.assertEqual(pads.scan(), ([0.0, 0.25, 0.5, 0.75, 1.0], 1.0, 3e-6))


if __name__ == "__main__":
    main()
