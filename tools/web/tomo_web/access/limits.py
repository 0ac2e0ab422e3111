# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How often somebody may ask."""

import math
import time

from ..errors import TooMany

MOST = 10_000  # keys that are remembered


class Rate:
    """`burst` at once, and `rate` a second on the average, for each key."""

    def __init__(self, rate, burst, clock=time.monotonic):
        self._rate, self._burst, self._clock = rate, burst, clock
        self._used = {}  # by key: how much is used up, and when that was

    def left(self, key):
        used, at = self._used.get(key, (0.0, 0.0))
        return self._burst - max(0.0, used - (self._clock() - at) * self._rate)

    def take(self, key):
        """Counts one; raises TooMany where none is left."""
        self.check(key)
        self._used[key] = (self._burst - self.left(key) + 1.0, self._clock())
        if len(self._used) > MOST:
            self._used = {other: about for other, about in self._used.items() if self.left(other) < self._burst}

    def give(self, key):
        """Takes one back."""
        self._used[key] = (self._burst - self.left(key) - 1.0, self._clock())

    def check(self, key):
        if (left := self.left(key)) < 1.0:
            seconds = math.ceil((1.0 - left) / self._rate)
            raise TooMany(f"too many at once: try again in {seconds} s", retry_after=seconds)
