# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tracer `tomotrace`: what it counts, its trace file, and that results stay as they are."""

import json
import os
import re
import subprocess
import sys

import numpy as np
from pipetest import SEED, PipelineTestCase, launch, read_pages, write_sinograms
from tomotest import main

WIDTH, HEIGHT, NUMBER = 44, 30, 7
CHAIN = ("tomoread path=folder name=read ! queue ! tomofft name=fft ! tomofilter name=filter ! tomoifft name=ifft ! "
         "tomobackproject name=bp ! queue ! tomowrite name=write filename=slices.tif")
# A command for each array: by default several are computed at once.
SINGLY = re.sub(r"name=(fft|filter|ifft|bp)", r"name=\1 batch=1", CHAIN)
# Arrays travel through pinned memory, as on a graphics card.
DISCRETE = {"GST_TOMO_TEST_DISCRETE": "1"}
COLUMNS = ("in", "out", "commands", "device", "queued", "host", "blocked", "up", "down", "copied")


def table_of(output):
    """{element: {column: number}} of all tables that were printed."""
    rows = {}
    for line in output.splitlines():
        words = line.split()
        if len(words) == len(COLUMNS) + 1 and re.fullmatch(r"[\d.]+", words[1]):
            rows[words[0]] = dict(zip(COLUMNS, map(float, words[1:])))
    return rows


