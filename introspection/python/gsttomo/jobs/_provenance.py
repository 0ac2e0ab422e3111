# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where a result comes from, for the record: program, files, computer."""

import glob
import os

from . import _machine

MOST_FILES = 20  # that are named one by one
NO_INPUTS = {"output", "filename", "plugin", "name", "from", "to", "device", "devices"}  # keys whose texts name no file that is read


class Recorder:
    """Finds the facts of jobs. From any thread: it may wait for disks."""

    def __init__(self, devices):
        self._devices = devices
        self._versions = {}

    def facts_of(self, job):
        program = job.kind.program
        if not self._versions.get(program):  # also where it could not be asked before
            self._versions[program] = _machine.version_of(program)
        return {"version": self._versions[program], "host": _machine.host(), "inputs": inputs_of(job.description, job.folder),
                "devices": [device.name for device in self._devices if device.index in job.assigned],
                "environment": {name: value for name, value in sorted(os.environ.items()) if name.startswith("GST_TOMO_")}}


def inputs_of(description, folder):
    """Sizes and times of the files that the texts of a description name. Of a pattern or a folder of many files: their number
    and size in all, and the newest time."""
    return [entry for text in sorted(set(texts_of(description))) if (entry := entry_of(text, folder))]


def texts_of(value, key=""):
    if isinstance(value, dict):
        for name, item in value.items():
            yield from texts_of(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item, key)
    elif isinstance(value, str) and value and key not in NO_INPUTS:
        yield value
        if "," in value:  # several scans
            yield from filter(None, value.split(","))


def entry_of(text, folder):
    name = os.path.join(folder, text.partition(":/")[0])  # without the dataset of an HDF5 file
    files = [name] if os.path.exists(name) else sorted(glob.glob(name)) if glob.has_magic(name) else []
    if len(files) == 1 and os.path.isdir(files[0]):
        files = sorted(filter(os.path.isfile, files_in(files[0])))
    found = []
    for file in files:
        try:
            found.append((file, os.stat(file)))
        except OSError:  # it is gone meanwhile
            continue
    if not found:
        return None
    if len(found) <= MOST_FILES:
        return {"name": text, "files": [{"path": file, "bytes": s.st_size, "modified": s.st_mtime} for file, s in found]}
    return {"name": text, "count": len(found), "bytes": sum(s.st_size for _, s in found), "modified": max(s.st_mtime for _, s in found)}


def files_in(folder):
    try:
        return [entry.path for entry in os.scandir(folder)]
    except OSError:  # nobody may look into it
        return []


def size_of(outputs, folder):
    """Bytes of files and folders that a job has written; "a-%05i.tif" stands for a series."""
    size, seen = 0, set()
    for output in outputs:
        name = os.path.join(folder, output.partition(":/")[0])
        paths = [name] if os.path.exists(name) else glob.glob(pattern_of(name))
        for path in paths:
            for file in files_below(path):
                if file not in seen:
                    seen.add(file)
                    try:
                        size += os.stat(file).st_size
                    except OSError:
                        continue
    return size


def pattern_of(name):
    """The pattern of names in which a number stands for %05i."""
    pattern, rest = "", name
    while "%" in rest:
        before, _, rest = rest.partition("%")
        digits = len(rest) - len(rest.lstrip("0123456789"))
        pattern += glob.escape(before) + "*"
        rest = rest[digits + 1:]
    return pattern + glob.escape(rest)


def files_below(path):
    if not os.path.isdir(path):
        return [path]
    return [os.path.join(folder, file) for folder, _, files in os.walk(path) for file in files]
