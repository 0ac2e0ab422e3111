# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What persons changed, and who tried to get in."""

import time

TABLES = """
CREATE TABLE IF NOT EXISTS audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, person TEXT NOT NULL, address TEXT NOT NULL, action TEXT NOT NULL,
    path TEXT NOT NULL, detail TEXT NOT NULL, status INTEGER NOT NULL, count INTEGER NOT NULL DEFAULT 1);
CREATE INDEX IF NOT EXISTS audit_of_person ON audit (person, id);
"""
MOST = 100_000    # entries that are kept
TOGETHER = 60.0   # seconds in which the same change counts as one
LONGEST = 500     # characters of a text


class Audit:
    def __init__(self, database):
        self._database = database

    def add(self, person, address, action, path, status, detail=""):
        """`action` is what an address is for, as the OpenAPI description says; status is that of the answer."""
        now = time.time()
        values = [text[:LONGEST] for text in (person, address, action, path, detail)]
        with self._database.transaction() as database:
            last = database.one("SELECT * FROM audit WHERE person = ? ORDER BY id DESC LIMIT 1", values[0])
            if last and last["time"] > now - TOGETHER and last["status"] == status and \
                    [last[name] for name in ("person", "address", "action", "path", "detail")] == values:
                database.run("UPDATE audit SET count = count + 1, time = ? WHERE id = ?", now, last["id"])
                return
            number = database.run("INSERT INTO audit (time, person, address, action, path, detail, status) VALUES (?, ?, ?, ?, ?, ?, ?)", now,
                                  *values, status).lastrowid
            database.run("DELETE FROM audit WHERE id <= ?", number - MOST)

    def page(self, before=None, person=None, limit=100):
        """Entries, the newest first, of those older than entry `before`."""
        return self._database.all("SELECT * FROM audit WHERE (?1 IS NULL OR id < ?1) AND (?2 IS NULL OR person = ?2) ORDER BY id DESC LIMIT ?3",
                                  before, person, limit)
