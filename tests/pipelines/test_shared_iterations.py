#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomogeneraliterate on two devices of PoCL: the bytes of one device, and its errors."""

import os
import subprocess
import time

os.environ["POCL_DEVICES"] = "pthread pthread"  # before OpenCL is loaded

from tomotest import *
from elementtest import ElementTestCase, Stream
from generaltest import region, words
from pipetest import PATIENCE

NAME = "tomogeneraliterate"
SHAPE, VIEWS, GRIDS = (19, 17), 12, [(-6.5, 1.0, 15), (-5.5, 0.95, 13), (-4.0, 1.0, 9)]
UPRIGHT = {"axis-angle-z": np.arange(VIEWS) * 2 * np.pi / VIEWS, "center-position-x": 8.4, "center-position-z": 9.3}
CONE = {**UPRIGHT, "source-position-y": -120.0, "detector-position-y": 30.0}
GEOMETRIES = {
    "parallel": UPRIGHT,
    "cone": CONE,
    "tilted": {**CONE, "axis-angle-x": 0.25, "axis-angle-y": -0.1, "axis-angle-z": np.linspace(0.1, 5.0, VIEWS), "detector-angle-y": 0.05},
}
METHODS = ("sirt num-iterations=4", "sirt num-iterations=2 subsets=5 minimum=0", "sart num-iterations=2", "mlem num-iterations=3 subsets=2",
           "cgls num-iterations=4 tolerance=0.01", "fista num-iterations=3 subsets=3 tv-iterations=3", "sbtv num-iterations=2 maximum=2",
           "asdpocs num-iterations=2 subsets=4 tv-iterations=3")


def line(method, geometry, grids=GRIDS, more=""):
    return (f"{NAME} name=it method={method} {words(geometry)} x-region={region(*grids[0])} y-region={region(*grids[1])} "
            f"region={region(*grids[2])} {more} ")


