# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-launch and tomo-runjson: lines as users of UFO write them, with numbers; errors; progress; Ctrl-C."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time

from pipetest import *
import tomoref


def tool(*words, **kwargs):
    """Runs a program to its end; returns it with stdout and stderr as text."""
    return subprocess.run(words, text=True, capture_output=True, timeout=PATIENCE, **kwargs)


class ToolTestCase(PipelineTestCase):
    def launch(self, *words):
        """Words as a shell hands them over; a single text is split at blanks as a shell does."""
        words = quoted(words[0]) if len(words) == 1 else words
        result = tool("tomo-launch", *words)
        self.assertEqual(result.returncode, 0, f"{words}\n{result.stderr} (seed {SEED})")
        return result

    def assert_refused(self, status, expected, *words):
        result = tool(*words)
        self.assertEqual(result.returncode, status, f"{words}: {result}")
        self.assertEqual(len(result.stderr.splitlines()), 1, f"not one line: {result.stderr}")
        self.assertTrue(result.stderr.startswith(words[0] + ": "), result.stderr)
        for part in [expected] if isinstance(expected, str) else expected:
            self.assertIn(part, result.stderr)
        self.assertEqual(result.stdout, "")


class TalkLines(ToolTestCase):
    """The lines of the framework's introduction, with tomo-launch in place of ufo-launch."""

    def test_files(self):
        images = write_sinograms()
        self.launch("read path=folder/sino*.tif ! write filename=multi.tif")
        self.launch("read path=multi.tif ! write filename=folder/single-%05i.tif")
        self.launch("read path=folder/sino*.tif ! write filename=output.h5:/raw")
        np.testing.assert_array_equal(read_pages("multi.tif"), images)
        np.testing.assert_array_equal(read_dataset("output.h5", "raw"), images)
        for i, image in enumerate(images):
            np.testing.assert_array_equal(tifffile.imread(f"folder/single-{i:05}.tif"), image)

    def test_arithmetic(self):
        images = [np.abs(a) + 0.5 for a in write_sinograms(shape=(24, 37))]
        for i, image in enumerate(images):
            tifffile.imwrite(f"folder/sino{i:02}.tif", image)
        self.launch("read path=folder/sino*.tif ! rescale factor=0.5 ! write filename=output.h5:/raw")
        small = [tomoref.rescale(i, 0.5) for i in images]
        self.assert_close(read_dataset("output.h5", "raw"), small, 1e-5)
        self.launch('read path=folder/sino*.tif ! rescale factor=0.5 ! calculate expression="log(v)" ! '
                    "write filename=output.h5:/raw")
        self.assert_close(read_dataset("output.h5", "raw"), np.log(small), 1e-5)
        # Blanks in a value, as a shell leaves them, and with UFO's own quotes.
        for expression in ("expression=v * 2 + 1", "expression='v * 2 + 1'"):
            self.launch("read", "path=folder/sino*.tif", "!", "calculate", expression, "!", "write", "filename=c.tif")
            self.assert_close(read_pages("c.tif"), 2 * np.float64(images) + 1, 1e-6)

    def test_reconstruction(self):
        images = [np.abs(a) + 0.5 for a in write_sinograms(shape=(30, 42), number=2)]
        for i, image in enumerate(images):
            tifffile.imwrite(f"folder/sino{i:02}.tif", image)
        stripes = 'read path=folder/sino*.tif ! rescale factor=0.5 ! calculate expression="log(v)" ! ' \
                  "fft dimensions=2 ! filter-stripes ! ifft dimensions=2"
        self.launch(f"{stripes} ! write filename=output.h5:/raw")
        clean = read_dataset("output.h5", "raw")
        self.launch(f"{stripes} ! fft ! filter ! ifft ! backproject ! write filename=output.h5:/entry/data/data")
        expected = [tomoref.backproject_linear(tomoref.fft_filter(image)) for image in clean]
        self.assert_close(read_dataset("output.h5", "entry/data/data"), expected, 1e-4)

    def test_json(self):
        images = write_sinograms(shape=(24, 37))
        dataflow = {
            "nodes": [{"plugin": "read", "name": "read", "properties": {"path": "folder/sino*.tif"}},
                      {"plugin": "rescale", "name": "rescale", "properties": {"factor": 0.5}},
                      {"plugin": "write", "name": "write", "properties": {"filename": "output.h5:/raw"}}],
            "edges": [{"from": "read", "to": "rescale", "input": 0}, {"from": "rescale", "to": "write", "input": 0}]}
        with open("dataflow.json", "w") as file:
            json.dump(dataflow, file)
        result = tool("tomo-runjson", "dataflow.json")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_close(read_dataset("output.h5", "raw"), [tomoref.rescale(i, 0.5) for i in images], 1e-5)


