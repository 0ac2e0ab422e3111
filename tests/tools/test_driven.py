# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""--progress json of dataflows, and processes that serve one description after the other."""

from drivertest import SCHEMA, Driver, dataflow, problem
from phantom_scan import AXIS, Scan
from pipetest import *


def small(number=4, filename="out.tif"):
    return dataflow(("dummy-data", {"width": 9, "height": 7, "number": number, "init": 3.5}), ("measure", {"metric": "mean"}),
                    ("write", {"filename": filename}))


ENDLESS = dataflow(("dummy-data", {"width": 5, "height": 4, "number": 1000000}), ("sleep", {"time": 0.02}), ("write", {"filename": "long.tif"}))


class DrivenTestCase(PipelineTestCase):
    def events(self, text):
        events = [json.loads(line) for line in text.splitlines()]
        for event in events:
            self.assertIsNone(problem(event, SCHEMA["$defs"]["event"]))
        return events

    def kinds(self, events):
        return [event["event"] for event in events]


class Dataflow(DrivenTestCase):
    def run_file(self, description, *words, program="tomo-runjson", **kwargs):
        with open("flow.json", "w") as file:
            json.dump(description, file)
        return subprocess.run([program, "flow.json", "--progress", "json", *words], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=PATIENCE, **kwargs)

    def test_events(self):
        done = self.run_file(small())
        events = self.events(done.stdout)
        self.assertEqual((done.returncode, self.kinds(events)[:2], events[-1]["status"], events[-1]["outputs"]),
                         (0, ["hello", "stage"], "done", ["out.tif"]))
        found = [e for e in events if e["event"] == "result"]
        self.assertEqual([(e["value"], e["element"], e["image"]) for e in found], [(3.5, "measure-1", n) for n in range(4)])
        last = [e for e in events if e["event"] == "progress"][-1]
        self.assertEqual((last["done"], last["total"], last["output"]), (4, 4, 4))
        self.assertEqual(last["nodes"], {"dummy-data-0": 4, "measure-1": 4, "write-2": 4})

    def test_arrays_of_each_node(self):
        flow = {"nodes": [{"plugin": "dummy-data", "name": "d", "properties": {"width": 3, "height": 2, "number": 7}}, {"plugin": "tee", "name": "t"},
                          {"plugin": "stack", "name": "s", "properties": {"number": 3}}, {"plugin": "null", "name": "a"}, {"plugin": "null", "name": "b"}],
                "edges": [{"from": a, "to": b} for a, b in ("dt", "ts", "sa", "tb")]}
        last = [e for e in self.events(self.run_file(flow).stdout) if e["event"] == "progress"][-1]
        self.assertEqual(last["nodes"], {"d": 7, "t": 7, "s": 3, "a": 3, "b": 7})

    def test_preview_of_an_input(self):
        flow = json.loads(json.dumps(ENDLESS))
        flow["nodes"][0]["properties"]["init"] = 2.5
        flow["nodes"] += [{"plugin": "calculate", "name": "half", "properties": {"expression": "v/2"}}, {"plugin": "tee", "name": "t"},
                          {"plugin": "subtract", "name": "zero"}, {"plugin": "null", "name": "n"}]
        flow["edges"][1:] = [{"from": "sleep-1", "to": "half"}, {"from": "half", "to": "t"}, {"from": "t", "to": "zero", "input": 0},
                             {"from": "t", "to": "zero", "input": 1}, {"from": "zero", "to": "n"}, {"from": "t", "to": "write-2"}]
        with open("flow.json", "w") as file:
            json.dump(flow, file)
        with Driver(self, "flow.json", program="tomo-runjson") as driver:
            for node, name, value in (("half", "sink", 2.5), ("t", None, 1.25), ("zero", "sink_1", 1.25), ("n", None, 0.0), ("write-2", None, 1.25)):
                driver.tell({"command": "preview", "path": f"{node}.npy", "node": node, **({"input": name} if name else {})})
                told = driver.until("preview")
                self.assertEqual((told["path"], told["node"], told["input"]), (f"{node}.npy", node, name or "sink"))
                np.testing.assert_array_equal(np.load(told["path"]), np.full((4, 5), value, np.float32))
            for words, text in (({"node": "nobody"}, "no node 'nobody'"), ({"node": "zero", "input": "third"}, "no input 'third'"),
                                ({"node": "dummy-data-0"}, "no input"), ({"input": "sink"}, "give the node")):
                driver.tell({"command": "preview", "path": "no.npy", **words})
                self.assertIn(text, driver.until("message", lambda e: e["level"] == "error")["text"])
            driver.tell({"command": "abort"})
            driver.end()
        self.assertFalse(os.path.exists("no.npy"))

    def test_a_launch_line(self):
        done = subprocess.run(["tomo-launch", "--progress", "json", "dummy-data", "number=2", "!", "null"], text=True,
                              stdout=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual(self.events(done.stdout)[-1]["status"], "done")

    def test_nothing_else_on_standard_output(self):
        """Not even what a kernel prints."""
        kernel = 'kernel void speak(global const float *in, global float *out) { printf("noise\\n"); out[get_global_id(0)] = in[get_global_id(0)]; }'
        flow = dataflow(("dummy-data", {"width": 3, "height": 1, "number": 2}), ("opencl", {"kernel": "speak", "source": kernel}), ("null", {}))
        done = self.run_file(flow)
        self.assertEqual(self.events(done.stdout)[-1]["status"], "done", done.stdout)
        self.assertIn("noise", done.stderr)
        for filename in ("", None):
            flow = dataflow(("dummy-data", {"number": 1}), ("write", {} if filename is None else {"filename": filename}))
            done = self.run_file(flow)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("standard output, which is for events", done.stderr)

    def test_errors(self):
        done = self.run_file(dataflow(("read", {"path": "missing.tif"}), ("null", {})))
        events = self.events(done.stdout)
        self.assertEqual((done.returncode, events[-1]["status"], events[-1]["outputs"]), (1, "failed", []))
        self.assertIn("missing.tif", [e for e in events if e["event"] == "message" and e["level"] == "error"][0]["text"])
        Scan().nxtomo("scan.nxs")  # whose projections an element inside of the node reads
        done = self.run_file(dataflow(("scan-src", {"location": "scan.nxs", "y": 30000}), ("null", {})))
        errors = [e["text"] for e in self.events(done.stdout) if e["event"] == "message"]
        self.assertTrue(errors[0].startswith("node 'scan-src-0': "), errors)
        self.assertEqual(self.run_file(small(), "--progress", "loud").returncode, 2)
        with open("/dev/full", "w") as full:
            done = subprocess.run(["tomo-runjson", "flow.json", "--progress", "json"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("can't be written", done.stderr)

    def test_commands(self):
        with open("flow.json", "w") as file:
            json.dump(ENDLESS, file)
        for command, status, code in (("finish", "finished early", 0), ("abort", "aborted", 1)):
            with Driver(self, "flow.json", program="tomo-runjson") as driver:
                driver.until("progress", lambda e: e["output"] > 0)
                driver.tell({"command": "pause"})
                self.assertEqual(driver.until("state")["state"], "paused")
                time.sleep(0.3)  # what is under way arrives
                before = len(driver.events)
                driver.tell("[]")
                driver.until("message", lambda e: e["level"] == "error")
                driver.tell({"command": "run", "description": {}})
                self.assertIn("one job", driver.until("message", lambda e: e["level"] == "error")["text"])
                time.sleep(0.3)
                driver.tell({"command": "resume"})
                driver.until("state")
                held = [e["output"] for e in driver.events[before:] if e["event"] == "progress"]
                self.assertLessEqual(len(set(held)), 2, held)
                driver.until("progress")
                driver.tell({"command": "preview"})
                preview = driver.until("preview")
                self.assertEqual((preview["path"], preview["shape"]), ("long.tif.preview.npy", [4, 5]))
                self.assertEqual(np.load(preview["path"]).shape, (4, 5))
                driver.tell({"command": "pause"})
                driver.until("state")
                driver.tell({"command": command})
                done, ended = driver.end()
            self.assertEqual((done["status"], ended), (status, code))


class Serving(DrivenTestCase):
    def test_dataflows(self):
        with Driver(self, "--serve", program="tomo-runjson") as driver:
            driver.until("hello")
            driver.tell({"command": "pause"})
            message = driver.until("message")
            self.assertIn("nothing runs", message["text"])
            self.assertEqual(message["level"], "warning")  # an error is the answer to a run
            driver.tell({"command": "run", "description": {"nodes": [{"plugin": "no-task", "name": "x"}], "edges": []}})
            self.assertEqual(driver.until("done")["status"], "failed")
            self.assertIn("no-task", driver.events[-2]["text"])
            for number in (2, 3):  # together
                driver.tell({"command": "run", "description": small(number, f"{number}.tif")})
            for number in (2, 3):
                self.assertEqual(driver.until("done")["outputs"], [f"{number}.tif"])
                self.assertEqual(len(read_pages(f"{number}.tif")), number)
            driver.tell({"command": "run", "description": ENDLESS})
            driver.until("progress")
            driver.tell({"command": "abort"})
            self.assertEqual(driver.until("done")["status"], "aborted")
            # About a run that has not begun.
            driver.tell("\n".join(json.dumps(line) for line in ({"command": "run", "description": ENDLESS}, {"command": "abort"})))
            self.assertEqual(driver.until("done")["status"], "aborted")
            driver.tell({"command": "run", "description": small()})
            self.assertEqual(driver.until("done")["status"], "done")
            driver.tell({"command": "run", "description": small(5)})
            done, status = driver.end()
            self.assertEqual((done["status"], status), ("done", 0))
            self.assertEqual(len({e["pid"] for e in driver.events if e["event"] == "hello"}), 1)

    def test_files_of_a_run(self):
        with Driver(self, "--serve", program="tomo-runjson") as driver:
            run = {"command": "run", "description": small(), "events": "events.jsonl", "errors": "errors.log"}
            driver.tell(run)
            driver.tell(run)
            self.assertIn("events.jsonl", driver.until("message")["text"])  # nobody runs it twice
            self.assertEqual(self.kinds(driver.events), ["hello", "message"])
            os.mkdir("elsewhere")
            driver.tell({"command": "run", "description": small(1, "there.tif"), "folder": "elsewhere"})
            self.assertEqual(driver.until("done")["status"], "done")
            self.assertTrue(os.path.exists("elsewhere/there.tif"))
            driver.tell({"command": "run", "description": small(), "folder": "missing"})
            self.assertEqual(driver.until("done")["status"], "failed")
            self.assertIn("missing", driver.events[-2]["text"])
            driver.tell({**run, "events": "missing/events.jsonl"})
            self.assertIn("missing/events.jsonl", driver.until("message")["text"])
            driver.process.stdin.close()
            self.assertEqual(driver.process.wait(PATIENCE), 0)
        with open("events.jsonl") as file:
            events = self.events(file.read())
        self.assertEqual((events[0]["event"], events[-1]["status"], self.kinds(events).count("hello")), ("hello", "done", 1))
        self.assertTrue(os.path.exists("errors.log"))

    def test_signals(self):
        with Driver(self, "--serve", program="tomo-runjson") as driver:
            driver.until("hello")
            driver.process.send_signal(signal.SIGTERM)
            self.assertEqual(driver.process.wait(PATIENCE), 128 + signal.SIGTERM)
        with Driver(self, "--serve", program="tomo-runjson") as driver:
            driver.tell({"command": "run", "description": ENDLESS})
            driver.tell({"command": "run", "description": small(2, "never.tif")})
            driver.until("progress", lambda e: e["output"] > 0)
            driver.process.send_signal(signal.SIGTERM)
            done, status = driver.end()
            self.assertEqual((done["status"], status), ("finished early", 128 + signal.SIGTERM))
            self.assertFalse(os.path.exists("never.tif"))

    def test_reconstructions(self):
        Scan().nxtomo("scan.nxs")
        with Driver(self, "--serve") as driver:
            description = {"scan": "scan.nxs", "axis": AXIS, "output": "slices.h5"}
            driver.tell({"command": "run", "description": description})
            self.assertEqual(driver.until("done")["status"], "done")
            driver.tell({"command": "run", "description": description})  # the result is there
            self.assertEqual(driver.until("done")["status"], "failed")
            for wrong, words in (({**description, "axiss": 3}, "axiss"), ({"axis": 3}, "no scan")):
                driver.tell({"command": "run", "description": wrong})
                self.assertEqual(driver.until("done")["status"], "failed")
                self.assertIn(words, driver.events[-2]["text"])
            driver.tell({"command": "run", "description": {**description, "overwrite": True}})
            done, status = driver.end()
            self.assertEqual((done["status"], status), ("done", 0))

    def test_usage(self):
        for words in (["tomo-runjson", "--serve"], ["tomo-runjson", "--serve", "--progress", "json", "flow.json"],
                      ["tomo-reconstruct", "--serve"], ["tomo-reconstruct", "--serve", "--progress", "json", "scan.nxs"]):
            done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=PATIENCE)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertIn("--serve wants", done.stderr)


if __name__ == "__main__":
    main()
