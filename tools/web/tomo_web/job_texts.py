# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How jobs are told to browsers: without paths, and in the words of the desktop program."""

import os
import re
import time

from gsttomo import jobs
from gsttomo.faces import names
from gsttomo.faces.parameters import FILES, command_of
from gsttomo.faces.texts import MARKS, duration_of, error_of, event_text, progress_of

from .folders import told_values
from .orders import batch_of
from .outputs import dataset_of, is_volume
from .parameters import with_places

MOST_EVENTS = 1000     # that are told of one job, the last ones
LONGEST_LOG = 1 << 20  # bytes of its end
OF_QUEUE = {"output", "pyramid", "resume", "overwrite"}  # that the server sets for each job
SILENT = ("progress", "preview")  # events that no course lists


def short(job, told):
    """A Brief or a Job as lists and events have it. told: Folders.told"""
    return {"id": job.id, "name": job.name or (job.subject or str(job.kind)), "owner": job.owner, "kind": str(job.kind), "dataset": dataset_of(job),
            "batch": batch_of(job), "state": str(job.state), "mark": MARKS[job.state], "status": job.status, "priority": job.priority,
            "progress": "" if job.is_over or job.state is jobs.State.QUEUED else progress_of(job), "done": job.done, "total": job.total,
            "rate": job.rate, "seconds_left": job.seconds_left, "submitted": job.submitted, "started": job.started, "began": job.began,
            "ended": job.ended, "seconds": duration_of(job), "error": told(error_of(job)) if job.error else None,
            "results": results_of(job), "bytes": job.bytes, "repeats": job.repeats}


def results_of(job):
    """Numbers and names of the volumes that a job has written."""
    if job.state is not jobs.State.DONE:
        return []
    return [{"number": number, "name": os.path.basename(names.split(output)[0])} for number, output in enumerate(job.outputs) if is_volume(output)]


def whole(job, folders, course):
    """Everything about a job."""
    description = told_values(job.description, folders.told)
    asked = {name: value for name, value in job.description.items() if name not in FILES | OF_QUEUE}
    settings, left_out = with_places(asked, folders) if job.kind is jobs.Kind.RECONSTRUCTION else ({}, [])
    return {**short(job, folders.told), "description": description, "settings": settings, "left_out": left_out,
            "command": command_of(description) if job.kind is jobs.Kind.RECONSTRUCTION else None, "devices": list(job.devices or ()),
            "memory": job.memory, "assigned": list(job.assigned), "outputs": [folders.told(output) for output in job.outputs],
            "provenance": provenance_of(job, folders.told), "course": course}


def provenance_of(job, told):
    """Pairs of a name and a value."""
    found = [("Version", job.provenance.get("version")), ("Computer", job.provenance.get("host")),
             ("Devices", ", ".join(job.provenance.get("devices", ())))]
    for entry in job.provenance.get("inputs", ()):
        for file in entry.get("files", [entry]):
            name = told(file["path"]) if "path" in file else f"{told(file['name'])}, {file['count']} files"
            found.append(("Input", f"{name}, {file['bytes'] / 1e6:.4g} MB, {moment(file['modified'])}"))
    for output in job.outputs:
        found.append(("Output", told(output)))
    times = [("Submitted", job.submitted), ("Began", job.began), ("Ended", job.ended)]
    found += [(name, moment(seconds)) for name, seconds in times if seconds]
    found.append(("Process", f"attempt {job.attempt}, status {job.exit}" if job.exit is not None else None))
    return [list(pair) for pair in found if pair[1]]


def moment(seconds):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def told_event(event, told):
    """An event as browsers get it: its members and, where people read it, the line of the course."""
    members = {name: told_values(value, told) for name, value in event.items() if name != "path"}
    return members if event["event"] in SILENT else {**members, "line": told(text_of(event))}


def text_of(event):
    try:
        return event_text(event)
    except (KeyError, TypeError, ValueError):  # of a program that writes what it likes
        return str(event.get("event"))


def course_of(tail, told):
    """Texts of the events so far."""
    with tail:
        events = [event for event in tail.read() if event["event"] not in SILENT]
    return [told(text_of(event)) for event in events[-MOST_EVENTS:]]


def log_of(folder, told):
    """The end of what the process of a job has written."""
    try:
        with open(folder / "errors.log", "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LONGEST_LOG))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return told(re.sub(r"[^\S\n\t]|\x00", " ", text))
