# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Jobs as the modules of this package know them, and their errors."""

import dataclasses
import enum


class Error(RuntimeError):
    """Something about jobs that can't be done."""


class NoSuchJob(Error, LookupError):
    """There is no job of this number: it never was, or was cleaned away."""


class QuotaError(Error):
    """The owner has too many jobs that are not over, or too many bytes of results."""


class BusyError(Error):
    """Another manager runs this queue."""


class DescriptionError(Error, ValueError):
    """A description that is neither a configuration nor a dataflow, or that asks for what can't be."""


class State(str, enum.Enum):
    QUEUED = "queued"        # waits for its turn
    RUNNING = "running"      # has devices and a process
    PAUSED = "paused"        # holds its devices, or, before it began, its place in the queue
    DONE = "done"            # to its end, or finished early: see Job.status
    FAILED = "failed"        # see Job.error
    CANCELLED = "cancelled"  # by somebody

    def __str__(self):
        return self.value

    @property
    def is_over(self):
        return self in OVER


OPEN = (State.QUEUED, State.RUNNING, State.PAUSED)
OVER = (State.DONE, State.FAILED, State.CANCELLED)


class Kind(str, enum.Enum):
    RECONSTRUCTION = "reconstruction"  # a configuration of tomo-reconstruct
    DATAFLOW = "dataflow"              # nodes and edges of tomo-runjson

    def __str__(self):
        return self.value

    @property
    def program(self):
        return "tomo-reconstruct" if self is Kind.RECONSTRUCTION else "tomo-runjson"


@dataclasses.dataclass(frozen=True)
class Brief:
    """What a list tells about a job, as it was at some moment. Times are seconds since 1970; None is a value that is not known yet."""
    id: int
    kind: Kind
    name: str
    owner: str
    subject: str           # what it is about
    key: str | None        # of the client
    priority: int
    state: State
    session: str | None
    submitted: float
    started: float | None  # it got its devices
    began: float | None    # its process said hello
    ended: float | None
    assigned: tuple        # indices of the devices that it has or had
    pid: int | None        # of its process while it runs
    status: str | None     # done, finished early, failed, aborted: as its process has told it
    error: str | None
    exit: int | None       # of its process: a status, or minus a signal; None where nobody could see it
    stage: str | None
    done: int | None       # of total, in `unit`
    total: int | None
    unit: str | None
    rate: float | None
    seconds_left: float | None
    outputs: list          # that it wrote
    bytes: int             # of outputs
    repeats: int | None    # the job that it repeats

    @property
    def is_over(self):
        return self.state.is_over

    def as_dict(self):
        """For JSON."""
        return {**dataclasses.asdict(self), "kind": str(self.kind), "state": str(self.state)}


@dataclasses.dataclass(frozen=True)
class Job(Brief):
    """Everything about a job."""
    description: dict
    folder: str
    devices: tuple | None  # that it asks for, see Order
    memory: int | None
    attempt: int
    results: list          # events `result`, the first 1000
    provenance: dict


@dataclasses.dataclass(frozen=True)
class Page:
    """A part of a list of jobs."""
    jobs: list             # Brief
    total: int             # of the whole list


@dataclasses.dataclass(frozen=True)
class Limits:
    """Of a queue; None: no limit.

    keep_days, keep_jobs: after which time and behind how many later ones a job that is over is forgotten, with its log. Its
        results stay
    jobs_per_owner: that are not over
    bytes_per_owner: of results of the jobs that are kept. Beyond that an owner can submit nothing until he removes some
    """
    keep_days: float | None = 30.0
    keep_jobs: int | None = 10000
    jobs_per_owner: int | None = None
    bytes_per_owner: int | None = None
