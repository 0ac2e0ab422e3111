# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Texts as Tango carries them: CORBA's strings are Latin-1 without the character 0."""

import json
import re

import tango


def outgoing(text):
    """With all other characters as JSON escapes them, so that JSON stays JSON. PyTango ends the process for them."""
    return re.sub("[^\x01-\xff]", lambda found: json.dumps(found[0])[1:-1], str(text))


def told_of(error):
    """The sentence of an exception."""
    return error.args[0].desc if isinstance(error, tango.DevFailed) else str(error)
