# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-gui [SCAN]: starts the window."""

import os
import signal
import sys

# Of dataflows that this program never makes itself; GStreamer is there for the parameters alone.
import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstTomo", "1.0")

from pyqtgraph.Qt import QtCore, QtWidgets  # noqa: E402

from . import theme  # noqa: E402
from .command import parser  # noqa: E402


def main(words=None):
    arguments = parser().parse_args(words)
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("QT_QPA_PLATFORM")):
        print("tomo-gui: there is no display: DISPLAY and WAYLAND_DISPLAY are not set", file=sys.stderr)
        return 1
    application = QtWidgets.QApplication(sys.argv[:1])
    application.setApplicationName("tomo-gui")
    application.setDesktopFileName("org.gst_tomo.Gui")
    theme.apply(arguments.theme or theme.saved())
    # The window's thread sleeps in C most of the time, where Python sees no signal.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: QtCore.QTimer.singleShot(0, application.quit))  # also before the window lives
    ticks = QtCore.QTimer()
    ticks.timeout.connect(lambda: None)
    ticks.start(200)

    from .session import Session
    from .window import Window
    session = Session(arguments.queue)
    try:
        if arguments.config:
            session.configuration.load(arguments.config)
    except ValueError as e:
        session.close()
        print(f"tomo-gui: {e}", file=sys.stderr)
        return 1
    window = Window(session)
    window.show()
    if arguments.live is not None:
        window.show_place("Live").begin(arguments.live)
    if arguments.scan:
        window.show_place("Scans").open_scans(arguments.scan)
    status = application.exec() if hasattr(application, "exec") else application.exec_()
    window.close()
    return status
