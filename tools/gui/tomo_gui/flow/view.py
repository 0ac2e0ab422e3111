# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the mouse does on the canvas, over NodeGraphQt's view: links that do not fit are refused while they are drawn, a click
on a link chooses it, elements are dropped from the list."""

from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from .items import FlowItem, FlowPipe, GroupItem
from .looks import SMALL, font
from .nodegraph import AbstractNodeItem, NodeViewer, PortItem, PortTypeEnum

MIME = "application/x-gst-tomo-element"


class FlowView(NodeViewer):
    refused = QtCore.Signal(str)  # why a link can't be drawn; empty: it can
    element_dropped = QtCore.Signal(str, object, object)  # plugin, place, pipe or None
    file_dropped = QtCore.Signal(str)
    menu_wanted = QtCore.Signal(object, object)  # item or None, global place

    def __init__(self, why_not, looks, parent=None):
        super().__init__(parent)
        self.why_not = why_not  # (output port, input port) -> text
        self.looks = looks
        self.followed = []  # (item, item, text): of what one finds out, a property of the other takes its values
        self.accept_connection_types, self.reject_connection_types = {}, {}
        self.pipe_slicing = False
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        for text in (self._cursor_text, self._LIVE_PIPE._idx_text):
            text.setFont(font(SMALL))
        self._LIVE_PIPE._idx_text.setDefaultTextColor(looks.text)

    # Links

    def _validate_accept_connection(self, from_port, to_port):
        if from_port.port_type == to_port.port_type:
            self.refused.emit("a link goes from an output to an input")
            return False
        ends = (from_port, to_port) if from_port.port_type == PortTypeEnum.OUT.value else (to_port, from_port)
        why = self.why_not(*ends)
        self.refused.emit(why)
        return not why

    def _validate_reject_connection(self, from_port, to_port):
        return False

    @staticmethod
    def acyclic_check(start_port, end_port):
        return True  # why_not() says so, with a reason

    def establish_connection(self, start_port, end_port):
        pipe = FlowPipe(self.looks)
        self.scene().addItem(pipe)
        pipe.set_connections(start_port, end_port)
        pipe.reset()
        pipe.draw_path(pipe.input_port, pipe.output_port)
        start_port.update()
        end_port.update()
        return pipe

    def sceneMousePressEvent(self, event):
        if not self._LIVE_PIPE.isVisible() and not self.ALT_state:
            port = self.port_at(event.scenePos())
            if port is not None and port.port_type == PortTypeEnum.IN.value and port.connected_pipes:
                return self._draw_away(port) if event.button() == QtCore.Qt.MouseButton.LeftButton else None
            pipe = self.pipe_at(event.scenePos())
            if pipe is not None:
                if event.button() == QtCore.Qt.MouseButton.LeftButton:
                    QtCore.QTimer.singleShot(0, lambda: self.choose_pipe(pipe))
                return
        super().sceneMousePressEvent(event)

    def _draw_away(self, port):
        """The end of a link leaves its input, and follows the mouse."""
        pipe = port.connected_pipes[0]
        output = pipe.output_port
        pipe.delete()
        self._detached_port = port
        self.start_live_connection(output)

    def port_at(self, place):
        return next((item for item in self._items_near(QtCore.QPointF(place.x() + 3, place.y() + 3), None, 6, 6) if isinstance(item, PortItem)), None)

    def pipe_at(self, place):
        """The link there, with no node or port over it."""
        for item in self._items_near(QtCore.QPointF(place.x() + 3, place.y() + 3), None, 6, 6):
            if isinstance(item, (PortItem, FlowItem)):
                return None
            if isinstance(item, FlowPipe):
                return item
        return None

    def choose_pipe(self, pipe):
        if pipe.scene() is not None:
            self.scene().clearSelection()
            pipe.setSelected(True)

    # Elements from the list, files

    def dragEnterEvent(self, event):
        wanted = event.mimeData().hasFormat(MIME) or event.mimeData().hasUrls()
        event.acceptProposedAction() if wanted else event.ignore()

    dragMoveEvent = dragEnterEvent

    def dropEvent(self, event):
        data = event.mimeData()
        place = event.position().toPoint() if hasattr(event, "position") else event.pos()
        if data.hasFormat(MIME):
            there = self.mapToScene(place)
            self.element_dropped.emit(bytes(data.data(MIME)).decode(), there, self.pipe_at(there))
        elif data.hasUrls() and data.urls()[0].isLocalFile():
            self.file_dropped.emit(data.urls()[0].toLocalFile())
        else:
            return event.ignore()
        event.acceptProposedAction()

    # The rest

    def contextMenuEvent(self, event):
        self.RMB_state = False
        place = self.mapToScene(event.pos())
        item = next((i for i in self._items_near(place, None, 6, 6) if isinstance(i, AbstractNodeItem) and not isinstance(i, GroupItem)), None)
        self.menu_wanted.emit(item or self.pipe_at(place), event.globalPos())

    def mousePressEvent(self, event):
        """Modifiers count also where their keys were pressed elsewhere."""
        modifier = QtCore.Qt.KeyboardModifier
        self.SHIFT_state, self.CTRL_state, self.ALT_state = (bool(event.modifiers() & one) for one in (
            modifier.ShiftModifier, modifier.ControlModifier, modifier.AltModifier))
        super().mousePressEvent(event)

    def focusInEvent(self, event):
        QtWidgets.QGraphicsView.focusInEvent(self, event)  # NodeGraphQt's shortcuts are not used

    def focusOutEvent(self, event):
        self.clear_key_state()
        QtWidgets.QGraphicsView.focusOutEvent(self, event)

    def keyPressEvent(self, event):
        """A live link ends with Escape."""
        if event.key() == QtCore.Qt.Key.Key_Escape and self._LIVE_PIPE.isVisible():
            if self._detached_port is not None:
                self.establish_connection(self._start_port, self._detached_port)
                self._detached_port = None
            self.end_live_connection()
            return
        super().keyPressEvent(event)

    def set_followed(self, followed):
        self.followed = followed
        mode = QtWidgets.QGraphicsView.ViewportUpdateMode  # lines between moving nodes are no items of their own
        self.setViewportUpdateMode(mode.FullViewportUpdate if followed else mode.BoundingRectViewportUpdate)

    def drawForeground(self, painter, rect):
        pen = QtGui.QPen(self.looks.accent, 2, QtCore.Qt.PenStyle.DashLine)
        for source, target, text in self.followed:
            a, b = (QtCore.QPointF(item.sceneBoundingRect().center().x(), item.sceneBoundingRect().bottom()) for item in (source, target))
            depth = QtCore.QPointF(0, 50 + abs(a.x() - b.x()) / 8)
            path = QtGui.QPainterPath(a)
            path.cubicTo(a + depth, b + depth, b)
            painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
            painter.setPen(pen)
            painter.drawPath(path)
            painter.setBrush(self.looks.accent)
            painter.setPen(QtCore.Qt.PenStyle.NoPen)
            painter.drawPolygon(QtGui.QPolygonF([b, b + QtCore.QPointF(-6, 10), b + QtCore.QPointF(6, 10)]))
            painter.setPen(self.looks.text)
            painter.setFont(font(SMALL))
            middle = path.pointAtPercent(0.5)
            painter.drawText(QtCore.QRectF(middle.x() - 150, middle.y() + 2, 300, 20), int(QtCore.Qt.AlignmentFlag.AlignCenter), text)

    def drawBackground(self, painter, rect):
        painter.fillRect(rect, self.looks.ground)
        step = 40
        painter.setPen(QtGui.QPen(self.looks.grid, 1))
        left, top = int(rect.left()) // step * step, int(rect.top()) // step * step
        if rect.width() / step < 120:
            painter.drawLines([QtCore.QLineF(x, rect.top(), x, rect.bottom()) for x in range(left, int(rect.right()) + 1, step)])
            painter.drawLines([QtCore.QLineF(rect.left(), y, rect.right(), y) for y in range(top, int(rect.bottom()) + 1, step)])
