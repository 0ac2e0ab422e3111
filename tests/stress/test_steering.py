# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random pipelines that two threads steer while they run: seeks, flushes, states, properties, ends. They may fail with an
error of their own, but they must not crash, hang or be caught by a sanitizer.

GST_TOMO_STRESS_SECONDS says how long (60), GST_TOMO_TEST_SEED repeats the lines and the steps, though not their timing.
"""

import collections
import faulthandler
import os
import random
import threading
import time

from pipetest import *

from gi.repository import GObject

SHAPES = [(33, 47), (64, 64), (7, 129), (30, 24)]  # rows, columns
FRAMES = 40
SECONDS = float(os.environ.get("GST_TOMO_STRESS_SECONDS", 60))
HANGING = 120  # seconds
SCAN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "data", "savu24737.nxs")

OUTPUTS = ["o.tif", "o.h5:/d", "o-%03i.tif", "o.raw", "o.npy", "o-%03i.h5:/d", "o.edf"]
WRITE_OPTIONS = ["", "", "", " bits=8", " bits=16 range-per-image=true", " append=true", " hdf5-deflate=1"]
CHAINS = [
    "tomofft name=f dimensions=2 batch=5 ! tomoifft name=i dimensions=2",
    "tomofft name=f dimensions=1 ! tomofilter ! tomoifft name=i dimensions=1",
    'tomocalculate name=f expression="v * 2" ! tomoblur name=i size=3',
    "tomobackproject name=f ! tomoclip name=i",
    "tomofft name=f dimensions=1 batch=0 ! tomofilter ! tomoifft dimensions=1 ! tomobackproject name=i",
    f"tomotransposeprojections name=f number={FRAMES} ! tomobackproject name=i",
    f"tomotransposeprojections name=f number={FRAMES // 2} ! tomofft name=i dimensions=1",
    f"tomotransposeprojections name=f number={FRAMES} ! tomorampfilter ! queue ! tomobackproject name=i",
    "tomoaverage name=f ! tomoclip name=i",
    "tomostack name=f number=7 ! tomoslice name=i",
    "tomorescale name=f factor=0.5 ! tomopad name=i width=150 height=80",
    "tomorotate name=f angle=0.3 ! tomoclip name=i",
    "tomobuffer name=f ! tomoloop name=i number=2",
    "tomomeasure name=f ! tomotranspose name=i",
    "tomoconvert name=f ! video/x-raw ! tomoconvert name=i",
]
JOINS = [
    "tomosubtract name=f",
    'tomoocl1liner name=f num-inputs=2 one-line="out_px = in_0_px + in_1_px"',
    "tomostitch name=f",
]
NUMBERS = (GObject.TYPE_INT, GObject.TYPE_UINT, GObject.TYPE_FLOAT, GObject.TYPE_DOUBLE)
UNSTEERED = {"name", "parent", "device", "expression", "one-line", "qos", "max-lateness"}


class Steering(PipelineTestCase):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        for k, (rows, columns) in enumerate(SHAPES):
            images = rng.random((FRAMES, rows, columns), np.float32)
            images.tofile(f"in{k}.raw")
            np.save(f"in{k}.npy", images)

    def read(self, k, name="r"):
        rows, columns = SHAPES[k]
        return self.random.choice([
            f"tomoread name={name} path=in{k}.raw raw-width={columns} raw-height={rows} raw-bitdepth=32",
            f"tomoread name={name} path=in{k}.npy",
            f"tomodummydata name={name} width={columns} height={rows} number={FRAMES}"])

    def queue(self):
        return f"queue max-size-buffers={self.random.choice([1, 3, 200])}"

    def sink(self):
        return self.random.choice([
            f"tomowrite name=w filename={self.random.choice(OUTPUTS)}{self.random.choice(WRITE_OPTIONS)}",
            "tomonull name=w download=true", "tomonull name=w", "fakesink name=w"])

    def line(self):
        k, kind = self.random.randrange(len(SHAPES)), self.random.random()
        end = f"{self.queue()} ! {self.sink()}"
        if kind < 0.7:
            chains = CHAINS + ["tomoforwardproject name=f number=33 ! queue ! tomofft name=i dimensions=1"] * (SHAPES[k][0] == SHAPES[k][1])
            return f"{self.read(k)} ! {self.queue()} ! {self.random.choice(chains)} ! {end}"
        if kind < 0.82:
            return (f"{self.random.choice(JOINS)} ! {self.queue()} ! tomoclip name=i ! {end}  "
                    f"{self.read(k)} ! {self.queue()} ! f.  {self.read(k, 'r2')} ! {self.queue()} ! f.")
        if kind < 0.9:
            endless = "queue max-size-buffers=0 max-size-bytes=0 max-size-time=0"
            return (f"{self.read(k)} ! tee name=t  t. ! {endless} ! f.  t. ! {endless} ! "
                    f'tomocalculate expression="v + 1" ! f.  tomosubtract name=f ! tomoclip name=i ! {end}')
        return (f"tomoscansrc name=r location={SCAN} y=60 height=4 r.projections ! {self.queue()} ! "
                f"f.projections  tomoflatfieldcorrect name=f ! tomoclip name=i ! {end}  "
                "r.darks ! queue ! f.darks  r.flats ! queue ! f.flats")

    def set_one_property(self, pipeline, dice):
        element = pipeline.get_by_name(dice.choice("fi"))
        specs = [spec for spec in element.list_properties()
                 if spec.flags & GObject.ParamFlags.WRITABLE and spec.name not in UNSTEERED
                 and spec.owner_type.name.startswith("GstTomo")
                 and (spec.value_type in NUMBERS or spec.value_type == GObject.TYPE_BOOLEAN)]
        if not specs:
            return
        spec = dice.choice(specs)
        if spec.value_type == GObject.TYPE_BOOLEAN:
            value = dice.random() < 0.5
        else:
            value = min(max(dice.choice([spec.default_value, 1, 2, 3, 16, 31]), spec.minimum), spec.maximum)
            if spec.value_type in NUMBERS[:2]:
                value = int(value)
        element.set_property(spec.name, value)

    def steer(self, pipeline, dice, stop, lock, line):
        """One thread's steps. Flushes are serialized, as GStreamer asks."""
        def seek():
            pipeline.seek(1.0, Gst.Format.DEFAULT, Gst.SeekFlags.FLUSH, Gst.SeekType.SET, dice.randrange(FRAMES),
                          dice.choice([Gst.SeekType.NONE, Gst.SeekType.SET]), FRAMES)

        def flush():
            if "r2" in line or "tee" in line:
                return  # a join behind which only its output is flushed stops for good, as GStreamer's aggregators do
            element = pipeline.get_by_name(dice.choice("fiw"))
            pad = element.get_static_pad("sink") or element.get_static_pad("projections")
            if pad:
                pad.send_event(Gst.Event.new_flush_start())
                time.sleep(dice.random() * 0.003)
                pad.send_event(Gst.Event.new_flush_stop(True))

        def ask():
            pipeline.query_position(Gst.Format.DEFAULT)
            pipeline.query_duration(Gst.Format.DEFAULT)
            pipeline.query(Gst.Query.new_latency())

        def change_state():
            if dice.random() < 0.3:
                pipeline.set_state(Gst.State.READY)
            pipeline.set_state(dice.choice([Gst.State.PLAYING, Gst.State.PAUSED]))

        def end():
            # In PAUSED an end waits for room, and holds up the change of state.
            if dice.random() < 0.4 and "r2" not in line and "scansrc" not in line:
                pipeline.set_state(Gst.State.PLAYING)
                if pipeline.get_state(Gst.SECOND)[:2] == (Gst.StateChangeReturn.SUCCESS, Gst.State.PLAYING):
                    pipeline.send_event(Gst.Event.new_eos())

        steps = [seek, seek, seek, flush, change_state, end]
        while not stop.is_set():
            time.sleep(dice.random() * 0.01)
            choice = dice.randrange(len(steps) + 2)
            if choice == len(steps):
                ask()
            elif choice > len(steps):
                if dice.random() < 0.3:
                    self.set_one_property(pipeline, dice)
            else:
                with lock:
                    steps[choice]()

    def run_one(self):
        line = self.line()
        faulthandler.dump_traceback_later(HANGING, exit=True)
        print(f"\n{line}", end="", file=self.log, flush=True)
        pipeline = Gst.parse_launch(line)
        bus = pipeline.get_bus()
        pipeline.set_state(self.random.choice([Gst.State.PLAYING, Gst.State.PAUSED]))
        stop, lock = threading.Event(), threading.Lock()
        threads = [threading.Thread(target=self.steer, args=(pipeline, random.Random(self.random.random()), stop, lock, line))
                   for _ in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(self.random.random() * 0.4)
        stop.set()
        if self.random.random() < 0.5:
            with lock:
                pipeline.set_state(Gst.State.NULL)
        for thread in threads:
            thread.join()
        pipeline.set_state(Gst.State.NULL)
        faulthandler.cancel_dump_traceback_later()
        while message := bus.pop_filtered(Gst.MessageType.ERROR):
            self.errors[message.parse_error()[0].message[:100]] += 1
        for name in os.listdir("."):
            if name.startswith("o"):
                os.unlink(name)

    def test_random_pipelines(self):
        self.errors, runs, end = collections.Counter(), 0, time.monotonic() + SECONDS
        with open("lines.log", "w") as self.log:
            while time.monotonic() < end:
                self.run_one()
                runs += 1
        print(f"{runs} pipelines (seed {SEED})", file=sys.stderr)
        for error, number in self.errors.most_common(20):
            print(number, error, file=sys.stderr)
        self.assertGreater(runs, SECONDS / 10)
        # Steered pipelines end in errors now and then, but a line that can do nothing else would test nothing.
        self.assertLess(sum(self.errors.values()), runs)


if __name__ == "__main__":
    main()
