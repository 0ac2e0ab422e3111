# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The canvas: draws a Document, and turns what the mouse does into changes of it. It follows each change a moment later."""

from pyqtgraph.Qt import QtCore, QtWidgets

from .catalogue import describe_caps
from .document import Refused
from .items import FlowItem, FlowPipe, FoldedItem, GroupItem
from .looks import Looks
from .nodegraph import PortTypeEnum
from .view import FlowView

from gi.repository import Gst


class Canvas(QtWidgets.QWidget):
    chosen = QtCore.Signal()  # names() and links() are others now
    refused = QtCore.Signal(str)
    file_dropped = QtCore.Signal(str)
    menu_wanted = QtCore.Signal(object, object)

    def __init__(self, document, parent=None):
        super().__init__(parent)
        self.document = document
        self._items, self._signatures = {}, {}  # of nodes that are drawn
        self._groups, self._folded, self._pipes = [], {}, {}
        self._counts = {}
        self._wanted = None  # names to choose when they are drawn
        self.looks = Looks.of(self.palette())
        self.view = FlowView(self._why_not, self.looks, self)
        self.view.setObjectName("canvas")
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self._later = QtCore.QTimer(self, singleShot=True, interval=0, timeout=self._follow)
        self._choice_later = QtCore.QTimer(self, singleShot=True, interval=0, timeout=self.chosen.emit)
        view = self.view
        view.refused.connect(self.refused)
        view.connection_changed.connect(self._connection_changed)
        view.moved_nodes.connect(self._moved)
        view.node_name_changed.connect(self._renamed)
        view.node_double_clicked.connect(self._double_clicked)
        view.element_dropped.connect(self._dropped)
        view.file_dropped.connect(self.file_dropped)
        view.menu_wanted.connect(self.menu_wanted)
        view.scene().selectionChanged.connect(self._choice_later.start)
        document.listeners.append(self._later.start)
        self.draw()

    # Looking

    def names(self):
        """The chosen nodes, also those in folded groups."""
        folded = [name for item in self._folded.values() if item.isSelected() for name in item.group.nodes]
        return [item.id for item in self._items.values() if item.isSelected()] + folded

    def links(self):
        return [link for link, pipe in self._pipes.items() if pipe.isSelected()]

    def chosen_group(self):
        return next((item.group for item in (*self._groups, *self._folded.values()) if item.isSelected()), None)

    def item(self, name):
        """That of a node, or of the folded group that it is in."""
        return self._items.get(name) or next(item for item in self._folded.values() if name in item.group.nodes)

    def pipe(self, link):
        return self._pipes[link]

    def port(self, name, pad, is_input):
        """The port of that name."""
        item = self.item(name)
        wanted = f"{name} {pad}" if isinstance(item, FoldedItem) else pad
        return next(port for port in (item.inputs if is_input else item.outputs) if port.name == wanted)

    def choose(self, names=(), links=()):
        if self._later.isActive():
            self.draw()
        self.view.scene().clearSelection()
        for name, item in self._items.items():
            item.setSelected(name in names)
        for item in self._folded.values():
            item.setSelected(bool(set(item.group.nodes) & set(names)))
        for link, pipe in self._pipes.items():
            pipe.setSelected(link in links)
            pipe.reset()

    def middle(self):
        """A free place near the middle of what is seen."""
        place = self.view.mapToScene(self.view.viewport().rect().center())
        x, y = place.x() - 90, place.y() - 50
        taken = {node.position for node in self.document.nodes}
        while any(abs(x - tx) < 30 and abs(y - ty) < 30 for tx, ty in taken):
            x, y = x + 40, y + 40
        return x, y

    def fit(self, least=0.0):
        """Shows all nodes, or their beginning where they would be smaller than this; never larger than they are."""
        self.draw()
        rect = QtCore.QRectF()
        for item in (*self._items.values(), *self._groups, *self._folded.values()):
            rect = rect.united(item.sceneBoundingRect())
        if rect.isNull():
            return self.view.reset_zoom(QtCore.QPointF(0, 0))
        rect.adjust(-40, -40, 40, 40)
        size = self.view.viewport().size()
        if rect.width() <= size.width() and rect.height() <= size.height():
            self.view.reset_zoom(rect.center())
        else:  # of the shape of the view, so that a change of its size does not zoom
            scale = max(rect.width() / max(size.width(), 1), rect.height() / max(size.height(), 1))
            shown = QtCore.QRectF(0, 0, size.width(), size.height())
            shown.setSize(shown.size() * (min(scale, 1 / least) if least else scale))
            shown.moveCenter(rect.center())
            if shown.width() < rect.width():
                shown.moveLeft(rect.left())
            if shown.height() < rect.height():
                shown.moveTop(rect.top())
            self.view.set_scene_rect([shown.x(), shown.y(), shown.width(), shown.height()])

    def show_run(self, counts, total, state, failed=""):
        """How many arrays each node has given; counts None: no run."""
        self._counts = (counts, total, state, failed)
        for item in (*self._items.values(), *self._folded.values()):
            if counts is None:
                item.show_run(None, None, "")
                continue
            names = item.group.nodes if isinstance(item, FoldedItem) else (item.id,)
            count = max((counts[name] for name in names if name in counts), default=None)
            part = 1.0 if state == "done" and count else count / total if count is not None and total else None
            item.show_run(count, part, "failed" if failed in names else "" if state == "failed" else state)

    # Drawing

    def draw_soon(self):
        self._later.start()

    def _follow(self):
        """What is being dragged is not drawn anew meanwhile."""
        if self.view.LMB_state:
            QtCore.QTimer.singleShot(30, self._later.start)
        else:
            self.draw()

    def draw(self):
        """Makes the scene what the document is."""
        self._later.stop()
        document, before = self.document, set(self.names())
        wanted = before if self._wanted is None else self._wanted
        chosen_links = set(self.links())
        self._wanted = None
        hidden = {name for group in document.groups if group.is_folded for name in group.nodes}
        signatures = {node.name: (node.plugin, tuple(document.inputs(node.name)), tuple(document.outputs(node.name)))
                      for node in document.nodes if node.name not in hidden}
        for pipe in self.view.all_pipes():  # the view may have drawn some anew
            pipe.delete()
        self._pipes.clear()
        for name in [name for name in self._items if signatures.get(name) != self._signatures[name]]:
            self._remove(name)
        for node in document.nodes:
            if node.name in hidden:
                continue
            if node.name not in self._items:
                self._add(node, signatures[node.name])
            self._items[node.name].xy_pos = list(node.position)
        problems = {}
        for name, text in document.problems():
            problems.setdefault(name, text)
        for name, item in self._items.items():
            item.show_problem(problems.get(name, ""))
            item.setToolTip(self._tip(name, problems.get(name, "")))
            if item.isSelected() != (name in wanted):
                item.setSelected(name in wanted)
        self._draw_folded(wanted, problems)
        for link in document.links:
            if self.item(link.source) is self.item(link.target):
                continue  # inside of a folded group
            pipe = self.view.establish_connection(self.port(link.source, document.drawn_output(link), False), self.port(link.target, link.input, True))
            pipe.link = link
            pipe.setToolTip(f"{link.source} to {link.target}: {self.carried(link)}")
            self._pipes[link] = pipe
            if link in chosen_links:
                pipe.setSelected(True)
                pipe.reset()
        self._draw_groups()
        self.view.set_followed([(self.item(b.source), self.item(b.target), f"{b.result} \u2192 {b.property}") for b in document.bindings
                                if self.item(b.source) is not self.item(b.target)])
        self.view.scene().update()
        if self._counts:
            self.show_run(*self._counts)
        self._choice_later.start()

    def carried(self, link):
        caps = self.document.output_caps(link.source, link.output)
        return describe_caps(Gst.Caps.from_string(caps)) if caps else "not known"

    def _tip(self, name, problem):
        element = self.document.element(name)
        text = f"{name}: {element.description}" if element else f"{name}: there is no element {self.document.node(name).plugin} here"
        return f"<p>{text}</p>" + (f"<p><b>{problem}</b></p>" if problem else "")

    def _add(self, node, signature):
        element = self.document.catalogue.find(node.plugin)
        item = FlowItem(node.name, self.looks)
        item.room = element.room if element else ""
        item.subtitle = node.plugin
        for names, is_input in ((signature[1], True), (signature[2], False)):
            for number, name in enumerate(names):
                port = element and (element.input_port(name) if is_input else element.output_port(name))
                caps = describe_caps(Gst.Caps.from_string(port.caps)) if port else "not known"
                how = f"input {number}" if is_input else f"output {number}"
                item.add_port(name, name.partition("%")[0].rstrip("_") or name, is_input, f"{name} ({how}): {caps}")
        self.view.add_node(item, list(node.position))
        self._items[node.name], self._signatures[node.name] = item, signature

    def _remove(self, name):
        item = self._items.pop(name)
        del self._signatures[name]
        self.view.scene().removeItem(item)

    def _draw_folded(self, chosen, problems):
        for item in self._folded.values():
            self.view.scene().removeItem(item)
        self._folded = {group: FoldedItem(group, self.looks) for group in self.document.groups if group.is_folded}
        for group, item in self._folded.items():
            members = set(group.nodes)
            for link in self.document.links:
                if link.target in members and link.source not in members:
                    item.add_end(link.target, link.input, True)
                elif link.source in members and link.target not in members:
                    item.add_end(link.source, self.document.drawn_output(link), False)
            self.view.add_node(item, list(self._corner(group)))
            item.setToolTip(", ".join(group.nodes) + ". A double click opens the group")
            item.show_problem(next((f"{name}: {problems[name]}" for name in group.nodes if name in problems), ""))
            item.setSelected(members <= chosen)

    def _corner(self, group):
        places = [self.document.node(name).position for name in group.nodes]
        return min(x for x, _ in places), min(y for _, y in places)

    def _draw_groups(self):
        chosen = {item.group for item in self._groups if item.isSelected()}
        for item in self._groups:
            self.view.scene().removeItem(item)
        self._groups = []
        for group in self.document.groups:
            if group.is_folded:
                continue
            item = GroupItem(group, self.looks)
            item.calc_frame([self._items[name] for name in group.nodes])
            self.view.scene().addItem(item)
            item.setSelected(group in chosen)
            self._groups.append(item)

    def changeEvent(self, event):
        if event.type() in (QtCore.QEvent.Type.PaletteChange, QtCore.QEvent.Type.StyleChange) and hasattr(self, "view"):
            self.looks = self.view.looks = Looks.of(self.palette())
            self.view._LIVE_PIPE._idx_text.setDefaultTextColor(self.looks.text)
            for name in list(self._items):
                self._wanted = set(self.names())
                self._items[name].looks = self.looks
                self._items[name].draw_node()
            self.view.resetCachedContent()
            self.draw()
        super().changeEvent(event)

    # What the mouse did

    def _why_not(self, output, given):
        return self.document.why_not(*self._ends(output, given))

    def _ends(self, a, b):
        output, given = (a, b) if a.port_type == PortTypeEnum.OUT.value else (b, a)
        return *self._end(output), *self._end(given)

    def _end(self, port):
        return port.node.ends[port.name] if isinstance(port.node, FoldedItem) else (port.node.id, port.name)

    def _link_between(self, a, b):
        source, output, target, pad = self._ends(a, b)
        return next((link for link in self.document.links
                     if (link.source, self.document.drawn_output(link), link.target, link.input) == (source, output, target, pad)), None)

    def _connection_changed(self, disconnected, connected):
        gone = [link for link in (self._link_between(*pair) for pair in disconnected) if link]
        try:
            for pair in connected:
                self.document.connect(*self._ends(*pair), instead_of=gone[0] if gone else None)
            if not connected and gone:
                self.document.disconnect(*gone)
        except Refused as why:
            self.refused.emit(str(why))
        self._later.start()  # what the view has drawn by itself goes

    def _moved(self, moved):
        places = {}
        for item in moved:
            if isinstance(item, FoldedItem):
                x, y = (new - old for new, old in zip(item.xy_pos, self._corner(item.group)))
                for name in item.group.nodes:
                    place = self.document.node(name).position
                    places[name] = place[0] + x, place[1] + y
            elif isinstance(item, FlowItem):
                places[item.id] = item.xy_pos
        self.document.move(places)
        self._later.start()

    def _renamed(self, old, new):
        try:
            self.document.rename(old, new)
            self._wanted = {new.strip()}
        except Refused as why:
            self.refused.emit(str(why))
            self._items[old]._text_item.setPlainText(old)

    def _double_clicked(self, name):
        folded = next((item.group for item in self._folded.values() if item.id == name), None)
        if folded is not None:
            return self.document.fold(folded.nodes, False)
        group = next((item.group for item in self._groups if item.id == name), None)
        if group is not None:
            title, good = QtWidgets.QInputDialog.getText(self, "Group", "Title", text=group.title)
            if good and title.strip():
                self.document.rename_group(group, title.strip())

    def _dropped(self, plugin, place, pipe):
        x, y = place.x() - 88, place.y() - 26
        try:
            name = self.document.add_on(pipe.link, plugin, (x, y)) if isinstance(pipe, FlowPipe) and pipe.link else self.document.add(plugin, (x, y))
        except Refused as why:
            self.refused.emit(str(why))
            name = self.document.add(plugin, (x, y))
        self.choose([name])
