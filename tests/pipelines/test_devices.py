#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Dataflows that place their parts on two devices of PoCL by themselves: GstTomo.Graph, JSON, tomo-launch."""

import os

os.environ["POCL_DEVICES"] = "pthread pthread"  # before OpenCL is loaded
os.environ.pop("GST_TOMO_DEVICES", None)

import pathlib
import re
import shlex
import threading

from pipetest import *

from drivertest import SCHEMA, problem
import example_files
from test_tracer import table_of

gi.require_version("GstController", "1.0")
gi.require_version("GstTomo", "1.0")
from gi.repository import GstController, GstTomo

ROOT = pathlib.Path(__file__).resolve().parents[2]
SINOGRAMS = "read path=in name=r ! "


def graph_of(line, devices="all"):
    graph = GstTomo.Graph.new_from_words(shlex.split(line))
    graph.set_property("devices", devices)
    return graph


def placed(graph):
    """The rows of nodes that run in copies."""
    return [part["nodes"] for part in json.loads(graph.to_json())["placement"]]


def elements_in(bin):
    return {element.get_factory().get_name() if element.get_factory() else "" for element in bin.iterate_recurse()}


def contents(file):
    """The bytes of a file; of HDF5 those of its datasets that are no provenance."""
    if not h5py.is_hdf5(file):
        return pathlib.Path(file).read_bytes()
    found = {}
    with h5py.File(file) as opened:
        opened.visititems(lambda name, item: found.update({name: item[()].tobytes()})
                          if isinstance(item, h5py.Dataset) and item.ndim >= 2 and item.dtype.kind in "iufc" else None)
    return found


