# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The work of a worker: it makes slabs. Modules that a worker may lack are imported late."""

import collections
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid

from ._errors import SlabError

PROGRAM = "tomo-runjson"
QUERY = "tomo-query"
GIVEN_UP = "it was given up"
TOPIC = "gst-tomo-slabs-"  # and the token of a run

_lock = threading.Lock()  # a worker makes one slab at a time, however many threads it has
_server = None


def version():
    """Of the program that makes slabs. Raises OSError where there is none."""
    told = subprocess.run([PROGRAM, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if told.returncode != 0:
        raise OSError(f"{PROGRAM} --version ended with {told.returncode}: {told.stderr.strip()}")
    return told.stdout.split()[-1]


def probe(expected, folder=None, token=None):
    """Why this worker can't make slabs; "" if it can. `token` is in a file of the folder of slabs."""
    return why_not_of_version(expected) or (why_not_shared(folder, token) if folder else "")


def device():
    """The computer and the device of this worker, as tomo-query tells it. Raises OSError where there is none."""
    told = subprocess.run([QUERY, "--devices", "--json"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    for one in json.loads(told.stdout or "[]"):
        if one["default"]:
            return {**one, "host": socket.gethostname()}
    raise OSError(f"{QUERY} tells no device: {told.stderr.strip()}")


def why_not_of_version(expected):
    try:
        found = version()
    except (OSError, subprocess.SubprocessError, IndexError) as e:
        return f"it can't run {PROGRAM}: {e}"
    return f"it has gst-tomo {found}, and this computer {expected}" if found != expected else ""


def why_not_shared(folder, token):
    try:
        with open(os.path.join(folder, token), encoding="ascii") as file:
            if file.read() != token:
                return f"another file system is at '{folder}'"
    except OSError:
        return f"it does not see '{folder}' of this computer: slabs go through a file system that all workers share"
    return "" if os.access(folder, os.W_OK) else f"it can't write in '{folder}'"


class Server:
    """A process that makes one slab after the other, so that device and programs stay."""

    def __init__(self, version, options, environment):
        self.key = version, options, environment
        self._events = queue.Queue()
        self._errors = tempfile.TemporaryFile()
        self._started = threading.Event()
        self._failure = None
        self.process = None
        threading.Thread(target=self._serve, daemon=True).start()
        self._started.wait()
        if self._failure:
            raise self._failure

    # The kernel ends the process with the thread that started it, so also where this worker is killed.
    def _serve(self):
        _, options, environment = self.key
        bound = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        try:
            self.process = subprocess.Popen([*bound, PROGRAM, "--serve", "--progress", "json", *options], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=self._errors, start_new_session=True, text=True,
                                            env={**os.environ, **dict(environment)})
        except OSError as e:
            self._failure = e
        self._started.set()
        if self._failure:
            return
        for line in self.process.stdout:
            self._events.put(json.loads(line))
        self.process.wait()
        self._events.put(None)

    def start(self, graph, folder):
        print(json.dumps({"command": "run", "description": graph, "folder": folder}), file=self.process.stdin, flush=True)

    def next(self, seconds):
        """An event, None at the end of the process. Raises queue.Empty."""
        return self._events.get(timeout=seconds)

    def last_words(self):
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip()[-500:]

    def kill(self):
        self.process.kill()


def _serving(order, fail):
    """The process of this worker, with the version and the options that the slab wants."""
    global _server
    version = order["version"]
    options = ("--max-memory", str(order["memory"])) if order.get("memory") else ()
    environment = (("GST_TOMO_MEMORY_LIMIT", order["device-memory"]),) if order.get("device-memory") else ()
    key = version, options, environment
    if _server is not None and (_server.key != key or _server.process.poll() is not None):  # as by the kernel, for want of memory
        _end_server()
    if _server is None:
        if problem := why_not_of_version(version):  # nobody may have asked a worker that came late
            fail(problem, True)
        _server = Server(*key)
    return _server


def _end_server():
    global _server
    server, _server = _server, None
    if server is not None:
        server.kill()


def make_slab(order):
    """Makes a slab: in a folder of its own, so that no other attempt is in its way, then under its name."""
    from distributed import get_worker

    worker = get_worker()
    number, folder, token = order["number"], order["slab-folder"], order["token"]

    def fail(text, is_unfit=False, is_killed=False):
        raise SlabError(text, worker.address, is_unfit, is_killed)

    # The scheduler hands events on, in front of the news that a job has ended. A result of the job would have to be fetched.
    def tell(images, **more):
        worker.log_event(TOPIC + token, {"slab": number, "worker": worker.address, "images": images, **more})

    with _lock:
        if problem := why_not_shared(folder, token):
            fail(problem, True)
        begun = time.monotonic()
        attempt = os.path.join(folder, f"attempt-{uuid.uuid4().hex}")
        tell(0)
        try:
            os.mkdir(attempt)
            made = os.path.join(attempt, os.path.basename(order["file"]))
            warnings = _run(order, made, attempt, tell, fail)
            if not _is_wanted(order, attempt):
                fail(GIVEN_UP)
            os.replace(made, order["file"])
        except OSError as e:
            fail(f"'{e.filename or folder}': {e.strerror}")
        finally:
            shutil.rmtree(attempt, ignore_errors=True)
        tell(order["images"], host=socket.gethostname(), seconds=time.monotonic() - begun, warnings=warnings)


def _is_wanted(order, attempt):
    """Whether its run goes on; a run takes both away at its end, but may miss a folder that comes at this moment."""
    return os.path.isdir(attempt) and os.path.exists(os.path.join(order["slab-folder"], order["token"]))


def _run(order, made, attempt, tell, fail):
    try:
        server = _serving(order, fail)
        server.start(_moved(order, made), order["folder"])
    except OSError as e:
        _end_server()
        is_gone = isinstance(e, BrokenPipeError)
        fail(f"{PROGRAM} can't be run: {e}", not is_gone, is_gone)
    heard = told = time.monotonic()
    counts, images, errors, warnings = None, 0, [], collections.OrderedDict()
    while True:
        try:
            event = server.next(min(1.0, order["beat"]))
        except queue.Empty:
            event = {"event": ""}
        now = time.monotonic()
        if event is None:
            words = server.last_words()
            _end_server()
            status = server.process.returncode
            fail(f"{PROGRAM} ended by signal {-status}" if status < 0 else f"{PROGRAM} ended with status {status}: {words}",
                 is_killed=status == -signal.SIGKILL)
        kind = event["event"]
        if kind == "progress":
            if (state := (event.get("nodes"), event.get("iteration"), event["output"])) != counts:
                counts, heard = state, now
            images = min(event["output"], order["images"])
        elif kind:
            heard = now
        if kind == "message":
            (errors if event["level"] == "error" else warnings.setdefault(event["text"], []) if event["level"] == "warning" else []
             ).append(event["text"])
        elif kind == "done":
            if event["status"] != "done":
                fail(errors[0] if errors else f"its dataflow ended as {event['status']}")
            return list(warnings)
        if now - told >= order["beat"]:
            told = now
            tell(images)
            if not _is_wanted(order, attempt):
                _end_server()
                fail(GIVEN_UP)
        if now - heard > order["patience"]:
            _end_server()
            fail(f"nothing has happened to it for {order['patience']:.0f} s, so its process was ended")


def _moved(order, made):
    """The dataflow, which writes to another file."""
    graph = order["graph"]
    writer = next(node for node in graph["nodes"] if node.get("name") == "write")
    name = os.path.basename(order["file"])
    _, found, dataset = writer["properties"]["filename"].rpartition(name)
    assert found
    properties = {**writer["properties"], "filename": made + dataset}
    return {**graph, "nodes": [{**node, "properties": properties} if node is writer else node for node in graph["nodes"]]}
