# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""From what a person asks to jobs in the queue: descriptions of data sets, names of results, keys, quotas."""

import asyncio
import contextlib
import sqlite3

from fastapi import Path
from gsttomo import jobs
from gsttomo.faces.parameters import OF_ONE_SCAN

from . import datasets, result_names
from .errors import Conflict, Forbidden, Invalid, Refusal, TooMany, Unknown
from .given import description_of, merged
from .kept_settings import settings_of
from .outputs import dataset_of
from .parameters import resolved

TABLES = result_names.TABLES
NUMBER = Path(..., ge=1, lt=2**63, description="number of a job")


class Unavailable(Refusal):
    """A disk fails or is full."""
    status = 503


@contextlib.contextmanager
def asking():
    """Errors of the queue as a browser gets them."""
    try:
        yield
    except jobs.NoSuchJob as e:
        raise Unknown(str(e)) from None
    except jobs.QuotaError as e:
        raise TooMany(str(e)) from None
    except jobs.DescriptionError as e:
        raise Invalid(str(e)) from None
    except jobs.Error as e:
        raise Conflict(str(e)) from None
    except sqlite3.Error as e:
        raise Unavailable(f"the queue can't be used: {e}") from None


def subject_of(number):
    return f"data set {number}"


def batch_of(job):
    """The key of the request that ordered several jobs at once; None for a job alone."""
    parts = (job.key or "").split("/")
    return parts[0] if len(parts) == 3 and parts[1] != "1" else None


def own(job, person, is_admin):
    """Raises Forbidden for a job of somebody else."""
    if job.owner != person.name and not is_admin:
        raise Forbidden(f"job {job.id} belongs to {job.owner}")
    return job


async def submit(server, person, asked):
    """Jobs of data sets, all or none. asked: see jobs.NewJobs. A second request of the same key has the jobs of the first one."""
    numbers = list(dict.fromkeys(asked.datasets))
    with asking():
        if known := await _known(server, person, asked.key, numbers):
            return known
        descriptions = await _descriptions(server, person, numbers, asked.settings)
        await server.computer.check(_devices(asked, descriptions[0]), asked.memory)
        names = [server.datasets.get(number).name for number in numbers]
        async with server.result_names.reserved(names) as paths:
            orders = [jobs.Order({**description, **of_result(path)}, _title(asked.name, name, numbers), person.name, asked.priority,
                                 asked.devices, asked.memory, None, str(server.result_names.folder), subject_of(number),
                                 f"{asked.key}/{len(numbers)}/{at}")
                      for at, (number, name, description, path) in enumerate(zip(numbers, names, descriptions, paths))]
            return await _queued(server, orders)


def _title(title, name, numbers):
    return name if not title else title if len(numbers) == 1 else f"{title}, {name}"


def _devices(asked, description):
    """Those that are asked for, whichever way."""
    return [*map(str, asked.devices or ()), *filter(None, [str(description.get("device", ""))])]


def of_result(path):
    """Viewers want the pyramid."""
    return {"output": path, "pyramid": "yes"}


async def _known(server, person, key, numbers):
    """The jobs of an earlier request. Raises Conflict where that was for something else."""
    page = await server.queue.page(owner=person.name, key=f"{key}/", order="id", limit=len(numbers) + 1)
    if not page.total:
        return []
    if [dataset_of(job) for job in page.jobs] != numbers:
        raise Conflict("the key was that of another order: each order has a key of its own", "key")
    return [await server.queue.get(job.id) for job in page.jobs]


async def _descriptions(server, person, numbers, settings):
    """Of one data set as the settings say. Of several: what belongs to one scan alone, such as the axis, is what the person has set
    for each of them."""
    if len(numbers) == 1:
        return [description_of(server, numbers[0], settings)]
    shared = resolved({name: value for name, value in settings.items() if name not in OF_ONE_SCAN}, server.folders)
    found = []
    for number in numbers:
        alone = {name: value for name, value in settings_of(server, person, number).items() if name in OF_ONE_SCAN}
        try:
            found.append(merged(datasets.configuration_of(server, number), {**shared, **resolved(alone, server.folders)}))
        except Refusal as e:
            raise type(e)(f"data set {number}: {e.text}", e.field) from None
        await asyncio.sleep(0)  # others are served meanwhile
    return found


async def _queued(server, orders, repeats=None):
    given = await server.queue.submit_many(orders, server.settings.jobs_per_person, repeats)
    server.result_names.keep(given)
    server.keeper.start()
    return given


async def repeat(server, person, job, settings, key, priority):
    """The same job once more, with a result of its own; or with other settings for its data set."""
    if job.kind is not jobs.Kind.RECONSTRUCTION:
        raise Conflict(f"job {job.id} is a dataflow: tomo-jobs repeats it")
    with asking():
        page = await server.queue.page(owner=person.name, key=f"{key}/", limit=1)
        if page.jobs:
            if page.jobs[0].repeats != job.id:
                raise Conflict("the key was that of another order: each order has a key of its own", "key")
            return await server.queue.get(page.jobs[0].id)
        description = {name: value for name, value in job.description.items() if name not in ("output", "overwrite", "resume")}
        if settings is not None:
            number = dataset_of(job)
            if number is None:
                raise Conflict(f"job {job.id} is of no data set: its settings can't be changed here")
            description = description_of(server, number, settings)
        await server.computer.check([one for one in [description.get("device")] if one], None)
        async with server.result_names.reserved([job.name or f"job {job.id}"]) as paths:
            devices = job.devices if settings is None and "device" not in description else None
            order = jobs.Order({**description, **of_result(paths[0])}, job.name, person.name, priority, devices, job.memory, None, job.folder,
                               job.subject, f"{key}/1/0")
            return (await _queued(server, [order], repeats=job.id))[0]
