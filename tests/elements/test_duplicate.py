# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoduplicate: each array twice."""

from tomotest import *
from elementtest import ElementTestCase
from padtest import *


class Duplicate(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomoduplicate", {})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                arrays = [random_array(dtype, (2, 3, 5)) for _ in range(3)]
                for result, wanted in zip(run("tomoduplicate", arrays), [a for a in arrays for _ in range(2)], strict=True):
                    self.assertEqual(result.dtype, wanted.dtype)
                    np.testing.assert_array_equal(result.view(np.uint8), wanted.view(np.uint8))

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (4, 6)) for _ in range(2)]
        wanted = [a for a in arrays for _ in range(2)]
        self.check_memory("tomoduplicate", arrays, reference=wanted, tolerance=0)
        self.check_state_cycles("tomoduplicate", arrays, reference=wanted, tolerance=0)

    def test_time_and_facts(self):
        with Pads("tomoduplicate") as pads:
            pads.send(scan_event([1.0, 2.0], 1.5, 1e-6))
            outputs = pads.push(random_array(np.float32, (2, 4)), rate=10, angle=0.5, source="a.tif", domain="projection")
            self.assertEqual([(o.pts, o.angle, o.source, o.rate) for o in outputs],
                             [(i * Gst.SECOND // 20, 0.5, "a.tif", (20, 1)) for i in range(2)])
            self.assertEqual(pads.scan()[0], [1.0, 1.0, 2.0, 2.0])


if __name__ == "__main__":
    main()
