# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The phantom of tomophantomcamera, in float64."""

import numpy as np

# x, y, z, half axes a, b, c, turned by, attenuation; in units of half the smaller side of the detector.
ELLIPSOIDS = [
    (0, 0, 0, 0.72, 0.60, 0.90, 0.3, 1.2), (0, 0, 0, 0.66, 0.54, 0.84, 0.3, -0.5), (0.24, 0.10, 0.10, 0.18, 0.12, 0.5, -0.4, 0.6),
    (-0.26, -0.06, -0.10, 0.14, 0.2, 0.45, 0.5, -0.55), (0.02, 0.34, 0.15, 0.08, 0.08, 0.08, 0, 1.5),
    (-0.08, -0.33, -0.3, 0.05, 0.05, 0.05, 0, 2.5), (0.40, -0.18, 0.35, 0.06, 0.06, 0.06, 0, 2.0), (-0.05, 0.02, -0.5, 0.22, 0.1, 0.06, 1.0, 1.0),
]
MOVING = 4


def transmission(angle, shape, axis, moving=0.0):
    """Of a projection of (rows, columns)."""
    rows, columns = shape
    unit = min(shape) / 2
    z = (np.arange(rows)[:, None] + 0.5 - rows / 2) / unit
    s = (np.arange(columns)[None, :] + 0.5 - axis) / unit
    path = np.zeros(shape)
    for n, (x, y, z0, a, b, c, turned, attenuation) in enumerate(ELLIPSOIDS):
        if n == MOVING:
            x = x + moving * angle / np.pi / unit
        inside = 1 - ((z - z0) / c) ** 2
        width = (a * np.cos(angle - turned)) ** 2 + (b * np.sin(angle - turned)) ** 2
        off = s - (x * np.cos(angle) + y * np.sin(angle))
        path += 2 * a * b * attenuation / width * np.sqrt(np.maximum(width * inside - off**2, 0) * (inside > 0))
    return np.exp(-path)


def volume(shape, axis, moving=0.0, angle=0.0):
    """Attenuation per pixel at the middles of voxels, as (rows, columns, columns)."""
    rows, columns = shape
    unit = min(shape) / 2
    z = ((np.arange(rows) + 0.5 - rows / 2) / unit)[:, None, None]
    x = ((np.arange(columns) + 0.5 - axis) / unit)[None, None, :]
    y = ((np.arange(columns) + 0.5 - axis) / unit)[None, :, None]
    total = np.zeros((rows, columns, columns))
    for n, (x0, y0, z0, a, b, c, turned, attenuation) in enumerate(ELLIPSOIDS):
        if n == MOVING:
            x0 = x0 + moving * angle / np.pi / unit
        u = (x - x0) * np.cos(turned) + (y - y0) * np.sin(turned)
        v = -(x - x0) * np.sin(turned) + (y - y0) * np.cos(turned)
        total += attenuation / unit * ((u / a) ** 2 + (v / b) ** 2 + ((z - z0) / c) ** 2 <= 1)
    return total