class Grammar(ToolTestCase):
    def constant(self, value, number=1):
        return f"dummy-data width=6 height=5 number={number} init={value}"

    def test_inputs_in_order(self):
        """[projections, darks, flats] ! flat-field-correct, with brackets in all places, and as one word."""
        p, d, f = self.constant(11, 3), self.constant(1), self.constant(2)
        for line in (f"[ {p}, {d}, {f} ] ! flat-field-correct ! write filename=a.tif",
                     f"[{p}, {d}, {f}] ! flat-field-correct ! write filename=a.tif",
                     f"[ {p} , {d} , {f} ] ! flat-field-correct name=x ! write filename=a.tif"):
            for words in ((line,), ("-q", *quoted(line))):
                if os.path.exists("a.tif"):
                    os.unlink("a.tif")
                self.assertEqual(tool("tomo-launch", *words).returncode, 0, line)
                np.testing.assert_array_equal(read_pages("a.tif"), np.full((3, 5, 6), 10, np.float32))

    def test_nested(self):
        inner = f"[ {self.constant(4)} ! calculate expression=v+1, {self.constant(1)}, {self.constant(3)} ] ! flat-field-correct"
        self.launch(f"[ {inner}, {self.constant(0)} ! calculate expression=v*1, {inner} ! calculate expression=v/2 ] ! "
                    "flat-field-correct ! calculate expression=v*3 ! write filename=a.tif")
        # The inner one is (5 - 1) / (3 - 1) = 2, the outer one (2 - 0) / (1 - 0) = 2.
        np.testing.assert_array_equal(read_pages("a.tif"), np.full((1, 5, 6), 6, np.float32))

    def test_gstreamer_grammar(self):
        """Caps with ranges and lists, names, tees without queues, GStreamer's elements."""
        self.launch("videotestsrc num-buffers=4 pattern=white ! video/x-raw,format=(string){GRAY8,GRAY16_LE},width=[16,32],height=8 ! "
                    "convert ! tee name=t  t. ! average ! write filename=a.tif  t. ! write filename=b.tif  "
                    "t. ! queue ! fakesink")
        self.assertEqual(len(read_pages("a.tif")), 1)
        self.assertEqual(len(read_pages("b.tif")), 4)
        self.launch(f"{self.constant(3, 2)} ! f.projections  {self.constant(1)} ! f.darks  {self.constant(2)} ! f.flats "
                    "flat-field-correct name=f ! write filename=c.tif")
        np.testing.assert_array_equal(read_pages("c.tif"), np.full((2, 5, 6), 2, np.float32))

    def test_own_average(self):
        """A join of a stream with its own average, which comes when the stream has ended."""
        self.launch("dummy-data width=6 height=5 number=50 init=4 ! tee name=t  [ t., dummy-data width=6 height=5, "
                    "t. ! average ] ! flat-field-correct ! write filename=a.tif")
        np.testing.assert_array_equal(read_pages("a.tif"), np.ones((50, 5, 6), np.float32))

    def test_values(self):
        """Lists as UFO writes them; enumerations by nick and number; everything arrives as written."""
        dumped = self.dump("audiotestsrc num-buffers=1 wave=8 ! audiomixmatrix in-channels=1 out-channels=1 matrix=<<0.5>> ! fakesink")
        self.assertEqual(dumped["nodes"][1]["properties"]["matrix"], [[0.5]])
        self.assertEqual(dumped["nodes"][0]["properties"]["wave"], "ticks")
        for written, expected in (("<<1,0>,<0.5,-1>>", [[1, 0], [0.5, -1]]), ("<1,0>,<0,1>", [[1, 0], [0, 1]])):
            dumped = self.dump(f"audiotestsrc ! audiomixmatrix in-channels=2 out-channels=2 matrix={written} ! fakesink")
            self.assertEqual(dumped["nodes"][1]["properties"]["matrix"], expected)
        for written, outputs, expected in (("0.5", 1, [[0.5]]), ("0.5,1", 2, [[0.5], [1]]), ("<0.5,1>", 2, [[0.5], [1]])):
            dumped = self.dump(f"audiotestsrc ! audiomixmatrix in-channels=1 out-channels={outputs} matrix={written} ! fakesink")
            self.assertEqual(dumped["nodes"][1]["properties"]["matrix"], expected)
        self.assert_refused(2, ["plane-strides", "'40,x'", "a list, each an integer"], "tomo-launch",
                            *quoted("fakesrc ! rawvideoparse plane-strides=40,x ! fakesink"))
        name = 'with "quotes", \\ and blanks'
        result = tool("tomo-launch", "-d", "-", "dummy-data", "!", "write", "filename=" + name.replace("\\", "\\\\").replace('"', '\\"'))
        self.assertEqual(json.loads(result.stdout)["nodes"][1]["properties"]["filename"], name)

    def dump(self, line):
        result = tool("tomo-launch", "--dump", "-", *quoted(line))
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def test_dump(self):
        write_sinograms(number=2)
        line = "read path=folder/sino*.tif ! rescale factor=0.1 interpolation=nearest ! write filename=a.tif"
        dumped = self.dump(line)
        self.assertFalse(os.path.exists("a.tif"))
        self.assertEqual([n["plugin"] for n in dumped["nodes"]], ["read", "rescale", "write"])
        self.assertEqual([n["name"] for n in dumped["nodes"]], ["read", "rescale", "write"])
        self.assertEqual(dumped["nodes"][1]["properties"], {"factor": 0.1, "x-factor": 0.1, "y-factor": 0.1, "interpolation": "nearest"})
        self.assertEqual(dumped["edges"][1], {"from": {"name": "rescale"}, "to": {"name": "write", "input": 0}})
        self.launch("-d", "a.json", *quoted(line))
        with open("a.json") as file:
            self.assertEqual(json.load(file), dumped)
        self.assertEqual(tool("tomo-runjson", "-q", "a.json").returncode, 0)
        first = read_pages("a.tif")
        os.unlink("a.tif")
        self.launch(line)
        np.testing.assert_array_equal(read_pages("a.tif"), first)
        joined = self.dump(f"[ {self.constant(1)}, {self.constant(2)}, {self.constant(3)} ] ! flat-field-correct ! null")
        self.assertEqual(sorted((e["to"]["name"], e["to"]["input"]) for e in joined["edges"]),
                         [("flat-field-correct", 0), ("flat-field-correct", 1), ("flat-field-correct", 2), ("null", 0)])


