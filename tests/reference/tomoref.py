# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Float64 references that the Python tests compare the elements with.

Everything here is written for clarity and exactness, not for speed, and shares no code with the elements.
test_tomoref.py proves this module against the analytic truth.

Geometry, the same everywhere
-----------------------------
Lengths are in pixels. Pixel c of a detector row spans [c, c + 1), its centre is c + 1/2; `axis` is the position of the
rotation axis in these edge coordinates, so the middle of a detector of 512 columns is 256.0. Angles are in radians.
Slice pixel (column i, row j) has its centre at bx = i + roi_x - axis + 1/2, by = j + roi_y - axis + 1/2 relative to the
rotation axis. A point (bx, by) falls on the detector at h = axis + bx cos t + by sin t in the view at angle t.

Shapes
------
Sinogram: (angles, columns). Slice: (rows, columns). Spectrum: (..., N), complex, in numpy's order of frequencies.
Attenuation is per pixel, so line integrals have no unit.
"""
from dataclasses import dataclass

import numpy as np

__all__ = [
    "Ellipse", "FILTERS", "angles_of_scan", "backproject_linear", "disc", "error", "fft_filter", "field_of_view",
    "filter_response", "line_integrals", "projection_weights", "ramp_fromreal", "rescale", "shepp_logan",
    "slice_coordinates", "slice_of", "white_noise",
]


# Objects and their exact line integrals --------------------------------------------------------------------------

@dataclass(frozen=True)
class Ellipse:
    """A homogeneous ellipse. x, y: centre relative to the rotation axis, pixels, y downwards as the slice's rows.
    a, b: semi-axes, pixels. tilt: angle from the x axis to a, radians, towards +y. value: attenuation per pixel.
    Overlapping ellipses add up.
    """
    x: float
    y: float
    a: float
    b: float
    value: float
    tilt: float = 0.0


def disc(x, y, radius, value):
    """A homogeneous disc; units as in Ellipse."""
    return Ellipse(x, y, radius, radius, value)


def line_integrals(ellipses, angles, width, axis):
    """Exact parallel-beam line integrals at the pixel centres.

    angles: (n,) radians; width: columns; axis: edge coordinates. Returns (n, width) float64.

    In the view at angle t an ellipse has the half width r(t) = sqrt(a^2 cos^2(t - tilt) + b^2 sin^2(t - tilt)), and the
    chord at distance s from its centre is 2 a b sqrt(r^2 - s^2) / r^2 (A. C. Kak, M. Slaney, Principles of Computerized
    Tomographic Imaging, 1988, section 3.1, equations 4 to 8).
    """
    t = np.asarray(angles, np.float64)[:, None]
    h = np.arange(width, dtype=np.float64)[None, :] + 0.5
    sinogram = np.zeros((t.shape[0], width))
    for e in ellipses:
        s = h - axis - (e.x * np.cos(t) + e.y * np.sin(t))
        r2 = (e.a * np.cos(t - e.tilt)) ** 2 + (e.b * np.sin(t - e.tilt)) ** 2
        sinogram += 2.0 * e.value * e.a * e.b * np.sqrt(np.maximum(r2 - s * s, 0.0)) / r2
    return sinogram


# Modified Shepp-Logan head: P. A. Toft, The Radon Transform - Theory and Implementation, PhD thesis, Technical
# University of Denmark, 1996, table B.3; the geometry is that of L. A. Shepp and B. F. Logan, The Fourier Reconstruction
# of a Head Section, IEEE Trans. Nucl. Sci. 21 (1974). Columns: value, a, b, x, y, tilt in degrees; half width 1, y upwards.
_SHEPP_LOGAN = (
    (1.0, 0.69, 0.92, 0.0, 0.0, 0.0),
    (-0.8, 0.6624, 0.874, 0.0, -0.0184, 0.0),
    (-0.2, 0.11, 0.31, 0.22, 0.0, -18.0),
    (-0.2, 0.16, 0.41, -0.22, 0.0, 18.0),
    (0.1, 0.21, 0.25, 0.0, 0.35, 0.0),
    (0.1, 0.046, 0.046, 0.0, 0.1, 0.0),
    (0.1, 0.046, 0.046, 0.0, -0.1, 0.0),
    (0.1, 0.046, 0.023, -0.08, -0.605, 0.0),
    (0.1, 0.023, 0.023, 0.0, -0.606, 0.0),
    (0.1, 0.023, 0.046, 0.06, -0.605, 0.0),
)


def shepp_logan(radius, value=1.0):
    """The ellipses of the modified Shepp-Logan head, for line_integrals and slice_of.

    radius: pixels of the head's unit length (the head itself is 0.92 of it high); value: attenuation per pixel of the
    skull. The crown is at the top of the slice, that is at negative y.
    """
    return [Ellipse(x * radius, -y * radius, a * radius, b * radius, v * value, -np.deg2rad(tilt))
            for v, a, b, x, y, tilt in _SHEPP_LOGAN]


def slice_coordinates(axis, roi):
    """bx (1, w) and by (h, 1) of the pixel centres of roi = (x, y, width, height)."""
    x, y, width, height = roi
    bx = np.arange(width, dtype=np.float64)[None, :] + x - axis + 0.5
    by = np.arange(height, dtype=np.float64)[:, None] + y - axis + 0.5
    return bx, by


def slice_of(ellipses, width, axis, roi=None, margin=0.0):
    """The objects sampled at the pixel centres: (rows, columns) float64, width x width without a roi.

    margin > 0 shrinks every ellipse by that many pixels, margin < 0 grows it (exact for discs).
    """
    bx, by = slice_coordinates(axis, roi or (0, 0, width, width))
    image = np.zeros((by.shape[0], bx.shape[1]))
    for e in ellipses:
        u = (bx - e.x) * np.cos(e.tilt) + (by - e.y) * np.sin(e.tilt)
        v = (by - e.y) * np.cos(e.tilt) - (bx - e.x) * np.sin(e.tilt)
        a, b = e.a - margin, e.b - margin
        if a > 0 and b > 0:
            image += np.where((u / a) ** 2 + (v / b) ** 2 <= 1.0, e.value, 0.0)
    return image


def field_of_view(width, axis, roi=None, margin=0.0):
    """Mask of the pixels that every view sees: the circle around the axis that the detector covers on both sides."""
    bx, by = slice_coordinates(axis, roi or (0, 0, width, width))
    return bx * bx + by * by <= max(min(axis, width - axis) - margin, 0.0) ** 2


def white_noise(shape, seed, mean=0.0, sigma=1.0):
    """Gaussian white noise, float32, as the elements get it. Tests print the seed."""
    noise = np.random.default_rng(seed).standard_normal(shape)
    return (mean + sigma * noise).astype(np.float32)


# Angles and their weights ----------------------------------------------------------------------------------------

def angles_of_scan(number, step=None, offset=0.0):
    """offset + i step for i = 0 ... number - 1, radians; without a step pi / number."""
    return offset + np.arange(number) * (np.pi / number if step is None else step)


def projection_weights(angles):
    """Weight of every view in the backprojection, and whether a wedge is missing.

    angles: (n,) radians in the order of the rows. Returns (weights (n,) float64, radians; missing_wedge bool).

    The rule of gst-tomo: where all steps agree with their mean m within 5 % and n m is pi or 2 pi within m / 2, every
    view weighs pi / n. Otherwise s is the median of the absolute steps, and views are folded modulo pi, because opposite
    views see the same lines, and a view weighs half the distance to both neighbours on that circle, so that the weights
    sum up to pi (or to what was measured). A gap above 2 s is a missing wedge: it counts as s, not as its width. One
    view, or views at one and the same angle, weigh pi / n.
    """
    t = np.asarray(angles, np.float64).ravel()
    n = t.size
    if n == 0:
        raise ValueError("projection_weights: no angles")
    if not np.isfinite(t).all():
        raise ValueError("projection_weights: angles must be finite")
    steps = np.diff(t)
    s = np.median(np.abs(steps)) if n > 1 else np.pi
    if n == 1 or not steps.any():
        return np.full(n, np.pi / n), n > 1
    m = abs(t[-1] - t[0]) / (n - 1)
    even = np.all(np.sign(steps) == np.sign(steps[0])) and np.all(np.abs(np.abs(steps) - m) <= 0.05 * m)
    if even and min(abs(n * m - np.pi), abs(n * m - 2.0 * np.pi)) <= m / 2.0:
        return np.full(n, np.pi / n), False

    folded = np.mod(t, np.pi)
    order = np.argsort(folded, kind="stable")
    gaps = np.diff(np.append(folded[order], folded[order[0]] + np.pi))  # after each view, around the circle
    wedges = gaps > 2.0 * s
    gaps = np.where(wedges, s, gaps)
    weights = np.empty(n)
    weights[order] = 0.5 * (gaps + np.roll(gaps, 1))
    return weights, bool(wedges.any())


# Filters of the sinogram -----------------------------------------------------------------------------------------

def _folded_index(n):
    """Distance of each index from 0 on a circle of n: 0, 1, 2, ..., 2, 1."""
    k = np.arange(n)
    return np.minimum(k, n - k)


def ramp_fromreal(n, scale=1.0):
    """The ramp as the DFT of its band-limited kernel: h(0) = 1/4, h(odd k) = -1 / (pi^2 k^2), h(even k) = 0.

    n: length of the transform, any. Returns (n,) float64, cycles per pixel times scale, real and symmetric. It has the
    small positive mean that a kernel of finite length needs, about 2 / (pi^2 n) at zero frequency (Kak and Slaney,
    section 3.3, equation 61).
    """
    k = _folded_index(n)
    kernel = np.where(k % 2 == 1, -1.0 / (np.pi * np.maximum(k, 1)) ** 2, 0.0)
    kernel[0] = 0.25
    return np.fft.fft(kernel).real * scale


def _ramp(n, f, p):
    return np.where(f > 0, f * p["scale"], 0.25 / n)


def _ramp_fromreal(n, f, p):
    return ramp_fromreal(n, p["scale"])


def _butterworth(n, f, p):
    # S. Butterworth, On the Theory of Filter Amplifiers, Experimental Wireless 7 (1930); squared response times the ramp.
    if p["cutoff"] == 0:
        return np.zeros(n)
    return f / (1.0 + (f / p["cutoff"]) ** (2.0 * p["order"])) * p["scale"]


def _hamming(n, f, p):
    if p["cutoff"] == 0:
        return np.zeros(n)
    return np.where(f < p["cutoff"], f * (0.54 + 0.46 * np.cos(np.pi * f / p["cutoff"])) * p["scale"], 0.0)


def _bh3(n, f, p):
    # Blackman's coefficients; the argument reaches pi / 2 at Nyquist, where the window is therefore 0.34 and not 0.
    window = 0.42 + 0.5 * np.cos(np.pi * f) + 0.08 * np.cos(2.0 * np.pi * f)
    return np.where(f > 0, f * window * p["scale"], 0.25 / n)


def _faris_byer(n, f, p):
    # For the data of G. W. Faris and R. L. Byer, Three-dimensional beam-deflection optical tomography of a supersonic
    # jet, Applied Optics 27 (1988) 5202: the deflection of a beam is the derivative of its path length across the beam.
    # The filter is therefore the ramp divided by a derivative, |f| / (2 pi i f) = -i sign(f) / (2 pi). Its band-limited
    # kernel, the integral of that times exp(2 pi i f k) over |f| <= 1/2, is 1 / (pi^2 k) at odd lags and 0 at even
    # ones; per sample distance tau where deflections are given per length. (Derived here for parallel beams.)
    # UFO's second parameter theta adds -sin(theta) / (2 pi^2 tau k^2) at odd lags: that is sin(theta) / (2 tau) of the
    # ramp, here with the lag 0 that makes the sum of the kernel zero. theta = 0 is the pure deflection filter.
    if p["tau"] == 0:
        raise ValueError("faris-byer: tau is a distance between samples and can't be 0")
    k = np.arange(n)
    signed = np.where(k <= n // 2, k, k - n)
    odd = (signed % 2 != 0) & (2 * k != n)  # the lag n / 2 stands for both signs, which cancel
    kernel = np.where(odd, 1.0 / (np.pi ** 2 * np.where(odd, signed, 1)), 0.0) / p["tau"]
    deflection = 1j * np.fft.fft(kernel).imag  # the kernel is antisymmetric
    return p["scale"] * (deflection + np.sin(p["theta"]) / (2.0 * p["tau"]) * ramp_fromreal(n))


FILTERS = {
    "ramp": _ramp,
    "ramp-fromreal": _ramp_fromreal,
    "butterworth": _butterworth,
    "faris-byer": _faris_byer,
    "hamming": _hamming,
    "bh3": _bh3,
}


def filter_response(name, n, cutoff=0.5, order=4.0, tau=0.1, theta=1.0, scale=1.0):
    """Response of one of FILTERS for a transform of any length n: (n,) float64, complex128 for faris-byer.

    With f = k / n cycles per pixel, mirrored for the negative frequencies:
        ramp            f scale; 0.25 / n at f = 0, which scale does not touch
        ramp-fromreal   see ramp_fromreal()
        butterworth     f scale / (1 + (f / cutoff)^(2 order))
        hamming         f scale (0.54 + 0.46 cos(pi f / cutoff)) below cutoff, else 0
        bh3             f scale (0.42 + 0.5 cos(pi f) + 0.08 cos(2 pi f)); 0.25 / n at f = 0
        faris-byer      scale (-i sign(f) / (2 pi) + sin(theta) / 2 |f|) / tau, both parts from their kernels in real
                        space; the sum is taken with theta in radians and tau in pixels
    cutoff in cycles per pixel (1/2 is Nyquist). Names and defaults are those of UFO's task `filter`.
    """
    if name not in FILTERS:
        raise ValueError(f"unknown filter {name!r}, known are {', '.join(FILTERS)}")
    f = _folded_index(n) / n
    return FILTERS[name](n, f, dict(cutoff=cutoff, order=order, tau=tau, theta=theta, scale=scale))


def fft_filter(sinogram, size=None, name="ramp-fromreal", response=None, crop=None, **parameters):
    """What `tomofft size-x=SIZE ! tomofilter ! tomoifft crop-width=CROP` computes along the rows.

    sinogram: (..., width). size: length of the transform, zeros are appended; default width, which makes it a circular
    convolution. response: (size,) to be used instead of filter_response(name, size, **parameters). crop: columns kept,
    from the left, default width. Forward transform with exp(-i), not normalised; inverse with 1 / size, real part.
    """
    sinogram = np.asarray(sinogram, np.float64)
    width = sinogram.shape[-1]
    size = size or width
    if size < width:
        raise ValueError(f"fft_filter: a transform of length {size} can't hold rows of {width}")
    if response is None:
        response = filter_response(name, size, **parameters)
    return np.fft.ifft(np.fft.fft(sinogram, size) * response).real[..., :crop or width]


# Backprojection --------------------------------------------------------------------------------------------------

def backproject_linear(sinogram, angles=None, step=None, offset=0.0, axis=None, roi=None, weights=None):
    """Sum over the views of weight times the row sampled linearly at h; (roi height, roi width) float64.

    sinogram: (n, width), already filtered. angles: (n,) radians, or step and offset, default pi / n from 0. axis: edge
    coordinates, default width / 2. roi: (x, y, width, height), default the whole width x width slice. weights: (n,),
    default projection_weights(angles).

    A row is a function with its samples at the pixel centres, straight lines between them, and zeros outside
    (q[-1] = q[width] = 0), so it falls to zero over the half pixel at either end and half a pixel beyond it.
    """
    q = np.asarray(sinogram, np.float64)
    n, width = q.shape
    if angles is not None and (step is not None or offset):
        raise ValueError("backproject_linear: give angles, or step and offset, not both")
    angles = angles_of_scan(n, step, offset) if angles is None else np.asarray(angles, np.float64)
    if angles.shape != (n,):
        raise ValueError(f"backproject_linear: {n} rows need {n} angles, not {angles.shape}")
    axis = width / 2.0 if axis is None else float(axis)
    weights = projection_weights(angles)[0] if weights is None else np.asarray(weights, np.float64)
    bx, by = slice_coordinates(axis, roi or (0, 0, width, width))

    # Samples -2 ... width + 1 with zeros outside: clipping the position to it is the extension by zeros.
    rows = np.zeros((n, width + 4))
    rows[:, 2:-2] = q * weights[:, None]
    slopes = np.zeros_like(rows)
    slopes[:, :-1] = np.diff(rows, axis=1)

    out = np.zeros((by.shape[0], bx.shape[1]))
    block = max(1, 16384 // out.shape[1])  # rows at a time, so that the temporaries stay in the cache
    for top in range(0, out.shape[0], block):
        acc, y = out[top:top + block], by[top:top + block]
        u, low = np.empty_like(acc), np.empty_like(acc)
        value, index = np.empty_like(acc), np.empty(acc.shape, np.intp)
        for row, slope, t in zip(rows, slopes, angles):
            np.add(axis - 0.5 + 2.0 + bx * np.cos(t), y * np.sin(t), out=u)  # + 2: the first sample is number -2
            np.clip(u, 0.0, width + 3.0, out=u)
            np.floor(u, out=low)
            index[...] = low
            u -= low
            u *= slope.take(index, out=value)
            acc += row.take(index, out=value)
            acc += u
    return out


# Size ------------------------------------------------------------------------------------------------------------

def rescale(image, x_factor, y_factor=None, interpolation="linear"):
    """Sampling at (i + 1/2) / factor in edge coordinates, edges clamped: (floor(y_factor H), floor(x_factor W)) float64.

    image: (H, W). interpolation: "linear" between pixel centres, or "nearest", the pixel that the position falls into.
    No anti-aliasing.
    """
    image = np.asarray(image, np.float64)
    y_factor = x_factor if y_factor is None else y_factor

    def weights(size, factor):
        position = (np.arange(int(np.floor(factor * size))) + 0.5) / factor
        if interpolation == "nearest":
            low = np.clip(np.floor(position).astype(int), 0, size - 1)
            return low, low, np.zeros(position.size)
        if interpolation != "linear":
            raise ValueError(f"rescale: unknown interpolation {interpolation!r}")
        position = np.clip(position - 0.5, 0.0, size - 1.0)
        low = np.minimum(np.floor(position).astype(int), max(size - 2, 0))
        return low, np.minimum(low + 1, size - 1), position - low

    y0, y1, fy = weights(image.shape[0], y_factor)
    x0, x1, fx = weights(image.shape[1], x_factor)
    rows = image[y0] * (1.0 - fy)[:, None] + image[y1] * fy[:, None]
    return rows[:, x0] * (1.0 - fx) + rows[:, x1] * fx


# Comparison ------------------------------------------------------------------------------------------------------

def error(result, reference):
    """Relative L2 distance ||result - reference|| / ||reference||, NaN where either holds a NaN.

    Both must have one shape. Against a reference of zeros it is 0 for zeros and infinity otherwise.
    """
    dtype = np.complex128 if np.iscomplexobj(result) or np.iscomplexobj(reference) else np.float64
    result, reference = np.asarray(result, dtype), np.asarray(reference, dtype)
    if result.shape != reference.shape:
        raise ValueError(f"error: shapes {result.shape} and {reference.shape} differ")
    distance, norm = np.linalg.norm((result - reference).ravel()), np.linalg.norm(reference.ravel())
    if norm == 0.0:
        return 0.0 if distance == 0.0 else np.inf if distance > 0.0 else np.nan
    return float(distance / norm)
