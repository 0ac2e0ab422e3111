# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Dataflows of X-ray imaging in Python.

Each task is a class. Calling a task with the tasks or arrays that it takes connects them:

    from gsttomo import Read, Write, Rescale
    read = Read(path='folder/sino*.tif')
    rescale = Rescale(factor=0.5)
    write = Write(filename='output.h5:/raw')

    write(rescale(read())).run().wait()

A loop over a flow gets its arrays as numpy arrays, while they are computed:

    for image in rescale(read()):
        print(np.mean(image))

Inputs may be numpy arrays, lists and generators of them, too:

    for image in rescale(np.ones((10, 64, 48), np.uint16)):
        ...

A call of a source with several outputs unpacks into them:

    projections, darks, flats = ScanSrc(location='scan.nxs')()
    for image in FlatFieldCorrect()(projections, Average()(darks), Average()(flats)):
        ...

gsttomo.reconstruction makes slices of a whole scan, gsttomo.tomopy those of arrays as TomoPy does.
gsttomo.jobs queues both as jobs with processes of their own. gsttomo.widgets shows images and volumes in windows of Qt,
and gsttomo.live makes slices while a sample turns.

help(Rescale) explains a task, tasks() lists the names of all, and element('videotestsrc') takes any GStreamer element.
`python3 -m gsttomo.stubs FOLDER` writes type stubs for editors.
"""

import importlib

import gi

gi.require_version("GstTomo", "1.0")

from ._flow import Error, Flow, Frame, Outputs, Run, or_rather, run  # noqa: E402
from ._task import Task, class_names, class_of, element, overview  # noqa: E402

__doc__ = f"{__doc__ or ''}\nTasks:\n\n{overview()}\n"
_MODULES = ["jobs", "live", "reconstruction", "tomopy", "widgets"]
_OWN = ["Error", "Flow", "Frame", "Outputs", "Run", "Task", "element", "run", "tasks", *_MODULES]


def tasks():
    """Names of all task classes."""
    return sorted(class_names())


def __getattr__(name):
    if name == "__all__":  # the registry knows
        return [*_OWN, *tasks()]
    if name in _MODULES:  # imported when they are used
        return importlib.import_module("." + name, __name__)
    if name.startswith("__"):
        raise AttributeError(f"module 'gsttomo' has no attribute {name}")
    names = class_names()
    if name not in names:
        raise AttributeError(f"module 'gsttomo' has no task '{name}'{or_rather(name, names, 'tasks() lists all')}")
    return class_of(names[name])


def __dir__():
    return sorted([*_OWN, *class_names()])
