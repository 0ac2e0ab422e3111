#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lines with tomodistribute, on two devices of PoCL: the bytes and facts of the same line without it, for users of gst-launch-1.0."""

import os

os.environ["POCL_DEVICES"] = "pthread pthread"  # before OpenCL is loaded
os.environ["GST_TOMO_DEVICES"] = "0,1"

from pipetest import *
from test_batches import collect

# What copies may be of, and what stands before them.
CHAINS = {
    "tomocalculate expression=v*x": "",
    "tomorampfilter ! tomobackproject": "",
    "tomorampfilter ! queue ! tomobackproject axis-pos=8.3 batch=4": "",
    "tomofft ! tomofilter ! tomoifft ! tomobackproject": "",
    "tomofft dimensions=2 ! tomoifft dimensions=2": "",
    "tomodfi": "",
    "tomosirt num-iterations=3": "",
    "tomocrop x=2 width=9 ! tomorescale factor=0.5 ! tomomedianfilter": "",
    "tomoflip ! capsfilter caps=application/x-tomo-array(ANY),depth=3 ! tomorotate angle=0.3": "tomostack number=3 ! ",
    "tomoremovestripessorting ! tomobackproject": "tomostack number=2 ! ",
}


def distributed(chain, options=""):
    return f'tomodistribute {options} description="{chain}"'


