# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""GstTomo.Live: parameters, slices and events of a camera that runs, with a main loop and without."""

import gc
import json
import os
import tempfile
import threading
import time
import unittest

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstTomo", "1.0")
import h5py
import numpy as np
import tifffile
from gi.repository import GLib, Gst, GstTomo

from phantom_scan import AXIS as SCAN_AXIS, Scan
from phantomcamera import volume
from tomotest import to_array

Gst.init(None)

WIDTH, ROWS, HALF_TURN = 48, 32, 40
CAMERA = f"tomophantomcamera name=camera width={WIDTH} height={ROWS} half-turn={HALF_TURN} frame-rate=200 noise=0.2"
PATIENCE = 60


class Live:
    """What a live object tells, and steps that wait for it."""

    def __init__(self, source=CAMERA, **parameters):
        self.live = GstTomo.Live.new(source)
        parameters = {"half-turn": HALF_TURN, "patience": PATIENCE, **{name.replace("_", "-"): value for name, value in parameters.items()}}
        self.live.set_parameters(json.dumps(parameters))
        self.events, self.slices, self.volumes, self.threads = [], [], [], set()
        self.live.connect("event", lambda _, event: self.note(self.events, json.loads(event)))
        self.live.connect("slice", lambda _, index, sample: self.note(self.slices, (index, sample)))
        self.live.connect("volume", lambda _, sample: self.note(self.volumes, sample))

    def __enter__(self):
        self.live.start()
        return self

    def __exit__(self, *_):
        self.live.stop()
        while self.live.poll(20):
            pass

    def note(self, place, what):
        place.append(what)
        self.threads.add(threading.get_ident())

    def until(self, condition, what="something"):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if not self.live.poll(20) and not condition():
                raise AssertionError(f"it ended before {what}: {self.events[-3:]}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: {self.events[-3:]}")

    def kinds(self, kind):
        return [event for event in self.events if event["event"] == kind]

    def frames(self):
        return int(self.live.get_element("store").get_property("frames"))

    def next_number(self):
        """Of the frame that comes next."""
        return self.frames() + int(self.live.get_element("store").get_property("lost"))

    def show(self, scene):
        """Sets what is before the camera, and waits until its frames come."""
        Gst.util_set_object_arg(self.live.get_element("camera"), "scene", scene)
        seen = self.frames()
        self.until(lambda: self.frames() >= seen + 3, "frames")

    def take_fields(self, number=10):
        """Flats and darks, as at a beamline."""
        for scene, take in ("flat", self.live.take_flats), ("dark", self.live.take_darks):
            before = len(self.kinds("fields"))
            self.show(scene)
            take(number)
            self.until(lambda: len(self.kinds("fields")) > before, scene)
        self.show("sample")

    def slice_after(self, index, frames=0, shape=None):
        """The next slice of a plane that knows none of the frames so far, and so many later ones."""
        wanted = self.next_number() + frames
        del self.slices[:]

        def found():
            return [sample for n, sample in self.slices if n == index and sample.get_info().get_value("number") >= wanted
                    and (shape is None or to_array(sample).shape == shape)]
        self.until(found, "a slice")
        return found()[0]


