# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How faces say what is known of scans and jobs: the same words everywhere."""

import json
import math
import re
import time

from .. import jobs
from .parameters import command_of

SIGNS = {"error": ("✕ ERROR", "failure"), "warning": ("⚠ WARNING", "warning"), "info": ("● INFO", "good")}
ORDER = tuple(SIGNS)
MARKS = {jobs.State.QUEUED: "… queued", jobs.State.RUNNING: "▶ running", jobs.State.PAUSED: "‖ paused", jobs.State.DONE: "✓ done",
         jobs.State.FAILED: "✕ failed", jobs.State.CANCELLED: "– cancelled"}


def size_of(facts):
    """2048 x 2048, 1500 views, 0 to 179.9 degrees"""
    text = f"{facts['width']} x {facts['height']}, {facts['views']} views"
    if "angle-first" in facts:
        first, last = (math.degrees(facts[name]) for name in ("angle-first", "angle-last"))
        text += f", {first:.4g} to {last:.4g}°"
    return text


def head_of(facts, axis=None, spread=None, problem=""):
    """What the head of a face says of the chosen scan: {size, axis, word, tone}. `axis` is (value, where it comes from), or None; `spread` is
    its uncertainty where it was found and taken."""
    word, tone = state_of(facts, problem)
    return {"size": size_of(facts) if facts else "", "axis": axis_text(axis, spread) if facts else "", "word": word, "tone": tone}


def state_of(facts, problem=""):
    """A word and its tone. `problem`: why there are no facts."""
    if problem:
        return "✕ FAILED", "failure"
    if not facts:
        return "READING", ""
    severe = [finding for finding in facts["findings"] if finding["severity"] != "info"]
    if any(finding["severity"] == "error" for finding in severe):
        return "✕ ERRORS", "failure"
    if severe:
        return ("⚠ 1 WARNING" if len(severe) == 1 else f"⚠ {len(severe)} WARNINGS"), "warning"
    return "✓ READY", "good"


def axis_text(axis, spread=None):
    """axis 86.35, axis 1021.34 ± 0.10, axis 86.50 (scan)"""
    if not axis:
        return "axis not known"
    value, source = axis
    if source == "set":
        return f"axis {value:.6g}" if spread is None else f"axis {value:.2f} ± {max(spread, 0.01):.2f}"
    return f"axis {value:.2f} ({source})"


def facts_of(facts, axis=None):
    """Pairs of a name and a value. `axis` is the one that counts, and where it comes from."""
    def count(key):
        return str(facts[key])

    lines = [("Kind", facts["kind"]), ("Pixels", f"{facts['width']} x {facts['height']}"), ("Samples", facts["format"])]
    if facts["kind"] == "sinograms":
        lines.append(("Sinograms", count("height")))
    lines.append(("Projections", count("projections") + (f", {facts['views']} used" if facts["views"] != facts["projections"] else "")))
    if facts["kind"] != "sinograms":
        lines += [("Flats", count("flats") + (f" before, {facts['flats-after']} after" if facts["flats-after"] else "")),
                  ("Darks", count("darks"))]
    if "angle-first" in facts:
        first, last, step = (math.degrees(facts.get(f"angle-{name}", 0.0)) for name in ("first", "last", "step"))
        lines += [("Angles", f"{first:.1f} to {last:.1f}°"), ("Step", f"{step:.4g}°" + ("" if facts["steps-are-even"] else " (mean)"))]
        lines.append(("Angles from", facts["angles-from"]))
    told = f"{facts['axis']:.2f} px (scan)" if "axis" in facts else "not told"
    lines.append(("Axis", told if not axis or axis[1] == "scan" else
                  f"{axis[0]:.2f} px ({axis[1]})" + (f"; {told}" if "axis" in facts else "")))
    for key, name, factor, unit in (("pixel-size", "Pixel size", 1e6, "µm"), ("energy", "Energy", 1.0, "keV"), ("distance", "Distance", 1.0, "m"),
                                    ("source-distance", "Source", 1.0, "m"), ("white-level", "Whole beam", 1.0, "counts")):
        if key in facts:
            lines.append((name, f"{facts[key] * factor:.6g} {unit}"))
    if facts["files"] > 1:
        lines.append(("Files", count("files")))
    return lines


def progress_of(job):
    """Reconstruct 40 of 80 slices, 25 /s, 2 s left"""
    if job.state is jobs.State.QUEUED:
        return f"Job {job.id} is queued"
    text = "Paused" if job.state is jobs.State.PAUSED else (job.stage or "start").capitalize()
    if job.total:
        text += f" {job.done or 0} of {job.total} {job.unit or ''}".rstrip()
    if job.rate:
        text += f", {job.rate:.3g} /s"
    if job.seconds_left is not None and job.state is jobs.State.RUNNING:
        text += f", {time_text(job.seconds_left)} left"
    return text


def time_text(seconds):
    minutes, seconds = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


def duration_of(job):
    return None if job.began is None else (job.ended or time.time()) - job.began


def event_text(event):
    at = time.strftime("%H:%M:%S", time.localtime(event.get("time", 0)))
    kind = event["event"]
    if kind == "message":
        text = f"{event['level']}: {in_form(event['text'])}"
    elif kind == "hello":
        text = f"process {event['pid']} began"
    elif kind == "stage":
        text = f"{event['name']} ({event['index'] + 1} of {event['count']})"
    elif kind == "state":
        text = event["state"]
    elif kind == "plan" and "images" in event:
        text = (f"{event['images']} slices, {event.get('bytes', 0) / 1e6:.4g} MB, to {event.get('output', '')}"
                + (f", axis {event['axis']:.2f} ({event.get('axis-from', 'given')})" if "axis" in event else "")
                + (f", about {time_text(event['seconds'])}" if event.get("seconds") else "") + f", on {event.get('device', 'a device')}")
    elif kind == "result":
        text = f"{event['name']} {event['value']:.6g} {event.get('unit', '')}" if isinstance(
            event["value"], (int, float)) else f"{event['name']} {event['value']}"
    elif kind == "done":
        text = f"{event['status']}" + "".join(f"\n          {name}" for name in event["outputs"])
    else:
        text = kind + " " + ", ".join(f"{name} {value}" for name, value in event.items() if name not in ("event", "time"))
    return f"{at}  {text}"


def settings_text(job):
    if job.kind is jobs.Kind.RECONSTRUCTION:
        return command_of(job.description) + "\n\n" + json.dumps(job.description, indent=2)
    return json.dumps(job.description, indent=2)


def in_form(text):
    """What a program says of its options, as it is right for a form: `--axis 86` is its field `axis`."""
    return re.sub(r"(?<![\w-])--(?=[a-z])", "", text)


def error_of(job):
    """Why it failed, as it is right for a form; "" where nothing is known."""
    return in_form(job.error or "").strip()


def without_program(text):
    """The error alone, as it is right for a form, of lines of standard error such as 'tomo-reconstruct: note: ...'."""
    lines = [line.partition(": ")[2] or line for line in text.splitlines() if line.strip()]
    errors = [line.partition(": ")[2] for line in lines if line.startswith("error: ")]
    errors = errors or [line for line in lines if not line.startswith(("warning: ", "note: "))]
    return in_form((errors or lines or [text])[0])
