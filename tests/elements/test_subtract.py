# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomosubtract against numpy in float64."""

from tomotest import *
from elementtest import ElementTestCase, Stream


def line(inputs=2):
    return "tomosubtract name=s " + " ".join(f"SRC{i} ! s.sink_{i}" for i in range(inputs)) + "  s. ! SINK"


def reference(first, *others):
    wide = np.complex128 if np.iscomplexobj(first) else np.float64
    return first.astype(wide) - sum(o.astype(wide) for o in others)


class Subtract(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomosubtract", {})

    def test_every_format(self):
        others = REAL[1:] + REAL[:1]
        for name, other in zip(REAL, others):
            a, b = random_array(FORMATS[name], (5, 7)), random_array(FORMATS[other], (5, 7))
            with self.subTest(format=name, other=other):
                (result,) = run(line(), [a], [b])
                self.assertEqual(result.dtype, np.float32)
                self.assert_close(result, reference(a, b), 1e-7)

    def test_small_differences_of_large_numbers(self):
        a = random_array(np.float32, (3, 5)).astype(np.float64) + 1e9
        b = np.full((3, 5), 2**32 - 7, np.uint32)
        (result,) = run(line(), [a], [np.full((3, 5), 1e9)])
        self.assert_close(result, a - 1e9, 1e-7)
        (result,) = run(line(3), [b], [np.full((3, 5), 2**31, np.uint32)], [np.full((3, 5), 2**31 - 9, np.int32)])
        np.testing.assert_array_equal(result, 2)

    def test_complex(self):
        a, b = random_array(np.complex64, (2, 3, 5)), random_array(np.complex64, (2, 3, 5))
        (result,) = run(line(), [a], [b])
        self.assertEqual(result.dtype, np.complex64)
        self.assert_close(result, reference(a, b), 1e-6)

    def test_shapes_and_nan(self):
        for shape in ((1, 1), (1, 13), (3, 5, 7)):
            a, b = random_array(np.float32, shape), random_array(np.float32, shape)
            a[..., 0] = np.nan
            (result,) = run(line(), [a], [b])
            np.testing.assert_array_equal(result, a - b)

    def test_inputs_end_at_different_times(self):
        for lengths in ((1, 4), (4, 1), (2, 5, 3)):
            inputs = [[random_array(np.float32, (3, 5)) for _ in range(n)] for n in lengths]
            with self.subTest(lengths=lengths):
                results = run(line(len(lengths)), *inputs)
                self.assertEqual(len(results), max(lengths))
                for i, result in enumerate(results):
                    now = [arrays[min(i, len(arrays) - 1)] for arrays in inputs]
                    self.assert_close(result, reference(*now), 1e-6)

    def test_memory_and_state_cycles(self):
        inputs = [[random_array(np.float32, (3, 5)) for _ in range(3)] for _ in range(2)]
        wanted = [reference(*pair) for pair in zip(*inputs)]
        places = "tomosubtract name=s  SRC1 ! s.sink_1  SRC0 ! s.sink_0  s."
        self.check_memory(places, *inputs, reference=wanted, tolerance=1e-6)
        self.check_state_cycles(line(), *inputs, reference=wanted, tolerance=1e-6)

    def test_metas_of_others(self):
        """An output has those of the first input, and of the other one once that has ended."""
        clock = Gst.Caps.from_string("timestamp/x-camera")
        shape = (3, 5)
        with Stream(line(), inputs=2) as stream:
            for n, source in ((0, 0), (0, 1), (1, 1)):
                buffer = Gst.Buffer.new_wrapped(random_array(np.float32, shape).tobytes())
                buffer.add_reference_timestamp_meta(clock, 10 * source + n, Gst.CLOCK_TIME_NONE)
                stream.sources[source].set_property("caps", caps(np.float32, shape))
                stream.sources[source].push_buffer(buffer)
            stream.end()
            for wanted in (0, 11):
                buffer = stream.pull_sample().get_buffer()
                self.assertEqual(buffer.get_reference_timestamp_meta(clock).timestamp, wanted)

    def test_errors(self):
        a, b = random_array(np.float32, (3, 5)), random_array(np.float32, (5, 3))
        self.assert_fails(["input 1", "5 x 3", "same size"], line(), [a], [b.T.copy()[:, :3]])
        self.assert_fails(["real or all complex"], line(), [a], [a.astype(np.complex64)])
        self.assert_fails(["link another"], line(1), [a])


if __name__ == "__main__":
    main()
