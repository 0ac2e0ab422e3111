# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slices from sinograms in arrays, in the geometry of TomoPy: options, shapes and recipes of the lines that make them."""

import functools
import itertools
import json
import typing

from gi.overrides.GstTomo import to_plain
from gi.repository import GLib, GstTomo
import numpy as np

from ._arrays import is_readable_in_place, to_stream_type
from ._flow import or_rather
from ._task import class_of
from ._warm import Recipe, Scan, all_devices, lines


class Method(typing.NamedTuple):
    tasks: tuple
    about: str
    is_iterative: bool = False


METHODS = {
    "fbp": Method(("ramp-filter", "backproject"), "filtered backprojection"),
    "dfi": Method(("dfi",), "direct Fourier inversion: the slices of fbp with exact interpolation, in less time"),
    "sirt": Method(("sirt",), "simultaneous iterative reconstruction (SIRT, OS-SIRT with num_block)", True),
    "sart": Method(("sart",), "iterations view by view (SART)", True),
    "cgls": Method(("cgls",), "conjugate gradients (CGLS)", True),
    "mlem": Method(("mlem",), "largest likelihood of counts (MLEM, OSEM with num_block)", True)}

# What the arguments decide, so that it is no option.
DECIDED = {"axis-pos": "center", "angle-step": "theta", "angle-offset": "theta", "num-projections": "theta", "offset": "theta",
           "roi-x": "num_gridy", "roi-y": "num_gridx", "roi-width": "num_gridy", "roi-height": "num_gridx"}
# Names of TomoPy and short ones, for properties.
ALIASES = {"num-iter": "num-iterations", "num-block": "subsets", "precision": "precision-mode", "slice-axis": "slice-axis-pos"}

FILTERS = ("ramlak", "ramp", "hamming", "butterworth", "none")
OF_TOMOPY = ("shepp", "hann", "cosine", "parzen", "custom", "custom2d")  # that have no counterpart


class Options(typing.NamedTuple):
    """As they were checked."""
    tasks: tuple  # of pairs: a task, and its properties as a tuple of pairs
    devices: tuple
    slice_axis: float  # None for the middle


def filter_of(name, parameters):
    """Properties of a filter by TomoPy's name and parameters; None for no filter at all."""
    given = [float(value) for value in np.atleast_1d(parameters)] if parameters is not None else []
    wanted = {"hamming": 1, "butterworth": 2}.get(name, 0)
    if name not in FILTERS:
        why = ": it is TomoPy's, and none of these is the same" if name in OF_TOMOPY else ""
        raise ValueError(f"filter_name={name!r} came{why}; wanted one of {', '.join(FILTERS)}")
    if len(given) > wanted:
        raise ValueError(f"filter_par={given} came; filter_name={name!r} takes {wanted or 'no'} number{'s' * (wanted != 1)}")
    if name == "none":
        return None
    if name in ("ramlak", "ramp"):
        return {"filter": "ramp-fromreal" if name == "ramlak" else "ramp"}
    if name == "butterworth":
        cutoff, order = given + [0.5, 8.0][len(given):]
        return {"filter": "butterworth", "cutoff": cutoff, "order": order}
    (period,) = given or [1.0]
    if not 1 <= period <= 2:
        raise ValueError(f"filter_par={given} came; wanted [1] to [2] with filter_name='hamming': "
                         f"0.54 + 0.46 cos(2 pi f / p) with p below 1 would rise again before the largest frequency, 1/2")
    return {"filter": "hamming", "cutoff": max(period / 2, 0.500001)}  # 0 from the cutoff on, and 1/2 is the largest frequency


def check_options(function, given):
    """Raises TypeError and ValueError that name what is wrong."""
    try:
        text = json.dumps(to_plain(given), sort_keys=True)
    except TypeError:
        wrong = next(f"{name}={value!r}" for name, value in given.items() if not _is_plain(value))
        raise TypeError(f"{function}() does not take a value of this type: {wrong}") from None
    return _checked(function, text)


