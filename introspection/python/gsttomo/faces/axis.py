# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a scan's facts say about its axis: views half a turn apart, tilt, parameters that can be compared; and what methods say that
looked for it."""

import math

from . import looks
from .parameters import TO_FIND_AXIS

# As tomo-reconstruct compares slices; it refuses others.
SWEPT_SECTIONS = ("flat-correction", "cleaning", "retrieve-phase", "reconstruction")
NOT_SWEPT = {"air", "crop-width", "sweep"}
SURE = 3.0       # uncertainties that two methods may be apart
SMALL = 0.5      # pixels
MOST_COLUMNS = 1024  # of a slice in a mosaic
MOST_SLICES = 25     # of a mosaic
WITHOUT_SEARCH = ("scan", "middle")  # methods that look at nothing


def per_projection(facts, values):
    """Angle of the first projection of the file and the step from each to the next one, in radians. The facts are those of the
    views that are used, which start and step in the values choose. None where nobody knows, or steps are not even."""
    if "angle-first" not in facts or not facts.get("steps-are-even", True) or facts.get("views", facts["projections"]) < 2:
        return None
    views = facts.get("views", facts["projections"])
    step = (facts["angle-last"] - facts["angle-first"]) / (views - 1) / max(1, values.get("step", 1))
    return facts["angle-first"] - values.get("start", 0) * step, step


def opposite(facts, values=None):
    """How many views lie between two that look along one line from both sides, and the degrees between them; None where the
    scan has no such views, or nobody knows which these are. Of uneven steps the facts tell the first and the last angle alone."""
    if "angle-first" not in facts or facts["projections"] < 2:
        return None
    most = facts["projections"] - 1
    if not facts.get("steps-are-even", True):
        turn = abs(facts["angle-last"] - facts["angle-first"])
        is_half = abs(turn - math.pi) < 0.05 * math.pi and facts.get("views", most + 1) == most + 1
        return (most, math.degrees(turn)) if is_half else None
    angles = per_projection(facts, values or {})
    if not angles or not angles[1]:
        return None
    step = abs(angles[1])
    apart = min(round(math.pi / step), most)
    return (apart, math.degrees(apart * step)) if apart * step > 0.95 * math.pi else None


def why_not_opposite(facts):
    if "angle-first" in facts and not facts.get("steps-are-even", True):
        return "Angles are not even: which views are half a turn apart is not known. Compare slices."
    if "angle-first" not in facts:
        return "The angles are not known: no two views are known to be half a turn apart. Compare slices."
    return f"The views cover {covered(facts):.4g}°: no two are half a turn apart. Compare slices."


def covered(facts):
    return math.degrees(abs(facts.get("angle-last", 0.0) - facts.get("angle-first", 0.0)))


def doubt(facts, values):
    """Why mirrored views can't lie over each other in this geometry; "" where they can."""
    if values.get("geometry") == "lamino" or values.get("axis-angle-x"):
        return "The axis is tilted along the beam: mirrored views do not fit. Compare slices."
    if values.get("geometry") == "parallel":
        return ""
    is_cone = values.get("geometry") == "cone" or "source-position-y" in values or any(f["name"] == "cone-beam" for f in facts["findings"])
    return "The beam diverges: mirrored views fit at the axis alone. Compare slices." if is_cone else ""


def middle_row(facts):
    return (facts["height"] - 1) // 2


def tilt(upper, lower):
    """Degrees of the roll, and the axis in the middle row, of two pairs of row and axis. Rows are counted at their centres."""
    (row_1, axis_1), (row_2, axis_2) = upper, lower
    return math.degrees(math.atan2(axis_2 - axis_1, row_2 - row_1))


def axis_at(row, upper, lower):
    (row_1, axis_1), (row_2, axis_2) = upper, lower
    return axis_1 + (axis_2 - axis_1) * (row - row_1) / (row_2 - row_1)


def swept(schema):
    """Names of the parameters whose slices can be compared."""
    names = ["axis", "offset", *(name for name, about in schema.items() if about["x-section"] in SWEPT_SECTIONS and name not in NOT_SWEPT)]
    return [name for name in names if schema[name].get("type") != "string" or "enum" in schema[name] or schema[name].get("x-level") == "basic"]


def values_of(about, at=None):
    """A proposal for a sweep, as it is written behind NAME=."""
    if "enum" in about:
        return ",".join(about["enum"])
    if about["type"] == "boolean":
        return "false,true"
    if at is not None:
        return range_text(at, 1.0, 4)
    if about["type"] == "integer":
        least = max(1, int(about.get("minimum", 1)))
        return f"{least}:{least + 8}:2"
    known = about.get("default", 1.0)
    known = known if isinstance(known, (int, float)) and 0 < abs(known) < 1e9 else 1.0
    return f"{known / 2:.4g},{known:.4g},{known * 2:.4g},{known * 4:.4g}"


def range_text(middle, step, either_side):
    return f"{middle - either_side * step:.10g}:{middle + either_side * step:.10g}:{step:.10g}"


def scaled(text, factor, middle=None):
    """As many values as a range has, closer together or further apart, around the middle, else around that of the range. None for
    what is no range."""
    try:
        begin, end, step = (float(part) for part in text.split(":"))
        either_side = max(1, round((end - begin) / step / 2))
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return range_text((begin + end) / 2 if middle is None else middle, float(f"{step * factor:.2g}"), either_side)


def sweep_of(values, facts, name, sweep, row, is_of_two=False):
    """A look at slices of a row for several values of a parameter, as they are written behind NAME=. Of two rows, which tell a tilt,
    none is turned upright."""
    values = {**looks.slice_of(values, facts, row), "sweep": f"{name}={sweep}"}
    if name == "axis":
        for other in (*TO_FIND_AXIS, *(["roll"] if is_of_two else ())):
            values.pop(other, None)
    if facts["width"] // values.get("binning", 1) > MOST_COLUMNS and "crop-width" not in values:
        values["crop-width"] = MOST_COLUMNS
    values.pop(name, None)
    return values


def known(answer):
    """Without the numbers that nobody knows."""
    return {key: value for key, value in answer.items() if value is not None}


def answers_of(method, answer, kept=()):
    """Answers by their methods of what tomo-reconstruct estimate --json says; auto tells those of several, of which others are
    kept as they are. Of a method that found nothing, `failure` says why."""
    others = {one["method"]: known(one) for one in answer.get("methods", ()) if one["method"] != method and one["method"] not in kept}
    return {method: known(answer), **others}


def agreement(found):
    """What the answers of methods together say about the axis: (text, tone)."""
    best = found.get("auto", {})
    if best.get("warning"):
        return f"⚠ {best['warning']}", "warning"
    text, tone = judge({name: (one["axis-px"], one["uncertainty-px"]) for name, one in found.items()
                        if {"axis-px", "uncertainty-px"} <= one.keys() and name != "auto"})
    if text and best.get("used-rows", 0) < len(best.get("rows", ())):
        text += f". {best['used-rows']} of {len(best['rows'])} rows count"
    return text, tone


def judge(found):
    """Whether methods agree: (text, tone) about pairs of axis and uncertainty by the names of their methods."""
    if len(found) < 2:
        return "", ""
    names = sorted(found, key=lambda name: found[name][0])
    least, most = names[0], names[-1]
    apart = found[most][0] - found[least][0]
    allowed = max(SMALL, SURE * max(found[least][1], found[most][1]))
    if apart > allowed:
        return f"⚠ {least} and {most} disagree by {apart:.1f} px: look at the overlay or a mosaic", "warning"
    return f"✓ The methods agree within {max(apart, 0.01):.2f} px", "good"
