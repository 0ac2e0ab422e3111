# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoliveslice against float64, and against tomobackproject."""

import sys

from tomotest import *
from elementtest import ElementTestCase, Stream, scan_event
from livetest import axis_plane, points, slice_of

STEP = 0.1


def line(plane, ring="", **options):
    words = " ".join(f"{name.replace('_', '-')}={value}" for name, value in options.items())
    return f'tomoprojectionring {ring or f"angle-step={STEP}"} ! tomoliveslice plane="{plane}" {words}'


def projections(number, shape):
    return [rng.standard_normal(shape).astype(np.float32) for _ in range(number)]


class LiveSlice(ElementTestCase):
    def check(self, plane, shape, place, axis, tolerance=5e-6, number=32, ring="", **options):
        images = projections(number, shape)
        roll = options.get("roll", 0.0)
        result = run(line(plane, ring, axis_pos=axis, **options), images)[-1]
        wanted = slice_of(images, STEP * np.arange(number), axis, place, roll)
        self.assertEqual(result.shape, wanted.shape)
        terms = slice_of([np.abs(image) for image in images], STEP * np.arange(number), axis, place, roll)
        self.assert_close(result, wanted, tolerance, plane, size=terms)

    def test_properties(self):
        self.check_properties("tomoliveslice", {"plane": "z=0", "axis-pos": (-1.0, -1.0, 32768.0), "roll": (0.0, -1.5, 1.5),
                                                "every": (1, 1, 2**32 - 1), "left-out": (0.0, 0.0, sys.float_info.max)})

    def test_planes_along_the_axes(self):
        for shape in (7, 13), (8, 12), (1, 9), (5, 1), (1, 1), (6, 31):
            rows, columns = shape
            axis = columns / 2 + rng.uniform(-0.3, 0.3) * columns
            for normal in "xyz":
                for offset in 0, rng.uniform(-2, 2):
                    with self.subTest(shape=shape, normal=normal, offset=offset):
                        self.check(f"{normal}={offset}", shape, axis_plane(normal, offset, shape, axis), axis)

    def test_sizes_and_steps(self):
        shape, axis = (11, 23), 10.3
        for normal in "xyz":
            self.check(f"{normal}=1.5,width=9,height=17,step=1.7", shape, axis_plane(normal, 1.5, shape, axis, 1.7, 9, 17), axis)

    def test_wide_planes(self):
        """Whole rows at once and not, within the detector and far beyond it."""
        for columns, width, step in (500, 300, 0.9), (300, 1100, 0.7), (1300, 300, 3.9), (600, 200, 4.3), (40, 5000, 0.02):
            shape, axis = (4, columns), columns * rng.uniform(0.1, 0.9)
            for precision, tolerance in ("single", 2e-5), ("half", 1e-3):  # float32 rounds columns around 1000 to 6e-5 of one
                for normal in "xy":
                    with self.subTest(columns=columns, width=width, step=step, precision=precision, normal=normal):
                        place = axis_plane(normal, -2.5, shape, axis, step, width, 5)
                        self.check(f"{normal}=-2.5,width={width},height=5,step={step}", shape, place, axis, tolerance,
                                   ring=f"angle-step={STEP} precision-mode={precision}")

    def test_any_plane(self):
        for _ in range(4):
            middle, right, down = rng.uniform(-3, 3, 3), rng.uniform(-1, 1, 3), rng.uniform(-1, 1, 3)
            text = ",".join(f"{name}={':'.join(map(str, v))}" for name, v in (("at", middle), ("right", right), ("down", down)))
            self.check(f"{text},width=12,height=7", (9, 16), points(middle, right, down, 12, 7), 8.25)

    def test_a_rolled_axis(self):
        for roll in 0.2, -0.05:
            for normal in "xyz":
                self.check(f"{normal}=0.5", (9, 14), axis_plane(normal, 0.5, (9, 14), 6.4), 6.4, roll=roll)

    def test_half_precision(self):
        self.check("z=0", (5, 20), axis_plane("z", 0, (5, 20), 9), 9, tolerance=1e-3, ring=f"angle-step={STEP} precision-mode=half")

    def test_same_as_backproject(self):
        """A scan of any angles gives the slice that the sinogram of the row gives."""
        angles = np.sort(rng.uniform(0, 2 * np.pi, 41))
        images = projections(41, (5, 19))
        sinogram = np.stack([image[2] for image in images])
        with Stream("tomobackproject") as stream:
            stream.push(sinogram, event=scan_event(angles, 8.7))
            wanted = stream.pull()
        with Stream("tomoprojectionring views=41 ! tomoliveslice") as stream:
            for n, image in enumerate(images):
                stream.push(image, event=scan_event(angles, 8.7) if n == 0 else None)
            result, = stream.finish()
        self.assert_close(result, wanted, 2e-6)

    def test_errors(self):
        array = projections(1, (3, 5))
        for plane, *words in (("w=0", "'w'", "x, y, z, at"), ("z=zero", "z='zero'", "number"), ("z=0,z=1", "z twice"), ("z=0,x=0", "both z and x"),
                              ("z=nan", "number"), ("z=inf", "number"), ("", "nothing between commas"), ("z=0,", "nothing"), ("step=2", "lies nowhere"),
                              ("z=0,step=0", "above 0"), ("z=0,width=0", "from 1 to 65536"), ("z=0,at=1:2:3", "directions of its own"),
                              ("at=1:2,right=1:0:0,down=0:1:0,width=3,height=3", "three numbers"),
                              ("at=0:0:0,right=1:0:0,down=2:0:0,width=3,height=3", "no area"), ("z", "without '='")):
            with self.subTest(plane):
                self.assert_fails(["plane", *words], line(plane), array)
        self.assert_fails(["tomoprojectionring before"], "tomoliveslice", array)


if __name__ == "__main__":
    main()
