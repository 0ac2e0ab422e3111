# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests of general geometry share."""

from tomotest import *
from generalref import PARTS


def text(values):
    """As a list of numbers of a property."""
    return "<" + ",".join(repr(float(v)) for v in np.atleast_1d(values)) + ">"


def words(geometry):
    """The properties of a geometry."""
    return " ".join(f"{name}={text(value)}" for name, value in geometry.items())


def random_geometry(shape, views, is_cone, are_lists=True):
    """All angles and offsets at once, around projections of this shape."""
    def values(low, high):
        return rng.uniform(low, high, views if are_lists and rng.random() < 0.5 else 1)

    size = max(shape)
    geometry = {name: values(-0.3, 0.3) for name in PARTS if "angle" in name}
    geometry["axis-angle-z"] = rng.uniform(-4, 4, views)
    for name in "detector-position-x", "detector-position-z", "source-position-x", "source-position-z":
        geometry[name] = values(-0.1 * size, 0.1 * size)
    geometry["detector-position-y"] = values(-0.1 * size, size)
    if is_cone:
        geometry["source-position-y"] = values(-6 * size, -3 * size)
    geometry["center-position-x"] = values(0.3 * shape[1], 0.7 * shape[1])
    geometry["center-position-z"] = values(0.3 * shape[0], 0.7 * shape[0])
    return geometry


def region(start, step, count):
    """The property of a region with so many numbers."""
    return text((start, start + (count - 0.5) * step, step))
