# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Results of rules in the portal: the derived data set, where it comes from, its files and a picture."""

import asyncio
import hashlib
import os

import h5py
from gsttomo.widgets import split_name

from .errors import Invalid
from .open_volumes import OpenVolume
from .portal import Derived, RemoteFile
from .thumbnails import picture_of

LONGEST = 2000  # characters of a value
CAPTION = "The middle slice"


class Registrar:
    """contact: address for data sets whose raw one tells none"""

    def __init__(self, server, portal, paths, contact):
        self._server, self._portal, self._paths, self._contact = server, portal, paths, contact
        self._files = {}  # by job, of which the checksums are known

    async def register(self, rule, find, save):
        """Sees to it that the portal knows the result of a Find. save() is called where its number there is known."""
        job = await self._server.queue.get(find.job)
        files = await self._files_of(job)
        derived = await asyncio.to_thread(self._derived, rule, find, job, files)
        find.registered = await self._portal.register(derived)
        save()
        picture = await asyncio.to_thread(picture_of_result, find.output)
        await self._portal.attach(find.registered, derived.key, CAPTION, picture)

    async def _files_of(self, job):
        if job.id not in self._files:
            self._files = {job.id: await asyncio.to_thread(files_of, job)}  # of one job at a time, whose portal may be away for long
        return self._files[job.id]

    def _derived(self, rule, find, job, files):
        folder = os.path.dirname(find.output)
        told = self._server.folders.told
        settings = {name: shortened(told(value) if isinstance(value, str) else value) for name, value in job.description.items()
                    if name not in ("output", "scan", "pyramid")}
        computer = {"host": job.provenance.get("host"), "devices": ", ".join(job.provenance.get("devices", ()))}
        return Derived(
            key=key_of(find), name=os.path.splitext(os.path.basename(find.output))[0], raw=find.source, inputs=(find.source,),
            description=f"Reconstructed volume of {find.name}, by the rule {rule.name} of gst-tomo", folder=self._paths.remote(folder), files=files,
            software=(f"gst-tomo {job.provenance.get('version') or 'unknown'}",),
            parameters={"program": "tomo-reconstruct", "settings": settings, "job": job.id, "rule": rule.name,
                        "computer": {name: value for name, value in computer.items() if value}},
            facts=facts_of(find.output, job), created=job.ended, began=job.began, ended=job.ended,
            contact=self._contact)


def key_of(find):
    """One for each result: the scan, and the state of its files."""
    return hashlib.sha256(f"{find.rule}\0{find.source}\0{find.stamp}\0{find.job}".encode()).hexdigest()[:32]


def files_of(job):
    """What the job has written, with sizes and checksums, as relative names."""
    found = []
    for output in job.outputs:
        path = os.path.join(job.folder, split_name(output)[0])
        for name in sorted(os.path.join(folder, file) for folder, _, files in os.walk(path) for file in files) if os.path.isdir(path) else [path]:
            about = os.stat(name)
            with open(name, "rb") as file:
                checksum = hashlib.file_digest(file, "sha256").hexdigest()
            found.append(RemoteFile(os.path.relpath(name, os.path.dirname(path)), about.st_size, about.st_mtime, checksum))
    if not found:
        raise Invalid("the job has left no files")
    return tuple(dict.fromkeys(found))


def facts_of(path, job):
    """Of the volume, as SciCat shows them."""
    found = {}
    for result in job.results:
        if result.get("name") == "axis":
            found["axis"] = {"value": result["value"], "unit": result.get("unit", "px")}
    with h5py.File(split_name(path)[0], "r", locking=False) as file:
        data = file.get("/entry/data/data")
        if data is not None:
            found.update(zip(("slices", "rows", "columns"), map(int, data.shape)), type=str(data.dtype))
    return found


def picture_of_result(path):
    """A small PNG of the middle slice."""
    opened = OpenVolume(path, 0)
    try:
        level = opened.levels()[-1]
        middle = opened.volume.shape[0] // 2
        return picture_of(opened.tile(level, 0, middle, (0, 0), max(opened.volume.shape), 0, lambda: False))
    finally:
        opened.volume.close()


def shortened(value):
    return value[:LONGEST] if isinstance(value, str) else value

