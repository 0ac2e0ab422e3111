# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Descriptions of looks at a scan, as jobs run them: its images raw, as transmission, as absorption; sinograms; darks and flats;
slices. `configuration` has `values` of parameters and their `schema`, `facts` are those of tomo-reconstruct info --json."""

import math

from . import axis  # which wants this module in turn
from .parameters import scan_of

MODES = {"raw": "Raw", "transmission": "Transmission", "absorption": "Absorption"}
KINDS = {"projections": "Projections", "flats": "Flats", "flats-after": "Flats after", "darks": "Darks"}
FRAMES = 40        # of a film
FILM_WIDTH = 384   # most columns of its frames
MOST_BINNING = 16
MOST_BYTES = 64e6  # of all flats together

OF_LOGARITHM = ("absorptivity", "beam-hardening", "beam-hardening-order", "beam-hardening-attenuation", "delta")
# A parameter without an effect is refused, so a look takes those alone that have one.
SECTIONS = {"raw": {"scan"}, "transmission": {"scan", "flat-correction", "distortion-correction"},
            "absorption": {"scan", "flat-correction", "distortion-correction"}}

# That a look neither wants nor may be stopped by; the latter are refused where no slices are made.
PLAIN = {"overwrite": True, "format": "hdf5"}
PLAIN_SLICES = {"report": False, "picture": False, "pyramid": "no"}
NOT_FOR_LOOKS = ("output", "resume", "compression", "chunks", "output-parts", "output-bitdepth", "output-minimum", "output-maximum")
# Those that choose rows, which a look at one slice replaces.
OF_ROWS = {"y", "height", "y-step", "slice", "region"}


def modes(configuration, facts):
    """Those of MODES that say what is shown: without flats, or what stands for them, images stay as they are."""
    values = configuration.values
    has_beam = facts["flats"] or facts.get("flats-after") or facts.get("white-level") or values.get("white-level")
    is_corrected = has_beam and values.get("flat-correction") != "off"
    return tuple(MODES) if is_corrected or values.get("absorptivity") == "on" else ("raw",)


def plain(configuration, facts, mode):
    """The part of the settings that decides how an image of the detector looks."""
    values = {name: value for name, value in configuration.values.items()
              if configuration.schema[name]["x-section"] in SECTIONS[mode] or (mode != "raw" and name.startswith("outliers"))}
    if mode == "raw":
        values |= {"flat-correction": "off", "absorptivity": "off"}
        if any(finding["name"].startswith("shifts") for finding in facts["findings"]):
            values["shifts"] = "none"
    elif mode == "transmission":
        values = {name: value for name, value in values.items() if name not in OF_LOGARITHM} | {"absorptivity": "off"}
    else:
        values["absorptivity"] = "on"
        if "retrieval-method" in configuration.values:
            values |= {name: value for name, value in configuration.values.items()
                       if configuration.schema[name]["x-section"] == "retrieve-phase"}
    # Nobody looks for an axis, and no finding stops a look.
    return values | {"axis": facts["width"] / 2, "ignore": "all"}


def projections(configuration, facts, mode, start, number=1, step=1, binning=1):
    values = plain(configuration, facts, mode) | {"result": "projections", "start": start, "number": number, "step": step}
    return values | ({"binning": binning} if binning > 1 else {})


def sinogram(configuration, facts, mode, row):
    """Of a row of the detector; of absorption also without the stripes that the settings remove."""
    if facts["kind"] == "sinograms":
        return {"sinograms": scan_of(configuration.values), "result": "sinograms", "y": row, "height": 1, "ignore": "all"}
    values = plain(configuration, facts, mode) | {"result": "sinograms", "y": row, "height": 1}
    if mode == "absorption":
        values |= {name: value for name, value in configuration.values.items() if name.startswith("rings")}
    return values


def film(facts):
    """Number, step and binning of the projections of a film, which are evenly spread."""
    step = max(1, math.ceil(facts["projections"] / FRAMES))
    return math.ceil(facts["projections"] / step), step, binning_of(facts, facts["width"] / FILM_WIDTH)


def calibration_binning(facts, kind):
    """Of flats or darks, which are all read at once."""
    size = 4 * facts["width"] * facts["height"] * facts[kind]
    return binning_of(facts, math.sqrt(size / MOST_BYTES))


def binning_of(facts, wanted):
    return int(max(1, min(math.ceil(wanted), MOST_BINNING, facts["height"], facts["width"])))


def calibration(configuration, kind, binning=1):
    """A dataflow that reads flats or darks as they are, or squares of their pixels added up."""
    values = configuration.values
    names = {"scan": "location", "projections": "location", "entry": "entry", "detector": "detector", "darks": "darks", "flats": "flats",
             "flats2": "flats-after"}
    source = {"plugin": "scan-src", "name": "scan",
              "properties": {key: values[name] for name, key in names.items() if values.get(name)}}
    reduced = [{"plugin": "bin", "name": "bin", "properties": {"size": binning}}] if binning > 1 else []
    edges = [{"from": {"name": "scan", "output": kind}, "to": {"name": "bin" if reduced else "images", "input": 0}}]
    if reduced:
        edges.append({"from": {"name": "bin"}, "to": {"name": "images", "input": 0}})
    return {"nodes": [source, *reduced], "edges": edges}


def angle_text(angles, number):
    """Of a projection, by the first angle and the step; "" where nobody knows them."""
    return f"{math.degrees(angles[0] + number * angles[1]):.1f}°" if angles else ""


def caption(facts, values, kind, mode, number, is_exact=True):
    """What is said below an image: Projection 3 of 0 … 90, 6.0°, transmission."""
    if kind in ("sinogram", "sinograms"):
        return f"Sinogram of row {number}"
    reduced = "" if is_exact else ", reduced"
    if kind != "projections":
        return f"{KINDS[kind].rstrip('s') if ' ' not in kind else kind} {number} of 0 … {facts[kind] - 1}, raw{reduced}"
    angle = angle_text(axis.per_projection(facts, values), number)
    return f"Projection {number} of 0 … {facts['projections'] - 1}" + (f", {angle}" if angle else "") + f", {mode}{reduced}"


def slice_of(values, facts, row):
    """A look at the slice of a detector row."""
    values = {name: value for name, value in values.items() if name not in OF_ROWS | {"sweep", "result"}}
    rows = max(1, int(values.get("binning", 1)))
    return {**values, "y": max(0, min(row, facts["height"] - rows)), "height": rows}


def whole(description, file):
    """The description of a look with the name of its result."""
    plain_values = {name: value for name, value in description.items() if name not in NOT_FOR_LOOKS}
    of_slices = PLAIN_SLICES if plain_values.get("result", "slices") == "slices" else {}
    return {**plain_values, **PLAIN, **of_slices, "output": file}


def whole_flow(description, file):
    """The same of a dataflow without a writer, one of whose nodes leads to 'images'."""
    writer = {"plugin": "write", "name": "images", "properties": {"filename": f"{file}:/entry/data/data"}}
    return {**description, "nodes": [*description["nodes"], writer]}
