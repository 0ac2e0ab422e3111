# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the server keeps to know its persons."""

from .audit import Audit
from .limits import Rate
from .persons import Persons
from .sessions import Sessions, secret_of

BURST = 10          # times the rate that may come at once
GUESSES = 100       # of one person's password at once, and in an hour, from wherever


class Desk:
    """token: of the printed address; logins, guesses, requests: Rate by address of the client, by name of the person, by person"""

    def __init__(self, settings, database, token):
        self.token, self.secret = token, secret_of(database)
        self.persons, self.audit = Persons(database), Audit(database)
        self.sessions = Sessions(database, settings.access, settings.session_hours)
        self.logins = Rate(settings.logins_per_minute / 60.0, settings.logins_per_minute)
        self.guesses = Rate(GUESSES / 3600.0, GUESSES)
        self.requests = Rate(settings.requests_per_second, BURST * settings.requests_per_second)
