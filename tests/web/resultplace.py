# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Results for tests: a server whose first result is that of a job, and eyes for its pictures."""

import base64
import tempfile

import h5py
import numpy as np
from gsttomo import jobs
from resulttest import add_job, write_volume
from webtest import SCAN, BrowserTest, Server

SETTINGS = {"scan": str(SCAN), "axis": 86.35, "flat-scale": 0.68, "y": 30, "height": 60}
READY = "[data-complete=true]"


class ResultPlaceTest(BrowserTest):
    """All tests share a server; its first result is that of a job."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory(prefix="tomo-web-test-", ignore_cleanup_errors=True)
        cls.addClassCleanup(folder.cleanup)
        cls.shared = Server(folder.name)
        cls.addClassCleanup(cls.shared.close)
        cls.file = cls.shared.results / "savu24737-slices.h5"
        with jobs.PlainQueue(cls.shared.queue) as queue:
            cls.job = queue.submit({**SETTINGS, "output": str(cls.file)}, name="savu24737", subject="data set 1", owner="local").id
            manager = jobs.start_manager(cls.shared.queue)
            done = queue.wait(cls.job, 120)
            manager.terminate()
            manager.wait(60)
        if done.state is not jobs.State.DONE:
            raise AssertionError(done.error)
        with h5py.File(cls.file, "r") as file:
            cls.volume = file["entry/data/data"][()]

    def open(self, place=None, **options):
        page = self.page(self.shared, place or f"results/{self.job}/0", **options)
        if place is None:
            page.wait_for_selector(f".viewer-surface{READY}")
            page.wait_for_function("() => document.querySelector('#results-state').dataset.state === 'done'")
        return page

    def second(self, array, name):
        """Another result: number of its job."""
        return add_job(self.shared, write_volume(self.shared.results / name, array), name=name)

    def levels(self, job=None):
        return self.shared.get(f"results/{job or self.job}/0/values")["levels"]

    @staticmethod
    def pixels(page, selector=".viewer-pane:not([hidden]) .viewer-surface"):
        data = page.evaluate("""(selector) => {
            const canvas = document.querySelector(`${selector} > canvas`), { width, height } = canvas;
            const copy = document.createElement("canvas");
            [copy.width, copy.height] = [width, height];
            copy.getContext("2d").drawImage(canvas, 0, 0);
            const bytes = copy.getContext("2d").getImageData(0, 0, width, height).data;
            let text = "";
            for (let i = 0; i < bytes.length; i += 4) text += String.fromCharCode(bytes[i]);
            return [width, height, btoa(text)];
        }""", selector)
        return np.frombuffer(base64.b64decode(data[2]), np.uint8).reshape(data[1], data[0])
