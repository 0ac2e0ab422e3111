# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-query: what it says agrees with the registry."""

import json
import os
import shutil
import subprocess

from gi.repository import GObject
from tomotest import *


def strict(text):
    """JSON without what Python takes besides: NaN, Infinity, keys that are there twice."""
    def refuse(word):
        raise ValueError(f"{word} is no JSON")

    def unique(pairs):
        if len(dict(pairs)) < len(pairs):
            raise ValueError(f"a key is there twice in {pairs}")
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=unique)


def query(*words):
    return subprocess.run(["tomo-query", *words], text=True, capture_output=True, timeout=60)


class Query(TestCase):
    def test_list(self):
        tasks = query("-l").stdout.split()
        expected = [f.get_metadata("tomo-task") for f in
                    Gst.Registry.get().get_feature_list(Gst.ElementFactory) if f.get_metadata("tomo-task")]
        self.assertEqual(tasks, sorted(expected))
        self.assertIn("flat-field-correct", tasks)
        self.assertEqual(json.loads(query("-l", "--json").stdout), tasks)
        described = query("-l", "-v").stdout.splitlines()
        self.assertEqual([line.split()[0] for line in described], tasks)

    def test_results(self):
        self.assertIn("results:\n  center: Rotation axis", query("-p", "center-of-rotation").stdout)
        self.assertNotIn("results:", query("-p", "rescale").stdout)

    def test_devices(self):
        """Also where there is none, which is told."""
        lines, found = query("--devices"), query("--devices", "--json")
        self.assertEqual((lines.returncode, lines.stderr, found.returncode), (0, "", 0))
        devices = json.loads(found.stdout)
        for line, device in zip(lines.stdout.splitlines(), devices, strict=True):
            self.assertTrue(line.startswith(f"{device['index']}: {device['name']} ("), line)
        self.assertGreater(len(devices), 0)
        for words, wanted in ((), ""), (("--json",), "[]\n"):
            none = subprocess.run(["tomo-query", "--devices", *words], env={**os.environ, "OCL_ICD_VENDORS": "/nonexistent"},
                                  text=True, capture_output=True, timeout=60)
            self.assertEqual((none.returncode, none.stdout), (1, wanted))
            self.assertEqual(none.stderr.count("no OpenCL device was found"), 1, none.stderr)

    def test_strict_json(self):
        """Of ranges without end, and of integers beyond 64 bits with a sign, too."""
        for element in ("queue", "audiotestsrc", "volume", "level", "videobalance", "identity", "rawvideoparse", "fakesrc"):
            if Gst.ElementFactory.find(element):
                self.assertEqual(strict(query("-j", "-p", element).stdout)["element"], element)
        limit = [p for p in strict(query("-j", "-p", "queue").stdout)["properties"] if p["name"] == "max-size-time"]
        self.assertEqual(limit[0]["type"], "integer")

    def test_numbers_that_leave_a_value_open(self):
        for task, name, wanted, others in (
            ("backproject", "angle-step", (-1, 0), (-0.5, 0.1)), ("backproject", "axis-pos", (-1, -0.5, 0), (0.1,)),
            ("crop", "width", (4294967295,), (0, 1)), ("write", "minimum", (np.finfo(np.float32).max,), (0,)),
            ("blur", "sigma", (), (0, 1)), ("measure", "axis", (), (-1, 0)), ("forwardproject", "number", (), (0, 256)),
        ):
            (info,) = [p for p in strict(query("-j", "-p", task).stdout)["properties"] if p["name"] == name]
            ranges = [(r["minimum"], r["maximum"]) for r in info.get("automatic", [])]
            for number in (*wanted, *others):
                with self.subTest(task=task, name=name, number=number):
                    self.assertEqual(any(low <= number <= high for low, high in ranges), number in wanted)

    def test_every_task(self):
        for info in strict(query("-l", "-v", "-j").stdout):
            element = Gst.ElementFactory.make(info["element"])
            own = {p["name"]: p for p in info["properties"] if p["own"]}
            specs = {p.name: p for p in element.list_properties() if p.owner_type == element.__gtype__}
            results = {name: specs.pop(name) for name in list(specs) if not specs[name].flags & GObject.ParamFlags.WRITABLE}
            self.assertEqual({r["name"]: r["description"] for r in info["results"]},
                             {name: spec.blurb for name, spec in results.items()}, info["task"])
            self.assertEqual(sorted(own), sorted(specs), info["task"])
            for name, spec in specs.items():
                self.assertEqual(own[name]["description"], spec.blurb)
                if own[name]["type"] in ("integer", "number", "boolean", "string"):
                    default = own[name]["default"]
                    shown = float(default) if default in ("nan", "inf", "-inf") else default
                    if isinstance(spec.default_value, float):
                        np.testing.assert_allclose(shown, spec.default_value, rtol=1e-6)
                    else:
                        self.assertEqual(shown, spec.default_value, f"{info['task']}.{name}")

    def test_text(self):
        text = query("-p", "rescale").stdout
        self.assertIn("inputs: sink", text)
        self.assertRegex(text, r'(?m)^  interpolation +one of nearest, linear; default "linear"$')
        self.assertNotIn("qos", query("-p", "null").stdout)
        self.assertIn("qos", query("-p", "null", "-v").stdout)
        self.assertIn("inputs: projections, darks, flats", query("-p", "flat-field-correct").stdout)
        self.assertIn("num-buffers", query("-p", "videotestsrc").stdout)

    def test_errors(self):
        for words, status, part in ((("-p", "reskale"), 1, "did you mean 'rescale'"), ((), 2, "--list"),
                                    (("-l", "-p", "read"), 2, "one of"), (("-l", "x"), 2, "one of")):
            result = query(*words)
            self.assertEqual((result.returncode, result.stdout), (status, ""), words)
            self.assertIn(part, result.stderr)
        self.assertRegex(query("--version").stdout, r"^tomo-query \d")

    def test_completion(self):
        tasks = query("-l").stdout.split()
        for words, expected in (
            (["re"], [t for t in tasks if t.startswith("re")]), ([""], tasks), (["read", "!", "resc"], ["rescale"]),
            (["-q", "resc"], ["rescale"]), (["[resc"], ["[rescale"]), (["[", "resc"], ["rescale"]),
            (["[read", "path=a,", "resc"], ["rescale"]), (["--tr"], ["--trace"]), (["--d"], ["--dump", "--devices"]),
            (["read", "!", "rescale", "interp"], ["interpolation="]), (["rescale", "factor=0.5", "x-"], ["x-factor="]),
            (["rescale", "interpolation=n"], ["interpolation=nearest"]), (["null", "download="], ["download=true", "download=false"]),
            (["nonsense", "x"], []), (["read", "path=a"], []),
        ):
            with self.subTest(words=words):
                self.assertEqual(query("--complete", "--", *words).stdout.split(), expected)

    def test_shells(self):
        folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "completion")
        for line, expected in (("tomo-launch read ! resc", "rescale"), ("tomo-launch rescale interp", "interpolation="),
                               ("tomo-launch rescale interpolation=n", "nearest")):
            done = subprocess.run(["bash", "-uc", f'. "$0"; COMP_LINE=$1 COMP_POINT=${{#1}}; _tomo_launch; echo "${{COMPREPLY[*]}}"',
                                   os.path.join(folder, "tomo.bash"), line], text=True, capture_output=True, timeout=60)
            self.assertEqual(done.stdout, expected + "\n", done.stderr)
        if shutil.which("zsh"):
            script = 'words=(tomo-launch rescale interp) CURRENT=3; compadd() { print -- "$@" }; compset() { }; . "$0"'
            done = subprocess.run(["zsh", "-fc", script, os.path.join(folder, "_tomo-launch")], text=True, capture_output=True,
                                  timeout=60)
            self.assertEqual(done.stdout, "-S  -- interpolation=\n", done.stderr)


if __name__ == "__main__":
    main()