class Errors(ToolTestCase):
    def test_usage(self):
        for words in ((), ("--no-such-option",), ("--max-memory", "5X", "dummy-data", "!", "null")):
            self.assert_refused(2, "", "tomo-launch", *words)
        for words in ((), ("a", "b"), ("--no-such-option",)):
            self.assert_refused(2, "", "tomo-runjson", *words)
        for program in ("tomo-launch", "tomo-runjson"):
            result = tool(program, "--version")
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertRegex(result.stdout, rf"^{program} \d+\.\d+\.\d+\n$")
            self.assertEqual(tool(program, "--help").returncode, 0)

    def test_lines(self):
        for line, expected in (
            ("raed path=a ! null", ["'raed'", "did you mean 'read'"]),
            ("read pth=a ! null", ["'read' has no property 'pth'", "did you mean 'path'"]),
            ("dummy-data ! rescale factor=-1 ! null", ["rescale", "factor", "'-1'", "at least 0.001"]),
            ("dummy-data ! rescale interpolation=liner ! null", ["interpolation", "did you mean 'linear'"]),
            ("dummy-data number=1.5 ! null", ["number", "an integer"]),
            ("dummy-data", ["nobody takes", "'dummy-data'"]),
            ("null", ["nothing is connected", "'null'"]),
            ("dummy-data ! ! null", ["missing behind '!'"]),
            ("dummy-data !", ["missing behind '!'"]),
            ("! null", ["missing"]),
            ("[ dummy-data, dummy-data ! null", ["'[' is not closed"]),
            ("[ dummy-data, ] ! null", ["missing behind ','"]),
            ("[ dummy-data ] null", ["behind ']'"]),
            ("dummy-data ! [ null, null ]", ["'['", "tee"]),
            ("dummy-data ] ! null", ["']' closes nothing"]),
            ("[ dummy-data, dummy-data ] ! rescale ! null", ["no input 1", "rescale"]),
            ("[ dummy-data, dummy-data, dummy-data, dummy-data, dummy-data ] ! flat-field-correct ! null", ["no input 4"]),
            ("[ dummy-data, dummy-data ] ! flat-field-correct ! null", ["flats", "flat-field-correct"]),
            ("dummy-data ! null name=a dummy-data ! null name=a", ["two elements", "'a'"]),
        ):
            with self.subTest(line=line):
                words = quoted(line)
                status = 1 if "flats" in expected else 2
                self.assert_refused(status, expected, "tomo-launch", *words)
                self.assert_refused(status, expected, "tomo-launch", line)

    def test_runs(self):
        self.assert_refused(1, ["node 'read'", "no-such-file.tif"], "tomo-launch", *quoted("read path=no-such-file.tif ! null"))
        quiet = tool("tomo-launch", "--quieter", *quoted("read path=no-such-file.tif ! null"))
        self.assertEqual((quiet.returncode, quiet.stdout, quiet.stderr), (1, "", ""))

    def test_json(self):
        self.assert_refused(1, "no-such.json", "tomo-runjson", "no-such.json")
        with open("a.json", "w") as file:
            file.write('{"nodes": [\n{"plugin": "read",\n "name": "r", "properties": {"pth": "x"}}]}')
        self.assert_refused(1, ["a.json:3", "'r'", "did you mean 'path'"], "tomo-runjson", "a.json")
        with open("a.json", "w") as file:
            file.write('{"nodes": [\n{"plugin": "read",}')
        self.assert_refused(1, "a.json:2", "tomo-runjson", "a.json")

    def test_max_memory(self):
        line = ("dummy-data width=60 height=50 number=100 init=4 ! tee name=t  [ t., dummy-data width=60 height=50, "
                "t. ! average ] ! flat-field-correct ! null")
        self.assert_refused(1, ["'flat-field-correct'", "max-memory"], "tomo-launch", "-q", "-m", "0.3M", *quoted(line))
        self.launch("-q", "-m", "10M", *quoted(line))


    def test_ranges(self):
        """One line with the range, whichever way a value comes."""
        for key, values in (("axis-pos", ("-12", "1e9", "nan", "-nan", "NaN", "inf", "1e400", "")), ("roi-x", ("-1", "1.5", "4294967296", "1e400", "010x"))):
            for value in values:
                self.assert_refused(2, ["backproject", key, f"'{value}'", "wanted a"], "tomo-launch",
                                    "read", "path=a.tif", "!", "backproject", f"{key}={value}", "!", "null")
        for key, value, shown in (("axis-pos", "-12", "-12"), ("axis-pos", '"nan"', "'nan'"), ("axis-pos", "1e400", "1e400"), ("axis-pos", "true", "true"),
                                  ("roi-x", "-1", "-1"), ("roi-x", "1.5", "1.5"), ("roi-x", "18446744073709551616", "18446744073709551616")):
            with open("a.json", "w") as file:
                file.write(f'{{"nodes": [{{"plugin": "backproject", "name": "b",\n "properties": {{"{key}": {value}}}}}]}}')
            self.assert_refused(1, ["a.json:2:17: node 'b'", key, f"take {shown};", "wanted a"], "tomo-runjson", "a.json")

    def test_lonely(self):
        """Elements that exchange data with an application would wait for ever."""
        for line in ("appsrc ! fakesink", "dummy-data ! appsink", "proxysrc ! fakesink"):
            self.assert_refused(1, "application", "tomo-launch", *quoted(line))

    def test_special_files(self):
        os.mkfifo("pipe.json")
        for file in ("pipe.json", "/dev/zero", "."):
            self.assert_refused(1, [file, "wanted a file with a dataflow"], "tomo-runjson", file)
        self.assert_refused(1, "is a pipe", "tomo-launch", "-d", "pipe.json", *quoted("dummy-data ! null"))

    def test_standard_input(self):
        dumped = self.launch("--dump", "-", *quoted("dummy-data number=3 ! write filename=a.tif")).stdout
        result = tool("tomo-runjson", "-q", "-", input=dumped)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        self.assertEqual(len(read_pages("a.tif")), 3)
        for text, words in (("", "empty"), ("{\n x", "JSON:2:2:"), ("{}\0{", "byte of 0")):
            result = tool("tomo-runjson", "-", input=text)
            self.assertEqual(result.returncode, 1)
            self.assertIn(words, result.stderr)


