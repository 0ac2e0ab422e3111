# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Jobs as the modules of this package know them, and their errors."""

import dataclasses
import enum
import json
import os


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
class Order:
    """A job that is to be submitted.

    description: a configuration of tomo-reconstruct or a dataflow with nodes and edges, as a dict
    name: for people
    owner: whose job it is; None: the user of this process
    priority: jobs of a higher one come first; equal ones in the order of their numbers
    devices: None: those that the description names, else one, whichever is free; an index or a part of a name, or a list of
        them: these; (): none. Nobody else gets a device meanwhile
    memory: bytes of the computer's memory that the job is to have; None: an equal share of the manager's
    session: None: a process of its own; a name: one that stays warm for later jobs of that name
    folder: in which names of files are meant; None: the current one
    """
    description: dict
    name: str = ""
    owner: str | None = None
    priority: int = 0
    devices: object = None
    memory: int | None = None
    session: str | None = None
    folder: str | None = None

    def checked(self):
        """The same with all values that are in force. Raises DescriptionError."""
        if not isinstance(self.description, dict):
            raise DescriptionError(f"a description is an object, not {type(self.description).__name__}")
        try:
            json.dumps(self.description, allow_nan=False)
        except (TypeError, ValueError) as e:
            raise DescriptionError(f"the description is no JSON: {e}") from None
        if self.memory is not None and self.memory < 0:
            raise DescriptionError(f"memory is {self.memory}; wanted a number of bytes")
        if self.session == "":
            raise DescriptionError("the name of a session is empty")
        devices = self.devices
        if devices is None:
            devices = named_devices(self.description)
        elif isinstance(devices, (str, int)):
            devices = (str(devices),)
        else:
            devices = tuple(map(str, devices))
        return dataclasses.replace(self, owner=self.owner or user_name(), devices=devices,
                                   folder=os.path.abspath(self.folder or os.getcwd()))


def kind_of(description):
    return Kind.DATAFLOW if "nodes" in description else Kind.RECONSTRUCTION


def named_devices(description):
    """Those that a description asks for; None if it takes any."""
    if kind_of(description) is Kind.RECONSTRUCTION:
        named = [description.get("device")]
    else:
        nodes = description["nodes"] if isinstance(description["nodes"], list) else ()
        properties = [node.get("properties") for node in nodes if isinstance(node, dict)]
        named = [one.get("device") for one in properties if isinstance(one, dict)]
    return tuple(dict.fromkeys(str(device) for device in named if device not in (None, ""))) or None


def user_name():
    import getpass
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return str(os.getuid())


@dataclasses.dataclass(frozen=True)
class Job:
    """A job as it was at some moment. Times are seconds since 1970; what is not known yet is None."""
    id: int
    kind: Kind
    name: str
    owner: str
    priority: int
    state: State
    description: dict
    folder: str
    devices: tuple | None  # that it asks for, see Order
    memory: int | None
    session: str | None
    attempt: int
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
    results: list          # events `result`, the first 1000
    outputs: list          # that it wrote
    bytes: int             # of outputs
    provenance: dict
    repeats: int | None    # the job that it repeats

    @property
    def is_over(self):
        return self.state.is_over

    def as_dict(self):
        """For JSON."""
        return {**dataclasses.asdict(self), "kind": str(self.kind), "state": str(self.state)}


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