class LiveTest(unittest.TestCase):
    def test_every_parameter_is_a_property(self):
        schema = json.loads(GstTomo.Live.get_schema())["properties"]
        live = GstTomo.Live.new(None)
        specs = {spec.name: spec for spec in live.list_properties()}
        self.assertEqual([*schema, "statistics"], list(specs))
        for name, described in schema.items():
            self.assertEqual(specs[name].blurb, described["description"])
        self.assertEqual(json.loads(live.get_parameters()), {})
        self.assertEqual(live.props.statistics, "null")

    def test_wrong_parameters(self):
        live = GstTomo.Live.new(None)
        for call, words in (
                (lambda: live.set_parameter("axs", "1"), "axis"), (lambda: live.set_parameter("planes", "v=3"), "x, y or z"),
                (lambda: live.set_parameter("planes", " ; "), "no plane"), (lambda: live.set_plane(3, "z=0"), "no plane 3"),
                (lambda: live.set_parameters('{"half-turn": 9, "speed-degrees": 3}'), "half-turn and speed-degrees"),
                (lambda: live.set_parameter("store-limit", "much"), "512M"), (lambda: live.pause(), "start it first"),
                (lambda: live.command('{"command": "plan"}'), "did you mean 'plane'"), (lambda: live.command("{"), "command"),
                (lambda: live.command('{"command": "keep"}'), "path"), (lambda: live.start(), "no source"),
                (lambda: (live.set_parameter("source", "nosuchcamera"), live.start()), "nosuchcamera"),
                (lambda: (live.set_parameter("source", "videotestsrc ! fakesink"), live.start()), "no output")):
            with self.assertRaisesRegex(GLib.Error, words):
                call()
            self.assertFalse(live.is_running())
        self.assertEqual(live.get_planes(), ["x=0", "y=0", "z=0"])

    def test_slices_of_a_camera(self):
        """With darks and flats that it takes itself; a slice is the phantom."""
        with Live(CAMERA.replace("frame-rate=200", "frame-rate=60"), planes="z=3;x=-2") as live:  # so slowly that all views are there
            live.take_fields()
            z, x = (live.slice_after(n, HALF_TURN + 5) for n in range(2))
            wanted = volume((ROWS, WIDTH), WIDTH / 2)
            for sample, truth in (z, wanted[ROWS // 2 + 3 - 1:ROWS // 2 + 3 + 1].mean(0)), (x, wanted[:, :, WIDTH // 2 - 3:WIDTH // 2 - 1].mean(2)):
                result = to_array(sample)
                self.assertEqual(result.shape, truth.shape)
                self.assertGreater(np.corrcoef(result.ravel(), truth.ravel())[0, 1], 0.9)
                self.assertAlmostEqual(result.sum() / truth.sum(), 1.0, delta=0.05)
                info = sample.get_info()
                self.assertLess(info.get_value("latency"), 10.0)
                self.assertAlmostEqual(info.get_value("angle"), info.get_value("number") * np.pi / HALF_TURN, places=6)
            self.assertEqual(live.threads, {threading.get_ident()})
        self.assertEqual([event["state"] for event in live.kinds("state")], ["waiting", "running"])
        self.assertEqual((live.events[0]["event"], live.events[-1]["event"], live.events[-1]["status"]), ("hello", "done", "done"))
        progress = live.kinds("progress")[-1]
        self.assertEqual(json.loads(live.live.get_statistics()), progress)
        self.assertGreater(progress["slices"], 2)

    def test_changes_while_it_runs(self):
        with Live(planes="z=0", size=24) as live:
            live.take_fields()
            self.assertEqual(to_array(live.slice_after(0)).shape, (24, 24))
            live.live.set_plane(0, "y=1,width=10,height=4")
            live.slice_after(0, shape=(4, 10))
            live.live.add_plane("x=2")
            live.slice_after(1, shape=(ROWS // 2, 24))
            live.live.command('{"command": "set", "name": "axis", "value": 20.5}')
            live.live.set_parameter("size", "12")
            live.slice_after(1, shape=(ROWS // 4, 12))
            live.live.remove_plane(0)
            self.assertEqual(live.live.get_planes(), ["x=2"])
            live.slice_after(0, shape=(ROWS // 4, 12))
            live.live.pause()
            live.until(lambda: live.kinds("state")[-1]["state"] == "paused")
            seen, number = live.frames(), live.next_number()
            live.until(lambda: live.frames() > seen + 40, "frames in a pause")
            self.assertTrue(all(sample.get_info().get_value("number") <= number for _, sample in live.slices))
            live.live.unpause()
            live.slice_after(0)
            live.live.set_parameter("volume-size", "16")
            live.live.request_volume()
            live.until(lambda: live.volumes, "a volume")
            self.assertEqual(to_array(live.volumes[0]).shape, (round(ROWS / WIDTH * 16), 16, 16))
            self.assertIsNotNone(live.live.get_volume())
            live.until(lambda: live.kinds("volume"), "its event")
            self.assertNotIn("path", live.kinds("volume")[0])
            for call, words in (
                    (lambda: live.live.start(), "runs already"), (lambda: live.live.remove_plane(0), "last plane"),
                    (lambda: live.live.set_parameter("source", "v4l2src"), "source can't change")):
                with self.assertRaisesRegex(GLib.Error, words):
                    call()
            frame = live.live.get_frame()
            self.assertEqual(to_array(frame).shape, (ROWS, WIDTH))

    def test_slices_are_those_of_the_file_that_is_kept(self):
        """Which tomo-reconstruct makes of the same frames, with the darks, flats, angles and axis in it; jitter, lost and repeated ones as well."""
        axis, views = 23.4, HALF_TURN
        camera = CAMERA + f" axis-pos={axis} jitter=0.3 lost=0.05 repeated=0.1 seed=3"
        speed = {"half-turn": 0, "speed-degrees": 180.0 / HALF_TURN * 200}
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "kept.h5")
            with Live(camera, planes="z=2.5;x=1.1", axis=axis, views=views, drop=False, **speed) as live:
                live.take_fields()
                live.live.keep(0.0, path)
                slices = [live.slice_after(n, 2 * views) for n in range(2)]
                live.live.stop_keeping()
                live.until(lambda: [event for event in live.kinds("keep") if event["state"] == "done"], "the file")
            self.assertEqual(live.events[-1]["outputs"], [path])
            with h5py.File(path) as file:
                numbers, frames = file["defaults/NDArrayUniqueId"][:], len(file["exchange/data"])
            self.assertEqual(live.kinds("keep")[-1]["frames"], frames)
            self.assertGreater(len(numbers) - len(set(numbers)), 0)
            for sample, cut in zip(slices, (np.s_[ROWS // 2 + 2], np.s_[:, :, 24])):  # whose middles are at z=2.5 and at x=1.1
                newest = sample.get_info().get_value("number")
                differences = []
                for end in np.flatnonzero(numbers == newest):  # of a frame that came twice either may be the newest one
                    offline = GstTomo.Reconstruction.new(path)
                    offline.set_parameters(json.dumps({"start": int(end) - views + 1, "number": views, "output": "memory:"}))
                    self.assertEqual(json.loads(offline.inspect())["axis"], axis)
                    offline.run()
                    wanted = to_array(offline.take_result())[cut]
                    differences.append(np.linalg.norm(to_array(sample) - wanted) / np.linalg.norm(wanted))
                self.assertLess(min(differences), 2e-5, differences)

    def test_sources(self):
        """A scan that is played, with its own darks, flats and angles; video of any element, by caps."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a scan.nxs")
            Scan().nxtomo(path)
            with Live(path, half_turn=0, drop=False, planes="z=0", axis=SCAN_AXIS) as live:
                while live.live.poll(20):
                    pass
            self.assertEqual(live.events[-1]["status"], "done")
            offline = GstTomo.Reconstruction.new(path)
            offline.set_parameters(json.dumps({"axis": SCAN_AXIS, "output": "memory:"}))
            offline.run()
            volume = to_array(offline.take_result())
            wanted = (volume[len(volume) // 2 - 1] + volume[len(volume) // 2]) / 2 if len(volume) % 2 == 0 else volume[len(volume) // 2]
            found = to_array(live.slices[-1][1])
            self.assertGreater(np.corrcoef(found.ravel(), wanted.ravel())[0, 1], 0.99)
            # Frames at a rate come one by one, although those of the file would come by themselves.
            with Live(path, half_turn=0, planes="z=0", frame_rate=20) as live:
                live.until(lambda: live.frames() > 0, "a frame")
                for element, pad, ask, flows in ("scan", "projections", Gst.Pad.query, True), ("convert", "sink", Gst.Pad.peer_query, False):
                    asked = Gst.Query.new_custom(Gst.QueryType.CUSTOM, Gst.Structure.new_from_string("gst-tomo-flow,event-passes=true"))
                    self.assertEqual(ask(live.live.get_element(element).get_static_pad(pad), asked), flows, element)
        with Live("videotestsrc is-live=true pattern=ball ! video/x-raw,format=GRAY16_LE,width=64,height=48,framerate=100/1", planes="z=0",
                  correction="off") as live:
            self.assertEqual(to_array(live.slice_after(0)).shape, (64, 64))
        with self.assertRaisesRegex(GLib.Error, "'nosuch.h5' is no file"):
            GstTomo.Live.new("nosuch.h5").start()
        live = GstTomo.Live.new("videotestsrc ! video/x-raw,format=RGB")
        live.set_property("half-turn", 10)
        with self.assertRaisesRegex(GLib.Error, "GRAY16"):
            live.start()

    PHASE = {"retrieval-method": "tie", "energy": 20.0, "propagation-distance": 0.1, "pixel-size": 1e-6}

    def test_phase_as_offline(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "scan.nxs")
            Scan().nxtomo(path)
            found = {}
            for rate in 2.0, 3.0:
                phase = {**self.PHASE, "regularization-rate": rate}
                with Live(path, half_turn=0, drop=False, planes="z=0", axis=SCAN_AXIS, **phase) as live:
                    while live.live.poll(20):
                        pass
                self.assertEqual(live.events[-1]["status"], "done")
                offline = GstTomo.Reconstruction.new(path)
                offline.set_parameters(json.dumps({"axis": SCAN_AXIS, "output": "memory:", **phase, "propagation-distance": "0.1"}))
                offline.run()
                wanted = to_array(offline.take_result())[5:7].mean(0)  # the middle of 12 rows
                found[rate] = to_array(live.slices[-1][1])
                self.assertLess(np.linalg.norm(found[rate] - wanted) / np.linalg.norm(wanted), 1e-3)
            self.assertGreater(np.linalg.norm(found[2.0] - found[3.0]) / np.linalg.norm(found[2.0]), 0.05)

    def test_phase_that_changes(self):
        with Live(planes="z=0", **self.PHASE) as live:
            live.take_fields()
            rough = to_array(live.slice_after(0, HALF_TURN + 5))
            for name, value, wanted in (("regularization-rate", "4", 4.0), ("energy", "25", 25.0), ("propagation-distance", "0.2", [0.2]),
                                        ("source-distance", "30", [30.0]), ("pixel-size", "2e-6", 2e-6), ("source-distance", "0", []),
                                        ("retrieval-method", "gpm", None), ("retrieval-method", "tie", None)):
                live.live.set_parameter(name, value)
                if wanted is not None:
                    told = live.live.get_element("phase").get_property(name.removeprefix("propagation-"))
                    self.assertEqual(list(told) if isinstance(wanted, list) else told, wanted, name)
            smooth = to_array(live.slice_after(0, HALF_TURN + 5))
            self.assertLess(np.abs(np.diff(smooth)).sum(), 0.3 * np.abs(np.diff(rough)).sum())
            for name, value, words in (("retrieval-method", "none", "can't change while it runs"), ("correction", "off", "line integrals")):
                with self.assertRaisesRegex(GLib.Error, words):
                    live.live.set_parameter(name, value)
        live = GstTomo.Live.new(CAMERA)
        live.set_parameter("process", "tomoretrievephase energy=20")
        with self.assertRaisesRegex(GLib.Error, "process has tomoretrievephase as well"):
            live.set_parameter("retrieval-method", "tie")

    def test_files_of_volumes(self):
        """On command and at a rate, each with the samples of the signal; an end of the run tells them all."""
        with tempfile.TemporaryDirectory() as folder:
            with Live(correction="off", planes="z=0,size=8", volume_size=16, volume_path=f"{folder}/v-%02i.h5:/coarse") as live:
                live.until(lambda: live.slices, "a slice")
                for call, words in ((lambda: live.live.write_volume(f"{folder}/v.png"), "is a picture"),
                                    (lambda: live.live.write_volume(f"{folder}/v.what"), "not known"),
                                    (lambda: live.live.set_parameter("volume-path", "v.h5"), "wanted a number in it")):
                    with self.assertRaisesRegex(GLib.Error, words):
                        call()
                live.live.write_volume(f"{folder}/one.tif")
                live.until(lambda: live.kinds("volume"), "a file")
                with self.assertRaisesRegex(GLib.Error, "one.tif' is there already"):
                    live.live.command(json.dumps({"command": "volume", "path": f"{folder}/one.tif"}))
                live.live.set_parameter("volume-rate", "50")
                live.until(lambda: len(live.kinds("volume")) > 2, "more files")
                live.live.set_parameter("volume-rate", "0")
            events = live.kinds("volume")
            self.assertEqual([one["path"] for one in events][:3], [f"{folder}/one.tif", f"{folder}/v-00.h5:/coarse", f"{folder}/v-01.h5:/coarse"])
            self.assertEqual(live.kinds("done")[0]["outputs"], [one["path"] for one in events])
            first, last = live.volumes[0], live.volumes[-1]  # of those between the signal may leave out some
            self.assertEqual([one.get_info().get_value("number") for one in (first, last)], [events[0]["number"], events[-1]["number"]])
            self.assertEqual(tifffile.imread(f"{folder}/one.tif").tolist(), to_array(first).tolist())
            with h5py.File(events[-1]["path"].partition(":")[0]) as file:
                self.assertEqual(file["coarse"][:].tolist(), to_array(last).tolist())
            self.assertEqual([events[0][name] for name in ("state", "width", "height", "depth")], ["done", 16, 16, round(ROWS / WIDTH * 16)])

    def test_a_volume_that_finds_no_room(self):
        """Is told, and the run goes on."""
        with tempfile.TemporaryDirectory() as folder, Live(correction="off", planes="z=0,size=8", volume_size=16) as live:
            live.until(lambda: live.slices, "a slice")
            with open(f"{folder}/file", "w"):
                pass
            live.live.write_volume(f"{folder}/file/v.h5")
            live.until(lambda: live.kinds("volume"), "an end")
            self.assertEqual(live.kinds("volume")[0]["state"], "failed")
            self.message(live, "a coarse volume was not written")
            live.live.request_volume()
            live.until(lambda: len(live.kinds("volume")) > 1, "a volume")
            self.assertEqual(live.kinds("volume")[1]["state"], "done")

    def test_the_module(self):
        from gsttomo.live import Error, Live as Beamline, Slice, Volume

        with tempfile.TemporaryDirectory() as folder:
            with Beamline(CAMERA + " scene=flat", half_turn=HALF_TURN, planes=["z=0", "x=1"], axis=WIDTH / 2, volume_size=16) as live:
                live.take_flats(5)
                Gst.util_set_object_arg(live.element("camera"), "scene", "sample")
                shapes = {}
                for item in live.slices():
                    self.assertIsInstance(item, Slice)
                    shapes[item.plane] = item.image.shape
                    if len(shapes) == 2:
                        break
                self.assertEqual(shapes, {0: (WIDTH, WIDTH), 1: (ROWS, WIDTH)})
                live.keep(f"{folder}/kept.h5")
                live.axis = 25.0
                self.assertEqual((live.axis, live.half_turn), (25.0, HALF_TURN))
                live.show(1, "y=0,width=5,height=4")
                self.assertIn((4, 5), [item.image.shape for item, _ in zip(live.slices(1), range(50))])
                volume = live.volume()
                self.assertIsInstance(volume, Volume)
                self.assertEqual(volume.image.shape[1:], (16, 16))
                live.write_volume(f"{folder}/volume.npy")
                self.assertEqual(np.load(f"{folder}/volume.npy").shape, volume.image.shape)
                self.assertEqual(live.stop_keeping()["path"], f"{folder}/kept.h5")
                for call, words in ((lambda: live.set(axs=3), "axis"), (lambda: live.show(7, "z=0"), "no plane 7")):
                    with self.assertRaisesRegex(Error, words):
                        call()
                self.assertFalse(hasattr(live, "nothing"))
                live.take_darks(10**6, wait=False)
                live.cancel_fields()
                self.assertEqual(live.wait_for("taking", state="cancelled")["kind"], "darks")
                while live.statistics["done"] <= 40:
                    live.wait_for("progress")
            with h5py.File(f"{folder}/kept.h5") as file:
                self.assertGreater(len(file["exchange/data"]), 3)

    def message(self, live, words, level="warning"):
        live.until(lambda: [event for event in live.kinds("message") if words in event["text"] and event["level"] == level], words)

    def test_a_camera_that_stops(self):
        """Is told, and slices come again with its next frames."""
        with Live(patience=0.3, planes="z=0", correction="off") as live:
            live.slice_after(0)
            live.live.get_element("camera").set_property("stopped", True)
            self.message(live, "no frame for 0.3 s")
            live.until(lambda: live.kinds("state")[-1]["state"] == "waiting", "a wait")
            live.live.get_element("camera").set_property("stopped", False)
            live.until(lambda: live.kinds("state")[-1]["state"] == "running", "frames")
            live.slice_after(0)

    def test_a_source_that_fails(self):
        """Is started again, as often as it fails; with retry=0 that is the end."""
        source = CAMERA + " ! identity error-after=60"
        with Live(source, retry=0.1, planes="z=0", correction="off") as live:
            self.message(live, "started again every 0.1 s", "error")
            live.until(lambda: len([event for event in live.kinds("message") if event["level"] == "error"]) > 1, "another failure")
            del live.slices[:]
            live.until(lambda: live.slices, "slices of a later start")
        self.assertEqual(live.events[-1]["status"], "done")
        self.assertEqual(live.kinds("progress")[-1]["late"], 0)
        with Live(source, retry=0, planes="z=0", correction="off") as live:
            while live.live.poll(20):
                pass
            self.assertEqual(live.events[-1]["status"], "failed")
            with self.assertRaisesRegex(GLib.Error, "identity"):
                live.live.wait()

    def test_a_size_that_changes(self):
        """Darks and flats of the old size are forgotten, which is told, and slices go on with new ones."""
        with Live(planes="z=0") as live:
            live.take_fields()
            live.slice_after(0, shape=(WIDTH, WIDTH))
            live.live.get_element("camera").set_property("width", 40)
            self.message(live, "do not fit frames of uint16 40 x 32")
            live.take_fields()
            live.slice_after(0, shape=(40, 40))

    def test_angles_that_nobody_tells(self):
        """Are told, and slices come as soon as there are some; by the source in the end."""
        with Live(planes="z=0", correction="off", half_turn=0) as live:
            self.message(live, "has no angle: set half-turn, angle-step-degrees, or speed-degrees")
            self.assertEqual(live.slices, [])
            live.live.set_property("half-turn", HALF_TURN)
            live.slice_after(0)
        with Live(CAMERA + " tells-angle=true", planes="z=0", correction="off", half_turn=0) as live:
            live.slice_after(0)

    def test_less_than_half_a_turn(self):
        with Live(CAMERA.replace(f"half-turn={HALF_TURN}", "half-turn=4000"), planes="z=0", correction="off", half_turn=4000, views=0) as live:
            self.message(live, "do not cover half a turn, or are fewer than views: slices", "info")
            self.assertEqual(live.slices, [])

    def test_darks_that_nobody_takes(self):
        with Live(planes="z=0") as live:
            self.message(live, "no flats yet")
            self.assertEqual(live.slices, [])
            live.show("flat")
            with self.assertRaisesRegex(GLib.Error, "no darks or flats are being taken"):
                live.live.cancel_fields()
            live.live.take_flats(10**6)
            with self.assertRaisesRegex(GLib.Error, "are not taken"):
                live.live.take_darks(5)
            live.until(lambda: live.kinds("progress")[-1].get("taken", 0) > 5, "some flats")
            progress = live.kinds("progress")[-1]
            self.assertEqual((progress["taking"], progress["taken"] + progress["to-take"]), ("flats", 10**6))
            live.live.command('{"command": "cancel-fields"}')
            live.until(lambda: len(live.kinds("taking")) == 2, "its end")
            begun, cancelled = live.kinds("taking")
            self.assertEqual([begun[name] for name in ("state", "kind", "taken", "frames")], ["begun", "flats", 0, 10**6])
            self.assertGreaterEqual(cancelled["taken"], progress["taken"])
            self.assertEqual(cancelled["text"], f"{cancelled['taken']} of 1000000 flats were taken, and are forgotten; there are no flats yet")
            live.live.take_flats(5)
            self.message(live, "0 counts as dark")
            live.show("sample")
            live.slice_after(0)

    def test_a_device_that_is_too_slow(self):
        """Frames are left out of slices and counted, and none is lost; what is kept has all of them."""
        with tempfile.TemporaryDirectory() as folder:
            with Live(process="tomosleep time=0.04", planes="z=0", correction="off", waiting_frames=2) as live:
                live.slice_after(0)
                live.live.keep(0.0, f"{folder}/kept.h5")
                live.until(lambda: live.kinds("progress") and live.kinds("progress")[-1]["kept"] > 100, "frames that are kept")
                live.live.stop_keeping()
                live.until(lambda: live.kinds("keep")[-1]["state"] == "done", "the file")
                lost = int(live.live.get_element("store").get_property("lost"))
            with h5py.File(f"{folder}/kept.h5") as file:
                numbers = file["defaults/NDArrayUniqueId"][:]
            self.assertGreater(len(numbers), 100)
            self.assertLessEqual(numbers[-1] - numbers[0] + 1 - len(numbers), lost)
            last = live.kinds("progress")[-1]
            self.assertTrue(50 < last["dropped"] < last["done"], last)

    def test_main_loop(self):
        """Whose thread gets slices and events; nobody has to hold the object."""
        loop, seen = GLib.MainLoop(), []

        def on_slice(live, index, sample):
            seen.append(index)
            if len(seen) == 5:
                live.stop()

        def on_event(_, event):
            if json.loads(event)["event"] == "done":
                loop.quit()

        live = GstTomo.Live.new(CAMERA)
        live.set_parameters(json.dumps({"half-turn": HALF_TURN, "correction": "off", "planes": "z=0"}))
        live.connect("slice", on_slice)
        live.connect("event", on_event)
        live.start()
        del live
        gc.collect()
        timeout = GLib.timeout_add_seconds(PATIENCE, loop.quit)
        loop.run()
        GLib.source_remove(timeout)
        self.assertGreaterEqual(len(seen), 5)


if __name__ == "__main__":
    unittest.main()