class Dumps(ToolTestCase):
    """tomo-runjson --dump"""

    def dump(self, *words):
        result = tool("tomo-runjson", "--dump", "-", *words)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return json.loads(result.stdout)

    def test_a_file(self):
        flow = {"nodes": [{"plugin": "dummy-data", "name": "d", "properties": {"number": 2, "width": 8, "height": 8}},
                          {"plugin": "pad", "name": "p", "prop-refs": ["edge"]}, {"plugin": "write", "name": "w", "properties": {"filename": "a.h5:/a"}}],
                "edges": [{"from": "d", "to": "p"}, {"from": "p", "to": "w"}], "prop-sets": {"edge": {"addressing-mode": 0x1133}},
                "layout": {"nodes": {"d": [0, 40]}, "anything": [None]}}
        with open("flow.json", "w") as file:
            json.dump(flow, file)
        dumped = self.dump("flow.json")
        self.assertFalse(os.path.exists("a.h5"))
        self.assertEqual(dumped["nodes"][1]["properties"], {"addressing-mode": "repeat"})
        self.assertNotIn("layout", dumped)
        self.assertEqual(self.dump("flow.json", "--output", "b.h5")["nodes"][2]["properties"], {"filename": "b.h5:/a"})
        self.assertEqual(tool("tomo-runjson", "-q", "--dump", "b.json", "flow.json").returncode, 0)
        with open("b.json") as file:
            self.assertEqual(json.load(file), dumped)
        self.assertEqual(tool("tomo-runjson", "-q", "flow.json").returncode, 0)
        self.assertEqual(self.dump("a.h5"), dumped)

    def test_wrong_layout(self):
        with open("flow.json", "w") as file:
            file.write('{"nodes": [],\n "layout": []}')
        result = tool("tomo-runjson", "flow.json")
        self.assertEqual(result.returncode, 1)
        self.assertIn("flow.json:2:", result.stderr)
        self.assertIn("'layout' is no object", result.stderr)


