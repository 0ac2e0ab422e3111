# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rotation axis for HTTomo, whose `ind` may be "mid" or a number."""

from .. import tomopy


def find_center_vo(data, ind=None, smin=-50, smax=50):
    """As gsttomo.tomopy.find_center_vo(), an edge coordinate.

    data: (views, slices, columns)
    ind: number of the slice; None or "mid": the middle
    smin, smax: least and largest distance of the axis from the middle of the columns"""
    return tomopy.find_center_vo(data, None if ind == "mid" else ind, smin, smax)
