# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lines of --progress json (docs/progress.md): reading them from files that grow, and what they say about a job."""

import json
import os
import time

MOST_RESULTS = 1000  # that are kept beside a job; its log has all


class Tail:
    """Lines of a file that grows, each once and whole."""

    def __init__(self, path):
        self.path = path
        self._file = None
        self._begun = b""

    def read(self):
        """The objects that have come since the last call; a line that is none counts as an error message."""
        if self._file is None:
            try:
                self._file = open(self.path, "rb")
            except FileNotFoundError:
                return []
        came = self._file.read()
        if not came and os.fstat(self._file.fileno()).st_nlink == 0:  # of a process that vanished before it began
            self._file.close()
            self._file, self._begun = None, b""
            return self.read()
        *lines, self._begun = (self._begun + came).split(b"\n")
        return [parsed(line) for line in lines if line.strip()]

    def has_begun(self):
        return self._file is not None or os.path.exists(self.path)

    def close(self):
        if self._file is not None:
            self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def parsed(line):
    try:
        event = json.loads(line)
        if isinstance(event, dict) and "event" in event:
            return event
    except ValueError:
        pass
    return {"event": "message", "time": time.time(), "level": "error", "text": f"no event: {line[:200].decode(errors='replace')}"}


class Course:
    """All that the events of a run have said so far. It is the same however often they are read."""

    def __init__(self):
        self.began = None
        self.is_paused = False
        self.status = None  # once it is over
        self.outputs = []
        self.results = []
        self.error = None
        self.values = {}  # of the job: stage, progress

    @property
    def is_over(self):
        return self.status is not None

    def take(self, event):
        """Whether more has changed than how far it is."""
        kind = event["event"]
        if kind == "progress":
            self.values.update(stage=event.get("stage"), done=event.get("done"), total=event.get("total"), unit=event.get("unit"),
                               rate=event.get("rate"), seconds_left=event.get("seconds-left"))
            return False
        if kind == "hello":
            self.began = event.get("time")
        elif kind == "stage":
            self.values["stage"] = event.get("name")
        elif kind == "state":
            self.is_paused = event.get("state") == "paused"
        elif kind == "result":
            if len(self.results) < MOST_RESULTS:
                self.results.append({key: value for key, value in event.items() if key not in ("event", "time")})
            return False
        elif kind == "message" and event.get("level") == "error":
            self.error = event.get("text")
        elif kind == "done":
            self.status, self.outputs = event.get("status"), event.get("outputs", [])
        return kind not in ("message", "preview", "plan")
