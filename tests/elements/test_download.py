# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomodownload gives what it gets, under plain caps."""

import tempfile

from tomotest import *
from elementtest import DEVICE_CAPS, ElementTestCase, Stream


class Download(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomodownload", {})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            for before in ("", f"tomoupload ! {DEVICE_CAPS} !", "tomodownload !"):
                with self.subTest(format=name, before=before):
                    arrays = [random_array(dtype, shape) for shape in ((1, 1), (3, 7), (2, 3, 5))]
                    samples = run(f"{before} tomodownload", arrays, samples=True, framerate=25)
                    for a, sample in zip(arrays, samples, strict=True):
                        self.assertEqual(to_array(sample).tobytes(), a.tobytes())
                        self.assertEqual(to_array(sample).dtype, a.dtype)
                        self.assertEqual(sample.get_caps().get_features(0).to_string(), "memory:SystemMemory")
                        self.assertEqual(
                            sample.get_caps().get_structure(0).get_fraction("framerate")[1:], (25, 1)
                        )

    def test_of_what_was_computed(self):
        arrays = [random_array(np.float32, (31, 97)) for _ in range(20)]
        for between in ("", "queue !"):
            results = run(f'tomocalculate expression="v + 1" ! {between} tomodownload', arrays)
            for a, result in zip(arrays, results, strict=True):
                np.testing.assert_array_equal(result, a + np.float32(1))

    def test_times_and_numbers(self):
        arrays = [random_array(np.float32, (2, 3)) for _ in range(4)]
        for i, sample in enumerate(run("tomoupload ! tomodownload", arrays, samples=True, framerate=50)):
            buffer = sample.get_buffer()
            self.assertEqual(
                (buffer.offset, buffer.pts, buffer.duration), (i, i * Gst.SECOND // 50, Gst.SECOND // 50)
            )

    def test_elements_that_take_any_caps(self):
        """What tomodownload is for: the bytes of any array, in a file and through GDP."""
        a = [random_array(np.complex64, (3, 5)) for _ in range(2)]
        with tempfile.TemporaryDirectory() as folder:
            run(f"tomoupload ! tomodownload ! filesink location={folder}/bytes NOSINK", a)
            with open(f"{folder}/bytes", "rb") as file:
                self.assertEqual(file.read(), a[0].tobytes() + a[1].tobytes())
        if Gst.ElementFactory.find("gdppay"):
            for one, result in zip(a, run("tomoupload ! tomodownload ! gdppay ! gdpdepay", a), strict=True):
                np.testing.assert_array_equal(result, one)

    def test_strided_rows_are_packed(self):
        (result,) = run(
            "videotestsrc num-buffers=1 pattern=gradient ! video/x-raw,format=GRAY8,width=5,height=7 ! "
            "tomoconvert ! tomodownload"
        )
        np.testing.assert_array_equal(result, np.repeat(result[:, :1], 5, axis=1))

    def test_state_cycles(self):
        arrays = [random_array(np.float32, (3, 5)) for _ in range(3)]
        self.check_state_cycles("tomoupload ! tomodownload", arrays, reference=arrays, tolerance=0)

    def test_caps_changes(self):
        arrays = [
            random_array(t, s) for t, s in ((np.float32, (3, 5)), (np.uint8, (3, 5)), (np.uint8, (1, 2)))
        ]
        for a, result in zip(arrays, run("tomoupload ! tomodownload", arrays), strict=True):
            self.assertEqual(result.tobytes(), a.tobytes())

    def test_errors(self):
        self.assert_fails(
            ["tomodownload", "memory:TomoCL"],
            f"tomodownload name=tomodownload ! queue ! {DEVICE_CAPS}",
            [random_array(np.float32, (3, 5))],
        )


if __name__ == "__main__":
    main()
