# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Jobs as text for people."""

import time

WIDTH = 80
MOST_MESSAGES = 20
WHITE = "\n\t"  # that texts of several lines keep


def table(jobs):
    """A line for each job, no wider than a terminal of 80 columns."""
    rows = [("ID", "STATE", "OWNER", "PROGRESS", "TIME", "JOB")]
    rows += [(str(job.id), str(job.state), clipped(plain(job.owner), 8), plain(progress_of(job)), duration_text(seconds_of(job)), title_of(job))
             for job in jobs]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    left = WIDTH - sum(widths) - 2 * len(widths)
    return "\n".join("  ".join((row[0].rjust(widths[0]), *(cell.ljust(width) for cell, width in zip(row[1:5], widths[1:])),
                                clipped(row[5], left))).rstrip() for row in rows)


def plain(text, kept=""):
    """With escapes for what a terminal would obey, or could not show."""
    return "".join(c if c.isprintable() or c in kept else ascii(c)[1:-1] for c in text)


def clipped(text, width):
    return text if len(text) <= width else text[:max(width - 1, 0)] + "…"


def title_of(job):
    if job.name:
        return plain(job.name)
    described = job.description
    if "nodes" in described:
        plugins = [str(node.get("plugin", "?")) for node in described["nodes"] if isinstance(node, dict)]
        return plain(" ! ".join(plugins))
    return plain(str(described.get("scan") or described.get("projections") or described.get("sinograms") or ""))


def progress_of(job):
    """As short as a column of the table."""
    if job.state == "queued":
        return f"{job.priority:+d}" if job.priority else ""
    if job.state == "done":
        return "" if job.status == "done" else "in part"
    if job.total:
        return f"{100 * (job.done or 0) // job.total} % {job.stage or ''}".rstrip()
    return job.stage or ""


def seconds_of(job):
    """That it runs, or ran; None before."""
    if job.started is None:
        return None
    return (job.ended or time.time()) - job.started


def duration_text(seconds):
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def moment_text(seconds):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def bytes_text(size):
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.3g} {unit}"
        size /= 1000


def details(job):
    """Everything about one job."""
    lines = [f"job {job.id}: {title_of(job)}",
             f"state       {job.state}" + (f" ({job.status})" if job.status and job.status != str(job.state) else ""),
             f"owner       {plain(job.owner)}, priority {job.priority}" + (f", session {plain(job.session)}" if job.session else ""),
             f"submitted   {moment_text(job.submitted)}" + (f", repeats job {job.repeats}" if job.repeats else "")]
    if job.started:
        lines.append(f"started     {moment_text(job.started)}, {duration_text(seconds_of(job))}" + (" so far" if not job.ended else ""))
    if job.subject:
        lines.append(f"subject     {plain(job.subject)}")
    if job.pid:
        lines.append(f"process     {job.pid}")
    if job.total:
        lines.append(f"progress    {job.done} of {job.total} {job.unit}"
                     + (f", {job.rate:.3g}/s" if job.rate else "")
                     + (f", {duration_text(job.seconds_left)} left" if job.seconds_left and not job.is_over else ""))
    for result in job.results[:MOST_MESSAGES]:
        lines.append(f"result      {result['name']} {result['value']:.7g} {result.get('unit', '')}".rstrip())
    if len(job.results) > MOST_MESSAGES:
        lines.append(f"            and {len(job.results) - MOST_MESSAGES} more")
    for output in job.outputs:
        lines.append(f"output      {plain(output)}")
    if job.bytes:
        lines.append(f"size        {bytes_text(job.bytes)}")
    if job.error:
        lines.append(f"error       {job.error}")
    for name in ("version", "host"):
        if job.provenance.get(name):
            lines.append(f"{name:12}{job.provenance[name]}")
    for device in job.provenance.get("devices", ()):
        lines.append(f"device      {device}")
    for entry in job.provenance.get("inputs", ()):
        for file in entry.get("files", [entry]):
            name = file["path"] if "path" in file else f"{file['name']}: {file['count']} files"
            lines.append(f"input       {plain(name)}, {bytes_text(file['bytes'])}, {moment_text(file['modified'])}")
    return plain("\n".join(lines), WHITE)


def event_line(event):
    """A line about an event; empty for those that say nothing to people."""
    return plain(event_text(event), WHITE)


def event_text(event):
    kind = event["event"]
    if kind == "message":
        place = f"{event['element']}: " if event.get("element") else ""
        level = event.get("level", "info")
        return ("" if level == "info" else f"{level}: ") + place + event.get("text", "")
    if kind == "progress":
        total = f" of {event['total']}" if event.get("total") else ""
        left = f", {duration_text(event['seconds-left'])} left" if event.get("seconds-left") else ""
        rate = f", {event['rate']:.3g}/s" if event.get("rate") else ""
        return f"{event.get('done')}{total} {event.get('unit', '')}{rate}{left}"
    if kind == "stage":
        return f"stage {event.get('name')}"
    if kind == "state":
        return f"{event.get('state')}"
    if kind == "result":
        return f"{event.get('name')} {event.get('value'):.7g} {event.get('unit', '')}".rstrip()
    if kind == "preview":
        return f"preview {event.get('path')}"
    if kind == "done":
        return f"{event.get('status')}: {', '.join(event.get('outputs', ())) or 'nothing was written'}"
    return ""
