# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoloop: each array several times."""

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *

class Loop(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomoloop", {"number": (1, 0, 2**32 - 1)})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                arrays = [random_array(dtype, (2, 3, 5)) for _ in range(3)]
                results = run("tomoloop number=2", arrays)
                for result, wanted in zip(results, [a for a in arrays for _ in range(2)], strict=True):
                    self.assertEqual(result.dtype, wanted.dtype)
                    np.testing.assert_array_equal(result.view(np.uint8), wanted.view(np.uint8))

    def test_numbers(self):
        a = random_array(np.float32, (3, 4))
        for number in 0, 1, 7:
            self.assertEqual(len(run(f"tomoloop number={number}", [a, a])), 2 * number)

    def test_a_stream_of_ever_the_same_array_can_be_stopped(self):
        with Stream("tomoloop number=4294967295") as stream:
            stream.push(random_array(np.float32, (3, 4)))
            stream.pull()

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (4, 6)) for _ in range(2)]
        wanted = [a for a in arrays for _ in range(3)]
        self.check_memory("tomoloop number=3", arrays, reference=wanted, tolerance=0)
        self.check_state_cycles("tomoloop number=3", arrays, reference=wanted, tolerance=0)

    def test_time_and_facts(self):
        with Pads("tomoloop number=2") as pads:
            a = random_array(np.float32, (2, 4))
            outputs = pads.push(a, a, rate=10, angle=0.5, source="a.tif")
            self.assertEqual([(o.pts, o.duration) for o in outputs], [(i * Gst.SECOND // 20, Gst.SECOND // 20) for i in range(4)])
            self.assertEqual([(o.offset, o.index, o.angle, o.source, o.rate) for o in outputs],
                             [(i, i, 0.5, "a.tif", (20, 1)) for i in range(4)])


    def test_angles_of_projections(self):
        for domain, wanted in ("projection", [1.0, 1.0, 2.0, 2.0]), ("sinogram", [1.0, 2.0]):
            with Pads("tomoloop number=2") as pads:
                pads.send(scan_event([1.0, 2.0], 1.5, 1e-6))
                pads.push(random_array(np.float32, (2, 4)), domain=domain)
                self.assertEqual(pads.scan(), (wanted, 1.5, 1e-6))
        with Pads("tomoloop number=4294967295") as pads:  # more than anybody has memory for
            pads.flow = Gst.FlowReturn.FLUSHING
            pads.send(scan_event([1.0, 2.0], 1.5, 1e-6))
            pads.push(random_array(np.float32, (2, 4)), domain="projection")
            self.assertEqual(pads.scan(), ([], 1.5, 1e-6))


if __name__ == "__main__":
    main()
