# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small copies of volumes for looks from outside: uint8, at most 128 or 256 samples along each side. They are made once, and kept
in files."""

import contextlib
import json
import os
import pathlib
import tempfile
import threading

import numpy as np
from gsttomo.widgets import _levels as shades
from gsttomo.widgets.volume import reduced

SIDES = (128, 256)
KEPT = 64  # bricks, the largest of 16 MB


class Bricks:
    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._lock, self._making = threading.Lock(), {}  # for two browsers that want the same one

    def get(self, volume, most, stop):
        """(array (z, y, x), (low, high): values of 0 and 255) of an OpenVolume; in a thread."""
        path = self._folder / f"{volume.stamp}-{most}.brick"
        with self._lock:
            making = self._making.setdefault(path.name, threading.Lock())
        try:
            with making:
                return self._found(path, volume, most, stop)
        finally:
            with self._lock:
                self._making.pop(path.name, None)

    def _found(self, path, volume, most, stop):
        with contextlib.suppress(OSError, ValueError, KeyError):
            made = _read(path)
            os.utime(path)  # it was wanted last
            return made
        made = _make(volume, most, stop)
        self._keep(path, *made)
        return made

    def _keep(self, path, brick, span):
        self._folder.mkdir(parents=True, exist_ok=True)
        head = json.dumps({"shape": brick.shape, "low": span[0], "high": span[1]}).encode()
        with contextlib.suppress(OSError):  # a full disk: it is made again the next time
            with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".partial", delete=False) as file:
                file.write(len(head).to_bytes(4, "little") + head + brick.tobytes())
            os.replace(file.name, path)
        for old in sorted(self._folder.glob("*.brick"), key=lambda one: one.stat().st_mtime, reverse=True)[KEPT:]:
            old.unlink(missing_ok=True)


def _read(path):
    saved = path.read_bytes()
    begin = 4 + int.from_bytes(saved[:4], "little")
    head = json.loads(saved[4:begin])
    return np.frombuffer(saved, np.uint8, offset=begin).reshape(head["shape"]), (head["low"], head["high"])


def _make(opened, most, stop):
    samples = _part(opened.volume, most, stop)
    samples = np.abs(samples) if samples.dtype.kind == "c" else samples
    # The window that a browser begins with, which is that of some planes, and the one of the copy: few samples may be far off.
    windows = shades.percentiles(shades.sample(samples)), opened.values(stop)[0]
    low, high = min(one[0] for one in windows), max(one[1] for one in windows)
    margin = (high - low) / 2  # so that the window has room
    low, high = low - margin, high + margin
    brick = np.empty(samples.shape, np.uint8)
    for z, image in enumerate(samples):  # in parts, so that it needs little memory
        with np.errstate(all="ignore"):
            part = np.clip((image.astype(np.float32) - np.float32(low)) * np.float32(255 / (high - low)) + 0.5, 0, 255)
        brick[z] = np.nan_to_num(part, copy=False)
    return brick, (low, high)


def _part(volume, most, stop):
    """The finest level that is small enough, or means of the coarsest one."""
    fitting = [level for level in volume.levels if max(level.shape) <= most]
    if fitting:
        level = max(fitting, key=lambda level: level.size)
        return level.box((0, 0, 0), level.shape, stop)
    level = min(volume.levels, key=lambda level: level.size)
    bins = [1 << max(0, -(-size // most) - 1).bit_length() for size in level.shape]
    return reduced(level, (0, 0, 0), level.shape, bins, stop)
