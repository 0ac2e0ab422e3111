# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""GstTomo.Reconstruction: properties and parameters, what it tells, runs with a main loop and without."""

import gc
import json
import os
import shutil
import sys
import tempfile
import threading
import unittest

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstTomo", "1.0")
import h5py
import numpy as np
from gi.repository import GLib, Gst, GstTomo

from phantom_scan import AXIS, ROWS, VIEWS, WIDTH, Scan

Gst.init(None)


class Reconstruction(unittest.TestCase):
    def setUp(self):
        before, folder = os.getcwd(), tempfile.mkdtemp(prefix="gst-tomo-")
        self.addCleanup(shutil.rmtree, folder)
        self.addCleanup(os.chdir, before)
        os.chdir(folder)

    def reconstruction(self, **properties):
        Scan().nxtomo("scan.nxs")
        new = GstTomo.Reconstruction.new("scan.nxs")
        for name, value in properties.items():
            new.set_property(name, value)
        return new

    def test_every_parameter_is_a_property(self):
        schema = json.loads(GstTomo.Reconstruction.get_schema())["properties"]
        reconstruction = GstTomo.Reconstruction.new(None)
        specs = {spec.name: spec for spec in reconstruction.list_properties()}
        self.assertEqual(list(schema), list(specs))
        for name, spec in specs.items():
            self.assertEqual(spec.blurb, schema[name]["description"])
            if "default" in schema[name]:
                self.assertEqual(reconstruction.get_property(name) or "", schema[name]["default"] or "")
            else:  # any number is a value
                self.assertEqual(abs(reconstruction.get_property(name)), sys.float_info.max)
                self.assertIn("x-automatic", schema[name])
        self.assertEqual(json.loads(reconstruction.get_parameters()), {})

    def test_parameters(self):
        reconstruction = GstTomo.Reconstruction.new(None)
        told = []
        reconstruction.connect("notify", lambda _, spec: told.append(spec.name))
        reconstruction.set_parameters('{"axis": 12.5, "circle": true, "y": 0}')
        reconstruction.set_parameter("rings", "Fourier")
        reconstruction.props.binning = 2
        self.assertEqual(told, ["axis", "circle", "rings", "binning"])
        self.assertEqual(json.loads(reconstruction.get_parameters()),
                         {"axis": 12.5, "circle": True, "rings": "fourier", "binning": 2})
        reconstruction.save_configuration("reco.conf")
        other = GstTomo.Reconstruction.new(None)
        other.load_configuration("reco.conf")
        self.assertEqual(other.get_parameters(), reconstruction.get_parameters())
        self.assertEqual(other.get_configuration(), reconstruction.get_configuration())
        for call, word in ((lambda: other.set_parameter("axs", "1"), "axis"), (lambda: other.set_parameters("{"), "parameters"),
                           (lambda: other.set_parameter("binning", "99"), "16"), (lambda: other.load_configuration("no.conf"), "no.conf")):
            with self.assertRaisesRegex(GLib.Error, word):
                call()

    def test_inspect_estimate_plan(self):
        reconstruction = self.reconstruction()
        self.assertEqual(json.loads(reconstruction.inspect())["projections"], VIEWS)
        self.assertAlmostEqual(json.loads(reconstruction.estimate_axis())["axis"], AXIS, delta=0.1)
        plan = json.loads(reconstruction.plan())
        self.assertEqual(plan["axis-from"], "found")
        graph = GstTomo.Graph.new_from_json(json.dumps(plan["slabs"][0]["graph"]))
        graph.run()
        with h5py.File("scan-slices.h5") as file:
            self.assertEqual(file["entry/data/data"].shape, (ROWS, WIDTH, WIDTH))

    def test_run_without_a_main_loop(self):
        reconstruction = self.reconstruction(axis=AXIS)
        events, threads = [], set()

        def note(_, event):
            events.append(json.loads(event))
            threads.add(threading.get_ident())

        reconstruction.connect("event", note)
        self.assertTrue(reconstruction.run())
        self.assertEqual((events[0]["event"], events[-1]["event"]), ("hello", "done"))
        self.assertEqual(threads, {threading.get_ident()})
        with self.assertRaisesRegex(GLib.Error, "--overwrite"):
            reconstruction.run()
        reconstruction.props.overwrite = True
        self.assertTrue(reconstruction.run())
        self.assertFalse(reconstruction.is_running())

    def test_run_in_a_main_loop(self):
        """Whose thread gets the events; nobody has to hold the object."""
        loop, kinds = GLib.MainLoop(), []

        def on_event(_, event):
            kinds.append(json.loads(event)["event"])
            if kinds[-1] == "done":
                loop.quit()

        reconstruction = self.reconstruction(axis=AXIS)
        reconstruction.connect("event", on_event)
        reconstruction.start()
        del reconstruction
        gc.collect()
        timeout = GLib.timeout_add_seconds(60, loop.quit)
        loop.run()
        GLib.source_remove(timeout)
        self.assertEqual(kinds[-1], "done")
        self.assertTrue(os.path.exists("scan-slices.h5"))

    def test_changes_while_it_runs(self):
        scan = Scan().repeated(12, 6)  # so that it takes a while
        scan.nxtomo("large.nxs")
        reconstruction = self.reconstruction(axis=AXIS, scan="large.nxs", output="scan-slices.h5")
        reconstruction.start()
        with self.assertRaisesRegex(GLib.Error, "runs"):
            reconstruction.set_parameter("axis", "3")
        with self.assertRaisesRegex(GLib.Error, "running"):
            reconstruction.inspect()
        reconstruction.abort()
        with self.assertRaisesRegex(GLib.Error, "aborted"):
            reconstruction.wait()
        self.assertFalse(os.path.exists("scan-slices.h5"))
        reconstruction.props.scan = "scan.nxs"
        self.assertTrue(reconstruction.run())

    def test_methods_return_what_is_there(self):
        """The same slices as the tool's line, from several objects at once."""
        several = [self.reconstruction(axis=AXIS, output=f"slices-{i}.h5") for i in range(3)]
        for reconstruction in several:
            reconstruction.start()
        for reconstruction in several:
            self.assertTrue(reconstruction.wait())
        volumes = []
        for i in range(3):
            with h5py.File(f"slices-{i}.h5") as file:
                volumes.append(file["entry/data/data"][()])
        for other in volumes[1:]:
            np.testing.assert_array_equal(other, volumes[0])


if __name__ == "__main__":
    unittest.main()
