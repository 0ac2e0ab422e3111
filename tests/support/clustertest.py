# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A scheduler of Dask and workers, each a process of its own, for tests of clusters."""

import asyncio
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

from pipetest import PATIENCE

# Of Dask's programs.
ENVIRONMENT = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "20s", "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "10",
               "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False", "DASK_LOGGING__DISTRIBUTED": "error"}

# Programs that a worker runs before it begins.
BLIND = """
import gsttomo.cluster._worker as worker
worker.open = lambda *_, **__: (_ for _ in ()).throw(FileNotFoundError())
"""
SLOW = """
import time
import gsttomo.cluster._worker as worker

def slow(self, seconds, next=worker.Server.next):
    event = next(self, seconds)
    if event and event["event"] == "done":
        time.sleep(0.4)
    return event

worker.Server.next = slow
"""
OTHER = SLOW + """
worker.version = lambda: "0.0.9"
"""
WITHOUT_MODULE = """
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("gsttomo"):
            raise ModuleNotFoundError(f"No module named {name!r}")

sys.meta_path.insert(0, Finder())
"""
FULL = """
import os
os.environ["LD_PRELOAD"] = os.environ["GST_TOMO_FAILING_DISK"]
os.environ["FAILING_DISK"] = "write:attempt-:28:1000"
"""


def dask(program, *words):
    return subprocess.Popen([sys.executable, "-m", f"distributed.cli.dask_{program}", *map(str, words)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
                            env={**os.environ, **ENVIRONMENT})


class Processes:
    """A scheduler and its workers, until close()."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._all = []
        place = self._folder / "scheduler.json"
        self._start("scheduler", "--host", "127.0.0.1", "--port", 0, "--dashboard-address", "127.0.0.1:0", "--scheduler-file", place)
        deadline = time.monotonic() + PATIENCE
        while not place.exists() or not (found := re.search(r'"address": "(tcp://[^"]+)"', place.read_text())):
            if time.monotonic() > deadline:
                raise TimeoutError("the scheduler does not start")
            time.sleep(0.02)
        self.address = found[1]

    def _start(self, *words):
        process = dask(*words)
        self._all.append(process)
        return process

    def worker(self, preload=None):
        """One more, when the scheduler knows it."""
        name = f"worker-{len(self._all)}-{time.monotonic_ns()}"
        words = ["--nthreads", 1, "--no-nanny", "--no-dashboard", "--memory-limit", 0, "--host", "127.0.0.1", "--local-directory", self._folder,
                 "--name", name]
        if preload:
            path = self._folder / f"{name}.py"
            path.write_text(preload)
            words += ["--preload", path]
        worker = self._start("worker", self.address, *words)
        deadline = time.monotonic() + PATIENCE
        while name not in asyncio.run(self._names()):
            if time.monotonic() > deadline or worker.poll() is not None:
                raise TimeoutError(f"a worker does not come: {worker.poll()}")
            time.sleep(0.1)
        return worker

    async def _names(self):
        from distributed import Client

        async with Client(self.address, asynchronous=True, set_as_default=False) as client:
            return {about["name"] for about in (await client.scheduler.identity())["workers"].values()}

    def end(self, process):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGCONT)
        process.kill()
        process.wait()
        process.stderr.close()
        self._all.remove(process)

    def kill_scheduler(self):
        self._all[0].kill()

    def close(self):
        for process in self._all[::-1]:
            self.end(process)


def descendants(pid):
    """Processes that it has started, and those that these have."""
    found = []
    for child in map(int, _children(pid)):
        found += [child, *descendants(child)]
    return found


def _children(pid):
    words = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            words += pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split()
    except OSError:
        pass
    return words


def _has_word(pid, word):
    try:
        return word in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def is_worker(pid):
    """Whether it is one of a local cluster."""
    return _has_word(pid, b"multiprocessing.spawn")


def is_slab_process(pid):
    """Whether it makes slabs for a worker."""
    return _has_word(pid, b"--serve")
