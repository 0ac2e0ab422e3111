# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lists of rings: the number of rings, then x, y, radius, contrast and intensity of each."""

import numpy as np

PER_RING = 5


def ring_list(rings, room=None):
    """As an array, with values behind the last ring that mean nothing."""
    rings = np.reshape(rings, (-1, PER_RING))
    values = np.full((1, 1 + PER_RING * (len(rings) if room is None else room)), 77.5, np.float32)
    values[0, 0] = len(rings)
    values[0, 1 : 1 + rings.size] = rings.ravel()
    return values


def rings_of(array):
    assert array.shape[0] == 1 and array.shape[1] == 1 + PER_RING * int(array[0, 0]), array.shape
    return array[0, 1:].reshape(-1, PER_RING)


BAD_LISTS = [np.full((1, 6), 2, np.float32), np.full((1, 6), -1, np.float32), np.full((1, 6), 0.5, np.float32),
             np.full((1, 6), np.nan, np.float32)]
NO_LISTS = [np.zeros((1, 5), np.float32), np.zeros((2, 6), np.float32), np.zeros((2, 1, 6), np.float32)]


def check_bad_lists(test, line, *others):
    """`line` with SRC0 for the list."""
    for bad in BAD_LISTS:
        test.assert_fails(["list 0", "0 to 1"], line, [bad], *others)
    for bad in NO_LISTS:
        test.assert_fails(["no list of rings", "count and 5 floats"], line, [bad], *others)
