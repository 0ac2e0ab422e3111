# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoconebeamprojectionweight against its formula in double precision."""

from tomotest import *
from filtertest import *


def weight(plane, source, detector, x=None, z=None, tilt=0.0):
    height, width = plane.shape
    shrink = source / (source + detector)
    x = (np.arange(width) + 0.5 - (width / 2 if x is None else x)) * shrink
    z = (np.arange(height) + 0.5 - (height / 2 if z is None else z)) * shrink
    distance = source if np.cos(tilt) > 0.9999999 else source + detector
    return plane * source * np.cos(tilt) / np.sqrt(distance**2 + x**2 + z[:, None] ** 2)


class ConeBeamProjectionWeight(FilterTestCase):
    def test_properties(self):
        element = Gst.ElementFactory.make("tomoconebeamprojectionweight")
        own = {p.name for p in element.list_properties() if p.owner_type == element.__gtype__} - {"device"}
        self.assertEqual(own, {"center-position-x", "center-position-z", "source-distance", "detector-distance",
                               "axis-angle-x", "first-row"})
        for name in own:
            self.assertFalse(element.get_property(name))

    def test_filter(self):
        self.check_filter("tomoconebeamprojectionweight source-distance=<100.0> detector-distance=<50.0>",
                          lambda p: weight(p, 100, 50))

    def test_geometry(self):
        arrays = [random_array(np.float32, shape) for shape in SHAPES]
        for x, z, s, d, tilt in (3.25, -2.5, 40.0, 0.0, 0.0), (0.0, 7.0, 12.5, 100.0, 0.3), (5.5, 1.0, 30.0, 10.0, 1e-5):
            self.check(f"tomoconebeamprojectionweight center-position-x=<{x}> center-position-z=<{z}> "
                       f"source-distance=<{s}> detector-distance=<{d}> axis-angle-x=<{tilt}>", arrays,
                       lambda p: weight(p, s, d, x, z, tilt))

    def test_rows_of_a_detector(self):
        """Rows from any on have the bits that they have among all others."""
        words = "tomoconebeamprojectionweight source-distance=<100.0> detector-distance=<50.0> center-position-x=<3.3> center-position-z=<8.1>"
        projection = random_array(np.float32, (19, 7))
        whole = run(words, [projection])[0]
        np.testing.assert_array_equal(run(words + " first-row=5", [projection[5:12]])[0], whole[5:12])

    def test_a_value_for_each_projection(self):
        arrays = [random_array(np.float32, (2, 5, 7)) for _ in range(3)]
        centers, sources = rng.uniform(0, 7, 6), rng.uniform(20, 40, 6)
        text = lambda values: "<" + ",".join(map(repr, map(float, values))) + ">"
        line = f"tomoconebeamprojectionweight source-distance={text(sources)} detector-distance=<9.0> " \
               f"center-position-x={text(centers)}"
        for i, result in enumerate(run(line, arrays)):
            for z in range(2):
                n = 2 * i + z
                self.assert_close(result[z], weight(arrays[i][z], sources[n], 9.0, centers[n]), 1e-6)
        self.assert_fails(["has 6 values, but projection 6 came"], line, arrays + arrays[:1])

    def test_errors(self):
        a, line = random_array(np.float32, (5, 7)), "tomoconebeamprojectionweight"
        self.assert_fails(["source-distance has 0 values"], f"{line} detector-distance=<1.0>", [a])
        self.assert_fails(["detector-distance has 0 values"], f"{line} source-distance=<1.0>", [a])
        self.assert_fails(["source-distance is -1"], f"{line} source-distance=<-1.0> detector-distance=<1.0>", [a])
        self.assert_fails(["detector-distance is -2"], f"{line} source-distance=<1.0> detector-distance=<-2.0>", [a])


if __name__ == "__main__":
    main()
