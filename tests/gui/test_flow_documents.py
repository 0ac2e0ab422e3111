# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The dataflows of the place Flow, without a window."""

import json
import pathlib
import random
import re
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "gui"))

from tomo_gui.flow.catalogue import Catalogue, unit_of
from tomo_gui.flow.document import Document, DocumentError, Link, Refused
from tomo_gui.flow.layout import GAP_X, height_of, width_of
from tomo_gui.flow.rooms import TASKS
from tomo_gui.flow.values import Wrong, parsed, shown

PATIENCE = 60


class FlowCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.catalogue = Catalogue()
        cls.catalogue.describe("--list", "--verbose")

    def setUp(self):
        self.document = Document(self.catalogue)

    def chain(self, *plugins):
        names = [self.document.add(plugin) for plugin in plugins]
        for a, b in zip(names, names[1:]):
            self.document.connect(a, "", b, self.document.inputs(b)[0])
        return names

    def as_tool_reads(self, text):
        """The dataflow as tomo-runjson understands it."""
        done = subprocess.run(["tomo-runjson", "--dump", "-", "-"], input=text, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)


class Elements(FlowCase):
    def test_rooms_are_the_folders(self):
        found = {}
        for room, task in re.findall(r"'\w+': '([a-z]+)/([a-z0-9-]+)\.cpp'", (ROOT / "elements" / "meson.build").read_text()):
            found.setdefault(room, set()).add(task)
        self.assertGreater(len(found), 8)
        for room, tasks in TASKS.items():
            self.assertEqual(set(tasks.split()), found[room], room)

    def test_all_are_listed(self):
        listed = {element.plugin for element in self.catalogue.listed()}
        tasks = set(subprocess.run(["tomo-query", "--list"], capture_output=True, text=True, check=True).stdout.split())
        self.assertEqual(tasks - listed, {"memory-in", "memory-out"})
        self.assertLessEqual({"queue", "tee", "filesrc", "filesink", "videotestsrc", "jpegenc", "identity", "multifilesink", "capsfilter"}, listed)
        self.assertFalse(listed & {"appsrc", "playbin", "pipeline", "audiotestsrc", "rtpbin"})

    def test_search(self):
        self.assertEqual(self.catalogue.listed("tee")[0].plugin, "tee")
        self.assertEqual(self.catalogue.listed("backproj")[0].plugin, "backproject")
        self.assertIn("dfi", [e.plugin for e in self.catalogue.listed("fourier inversion")])  # of the description
        self.assertIn("jpegenc", [e.plugin for e in self.catalogue.listed("encoder/image")])  # of the class
        self.assertEqual(self.catalogue.listed("no such words"), [])

    def test_names_of_the_loader(self):
        for name in ("flat-field-correct", "tomoflatfieldcorrect", "flatfieldcorrect"):
            self.assertEqual(self.catalogue.find(name).plugin, "flat-field-correct")
        self.assertEqual(self.catalogue.find("tee").factory, "tee")
        self.assertIsNone(self.catalogue.find("no-task"))
        flat = self.catalogue.find("flat-field-correct")
        self.assertEqual([flat.input_name(n) for n in range(5)], ["projections", "darks", "flats", "flats-after", None])
        join = self.catalogue.find("subtract")
        self.assertEqual((join.input_name(2), join.input_number("sink_2"), join.input_number("sink_x")), ("sink_2", 2, None))
        self.assertEqual(self.catalogue.find("scan-src").output_name(1), "darks")

    def test_units(self):
        by_name = {p["name"]: p for p in self.catalogue.find("backproject").properties}
        self.assertEqual((unit_of(by_name["angle-step"]), unit_of(by_name["batch"])), ("rad", ""))


