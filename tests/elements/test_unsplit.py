# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomounsplit against numpy."""

from tomotest import *
from elementtest import ElementTestCase, Stream


def reference(a):
    planes = a.reshape((-1,) + a.shape[-2:])
    return np.moveaxis(planes, 0, -1).reshape(planes.shape[1], -1)


class Unsplit(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomounsplit", {})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            a = random_array(dtype, (3, 5, 7))
            with self.subTest(format=name):
                (result,) = run("tomounsplit", [a])
                self.assertEqual(result.dtype, a.dtype)
                np.testing.assert_array_equal(result, reference(a))

    def test_shapes(self):
        arrays = [random_array(np.float32, s) for s in ((1, 1), (4, 1, 1), (3, 13), (2, 7, 11), (13, 2, 1))]
        for a, result in zip(arrays, run("tomounsplit", arrays), strict=True):
            np.testing.assert_array_equal(result, reference(a))

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.float32, (2, 3, 5)) for _ in range(3)]
        wanted = [reference(a) for a in arrays]
        self.check_memory("tomounsplit", arrays, reference=wanted, tolerance=0)
        self.check_state_cycles("tomounsplit", arrays, reference=wanted, tolerance=0)

    def test_too_wide(self):
        source = "tomodummydata width=131072 height=1 depth=131072 number=1"
        self.assert_fails(["columns"], f"{source} ! tomounsplit")


if __name__ == "__main__":
    main()
