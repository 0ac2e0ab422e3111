# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Flow in a window under Xvfb, clicked, dragged and typed into."""

import json
import os
import pathlib
import signal
import subprocess
import time
import unittest
import unittest.mock

import numpy as np
from guitest import APPLICATION, LEFT, PATIENCE, GuiTest, Qt, QtCore, QtTest, QtWidgets, click, end_manager, main, spin, theme, until  # noqa: I001
from pyqtgraph.Qt import QtGui

from tomo_gui.flow import FlowPlace
from tomo_gui.flow.document import Link
from tomo_gui.flow.draft import draft_file
from tomo_gui.flow.palette import MIME

NONE, CTRL, KEY = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier, Qt.Key


class FlowTest(GuiTest):
    """The place alone, in a folder of its own."""

    session = None

    def setUp(self):
        super().setUp()
        before = os.getcwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, before)
        self.place = FlowPlace(self.session)
        self.place.resize(1280, 800)
        self.place.show()
        self.place.shown()
        self.flow = until(lambda: self.place.flow, "Flow is not loaded")
        self.addCleanup(self.end)
        until(lambda: self.flow.catalogue.find("metaballs").description_of, "no answer of tomo-query")
        spin(0.05)

    def end(self):
        self.place.close_place()
        self.place.close()
        self.place.deleteLater()
        spin(0.02)

    @property
    def document(self):
        return self.flow.document

    @property
    def canvas(self):
        return self.flow.canvas

    # The mouse

    def of_port(self, name, pad, is_input):
        port = self.canvas.port(name, pad, is_input)
        return self.canvas.view.mapFromScene(port.mapToScene(port.boundingRect().center()))

    def drag(self, start, end):
        port = self.canvas.view.viewport()
        QtTest.QTest.mousePress(port, LEFT, NONE, start)
        for part in (0.3, 0.7, 1.0):
            point = start + (end - start) * part
            event = QtGui.QMouseEvent(QtCore.QEvent.Type.MouseMove, QtCore.QPointF(point), QtCore.QPointF(port.mapToGlobal(point)),
                                      Qt.MouseButton.NoButton, LEFT, NONE)
            APPLICATION.sendEvent(port, event)
            spin(0.01)
        QtTest.QTest.mouseRelease(port, LEFT, NONE, end)
        spin(0.03)

    def link(self, source, output, target, pad):
        self.drag(self.of_port(source, output, False), self.of_port(target, pad, True))

    def click(self, place, button=LEFT, modifiers=NONE):
        QtTest.QTest.mouseClick(self.canvas.view.viewport(), button, modifiers, place)
        spin(0.03)

    def middle_of_link(self, link):
        path = self.canvas.pipe(link).path()
        return self.canvas.view.mapFromScene(self.canvas.pipe(link).mapToScene(path.pointAtPercent(0.35)))

    def head_of(self, name):
        return self.canvas.view.mapFromScene(self.canvas.item(name).mapToScene(QtCore.QPointF(100, 40)))

    def press(self, name):
        button = self.flow.findChild(QtWidgets.QWidget, name)
        self.assertTrue(button.isEnabled() and button.isVisible(), name)
        QtTest.QTest.mouseClick(button, LEFT)
        spin(0.02)

    def keys(self, widget, key, modifiers=NONE):
        widget.setFocus()
        QtTest.QTest.keyClick(widget, key, modifiers)
        spin(0.03)

    def drop(self, plugin, place):
        """From the list, found by typing."""
        search, tree = self.flow.list.search, self.flow.list.tree
        search.clear()
        QtTest.QTest.keyClicks(search, plugin)
        spin(0.02)
        item = tree.topLevelItem(0)
        self.assertEqual(item.text(0), plugin)
        data = tree.mimeData([item])
        self.assertEqual(bytes(data.data(MIME)).decode(), plugin)
        port, copy = self.canvas.view.viewport(), Qt.DropAction.CopyAction
        enter = QtGui.QDragEnterEvent(place, copy, data, LEFT, NONE)
        APPLICATION.sendEvent(port, enter)
        self.assertTrue(enter.isAccepted())
        APPLICATION.sendEvent(port, QtGui.QDragMoveEvent(place, copy, data, LEFT, NONE))
        APPLICATION.sendEvent(port, QtGui.QDropEvent(QtCore.QPointF(place), copy, data, LEFT, NONE))
        spin(0.03)
        return self.document.nodes[-1].name

    def type_into(self, key, text):
        editor = self.flow.form.row(key).editor
        editor.setFocus()
        editor.selectAll()
        QtTest.QTest.keyClick(editor, KEY.Key_Delete)
        QtTest.QTest.keyClicks(editor, text)
        spin(0.02)

    def run_it(self):
        ended = []
        self.flow.ran.connect(lambda *how: ended.append(how))
        self.press("run")
        until(lambda: ended, "the end of the run")
        spin(0.05)
        return ended[0]

    def open(self, path):
        opened = []
        self.flow.opened.connect(lambda: opened.append(1))
        self.flow.open(path)
        until(lambda: opened, path)
        spin(0.05)

    def command_line(self, *words):
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)


