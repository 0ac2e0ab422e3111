# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The parameters of a reconstruction as a browser sends them. GstTomo.Reconstruction decides what is right."""

import functools
import json
import os
import re

import gi

gi.require_version("GstTomo", "1.0")
from gi.repository import GLib, GstTomo  # noqa: E402
from gsttomo.faces.parameters import FILES, NOT_IN_FORM, text_of  # noqa: E402

from .errors import Forbidden, Invalid, Refusal, Unknown  # noqa: E402

# Names of files, which a browser gives as places. Some take other things as well: see _is_no_file().
PLACES = frozenset({"darks", "flats", "flats2", "angles", "shifts", "initial", "mask", "stitch", "detector-linearity", "beam-hardening",
                    "distortion"})
LISTS = frozenset({"stitch"})  # of several places, with commas between them
NUMBERS = frozenset({"detector-linearity", "beam-hardening", "distortion"})  # a polynomial, or a file that it is made of
WORDS = {"shifts": ("none", "align")}
# That the server decides: which scan, where results go and as what, and what they may take.
OF_SERVER = FILES | PLACES | NOT_IN_FORM | {"output", "overwrite", "format", "device-memory", "memory", "picture", "report", "cluster",
                                         "cluster-slab", "cluster-patience"}
REFUSED = OF_SERVER - PLACES

LONGEST = 4096  # characters of a text
LINE = re.compile(r"[^\x00-\x1f\x7f]*")  # within a line of reco.conf, nothing is another parameter
PATTERN = re.compile(r"[*?\[\]%]")       # what the programs read as a pattern of several names
DATASET = re.compile(r"(?P<file>[^:]+)(?P<dataset>:/[\w/ .-]+)?")


@functools.lru_cache(maxsize=None)
def schema():
    """All parameters in their order, each as JSON schema has it."""
    return json.loads(GstTomo.Reconstruction.get_schema())["properties"]


class Configuration:
    """As gsttomo.faces.looks wants one."""

    def __init__(self, values):
        self.values, self.schema = values, schema()


def checked(values, allowed=frozenset()):
    """The values as the library writes them, without those that have their defaults; texts are read as in a form. Raises Forbidden
    for names of OF_SERVER that are not `allowed`, Invalid with the field that is wrong."""
    if not isinstance(values, dict):
        raise Invalid("settings are an object", "settings")
    reconstruction = GstTomo.Reconstruction.new(None)
    for name, value in values.items():
        _set(reconstruction, name, value, allowed)
    return json.loads(reconstruction.get_parameters())


def resolved(values, folders):
    """The same of values whose files are places: with their paths, for programs. Raises as checked() and Folders.path() do."""
    return with_paths(checked(values, PLACES), folders)


def with_paths(values, folders):
    """Checked values with paths in place of places."""
    return {name: path_text(name, value, folders) if name in PLACES else value for name, value in values.items()}


def sorted_out(values, folders):
    """Those values that are right, and sentences about the others by their names."""
    right, problems = {}, {}
    for name, value in values.items():
        try:
            one = checked({name: value}, PLACES)
            with_paths(one, folders)
            right |= one
        except Refusal as e:
            problems[name] = e.text
    return right, problems


def with_places(values, folders):
    """Values of a reco.conf as a browser may have them, and the names of those that are left out: files that are in no folder, and
    what the server decides."""
    kept, left_out = {}, []
    for name, value in values.items():
        if name in PLACES and not _is_no_file(name, value):
            value = ",".join(_place_text(part, folders) or "" for part in (value.split(",") if name in LISTS else [value]))
        try:
            resolved({name: value}, folders)
            kept |= checked({name: value}, PLACES)
        except Refusal:
            left_out.append(name)
    return kept, left_out


def save(values, path):
    """Writes a reco.conf."""
    reconstruction = GstTomo.Reconstruction.new(None)
    try:
        reconstruction.set_parameters(json.dumps(values))
        reconstruction.save_configuration(str(path))
    except GLib.Error as e:
        raise Invalid(e.message) from None


def load(path, name):
    """Values of a reco.conf, which people know by this name. Raises Invalid."""
    reconstruction = GstTomo.Reconstruction.new(None)
    try:
        reconstruction.load_configuration(str(path))
    except GLib.Error as e:
        raise Invalid(e.message.replace(str(path), name)) from None
    return json.loads(reconstruction.get_parameters())


def field_in(text):
    """Name of the first parameter that a sentence is about, or None."""
    return next((word for word in re.findall(r"[a-z][a-z0-9-]*", text) if word in schema() and ("-" in word or text.startswith(word))), None)


def _set(reconstruction, name, value, allowed):
    if not isinstance(name, str) or name not in schema():
        raise Invalid(f"there is no parameter '{str(name)[:100]}'", str(name)[:100])
    if name in OF_SERVER and name not in allowed:
        raise Forbidden(f"{name} is set by the server", name)
    set_one(reconstruction, schema(), name, value)


def set_one(made, known, name, value):
    """Sets a parameter of an object that has the schema `known`. Raises Invalid with the field that is wrong."""
    if not isinstance(value, (str, int, float, bool)):
        raise Invalid(f"{name}: wanted a text, a number, true or false", name)
    if isinstance(value, str) and (len(value) > LONGEST or not LINE.fullmatch(value)):
        raise Invalid(f"{name}: wanted one line of at most {LONGEST} characters", name)
    if value == "":
        return  # the default
    try:
        if isinstance(value, str) or known[name]["type"] == "string":
            made.set_parameter(name, text_of(value))
        else:
            made.set_parameters(json.dumps({name: value}))  # all digits of a number
    except (GLib.Error, UnicodeEncodeError) as e:
        raise Invalid(getattr(e, "message", f"{name}: wanted characters of UTF-8"), name) from None


def _is_no_file(name, value):
    """Whether a parameter that may name a file has something else: numbers, or a word."""
    if value in WORDS.get(name, ()):
        return True
    try:
        return name in NUMBERS and all(float(part) is not None for part in value.split(","))
    except ValueError:
        return False


def path_text(name, value, folders):
    """The path of a place that a parameter has, or its value where it names no file. Raises Refusal with the field."""
    if _is_no_file(name, value):
        return value
    try:
        return ",".join(_path_of(part, folders) for part in (value.split(",") if name in LISTS else [value]))
    except Refusal as e:
        raise type(e)(f"{name}: {e.text}", name) from None


def _path_of(text, folders):
    """The path of a place, behind which :/DATASET may stand."""
    parts = DATASET.fullmatch(text.strip())
    if not parts:
        raise Invalid("a place is FOLDER/PATH/WITHIN, or with a dataset FOLDER/FILE.h5:/NAME")
    path = folders.path(parts["file"])
    if PATTERN.search(str(path)) or "," in str(path) or ":" in str(path):
        raise Invalid("names with * ? [ ] % , : can't be used here")
    if path.is_dir() and any(entry.is_symlink() and not folders.place(entry.path) for entry in os.scandir(path)):
        raise Unknown(f"{text} has files that are not there")
    return str(path) + (parts["dataset"] or "")


def _place_text(text, folders):
    parts = DATASET.fullmatch(text.strip())
    place = folders.place(parts["file"]) if parts and os.path.isabs(parts["file"]) else None
    return place + (parts["dataset"] or "") if place else None