class Results(ToolTestCase):
    """What elements find out."""

    def test_values(self):
        images = write_sinograms(number=3)
        means = [float(np.mean(np.float64(i))) for i in images]
        line = "read path=folder/sino*.tif ! measure metric=mean ! null"
        for words in ((), ("-q",)):
            lines = self.launch(*words, *quoted(line)).stdout.splitlines()
            self.assertEqual(len(lines), 3, lines)
            for i, (written, mean) in enumerate(zip(lines, means)):
                found = re.fullmatch(rf"measure: mean value (\S+), image {i}", written)
                self.assertTrue(found, written)
                self.assertAlmostEqual(float(found[1]), mean, delta=2e-6 * max(1, abs(mean)))
        self.assertEqual(self.launch("--quieter", *quoted(line)).stdout, "")

    def test_summary(self):
        """A long stream shows its first values, and at the end the range with its places."""
        images = [np.full((4, 5), v, np.float32) for v in (3, 1, 4, 1.5, 9, 2.5, 6, np.nan)]
        for i, image in enumerate(images):
            tifffile.imwrite(f"a{i}.tif", image)
        lines = self.launch("-q", *quoted("read path=a*.tif ! measure name=m metric=max ! null")).stdout.splitlines()
        self.assertEqual(lines[:5], [f"m: max value {v:g}, image {i}" for i, v in enumerate((3, 1, 4, 1.5, 9))])
        self.assertEqual(len(lines), 6, lines)
        self.assertRegex(lines[5], r"^m: max value of all 8: mean 3\.857143, least 1 \(image 1\), greatest 9 \(image 4\), last -?nan, 1 not finite$")

    def test_axis(self):
        """The found axis, also from JSON."""
        angles, width, axis = 180, 65, 30.25
        u = np.arange(width) + 0.5
        sinogram = np.array([np.exp(-((u - axis - 15 * np.cos(a)) / 3) ** 2) for a in np.linspace(0, np.pi, angles + 1)], np.float32)
        tifffile.imwrite("s.tif", sinogram)
        line = f"read path=s.tif ! center-of-rotation angle-step={np.pi / angles} ! null"
        self.launch("-d", "a.json", *quoted(line))
        for words in (("tomo-launch", "-q", *quoted(line)), ("tomo-runjson", "-q", "a.json")):
            result = tool(*words)
            self.assertEqual(result.returncode, 0, result.stderr)
            found = re.search(r"^center-of-rotation: center ([\d.]+)", result.stdout, re.M)
            self.assertTrue(found, result.stdout)
            self.assertAlmostEqual(float(found[1]), axis, delta=0.1)

    def test_data_on_standard_output(self):
        """Then nothing else is written there."""
        tifffile.imwrite("a.tif", np.full((4, 5), 2, np.float32))
        result = subprocess.run(["tomo-launch", "-q", *quoted("read path=a.tif ! measure-sharpness ! write")], capture_output=True,
                                timeout=PATIENCE)
        self.assertEqual(result.returncode, 0, result.stderr)
        np.testing.assert_array_equal(np.frombuffer(result.stdout, np.float32), np.full(20, 2, np.float32))
        self.assertIn(b"measure-sharpness", result.stderr)


