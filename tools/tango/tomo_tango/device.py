# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""All that the device classes of this server share: the queue of their jobs, its begin and end, and errors as Tango has them."""

import logging

import tango
from tango import DevState
from tango.server import Device, device_property

from gsttomo import jobs
from gsttomo.jobs import OPEN

from .engine import ENDING, Engine
from .texts import outgoing

log = logging.getLogger(__name__)


def refuse(reason, text, origin):
    tango.Except.throw_exception(f"TomoTango_{reason}", outgoing(text), f"tomo-tango, {origin}")


class JobDevice(Device):
    """A device with jobs. Subclasses begin with begin(), and have _look(), a coroutine function that shows how the jobs are."""

    Queue = device_property(dtype=str, default_value="",
                            doc="Folder of the queue; empty: one of this server below the user's state folder")
    Devices = device_property(dtype=(str,), default_value=(), doc="OpenCL devices that jobs may have: indices or names; empty: all")
    MostJobs = device_property(dtype=int, default_value=1000, doc="Jobs that are not over at a time")
    Idle = device_property(dtype=float, default_value=1800.0, doc="Seconds after which a process ends that waits for a job")

    # Begin and end

    _living = set()

    @classmethod
    def end_all(cls):
        """All jobs of all devices of this server."""
        for device in list(cls._living):
            device._end_jobs()

    _engine = None

    def begin(self):
        """At the end of init_device()."""
        self._told = {}
        for name in ("State", "Status"):
            self.set_change_event(name, True, False)
        self._living.add(self)
        self.set_state(DevState.INIT)
        try:
            self._engine = Engine.take(self.Queue or default_folder(), devices=list(self.Devices) or None, idle=self.Idle,
                                       limits={"jobs_per_owner": self.MostJobs})
            self._engine.listen(self._look)
        except (jobs.Error, OSError) as e:
            self.set_state(DevState.FAULT)
            self.set_status(outgoing(f"no jobs can be run: {e}"))

    def delete_device(self):
        self._end_jobs()
        super().delete_device()

    def _end_jobs(self):
        self._living.discard(self)
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.forget(self._look)
            try:
                for number in engine.call(self._cancel_all, engine.queue):
                    if engine.problem is None:
                        engine.call(engine.queue.wait, number, ENDING)
            except Exception:  # such as a full disk: the jobs that run end all the same
                log.exception("jobs that wait are not cancelled")
            engine.give_back()

    async def _cancel_all(self, queue):
        """The numbers of those that were not over."""
        found = [job.id for job in await queue.list(OPEN, owner=self.get_name())]
        for number in found:
            await queue.cancel(number)
        return found

    # What clients see without asking

    def _show(self, state, status):
        self.set_state(state)
        self.set_status(outgoing(status))
        self._push("State", state)
        self._push("Status", status)

    def _push(self, name, value):
        if self._told.get(name) != value:
            self._told[name] = value
            self.push_change_event(name, *(() if name in ("State", "Status") else (value,)))

    # Its queue

    def _working(self):
        """The engine, which Init may end at any time in another thread."""
        engine = self._engine
        if engine is None:
            refuse("NoManager", self.get_status(), self.get_name())
        if engine.problem is not None:
            refuse("NoManager", engine.problem, self.get_name())
        return engine

    def _ask(self, name, *arguments, **options):
        """A method of the queue."""
        engine = self._working()
        return self._call(engine, getattr(engine.queue, name), *arguments, **options)

    def _call(self, engine, function, *arguments, **options):
        """A function in the thread of the engine, with errors as Tango has them."""
        try:
            return engine.call(function, *arguments, **options)
        except jobs.NoSuchJob as e:
            refuse("NoSuchJob", e, self.get_name())
        except jobs.QuotaError as e:
            refuse("TooManyJobs", e, self.get_name())
        except jobs.DescriptionError as e:
            refuse("BadDescription", e, self.get_name())
        except Exception as e:  # such as a full disk: nothing goes to a client as a traceback
            refuse("Failed", e, self.get_name())


def default_folder():
    """Of this server: its name is the same after a restart, so that it finds its jobs again."""
    name = tango.Util.instance().get_ds_name().replace("/", "-")
    return str(jobs.default_folder().parent / f"jobs-of-{name}")
