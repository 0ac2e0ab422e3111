# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomostdin: this process' standard input is a pipe that the tests write to."""

import os
import threading
import time

from tomotest import *
from elementtest import ElementTestCase, Stream


class Input:
    """Standard input for as long as a `with` lasts; `data` is written in small pieces unless it is left open."""

    def __init__(self, data, close=True, piece=1000):
        self.data, self.close, self.piece = data, close, piece

    def __enter__(self):
        self.before = os.dup(0)
        read, self.end = os.pipe()
        os.dup2(read, 0)
        os.close(read)
        self.thread = threading.Thread(target=self.write)
        self.thread.start()
        return self

    def write(self):
        for i in range(0, len(self.data), self.piece):
            os.write(self.end, self.data[i : i + self.piece])
        if self.close:
            os.close(self.end)

    def __exit__(self, *_):
        self.thread.join()
        if not self.close:
            os.close(self.end)
        os.dup2(self.before, 0)
        os.close(self.before)


def bytes_of(arrays):
    return b"".join(a.tobytes() for a in arrays)


class Stdin(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomostdin", {"width": (0, 0, 2**31 - 1), "height": (0, 0, 2**31 - 1),
                                            "bitdepth": (32, 8, 32), "convert": True})

    def test_images(self):
        for dtype, bits in ((np.uint8, 8), (np.uint16, 16), (np.float32, 32)):
            for convert in (True, False):
                for shape in ((1, 1), (13, 37), (64, 50)):
                    with self.subTest(bits=bits, convert=convert, shape=shape):
                        arrays = [random_array(dtype, shape) for _ in range(3)]
                        with Input(bytes_of(arrays), piece=317):
                            results = run(f"tomostdin width={shape[1]} height={shape[0]} bitdepth={bits} convert={convert}")
                        for result, array in zip(results, arrays, strict=True):
                            self.assertEqual(result.dtype, np.float32 if convert else dtype)
                            np.testing.assert_array_equal(result, array)

    def test_nothing(self):
        with Input(b""):
            self.assertEqual(run("tomostdin width=3 height=2"), [])

    def test_what_tomowrite_gives(self):
        array = random_array(np.float32, (5, 7))
        out, before = os.pipe(), os.dup(1)
        os.dup2(out[1], 1)
        try:
            run("tomowrite NOSINK", [array, 2 * array])
        finally:
            os.dup2(before, 1)
            os.close(before)
            os.close(out[1])
        with open(out[0], "rb") as file:
            data = file.read()
        with Input(data):
            results = run("tomostdin width=7 height=5")
        np.testing.assert_array_equal(results, [array, 2 * array])

    def test_an_end_within_an_image(self):
        with Input(bytes(100)):
            self.assert_fails(["standard input ended after 36 of the 64 bytes of image 1", "width=4"],
                              "tomostdin width=4 height=4")

    def test_settings(self):
        with Input(b""):
            self.assert_fails(["width=0", "height=3", "set both"], "tomostdin height=3")
            self.assert_fails(["bitdepth=12", "8, 16 and 32"], "tomostdin width=1 height=1 bitdepth=12")

    def test_a_stop_while_it_waits(self):
        with Input(bytes(10), close=False), Stream("tomostdin width=4 height=4", inputs=0) as stream:
            time.sleep(0.2)
            begin = time.monotonic()
            stream.pipeline.set_state(Gst.State.NULL)
            self.assertLess(time.monotonic() - begin, 5)

    def test_images_as_they_come(self):
        array = random_array(np.float32, (4, 4))
        with Input(array.tobytes(), close=False), Stream("tomostdin width=4 height=4", inputs=0) as stream:
            np.testing.assert_array_equal(stream.pull(), array)


if __name__ == "__main__":
    main()
