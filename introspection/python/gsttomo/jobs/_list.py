# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parts of long lists of jobs. Which jobs they are is found in an index alone, and only those are read."""

import dataclasses
import json
import time

from ._model import OPEN, Brief, Error, Kind, Page, State
from ._order import LARGEST

COLUMNS = ", ".join("jobs." + field.name for field in dataclasses.fields(Brief) if field.name != "pid")
# By what a list is ordered; `time` is that which jobs run or ran.
ORDERS = {"id": "id", "name": "name COLLATE NOCASE", "state": "state", "owner": "owner", "subject": "subject", "priority": "priority", "ended": "ended",
          "time": "coalesce(ended, :now) - began"}
SEARCHED = ("name", "subject", "owner")


def page(database, states=None, owner=None, subject=None, key=None, search="", order="-id", offset=0, limit=100, numbers=None):
    """See Queue.page()."""
    where, values = conditions(states, owner, subject, key, search)
    if numbers is not None:
        where += f" AND id IN ({', '.join(str(int(number)) for number in numbers)})"
    column, direction = ordered(order)
    are_few = not (subject is key is numbers is None) or (states and set(map(State, states)) <= set(OPEN))
    # The index has all that is looked at here; without it sqlite would read the descriptions of most jobs.
    source = f"jobs {'' if are_few else 'INDEXED BY jobs_listed'} WHERE {where}"
    offset, limit = bounded(offset), bounded(limit)
    found = database.execute(f"SELECT id FROM {source} ORDER BY {column} {direction} NULLS LAST, id DESC LIMIT :limit OFFSET :offset",
                             {**values, "now": time.time(), "limit": limit, "offset": offset})
    numbers = [row["id"] for row in found]
    is_last = 0 < len(numbers) < limit
    total = offset + len(numbers) if is_last else database.execute(f"SELECT count(*) FROM {source}", values).fetchone()[0]
    rows = {row["id"]: row for row in database.execute(
        f"SELECT {COLUMNS}, workers.pid FROM jobs LEFT JOIN workers ON workers.id = jobs.worker "
        f"WHERE jobs.id IN ({', '.join(map(str, numbers))})")}
    return Page([brief_of(rows[number]) for number in numbers if number in rows], total)


def bounded(number):
    return max(0, min(number, LARGEST))


def conditions(states, owner, subject, key, search):
    """For SQL: a text and its values."""
    where, values = ["1"], {}
    if states:
        values.update({f"state{n}": State(state).value for n, state in enumerate(states)})
        where.append(f"state IN ({', '.join(f':state{n}' for n in range(len(states)))})")
    for name, value in (("owner", owner), ("subject", subject)):
        if value is not None:
            where.append(f"{name} = :{name}")
            values[name] = value
    if key is not None:
        where.append("key >= :key AND key < :behind")
        values.update(key=key, behind=key + chr(0x10ffff))
    if search:
        where.append("(" + " OR ".join(f"{name} LIKE :search ESCAPE '\\'" for name in SEARCHED) + ")")
        values["search"] = "%" + "".join("\\" + c if c in "\\%_" else c for c in search) + "%"
    return " AND ".join(where), values


def ordered(order):
    """Column and direction. Raises Error."""
    name = order.removeprefix("-")
    if name not in ORDERS:
        raise Error(f"jobs are not ordered by {name!r}; wanted {', '.join(ORDERS)}, or one of them behind a -")
    return ORDERS[name], "DESC" if order.startswith("-") else "ASC"


def brief_of(row):
    return Brief(**values_of(row))


def values_of(row):
    """Of a row as Brief and Job have them."""
    values = dict(row)
    for name in ("description", "assigned", "results", "outputs", "provenance", "devices"):
        if name in values:
            values[name] = json.loads(values[name]) if values[name] is not None else None
    for name in ("assigned", "devices"):
        if values.get(name) is not None:
            values[name] = tuple(values[name])
    for name in ("name", "owner", "folder", "session", "subject", "key"):  # of a client that checks nothing, as below
        if isinstance(values.get(name), bytes):
            values[name] = values[name].decode(errors="replace")
    values["priority"] = int(values["priority"]) if isinstance(values["priority"], (int, float)) else 0
    return {**values, "kind": Kind(values["kind"]), "state": State(values["state"])}