class Reruns(ToolTestCase):
    """Results that make themselves again."""

    def make(self, name, factor=2):
        self.launch("-q", *quoted(f"dummy-data width=6 height=5 number=2 init=3 ! calculate expression=v*{factor} ! write filename={name}"))

    def test_not_written_over(self):
        self.make("a.h5:/entry/data/data")
        before = open("a.h5", "rb").read()
        os.link("a.h5", "same.h5")
        for name in ("a.h5", "./a.h5", "a.h5:/entry/data/data", "same.h5", os.path.abspath("a.h5")):
            self.assert_refused(1, ["node 'write'", name, "--output FILE", "--overwrite"], "tomo-runjson", name)
        self.assert_refused(1, "which the dataflow comes from", "tomo-runjson", "--output", "./a.h5", "a.h5")
        self.assertEqual(open("a.h5", "rb").read(), before)
        self.launch_json("--output", "b.h5", "a.h5")
        np.testing.assert_array_equal(read_dataset("b.h5", "entry/data/data"), np.full((2, 5, 6), 6, np.float32))
        self.launch_json("-o", "c.h5:/other", "a.h5")
        np.testing.assert_array_equal(read_dataset("c.h5", "other"), np.full((2, 5, 6), 6, np.float32))
        self.assertEqual(open("a.h5", "rb").read(), before)
        os.unlink("same.h5")
        self.launch_json("--overwrite", "a.h5")
        np.testing.assert_array_equal(read_dataset("a.h5", "entry/data/data"), np.full((2, 5, 6), 6, np.float32))

    def test_series(self):
        self.make("a-%02i.h5:/d")
        (name, *_) = sorted(n for n in os.listdir() if n.startswith("a-"))
        self.assert_refused(1, ["node 'write'", "--output"], "tomo-runjson", name)

    def test_elsewhere(self):
        """From another folder the name means another file."""
        self.make("a.h5:/d")
        os.mkdir("b")
        result = subprocess.run(["tomo-runjson", "-q", "../a.h5"], cwd="b", text=True, capture_output=True, timeout=PATIENCE)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("meant from here", result.stderr)
        np.testing.assert_array_equal(read_dataset("b/a.h5", "d"), read_dataset("a.h5", "d"))

    def test_output_of_json(self):
        self.launch("-d", "a.json", *quoted("dummy-data width=6 height=5 number=2 init=3 ! write filename=a.tif"))
        self.launch_json("--output", "b.tif", "a.json")
        self.assertEqual((os.path.exists("a.tif"), len(read_pages("b.tif"))), (False, 2))
        self.launch("-d", "b.json", *quoted("dummy-data ! null"))
        self.assert_refused(1, "no node", "tomo-runjson", "--output", "b.tif", "b.json")
        self.launch("-d", "c.json", *quoted("dummy-data ! tee name=t ! write name=x filename=1.tif  t. ! write name=y filename=2.tif"))
        self.assert_refused(1, ["'x', 'y'"], "tomo-runjson", "--output", "b.tif", "c.json")

    def launch_json(self, *words):
        result = tool("tomo-runjson", "-q", *words)
        self.assertEqual((result.returncode, result.stderr), (0, ""))


