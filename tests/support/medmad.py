# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rejection by the median absolute deviation, for neighbourhoods of any kind."""

import numpy as np


def reject(values, boxes, threshold):
    """`boxes` has the surroundings of each value along its last axis; NaN is not there."""

    def upper_median(samples):
        ordered = np.sort(samples, axis=-1)  # NaN last
        rank = (~np.isnan(ordered)).sum(axis=-1, keepdims=True) // 2
        return np.take_along_axis(ordered, np.minimum(rank, ordered.shape[-1] - 1), -1)

    # The filter computes in float32, and so decides about single values.
    boxes, threshold = boxes.astype(np.float32), np.float32(threshold)
    with np.errstate(invalid="ignore", over="ignore"):
        median = upper_median(boxes)
        deviation = upper_median(abs(boxes - median))
        near = abs(values.astype(np.float32) - median[..., 0]) < threshold * deviation[..., 0]
    return np.where(near, values, median[..., 0])
