# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Persons and what they may."""

import dataclasses
import enum


class Role(enum.IntEnum):
    VIEWER = 1   # looks and downloads
    USER = 2     # runs jobs
    EXPERT = 3   # where the administrator allows it: sees paths of files
    ADMIN = 4    # manages persons and everybody's jobs

    def __str__(self):
        return self.name.lower()


NAMES = [str(role) for role in Role]


@dataclasses.dataclass(frozen=True)
class Person:
    """is_expert: the role allows what is for experts, and so does this server."""
    name: str
    role: Role
    is_expert: bool = False