class Placement(FaultTestCase):
    def setUp(self):
        super().setUp()
        self.images = write_sinograms("in", (13, 18), 42)

    def assert_placed(self, line, *rows):
        self.assertEqual(placed(graph_of(line)), [row.split() for row in rows], line)

    def test_rows(self):
        """The longest ones between elements that need other arrays, and none that computes nothing."""
        for line, *rows in (
                ("read path=in ! ramp-filter ! backproject ! write filename=a.tif", "ramp-filter backproject"),
                ("read path=in ! flip name=a ! average name=b ! flip name=c ! rescale name=d ! null", "a", "c d"),
                ("read path=in ! queue name=q ! flip name=a ! queue name=r ! crop name=b width=5 ! queue name=s ! null", "a r b"),
                ("read path=in ! flip name=a ! measure name=m metric=mean ! flip name=b ! null", "a", "b"),
                ("read path=in ! flip name=a ! monitor ! flip name=b ! null", "a", "b"),
                ("read path=in ! flip name=a ! flip name=b device=1 ! flip name=c ! null", "a", "c"),
                ("read path=in ! flip name=a ! sliding-stack number=3 ! flip name=b ! null", "a", "b"),
                ("read path=in ! flip name=a ! tee name=t ! queue name=q ! flip name=b ! null t. ! queue ! flip name=c ! null", "a", "b", "c"),
                ("[ read path=in ! flip name=a, read path=in ! flip name=b ] ! subtract ! flip name=c ! null", "a", "b", "c"),
                ("read path=in ! upload ! download ! queue ! null",),
                ("read path=in ! sleep time=0 ! queue ! null",),
                ("read path=in ! identity ! null",),
                ("videotestsrc num-buffers=1 ! video/x-raw,format=GRAY8 ! convert ! flip name=a ! convert ! video/x-raw,format=GRAY8 ! fakesink", "a"),
                ("read path=in ! distribute description=tomoflip ! flip name=a ! null", "a")):
            self.assert_placed(line, *rows)
            self.assertEqual(placed(graph_of(line, "1")), [])

    def test_bindings(self):
        """A node that others take values from tells them in the order of the stream; others may take them in copies."""
        flow = {"nodes": [{"plugin": "read", "name": "r", "properties": {"path": "in"}}, {"plugin": "sirt", "name": "s", "properties": {"num-iterations": 1}},
                          {"plugin": "calculate", "name": "c"}, {"plugin": "rotate", "name": "o"}, {"plugin": "null", "name": "n"}],
                "edges": [{"from": a, "to": b} for a, b in ("rs", "sc", "co", "on")], "devices": "all",
                "bindings": [{"from": {"name": "s", "property": "residual"}, "to": {"name": "o", "property": "angle"}}]}
        self.assertEqual(placed(GstTomo.Graph.new_from_json(json.dumps(flow))), [["c", "o"]])

    def test_nodes_stay(self):
        """Nodes are found by their names, and values set on them count for all copies."""
        graph = graph_of("dummy-data number=500 init=1 width=4 height=3 ! calculate name=c ! flip ! fakesink name=sink", "0,1")
        node = graph.get_node("c")
        pipeline = graph.get_pipeline()
        self.assertIn("tomodistribute", elements_in(pipeline))
        self.assertIs(pipeline.get_by_name("c"), node)
        node.set_property("expression", "v*3")
        found, changes = [], [5]

        def take(pad, info):
            found.append(np.frombuffer(info.get_buffer().extract_dup(0, 4), np.float32)[0])
            if len(found) == 20 and changes:
                node.set_property("expression", f"v*{changes.pop()}")
            return Gst.PadProbeReturn.OK

        pipeline.get_by_name("sink").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, take)
        graph.run()
        self.assertIs(pipeline.get_by_name("c"), node)
        change = found.index(5)
        self.assertGreaterEqual(change, 20)
        self.assertEqual(found, [3] * change + [5] * (500 - change))
        # And without the copies again.
        graph.set_property("devices", "0")
        node.set_property("expression", "v*7")
        found.clear()
        graph.run()
        self.assertNotIn("tomodistribute", elements_in(pipeline))
        self.assertEqual(found, [7] * 500)

    def test_controllers(self):
        """Copies follow the control source of their node."""
        line = SINOGRAMS + "capsfilter caps=application/x-tomo-array(ANY),framerate=1/1 ! flip ! calculate expression=v name=c ! rotate name=o ! write filename=%s"
        source = GstController.InterpolationControlSource(mode=GstController.InterpolationMode.LINEAR)
        for time, angle in ((0, 0.0), (41, 6.0)):
            source.set(time * Gst.SECOND, angle)
        for devices, name in (("", "one.raw"), ("all", "two.raw")):
            graph = graph_of(line % name, devices)
            node = graph.get_node("o")
            node.add_control_binding(GstController.DirectControlBinding.new_absolute(node, "angle", source))
            graph.run()
            self.assertEqual(bool(devices), "tomodistribute" in elements_in(graph.get_pipeline()))
        self.assertEqual(contents("one.raw"), contents("two.raw"))
        # They stop where it does.
        node.remove_control_binding(node.get_control_binding("angle"))
        node.set_property("angle", 0.0)
        graph.run()
        np.testing.assert_array_equal(np.fromfile("two.raw", np.float32).reshape(len(self.images), 13, 18), np.array(self.images)[..., ::-1])
        other = graph.get_node("c")
        node.add_control_binding(GstController.ProxyControlBinding.new(node, "angle", other, "device"))
        with self.assertRaisesRegex(GLib.Error, "'angle' of o is driven by a GstProxyControlBinding"):
            graph.run()

    def test_results_of_nodes(self):
        """A node tells the results of its copies."""
        for devices in ("", "all"):
            graph = graph_of(SINOGRAMS + "sirt name=s num-iterations=2 ! null", devices)
            self.assertEqual(placed(graph) if devices else [["s"]], [["s"]])
            node, told = graph.get_node("s"), []
            node.connect("notify::residual", lambda *_: told.append(node.get_property("residual")))
            graph.run()
            told.sort()
            if devices:
                np.testing.assert_array_equal(told, alone)
            alone = told
            self.assertGreaterEqual(len(told), len(self.images))

    def test_facts_in_results(self):
        """A result has one step for each node, as on one device, and names all devices."""
        part = "tomorampfilter filter=hamming name=f ! tomobackproject axis-pos=8.5 name=b ! tomocrop width=9 name=c"
        facts = []
        for number, (steps, devices) in enumerate(((part, "0"), (part, "all"), (f"distribute description='{part}'", "0"))):
            graph_of(SINOGRAMS + f"{steps} ! write name=w filename={number}.h5:/entry/data/data", devices).run()
            with h5py.File(f"{number}.h5") as file:
                found = {}
                file.visititems(lambda name, item: found.update({name: str(item[()])}) if isinstance(item, h5py.Dataset) and item.ndim == 0 else None)
            del found["entry/reconstruction/date"], found["entry/reconstruction/pipeline"]
            facts.append(found)
        names = [found.pop("entry/reconstruction/device") for found in facts]
        self.assertIn("pthread", names[0])
        self.assertEqual((names[1].count("pthread"), names[2]), (2, names[1]))
        self.assertIn("1: pthread", names[1])
        self.assertEqual(facts[1], facts[0])
        self.assertEqual(facts[2], facts[0])
        for key in ("elements/b/axis-pos", "elements/f/filter", "parameters/axis"):
            self.assertIn(f"entry/reconstruction/{key}", facts[1])

    def test_json(self):
        """Tells the devices and the rows, reads that back, and results tell it, too."""
        line = SINOGRAMS + "ramp-filter filter=hamming name=f ! backproject axis-pos=8.5 name=b ! write name=w filename=%s:/d"
        alone = json.loads(graph_of(line % "one.h5", "").to_json())
        self.assertEqual(set(alone), {"version", "nodes", "edges"})
        graph = graph_of(line % "two.h5")
        dumped = json.loads(graph.to_json())
        self.assertEqual((dumped.pop("devices"), [(p["nodes"], [d["index"] for d in p["devices"]]) for p in dumped.pop("placement")]),
                         ("all", [(["f", "b"], [0, 1])]))
        self.assertEqual(json.dumps(dumped), json.dumps(alone).replace("one.h5", "two.h5"))
        graph.run()
        self.assertEqual(json.loads(graph.to_json())["devices"], "all")
        again = GstTomo.Graph.new_from_json(graph.to_json())
        self.assertEqual(again.get_property("devices"), "all")
        os.rename("two.h5", "before.h5")
        again.run()
        graph_of(line % "one.h5", "").run()
        self.assertEqual(contents("one.h5"), contents("two.h5"))
        self.assertEqual(contents("before.h5"), contents("two.h5"))
        result = subprocess.run(["tomo-runjson", "two.h5", "--dump", "-"], text=True, capture_output=True, timeout=PATIENCE, check=True)
        recorded = json.loads(result.stdout)
        self.assertEqual((recorded.pop("devices"), [p["nodes"] for p in recorded.pop("placement")]), ("0,1", [["f", "b"]]))
        for both in (recorded, dumped):
            both["edges"].sort(key=str)
        self.assertEqual(recorded, dumped)
        for key, value in (("placement", {}), ("devices", 3)):
            with self.assertRaisesRegex(GLib.Error, key):
                GstTomo.Graph.new_from_json(json.dumps({**dumped, key: value}))

    def test_programs(self):
        for number, words in enumerate(([], ["--devices", "all"], ["--devices=0,1"])):
            subprocess.run(["tomo-launch", "-q", *words, *quoted(SINOGRAMS + f"rescale factor=0.5 ! write filename={number}.tif")],
                           check=True, timeout=PATIENCE)
            self.assertEqual(contents(f"{number}.tif"), contents("0.tif"))
        subprocess.run(["tomo-launch", "--devices", "0,1", "--dump", "flow.json", *quoted(SINOGRAMS + "rescale name=s factor=0.5 ! write filename=j.tif")],
                       check=True, timeout=PATIENCE)
        subprocess.run(["tomo-runjson", "-q", "flow.json"], check=True, timeout=PATIENCE)
        self.assertEqual(contents("j.tif"), contents("0.tif"))
        dumped = subprocess.run(["tomo-runjson", "--dump", "-", "--devices", "1", "flow.json"], text=True, capture_output=True, timeout=PATIENCE, check=True)
        self.assertEqual([json.loads(dumped.stdout)[key] for key in ("devices", "placement")], ["1", []])

    def test_environment(self):
        """Is a default for runs, and in no JSON."""
        line = SINOGRAMS + "flip ! null"
        for devices, is_placed in (("", True), ("1", False)):
            graph = graph_of(line, devices)
            os.environ["GST_TOMO_DEVICES"] = "0,1"
            try:
                self.assertEqual("tomodistribute" in elements_in(graph.get_pipeline()), is_placed)
                self.assertNotIn("0,1", graph.to_json())
            finally:
                del os.environ["GST_TOMO_DEVICES"]
        result = subprocess.run(["tomo-launch", *quoted(line)], text=True, capture_output=True, timeout=PATIENCE,
                                env={**os.environ, "GST_TOMO_DEVICES": "H200"})
        self.assertEqual((result.returncode, len(result.stderr.splitlines())), (1, 1))
        self.assertIn("GST_TOMO_DEVICES=H200", result.stderr)

    def test_other_devices(self):
        """Nodes that stay run on one of the chosen devices, and are as they were afterwards."""
        graph = graph_of(SINOGRAMS + "flip name=f ! average name=a ! null", "1")
        pipeline = graph.get_pipeline()
        self.assertEqual([pipeline.get_by_name(n).get_property("device") for n in "rfa"], ["1"] * 3)
        self.assertNotIn('"device"', graph.to_json())
        graph.set_property("devices", "")
        self.assertEqual([graph.get_pipeline().get_by_name(n).get_property("device") or "" for n in "rfa"], [""] * 3)

    def test_wrong_devices(self):
        known = "by index: 0: pthread"
        for devices, *words in (("7", "'7'"), ("gpu", "'gpu'"), ("0,0", "names device 0 twice"), ("all,1", "names device 1 twice"), ("0,,1", "empty part")):
            graph = graph_of(SINOGRAMS + "flip ! null", devices)
            for call in (graph.run, graph.to_json, graph.get_pipeline):
                with self.assertRaises(GLib.Error) as caught:
                    call()
                for word in (*words, known, f"devices={devices}"):
                    self.assertIn(word, caught.exception.message)
            for words_of in ([], ["--dump", "-"], ["--progress", "json"]):
                result = subprocess.run(["tomo-launch", "--devices", devices, *words_of, *quoted(SINOGRAMS + "flip ! null")], text=True,
                                        capture_output=True, timeout=PATIENCE)
                self.assertEqual(result.returncode, 1, result)
                told = result.stdout if words_of[:1] == ["--progress"] else result.stderr
                self.assertIn(known, told)
            graph.set_property("devices", "0,1")
            graph.run()

    def test_progress(self):
        """Tells how the work went to the devices."""
        line = quoted(SINOGRAMS + "rescale factor=0.5 ! rotate angle=0.1 name=o ! null")
        told = subprocess.run(["tomo-launch", "--devices", "all", *line], text=True, capture_output=True, timeout=PATIENCE, check=True)
        shares = re.fullmatch(r"42 arrays in [\d.]+ s; device 0 computed (\d+) %, device 1 (\d+) %", told.stderr.splitlines()[-1])
        self.assertIsNotNone(shares, told.stderr)
        self.assertIn(int(shares[1]) + int(shares[2]), (100, 101))
        told = subprocess.run(["tomo-launch", "--progress", "json", "--devices", "all", *line], text=True, capture_output=True, timeout=PATIENCE, check=True)
        last = [event for event in map(json.loads, told.stdout.splitlines()) if event["event"] == "progress"][-1]
        self.assertIsNone(problem(last, SCHEMA["$defs"]["event"]))
        self.assertEqual(([device["device"][:10] for device in last["devices"]], sum(device["done"] for device in last["devices"])),
                         (["device 0 (", "device 1 ("], 42))
        self.assertEqual(last["nodes"]["o"], 42)
        graph = graph_of(shlex.join(line))
        self.assertEqual(graph.get_device_arrays().unpack(), [])
        graph.run()
        arrays = graph.get_device_arrays().unpack()
        self.assertEqual(([device for device, _, _ in arrays], sum(count for _, _, count in arrays)), ([0, 1], 42))

    def test_tracer(self):
        line = SINOGRAMS + "rescale factor=0.5 name=s ! rotate angle=0.1 name=o ! write filename=out.tif"
        told = subprocess.run(["tomo-launch", "-q", "--devices", "all", *quoted(line)], text=True, capture_output=True, timeout=PATIENCE, check=True,
                              env={**os.environ, "GST_TRACERS": "tomotrace(file=trace.json)"})
        rows = table_of(told.stderr)
        with open("trace.json", encoding="utf-8") as file:
            trace = json.load(file)["tomo"]
        elements = {element["name"]: element for element in trace["elements"]}
        for node in "so":
            copies = [f"{node}-device-{device}" for device in (0, 1)]
            self.assertEqual([sum(rows[copy][key] for copy in copies) for key in ("in", "out")], [42, 42])
            self.assertNotIn(node, rows)
        used = {device["index"]: device for device in trace["devices"]}
        for index, device in used.items():
            if len(used) > 1:
                self.assertRegex(told.stderr, rf"device {index} \(.*\): {device['commands']} commands in [\d.]+ ms")
            of_copies = sum(e["commands"] for name, e in elements.items() if name.endswith(f"-device-{index}"))
            self.assertGreaterEqual(device["commands"], of_copies)
        self.assertEqual(sum(d["commands"] for d in used.values()), sum(e["commands"] for e in elements.values()))

    def test_errors(self):
        """Name the node, and the device where it is to blame."""
        with self.assertRaisesRegex(GLib.Error, "node 'c': .*nothing"):
            graph_of(SINOGRAMS + "flip ! calculate name=c expression=v+nothing ! null").run()
        os.truncate("in/sino30.tif", 200)
        with self.assertRaisesRegex(GLib.Error, "node 'r': .*sino30.tif"):
            graph_of(SINOGRAMS + "flip ! null").run()

    def test_early_end_and_abort(self):
        graph = graph_of("dummy-data name=d number=1000000 width=8 height=8 init=1 ! calculate expression=v+1 ! write filename=out.raw")
        graph.start()
        wait_until(lambda: os.path.exists("out.raw.partial") and os.path.getsize("out.raw.partial") > 2560, "some arrays")
        graph.finish()
        graph.wait()
        values = np.fromfile("out.raw", np.float32)
        self.assertEqual((values.size % 64, set(values)), (0, {2.0}))
        graph.start()
        threading.Timer(0.3, graph.abort).start()
        with self.assertRaisesRegex(GLib.Error, "aborted"):
            graph.wait()

    def test_branches_that_meet(self):
        """A branch waits for the other one, which runs in copies, whose queue grows meanwhile."""
        for number in (1, 42):
            line = (f"read path=in number={number} ! tee name=t ! flip ! flip ! average name=a ! loop number={number} ! s. "
                    "t. ! flip ! s. subtract name=s ! write filename=%s")
            for devices, name in (("", "one.raw"), ("all", "two.raw")):
                graph_of(line % name, devices).run()
            self.assertEqual(contents("one.raw"), contents("two.raw"))

    def test_leaks(self):
        line = SINOGRAMS + "ramp-filter ! queue ! backproject ! write filename=out.tif"
        result = subprocess.run(["tomo-launch", "-q", "--devices", "all", *quoted(line)], text=True, capture_output=True, timeout=PATIENCE,
                                env={**os.environ, **LEAK_TRACER}, check=True)
        self.assertEqual(alive_in(result.stderr), [])


