# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Colour maps: tables of 256 colours."""

import functools

import numpy as np

NAMES = ("grey", "inverted", "viridis", "inferno", "magma", "cividis", "rainbow", "blue-red")
_OF_PYQTGRAPH = {"rainbow": "CET-R4", "blue-red": "CET-D1A"}


@functools.lru_cache(maxsize=None)
def table(name):
    """256 colours, uint32 as 0xffRRGGBB. Raises ValueError for a name that is not in NAMES."""
    if name not in NAMES:
        raise ValueError(f"'{name}' is no colour map; wanted one of {', '.join(NAMES)}")
    if name in ("grey", "inverted"):
        shades = np.arange(256)
        rgb = np.stack([shades if name == "grey" else shades[::-1]] * 3, 1)
    else:
        import pyqtgraph
        rgb = pyqtgraph.colormap.get(_OF_PYQTGRAPH.get(name, name)).getLookupTable(nPts=256, alpha=False)
    return packed(rgb)


def tinted(red, green, blue):
    """From black to a colour, each part 0 to 1."""
    return packed(np.round(np.arange(256)[:, None] * np.array([red, green, blue])))


def packed(rgb):
    red, green, blue = np.asarray(rgb).astype(np.uint32).T
    return 0xff000000 | red << 16 | green << 8 | blue
