# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-web user: persons of the modes `passwords` and `proxy`, also while the server runs."""

import argparse
import getpass
import pathlib
import sys

from . import access
from .access import keys
from .access.model import NAMES, Role
from .access.persons import Persons, checked_name, role_of
from .access.sessions import Sessions
from .database import Database
from .settings import default_state, read


def parser():
    made = argparse.ArgumentParser(prog="tomo-web user", description="Persons who may log in. A password is asked for, or read from standard input.")
    made.add_argument("--state", type=pathlib.Path, metavar="FOLDER", help="that of the server")
    made.add_argument("--config", type=pathlib.Path, metavar="FILE", help="that of the server")
    commands = made.add_subparsers(dest="command", required=True, metavar="add | remove | list | role | password")
    add = commands.add_parser("add", help="a new person")
    add.add_argument("name")
    add.add_argument("--role", choices=NAMES, default="user")
    add.add_argument("--no-password", action="store_true", help="a proxy tells who that is")
    commands.add_parser("list", help="all persons with their roles")
    commands.add_parser("remove", help="who gets in no more").add_argument("name")
    commands.add_parser("password", help="a new password").add_argument("name")
    role = commands.add_parser("role", help="another role")
    role.add_argument("name")
    role.add_argument("role", choices=NAMES)
    return made


def main(words):
    arguments = parser().parse_args(words)
    given = read(arguments.config) if arguments.config else {}
    state = arguments.state or given.get("state") or default_state()
    database = Database(state / "web.sqlite", [access])
    try:
        COMMANDS[arguments.command](Persons(database), Sessions(database, "passwords", 1.0), arguments)
    finally:
        database.close()
    return 0


def _add(persons, _sessions, arguments):
    checked_name(arguments.name)
    persons.add(arguments.name, role_of(arguments.role), None if arguments.no_password else keys.hashed(_password()))


def _remove(persons, sessions, arguments):
    persons.remove(arguments.name, even_last=True)
    sessions.end_all(arguments.name)


def _list(persons, _sessions, _arguments):
    for row in persons.all():
        print(f"{row['name']:20} {str(Role(row['role'])):8} {'blocked' if row['is_blocked'] else ''}".rstrip())


def _role(persons, _sessions, arguments):
    persons.change(arguments.name, role_of(arguments.role))


def _set_password(persons, sessions, arguments):
    persons.get(arguments.name)
    persons.set_password(arguments.name, keys.hashed(_password()))
    sessions.end_all(arguments.name)


def _password():
    if not sys.stdin.isatty():
        return keys.checked(sys.stdin.readline().rstrip("\n"))
    first = keys.checked(getpass.getpass("password: "))
    if getpass.getpass("again: ") != first:
        sys.exit("tomo-web: the two are not the same")
    return first


COMMANDS = {"add": _add, "remove": _remove, "list": _list, "role": _role, "password": _set_password}
