# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images as a browser gets them: samples, little endian, whose shape and type are in the headers X-Shape and X-Type, and what is to be
known of them as JSON in X-Facts."""

import json

import numpy as np
from fastapi import Response
from gsttomo.faces.texts import in_form

from .errors import MISTAKES

MESSAGES = 4      # of a run that are told
LONGEST = 400     # characters of each
SAMPLES = {200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
                 "description": "Samples, little endian",
                 "headers": {"X-Shape": {"description": "sizes, the slowest first: rows,columns or images,rows,columns",
                                         "schema": {"type": "string"}},
                             "X-Type": {"description": "uint8, uint16 or float32", "schema": {"type": "string"}},
                             "X-Facts": {"description": "what is known of the image, as JSON", "schema": {"type": "string"}}}}, **MISTAKES}


def samples(array, facts):
    """An answer of numbers that are shown as they are: others than uint8 and uint16 as float32."""
    kind = array.dtype.name if array.dtype.name in ("uint8", "uint16") else "float32"
    body = np.ascontiguousarray(array, np.dtype(kind).newbyteorder("<"))
    headers = {"X-Shape": ",".join(map(str, array.shape)), "X-Type": kind, "X-Facts": json.dumps(facts), "Cache-Control": "no-store"}
    return Response(body.tobytes(), media_type="application/octet-stream", headers=headers)


def said(events, level, told):
    """Messages of a run, as people may read them."""
    texts = [event["text"] for event in events if event["event"] == "message" and event["level"] == level]
    return [told(in_form(text))[:LONGEST] for text in texts[:MESSAGES]]


def plan_of(events):
    return next((event for event in events if event["event"] == "plan"), {})
