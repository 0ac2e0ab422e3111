# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Float64 statements of methods that remove rings by wavelets or by means over the views, written from their papers.

A sinogram is (views, columns). Samples that are not finite stay as they are and don't count; the papers have none.
"""

import numpy as np


def column_means(rows):
    """Of the finite samples; NaN for a column without any."""
    finite = np.isfinite(rows)
    counts = finite.sum(axis=0)
    sums = np.where(finite, rows, 0.0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def weighted(matrix, line):
    """matrix @ line for rows with the sum 1, without the missing values of the line."""
    known = np.isfinite(line)
    weights = matrix @ known.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weights > 0, matrix @ np.where(known, line, 0.0) / weights, np.nan)


def gaussian_matrix(width, sigma):
    """The weights of all columns for each one: a Gaussian up to 4 sigma over a line that is mirrored at its ends."""
    radius = int(4.0 * sigma + 0.5)
    matrix = np.zeros((width, width))
    for d in range(-radius, radius + 1):
        for i in range(width):
            j = (i + d) % (2 * width)
            matrix[i, j if j < width else 2 * width - 1 - j] += np.exp(-0.5 * (d / sigma) ** 2)
    return matrix / matrix.sum(axis=1, keepdims=True)


def tikhonov_matrix(width, alpha):
    """p + q = alpha (G^T G + alpha)^-1 p for the q with the least |G (p + q)|^2 + alpha |q|^2; G takes differences."""
    difference = np.diff(np.eye(width), axis=0)
    return alpha * np.linalg.inv(difference.T @ difference + alpha * np.eye(width))


def with_smooth_means(sinogram, matrix, chunks=1):
    """Adds to each column what makes its mean that of `matrix`, for each of several sets of rows."""
    result = np.array(sinogram, np.float64)
    for rows in np.array_split(np.arange(len(result)), chunks):
        means = column_means(result[rows])
        offsets = weighted(matrix, means) - means
        result[rows] += np.where(np.isfinite(offsets), offsets, 0.0)
    return result


def normalization(sinogram, sigma=15.0, chunks=1):
    """Rivers 1998, Ketcham 2006."""
    return with_smooth_means(sinogram, gaussian_matrix(sinogram.shape[1], sigma), chunks)


def titarenko(sinogram, alpha=0.0005, chunks=1):
    """Titarenko, Withers, Yagola 2010, by the system of equations whose solution their formula is."""
    return with_smooth_means(sinogram, tikhonov_matrix(sinogram.shape[1], alpha), chunks)