class Values(FlowCase):
    def property(self, plugin, name):
        return self.catalogue.find(plugin).property(name)

    def test_every_default_goes_there_and_back(self):
        number = 0
        for element in self.catalogue.listed():
            for info in element.properties:
                text = shown(info, info["default"])
                if text:
                    self.assertIsNone(parsed(info, text), (element.plugin, info["name"], text))
                    number += 1
        self.assertGreater(number, 500)

    def test_texts(self):
        step, mode, batch = (self.property("backproject", name) for name in ("angle-step", "mode", "batch"))
        columns = self.property("cone-beam-projection-weight", "center-position-x")
        self.assertEqual(parsed(step, " 0.25"), 0.25)
        self.assertEqual(parsed(batch, "7"), 7)
        self.assertIsNone(parsed(batch, ""))
        self.assertEqual(parsed(mode, "nearest"), "nearest")
        self.assertEqual(parsed(columns, "1, 2.5"), [1, 2.5])
        for info, text in ((step, "x"), (step, "nan"), (step, "inf"), (batch, "1.5"), (batch, "-1"), (batch, "5000"), (mode, "cubicly"),
                           (columns, "1, true"), (columns, "1;2")):
            with self.assertRaises(Wrong, msg=text):
                parsed(info, text)


class Documents(FlowCase):
    def test_links_that_do_not_fit(self):
        a, b, c = self.chain("metaballs", "fft", "queue")
        d, e = self.document.add("backproject"), self.document.add("jpegenc")
        for ends, why in (((c, "src", d, "sink"), "queue gives arrays of complex64, but backproject takes arrays: put ifft between"),
                          ((a, "", e, "sink"), "put convert between, which makes video of arrays"), ((c, "", b, "sink"), "circles"),
                          ((b, "", b, "sink"), "own output"), ((a, "", b, "nothing"), "no input nothing"), ((a, "nothing", d, "sink"), "no output nothing")):
            with self.assertRaisesRegex(Refused, why):
                self.document.connect(*ends)
        self.assertEqual(len(self.document.links), 2)

    def test_a_queue_that_leads_to_video(self):
        q, e, m = (self.document.add(plugin) for plugin in ("queue", "jpegenc", "metaballs"))
        self.document.connect(q, "", e, "sink")
        with self.assertRaisesRegex(Refused, "video/x-raw"):
            self.document.connect(m, "", q, "sink")

    def test_an_input_is_taken_over(self):
        a, b = self.chain("metaballs", "null")
        c = self.document.add("dummy-data")
        self.document.connect(c, "src", b, "sink")
        self.assertEqual(self.document.links, (Link(c, "", b, "sink"),))
        self.document.undo()
        self.assertEqual(self.document.links, (Link(a, "", b, "sink"),))

    def test_numbered_inputs(self):
        names = [self.document.add("dummy-data") for _ in range(3)]
        join = self.document.add("subtract")
        for number, name in enumerate(names):
            self.assertEqual(self.document.inputs(join)[-1], f"sink_{number}")
            self.document.connect(name, "", join, f"sink_{number}")
        edges = json.loads(self.document.to_json())["edges"]
        self.assertEqual([edge["to"]["input"] for edge in edges], [0, 1, 2])
        self.document.disconnect(self.document.links[1])
        self.assertEqual(self.document.inputs(join), ["sink_0", "sink_1", "sink_2"])
        self.assertIn((join, "its inputs have a gap: sink_1 is free"), self.document.problems())

    def test_undo(self):
        self.chain("metaballs", "blur", "null")
        self.document.set_property("metaballs", "number", 5)
        self.document.rename("blur", "soft")
        self.document.group("pair", ["soft", "null"])
        self.document.move({"metaballs": (7, 9)})
        self.document.paste(self.document.copied(["metaballs", "soft"]))
        self.document.remove(["null"])
        states = [self.document.to_json()]
        while self.document.undo_label:
            self.document.undo()
            states.append(self.document.to_json())
        self.assertEqual(len(states), 12)
        self.assertEqual(self.document.nodes, ())
        for state in reversed(states[:-1]):
            self.document.redo()
            self.assertEqual(self.document.to_json(), state)
        self.assertIsNone(self.document.redo_label)

    def test_typing_is_one_step(self):
        name = self.document.add("metaballs")
        for value in (1, 12, 123):
            self.document.set_property(name, "number", value)
        self.document.undo()
        self.assertEqual(self.document.node(name).properties, {})

    def test_copies(self):
        a, b, _ = self.chain("metaballs", "blur", "null")
        self.document.set_property(b, "size", 9)
        self.assertEqual(self.document.paste(self.document.copied([a, b])), ["metaballs-1", "blur-1"])
        self.assertIn(Link("metaballs-1", "", "blur-1", "sink"), self.document.links)
        self.assertEqual(self.document.node("blur-1").properties, {"size": 9})
        before = self.document.to_json()
        for text in ("", "words", "[]", '{"nodes": 3}', '{"nodes": [{}]}'):
            with self.assertRaises(DocumentError, msg=text):
                self.document.paste(text)
        self.assertEqual(self.document.to_json(), before)

    def test_insert(self):
        a, b = self.chain("metaballs", "null")
        with self.assertRaises(Refused):
            self.document.add_on(self.document.links[0], "jpegenc")
        self.assertEqual(len(self.document.nodes), 2)
        name = self.document.add_on(self.document.links[0], "blur")
        self.assertEqual(self.document.links, (Link(a, "", name, "sink"), Link(name, "", b, "sink")))

    def test_bindings_follow_their_nodes(self):
        a, b, c, d = self.chain("metaballs", "measure-sharpness", "calculate", "null")
        self.document.bind(b, "sharpness", c, "expression")
        self.document.rename(b, "found")
        self.assertEqual(json.loads(self.document.to_json())["bindings"],
                         [{"from": {"name": "found", "property": "sharpness"}, "to": {"name": c, "property": "expression"}}])
        self.document.remove(["found"])
        self.assertEqual(self.document.bindings, ())

    def test_problems(self):
        self.assertEqual(self.document.problems(), [("", "there is no node")])
        a = self.document.add("metaballs")
        self.assertIn("nobody takes its output", self.document.problems()[0][1])
        self.chain("dummy-data", "flat-field-correct", "null")
        self.assertEqual([name for name, _ in self.document.problems()], [a])
        self.document.add("no-such-task")
        self.assertIn(("no-such-task", "there is no element no-such-task here"), self.document.problems())


