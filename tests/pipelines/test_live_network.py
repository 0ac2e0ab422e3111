# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slices of frames that come over the network: those of the frames that arrived, each at its own angle, whatever was lost or late."""

import contextlib
import threading
import time

from concertpeers import *
from pipetest import *
from livetest import axis_plane, slice_of
from elementtest import Stream, frame_meta
import simplonpeer

SHAPE, AXIS, VIEWS, NUMBER = (6, 20), 9.3, 12, 40
STEP = np.pi / (VIEWS + 0.4)  # the next half turn lies between, so that each projection has a weight of its own
# Of NUMBER frames: some lost, two late; and one order whose gaps are all missing wedges beyond doubt.
ORDER = [n for n in range(NUMBER) if n not in (5, 6, 17, 31, 33, 34)]
ORDER[20], ORDER[22] = ORDER[22], ORDER[20]
IN_TURN = [n for n in range(NUMBER) if n not in (5, 6, 17, 18, 31, 32)]


def slices(source):
    """Behind a source, of each projection from the first whole volume on."""
    return f"{source} ! tomoprojectionring views={VIEWS} ! tomoliveslice plane=z=0.7 axis-pos={AXIS}"


class LiveNetwork(PipelineTestCase):
    def setUp(self):
        super().setUp()
        self.frames = [random_array(np.uint16, SHAPE) for _ in range(NUMBER)]
        self.angles = np.arange(NUMBER) * STEP

    def behind(self, order):
        """Slices of the same frames without a network, whose angles follow from their numbers."""
        ring = f"tomoprojectionring views={VIEWS} angle-step={STEP!r}"
        with Stream(slices("SRC0").replace(f"tomoprojectionring views={VIEWS}", ring)) as stream:
            for n in order:
                stream.sent[0] = n
                stream.push(self.frames[n])
            return stream.finish()

    def check_behind(self, samples, order):
        wanted = self.behind(order)
        self.assertEqual((len(samples), len(wanted)), (len(order) - VIEWS + 1,) * 2)
        for sample, array in zip(samples, wanted):
            np.testing.assert_array_equal(to_array(sample), array)

    def check_numbers(self, samples):
        """In float64, of the frames IN_TURN."""
        self.assertEqual(len(samples), len(IN_TURN) - VIEWS + 1)
        for k, sample in enumerate(samples):
            newest = IN_TURN[k : k + VIEWS]
            wanted = slice_of([self.frames[n] for n in newest], self.angles[newest], AXIS, axis_plane("z", 0.7, SHAPE, AXIS))
            self.assert_close(to_array(sample), wanted, 1e-5)

    @contextlib.contextmanager
    def sent(self, *messages):
        with Sender(connect=f"tcp://127.0.0.1:{free_port()}") as sender:
            sender.send(*messages)
            yield f"bind=true endpoint={sender.endpoint}"

    def concert(self, n):
        return message(self.frames[n], frame_number=n, angle=self.angles[n])

    def test_concert(self):
        with self.sent(*map(self.concert, ORDER), END) as place:
            self.check_behind(run(slices(f"tomoconcertsrc {place}"), samples=True), ORDER)

    def test_detector(self):
        goniometer = {"omega": {"start": 0.0, "increment": np.degrees(STEP)}}
        messages = [simplonpeer.start(goniometer=goniometer, number_of_images=NUMBER), *(simplonpeer.image(n, self.frames[n], "bslz4") for n in IN_TURN),
                    simplonpeer.end()]
        with self.sent(*([m] for m in messages)) as place:
            self.check_numbers(run(slices(f"tomosimplonsrc {place}"), samples=True))

    def test_recast(self):
        floats = [frame.astype(np.float32) for frame in self.frames]
        packets = [np.int32([0x303, 1, *SHAPE, NUMBER, NUMBER]).tobytes() + self.angles.astype(np.float32).tobytes(),
                   *(np.int32([0x309, 2, n, *SHAPE, floats[n].size]).tobytes() + floats[n].tobytes() for n in IN_TURN), np.int32([0x102, 1]).tobytes()]
        with self.sent(*([p] for p in packets)) as place:
            self.check_numbers(run(slices(f"tomorecastsrc {place}"), samples=True))

    def test_two_steps(self):
        """Through tomoconcertsink and tomoconcertsrc, numbers and angles stay with their frames."""
        between = f"tcp://127.0.0.1:{free_port()}"
        with self.sent(*map(self.concert, ORDER), END) as place:
            sending = threading.Thread(target=run, args=(f"tomoconcertsrc {place} ! tomoconcertsink endpoint={between} NOSINK",))
            sending.start()
            self.check_behind(run(slices(f"tomoconcertsrc endpoint={between}"), samples=True), ORDER)
            sending.join()

    def test_cut_and_back(self):
        """Frames that were under way are lost; slices are those of the ones that came, and numbers keep their angles."""
        with Sender() as sender, Network(sender.port) as network, \
                Stream(slices(f"tomoconcertsrc name=source endpoint={network.endpoint}"), inputs=0) as stream:
            seen = []
            stream["source"].get_static_pad("src").add_probe(
                Gst.PadProbeType.BUFFER, lambda pad, info: (seen.append(frame_meta(info.get_buffer()).index), Gst.PadProbeReturn.OK)[1])

            def send():
                for n in range(NUMBER):
                    sender.send(self.concert(n))
                    if n == 15:
                        network.cut()
                        time.sleep(0.2)
                        network.mend()
                    time.sleep(0.01)
                sender.send(END)

            sending = threading.Thread(target=send)
            sending.start()
            samples = []
            with contextlib.suppress(EOFError):
                while True:
                    samples.append(stream.pull_sample())
            while sample := stream["sink"].try_pull_sample(0):
                samples.append(sample)
            sending.join()
            lost = stream["source"].get_property("lost")
        self.assertTrue(any("was cut" in w for w in stream.warnings()) and any("is back" in w for w in stream.warnings()), stream.warnings())
        self.assertEqual((seen[0], seen[-1], lost), (0, NUMBER - 1, NUMBER - len(seen)))
        self.check_behind(samples, seen)


if __name__ == "__main__":
    main()
