# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parameters of a reconstruction as attributes of a device, by the schema of GstTomo.Reconstruction."""

import json
import math
import threading

import gi
import tango
from tango.server import attribute

gi.require_version("GstTomo", "1.0")
from gi.repository import GLib, GstTomo  # noqa: E402

TYPES = {"number": float, "integer": int, "boolean": bool, "string": str, "numbers": (float,)}
MOST_NUMBERS = 1 << 17


def schema():
    return json.loads(GstTomo.Reconstruction.get_schema())["properties"]


def attribute_name(name):
    return name.replace("-", "_")


class Values:
    """By name. Threads change them one after the other, and each change is checked together with the others."""

    def __init__(self, check):
        self.all, self._check, self._turn = {}, check, threading.Lock()

    def set(self, name, value):
        """An empty text or list means: none. Raises what the check raises."""
        with self._turn:
            changed = {key: one for key, one in self.all.items() if key != name}
            if value not in ("", []):
                changed[name] = value
            self._check(changed)
            self.all = changed

    def replace(self, values):
        """By values that are checked."""
        with self._turn:
            self.all = values


def check(description):
    """Raises ValueError for a configuration with parameters that are wrong."""
    if "nodes" in description:
        raise ValueError("the description is a dataflow, which has no parameters")
    reconstruction = GstTomo.Reconstruction.new(None)
    try:
        reconstruction.set_parameters(json.dumps(description))
    except GLib.Error as e:
        raise ValueError(e.message) from None


def attributes_of(name, described, getter, setter):
    """The attribute of a parameter."""
    options = {"label": name, "doc": described["description"], "unit": described.get("x-unit", "")}
    if "enum" in described:
        options["doc"] += ". One of " + ", ".join(described["enum"])
    for key, bound in (("minimum", "min_value"), ("maximum", "max_value")):
        if key in described and described["type"] in ("number", "integer") and is_bound(described[key], described["type"]):
            options[bound] = described[key]
    if described["type"] == "numbers":
        options["max_dim_x"] = MOST_NUMBERS
    return attribute(name=attribute_name(name), dtype=TYPES[described["type"]], access=tango.AttrWriteType.READ_WRITE, fget=getter,
                     fset=setter, **options)


def is_bound(value, kind):
    return -2**63 < value < 2**63 if kind == "integer" else abs(value) < 1e300


def read(name, described, description):
    """The value with its quality: one that is found by itself is not valid."""
    value = description.get(name, described.get("default"))
    kind = TYPES[described["type"]]
    if value is None:
        return (math.nan if kind is float else kind()), tango.AttrQuality.ATTR_INVALID
    return kind(value), tango.AttrQuality.ATTR_VALID
