# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomogeneralforwardproject against Joseph's projection in float64, and against spheres."""

import sys

from tomotest import *
from elementtest import ElementTestCase
from generaltest import random_geometry, region, words
from padtest import Pads, arrays_of
import generalref

NAME = "tomogeneralforwardproject"


class GeneralForwardproject(ElementTestCase):
    def test_properties(self):
        largest = sys.float_info.max
        lists = {name: [] for name in (*generalref.PARTS, "region", "x-region", "y-region")}
        self.check_properties(NAME, {
            **lists,
            "number": (256, 1, 32768),
            "columns": (0, 0, 32768),
            "rows": (0, 0, 32768),
            "overall-angle": (2 * np.pi, -largest, largest),
        })

    def test_any_geometry(self):
        """Volumes of several types and sizes, uneven steps, mirrored axes; several volumes one after the other."""
        for is_cone in True, False:
            for dtype, size in ((np.float32, (5, 7, 9)), (np.uint16, (1, 11, 6)), (np.float16, (7, 1, 1)), (np.uint8, (1, 1, 1))):
                shape, views = (int(rng.integers(1, 12)), int(rng.integers(6, 14))), int(rng.integers(2, 20))
                geometry = random_geometry(shape, views, is_cone)
                grids = [(rng.uniform(-0.6, -0.4) * count * sign, rng.uniform(0.7, 1.2) * sign, count)
                         for count, sign in zip(size[::-1], rng.choice((-1, 1), 3))]
                volumes = [random_array(dtype, size) for _ in range(2)]
                a = generalref.matrix(geometry, shape, views, *grids)
                line = (f"{NAME} {words(geometry)} rows={shape[0]} columns={shape[1]} x-region={region(*grids[0])} "
                        f"y-region={region(*grids[1])} region={region(*grids[2])}")
                with self.subTest(line=line, seed=SEED):
                    results = run(line, volumes)
                    self.assertEqual(len(results), 2 * views)
                    for volume, projections in zip(volumes, (results[:views], results[views:])):
                        wanted = (a @ volume.astype(float).ravel()).reshape(views, *shape)
                        self.assert_close(np.array(projections), wanted, 2e-6)

    def test_turn(self):
        """Angles in even steps, and the defaults of sizes and regions."""
        volume = random_array(np.float32, (5, 8, 6))
        grid = (-3, 1, 6), (-4, 1, 8), (-2, 1, 5)
        for words, angles in (("number=7", np.arange(7) * 2 * np.pi / 7),
                              ("number=3 overall-angle=-1.5 axis-angle-z=<0.25>", 0.25 - 0.5 * np.arange(3))):
            geometry = {"axis-angle-z": angles, "center-position-x": 3.0, "center-position-z": 2.5}
            with Pads(f"{NAME} {words}") as pads:
                results = arrays_of(pads.push(volume))
                self.assertEqual(pads.outputs[0].domain, "projection")
                told, axis, _ = pads.scan()
            wanted = generalref.matrix(geometry, (5, 6), len(angles), *grid) @ volume.astype(float).ravel()
            self.assert_close(np.array(results), wanted.reshape(len(angles), 5, 6), 2e-6)
            np.testing.assert_allclose(told, angles, atol=1e-12)
            self.assertEqual(axis, 3.0)

    def test_equal_steps_of_a_turn(self):
        """Square volumes about their middle, of odd and even sides, in both senses; and nearly so."""
        for side, views, sense, off, dtype in ((7, 8, 1, 0.0, np.float32), (6, 12, -1, 0.0, np.uint16), (5, 4, 1, 0.0, np.float16),
                                               (1, 4, -1, 0.0, np.float32), (6, 8, 1, 0.5, np.float32), (5, 6, 1, 0.0, np.float32)):
            for source in -np.inf, -60.0:
                volume = random_array(dtype, (9, side, side))
                middle = (side - 1) / 2
                grids = (-middle * 0.9 + off, 0.9, side), (middle * 0.9, -0.9, side), (-3.7, 0.8, 9)
                geometry = {"axis-angle-z": 0.3 + sense * np.arange(views) * 2 * np.pi / views, "source-position-y": source,
                            "detector-position-y": 20.0, "source-position-x": 1.5, "center-position-x": 6.2,
                            "center-position-z": 9.1}
                wanted = generalref.matrix(geometry, (19, 13), views, *grids) @ volume.astype(float).ravel()
                line = (f"{NAME} {words(geometry)} rows=19 columns=13 x-region={region(*grids[0])} y-region={region(*grids[1])} "
                        f"region={region(*grids[2])}")
                with self.subTest(line=line):
                    self.assert_close(np.array(run(line, [volume])), wanted.reshape(views, 19, 13), 2e-6)

    def test_live(self):
        """The geometry is that of the time when a volume comes, also behind a flush."""
        volume = random_array(np.float32, (2, 5, 4))
        with Pads(f"{NAME} number=2") as pads:
            for center, views in ((2.0, 2), (1.25, 2), (1.25, 3)):
                pads.element.set_property("center-position-x", Gst.ValueArray((center,)))
                if views == 3:
                    pads.element.set_property("axis-angle-z", Gst.ValueArray((0.0, 0.5, 1.5)))
                    pads.flush()
                angles = (0.0, 0.5, 1.5) if views == 3 else (0.0, np.pi)
                geometry = {"axis-angle-z": angles, "center-position-x": center, "center-position-z": 1.0}
                a = generalref.matrix(geometry, (2, 4), views, (-2, 1, 4), (-2.5, 1, 5), (-0.5, 1, 2))
                wanted = (a @ volume.astype(float).ravel()).reshape(views, 2, 4)
                self.assert_close(np.array(arrays_of(pads.push(volume))), wanted, 2e-6)
                self.assertEqual(pads.scan()[1], center)
        for domain in "sinogram", "projection":
            with Pads(NAME) as pads, self.assertRaisesRegex(PipelineError, "projects volumes"):
                pads.push(volume, domain=domain)

    def test_sphere(self):
        """The chords of a sphere in a cone beam, away from its edge, where voxels are stairs."""
        spheres = [(3.0, -2.0, 1.0, 9.0, 0.7)]
        geometry = {"axis-angle-z": rng.uniform(-4, 4, 5), "source-position-y": [-120.0], "detector-position-y": [40.0],
                    "center-position-x": [20.0], "center-position-z": [16.0]}
        steps = np.arange(-15.0, 16.0, 0.5)
        z, y, x = np.meshgrid(steps, steps, steps, indexing="ij")
        volume = np.where((x - 3) ** 2 + (y + 2) ** 2 + (z - 1) ** 2 < 81, 0.7, 0.0).astype(np.float32)
        whole = region(-15, 0.5, 62)
        results = np.array(run(f"{NAME} {words(geometry)} columns=40 rows=32 x-region={whole} y-region={whole} "
                               f"region={whole}", [volume]))
        wanted = generalref.project(spheres, geometry, (32, 40), 5)
        inside = wanted > 0.7 * 9
        self.assertGreater(inside.sum(), 500)
        self.assertLess(np.abs(results / np.where(inside, wanted, 1) - 1)[inside].mean(), 0.02)
        self.assertLess(np.abs((results - wanted).sum() / wanted.sum()), 0.005)

    def test_nan(self):
        volume = np.zeros((3, 5, 5), np.float32)
        volume[1, 2, 2] = np.nan
        projections = np.array(run(f"{NAME} number=4 rows=9 columns=9", [volume]))
        self.assertTrue(np.isnan(projections).any(axis=(1, 2)).all())
        self.assertFalse(np.isnan(projections[:, 0]).any())

    def test_memory_and_state_cycles(self):
        volumes = [random_array(np.float32, (2, 5, 4)) for _ in range(2)]
        geometry = {"axis-angle-z": np.arange(3) * 2 * np.pi / 3, "center-position-x": 2.0, "center-position-z": 1.0}
        a = generalref.matrix(geometry, (2, 4), 3, (-2, 1, 4), (-2.5, 1, 5), (-0.5, 1, 2))
        wanted = [p for v in volumes for p in (a @ v.astype(float).ravel()).reshape(3, 2, 4)]
        self.check_memory(f"{NAME} number=3", volumes, reference=wanted, tolerance=2e-6)
        self.check_state_cycles(f"{NAME} number=3", volumes, reference=wanted, tolerance=2e-6)

    def test_refused(self):
        volume = np.zeros((3, 5, 5), np.float32)
        for words, error in (
                ("axis-angle-z=<0.0,1.0,2.0> center-position-x=<1.0,2.0>", "center-position-x has 2 values for 3"),
                ("x-region=<0.0,4.0,1.0>", "x-region has 4 steps, and the volume has 5 columns"),
                ("region=<0.0,4.0,0.5>", "region has 8 steps, and the volume has 3 slices"),
                ("y-region=<0.0,1.0>", "three finite numbers"),
                ("source-position-y=<-3.0>", "voxels from the volume"),
                ("source-position-y=<-2.0>", "source-position-y"),
                ("source-position-y=<-90.0> detector-position-y=<-95.0>", "detector-position-y is -95")):
            self.assert_fails([error], f"{NAME} {words}", [volume])


if __name__ == "__main__":
    main()
