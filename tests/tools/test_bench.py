# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tools/bench: every case gives its row, errors are measured, nothing stays behind. No time is compared."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import tifffile

import files
import tomoref

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = ROOT / "tools" / "bench"

SEED = int(os.environ.get("GST_TOMO_TEST_SEED", np.random.SeedSequence().entropy % 2**32))

# A peer as the bench sees ufo-launch, without its numbers: it copies the inputs.
FAKE_UFO = """#!/usr/bin/python3
import os, re, shutil, sys
line = " ".join(sys.argv[1:])
path, number = re.search(r"read path=(\\S+) number=(\\d+)", line).groups()
if match := re.search(r"write filename=(\\S+%\\S+)", line):
    for i, name in enumerate(sorted(os.listdir(path))[:int(number)]):
        with open(os.path.join(path, name), "rb") as source, open(match[1] % i, "wb") as target:
            source.seek(4096)
            shutil.copyfileobj(source, target)
"""

# TomoPy's functions, without its numbers.
FAKE_TOMOPY = """
import numpy as np
def normalize(views, flats, darks): return views / flats.mean(0)
def minus_log(views, out): return np.negative(np.log(views), out=out)
def pad(views, axis, npad, mode): return np.pad(views, [(npad, npad) if i == axis else (0, 0) for i in range(3)], mode=mode)
def recon(views, angles, center, algorithm, filter_name):
    assert len(angles) == len(views) and 0 < center < views.shape[2], (views.shape, center)
    return np.zeros((views.shape[1], views.shape[2], views.shape[2]), np.float32)
"""


