# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomostatmonitor: the numbers that it writes."""

import os

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *

import subprocess
import tempfile


HEADING = "# index min max sum sum-of-sq mean var\n"


def statistics(a):
    a = np.asarray(a, np.float64)
    with np.errstate(all="ignore"):
        return [a.min(), a.max(), a.sum(), (a * a).sum(), a.mean(), a.var(ddof=1) if a.size > 1 else np.nan]


class StatMonitor(ElementTestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "statistics.txt")

    def lines(self):
        """Of the last run; each begins with a heading."""
        with open(self.path) as file:
            last = file.read().rpartition(HEADING)[2]
        return [[float(v) for v in line.split()] for line in last.splitlines()]

    def check(self, *arrays):
        results = run(f"tomostatmonitor filename={self.path} quiet=true", list(arrays))
        for n, (line, result, a) in enumerate(zip(self.lines(), results, arrays, strict=True)):
            self.assertEqual(result.dtype, a.dtype)
            np.testing.assert_array_equal(result.view(np.uint8), a.view(np.uint8))
            self.assertEqual(line[0], n)
            np.testing.assert_allclose(line[1:], statistics(a.astype(np.float32)), rtol=1e-6, atol=1e-6 * np.abs(a.astype(np.float64)).max())

    def test_properties(self):
        self.check_properties("tomostatmonitor", {"filename": "-", "trace": False, "quiet": False, "print": (0, 0, 2**32 - 1)})

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                self.check(rng.uniform(0, 99, (5, 4)).astype(FORMATS[name]))

    def test_complex_samples_count_as_two(self):
        a = random_array(np.complex64, (5, 4))
        (result,) = run(f"tomostatmonitor filename={self.path} quiet=true", [a])
        np.testing.assert_array_equal(result, a)
        np.testing.assert_allclose(self.lines()[0][1:], statistics(a.view(np.float32)), rtol=1e-6, atol=1e-6)

    def test_shapes(self):
        self.check(*(rng.standard_normal(s).astype(np.float32) for s in ((1, 1), (1, 7), (255, 1), (256, 1), (257, 1), (2, 3, 5), (511, 513))))

    def test_variance_of_small_deviations(self):
        a = (1000 + rng.standard_normal((300, 300)) * 0.1).astype(np.float32)
        self.check(a)
        self.assertAlmostEqual(self.lines()[0][6] / a.astype(np.float64).var(ddof=1), 1, 5)

    def test_nan_makes_all_nan(self):
        a = rng.random((40, 30), np.float32)
        a[3, 3] = np.nan
        run(f"tomostatmonitor filename={self.path} quiet=true", [a])
        np.testing.assert_array_equal(self.lines(), [[0] + [np.nan] * 6])

    def test_standard_output(self):
        line = "tomodummydata number=2 width=3 init=1.5 ! tomostatmonitor name=s trace=true print=2 ! tomonull"
        result = subprocess.run(["gst-launch-1.0", "-q", *line.split()], capture_output=True, text=True, timeout=TIMEOUT)
        self.assertEqual(result.returncode, 0, result.stderr)
        values = "1.500000000e+00 1.500000000e+00 4.500000000e+00 6.750000000e+00 1.500000000e+00 0.000000000e+00"
        for wanted in f"(s) 0 {values}", f"(s) 1 {values}", "stat-monitor (s): done frame 1", "  1.5 1.5":
            self.assertIn(wanted, result.stdout.splitlines())
        self.assertIn("stat-monitor: dims=[3 1 1] format=float32 keys=[index=1", result.stdout)

    def test_errors(self):
        nowhere = self.path + "-folder/x"
        self.assert_fails([f"can't write to '{nowhere}'", "No such file"], f"tomostatmonitor filename={nowhere}", [rng.random((2, 2))])
        if os.path.exists("/dev/full"):
            self.assert_fails(["can't write to /dev/full", "space"], "tomostatmonitor filename=/dev/full quiet=true", [rng.random((2, 2))])

    def test_memory_and_states(self):
        arrays = [rng.random((4, 6), np.float32) for _ in range(2)]
        line = f"tomostatmonitor filename={self.path} quiet=true"
        self.check_memory(line, arrays, reference=arrays, tolerance=0)
        self.check_state_cycles(line, arrays, reference=arrays, tolerance=0)
        self.assertEqual([l[0] for l in self.lines()], [0, 1])

    def test_a_run_is_appended(self):
        for init in 1, 2:
            run(f"tomodummydata number=2 width=3 init={init} ! tomostatmonitor filename={self.path} quiet=true ! tomonull NOSINK")
        with open(self.path) as file:
            first, *runs = file.read().split(HEADING)
        self.assertEqual((first, [r.count("\n") for r in runs]), ("", [2, 2]))
        np.testing.assert_array_equal(np.loadtxt(self.path)[:, 1], [1, 1, 2, 2])

    def test_facts(self):
        check_facts_stay(self, f"tomostatmonitor filename={self.path} quiet=true")


if __name__ == "__main__":
    main()