class SharedIterations(ElementTestCase):
    def setUp(self):
        super().setUp()
        self.projections = rng.uniform(0, 5, (VIEWS, *SHAPE)).astype(np.float32)

    def volume(self, text, *inputs, others=()):
        """Slices, and what each device has made of them. Inputs behind the first one are `initial` and `mask`."""
        links = "".join(f"SRC{i + 1} ! it.{name} " for i, name in enumerate(others))
        with Stream(f"SRC0 ! it.sink {links} {text}", inputs=1 + len(others)) as stream:
            for number, array in enumerate(inputs[1:], 1):
                stream.push(array, number)
                stream.end(number)
            for array in inputs[0]:
                stream.push(array)
            slices = np.array(stream.finish())
            made = {m.get_value("device"): m.get_value("planes") for m in stream.element_messages("tomo-device")}
            self.assertEqual(stream.warnings(), [])
        return slices, made

    def test_same_bytes(self):
        """Of each method in each geometry, of projections one by one and of volumes that follow each other."""
        helped = 0
        for name, geometry in GEOMETRIES.items():
            for method in METHODS:
                with self.subTest(geometry=name, method=method, seed=SEED):
                    alone, made = self.volume(line(method, geometry), self.projections)
                    self.assertEqual(made, {})
                    shared, made = self.volume(line(method, geometry, more="devices=1,0"), self.projections)
                    np.testing.assert_array_equal(shared, alone)
                    self.assertEqual(sum(made.values()), len(alone), made)
                    self.assertEqual([device.split(" (")[0] for device in sorted(made)], ["device 0", "device 1"])
                    helped += made[max(made)]
        self.assertGreater(helped, 0)
        twice, made = self.volume(line("cgls", CONE, more=f"devices=all num-projections={VIEWS}"), [self.projections] * 2)
        np.testing.assert_array_equal(twice, np.concatenate([self.volume(line("cgls", CONE), [self.projections])[0]] * 2))
        self.assertEqual(sum(made.values()), len(twice))

    def test_a_slice(self):
        """Rows of a single slice are shared as well, and with a single view and row, nothing is."""
        grids = [GRIDS[0], GRIDS[1], (0.0, 1.0, 1)]
        for projections, views in ((self.projections[:, 9:10], VIEWS), (self.projections[:1, 9:10], 1)):
            geometry = {**UPRIGHT, "source-position-y": -90.0, "center-position-z": 0.5, "axis-angle-z": UPRIGHT["axis-angle-z"][:views]}
            angle = "" if views > 1 else "overall-angle=1"
            grid = grids if views > 1 else [grids[0], (0.0, 1.0, 1), grids[2]]
            alone, _ = self.volume(line("sirt", geometry, grid, angle), projections)
            shared, made = self.volume(line("sirt", geometry, grid, f"devices=0,1 {angle}"), projections)
            np.testing.assert_array_equal(shared, alone)
            self.assertEqual(sum(made.values()), 1)

    def test_start_and_mask(self):
        """These lie on the device of the element; some slices are made and not given."""
        initial, mask = rng.uniform(0, 1, (9, 13, 15)).astype(np.float32), (rng.uniform(0, 1, (9, 13, 15)) < 0.7).astype(np.uint8)
        for method in METHODS[0], METHODS[4], METHODS[6]:
            with self.subTest(method=method, seed=SEED):
                both = [self.volume(line(method, GEOMETRIES["tilted"], more=devices), self.projections, initial, mask,
                                    others=("initial", "mask"))[0] for devices in ("", "devices=1")]
                np.testing.assert_array_equal(*both)
        part = [GRIDS[0], GRIDS[1], (-2.0, 1.0, 4)]
        both = [self.volume(line("cgls", CONE, part, f"slices-before=2 slices-behind=3 {devices}"), self.projections)[0]
                for devices in ("", "devices=0,1")]
        np.testing.assert_array_equal(*both)

    def test_flush_and_stop(self):
        """Both end iterations within some launches, and the volume behind a flush is whole."""
        alone, _ = self.volume(line("cgls num-iterations=3", CONE), self.projections)
        with Stream(line("sirt num-iterations=100000", CONE, more=f"devices=all num-projections={VIEWS}")) as stream:
            stream.push(self.projections)
            for _ in range(300):
                if stream.element_messages("tomo-iterating"):
                    break
                GLib.usleep(10000)
            since = time.monotonic()
            for event in Gst.Event.new_flush_start(), Gst.Event.new_flush_stop(True):
                self.assertTrue(stream["src0"].send_event(event))
            self.assertLess(time.monotonic() - since, 20)
            stream.sent = [0]
            stream.push(self.projections)
            GLib.usleep(200000)
            since = time.monotonic()
        self.assertLess(time.monotonic() - since, 20)
        shared, _ = self.volume(line("cgls num-iterations=3", CONE, more="devices=all"), self.projections)
        np.testing.assert_array_equal(shared, alone)

    def test_refused(self):
        for devices, error in (("7", "devices=7 has '7', which means none of them"), ("0,cpu", "names device 0 twice"),
                               ("radeon", "has 'radeon'")):
            self.assert_fails([error, "the OpenCL devices are, by index: 0: "], line("sirt", CONE, more=f"devices={devices}"),
                              list(self.projections))

    def test_memory(self):
        """Where it is enough for one device alone, one device makes the volume, and a warning says so."""
        size, slices, projections = 32, 32, 40
        told = []
        for factor in 1.0, 3.0:
            limit = int(factor * (5 * slices + 3 * projections) * size * size * 4 * 8 / 7) + 1000
            done = subprocess.run(
                ["gst-launch-1.0", *(f"tomodummydata width={size} height={size} number={2 * projections} init=1 ! {NAME} num-iterations=1 "
                                     f"num-projections={projections} overall-angle=3.0 region=<0.0,{slices}.0,1.0> devices=0,1 ! fakesink").split()],
                text=True, capture_output=True, timeout=PATIENCE, env={**os.environ, "GST_TOMO_MEMORY_LIMIT": str(limit)})
            self.assertEqual(done.returncode, 0, done.stderr)
            told.append(done.stderr + done.stdout)
        self.assertRegex(told[0], r"device 1 \(.+\) takes no part in the iterations: its parts find no place beside the iterations on device 0")
        self.assertEqual(told[0].count("takes no part"), 1, "it is left out of the second volume without a word")
        self.assertNotIn("takes no part", told[1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
