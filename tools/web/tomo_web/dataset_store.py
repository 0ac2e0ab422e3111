# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Data sets in the server's database: rows, how they are searched, sorted and paged. Files are looked at in datasets.py."""

import dataclasses
import enum
import json
import re
import time

from .errors import Conflict, Unknown

TABLES = """
CREATE TABLE IF NOT EXISTS datasets (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, places TEXT NOT NULL, own TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE, place TEXT NOT NULL, tags TEXT NOT NULL, notes TEXT NOT NULL, owner TEXT NOT NULL, created REAL NOT NULL,
    version INTEGER NOT NULL DEFAULT 1, state TEXT NOT NULL, problem TEXT, facts TEXT, samples INTEGER, stamp TEXT);
CREATE INDEX IF NOT EXISTS datasets_by_name ON datasets (name COLLATE NOCASE, id);
CREATE INDEX IF NOT EXISTS datasets_by_created ON datasets (created, id);
CREATE INDEX IF NOT EXISTS datasets_by_state ON datasets (state, id);
CREATE INDEX IF NOT EXISTS datasets_by_owner ON datasets (owner COLLATE NOCASE, id);
CREATE INDEX IF NOT EXISTS datasets_by_samples ON datasets (samples, id);
CREATE INDEX IF NOT EXISTS datasets_by_place ON datasets (place COLLATE NOCASE, id);
CREATE TABLE IF NOT EXISTS dataset_tags (tag TEXT NOT NULL, dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
    PRIMARY KEY (tag, dataset)) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS dataset_search USING fts5 (name, tags, place, tokenize = 'trigram');
"""
COLUMNS = {"name": "name COLLATE NOCASE", "created": "created", "state": "state", "owner": "owner COLLATE NOCASE", "size": "samples",
           "place": "place COLLATE NOCASE", "id": "id"}  # that a list can be sorted by
SHORTEST = 3  # characters of a word that the index knows
UNSEEN = re.compile(r"[\x00-\x1f\x7f]")


class State(str, enum.Enum):
    NEW = "new"            # nobody has looked at its files yet
    READY = "ready"
    WARNINGS = "warnings"  # there are findings to think about
    BROKEN = "broken"      # it can't be read


@dataclasses.dataclass
class DataSet:
    """places: of its files by the names of their parameters, lists for several; own: values of parameters that belong to it alone;
    facts: of tomo-reconstruct info --json, None where nobody knows; stamp: of the files when facts were read"""
    places: dict
    owner: str
    name: str
    own: dict = dataclasses.field(default_factory=dict)
    tags: list = dataclasses.field(default_factory=list)
    notes: str = ""
    id: int | None = None
    created: float = dataclasses.field(default_factory=time.time)
    version: int = 1
    state: State = State.NEW
    problem: str | None = None
    facts: dict | None = None
    stamp: str | None = None

    @property
    def place(self):
        """The place that stands for it in lists."""
        first = next(self.places[name] for name in ("scan", "projections", "sinograms") if name in self.places)
        return first if isinstance(first, str) else first[0]

    @property
    def key(self):
        """Two data sets of one key are the same."""
        return key_of(self.places, self.own)


def key_of(places, own):
    return json.dumps([places, own], sort_keys=True)


def _data_set(row):
    return DataSet(json.loads(row["places"]), row["owner"], row["name"], json.loads(row["own"]), json.loads(row["tags"]), row["notes"],
                   row["id"], row["created"], row["version"], State(row["state"]), row["problem"],
                   json.loads(row["facts"]) if row["facts"] else None, row["stamp"])


