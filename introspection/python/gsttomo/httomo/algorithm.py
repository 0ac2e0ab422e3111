# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reconstruction for HTTomo."""

from .. import tomopy


def recon(data, angles, center=None, algorithm="fbp", options=None, **kwargs):
    """Slices of line integrals (views, slices, columns), as an array (rows, slices, columns), in which HTTomo has its second
    axis where it was.

    data: real numbers of any type
    angles: radians of each view
    center: rotation axis, an edge coordinate; None: the middle
    algorithm, options, kwargs: as those of gsttomo.tomopy.recon()"""
    return tomopy.recon(data, angles, center, algorithm=algorithm, options=options, **kwargs).swapaxes(0, 1)
