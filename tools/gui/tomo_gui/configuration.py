# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The parameters of a reconstruction, as the command line has them, with undo."""

import json
import pathlib

import gi
from gsttomo.faces.parameters import text_of
from pyqtgraph.Qt import QtCore

gi.require_version("GstTomo", "1.0")
from gi.repository import GLib, GstTomo  # noqa: E402


def schema(kind=GstTomo.Reconstruction):
    """All parameters in their order, each as JSON schema has it."""
    return json.loads(kind.get_schema())["properties"]


class Configuration(QtCore.QObject):
    """Values of the parameters that differ from their defaults, of a reconstruction or of another `kind` of object with parameters, which decides
    what a text means, and whether it is right.

    changed: names of the parameters that another value stands for now"""

    changed = QtCore.Signal(object)

    def __init__(self, parent=None, kind=GstTomo.Reconstruction):
        super().__init__(parent)
        self._kind, self.schema = kind, schema(kind)
        self._values = {}
        self._past, self._future = [], []

    @property
    def values(self):
        """A description for tomo-reconstruct: name to value, without those that have their defaults."""
        return dict(self._values)

    def text(self, name):
        """The value as text; "" where it has its default."""
        return text_of(self._values[name]) if name in self._values else ""

    def is_default(self, name):
        return name not in self._values

    def problem(self, name, text):
        """Why a text is no value of a parameter, in one sentence; None if it is one."""
        try:
            self._parsed(name, text)
        except ValueError as e:
            return str(e)
        return None

    def set(self, name, text):
        """Gives a parameter the value that a text stands for; "" is the default. Raises ValueError in the library's words."""
        values = {key: value for key, value in self._values.items() if key != name}
        if text != "":
            values |= self._parsed(name, text)
        self._replace(values)

    def update(self, values):
        """Gives several parameters their values in one step; None is the default. Raises ValueError as set() does."""
        kept = {key: value for key, value in self._values.items() if key not in values}
        self._replace(self._checked({**kept, **{key: value for key, value in values.items() if value is not None}}))

    def reset(self):
        self._replace({})

    def load(self, path):
        """Takes all parameters from a reco.conf. Raises ValueError, and changes nothing, if it is none."""
        reconstruction = GstTomo.Reconstruction.new(None)
        try:
            reconstruction.load_configuration(str(path))
        except GLib.Error as e:
            raise ValueError(e.message) from None
        self._replace(json.loads(reconstruction.get_parameters()))

    def save(self, path):
        """Writes a reco.conf, as a whole or not at all. Raises OSError."""
        reconstruction = GstTomo.Reconstruction.new(None)
        reconstruction.set_parameters(json.dumps(self._values))
        try:
            reconstruction.save_configuration(str(pathlib.Path(path)))
        except GLib.Error as e:
            raise OSError(e.message) from None

    def forget_past(self):
        """undo() ends here."""
        self._past.clear()
        self._future.clear()

    @property
    def can_undo(self):
        return bool(self._past)

    @property
    def can_redo(self):
        return bool(self._future)

    def undo(self):
        self._go(self._past, self._future)

    def redo(self):
        self._go(self._future, self._past)

    def _go(self, source, target):
        if source:
            target.append(self._values)
            self._take(source.pop())

    def _parsed(self, name, text):
        made = self._kind.new(None)
        try:
            made.set_parameter(name, text)
        except GLib.Error as e:
            raise ValueError(e.message) from None
        return json.loads(made.get_parameters())

    def _checked(self, values):
        made = self._kind.new(None)
        try:
            made.set_parameters(json.dumps(values))
        except GLib.Error as e:
            raise ValueError(e.message) from None
        return json.loads(made.get_parameters())

    def _replace(self, values):
        if values != self._values:
            self._past.append(self._values)
            self._future.clear()
            self._take(values)

    def _take(self, values):
        before, self._values = self._values, values
        names = {name for name in before.keys() | values.keys() if before.get(name) != values.get(name)}
        if names:
            self.changed.emit(names)
