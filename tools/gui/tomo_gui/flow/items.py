# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nodes, links and groups as the canvas draws them."""

from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from .looks import SMALL, TEXT, font
from .nodegraph import BackdropNodeItem, NodeItem, PipeItem
from .rooms import ROOMS

HEAD, FOOT, ROW, LEAST = 54, 22, 23, 150
ALIGN = QtCore.Qt.AlignmentFlag


class FlowItem(NodeItem):
    """A node: its name, its plugin and room, its ports, and how many arrays it has given in a run."""

    def __init__(self, name, looks):
        super().__init__(name)
        self.id = name
        self.looks = looks
        self.room, self.subtitle, self.problem = "", "", ""
        self.count, self.part, self.state = None, None, ""
        self._icon_item.hide()
        self._text_item.setFont(font(TEXT, True))
        self._text_item.setPlainText(name)

    # Layout, in place of NodeGraphQt's

    def calc_size(self, add_w=0.0, add_h=0.0):
        texts = [max((t.boundingRect().width() for t in side.values()), default=0) for side in (self._input_items, self._output_items)]
        subtitle = QtGui.QFontMetricsF(font(SMALL)).horizontalAdvance(self.words())
        width = max(LEAST, self._text_item.boundingRect().width() + 44, subtitle + 28, sum(texts) + 44)
        return width, HEAD + ROW * max(len(self._input_items), len(self._output_items), 1) + FOOT

    def words(self):
        return " \u00b7 ".join(word for word in (self.subtitle, ROOMS.get(self.room, "not installed here")) if word)

    def draw_node(self):
        self._width, self._height = self.calc_size()
        for text in (*self._input_items.values(), *self._output_items.values()):
            text.setFont(font(SMALL))
            text.setDefaultTextColor(self.looks.text)
            text.setCacheMode(QtWidgets.QGraphicsItem.CacheMode.NoCache)
        self._text_item.setDefaultTextColor(self.looks.text)
        self._text_item.setPos(8, 6)
        self.align_ports(v_offset=HEAD)
        self._icon_item.hide()
        self.prepareGeometryChange()
        self.update()

    def add_port(self, name, label, is_input, tip):
        port = (self.add_input if is_input else self.add_output)(name, multi_port=not is_input)
        port.setToolTip(tip)
        (self._input_items if is_input else self._output_items)[port].setPlainText(label)
        return port

    def set_proxy_mode(self, mode):
        super().set_proxy_mode(mode)
        self._icon_item.hide()

    def show_run(self, count, part, state):
        """state: nothing, running, done, failed"""
        if (count, part, state) != (self.count, self.part, self.state):
            self.count, self.part, self.state = count, part, state
            self.update()

    def show_problem(self, text):
        if text != self.problem:
            self.problem = text
            self.update()

    def paint(self, painter, option, widget):
        self.auto_switch_mode()
        looks, rect = self.looks, self.boundingRect().adjusted(1, 1, -1, -1)
        painter.save()
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        path = QtGui.QPainterPath()
        path.addRoundedRect(rect, 4, 4)
        painter.fillPath(path, looks.node)
        painter.setClipPath(path)
        room = looks.room(self.room)
        painter.fillRect(QtCore.QRectF(rect.left(), rect.top(), rect.width(), 5 if not self._proxy_mode else rect.height()), room)
        if not self._proxy_mode:
            self._paint_words(painter, rect)
        painter.setClipping(False)
        edge = looks.failure if self.state == "failed" else looks.accent if self.selected else looks.border
        painter.setPen(QtGui.QPen(edge, 2.4 if self.selected or self.state == "failed" else 1.2))
        painter.drawPath(path)
        painter.restore()

    def _paint_words(self, painter, rect):
        looks = self.looks
        painter.setFont(font(SMALL))
        painter.setPen(looks.dim)
        painter.drawText(QtCore.QRectF(rect.left() + 11, 30, rect.width() - 22, 20), ALIGN.AlignLeft | ALIGN.AlignVCenter, self.words())
        foot = QtCore.QRectF(rect.left() + 11, rect.bottom() - FOOT + 1, rect.width() - 22, FOOT - 4)
        if self.state == "failed":
            painter.setPen(looks.failure)
            painter.drawText(foot, ALIGN.AlignLeft | ALIGN.AlignVCenter, "failed")
        elif self.count is not None:
            painter.drawText(foot, ALIGN.AlignLeft | ALIGN.AlignVCenter, f"{self.count} array{'s' * (self.count != 1)}")
            if self.state == "done":
                painter.drawText(foot, ALIGN.AlignRight | ALIGN.AlignVCenter, "done")
        elif self.problem:
            painter.setPen(looks.warning)
            text = QtGui.QFontMetricsF(painter.font()).elidedText("! " + self.problem, QtCore.Qt.TextElideMode.ElideRight, foot.width())
            painter.drawText(foot, ALIGN.AlignLeft | ALIGN.AlignVCenter, text)
        if self.part is not None and self.state in ("running", "done"):
            bar = QtCore.QRectF(rect.left(), rect.bottom() - 3, rect.width(), 3)
            painter.fillRect(bar, looks.grid)
            bar.setWidth(bar.width() * min(max(self.part, 0.0), 1.0))
            painter.fillRect(bar, looks.accent)


