# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rotation axis under TomoPy's signatures, by the element tomocenterofrotation."""

import math
import warnings

import numpy as np

from ._flow import Error
from ._slices import angles_of, readable
from ._warm import Recipe, Scan, lines


def find_center(tomo, theta, ind=None, init=None, tol=0.5, mask=True, ratio=1.0, sinogram_order=False):
    """The rotation axis, an edge coordinate as `center` of recon() is, where the slice has the least entropy (Donath, Beckmann,
    Schreyer, J. Opt. Soc. Am. A 23, 1048 (2006)).

    tomo: (views, slices, columns), or (slices, views, columns) with sinogram_order
    theta: radians of each view
    ind: number of the slice; None: the middle one
    init: where the axis is supposed; it is looked for up to a quarter of the columns away. None: the middle
    tol: pixels of uncertainty beyond which there is a warning
    mask, ratio: True and 1: the entropy is that of a circle which all views see"""
    if mask is not True or ratio != 1:
        raise ValueError(f"mask={mask!r} and ratio={ratio!r} came; wanted True and 1: the entropy is that of the "
                         "circle that all views see")
    order = "(slices, views, columns)" if sinogram_order else "(views, slices, columns)"
    sinograms = in_order(tomo, sinogram_order, order)
    number = middle_or(ind, len(sinograms))
    columns = sinograms.shape[2]
    return located(sinograms[number], Scan(angles_of(theta, sinograms.shape[1]), math.nan), tol,
                   (("method", "sharpness"), *range_of(columns / 2 if init is None else init, columns / 4, columns)))


def find_center_vo(tomo, ind=None, smin=-50, smax=50, srad=None, step=0.25, ratio=None, drop=None, ncore=None, *, theta=None):
    """The rotation axis, an edge coordinate as `center` of recon() is, where half a turn and its mirror image have the emptiest
    spectrum (Vo, Drakopoulos, Atwood, Reinhard, Opt. Express 22, 19078 (2014)). TomoPy's tells the index of a pixel, which is
    half a pixel less.

    tomo: (views, slices, columns), or one sinogram (views, columns)
    ind: number of the slice; None: the mean of ten in the middle
    smin, smax: least and largest distance of the axis from the middle of the columns
    step: the search goes to a twentieth of a pixel, which any larger step accepts
    srad, ratio, drop: None; the search chooses them
    ncore: any number; one thread is used
    theta: radians of each view; None: equal steps over half a turn, both ends included"""
    for name, value in (("srad", srad), ("ratio", ratio), ("drop", drop)):
        if value is not None:
            raise ValueError(f"{name}={value!r} came; leave it out: the search chooses radius, mask and rows by itself")
    if not step >= 0.05:
        raise ValueError(f"step={step!r} came; wanted 0.05 at least: the search goes to a twentieth of a pixel")
    if ncore is not None and not ncore >= 1:
        raise ValueError(f"ncore={ncore!r} came; wanted a number of at least 1")
    tomo = np.asanyarray(tomo)
    sinograms = in_order(tomo[:, None] if tomo.ndim == 2 else tomo, False, "(views, slices, columns)")
    slices, views, columns = sinograms.shape
    middle = slices // 2
    if ind is None and slices > 10:
        sinogram = np.mean(sinograms[middle - 5:middle + 5], axis=0, dtype=np.float32)
    else:
        sinogram = sinograms[middle_or(ind, slices)]
    if not smin < smax:
        raise ValueError(f"smin={smin!r} and smax={smax!r} came; wanted a range")
    angles = angles_of(np.linspace(0, math.pi, views) if theta is None else theta, views)
    return located(sinogram, Scan(angles, math.nan), None,
                   (("method", "spectrum"), *range_of(columns / 2 + (smin + smax) / 2, (smax - smin) / 2, columns)))


def find_center_pc(proj1, proj2, tol=0.5, rotc_guess=None):
    """The rotation axis, an edge coordinate as `center` of recon() is, where one projection and the mirror image of that half a
    turn later are most alike. TomoPy's tells the index of a pixel, which is half a pixel less.

    proj1, proj2: (rows, columns)
    tol: pixels of uncertainty beyond which there is a warning
    rotc_guess: where the axis is supposed; it is looked for up to a quarter of the columns away. None: anywhere"""
    pair = [np.asanyarray(one) for one in (proj1, proj2)]
    if pair[0].ndim != 2 or pair[0].shape != pair[1].shape:
        raise ValueError(f"projections of the shapes {pair[0].shape} and {pair[1].shape} came; wanted two of (rows, columns)")
    rows = readable(np.stack(pair, axis=1), "proj1", "(rows, columns)")
    columns = rows.shape[2]
    where = range_of(rotc_guess, columns / 4, columns) if rotc_guess is not None else ()
    return located(rows, Scan((), math.nan), tol, (("method", "correlation"), ("angle-step", math.pi), *where))


def in_order(tomo, sinogram_order, order):
    tomo = np.asanyarray(tomo)
    return readable(tomo if sinogram_order or tomo.ndim != 3 else tomo.swapaxes(0, 1), "tomo", order)


def middle_or(ind, slices):
    number = slices // 2 if ind is None else int(ind)
    if not 0 <= number < slices:
        raise ValueError(f"ind={ind!r} came; there are slices 0 to {slices - 1}")
    return number


def range_of(middle, half, columns):
    """Properties of a search, which stays on the detector."""
    if not 0 < middle < columns:
        raise ValueError(f"an axis is looked for around {middle:g}, which is beside the {columns} columns")
    return ("from", max(middle - half, 1e-3)), ("to", min(middle + half, columns))


def located(array, scan, tol, properties):
    """The axis that is found in an array."""
    task = ("center-of-rotation", (("update-scan", False), *properties))
    recipe = Recipe((task,), array.dtype, array.shape, 1, "")
    told = lines.run(recipe, ("",), [array], [scan], lambda *_: None, warn=0)
    found = [fact for fact in told if fact.get_name() == "tomo-center-of-rotation"]
    if not found:
        raise Error("no rotation axis was found")
    centers = [fact.get_double("center")[1] for fact in found]
    sigmas = [fact.get_double("uncertainty")[1] for fact in found]
    weights = [1 / max(sigma, 1e-3) ** 2 if math.isfinite(center) and math.isfinite(sigma) else 0
               for center, sigma in zip(centers, sigmas)]
    if not sum(weights):
        raise Error("no rotation axis was found: the rows have no structure")
    center = sum(weight * value for weight, value in zip(weights, centers) if weight) / sum(weights)
    sigma = 1 / math.sqrt(sum(weights))
    if tol is not None and sigma > tol:
        warnings.warn(f"the rotation axis at {center:.2f} is uncertain by {sigma:.2g} pixels, more than tol={tol:g}",
                      stacklevel=3)
    return center
