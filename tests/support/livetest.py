# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slices along any plane of a parallel beam's projections, in float64."""

import numpy as np

from tomoref import projection_weights


def points(middle, right, down, width, height):
    """Pixels of a plane as (height, width, 3)."""
    i, j = np.arange(width) + 0.5 - width / 2, np.arange(height) + 0.5 - height / 2
    return np.asarray(middle, float) + i[None, :, None] * np.asarray(right, float) + j[:, None, None] * np.asarray(down, float)


def axis_plane(normal, offset, shape, axis, step=1.0, width=None, height=None):
    """The points of z=OFFSET and so on, for projections of this shape (rows, columns)."""
    rows, columns = shape
    middle = columns / 2 - axis
    x, y, z = step * np.eye(3)
    width = width or columns
    if normal == "z":
        return points((middle, middle, offset), x, y, width, height or columns)
    if normal == "y":
        return points((middle, offset, 0), x, z, width, height or rows)
    return points((offset, middle, 0), y, z, width, height or rows)


def sampled(image, column, row):
    """Linear between the middles of pixels, continued by zeros."""
    padded = np.pad(image.astype(np.float64), 1)
    rows, columns = image.shape
    c, r = column + 0.5, row + 0.5
    is_seen = (c >= 0) & (c < columns + 1) & (r >= 0) & (r < rows + 1)
    c, r = np.where(is_seen, c, 0.0), np.where(is_seen, r, 0.0)
    c0, r0 = np.floor(c).astype(int), np.floor(r).astype(int)
    fc, fr = c - c0, r - r0
    return is_seen * ((1 - fr) * ((1 - fc) * padded[r0, c0] + fc * padded[r0, c0 + 1])
            + fr * ((1 - fc) * padded[r0 + 1, c0] + fc * padded[r0 + 1, c0 + 1]))


def shared_weights(angles):
    """Projections of one angle share what this angle weighs."""
    weights = projection_weights(angles)[0]
    _, group = np.unique(angles, return_inverse=True)
    return (np.bincount(group, weights) / np.bincount(group))[group]


def slice_of(projections, angles, axis, place, roll=0.0):
    """place: the points of the plane."""
    rows = projections[0].shape[0]
    total = np.zeros(place.shape[:2])
    for image, angle, weight in zip(projections, angles, shared_weights(angles), strict=True):
        across = place[..., 0] * np.cos(angle) + place[..., 1] * np.sin(angle)
        column = axis + across * np.cos(roll) + place[..., 2] * np.sin(roll)
        row = rows / 2 + place[..., 2] * np.cos(roll) - across * np.sin(roll)
        total += weight * sampled(image, column, row)
    return total
