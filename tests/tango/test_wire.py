# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images, parameters and numbers between Concert and jobs, without a server."""

import concurrent.futures
import itertools
import json
import math
import pathlib
import sys
import threading
import time
import unittest

import numpy as np
import tango

from tangotest import Camera

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tools" / "tango"))
from tomo_tango import parameters  # noqa: E402
from tomo_tango.arguments import Arguments  # noqa: E402
from tomo_tango.recording import METRICS  # noqa: E402
from tomo_tango.stream import Receiver, StreamError, image_of  # noqa: E402


class Wire(unittest.TestCase):
    def test_arguments(self):
        """Wire and description differ in units, lists and names."""
        arguments = Arguments()
        for name, value in (("axis-angle-x", [math.pi / 6]), ("overall-angle", 2 * math.pi), ("region", [0.0, math.pi, math.pi / 2]),
                            ("z-parameter", "volume-angle-z"), ("z", 3.0), ("source-position-y", [-math.inf]), ("number", 7),
                            ("x-region", [-5, 5, 1])):
            arguments.write(name, value)
        made = arguments.configuration(11)
        for name, expected in (("axis-angle-x", [30]), ("region", [0, 180, 90]), ("x-region", [-5, 5, 1]), ("y-region", [-5, 6, 1])):
            np.testing.assert_allclose([float(one) for one in made[name].split(",")], expected)
        self.assertAlmostEqual(made["overall-angle"], 360)
        self.assertEqual((made["z"], made["absorptivity"]), (3.0, "off"))
        self.assertFalse({"source-position-y", "number", "retrieval-method"} & set(made))
        arguments.write("z-parameter", "")
        self.assertNotIn("z", arguments.configuration(11))
        for name, value in (("energy", 20.0), ("propagation-distance", [0.1])):
            arguments.write(name, value)
        self.assertEqual(arguments.configuration(11)["retrieval-method"], "tie")
        arguments.write("retrieval-method", "qp")
        self.assertEqual(arguments.configuration(11)["retrieval-method"], "qp")
        self.assertEqual(arguments.read("detector-angle-x"), ([], tango.AttrQuality.ATTR_INVALID))
        with self.assertRaisesRegex(ValueError, "method"):
            arguments.write("method", "magic")
        described = dict(arguments.described())
        self.assertEqual([described[name]["x-unit"] for name in ("axis-angle-x", "overall-angle", "energy")], ["rad", "rad", "keV"])

    def test_writes_at_once(self):
        """None of them is lost, as where a client does not wait for one before the next."""
        values, numbers = parameters.Values(lambda _: time.sleep(0.01)), {"energy": 20.0, "outliers": 0.5, "binning": 2, "step": 3, "number": 9}
        with concurrent.futures.ThreadPoolExecutor(len(numbers)) as clients:
            list(clients.map(lambda item: values.set(*item), numbers.items()))
        self.assertEqual(values.all, numbers)

    def test_metrics(self):
        image = np.random.default_rng(1).random((5, 7))
        deviation = (image - image.mean()) / image.std()
        for name, expected in (("skew", (deviation**3).mean()), ("kurtosis", (deviation**4).mean() - 3), ("var", image.var())):
            self.assertAlmostEqual(METRICS[name](image), expected)
        ramp = np.add.outer(3 * np.arange(4), 2 * np.arange(5)).astype(float)
        self.assertAlmostEqual(METRICS["sag"](ramp), 5 * 20)
        self.assertAlmostEqual(METRICS["sag"](ramp[:1]), 2 * 5)

    def test_images(self):
        """Mirrored first, then turned, as Concert's receiver does it."""
        image = np.arange(6, dtype=np.uint16).reshape(2, 3)
        for mirror, rotate in itertools.product((False, True), range(4)):
            header = {"dtype": "uint16", "shape": [2, 3], "mirror": mirror, "rotate": rotate}
            expected = np.rot90(image[:, ::-1] if mirror else image, rotate)
            np.testing.assert_array_equal(image_of([json.dumps(header).encode(), image.tobytes()]), expected)
        done = json.dumps({**header, "conversion_applied": True}).encode()
        np.testing.assert_array_equal(image_of([done, image.tobytes()]), image)
        self.assertIsNone(image_of([b'{"end": true}']))

    def test_messages(self):
        """None of them ends the device."""
        good = {"dtype": "uint16", "shape": [2, 3]}
        for header, payload, words in ((b"\xff", b"", "wanted JSON"), (b"[]", b"", "wanted JSON"), (b"3", b"", "wanted JSON"),
                                       ({"dtype": "object", "shape": [1, 1]}, b"12345678", "no image"), ({"dtype": "nonsense", "shape": [1, 1]}, b"", "wanted JSON"),
                                       ({**good, "shape": [2, 3, 1]}, b"", "no image"), ({**good, "shape": [0, 3]}, b"", "no image"),
                                       ({**good, "shape": "23"}, b"", "no image"), ({"shape": [2, 3]}, b"", "dtype"),
                                       (good, b"12345", "came as 5 bytes; wanted 12 bytes"), (good, None, "came as 0 parts")):
            parts = [header if isinstance(header, bytes) else json.dumps(header).encode(), *([] if payload is None else [payload])]
            with self.subTest(parts=parts), self.assertRaisesRegex(StreamError, words):
                image_of(parts)

    def test_what_is_left_of_a_stream(self):
        """Is dropped up to its end; a stream that goes on holds nobody up."""
        camera, receiver, ending = Camera(self), Receiver(), threading.Event()
        self.addCleanup(receiver.close)
        receiver.connect(f"tcp://127.0.0.1:{camera.port}")
        camera.send(np.zeros((5, 2, 2), np.uint8))
        camera.send(np.ones((3, 2, 2), np.uint8))
        images = receiver.images(ending)
        next(images)
        images.close()
        self.assertEqual([image.max() for image in receiver.images(ending)], [1, 1, 1])
        stopped = threading.Event()

        def go_on():
            while not stopped.wait(0.01):
                camera.send(np.zeros((1, 2, 2), np.uint8), end=False)

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            images = receiver.images(ending)
            next(images)
            ending.set()
            since = time.monotonic()
            with self.assertRaisesRegex(StreamError, "cancelled"):
                list(images)
            self.assertLess(time.monotonic() - since, 10)
        finally:
            stopped.set()
            thread.join()


if __name__ == "__main__":
    unittest.main(verbosity=2)
