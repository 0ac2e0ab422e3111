# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files that name other files: HDF5 with external links, facts of scanners, folders with links. None of them leads a program out of the folders
that people see."""

import asyncio
import json
import os
import pathlib
import re
import sys

from .browse import HDF5, MOST_ENTRIES, SCANNERS
from .errors import Invalid
from .programs import GUARD, ended

PROGRAM = pathlib.Path(__file__).with_name("references.py")
PATTERN = re.compile(r"[*?\[\]%,:]")  # what programs read as several names, or as more than a name
PATIENCE = 60.0  # seconds that one file may take
LARGEST_TEXT = 1 << 20


async def check(folders, path):
    """Raises Invalid where a file or folder, which lies in the folders itself, leads out of them."""
    if PATTERN.search(str(path)):
        raise Invalid("names with * ? [ ] % , : can't be read as scans: rename the file or its folder", "places")
    if path.is_dir():
        await asyncio.to_thread(_check_folder, folders, path, path.suffix == ".zarr")
        return
    suffix = path.suffix.lower()
    if suffix in HDF5:
        await _check_hdf5(folders, path)
    elif suffix in SCANNERS:
        await asyncio.to_thread(_check_scanner, folders, path)


def _check_folder(folders, path, deep, depth=1):
    """Its files, and those of the folders in it: what programs read of a folder."""
    with os.scandir(path) as entries:
        for count, entry in enumerate(entries):
            if count > MOST_ENTRIES:
                raise Invalid(f"a folder has more than {MOST_ENTRIES} entries", "places")
            if entry.is_symlink() and not folders.place(entry.path):
                raise _leads_out()
            if entry.is_dir() and (deep or depth) and not entry.is_symlink():
                _check_folder(folders, entry.path, deep, depth - 1)
            elif entry.is_symlink() and entry.is_dir() and depth:
                _check_folder(folders, os.path.realpath(entry.path), deep, depth - 1)


def _check_scanner(folders, path):
    """Images lie beside the facts, or in a folder that they name."""
    _check_folder(folders, path.parent, deep=False, depth=0)
    if path.suffix.lower() != ".xtekct":
        return
    with open(path, "rb") as file:
        text = file.read(LARGEST_TEXT).decode(errors="replace")
    for told in re.findall(r"^[ \t]*InputFolderName[ \t]*=[ \t]*(.*?)[ \t\r]*$", text, re.MULTILINE | re.IGNORECASE):
        folder = os.path.join(path.parent, told)
        if os.path.isdir(folder):
            if not folders.place(folder):
                raise _leads_out()
            _check_folder(folders, folder, deep=False, depth=0)


async def _check_hdf5(folders, path):
    process = await asyncio.create_subprocess_exec(
        *GUARD, sys.executable, str(PROGRAM), str(path), *map(str, folders.roots), stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)
    try:
        answer, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    except asyncio.TimeoutError:
        raise Invalid(f"what it refers to can't be found out within {PATIENCE:.0f} s", "places") from None
    finally:
        await ended(process)
    if process.returncode:
        raise Invalid("the file is damaged", "places")
    if json.loads(answer)["out"] is not None:
        raise _leads_out()


def _leads_out():
    return Invalid("it refers to files outside of the folders that people see here", "places")
