# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What rules have found and what became of it, in the server's database. Each step is written before the next one begins, so that whoever
comes after a process that was killed goes on where it was."""

import dataclasses
import enum
import json
import time

from .errors import Unknown

TABLES = """
CREATE TABLE IF NOT EXISTS finds (id INTEGER PRIMARY KEY AUTOINCREMENT, rule TEXT NOT NULL, source TEXT NOT NULL, name TEXT NOT NULL,
    stamp TEXT NOT NULL, state TEXT NOT NULL, why TEXT NOT NULL DEFAULT '', found REAL NOT NULL, still_since REAL NOT NULL,
    changed REAL NOT NULL, not_before REAL NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, orders INTEGER NOT NULL DEFAULT 0,
    place TEXT, proposal TEXT, dataset INTEGER, job INTEGER, output TEXT, registered TEXT, told INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS finds_of_rule ON finds (rule, source, id);
CREATE INDEX IF NOT EXISTS finds_open ON finds (rule, state, not_before);
CREATE INDEX IF NOT EXISTS finds_listed ON finds (rule, id);
CREATE INDEX IF NOT EXISTS finds_of_job ON finds (job);
CREATE TABLE IF NOT EXISTS rule_states (rule TEXT PRIMARY KEY, is_paused INTEGER NOT NULL DEFAULT 0, run_asked REAL NOT NULL DEFAULT 0,
    begun REAL, looked REAL, problem TEXT, about TEXT, place INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS taken_from_portal (raw TEXT PRIMARY KEY, dataset INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS watching (id INTEGER PRIMARY KEY CHECK (id = 1), file TEXT NOT NULL, content TEXT NOT NULL, problem TEXT,
    seen REAL NOT NULL, portal TEXT);
"""
SHOWN = 200  # characters of a search


class State(str, enum.Enum):
    WAITING = "waiting"          # is not whole yet, or waits for a retry
    ORDERED = "ordered"          # has a job that is not over
    REGISTERING = "registering"  # has a result that the portal is to know
    DONE = "done"
    FAILED = "failed"
    PASSED = "passed over"       # was there before the rule, or was replaced where the rule ignores that


OPEN = (State.WAITING, State.ORDERED, State.REGISTERING)


@dataclasses.dataclass
class Find:
    """source: place of a scan, or number of a portal's data set; why: what it waits for, or went wrong; still_since: since when the stamp
    is the same; attempts: that failed since somebody last
    asked for one; orders: jobs before the one that is meant; told: whether somebody was told of the end"""
    rule: str
    source: str
    name: str
    stamp: str
    state: State = State.WAITING
    why: str = ""
    found: float = dataclasses.field(default_factory=time.time)
    still_since: float = dataclasses.field(default_factory=time.time)
    changed: float = dataclasses.field(default_factory=time.time)
    not_before: float = 0.0
    attempts: int = 0
    orders: int = 0
    place: str | None = None
    proposal: str | None = None
    dataset: int | None = None
    job: int | None = None
    output: str | None = None
    registered: str | None = None
    told: int = 0
    id: int | None = None


NAMES = [field.name for field in dataclasses.fields(Find) if field.name != "id"]


class Finds:
    def __init__(self, database):
        self._database = database

    def transaction(self):
        """Changes within belong together."""
        return self._database.transaction()

    def last(self, rule):
        """What is known of each source of a rule, as rows with id, source, stamp, state, job, dataset, place."""
        return {row["source"]: row for row in self._database.all(
            "SELECT id, source, stamp, state, job, dataset, place FROM finds WHERE id IN (SELECT max(id) FROM finds WHERE rule = ? GROUP BY source)", rule)}

    def add(self, new):
        new.id = self._database.run(f"INSERT INTO finds ({', '.join(NAMES)}) VALUES ({', '.join('?' * len(NAMES))})", *_values(new)).lastrowid
        return new

    def save(self, one):
        one.changed = time.time()
        self._database.run(f"UPDATE finds SET {', '.join(f'{name} = ?' for name in NAMES)} WHERE id = ?", *_values(one), one.id)

    def follow(self, number, stamp):
        """Another stamp for one that is passed over."""
        self._database.run("UPDATE finds SET stamp = ? WHERE id = ?", stamp, number)

    def remove(self, one):
        self._database.run("DELETE FROM finds WHERE id = ?", one.id)

    def get(self, number):
        row = self._database.one("SELECT * FROM finds WHERE id = ?", number)
        if not row:
            raise Unknown(f"nothing of that number ({number}) was found")
        return _find(row)

    def due(self, rule, now):
        """Those that wait, or are to be registered, and whose time has come."""
        rows = self._database.all("SELECT * FROM finds WHERE rule = ? AND state IN (?, ?) AND not_before <= ? ORDER BY id",
                                  rule, State.WAITING.value, State.REGISTERING.value, now)
        return [_find(row) for row in rows]

    def ordered(self, rule):
        rows = self._database.all("SELECT * FROM finds WHERE rule = ? AND state = ? ORDER BY id", rule, State.ORDERED.value)
        return [_find(row) for row in rows]

    def is_taken(self, output):
        return self._database.one("SELECT 1 FROM finds WHERE output = ?", output) is not None

    def try_again(self, rule):
        """Those that failed or wait are tried at once, as if nothing had been wrong with them."""
        last = "id IN (SELECT max(id) FROM finds WHERE rule = ? GROUP BY source)"
        self._database.run(f"UPDATE finds SET state = ?, attempts = 0, told = 0, changed = ? WHERE rule = ? AND state = ? AND {last}",
                           State.WAITING.value, time.time(), rule, State.FAILED.value, rule)
        self._database.run("UPDATE finds SET not_before = 0 WHERE rule = ? AND state IN (?, ?)", rule, State.WAITING.value, State.REGISTERING.value)

    def counts(self, rule):
        return {row["state"]: row["number"] for row in self._database.all(
            "SELECT state, COUNT(*) AS number FROM finds INDEXED BY finds_open WHERE rule = ? GROUP BY state", rule)}

    def page(self, rule, *, offset=0, limit=50, state=None, search=""):
        """The newest first, and how many there are in all."""
        where, values = "rule = ?", [rule]
        if state:
            where, values = where + " AND state = ?", [*values, State(state).value]
        if search:
            where += r" AND (source LIKE ? ESCAPE '\' OR name LIKE ? ESCAPE '\')"
            text = "%" + "".join("\\" + c if c in "\\%_" else c for c in search[:SHOWN]) + "%"
            values += [text, text]
        total = self._database.one(f"SELECT COUNT(*) FROM finds WHERE {where}", *values)[0]
        rows = self._database.all(f"SELECT * FROM finds WHERE {where} ORDER BY id DESC LIMIT ? OFFSET ?", *values, limit, offset)
        return [_find(row) for row in rows], total

    # Rules

    def begin(self, rule, at):
        """Writes a rule as it is now, in its place of the file; returns whether it is new."""
        with self._database.transaction():
            known = self._database.one("SELECT begun FROM rule_states WHERE rule = ?", rule.name)
            self._database.run("INSERT INTO rule_states (rule, about, place) VALUES (?, ?, ?) ON CONFLICT (rule) DO UPDATE SET "
                               "about = excluded.about, place = excluded.place", rule.name, json.dumps(rule.as_dict()), at)
        return known is None or known["begun"] is None

    def begun(self, rule):
        self._database.run("UPDATE rule_states SET begun = ? WHERE rule = ?", time.time(), rule)

    def end_others(self, names):
        """Rules that the file no longer has are not shown; what they did is kept."""
        self._database.run(f"UPDATE rule_states SET about = NULL WHERE rule NOT IN ({', '.join('?' * len(names))})", *names)

    def rule(self, name):
        """Its row. Raises Unknown."""
        row = self._database.one("SELECT * FROM rule_states WHERE rule = ? AND about IS NOT NULL", name)
        if not row:
            raise Unknown(f"there is no rule {name}")
        return row

    def rules(self):
        return self._database.all("SELECT * FROM rule_states WHERE about IS NOT NULL ORDER BY place")

    def looked(self, rule, began, problem):
        """began: the turn in which it has looked. Who asks for one behind that gets another one."""
        self._database.run("UPDATE rule_states SET looked = ?, problem = ? WHERE rule = ?", began, problem, rule)

    def pause(self, rule, is_paused):
        self._database.run("UPDATE rule_states SET is_paused = ? WHERE rule = ?", is_paused, rule)

    def ask_run(self, rule):
        self._database.run("UPDATE rule_states SET run_asked = ? WHERE rule = ?", time.time(), rule)

    # The portal

    def take(self, raw, dataset):
        """A portal's data set is this data set."""
        self._database.run("INSERT OR REPLACE INTO taken_from_portal VALUES (?, ?)", raw, dataset)

    def taken(self, raws):
        """Numbers of data sets by those of the portal, of those that are there."""
        rows = self._database.all(f"SELECT raw, dataset FROM taken_from_portal WHERE raw IN ({', '.join('?' * len(raws))}) "
                                  "AND dataset IN (SELECT id FROM datasets)", *raws)
        return {row["raw"]: row["dataset"] for row in rows}

    # The process that watches

    def watch(self, file, content, problem, portal):
        self._database.run("INSERT OR REPLACE INTO watching (id, file, content, problem, seen, portal) VALUES (1, ?, ?, ?, ?, ?)",
                           file, content, problem, time.time(), portal)

    def seen(self):
        self._database.run("UPDATE watching SET seen = ?", time.time())

    def watching(self):
        """The row of it, or None."""
        return self._database.one("SELECT * FROM watching")


def _find(row):
    return Find(**{name: row[name] for name in NAMES if name != "state"}, state=State(row["state"]), id=row["id"])


def _values(one):
    return [value.value if isinstance(value := getattr(one, name), State) else value for name in NAMES]
