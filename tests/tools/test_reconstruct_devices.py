# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct: several devices that share the slices of a scan. PoCL makes two of the processor."""

import glob
import json
import os
import re
import shlex
import signal
import subprocess
import sys

import numpy as np
import test_reconstruct_geometry as arrangements
from phantom_scan import AXIS, ROWS, VIEWS, WIDTH, Scan
from pipetest import *
from test_reconstruct import ReconstructTestCase, volume
from test_reconstruct_geometry import CONE, METRES, write

TWO = {**os.environ, "POCL_DEVICES": "pthread pthread"}
EVEN = slow_kernels(500, POCL_DEVICES="pthread pthread")  # neither has made all before the other one begins
TIMES = 6  # as many rows


class Shared(ReconstructTestCase):
    AXIS = AXIS

    def shared(self, *words, **kwargs):
        """Events of a run on two devices, and what each of them made."""
        result = self.done("scan.nxs", "--axis", self.AXIS, "--output", "two.h5", "--overwrite", "--progress", "json",
                           *([] if "--devices" in words or "env" in kwargs else ["--devices", "all"]), *words, **{"env": TWO, **kwargs})
        events = [json.loads(line) for line in result.stdout.splitlines()]
        told = [event["devices"] for event in events if event["event"] == "progress" and "devices" in event]
        return events, {one["device"]: one["done"] for one in told[-1]} if told else {}

    def assert_warns_of(self, device, events):
        warning = next(event["text"] for event in events if event["event"] == "message" and event["level"] == "warning")
        self.assertRegex(warning, rf"device {device} \(.+\) failed, and the others make the slices again: .*CL_INVALID_COMMAND_QUEUE")

    def assert_same_bytes(self, path, reference):
        np.testing.assert_array_equal(volume(path), reference)


