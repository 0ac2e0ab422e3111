# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which files are results: volumes among the outputs of jobs that are done, in folders that people see."""

import os
import re

from fastapi import Path
from gsttomo import jobs
from gsttomo.widgets import split_name

from .errors import Unknown

LARGEST = 2**31 - 1
VOLUMES = (".h5", ".hdf5", ".nxs", ".tif", ".tiff", ".npy", ".zarr")
SUBJECT = re.compile(r"data set (\d+)")
Job = Path(..., ge=0, le=LARGEST, description="number of the job")
Number = Path(..., ge=0, le=LARGEST, description="of the output of the job")


async def job_of(server, number):
    try:
        return await server.queue.get(number)
    except jobs.NoSuchJob as error:
        raise Unknown(str(error)) from None


async def result_of(server, job, number):
    """The path of a result, with :/DATASET behind it. Raises Unknown where there is none that people may see."""
    return path_of(server, await job_of(server, job), number)


def path_of(server, job, number):
    if job.state is not jobs.State.DONE:
        raise Unknown(f"job {job.id} is {job.state}: it has results when it is done")
    if number >= len(job.outputs) or not is_volume(job.outputs[number]):
        raise Unknown(f"job {job.id} has no volume {number}")
    file, dataset = split_name(os.path.join(job.folder or "/", job.outputs[number]))
    if server.folders.place(file) is None:
        raise Unknown(f"{os.path.basename(file)} is in no folder that people see")
    return os.path.realpath(file) + (f":{dataset}" if dataset else "")


def is_volume(output):
    return split_name(output)[0].lower().endswith(VOLUMES)


def dataset_of(job):
    found = SUBJECT.fullmatch(job.subject or "")
    return int(found[1]) if found else None


def visible(server, job):
    """Numbers of the volumes of a job that people may see."""
    for number, output in enumerate(job.outputs):
        if is_volume(output) and server.folders.place(split_name(output)[0]) is not None:
            yield number
