# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Jobs: reconstructions and dataflows that wait for their turn, each in a process of its own.

    from gsttomo import jobs

    queue = jobs.PlainQueue()                     # for scripts; jobs.Queue is the same with async and await
    job = queue.submit({"scan": "scan.nxs", "output": "slices.h5"})
    for event in queue.follow(job.id):
        print(event)
    print(queue.get(job.id).state)

A manager starts them on the devices of this computer: `tomo-jobs serve`, or `async with jobs.Manager()`. Clients and manager may
be different processes, and need not run at the same time. docs/jobs.md tells more.
"""

from ._client import PlainQueue, Queue
from ._machine import devices, indices_of
from ._manager import Manager, serve
from ._model import OPEN, OVER, Brief, BusyError, DescriptionError, Error, Job, Kind, Limits, NoSuchJob, Page, QuotaError, State
from ._order import Order
from ._start import start_manager
from ._store import default_folder

__all__ = ["Brief", "BusyError", "DescriptionError", "Error", "Job", "Kind", "Limits", "Manager", "NoSuchJob", "OPEN", "OVER", "Order",
           "Page", "PlainQueue", "Queue", "QuotaError", "State", "default_folder", "devices", "indices_of", "serve", "start_manager"]
