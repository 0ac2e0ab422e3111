# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs one line in a folder of its own, in a process that may hang or abort."""
import os
import re
import resource
import shlex
import signal
import subprocess

NO_SUCH_TASK = re.compile(r"Module libufofilter(\S+)\.so not found|Could not find plugin")
COMPLAINT = re.compile(r"CRITICAL|ERROR|Error|assertion failed")
UNKNOWN_PROPERTY = re.compile(r"does not have property `([\w-]+)'")
NOISE = re.compile(r"\(ufo-launch:\d+\): |\*\* ?: ?|\d\d:\d\d:[\d.]+: |<\./|:\d+>|Error executing pipeline: ")


class Outcome:
    """files: what the line wrote; failure: one line why it has no result, or ""; absent: no such task or property."""

    def __init__(self, folder, failure="", absent=""):
        self.folder, self.failure, self.absent = folder, failure, absent


def _words(line):
    """As a shell would pass them, but with the quotes that ufo-launch wants to see itself."""
    return re.findall(r"(?:'[^']*'|\S)+", line)


def _no_core():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _run(command, folder, env, timeout):
    """Status and text of a command; status None where it took too long. Its children end with it."""
    with open(os.path.join(folder, os.pardir, os.path.basename(folder) + ".log"), "w+", encoding="utf-8",
              errors="replace") as log:
        # UFO would abort at its own warnings where our tests let GLib do so.
        inherited = {name: value for name, value in os.environ.items() if name != "G_DEBUG"}
        process = subprocess.Popen(command, cwd=folder, env={**inherited, "LC_ALL": "C", **env},
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                   preexec_fn=_no_core)
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status = None
        log.seek(0)
        return status, log.read()


def _failure(status, text, timeout):
    told = [line.strip() for line in text.splitlines() if COMPLAINT.search(line)]
    if status is None:
        return f"takes more than {timeout:g} s"
    if status < 0:
        return f"aborts ({signal.Signals(-status).name})" + (f": {NOISE.sub('', told[0])}" if told else "")
    if status or told:
        return "fails: " + NOISE.sub("", (told or text.strip().splitlines()[-1:] or ["no message"])[0])
    return ""


def ufo(command, line, folder, timeout):
    env = {"UFO_DEVICE_TYPE": os.environ.get("UFO_DEVICE_TYPE", "cpu")}  # it takes GPUs only, unless told so
    status, text = _run([*shlex.split(command), "-q", *_words(line)], folder, env, timeout)
    if absent := NO_SUCH_TASK.search(text):
        return Outcome(folder, absent=f"no task {absent[1] or ''}".strip())
    if unknown := UNKNOWN_PROPERTY.search(text):
        return Outcome(folder, absent=f"no property {unknown[1]}")
    return Outcome(folder, _failure(status, text, timeout))


def gst_tomo(line, folder, timeout):
    status, text = _run(["tomo-launch", "-q", *_words(line)], folder, {}, timeout)
    return Outcome(folder, _failure(status, text, timeout))
