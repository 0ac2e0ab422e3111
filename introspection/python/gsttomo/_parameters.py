# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parameters of a reconstruction as keyword arguments of Python, by the schema of GstTomo.Reconstruction."""

import functools
import inspect
import json
import keyword
import os
import textwrap

from gi.overrides.GstTomo import to_plain
from gi.repository import GstTomo

from ._flow import or_rather


@functools.lru_cache(maxsize=None)
def schema():
    return json.loads(GstTomo.Reconstruction.get_schema())["properties"]


def python_name(name):
    name = name.replace("-", "_")
    return name + "_" if keyword.iskeyword(name) else name


def name_of(keyword_argument, function):
    """The parameter that a keyword argument names. Raises TypeError with the nearest name."""
    name = keyword_argument.rstrip("_").replace("_", "-")
    if name not in schema():
        names = [python_name(n) for n in schema()]
        near = or_rather(keyword_argument, names, "help() of the function lists all").replace("-", "_")
        raise TypeError(f"{function}() has no parameter '{keyword_argument}'{near}")
    return name


def plain_value(name, value):
    """The value as JSON has it."""
    value = to_plain(value)
    choices = schema()[name].get("enum", ())
    if isinstance(value, bool) and "on" in choices and "off" in choices:
        return "on" if value else "off"
    if schema()[name]["type"] == "string" and isinstance(value, (list, tuple)) and value and all(
            isinstance(one, (int, float, str, os.PathLike)) for one in value):
        return ",".join(os.fspath(one) if isinstance(one, os.PathLike) else str(one) for one in value)
    if not isinstance(value, (bool, int, float, str, list)) and hasattr(value, "__float__"):
        return float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and schema()[name]["type"] == "string":
        return str(value)  # such as memory in bytes
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def value_of(name, text):
    """A value that the library wrote."""
    of_python = {"number": float, "integer": int, "boolean": lambda word: word == "true"}
    return of_python.get(schema()[name]["type"], str)(text)


def kind_of(name):
    """In a few words: type, unit, range or choices."""
    about = schema()[name]
    if "enum" in about:
        return " | ".join(map(str, about["enum"]))
    unit = f" in {about['x-unit']}" if about.get("x-unit") else ""
    return f"{about['type']}{unit}"


def default_of(name):
    """Of the keyword argument: None where the scan or the machine decides."""
    about = schema()[name]
    return None if about.get("x-automatic") else about.get("default")


def listing(left_out):
    """All parameters by their sections, for a docstring."""
    lines, section = [], None
    for name, about in schema().items():
        if python_name(name) in left_out:
            continue
        if about.get("x-section") != section:
            section = about.get("x-section")
            lines += ["", f"{(section or 'other').replace('-', ' ').capitalize()}:"]
        default = about.get("x-automatic") or about.get("default")
        said = f"{python_name(name)}: {about['description']} ({kind_of(name)}; default {default!r})" if not about.get(
            "x-automatic") else f"{python_name(name)}: {about['description']} ({kind_of(name)}; default: {default})"
        lines += textwrap.wrap(said, 110, initial_indent="    ", subsequent_indent="        ")
    return "\n".join(lines)


def documented(function):
    """With all parameters in signature and docstring, for help() and completion."""
    own = inspect.signature(function).parameters
    fixed = [p for p in own.values() if p.kind != p.VAR_KEYWORD]
    names = {p.name for p in fixed} | {"scan"} | ({"sweep"} if function.__name__ == "sweep" else set())
    of_scan = ["darks", "flats", "angles", "axis", "output"]
    order = sorted(schema(), key=lambda name: of_scan.index(name) if name in of_scan else len(of_scan))
    function.__signature__ = inspect.Signature(fixed + [
        inspect.Parameter(python_name(name), inspect.Parameter.KEYWORD_ONLY, default=default_of(name))
        for name in order if python_name(name) not in names])
    arrays = ("projections, darks, flats, flats2, sinograms, angles, shifts, initial and mask may be arrays as well as names of "
              "files.")
    function.__doc__ = f"{inspect.cleandoc(function.__doc__)}\n\n{arrays}\n{listing(names)}\n"
    return function
