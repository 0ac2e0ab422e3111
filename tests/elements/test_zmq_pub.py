# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomozmqpub against subscribers in Python that talk as UFO's zmq-sub does."""

import socket
import threading
import time

from tomotest import *
from elementtest import ElementTestCase, Stream
from zmqpeers import *


def line(port, properties):
    return f"tomozmqpub address=tcp://127.0.0.1 port={port} {properties} NOSINK"


def received(port, ident, results, delay=0.0):
    with Subscriber(port, ident) as subscriber:
        assert subscriber.register() == (OKAY, ACK)
        for image in subscriber.images():
            results.append(image)
            time.sleep(delay)


class ZmqPub(ElementTestCase):
    def publish(self, arrays, *delays):
        """What subscribers with these delays get."""
        port, results = free_port(), [[] for _ in delays]
        threads = [threading.Thread(target=received, args=(port, 5 + i, r, d)) for i, (r, d) in enumerate(zip(results, delays))]
        for thread in threads:
            thread.start()
        run(line(port, f"expected-subscribers={len(delays)}"), arrays)
        for thread in threads:
            thread.join()
        return results

    def test_properties(self):
        self.check_properties("tomozmqpub", {"expected-subscribers": (0, 0, 2**32 - 1), "address": "tcp://*",
                                             "port": (5555, 1, 65535), "timeout": (60.0, 0.0, 1e6)})

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                arrays = [random_array(FORMATS[name], s) for s in ((3, 5), (3, 5), (2, 3, 4))]
                (results,) = self.publish(arrays, 0)
                for result, array in zip(results, arrays, strict=True):
                    np.testing.assert_array_equal(result, array.astype(np.float32))

    def test_several_subscribers(self):
        """Each gets all images, also those who are faster than others."""
        arrays = [random_array(np.float32, (4, 6)) for _ in range(5)]
        for results in self.publish(arrays, 0, 0.05, 0.01):
            np.testing.assert_array_equal(results, arrays)

    def test_headers_and_errors(self):
        port = free_port()
        array = random_array(np.float32, (3, 5))
        with Stream(line(port, "expected-subscribers=2")) as stream, Subscriber(port, 1) as a, Subscriber(port, 2) as b:
            stream.push(array)
            stream.push(array)
            self.assertEqual(a.register(), (OKAY, ACK))
            self.assertEqual(a.register()[0], ALREADY_REGISTERED)
            self.assertEqual(a.send(request(1, DATA)), [reply(REGISTRATION_EXPECTED, ACK)])
            for parts in ([b""], [b"x"], [b"\1\0\0\0\7"], [b"too many bytes"], [request(1, DATA), b"more"]):
                self.assertEqual(a.send(*parts)[0][0], REGISTRATION_EXPECTED)
            self.assertEqual(b.register(), (OKAY, ACK))
            self.assertEqual(b.send(request(99, DATA))[0][0], NOT_REGISTERED)
            for n in range(2):
                for subscriber in (b, a):
                    _, image, fields = subscriber.ask()
                    np.testing.assert_array_equal(image, array)
                    self.assertEqual(fields, {"htype": "array-1.0", "frame": n + 1, "type": "float", "shape": [3, 5]}
                                     | {"frame": fields["frame"]})
            stream.end()
            self.assertEqual(a.ask()[0], (OKAY, STOP))
            self.assertEqual(b.ask()[0], (OKAY, STOP))
            stream.finish()

    def test_nobody_is_expected(self):
        run(line(free_port(), ""), [random_array(np.float32, (2, 2))] * 3)

    def test_one_who_comes_late(self):
        port, arrays = free_port(), [random_array(np.float32, (2, 2)) for _ in range(4)]
        with Stream(line(port, "expected-subscribers=1")) as stream, Subscriber(port, 1) as a, Subscriber(port, 2) as b:
            stream.push(arrays[0])
            a.register()
            np.testing.assert_array_equal(a.ask()[1], arrays[0])
            stream.push(arrays[1])
            self.assertEqual(b.register(), (OKAY, ACK))
            np.testing.assert_array_equal(b.ask()[1], arrays[1])
            np.testing.assert_array_equal(a.ask()[1], arrays[1])
            stream.end()
            self.assertEqual((a.ask()[0], b.ask()[0]), ((OKAY, STOP),) * 2)
            stream.finish()

    def test_one_who_goes(self):
        port, array = free_port(), random_array(np.float32, (2, 2))
        with Stream(line(port, "expected-subscribers=1 timeout=0.3")) as stream:
            with Subscriber(port, 12) as a:
                stream.push(array)
                a.register()
                a.ask()
            stream.push(array)
            stream.end()
            stream.finish()
            told = [m.parse_warning()[0].message for m in stream.messages if m.type == Gst.MessageType.WARNING]
            self.assertEqual(len(told), 1)
            self.assertIn("subscriber 12 has not asked for an image for 0.3 s", told[0])

    def test_a_stop_while_it_waits(self):
        with Stream(line(free_port(), "expected-subscribers=3")) as stream:
            stream.push(random_array(np.float32, (2, 2)))
            time.sleep(0.2)
            begin = time.monotonic()
            stream.pipeline.set_state(Gst.State.NULL)
            self.assertLess(time.monotonic() - begin, 5)

    def test_places(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.assert_fails([f"can't listen at 'tcp://127.0.0.1:{port}'"], line(port, ""), [random_array(np.float32, (2, 2))])

    def test_both_elements(self):
        port, arrays = free_port(), [random_array(np.uint16, (5, 4)) for _ in range(6)]
        publisher = threading.Thread(target=run, args=(line(port, "expected-subscribers=1"), arrays))
        publisher.start()
        results = run(f"tomozmqsub port={port}")
        publisher.join()
        np.testing.assert_array_equal(results, np.float32(arrays))


if __name__ == "__main__":
    main()
