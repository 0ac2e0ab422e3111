# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slices of a sample while it turns.

    from gsttomo.live import Live, Slice

    with Live("aravissrc", half_turn=180, planes=["x=0", "z=0"], axis=1021.5) as live:
        live.take_darks(20)         # with the beam closed: the next 20 frames
        live.take_flats(20)         # with the sample out of the beam
        for item in live:           # Slice, Volume, and events as dictionaries
            if isinstance(item, Slice):
                print(item.plane, item.number, item.image.mean())
                live.axis = 1022    # parameters change while it runs
            if live.statistics.get("done", 0) > 10000:
                live.keep("interesting.h5", seconds=20)
                break

All parameters of tomo-live are keyword arguments and attributes, with _ for -; docs/live.md explains them. Images are arrays of
numpy in attenuation per pixel. Errors are an Error with one sentence.
"""

import collections
import json
import os
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstTomo", "1.0")
from gi.repository import GLib, GstTomo  # noqa: E402

from . import _flow  # noqa: E402
from ._arrays import copy_of  # noqa: E402

__all__ = ["Error", "Live", "Slice", "Volume"]

# The newest projection in it has this number, angle (radians) and time (seconds); latency is in seconds.
Slice = collections.namedtuple("Slice", "plane image number angle time latency")
Volume = collections.namedtuple("Volume", "image number angle time latency")


class Error(_flow.Error):
    """A parameter or a call that is not possible, or a run that has failed."""


def _checked(function, *arguments):
    try:
        return function(*arguments)
    except GLib.Error as e:
        raise Error(e.message) from None


def _facts(sample):
    info = sample.get_info()
    return copy_of(sample), *(info.get_value(name) for name in ("number", "angle")), info.get_value("time") / 1e9, info.get_value("latency")


class Live:
    """A camera, or a scan that is played, and slices of its newest projections. As a context it runs; iteration waits for what comes
    and ends with the run. Of slices that nobody has taken yet, the newest one of each plane comes."""

    def __init__(self, source, **parameters):
        """source: elements of GStreamer that give images, or the name of a scan"""
        object.__setattr__(self, "_live", GstTomo.Live.new(os.fspath(source)))
        object.__setattr__(self, "_came", collections.deque())
        object.__setattr__(self, "_keeping", False)
        object.__setattr__(self, "_kept", None)  # how the last file ended
        self._live.connect("event", lambda _, event: self._look(json.loads(event)))
        self._live.connect("slice", lambda _, plane, sample: self._came.append(Slice(plane, *_facts(sample))))
        self._live.connect("volume", lambda _, sample: self._came.append(Volume(*_facts(sample))))
        self.set(**parameters)

    def _look(self, event):
        if event["event"] == "keep":
            object.__setattr__(self, "_keeping", event["state"] in ("begun", "slow"))
            object.__setattr__(self, "_kept", None if self._keeping else event)
        self._came.append(event)

    def set(self, **parameters):
        """Sets several parameters, all or none."""
        plain = {name.replace("_", "-"): ";".join(value) if name == "planes" and not isinstance(value, str) else value
                 for name, value in parameters.items()}
        _checked(self._live.set_parameters, json.dumps(plain))

    def __getattr__(self, name):
        try:
            return self._live.get_property(name.replace("_", "-"))
        except TypeError:
            raise AttributeError(f"'{name}' is no parameter of a live run") from None

    def __setattr__(self, name, value):
        self.set(**{name: value})

    def __enter__(self):
        _checked(self._live.start)
        return self

    def __exit__(self, kind, *_):
        self._live.stop()
        if kind is None:
            _checked(self._live.wait)
            return
        while self._live.poll(50):  # an exception is under way
            pass

    def __iter__(self):
        while True:
            while self._came:
                yield self._came.popleft()
            if not self._live.poll(200) and not self._came:
                return

    def slices(self, plane=None):
        """Iterates over slices alone, of one plane or of all."""
        return (item for item in self if isinstance(item, Slice) and plane in (None, item.plane))

    def wait_for(self, event, timeout=60.0, **members):
        """Waits for an event of a kind, whose members have these values, and returns it; what comes before is dropped."""
        deadline = time.monotonic() + timeout
        for item in self:
            if isinstance(item, dict) and item["event"] == event and all(item.get(name) == value for name, value in members.items()):
                return item
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {event} came within {timeout} s")
        raise Error(f"it ended before a {event} came")

    def take_darks(self, count, wait=True):
        """Takes the next frames as darks, and waits until their mean is in force."""
        self._take("darks", count, wait)

    def take_flats(self, count, wait=True):
        self._take("flats", count, wait)

    def _take(self, kind, count, wait):
        _checked(getattr(self._live, f"take_{kind}"), count)
        if wait:
            self._wait_for_fields(kind)

    def _wait_for_fields(self, kind, timeout=60.0):
        deadline = time.monotonic() + timeout
        for item in self:
            told = item if isinstance(item, dict) and item.get("kind") == kind else {}
            if told.get("event") == "fields":
                return
            if told.get("event") == "taking" and told["state"] == "cancelled":
                raise Error(told["text"])
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {kind} came within {timeout} s")
        raise Error(f"it ended before the {kind} were taken")

    def cancel_fields(self):
        """Forgets darks or flats that are being taken; what was in force stays."""
        _checked(self._live.cancel_fields)

    def keep(self, path, seconds=0.0):
        """Writes the frames of the last seconds and all that follow, until stop_keeping() or the end."""
        _checked(self._live.keep, seconds, os.fspath(path))
        object.__setattr__(self, "_keeping", True)
        object.__setattr__(self, "_kept", None)

    def stop_keeping(self, wait=True):
        """Ends the file. Returns the event that tells it, also where the file ended by itself; None where no frames are kept."""
        _checked(self._live.stop_keeping)
        while wait and self._keeping:
            self.wait_for("keep")
        return self._kept

    def show(self, index, plane):
        """Another plane in the place of one."""
        _checked(self._live.set_plane, index, plane)

    def volume(self):
        """A coarse volume of the newest projections."""
        _checked(self._live.request_volume)
        return next((item for item in self if isinstance(item, Volume)), None)

    def write_volume(self, path, wait=True):
        """Writes a coarse volume of the newest projections to a new file, and waits until it is whole."""
        path = os.fspath(path)
        _checked(self._live.write_volume, path)
        if wait and (told := self.wait_for("volume", path=path))["state"] == "failed":
            raise Error(told["text"])

    def pause(self):
        _checked(self._live.pause)

    def unpause(self):
        _checked(self._live.unpause)

    def stop(self):
        self._live.stop()

    def element(self, name):
        """An element of the source by its name, for properties of a camera."""
        return self._live.get_element(name)

    @property
    def statistics(self):
        """The newest event `progress`, as a dictionary; empty before the first one."""
        return json.loads(self._live.get_statistics()) or {}
