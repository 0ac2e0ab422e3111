# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A manager for programs that queue jobs and do not want to be one."""

import pathlib
import subprocess

from ._lock import is_heard
from ._store import default_folder

LINGER = 60.0  # seconds that a manager waits for another job


def start_manager(folder=None, linger=LINGER):
    """Starts a process that runs the jobs of a queue, and goes on when this one ends. Returns its subprocess.Popen, or None where a
    manager is there already; where one begins at this moment, the new one ends at once. What it says is in manager.log in the folder.

    folder: of the queue; None: GST_TOMO_JOBS, or one below the user's state folder
    linger: seconds without a job that waits or runs, after which it ends"""
    folder = pathlib.Path(folder or default_folder()).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if is_heard(folder):
        return None
    with open(folder / "manager.log", "ab") as log:
        return subprocess.Popen(["tomo-jobs", "--queue", str(folder), "serve", "--until-idle", f"{linger:g}"],
                                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
