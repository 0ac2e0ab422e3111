# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An IOC for the test of tomo-pva, in a process of its own: each line of its input is an image to post, in JSON."""

import json
import sys

import numpy as np
from p4p.nt import NTNDArray
from p4p.server import Server
from p4p.server.thread import SharedPV


def image(fields):
    array = np.frombuffer(bytes.fromhex(fields["samples"]), fields["dtype"]).reshape(fields["shape"])
    value = NTNDArray().wrap(array, attrib={"ColorMode": 0 if array.ndim == 2 else 2, **fields.get("attributes", {})})
    value["uniqueId"] = fields["number"]
    value["codec.name"] = fields.get("codec", "")
    if "time" in fields:
        value["dataTimeStamp.secondsPastEpoch"], value["dataTimeStamp.nanoseconds"] = fields["time"]
    if "sizes" in fields:
        value["dimension"] = [{"size": n} for n in fields["sizes"]]
    return value


pv = SharedPV(nt=None, initial=image({"samples": "0000", "dtype": "uint16", "shape": [1, 1], "number": 99}))
with Server(providers=[{"test:image": pv}]):
    print("ready", flush=True)
    for line in sys.stdin:
        pv.post(image(json.loads(line)))
        print("posted", flush=True)
