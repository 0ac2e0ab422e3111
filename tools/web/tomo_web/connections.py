# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Connections that say nothing, or too slowly what they want, are closed."""

from uvicorn.protocols.http.h11_impl import H11Protocol, h11


def patient(seconds):
    """uvicorn's protocol, which waits so long for the head of a request."""
    class Protocol(H11Protocol):
        _limit = None

        def connection_made(self, transport):
            super().connection_made(transport)
            self._wait()

        def data_received(self, data):
            super().data_received(data)
            if self.conn.their_state is not h11.IDLE:
                self._stop()
            elif not self._limit:
                self._wait()

        def handle_upgrade(self, event):
            self._stop()
            super().handle_upgrade(event)

        def connection_lost(self, exc):
            self._stop()
            super().connection_lost(exc)

        def _wait(self):
            self._limit = self.loop.call_later(seconds, self.transport.close)

        def _stop(self):
            if self._limit:
                self._limit.cancel()
                self._limit = None
    return Protocol
