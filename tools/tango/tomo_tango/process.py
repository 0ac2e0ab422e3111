# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The device class `Process`: descriptions in, jobs out."""

import asyncio
import json
import os
import time
import uuid

import numpy as np
import tango
from tango import AttrWriteType, DevState
from tango.server import attribute, command

from gsttomo import jobs
from gsttomo.jobs import OPEN, OVER

from . import parameters
from .device import JobDevice, refuse
from .texts import outgoing

RUNS = -42  # the exit code of a job that is not over, as UFO's server gives it
MOST_JOBS = 10000


class Process(JobDevice):
    """Runs reconstructions and dataflows, each in a process of its own."""

    def init_device(self):
        super().init_device()
        self._values = parameters.Values(parameters.check)  # the description
        self._jobs, self._percent, self._image = (), 0.0, np.zeros((1, 1), np.float32)
        for name in ("jobs", "percent", "image"):
            self.set_change_event(name, True, False)
        self._add_parameters()
        self.begin()

    def _add_parameters(self):
        self._schema = {parameters.attribute_name(name): (name, described) for name, described in parameters.schema().items()}
        for name, described in self._schema.values():
            self.add_attribute(parameters.attributes_of(name, described, self.read_parameter, self.write_parameter))

    # What clients see without asking

    async def _look(self):
        engine = self._engine
        if engine is None:  # it ends
            return
        if engine.problem is not None:
            self._show(DevState.FAULT, f"no jobs can be run any more: {engine.problem}")
            return
        active = await engine.queue.list(OPEN, owner=self.get_name())
        ended = await engine.queue.list(OVER, owner=self.get_name(), limit=1)
        going = [job for job in active if job.state != "queued"]
        self._jobs = sorted(job.id for job in active)
        self._percent = next(map(percent_of, going[-1:] or ended), 0.0)
        status = f"{len(going)} jobs run, {len(active) - len(going)} wait"
        if ended and ended[0].state == "failed":
            status += f"; job {ended[0].id}, the newest one that is over, has failed: {ended[0].error}"
        self._push("jobs", list(self._jobs))
        self._push("percent", self._percent)
        self._show(DevState.RUNNING if active else DevState.ON, status)

    # Attributes

    @attribute(dtype=str, access=AttrWriteType.READ_WRITE, doc="A dataflow with nodes and edges, or the configuration of a reconstruction")
    def json(self):
        return json.dumps(self._values.all)

    @json.write
    def json(self, text):
        try:
            description = json.loads(text)
            jobs.Order(description).checked()
            if "nodes" not in description:
                parameters.check(description)
        except (ValueError, RecursionError) as e:
            refuse("BadDescription", e, f"{self.get_name()}/json")
        self._values.replace(description)

    @attribute(dtype=(int,), max_dim_x=MOST_JOBS, doc="Jobs of this device that run or wait")
    def jobs(self):
        return list(self._jobs)

    @attribute(dtype=float, unit="%", min_value=0, max_value=100, doc="Of the job that runs, else of the last one")
    def percent(self):
        return self._percent

    @attribute(dtype=((np.float32,),), max_dim_x=1 << 15, max_dim_y=1 << 15, doc="The last image that Preview has brought")
    def image(self):
        return self._image

    def read_parameter(self, attr):
        name, described = self._schema[attr.get_name()]
        value, quality = parameters.read(name, described, self._values.all)
        value = outgoing(value) if isinstance(value, str) else value
        attr.set_value_date_quality(value, time.time(), quality)

    def write_parameter(self, attr):
        name, _ = self._schema[attr.get_name()]
        try:
            self._values.set(name, attr.get_write_value())
        except ValueError as e:
            refuse("BadDescription", e, f"{self.get_name()}/{attr.get_name()}")

    # Jobs

    def _submit(self, session):
        if not self._values.all:
            refuse("BadDescription", "there is no description; write the attribute json, or parameters", self.get_name())
        engine = self._working()
        job = self._call(engine, engine.queue.submit, self._values.all, owner=self.get_name(), session=session, folder=os.getcwd())
        self._call(engine, self._look)  # so that nobody sees the state from before
        return job.id

    def _get(self, number):
        """A job by its number; of a continuous one its newest run."""
        job = self._ask("get", number)
        if job.owner != self.get_name():
            refuse("NoSuchJob", f"job {number} is not of this device", self.get_name())
        if job.session is not None:
            job = self._ask("list", session=job.session, limit=1)[0]
        return job

    @command(dtype_out=int, doc_out="Number of the job")
    def Run(self):
        """Runs the description."""
        return self._submit(None)

    @command(dtype_out=int, doc_out="Number of the job")
    def RunContinuous(self):
        """Runs it in a process that stays warm for Continue."""
        return self._submit(uuid.uuid4().hex)

    @command(dtype_in=int)
    def Continue(self, number):
        """Runs the description as it is now in the process of a continuous job."""
        job = self._get(number)
        if job.session is None:
            refuse("NotContinuous", f"job {number} was started by Run; RunContinuous starts one that can be continued", self.get_name())
        self._submit(job.session)

    @command(dtype_in=int)
    def Stop(self, number):
        """Ends a job, and the process of a continuous one."""
        engine, job = self._working(), self._get(number)
        if job.session is not None:
            self._call(engine, engine.end_session, job.session)
        else:
            self._call(engine, engine.queue.cancel, job.id)
            self._call(engine, engine.queue.wait, job.id)
        self._call(engine, self._look)

    @command(dtype_in=int)
    def Wait(self, number):
        """Returns when the job is over. Other clients are served meanwhile."""
        engine, job = self._working(), self._get(number)
        self._call(engine, engine.queue.wait, job.id)
        self._call(engine, self._look)

    @command(dtype_in=int, dtype_out=bool)
    def Running(self, number):
        """Whether the job runs, or waits for its turn."""
        return not self._get(number).is_over

    @command(dtype_in=int, dtype_out=int)
    def ExitCode(self, number):
        """0 for success, -42 while it is not over, else what has ended it: a status, or minus a signal."""
        job = self._get(number)
        if not job.is_over:
            return RUNS
        return 0 if job.state == "done" else job.exit or 1

    @command(dtype_in=int)
    def Pause(self, number):
        """Holds it."""
        self._ask("pause", self._get(number).id)

    @command(dtype_in=int)
    def Resume(self, number):
        """Ends a pause."""
        self._ask("resume", self._get(number).id)

    @command(dtype_in=int)
    def Finish(self, number):
        """Ends it early, with what it has."""
        self._ask("finish", self._get(number).id)

    @command(dtype_in=int, dtype_out=str)
    def Log(self, number):
        """Its events, a line of JSON each, and what its process has written to standard error."""
        engine, job = self._working(), self._get(number)
        return outgoing(self._call(engine, log_of, engine.queue, job.id))

    @command(dtype_in=int, dtype_out=float)
    def Progress(self, number):
        """In percent."""
        return percent_of(self._get(number))

    @command(dtype_in=int, dtype_out=str)
    def Result(self, number):
        """State, results, outputs, error and provenance, as JSON."""
        job = self._get(number).as_dict()
        return json.dumps({name: job[name] for name in ("id", "state", "status", "results", "outputs", "bytes", "error", "provenance")})

    @command(dtype_in=int)
    def Preview(self, number):
        """Brings the next image of a job that runs to the attribute image."""
        engine, job = self._working(), self._get(number)
        image = self._image = np.asarray(self._call(engine, image_of, engine.queue, job.id), np.float32)
        self.push_change_event("image", image)


async def log_of(queue, number):
    lines = queue.job_folder(number) / "events.jsonl"
    text = lines.read_text(errors="replace") if lines.exists() else ""
    return text + await queue.log(number)


async def image_of(queue, number):
    path = queue.job_folder(number) / f"preview-{uuid.uuid4().hex}.npy"  # goes with the job
    job = await queue.preview(number, path)
    while not path.exists():
        if job.state == "paused":
            raise jobs.Error(f"job {number} is paused: its next image comes after Resume")
        job = await queue.get(number)
        if job.is_over and not path.exists():
            raise jobs.Error(f"job {number} was over before another image came")
        await asyncio.sleep(0.02)
    image = np.load(path)
    path.unlink()
    return image


def percent_of(job):
    if job.state == "done":
        return 100.0
    return min(100.0, 100.0 * (job.done or 0) / job.total) if job.total else 0.0
