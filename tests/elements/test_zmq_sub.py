# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomozmqsub against a publisher in Python that talks as UFO's zmq-pub does."""

import time

from tomotest import *
from elementtest import ElementTestCase, Stream
from concertpeers import Network
from zmqpeers import *


def line(publisher, properties=""):
    return f"tomozmqsub port={publisher.port} {properties}"


class ZmqSub(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomozmqsub", {"address": "tcp://127.0.0.1", "port": (5555, 1, 65535), "timeout": (60.0, 0.0, 1e6)})

    def test_images(self):
        arrays = [random_array(np.float32, s) for s in ((3, 5), (3, 5), (1, 1), (2, 4, 6))]
        again = [reply(REGISTRATION_EXPECTED, ACK)]
        with Publisher([data(arrays[0]), again, again, *map(data, arrays[1:]), END]) as publisher:
            for result, array in zip(run(line(publisher)), arrays, strict=True):
                np.testing.assert_array_equal(result, array)
        idents = {ident for ident, _ in publisher.requests}
        self.assertEqual(len(idents), 1)
        self.assertEqual([kind for _, kind in publisher.requests], [REGISTER] + [DATA] * 7)

    def test_types(self):
        for name, dtype in (("double", np.float64), ("uint8", np.uint8), ("uint16", np.uint16), ("uint32", np.uint32),
                            ("int16", np.int16), ("int32", np.int32), ("float16", np.float16), ("float32", np.float32)):
            array = random_array(dtype, (4, 3))
            with self.subTest(type=name), Publisher([data(array, type=name), END]) as publisher:
                (result,) = run(line(publisher))
                self.assertEqual(result.dtype, dtype)
                np.testing.assert_array_equal(result.view(np.uint8), array.view(np.uint8))

    def test_rows_alone(self):
        array = random_array(np.float32, (9,))
        with Publisher([data(array), END]) as publisher:
            np.testing.assert_array_equal(run(line(publisher))[0], array[None])

    def test_nothing(self):
        with Publisher([END]) as publisher:
            self.assertEqual(run(line(publisher)), [])

    def test_bad_answers(self):
        a = np.zeros((2, 3), np.float32)
        good = data(a)
        for words, answer in ((["24 bytes", "1 bytes"], [good[0], good[1], b"x"]),
                              (["2 parts"], good[:2]), (["at least 4 parts"], good + [b"x"] * 9),
                              (["is no JSON"], [good[0], b"{", good[2]]), (["is no JSON"], [good[0], b"\xff\xfe", good[2]]),
                              (["has 70000 bytes"], [good[0], b" " * 70000, good[2]]),
                              (["another kind"], data(a, htype="chunk-1.0")), (["another kind"], [good[0], b"[1]", good[2]]),
                              (["another type"], data(a, type="complex")), (["another type"], data(a, type=None)),
                              (["no shape"], data(a, shape=None)), (["no shape"], data(a, shape=[])),
                              (["no shape"], data(a, shape=[1, 1, 2, 3])), (["no shape"], data(a, shape="2x3")),
                              (["an extent"], data(a, shape=[2, -3])), (["an extent"], data(a, shape=[0, 3])),
                              (["an extent"], data(a, shape=[2.5, 3])), (["an extent"], data(a, shape=[2**40, 3])),
                              (["an extent"], data(a, shape=["2", 3])), ([], data(a, shape=[2**31 - 1] * 3)),
                              (["none of zmq-pub's"], [b"x"]), (["none of zmq-pub's"], [b"xyz"]),
                              (["none of zmq-pub's"], [b"\x07\x00"]), (["error 3"], [reply(NOT_REGISTERED, ACK)])):
            with self.subTest(words=words, answer=answer[1:2]), Publisher([answer]) as publisher:
                self.assert_fails(words, line(publisher), timeout=20)
        with Publisher([END], registration=reply(NOT_REGISTERED, ACK)) as publisher:
            self.assert_fails(["refuses the registration", "error 3"], line(publisher))
        with Publisher([END], registration=b"hello") as publisher:
            self.assert_fails(["none of zmq-pub's"], line(publisher))

    def test_nobody_there(self):
        self.assert_fails(["has not answered for 0.3 s"], f"tomozmqsub port={free_port()} timeout=0.3")
        self.assert_fails(["can't connect to 'nonsense:5555'"], "tomozmqsub address=nonsense")

    def test_cut_and_back(self):
        """The request that was lost is asked again, also where the publisher takes it for a second one."""
        arrays = [random_array(np.float32, (3, 5)) for _ in range(2)]
        for between in ([], [[reply(ALREADY_SENT, ACK)]]):
            with Publisher(None) as publisher, Network(publisher.port) as network, Stream(line(network), inputs=0) as stream:
                deadline = time.monotonic() + TIMEOUT
                while DATA not in [kind for _, kind in publisher.requests]:
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.01)
                network.cut()
                while not any("was cut" in w for w in stream.warnings()):
                    stream._poll()
                    self.assertLess(time.monotonic(), deadline)
                publisher.answer_next(between + [data(arrays[0]), data(arrays[1]), END])
                network.mend()
                for array in arrays:
                    np.testing.assert_array_equal(stream.pull(), array)
                stream.finish()
                self.assertTrue(any("is back" in w for w in stream.warnings()))

    def test_a_stop_while_it_waits(self):
        with Stream(f"tomozmqsub port={free_port()}", inputs=0) as stream:
            time.sleep(0.2)
            begin = time.monotonic()
            stream.pipeline.set_state(Gst.State.NULL)
            self.assertLess(time.monotonic() - begin, 5)

    def test_runs_again(self):
        array = random_array(np.float32, (3, 5))
        with Publisher([data(array), END, data(array), END]) as publisher, \
                Stream(line(publisher), inputs=0, play=False) as stream:
            for _ in range(2):
                stream.play()
                np.testing.assert_array_equal(stream.finish()[-1], array)
                stream.pipeline.set_state(Gst.State.READY)


if __name__ == "__main__":
    main()