class Files(FlowCase):
    HAND = """{"nodes": [{"plugin": "scan-src", "name": "s", "properties": {"location": "scan.nxs"}}, {"plugin": "average"},
        {"plugin": "flat-field-correct", "name": "f"}, {"plugin": "tee", "name": "t"}, {"plugin": "null"}, {"plugin": "write", "name": "w"}],
        "edges": [{"from": "s", "to": "f"}, {"from": {"name": "s", "output": 1}, "to": "average"}, {"from": "average", "to": "f", "input": 1},
                  {"from": {"name": "s", "output": "flats"}, "to": {"name": "f", "input": "flats"}}, {"from": "f", "to": "t"},
                  {"from": "t", "to": "null"}, {"from": "t", "to": "w", "input": 0}]}"""

    def check_layout(self):
        """Nothing overlaps, and links go to the right."""
        boxes = {n.name: (*n.position, width_of(self.document, n.name), height_of(self.document, n.name)) for n in self.document.nodes}
        for a, (ax, ay, aw, ah) in boxes.items():
            for b, (bx, by, bw, bh) in boxes.items():
                self.assertTrue(a == b or ax + aw <= bx or bx + bw <= ax or ay + ah <= by or by + bh <= ay, (a, b, boxes[a], boxes[b]))
        for link in self.document.links:
            self.assertGreaterEqual(boxes[link.target][0], boxes[link.source][0] + boxes[link.source][2] + GAP_X / 2, link)

    def test_made_by_hand(self):
        self.document.load(self.HAND)
        self.assertEqual({(link.source, link.output, link.target, link.input) for link in self.document.links},
                         {("s", "", "f", "projections"), ("s", "darks", "average", "sink"), ("average", "", "f", "darks"), ("s", "flats", "f", "flats"),
                          ("f", "", "t", "sink"), ("t", "", "null", "sink"), ("t", "", "w", "sink")})
        self.assertFalse(self.document.is_changed)
        self.check_layout()
        self.assertEqual(self.as_tool_reads(self.document.to_json()), self.as_tool_reads(self.HAND))
        again = Document(self.catalogue)
        again.load(self.document.to_json())
        self.assertEqual((again.nodes, again.links), (self.document.nodes, self.document.links))

    def test_layout_of_any_dataflow(self):
        dice = random.Random()
        seed = dice.randrange(10**6)
        dice.seed(seed)
        for number in (1, 2, 17, 60):
            with self.subTest(seed=seed, number=number):
                nodes = [{"plugin": dice.choice(["subtract", "tee"]), "name": f"n{i}"} for i in range(number)]
                edges, used = [], {}
                for i in range(1, number):
                    for j in sorted({dice.randrange(i) for _ in range(1 if nodes[i]["plugin"] == "tee" else dice.choice([1, 2]))}):
                        edges.append({"from": f"n{j}", "to": f"n{i}", "input": used.get(i, 0)})
                        used[i] = used.get(i, 0) + 1
                begin = time.monotonic()
                self.document.load(json.dumps({"nodes": nodes, "edges": edges}))
                self.assertLess(time.monotonic() - begin, 5)
                self.check_layout()

    def test_a_circle_is_laid_out_too(self):
        self.document.load('{"nodes": [{"plugin": "blur", "name": "a"}, {"plugin": "blur", "name": "b"}], "edges": [{"from": "a", "to": "b"}, {"from": "b", "to": "a"}]}')
        self.assertEqual(len({node.position for node in self.document.nodes}), 2)

    def test_layout_is_kept(self):
        self.chain("metaballs", "blur", "null")
        self.document.move({"blur": (333, -44)})
        self.document.group("soft", ["blur", "null"])
        again = Document(self.catalogue)
        again.load(self.document.to_json())
        self.assertEqual((again.node("blur").position, again.groups), ((333, -44), self.document.groups))
        self.assertEqual(self.as_tool_reads(self.document.to_json()), self.as_tool_reads(self.document.to_json(with_layout=False)))

    def test_wrong_layouts_are_passed_over(self):
        for layout in ([], {"nodes": []}, {"nodes": {"n": [1]}, "groups": {}}, {"groups": [3, {"nodes": 4}, {"title": 1, "nodes": ["n", "z"]}]}):
            self.document.load(json.dumps({"nodes": [{"plugin": "null", "name": "n"}], "layout": layout}))
            self.assertEqual(self.document.node("n").position, (0, 0))

    def test_sets_of_properties(self):
        self.document.load('{"nodes": [{"plugin": "pad", "name": "p", "properties": {"x": 1}, "prop-refs": ["e"]}], "prop-sets": {"e": {"x": 3, "width": 9}}}')
        self.assertEqual(self.document.node("p").properties, {"x": 3, "width": 9})

    def test_unknown_elements_are_kept(self):
        text = '{"nodes": [{"plugin": "of-a-friend", "name": "x", "properties": {"k": [1, "two"]}}, {"plugin": "null", "name": "n"}], "edges": [{"from": "x", "to": "n"}]}'
        self.document.load(text)
        written = json.loads(self.document.to_json(with_layout=False))
        self.assertEqual(written["nodes"], json.loads(text)["nodes"])
        self.assertEqual(written["edges"], [{"from": {"name": "x"}, "to": {"name": "n", "input": 0}}])

    def test_what_is_no_dataflow(self):
        null, ball = '{"plugin": "null", "name": "a"}', '{"plugin": "metaballs", "name": "b"}'
        for text in ("", "[]", "{}", '{"nodes": [{"name": "x"}]}', f'{{"nodes": [{null}, {null}]}}',
                     f'{{"nodes": [{null}], "edges": [{{"from": "b", "to": "a"}}]}}',
                     f'{{"nodes": [{null}, {ball}], "edges": [{{"from": "b", "to": "a", "input": 4}}]}}',
                     '{"nodes": [{"plugin": "null", "name": "a", "prop-refs": ["z"]}]}', '{"nodes": [{"plugin": "null", "properties": 3}]}',
                     '{"nodes": [{"plugin": "null"}], "bindings": [{"from": 1}]}'):
            with self.assertRaises(DocumentError, msg=text):
                self.document.load(text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
