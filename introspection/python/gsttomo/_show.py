# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pictures and tables of scans, axes and slices, as HTML that needs nothing else."""

import base64
import html
import math
import struct
import zlib

import numpy as np

DARK, LIGHT = 0.5, 99.5  # percentiles of the values that become black and white
LARGEST, LEAST = 400, 24  # pixels of a picture's side
INK, FAINT, ACCENT, WARM = "#333333", "#bbbbbb", "#1f6fb4", "#c8502d"
FONT = "font-family:sans-serif;font-size:13px"


def thinned(image, largest=LARGEST):
    """Of a large image the means of squares of pixels."""
    step = max(1, -(-max(image.shape) // largest))
    if step == 1:
        return np.asarray(image, np.float32)
    height, width = (max(n // step, 1) for n in image.shape)
    part = np.asarray(image[:height * step, :width * step], np.float32)
    if part.shape != (height * step, width * step):  # narrower than a square
        return np.asarray(image, np.float32)
    return part.reshape(height, step, width, step).mean((1, 3))


def grey_range(*images):
    """From black to white: percentiles of all values that are finite."""
    values = np.concatenate([np.ravel(image) for image in images])
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 0.0, 1.0
    black, white = np.percentile(values, [DARK, LIGHT])
    if not white > black:
        black, white = values.min(), values.max()
    return (float(black), float(white)) if white > black else (float(black), float(black) + 1.0)


def png(image, black, white):
    """An image as an 8 bit PNG; what is not finite is black."""
    scaled = np.nan_to_num((np.asarray(image, np.float64) - black) / (white - black), nan=0.0, posinf=1.0, neginf=0.0)
    grey = np.rint(np.clip(scaled, 0.0, 1.0) * 255).astype(np.uint8)
    rows = np.concatenate([np.zeros((grey.shape[0], 1), np.uint8), grey], axis=1).tobytes()

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def png_of(image):
    small = thinned(np.asarray(image))
    return png(small, *grey_range(small))


def round_length(length):
    """1, 2 or 5 times a power of ten, at most this."""
    power = 10.0 ** math.floor(math.log10(length))
    return max(factor for factor in (1, 2, 5) if factor * power <= length * (1 + 1e-9)) * power


def length_text(metres):
    unit, factor = next(((u, f) for u, f in (("m", 1), ("mm", 1e-3), ("µm", 1e-6)) if metres >= f), ("nm", 1e-9))
    return f"{metres / factor:.3g} {unit}"


def picture(image, limits, caption, width, pixels=None, pixel_size=None, pixelated=None):
    """A figure with its caption; `pixels` are those of the whole width, for a scale bar."""
    small = thinned(image)
    data = base64.b64encode(png(small, *limits)).decode()
    height = max(LEAST, round(width * image.shape[0] / image.shape[1]))  # few rows are stretched, to be seen
    crisp = "image-rendering:pixelated;" if small.shape[1] * 2 < width else ""
    scale = ""
    if pixel_size and pixels:
        bar = round_length(pixels * pixel_size / 4)
        length = bar / (pixels * pixel_size) * width
        scale = (f'<div style="position:absolute;left:8px;bottom:8px;width:{length:.1f}px;border-bottom:3px solid white;color:white;'
                 f'text-align:center;font-size:11px;text-shadow:0 0 3px black,0 0 3px black">{length_text(bar)}</div>')
    return (f'<figure style="margin:0 12px 8px 0"><div style="position:relative;width:{width}px;height:{height}px">'
            f'<img alt="{html.escape(caption)}" style="{crisp}width:{width}px;height:{height}px" src="data:image/png;base64,{data}"/>{scale}</div>'
            f'<figcaption style="{FONT};color:#666;width:{width}px">{html.escape(caption)}</figcaption></figure>')


def page(*parts):
    return f'<div style="{FONT};display:flex;flex-wrap:wrap;align-items:flex-start">{"".join(parts)}</div>'


def table(rows):
    cells = "".join(f'<tr><th style="text-align:left;font-weight:600;padding:2px 14px 2px 0;vertical-align:top">{html.escape(name)}</th>'
                    f'<td style="text-align:left;padding:2px 0;overflow-wrap:anywhere">{html.escape(value)}</td></tr>'
                    for name, value in rows if value)
    return f'<table style="{FONT};border-collapse:collapse;margin:0">{cells}</table>'


def degrees(radians):
    return f"{math.degrees(radians):.6g}"


# Scans
# ---------------------------------------------------------------------------------------------------------------------


def scan(told):
    sinograms = told.kind == "sinograms"
    flats = f"{told.flats} before, {told.flats_after} after" if told.flats_after else f"{told.flats}"
    rows = [("scan", told.name),
            ("sinograms", f"{told.height} of {told.width} columns and {told.projections} views, {told.format}") if sinograms else
            ("projections", f"{told.projections} of {told.width} × {told.height}, {told.format}"
             + (f" ({told.views} taken)" if told.views != told.projections else "")),
            ("flats", "" if sinograms else flats), ("darks", "" if sinograms else f"{told.darks}"),
            ("angles", f"{degrees(told.angle_first)}° to {degrees(told.angle_last)}°, step {degrees(told.angle_step)}° ({told.angles_from})"),
            ("axis", f"{told.axis:.6g} px" if told.axis is not None else "the scan does not tell it"),
            ("pixel size", length_text(told.pixel_size) if told.pixel_size else ""),
            ("energy", f"{told.energy:.6g} keV" if told.energy else ""),
            ("distance", length_text(told.distance) if told.distance else ""),
            ("source", f"{length_text(told.source_distance)} before the sample" if told.source_distance else "")]
    return page(f'<div style="max-width:560px;margin:0 20px 8px 0">{table(rows)}{findings(told.findings)}</div>', middle(told))


def findings(found):
    colours = {"error": WARM, "warning": "#a67c00", "info": "#666666"}
    return "".join(f'<p style="{FONT};margin:6px 0 0;padding-left:8px;border-left:3px solid {colours[f.severity]}"><b style="color:'
                   f'{colours[f.severity]}">{f.severity}: {html.escape(f.name)}</b> {html.escape(f.text)}. {html.escape(f.advice)}</p>'
                   for f in found)


def middle(told):
    try:
        image = told.image()
    except Exception as e:  # the table says what is known
        return f'<p style="{FONT}">no picture: {html.escape(str(e))}</p>'
    what = f"sinogram {told.height // 2}" if told.kind == "sinograms" else f"projection {told.projections // 2}"
    return picture(image, grey_range(thinned(image)), what, size_for(image.shape), image.shape[1], told.pixel_size)


def size_for(shape, largest=320):
    """Width in the browser: neither side is larger, and tiny ones are magnified."""
    return max(1, round(largest * min(1.0, shape[1] / shape[0])))


# Axes
# ---------------------------------------------------------------------------------------------------------------------


def ticks(low, high, about=5):
    """Round numbers in a range."""
    step = round_length((high - low) / about * 1.5)
    return [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


class Plot:
    """A diagram as SVG: ranges of both axes, marks, and the lines between."""

    LEFT, RIGHT, TOP, BOTTOM = 76, 16, 14, 44

    def __init__(self, x, y, x_name, y_name, width=480, height=300):
        self._x, self._y, self._width, self._height = x, y, width, height
        self._parts = []
        bottom = height - self.BOTTOM
        for value in ticks(*x):
            at = self.x(value)
            self._line(at, self.TOP, at, bottom, "#eeeeee")
            self._text(at, bottom + 16, f"{value:.6g}", "middle")
        for value in ticks(*y):
            at = self.y(value)
            self._line(self.LEFT, at, width - self.RIGHT, at, "#eeeeee")
            self._text(self.LEFT - 6, at + 4, f"{value:.6g}", "end")
        self._line(self.LEFT, bottom, width - self.RIGHT, bottom, INK)
        self._line(self.LEFT, self.TOP, self.LEFT, bottom, INK)
        self._text((self.LEFT + width - self.RIGHT) / 2, height - 8, x_name, "middle")
        self._parts.append(f'<text x="14" y="{(self.TOP + bottom) / 2:.1f}" text-anchor="middle" fill="{INK}" '
                           f'transform="rotate(-90 14 {(self.TOP + bottom) / 2:.1f})">{html.escape(y_name)}</text>')

    def x(self, value):
        low, high = self._x
        return self.LEFT + (value - low) / (high - low) * (self._width - self.LEFT - self.RIGHT)

    def y(self, value):
        low, high = self._y
        return self._height - self.BOTTOM - (value - low) / (high - low) * (self._height - self.TOP - self.BOTTOM)

    def _line(self, x1, y1, x2, y2, colour, width=1, dashes=""):
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self._parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"{dashed}/>')

    def _text(self, x, y, text, anchor, colour=INK):
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{html.escape(text)}</text>')

    def line(self, points, colour, width=1.5, dashes=""):
        (x1, y1), (x2, y2) = points
        self._line(self.x(x1), self.y(y1), self.x(x2), self.y(y2), colour, width, dashes)

    def curve(self, points, colour):
        path = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        self._parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')

    def band(self, points, colour):
        path = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        self._parts.append(f'<polygon points="{path}" fill="{colour}" fill-opacity="0.15"/>')

    def mark(self, x, y, colour, error=0.0, note=""):
        if error:
            self._line(self.x(x), self.y(max(y - error, self._y[0])), self.x(x), self.y(min(y + error, self._y[1])), colour)
        self._parts.append(f'<circle cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="3" fill="{colour}"><title>{html.escape(note)}</title></circle>')

    def svg(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{self._width}" height="{self._height}" viewBox="0 0 {self._width} '
                f'{self._height}" font-family="sans-serif" font-size="12" style="background:white">{"".join(self._parts)}</svg>')


def wide(low, high, least):
    """A range with room around, at least this wide."""
    room = max(least - (high - low), 0.12 * (high - low)) / 2
    return low - room, high + room


def axis_of_rows(told):
    """The axis of each row with its sigma, and the line through them."""
    rows = [row for row in told.rows if math.isfinite(row.axis) and math.isfinite(row.uncertainty)]
    if len(rows) < 2:
        return ""
    first, last = min(row.row for row in rows), max(row.row for row in rows)
    centre = (first + last) / 2
    near = [row.axis for row in rows if abs(row.axis - told.axis) < 5 * max(told.uncertainty * math.sqrt(len(rows)), 0.3) + abs(told.tilt) * (last - first)]
    ends = [told.axis + told.tilt * (row - centre) for row in (first, last)]
    low, high = min([*near, *ends]) - told.uncertainty, max([*near, *ends]) + told.uncertainty
    plot = Plot(wide(first, last, 4), wide(low, high, 0.2), "detector row", "axis / px")
    sigma = told.uncertainty
    plot.band([(first, ends[0] - sigma), (last, ends[1] - sigma), (last, ends[1] + sigma), (first, ends[0] + sigma)], ACCENT)
    plot.line([(first, ends[0]), (last, ends[1])], ACCENT)
    y_low, y_high = wide(low, high, 0.2)
    for row in rows:
        note = f"row {row.row:g}: {row.axis:.3f} ± {row.uncertainty:.3f} px"
        if y_low <= row.axis <= y_high:
            plot.mark(row.row, row.axis, INK, row.uncertainty, note)
        else:  # far off: at the edge
            plot.mark(row.row, min(max(row.axis, y_low), y_high), WARM, 0.0, note)
    return plot.svg()


def axis_of_curve(told):
    """A metric of the slice against the axis."""
    curve = told._facts.get("curve") or {}
    points = sorted((x, y) for x, y in zip(curve.get("axis", []), curve.get("value", [])) if y is not None and math.isfinite(y))
    if len(points) < 3:
        return ""
    xs, ys = zip(*points)
    low, high = wide(min(ys), max(ys), 1e-12)
    plot = Plot((xs[0], xs[-1]), (low, high), "axis / px", f"{curve.get('method', 'metric')} at row {curve.get('row', 0):g}")
    plot.curve(points, ACCENT)
    plot.line([(told.axis, low), (told.axis, high)], WARM, 1.5, "4 3")
    return plot.svg()


def axis(told):
    rows = [("axis", f"{told.axis:.3f} ± {told.uncertainty:.3f} px, at the middle row"),
            ("tilt", f"{told.tilt_degrees:.4f} ± {told.tilt_uncertainty_degrees:.4f} degrees"),
            ("method", f"{told.method}, {told.used_rows} of {len(told.rows)} rows"),
            ("axis of the scan", f"{told.axis_of_scan:.3f} px" if told.axis_of_scan is not None else ""),
            ("warning", told.warning or "")]
    return page(f'<div style="margin:0 20px 8px 0">{table(rows)}</div>', axis_of_rows(told), axis_of_curve(told))


# Slices
# ---------------------------------------------------------------------------------------------------------------------


def range_text(limits):
    return f"grey: {limits[0]:.4g} to {limits[1]:.4g}"


def volume(array, pixel_size=None):
    """The middle slice; of several, the planes across the middle as well."""
    array = np.asarray(array)
    about = f"{' × '.join(map(str, array.shape))}, {array.dtype}"
    if array.ndim == 2 or array.shape[0] == 1:
        image = array if array.ndim == 2 else array[0]
        limits = grey_range(thinned(image))
        return page(picture(image, limits, f"{about}; {range_text(limits)}", size_for(image.shape, LARGEST), image.shape[1], pixel_size))
    slices, rows, columns = array.shape
    planes = [(array[slices // 2], f"slice {slices // 2}"), (array[:, rows // 2], f"row {rows // 2} of all slices"),
              (array[:, :, columns // 2], f"column {columns // 2} of all slices")]
    limits = grey_range(thinned(planes[0][0]))
    side = max(rows, columns)
    figures = [picture(image, limits, caption, max(1, round(320 * image.shape[1] / side)), image.shape[1], pixel_size) for image, caption in planes]
    return f'<div style="{FONT};color:#666;margin-bottom:6px">{about}; {range_text(limits)}</div>' + page(*figures)


def file(name):
    image = name.image()
    limits = grey_range(thinned(image))
    return page(picture(image, limits, f"{name.location}, middle slice; {range_text(limits)}", size_for(image.shape, LARGEST)))


def sweep(told):
    """A slice for each value, all with one grey range, so that they can be compared."""
    limits = grey_range(*(thinned(image) for image in told.array))
    return page(*(picture(image, limits, f"{told.name} = {value}", size_for(image.shape, 220)) for value, image in zip(told.values, told.array)))