class Drawing(FlowTest):
    def test_from_the_list_to_a_file(self):
        """Drag, link, set, run, save; the command line makes the same bytes of the saved file."""
        self.save_picture(self.place, "flow-empty.png")
        self.assertTrue(self.flow.empty.isVisible())
        view = self.canvas.view
        for number, plugin in enumerate(("metaballs", "blur", "write")):
            self.assertEqual(self.drop(plugin, QtCore.QPoint(130 + 230 * number, 200 + 60 * number)), plugin)
        self.assertFalse(self.flow.empty.isVisible())
        self.link("metaballs", "src", "blur", "sink")
        self.link("blur", "src", "write", "sink")
        self.assertEqual(self.document.links, (Link("metaballs", "", "blur", "sink"), Link("blur", "", "write", "sink")))
        self.click(self.head_of("metaballs"))
        self.assertEqual(self.flow.form.name, "metaballs")
        for key, text in (("width", "70"), ("height", "53"), ("number", "6"), ("seed", "4")):
            self.type_into(key, text)
        self.assertEqual(self.document.node("metaballs").properties, {"width": 70, "height": 53, "number": 6, "seed": 4})
        self.click(self.head_of("write"))
        self.type_into("filename", "drawn.tif")
        self.save_picture(self.place, "flow-drawn.png")
        status, sentence = self.run_it()
        self.assertEqual((status, sentence), ("done", "drawn.tif written"))
        self.assertEqual([self.canvas.item(name).count for name in ("metaballs", "blur", "write")], [6, 6, 6])
        self.assertEqual([self.canvas.item(name).state for name in ("metaballs", "blur", "write")], ["done"] * 3)
        self.save_picture(self.place, "flow-done.png")
        self.assertTrue(self.flow.save(str(self.folder / "flow.json")))
        os.rename("drawn.tif", "window.tif")
        self.command_line("tomo-runjson", "-q", "flow.json")
        self.assertEqual(pathlib.Path("window.tif").read_bytes(), pathlib.Path("drawn.tif").read_bytes())
        self.command_line("tomo-launch", "-q", "metaballs", "width=70", "height=53", "number=6", "seed=4", "!", "blur", "!", "write", "filename=line.npy")
        self.assertEqual(np.load("line.npy").shape, (6, 53, 70))
        # Back to the beginning.
        view.setFocus()
        while self.document.undo_label:
            self.keys(view, KEY.Key_Z, CTRL)
        self.assertEqual((self.document.nodes, self.canvas.view.all_nodes(), self.canvas.view.all_pipes()), ((), [], []))
        while self.document.redo_label:
            self.flow.actions_["Redo"].trigger()
        spin(0.03)
        self.assertFalse(self.document.is_changed)
        self.assertEqual(len(self.canvas.view.all_pipes()), 2)

    def test_wrong_links_are_refused(self):
        for plugin, place in (("metaballs", (120, 150)), ("fft", (340, 150)), ("backproject", (560, 150)), ("jpegenc", (340, 380))):
            self.drop(plugin, QtCore.QPoint(*place))
        self.link("metaballs", "src", "fft", "sink")
        self.link("fft", "src", "backproject", "sink")
        self.assertIn("put ifft between", self.flow.message.text())
        self.link("metaballs", "src", "jpegenc", "sink")
        self.assertIn("put convert between", self.flow.message.text())
        self.save_picture(self.place, "flow-refused.png")
        self.drag(self.of_port("fft", "src", False), self.of_port("metaballs", "src", False))
        self.assertIn("from an output to an input", self.flow.message.text())
        self.assertEqual(self.document.links, (Link("metaballs", "", "fft", "sink"),))
        self.assertEqual(len(self.canvas.view.all_pipes()), 1)
        # A link that is drawn away and dropped on nothing is gone.
        self.drag(self.of_port("fft", "sink", True), QtCore.QPoint(300, 600))
        self.assertEqual((self.document.links, self.canvas.view.all_pipes()), ((), []))
        self.document.undo()
        spin(0.02)
        # To another input it moves.
        self.drag(self.of_port("fft", "sink", True), self.of_port("backproject", "sink", True))
        self.assertEqual(self.document.links, (Link("metaballs", "", "backproject", "sink"),))
        self.assertEqual(len(self.canvas.view.all_pipes()), 1)

    def test_wrong_values(self):
        self.drop("metaballs", QtCore.QPoint(200, 200))
        self.type_into("width", "12")
        for text in ("12.5", "many", "-3"):
            self.type_into("width", text)
            row = self.flow.form.row("width")
            self.assertTrue(row.wrong.isVisible())
            self.assertIn("wanted an integer", row.wrong.text())
            self.assertEqual(self.document.node("metaballs").properties.get("width"), {"12.5": 12}.get(text))
        self.save_picture(self.place, "flow-wrong-value.png")
        QtTest.QTest.mouseClick(self.flow.form.row("width").reset, LEFT)
        spin(0.02)
        self.assertEqual((self.document.node("metaballs").properties, self.flow.form.row("width").wrong.isVisible()), ({}, False))

    def test_copies_by_keys_and_groups(self):
        self.flow.example()
        spin(0.03)
        self.click(self.head_of("forwardproject"))
        self.click(self.head_of("ramp-filter"), modifiers=Qt.KeyboardModifier.ShiftModifier)
        spin(0.05)
        self.assertEqual(sorted(self.canvas.names()), ["forwardproject", "ramp-filter"])
        view = self.canvas.view
        self.keys(view, KEY.Key_C, CTRL)
        self.keys(view, KEY.Key_V, CTRL)
        self.assertEqual(sorted(self.canvas.names()), ["forwardproject-1", "ramp-filter-1"])
        self.assertIn(Link("forwardproject-1", "", "ramp-filter-1", "sink"), self.document.links)
        self.keys(view, KEY.Key_G, CTRL)
        self.assertEqual(self.document.groups[0].nodes, ("forwardproject-1", "ramp-filter-1"))
        self.document.move({"forwardproject-1": (220, 200), "ramp-filter-1": (520, 200)})
        spin(0.05)
        before = {node.name: node.position for node in self.document.nodes}
        frame = self.canvas._groups[0]
        start = view.mapFromScene(frame.mapToScene(QtCore.QPointF(40, 12)))
        self.canvas.choose([])
        self.drag(start, start + QtCore.QPoint(0, 120))
        after = {node.name: node.position for node in self.document.nodes}
        self.assertGreater(after["ramp-filter-1"][1], before["ramp-filter-1"][1] + 60)
        self.assertEqual(after["ramp-filter"], before["ramp-filter"])
        self.save_picture(self.place, "flow-group.png")
        self.canvas.choose(["forwardproject-1", "ramp-filter-1"])
        self.keys(view, KEY.Key_Delete)
        self.assertEqual((len(self.document.nodes), self.document.groups), (5, ()))
        # Keys in a field are the field's.
        self.flow.list.search.setText("abc")
        self.canvas.choose(["null"])
        self.keys(self.flow.list.search, KEY.Key_Backspace)
        self.assertEqual((self.flow.list.search.text(), len(self.document.nodes)), ("ab", 5))

    def test_a_folded_group_is_one_node(self):
        self.flow.example()
        spin(0.05)
        before = {node.name: node.position for node in self.document.nodes}
        self.canvas.choose(["forwardproject", "ramp-filter"])
        self.keys(self.canvas.view, KEY.Key_G, CTRL)
        self.keys(self.canvas.view, KEY.Key_E, CTRL)
        item = self.canvas.item("ramp-filter")
        self.assertIs(item, self.canvas.item("forwardproject"))
        self.assertEqual((len(self.canvas.view.all_nodes()), len(self.canvas.view.all_pipes())), (4, 3))
        self.assertEqual(([port.name for port in item.inputs], [port.name for port in item.outputs]), (["forwardproject sink"], ["ramp-filter src"]))
        self.assertEqual(sorted(self.canvas.names()), ["forwardproject", "ramp-filter"])
        # It moves with its nodes, and its links can be drawn.
        start = self.canvas.view.mapFromScene(item.mapToScene(QtCore.QPointF(100, 40)))
        self.drag(start, start + QtCore.QPoint(0, 120))
        after = {node.name: node.position for node in self.document.nodes}
        moved = {name: (after[name][0] - before[name][0], after[name][1] - before[name][1]) for name in after}
        self.assertEqual(moved["forwardproject"], moved["ramp-filter"])
        self.assertGreater(moved["forwardproject"][1], 60)
        self.assertEqual(moved["metaballs"], (0, 0))
        self.drag(self.of_port("ramp-filter", "src", False), self.of_port("null", "sink", True))
        self.assertIn(Link("ramp-filter", "", "null", "sink"), self.document.links)
        self.document.undo()
        spin(0.05)
        self.save_picture(self.place, "flow-folded.png")
        self.document.set_property("metaballs", "number", 4)
        self.assertEqual(self.run_it()[0], "done")
        self.assertEqual((self.canvas.item("ramp-filter").count, self.canvas.item("ramp-filter").state), (4, "done"))
        self.assertTrue(self.flow.save(str(self.folder / "folded.json")))
        self.open(str(self.folder / "folded.json"))
        item = self.canvas.item("ramp-filter")
        self.assertEqual(item.group.nodes, ("forwardproject", "ramp-filter"))
        place = self.canvas.view.mapFromScene(item.mapToScene(QtCore.QPointF(110, 40)))
        self.click(place)  # the first of the two
        QtTest.QTest.mouseDClick(self.canvas.view.viewport(), LEFT, NONE, place)
        spin(0.1)
        self.assertEqual((len(self.canvas.view.all_nodes()), len(self.canvas.view.all_pipes())), (6, 4))  # with the frame

    def test_an_element_on_a_link(self):
        self.flow.example()
        spin(0.03)
        link = self.document.links[0]
        name = self.drop("blur", self.middle_of_link(link))
        self.assertEqual(name, "blur")
        self.assertIn(Link("blur", "", "forwardproject", "sink"), self.document.links)
        self.assertNotIn(link, self.document.links)

    def test_values_from_another_node(self):
        self.document.load(json.dumps({
            "nodes": [{"plugin": "metaballs", "name": "m", "properties": {"width": 20, "height": 20, "number": 3}}, {"plugin": "measure", "name": "found"},
                      {"plugin": "clip", "name": "c"}, {"plugin": "write", "name": "w", "properties": {"filename": "bound.tif"}}],
            "edges": [{"from": a, "to": b} for a, b in (("m", "found"), ("found", "c"), ("c", "w"))]}))
        self.canvas.fit()
        spin(0.1)
        self.click(self.head_of("c"))
        row = self.flow.form.row("max")
        row.asked.emit("max", row.mapToGlobal(QtCore.QPoint(5, 5)))
        self.assertEqual([action.text() for action in self.flow.form.menu.actions()], ["value of found"])
        self.flow.form.menu.actions()[0].trigger()
        self.flow.form.menu.close()
        spin(0.1)
        self.save_picture(self.place, "flow-bound.png")
        self.assertEqual((row.editor.text(), row.editor.isEnabled()), ("from value of found", False))
        self.assertEqual(json.loads(self.document.to_json())["bindings"], [{"from": {"name": "found", "property": "value"}, "to": {"name": "c", "property": "max"}}])
        self.assertEqual(self.run_it()[0], "done")
        row.asked.emit("max", row.mapToGlobal(QtCore.QPoint(5, 5)))
        self.flow.form.menu.actions()[-1].trigger()
        self.flow.form.menu.close()
        spin(0.05)
        self.assertEqual((row.editor.text(), row.editor.isEnabled(), self.document.bindings), ("", True, ()))

    def test_rename(self):
        self.drop("metaballs", QtCore.QPoint(200, 200))
        title = self.flow.form.title
        title.setFocus()
        title.selectAll()
        QtTest.QTest.keyClicks(title, "balls")
        QtTest.QTest.keyClick(title, KEY.Key_Return)
        spin(0.03)
        self.assertEqual([node.name for node in self.document.nodes], ["balls"])
        self.assertEqual(self.canvas.item("balls")._text_item.toPlainText(), "balls")

    def test_many_nodes_stay_quick(self):
        nodes = [{"plugin": "metaballs", "name": "n0"}, *({"plugin": "blur", "name": f"n{i}"} for i in range(1, 99)), {"plugin": "null", "name": "n99"}]
        self.document.load(json.dumps({"nodes": nodes, "edges": [{"from": f"n{i}", "to": f"n{i + 1}"} for i in range(99)]}))
        self.canvas.fit()
        spin(0.05)
        begin = time.process_time()
        self.document.move({"n50": (0, 0)})
        self.canvas.draw()
        self.assertLess(time.process_time() - begin, 1.0)  # 0.2 s alone on this machine


