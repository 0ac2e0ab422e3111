# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tools/compare-with-ufo, with stand-ins for ufo-launch: programs that do right, do something else, fail or hang."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import tifffile

import compare

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "compare-with-ufo"

RIGHT = 'exec tomo-launch "$@"\n'


class TestTool(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def compare(self, script, tasks, *options):
        program = pathlib.Path(self.folder.name, "stand-in")
        program.write_text("#!/bin/sh\n" + script)
        program.chmod(0o755)
        return subprocess.run([TOOL, "--ufo", str(program), "--tasks", tasks, *options], text=True, timeout=300,
                              capture_output=True, check=False, env={**os.environ, "TMPDIR": self.folder.name})

    def test_same(self):
        result = self.compare(RIGHT, "flip,sleep")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.count("identical"), 4, result.stdout)
        self.assertEqual(os.listdir(self.folder.name), ["stand-in"])

    def test_unexplained(self):
        result = self.compare('for word; do shift; [ "$word" = flip ] && set -- "$@" transpose || set -- "$@" "$word"; '
                              'done\n' + RIGHT, "flip", "--seed", "3")
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertRegex(result.stderr, r"no explanation for `flip`: shape 1 x 24 x 32, UFO's 1 x 32 x 24 \(seed 3\)")

    def test_failures(self):
        for script, message in {"kill -ABRT $$": "UFO aborts (SIGABRT)", "exec sleep 60": "UFO takes more than 3 s",
                                "echo Error: no device; exit 1": "UFO fails: Error: no device",
                                "echo Module libufofilterflip.so not found; exit 1": "UFO has no task flip",
                                "echo \"UfoFlipTask' does not have property \\`direction'\"": "no property direction",
                                }.items():
            with self.subTest(script):
                result = self.compare(script + "\n", "sleep", "--timeout", "3", "--markdown")
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertIn(message, result.stdout)

    def test_unknown_task(self):
        result = self.compare(RIGHT, "slep")
        self.assertEqual(result.returncode, 2)
        self.assertIn("no line for the task 'slep'", result.stderr)


class TestCompare(unittest.TestCase):
    def outcome(self, ours, theirs):
        with tempfile.TemporaryDirectory() as base:
            for name, array in (("ours", ours), ("theirs", theirs)):
                os.mkdir(os.path.join(base, name))
                if array is not None:
                    tifffile.imwrite(os.path.join(base, name, "out.tif"), array)
            return compare.folders(os.path.join(base, "ours"), os.path.join(base, "theirs"), set())

    def test_outcomes(self):
        a = np.random.default_rng().random((5, 7), np.float32) + 1
        nan = np.where(a == a.max(), np.float32(np.nan), a)
        self.assertEqual(self.outcome(nan, nan), ("identical", True))
        self.assertEqual(self.outcome(a * np.float32(1.01), a), ("1.0e-02", False))
        self.assertTrue(self.outcome(np.nextafter(a, np.float32(9)), a)[1])
        self.assertEqual(self.outcome(nan, a), ("not finite in 1 pixels, UFO's in 0", False))
        self.assertEqual(self.outcome(a, a[1:]), ("shape 1 x 5 x 7, UFO's 1 x 4 x 7", False))
        self.assertEqual(self.outcome(a, a.astype(np.float64)), ("type float32, UFO's float64", False))
        self.assertEqual(self.outcome(a, None), ("UFO writes nothing", False))
        self.assertEqual(self.outcome(None, a), ("files none, UFO's out.tif", False))


if __name__ == "__main__":
    unittest.main()
