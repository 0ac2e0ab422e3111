# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Removal of stripes after N. T. Vo, R. C. Atwood, M. Drakopoulos, "Superior techniques for eliminating ring artifacts in
X-ray micro-tomography", Optics Express 26 (2018) 28396, in float64.

A sinogram has views as rows and columns of the detector as columns. Each function states one algorithm of the paper as
plainly as numpy allows, and what it does where the paper is silent: at edges, with ties, with NaN.
"""

import numpy as np

__all__ = ["remove_all", "remove_dead", "remove_fitting", "remove_filtering", "remove_large", "remove_sorting",
           "settled_frequencies"]

MEAN_OF_VIEWS = 10  # whose mean a column is compared with, to see whether it fluctuates or is dead


def medians_along_rows(image, size):
    """Of the `size` values around each one, size // 2 of them before it. Of an even number the upper one of the two in
    the middle; NaN is the largest value, stays, and nothing else becomes NaN. The image is mirrored at its edges, the
    outermost value first."""
    before = size // 2
    wide = np.pad(image, ((0, 0), (before, size - 1 - before)), "symmetric")
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(wide, size, axis=1), axis=-1)
    medians = windows[..., size // 2]
    return np.where(np.isnan(image) | np.isnan(medians), image, medians)


def smoothed_in_order(sinogram, size):
    """The columns in ascending order, their medians along the rows, and the view that each value came from."""
    order = np.argsort(sinogram, axis=0, kind="stable")  # NaN last
    ordered = np.take_along_axis(sinogram, order, axis=0)
    return ordered, medians_along_rows(ordered, size), order


def in_time(ordered, order):
    back = np.empty_like(ordered)
    np.put_along_axis(back, order, ordered, axis=0)
    return back


def remove_sorting(sinogram, size=21):
    """Algorithm 3."""
    _, medians, order = smoothed_in_order(np.asarray(sinogram, np.float64), size)
    return in_time(medians, order)


def low_pass(sinogram, sigma):
    """Of each column: a Gaussian over the frequencies, `sigma` of them wide, of the column mirrored at its ends for a
    tenth of the views, at most 150, without repeating the outermost one."""
    views = len(sinogram)
    pad = min(150, views // 10)
    padded = np.pad(sinogram, ((pad, pad), (0, 0)), "reflect")
    frequencies = np.fft.fftfreq(len(padded), 1 / len(padded))
    response = np.exp(-(frequencies**2) / (2 * sigma**2))
    return np.fft.ifft(np.fft.fft(padded, axis=0) * response[:, None], axis=0).real[pad : pad + views]


def settled_frequencies(sinogram, sigma=3.0):
    """Where no other value of the column's low frequencies is so close that float32 may sort them the other way round."""
    low = low_pass(np.asarray(sinogram, np.float64), sigma)
    order = np.argsort(low, axis=0, kind="stable")
    gaps = np.diff(np.take_along_axis(low, order, axis=0), axis=0) > 1e-6 * np.abs(low).max(axis=0)
    apart = np.ones(low.shape, bool)
    apart[1:] &= gaps
    apart[:-1] &= gaps
    return in_time(apart, order) | ~np.isfinite(low)


def remove_filtering(sinogram, sigma=3.0, size=21):
    """Algorithm 2, with the sorting of algorithm 3 for the low frequencies. A column that is not finite stays."""
    sinogram = np.asarray(sinogram, np.float64)
    finite = np.isfinite(sinogram).all(axis=0)
    low = np.full_like(sinogram, np.nan)
    low[:, finite] = low_pass(sinogram[:, finite], sigma)
    return np.where(finite, sinogram - low + remove_sorting(low, size), sinogram)


