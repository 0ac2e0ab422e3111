# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoaverage against numpy's mean in float64."""

from tomotest import *
from elementtest import ElementTestCase
from padtest import *

TOLERANCE = 1e-6


def mean(arrays):
    return np.mean(np.array(arrays, dtype=np.complex128 if np.iscomplexobj(arrays[0]) else np.float64), axis=0)


class Average(ElementTestCase):
    def check(self, arrays, tolerance=TOLERANCE):
        (result,) = run("tomoaverage", arrays)
        self.assert_close(result, mean(arrays), tolerance)

    def test_properties(self):
        self.check_properties("tomoaverage", {"number": (1, 1, 2**32 - 1)})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                arrays = [random_array(dtype, (5, 7)) for _ in range(11)]
                (result,) = run("tomoaverage", arrays)
                self.assert_close(result, mean(arrays), TOLERANCE)
                self.assertEqual(result.dtype, np.complex64 if name == "complex64" else np.float32)

    def test_shapes(self):
        for shape in (1, 1), (1, 13), (17, 1), (31, 37), (3, 5, 7):
            with self.subTest(shape=shape):
                self.check([random_array(np.float32, shape) for _ in range(3)])
                self.check([random_array(np.float32, shape)])

    # A float32 sum would lose all of these.
    def test_long_sums(self):
        huge = random_array(np.float32, (3, 5)) * np.float32(1e9)
        small = [random_array(np.float32, (3, 5)) for _ in range(300)]
        self.check([huge, *small, -huge])
        steps = [np.full((1, 1), v, np.uint32) for v in [2**32 - 1] * 3 + [2**32 - 255] * 3]
        self.check(steps, 1e-7)
        signed = [np.full((1, 1), v, np.int32) for v in (2**31 - 1, -(2**31) + 11, 5)]
        self.check(signed, 1e-6)

    def test_nan_and_infinity_stay_where_they_are(self):
        arrays = [random_array(np.float32, (4, 5)) for _ in range(4)]
        arrays[1][0, 0], arrays[0][1, 1], arrays[3][2, 2] = np.nan, np.inf, -np.inf
        (result,) = run("tomoaverage", arrays)
        np.testing.assert_array_equal(np.isnan(result), np.isnan(mean(arrays)))
        self.assertEqual((result[1, 1], result[2, 2]), (np.inf, -np.inf))
        finite = np.isfinite(result)
        self.assert_close(result[finite], mean(arrays)[finite], TOLERANCE)

    def test_copies(self):
        arrays = [random_array(np.float32, (2, 3)) for _ in range(4)]
        results = run("tomoaverage number=3", arrays)
        self.assertEqual(len(results), 3)
        for result in results:
            self.assert_close(result, mean(arrays), TOLERANCE)

    def test_an_empty_stream_has_no_mean(self):
        with Pads("tomoaverage") as pads:
            self.assertEqual(pads.eos(), [])
            self.assertTrue(pads.ended())
        with Pads("tomoaverage") as pads:
            pads.begin(random_array(np.float32, (2, 3)))
            self.assertEqual(pads.eos(), [])

    def test_memory(self):
        arrays = [random_array(np.float32, (7, 11)) for _ in range(5)]
        self.check_memory("tomoaverage", arrays, reference=[mean(arrays)], tolerance=TOLERANCE)
        (result,) = run("tomocalculate expression=v*2 ! queue ! tomoaverage ! tomocalculate expression=v+1", arrays)
        self.assert_close(result, mean(arrays) * 2 + 1, TOLERANCE)

    def test_nothing_comes_before_the_end(self):
        arrays = [random_array(np.float32, (2, 3)) for _ in range(5)]
        with Pads("tomoaverage") as pads:
            self.assertEqual(pads.push(*arrays), [])
            self.assert_close(pads.eos()[0].array, mean(arrays), TOLERANCE)
            self.assertTrue(pads.ended())

    def test_a_change_of_caps_gives_what_came_before_it(self):
        first = [random_array(np.float32, (2, 3)) for _ in range(3)]
        second = [random_array(np.uint16, (4, 1)) for _ in range(2)]
        with Pads("tomoaverage number=2") as pads:
            self.assertEqual(pads.push(*first), [])
            before = pads.push(*second)
            after = pads.eos()
        self.assertEqual((len(before), len(after)), (2, 2))
        for output in before:
            self.assert_close(output.array, mean(first), TOLERANCE)
        for output in after:
            self.assert_close(output.array, mean(second), TOLERANCE)
        self.assertEqual([o.offset for o in before + after], [0, 1, 2, 3])

    def test_flush(self):
        arrays = [random_array(np.float32, (2, 3)) for _ in range(5)]
        with Pads("tomoaverage") as pads:
            pads.push(*arrays[:2])
            pads.flush()
            pads.push(*arrays[2:])
            (output,) = pads.eos()
            self.assert_close(output.array, mean(arrays[2:]), TOLERANCE)
            pads.flush()
            pads.push(*arrays[:4])
            (output,) = pads.eos()
            self.assert_close(output.array, mean(arrays[:4]), TOLERANCE)

    def test_state_cycles(self):
        arrays = [random_array(np.float32, (2, 3)) for _ in range(4)]
        with Pads("tomoaverage") as pads:
            for state in Gst.State.READY, Gst.State.NULL, Gst.State.READY:
                self.assert_close((pads.push(*arrays) + pads.eos())[0].array, mean(arrays), TOLERANCE)
                pads.stop(state)
                pads.play()
                pads.push(*arrays[:2])  # forgotten
                pads.stop(state)
                pads.play()

    def test_time_and_facts(self):
        arrays = [random_array(np.float32, (2, 3)) for _ in range(5)]
        with Pads("tomoaverage") as pads:
            pads.send(scan_event([0, 1, 2, 3, 4], 1.25, 1e-6))
            pads.push(*arrays, rate=10, angle=0.5)
            (output,) = pads.eos()
            self.assertEqual((output.pts, output.duration, output.offset), (0, Gst.SECOND // 2, 0))
            self.assertTrue(np.isnan(output.angle))
            self.assertEqual(output.rate, (0, 1))
            # One image has no list of angles, but the same detector.
            self.assertEqual(pads.scan(), ([], 1.25, 1e-6))

    def test_duration_query(self):
        pipeline = Gst.parse_launch("tomodummydata number=7 ! tomoaverage number=2 ! fakesink name=sink")
        pipeline.set_state(Gst.State.PAUSED)
        pipeline.get_state(10 * Gst.SECOND)
        self.assertEqual(pipeline.get_by_name("sink").query_duration(Gst.Format.DEFAULT), (True, 2))
        pipeline.set_state(Gst.State.NULL)

    def test_devices_without_double_precision(self):
        """The same tests with the sums as such devices have them."""
        self.check_kernel_variant("common.h", "TOMO_COMPENSATED", "test_long_sums",
                                  "test_nan_and_infinity_stay_where_they_are", "test_every_format")


if __name__ == "__main__":
    main()
