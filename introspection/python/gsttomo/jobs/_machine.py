# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Facts of this computer: devices, memory, processes."""

import collections
import json
import os
import pathlib
import socket
import subprocess

from ._model import DescriptionError, Error

Device = collections.namedtuple("Device", "index name is_cpu memory")


def devices():
    """The OpenCL devices, as another process sees them: a driver that crashes takes nobody along. Raises Error."""
    try:
        done = subprocess.run(["tomo-query", "--devices", "--json"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120)
    except (OSError, subprocess.SubprocessError) as e:
        raise Error(f"the devices can't be listed: {e}") from None
    if done.returncode:
        raise Error(f"the devices can't be listed: {done.stderr.strip() or f'tomo-query ended with {done.returncode}'}")
    return [Device(one["index"], one["name"], one["is-cpu"], one["memory"]) for one in json.loads(done.stdout)]


def version_of(program):
    """Empty where it does not tell it."""
    try:
        # One pipe only: where descriptors are short, Popen leaks what it has opened before the one that fails.
        with open(os.devnull, "r+b") as nothing:
            return subprocess.run([program, "--version"], stdin=nothing, stdout=subprocess.PIPE, stderr=nothing, text=True,
                                  timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


EVERY = "every "  # and all, gpu, cpu or a part of a name: all such devices


def indices_of(selectors, known, others=()):
    """Indices of devices by their index or a part of their name, as in the property `device`, or by EVERY, as in the parameter
    `devices`, which may mean none of `others`. Raises DescriptionError."""
    def is_meant(kind, device):
        if kind in ("cpu", "gpu"):
            return device.is_cpu == (kind == "cpu")
        return kind == "all" or kind.lower() in device.name.lower()

    found = []
    for selector in selectors:
        if selector.startswith(EVERY):
            kind = selector[len(EVERY):]
            fitting = [d.index for d in known if is_meant(kind, d)]
            if lent := ", ".join(f"{d.index}: {d.name}" for d in others if is_meant(kind, d)):
                raise DescriptionError(f"'{kind}' means also devices that are not for jobs ({lent}); name those that are by index")
            found += fitting[1:]
        else:
            fitting = [d.index for d in known if (str(d.index) == selector if selector.isdigit() else selector.lower() in d.name.lower())]
        if not fitting:
            there = ", ".join(f"{d.index}: {d.name}" for d in known) or "none"
            raise DescriptionError(f"there is no device '{selector}'; there are {there}")
        found.append(fitting[0])
    return tuple(sorted(set(found)))


def memory():
    """Bytes of this computer."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def boot():
    """Another text after each start of the computer, because numbers of processes begin anew."""
    return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def host():
    return socket.gethostname()


def start_ticks(pid):
    """When a process began, since the computer did; None if there is none. Together with its number that tells it from a later
    process of the same number."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()  # a name may hold brackets and spaces
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])
