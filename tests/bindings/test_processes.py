# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gst-tomo in processes that do more than run one dataflow: first use in several threads at once, forks, graphs that
nobody waits for. Each script runs in a process of its own."""
import concurrent.futures
import subprocess
import sys
import unittest

PLAIN = """
import gc, os, sys, threading, time
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstTomo", "1.0")
from gi.repository import GLib, Gst, GstTomo
Gst.init(None)
LINE = "dummy-data width=9 height=9 number=5 ! calculate expression=v+1 ! null"
"""


def run(script, timeout=120):
    return subprocess.run([sys.executable, "-c", script], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)


class ProcessTestCase(unittest.TestCase):
    def assert_runs(self, script, times=1):
        with concurrent.futures.ThreadPoolExecutor(2) as workers:
            runs = [workers.submit(run, script) for _ in range(times)]
        for done in runs:
            self.assertEqual(done.result().returncode, 0, done.result().stdout)
        return runs[-1].result().stdout


class FirstUse(ProcessTestCase):
    """PoCL's list of devices is made once in a process, and not by two threads."""

    def test_threads(self):
        self.assert_runs(PLAIN + """
go, failures = threading.Barrier(4), []
def graph():
    flow = GstTomo.Graph.new_from_line(LINE)
    go.wait()
    try:
        flow.run()
    except GLib.Error as error:
        failures.append(error.message)
def pipeline():
    flow = Gst.parse_launch("tomodummydata width=9 height=9 number=5 ! tomofft ! tomoifft ! tomonull")
    go.wait()
    flow.set_state(Gst.State.PLAYING)
    end = flow.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    if end is None or end.type == Gst.MessageType.ERROR:
        failures.append(end and end.parse_error()[0].message)
    flow.set_state(Gst.State.NULL)
threads = [threading.Thread(target=target) for target in (graph, pipeline) * 2]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failures, failures
""", times=6)

    def test_two_runs(self):
        self.assert_runs("""
import gsttomo as g
runs = [g.Null()(g.Blur(size=5)(g.DummyData(width=64, height=64, number=5))).run() for _ in range(3)]
for run in runs: run.wait()
""", times=3)


class Forks(ProcessTestCase):
    """What was used before a fork can't be used behind it, and says so."""

    def test_pool(self):
        words = self.assert_runs("""
import multiprocessing
import numpy as np
import gsttomo
def one(i):
    return float(list(gsttomo.Calculate(expression=f"v+{i}")([np.ones((4, 4), np.float32)]))[0][0, 0])
assert one(1) == 2
with multiprocessing.get_context("fork").Pool(2) as pool:
    try:
        pool.map(one, [1, 2])
    except gsttomo.Error as error:
        print(error)
assert one(2) == 3
""")
        self.assertIn('multiprocessing.set_start_method("spawn")', words)

    def test_plain(self):
        """The graph, a pipeline, a pipeline that was ready, a run of the parent's, memory; and the end of the child."""
        self.assert_runs(PLAIN + """
kept = GstTomo.Graph.new_from_line(LINE)
kept.run()
ready = Gst.parse_launch("tomodummydata number=2 ! tomocalculate ! tomonull")
ready.set_state(Gst.State.READY)
endless = GstTomo.Graph.new_from_line("dummy-data number=100000 ! sleep time=0.05 ! null")
endless.start()
context = GstTomo.Context.new(None)
memory = GstTomo.Allocator.new(context.get_default_device()).alloc(64, None)

def error_of(pipeline):
    pipeline.set_state(Gst.State.PLAYING)
    return pipeline.get_bus().timed_pop_filtered(20 * Gst.SECOND, Gst.MessageType.ERROR).parse_error()[0].message

def refused(function):
    try:
        function()
    except GLib.Error as error:
        return "forked" in error.message
    return False

def is_mapped():
    try:
        with memory.map(Gst.MapFlags.READ) as info:
            return len(info.data) == 64
    except Gst.MapError:
        return False

assert is_mapped()
child = os.fork()
if child == 0:
    assert refused(lambda: GstTomo.Graph.new_from_line(LINE).run())
    assert refused(kept.start)
    assert not endless.is_running()
    assert refused(endless.wait)
    assert refused(lambda: GstTomo.Context.new(None))
    assert "forked" in error_of(Gst.parse_launch("tomodummydata number=2 ! tomonull"))
    assert not is_mapped()
    del kept, memory, context
    gc.collect()
    sys.exit(7)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
assert status == 7, status
endless.abort()
assert refused(endless.wait) is False
kept.run()
ready.set_state(Gst.State.NULL)
""")

    def test_fork_before_use(self):
        self.assert_runs(PLAIN + """
children = []
for _ in range(2):
    children.append(os.fork())
    if children[-1] == 0:
        GstTomo.Graph.new_from_line(LINE).run()
        sys.exit(0)
for child in children:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
GstTomo.Graph.new_from_line(LINE).run()
""")


class DroppedGraphs(ProcessTestCase):
    """Runs that nobody waits for leave nothing behind, without a main loop."""

    def test_descriptors(self):
        self.assert_runs(PLAIN + """
def descriptors():
    gc.collect()
    return len(os.listdir("/proc/self/fd"))
def settle(most):
    for _ in range(1200):
        if descriptors() <= most:
            return descriptors()
        time.sleep(0.05)
    return descriptors()
GstTomo.Graph.new_from_line(LINE).run()
before = descriptors()
for _ in range(10):
    graph = GstTomo.Graph.new_from_line(LINE)
    graph.start()
    del graph
assert settle(before) <= before, (before, descriptors())
for _ in range(10):
    graph = GstTomo.Graph.new_from_line(LINE)
    graph.start()
    while graph.is_running():
        time.sleep(0.002)
    del graph
assert settle(before) <= before, (before, descriptors())

import gsttomo
runs = [gsttomo.Null()(gsttomo.DummyData(width=9, height=9, number=5)).run() for _ in range(10)]
while any(run.is_running() for run in runs):
    time.sleep(0.002)
del runs
gsttomo.Null()(gsttomo.DummyData(width=9, height=9)).run().wait()  # the module keeps runs until they have ended
assert settle(before) <= before, (before, descriptors())
""")

    def test_listener_is_told(self):
        """Who listens is told of the end, though only the main loop has the graph."""
        self.assert_runs(PLAIN + """
loop, told = GLib.MainLoop(), []
def start():
    graph = GstTomo.Graph.new_from_line(LINE)
    graph.connect("done", lambda graph: (told.append(graph.list_nodes()), loop.quit()))
    graph.start()
start()
gc.collect()
time.sleep(0.5)
GLib.timeout_add_seconds(20, loop.quit)
loop.run()
assert told == [["dummy-data", "calculate", "null"]], told
""")


if __name__ == "__main__":
    unittest.main(verbosity=2)
