# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program tomo-cluster."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import sys
import warnings

from . import _connect
from ._errors import ClusterError, OutOfMemory

ABOUT = """Makes the slices of a scan on a cluster, by Dask: slabs of them are jobs, and the volume is a virtual dataset of their files.
The same as tomo-reconstruct with --cluster; docs/clusters.md has more."""


def parser():
    made = argparse.ArgumentParser(prog="tomo-cluster", description=" ".join(ABOUT.split()))
    made.add_argument("--version", action="store_true", help="print the version")
    made.add_argument("cluster", metavar="CLUSTER", help=f"{_connect.FORMS}, which has the number of jobs and options of SLURMCluster of "
                      "dask-jobqueue (queue, cores, memory, walltime)")
    made.add_argument("arguments", metavar="ARGUMENT", nargs=argparse.REMAINDER, help="a scan and options, as tomo-reconstruct takes them")
    return made


def main(words=None):
    words = sys.argv[1:] if words is None else words
    if words[:1] == ["--slabs"] and len(words) == 2:
        return asyncio.run(_serve(words[1]))
    given = ["--version"] if words == ["--version"] else None
    if given is None:
        chosen = parser().parse_args(words)
        if not chosen.cluster:
            parser().error(f"the cluster is an empty word; wanted {_connect.FORMS}")
        if not chosen.arguments:
            parser().error("the following arguments are required: those of tomo-reconstruct")
        given = [*chosen.arguments, f"--cluster={chosen.cluster}"]
    try:
        os.execvp("tomo-reconstruct", ["tomo-cluster" if given == ["--version"] else "tomo-reconstruct", *given])
    except OSError as e:
        print(f"tomo-cluster: tomo-reconstruct can't be started: {e.strerror}", file=sys.stderr)
        return 1


def _tell(event):
    print(json.dumps(event), flush=True)


async def _serve(name):
    # Of Dask: workers that end are no news, failures become errors, and versions that don't fit tell it by these.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    with contextlib.suppress(BrokenPipeError):  # nobody listens any more
        await _serve_all(name)
        return 0
    return 1


async def _serve_all(name):
    try:
        await _Session(name).run()
    except BrokenPipeError:
        raise
    except ClusterError as e:
        _tell({"event": "failed", "text": f"{e}"})
    except OSError as e:
        _tell({"event": "failed", "text": f"'{e.filename}': {e.strerror}" if e.filename else str(e)})
    except Exception as e:
        _tell({"event": "failed", "text": f"tomo-cluster: {type(e).__name__}: {e}"})
        raise


class _Session:
    def __init__(self, name):
        self._name, self._making, self._dispatcher = name, None, None
        self._is_finishing = False

    async def run(self):
        commands = asyncio.StreamReader(limit=2**30)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
        obeying = asyncio.ensure_future(self._obey_all(commands))
        async with contextlib.AsyncExitStack() as stack:
            getting_ready = asyncio.ensure_future(self._get_ready(stack))
            await asyncio.wait({getting_ready, obeying}, return_when=asyncio.FIRST_COMPLETED)
            if not getting_ready.done():  # nobody wants it any more
                getting_ready.cancel()
                await asyncio.wait({getting_ready})
            else:
                getting_ready.result()
            await obeying

    async def _get_ready(self, stack):
        from ._slabs import Dispatcher

        client, self._lonely = await _connect.connected(self._name, stack)
        dispatcher = Dispatcher(client, _tell)
        try:
            await asyncio.wait_for(client.wait_for_workers(1), self._lonely)
        except TimeoutError:
            raise ClusterError(f"no worker has come to '{self._name}' for {self._lonely:.0f} s; {_connect.how_workers_come(self._name)}") from None
        await dispatcher.check()
        self._dispatcher = dispatcher
        _tell({"event": "ready", "workers": len(await dispatcher.workers()), "kinds": await dispatcher.kinds()})

    async def _obey_all(self, commands):
        async def next_line():
            return await commands.readline()

        reading = asyncio.ensure_future(next_line())
        while True:
            await asyncio.wait({reading, *([self._making] if self._making else [])}, return_when=asyncio.FIRST_COMPLETED)
            if self._making and self._making.done():
                making, self._making = self._making, None
                making.result()
            if not reading.done():
                continue
            if not reading.result():
                break
            await self._obey(json.loads(reading.result()))
            reading = asyncio.ensure_future(next_line())
        if self._making:
            self._making.cancel()
            await asyncio.wait({self._making})

    async def _obey(self, command):
        kind = command["command"]
        if kind == "make":
            self._making = asyncio.ensure_future(self._make(command))
        elif kind == "join":
            from . import _volume

            await asyncio.to_thread(_volume.join, command["file"], command["dataset"], command["slabs"], command["dataset-of-slab"],
                                    command["slab-folder"])
            _tell({"event": "joined"})
        elif kind == "finish":
            self._is_finishing = True
            if self._dispatcher:
                self._dispatcher.is_finishing = True
        elif kind in ("pause", "resume") and self._dispatcher:
            self._dispatcher.is_paused = kind == "pause"

    async def _make(self, command):
        dispatcher = self._dispatcher
        dispatcher.is_finishing = self._is_finishing
        if command.get("file"):
            from . import _volume

            await asyncio.to_thread(_volume.check, command["file"], command["dataset"])
        shared = {name: command.get(name) for name in ("folder", "memory", "device-memory")}
        try:
            await dispatcher.make([{**slab, **shared} for slab in command["slabs"]], command["slab-folder"], command["patience"],
                                  lonely=self._lonely)
        except OutOfMemory as e:
            _tell({"event": "out-of-memory", "text": f"{e}"})
        else:
            _tell({"event": "stopped"})