class Terminal(ToolTestCase):
    ENDLESS = ("videotestsrc is-live=true ! video/x-raw,format=GRAY8,width=8,height=4,framerate=50/1 ! convert ! "
               "write filename=a.tif")

    def on_terminal(self, *words):
        """The program with a terminal for its errors; yields it and a function that reads until a pattern came."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(words, stderr=theirs, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        os.close(theirs)
        seen = ""

        def read_until(pattern):
            nonlocal seen
            deadline = time.monotonic() + PATIENCE
            while not re.search(pattern, seen):
                ready, _, _ = select.select([ours], [], [], max(0, deadline - time.monotonic()))
                self.assertTrue(ready, f"no '{pattern}' in '{seen}'")
                try:
                    seen += os.read(ours, 4096).decode()
                except OSError:  # the end of a terminal
                    self.fail(f"no '{pattern}' in '{seen}'")
            return seen

        self.addCleanup(os.close, ours)
        self.addCleanup(process.kill)
        return process, read_until

    def test_progress(self):
        process, read_until = self.on_terminal(
            "tomo-launch", *quoted("dummy-data width=8 height=8 number=30 ! identity sleep-time=50000 ! null"))
        text = read_until(r"\d+ of 30 in, \d+ out, [\d.]+/s, 0:0\d left")
        self.assertIn("\r", text)
        read_until(r"30 arrays in \d+\.\d+ s")
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_plain(self):
        result = self.launch("dummy-data width=8 height=8 number=3 ! null")
        self.assertRegex(result.stderr, r"^3 arrays in \d+\.\d+ s\n$")
        self.assertEqual(self.launch("-q", "dummy-data", "!", "null").stderr, "")

    def test_interrupt_completes_files(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process, read_until = self.on_terminal("tomo-launch", *quoted(self.ENDLESS))
            read_until(r"[5-9] out|\d\d out")
            process.send_signal(number)
            read_until("ending the stream")
            self.assertEqual(process.wait(PATIENCE), 128 + number)
            self.assertGreaterEqual(len(read_pages("a.tif")), 5)
            self.assert_files("a.tif")
            os.unlink("a.tif")

    def test_second_interrupt_aborts(self):
        # The second frame waits for a quarter of an hour, and the end of the stream behind it.
        process, read_until = self.on_terminal(
            "tomo-launch", *quoted("videotestsrc ! video/x-raw,framerate=1/1000,width=8,height=8 ! fakesink sync=true"))
        read_until(r"\d out")
        process.send_signal(signal.SIGINT)
        read_until("ending the stream")
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        read_until("aborted")
        self.assertEqual(process.wait(PATIENCE), 128 + signal.SIGINT)

    def test_trace_of_odd_names(self):
        """The trace is JSON whatever nodes are called."""
        name = 'with "quotes", \\ and\nlines'
        flow = {"nodes": [{"plugin": "dummy-data", "name": name}, {"plugin": "null", "name": "n\u00e4"}],
                "edges": [{"from": name, "to": "n\u00e4"}]}
        with open("odd.json", "w") as file:
            json.dump(flow, file)
        self.assertEqual(tool("tomo-runjson", "-q", "-t", "odd.json").returncode, 0)
        (trace,) = [n for n in os.listdir() if re.fullmatch(r"trace\.\d+\.json", n)]
        with open(trace) as file:
            self.assertGreater(len(json.load(file, parse_constant=self.fail)["traceEvents"]), 0)

    def test_interrupts_end_an_endless_kernel(self):
        # The device never comes back: neither the abort nor the end of the stream does.
        kernel = ("kernel void endless(global float *in, global float *out) { volatile int go = 1; while (go) "
                  "out[0] = in[0] + go; }")
        dataflow = {
            "nodes": [{"plugin": "dummy-data", "name": "in", "properties": {"width": 8, "height": 8, "number": 3}},
                      {"plugin": "opencl", "name": "kernel", "properties": {"source": kernel, "kernel": "endless"}},
                      {"plugin": "write", "name": "out", "properties": {"filename": "never.tif"}}],
            "edges": [{"from": "in", "to": "kernel", "input": 0}, {"from": "kernel", "to": "out", "input": 0}]}
        with open("endless.json", "w") as file:
            json.dump(dataflow, file)
        line = ("dummy-data", "width=8", "height=8", "number=3", "!", "opencl", "kernel=endless", f"source={kernel}", "!", "null")
        for command, number in ((("tomo-launch", *line), signal.SIGINT), (("tomo-runjson", "endless.json"), signal.SIGTERM)):
            process, read_until = self.on_terminal(*command)
            read_until(r"\d in")
            process.send_signal(number)
            read_until("ending the stream")
            self.assertIsNone(process.poll())
            process.send_signal(number)
            self.assertEqual(process.wait(PATIENCE), 128 + number)
        self.assertFalse(os.path.exists("never.tif"))

    def test_trace(self):
        result = self.launch("-t", *quoted("dummy-data width=8 height=8 number=7 ! calculate ! queue ! null"))
        (name,) = [n for n in os.listdir() if re.fullmatch(r"trace\.\d+\.json", n)]
        with open(name) as file:
            events = json.load(file)["traceEvents"]
        self.assertTrue(any("calculate" in json.dumps(e) for e in events))
        self.assertRegex(result.stdout + result.stderr, r"(?m)^\s*calculate\b.*\b7\b")


if __name__ == "__main__":
    main()