class Devices(Shared):
    def setUp(self):
        super().setUp()
        Scan().repeated(TIMES).nxtomo("scan.nxs")

    def test_methods(self):
        """The bytes of one device, in one line and in slabs, whichever device makes which slices."""
        for words in ([], ["--rings", "sorting", "--circle"], ["--method", "dfi"], ["--method", "sirt", "--num-iterations", 2],
                      ["--outliers", 0.05, "--memory", 30 * WIDTH * VIEWS * 8], ["--rings", "double-flat-field"]):
            with self.subTest(words=words):
                reference = self.slices("scan.nxs", "--axis", AXIS, *words)
                _, made = self.shared(*words, "--devices", "all", env=EVEN)
                self.assert_same_bytes("two.h5", reference)
                self.assertEqual(len(made), 2, made)
                self.assertEqual(sum(made.values()), len(reference))
                self.assertGreater(min(made.values()), 0)

    def test_what_is_told(self):
        events, made = self.shared()
        plan = next(event for event in events if event["event"] == "plan")
        self.assertEqual([one["share"] for one in plan["devices"]], [0.5, 0.5])
        self.assertEqual([one["device"] for one in plan["devices"]], sorted(made))
        self.assertRegex(plan["device"], r"^device 0 \(.+\) and device 1 \(.+\)$")
        notes = [event["text"] for event in events if event["event"] == "message"]
        self.assertTrue(any(re.fullmatch(r"\d+ on device 0 \(.+\), \d+ on device 1 \(.+\)", note) for note in notes), notes)
        # What files take decides here, which is said; iterations take longer.
        little = [event["text"] for event in self.shared("--method", "sirt", "--num-iterations", 500, "--slice", "middle")[0]
                  if event["event"] == "message" and "others gain little" in event["text"]]
        self.assertEqual(little, [])
        self.assertTrue(any("others gain little" in note for note in notes), notes)
        self.shared()
        with open("two.h5.html") as report:
            self.assertRegex(report.read(), r"Images by device.*\d+ on device 0")
        with open("two.h5.conf") as configuration:
            self.assertRegex(configuration.read(), r"(?m)^devices=all$[^$]*^#device=|^#device=$[^$]*^devices=all$")
        # The printed line makes the same, and a run from the configuration as well.
        printed = self.done("scan.nxs", "--axis", AXIS, "--output", "printed.h5", "--devices", "1+0", "--dry-run", env=TWO).stdout
        self.assertIn("tomodistribute name=devices devices=1,0 whole-groups=true on-failure=continue description=", printed)
        subprocess.run(["bash", "-e"], input=printed, text=True, check=True, env=TWO, timeout=PATIENCE)
        reference = self.slices("scan.nxs", "--axis", AXIS)
        self.assert_same_bytes("printed.h5", reference)
        self.done("run", "--config", "two.h5.conf", "--output", "again.h5", env=TWO)
        self.assert_same_bytes("again.h5", reference)

    def test_environment(self):
        """GST_TOMO_DEVICES is what `devices` would be, and `device` wins."""
        env = {**TWO, "GST_TOMO_DEVICES": "cpu"}
        self.assertEqual(len(self.shared(env=env)[1]), 2)
        with open("two.h5.conf") as configuration:
            self.assertNotRegex(configuration.read(), r"(?m)^devices?=")
        self.assertEqual(self.shared("--device", "1", env=env)[1], {})
        self.assertEqual(self.shared(env={**TWO, "GST_TOMO_DEVICES": "1"})[1], {})
        # Where nothing is computed, it does not matter.
        wrong = {**TWO, "GST_TOMO_DEVICES": "radeon"}
        self.done("info", "scan.nxs", env=wrong)
        self.refused(1, "GST_TOMO_DEVICES=radeon has 'radeon', which means none", "scan.nxs", "--axis", AXIS, "--output", "x.h5", env=wrong)

    def test_bad_devices(self):
        words = ["scan.nxs", "--axis", AXIS, "--output", "x.h5", "--devices"]
        there = ["the OpenCL devices are, by index: 0: ", ", 1: "]
        for wrong, why in (("gpu", "devices=gpu has 'gpu', which means none of them"), ("0,7", "has '7', which means none"),
                           ("0,cpu", "names device 0 twice"), ("0,", "has an empty part"), ("radeon", "has 'radeon'")):
            self.refused(1, [why, *there], *words, wrong, env=TWO)
        self.refused(2, "device and devices are given", *words, "0,1", "--device", "1", env=TWO)
        self.assertEqual(glob.glob("x.h5*"), [])

    def test_alone(self):
        """What can't be shared is made by the first device, which is said."""
        result = self.done("sinos", "scan.nxs", "--axis", AXIS, "--output", "x.h5", "--devices", "0,1", env=TWO)
        self.assertRegex(result.stderr, r"warning: device 0 \(.+\) computes alone: no slices are made")

    def test_start_and_mask(self):
        """Each device has those of its slices, also where a device fails."""
        rows = TIMES * ROWS
        generator = np.random.default_rng(SEED)
        start = generator.uniform(0, 0.02, (rows, WIDTH, WIDTH)).astype(np.float32)
        mask = generator.integers(0, 2, (rows, WIDTH, WIDTH)).astype(np.uint8)
        np.save("start.npy", start)
        np.save("one.npy", start[0])
        np.save("mask.npy", mask)
        sirt = ["--method", "sirt", "--num-iterations", 2]
        both = ["--initial", "start.npy", "--mask", "mask.npy"]
        for words in (["--initial", "start.npy"], ["--initial", "one.npy", "--rings", "sorting"], ["--mask", "mask.npy", "--crop-width", 60],
                      [*both, "--y", 3, "--height", 50], [*both, "--outliers", 0.05, "--memory", 40 * WIDTH * VIEWS * 8]):
            with self.subTest(words=words, seed=SEED):
                reference = self.slices("scan.nxs", "--axis", AXIS, *sirt, *words)
                events, made = self.shared(*sirt, *words, "--devices", "all", env=EVEN)
                self.assert_same_bytes("two.h5", reference)
                self.assertEqual(len(made), 2, made)
                self.assertEqual(sum(made.values()), len(reference))
                self.assertGreater(min(made.values()), 0)
                self.assertEqual([e["text"] for e in events if e["event"] == "message" and "alone" in e["text"]], [])
        reference = self.slices("scan.nxs", "--axis", AXIS, *sirt, *both)
        failing = {**EVEN, "FAILING_AFTER": "9", "FAILING_DEVICE": "1"}
        events, _ = self.shared(*sirt, *both, "--devices", "0,1", env=failing)
        self.assert_same_bytes("two.h5", reference)
        self.assertIn("the others do its arrays again", next(e["text"] for e in events if e["event"] == "message" and e["level"] == "warning"))
        self.refused(1, "CL_INVALID_COMMAND_QUEUE", "scan.nxs", "--axis", AXIS, *sirt, *both, "--output", "x.h5", "--devices", "0,1",
                     "--on-failure", "error", env=failing)
        # The plan, its lines, and arrays of the application.
        words = ["scan.nxs", "--axis", AXIS, *sirt, *both, "--devices", "0,1", "--dry-run"]
        self.assertEqual([one["share"] for one in json.loads(self.done(*words, "--json", env=TWO).stdout)["devices"]], [0.5, 0.5])
        printed = self.done(*words, "--output", "printed.h5", env=TWO).stdout
        self.assertIn("! devices.initial", printed)
        subprocess.run(["bash", "-c", printed], env=TWO, check=True, capture_output=True, timeout=PATIENCE)
        self.assert_same_bytes("printed.h5", reference)
        program = f"""
import numpy as np
from gsttomo.reconstruction import reconstruct
slices = reconstruct("scan.nxs", axis={AXIS}, method="sirt", num_iterations=2, devices="0,1", initial=np.load("start.npy"), mask=np.load("mask.npy"))
np.save("arrays.npy", slices)
"""
        subprocess.run([sys.executable, "-c", program], env=TWO, check=True, timeout=PATIENCE)
        np.testing.assert_array_equal(np.load("arrays.npy"), reference)

    def test_sweep(self):
        """A slice on each device at a time, with the bytes of one device; also one that goes on."""
        for name, words in (("axis", ["sweep", "scan.nxs", "--parameter", f"axis={AXIS - 1},{AXIS},{AXIS + 1},{AXIS + 2},{AXIS + 3}"]),
                            ("iterations", ["sweep", "scan.nxs", "--axis", AXIS, "--method", "sirt", "--parameter", "num-iterations=1,2,3"])):
            self.done(*words, "--output", f"{name}.h5")
            told = self.done(*words, "--output", "two.h5", "--overwrite", "--devices", "all", "--progress", "json", env=TWO).stdout
            self.assert_same_bytes("two.h5", volume(f"{name}.h5"))
            events = [json.loads(line) for line in told.splitlines()]
            made = [event["devices"] for event in events if event["event"] == "progress" and "devices" in event][-1]
            self.assertEqual(sorted(one["done"] for one in made), [2, 3] if name == "axis" else [1, 2])
            done = [event["done"] for event in events if event["event"] == "progress" and event["stage"] == "reconstruct"]
            self.assertEqual(done, sorted(done))
        images = [event["image"] for event in events if event["event"] == "result" and event["name"] == "residual"]
        self.assertEqual(sorted(images), [0, 1, 2])

    def test_a_device_that_fails(self):
        """The other one makes its slices; where there is no other one, that is an error."""
        failing = {**EVEN, "FAILING_AFTER": "9"}
        reference = self.slices("scan.nxs", "--axis", AXIS, "--outliers", 0.05)
        events, _ = self.shared("--outliers", 0.05, "--devices", "0,1", env={**failing, "FAILING_DEVICE": "1"})
        self.assert_same_bytes("two.h5", reference)
        warning = next(event["text"] for event in events if event["event"] == "message" and event["level"] == "warning")
        self.assertRegex(warning, r"the copy on device 1 \(.+\) failed, and the others do its arrays again: .*CL_INVALID_COMMAND_QUEUE")
        # The first one corrects, too, so the line begins anew.
        events, made = self.shared("--outliers", 0.05, "--devices", "0,1", env={**failing, "FAILING_DEVICE": "0"})
        self.assert_same_bytes("two.h5", reference)
        self.assert_warns_of(0, events)
        sweep = ["sweep", "scan.nxs", "--parameter", f"axis={AXIS - 1},{AXIS},{AXIS + 1},{AXIS + 2}"]
        self.done(*sweep, "--output", "axis.h5")
        for device in "0", "1":
            told = self.done(*sweep, "--output", "two.h5", "--overwrite", "--devices", "0,1", env={**failing, "FAILING_DEVICE": device})
            self.assertRegex(told.stderr, rf"warning: device {device} \(.+\) failed, and the others make the slices again: .*CL_INVALID_COMMAND_QUEUE")
            self.assert_same_bytes("two.h5", volume("axis.h5"))
            self.assertFalse(os.path.exists("two.h5.slabs"))
        self.refused(1, "CL_INVALID_COMMAND_QUEUE", *sweep, "--output", "x.h5", "--devices", "0,1", "--on-failure", "error",
                     env={**failing, "FAILING_DEVICE": "1"})
        for words in (["--devices", "1"], ["--devices", "0,1", "--on-failure", "error"]):
            self.refused(1, "CL_INVALID_COMMAND_QUEUE", "scan.nxs", "--axis", AXIS, "--outliers", 0.05, "--output", "x.h5", *words,
                         env={**failing, "FAILING_DEVICE": "1"})

    def test_a_device_that_fails_a_dataflow(self):
        """The same for tomo-launch, where an error is the default, and for dataflows in JSON."""
        line = "dummy-data number=400 width=64 height=64 init=2 ! calculate expression=v*x ! transpose ! write filename="
        failing = {**EVEN, "FAILING_AFTER": "1", "FAILING_DEVICE": "1"}

        def launch(*words, file, env=failing):
            return subprocess.run(["tomo-launch", "--devices", "0,1", *words, *shlex.split(line + file)], env=env, text=True,
                                  capture_output=True, timeout=PATIENCE, check=False)

        self.assertEqual(launch(file="one.raw", env=TWO).returncode, 0)
        result = launch("--on-failure", "continue", "--dump", "flow.json", file="two.raw")
        self.assertEqual(result.returncode, 0, result.stderr)
        with open("flow.json") as flow:
            self.assertEqual(json.load(flow)["on-failure"], "continue")
        result = launch("--on-failure", "continue", file="two.raw")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr, r"device 1 \(.+\) failed, and the others do its arrays again")
        with open("one.raw", "rb") as one, open("two.raw", "rb") as two:
            self.assertEqual(one.read(), two.read())
        for words in ([], ["--on-failure", "error"]):
            result = launch(*words, file="x.raw")
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertIn("CL_INVALID_COMMAND_QUEUE", result.stderr)
        self.assertIn("--on-failure does not take 'never'; wanted error or continue", launch("--on-failure", "never", file="x.raw").stderr)

    def test_a_slow_device(self):
        """It takes what it can while it is not known, and then nothing that the other one would wait for."""
        slow = {**EVEN, "SLOW_DEVICE": "1", "SLOW_BY": "300000"}
        _, made = self.shared("--devices", "0,1", env=slow)
        self.assert_same_bytes("two.h5", self.slices("scan.nxs", "--axis", AXIS))
        self.assertLess(made[max(made)], made[min(made)], made)
        self.assertLessEqual(made[max(made)], 2 * 16, made)

    def test_resume_after_kill(self):
        """On as many devices as there are then."""
        slow = {**EVEN, "SLOW_BY": "4000"}
        for extra in ([], ["--outliers", 0.05, "--memory", 20 * WIDTH * VIEWS * 8]):
            words = ["scan.nxs", "--axis", AXIS, *extra, "--rings", "all"]
            reference = self.slices(*words)
            words += ["--output", "killed.h5"]
            process = subprocess.Popen(["tomo-reconstruct", *map(str, words), "--devices", "all", "--progress", "json"],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=slow)
            for line in process.stdout:
                event = json.loads(line)
                if event["event"] == "progress" and event["done"] > 20:
                    break
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=PATIENCE)
            self.assertFalse(os.path.exists("killed.h5"))
            self.assertEqual(os.path.exists("killed.h5.slabs"), bool(extra))
            self.done(*words, "--resume", *([] if extra else ["--devices", "1,0"]), env=TWO)
            self.assert_same_bytes("killed.h5", reference)
            os.remove("killed.h5")

    def test_memory(self):
        """The limit of a device holds for each of them."""
        slice_bytes = 4 * max(WIDTH, VIEWS) * WIDTH
        reference = self.slices("scan.nxs", "--axis", AXIS)
        _, made = self.shared("--device-memory", 80 * slice_bytes)
        self.assert_same_bytes("two.h5", reference)
        self.assertEqual(len(made), 2)
        self.refused(1, ["out of memory on", "the memory limit of this context"], "scan.nxs", "--axis", AXIS, "--output", "x.h5",
                     "--devices", "all", "--device-memory", "10k", env=TWO)


