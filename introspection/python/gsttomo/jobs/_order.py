# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Orders of jobs, and whether a queue can keep them and a process can read them."""

import collections.abc
import dataclasses
import json
import operator
import os
import re

from ._machine import EVERY
from ._model import DescriptionError, Kind

# Those of the programs, see gst/tomo/support/json.cpp and tools/driven/command-input.cpp: a description stands within a command.
MOST_LEVELS = 63
MOST_BYTES = 63 << 20

LARGEST = 2**63 - 1  # number that sqlite knows


@dataclasses.dataclass(frozen=True)
class Order:
    """A job that is to be submitted.

    description: a configuration of tomo-reconstruct or a dataflow with nodes and edges, as a dict
    name: for people
    owner: whose job it is; None: the user of this process
    priority: jobs of a higher one come first; equal ones in the order of their numbers
    devices: None: those that the description names, else one, whichever is free; an index or a part of a name, or a list of
        them: these, among which are all that the description names; (): none. Nobody else gets a device meanwhile
    memory: bytes of the computer's memory that the job is to have; None: an equal share of the manager's
    session: None: a process of its own; a name: one that stays warm for later jobs of that name
    folder: in which names of files are meant; None: the current one
    subject: what the job is about, by which others find it, such as "data set 17"; it may be empty
    key: of the client, for one that can't be sure whether its order arrived: while the job of an order is kept, another order of the
        same owner and key is that job, and no new one. None: each order is a new job
    """
    description: dict
    name: str = ""
    owner: str | None = None
    priority: int = 0
    devices: object = None
    memory: int | None = None
    session: str | None = None
    folder: str | None = None
    subject: str = ""
    key: str | None = None

    def checked(self):
        """The same with all values that are in force. Raises DescriptionError."""
        check_description(self.description)
        if self.session == "":
            raise DescriptionError("the name of a session is empty")
        if self.key == "":
            raise DescriptionError("the key of an order is empty")
        memory = None if self.memory is None else whole("memory", self.memory)
        if memory is not None and memory < 0:
            raise DescriptionError(f"memory is {memory}; wanted a number of bytes")
        return dataclasses.replace(
            self, name=text("name", self.name), owner=text("owner", user_name() if self.owner in (None, "") else self.owner),
            priority=whole("priority", self.priority), devices=devices_of(self.devices, self.description), memory=memory,
            session=None if self.session is None else text("session", self.session), folder=folder_of(self.folder),
            subject=text("subject", self.subject), key=None if self.key is None else text("key", self.key))


def check_description(description):
    """Raises DescriptionError for what is no JSON, or what the programs refuse to read."""
    if not isinstance(description, dict):
        raise DescriptionError(f"a description is an object, not {type(description).__name__}")
    check_values(description)
    try:
        size = len(json.dumps(description, allow_nan=False))
    except (TypeError, ValueError) as e:
        raise DescriptionError(f"the description is no JSON: {e}") from None
    if size > MOST_BYTES:
        raise DescriptionError(f"the description has {size} bytes; wanted at most {MOST_BYTES}")


def check_values(description):
    level = [description]
    for _ in range(MOST_LEVELS):
        below = []
        for value in level:
            if isinstance(value, dict):
                for key in value:
                    text("a name in the description", key)
                below += value.values()
            elif isinstance(value, (list, tuple)):
                below += value
            elif isinstance(value, str):
                text("a text in the description", value)
        if not (level := [value for value in below if isinstance(value, (dict, list, tuple, str))]):
            return
    if any(not isinstance(value, str) for value in level):
        raise DescriptionError(f"the description is nested deeper than {MOST_LEVELS} levels")
    for value in level:
        text("a text in the description", value)


def text(name, value):
    """Raises DescriptionError for what is no text in UTF-8."""
    if not isinstance(value, str):
        raise DescriptionError(f"{name} is {shown(value)}; wanted a text")
    if wrong := re.search("[\0\ud800-\udfff]", value):
        raise DescriptionError(f"{name} is {shown(value)}, which holds U+{ord(wrong[0]):04X}; wanted characters of UTF-8, none of them 0")
    return value


def whole(name, value):
    """Raises DescriptionError for what is no integer that the queue can keep."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise DescriptionError(f"{name} is {shown(value)}; wanted a whole number") from None
    if not -LARGEST <= number <= LARGEST:
        raise DescriptionError(f"{name} is out of range: a number of {number.bit_length()} bits; wanted 63 at most")
    return number


def shown(value):
    told = ascii(value)
    return told if len(told) <= 60 else told[:59] + "..."


def devices_of(devices, description):
    if devices is None:
        return named_devices(description)
    if isinstance(devices, (str, int)):
        devices = (devices,)
    if not isinstance(devices, collections.abc.Iterable) or isinstance(devices, (bytes, collections.abc.Mapping)):
        raise DescriptionError(f"devices is {shown(devices)}; wanted indices or parts of names")
    given = tuple(text("a device", one) if isinstance(one, str) else str(whole("a device", one)) for one in devices)
    for named in named_devices(description) or ():
        if named.lower() not in map(str.lower, given):
            raise DescriptionError(f"the description names the device {shown(named)}, and the job is to have {shown(', '.join(given)) if given else 'none'}; "
                                   "wanted the same in both, or no devices beside the description")
    return given


def folder_of(folder):
    try:
        return text("folder", os.path.abspath(text("folder", os.fspath(folder)) if folder else os.getcwd()))
    except (TypeError, OSError) as e:
        raise DescriptionError(f"folder is {shown(folder)}: {e}") from None


def kind_of(description):
    return Kind.DATAFLOW if "nodes" in description else Kind.RECONSTRUCTION


def named_devices(description):
    """Those that a description asks for; None if it takes any."""
    shared = description.get("devices") or ""
    parts = [part.strip() for part in re.split("[,+]", shared if isinstance(shared, str) else str(shared))]
    if kind_of(description) is Kind.RECONSTRUCTION:
        named = [description.get("device")]
    else:
        nodes = description["nodes"] if isinstance(description["nodes"], list) else ()
        properties = [node.get("properties") for node in nodes if isinstance(node, dict)]
        named = [one.get("device") for one in properties if isinstance(one, dict)]
    named += [part if not part or part.isdigit() else EVERY + part for part in parts]
    return tuple(dict.fromkeys(str(device) for device in named if device not in (None, ""))) or None


def user_name():
    import getpass
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return str(os.getuid())
