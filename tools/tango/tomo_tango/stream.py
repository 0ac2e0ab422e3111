# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images as Concert sends them over ZeroMQ: a header in JSON and the samples, and {"end": true} behind the last one."""

import contextlib
import json
import math
import threading
import time

import numpy as np
import zmq

POLL = 100  # milliseconds between looks at whether the stream is to end
DRAIN = 2.0  # seconds at most to let the rest of a stream pass that was left early
QUIET = 0.3  # seconds without a message, behind which no more of a stream is on its way


class StreamError(RuntimeError):
    """A stream that holds no images, or that ended before its end."""


class Receiver:
    """Connects to one sender at a time. Any thread may call it, and one at a time takes images."""

    def __init__(self):
        self.endpoint = ""
        self._context = zmq.Context()
        self._socket = None
        self._use = threading.Lock()  # of the socket

    def connect(self, endpoint):
        """Again to the same one changes nothing. Raises StreamError."""
        with self._use:
            if self._socket is not None and endpoint == self.endpoint:
                return
            self._close()
            taken = self._context.socket(zmq.PULL)
            taken.linger = 0
            try:
                taken.connect(endpoint)
            except zmq.ZMQError as e:
                taken.close()
                raise StreamError(f"'{endpoint}' is no endpoint: {e}; wanted one such as tcp://host:8991") from None
            self._socket, self.endpoint = taken, endpoint

    def disconnect(self):
        with self._use:
            self._close()

    def forget(self):
        """Images that have come and that nobody has asked for. The connection stays, because a sender gives images to one that ends
        until it learns of the end, and these are lost; a stream that goes on for long is cut off. Raises StreamError."""
        since = last = time.monotonic()
        with contextlib.suppress(StreamError):
            while (now := time.monotonic()) - since < DRAIN:
                if self._receive():
                    last = now
                elif now - last > QUIET:
                    return
        self.disconnect()
        self.connect(self.endpoint)

    def close(self):
        """For good."""
        self.disconnect()
        self._context.term()

    def _close(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def images(self, ending):
        """Arrays until the end of the stream, as the camera's user sees them. Raises StreamError, also when a threading.Event is set.
        Of a stream that is left early no image is left to the next one, unless it goes on for long."""
        is_whole = False
        try:
            while (parts := self._next(ending)) is not None:
                if (image := image_of(parts)) is None:
                    is_whole = True
                    return
                yield image
            raise StreamError("it was cancelled")
        finally:
            if not is_whole:
                self._drain()

    def _drain(self):
        since = time.monotonic()
        with contextlib.suppress(StreamError):
            while (parts := self._receive()) and not is_end(parts) and time.monotonic() - since < DRAIN:
                pass

    def _next(self, ending):
        while not ending.is_set():
            if parts := self._receive():
                return parts
        return None

    def _receive(self):
        """The parts of a message; none if there is none for a while."""
        with self._use:
            if self._socket is None:
                raise StreamError("there is no connection; write the attribute endpoint, or call connect_endpoint")
            return self._socket.recv_multipart() if self._socket.poll(POLL) else None


def is_end(parts):
    with contextlib.suppress(ValueError, TypeError, RecursionError):
        return len(parts) == 1 and "end" in json.loads(parts[0])
    return False


def image_of(parts):
    """None at the end of a stream. Raises StreamError."""
    try:
        if is_end(parts):
            return None
        header = json.loads(parts[0])
        kind, shape = np.dtype(header["dtype"]), tuple(header["shape"])
        turns, is_mirrored = int(header.get("rotate", 0)), bool(header.get("mirror", False))
        is_turned = bool(header.get("conversion_applied", False))
        if not (kind.kind in "uif" and len(shape) == 2 and all(isinstance(n, int) and n > 0 for n in shape)):
            raise ValueError("it describes no image")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as e:
        raise StreamError(f"a message began with {parts[0][:80]!r} ({e}); wanted JSON with dtype and shape of an image, as Concert sends "
                          "it") from None
    size = kind.itemsize * math.prod(shape)
    if len(parts) != 2 or len(parts[1]) != size:
        came = f"{len(parts[1])} bytes" if len(parts) == 2 else f"{len(parts) - 1} parts"
        raise StreamError(f"an image of {shape} samples of {kind} came as {came}; wanted {size} bytes")
    image = np.frombuffer(parts[1], kind).reshape(shape)
    return image if is_turned else np.rot90(np.fliplr(image) if is_mirrored else image, turns)
