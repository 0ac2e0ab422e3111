# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomofftmult against numpy's product."""

from tomotest import *
from elementtest import ElementTestCase, Stream

LINE = "tomofftmult name=m SRC0 ! m.sink_0 SRC1 ! m.sink_1  m. ! SINK"


class Fftmult(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomofftmult", {})

    def test_shapes(self):
        for shape in ((1, 1), (1, 13), (3, 5, 7)):
            a, b = random_array(np.complex64, shape), random_array(np.complex64, shape)
            (result,) = run(LINE, [a], [b])
            self.assertEqual(result.dtype, np.complex64)
            self.assert_close(result, a.astype(np.complex128) * b, 1e-6)

    def test_nan(self):
        a, b = random_array(np.complex64, (3, 5)), random_array(np.complex64, (3, 5))
        a[0, 1], b[2, 2] = np.nan, np.nan
        (result,) = run(LINE, [a], [b])
        np.testing.assert_array_equal(np.isnan(result), np.isnan(a) | np.isnan(b))

    def test_convolution(self):
        a, b = random_array(np.float32, (7, 9)), random_array(np.float32, (7, 9))
        line = (
            "tomofftmult name=m SRC0 ! tomofft dimensions=2 ! m. SRC1 ! tomofft dimensions=2 ! m. "
            "m. ! tomoifft dimensions=2 ! SINK"
        )
        (result,) = run(line, [a], [b])
        wanted = sum(
            a[y, x].astype(np.float64) * np.roll(b.astype(np.float64), (y, x), (0, 1)) for y in range(7) for x in range(9)
        )
        self.assert_close(result, wanted, 2e-6)

    def test_memory_and_state_cycles(self):
        inputs = [[random_array(np.complex64, (3, 5)) for _ in range(n)] for n in (3, 1)]
        wanted = [a.astype(np.complex128) * inputs[1][0] for a in inputs[0]]
        places = "tomofftmult name=m  SRC1 ! m.sink_1  SRC0 ! m.sink_0  m."
        self.check_memory(places, *inputs, reference=wanted, tolerance=1e-6)
        self.check_state_cycles(LINE, *inputs, reference=wanted, tolerance=1e-6)

    def test_errors(self):
        a, b = random_array(np.complex64, (3, 5)), random_array(np.complex64, (3, 4))
        self.assert_fails(["5 x 3", "4 x 3", "same size"], LINE, [a], [b])
        self.assert_fails(["wanted 2"], "tomofftmult name=m SRC0 ! m. m. ! SINK", [a])


if __name__ == "__main__":
    main()