def _is_plain(value):
    try:
        json.dumps(to_plain(value))
    except TypeError:
        return False
    return True


@functools.lru_cache(maxsize=256)
def _checked(function, text):
    method = METHODS[function]
    given, said = {}, {}
    for key, value in json.loads(text).items():
        name = key.replace("_", "-")
        name = ALIASES.get(name, name)
        if name in given:
            raise TypeError(f"{function}() got {said[name]} and {key}, which are the same")
        given[name], said[name] = value, key
    devices = _devices(given.pop("device", None))
    slice_axis = given.pop("slice-axis-pos", None)
    if slice_axis is not None and (isinstance(slice_axis, str) or not slice_axis > 0):
        raise ValueError(f"{function}(): slice_axis_pos={slice_axis!r} came; wanted a number of pixels above 0")
    tasks = list(method.tasks)
    owners = {task: own_properties(task) for task in tasks}
    values = {task: {} for task in tasks}
    filtering = next((task for task in tasks if "cutoff" in owners[task]), None)
    if filtering and ("filter-name" in given or "filter-par" in given):
        if "filter" in given:
            raise TypeError(f"{function}() got filter and filter_name; leave one of them out")
        response = filter_of(given.pop("filter-name", "ramlak"), given.pop("filter-par", None))
        if response is not None:
            for name in set(response) & set(given):
                raise TypeError(f"{function}() got {name} and filter_par; leave one of them out")
            values[filtering].update(response)
        elif len(tasks) > 1:
            tasks.remove(filtering)
        else:
            raise ValueError(f"{function}() without a filter came; that is fbp with filter_name='none'")
    for name, value in given.items():
        takers = [task for task in tasks if name in owners[task]]
        if name in DECIDED:
            raise TypeError(f"{function}() has no option '{said[name]}': {DECIDED[name]} decides that")
        if not takers:
            raise TypeError(f"{function}() has no option '{said[name]}'{_near(said[name], options_of(function))}")
        for task in takers:
            values[task][name] = value
    if values.get("backproject", {}).get("mode") == "joseph":
        raise ValueError(f"{function}(): mode='joseph' came, which is the transpose of a projection and makes no slices; "
                         "see OpTomo")
    for task in tasks:
        _try(function, task, values[task])
    return Options(tuple((task, tuple(sorted(values[task].items()))) for task in tasks), devices, slice_axis)


def _near(name, names):
    return or_rather(name, [option.replace("_", "-") for option in names], "it has " + ", ".join(names)).replace("-", "_")


def _try(function, task, values):
    element = GstTomo.make_task(task, None)
    try:
        GstTomo.set_properties(element, **values)
    except GLib.Error as e:
        raise ValueError(f"{function}(): {e.message}") from None


def _devices(given):
    if given is None:
        return ("",)
    if given == "all":
        return all_devices()
    return tuple(str(one) for one in (given if isinstance(given, list) else [given]))


@functools.lru_cache(maxsize=None)
def options_of(function):
    """Names of all options, as keyword arguments."""
    names = {name for task in METHODS[function].tasks for name in own_properties(task)} - set(DECIDED)
    if "cutoff" in names:
        names |= {"filter-name", "filter-par"}
    names |= {short for short, name in ALIASES.items() if name in names}
    return tuple(sorted(name.replace("-", "_") for name in names | {"device"}))


def own_properties(task):
    return {name.replace("_", "-") for name, about in class_of(task)._properties.items() if about["own"]}


class Geometry(typing.NamedTuple):
    """Where slices lie, by the properties of elements. Rows are upside down against those of the elements, as TomoPy has
    them: angles turn the other way."""
    angles: tuple  # radians
    centers: tuple  # one for each slice
    shape: tuple  # of a slice: rows, columns
    slice_axis: float  # edge coordinate that fits both directions
    first: tuple  # row and column of the region in a square of that axis


