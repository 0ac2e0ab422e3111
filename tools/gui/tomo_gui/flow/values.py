# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Values of properties as text, and back, checked against what tomo-query tells of a property."""

import json
import math


class Wrong(ValueError):
    """A text that is no value of the property, and what is wanted."""


def shown(info, value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(shown(info, one) for one in value)
    if isinstance(value, dict):
        return json.dumps(value)
    return repr(value) if isinstance(value, float) and not value.is_integer() else f"{value:.15g}" if isinstance(value, float) else str(value)


def parsed(info, text):
    """The value in JSON; None where it is the default. Raises Wrong."""
    text = text.strip()
    kind = info["type"]
    if text == shown(info, info["default"]) or (not text and kind != "string"):
        return None  # also what no other text can mean, such as NaN
    value = _READERS.get(kind, _text)(info, text)
    return None if value == info["default"] and not isinstance(value, bool) or value is info["default"] else value


def _text(info, text):
    return text


def _boolean(info, text):
    if text.lower() not in ("true", "false", "yes", "no", "1", "0"):
        raise Wrong("wanted true or false")
    return text.lower() in ("true", "yes", "1")


def _integer(info, text):
    try:
        value = int(text)
    except ValueError:
        raise Wrong(f"wanted {info['values']}") from None
    return _within(info, value)


def _number(info, text):
    try:
        value = float(text)
    except ValueError:
        raise Wrong(f"wanted {info['values']}") from None
    if not math.isfinite(value):
        raise Wrong(f"wanted {info['values']}")
    return _within(info, value)


def _within(info, value):
    ranges = [*info.get("automatic", ()), {"minimum": info.get("minimum", -math.inf), "maximum": info.get("maximum", math.inf)}]
    if not any(one.get("minimum", -math.inf) <= value <= one.get("maximum", math.inf) for one in ranges):
        raise Wrong(f"wanted {info['values']}")
    return value


def _choice(info, text):
    names = [choice["name"] for choice in info["choices"]]
    if text not in names:
        raise Wrong(f"wanted one of {', '.join(names)}")
    return text


def _list(info, text):
    try:
        value = json.loads(text if text.startswith("[") else f"[{text}]")
    except ValueError:
        raise Wrong(f"wanted {info['values']}, with commas between") from None
    if not all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in value) and "number" in info["values"]:
        raise Wrong(f"wanted {info['values']}, with commas between")
    return value


_READERS = {"boolean": _boolean, "integer": _integer, "number": _number, "enum": _choice, "array": _list}
