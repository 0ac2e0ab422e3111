# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""From samples to shades: what is black and what is white. No Qt."""

import numpy as np

LOW, HIGH = 0.5, 99.5  # percent of the values that are darker than black, and darker than white
TOLD = f"{LOW:g} - {HIGH:g} %"
LARGEST = 1e300        # of values that levels can be
MOST = 131072          # samples that percentiles and histograms look at


def plain(array):
    """An image as it can be drawn: (rows, columns) of real numbers in this machine's byte order, or (rows, columns, 3 or 4)
    of uint8 for colours. Complex numbers become their magnitudes. Raises ValueError for anything else."""
    array = np.ma.filled(array, np.nan) if isinstance(array, np.ma.MaskedArray) and array.dtype.kind == "f" else np.asarray(array)
    is_colour = array.ndim == 3 and array.shape[2] in (3, 4) and array.dtype == np.uint8
    if array.size == 0 or not (array.ndim == 2 or is_colour) or array.dtype.kind not in "biufc":
        raise ValueError(f"an array of shape {array.shape} and type {array.dtype} came; wanted an image of real numbers (rows, columns)")
    if array.dtype.kind == "c":
        return np.abs(array)
    if array.dtype.kind == "b":
        return array.view(np.uint8)
    if array.dtype == np.float16 or not array.dtype.isnative:
        return array.astype(np.float32 if array.dtype == np.float16 else array.dtype.newbyteorder("="))
    return array


def sample(array, most=MOST):
    """Some of the finite samples, evenly spread, as a flat array; all of them where there are at most `most`."""
    array = array.view(np.uint8) if array.dtype.kind == "b" else array
    step = max(1, int(np.ceil((array.size / most) ** (1 / array.ndim))))
    some = array[(slice(None, None, step),) * array.ndim].ravel()
    if some.dtype.itemsize >= 4 and some.dtype != np.float32:  # whose differences may be no numbers of their type
        some = some.astype(np.float64)
        with np.errstate(invalid="ignore"):
            return np.clip(some[np.isfinite(some)], -LARGEST, LARGEST)
    return some[np.isfinite(some)] if some.dtype.kind == "f" else some


def percentiles(some, low=LOW, high=HIGH):
    """Black and white of such samples; never the same, so that a window has a width."""
    if some.size == 0:
        return 0.0, 1.0
    black, white = (float(value) for value in np.percentile(some, (low, high)))
    if not white > black:  # one value, or nearly so
        black, white = float(some.min()), float(some.max())
    return wide(black, white)


def wide(black, white):
    """The same window, or a small one around a single value; its width is a finite number."""
    black, white = (min(max(value, -LARGEST), LARGEST) for value in (black, white))
    if white > black:
        return black, white
    margin = abs(black) * 1e-3 or 0.5
    return black - margin, black + margin


def binned(array, rows, columns):
    """Means of rows x columns samples, powers of two; a rest at the lower and right edge, less than a bin, is left out."""
    array = array[:array.shape[0] // rows * rows, :array.shape[1] // columns * columns]
    parts = rows * columns
    kind = np.float64 if array.dtype == np.float64 or array.dtype.itemsize > 4 else np.float32
    total = kind
    if array.dtype.kind == "u" and array.dtype.itemsize < 4:  # exact, and faster than with a conversion
        total = np.uint16 if array.dtype.itemsize == 1 and parts <= 256 else np.uint32 if parts <= 65536 else kind
    with np.errstate(all="ignore"):  # of infinities
        while rows > 1:
            array = np.add(array[0::2], array[1::2], dtype=total)
            rows //= 2
        while columns > 1:
            array = np.add(array[:, 0::2], array[:, 1::2], dtype=total)
            columns //= 2
    return np.multiply(array, kind(1 / parts), dtype=kind) if parts > 1 else array


def coloured(array, low, high, table):
    """Samples as colours of a table of 256, uint32 as 0xAARRGGBB. Sample v has the colour floor((v - low) / (high - low) * 256),
    within the table; NaN has the first one."""
    if array.dtype.kind in "iu" and array.dtype.itemsize <= 2:
        info = np.iinfo(array.dtype)
        every = np.arange(info.min, info.max + 1, dtype=np.float64)
        whole = table[_indices(every, low, high)]
        return whole.take(array if info.min == 0 else array.astype(np.int32) - info.min)
    colours = np.empty(array.shape, np.uint32)
    lines = max(1, 65536 // array.shape[1])  # which stay in the processor's cache
    for top in range(0, array.shape[0], lines):
        table.take(_indices(array[top:top + lines], low, high), out=colours[top:top + lines], mode="clip")
    return colours


def _indices(array, low, high):
    kind = np.float32 if array.dtype == np.float32 else np.float64
    with np.errstate(all="ignore"):
        shades = np.subtract(array, kind(low), dtype=kind)
        shades *= kind(256 / (high - low))
        np.clip(shades, 0, 255, out=shades)
        if kind is np.float64 or array.dtype.kind == "f":
            np.copyto(shades, 0, where=np.isnan(shades))
        return shades.astype(np.uint8)


def text_of(value, digits=4):
    """A number for people: integers as they are, others with so many digits."""
    if value is None:
        return "-"
    if isinstance(value, (int, np.integer)):
        return str(value)
    value = float(value)
    if 10 ** (digits - 1) <= abs(value) < 1e7:  # rather than 3.68e+04
        return f"{value:.0f}"
    text = f"{value:.{digits}g}"
    return "0" if text == "-0" else text


def corner_text(levels, density, told=""):
    """What is black and white, and how large samples are, for the corner of a picture; `told` says what the levels are."""
    low, high = (text_of(value) for value in levels)
    return f"{told}{': ' if told else ''}{low} to {high}   zoom {100 * density:.0f} %"


def dragged(levels, right, down):
    """Levels after a drag of the mouse by pixels: 150 to the right double the window, 300 down move it up by its width."""
    low, high = levels
    width, level = (high - low) * 2 ** (right / 150), (low + high) / 2 + (high - low) * down / 300
    return level - width / 2, level + width / 2
