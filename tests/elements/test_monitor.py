# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomomonitor: what it prints."""

import os

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *

import subprocess
import tempfile

import tifffile


def printed(line):
    """What a line for gst-launch prints on standard output, but for gst-launch's own."""
    result = subprocess.run(["gst-launch-1.0", "-q", *line.split()], capture_output=True, text=True, timeout=TIMEOUT)
    assert result.returncode == 0, result.stderr
    return [l for l in result.stdout.splitlines() if l.startswith(("monitor", "  "))]


class Monitor(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomomonitor", {"print": (0, 0, 2**32 - 1)})

    def test_every_format_passes_as_it_is(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                a = random_array(dtype, (2, 3, 5))
                (result,) = run("tomomonitor print=4", [a])
                np.testing.assert_array_equal(result.view(np.uint8), a.view(np.uint8))

    def test_lines(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in "uint8", "uint16", "uint32", "int16", "int32", "float16", "float32", "float64":
                a = random_array(FORMATS[name], (3, 4))
                if name == "float16":
                    a[0, :4] = 6e-8, -65504, -np.inf, 0.1
                path = os.path.join(folder, f"{name}.tif")
                tifffile.imwrite(path, a)
                with self.subTest(format=name):
                    facts, values = printed(f"tomoread path={path} convert=false ! tomomonitor print=5 ! tomonull")
                    self.assertTrue(facts.startswith(f"monitor: dims=[4 3 1] format={name} keys=[index=0, "), facts)
                    self.assertIn(f"source={path}", facts)
                    got = np.array([float(v) for v in values.split()])
                    np.testing.assert_allclose(got, a.ravel()[:5].astype(np.float64), rtol=1e-8)
        facts, values = printed("tomodummydata complex-layout=true width=2 init=-1.5 ! tomomonitor print=99 ! tomonull")
        self.assertIn("dims=[1 1 1] format=complex64", facts)
        self.assertEqual(values, "  -1.5-1.5i")
        self.assertEqual(len(printed("tomodummydata number=3 ! tomomonitor ! tomonull")), 3)

    def test_place(self):
        self.assertTrue(printed("tomodummydata ! tomoupload ! tomomonitor ! tomonull")[0].endswith("location=device"))

    def test_states(self):
        arrays = [random_array(np.float32, (4, 6)) for _ in range(3)]
        self.check_state_cycles("tomomonitor", arrays, reference=arrays, tolerance=0)

    def test_facts(self):
        check_facts_stay(self, "tomomonitor")


if __name__ == "__main__":
    main()
