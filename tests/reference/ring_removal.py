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


def flattened(smooth, means):
    """What values are multiplied by; 1 where one of both means is not above 0."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        factors = smooth / means
    return np.where(np.isfinite(factors) & (factors > 0) & (means > 0), factors, 1.0)


def double_flat_field_of_sinogram(sinogram, sigma=15.0):
    """Boin, Haibel 2006, with a Gaussian."""
    means = column_means(sinogram)
    smooth = weighted(gaussian_matrix(len(means), sigma), means) if sigma > 0 else 1.0
    return sinogram * flattened(smooth, means)


def double_flat_field(projections, sigma=15.0):
    """The same for projections (views, rows, columns), with a Gaussian of two dimensions."""
    views, rows, columns = np.shape(projections)
    means = column_means(np.reshape(projections, (views, -1))).reshape(rows, columns)
    smooth = 1.0
    if sigma > 0:
        both = [gaussian_matrix(rows, sigma) @ image @ gaussian_matrix(columns, sigma).T
                for image in (np.where(np.isfinite(means), means, 0.0), np.isfinite(means).astype(np.float64))]
        with np.errstate(invalid="ignore", divide="ignore"):
            smooth = both[0] / both[1]
    return projections * flattened(smooth, means)


# Wavelets --------------------------------------------------------------------------------------------------------

def daubechies(moments):
    """The scaling filter of 2 * moments coefficients with least phase (Daubechies, Ten Lectures on Wavelets, 1992, 6.1):
    its square is the shortest polynomial with that many zeros at -1 that halves what it keeps."""
    of_sine = [1]
    for k in range(1, moments):
        of_sine.append(of_sine[-1] * (moments - 1 + k) // k)  # binomials; of y = sin^2(w / 2)
    polynomial = np.array(of_sine[::-1], np.clongdouble)
    y = np.roots(np.array(of_sine[::-1], np.float64)).astype(np.clongdouble)
    for _ in range(10):
        y = y - np.polyval(polynomial, y) / np.polyval(np.polyder(polynomial), y)
    turn = np.sqrt((1 - 2 * y) ** 2 - 1)
    z = np.where(abs(1 - 2 * y + turn) < 1, 1 - 2 * y + turn, 1 - 2 * y - turn)
    taps = np.ones(1, np.clongdouble)
    for zero in [*z, *[-1] * moments]:
        taps = np.convolve(taps, np.array([1, -zero], np.clongdouble))
    taps = taps.real.astype(np.float64)
    return taps * np.sqrt(2) / taps.sum()


class Wavelet:
    """Transforms of lines of n samples that go on as their mirror image, as matrices."""

    def __init__(self, name):
        moments = 1 if name == "haar" else int(name.removeprefix("db"))
        self.low = daubechies(moments)
        self.high = self.low[::-1] * (-1.0) ** np.arange(2 * moments)

    def analysis(self, n, taps):
        length = len(taps)
        matrix = np.zeros(((n + length - 1) // 2, n))
        for k in range(len(matrix)):
            for j in range(length):
                i = (2 * k + 2 - length + j) % (2 * n)
                matrix[k, i if i < n else 2 * n - 1 - i] += taps[j]
        return matrix

    def synthesis(self, n, taps):
        length = len(taps)
        matrix = np.zeros((n, (n + length - 1) // 2))
        for i in range(n):
            for k in range(matrix.shape[1]):
                if 0 <= i - 2 * k + length - 2 < length:
                    matrix[i, k] = taps[i - 2 * k + length - 2]
        return matrix


def filled(sinogram):
    """Samples that are not finite become the mean of their column, else that of the nearest column, the left one first."""
    means = column_means(sinogram)
    known = np.flatnonzero(np.isfinite(means))
    if len(known) == 0:
        return np.zeros_like(sinogram)
    nearest = [known[np.argmin(2 * abs(known - x) + (known > x))] for x in range(len(means))]
    return np.where(np.isfinite(sinogram), sinogram, means[nearest])


def padding(shape, mode):
    """Rows before and behind, columns before and behind."""
    views, columns = shape
    if mode == "mean":
        return (min(150, min(shape) // 10),) * 4
    if mode == "zeros":
        return views // 8 // 2, views // 8 - views // 8 // 2, 0, 0
    return 0, 0, 0, 0


def automatic_levels(shape):
    return max(1, min(5, int(np.floor(np.log2(min(shape) / 16)))))


def wavelet(sinogram, levels=0, wavelet="db5", sigma=2.0, mode="mean"):
    """Muench, Trtik, Marone, Stampanoni 2009, appendix: in each level the vertical detail loses the Gaussian around the
    frequency 0 along the views."""
    sinogram = np.asarray(sinogram, np.float64)
    views, columns = sinogram.shape
    before, behind, left, right = padding(sinogram.shape, mode)
    image = filled(sinogram)
    means = image.mean(axis=0) if mode == "mean" else np.zeros(columns)
    image = np.concatenate([np.tile(means, (before, 1)), image, np.tile(means, (behind, 1))])
    image = np.pad(image, ((0, 0), (left, right)), mode="edge")
    own = Wavelet(wavelet)
    details = []
    for _ in range(levels or automatic_levels(image.shape)):
        low_y, high_y = (own.analysis(image.shape[0], taps) for taps in (own.low, own.high))
        low_x, high_x = (own.analysis(image.shape[1], taps) for taps in (own.low, own.high))
        vertical = low_y @ image @ high_x.T
        frequencies = np.fft.fftfreq(len(vertical), 1 / len(vertical))
        damping = 1 - np.exp(-0.5 * (frequencies / sigma) ** 2)
        vertical = np.fft.ifft(np.fft.fft(vertical, axis=0) * damping[:, None], axis=0).real
        details.append((image.shape, high_y @ image @ low_x.T, vertical, high_y @ image @ high_x.T))
        image = low_y @ image @ low_x.T
    for shape, horizontal, vertical, diagonal in reversed(details):
        low_y, high_y = (own.synthesis(shape[0], taps) for taps in (own.low, own.high))
        low_x, high_x = (own.synthesis(shape[1], taps) for taps in (own.low, own.high))
        image = (low_y @ image + high_y @ horizontal) @ low_x.T + (low_y @ vertical + high_y @ diagonal) @ high_x.T
    image = image[before:before + views, left:left + columns]
    return np.where(np.isfinite(sinogram), image, sinogram)


# Slices ----------------------------------------------------------------------------------------------------------

def linear(image, x, y, wraps=False):
    """Values at places whose whole numbers are the centres of pixels; edges go on, rows go round where wanted."""
    height, width = image.shape
    i, j = np.floor(x).astype(int), np.floor(y).astype(int)
    result = 0.0
    for di, wx in (0, 1 - (x - i)), (1, x - i):
        for dj, wy in (0, 1 - (y - j)), (1, y - j):
            row = (j + dj) % height if wraps else np.clip(j + dj, 0, height - 1)
            weight = wx * wy
            result = result + np.where(weight > 0, weight * image[row, np.clip(i + di, 0, width - 1)], 0.0)
    return result


def rings_of_slice(image, center=None, width=30, threshold=np.inf, limits=(-np.inf, np.inf), arc=30.0):
    """Sijbers, Postnov 2004: the slice without its rings."""
    height, columns = image.shape
    cx, cy = center or (columns / 2, height / 2)
    radii = max(1, int(np.floor(min(cx, cy, columns - cx, height - cy))))
    angles = 2 * int(np.floor(np.pi * radii + 0.5))
    r, t = np.arange(radii) + 0.5, 2 * np.pi * (np.arange(angles)[:, None] + 0.5) / angles
    with np.errstate(invalid="ignore"):
        polar = linear(image, cx + r * np.cos(t) - 0.5, cy + r * np.sin(t) - 0.5)
    polar = np.where(np.isfinite(polar), np.clip(polar, *limits), np.nan)

    places = np.arange(-width, radii + width)
    inside = np.where(places < 0, -1 - places, places) % (2 * radii)
    inside = np.where(inside < radii, inside, 2 * radii - 1 - inside)
    across = np.roll(polar, -(angles // 2), axis=0)
    lines = np.where(places < 0, across[:, inside], polar[:, inside])
    windows = np.lib.stride_tricks.sliding_window_view(lines, 2 * width + 1, axis=1)
    stands_out = polar - np.median(windows, axis=-1)
    stands_out = np.where(np.isfinite(windows).all(axis=-1) & (abs(stands_out) <= threshold), stands_out, 0.0)

    reach = int(min(arc / 720 * angles, angles // 2 - 1))
    rings = sum(np.roll(stands_out, d, axis=0) for d in range(-reach, reach + 1)) / (2 * reach + 1)

    y, x = np.mgrid[:height, :columns] + 0.5
    radius = np.maximum(np.hypot(x - cx, y - cy) - 0.5, 0.0)
    turns = np.arctan2(y - cy, x - cx) / (2 * np.pi) % 1.0
    return np.where(radius <= radii - 1, image - linear(rings, np.minimum(radius, radii - 1), turns * angles - 0.5, True),
                    image)
