# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-pva between a server of pvAccess on 127.0.0.1 and receivers of ZeroMQ, and before tomoconcertsrc."""

import json
import math
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

from concertpeers import *
from tomotest import *
from elementtest import frame_meta

PYTHON = pathlib.Path(os.environ["GST_TOMO_PVA_PYTHON"])
SERVER = pathlib.Path(__file__).resolve().parents[1] / "support" / "pvaserver.py"
if not PYTHON.exists():
    print("there is no p4p: tools/setup --pva installs it")
    sys.exit(77)  # to Meson: skipped


class Server:
    """`with Server() as s: s.post(array, number=3)`."""

    def __init__(self):
        ports = {name: str(free_port()) for name in ("EPICS_PVA_BROADCAST_PORT", "EPICS_PVAS_SERVER_PORT")}
        self.env = os.environ | ports | {"EPICS_PVA_ADDR_LIST": "127.0.0.1", "EPICS_PVA_AUTO_ADDR_LIST": "NO", "EPICS_PVAS_INTF_ADDR_LIST": "127.0.0.1",
                                         "EPICS_PVAS_BROADCAST_PORT": ports["EPICS_PVA_BROADCAST_PORT"]}
        self.start()

    def start(self):
        self.process = subprocess.Popen([PYTHON, SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.env)
        assert self.process.stdout.readline() == "ready\n"

    def stop(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def post(self, array, number, **fields):
        line = {"samples": array.tobytes().hex(), "dtype": str(array.dtype), "shape": array.shape, "number": number} | fields
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "posted\n"


class Bridge:
    """tomo-pva as somebody starts it; it has the PV when this returns."""

    def __init__(self, server, *options, pv="test:image"):
        self.endpoint = f"tcp://127.0.0.1:{free_port()}"
        self.process = subprocess.Popen(["tomo-pva", pv, "--endpoint", self.endpoint, *options], stderr=subprocess.PIPE, text=True, env=server.env)
        self.wait_for("is there")

    def wait_for(self, words):
        seen = []
        while line := self.process.stderr.readline():
            seen.append(line)
            if words in line:
                return line
        raise AssertionError(f"'{words}' did not come: {seen}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def end(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


class Pva(TestCase):
    def test_images(self):
        arrays = [random_array(t, (3, 5)) for t in (np.uint8, np.uint16, np.uint32, np.int16, np.int32, np.float32, np.float64)]
        with Server() as server, Bridge(server, "--number", str(len(arrays))) as bridge, Receiver(connect=bridge.endpoint) as receiver:
            for n, array in enumerate(arrays):
                server.post(array, n + 3, time=[1700000000 + n, 250001000])
            results = list(receiver.images())
            self.assertEqual(bridge.process.wait(60), 0)
        for n, ((header, result), array) in enumerate(zip(results, arrays, strict=True)):
            self.assertEqual(header, {"dtype": str(array.dtype), "shape": [3, 5], "frame_number": n + 3,
                                      "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1700000000 + n)) + ".250001+00:00"})
            np.testing.assert_array_equal(result, array)

    def test_to_the_element(self):
        """Numbers and angles come through; the present image of the PV is not sent, and Ctrl-C is the end."""
        arrays = [random_array(np.uint16, (4, 6)) for _ in range(5)]
        with Server() as server, Bridge(server, "--angle", "Rotation") as bridge:
            for n, array in zip((10, 11, 12, 14, 15), arrays):
                server.post(array, n, attributes={"Rotation": 0.5 * n})
            ended = []
            pipeline = Gst.parse_launch(f"tomoconcertsrc name=source endpoint={bridge.endpoint} ! appsink name=sink sync=false")
            pipeline.set_state(Gst.State.PLAYING)
            samples = [pipeline.get_by_name("sink").try_pull_sample(TIMEOUT * Gst.SECOND) for _ in arrays]
            ended.append(bridge.end())
            message = pipeline.get_bus().timed_pop_filtered(TIMEOUT * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
            lost = pipeline.get_by_name("source").get_property("lost")
            pipeline.set_state(Gst.State.NULL)
        self.assertEqual((ended, message.type, lost), ([0], Gst.MessageType.EOS, 1))
        for sample, array, n in zip(samples, arrays, (0, 1, 2, 4, 5), strict=True):
            np.testing.assert_array_equal(to_array(sample), array)
            meta = frame_meta(sample.get_buffer())
            self.assertEqual(meta.index, n)
            self.assertAlmostEqual(meta.angle, math.radians(0.5 * (n + 10)), delta=1e-12)

    def test_counts_anew(self):
        """A new run of the detector is a stream of its own."""
        a = random_array(np.uint16, (2, 3))
        with Server() as server, Bridge(server, "--number", "4") as bridge, Receiver(connect=bridge.endpoint) as receiver:
            for n in (5, 6, 0, 1):
                server.post(a, n)
            first, second = list(receiver.images()), list(receiver.images())
        self.assertEqual([[h["frame_number"] for h, _ in part] for part in (first, second)], [[5, 6], [0, 1]])

    def test_what_is_left_out(self):
        a = random_array(np.uint16, (2, 3))
        with Server() as server, Bridge(server, "--angle", "Rotation", "--number", "1") as bridge, Receiver(connect=bridge.endpoint) as receiver:
            for words, array, fields in (("compressed by blosc", a, {"codec": "blosc"}), ("in colour", np.zeros((2, 3, 3), np.uint8), {}),
                                         ("samples are int64", a.astype(np.int64), {}), ("6 samples for 3 x 3", a, {"sizes": [3, 3]}),
                                         ("no samples yet", a, {"sizes": []}), ("attribute Rotation is None", a, {}),
                                         ("attribute Rotation is 'left'", a, {"attributes": {"Rotation": "left"}})):
                server.post(array, 1, **fields)
                self.assertIn("is left out", bridge.wait_for(words))
            server.post(a, 1, attributes={"Rotation": 1})
            ((header, result),) = receiver.images()
        np.testing.assert_array_equal(result, a)
        self.assertAlmostEqual(header["angle"], math.radians(1), delta=1e-12)

    def test_server_goes_and_comes_back(self):
        a = random_array(np.uint16, (2, 3))
        with Server() as server, Bridge(server, "--present", "--number", "3") as bridge, Receiver(connect=bridge.endpoint) as receiver:
            server.stop()
            bridge.wait_for("is gone after 1 images")
            server.start()
            bridge.wait_for("is there")
            server.post(a, 5)
            results = list(receiver.images())
        self.assertEqual([h["frame_number"] for h, _ in results], [99, 99, 5])

    def test_errors(self):
        with Server() as server:
            for words, status, options in ((["nobody serves 'test:none' within 0.5 s", "EPICS_PVA_ADDR_LIST"], 1, ["test:none", "--timeout", "0.5"]),
                                           (["can't listen at 'nonsense'"], 1, ["test:image", "--endpoint", "nonsense"]),
                                           (["--buffers is 1 at least"], 2, ["test:image", "--buffers", "0"])):
                done = subprocess.run(["tomo-pva", *options], capture_output=True, text=True, env=server.env, timeout=60)
                self.assertEqual(done.returncode, status)
                for part in words:
                    self.assertIn(part, done.stderr)
                self.assertNotIn("Traceback", done.stderr)


if __name__ == "__main__":
    main()
