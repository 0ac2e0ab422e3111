# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parameters of a reconstruction as Concert knows them: its names, types and units, and those that it gives when they are not set."""

import math

from tango import AttrQuality

from . import parameters
from .recording import METRICS

# Those that the stream tells, or that the device chooses itself.
SECTIONS_OF_FILES = ("scan", "stitching", "output")
OTHERS = {"y", "height", "y-step", "slice", "turns", "turn-degrees", "turn-step-degrees", "sweep", "axis", "axis-index", "start"}
KEPT = {"ignore"}

LISTS = {"propagation-distance", "center-position-x", "center-position-z", "x-region", "y-region", "region"} | {
    f"{what}-{which}" for what in ("source-position", "detector-position", "detector-angle", "axis-angle", "volume-angle") for which in "xyz"}
SWITCHES = {"absorptivity"}  # of on and off

# As in Concert, where they differ from those of tomo-reconstruct.
DEFAULTS = {"absorptivity": False, "region": [0.0, 1.0, 1.0], "x-region": [0.0, -1.0, 1.0], "y-region": [0.0, -1.0, 1.0]}


def is_angle(name):
    """Concert has these in radians."""
    return "-angle-" in name or name == "overall-angle"


class Arguments:
    """The values of one device, kept as Concert has them."""

    def __init__(self):
        self._schema = {name: described for name, described in parameters.schema().items()
                        if name in KEPT or not (described["x-section"] in SECTIONS_OF_FILES or name in OTHERS)}
        self._values = parameters.Values(lambda values: parameters.check(described_as(values)))
        self.slice_metric = ""

    @property
    def z_parameters(self):
        return self._schema["z-parameter"]["enum"]

    @property
    def number(self):
        """Of projections; None: all that come."""
        return self._values.all.get("number") or None

    def described(self):
        """Name and description of each, as an attribute has them."""
        for name, described in self._schema.items():
            kind = "numbers" if name in LISTS else "boolean" if name in SWITCHES else described["type"]
            bounds = () if kind == described["type"] else ("enum", "minimum", "maximum")
            yield name, {key: one for key, one in described.items() if key not in bounds} | {
                "type": kind, "x-unit": "rad" if is_angle(name) else described.get("x-unit", "")}

    def read(self, name):
        """The value and its quality, which is invalid for one that is found by itself."""
        if name in (values := {**DEFAULTS, **self._values.all}):
            return values[name], AttrQuality.ATTR_VALID
        return ([], AttrQuality.ATTR_INVALID) if name in LISTS else parameters.read(name, self._schema[name], {})

    def write(self, name, value):
        """An empty text or list means: by itself, or as Concert has it. Raises ValueError."""
        self._values.set(name, list(map(float, value)) if name in LISTS else value)

    def set_slice_metric(self, metric):
        if metric and metric not in METRICS:
            raise ValueError(f"slice_metric does not take '{metric}'; it takes {', '.join(METRICS)}, and an empty text for slices")
        self.slice_metric = metric

    def configuration(self, columns, **changes):
        """For a job about images with so many columns."""
        values = {**DEFAULTS, **self._values.all, **changes}
        values.pop("number", None)  # as many as there are in the file
        for name in ("x-region", "y-region"):
            if values[name][1] == -1:  # all of the image, and upwards, as in Concert
                values[name] = [-(columns // 2), columns - columns // 2, 1]
        if values.get("z-parameter", "z") == "z":
            values.pop("z", None)  # region tells the heights
        if "retrieval-method" not in values and {"energy", "propagation-distance"} <= set(values):
            values["retrieval-method"] = "tie"
        return described_as(values)

    def search(self, columns, parameter, region, z):
        """The configuration that makes a slice for each value of a parameter. Raises ValueError."""
        configuration = self.configuration(columns, **{"z-parameter": parameter, "region": region, "z": z})
        parameters.check(configuration)
        return configuration


def described_as(values):
    """As a configuration has them."""
    return {name: converted(name, value, values.get("z-parameter", "z")) for name, value in values.items()
            if not (name == "source-position-y" and math.isinf(value[0]))}  # where Concert has the source of a parallel beam


def converted(name, value, z_parameter):
    if name in SWITCHES:
        return "on" if value else "off"
    is_in_radians = is_angle(z_parameter if name == "region" else name)
    if name in LISTS:
        return ",".join(repr(math.degrees(one) if is_in_radians else float(one)) for one in value)
    return math.degrees(value) if is_in_radians else value
