# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real windows for tests: a display of their own, a queue of their own, and hands that click and type."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from managers import end_manager

PATIENCE = 60  # seconds until something counts as never
ROOT = pathlib.Path(__file__).resolve().parents[2]
SCAN = ROOT / "examples" / "data" / "savu24737.nxs"
TOOTH = SCAN.with_name("tooth.h5")

sys.path.insert(0, str(ROOT / "tools" / "gui"))


def start_display():
    """An X server of this process, whose screen is 1280 x 800."""
    reader, writer = os.pipe()
    words = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *words], pass_fds=[writer],  # it ends with a test that is killed
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writer)
    with os.fdopen(reader) as file:
        number = file.readline().strip()
    if not number:
        raise RuntimeError("Xvfb does not start")
    os.environ["DISPLAY"] = f":{number}"
    os.environ["QT_QPA_PLATFORM"] = "xcb"
    return server


SERVER = start_display()
HOME = tempfile.mkdtemp(prefix="tomo-gui-home-")
os.environ["XDG_CONFIG_HOME"] = HOME  # where a window remembers what was opened

from pyqtgraph.Qt import QtCore, QtGui, QtTest, QtWidgets  # noqa: E402

from tomo_gui import theme  # noqa: E402

APPLICATION = QtWidgets.QApplication.instance() or QtWidgets.QApplication(sys.argv[:1])
Qt = QtCore.Qt
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


def spin(seconds):
    """Lets the window live for some time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        APPLICATION.processEvents()
        time.sleep(0.005)


def until(condition, said="nothing happened", patience=PATIENCE):
    """Lets the window live until something is true, and returns it."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        APPLICATION.processEvents()
        if value := condition():
            return value
        time.sleep(0.005)
    raise AssertionError(f"{said} within {patience} s")


def own_time():
    """Seconds on a clock that stands still while this thread is ready and other programs have the processors."""
    return time.monotonic() - int(pathlib.Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9


def click(widget, at=None, button=LEFT, modifiers=Qt.KeyboardModifier.NoModifier):
    QtTest.QTest.mouseClick(widget, button, modifiers, at or widget.rect().center())


def type_into(widget, text):
    """As a person does: the old text goes, the new one ends with Enter."""
    widget.setFocus()
    widget.selectAll()
    QtTest.QTest.keyClicks(widget, text)
    QtTest.QTest.keyClick(widget, Qt.Key.Key_Return)


def move(widget, at, held=Qt.MouseButton.NoButton):
    """The mouse comes to a point of a widget, with this button held. The X server would tell that some time later."""
    event = QtGui.QMouseEvent(QtCore.QEvent.Type.MouseMove, QtCore.QPointF(at), QtCore.QPointF(widget.mapToGlobal(at)), Qt.MouseButton.NoButton, held,
                              Qt.KeyboardModifier.NoModifier)
    APPLICATION.sendEvent(widget, event)
    APPLICATION.processEvents()


def drag(widget, start, end, button=LEFT, steps=8):
    """Presses at one point of a widget, moves to another one, and lets go."""
    QtTest.QTest.mousePress(widget, button, Qt.KeyboardModifier.NoModifier, start)
    for step in range(1, steps + 1):
        move(widget, start + (end - start) * step / steps, button)
    QtTest.QTest.mouseRelease(widget, button, Qt.KeyboardModifier.NoModifier, end)


def end_window(window):
    """Closes it, and frees its widgets: each theme that is applied styles all that there are."""
    window.close()
    window.deleteLater()
    QtCore.QCoreApplication.sendPostedEvents(None, int(QtCore.QEvent.Type.DeferredDelete))


class GuiTest(unittest.TestCase):
    """Tests in a folder of their own, with windows that are closed behind them."""

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(HOME, ignore_errors=True)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tomo-gui-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.queue = self.folder / "queue"
        theme.apply("dark")
        settings = QtCore.QSettings("gst-tomo", "tomo-gui")
        settings.clear()
        (pathlib.Path(settings.fileName()).parent / "flow-draft.json").unlink(missing_ok=True)  # of a window of another test
        self._windows = []

    def window(self, scan=None):
        """A window with a scan, which is a copy in the folder of the test, whose facts are known."""
        from tomo_gui.session import Session
        from tomo_gui.window import Window
        window = Window(Session(self.queue))
        self.addCleanup(end_manager, self.queue)
        self.addCleanup(end_window, window)
        window.show()
        until(window.isVisible)
        if scan:
            name = self.folder / pathlib.Path(scan).name
            if not name.exists():
                shutil.copyfile(scan, name)
            window.show_place("Scans").open_scans([str(name)])
            until(lambda: window.session.facts, "the facts of the scan never came")
        return window

    def killed_window(self, values, then):
        """Opens a copy of the bundled scan in a window of another process with settings, does `then` there, which may use window, until
        and jobs, and kills the window. Returns the copy's name, and what `then` has printed."""
        name = self.folder / "scan.nxs"
        name.write_bytes(SCAN.read_bytes())
        script = f"""
import sys
from guitest import *
from tomo_gui.session import Session
from tomo_gui.window import Window
from gsttomo import jobs
window = Window(Session(sys.argv[2]))
window.show()
window.show_place("Scans").open_scans([sys.argv[1]])
until(lambda: window.session.facts)
window.session.configuration.update({values!r})
{then}
sys.stdout.flush()
spin(60)
"""
        child = subprocess.Popen([sys.executable, "-c", script, name, self.queue], stdout=subprocess.PIPE, text=True,
                                 env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
        self.addCleanup(child.stdout.close)
        told = child.stdout.readline()
        child.kill()
        child.wait()
        return name, told.strip()

    def save_picture(self, widget, name):
        """For docs/desktop.md, where the environment names a folder for it."""
        folder = os.environ.get("GST_TOMO_SCREENSHOTS")
        if folder:
            spin(0.2)
            widget.grab().save(str(pathlib.Path(folder) / name))


def main():
    """Runs the tests of a module, and ends its display."""
    try:
        program = unittest.main(exit=False)
        status = 0 if program.result.wasSuccessful() else 1
    finally:
        APPLICATION.closeAllWindows()
        SERVER.terminate()
        SERVER.wait()
    sys.stdout.flush()
    os._exit(status)  # PySide's objects die in any order at the end of a process
