# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The parameters of a reconstruction as a browser sends them. GstTomo.Reconstruction decides what is right."""

import functools
import json

import gi

gi.require_version("GstTomo", "1.0")
from gi.repository import GLib, GstTomo  # noqa: E402
from gsttomo.faces.parameters import FILES, text_of  # noqa: E402

from .errors import Forbidden, Invalid  # noqa: E402

# That the server decides: where results go, and what runs.
OF_SERVER = FILES | {"output", "overwrite", "resume", "device-memory", "memory", "picture", "report"}


@functools.lru_cache(maxsize=None)
def schema():
    """All parameters in their order, each as JSON schema has it."""
    return json.loads(GstTomo.Reconstruction.get_schema())["properties"]


class Configuration:
    """As gsttomo.faces.looks wants one."""

    def __init__(self, values):
        self.values, self.schema = values, schema()


def checked(values, allowed=frozenset()):
    """The values as the library writes them, without those that have their defaults. Raises Forbidden for names of OF_SERVER that
    are not `allowed`, Invalid with the field that is wrong."""
    if not isinstance(values, dict):
        raise Invalid("settings are an object", "settings")
    for name, value in values.items():
        if name in OF_SERVER and name not in allowed:
            raise Forbidden(f"{name} is set by the server", name)
        if not isinstance(value, (str, int, float, bool)):
            raise Invalid(f"{name}: wanted a text, a number, true or false", name)
    try:
        return _parsed(values)
    except GLib.Error as whole:
        for name, value in values.items():
            try:
                GstTomo.Reconstruction.new(None).set_parameter(name, text_of(value))
            except GLib.Error as e:
                raise Invalid(e.message, name) from None
        raise Invalid(whole.message, "settings") from None


def _parsed(values):
    reconstruction = GstTomo.Reconstruction.new(None)
    reconstruction.set_parameters(json.dumps(values))
    return json.loads(reconstruction.get_parameters())


def save(values, path):
    """Writes a reco.conf."""
    reconstruction = GstTomo.Reconstruction.new(None)
    try:
        reconstruction.set_parameters(json.dumps(values))
        reconstruction.save_configuration(str(path))
    except GLib.Error as e:
        raise Invalid(e.message) from None
