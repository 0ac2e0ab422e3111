# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomosimplonsrc against a detector in Python."""

import contextlib
import time

from concertpeers import *
from tomotest import *
from elementtest import ElementTestCase, Stream, frame_facts
import simplonpeer as peer
from simplonpeer import cbor2


def line(sender, properties=""):
    return f"tomosimplonsrc name=source endpoint={sender.endpoint} {properties}"


@contextlib.contextmanager
def sent(*messages):
    """Messages that wait for a source with bind=true, so that the test waits for nothing."""
    with Sender(connect=f"tcp://127.0.0.1:{free_port()}") as sender:
        sender.send(*([m] for m in messages))
        yield sender


def received(*messages, properties="", samples=False):
    with sent(*messages) as sender:
        return run(line(sender, f"bind=true {properties}"), samples=samples)


class SimplonSrc(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomosimplonsrc", {
            "endpoint": "tcp://127.0.0.1:31001", "bind": False, "buffers": (64, 1, 2**20), "timeout": (0.0, 0.0, 1e6), "channel": None,
            "goniometer-axis": None, "series": (1, 0, 2**32 - 1), "received": 0.0, "lost": 0.0, "repeated": 0.0})

    def assert_bad(self, words, *messages, properties=""):
        with sent(*messages) as sender:
            self.assert_fails(words, line(sender, f"bind=true {properties}"), timeout=20)

    def test_images(self):
        for how in (None, "lz4", "bslz4"):
            for code in peer.TYPED:
                shape = (3, 5) if code != "<u2" else (61, 47)  # several blocks, and samples behind the last one
                array = random_array(np.dtype(code).newbyteorder("="), shape)
                with self.subTest(how=how, code=code):
                    wire = array.astype(code)
                    first, second = received(peer.start(), peer.image(0, wire, how, code), peer.image(1, wire, how, code),
                                             peer.end())
                    for result in (first, second):
                        self.assertEqual(result.dtype, array.dtype)
                        np.testing.assert_array_equal(result.view(np.uint8), array.view(np.uint8))

    def test_bitshuffle_of_its_authors(self):
        try:
            import bitshuffle
        except ImportError:
            self.skipTest("bitshuffle is not installed")
        for dtype in (np.uint8, np.uint16, np.uint32):
            array = rng.poisson(3, (61, 47)).astype(dtype)
            stored = array.size * array.itemsize, 8192
            packed = stored[0].to_bytes(8, "big") + stored[1].to_bytes(4, "big") + bitshuffle.compress_lz4(array, 8192 // array.itemsize).tobytes()
            data = cbor2.CBORTag(40, [[61, 47], cbor2.CBORTag(peer.TYPED["u1" if dtype == np.uint8 else array.dtype.str],
                                                             cbor2.CBORTag(56500, ["bslz4", array.itemsize, packed]))])
            (result,) = received(peer.image(0, array, data={"threshold_1": data}), peer.end())
            np.testing.assert_array_equal(result, array)

    def test_facts(self):
        a = random_array(np.uint16, (3, 5))
        samples = received(peer.start(number_of_images=3), *(peer.image(n, a) for n in range(3)), peer.end(), samples=True)
        begin = 1772366400250000000
        for n, sample in enumerate(samples):
            index, angle, exposed = frame_facts(sample)
            self.assertEqual((index, exposed), (n, begin + n * 1000000))
            self.assertAlmostEqual(angle, np.deg2rad(10 + 0.5 * n), delta=1e-12)
            device = sample.get_buffer().get_reference_timestamp_meta(Gst.Caps.from_string("timestamp/x-tomo-device"))
            self.assertEqual(device.timestamp, n * 1000000)

    def test_scan(self):
        """Energy, pixel size and angles go on as facts of the scan."""
        a = random_array(np.uint16, (3, 5))
        events = []
        with sent(peer.start(), *(peer.image(n, a) for n in range(4)), peer.end()) as sender, \
                Stream(line(sender, "bind=true"), inputs=0, play=False) as stream:
            stream["source"].get_static_pad("src").add_probe(
                Gst.PadProbeType.EVENT_DOWNSTREAM, lambda pad, info: (events.append(info.get_event()), Gst.PadProbeReturn.OK)[1])
            stream.play()
            stream.finish()
        (scan,) = [e.get_structure() for e in events if e.get_structure() and e.get_structure().get_name() == "tomo-scan"]
        self.assertEqual(scan.get_double("energy"), (True, 25.0))
        self.assertEqual(scan.get_double("pixel-size"), (True, 75e-6))
        np.testing.assert_allclose(list(scan.get_value("angles")), np.deg2rad(10 + 0.5 * np.arange(4)), rtol=1e-12)

    def test_lost(self):
        """In the middle and at the end of the series, whose start says how many there are."""
        a = random_array(np.uint16, (3, 5))
        with sent(peer.start(number_of_images=10), *(peer.image(n, a) for n in (1, 2, 5, 4, 4)), peer.end()) as sender, \
                Stream(line(sender, "bind=true"), inputs=0) as stream:
            numbers = [frame_facts(stream.pull_sample())[0] for _ in range(4)]
            stream.finish()
            counts = [stream["source"].get_property(n) for n in ("received", "lost", "repeated")]
            gaps = [(s.get_value("first"), s.get_value("count")) for s in stream.element_messages("tomo-lost-frames")]
        self.assertEqual(numbers, [1, 2, 5, 4])
        self.assertEqual(counts, [4, 6, 1])
        self.assertEqual(gaps, [(0, 1), (3, 2), (6, 4)])

    def test_without_start(self):
        """A source that comes late takes what is left."""
        a = random_array(np.uint16, (3, 5))
        ((index, angle, _),) = map(frame_facts, received(peer.image(2, a), peer.end(), samples=True))
        self.assertEqual(index, 2)
        self.assertTrue(np.isnan(angle))

    def test_several_series(self):
        a = random_array(np.uint16, (3, 5))
        second = {"series_id": 8}
        messages = (peer.start(number_of_images=2), peer.image(0, a), peer.image(1, a), peer.end(), peer.start(number_of_images=2, **second),
                    peer.image(1, a),  # of the first one, late
                    peer.image(0, a, **second), peer.image(1, a, **second), peer.end(), peer.end(**second))
        self.assertEqual([frame_facts(s)[0] for s in received(*messages, properties="series=2", samples=True)], [0, 1, 2, 3])
        self.assertEqual(len(received(*messages)), 2)

    def test_axes(self):
        a = random_array(np.uint16, (3, 5))
        both = {"omega": {"start": 1.0, "increment": 0.5}, "phi": {"start": 90, "increment": -2}}
        self.assert_bad(["several axes", "omega, phi", "goniometer-axis"], peer.start(goniometer=both))
        self.assert_bad(["goniometer-axis=chi", "has omega, phi"], peer.start(goniometer=both), properties="goniometer-axis=chi")
        (sample,) = received(peer.start(goniometer=both, number_of_images=1), peer.image(0, a), peer.end(), properties="goniometer-axis=phi", samples=True)
        self.assertAlmostEqual(frame_facts(sample)[1], np.pi / 2, delta=1e-12)

    def test_channels(self):
        a, b = random_array(np.uint16, (3, 5)), random_array(np.uint32, (3, 5))
        data = {"threshold_2": peer.multi(b), "threshold_1": peer.multi(a)}
        start = peer.start(channels=["threshold_1", "threshold_2"], number_of_images=1)
        for name, wanted in (("", a), ("threshold_1", a), ("threshold_2", b)):
            np.testing.assert_array_equal(received(start, peer.image(0, a, data=data), peer.end(), properties=f"channel={name}" if name else "")[0], wanted)
        self.assert_bad(["threshold_2, threshold_1", "'difference'"], start, peer.image(0, a, data=data), properties="channel=difference")

    def test_cbor(self):
        """The same in other spellings: lists and bytes of unknown length, floats of all sizes."""
        a = random_array(np.uint16, (3, 5))
        tagged = b"\xd8\x28\x9f\x9f\x03\x05\xff" + b"\xd8\x45\x5f\x44" + a.tobytes()[:4] + b"\x58\x1a" + a.tobytes()[4:] + b"\xff\xff"
        text = lambda s: bytes([0x60 + len(s)]) + s.encode()
        image = b"\xbf" + text("type") + text("image") + text("image_id") + b"\x00" + text("data") + b"\xbf" + text("one") + tagged + b"\xff\xff"
        for size, bits in ((b"\xf9", "3800"), (b"\xfa", "3f000000"), (b"\xfb", "3fe0000000000000")):  # 0.5
            axis = b"\xa1" + text("omega") + b"\xa2" + text("start") + size + bytes.fromhex(bits) + text("increment") + b"\x20"  # -1
            start = b"\xa2" + text("type") + text("start") + text("goniometer") + axis
            (sample,) = received(start, image, cbor2.dumps({"type": "end"}), samples=True)
            np.testing.assert_array_equal(to_array(sample), a)
            self.assertAlmostEqual(frame_facts(sample)[1], np.deg2rad(0.5), delta=1e-12)

    def test_bad_messages(self):
        a = np.zeros((3, 5), np.uint16)
        good = peer.image(0, a)
        array = lambda shape, tag=69, content=a.tobytes(), outer=40: {"one": cbor2.CBORTag(outer, [shape, cbor2.CBORTag(tag, content)])}
        compressed = lambda *parts: array([3, 5], content=cbor2.CBORTag(56500, list(parts)))
        for words, message in (
                (["no CBOR", "ends too early"], good[:-1]), (["goes on behind"], good + b"\x00"), (["no CBOR"], b""), (["no CBOR"], b"\xff"),
                (["too many levels"], b"\x81" * 100 + b"\x00"), (["longer than itself"], b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff"),
                (["can't be"], b"\x1c"), (["behind a key"], b"\xbf\x00\xff"), (["made of other things"], b"\x5f\x00\xff"),
                (["of type ''"], cbor2.dumps([1])), (["of type 'hello'"], cbor2.dumps({"type": "hello"})),
                (["without image_id"], peer.image(0, a, image_id="left out")), (["without image_id"], peer.image(0, a, image_id=-1)),
                (["without data"], peer.image(0, a, data={})), (["without data"], peer.image(0, a, data="left out")),
                (["in the order of rows"], peer.image(0, a, data=array([3, 5], outer=1040))), (["in the order of rows"], peer.image(0, a, data={"one": a.tobytes()})),
                (["two extents"], peer.image(0, a, data=array([15]))), (["can't be"], peer.image(0, a, data=array([3, -5]))),
                (["can't be"], peer.image(0, a, data=array([0, 5]))), (["can't be"], peer.image(0, a, data=array([2**40, 5]))),
                (["another type"], peer.image(0, a, data=array([3, 5], tag=71))), (["28 bytes", "wanted 30 bytes"], peer.image(0, a, data=array([3, 5], content=bytes(28)))),
                (["no bytes"], peer.image(0, a, data=array([3, 5], content="text"))),
                (["unknown way"], peer.image(0, a, data=compressed("lz4", 0))), (["compressed by 'zstd'"], peer.image(0, a, data=compressed("zstd", 0, b"x"))),
                (["damaged"], peer.image(0, a, data=compressed("lz4", 0, b"xxxxxxxxxxxxxxxxx"))), (["damaged"], peer.image(0, a, data=compressed("bslz4", 2, b""))),
                (["elements of 0 bytes"], peer.image(0, a, data=compressed("bslz4", 0, b"x"))),
                (["elements of 5000 bytes"], peer.image(0, a, data=compressed("bslz4", 5000, b"x"))),
                ([], peer.image(0, a, data=array([2**31 - 1, 2**31 - 1]))), (["too large"], peer.image(0, a, data=array([2**31 - 1, 2**31 - 1], tag=86))),
                (["16 compressed bytes for"], peer.image(0, a, data=array([2**20, 2**10], content=cbor2.CBORTag(56500, ["lz4", 0, bytes(16)])))),
                (["too many items"], b"\x9f" + b"\x80" * (2**20 + 1) + b"\xff")):
            with self.subTest(words=words, message=message[:60]):
                self.assert_bad(words, message)
        with sent() as sender:
            sender.send([b'{"htype": "dheader-1.0"}', b"{}"])
            self.assert_fails(["a message in 2 parts", "set format to cbor"], line(sender, "bind=true"))

    def test_damaged_messages(self):
        """Whatever bytes come, the end is an error or an end."""
        a = rng.poisson(5, (16, 32)).astype(np.uint16)
        for _ in range(150):
            message = bytearray(peer.image(0, a, rng.choice(["lz4", "bslz4"])))
            for _ in range(rng.integers(1, 4)):
                message[rng.integers(len(message))] = rng.integers(256)
            if rng.random() < 0.3:
                del message[rng.integers(len(message)):]
            with sent(bytes(message), peer.end()) as sender:
                try:
                    run(line(sender, "bind=true timeout=1"), timeout=20)
                except PipelineError as e:
                    self.assertIn("source:", str(e))

    def test_cut_and_back(self):
        a = random_array(np.uint16, (3, 5))
        with Sender() as sender, Network(sender.port) as network, Stream(line(network), inputs=0) as stream:
            sender.send([peer.start()], [peer.image(0, a)])
            stream.pull()
            network.cut()
            deadline = time.monotonic() + TIMEOUT
            while not any("was cut" in w for w in stream.warnings()):
                stream._poll()
                self.assertLess(time.monotonic(), deadline)
            network.mend()
            sender.send([peer.image(3, a)], [peer.end()])
            self.assertEqual(frame_facts(stream.pull_sample())[0], 3)
            stream.finish()
            self.assertEqual(stream["source"].get_property("lost"), 2)

    def test_nobody_there(self):
        self.assert_fails(["has sent nothing for 0.3 s"], f"tomosimplonsrc endpoint=tcp://127.0.0.1:{free_port()} timeout=0.3")


if __name__ == "__main__":
    main()
