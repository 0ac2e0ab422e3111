# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomorecastsrc against a sender of TomoPackets in Python."""

import contextlib
import struct
import threading

from concertpeers import *
from tomotest import *
from elementtest import ElementTestCase, Stream, frame_facts

DARK, FLAT, STANDARD = range(3)
KILL = struct.pack("<ii", 0x102, 1)


def floats(values):
    return struct.pack("<i", np.size(values)) + np.asarray(values, "<f4").tobytes()


def projection(number, array, kind=STANDARD, shape=None):
    return struct.pack("<iiiii", 0x309, kind, number, *(shape or array.shape)) + floats(array)


def projection_data(number, array):
    return struct.pack("<iii", 0x307, 1, number) + floats(range(12))[4:] + struct.pack("<ii", *array.shape) + floats(array)


def parallel(angles):
    return struct.pack("<iiiii", 0x303, 1, 3, 5, len(angles)) + floats(angles)


def cone(angles):
    return struct.pack("<iiiii", 0x305, 1, 3, 5, len(angles)) + struct.pack("<4f", 10, 20, 1, 1) + floats(angles)


@contextlib.contextmanager
def sent(*packets):
    with Sender(connect=f"tcp://127.0.0.1:{free_port()}") as sender:
        sender.send(*([p] for p in packets))
        yield sender


def line(sender, properties=""):
    return f"tomorecastsrc name=source endpoint={sender.endpoint} {properties}"


def received(*packets, properties=""):
    with sent(*packets) as sender:
        return run(line(sender, properties), samples=True)


class RecastSrc(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomorecastsrc", {
            "endpoint": "tcp://*:5557", "bind": True, "buffers": (64, 1, 2**20), "timeout": (0.0, 0.0, 1e6),
            "kind": ("projections", {"projections", "darks", "flats", "all"}), "reply": False, "received": 0.0, "lost": 0.0, "repeated": 0.0})

    def test_images(self):
        arrays = [random_array(np.float32, (3, 5)) for _ in range(4)]
        angles = np.float32([0.1, 0.9, 1.7])
        for geometry in (parallel, cone):
            for image in (projection, projection_data):
                with self.subTest(geometry=geometry.__name__, image=image.__name__):
                    samples = received(geometry(angles), *(image(n, a) for n, a in enumerate(arrays)), KILL)
                    self.assertEqual([frame_facts(s)[:2] for s in samples], [(0, angles[0]), (1, angles[1]), (2, angles[2]), (3, angles[0])])
                    for sample, array in zip(samples, arrays, strict=True):
                        np.testing.assert_array_equal(to_array(sample), array)

    def test_kinds(self):
        dark, flat, image = (random_array(np.float32, (3, 5)) for _ in range(3))
        packets = (projection(0, dark, DARK), projection(0, flat, FLAT), projection(0, image), projection(1, dark, DARK), KILL)
        for name, wanted in (("projections", [image]), ("darks", [dark, dark]), ("flats", [flat]), ("all", [dark, flat, image, dark])):
            samples = received(*packets, properties=f"kind={name}")
            self.assertEqual([frame_facts(s)[0] for s in samples], list(range(len(wanted))))
            for sample, array in zip(samples, wanted, strict=True):
                np.testing.assert_array_equal(to_array(sample), array)

    def test_lost(self):
        a = random_array(np.float32, (3, 5))
        with sent(*(projection(n, a) for n in (0, 3, 2, 3)), KILL) as sender, Stream(line(sender), inputs=0) as stream:
            self.assertEqual([frame_facts(stream.pull_sample())[0] for _ in range(3)], [0, 3, 2])
            stream.finish()
            self.assertEqual([stream["source"].get_property(n) for n in ("received", "lost", "repeated")], [3, 1, 1])

    def test_other_packets(self):
        a = random_array(np.float32, (3, 5))
        samples = received(struct.pack("<i", 0x101) + b"scene\0" + struct.pack("<i", 3), struct.pack("<iii", 0x206, 1, 2), projection(0, a), KILL)
        self.assertEqual(len(samples), 1)
        self.assertTrue(np.isnan(frame_facts(samples[0])[1]))

    def test_reply(self):
        a = random_array(np.float32, (3, 5))
        answers = []
        endpoint = f"tcp://127.0.0.1:{free_port()}"

        def ask():
            with Sender(zmq.REQ, endpoint) as sender:
                for packet in (projection(0, a), projection(1, a), KILL):
                    sender.send([packet])
                    answers.append(struct.unpack("<i", sender.socket.recv()))

        asking = threading.Thread(target=ask)
        asking.start()
        self.assertEqual(len(run(f"tomorecastsrc endpoint={endpoint} reply=true")), 2)
        asking.join()
        self.assertEqual(answers[:2], [(1,), (1,)])

    def test_bad_packets(self):
        a = np.zeros((3, 5), np.float32)
        good = projection(0, a)
        for words, packet in ((["ends too early"], b""), (["ends too early"], b"\x09\x03"), (["ends within a list"], good[:-1]), (["4 bytes behind"], good + bytes(4)),
                              (["of type 3"], projection(0, a, 3)), (["of type -1"], projection(0, a, -1)), (["projection -1 of"], projection(-1, a)),
                              (["of 3 x 6 with 15"], projection(0, a, shape=(3, 6))), (["of -3 x -5"], projection(0, a, shape=(-3, -5))),
                              (["ends within a list"], good[:20] + struct.pack("<i", -1)), (["ends within a list"], good[:20] + struct.pack("<i", 2**31 - 1)),
                              (["ends within a list"], parallel([1.0])[:-2])):
            with self.subTest(words=words), sent(packet) as sender:
                self.assert_fails([f"'{sender.endpoint}' sent", *words], line(sender), timeout=20)
        with sent() as sender:
            sender.send([good, good])
            self.assert_fails(["a message in 2 parts", "one packet"], line(sender))


if __name__ == "__main__":
    main()
