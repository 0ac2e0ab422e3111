# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A catalogue for tests of the portal: scicat_server.py as a process."""

import atexit
import base64
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
MODELS = os.environ.get("GST_TOMO_SCICAT_PYTHON", "")
CLIENT = os.environ.get("GST_TOMO_PORTAL_PYTHON", "")


def check_pythons():
    """Ends the test where what it needs is not there."""
    for python in (MODELS, CLIENT):
        if not os.path.exists(python):
            sys.exit(f"{python or 'GST_TOMO_PORTAL_PYTHON'} is missing: tools/setup --tests makes it")


def token_until(seconds):
    """A token as SciCat gives them, which says when it expires."""
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return ".".join((part({"alg": "HS256", "typ": "JWT"}), part({"username": "tester", "exp": int(time.time() + seconds)}), "c2lnbmF0dXJlLW9mLXRoZS10ZXN0"))


class SciCatServer:
    """An empty catalogue that takes this token: the last one that was made, for its process is one for all."""

    _port = None

    def __init__(self, token):
        if SciCatServer._port is None:
            SciCatServer._port = self._start()
        self.port = SciCatServer._port
        self.address = f"http://127.0.0.1:{self.port}/api/v3"
        self.control(begin=token)

    @staticmethod
    def _start():
        process = subprocess.Popen([MODELS, HERE / "scicat_server.py"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                   env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"})
        atexit.register(process.wait)
        atexit.register(process.kill)
        with process.stdout as told:
            return int(told.readline())

    def control(self, **values):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/control", json.dumps(values).encode() if values else None)
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.load(response)

    def add_raw(self, folder, files, name="Tooth", proposal="p1", **members):
        """Its number. files: names and sizes"""
        before = set(self.control()["datasets"])
        state = self.control(raw={"ownerGroup": "group1", "accessGroups": ["group2"], "owner": "Ada", "contactEmail": "ada@example.org", "sourceFolder": folder,
                                  "creationTime": "2026-01-02T03:04:05.000Z", "datasetName": name, "type": "raw", "proposalIds": [proposal],
                                  "creationLocation": "/X/Y", "techniques": [{"pid": "t1", "name": "tomography"}], "sampleIds": ["s1"], **members},
                             files=[{"path": path, "size": size, "time": "2026-01-02T03:04:05.000Z"} for path, size in files])
        return (set(state["datasets"]) - before).pop()

    @property
    def derived(self):
        return [one for one in self.control()["datasets"].values() if one["type"] == "derived"]
