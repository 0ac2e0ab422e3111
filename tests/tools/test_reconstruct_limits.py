# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct: limits of memory and device that show before a run, and results and scans without detours."""

import json
import os
import re
import subprocess

import numpy as np
import tifffile
from phantom_scan import AXIS, VIEWS, WIDTH, Scan
from pipetest import *
from test_reconstruct import ReconstructTestCase, tool, volume


class Limits(ReconstructTestCase):
    def test_too_little_memory(self):
        """The error says what is enough, and that is enough."""
        Scan().nxtomo("scan.nxs")
        for words in ([], ["--outliers", 0.05], ["--binning", 2], ["sinos"]):
            with self.subTest(words=words):
                words = [*words, "scan.nxs", "--axis", AXIS, "--output", "slices.h5", "--overwrite"]
                result = self.refused(1, ["memory=1k is too small", "the least that does is"], *words, "--memory", "1k")
                least = re.search(r"least that does is (\d+)K", result.stderr).group(1)
                self.assertLessEqual(int(least), 8 * WIDTH * VIEWS / 1024 + 1)
                self.refused(1, "is too small", *words, "--memory", f"{int(least) - 2}K")
                self.done(*words, "--memory", f"{least}K")
                self.assertFalse(os.path.exists("slices.h5.slabs"))

    def test_device_memory(self):
        """Less memory of the device makes the same slices, in smaller parts; too little for one of them is an error."""
        scan = Scan().repeated(8, 6)
        scan.nxtomo("scan.nxs")
        words = ["scan.nxs", "--axis", 140]
        slices = self.slices(*words)
        slice_bytes = 4 * max(slices.shape[1], VIEWS) * slices.shape[2]
        self.done(*words, "--output", "less.h5", "--device-memory", 60 * slice_bytes)
        self.assert_same(volume("less.h5"), slices)
        result = self.done(*words, "--output", "less.h5", "--overwrite", "--device-memory", 9 * slice_bytes)
        self.assertRegex(result.stderr, r"out of memory on .*Slices are made anew, \d+ of them at a time instead of")
        self.assert_same(volume("less.h5"), slices)
        self.assertFalse(os.path.exists("less.h5.slabs"))
        self.refused(1, ["out of memory on", "the memory limit of this context"], *words, "--output", "x.h5", "--device-memory", "10k")
        self.assertFalse(os.path.exists("x.h5"))
        self.refused(2, ["device-memory does not take 'lots'"], *words, "--output", "x.h5", "--device-memory", "lots")
        self.assertIn("GST_TOMO_MEMORY_LIMIT='1G' gst-launch-1.0", self.done(*words, "--output", "x.h5", "--dry-run", "--device-memory", "1G").stdout)

    def test_device_memory_of_two_jobs(self):
        """In one process each has its own."""
        Scan().nxtomo("scan.nxs")
        program = """
import threading
from gsttomo import reconstruction
def run(memory, told):
    try:
        told.append(reconstruction.reconstruct("scan.nxs", axis=%r, device_memory=memory, method="sirt", num_iterations=200).shape)
    except reconstruction.Error as e:
        told.append(str(e))
told = [], []
threads = [threading.Thread(target=run, args=both) for both in zip(("10k", "1G"), told)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(told)
""" % AXIS
        result = subprocess.run(["/usr/bin/python3", "-c", program], text=True, capture_output=True, timeout=PATIENCE)
        self.assertRegex(result.stdout, r"out of memory on .*memory limit of this context.*\(12, 90, 90\)", result.stderr)

    def test_precision_without_units_for_it(self):
        Scan().nxtomo("scan.nxs")
        words = ["scan.nxs", "--axis", AXIS, "--precision", "half", "--output", "x.h5"]
        for more in ([], ["--dry-run"]):
            self.refused(1, ["precision=half needs the tensor cores", "--device"], *words, *more)
        self.assertFalse(os.path.exists("x.h5"))

    def test_a_picture_as_result(self):
        """It has no picture beside it."""
        Scan().nxtomo("scan.nxs")
        words = ["scan.nxs", "--axis", AXIS, "--slice", "middle"]
        for bits, words_of_bits in ((16, []), (8, ["--output-bitdepth", 8])):
            result = self.done(*words, *words_of_bits, "--output", f"of{bits}.png", "--progress", "json")
            self.assertEqual(sorted(name for name in os.listdir(".") if name.startswith(f"of{bits}")),
                             [f"of{bits}.png", f"of{bits}.png.conf", f"of{bits}.png.html"])
            self.assertNotIn(".png.png", result.stdout)
        self.done(*words, "--output", "slice.tif")
        self.assertTrue(os.path.exists("slice.tif.png"))

    def test_angles_in_a_folder(self):
        """Those of its angles.txt, unless others are named."""
        scan = Scan()
        scan.nxtomo("scan.nxs")
        self.done("flatcorrect", "scan.nxs", "--output", "views.h5")
        os.makedirs("folder")
        for i, view in enumerate(volume("views.h5")):
            tifffile.imwrite(f"folder/{i:05d}.tif", view)
        degrees = np.rad2deg(scan.angles)
        np.savetxt("folder/angles.txt", degrees)
        words = ["folder", "--flat-correction", "off", "--axis", AXIS]
        told = self.done("info", "folder", "--ignore", "all").stdout
        self.assertIn("'folder' with its angles.txt", told)
        facts = json.loads(self.done("info", "folder", "--json", "--ignore", "all").stdout)
        self.assertEqual(facts["angles-from"], "scan")
        self.assertAlmostEqual(facts["angle-last"], scan.angles[-1], 9)
        reference = self.slices("scan.nxs", "--axis", AXIS)
        self.assert_same(self.slices(*words), reference)
        np.savetxt("other.txt", degrees)
        for text, expected in (("1\nno angle\n", ["line 2", "no angle"]), ("1\n2\n", ["2 angles", "angles.txt"])):
            with open("folder/angles.txt", "w") as file:
                file.write(text)
            self.refused(1, expected, *words, "--output", "x.h5")
            self.assert_same(self.slices(*words, "--angles", "other.txt"), reference)


if __name__ == "__main__":
    main()
