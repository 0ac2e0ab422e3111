# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoconcertsrc against a sender in Python that talks as Concert does."""

import subprocess
import sys
import threading
import time

from concertpeers import *
from tomotest import *
from elementtest import ElementTestCase, Stream, frame_facts


def line(sender, properties=""):
    return f"tomoconcertsrc name=source endpoint={sender.endpoint} {properties}"


def received(sender, *messages, properties="", samples=False):
    sending = threading.Thread(target=sender.send, args=(*messages, END))
    sending.start()
    try:
        return run(line(sender, properties), samples=samples)
    finally:
        sending.join()


class ConcertSrc(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomoconcertsrc", {
            "endpoint": "tcp://127.0.0.1:5555", "bind": False, "buffers": (64, 1, 2**20), "timeout": (60.0, 0.0, 1e6), "reliable": True,
            "ends": (1, 0, 2**32 - 1), "received": 0.0, "lost": 0.0, "repeated": 0.0})

    def test_images_of_all_types(self):
        arrays = [random_array(dtype, shape) for dtype in (np.uint8, np.uint16, np.uint32, np.int16, np.int32, np.float16, np.float32, np.float64)
                  for shape in ((3, 5), (2, 4, 6))] + [random_array(np.uint16, (7,))]
        with Sender() as sender:
            for result, array in zip(received(sender, *map(message, arrays)), arrays, strict=True):
                array = array if array.ndim > 1 else array[None]
                self.assertEqual((result.dtype, result.shape), (array.dtype, array.shape))
                np.testing.assert_array_equal(result.view(np.uint8), array.view(np.uint8))

    def test_order_of_bytes(self):
        array = random_array(np.uint16, (3, 5))
        with Sender() as sender:
            results = received(sender, *(message(array.astype(code)) for code in (">u2", "<u2", ">f4", ">f8")),
                               message(array.astype(np.uint8), dtype="|u1"))
        for result, dtype in zip(results, (np.uint16, np.uint16, np.float32, np.float64, np.uint8), strict=True):
            np.testing.assert_array_equal(result, array.astype(dtype))

    def test_mirrored_and_turned(self):
        sent, wanted = [], []
        for array in (random_array(np.uint16, (3, 5)), random_array(np.float32, (2, 4, 3))):
            for mirror in (False, True):
                for turns in (0, 1, 2, 3, -1, 6):
                    sent.append(message(array, mirror=mirror, rotate=turns))
                    flipped = array[..., ::-1] if mirror else array
                    wanted.append(np.rot90(flipped, turns, axes=(-2, -1)))
            sent.append(message(array, mirror=True, rotate=1, conversion_applied=True))
            wanted.append(array)
        with Sender() as sender:
            for result, array in zip(received(sender, *sent), wanted, strict=True):
                np.testing.assert_array_equal(result, array)

    def test_facts(self):
        a = random_array(np.uint16, (2, 3))
        with Sender() as sender:
            results = received(sender, message(a, frame_number=7, angle=0.25, timestamp=1700000000.125),
                               message(a, frame_number=8, timestamp="2023-11-14T22:13:21.500000+00:00"), message(a, frame_number=9), samples=True)
        (n0, angle0, time0), (n1, angle1, time1), (n2, angle2, time2) = map(frame_facts, results)
        self.assertEqual((n0, n1, n2), (0, 1, 2))
        self.assertEqual(angle0, 0.25)
        self.assertTrue(np.isnan(angle1) and np.isnan(angle2))
        self.assertEqual((time0, time1, time2), (1700000000125000000, 1700000001500000000, Gst.CLOCK_TIME_NONE))

    def test_lost_late_and_repeated(self):
        a = random_array(np.uint16, (2, 3))
        with Sender() as sender:
            with Stream(line(sender), inputs=0) as stream:
                sender.send(*(message(a + i, frame_number=10 + i, angle=float(i)) for i in (0, 1, 5, 3, 5, 6)), END)
                seen = [stream.pull_sample() for _ in range(5)]
                stream.finish()
                counts = [stream["source"].get_property(n) for n in ("received", "lost", "repeated")]
                gaps = [(s.get_value("first"), s.get_value("count"), s.get_value("lost")) for s in stream.element_messages("tomo-lost-frames")]
        self.assertEqual([frame_facts(s)[:2] for s in seen], [(0, 0.0), (1, 1.0), (5, 5.0), (3, 3.0), (6, 6.0)])
        for sample, i in zip(seen, (0, 1, 5, 3, 6)):
            np.testing.assert_array_equal(to_array(sample), a + i)
        self.assertEqual(counts, [5, 2, 1])
        self.assertEqual(gaps, [(2, 3, 3)])
        self.assertIn("frames 2 to 4 were lost; 3 of 5 so far", str(stream.warnings()))

    def test_angles_go_to_the_ring(self):
        """Late frames, too, have their own angle where slices are made."""
        images, angles = [random_array(np.float32, (3, 8)) for _ in range(9)], np.pi / 8 * np.arange(9)
        results = []
        for order, given in (([0, 1, 2, 4, 3, 5, 6, 7, 8], True), (range(9), False)):
            with Sender() as sender:
                sent = [message(images[i], frame_number=i, angle=angles[i] if given else None) for i in order]
                step = "" if given else f"angle-step={np.pi / 8}"
                results.append(received(sender, *sent, properties=f"! tomoprojectionring views=8 {step} ! tomoliveslice plane=z=0")[-1])
        self.assert_close(results[0], results[1], 1e-6)

    def test_published(self):
        a = random_array(np.uint16, (2, 3))
        with Sender(zmq.PUB) as sender, Stream(line(sender, "reliable=false"), inputs=0) as stream:
            deadline = time.monotonic() + TIMEOUT
            while (sample := stream["sink"].try_pull_sample(Gst.SECOND // 20)) is None:  # until it has subscribed
                sender.send(message(a))
                self.assertLess(time.monotonic(), deadline)
            np.testing.assert_array_equal(to_array(sample), a)
            sender.send(END)
            stream.finish()

    def test_senders_come_to_it(self):
        a = random_array(np.uint16, (2, 3))
        endpoint = f"tcp://127.0.0.1:{free_port()}"
        with Stream(f"tomoconcertsrc bind=true endpoint={endpoint}", inputs=0) as stream, Sender(connect=endpoint) as sender:
            sender.send(message(a), END)
            np.testing.assert_array_equal(stream.finish()[0], a)

    def test_several_ends(self):
        a = random_array(np.uint16, (2, 3))
        with Sender() as sender:
            results = received(sender, message(a, frame_number=1), message(a, frame_number=2), END, message(a, frame_number=1), END,
                               message(a), properties="ends=3", samples=True)
        self.assertEqual([frame_facts(s)[0] for s in results], [0, 1, 2, 3])

    def test_nothing(self):
        with Sender() as sender:
            self.assertEqual(received(sender), [])

    def test_bad_messages(self):
        a = np.zeros((2, 3), np.uint16)
        good = message(a)
        for words, parts in ((["an image in 1 parts"], good[:1]), (["an image in 3 parts"], good + [b"x"]), (["in 4 parts"], good + [b"x"] * 9),
                             (["1 bytes for uint16 3 x 2", "wanted 12 bytes"], [good[0], b"x"]), (["is no JSON"], [b"{", good[1]]),
                             (["is no JSON"], [b"\xff\xfe", good[1]]), (["is no object"], [b"[]", good[1]]), (["2097152 bytes"], [b" " * 2**21, good[1]]),
                             (["another dtype"], message(a, dtype="complex64")), (["another dtype"], message(a, dtype=None)),
                             (["another dtype"], message(a, dtype=">f16")), (["another dtype"], message(a, dtype=7)),
                             (["no shape"], message(a, shape=None)), (["no shape"], message(a, shape=[1, 1, 2, 3])),
                             (["an extent"], message(a, shape=[2, -3])), (["an extent"], message(a, shape=[2.5, 3])),
                             (["too large"], message(a, shape=[2**31 - 1] * 3)),
                             (["too large"], [message(a, dtype=">f8", shape=[2, 2**30, 2**30])[0], b""]),  # 2^64 bytes
                             (["quarter turns"], message(a, rotate=0.5)),
                             (["quarter turns"], message(a, rotate=1e300))):
            with self.subTest(words=words, header=parts[0][:80]), Sender() as sender:
                sending = threading.Thread(target=sender.send, args=(parts,))
                sending.start()
                self.assert_fails([f"'{sender.endpoint}'" if words else "", *words], line(sender), timeout=20)
                sending.join()

    def test_cut_and_back(self):
        a = random_array(np.uint16, (2, 3))
        with Sender() as sender, Network(sender.port) as network, Stream(line(network, "timeout=30"), inputs=0) as stream:
            sender.send(message(a, frame_number=0))
            self.assertEqual(frame_facts(stream.pull_sample())[0], 0)
            network.cut()
            deadline = time.monotonic() + TIMEOUT
            while not any("was cut" in w for w in stream.warnings()):
                stream._poll()
                self.assertLess(time.monotonic(), deadline)
            network.mend()
            while not any("is back" in w for w in stream.warnings()):
                stream._poll()
                self.assertLess(time.monotonic(), deadline)
            sender.send(message(a, frame_number=2), END)
            self.assertEqual(frame_facts(stream.pull_sample())[0], 2)
            stream.finish()
            self.assertEqual(stream["source"].get_property("lost"), 1)

    def test_a_sender_that_leaves(self):
        """All that it has sent is still read, however little the element keeps."""
        script = """if True:
            import sys, zmq
            context = zmq.Context()
            socket = context.socket(zmq.PUSH)
            socket.bind("tcp://127.0.0.1:" + sys.argv[1])
            for n in range(100):
                socket.send_json({"dtype": "uint16", "shape": [64, 256], "frame_number": n}, zmq.SNDMORE)
                socket.send(bytes(2 * 64 * 256))
            socket.send_json({"end": True})
            socket.close()
            context.term()
            """
        port = free_port()
        with subprocess.Popen([sys.executable, "-c", script, str(port)]) as sender, \
                Stream(f"tomoconcertsrc buffers=2 endpoint=tcp://127.0.0.1:{port} timeout=10 ! identity sleep-time=20000", inputs=0) as stream:
            self.assertEqual([frame_facts(stream.pull_sample())[0] for _ in range(100)], list(range(100)))
            stream.finish()
            self.assertEqual(sender.wait(), 0)

    def test_nobody_there(self):
        self.assert_fails(["has sent nothing for 0.3 s, after 0 messages"], f"tomoconcertsrc endpoint=tcp://127.0.0.1:{free_port()} timeout=0.3")
        self.assert_fails(["can't connect to 'nonsense'", "tcp://host:5555"], "tomoconcertsrc endpoint=nonsense")
        with Sender() as sender:
            self.assert_fails([f"can't listen at '{sender.endpoint}'", "in use"], line(sender, "bind=true"))

    def test_a_stop_while_it_waits(self):
        with Stream(f"tomoconcertsrc endpoint=tcp://127.0.0.1:{free_port()}", inputs=0) as stream:
            time.sleep(0.2)
            begin = time.monotonic()
            stream.pipeline.set_state(Gst.State.NULL)
            self.assertLess(time.monotonic() - begin, 5)

    def test_runs_again(self):
        a = random_array(np.uint16, (2, 3))
        with Stream("tomoconcertsrc name=source", inputs=0, play=False) as stream:
            for _ in range(2):
                with Sender() as sender:  # what went to the earlier connection would be lost
                    stream["source"].set_property("endpoint", sender.endpoint)
                    sending = threading.Thread(target=sender.send, args=(message(a, frame_number=5), END))
                    sending.start()
                    stream.play()
                    sample = stream.pull_sample()
                    self.assertEqual(frame_facts(sample)[0], 0)
                    np.testing.assert_array_equal(to_array(sample), a)
                    stream.finish()
                    sending.join()
                    stream.pipeline.set_state(Gst.State.READY)


if __name__ == "__main__":
    main()
