# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A camera for a long time: planes that change, darks and flats, files that are kept, and nothing that grows.

GST_TOMO_LIVE_SECONDS: how long; 240 without, 3600 for an hour.
"""

import json
import os
import statistics
import tempfile
import time
import unittest

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstTomo", "1.0")
from gi.repository import Gst, GstTomo

SECONDS = float(os.environ.get("GST_TOMO_LIVE_SECONDS", "240"))
SHAPES = "z=0", "x=3,size=40", "y=-2,width=30,height=20,step=2", "at=0:0:4,right=1:0:0,down=0:0.7:0.7,width=50,height=40"


def resident():
    """Megabytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def count(folder):
    return len(os.listdir(f"/proc/self/{folder}"))


class LongRun(unittest.TestCase):
    def test_nothing_grows(self):
        live = GstTomo.Live.new("tomophantomcamera name=camera width=128 height=96 half-turn=90 frame-rate=60 lost=0.01 repeated=0.01 jitter=0.2")
        live.set_parameters(json.dumps({"half-turn": 90, "planes": "x=0;z=0", "rate": 10, "store-limit": "8M"}))
        problems, slices, kept, last = [], [], [], {}

        def on_event(_, text):
            event = json.loads(text)
            if event["event"] == "message" and event["level"] == "error":
                problems.append(event["text"])
            elif event["event"] == "keep" and event["state"] != "begun":
                kept.append(event)
            elif event["event"] == "progress":
                last.update(event)

        live.connect("event", on_event)
        live.connect("slice", lambda _, index, sample: slices.append(index))
        memory, threads, files = [], [], []
        with tempfile.TemporaryDirectory() as folder:
            live.start()
            begin = time.monotonic()
            step = 0
            while (now := time.monotonic() - begin) < SECONDS:
                live.poll(50)
                if now < step:
                    continue
                step += 1
                memory.append(resident())
                threads.append(count("task"))
                files.append(count("fd"))
                live.set_plane(step % 2, SHAPES[step % 4])
                live.set_parameter("axis", str(60 + step % 8))
                if step % 15 == 1:
                    Gst.util_set_object_arg(live.get_element("camera"), "scene", "flat")
                elif step % 15 == 2:
                    live.take_flats(10)
                elif step % 15 == 3:
                    Gst.util_set_object_arg(live.get_element("camera"), "scene", "sample")
                elif step % 15 == 5:
                    path = f"{folder}/{step}.h5"
                    live.keep(2.0, path)
                elif step % 15 == 8:
                    live.add_plane("z=5")
                elif step % 15 == 9:
                    live.stop_keeping()
                elif step % 15 == 11:
                    live.remove_plane(2)
                    os.remove(path)
            live.stop()
            live.wait()
        self.assertEqual(problems, [])
        self.assertTrue(kept and all(event["state"] == "done" for event in kept), kept)
        self.assertGreater(len(slices), SECONDS)
        third = len(memory) // 3
        early, late = (statistics.median(part) for part in (memory[third:2 * third], memory[-third:]))
        print(f"{SECONDS:.0f} s: {last['done']} frames, {last['lost']} lost, {len(slices)} slices, {len(kept)} files; "
              f"{early:.1f} and {late:.1f} MB, {max(threads)} threads, {max(files)} files at most")
        self.assertLess(late - early, 0.03 * early)
        self.assertLessEqual(max(threads[-third:]), max(threads[third:2 * third]) + 2)
        self.assertLessEqual(max(files[-third:]), max(files[third:2 * third]) + 2)


if __name__ == "__main__":
    unittest.main()
