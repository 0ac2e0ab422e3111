# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may do what. A router's function has the person by `person: Person = needs(Role.USER)`, also one of a WebSocket."""

from . import audit, keys, persons, sessions
from .desk import Desk
from .model import Person, Role
from .routes import router
from .who import is_still_in, key_of, needs, person_of, server_of, tell

TABLES = persons.TABLES + sessions.TABLES + audit.TABLES

__all__ = ["TABLES", "Desk", "Person", "Role", "is_still_in", "key_of", "keys", "needs", "person_of", "router", "server_of", "tell"]