class Volumes(Shared):
    """Of cone beams and other arrangements: each device makes a part of the slices."""
    AXIS = arrangements.AXIS

    def test_same_bytes(self):
        """Of one device, of two, and of slabs of any size, each of which two devices make."""
        write("cone.nxs", CONE, **METRES)
        write("tilted.nxs", arrangements.Laminography.GEOMETRY, spheres=arrangements.Laminography.FLAT)
        tilt = ["--axis-angle-x", arrangements.Laminography.TILT]
        memory = lambda slices: ["--memory", slices * 4 * arrangements.WIDTH**2]
        for scan, words, slabs in (("cone", [], memory(13)), ("cone", ["--precision", "half", "--rings", "sorting"], ["--memory", 900000]),
                                   ("tilted", tilt, memory(21))):
            with self.subTest(scan=scan, words=words):
                os.rename(f"{scan}.nxs", "scan.nxs")
                reference = self.slices("scan.nxs", "--axis", self.AXIS, *words)
                for more in ([], slabs):
                    events, made = self.shared(*words, *more)
                    self.assert_same_bytes("two.h5", reference)
                    self.assertEqual(len(made), 2, made)
                    self.assertEqual(sum(made.values()), len(reference), made)
                plan = next(event for event in events if event["event"] == "plan")
                self.assertGreater(plan["slabs"], 1)
                self.assert_same_bytes("two.h5", reference)
                os.rename("scan.nxs", f"{scan}.nxs")

    def test_memory(self):
        """Slabs are so small that each device has room for its part, for the slices that it makes ahead and for those that go out."""
        write("scan.nxs", CONE, **METRES)
        reference = self.slices("scan.nxs", "--axis", self.AXIS)
        for slices in 20, 24, 30, 40, 60:
            events, made = self.shared("--device-memory", slices * 4 * arrangements.WIDTH**2)
            self.assert_same_bytes("two.h5", reference)
            self.assertEqual(len(made), 2, made)
            self.assertEqual([event["text"] for event in events if "made anew" in event.get("text", "")], [])

    def test_printed_line_and_resume(self):
        """The line runs by itself; slabs that one device began are finished by two."""
        write("scan.nxs", CONE, **METRES)
        words = ["scan.nxs", "--axis", self.AXIS]
        reference = self.slices(*words)
        printed = self.done(*words, "--output", "printed.h5", "--devices", "1,0", "--dry-run", env=TWO).stdout
        self.assertIn("devices=1,0", printed)
        subprocess.run(["bash", "-e"], input=printed, text=True, check=True, env=TWO, timeout=PATIENCE)
        self.assert_same_bytes("printed.h5", reference)
        words += ["--memory", 9 * 4 * arrangements.WIDTH**2, "--output", "rest.h5"]
        plan = json.loads(self.done(*words, "--dry-run", "--json").stdout)
        os.makedirs("rest.h5.slabs")
        lines = [slab["line"] for slab in plan["slabs"]]
        with open("rest.h5.slabs/lines.txt", "w") as file:
            file.writelines(line + "\n" for line in lines)
        subprocess.run(["bash", "-c", "gst-launch-1.0 -q " + lines[0]], check=True, capture_output=True, timeout=PATIENCE)
        told = self.done(*words, "--devices", "all", "--resume", "--progress", "json", env=TWO).stdout
        made = [json.loads(line) for line in told.splitlines() if '"devices"' in line and '"progress"' in line][-1]["devices"]
        self.assertEqual(sum(one["done"] for one in made), len(reference) - 9)
        self.assert_same_bytes("rest.h5", reference)

    def test_iterations(self):
        """They go on in one place, but other devices compute parts of projections and their transposes: the bytes of one device."""
        write("scan.nxs", CONE, **METRES)
        self.done("scan.nxs", "--axis", self.AXIS, "--output", "first.h5")
        given = "first.h5:/entry/data/data"
        for words in (["--method", "sirt", "--num-iterations", 3], ["--method", "cgls", "--num-iterations", 3, "--initial", given, "--mask", given]):
            with self.subTest(words=words):
                reference = self.slices("scan.nxs", "--axis", self.AXIS, *words)
                events, made = self.shared(*words)
                self.assert_same_bytes("two.h5", reference)
                self.assertEqual(len(made), 2, made)
                self.assertEqual(sum(made.values()), len(reference), made)
                plan = next(event for event in events if event["event"] == "plan")
                self.assertEqual([one["share"] for one in plan["devices"]], [0.5, 0.5])
                self.assertEqual([event["text"] for event in events if event.get("level") == "warning"], [])
        printed = self.done("scan.nxs", "--axis", self.AXIS, *words, "--output", "x.h5", "--devices", "1,0", "--dry-run", env=TWO).stdout
        self.assertRegex(printed, "tomogeneraliterate [^!]*devices=1,0 on-failure=continue ")
        # A single view is little to share.
        words = ["--method", "sart", "--num-iterations", 1]
        told = self.done("scan.nxs", "--axis", self.AXIS, *words, "--output", "x.h5", "--devices", "all", "--dry-run", env=TWO).stderr
        self.assertIn("sart goes view by view", told)

    def test_memory_for_iterations(self):
        """Several devices hold more than one, so little memory is enough for one alone."""
        write("scan.nxs", CONE, **METRES)
        words = ["--method", "sart", "--num-iterations", 1]
        here = {**TWO, "GST_TOMO_TEST_DISCRETE": "0"}  # they compute in the computer's memory
        told = self.refused(1, "too small", "scan.nxs", "--axis", self.AXIS, *words, "--memory", "1K", "--output", "x.h5", env=here).stderr
        least = re.search(r"least that does is (\d+)K", told)[1]
        events, made = self.shared(*words, "--memory", f"{least}K", "--devices", "all", env=here)
        self.assertEqual(made, {})
        self.assertTrue(any(re.search(r"device 0 \(.+\) computes alone: with several, memory=.* too small", event.get("text", "")) for event in events), events)

    def test_a_device_that_fails_in_iterations(self):
        """Its parts are made again, or all slices where it had the volume."""
        write("scan.nxs", CONE, **METRES)
        words = ["--method", "sirt", "--num-iterations", 3]
        reference = self.slices("scan.nxs", "--axis", self.AXIS, *words)
        failing = {**EVEN, "FAILING_AFTER": "8", "FAILING_DEVICE": "1"}
        events, made = self.shared(*words, "--devices", "0,1", env=failing)
        self.assert_same_bytes("two.h5", reference)
        self.assertEqual(sum(made.values()), len(reference), made)
        warnings = [event["text"] for event in events if event.get("level") == "warning"]
        self.assertEqual(len(warnings), 1, warnings)
        self.assertRegex(warnings[0], r"device 1 \(.+\) failed, and the others do its parts: .*CL_INVALID_COMMAND_QUEUE")
        events, _ = self.shared(*words, "--devices", "0,1", env={**failing, "FAILING_DEVICE": "0"})
        self.assert_same_bytes("two.h5", reference)
        self.assert_warns_of(0, events)
        self.refused(1, ["CL_INVALID_COMMAND_QUEUE", "(on device 1, "], "scan.nxs", "--axis", self.AXIS, *words, "--output", "x.h5",
                     "--devices", "0,1", "--on-failure", "error", env=failing)

    def test_iterations_that_are_interrupted(self):
        """Ctrl-C ends both devices within some launches, and nothing is left."""
        write("scan.nxs", CONE, **METRES)
        process = subprocess.Popen(["tomo-reconstruct", "scan.nxs", "--axis", str(self.AXIS), "--method", "sirt", "--num-iterations", "100000",
                                    "--devices", "0,1", "--output", "x.h5", "--progress", "json"], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True, env=EVEN)
        for told in process.stdout:
            if "iteration" in json.loads(told):
                break
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(glob.glob("x.h5*"), [])

    def test_a_device_that_fails(self):
        """The others make the volume again, or not with on-failure=error."""
        write("scan.nxs", CONE, **METRES)
        reference = self.slices("scan.nxs", "--axis", self.AXIS)
        failing = {**EVEN, "FAILING_AFTER": "20", "FAILING_DEVICE": "1"}
        for device in 1, 0:
            events, _ = self.shared("--devices", "0,1", env={**failing, "FAILING_DEVICE": str(device)})
            self.assert_same_bytes("two.h5", reference)
            self.assert_warns_of(device, events)
        self.refused(1, ["CL_INVALID_COMMAND_QUEUE", "(on device 1, "], "scan.nxs", "--axis", self.AXIS, "--output", "x.h5",
                     "--devices", "0,1", "--on-failure", "error", env=failing)


if __name__ == "__main__":
    unittest.main(verbosity=2)
