# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomofade against its formula in float64."""

from tomotest import *
from elementtest import ElementTestCase
from padtest import *

TOLERANCE = 1e-6
LINE = "tomofade name=f {}  SRC0 ! f.sink_0  SRC1 ! f.sink_1  f."


def weights(planes, number=2.0, first=0.0, curve="cosine"):
    t = np.clip((first + np.arange(planes) + 0.5) / number, 0, 1)
    return t if curve == "linear" else (1 - np.cos(np.pi * t)) / 2


class Fade(ElementTestCase):
    def check(self, a, b, **properties):
        words = " ".join(f"{name}={value}" for name, value in properties.items())
        results = run(LINE.format(words), a, b)
        planes = [np.atleast_3d(r.T).T for r in results]
        self.assertEqual(results[0].dtype, np.float32)
        for_planes = iter(weights(sum(map(len, planes)), **properties))
        for result, one, other in zip(planes, a, b, strict=True):
            for plane, p, q in zip(result, one.reshape(result.shape), other.reshape(result.shape)):
                w = next(for_planes)
                p, q = p.astype(np.float64), q.astype(np.float64)
                self.assert_close(plane, (1 - w) * p + w * q, TOLERANCE, size=np.abs(p) + np.abs(q))

    def arrays(self, shape, count, dtype=np.float32):
        return [random_array(dtype, shape) for _ in range(count)]

    def test_properties(self):
        self.check_properties("tomofade", {"number": (2.0, 1e-3, 1e9), "first": (0.0, -1e9, 1e9), "curve": ("cosine", {"linear", "cosine"})})

    def test_ways(self):
        for shape, count in (((31, 37), 7), ((1, 1), 5), ((5, 3, 7), 3), ((1, 13), 1)):
            for curve in "linear", "cosine":
                whole = count * (shape[0] if len(shape) == 3 else 1)
                for number, first in ((whole, 0), (whole + 3, 2.25), (2.5, -1.75), (0.5, 0.0)):
                    self.check(self.arrays(shape, count), self.arrays(shape, count), number=number, first=first, curve=curve)

    def test_every_format(self):
        for name, other in zip(REAL, REAL[3:] + REAL[:3]):
            with self.subTest(formats=(name, other)):
                self.check(self.arrays((5, 4), 3, FORMATS[name]), self.arrays((5, 4), 3, FORMATS[other]), number=3)

    def test_what_has_no_weight_has_no_influence(self):
        a, b = self.arrays((3, 4), 3), self.arrays((3, 4), 3)
        a[2][:], b[0][:] = np.nan, np.inf
        results = run(LINE.format("number=1 first=-1"), a, b)
        np.testing.assert_array_equal(results[0], a[0])
        np.testing.assert_array_equal(results[2], b[2])

    def test_errors(self):
        a = self.arrays((2, 3), 1)
        for shape in ((2, 4), (3, 3), (2, 2, 3)):
            self.assert_fails(["sink_0", "sink_1", "same size"], LINE.format("") + " ! SINK", a, self.arrays(shape, 1))

    def test_memory_and_states(self):
        a, b = self.arrays((4, 3), 2), self.arrays((4, 3), 2)
        wanted = [np.float32((1 - w) * p + w * q) for w, p, q in zip(weights(2), a, b)]
        self.check_memory(LINE.format(""), a, b, reference=wanted, tolerance=TOLERANCE)
        self.check_state_cycles(LINE.format(""), a, b, reference=wanted, tolerance=TOLERANCE)


if __name__ == "__main__":
    main()
