# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""From a scan to its slices.

    from gsttomo import reconstruction

    slices = reconstruction.reconstruct("scan.nxs")                      # a file or folder: slices as a numpy array
    slices = reconstruction.reconstruct(projections, darks=darks, flats=flats, angles=degrees)      # arrays of numpy
    reconstruction.reconstruct("scan.nxs", output="slices.h5")           # into a file
    scan = reconstruction.inspect("scan.nxs")                            # what it is, and what is wrong with it
    axis = reconstruction.estimate_axis("scan.nxs")                      # where its rotation axis is
    values, slices = reconstruction.sweep("scan.nxs", parameter="axis=129:133:0.5")
    for event in reconstruction.run("scan.nxs", output="slices.h5"):     # progress, messages, previews
        print(event)

Projections are arrays of shape (views, rows, columns), darks and flats (images, rows, columns), sinograms (rows, views,
columns), slices, initial and mask (slices, rows, columns). Angles are in degrees, an axis is an edge coordinate of the full detector: the
middle of W columns is W / 2. All parameters of tomo-reconstruct are keyword arguments with _ for -; help(reconstruct)
lists them, and docs/parameters.md explains them. Errors are an Error with the first cause.
"""

import json

from gi.repository import GstTomo

from . import _progress
from ._job import (  # noqa: F401
    Aborted, Done, Error, Finding, Job, Message, ParameterError, Preview, Progress, Result, Run, Stage, Warning)
from ._parameters import documented, value_of
from ._results import AxisEstimate, AxisOfRow, File, Scan, Slices, Sweep  # noqa: F401

__all__ = ["Aborted", "AxisEstimate", "AxisOfRow", "Done", "Error", "File", "Finding", "Message", "ParameterError", "Preview",
           "Progress", "Result", "Run", "Scan", "Slices", "Stage", "Sweep", "Warning", "describe", "estimate_axis", "inspect",
           "reconstruct", "run", "sweep"]


def describe():
    """All parameters, as a JSON schema in a dictionary: type, default, range or choices, description, unit, section."""
    return json.loads(GstTomo.Reconstruction.get_schema())


@documented
def reconstruct(source=None, *, out=None, progress=None, **parameters):
    """Reconstructs a scan, and returns its slices as a numpy array, or the name of the file that `output` names.

    source: the scan (a file, a folder, a pattern), its projections as an array of shape (views, rows, columns), or a
        Scan that inspect() returned
    out: an array that gets the result, of its shape and type
    progress: whether a bar shows how far it is; by default in notebooks alone

    Arrays are read where they are. They are copied only where their columns are not beside each other (Fortran order,
    a step along columns, reversed axes), where their byte order is not this computer's, or where no stream has their
    type: bool becomes uint8, int8 int16, int64 int32, uint64 uint32. A result becomes the array of (slices, rows,
    columns) that is returned, each slice copied once from where it was computed.

    Warnings come as `gsttomo.reconstruction.Warning`. Raises Error with the first cause, Aborted behind abort(),
    ParameterError for a value that a parameter does not take, TypeError for a name that is none."""
    running = Run(Job(source, parameters, out))
    for _ in _progress.shown(running, progress):
        pass
    return running.result


@documented
def run(source=None, *, out=None, preview=None, **parameters):
    """Starts a reconstruction and returns its Run: an iterator over Stage, Message, Result, Progress, Preview and Done,
    also with `async for`. `result` has what reconstruct() returns, once it is done. Leaving the loop, or Ctrl-C, aborts
    it; finish() completes what was read.

    source, out: as in reconstruct()
    preview: seconds between Previews, each with the slice that came last; None: there are none"""
    return Run(Job(source, parameters, out), preview)


@documented
def inspect(source=None, **parameters):
    """Looks at a scan without reconstructing it, and returns a Scan: counts, sizes, angles, axis and findings, which say
    what is wrong with it.

    source: as in reconstruct()"""
    job = Job(source, parameters)
    return Scan(job.ask("inspect"), job)


@documented
def estimate_axis(source=None, **parameters):
    """Finds the rotation axis of a scan and returns an AxisEstimate, which can be given as the parameter `axis`.

    source: as in reconstruct()"""
    return AxisEstimate(Job(source, parameters).ask("estimate_axis"))


@documented
def sweep(source=None, *, parameter=None, out=None, progress=None, **parameters):
    """Makes the middle slice for several values of a parameter, for the eye to choose: returns a Sweep, which unpacks
    into the values and an array with a slice for each, or the name of the file that `output` names.

    source, out, progress: as in reconstruct()
    parameter: "axis=129:133:0.5" from, to and step, or "rings=none,fourier" """
    if parameter is None:
        raise TypeError("sweep() needs parameter, such as parameter='axis=129:133:0.5'")
    running = Run(Job(source, {**parameters, "sweep": parameter}, out))
    for _ in _progress.shown(running, progress):
        pass
    name = parameter.partition("=")[0]
    return Sweep(name, [value_of(name, text) for text in running.values], running.result)


# As they are imported, for messages and help().
for _name in __all__:
    if isinstance(globals()[_name], type):
        globals()[_name].__module__ = __name__