class FilesAndRuns(FlowTest):
    def test_ufo_file(self):
        """Numbers of enumerations, edges as UFO writes them, no places of nodes."""
        flow = {"nodes": [{"plugin": "dummy-data", "name": "d", "properties": {"number": 2, "width": 9, "height": 8}},
                          {"plugin": "pad", "name": "p", "properties": {"width": 12, "height": 12, "addressing-mode": 0x1133}},
                          {"plugin": "write", "name": "w", "properties": {"filename": "ufo.tif"}}],
                "edges": [{"from": {"name": "d"}, "to": {"name": "p", "input": 0}}, {"from": {"name": "p"}, "to": {"name": "w", "input": 0}}]}
        pathlib.Path("ufo.json").write_text(json.dumps(flow))
        self.open("ufo.json")
        self.assertEqual(self.document.node("p").properties["addressing-mode"], "repeat")
        self.assertFalse(self.document.is_changed)
        xs = [node.position[0] for node in self.document.nodes]
        self.assertEqual(xs, sorted(set(xs)))
        self.click(self.head_of("p"))
        self.assertEqual(self.flow.form.row("addressing-mode").editor.currentText(), "repeat")
        self.save_picture(self.place, "flow-ufo.png")
        self.assertEqual(self.run_it()[0], "done")
        os.rename("ufo.tif", "window.tif")
        self.command_line("tomo-runjson", "-q", "ufo.json")
        self.assertEqual(pathlib.Path("window.tif").read_bytes(), pathlib.Path("ufo.tif").read_bytes())
        # A result opens as the dataflow that made it.
        self.command_line("tomo-launch", "-q", "dummy-data", "number=2", "!", "write", "filename=result.h5:/a")
        self.open("result.h5")
        self.assertEqual([node.plugin for node in self.document.nodes], ["dummy-data", "write"])
        self.assertIsNone(self.document.path)

    def test_files_that_are_wrong(self):
        self.flow.example()
        before = self.document.nodes
        pathlib.Path("broken.json").write_text('{"nodes": [\n,]}')
        self.open("broken.json")
        self.assertIn("broken.json:2", self.flow.message.text())
        self.open("missing.json")
        self.assertIn("missing.json", self.flow.message.text())
        self.assertEqual(self.document.nodes, before)
        # What the loader refuses, but can be drawn, is drawn.
        pathlib.Path("half.json").write_text('{"nodes": [{"plugin": "nobody", "name": "x"}, {"plugin": "null", "name": "n"}], "edges": [{"from": "x", "to": "n"}]}')
        self.open("half.json")
        self.assertIn("nobody", self.flow.message.text())
        self.assertEqual(len(self.canvas.view.all_nodes()), 2)
        self.save_picture(self.place, "flow-unknown-element.png")
        self.press("run")
        self.assertIn("there is no element nobody here", self.flow.message.text())

    def test_pictures_of_links(self):
        pathlib.Path("long.json").write_text(json.dumps({
            "nodes": [{"plugin": "metaballs", "name": "m", "properties": {"width": 60, "height": 40, "number": 100000}},
                      {"plugin": "sleep", "name": "s", "properties": {"time": 0.01}}, {"plugin": "calculate", "name": "c", "properties": {"expression": "v*0+7"}},
                      {"plugin": "fft", "name": "f"}, {"plugin": "null", "name": "n"}],
            "edges": [{"from": a, "to": b} for a, b in ("ms", "sc", "cf", "fn")]}))
        self.open("long.json")
        self.press("run")
        picture = self.flow.picture
        constant, spectrum = self.document.links[2], self.document.links[3]
        self.click(self.middle_of_link(constant))
        self.assertEqual(self.canvas.links(), [constant])
        until(lambda: picture.shown >= 3, "pictures")
        np.testing.assert_array_equal(picture.view.image(), np.full((40, 60), 7, np.float32))
        numbers = set()
        until(lambda: len(numbers.add(picture._numbers[constant]) or numbers) >= 3, "newer pictures")
        self.save_picture(self.place, "flow-link.png")
        self.click(self.middle_of_link(spectrum))
        until(lambda: picture.shown >= 2 and picture.link == spectrum, "pictures of the spectrum")
        self.assertAlmostEqual(float(picture.view.image().max()), np.log10(7 * 60), 3)
        self.press("pause")
        until(lambda: self.flow.runner.state == "paused", "a pause")
        self.assertEqual((self.flow.state.text(), self.flow.actions_["Pause"].text()), ("PAUSED", "Resume"))
        self.press("pause")
        until(lambda: self.flow.runner.state == "running", "the end of the pause")
        ended, noted = [], []
        self.flow.ran.connect(lambda *how: ended.append(how))
        self.flow.noted.connect(lambda level, text: noted.append(text))
        self.press("abort")
        until(lambda: ended, "the end")
        self.assertEqual(ended[0][0], "aborted")
        self.assertNotIn("preview", " ".join(noted))
        # The first picture of another link is still there.
        self.click(self.middle_of_link(self.document.links[0]))
        until(lambda: picture.shown == 1, "the picture")
        self.assertEqual(set(np.unique(picture.view.image())), {0.0, 1.0})

    def test_a_killed_run(self):
        self.flow.example()
        self.document.set_property("metaballs", "number", 100000)
        ended = []
        self.flow.ran.connect(lambda *how: ended.append(how))
        self.press("run")
        until(lambda: self.flow.runner.pid and self.canvas.item("metaballs").count, "the first arrays")
        os.kill(self.flow.runner.pid, signal.SIGKILL)
        until(lambda: ended, "the end")
        self.assertEqual(ended[0][0], "failed")
        self.assertIn("signal 9", ended[0][1])
        self.assertIn("signal 9", self.flow.message.text())
        self.save_picture(self.place, "flow-killed.png")
        self.document.set_property("metaballs", "number", 3)
        self.assertEqual(self.run_it()[0], "done")

    def test_a_run_that_fails(self):
        pathlib.Path("bad.json").write_text('{"nodes": [{"plugin": "read", "name": "r", "properties": {"path": "nothing.tif"}}, {"plugin": "null", "name": "n"}], "edges": [{"from": "r", "to": "n"}]}')
        self.open("bad.json")
        noted = []
        self.flow.noted.connect(lambda *what: noted.append(what))
        status, sentence = self.run_it()
        self.assertEqual(status, "failed")
        self.assertIn("nothing.tif", sentence)
        self.assertEqual((self.canvas.item("r").state, self.canvas.item("n").state), ("failed", ""))
        self.assertIn(("error", sentence), noted)
        self.save_picture(self.place, "flow-failed.png")

    def test_without_the_tool(self):
        self.flow.example()
        before = os.environ["PATH"]
        os.environ["PATH"] = str(self.folder)
        self.addCleanup(os.environ.__setitem__, "PATH", before)
        status, sentence = self.run_it()
        self.assertEqual(status, "failed")
        self.assertIn("tomo-runjson does not start", sentence)
        os.environ["PATH"] = before

    def test_elements_of_gstreamer(self):
        """Their properties come when they are looked at; the file runs."""
        for number, plugin in enumerate(("videotestsrc", "jpegenc", "filesink")):
            self.drop(plugin, QtCore.QPoint(120 + 220 * number, 150 + 130 * number))
        self.link("videotestsrc", "src", "jpegenc", "sink")
        self.link("jpegenc", "src", "filesink", "sink")
        self.click(self.head_of("videotestsrc"))
        until(lambda: "num-buffers" in self.flow.form._rows, "the properties")
        self.flow.form.search.setText("num-buffers")
        self.type_into("num-buffers", "1")
        self.click(self.head_of("filesink"))
        self.flow.form.search.clear()
        until(lambda: "location" in self.flow.form._rows, "the properties")
        self.type_into("location", "one.jpg")
        self.assertEqual(self.run_it()[0], "done")
        self.assertEqual(pathlib.Path("one.jpg").read_bytes()[:3], b"\xff\xd8\xff")

    def test_dark_and_light(self):
        self.flow.example()
        self.addCleanup(theme.apply, "dark")
        seen = {}
        for name in ("dark", "light"):
            theme.apply(name)
            spin(0.1)
            self.save_picture(self.place, f"flow-{name}.png")
            picture = self.place.grab().toImage()
            corner = self.canvas.mapTo(self.place, QtCore.QPoint(8, 8))
            node = self.canvas.mapTo(self.place, self.canvas.view.mapTo(self.canvas, self.head_of("metaballs") + QtCore.QPoint(36, -12)))
            seen[name] = [picture.pixelColor(at).lightness() for at in (corner, node)]
        self.assertTrue(all(value < 110 for value in seen["dark"]) and all(value > 180 for value in seen["light"]), seen)


