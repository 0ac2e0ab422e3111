# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Volumes that are looked at: open files, the levels that a browser sees of them, and threads that read."""

import asyncio
import collections
import concurrent.futures
import contextlib
import dataclasses
import os
import threading

import numpy as np
from gsttomo.widgets import Volume, VolumeError, split_name
from gsttomo.widgets import _levels as shades
from gsttomo.widgets.volume import FULL, Stopped, means_of

from .errors import Conflict, Invalid, Refusal, TooMany, Unknown

OPEN = 4           # volumes at once; each keeps some hundred MB at most
THREADS = 4
WAITING = 256      # reads that wait for a thread
LOOK = 0.05        # seconds between looks at whether the browser is still there
SMALL = 512        # samples of the longest side of a plane from which on no coarser level is made


class Damaged(Refusal):
    """A file that can't be read."""
    status = 422


class Gone(Refusal):
    """The browser does not wait any more, and hears nothing of it."""
    status = 499


@dataclasses.dataclass(frozen=True)
class Seen:
    """A level as a browser sees it: one of the file, or means of `bins` x `bins` samples of its planes."""
    stored: object
    bins: int
    is_overview: bool = False

    def plane_shape(self, axis):
        return tuple(-(-size // self.bins) for size in self.stored.plane_shape(axis))

    def step(self, axis):
        """How far samples lie apart in a plane: (down, right)."""
        return tuple(factor * self.bins for i, factor in enumerate(self.stored.factor) if i != axis)

    def cost(self, axis):
        """Bytes to read for a plane along an axis, where many follow each other; None where one would take too long."""
        once, following = self.stored.cost(axis)
        return int(following) if once <= FULL else None


def type_of(dtype):
    """Of samples that travel: uint8, uint16, or float32 for all others."""
    if dtype.kind == "b" or dtype == np.uint8:
        return np.dtype(np.uint8)
    return np.dtype(np.uint16) if dtype.kind == "u" and dtype.itemsize == 2 else np.dtype(np.float32)


def as_sent(array):
    """Samples as they travel; of complex ones the magnitudes."""
    array = np.abs(array) if array.dtype.kind == "c" else array
    wanted = type_of(array.dtype)
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(array, wanted.newbyteorder("<"))


class OpenVolume:
    """A Volume, and what was found out about it."""

    def __init__(self, path, number):
        self.volume = Volume(path, number)
        self.path = path
        self.stamp = f"{self.volume.stamp}{f'-{number}' if number else ''}"
        self._lock, self._overview_lock = threading.Lock(), threading.Lock()
        self._values = None
        self._stored = sorted(self.volume.levels, key=lambda level: level.factor)
        self.users, self.is_dropped = 0, False

    def levels(self):
        """The finest one first, down to one whose planes fit into a small window. Their numbers stay the same: an overview is the last one."""
        seen = [Seen(level, 1) for level in self._stored]
        bins, last = 2, self._stored[-1]
        while max(last.shape) / bins > SMALL / 2 and max(last.shape) > SMALL:
            seen.append(Seen(last, bins))
            bins *= 2
        return seen + [Seen(level, 1, is_overview=True) for level in self.volume.levels if level not in self._stored]

    def level(self, number, stop):
        """One of levels(). Raises Unknown."""
        levels = self.levels()
        if number == len(levels) and self.needs_overview():  # it was made once, and the file was closed since
            self.make_overview(stop)
            levels = self.levels()
        if number >= len(levels):
            raise Unknown(f"there is no level {number}: the volume has {len(levels)}")
        return levels[number]

    def tile(self, level, axis, index, corner, size, border, stop):
        """Samples of a part of a plane that begins at `corner`, with `border` more ones where the plane has them."""
        rows, columns = level.plane_shape(axis)
        if level.cost(axis) is None:
            raise Invalid("this plane can't be had at this resolution: too much of the file would be read", "level")
        if not (0 <= index < self.volume.shape[axis] and 0 <= corner[0] < rows and 0 <= corner[1] < columns):
            raise Unknown(f"there is no such tile: the plane has {rows} x {columns} samples, and there are {self.volume.shape[axis]}")
        begin = [max(0, at - border) for at in corner]
        end = [min(most, at + size + border) for at, most in zip(corner, (rows, columns))]
        stored_rows, stored_columns = level.stored.plane_shape(axis)
        low = [at * level.bins for at in begin]
        high = [min(end[0] * level.bins, stored_rows), min(end[1] * level.bins, stored_columns)]
        return as_sent(means_of(self.volume.tile(level.stored, axis, index, low, high, stop), level.bins))

    def needs_overview(self):
        """Whether planes along some axis can't be had at all."""
        return any(all(level.cost(axis) is None for level in self.levels()) for axis in range(3))

    def make_overview(self, stop):
        """Reads all of the file once, where planes can't be had otherwise."""
        with self._overview_lock:
            if self.needs_overview():
                self.volume.overview(stop=stop)

    def values(self, stop):
        """(low, high) of 0.5 to 99.5 % of the values, their counts, and the range of these."""
        with self._lock:
            if self._values is None:
                some = self.volume.sample(stop)
                some = np.abs(some) if some.dtype.kind == "c" else some
                low, high = shades.percentiles(some)
                least, largest = (float(some.min()), float(some.max())) if some.size else (0.0, 1.0)
                margin = 0.25 * (high - low)
                span = shades.wide(max(low - margin, least), min(high + margin, largest))
                self._values = (low, high), np.histogram(some, 256, span)[0].tolist(), span
            return self._values


class OpenVolumes:
    """The volumes that were looked at last."""

    def __init__(self, folders):
        self._folders = folders
        self._pool = concurrent.futures.ThreadPoolExecutor(THREADS, "volumes")
        self._open = collections.OrderedDict()
        self._lock = threading.Lock()
        self._waiting = 0

    async def read(self, request, function):
        """function(stop) in a thread, where stop() tells that the browser has gone. Raises TooMany, Damaged, Gone, and what the function
        raises for people."""
        if self._waiting >= WAITING:
            raise TooMany("too many images are being read: ask again in a moment")
        gone = threading.Event()
        self._waiting += 1
        try:
            future = asyncio.get_running_loop().run_in_executor(self._pool, self._guarded, function, gone)
            while not (await asyncio.wait({future}, timeout=LOOK))[0]:
                if await request.is_disconnected():
                    gone.set()
            return future.result()
        finally:
            gone.set()
            self._waiting -= 1

    async def use(self, request, path, number, stamp, function):
        """read() of function(volume, stop), where the OpenVolume is that of the file as it is now. Raises Unknown where there is none,
        Conflict where it is not the one of `stamp`, which a browser began to look at."""
        def with_volume(stop):
            with self._opened(path, number) as volume:
                if stamp and stamp != volume.stamp:
                    raise Conflict("the file has changed since it was opened: open it again")
                return function(volume, stop)

        return await self.read(request, with_volume)

    @contextlib.contextmanager
    def _opened(self, path, number):
        volume = self._known((path, number)) or self._new((path, number))
        try:
            yield volume
        finally:
            self._leave(volume)

    def _known(self, key):
        with self._lock:
            volume = self._open.get(key)
            if volume is None:
                return None
            if not volume.volume.changed()[0]:
                self._open.move_to_end(key)
                volume.users += 1
                return volume
            self._drop(key)
        return None

    def _new(self, key):
        path, number = key
        if not os.path.exists(split_name(path)[0]):
            raise Unknown(f"{os.path.basename(split_name(path)[0])} is not there any more")
        made = OpenVolume(path, number)
        if any(self._folders.place(name) is None for name in made.volume.files()):
            made.volume.close()
            raise Damaged(f"{os.path.basename(split_name(path)[0])}: its samples are in files that are in no folder that people see")
        with self._lock:
            volume = self._open.setdefault(key, made)
            volume.users += 1
            if len(self._open) > OPEN:
                self._drop(next(iter(self._open)))
        if volume is not made:
            made.volume.close()
        return volume

    def _drop(self, key):
        """With the lock: closed by the last one who reads."""
        volume = self._open.pop(key)
        volume.is_dropped = True
        if not volume.users:
            volume.volume.close()

    def _leave(self, volume):
        with self._lock:
            volume.users -= 1
            if volume.is_dropped and not volume.users:
                volume.volume.close()

    def _guarded(self, function, gone):
        try:
            if gone.is_set():
                raise Stopped
            return function(gone.is_set)
        except Stopped:
            raise Gone("nobody waits for it") from None
        except Refusal:
            raise
        except VolumeError as error:
            raise Damaged(self._folders.told(str(error))) from None
        except MemoryError:
            raise Damaged("the memory does not suffice") from None
        except Exception as error:  # of a damaged file
            raise Damaged(self._folders.told(f"the file can't be read ({type(error).__name__}: {error})")) from None

    def close(self):
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            for key in list(self._open):
                self._drop(key)