def angles_of(theta, views=None):
    given = np.asarray(theta)
    if given.ndim != 1 or given.dtype.kind not in "iuf" or (views is not None and len(given) != views):
        wanted = f"of {views} numbers, one for each view," if views is not None else "of numbers"
        raise ValueError(f"theta is an array of type {given.dtype} and shape {given.shape}; wanted one {wanted} in radians")
    if not np.isfinite(given).all():
        raise ValueError(f"theta[{int(np.argmin(np.isfinite(given)))}] is not finite; wanted radians")
    return tuple((-given.astype(np.float64)).tolist())


def centers_of(center, slices, columns):
    """Edge coordinates; None means the middle."""
    if center is None:
        return (columns / 2,) * slices
    given = np.asarray(center)
    if given.dtype.kind not in "iuf" or given.size not in (1, slices):
        raise ValueError(f"center is of type {given.dtype} and shape {given.shape}; wanted a number, or one "
                         f"for each of {slices} slices")
    if not np.isfinite(given).all():
        raise ValueError("a center is not finite; wanted edge coordinates: the middle of W columns is W / 2")
    values = given.astype(np.float64).ravel().tolist()
    return tuple(values * slices if given.size == 1 else values)


def geometry_of(theta, views, center, slices, columns, rows_and_columns, slice_axis):
    rows, width = (columns if size is None else int(size) for size in rows_and_columns)
    if min(rows, width) < 1:
        raise ValueError(f"num_gridx={rows} and num_gridy={width} came; wanted at least 1")
    if slice_axis is not None:
        axis, first = float(slice_axis), (0, 0)
    elif (rows - width) % 2:
        raise ValueError(f"num_gridx={rows} and num_gridy={width} came; the axis can only be in the middle of both if both "
                         "are even or both are odd")
    else:
        side = max(rows, width)
        axis, first = side / 2, ((side - rows) // 2, (side - width) // 2)
    return Geometry(angles_of(theta, views), centers_of(center, slices, columns), (rows, width), axis, first)


def recipe_of(tasks, geometry, dtype, shape, together):
    """Of a line whose last task makes slices."""
    *before, (last, properties) = tasks
    rows, columns = geometry.shape
    region = (("slice-axis-pos", geometry.slice_axis), ("roi-y", geometry.first[0]), ("roi-x", geometry.first[1]),
              ("roi-height", rows), ("roi-width", columns))
    return Recipe((*before, (last, properties + region)), dtype, shape, together, "")


def runs_of(centers):
    """Numbers of slices that follow each other and have one center."""
    return [len(list(group)) for _, group in itertools.groupby(centers)]


def together_of(centers, pays=32):
    """How many slices come that can be computed at once: shared out evenly where that is not many, since elements take as
    long for a part of a set as for the whole one."""
    longest = max(runs_of(centers))
    return longest if longest <= pays // 2 else 0 if longest > pays else -(-longest // 2)


def make_slices(function, sinograms, center, theta, out, options):
    """Fills `out` (slices, rows, columns) from sinograms (slices, views, columns)."""
    checked = check_options(function, options)
    slices, views, columns = sinograms.shape
    geometry = geometry_of(theta, views, center, slices, columns, out.shape[1:], checked.slice_axis)
    recipe = recipe_of(checked.tasks, geometry, sinograms.dtype, (views, columns), together_of(geometry.centers))
    scans = [Scan(geometry.angles, axis) for axis in geometry.centers]

    def take(number, view):
        out[number] = view

    lines.run(recipe, checked.devices, sinograms, scans, take)


def readable(array, name, wanted):
    """Sinograms as lines take them, without a copy where that can be."""
    array = np.asanyarray(array)
    if array.ndim != 3 or array.size == 0 or array.dtype.kind == "c":
        raise ValueError(f"{name} is an array of type {array.dtype} and shape {array.shape}; wanted real numbers of {wanted}")
    try:
        array = to_stream_type(array)
    except TypeError as e:
        raise ValueError(f"{name}: {e}") from None
    return array if is_readable_in_place(array[0]) else np.ascontiguousarray(array)