class InTheWindow(GuiTest):
    def test_keys_and_jobs(self):
        """Ctrl+Z is the canvas's there; a dataflow waits among the jobs, and runs."""
        window = self.window()
        self.addCleanup(end_manager, self.queue)
        window.session.configuration.set("num-iterations", "25")
        place = window.show_place("Flow")
        flow = until(lambda: place.flow, "Flow is not loaded")
        until(lambda: flow.catalogue.find("metaballs").description_of, "no answer of tomo-query")
        path = self.folder / "job.json"
        path.write_text(json.dumps({"nodes": [{"plugin": "metaballs", "name": "m", "properties": {"number": 2, "width": 8, "height": 8}},
                                              {"plugin": "write", "name": "w", "properties": {"filename": "job.tif"}}], "edges": [{"from": "m", "to": "w"}]}))
        opened = []
        flow.opened.connect(lambda: opened.append(1))
        place.open(str(path))
        until(lambda: opened)
        flow.add("blur")
        spin(0.05)
        flow.canvas.view.setFocus()
        spin(0.05)
        QtTest.QTest.keyClick(flow.canvas.view, KEY.Key_Z, CTRL)
        spin(0.05)
        self.assertEqual([node.name for node in flow.document.nodes], ["m", "w"])
        self.assertEqual(window.session.configuration.values, {"num-iterations": 25})
        self.save_picture(window, "flow-window.png")
        click(flow.findChild(QtWidgets.QWidget, "run-as-job"))
        until(lambda: "waits for its turn" in flow.message.text(), "no job")
        until(lambda: [str(job.state) for job in window.session.jobs.jobs] == ["done"], "the job was not run")
        self.assertTrue((self.folder / "job.tif").exists())
        # A run shows its result by one click.
        click(flow.next)
        until(lambda: flow.result.isVisible(), "no result")
        wanted = []
        window.session.opened.connect(wanted.append)
        self.assertEqual((flow.next.text(), flow.next.property("next"), flow.result.property("next")), ("Run again", False, True))
        click(flow.result)
        until(lambda: wanted == [str(self.folder / "job.tif")], "no result was opened")
        # Without a name of a file it says what is missing, where it is missing.
        flow.document.set_property("w", "filename", None)
        self.assertEqual((flow.next.text(), flow.next.property("next"), flow.result.isVisible()), ("Run", True, False))
        flow.canvas.choose(["w"])
        row = until(lambda: flow.form.name == "w" and flow.form.row("filename"))
        self.assertEqual(row.editor.placeholderText(), "file.h5:/entry/data/data")
        self.assertIn("Missing", row.wrong.text())
        until(lambda: "filename is missing" in flow.canvas.item("w").problem)
        click(flow.next)
        self.assertIn("w: its filename is missing", flow.message.text())
        self.assertEqual(flow.message.toolTip(), flow.message.text())
        QtTest.QTest.keyClicks(row.editor, "again.tif")
        self.assertEqual(flow.document.problems(), [])
        self.assertFalse(row.wrong.isVisible())

    def test_what_is_not_saved_outlives_the_window(self):
        window = self.window()
        place = window.show_place("Flow")
        flow = until(lambda: place.flow, "Flow is not loaded")
        flow.add("metaballs")
        flow.document.set_property("metaballs", "number", 7)
        flow.document.path = "/somewhere/mine.json"
        until(lambda: os.path.exists(draft_file()), "no draft")  # where the window is killed
        flow.add("null")
        window.close()
        again = self.window().show_place("Flow")
        flow = until(lambda: again.flow, "Flow is not loaded")
        self.assertEqual([(node.name, node.properties) for node in flow.document.nodes], [("metaballs", {"number": 7}), ("null", {})])
        self.assertTrue(flow.document.is_changed)
        self.assertIn("last window", flow.message.text())
        self.assertTrue(flow.save(str(self.folder / "mine.json")))
        until(lambda: not os.path.exists(draft_file()), "the draft stays")


class WithoutNodeGraphQt(unittest.TestCase):
    def test_it_says_how_to_get_it(self):
        find = __import__("importlib.util").util.find_spec
        with unittest.mock.patch("importlib.util.find_spec", lambda name: None if name == "NodeGraphQt" else find(name)):
            place = FlowPlace(None)
            place.open("any.json")
            place.shown()
        self.assertIsNone(place.flow)
        self.assertIn("NodeGraphQt==0.6.44", place.said.text())


if __name__ == "__main__":
    main()
