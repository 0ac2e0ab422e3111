# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Values between pixels in float64, in the addressing modes and interpolations of gst-tomo's elements."""

import numpy as np

ADDRESSING = {"none", "clamp", "clamp_to_edge", "repeat", "mirrored_repeat"}
# What scipy.ndimage calls them.
SCIPY = {"clamp": "grid-constant", "clamp_to_edge": "nearest", "repeat": "grid-wrap", "mirrored_repeat": "reflect"}


def _address(i, n, mode):
    if mode == "clamp_to_edge":
        return np.clip(i, 0, n - 1), True
    if mode == "repeat":
        return i % n, True
    if mode == "mirrored_repeat":
        m = i % (2 * n)
        return np.where(m < n, m, 2 * n - 1 - m), True
    return np.clip(i, 0, n - 1), (i >= 0) & (i < n)


def _weights(t, interpolation):
    """Offsets of the pixels around floor(place), and their weights."""
    if interpolation == "nearest":
        return [(0, t < 0.5), (1, t >= 0.5)]
    if interpolation == "linear":
        return [(0, 1 - t), (1, t)]
    a = -0.5  # Keys' kernel
    near = lambda d: (a + 2) * d**3 - (a + 3) * d**2 + 1
    far = lambda d: a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
    return [(-1, far(1 + t)), (0, near(t)), (1, near(1 - t)), (2, far(2 - t))]


def sample(image, x, y, addressing="clamp", interpolation="linear"):
    """A plane at places x, y; whole numbers are pixel centres."""
    image = np.asarray(image, np.float64)
    modes = addressing if isinstance(addressing, tuple) else (addressing, addressing)  # of columns and rows
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    result = np.zeros(np.broadcast(x, y).shape)
    for dy, wy in _weights(y - top, interpolation):
        for dx, wx in _weights(x - left, interpolation):
            column, in_row = _address(left + dx, image.shape[1], modes[0])
            row, in_column = _address(top + dy, image.shape[0], modes[1])
            result = result + np.where(in_row & in_column, image[row, column], 0.0) * wx * wy
    return result