class Distribute(FaultTestCase):
    def write(self, number, shape=(13, 18)):
        self.images = write_sinograms("in", shape, number)
        return "tomoread path=in ! application/x-tomo-array(ANY),framerate=50/1 ! "

    def test_same_bytes(self):
        for number in (1, 48):
            source = self.write(number if number == 1 else 42)
            for chain, before in CHAINS.items():
                if number == 1 and before:
                    continue
                alone = collect(source + before + chain)
                self.assertTrue(alone)
                for options in ("", "devices=1", "devices=1,0 on-failure=continue"):
                    with self.subTest(chain=chain, options=options, number=number):
                        together = collect(source + before + distributed(chain, options))
                        self.assertEqual([t[1:] for t in together], [a[1:] for a in alone])
                        for one, other in zip(alone, together):
                            self.assertEqual(one[0].tobytes(), other[0].tobytes())

    def test_inputs_beside_the_main_one(self):
        """Each array goes with those of its number, whichever copy has it; the last one is for all that follow."""
        source = self.write(42)
        start = write_sinograms("start", (18, 18), 42)
        os.makedirs("mask")
        for n in range(42):
            tifffile.imwrite(f"mask/{n:02}.tif", rng.integers(0, 2, (18, 18)).astype(np.uint8))
        tifffile.imwrite("one.tif", start[0])
        method, options = "num-iterations=2 axis-pos=8.3", ("", "whole-groups=true", "devices=1", "devices=1,0 on-failure=continue max-memory=1")
        for beside in ("tomoread path=start ! it.initial", "tomoread path=mask ! it.mask", "tomoread path=one.tif ! it.initial tomoread path=mask ! it.mask",
                       "tomoread path=start number=30 ! it.initial"):
            alone = collect(f"{beside} {source} tomosirt name=it {method}")
            self.assertEqual(len(alone), 42)
            for words in options:
                with self.subTest(beside, options=words):
                    together = collect(f"{beside} {source}" + distributed(f"tomocalculate expression=v ! tomosirt {method}", f"name=it {words}"))
                    self.assertEqual([t[1:] for t in together], [a[1:] for a in alone])
                    for one, other in zip(alone, together):
                        self.assertEqual(one[0].tobytes(), other[0].tobytes())
        # Where nothing may change, slices are those that they begin with.
        line = ("tomoread path=start ! it.initial tomodummydata width=18 height=18 number=1 ! it.mask " + source +
                distributed("tomosirt num-iterations=1", "name=it") + " ! identity name=i ! tomonull name=n")
        with Play(line) as play:
            frames = play.watch("i")
            self.assertTrue(play.state(Gst.State.PAUSED))
            for begin in 41, 0, *rng.integers(0, 42, 4).tolist(): # arrays beside are counted from where a seek went
                self.assertTrue(play.seek(1.0, Gst.Format.DEFAULT, Gst.SeekFlags.FLUSH, Gst.SeekType.SET, begin, Gst.SeekType.NONE, -1))
                play.pipeline.set_state(Gst.State.PLAYING)
                self.assertIsNone(play.finish())
                np.testing.assert_array_equal(frames.values, [i[0, 0] for i in start[begin:]])

    def test_an_early_end_beside_the_main_one(self):
        """Where somebody ended the stream before all slices to begin with had come, no slice begins with another one."""
        source = self.write(42)
        start = write_sinograms("start", (18, 18), 42)
        for runner in "tomosirt name=it num-iterations=1 batch=1", distributed("tomosirt num-iterations=1 batch=1", "name=it"):
            with Play("tomoread path=start ! identity sleep-time=20000 ! it.initial tomodummydata width=18 height=18 number=1 ! it.mask "
                      f"{source} queue ! {runner} ! identity name=i ! tomonull") as play:
                frames = play.watch("i")
                play.pipeline.set_state(Gst.State.PLAYING)
                wait_until(lambda: len(frames.values) > 2, "some slices")
                play.pipeline.send_event(Gst.Event.new_eos())
                self.assertIsNone(play.finish())
            np.testing.assert_array_equal(frames.values, [i[0, 0] for i in start[:len(frames.values)]])

    def test_bad_inputs_beside_the_main_one(self):
        self.write(5)
        inputs = [f"in/sino{i:02}.tif" for i in range(5)]
        for part, element, *words in (
                ("tomoflip ! tomorampfilter", "d", "input initial is linked, and none of the elements that run in copies has it; wanted one. They have no such inputs"),
                ("tomosirt ! tomosirt", "d", "input initial is linked, and 2 of the elements that run in copies have it; wanted one. They have initial, mask, initial, mask"),
                ("tomosirt", "tomosirt", "input initial got", "wanted slices of 18 x 18")):
            with self.subTest(part):
                self.assert_fault(f"tomoread path=in ! d.initial tomoread path=in ! {distributed(part, 'name=d')} ! tomowrite filename=out.tif", element, *words, files=inputs)

    def test_memory(self):
        """A device without memory has not failed, so others do not do its arrays again, which would find none either."""
        line = "tomodummydata width=256 height=256 number=40 ! " + distributed("tomofft dimensions=2", "on-failure=continue") + " ! fakesink"
        done = launch(line, env={**os.environ, "GST_TOMO_MEMORY_LIMIT": "300000"})
        self.assertNotEqual(done.rc, 0)
        self.assertIn("out of memory", done.out)
        self.assertNotIn("the others do its arrays again", done.out)

    def test_scan(self):
        """Facts of a scan go in and come out as elements change them, once."""
        source = self.write(6)
        events = []

        def look(pad, info):
            event = info.get_event()
            if event.type == Gst.EventType.CUSTOM_DOWNSTREAM_STICKY:
                events[-1].append(event.get_structure().to_string())
            return Gst.PadProbeReturn.OK

        for part in ("tomocrop x=2 width=9", distributed("tomocrop x=2 width=9")):
            with Play(source + part + " ! fakesink name=sink") as play:
                events.append([])
                play["sink"].get_static_pad("sink").add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, look)
                scan = Gst.Structure.new_from_string("tomo-scan, axis-position=(double)8.25, energy=(double)20")
                head = next(e for e in play.pipeline.iterate_elements() if e.get_factory().get_name() == "capsfilter")
                pad = head.get_static_pad("src")
                sent = []

                def send(pad, info):
                    if info.get_event().type == Gst.EventType.SEGMENT and not sent:
                        sent.append(True)
                        pad.push_event(info.get_event())
                        pad.push_event(Gst.Event.new_custom(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, scan.copy()))
                        return Gst.PadProbeReturn.DROP
                    return Gst.PadProbeReturn.OK

                pad.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, send)
                self.assertIsNone(play.run())
        self.assertIn("8.25", events[0][-1].replace("6.25", "8.25"))  # cropping moves the axis
        self.assertEqual(events[0], events[1])

    def test_seeks(self):
        """From anywhere, with a flush: what comes then is what was asked for."""
        source = self.write(40, (4, 5))
        line = source + distributed("tomocalculate expression=v*2") + " ! identity name=i ! tomonull name=n"
        with Play(line) as play:
            frames = play.watch("i")
            self.assertTrue(play.state(Gst.State.PAUSED))
            for _ in range(30):
                start = int(rng.integers(0, 40))
                self.assertTrue(play.seek(1.0, Gst.Format.DEFAULT, Gst.SeekFlags.FLUSH, Gst.SeekType.SET, start,
                                          Gst.SeekType.NONE, -1))
                play.pipeline.set_state(Gst.State.PLAYING)
                self.assertIsNone(play.finish())
                np.testing.assert_array_equal(frames.values, [2 * i[0, 0] for i in self.images[start:]])

    def test_child_properties(self):
        self.write(5)
        self.assert_launches("tomoread path=in ! tomodistribute name=d description='tomocalculate name=c ! tomoflip' "
                             "c::expression=v*3 tomoflip::direction=vertical ! tomowrite filename=out.tif")
        self.assert_close(read_pages("out.tif"), [3.0 * np.float64(i[::-1]) for i in self.images], 1e-6)

    def test_results_and_leaks(self):
        self.write(100)
        line = f"tomoread path=in ! {distributed('tomorampfilter ! tomobackproject')} ! queue ! tomowrite filename=out.tif"
        self.assert_no_leaks(line)
        self.assertEqual(len(read_pages("out.tif")), 100)
        os.remove("out.tif")
        # More images come before the bad one than may be under way, a batch for each copy, so the first ones are in the file.
        line = line.replace("! queue ", "").replace("tomodistribute ", "tomodistribute max-memory=1 ")
        inputs = [f"in/sino{i:02}.tif" for i in range(100)]
        os.truncate(inputs[99], 200)
        self.assert_fault(line, "tomoread0", "sino99.tif", files=[*inputs, "out.tif.partial"], leaks=True)

    def test_faults(self):
        inputs = [f"in/sino{i:02}.tif" for i in range(5)]
        self.write(5)
        for part, element, *words in (
                (distributed("tomocalculate expression=v+nothing"), "tomocalculate", "nothing"),
                (distributed("tomofft ! tomobackproject"), "tomodistribute0", "could not link tomofft"),
                (distributed("tomoaverage"), "tomodistribute0", "tomoaverage can't run in copies side by side", "reducer"),
                (distributed("tomoflip", "devices=0,5"), "tomodistribute0", "'5'", "by index: 0: pthread"),
                (distributed("tomoflip", "devices=1,1"), "tomodistribute0", "names device 1 twice"),
                ("tomodistribute", "tomodistribute0", "description is not set")):
            with self.subTest(part):
                self.assert_fault(f"tomoread path=in ! {part} ! tomowrite filename=out.tif", element, *words, files=inputs)

    def test_little_memory(self):
        """The arrays under way are as many as fit."""
        self.write(64, (64, 64))
        self.assert_launches(f"tomoread path=in ! {distributed('tomocalculate expression=v+1 ! tomocalculate expression=v*2')} "
                             "! tomowrite filename=out.tif", env={"GST_TOMO_MEMORY_LIMIT": str(24 * 64 * 64 * 4)})
        self.assert_close(read_pages("out.tif"), [2.0 * (np.float64(i) + 1.0) for i in self.images], 1e-6)

    def test_live(self):
        """Arrays of a camera come as they are taken."""
        line = ("videotestsrc is-live=true num-buffers=20 ! video/x-raw,format=GRAY8,width=8,height=6,framerate=50/1 ! tomoconvert ! "
                + distributed("tomorampfilter ! tomobackproject") + " ! fakesink name=sink sync=true")
        with Play(line) as play:
            frames = play.watch("sink")
            self.assertIsNone(play.run())
        self.assertEqual(len(frames.times), 20)
        self.assertEqual(frames.times, sorted(frames.times))

    def test_early_end(self):
        """An end that somebody sends ends the stream behind the arrays that came."""
        with Play("tomodummydata number=100000 width=32 height=32 ! " + distributed("tomocalculate expression=v+1") +
                  " ! identity name=i ! tomonull") as play:
            frames = play.watch("i")
            play.pipeline.set_state(Gst.State.PLAYING)
            wait_until(lambda: len(frames.values) > 20, "some arrays")
            play.pipeline.send_event(Gst.Event.new_eos())
            self.assertIsNone(play.finish())
        self.assertLess(len(frames.values), 100000)
        self.assertEqual(set(frames.values), {1.0})


if __name__ == "__main__":
    main()
