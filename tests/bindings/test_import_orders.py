# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Errors, an early end and abort() come through whatever Python has imported before or after gst-tomo.

Modules bring libraries of C++ with them, so that libstdc++ is bound to one unwinder or the other, see
gst/tomo/support/unwind-resume.c. What is bound once stays, so that each order needs a process of its own.
"""
import concurrent.futures
import importlib.util
import subprocess
import sys
import unittest

MODULES = ["numpy", "PIL.Image", "scipy.linalg", "scipy.io", "scipy.ndimage", "scipy.special", "h5py", "tifffile"]
# Those too, where they are installed.
OTHERS = ["matplotlib.pyplot", "skimage", "PySide2.QtWidgets", "PySide6.QtWidgets", "PyQt5.QtWidgets", "tango", "torch"]

PLAIN = """
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstTomo", "1.0")
from gi.repository import GLib, Gst, GstTomo
{after}
Gst.init(None)
try:
    GstTomo.Graph.new_from_line("nosuchthing ! null")
    raise SystemExit("no error of the graph")
except GLib.Error as error:
    assert "nosuchthing" in error.message, error
graph = GstTomo.Graph.new_from_line("dummy-data width=9 height=9 number=1000 ! sleep time=0.1 ! null")
graph.start()
graph.abort()
try:
    graph.wait()
    raise SystemExit("no error of abort()")
except GLib.Error as error:
    assert error.message == "aborted", error
pipeline = Gst.parse_launch('tomodummydata number=1 ! tomocalculate expression="v +" ! fakesink')
pipeline.set_state(Gst.State.PLAYING)
message = pipeline.get_bus().timed_pop_filtered(30 * Gst.SECOND, Gst.MessageType.ERROR)
pipeline.set_state(Gst.State.NULL)
assert message and "compile" in message.parse_error()[0].message, message
"""

TASKS = """
import gsttomo
{after}
try:
    list(gsttomo.Backproject()(gsttomo.Read(path="none.tif")))
    raise SystemExit("no error of a task")
except Exception as error:
    assert "none.tif" in str(error), error
for image in gsttomo.Fft()(gsttomo.Blur(size=5)(gsttomo.DummyData(width=32, height=32, number=50))):
    break
"""


def run(before, after, parts):
    script = "\n".join([before] + [part.replace("{after}", after) for part in parts])
    return subprocess.run([sys.executable, "-c", script], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)


class ImportOrders(unittest.TestCase):
    def test_orders(self):
        here = MODULES + [name for name in OTHERS if importlib.util.find_spec(name.partition(".")[0])]
        everything = "import " + ", ".join(here)
        orders = {f"{name} before": (f"import {name}", "", [PLAIN, TASKS]) for name in here}
        orders["all before"] = (everything, "", [TASKS, PLAIN])
        orders["all after the plain binding"] = ("", everything, [PLAIN, TASKS])
        orders["all after gsttomo"] = ("", everything, [TASKS, PLAIN])
        with concurrent.futures.ThreadPoolExecutor(2) as workers:
            runs = {name: workers.submit(run, *order) for name, order in orders.items()}
        for name, done in runs.items():
            with self.subTest(order=name):
                self.assertEqual(done.result().returncode, 0, done.result().stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
