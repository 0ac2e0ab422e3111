# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The bar that says how long a length is in the picture."""

import math

from ._qt import QtCore, QtGui, HALO, ON_SURROUND

_UNITS = ((1.0, "m"), (1e-3, "mm"), (1e-6, "\N{MICRO SIGN}m"), (1e-9, "nm"))


def unit_of(metres):
    """The unit that suits a length: its size in metres, and its name."""
    return next(((size, unit) for size, unit in _UNITS if abs(metres) >= size * 0.9995), _UNITS[-1])


def length_text(metres, digits=3):
    """A length in the unit that suits it: 0.00125 is 1.25 mm."""
    size, unit = unit_of(metres)
    return f"{metres / size:.{digits}g} {unit}" if metres else "0 m"


def bar(samples, pixel_size=None):
    """A round length of at most so many samples: its number of samples and its text; in pixels where no size is known."""
    most = samples * (pixel_size or 1)
    if not most > 0:
        return 0, ""
    power = 10.0 ** math.floor(math.log10(most))
    length = next(power * step for step in (5, 2, 1) if power * step <= most * (1 + 1e-9))
    if pixel_size is None and length < 1:
        return 0, ""
    return length / (pixel_size or 1), length_text(length) if pixel_size else f"{length:.0f} px"


def paint(painter, scale, pixel_size, width, height, size=1.0, left=12, bottom=12):
    """Draws it in the lower left corner of a picture of width x height pixels, where a sample has `scale` of them; `size`
    enlarges text and lines. Returns where it ends at the right; it is left out, and that is 0, where it has no room."""
    samples, text = bar(min(width / 4, 160 * size) / scale, pixel_size)
    if not samples:
        return 0
    font = painter.font()
    font.setPixelSize(round(12 * size))
    painter.setFont(font)
    metrics = painter.fontMetrics()
    length, thick = samples * scale, 3 * size
    across = max(length, metrics.horizontalAdvance(text))
    high = metrics.height() + thick + 2 * size
    top, left = height - bottom * size - high, left * size
    if left + across + 4 * size > width or top < 4 * size:
        return 0
    painter.fillRect(QtCore.QRectF(left - 4 * size, top - 3 * size, across + 8 * size, high + 7 * size), HALO)
    painter.setPen(ON_SURROUND)
    painter.drawText(QtCore.QPointF(left + (across - metrics.horizontalAdvance(text)) / 2, top + metrics.ascent()), text)
    painter.fillRect(QtCore.QRectF(left + (across - length) / 2, top + high - thick, length, thick), QtGui.QColor(ON_SURROUND))
    return left + across + 4 * size
