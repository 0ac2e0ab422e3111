# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Results for tests of tomo-web: volumes, and jobs that are done and wrote them."""

import json
import pathlib
import sqlite3
import tempfile
import time
import unittest

import h5py
import numpy as np
from gsttomo import jobs
from webtest import Server


def add_job(server, *paths, name="", description=None, **values):
    """The number of a job in the queue of a server that is done, with these outputs. Nothing runs."""
    with jobs.PlainQueue(server.queue) as queue:
        paths_ = [str(path) for path in paths]
        queue.pause(number := queue.submit(description or {"scan": "/nowhere/scan.nxs", "axis": 86.35}, name=name, devices=(), owner="local").id)
    values = {"state": "done", "status": "done", "outputs": json.dumps(paths_), "ended": time.time(), "began": time.time() - 65,
              "started": time.time() - 65, **values}
    database = sqlite3.connect(server.queue / "jobs.sqlite", timeout=30)
    with database:
        database.execute(f"UPDATE jobs SET {', '.join(f'{name} = ?' for name in values)} WHERE id = ?", (*values.values(), number))
    database.close()
    return number


def random_volume(shape, dtype, seed=1):
    random = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return random.normal(0, 1, shape).astype(dtype)
    return random.integers(0, np.iinfo(dtype).max, shape, endpoint=True).astype(dtype)


def write_volume(path, array, pixel_size=None, pyramid=False, **options):
    """As tomo-reconstruct writes it; `options` are those of h5py."""
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs["default"] = "data"
        data = entry.create_group("data")
        data.attrs["signal"] = "data"
        data.create_dataset("data", data=array, **options)
        if pixel_size:
            axis = data.create_dataset("x", data=np.arange(array.shape[2]) * pixel_size * 1e6)
            axis.attrs["units"] = "um"
        factor = 2
        while pyramid and max(array.shape) // factor >= 16:
            level = data.create_dataset(f"data_{factor}x", data=halved(array, factor))
            level.attrs["pyramid_factor"] = factor
            factor *= 2
    return path


def halved(array, factor):
    """Means of cubes; at the edges of fewer samples."""
    made = array.astype(np.float64)
    for axis in range(3):
        begins = np.arange(0, array.shape[axis], factor)
        counts = np.diff(np.append(begins, array.shape[axis]))
        made = np.add.reduceat(made, begins, axis) / counts.reshape([-1 if i == axis else 1 for i in range(3)])
    return np.rint(made).astype(array.dtype) if array.dtype.kind in "iu" else made.astype(array.dtype)


class ResultTest(unittest.TestCase):
    """All tests of a class share a server; each has results of its own."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="tomo-web-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.server = Server(folder.name)
        cls.addClassCleanup(cls.server.close)
        ResultTest.number = 0

    def written(self, array, **options):
        ResultTest.number += 1
        return write_volume(self.server.results / f"volume{self.number}.h5", array, **options)

    def result(self, array, **options):
        """The address of a result with these samples."""
        return f"results/{add_job(self.server, self.written(array, **options))}/0"

    def ask(self, path, status=200, **query):
        answer = self.server.ask("GET", path, query=query, headers=query.pop("headers", None))
        self.assertEqual(answer.status, status, answer.body[:300])
        return answer

    def error(self, path, status, **query):
        return self.ask(path, status, **query).json["error"]

    def read_bytes(self):
        """That the server has read so far."""
        return int(pathlib.Path(f"/proc/{self.server.process.pid}/io").read_text().split()[1])
