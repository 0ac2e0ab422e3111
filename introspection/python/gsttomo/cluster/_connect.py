# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""From the name of a cluster to a client of its scheduler."""

import asyncio
import contextlib
import importlib.util
import logging
import os
import pathlib

from ._errors import ClusterError

PATIENCE = 30.0  # seconds for the first worker, unless a configuration says otherwise
TO_ANSWER = 10.0  # seconds for a scheduler

FORMS = "tcp://HOST:8786 for a scheduler of Dask, local:N for N processes of this computer, or slurm:FILE.yaml"
HOW_TO_GET = ("apt install python3-distributed; or, in a clone, tools/setup --cluster, which takes a newer one and dask-jobqueue; docs/install.md "
              "tells the way for the archive")


async def connected(name, stack):
    """A client, and seconds to wait for the first worker. All that it opens closes with `stack`. Raises ClusterError."""
    if not importlib.util.find_spec("distributed"):
        raise ClusterError(f"Dask distributed is not installed: {HOW_TO_GET}")
    import dask

    # Of schedulers that this process starts.
    dask.config.set({"distributed.scheduler.allowed-failures": 10, "distributed.scheduler.worker-ttl": "60s",
                     "distributed.worker.profile.enabled": False})
    kind, _, rest = name.partition(":")
    if kind == "local":
        return await _client(stack, await _local(rest, name, stack)), PATIENCE
    if kind == "slurm":
        cluster, patience = await _slurm(rest, stack)
        return await _client(stack, cluster), patience
    if "://" not in name and not _is_place(name):
        raise ClusterError(f"'{name}' names no cluster; wanted {FORMS}")
    return await _client(stack, name), PATIENCE


def how_workers_come(name):
    """What to do where none does."""
    if name.startswith("slurm:"):
        return ("`squeue` shows whether its jobs have begun, and their output (slurm-JOB.out, or in log_directory) why one ended; `patience` of the file "
                "is the time to wait")
    return "`dask worker ADDRESS --nthreads 1` starts one, in the environment of gst-tomo"


def _is_place(name):
    host, _, port = name.rpartition(":")
    return bool(host) and port.isdigit()


async def _client(stack, cluster):
    from distributed import Client

    try:
        client = Client(cluster, asynchronous=True, timeout=TO_ANSWER, set_as_default=False)
        await asyncio.wait_for(client, TO_ANSWER + 5)
    except (OSError, ValueError, ImportError, TypeError) as e:
        reason = f": {e}" if str(e) and not isinstance(e, OSError) else ""
        raise ClusterError(f"no scheduler of Dask answers at '{cluster}'{reason}; `dask scheduler` starts one and tells its "
                           "address") from None
    stack.push_async_callback(_close, client)
    return client


async def _close(thing):
    with contextlib.suppress(OSError):  # also where it takes too long
        await asyncio.wait_for(thing.close(), 10)


async def _local(count, name, stack):
    from distributed import LocalCluster

    if not count.isdecimal() or not 1 <= int(count) <= 1024:
        raise ClusterError(f"'{name}' does not say how many processes; wanted local:N with N from 1 to 1024")
    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "critical")  # of its processes
    cluster = await LocalCluster(n_workers=int(count), threads_per_worker=1, processes=True, host="127.0.0.1", memory_limit=0,
                                 dashboard_address=os.environ.get("GST_TOMO_CLUSTER_DASHBOARD", "127.0.0.1:0"),
                                 silence_logs=logging.CRITICAL, asynchronous=True)
    stack.push_async_callback(_close, cluster)
    return cluster


async def _slurm(file, stack):
    import yaml

    if not importlib.util.find_spec("dask_jobqueue"):
        raise ClusterError("slurm: wants dask-jobqueue, which Debian does not have: in a clone, tools/setup --cluster takes it from PyPI; "
                           "docs/install.md tells the way for packages and the archive")
    from dask_jobqueue import SLURMCluster

    try:
        given = yaml.safe_load(pathlib.Path(file).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as e:
        raise ClusterError(f"'{file}' can't be read: {e}") from None
    if not isinstance(given, dict) or not isinstance(given.get("jobs"), int) or given["jobs"] < 1:
        raise ClusterError(f"'{file}' wants a line such as 'jobs: 20', and others that SLURMCluster of dask-jobqueue takes: queue, cores, "
                           "memory, walltime")
    options = {"processes": 1, "cores": 1, **given}
    jobs, patience = options.pop("jobs"), float(options.pop("patience", PATIENCE))
    try:
        cluster = await SLURMCluster(**options, asynchronous=True)
        stack.push_async_callback(_close, cluster)
        cluster.scale(jobs=jobs)
        await cluster
    except (TypeError, ValueError, RuntimeError, OSError) as e:
        words = " ".join(f"{e}".rpartition("stderr:")[2].split())  # of sbatch, where that has failed
        raise ClusterError(f"'{file}': {words or type(e).__name__}") from None
    return cluster, patience
