# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What all places share: the chosen scan, its facts, the configuration, images, and the queue of jobs."""

import os
import pathlib
import tempfile

from gsttomo.faces.names import free_name, output_beside
from gsttomo.faces.parameters import OF_ONE_SCAN, OF_SCAN, TO_FIND_AXIS, scan_of
from pyqtgraph.Qt import QtCore

from .configuration import Configuration
from .jobs_model import JobsModel
from .pictures import FlowPictures, Pictures
from .processes import Question

MOST_RECENT = 12
PAUSE = 300  # ms without a change until the scan is looked at again
class Session(QtCore.QObject):
    """Of one window.

    facts_changed: `facts` are others: those of tomo-reconstruct info --json, or None while nothing is known
    failed: with the reason why a scan can't be read
    noted: with a level (info, warning, error) and a text for the log
    opened: with the name of a result that somebody wants to see
    place_wanted: with the title of a place, for the next step
    axis_known: the last slice has found the axis
    calmed: something works that failed before; an old error needs no eye any more
    field_wanted: with the name of a parameter that somebody is asked to set
    log_wanted: somebody wants to read it"""

    facts_changed = QtCore.Signal()
    failed = QtCore.Signal(str)
    noted = QtCore.Signal(str, str)
    opened = QtCore.Signal(str)
    place_wanted = QtCore.Signal(str)
    field_wanted = QtCore.Signal(str)
    axis_known = QtCore.Signal()
    log_wanted = QtCore.Signal()
    calmed = QtCore.Signal()

    def __init__(self, queue=None, parent=None):
        super().__init__(parent)
        self.configuration = Configuration(self)
        self.pictures, self.flow_pictures = Pictures(self), FlowPictures(self)
        self.jobs = JobsModel(queue, self)
        self.facts, self.problem = None, None
        self.found_axis = None  # by the last slice that was made
        self.axis_uncertainty = self._found = None  # of the axis in the configuration, where it was found
        self._question = None
        self._pause = QtCore.QTimer(self, singleShot=True, interval=PAUSE)
        self._pause.timeout.connect(self._inspect)
        self.configuration.changed.connect(self._change)

    @property
    def scan(self):
        """Name of the scan, or of what stands for it; "" where there is none."""
        return scan_of(self.configuration.values)

    def open_scan(self, path, kept=None):
        """Chooses a scan. What belonged to the last one alone (its axis and the like) is forgotten, settings stay. `kept` is such
        values of this scan, as values_of_scan() gave them."""
        before = self.configuration.values
        path = str(pathlib.Path(path).absolute()) if os.path.exists(path) else str(path)
        is_same = self.scan and os.path.exists(path) and os.path.exists(self.scan) and os.path.samefile(path, self.scan)
        # Settings that were loaded before any scan was chosen are for this one.
        forgotten = () if is_same or not self.scan else [name for name in OF_ONE_SCAN if name in before]
        self.configuration.update({**dict.fromkeys(forgotten), **(kept or {}), "scan": path})
        self.configuration.forget_past()  # undo is for settings
        if before.get("scan") == path:
            self._inspect()
        self._remember(path)

    def values_of_scan(self):
        """Those that open_scan() forgets."""
        return {name: value for name, value in self.configuration.values.items() if name in OF_ONE_SCAN}

    def take_axis(self, axis, uncertainty=None, roll=None):
        """The axis counts from now on, in place of all that says how it is found."""
        self._found = uncertainty
        try:
            self.configuration.update({**dict.fromkeys(TO_FIND_AXIS), "axis": round(axis, 2), **({} if roll is None else {"roll": roll})})
        finally:
            self._found = None
        self.axis_uncertainty = uncertainty

    @property
    def recent(self):
        """Scans that were opened lately and are still there."""
        named = QtCore.QSettings("gst-tomo", "tomo-gui").value("recent", []) or []
        return [name for name in ([named] if isinstance(named, str) else named) if os.path.exists(name)]

    def output(self):
        """Where the result goes if nothing else is said: beside the scan, as nobody knows the folder of a window."""
        given = self.configuration.values.get("output")
        if given:
            return given
        return output_beside(self.scan)

    def free_output(self):
        """The same, by a name that neither a file nor a job has. One that was chosen by hand, or may be replaced, stays."""
        values = self.configuration.values
        if values.get("overwrite") or values.get("resume"):
            return self.output()
        return free_name(self.output(), self.jobs.outputs())

    def axis(self):
        """The axis that counts, and where it comes from: set, scan, or found in the last slice; None where nobody knows it."""
        values = self.configuration.values
        if "axis" in values:
            return values["axis"], "set"
        if "axis-index" in values:
            return values["axis-index"] + 0.5, "set"
        if self.facts and self.facts.get("axis") and values.get("axis-method", "auto") in ("auto", "scan"):
            return self.facts["axis"], "scan"
        return (self.found_axis, "found") if self.found_axis is not None else None

    def axis_or_middle(self):
        """The axis that counts now, else the middle of the columns."""
        axis = self.axis()
        return axis[0] if axis else self.facts["width"] / 2

    def description(self, **changes):
        """The configuration as a job runs it; a value of None leaves a parameter out."""
        values = {**self.configuration.values, **{name.replace("_", "-"): value for name, value in changes.items()}}
        return {name: value for name, value in values.items() if value is not None}

    def ask_program(self, *words):
        """Starts tomo-reconstruct with a command and the configuration, whose answer is JSON: a Question."""
        handle, path = tempfile.mkstemp(prefix="tomo-gui-", suffix=".conf")
        os.close(handle)
        self.configuration.save(path)
        question = Question("tomo-reconstruct", [*words, "--json", "--config", path], self)
        question.destroyed.connect(lambda: pathlib.Path(path).unlink(missing_ok=True))
        return question

    def close(self):
        """Ends what belongs to the window; jobs go on."""
        self._pause.stop()
        if self._question:
            self._question.drop()
            self._question = None
        self.pictures.close()
        self.flow_pictures.close()
        self.jobs.close()

    def _change(self, names):
        if names & {"scan", "projections", "sinograms", "entry", "detector"}:
            self.facts, self.problem, self.found_axis = None, None, None
            self.facts_changed.emit()
        if names & {"axis-method", "axis-range", "axis-metric", "axis-rows"}:
            self.found_axis = None
        if "axis" in names:
            self.axis_uncertainty = self._found
        if names & OF_SCAN:
            self._pause.start()

    def _inspect(self):
        self._pause.stop()
        if self._question:
            self._question.drop()
            self._question = None
        if not self.scan:
            return
        self._question = self.ask_program("info")
        self._question.answered.connect(self._know)
        self._question.failed.connect(self._fail)

    def _know(self, facts):
        self._question = None
        self.facts, self.problem = facts, None
        self.facts_changed.emit()

    def _fail(self, reason):
        self._question = None
        self.facts, self.problem = None, reason
        self.facts_changed.emit()
        self.failed.emit(reason)
        self.noted.emit("error", reason)

    def _remember(self, path):
        names = [path, *(name for name in self.recent if name != path)][:MOST_RECENT]
        QtCore.QSettings("gst-tomo", "tomo-gui").setValue("recent", names)
