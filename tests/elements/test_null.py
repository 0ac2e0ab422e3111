# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomonull takes everything, and waits or prints where it is told to."""

import re
import subprocess

from tomotest import *
from elementtest import DEVICE_CAPS, SYSTEM_CAPS, ElementTestCase, Stream


class Null(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomonull", {"download": False, "finish": False, "durations": False})

    def test_every_format_and_place(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                arrays = [random_array(dtype, (3, 5)), random_array(dtype, (2, 1, 1))]
                for before in (
                    "",
                    "tomoupload !",
                    f"tomoupload ! {DEVICE_CAPS} !",
                    "tomoupload ! tomodownload !",
                ):
                    run(f"{before} tomonull NOSINK", arrays)
                    run(f"{before} tomonull download=true finish=true NOSINK", arrays)

    def test_memory_stays_on_the_device(self):
        """A benchmark of the elements before it must not measure a download."""
        with Stream('tomocalculate expression="v" name=c ! tomonull NOSINK', play=False) as stream:
            stream.play()
            stream.push(random_array(np.float32, (2, 3)))
            stream.finish()
            caps = stream["c"].get_static_pad("src").get_current_caps()
        # Caps are gone after the stop only.
        self.assertTrue(caps.get_features(0).contains("memory:TomoCL"))

    def test_it_meets_no_clock(self):
        """An hour of frames passes at once."""
        run(f"tomodummydata number=3600 ! {SYSTEM_CAPS},framerate=1/1 ! tomonull NOSINK", timeout=20)

    def test_durations(self):
        line = f"tomodummydata number=3 ! {SYSTEM_CAPS},framerate=1000/1 ! tomonull durations=%s"
        for durations, number in (("true", 3), ("false", 0)):
            done = subprocess.run(
                ["gst-launch-1.0", "-q", *(line % durations).split()],
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(
                len(re.findall(r"^-?\d+\.\d{3}$", done.stderr, re.MULTILINE)), number, done.stderr
            )

    def test_changes_while_playing(self):
        with Stream("tomonull name=n NOSINK") as stream:
            for name in ("download", "finish", "durations"):
                stream.push(random_array(np.float32, (2, 3)))
                stream["n"].set_property(name, True)
            stream.push(random_array(np.float32, (2, 3)))
            stream.finish()

    def test_state_cycles(self):
        with Stream("tomonull finish=true NOSINK", play=False) as stream:
            for state in (Gst.State.NULL, Gst.State.READY, Gst.State.NULL):
                stream.sent = [0]
                stream.play()
                stream.push(random_array(np.float32, (2, 3)))
                stream.finish()
                stream.pipeline.set_state(state)

    def test_wrong_stream(self):
        with self.assertRaises(GLib.Error):
            run("videotestsrc num-buffers=1 ! tomonull NOSINK")
        short = Gst.Buffer.new_wrapped(b"12345")
        with Stream("tomonull download=true NOSINK") as stream:
            stream.sources[0].set_property("caps", caps(np.float32, (2, 3)))
            stream.sources[0].push_buffer(short)
            stream.finish()  # nothing computes with it, so nothing is wrong


if __name__ == "__main__":
    main()
