# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Portals: catalogues of raw and derived data sets. Another one needs a subclass of Portal in a module of its own, and a line in opened()."""

import abc
import dataclasses

from ..errors import Refusal


class Away(Refusal):
    """The portal does not answer, or not now: ask again later."""
    status = 503


class LoginRefused(Away):
    """The token is not there, has expired, or is not taken. Ask again when somebody has seen to it."""


class Refused(Refusal):
    """The portal says no, and will say so again."""
    status = 409


@dataclasses.dataclass(frozen=True)
class Raw:
    """A raw data set of the portal. folder: absolute, as the portal names it; files, size: how many, and their bytes; created: seconds
    since 1970"""
    id: str
    name: str
    proposal: str
    folder: str
    owner: str
    files: int
    size: int
    created: float | None


@dataclasses.dataclass(frozen=True)
class RemoteFile:
    """path: relative to the data set's folder; size: bytes; time: seconds since 1970; checksum: sha256, None where nobody computed it"""
    path: str
    size: int
    time: float | None = None
    checksum: str | None = None


@dataclasses.dataclass(frozen=True)
class Derived:
    """A result for the portal, with where it comes from. key: the portal has one derived data set of it, however often it is registered;
    raw: number of the raw data set whose owner, groups, proposal, sample and instrument are those of the result; inputs: numbers of all data sets
    that it was made of; folder: absolute, as the portal names it; software: names with versions; parameters: settings, number of the
    job, computer; created, began, ended: seconds since 1970; facts: about the volume"""
    key: str
    name: str
    description: str
    raw: str
    inputs: tuple
    folder: str
    files: tuple
    software: tuple
    parameters: dict
    facts: dict
    created: float
    began: float | None = None
    ended: float | None = None
    contact: str | None = None


@dataclasses.dataclass(frozen=True)
class Health:
    """text: one sentence; person: as whom the portal knows us"""
    is_fine: bool
    text: str
    person: str | None = None


class Portal(abc.ABC):
    """What rules want of a portal. Every call may wait for a network; each raises Away, LoginRefused or Refused with one sentence that
    has no token in it. After Away, calling again does nothing twice."""

    @abc.abstractmethod
    async def health(self):
        """A Health; raises nothing."""

    @abc.abstractmethod
    async def find(self, proposals, search="", limit=None):
        """Raw data sets of these proposals, the newest first; search: a part of their names."""

    @abc.abstractmethod
    async def files(self, number):
        """The Raw of a number, and its files as a list of RemoteFile."""

    @abc.abstractmethod
    async def register(self, derived):
        """Makes sure that the portal has a Derived with all of its files, and returns its number there."""

    @abc.abstractmethod
    async def attach(self, number, key, caption, png):
        """Makes sure that a derived data set has a picture of that key: a small PNG."""

    async def close(self):
        """Ends what it has begun."""


def opened(settings):
    """The Portal of PortalSettings."""
    from .scicat import SciCat
    return {"scicat": SciCat}[settings.kind](settings)