class Tracer(PipelineTestCase):
    def trace(self, line, env=None):
        """Runs a line with the tracer; returns its table, and the document of its file."""
        output = self.assert_launches(line, env={**(env or {}), "GST_TRACERS": "tomotrace(file=trace.json)"})
        with open("trace.json", encoding="utf-8") as file:
            return table_of(output), json.load(file)

    def test_table(self):
        write_sinograms(shape=(HEIGHT, WIDTH), number=NUMBER)
        table, trace = self.trace(SINGLY, DISCRETE)
        elements = {e["name"]: e for e in trace["tomo"]["elements"]}
        self.assertEqual(set(table), set(elements))
        for name in ("fft", "filter", "ifft", "bp"):
            self.assertEqual((table[name]["in"], table[name]["out"]), (NUMBER, NUMBER), name)
            self.assertGreaterEqual(table[name]["commands"], NUMBER, name)
            self.assertGreater(elements[name]["device_ns"], 0, name)
            self.assertGreater(elements[name]["host_ns"], 0, name)
            self.assertEqual(elements[name]["untimed"], 0, name)
            self.assertGreaterEqual(elements[name]["queue_wait_ns"], 0, name)
            self.assertAlmostEqual(table[name]["device"], elements[name]["device_ns"] / 1e6, delta=0.001)
        self.assertEqual((table["read"]["in"], table["read"]["out"]), (0, NUMBER))
        self.assertEqual((table["write"]["in"], table["write"]["out"]), (NUMBER, 0))
        self.assertEqual(elements["write"]["commands"], 0)
        self.assertEqual(elements["bp"]["by_command"]["backproject_linear"]["count"], NUMBER)
        self.assertEqual(sum(c["count"] for n, c in elements["fft"]["by_command"].items() if n.startswith("fft of ")),
                         NUMBER)

    def test_bytes_are_those_of_the_caps(self):
        write_sinograms(shape=(HEIGHT, WIDTH), number=NUMBER)
        _, trace = self.trace(CHAIN, DISCRETE)
        elements = {e["name"]: e for e in trace["tomo"]["elements"]}
        sinogram, a_slice = 4 * WIDTH * HEIGHT, 4 * WIDTH * WIDTH
        # A reader uploads what it knows to be wanted there, others do when they need it.
        self.assertEqual(elements["read"]["to_device_bytes"] + elements["fft"]["to_device_bytes"], NUMBER * sinogram)
        self.assertEqual(elements["bp"]["to_host_bytes"], NUMBER * a_slice)
        self.assertEqual(sum(e["to_host_bytes"] for e in elements.values()), NUMBER * a_slice)
        # Besides the images, tables: the response of the filter, and a line per projection.
        rest = sum(e["to_device_bytes"] for e in elements.values()) - NUMBER * sinogram
        self.assertEqual(rest, elements["filter"]["to_device_bytes"] + elements["bp"]["to_device_bytes"])
        self.assertLess(rest, sinogram + 64 * HEIGHT)
        self.assertGreaterEqual(trace["tomo"]["device_memory_peak_bytes"], sinogram + a_slice)

        _, trace = self.trace(f"tomodummydata name=d width={WIDTH} height={HEIGHT} number=3 ! tomonull finish=true")
        data = next(e for e in trace["tomo"]["elements"] if e["name"] == "d")
        self.assertEqual((data["on_device_bytes"], data["by_command"]["fill"]["count"]), (3 * sinogram, 3))
        self.assertEqual((data["to_device_bytes"], data["to_host_bytes"]), (0, 0))

    def test_integers_alone_leave_the_device(self):
        for words, downloaded in (("bits=16 minimum=0 maximum=1", {"write": 2}), ("", {"c": 4})):
            _, trace = self.trace(f"tomodummydata width={WIDTH} height={HEIGHT} number=3 ! tomocalculate name=c expression=v+0.5 ! "
                                  f"queue ! tomowrite name=write filename=x.h5:/a {words}", DISCRETE)
            missing = 8 if words else 0  # the number of NaN
            self.assertEqual({e["name"]: e["to_host_bytes"] for e in trace["tomo"]["elements"] if e["to_host_bytes"]},
                             {name: 3 * size * WIDTH * HEIGHT + missing for name, size in downloaded.items()}, words)

    def test_trace_file(self):
        write_sinograms(shape=(HEIGHT, WIDTH), number=NUMBER)
        _, trace = self.trace(CHAIN, DISCRETE)
        events = trace["traceEvents"]
        names = {(e["name"], e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"].endswith("_name")}
        processes = {pid: name for (kind, pid, _), name in names.items() if kind == "process_name"}
        lines = {(pid, tid): name for (kind, pid, tid), name in names.items() if kind == "thread_name"}
        host = [pid for pid, name in processes.items() if name.startswith("host")]
        device = [pid for pid, name in processes.items() if name.startswith("device")]
        self.assertEqual((len(host), len(device)), (1, 1), processes)
        spans = [e for e in events if e["ph"] == "X"]
        self.assertEqual({e["ph"] for e in events}, {"X", "M", "C"})
        for event in spans:
            self.assertIn((event["pid"], event["tid"]), lines)
            self.assertGreaterEqual(event["dur"], 0)
        on_device = [e for e in spans if e["pid"] == device[0]]
        elements = {e["name"]: e for e in trace["tomo"]["elements"]}
        for name, element in elements.items():
            mine = [e for e in on_device if e["args"]["element"] == name]
            self.assertEqual(len(mine), element["commands"], name)
            self.assertAlmostEqual(sum(e["dur"] for e in mine), element["device_ns"] / 1e3, delta=0.01 * NUMBER, msg=name)
        self.assertEqual({lines[e["pid"], e["tid"]] for e in on_device if e["name"] == "upload"}, {"uploads"})
        self.assertEqual({lines[e["pid"], e["tid"]] for e in on_device if e["name"] == "download"}, {"downloads"})
        # Queues are in order, so nothing overlaps on a line of the device; on one of the host things are nested.
        for line in lines:
            mine = sorted(((e["ts"], -e["dur"]) for e in spans if (e["pid"], e["tid"]) == line))
            open_until = []
            for start, negative in mine:
                while open_until and open_until[-1] <= start + 0.002:
                    open_until.pop()
                if open_until:
                    self.assertEqual(line[0], host[0], f"commands of {lines[line]} overlap")
                    self.assertLessEqual(start - negative, open_until[-1] + 0.002, lines[line])
                open_until.append(start - negative)
        # Clocks agree: no kernel begins before its element was entered for the first time.
        first = min(e["ts"] for e in spans if e["pid"] == host[0] and e["name"] == "bp")
        self.assertGreater(min(e["ts"] for e in on_device if e["name"] == "backproject_linear"), first)
        self.assertTrue([e for e in spans if e["pid"] == host[0] and e["name"] == "read"])

    def test_results_stay(self):
        write_sinograms(shape=(HEIGHT, WIDTH), number=NUMBER)
        self.assert_launches(CHAIN)
        before = read_pages("slices.tif")
        self.trace(CHAIN)
        for i, (a, b) in enumerate(zip(before, read_pages("slices.tif"), strict=True)):
            np.testing.assert_array_equal(a, b, f"slice {i} (seed {SEED})")

    def test_reducers_and_joiners(self):
        for name, number in (("radios", 5), ("darks", 2), ("flats", 2)):
            write_sinograms(name, (HEIGHT, WIDTH), number)
        table, trace = self.trace("tomoread path=radios ! f.projections  tomoread path=darks ! tomoaverage name=d ! f.darks "
                              "tomoread path=flats ! tomoaverage name=l ! f.flats  tomoflatfieldcorrect name=f ! "
                              "tomotransposeprojections name=t ! tomonull name=n finish=true")
        self.assertEqual([table[n]["in"] for n in "dlftn"], [2, 2, 7, 5, HEIGHT])
        self.assertEqual([table[n]["out"] for n in "dlft"], [1, 1, 5, HEIGHT])
        for name in "dlf":
            self.assertGreater(table[name]["commands"], 0, name)
        self.assertNotIn("(no element)", [e["name"] for e in trace["tomo"]["elements"]])

    def test_two_pipelines_of_a_process(self):
        script = """
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
for i in range(2):
    pipeline = Gst.parse_launch(f"tomodummydata name=d{i} width=5 height=4 number={i + 2} ! tomonull name=n{i} finish=true")
    pipeline.set_state(Gst.State.PLAYING)
    pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
"""
        result = subprocess.run([sys.executable, "-c", script], env={**os.environ, "GST_TRACERS": "tomotrace(file=two.json)"},
                                capture_output=True, text=True, timeout=90, check=True)
        self.assertEqual(result.stdout, "")
        self.assertEqual(result.stderr.count("d0 "), 1, result.stderr)
        self.assertEqual({n: r["in"] + r["out"] for n, r in table_of(result.stderr).items()},
                         {"d0": 2, "n0": 2, "d1": 3, "n1": 3})
        with open("two.json", encoding="utf-8") as file:
            self.assertEqual(len(json.load(file)["tomo"]["elements"]), 4)

    def test_bad_parameters_are_told(self):
        line = "tomodummydata width=5 ! tomonull"
        for given, words in (("tomotrace(fil=x)", "no parameter 'fil'"), ("tomotrace(file=3)", "is no name"),
                             ("tomotrace(fi", "can't understand (fi)"), ("tomotrace;tomotrace", "there already"),
                             ("tomotrace(file=/no/such/folder/x)", "can't write to '/no/such/folder/x': No such")):
            result = launch(line, ("-q",), {"GST_TRACERS": given})
            self.assertEqual(result.rc, 0, f"{given}\n{result}")
            told = [text for text in result.out.splitlines() if text.startswith("tracer tomotrace: ")]
            self.assertEqual(len(told), 1, f"{given}\n{result}")
            self.assertIn(words, told[0])
            self.assertEqual(len(table_of(result.out)), 2, f"{given}\n{result}")

    def test_silent_when_not_asked(self):
        self.assertEqual(self.assert_launches("tomodummydata width=5 ! tomonull"), "")


if __name__ == "__main__":
    main()
