# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How far a reconstruction is, for people: a bar of tqdm where that is installed, else a line."""

import importlib
import sys
import warnings

from ._job import Message, Progress, Warning


def is_notebook():
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


class Line:
    """One line on standard error, written anew; on a terminal, or with line breaks elsewhere."""

    def __init__(self, total, unit):
        self._total, self._unit, self._told = total, unit, -1

    def show(self, progress):
        percent = 100 * progress.done // max(progress.total, 1)
        if not sys.stderr.isatty() and percent // 10 == self._told // 10:
            return
        self._told = percent
        left = f", {progress.seconds_left:.0f} s left" if progress.seconds_left else ""
        rate = f", {progress.rate:.3g}/s" if progress.rate else ""
        amid = f", iteration {progress.iteration} of {progress.iterations}" if progress.iteration else ""
        line = f"{progress.done} of {progress.total} {self._unit}{amid}{rate}{left}"
        print(f"\r{line:75}" if sys.stderr.isatty() else line, end="" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)

    def close(self):
        if sys.stderr.isatty() and self._told >= 0:
            print(file=sys.stderr)


class Bar:
    def __init__(self, tqdm, total, unit):
        self._bar = tqdm(total=total, unit=f" {unit}")

    def show(self, progress):
        self._bar.update(progress.done - self._bar.n)

    def close(self):
        self._bar.close()


def bar(total, unit):
    try:
        tqdm = importlib.import_module("tqdm.auto")  # not one of the modules that gst-tomo needs
    except ImportError:
        return Line(total, unit)
    return Bar(tqdm.tqdm, total, unit)


def shown(run, wanted):
    """The events of a run, while a bar shows its progress. Warnings of the run become warnings of Python."""
    wanted = is_notebook() if wanted is None else wanted
    now, stage = None, None
    try:
        for event in run:
            if isinstance(event, Message) and event.level == "warning":
                warnings.warn(event.text, Warning, stacklevel=3)
            if isinstance(event, Progress) and wanted:
                if event.stage != stage:
                    if now:
                        now.close()
                    now, stage = bar(event.total, event.unit), event.stage
                now.show(event)
            yield event
    finally:
        if now:
            now.close()
        run._end()
