# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Live: a camera that runs, planes that move, settings that count at once, and what is told of all that."""

import os
import signal
import unittest
import unittest.mock

import numpy as np
from guitest import SCAN, GuiTest, QtCore, QtWidgets, click, drag, main, spin, type_into, until
from gsttomo import _live_process
from gsttomo.faces import live as faces

CAMERA = "tomophantomcamera name=camera width=96 height=64 half-turn=40 frame-rate=40 noise=0.2"


class Live(GuiTest):
    def place(self, **values):
        window = self.window()
        place = window.show_place("Live")
        place.configuration.update({"half-turn": 40, "rate": 4.0, **{name.replace("_", "-"): value for name, value in values.items()}})
        return window, place

    def started(self, **values):
        window, place = self.place(**values)
        type_into(place.source.lineEdit(), CAMERA)
        click(place.start_button)
        until(lambda: all(pane.view.image() is not None for pane in [*place.panes.panes, place.panes.frame]), "no slices")
        return window, place

    def test_a_run(self):
        window, place = self.started()
        self.assertTrue(place.start_button.isHidden())
        x, y, z = (pane.view.image() for pane in place.panes.panes)
        self.assertEqual((x.shape, y.shape, z.shape, place.panes.frame.view.image().shape), ((64, 96), (64, 96), (96, 96), (64, 96)))
        self.assertGreater(z.std(), 1e-4)
        # A plane by its text, by the wheel, and by its line in another one.
        pane = place.panes.panes[2]
        type_into(pane.text, "z=40,size=48")
        until(lambda: pane.view.image().shape == (48, 48), "the text does not count")
        type_into(pane.text, "z=0")
        until(lambda: pane.view.image().shape == (96, 96))
        window.activateWindow()
        until(pane.text.hasFocus, "the text has no focus")  # and is no longer typed into
        pane.view.stepped.emit(3)
        until(lambda: pane.text.text() == "z=-3" and place.panes.panes[2].place["offset"] == -3.0, "the wheel moves nothing")
        until(lambda: [line[:3] for line in pane.lines.lines] == [(0, 0, 48.0), (1, 1, 48.0)], "no lines of the other planes")
        canvas = pane.view.canvas
        begin, end = (canvas.to_widget(QtCore.QPointF(at, 20)).toPoint() for at in (48, 60))
        drag(canvas, begin, end)
        moved = place.panes.panes[0]
        until(lambda: 10 < moved.place["offset"] < 14 and moved.text.text() == f"x={moved.place['offset']:.10g}", "the line moves nothing")
        # A wrong text changes nothing.
        type_into(pane.text, "v=2")
        until(lambda: "x, y or z" in window.log.toPlainText())
        self.assertEqual(pane.text.text(), "z=-3")
        # Settings that count at once, and one that can't.
        field = place.form.fields["axis"]
        type_into(field.editor, "40")
        until(lambda: [line[2] for line in place.panes.frame.lines.lines] == [40.0], "the axis does not count")
        until(lambda: place.panes.panes[2].place["begin"][0] == -40.0)
        place.configuration.update({"correction": "off"})
        until(lambda: "stop it first" in window.log.toPlainText())
        place.configuration.update({"correction": None})
        # The grey range.
        place.configuration.update({"minimum": 0.0, "maximum": 0.02})
        self.assertEqual([pane.view.levels() for pane in place.panes.panes], [(0.0, 0.02)] * 3)
        place.histogram.levels_changed.emit(0.001, 0.01)
        until(lambda: place.configuration.values.get("maximum") == 0.01)
        # More planes, and fewer.
        click(place.add_button)
        until(lambda: len(place.panes.panes) == 4 and place.panes.panes[3].view.image() is not None, "no new plane")
        type_into(place.panes.panes[3].text, "at=0:0:0,right=0.7:0.7:0,down=0:0:1,width=40,height=30")
        until(lambda: place.panes.panes[3].view.image().shape == (30, 40), "no oblique plane")
        click(place.panes.panes[3].remove)
        until(lambda: len(place.panes.panes) == 3)
        for name in ("frames", "slices", "latency"):
            until(lambda name=name: place.findChild(QtWidgets.QLabel, f"live-{name}").text()[:1].isdigit(), name)
        # A coarse volume, in which planes are lines that can be dragged.
        shown = place.panes.volume
        self.assertFalse(shown.isVisible())
        place.configuration.update({"volume-size": 48})
        click(place.volume_button)
        until(lambda: shown.view.image() is not None and [line[:2] for line in shown.lines.lines] == [(0, 0), (2, 1)], "no volume")
        self.assertEqual((shown.view.image().shape, place.volume_button.text(), place.configuration.values["volume-rate"]),
                         ((32, 48), faces.HIDE_VOLUME, faces.VOLUME_RATE))
        shown.along.setCurrentText("z")
        until(lambda: shown.view.image().shape == (48, 48) and [line[:2] for line in shown.lines.lines] == [(0, 0), (1, 1)])
        offset = place.panes.panes[1].place["offset"]
        at = shown.lines.lines[1][2]
        begin, end = (shown.view.canvas.to_widget(QtCore.QPointF(5, down)).toPoint() for down in (at, at + 6))
        drag(shown.view.canvas, begin, end)
        until(lambda: 9 < place.panes.panes[1].place["offset"] - offset < 15, "its line moves nothing")  # a sample of it is two pixels
        click(place.volume_button)
        until(lambda: not shown.isVisible())
        self.assertNotIn("volume-rate", place.configuration.values)
        # Darks and flats on command.
        place.process.course.fields.clear()
        click(place.flats)
        until(lambda: "flats" in place.process.course.fields, "no flats")
        # They can be taken back: also while the demo's sample is still moved away.
        for seen in 0, 3:
            place.count.setValue(10000)
            click(place.flats)
            until(lambda: place.flats.text() == "Cancel flats" and not place.darks.isEnabled() and "of 10000" in place.state.text, "no way back")
            until(lambda seen=seen: place.process.course.progress.get("taken", 0) >= seen)
            click(place.flats)
            until(lambda: place.flats.text() == "Take flats" and place.darks.isEnabled(), "it is not taken back")
            until(lambda: "of 10000 flats were taken" in window.log.toPlainText())
        until(lambda: place.state.text == "Slices come", "no slices")
        # Frames that are kept.
        place.path.setText(str(self.folder / "kept.h5"))
        click(place.keep_button)
        until(lambda: place.keep_button.text() == faces.STOP_KEEPING and place.process.course.progress["kept"] > 5, "nothing is kept")
        click(place.keep_button)
        until(lambda: place.keep_button.text() == faces.KEEP, "it goes on")
        self.assertTrue((self.folder / "kept.h5").is_file())
        # A pause, and the end.
        click(place.pause_button)
        until(lambda: place.process.course.state == "paused")
        self.assertEqual(place.pause_button.text(), faces.RESUME)
        click(place.pause_button)
        until(lambda: place.process.course.state == "running")
        click(place.stop_button)
        until(lambda: place.process.course.state == "done", "it does not stop")
        self.assertFalse(place.start_button.isHidden())
        self.assertIsNotNone(place.panes.panes[0].view.image())

    def test_a_run_with_troubles(self):
        _, place = self.started(patience=0.5, process='tomocalculate expression="v"')
        # Properties of elements count at once, in the next slices; other elements do not.
        pane = place.panes.panes[2]
        before = np.percentile(pane.view.image(), 99)
        place.configuration.update({"process": 'tomocalculate expression="4 * v"'})
        until(lambda: np.percentile(pane.view.image(), 99) > 3.5 * before, "the expression does not count")
        place.configuration.update({"process": "tomoflip"})
        until(lambda: "stop it first" in " ".join(label.text() for label in place.form.fields["process"].findChildren(QtWidgets.QLabel)))
        # The camera stops, and goes on.
        place.process.tell(command="element", element="camera", name="stopped", value="true")
        until(lambda: "no frame for 0.5 s" in place.state.text, "nothing is told")
        self.assertEqual(place.process.course.tone, "warning")
        place.process.tell(command="element", element="camera", name="stopped", value="false")
        until(lambda: place.process.course.tone == "", "it does not go on")
        # The process dies; the next run has another one, which has no such camera.
        os.kill(place.process._stream.processId(), signal.SIGKILL)
        until(lambda: place.process.course.state == "failed", "the end of the process is not told")
        self.assertIn("signal 9", place.state.text)
        place.start("nosuchcamera")
        until(lambda: "nosuchcamera" in place.state.text, "no failure")
        self.assertEqual(place.process.course.state, "failed")
        self.assertFalse(place.start_button.isHidden())

    def test_a_scan_that_is_played(self):
        """With its own darks and flats."""
        _, place = self.place(half_turn=None, rate=None, planes="z=0", axis=86.35, views=80, size=80, frame_rate=90, drop=False)
        place.start(str(SCAN))
        until(lambda: place.process.course.state == "done", "the scan has no end")
        self.assertEqual(place.process.course.text, "The frames are over")
        until(lambda: place.panes.panes[0].view.image() is not None, "no slice")
        self.assertEqual(place.panes.panes[0].view.image().shape, (80, 80))
        self.assertGreater(place.panes.panes[0].view.image().std(), 1e-4)

    def test_demo(self):
        """From the empty place to slices by one button."""
        window = self.window()
        place = window.show_place("Live")
        demo = place.findChild(QtWidgets.QPushButton, "live-demo")
        self.assertTrue(demo.isVisible())
        self.assertFalse(place.panes.isVisible())
        click(demo)
        until(lambda: all(pane.view.image() is not None for pane in place.panes.panes), "no slices")
        self.assertEqual(place.configuration.values, faces.DEMO.values)
        click(place.volume_button)
        until(lambda: place.panes.volume.view.image() is not None, "no volume")
        self.save_picture(window, "live.png")


