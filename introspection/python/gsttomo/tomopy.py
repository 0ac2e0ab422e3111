# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slices for users of TomoPy: our methods as algorithms of tomopy.recon(), and under TomoPy's signatures without it.

    import tomopy
    import gsttomo.tomopy

    slices = tomopy.recon(data, theta, center=c, algorithm=gsttomo.tomopy.fbp)
    slices = tomopy.recon(data, theta, center=c, algorithm=gsttomo.tomopy.sirt, options={'num_iter': 30})

    slices = gsttomo.tomopy.recon(data, theta, center=c, algorithm='dfi')  # needs no TomoPy

Slices have TomoPy's orientation, with the axis in their middle. They are attenuation per pixel with each method; those of
TomoPy's methods differ by factors. A center is an edge coordinate: the middle of W columns is W / 2.

Options are those of TomoPy (filter_name, filter_par, num_iter, num_block) and all properties of the elements that compute,
such as device, precision_mode or tolerance; in `options` or as arguments. What is unknown is an error.

docs/tomopy.md tells more.
"""

import concurrent.futures
import importlib

import numpy as np

from ._centers import find_center, find_center_pc, find_center_vo
from ._flow import Error, or_rather
from ._slices import METHODS, centers_of, check_options, make_slices, options_of, readable
from ._warm import lines

__all__ = ["Error", "OpTomo", "create_sino", "find_center", "find_center_pc", "find_center_vo", "recon", "register", "release",
           *METHODS]


def _algorithm(name):
    def algorithm(tomo, center, recon, theta, num_gridx=None, num_gridy=None, options=None, **extra):
        given = merged(name, options, extra)
        tomo = np.asanyarray(tomo)
        if tomo.ndim == 2 and np.ndim(recon) == 2:  # chunks of nchunk=0
            tomo, recon = tomo[None], recon[None]
        tomo = readable(tomo, "tomo", "(slices, views, columns)")
        check_room(recon, "recon", len(tomo), (num_gridx, num_gridy))
        if METHODS[name].is_iterative and not (recon == recon.flat[0]).all():
            raise ValueError(f"{name}(): recon holds values, as with init_recon, but the iterations begin from an empty "
                             "slice; leave init_recon out, or give a recon of zeros")
        make_slices(name, tomo, center, theta, recon, given)
        return recon

    algorithm.__name__ = algorithm.__qualname__ = name
    algorithm.__module__ = __name__
    return algorithm


def merged(function, options, extra):
    """Options and arguments as one."""
    if isinstance(options, np.ndarray) and options.ndim == 0:  # as TomoPy gives them to registered names
        options = options.item()
    if options is not None and not isinstance(options, dict):
        raise TypeError(f"{function}(): options is {options!r}; wanted a dict")
    given = dict(options or {})
    for name, value in extra.items():
        if name in given:
            raise TypeError(f"{function}() got {name} twice, in options and as an argument")
        given[name] = value
    return given


def check_room(recon, name, slices, grid):
    if not isinstance(recon, np.ndarray) or recon.ndim != 3 or not recon.flags.writeable or recon.dtype.kind != "f":
        raise ValueError(f"{name} is no array that slices fit into: wanted a writable one of floats and "
                         "(slices, num_gridx, num_gridy)")
    wanted = (slices, *(size if given is None else int(given) for given, size in zip(grid, recon.shape[1:])))
    if recon.shape != wanted:
        raise ValueError(f"{name} has the shape {recon.shape}; wanted {wanted}")


for _name, _method in METHODS.items():
    globals()[_name] = _algorithm(_name)
    globals()[_name].__doc__ = f"""{_method.about[0].upper()}{_method.about[1:]}, as an algorithm of tomopy.recon().

    tomo: sinograms (slices, views, columns), of float32 or any other real type, which are not copied
    center: axis of each slice or of all, an edge coordinate
    recon: array (slices, num_gridx, num_gridy) that the slices are written to
    theta: radians of each view
    options, extra: {', '.join(options_of(_name))}

    Several threads may call it at once."""


def recon(tomo, theta, center=None, sinogram_order=False, algorithm="fbp", init_recon=None, ncore=None, nchunk=None, *, out=None,
          options=None, **kwargs):
    """Makes slices, as tomopy.recon() does.

    tomo: (views, slices, columns), or (slices, views, columns) with sinogram_order; float32, uint16 or another real type, which
        is not copied
    theta: radians of each view
    center: rotation axis of all slices or of each, an edge coordinate; None: the middle
    algorithm: a name, or a function of this module
    init_recon: None; the methods begin by themselves
    ncore: threads that hand slices over; None: one
    nchunk: slices that a thread hands over at once; None: all in equal parts
    out: array for the slices; None: a new one of float32
    num_gridx, num_gridy: rows and columns of a slice; as many as columns of tomo where they are not given
    options, further arguments: see the function of the algorithm"""
    name = algorithm if isinstance(algorithm, str) else getattr(algorithm, "__name__", repr(algorithm))
    if name not in METHODS or not (isinstance(algorithm, str) or algorithm is globals()[name]):
        advice = "; for gridrec take dfi" if name == "gridrec" else or_rather(name, METHODS, "it is one of " + ", ".join(METHODS))
        raise ValueError(f"there is no algorithm {name!r} here{advice}")
    if init_recon is not None:
        raise ValueError(f"init_recon came, but {name} begins from an empty slice; leave it out")
    grid = kwargs.pop("num_gridx", None), kwargs.pop("num_gridy", None)
    given = merged("recon", options, kwargs)
    check_options(name, given)
    order = "(slices, views, columns)" if sinogram_order else "(views, slices, columns)"
    tomo = np.asanyarray(tomo)
    tomo = readable(tomo if sinogram_order or tomo.ndim != 3 else tomo.swapaxes(0, 1), "tomo", order)
    slices, views, columns = tomo.shape
    shape = (slices, *(columns if size is None else int(size) for size in grid))
    if out is None:
        out = np.empty(shape, np.float32)
    check_room(out, "out", slices, shape[1:])
    centers = centers_of(center, slices, columns)
    threads, parts = parts_of(slices, ncore, nchunk)
    if len(parts) == 1:
        make_slices(name, tomo, centers, theta, out, given)
        return out
    with concurrent.futures.ThreadPoolExecutor(threads) as workers:
        runs = [workers.submit(make_slices, name, tomo[part], centers[part], theta, out[part], given) for part in parts]
        try:
            for run in runs:
                run.result()
        except BaseException:
            for run in runs:
                run.cancel()
            raise
    return out


def parts_of(slices, ncore, nchunk):
    """The number of threads, and the slices of each call."""
    for name, value in (("ncore", ncore), ("nchunk", nchunk)):
        if value is not None and (isinstance(value, bool) or int(value) != value or value < 1):
            raise ValueError(f"{name}={value!r} came; wanted a number of at least 1")
    threads = min(int(ncore or 1), slices)
    size = int(nchunk) if nchunk is not None else -(-slices // threads)
    parts = [slice(first, min(first + size, slices)) for first in range(0, slices, size)]
    return min(threads, len(parts)), parts


def register():
    """Makes the methods names of tomopy.recon(), as algorithm='gst_fbp'; options go into `options`. Needs TomoPy. Returns the
    names."""
    names = importlib.import_module("tomopy.recon.algorithm").allowed_recon_kwargs
    functions = importlib.import_module("tomopy.util.extern")
    for name in METHODS:
        names["gst_" + name] = ["num_gridx", "num_gridy", "options"]
        setattr(functions, "c_gst_" + name, globals()[name])
    return ["gst_" + name for name in METHODS]


def create_sino(slices, theta, center=None, columns=None, device=None):
    """Sinograms (..., views, columns) of slices (..., rows, columns): line integrals in values times pixels, by
    OpTomo(theta, columns, center, *slices.shape[-2:]).project(slices)."""
    side = np.shape(slices)[-2:]
    if len(side) != 2:
        raise ValueError(f"slices have the shape {np.shape(slices)}; wanted (..., rows, columns)")
    return __getattr__("OpTomo")(theta, side[1] if columns is None else columns, center, *side, device).project(slices)


def __getattr__(name):
    if name == "OpTomo":  # which needs scipy
        return importlib.import_module("._projector", __package__).OpTomo
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def release():
    """Frees the memory of devices that is kept for the next call."""
    lines.end_waiting()
