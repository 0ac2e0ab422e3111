# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which jobs begin now: claims of devices, memory and places. No job is read, written or started here."""

import collections

Claim = collections.namedtuple("Claim", "job devices memory session kind")  # devices: indices, or None: any one
Start = collections.namedtuple("Start", "job devices memory")


class Room:
    """All that a manager has to give, and the part of it that is free."""

    def __init__(self, devices, memory, places):
        self.places, self.memory = places, memory
        self._devices = set(devices)
        self._sessions = set()

    @property
    def has_devices(self):
        return bool(self._devices)

    def take(self, devices, memory, session):
        """By a job that runs."""
        self.places -= 1
        self.memory -= memory
        self._devices -= set(devices)
        if session is not None:
            self._sessions.add(session)

    def choose(self, claims, preferred=lambda claim: ()):
        """Starts for the claims, which are in the order of their turns. `preferred` has the devices on which a claim begins
        soonest.

        A job that does not fit yet keeps the free devices that it can use, so that a large job does not wait for ever behind
        small ones. Once it has them and lacks memory, it keeps all memory that is free, too; before that it keeps none, because
        a share of each job that waits for one device would leave others idle. The jobs of a session come one after the other."""
        for claim in claims:
            if self.places <= 0:
                return
            if claim.session is not None and claim.session in self._sessions:
                continue
            devices = self._devices_for(claim, preferred(claim))
            if devices is not None and claim.memory <= self.memory:
                self.take(devices, claim.memory, claim.session)
                yield Start(claim.job, devices, claim.memory)
            else:
                self._hold(claim, devices)

    def _devices_for(self, claim, preferred):
        if claim.devices is not None:
            return claim.devices if self._devices.issuperset(claim.devices) else None
        first = [device for device in preferred if device in self._devices]
        free = first or sorted(self._devices)
        return tuple(free[:1]) or None

    def _hold(self, claim, devices):
        if devices is None and claim.devices is not None:
            self._devices -= set(claim.devices)
        elif devices is not None:  # it lacks memory
            self._devices -= set(devices)
            self.memory = 0
        if claim.session is not None:
            self._sessions.add(claim.session)
