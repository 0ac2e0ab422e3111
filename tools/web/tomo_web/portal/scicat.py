# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""SciCat, by scitacean in a process of its own: scitacean wants a pydantic that Debian's FastAPI can't have. See scicat_program.py."""

import asyncio
import base64
import dataclasses
import json
import os
import pathlib

from ..programs import GUARD, ended
from . import Away, Derived, Health, LoginRefused, Portal, Raw, Refused, RemoteFile

PROGRAM = pathlib.Path(__file__).with_name("scicat_program.py")
PATIENCE = 120.0          # seconds for one call, which may ask the portal several times
LONGEST_LINE = 256 << 20
KINDS = {"away": Away, "login": LoginRefused, "refused": Refused}


def python_of(settings):
    """The Python that has scitacean, or None."""
    build = pathlib.Path(__file__).resolve().parents[4] / "build"
    named = [settings.python, os.environ.get("GST_TOMO_PORTAL_PYTHON"), build / "portal-python" / "bin" / "python"]
    return next((str(one) for one in named if one and os.access(one, os.X_OK)), None)


class SciCat(Portal):
    """settings: PortalSettings"""

    def __init__(self, settings):
        self._settings = settings
        self._process = None
        self._turn = asyncio.Lock()

    async def health(self):
        try:
            person = await self._call("health")
        except (Away, Refused) as e:
            return Health(False, e.text)
        return Health(True, f"SciCat answers, and knows us as {person}", person)

    async def find(self, proposals, search="", limit=None):
        return [Raw(**one) for one in await self._call("find", proposals=list(proposals), search=search, limit=limit)]

    async def files(self, number):
        found = await self._call("files", number=number)
        return Raw(**found["raw"]), [RemoteFile(**file) for file in found["files"]]

    async def register(self, derived: Derived):
        return await self._call("register", derived=dataclasses.asdict(derived))

    async def attach(self, number, key, caption, png):
        await self._call("attach", number=number, key=key, caption=caption, png=base64.b64encode(png).decode())

    async def close(self):
        if self._process:
            await ended(self._process)

    async def _call(self, name, **arguments):
        async with self._turn:
            await self._start()
            try:
                self._process.stdin.write((json.dumps({"call": name, "arguments": arguments}) + "\n").encode())
                line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
            except asyncio.TimeoutError:
                await self._lose()
                raise Away(f"the portal does not answer within {PATIENCE:.0f} s") from None
            except (OSError, ValueError):
                line = b""
            except asyncio.CancelledError:
                await self._lose()  # its answer would be taken for that of the next call
                raise
            if not line:
                await self._lose()
                raise Away("the process that speaks with the portal has ended: tried again later")
        answer = json.loads(line)
        if "error" in answer:
            raise KINDS[answer["kind"]](answer["error"])
        return answer["value"]

    async def _start(self):
        if self._process and self._process.returncode is None:
            return
        python = python_of(self._settings)
        if not python:
            raise Refused("scitacean is not installed: tools/setup --portal installs it; or name a Python that has it as [portal] python")
        self._process = await asyncio.create_subprocess_exec(
            *GUARD, python, str(PROGRAM), json.dumps(dataclasses.asdict(self._settings)), stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, limit=LONGEST_LINE,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"})  # our modules are for another Python

    async def _lose(self):
        process, self._process = self._process, None
        if process:
            await ended(process)
