# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The server's database of sqlite: persons, data sets, templates, shares. Jobs are in the queue of gsttomo.jobs and nowhere else."""

import contextlib
import pathlib
import sqlite3

from .errors import Refusal

VERSION = 1
PATIENCE = 30.0  # seconds for another process's transaction


class Database:
    """A connection for the event loop's thread. `rooms` are the modules that keep something: each has TABLES, its statements."""

    def __init__(self, path, rooms):
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)  # and so are the files that sqlite makes beside it
        self._connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        with self.transaction():
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise Refusal(f"{path} belongs to a newer version of gst-tomo ({version}; this one knows {VERSION})")
            for room in rooms:
                for statement in statements(room.TABLES):
                    self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def all(self, statement, *values):
        return self._connection.execute(statement, values).fetchall()

    def one(self, statement, *values):
        """The first row, or None."""
        return self._connection.execute(statement, values).fetchone()

    def run(self, statement, *values):
        """A change of its own; returns its cursor, which knows lastrowid and rowcount."""
        return self._connection.execute(statement, values)

    @contextlib.contextmanager
    def transaction(self):
        """Changes that belong together: all or none. Nothing may be awaited within."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def close(self):
        self._connection.close()


def statements(text):
    """One by one: those within a trigger are no ends of it."""
    statement = ""
    for part in text.split(";")[:-1]:
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
