# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Flow: a dataflow is drawn, run and looked at."""

import json
import os
import tempfile

from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from . import nodegraph  # noqa: F401  the place can't be without it
from .canvas import Canvas
from .. import theme
from ..processes import Question
from ..states import next_button
from .bar import KEY_EVENT, Sentence, Tools
from .document import Document, DocumentError, Refused
from .draft import Draft, write_whole
from .form import Form
from .items import FlowItem, FlowPipe, FoldedItem
from .looks import READABLE, SMALLEST
from .palette import Palette
from .picture import LinkPicture
from .runner import Describer, Runner

EXAMPLE = {"nodes": [{"plugin": "metaballs", "name": "metaballs", "properties": {"width": 128, "height": 128, "number": 100}},
                     {"plugin": "forwardproject", "name": "forwardproject", "properties": {"number": 180}},
                     {"plugin": "ramp-filter", "name": "ramp-filter"}, {"plugin": "backproject", "name": "backproject"}, {"plugin": "null", "name": "null"}],
           "edges": [{"from": a, "to": b} for a, b in (("metaballs", "forwardproject"), ("forwardproject", "ramp-filter"),
                                                      ("ramp-filter", "backproject"), ("backproject", "null"))]}
FILTER = "Dataflows (*.json);;Results (*.h5 *.hdf5 *.nxs);;All files (*)"
KEYS = QtGui.QKeySequence.StandardKey
STATES = {"done": "\u2713 DONE", "failed": "\u2715 FAILED"}


