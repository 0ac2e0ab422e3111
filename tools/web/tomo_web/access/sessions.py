# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions: a browser has a key in a cookie, the database its digest."""

import secrets
import time

from . import keys

TABLES = """
CREATE TABLE IF NOT EXISTS sessions (
    digest TEXT PRIMARY KEY, number TEXT NOT NULL UNIQUE, access TEXT NOT NULL, person TEXT NOT NULL, began REAL NOT NULL, seen REAL NOT NULL,
    address TEXT NOT NULL, browser TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS server_secret (secret TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS sessions_of_person ON sessions (person);
"""
LONGEST = 7 * 24 * 3600.0  # seconds from the login on, however much a session is used
NEWS = 60.0                # seconds after which it is written down that a session is used
MOST = 100                 # of a person; the oldest ends


class Sessions:
    """`hours` without a request end a session. `access` is the way in: a session of another one is none."""

    def __init__(self, database, access, hours):
        self._database, self._access, self._idle = database, access, hours * 3600.0

    def begin(self, person, address, browser):
        """A new session; returns its key."""
        key, now = keys.new_key(), time.time()
        with self._database.transaction() as database:
            database.run("DELETE FROM sessions WHERE seen < ? OR began < ?", now - self._idle, now - LONGEST)
            database.run("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", keys.digest(key), secrets.token_hex(8), self._access, person,
                         now, now, address, browser[:200])
            database.run("DELETE FROM sessions WHERE person = ? AND digest NOT IN (SELECT digest FROM sessions WHERE person = ? "
                         "ORDER BY began DESC LIMIT ?)", person, person, MOST)
        return key

    def person(self, key):
        """The name of whom the key belongs to, or None."""
        now, digest = time.time(), keys.digest(key)
        row = self._database.one("SELECT person, seen FROM sessions WHERE digest = ? AND access = ? AND seen >= ? AND began >= ?", digest,
                                 self._access, now - self._idle, now - LONGEST)
        if row and row["seen"] < now - NEWS:
            self._database.run("UPDATE sessions SET seen = ? WHERE digest = ?", now, digest)
        return row and row["person"]

    def all(self):
        now = time.time()
        return self._database.all("SELECT number, person, began, seen, address, browser, digest FROM sessions WHERE access = ? AND seen >= ? "
                                  "AND began >= ? ORDER BY seen DESC", self._access, now - self._idle, now - LONGEST)

    def count(self, person):
        return sum(row["person"] == person for row in self.all())

    def end(self, key):
        self._database.run("DELETE FROM sessions WHERE digest = ?", keys.digest(key))

    def end_number(self, number):
        """Ends one that all() tells; returns whether there was one."""
        return bool(self._database.run("DELETE FROM sessions WHERE number = ?", number).rowcount)

    def end_all(self, person, but=None):
        """Those of a person, but that of a key."""
        self._database.run("DELETE FROM sessions WHERE person = ? AND digest != ?", person, keys.digest(but) if but else "")


def secret_of(database):
    """A text that this server alone knows, and keeps."""
    with database.transaction():
        if not (row := database.one("SELECT secret FROM server_secret")):
            database.run("INSERT INTO server_secret VALUES (?)", keys.new_key())
            row = database.one("SELECT secret FROM server_secret")
    return row["secret"]
