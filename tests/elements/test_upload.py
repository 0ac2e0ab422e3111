# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoupload gives what it gets, in the memory of the device."""

from tomotest import *
from elementtest import DEVICE_CAPS, SYSTEM_CAPS, ElementTestCase, Stream


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


class Upload(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomoupload", {})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                arrays = [random_array(dtype, shape) for shape in ((1, 1), (3, 7), (2, 3, 5))]
                for a, sample in zip(
                    arrays, run("tomoupload", arrays, samples=True, framerate=25), strict=True
                ):
                    self.assertTrue(same_bits(to_array(sample), a))
                    self.assertTrue(sample.get_caps().get_features(0).contains("memory:TomoCL"))
                    self.assertEqual(
                        sample.get_caps().get_structure(0).get_fraction("framerate")[1:], (25, 1)
                    )

    def test_nan_payloads_survive(self):
        for bits, dtype in ((np.uint16, np.float16), (np.uint32, np.float32), (np.uint64, np.float64)):
            a = random_array(bits, (4, 5)) if bits != np.uint64 else rng.integers(0, 2**64, (4, 5), np.uint64)
            a = (a | np.array(np.nan, dtype).view(bits)).view(dtype)
            self.assertTrue(np.isnan(a).all())
            for line in ("tomoupload", "tomoupload ! tomodownload", "tomoupload ! tomoupload"):
                self.assertTrue(same_bits(run(line, [a])[0], a))

    def test_the_memory_is_of_opencl(self):
        (sample,) = run("tomoupload", [random_array(np.float32, (3, 5))], samples=True)
        self.assertTrue(sample.get_buffer().peek_memory(0).is_type("TomoCL"))

    def test_times_and_numbers(self):
        arrays = [random_array(np.float32, (2, 3)) for _ in range(4)]
        for i, sample in enumerate(run("tomoupload", arrays, samples=True, framerate=50)):
            buffer = sample.get_buffer()
            self.assertEqual(
                (buffer.offset, buffer.pts, buffer.duration), (i, i * Gst.SECOND // 50, Gst.SECOND // 50)
            )

    def test_strided_rows_are_packed(self):
        """Rows of video are a multiple of four bytes long."""
        source = "videotestsrc num-buffers=2 pattern=gradient"
        video = source + " ! video/x-raw,format=%s,width=5,height=7 ! tomoconvert"
        for format_ in ("GRAY8", "GRAY16_LE"):
            results = run(f"{video % format_} ! tomoupload")
            self.assertEqual(len(results), 2)
            for result in results:
                self.assertEqual(result.shape, (7, 5))
                np.testing.assert_array_equal(result, np.repeat(result[:, :1], 5, axis=1))
                self.assertTrue((np.diff(result[:, 0].astype(int)) > 0).all())

    def test_state_cycles(self):
        arrays = [random_array(np.float32, (3, 5)) for _ in range(3)]
        self.check_state_cycles("tomoupload", arrays, reference=arrays, tolerance=0)

    def test_caps_changes(self):
        arrays = [
            random_array(t, s) for t, s in ((np.float32, (3, 5)), (np.uint8, (3, 5)), (np.uint8, (1, 2)))
        ]
        for a, result in zip(arrays, run("tomoupload", arrays), strict=True):
            self.assertTrue(same_bits(result, a))

    def test_errors(self):
        a = random_array(np.float32, (3, 5))
        self.assert_fails(
            ["tomoupload", "memory:TomoCL"], f"tomoupload name=tomoupload ! queue ! {SYSTEM_CAPS}", [a]
        )
        for n in (4, 59, 61):
            with self.subTest(bytes=n), Stream("tomoupload") as stream:
                stream.sources[0].set_property("caps", caps(a.dtype, a.shape))
                stream.sources[0].push_buffer(Gst.Buffer.new_wrapped(bytes(n)))
                with self.assertRaises(PipelineError) as caught:
                    stream.pull()
                for words in (f"{n} bytes", "float32 5 x 3 x 1", "60"):
                    self.assertIn(words, str(caught.exception))
        with Stream("tomoupload") as stream:
            stream.sources[0].push_buffer(to_buffer(a))
            with self.assertRaises(PipelineError) as caught:
                stream.pull()
            self.assertIn("before any caps", str(caught.exception))


if __name__ == "__main__":
    main()