class Store:
    def __init__(self, database):
        self._database = database

    def get(self, number):
        row = self._database.one("SELECT * FROM datasets WHERE id = ?", number)
        if not row:
            raise Unknown(f"there is no data set {number}")
        return _data_set(row)

    def known(self, key):
        """The number of the data set with that key, or None."""
        row = self._database.one("SELECT id FROM datasets WHERE key = ?", key)
        return row and row["id"]

    def add(self, new):
        """Gives it its number."""
        with self._database.transaction():
            self.refuse_second(new)
            new.id = self._database.run(
                "INSERT INTO datasets (name, places, own, key, place, tags, notes, owner, created, state, problem, facts, samples, stamp) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", new.name, json.dumps(new.places), json.dumps(new.own), new.key, new.place,
                json.dumps(new.tags), new.notes, new.owner, new.created, *_looked(new)).lastrowid
            self._index(new)
        return new

    def change(self, changed, version=None):
        """Writes name, own values, tags and notes, and what is known of the files; `version` is the one that the change is meant for."""
        with self._database.transaction():
            if version is not None and self.get(changed.id).version != version:
                raise Conflict("somebody else has changed this data set meanwhile: load it again")
            self.refuse_second(changed)
            self._database.run(
                "UPDATE datasets SET name = ?, own = ?, key = ?, tags = ?, notes = ?, version = version + 1, state = ?, problem = ?, facts = ?, "
                "samples = ?, stamp = ? WHERE id = ?", changed.name, json.dumps(changed.own), changed.key, json.dumps(changed.tags), changed.notes,
                *_looked(changed), changed.id)
            self._index(changed)
        return self.get(changed.id)

    def keep_look(self, looked):
        """Writes what is known of the files alone: nobody's change is lost by it."""
        self._database.run("UPDATE datasets SET state = ?, problem = ?, facts = ?, samples = ?, stamp = ? WHERE id = ? AND key = ?",
                           *_looked(looked), looked.id, looked.key)

    def remove(self, number):
        with self._database.transaction():
            self._database.run("DELETE FROM dataset_search WHERE rowid = ?", number)
            self._database.run("DELETE FROM datasets WHERE id = ?", number)

    def page(self, *, offset=0, limit=50, sort="-created", search="", tag=None, state=None):
        """Data sets of a page, and how many there are in all. `sort` is one of COLUMNS, with - before it for the last ones first."""
        where, values = _condition(search, tag, state)
        total = self._database.one(f"SELECT COUNT(*) FROM datasets WHERE {where}", *values)[0]
        column, way = COLUMNS[sort.lstrip("-")], "DESC" if sort.startswith("-") else "ASC"
        order = f"ORDER BY {column} {way}, id {way}"
        rows = self._database.all(  # numbers first: whole rows are long to sort
            f"SELECT * FROM datasets WHERE id IN (SELECT id FROM datasets WHERE {where} {order} LIMIT ? OFFSET ?) {order}", *values, limit, offset)
        return [_data_set(row) for row in rows], total

    def tags(self):
        """Pairs of a tag and how many data sets have it."""
        return [tuple(row) for row in self._database.all("SELECT tag, COUNT(*) FROM dataset_tags GROUP BY tag ORDER BY tag COLLATE NOCASE")]

    def refuse_second(self, wanted):
        """Raises Conflict where another one is of the same files with the same values."""
        other = self.known(wanted.key)
        if other is not None and other != wanted.id:
            raise Conflict(f"data set {other} is of the same files")

    def _index(self, one):
        self._database.run("DELETE FROM dataset_search WHERE rowid = ?", one.id)
        places = " ".join(place if isinstance(place, str) else " ".join(place) for place in one.places.values())
        self._database.run("INSERT INTO dataset_search (rowid, name, tags, place) VALUES (?, ?, ?, ?)", one.id, one.name, " ".join(one.tags), places)
        self._database.run("DELETE FROM dataset_tags WHERE dataset = ?", one.id)
        for tag in one.tags:
            self._database.run("INSERT INTO dataset_tags VALUES (?, ?)", tag, one.id)


def _looked(one):
    samples = one.facts["width"] * one.facts["height"] * one.facts["projections"] if one.facts else None
    return one.state.value, one.problem, json.dumps(one.facts) if one.facts else None, samples, one.stamp


def _condition(search, tag, state):
    """Of SQL, and its values: every word is in the name, a tag or the place."""
    conditions, values = ["1"], []
    words = UNSEEN.sub(" ", search or "").split()
    if indexed := [word for word in words if len(word) >= SHORTEST]:
        conditions.append("id IN (SELECT rowid FROM dataset_search WHERE dataset_search MATCH ?)")
        values.append(" ".join('"' + word.replace('"', '""') + '"' for word in indexed))
    for word in words:
        if len(word) < SHORTEST:
            pattern = "%" + re.sub(r"([%_\\])", r"\\\1", word) + "%"
            conditions.append(r"(name LIKE ? ESCAPE '\' OR tags LIKE ? ESCAPE '\' OR place LIKE ? ESCAPE '\')")
            values += [pattern] * 3
    if tag:
        conditions.append("id IN (SELECT dataset FROM dataset_tags WHERE tag = ?)")
        values.append(tag)
    if state:
        conditions.append("state = ?")
        values.append(State(state).value)
    return " AND ".join(conditions), values