NOT_COMPARABLE = {"camera", "fakesink"}  # it has other frames each time; it writes no files


class Documents(PipelineTestCase):
    def lines(self):
        """Launch lines of the guide that a graph can take, by their place."""
        for document in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
            for block in re.findall(r"^```sh\n(.*?)^```", document.read_text(encoding="utf-8"), re.M | re.S):
                for command in block.replace("\\\n", " ").splitlines():
                    found = re.match(r"(?:gst-launch-1\.0|tomo-launch)\s+(.*)", command)
                    if found and not re.search(r"[|&;<>$`]", found[1].replace("&", "")):
                        yield document.name, found[1]

    def test_same_bytes(self):
        """Each kind of part that may be distributed, in the lines of the guide."""
        example_files.make("files", SEED)
        os.chdir("files")
        inputs = set(pathlib.Path().rglob("*"))
        seen = set()
        for document, line in self.lines():
            words = [word for word in shlex.split(line) if not word.startswith("-")]
            try:
                graph = graph_of(shlex.join(words), "0")
                plugins = {node["name"]: node["plugin"] for node in json.loads(graph.to_json())["nodes"]}
                parts = tuple(tuple(plugins[name] for name in row) for row in placed(graph_of(shlex.join(words))))
                if not parts or parts in seen or not NOT_COMPARABLE.isdisjoint(plugins.values()):
                    continue
                graph.run()
            except GLib.Error:
                continue  # files that it needs are made by commands before it
            seen.add(parts)
            with self.subTest(document=document, line=line):
                alone = self.results(inputs)
                self.assertTrue(alone)
                graph_of(shlex.join(words)).run()
                self.assertEqual(self.results(inputs), alone)
        self.assertGreater(len(seen), 9, seen)

    def results(self, inputs):
        """The files that are new, by their contents; takes them away."""
        found = {}
        for path in set(pathlib.Path().rglob("*")) - inputs:
            if path.is_file():
                found[str(path)] = contents(path)
                path.unlink()
        return found


if __name__ == "__main__":
    main()
