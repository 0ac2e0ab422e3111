# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoconcertsink against receivers in Python that understand Concert, and against tomoconcertsrc."""

import datetime
import threading
import time

from concertpeers import *
from tomotest import *
from elementtest import ElementTestCase, Stream, frame_meta


class ConcertSink(ElementTestCase):
    def setUp(self):
        self.endpoint = f"tcp://127.0.0.1:{free_port()}"

    def line(self, properties=""):
        return f"tomoconcertsink endpoint={self.endpoint} {properties} NOSINK"

    def sent(self, *arrays, elements=""):
        results = []
        with Receiver(connect=self.endpoint) as receiver:
            reading = threading.Thread(target=lambda: results.extend(receiver.images()))
            reading.start()
            run(elements + self.line(), list(arrays))
            reading.join()
        return results

    def test_properties(self):
        self.check_properties("tomoconcertsink", {"endpoint": "tcp://*:5555", "bind": True, "reliable": True, "buffers": (16, 1, 2**20),
                                                  "timeout": (60.0, 0.0, 1e6)})

    def test_images_of_all_types(self):
        for dtype in (np.uint8, np.uint16, np.uint32, np.int16, np.int32, np.float16, np.float32, np.float64):
            arrays = [random_array(dtype, shape) for shape in ((3, 5), (3, 5), (2, 4, 6))]
            with self.subTest(dtype=dtype):
                results = self.sent(*arrays)
                for number, ((header, result), array) in enumerate(zip(results, arrays, strict=True)):
                    self.assertEqual(header["frame_number"], number)
                    self.assertEqual((result.dtype, result.shape), (array.dtype, array.shape))
                    np.testing.assert_array_equal(result.view(np.uint8), array.view(np.uint8))

    def test_strides(self):
        a = random_array(np.uint16, (9, 8))
        (_, result), = self.sent(a, elements="tomocrop x=2 y=1 width=5 height=6 ! ")
        np.testing.assert_array_equal(result, a[1:7, 2:7])

    def test_connects(self):
        a = random_array(np.uint16, (3, 5))
        results = []
        with Receiver() as receiver:
            self.endpoint = receiver.endpoint
            reading = threading.Thread(target=lambda: results.extend(receiver.images()))
            reading.start()
            run(self.line("bind=false"), [a])
            reading.join()
        np.testing.assert_array_equal(results[0][1], a)

    def test_what_waits_goes_out(self):
        """A receiver that rests while the stream ends still gets all of it."""
        arrays = [random_array(np.uint16, (200, 300)) for _ in range(12)]
        with Receiver(connect=self.endpoint) as receiver:
            ran = threading.Thread(target=run, args=(self.line("buffers=64"), arrays))
            ran.start()
            time.sleep(0.5)
            results = [image for _, image in receiver.images()]
            ran.join()
        self.assertEqual(len(results), len(arrays))
        for result, array in zip(results, arrays):
            np.testing.assert_array_equal(result, array)

    def test_published(self):
        a = random_array(np.uint16, (3, 5))
        with Receiver(zmq.SUB, self.endpoint) as receiver, Stream(self.line("reliable=false")) as stream:
            deadline = time.monotonic() + TIMEOUT
            while not receiver.socket.poll(50):
                stream.push(a)  # without subscribers they are dropped
                self.assertLess(time.monotonic(), deadline)
            stream.end()
            (header, image), *_ = receiver.images()
            np.testing.assert_array_equal(image, a)

    def test_published_without_receivers(self):
        run(self.line("reliable=false"), [random_array(np.uint16, (3, 5))] * 100)

    def test_nobody_there(self):
        self.assert_fails(["has taken image 0 for 0.3 s", "reliable=false"], self.line("timeout=0.3"), [np.zeros((2, 2), np.uint8)])
        self.assert_fails(["can't listen at 'nonsense'"], "tomoconcertsink endpoint=nonsense NOSINK", [np.zeros((2, 2), np.uint8)])

    def test_a_stop_while_it_waits(self):
        with Stream(self.line()) as stream:
            stream.push(np.zeros((2, 2), np.uint8))
            time.sleep(0.2)
            begin = time.monotonic()
            stream.pipeline.set_state(Gst.State.NULL)
            self.assertLess(time.monotonic() - begin, 5)

    def test_facts_go_through(self):
        """Number, angle and time of a frame come to tomoconcertsrc, and on from there."""
        a, at = random_array(np.uint16, (3, 5)), 1700000000.250001
        with Sender() as sender, Receiver(connect=self.endpoint) as receiver:
            threading.Thread(target=sender.send, args=(message(a, frame_number=3, angle=0.1, timestamp=at), message(a, frame_number=6), END)).start()
            results = []
            reading = threading.Thread(target=lambda: results.extend(receiver.images()))
            reading.start()
            run(f"tomoconcertsrc endpoint={sender.endpoint} ! {self.line()}")
            reading.join()
        (first, image), (second, _) = results
        np.testing.assert_array_equal(image, a)
        self.assertEqual((first["frame_number"], first["angle"], second["frame_number"]), (0, 0.1, 3))
        self.assertAlmostEqual(datetime.datetime.fromisoformat(first["timestamp"]).timestamp(), at, delta=2e-6)
        self.assertEqual(set(second), {"dtype", "shape", "frame_number"})


if __name__ == "__main__":
    main()