class Shared(unittest.TestCase):
    def test_maxima_of_a_volume(self):
        """Along x, y and z; a sample that is no number counts as none."""
        volume = np.random.default_rng().normal(size=(3, 4, 5)).astype(np.float32)
        volume[1, 2, 3] = np.nan
        largest = _live_process.Largest(volume)
        with unittest.mock.patch.object(_live_process, "copy_of", lambda sample: sample):
            for name, axis in ("z", 0), ("y", 1), ("x", 2):
                self.assertEqual(largest.along(name).tolist(), np.nanmax(volume, axis).tolist())
        # 5 columns of 2 pixels; the axis is 2 pixels left of the middle.
        self.assertEqual(faces.place_of_maximum("y", 10, 6, 3.0, (3, 5)), {"normal": "y", "offset": 0.0, "along": ["x", "z"], "begin": [-3.0, -3.0], "step": 2.0})

    def test_planes(self):
        for text, pixels, wanted in (("z=3.5", 1, "z=4.5"), ("x=-2,size=64", -3, "x=-5,size=64"),
                                     ("at=1:2:3,right=2:0:0,down=0:0:1,width=4,height=5", 2, "at=1:0:3,right=2:0:0,down=0:0:1,width=4,height=5")):
            self.assertEqual(str(faces.Plane.read(text).moved(pixels)), wanted)
        self.assertEqual(str(faces.Plane.read("z=900").limited(96, 64, 40)), "z=32")
        self.assertEqual(str(faces.Plane.read("x=-900").limited(96, 64, 40)), "x=-40")
        self.assertEqual(str(faces.Plane.read("y=900,step=2").limited(96, 64, 40)), "y=56,step=2")

    def test_lines(self):
        """A plane of 48 columns over 96 of the detector, whose axis is at 40: x=0 lies at column 20."""
        place = faces.place_of("z=1", 96, 64, 40.0, 48, (48, 48))
        self.assertEqual(faces.lines_in(place, ["x=0", "y=8", "z=1", "at=0:0:0,right=1:0:0,down=0:1:0,width=2,height=2"]), [(0, 0, 20.0), (1, 1, 24.0)])
        self.assertEqual([faces.offset_at(place, which, position) for which, position in ((0, 20.0), (1, 24.0))], [0.0, 8.0])
        self.assertIsNone(faces.place_of("at=0:0:0,right=1:0:0,down=0:1:0,width=2,height=2", 96, 64, 40.0, 0, (2, 2)))

    def test_stream(self):
        told = [({"event": "slice", "n": 1}, b"\n{}\n"), ({"event": "done"}, b""), ({"event": "slice", "n": 2}, bytes(range(256)))]
        whole = b"".join(faces.pack(*one) for one in told)
        for step in (1, 7, len(whole)):
            unpacker, found = faces.Unpacker(), []
            for at in range(0, len(whole), step):
                found += unpacker.feed(whole[at:at + step])
            self.assertEqual([({key: value for key, value in event.items() if key != "bytes"}, samples) for event, samples in found], told)

    def test_changes_of_elements(self):
        before = "tomoretrievephase distance=0.5 energy=20 ! tomomedian size=3"
        self.assertEqual(faces.element_changes(before, "tomoretrievephase distance=0.6 energy=20 ! tomomedian size=5"),
                         [("tomoretrievephase", "distance", "0.6"), ("tomomedian", "size", "5")])
        self.assertIsNone(faces.element_changes(before, "tomomedian size=3"))
        self.assertIsNone(faces.element_changes(before, "tomoretrievephase energy=20 ! tomomedian size=3"))
        self.assertEqual(faces.element_changes('tomocalculate expression="v + 1"', 'tomocalculate expression="v + 2"'),
                         [("tomocalculate", "expression", "v + 2")])

    def test_what_is_told(self):
        course = faces.Course()
        self.assertEqual((course.state, course.is_on), ("empty", False))
        course.begin("camera")
        course.take({"event": "message", "level": "warning", "text": "no flats"})
        self.assertEqual((course.state, course.text, course.tone), ("working", "⚠ no flats", "warning"))
        course.take({"event": "slice"})
        self.assertEqual((course.state, course.tone), ("running", ""))
        self.assertEqual(course.take({"event": "keep", "state": "begun", "path": "a.h5"}), ("info", "Frames go to a.h5"))
        self.assertTrue(course.is_keeping)
        course.take({"event": "state", "state": "running"})
        course.take({"event": "taking", "state": "begun", "kind": "darks", "taken": 0, "frames": 9})
        course.take({"event": "progress", "taking": "darks", "taken": 4, "to-take": 5})
        self.assertEqual((course.taking, course.text), ("darks", "Darks are taken: 4 of 9"))
        told = {"event": "taking", "state": "cancelled", "kind": "darks", "taken": 4, "frames": 9, "text": "4 of 9 darks were taken, and are forgotten"}
        self.assertEqual(course.take(told), ("info", told["text"]))
        self.assertEqual((course.taking, course.text), ("", "Slices come"))
        course.lost(None)
        self.assertEqual((course.state, course.is_keeping), ("failed", False))


if __name__ == "__main__":
    main()
