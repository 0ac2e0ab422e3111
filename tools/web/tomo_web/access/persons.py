# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Persons of the modes `passwords` and `proxy`, in the server's database."""

import re
import time

from ..errors import Conflict, Invalid, Unknown
from .model import NAMES, Role

TABLES = """
CREATE TABLE IF NOT EXISTS persons (
    name TEXT PRIMARY KEY, role INTEGER NOT NULL, password TEXT, is_blocked INTEGER NOT NULL DEFAULT 0, added REAL NOT NULL);
"""
NAME = r"[\w.@+-]{1,64}"


def checked_name(name):
    if not re.fullmatch(NAME, name, re.ASCII):
        raise Invalid("a name has 1 to 64 letters, digits and . @ + - _", "name")
    return name


def role_of(text):
    """The Role of that name. Raises Invalid."""
    if text not in NAMES:
        raise Invalid(f"a role is one of {', '.join(NAMES)}", "role")
    return Role[text.upper()]


class Persons:
    def __init__(self, database):
        self._database = database

    def all(self):
        """Rows, by name: name, role, is_blocked, added, has_password."""
        return self._database.all(f"SELECT {COLUMNS} FROM persons ORDER BY name")

    def find(self, name):
        """The row of a person, or None."""
        return self._database.one(f"SELECT {COLUMNS} FROM persons WHERE name = ?", name)

    def get(self, name):
        if not (row := self.find(name)):
            raise Unknown(f"there is no person {name}")
        return row

    def password_of(self, name):
        """As it is stored; None where nobody gets in by one."""
        row = self._database.one("SELECT password FROM persons WHERE name = ? AND NOT is_blocked", name)
        return row and row["password"]

    def add(self, name, role, password=None):
        """`password` as keys.hashed() gives it; None: there is none. Raises Conflict."""
        if not self._database.run("INSERT OR IGNORE INTO persons VALUES (?, ?, ?, 0, ?)", checked_name(name), int(role), password,
                                  time.time()).rowcount:
            raise Conflict(f"there is a person {name} already", "name")

    def change(self, name, role=None, is_blocked=None):
        """Changes what is not None. The last administrator who is not blocked stays one."""
        with self._database.transaction():
            self.get(name)
            had_admin = self._has_admin()
            if role is not None:
                self._database.run("UPDATE persons SET role = ? WHERE name = ?", int(role), name)
            if is_blocked is not None:
                self._database.run("UPDATE persons SET is_blocked = ? WHERE name = ?", int(is_blocked), name)
            self._keep_an_admin(had_admin)

    def set_password(self, name, password):
        self.get(name)
        self._database.run("UPDATE persons SET password = ? WHERE name = ?", password, name)

    def replace_password(self, name, before, password):
        """Raises Conflict where it is another one than `before` meanwhile."""
        if not self._database.run("UPDATE persons SET password = ? WHERE name = ? AND password = ?", password, name, before).rowcount:
            raise Conflict("somebody else has changed your password meanwhile", "old")

    def remove(self, name, even_last=False):
        with self._database.transaction():
            self.get(name)
            had_admin = self._has_admin()
            self._database.run("DELETE FROM persons WHERE name = ?", name)
            self._keep_an_admin(had_admin and not even_last)

    def _has_admin(self):
        return self._database.one("SELECT 1 FROM persons WHERE role = ? AND NOT is_blocked", int(Role.ADMIN)) is not None

    def _keep_an_admin(self, had_admin):
        if had_admin and not self._has_admin():
            raise Conflict("somebody has to be administrator: give another person this role first", "role")


COLUMNS = "name, role, is_blocked, added, password IS NOT NULL AS has_password"
