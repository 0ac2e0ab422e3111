# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slices for a writer of Concert, its TangoRemoteWalker: it is told a folder by Tango, and gets the slices over ZeroMQ."""

import contextlib
import json

import numpy as np
import tango
import zmq

from .stream import POLL
from .texts import told_of

PATIENCE = 1 << 21  # milliseconds for all slices, as in Concert
# As Concert sets its writer up for slices.
ATTRIBUTES = {"writer_class": "TiffWriter", "dsetname": "frame_{:>06}.tif", "start_index": 0, "bytes_per_file": 1 << 40}


class WriterError(RuntimeError):
    """Slices that were not written."""


class SliceWriter:
    """Raises WriterError."""

    def __init__(self, device, root, protocol, host, port):
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUSH)
        self._socket.linger = 0
        try:
            self._socket.bind(f"{protocol}://*:{port}")
            self._device = tango.DeviceProxy(device)
            self._device.set_timeout_millis(PATIENCE)
            for name, value in {"endpoint": f"{protocol}://{host}:{port}", "root": root, "current": root, **ATTRIBUTES}.items():
                self._device.write_attribute(name, value)
        except (zmq.ZMQError, tango.DevFailed) as e:
            self.close()
            raise WriterError(f"the writer {device} can't be connected by {protocol}://{host}:{port}: {told_of(e)}") from None

    def close(self):
        self._socket.close()
        self._context.term()

    def write(self, folder, slices, ending):
        """Returns when they are written. Ends early when a threading.Event is set, and then raises WriterError, too."""
        try:
            answer = self._device.command_inout_asynch("write_sequence", folder)
            try:
                for image in slices:
                    image = np.ascontiguousarray(image)
                    self._send(answer, ending, json.dumps({"dtype": str(image.dtype), "shape": image.shape}).encode(), image)
            finally:
                with contextlib.suppress(zmq.Again):  # where nobody reads
                    self._socket.send(b'{"end": true}', zmq.NOBLOCK)
            self._device.command_inout_reply(answer, PATIENCE)
        except tango.DevFailed as e:
            raise WriterError(f"slices are not written to '{folder}': {told_of(e)}") from None

    def _send(self, answer, ending, *parts):
        while not self._socket.poll(POLL, zmq.POLLOUT):
            if ending.is_set():
                raise WriterError("slices are not written: it was cancelled")
            if is_answered(self._device, answer):
                raise WriterError("slices are not written: the writer has ended")
        self._socket.send_multipart(parts)


def is_answered(device, answer):
    """Raises DevFailed where the answer is an error."""
    try:
        device.command_inout_reply(answer)
    except tango.AsynReplyNotArrived:
        return False
    return True
