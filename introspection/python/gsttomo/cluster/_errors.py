# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Errors."""


class ClusterError(Exception):
    """The cluster can't make the result."""


class OutOfMemory(ClusterError):
    """No worker's device has the memory for a slab; smaller ones may find room."""


class SlabError(Exception):
    """A worker could not make a slab; another one may. `is_unfit`: it can make none of them. `is_killed`: its process was killed."""

    def __init__(self, text, worker, is_unfit=False, is_killed=False):
        super().__init__(text, worker, is_unfit, is_killed)
        self.text, self.worker, self.is_unfit, self.is_killed = text, worker, is_unfit, is_killed

    @property
    def is_out_of_memory(self):
        """Whether its device had no room. The library knows such errors by the same words."""
        return "out of memory on " in self.text

    def __str__(self):
        return self.text