class FoldedItem(FlowItem):
    """A group that is folded: one node, with the ports of those links that leave the group."""

    def __init__(self, group, looks):
        super().__init__(group.title, looks)
        self.id = f"folded {' '.join(group.nodes)}"
        self.group = group
        self.ends = {}  # by the name of a port: node and pad
        self._text_item.set_locked(True)

    def words(self):
        return f"{len(self.group.nodes)} nodes, folded"

    def add_end(self, node, pad, is_input):
        name = f"{node} {pad}"
        if name not in [port.name for port in (self.inputs if is_input else self.outputs)]:
            self.ends[name] = node, pad
            self.add_port(name, node, is_input, f"{pad} of {node}")


class FlowPipe(PipeItem):
    """A link."""

    def __init__(self, looks, link=None):
        self.looks, self.link, self.is_binding = looks, link, False
        super().__init__()

    def _paint_as(self, color, width):
        self.set_pipe_styling(color.getRgb(), width, 0)
        self._dir_pointer.setBrush(color)

    def activate(self):
        self._active = True
        self._paint_as(self.looks.accent, 4)

    def highlight(self):
        self._highlight = True
        self._paint_as(self.looks.accent, 3)

    def reset(self):
        self._active = self._highlight = False
        self._paint_as(self.looks.accent if self.isSelected() else self.looks.link, 3 if self.isSelected() else 2)
        self._draw_direction_pointer()

    def shape(self):
        """Easy to hit, and nothing beside the line."""
        stroker = QtGui.QPainterPathStroker()
        stroker.setWidth(12)
        return stroker.createStroke(self.path())


class GroupItem(BackdropNodeItem):
    """A group: a frame around its nodes that moves with them."""

    def __init__(self, group, looks):
        super().__init__(group.title)
        self.group, self.looks = group, looks
        self.id = f"group {id(group)}"
        self._sizer.hide()

    def calc_frame(self, items):
        rect = QtCore.QRectF()
        for item in items:
            rect = rect.united(item.sceneBoundingRect())
        rect.adjust(-24, -44, 24, 24)
        self.prepareGeometryChange()
        self._width, self._height = rect.width(), rect.height()
        self.setPos(rect.topLeft())

    def paint(self, painter, option, widget):
        rect, looks = self.boundingRect().adjusted(1, 1, -1, -1), self.looks
        painter.save()
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        fill = QtGui.QColor(looks.accent)
        fill.setAlpha(28)
        painter.setBrush(fill)
        painter.setPen(QtGui.QPen(looks.accent if self.selected else looks.border, 1.4, QtCore.Qt.PenStyle.DashLine))
        painter.drawRoundedRect(rect, 4, 4)
        painter.setPen(looks.text)
        painter.setFont(font(TEXT, True))
        painter.drawText(QtCore.QRectF(rect.left() + 10, rect.top() + 4, rect.width() - 20, 24), ALIGN.AlignLeft | ALIGN.AlignVCenter, self.group.title)
        painter.restore()
