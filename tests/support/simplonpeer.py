# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages of a DECTRIS detector, stream version 2, as its documentation has them."""

import sys

import numpy as np

try:
    import cbor2
except ImportError:
    print("python3-cbor2 is not installed")
    sys.exit(77)  # to Meson: skipped

import scan_files

TYPED = {"u1": 64, ">u2": 65, ">u4": 66, "<u2": 69, "<u4": 70, ">i2": 73, "<i2": 77, "<i4": 78, "<f2": 84, "<f4": 85, "<f8": 86}


def packed(array, how):
    """Its bytes, plain (None) or tagged as compressed."""
    if how is None:
        return array.tobytes()
    kind, stored = ("lz4", scan_files.lz4_chunk(array.tobytes(), 1024)) if how == "lz4" else ("bslz4", scan_files.bitshuffle_chunk(array, 1024))
    return cbor2.CBORTag(56500, [kind, array.itemsize if kind == "bslz4" else 0, stored])


def multi(array, how=None, code=None):
    code = code or ("u1" if array.dtype == np.uint8 else array.dtype.str)
    return cbor2.CBORTag(40, [list(array.shape), cbor2.CBORTag(TYPED[code], packed(array, how))])


def start(**changes):
    fields = {
        "type": "start", "arm_date": cbor2.CBORTag(0, "2026-03-01T12:00:00.000000+00:00"), "beam_center_x": 3.5, "channels": ["threshold_1"],
        "count_time": 0.001, "countrate_correction_enabled": False, "detector_description": "Test", "detector_translation": [0.0, 0.0, -1.5],
        "frame_time": 0.001, "goniometer": {"omega": {"start": 10.0, "increment": 0.5}, "phi": {"start": 3.0, "increment": 0.0}},
        "image_dtype": "uint16", "image_size_x": 5, "image_size_y": 3, "incident_energy": 25000.0, "number_of_images": 4, "pixel_size_x": 75e-6,
        "pixel_size_y": 75e-6, "series_id": 7, "series_unique_id": "01", "user_data": None}
    return cbor2.dumps({k: v for k, v in (fields | changes).items() if v != "left out"})


def image(number, array, how=None, code=None, **changes):
    fields = {"type": "image", "series_id": 7, "series_unique_id": "01", "image_id": number, "real_time": [1000000, 1000000000],
              "series_date": cbor2.CBORTag(0, "2026-03-01T12:00:00.250000+00:00"), "start_time": [number * 100000, 100000000],
              "stop_time": [number * 100000 + 100000, 100000000], "user_data": "x", "data": {"threshold_1": multi(array, how, code)}}
    return cbor2.dumps({k: v for k, v in (fields | changes).items() if v != "left out"})


def end(**changes):
    return cbor2.dumps({"type": "end", "series_id": 7, "series_unique_id": "01"} | changes)
