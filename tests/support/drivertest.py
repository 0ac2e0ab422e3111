# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that are driven by --progress json: each line by its schema."""

import contextlib
import json
import pathlib
import subprocess

PATIENCE = 120  # seconds until a program counts as hanging
SCHEMA = json.loads((pathlib.Path(__file__).parents[2] / "docs" / "progress-schema.json").read_text())
TYPES = {"string": str, "integer": int, "number": (int, float), "array": list, "object": dict}


def problem(value, schema):
    """Why a value does not fit to the part of JSON schema that ours takes; None if it does."""
    if "oneOf" in schema:
        problems = [problem(value, one) for one in schema["oneOf"]]
        return None if problems.count(None) == 1 else problems
    if "const" in schema or "enum" in schema:
        return None if value in schema.get("enum", [schema.get("const")]) else f"{value!r} is none of {schema}"
    if not isinstance(value, TYPES[schema["type"]]) or isinstance(value, bool):
        return f"{value!r} is no {schema['type']}"
    if schema["type"] == "array":
        return next((p for p in (problem(item, schema["items"]) for item in value) if p), None)
    if schema["type"] == "object":
        missing, unknown = set(schema.get("required", ())) - set(value), set(value) - set(schema.get("properties", value))
        if missing or unknown:
            return f"{value}: {missing} are missing, {unknown} are unknown"
        return next((p for p in (problem(value[key], one) for key, one in schema.get("properties", {}).items() if key in value) if p), None)
    return None


def dataflow(*nodes):
    """A chain of (plugin, properties)."""
    names = [f"{plugin}-{number}" for number, (plugin, _) in enumerate(nodes)]
    return {"nodes": [{"plugin": plugin, "name": name, "properties": properties}
                      for name, (plugin, properties) in zip(names, nodes)],
            "edges": [{"from": one, "to": other, "input": 0} for one, other in zip(names, names[1:])]}


class Driver:
    """A program that is driven."""

    def __init__(self, case, *words, program="tomo-reconstruct", env=None):
        self.case, self.events = case, []
        self.process = subprocess.Popen([program, *map(str, words), "--progress", "json"], text=True, env=env,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):  # a line that the ended program never read
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.stderr.close()

    def tell(self, line):
        if isinstance(line, dict):
            self.case.assertIsNone(problem(line, SCHEMA["$defs"]["command"]))
            line = json.dumps(line)
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def until(self, kind, condition=lambda event: True):
        for line in self.process.stdout:
            self.events.append(event := json.loads(line))
            self.case.assertIsNone(problem(event, SCHEMA["$defs"]["event"]))
            if event["event"] == kind and condition(event):
                return event
        self.case.fail(f"no {kind}: {self.events} {self.process.stderr.read()}")

    def end(self):
        done = self.until("done")
        self.process.stdin.close()
        self.case.assertEqual(self.process.stdout.read(), "")
        return done, self.process.wait(PATIENCE)
