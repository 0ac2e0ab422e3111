# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomogeneraliterate against the same methods in float64 with Joseph's projection as a matrix, and against spheres."""

import os
import subprocess
import sys

from tomotest import *
from elementtest import ElementTestCase, Stream
from generaltest import random_geometry, region, words
from iterativetest import additive, cgls, multiplicative, subsets
from tvtest import Problem, asd_pocs, fista, split_bregman
import generalref

NAME = "tomogeneraliterate"


class VolumeProblem(Problem):
    """One volume (slices, rows, columns)."""

    def __init__(self, a, b, views, shape, dims, parts=None):
        super().__init__(a, b.reshape(1, -1), views, shape, dims, parts)
        self.shape = shape

    def forward(self, x, rows=slice(None)):
        return x.reshape(1, -1) @ self.a[rows].T


class GeneralIterate(ElementTestCase):
    def test_properties(self):
        largest = sys.float_info.max
        lists = {name: [] for name in (*generalref.PARTS, "region", "x-region", "y-region")}
        self.check_properties(NAME, {
            **lists,
            "method": ("sirt", {"sirt", "sart", "cgls", "mlem", "fista", "sbtv", "asdpocs"}),
            "num-iterations": (0, 0, 100000),
            "preview": (0, 0, 2**32 - 1),
            "relaxation": (0.0, 0.0, 10.0),
            "subsets": (0, 0, 32768),
            "lambda": (0.001, 0.0, 1e6),
            "tv-iterations": (20, 1, 1000),
            "tv-dimensions": (3, 2, 3),
            "penalty": (1.0, 1e-6, 1e6),
            "cg-iterations": (3, 1, 1000),
            "relaxation-reduction": (0.995, 0.0, 1.0),
            "tv-step": (0.2, 0.0, 100.0),
            "tv-step-reduction": (0.95, 0.0, 1.0),
            "tv-limit": (0.95, 0.0, 100.0),
            "residual-limit": (0.0, 0.0, 1.0),
            "minimum": (-largest, -largest, largest),
            "maximum": (largest, -largest, largest),
            "tolerance": (0.0, 0.0, 1.0),
            "residual": (0.0, 0.0, largest),
            "overall-angle": (0.0, -largest, largest),
            "angle-step": (0.0, -largest, largest),
            "num-projections": (0, 0, 32768),
            "slices-before": (0, 0, 2**32 - 1),
            "slices-behind": (0, 0, 2**32 - 1),
            "devices": None,
            "on-failure": ("error", {"error", "continue"}),
        })

    def test_hidden_slices(self):
        """Those of a larger region come out, whose projections come one by one or as a stack, volume after volume."""
        geometry = random_geometry((9, 11), 8, True)
        projections = rng.uniform(0, 1, (8, 9, 11)).astype(np.float32)
        line = f"{NAME} method=cgls num-iterations=2 {words(geometry)} x-region=<-4,4,1> y-region=<-3,4,1>"
        whole = np.array(run(f"{line} region={region(-3, 1, 7)}", list(projections)))
        for first, count in ((2, 3), (0, 2), (6, 1)):
            part = f"{line} region={region(-3 + first, 1, count)} slices-before={first} slices-behind={7 - first - count}"
            for given in (list(projections), [projections]):
                np.testing.assert_array_equal(run(part, given), whole[first: first + count], f"seed {SEED}")
            twice = run(f"{part} num-projections=8", list(projections) * 2)
            np.testing.assert_array_equal(twice, np.concatenate([whole[first: first + count]] * 2))

    def test_methods(self):
        """Each method in random geometries, from projections one by one and in stacks, of a known number or not."""
        methods = (
            ("sirt num-iterations=6 relaxation=0.9 minimum=0", lambda a, b, n, f: additive(a, b, 6, 0.9, f(n, 1), 0.0)),
            ("sirt num-iterations=3 subsets=4", lambda a, b, n, f: additive(a, b, 3, 1.0, f(n, 4))),
            ("sart num-iterations=2 maximum=0.6", lambda a, b, n, f: additive(a, b, 2, 0.25, f(n, n), high=0.6)),
            ("mlem num-iterations=4 subsets=2", lambda a, b, n, f: multiplicative(a, b, 4, f(n, 2))),
            ("cgls num-iterations=5", lambda a, b, n, f: cgls(a, b, 5)))
        for number, (method, reference) in enumerate(methods):
            is_cone, shape, views = number % 2 == 0, (9, 11), 14
            grids = [(-0.45 * count, 0.95, count) for count in (9, 8, 7)]
            a = None
            while a is None or self.least_sum(a, views) < 2e-5:  # which float32 can't divide by
                geometry = random_geometry(shape, views, is_cone)
                a = generalref.matrix(geometry, shape, views, *grids)
            b = np.abs(a @ rng.uniform(0, 1, a.shape[1])).astype(np.float32)
            rays = shape[0] * shape[1]

            def rows(n, count):
                return [(v[:, None] * rays + np.arange(rays)).ravel() for v in subsets(n, count)]

            wanted, residuals = reference(a, b.astype(float), views, rows)
            projections = list(b.reshape(views, *shape))
            line = (f"{NAME} method={method} {words(geometry)} x-region={region(*grids[0])} "
                    f"y-region={region(*grids[1])} region={region(*grids[2])}")
            for extra, inputs in (("", projections), (f"num-projections={views}", projections + projections),
                                  ("", [np.stack(projections[:7]), np.stack(projections[7:])])):
                with self.subTest(line=line + extra, seed=SEED), Stream(f"{line} {extra}") as stream:
                    for projection in inputs:
                        stream.push(projection)
                    results = np.array(stream.finish())
                    messages = stream.element_messages("tomo-iterations")
                volumes = len(inputs) // views or 1
                self.assertEqual(len(results), 7 * volumes)
                for volume in np.split(results, volumes):
                    self.assert_close(volume.ravel(), wanted, 1e-4)
                self.assertEqual([m.get_value("index") for m in messages], list(range(volumes)))
                for message in messages:
                    told = message.get_value("residuals")
                    np.testing.assert_allclose([told[i] for i in range(len(told))], residuals, rtol=1e-3)

    def test_total_variation(self):
        """Slices that are neighbours, and slices by themselves, by their objective in float64."""
        shape, views, grids = (8, 9), 12, [(-0.475 * count, 0.95, count) for count in (8, 7, 6)]
        a = None
        while a is None or self.least_sum(a, views) < 2e-5:
            geometry = random_geometry(shape, views, True)
            a = generalref.matrix(geometry, shape, views, *grids)
        truth = np.zeros((6, 7, 8))
        truth[1:5, 2:6, 2:7] = 0.01
        truth[3:6, 4:, 1:4] = 0.02
        b = a @ truth.ravel()
        b = np.abs(b + 0.05 * b.max() * rng.standard_normal(b.shape)).astype(np.float32)
        rays = shape[0] * shape[1]

        def parts(number):
            return [(v[:, None] * rays + np.arange(rays)).ravel() for v in subsets(views, number)]

        # Where a slice is flat, the direction of steps down its variation hangs on rounding, unless values are small beside the
        # smoothing of the variation, 0.0001, or steps are.
        methods = (
            ("fista num-iterations=15 minimum=0", 1, lambda p: fista(p, 0.0004, 15, 20, 0.0)),
            ("fista num-iterations=4 subsets=3 tv-iterations=5 maximum=0.016", 3, lambda p: fista(p, 0.0004, 4, 5, high=0.016)),
            ("sbtv num-iterations=8 penalty=0.5 cg-iterations=2 minimum=0", 1, lambda p: split_bregman(p, 0.0004, 8, 0.5, 2, 0.0)),
            ("asdpocs num-iterations=4 minimum=0 tv-iterations=4 tv-step=0.05", views,
             lambda p: asd_pocs(p, 4, steps=4, size=0.05)),
            ("asdpocs num-iterations=4 subsets=3 relaxation=0.8 minimum=0 tv-iterations=4 tv-step=0.05", 3,
             lambda p: asd_pocs(p, 4, 0.8, steps=4, size=0.05)))
        for method, number, reference in methods:
            for dims in (2, 3):
                problem = VolumeProblem(a, b.astype(float), views, truth.shape, dims, parts(number))
                wanted, residuals = reference(problem)
                weight = "" if "asdpocs" in method else "lambda=0.0004"
                line = (f"{NAME} method={method} {weight} tv-dimensions={dims} {words(geometry)} x-region={region(*grids[0])} "
                        f"y-region={region(*grids[1])} region={region(*grids[2])}")
                with self.subTest(line=line, seed=SEED), Stream(line) as stream:
                    stream.push(b.reshape(views, *shape))
                    volume = np.array(stream.finish(), np.float64)
                    told = stream.element_messages("tomo-iterations")[0].get_value("residuals")
                    self.assertLess(np.linalg.norm(volume - wanted), 1e-3 * np.linalg.norm(wanted))
                    self.assertLess(abs(problem.objective(volume, 0.0004) / problem.objective(wanted, 0.0004) - 1), 1e-4)
                    np.testing.assert_allclose([told[i] for i in range(len(told))], residuals, rtol=1e-3)

    def test_start(self):
        """Volumes begin with slices of their own, which come one by one or not, or all with one; and a mask."""
        shape, views, grids = (7, 8), 10, [(-2.85, 0.95, 7), (-2.375, 0.95, 6), (-1.9, 0.95, 5)]
        a = None
        while a is None or self.least_sum(a, views) < 2e-5:
            geometry = random_geometry(shape, views, True)
            a = generalref.matrix(geometry, shape, views, *grids)
        b = np.abs(a @ rng.uniform(0, 1, a.shape[1])).astype(np.float32)
        starts = rng.uniform(0, 1, (2, 5, 6, 7)).astype(np.float32)
        masks = (rng.uniform(0, 1, (2, 5, 6, 7)) < 0.7).astype(np.uint8)
        line = (f"method=cgls num-iterations=3 num-projections={views} {words(geometry)} x-region={region(*grids[0])} "
                f"y-region={region(*grids[1])} region={region(*grids[2])}")

        def volumes(initial, mask):
            with Stream(f"SRC0 ! it.sink SRC1 ! it.initial SRC2 ! it.mask {NAME} name=it {line}", inputs=3) as stream:
                for number, arrays in ((1, initial), (2, mask)):
                    for array in arrays:
                        stream.push(array, number)
                    stream.end(number)
                for _ in range(2):
                    stream.push(b.reshape(views, *shape))
                return np.array(stream.finish()).reshape(2, -1)

        def check(results, start, mask):
            for result, *given in zip(results, start, mask, strict=True):
                self.assert_close(result, cgls(a, b.astype(float), 3, *given)[0], 1e-4)

        check(volumes(starts.reshape(10, 6, 7), masks), starts, masks)
        check(volumes([starts[0, :2], starts[0, 2:]], [masks[0, 0]]), starts[[0, 0]], np.broadcast_to(masks[0, 0], starts.shape))
        # Slices that are made and not given begin as usual, and may change; a single slice is for these as well.
        line = line.replace(f"region={region(*grids[2])}", f"region={region(-0.95, 0.95, 3)} slices-before=1 slices-behind=1")
        padded = [np.pad(array[:, 1:4], ((0, 0), (1, 1), (0, 0), (0, 0)), constant_values=value) for array, value in ((starts, 0), (masks, 1))]
        for given in ((starts[:, 1:4], masks[:, 1:4], *padded),
                      ([starts[0, 0]], masks[:, 1:4], np.broadcast_to(starts[0, 0], starts.shape), padded[1])):
            results = volumes(*given[:2]).reshape(2, 3, 6, 7)
            for result, *both in zip(results, *given[2:], strict=True):
                wanted = cgls(a, b.astype(float), 3, *both)[0].reshape(5, 6, 7)
                self.assert_close(result, wanted[1:4], 1e-4)
        with self.assertRaisesRegex(PipelineError, "input initial ended after 2 of the 3 slices of volume 0"):
            volumes(starts[0, 1:3], masks[:, 1:4])
        line = line.replace(f"region={region(-0.95, 0.95, 3)} slices-before=1 slices-behind=1", f"region={region(*grids[2])}")
        # A flush between the slices of a start: the volume behind begins with a whole one.
        with Stream(f"SRC0 ! it.sink SRC1 ! it.initial {NAME} name=it {line}", inputs=2) as stream:
            stream.push(starts[0, :2], 1)
            stream.push(b.reshape(views, *shape))
            GLib.usleep(200000)
            for event in Gst.Event.new_flush_start(), Gst.Event.new_flush_stop(True):
                for source in "src0", "src1":
                    self.assertTrue(stream[source].send_event(event))
            stream.sent = [0, 0]
            stream.push(starts[1], 1)
            stream.push(b.reshape(views, *shape))
            result = np.concatenate([stream.pull().ravel() for _ in range(len(starts[1]))])
        self.assert_close(result, cgls(a, b.astype(float), 3, starts[1])[0], 1e-4)
        with self.assertRaisesRegex(PipelineError, "input initial ended after 3 of the 5 slices of volume 0"):
            volumes([starts[0, :3]], masks)
        with self.assertRaisesRegex(PipelineError, "input mask got 6 slices where a volume has 5"):
            volumes(starts, [np.ones((6, 6, 7), np.uint8)])
        with self.assertRaisesRegex(PipelineError, "input mask got uint8 6 x 7.*wanted slices of 7 x 6"):
            volumes(starts, [np.ones((7, 6), np.uint8)])

    @staticmethod
    def least_sum(a, views):
        """The least one, but for 0, of all rays, and of all voxels in a view."""
        of_views = a.reshape(views, -1, a.shape[1]).sum(1)
        return min(sums[sums > 0].min() for sums in (a.sum(1), of_views))

    def test_spheres(self):
        """A cone beam of few views, and laminography with its axis tilted by 30 degrees, from exact projections."""
        spheres = [(5.0, 2.0, -3.0, 5.0, 1.0), (-6.0, -4.0, 4.0, 4.0, 0.5)]
        shape, views = (36, 40), 48
        for extra in ({"source-position-y": [-160.0], "detector-position-y": [40.0]}, {"axis-angle-x": [np.pi / 6]}):
            geometry = {"axis-angle-z": np.arange(views) * 2 * np.pi / views + 0.1, "center-position-x": [20.0],
                        "center-position-z": [18.0], **extra}
            projections = generalref.project(spheres, geometry, shape, views).astype(np.float32)
            steps, whole = -14.5 + np.arange(30), region(-14.5, 1.0, 30)
            slices = np.array(run(f"{NAME} method=cgls num-iterations=12 {words(geometry)} x-region={whole} "
                                  f"y-region={whole} region={whole}", list(projections)))
            z, y, x = np.meshgrid(steps, steps, steps, indexing="ij")
            for *middle, radius, value in spheres:
                away = np.sqrt(sum((axis - m) ** 2 for axis, m in zip((x, y, z), middle)))
                self.assertAlmostEqual(slices[away < radius - 1.5].mean() / value, 1.0, delta=0.05)

    def test_region(self):
        """Without one there is a slice for each row."""
        projections = [np.abs(random_array(np.float32, (5, 6))) for _ in range(4)]
        line = f"{NAME} num-iterations=3 overall-angle=3.0"
        slices = np.array(run(line, projections))
        self.assertEqual(len(slices), 5)
        self.assert_close(slices, np.array(run(f"{line} region={region(-2, 1, 5)}", projections)), 1e-6)

    def test_stops(self):
        geometry = random_geometry((7, 8), 10, True)
        grids = (-3, 1, 6), (-3, 1, 6), (-3, 1, 7)
        line = f"{NAME} {words(geometry)} num-iterations=60 x-region={region(*grids[0])} y-region={region(*grids[1])}"
        line += f" region={region(*grids[2])}"
        a = generalref.matrix(geometry, (7, 8), 10, *grids)
        projections = list((a @ rng.uniform(0, 1, a.shape[1])).astype(np.float32).reshape(10, 7, 8))
        lengths = []
        for tolerance in 0.0, 0.3:
            with Stream(f"{line} tolerance={tolerance}") as stream:
                for projection in projections:
                    stream.push(projection)
                stream.finish()
                residuals = stream.element_messages("tomo-iterations")[0].get_value("residuals")
                lengths.append(len(residuals))
        self.assertEqual(lengths[0], 60)
        self.assertLess(lengths[1], 60)

    def test_a_source_that_moves(self):
        """No weights of a turn are asked for."""
        projections = [random_array(np.float32, (9, 11)) for _ in range(6)]
        for more in "", "source-position-x=<-5,-3,-1,1,3,5>":
            self.assertEqual(len(run(f"{NAME} num-iterations=1 source-position-y=<-50> axis-angle-z=<0,0,0,0,0,0> {more} "
                                     "x-region=<-3,3,1> y-region=<-3,3,1> region=<-1,2,1>", projections)), 3)

    def test_nan(self):
        projections = [np.ones((5, 6), np.float32) for _ in range(4)]
        projections[2][2, 3] = np.nan
        with Stream(f"{NAME} region=<-2.0,3.0,1.0> overall-angle=3.0") as stream:
            for projection in projections:
                stream.push(projection)
            results = np.array(stream.finish())
            warnings = " ".join(stream.warnings())
        self.assertTrue(np.isnan(results).any())
        self.assertIn("the residual of volume 0 grew", warnings)

    def test_refused(self):
        projections = [np.ones((5, 6), np.float32) for _ in range(4)]
        for words, error in (
                ("method=cgls relaxation=0.5", "relaxation does not count with method=cgls"),
                ("method=sart subsets=3", "subsets does not count with method=sart"),
                ("method=cgls minimum=0", "minimum does not count with method=cgls"),
                ("method=sirt lambda=0.1", "lambda does not count with method=sirt"),
                ("method=sbtv tv-iterations=3", "tv-iterations does not count with method=sbtv"),
                ("method=fista cg-iterations=4", "cg-iterations does not count with method=fista"),
                ("method=fista tv-limit=0.5", "tv-limit does not count with method=fista"),
                ("method=sbtv subsets=2", "subsets does not count with method=sbtv"),
                ("method=fista relaxation=1", "relaxation does not count with method=fista"),
                ("method=mlem tv-dimensions=2", "tv-dimensions does not count with method=mlem"),
                ("minimum=1 maximum=0", "minimum below maximum"),
                ("axis-angle-z=<0.0,1.0>", "axis-angle-z has 2 values for 4"),
                ("source-position-y=<-4.5> overall-angle=3.0", "voxels from the volume"),
                ("num-projections=3 overall-angle=3.0", "num-projections=3")):
            self.assert_fails([error], f"{NAME} {words}", projections)

    @staticmethod
    def limited(limit, slices, projections, properties=""):
        """The limit of memory is read once in a process."""
        line = (f"tomodummydata width=64 height=64 number={projections} init=1 ! {NAME} {properties} overall-angle=3.0 "
                f"region=<0.0,{slices}.0,1.0> num-projections={projections} ! fakesink")
        return subprocess.run(["gst-launch-1.0", "-q", *line.split()], text=True, capture_output=True, timeout=60,
                              env=dict(os.environ, GST_TOMO_MEMORY_LIMIT=str(limit)))

    def test_too_large(self):
        done = self.limited("8m", 200, 8)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, "8 projections of 64 x 64 pixels and 200 slices of 64 x 64 find no place")

    def test_memory(self):
        """What the description tells is enough, with an eighth for the rest."""
        plane, slices, projections = 64 * 64 * 4, 64, 48
        for method, volumes, copies in (("sirt", 5, 3), ("cgls", 5 + 3, 2), ("fista", 12, 2), ("fista tv-dimensions=2", 10, 2),
                                        ("sbtv", 14, 2)):
            limit = int((volumes * slices + copies * projections) * plane * 8 / 7) + 1000
            done = self.limited(limit, slices, projections, f"method={method} num-iterations=3")
            self.assertEqual((done.returncode, done.stderr), (0, ""), method)
            done = self.limited(int(0.6 * limit), slices, projections, f"method={method} num-iterations=3")
            self.assertIn("find no place", done.stderr, method)


if __name__ == "__main__":
    main()
