# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names of results, and folders for images on their way."""

import contextlib
import os
import pathlib
import re
import shutil
import tempfile

PREFIX = "gst-tomo-face-"


def split(location):
    """FILE and :/DATASET of a location, where a colon of the file's own name stays in it."""
    name, colon, dataset = location.rpartition(":")
    if not colon or not (dataset.startswith("/") and pathlib.Path(name).suffix) or os.path.exists(location):
        return location, ""
    return name, colon + dataset


def free_name(location, taken=()):
    """The location, or one with a number behind the file's name where a file has that already, or `taken` names it."""
    name, dataset = split(location)
    path, number = pathlib.Path(name), 2
    others = {split(one)[0] for one in taken}
    while os.path.lexists(name) or name in others:
        name = str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
        number += 1
    return name + dataset


def output_beside(scan):
    """Where slices of a scan go if nothing else is said: beside it, or into the home folder where nothing can be written there."""
    scan = pathlib.Path(scan.rstrip("/"))
    folder = scan.parent if os.access(scan.parent, os.W_OK) else pathlib.Path.home()
    return str(folder / f"{scan.stem}-slices.h5")


def natural_key(name):
    """For sorting: names in the order of the numbers in them, 9 before 10, whatever their capitals."""
    return [int(part) if at % 2 else part.lower() for at, part in enumerate(re.split(r"([0-9]{1,18})", name))]


def scratch_folder(room=None):
    """A new folder of this process. Those of faces that were killed are removed."""
    room = pathlib.Path(room or tempfile.gettempdir())
    for folder in room.glob(f"{PREFIX}*-of-*"):
        with contextlib.suppress(OSError, ValueError):
            if not os.path.exists(f"/proc/{int(folder.name.rpartition('-')[2])}") and folder.stat().st_uid == os.getuid():
                shutil.rmtree(folder)
    # mkdtemp() ends a name by random letters or by the suffix.
    return pathlib.Path(tempfile.mkdtemp(prefix=PREFIX, suffix=f"-of-{os.getpid()}", dir=room))