def remove_fitting(sinogram, order=2, sigma=10.0):
    """Algorithm 1. A polynomial of this order is fitted to each column, the fits are smoothed along the rows by a
    Gaussian over the frequencies, `sigma` of them wide, and the sinogram is multiplied by smoothed / fitted. Rows are
    continued by their edge values for a tenth of the columns, at most 150. A column that is not finite stays, and its
    neighbours take the fit of the next finite column."""
    sinogram = np.asarray(sinogram, np.float64)
    views, columns = sinogram.shape
    finite = np.isfinite(sinogram).all(axis=0)
    if not finite.any():
        return sinogram
    t = np.linspace(-1, 1, views) if views > 1 else np.zeros(1)
    basis = np.linalg.qr(np.vander(t, min(order, views - 1) + 1, increasing=True))[0]
    good = np.flatnonzero(finite)
    nearest = good[np.argmin(np.abs(np.arange(columns)[:, None] - good), axis=1)]
    coefficients = (basis.T @ np.where(finite, sinogram, 0.0))[:, nearest]
    pad = min(150, columns // 10)
    padded = np.pad(coefficients, ((0, 0), (pad, pad)), "edge")
    frequencies = np.fft.fftfreq(columns + 2 * pad, 1 / (columns + 2 * pad))
    response = np.exp(-(frequencies**2) / (2 * sigma**2))
    smooth = np.fft.ifft(np.fft.fft(padded) * response).real[:, pad : pad + columns]
    fitted, smoothed = basis @ coefficients, basis @ smooth
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(finite & (fitted != 0.0), sinogram * (smoothed / fitted), sinogram)


def detected(ratios, snr):
    """Algorithm 4: which of the values are stripes. A line through the middle half of the ordered values says where
    they would begin and end without stripes. NaN is not a number of them, and no stripe."""
    ordered = np.sort(ratios[np.isfinite(ratios)])
    n = len(ordered)
    drop = n // 4
    middle = ordered[drop : n - drop - 1]
    if len(middle) < 2:
        return np.zeros(len(ratios), bool)
    slope, first = np.polyfit(np.arange(drop, n - drop - 1), middle, 1)
    last = first + slope * (n - 1)
    # Values that differ by rounding alone are no noise.
    noise = max(abs(last - first), 1e-6 * abs(first))
    stripes = np.zeros(len(ratios), bool)
    with np.errstate(invalid="ignore"):
        if ordered[-1] - last > snr * noise:
            stripes |= ratios > last + noise * snr / 2
        if first - ordered[0] > snr * noise:
            stripes |= ratios < first - noise * snr / 2
    return stripes


def widened(stripes):
    """With the columns beside them."""
    wide = np.pad(stripes, 1)
    return wide[:-2] | wide[1:-1] | wide[2:]


def quotient(values, smoothed):
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = values / smoothed
    ratios = np.where(smoothed == 0.0, 1.0, ratios)
    return np.where(np.isfinite(ratios), ratios, np.nan)


def remove_large(sinogram, size=51, snr=3.0, drop_ratio=0.1):
    """Algorithm 5: normalisation of all columns by the ratio of their means to those of the medians in order, over the
    views that are neither among the lowest nor among the highest drop_ratio / 2, and the medians in the stripes."""
    sinogram = np.asarray(sinogram, np.float64)
    views = len(sinogram)
    ordered, medians, order = smoothed_in_order(sinogram, size)
    drop = int(drop_ratio / 2 * views)
    kept = slice(drop, views - drop)
    means, smoothed = ordered[kept].mean(axis=0), medians[kept].mean(axis=0)
    rounding = 1e-6 * np.abs(ordered[kept]).mean(axis=0)
    ratios = np.where((np.abs(means) <= rounding) | (np.abs(smoothed) <= rounding), 1.0, quotient(means, smoothed))
    stripes = widened(detected(ratios, snr))
    with np.errstate(divide="ignore", invalid="ignore"):
        normalised = np.where((ratios != 0.0) & ~np.isnan(ratios), sinogram / ratios, sinogram)
    return np.where(stripes, in_time(medians, order), normalised)


def remove_dead(sinogram, size=51, snr=3.0, residual=True):
    """Algorithm 6: columns that fluctuate or are dead are interpolated between their neighbours, those that
    are finite. Where they would be a third of all columns or more, none is."""
    sinogram = np.asarray(sinogram, np.float64)
    views, columns = sinogram.shape
    before = MEAN_OF_VIEWS // 2
    wide = np.pad(sinogram, ((before, MEAN_OF_VIEWS - 1 - before), (0, 0)), "symmetric")
    means = np.lib.stride_tricks.sliding_window_view(wide, MEAN_OF_VIEWS, axis=0).mean(axis=-1)
    with np.errstate(invalid="ignore"):
        differences = np.abs(sinogram - means).mean(axis=0)
    differences[~np.isfinite(differences)] = np.nan
    smoothed = medians_along_rows(differences[None], size)[0]
    known = smoothed[~np.isnan(smoothed)]
    smoothed = np.where(smoothed == 0.0, known.mean() if known.size else 0.0, smoothed)
    stripes = widened(detected(quotient(differences, smoothed), snr) | np.isnan(differences))
    stripes[:2] = stripes[-2:] = False
    result = sinogram.copy()
    if 0 < stripes.sum() < columns // 3:
        x, good = np.arange(columns), ~stripes
        left = np.maximum.accumulate(np.where(good, x, 0))[stripes]
        right = np.minimum.accumulate(np.where(good, x, columns - 1)[::-1])[::-1][stripes]
        w = (x[stripes] - left) / (right - left)
        with np.errstate(invalid="ignore"):
            between = (1 - w) * sinogram[:, left] + w * sinogram[:, right]
        # The outermost columns are no stripes, but may not be finite.
        fits_left, fits_right = np.isfinite(sinogram[:, left]), np.isfinite(sinogram[:, right])
        result[:, stripes] = np.where(fits_left & fits_right, between, np.where(
            fits_left, sinogram[:, left], np.where(fits_right, sinogram[:, right], sinogram[:, stripes])))
    return remove_large(result, size, snr) if residual else result


def remove_all(sinogram, large_size=51, small_size=21, snr=3.0, drop_ratio=0.1):
    """Algorithms 6, 5 and 3, in this order."""
    result = remove_dead(sinogram, large_size, snr, residual=False)
    return remove_sorting(remove_large(result, large_size, snr, drop_ratio), small_size)