class Flow(QtWidgets.QWidget):
    """See FlowPlace. Signals are for the window and for tests."""

    opened = QtCore.Signal()
    ran = QtCore.Signal(str, str)  # status, sentence
    noted = QtCore.Signal(str, str)  # level, text: for the log

    def __init__(self, session, catalogue, parent=None):
        super().__init__(parent)
        self.session = session
        self.catalogue = catalogue
        self.document = Document(self.catalogue)
        self.runner = Runner(self)
        self.describer = Describer(self.catalogue, self)
        self._folder = tempfile.TemporaryDirectory(prefix="gst-tomo-flow-")
        self._counts, self._total = {}, 0
        self._working_folder, self._result = None, ""
        self._make_parts()
        self._make_tools()
        self._lay_out()
        self._connect()
        self.describer.start()
        self.draft = Draft(self.document, self) if session is not None else None
        if self.draft and self.draft.restore():
            self.canvas.fit(READABLE)
            self.tell("This is what the last window had not saved")
        self._changed()

    # Making

    def _make_parts(self):
        self.list = Palette(self.catalogue, self)
        self.canvas = Canvas(self.document, self)
        self.form = Form(self.document, self)
        self.picture = LinkPicture(self.runner, self)
        self.bar = QtWidgets.QProgressBar(textVisible=False)
        self.bar.setFixedWidth(120)
        policy = self.bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(policy)
        self.bar.hide()
        self.facts = QtWidgets.QLabel(objectName="facts")
        self.state = QtWidgets.QLabel(objectName="state")
        self.message = Sentence(objectName="message")
        self.empty = QtWidgets.QFrame(self.canvas, objectName="empty")
        column = QtWidgets.QVBoxLayout(self.empty)
        column.setSpacing(8)
        column.addWidget(QtWidgets.QLabel("Drag elements from the list, or begin with a dataflow."), 0, QtCore.Qt.AlignmentFlag.AlignHCenter)
        line = QtWidgets.QHBoxLayout()
        for text, slot in (("Open...", self.ask_open), ("Example", self.example)):
            button = QtWidgets.QPushButton(text)
            button.setObjectName(f"empty-{text.strip('.').lower()}")
            button.clicked.connect(slot)
            line.addWidget(button)
        column.addLayout(line)

    def _make_tools(self):
        self.tools = Tools((
            ("Open\u2026", self.ask_open, KEYS.Open, False), ("Save", self.save, KEYS.Save, False), ("Save as\u2026", self.ask_save, KEYS.SaveAs, False), None,
            ("Undo", self.document.undo, KEYS.Undo, False), ("Redo", self.document.redo, KEYS.Redo, False), None,
            ("Copy", self.copy, KEYS.Copy, True), ("Paste", self.paste, KEYS.Paste, True), ("Delete", self.delete, KEYS.Delete, True),
            ("Group", self.group, "Ctrl+G", False), ("Ungroup", self.ungroup, "Ctrl+Shift+G", False), ("Fold", self.fold, "Ctrl+E", False), None,
            ("Arrange", self.arrange, "Ctrl+L", False), ("Fit", self.canvas.fit, "Ctrl+0", False), None,
            ("Run", self.run, "Ctrl+R", None), ("Pause", self.pause, None, False), ("Finish", self.runner.finish, None, False),
            ("Abort", self.runner.abort, None, False), ("Run as job", self.run_as_job, None, False)), self)
        self.actions_ = self.tools.by_name
        self.next = next_button("Run")
        self.next.setObjectName("run")
        self.next.clicked.connect(lambda: self.run())
        self.next.setToolTip(self.actions_["Run"].toolTip())
        self.result = next_button("Open result")
        self.result.setObjectName("open-result")
        self.result.clicked.connect(lambda: self.session.opened.emit(self._result))
        self.result.hide()
        self.tools.tell("Finish", "early, with complete files of the arrays so far")
        self.actions_["Run as job"].setVisible(self.session is not None)

    def event(self, event):
        if event.type() == KEY_EVENT and self.tools.action_of(event, self._is_in_canvas()):
            event.accept()  # it comes as a key press then, and not to the window's menus
            return True
        return super().event(event)

    def keyPressEvent(self, event):
        action = self.tools.action_of(event, self._is_in_canvas())
        if action is None:
            return super().keyPressEvent(event)
        self._chosen()  # what the last key has done may not be drawn yet
        if action.isEnabled():
            action.trigger()

    def _is_in_canvas(self):
        return self.canvas.isAncestorOf(self.window().focusWidget() or self)

    def _lay_out(self):
        head = QtWidgets.QHBoxLayout()
        head.setContentsMargins(8, 4, 8, 4)
        head.setSpacing(16)
        head.addWidget(self.facts)
        head.addWidget(self.message, 1)
        head.addWidget(self.bar)
        head.addWidget(self.state)
        head.addWidget(self.result)
        head.addWidget(self.next)
        self.right = QtWidgets.QSplitter(QtCore.Qt.Orientation.Vertical)
        self.right.addWidget(self.form)
        self.right.addWidget(self.picture)
        self.right.setSizes([380, 300])
        self.parts = QtWidgets.QSplitter(QtCore.Qt.Orientation.Horizontal)
        for number, part in enumerate((self.list, self.canvas, self.right)):
            self.parts.addWidget(part)
            self.parts.setStretchFactor(number, number == 1)
            self.parts.setCollapsible(number, False)
        self.parts.setSizes([208, 748, 324])
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.tools)
        column.addWidget(self.parts, 1)

    def _connect(self):
        self.document.listeners.append(self._changed)
        self.list.wanted.connect(self.add)
        self.canvas.chosen.connect(self._chosen)
        self.canvas.refused.connect(self.tell)
        self.canvas.file_dropped.connect(self.ask_and_open)
        self.canvas.menu_wanted.connect(self._menu)
        self.form.refused.connect(self.tell)
        self.form.describe.connect(self.describer.ask)
        self.describer.described.connect(self._described)
        self.describer.failed.connect(lambda why: self.tell(f"The properties of elements are not known: {why}"))
        self.runner.changed.connect(self._run_changed)
        self.runner.progressed.connect(self._progressed)
        self.runner.told.connect(self._told)
        self.runner.ended.connect(self._ended)
        if self.session is not None:
            self.noted.connect(self.session.noted)

    # Looking

    def tell(self, text, is_failure=False):
        """A sentence in the head; empty: none."""
        self.message.setText(text)
        theme.mark(self.message, "tone", "failure" if is_failure else "")

    def _changed(self):
        document = self.document
        name = os.path.basename(document.path) if document.path else "new dataflow"
        nodes, links = len(document.nodes), len(document.links)
        self.facts.setText(f"<b>{name}{' *' if document.is_changed else ''}</b>&nbsp;&nbsp; {nodes} node{'s' * (nodes != 1)}, {links} link{'s' * (links != 1)}")
        self.empty.setVisible(not nodes)
        for text, label in (("Undo", document.undo_label), ("Redo", document.redo_label)):
            self.actions_[text].setEnabled(label is not None)
            self.tools.tell(text, label or "")
        self.picture.outdated()
        self._step_to("Run")
        if not self.runner.is_busy:
            self.canvas.show_run(None, 0, "")
        for node in document.nodes:  # links and numbers of inputs need it
            element = self.catalogue.find(node.plugin)
            if element is not None and element.description_of is None:
                self.describer.ask(element.plugin)
        self._run_changed()

    def _described(self):
        self.canvas.draw_soon()
        self.form.refresh()

    def _chosen(self):
        names, links = self.canvas.names(), self.canvas.links()
        if len(names) == 1 and names[0] != self.form.name:
            self.form.show_node(names[0])
        elif len(names) != 1 and self.form.name:
            self.form.show_node(None)
        if len(links) == 1 and links[0] != self.picture.link:
            self.picture.watch(links[0], self.canvas.carried(links[0]))
        elif self.picture.link is not None and self.picture.link not in self.document.links:
            self.picture.watch(None)
        chosen = bool(names or links or self.canvas.chosen_group())
        self.actions_["Delete"].setEnabled(chosen)
        for text in ("Copy", "Group"):
            self.actions_[text].setEnabled(bool(names))
        grouped = any(set(group.nodes) & set(names) for group in self.document.groups) or self.canvas.chosen_group() is not None
        for text in ("Ungroup", "Fold"):
            self.actions_[text].setEnabled(grouped)

    def resizeEvent(self, event):
        super().resizeEvent(event)
        self._place_empty()

    def showEvent(self, event):
        super().showEvent(event)
        QtCore.QTimer.singleShot(0, self._place_empty)
        if not self.document.nodes:
            QtCore.QTimer.singleShot(0, self.canvas.fit)

    def _place_empty(self):
        self.empty.adjustSize()
        self.empty.move((self.canvas.width() - self.empty.width()) // 2, (self.canvas.height() - self.empty.height()) // 2)

    # Changing

    def add(self, plugin):
        """At the middle; behind the chosen node where it fits there."""
        chosen = self.canvas.names()
        element, before = self.catalogue.find(plugin), self.document.node(chosen[0]) if len(chosen) == 1 else None
        if before is not None and element is not None and element.inputs and self.document.outputs(before.name):
            place = (before.position[0] + 240, before.position[1])
            while any(abs(node.position[0] - place[0]) < 100 and abs(node.position[1] - place[1]) < 100 for node in self.document.nodes):
                place = (place[0], place[1] + 140)
            name = self.document.add(plugin, place)
            try:
                self.document.connect(before.name, "", name, self.document.inputs(name)[0])
            except Refused as why:
                self.tell(str(why))
        else:
            name = self.document.add(plugin, self.canvas.middle())
        self.canvas.choose([name])
        self.tell("")
        return name

    def delete(self):
        group = self.canvas.chosen_group()
        if self.canvas.names() or self.canvas.links():
            self.document.remove(self.canvas.names(), self.canvas.links())
        elif group:
            self.document.ungroup(group.nodes)

    def copy(self):
        if self.canvas.names():
            QtWidgets.QApplication.clipboard().setText(self.document.copied(self.canvas.names()))

    def paste(self):
        try:
            self.canvas.choose(self.document.paste(QtWidgets.QApplication.clipboard().text()))
            self.tell("")
        except DocumentError:
            self.tell("the clipboard holds no nodes")

    def group(self):
        names = self.canvas.names()
        if names:
            self.document.group(f"Group {len(self.document.groups) + 1}", names)

    def ungroup(self):
        group = self.canvas.chosen_group()
        self.document.ungroup(group.nodes if group else self.canvas.names())

    def fold(self):
        """A group becomes one node, or is opened again."""
        group = self.canvas.chosen_group() or next(self.document.group_of(name) for name in self.canvas.names() if self.document.group_of(name))
        self.document.fold(group.nodes, not group.is_folded)
        self.canvas.choose(group.nodes)

    def arrange(self):
        self.document.arrange()
        self.canvas.fit(READABLE)

    def example(self):
        self.document.load(json.dumps(EXAMPLE))
        self.document.path = None
        self.canvas.fit(SMALLEST)
        self._changed()

    def _menu(self, item, place):
        menu = QtWidgets.QMenu(self)
        if isinstance(item, FlowItem):
            if not item.isSelected():
                self.canvas.choose(item.group.nodes if isinstance(item, FoldedItem) else [item.id])
                self._chosen()
            for text in ("Copy", "Delete", "Group", "Ungroup", "Fold"):
                menu.addAction(self.actions_[text])
        elif isinstance(item, FlowPipe):
            self.canvas.choose(links=[item.link])
            self._chosen()
            menu.addAction("Put a queue here", lambda: self._insert(item.link, "queue"))
            menu.addAction(self.actions_["Delete"])
        else:
            for text in ("Paste", "Arrange", "Fit"):
                menu.addAction(self.actions_[text])
        menu.popup(place)
        self._open_menu = menu

    def _insert(self, link, plugin):
        try:
            a, b = self.document.node(link.source).position, self.document.node(link.target).position
            self.canvas.choose([self.document.add_on(link, plugin, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2 + 120))])
        except Refused as why:
            self.tell(str(why))

    # Files

    def ask_open(self):
        path, _ = QtWidgets.QFileDialog.getOpenFileName(self, "Open a dataflow", self.folder(), FILTER)
        if path:
            self.ask_and_open(path)

    def _may_leave(self):
        if not self.document.is_changed or not self.document.nodes:
            return True
        buttons = QtWidgets.QMessageBox.StandardButton
        answer = QtWidgets.QMessageBox.question(self, "Flow", "The dataflow has changes that are not saved.", buttons.Save | buttons.Discard | buttons.Cancel)
        return answer == buttons.Discard or (answer == buttons.Save and self.save())

    def ask_and_open(self, path):
        if self._may_leave():
            self.open(path)

    def open(self, path):
        """A dataflow in JSON, of gst-tomo, of UFO or made by hand, or a result, which names the one that made it. tomo-runjson
        reads it, so it means what it means there; what that can't read is shown as far as it goes."""
        path = os.path.abspath(path)
        self.tell(f"Reading {os.path.basename(path)}")
        question = Question("tomo-runjson", ["--dump", "-", path], self, os.path.dirname(path))
        question.answered.connect(lambda root: self._take(path, json.dumps(root), ""))
        question.failed.connect(lambda why: self._take(path, None, why))

    def _take(self, path, text, why):
        try:
            with open(path, encoding="utf-8") as file:
                own = file.read()
        except (OSError, UnicodeDecodeError) as error:  # a result is no text
            own = None if text is not None else str(error)
        try:
            layout = json.loads(own).get("layout") if own and text is not None else None
        except (ValueError, AttributeError):
            layout = None
        try:
            self.document.load(text if text is not None else own, os.path.basename(path), layout)
        except DocumentError as error:
            self.tell(why or str(error), True)
            return self.opened.emit()
        is_dataflow = own is not None and path.endswith(".json")
        self.document.saved(path if is_dataflow else None)
        self._working_folder = os.path.dirname(path)
        self.canvas.fit(SMALLEST)
        self.tell(why, bool(why))
        self.opened.emit()

    def close_flow(self):
        """The window closes: what is not saved is kept."""
        if self.draft:
            self.draft.keep()
        self.runner.drop()
        self.picture.close_files()
        self._folder.cleanup()

    def folder(self):
        """Where names of files are meant."""
        return os.path.dirname(self.document.path) if self.document.path else self._working_folder or os.getcwd()

    def ask_save(self):
        path, _ = QtWidgets.QFileDialog.getSaveFileName(self, "Save the dataflow", self.document.path or os.path.join(self.folder(), "dataflow.json"), FILTER)
        return bool(path) and self.save(path)

    def save(self, path=None):
        path = path or self.document.path
        if path is None:
            return self.ask_save()
        try:
            write_whole(path, self.document.to_json())
        except OSError as error:
            self.tell(f"{path} is not saved: {error.strerror}", True)
            return False
        self.document.saved(os.path.abspath(path))
        self.tell(f"Saved as {os.path.basename(path)}")
        return True

    # Running

    def run(self):
        if self.runner.is_busy:
            return
        problems = self.document.problems()
        if problems:
            name, text = problems[0]
            self.tell(f"{name}: {text}" if name else text, True)
            if name:
                self.canvas.choose([name])
            return
        path = os.path.join(self._folder.name, "run.json")
        try:
            write_whole(path, self.document.to_json(with_layout=False))
        except OSError as error:
            return self.tell(f"the dataflow can't be written for the run: {error.strerror}", True)
        self._total = 0
        self._counts = {}
        self.tell("")
        self._step_to("Run")
        self.run_folder = self.folder()
        self.runner.start(path, self.run_folder)
        if self.runner.is_busy:
            self.canvas.show_run({}, 0, "running")
            self.picture.begin(self.document.links)

    def _step_to(self, step):
        """The next step, which is the coloured button; after a run there may be none."""
        self.result.setVisible(step == "Open result")
        self.next.setText("Run" if step == "Run" else "Run again")
        theme.mark(self.next, "next", step == "Run")

    def pause(self):
        self.runner.resume() if self.runner.state == "paused" else self.runner.pause()

    def run_as_job(self):
        """The queue runs it, also when the window is closed meanwhile."""
        from gsttomo import jobs

        name = os.path.basename(self.document.path or "dataflow")
        order = jobs.Order(json.loads(self.document.to_json(with_layout=False)), name=name, folder=self.folder())
        self.session.jobs.submit([order], lambda given: self.tell(f"Job {given[0].id} waits for its turn; see Jobs"))

    def _run_changed(self):
        state, busy = self.runner.state, self.runner.is_busy
        for widget in (self.actions_["Run"], self.next):
            widget.setEnabled(not busy and bool(self.document.nodes))
        self.actions_["Run as job"].setEnabled(bool(self.document.nodes))
        for text in ("Pause", "Finish", "Abort"):
            self.actions_[text].setEnabled(busy)
        self.actions_["Pause"].setText("Resume" if state == "paused" else "Pause")
        self.bar.setVisible(busy)
        if busy:
            self.state.setText("PAUSED" if state == "paused" else "RUNNING")
        else:
            self.state.setText("READY" if self.document.nodes else "EMPTY")
        theme.mark(self.state, "tone", "")

    def _progressed(self, event):
        self._total, self._counts = event["total"], event.get("nodes", {})
        self.canvas.show_run(self._counts, self._total, "running")
        self.bar.setRange(0, self._total)
        self.bar.setValue(event["done"])
        if event["total"]:
            left = event.get("seconds-left")
            words = [f"{event['done']} of {event['total']} arrays", *([f"{event['rate']:.3g} a second"] if "rate" in event else []),
                     *([f"{left:.0f} s left"] if left is not None else [])]
            self.tell(", ".join(words))

    def _told(self, level, text):
        self.noted.emit(level, text)
        if level == "warning":
            self.tell(text)

    def _ended(self, status, sentence):
        self.canvas.show_run(self._counts, self._total, status, self.runner.node if status == "failed" else "")
        self.state.setText(STATES.get(status, status.upper()))
        theme.mark(self.state, "tone", {"failed": "failure", "done": "good"}.get(status, ""))
        self.tell(sentence[:1].upper() + sentence[1:], status == "failed")
        if self.runner.outputs:
            self._result = os.path.join(self.run_folder, self.runner.outputs[-1])
            self.result.setToolTip(self._result)
        if status == "done":
            self._step_to("Open result" if self.runner.outputs and self.session is not None else "")
        if status == "failed":
            self.noted.emit("error", sentence)
        self.ran.emit(status, sentence)
