# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What parameters are for, and how people write them."""

import re
import shlex

# Parameters of the tool that a place sets by itself, and no person in the form.
NOT_IN_FORM = {"sweep", "result", "resume"}
# Whose values are names of files.
FILES = {"scan", "projections", "darks", "flats", "flats2", "sinograms", "angles", "shifts", "initial", "mask"}
# Of sections, in their order.
TITLES = {"scan": "Scan", "stitching": "Stitching of heights", "reading": "Reading", "flat-correction": "Flat field", "cleaning": "Cleaning",
          "distortion-correction": "Distortion of the lens", "retrieve-phase": "Phase", "shifts": "Shifts", "axis": "Axis", "angles": "Angles",
          "general-reconstruction": "Geometry", "reconstruction": "Reconstruction", "output": "Output", "machine": "Computer"}
# Parameters that decide how a scan is read.
OF_SCAN = {"scan", "entry", "detector", "projections", "darks", "flats", "flats2", "sinograms", "angles", "angle", "angle-step-degrees",
           "range-degrees", "overall-angle", "offset", "start", "number", "step", "stitch", "turns", "white-level"}
# Parameters that belong to one scan alone.
OF_ONE_SCAN = ("entry", "detector", "axis", "axis-index", "axis-range", "roll", "y", "height", "region", "shifts", "turns", "angles", "start",
               "number", "stitch", "sinograms", "projections", "darks", "flats", "flats2", "output", "air", "ignore")
# Refused beside a given axis.
TO_FIND_AXIS = ("axis-index", "axis-method", "axis-range", "axis-metric", "axis-rows")
# Settings that change no pixel of a slice.
FOR_RESULTS = {"output", "format", "chunks", "output-bitdepth", "output-minimum", "output-maximum", "compression", "output-parts", "pyramid",
               "report", "picture", "overwrite", "resume", "ignore", "memory", "cluster", "cluster-slab", "cluster-patience"}
# Sections of the settings that decide what methods see, and what does not although it is in one of these.
OF_ESTIMATES = ("scan", "stitching", "reading", "flat-correction", "cleaning", "distortion-correction", "retrieve-phase", "shifts", "axis", "angles",
                "general-reconstruction", "reconstruction")
NOT_OF_ESTIMATES = ("axis", "axis-index", "axis-method", "roll", "y", "height", "y-step", "slice", "sweep", "crop-width", "region")


def scan_of(values):
    """Name of the scan, or of what stands for it; "" where there is none."""
    return next((values[name] for name in ("scan", "projections", "sinograms") if values.get(name)), "")


def text_of(value):
    """As a field shows it and set() takes it."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else format(value, ".12g") if isinstance(
        value, float) else str(value)


def hint_of(about):
    """What the default stands for."""
    return about.get("x-automatic") or text_of(about.get("default", ""))


def command_of(description):
    """The line of a shell that does the same."""
    values = dict(description)
    scan = values.pop("scan", None)
    words = ["tomo-reconstruct", *([scan] if scan else []), *(f"--{name}={text_of(value)}" for name, value in values.items())]
    return shlex.join(words)


def parameters_in(advice, schema):
    """Names of the parameters that an advice tells to set, each once."""
    return list(dict.fromkeys(name for name in re.findall(r"--([a-z][a-z0-9-]*)", advice) if name in schema))