class Bench(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gst-tomo-test-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def bench(self, *arguments, modules=()):
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        result = subprocess.run([BENCH, "--preset", "quick", "--folder", work, "--seed", str(SEED), *arguments],
                                env={**os.environ, "PYTHONPATH": os.pathsep.join([*modules, os.environ.get("PYTHONPATH", "")])},
                                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False)
        self.assertEqual(os.listdir(work), [], "the bench leaves files behind")
        return result

    def test_all_rows(self):
        peer = self.folder / "fake-ufo"
        peer.write_text(FAKE_UFO)
        peer.chmod(0o755)
        output = self.folder / "bench.json"
        result = self.bench("--peers", "ufo,h5py,tifffile", "--ufo", str(peer), "--json", output)
        self.assertEqual(result.returncode, 0, f"{result.stderr}\n(seed {SEED})")
        data = json.loads(output.read_text())
        rows = {(row["case"], row["program"]): row for row in data["rows"]}
        fused = set() if "there is no element tomorampfilter" in result.stdout else {"ramp-fused", "fbp-fused"}
        for case in {"read", "read-hdf5", "read-deflate", "write", "write-hdf5", "write-deflate", "ramp", "backproject",
                     "fbp", "fbp-padded", "one-slice", "first-slice", "memory", "kernels: backproject", "kernels: ramp",
                     "stripes: sorting", "stripes: all", "dfi", "dfi 1e-4", "cgls by fourier", "sart, one slice", "fdk",
                     "total variation", *fused}:
            self.assertIn((case, "gst-tomo"), rows, result.stdout)
            self.assertIn(f"| {case} ", result.stdout)
        for case in ("read", "read-hdf5", "read-deflate", "write", "write-hdf5", "ramp", "backproject", "fbp",
                     "one-slice", "memory"):
            self.assertIn((case, "ufo"), rows, result.stdout)
        for case in ("read-hdf5", "read-deflate", "write-hdf5", "write-deflate"):
            self.assertIn((case, "h5py"), rows, result.stdout)
        for case in ("read", "write"):
            self.assertIn((case, "tifffile"), rows, result.stdout)
        for (case, program), row in rows.items():
            for seconds in row.get("seconds", []):
                self.assertGreater(seconds, 0, (case, program))
        for case in ("fbp", "fbp-padded", "backproject", *(fused & {"fbp-fused"})):
            errors = rows[case, "gst-tomo"]["errors"]
            self.assertLess(errors["head"], 1e-5, f"{case} (seed {SEED})")
            self.assertLess(errors["noise"], 1e-4, f"{case} (seed {SEED})")
        # The peer gave back what it got: the error has to show that.
        self.assertGreater(rows["ramp", "ufo"]["errors"]["noise"], 0.1)
        self.assertIn("gst-tomo", result.stdout)
        self.assertGreater(data["ceilings"]["copy_GBps"], 0)
        self.assertGreater(data["ceilings"]["local_read_GBps"], 0)
        self.assertTrue(min(rows["memory", "gst-tomo"]["host_MB"]) > 1)
        sinogram, a_slice = 4 * 64 * 48 / 1e6, 4 * 64 * 64 / 1e6
        self.assertGreater(min(rows["memory", "gst-tomo"]["device_MB"]), sinogram + a_slice)

    def test_from_a_scan_to_a_volume(self):
        (self.folder / "tomopy.py").write_text(FAKE_TOMOPY)
        result = self.bench("--peers", "tomopy", "--cases", "scan", "--repeats", "1", modules=[str(self.folder)])
        self.assertEqual(result.returncode, 0, f"{result.stderr}\n(seed {SEED})")
        for program in ("gst-tomo", "gst-tomo, TIFF files", "gst-tomo, dfi, 8 files", "gst-tomo, middle slice", "tomopy", "tomopy, unpadded"):
            self.assertRegex(result.stdout, rf"\| scan \| {program} +\|")

    def test_parts_of_a_case(self):
        result = self.bench("--peers", "none", "--cases", "methods,scan", "--only", "one slice,middle slice", "--repeats", "1")
        self.assertEqual(result.returncode, 0, f"{result.stderr}\n(seed {SEED})")
        rows = [line.split("|")[1:3] for line in result.stdout.splitlines() if "| gst-tomo" in line]
        self.assertEqual([[cell.strip() for cell in row] for row in rows],
                         [["sart, one slice", "gst-tomo"], ["scan", "gst-tomo, middle slice"]])

    def test_failures_are_told(self):
        result = self.bench("--peers", "none", "--cases", "fbp", "--variant", "odd=mode=no-such-mode")
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("left out: gst-tomo odd, fbp: gst-launch-1.0 ended with status", result.stdout)
        self.assertIn("| fbp  | gst-tomo |", result.stdout)

    def test_arguments(self):
        for arguments, words in ((("--slices", "4,2"), "smaller one first"), (("--cases", "fbp,nothing"), "nothing"),
                                 (("--peers", "other"), "other"), (("--size", "0"), "not above 0"),
                                 (("--only", "sart", "--cases", "fbp"), "methods and scan"),
                                 (("--variant", "half"), "wanted a name"), (("--size", "8"), "too small"),
                                 (("--peers", "ufo", "--ufo", "/no/such/program", "--cases", "read"), "not in PATH")):
            result = self.bench(*arguments)
            self.assertNotEqual(result.returncode, 0, arguments)
            self.assertIn(words, result.stderr)


class Files(unittest.TestCase):
    def test_scan(self):
        with tempfile.TemporaryDirectory() as folder:
            scan = files.Scan(folder, 37, 29, files.MOST_DISTINCT + 3, SEED)
            images = [tifffile.imread(scan.path(i)) for i in range(scan.number)]
            for i, image in enumerate(images):
                np.testing.assert_array_equal(image, scan.sinogram(i), f"{i} (seed {SEED})")
            self.assertEqual(len({image.tobytes() for image in images}), files.MOST_DISTINCT)
            self.assertLess(abs(images[1].mean()), 0.5)  # white noise
            filtered = tifffile.imread(os.path.join(scan.filtered, "sino-00000.tif"))
            self.assertLess(tomoref.error(filtered, tomoref.fft_filter(images[0])), 1e-7)

    @unittest.skipIf(files.missing_for_lz4(), files.missing_for_lz4())
    def test_lz4(self):
        with tempfile.TemporaryDirectory() as folder:
            scan = files.Scan(folder, 97, 53, 3, SEED)  # 5141 samples: a block, a part of one, and a rest
            path, number = os.path.join(folder, "scan.h5"), 5
            files.write_lz4(path, scan, number, distinct=3)
            pattern = os.path.join(folder, "%i.raw")
            line = f"tomoread path={path}:/data convert=false ! tomowrite filename={pattern}"
            subprocess.run(["gst-launch-1.0", "-q", *line.split()], check=True, timeout=600)
            for i in range(number):
                np.testing.assert_array_equal(np.fromfile(pattern % i, "<u2").reshape(scan.shape),
                                              files.as_counts(scan.sinogram(i % 3)), f"{i} (seed {SEED})")
            self.assertFalse(os.path.exists(pattern % number))


if __name__ == "__main__":
    print(f"seed {SEED} (set GST_TOMO_TEST_SEED to repeat)")
    unittest.main()
