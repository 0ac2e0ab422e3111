# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The queue on disk: one folder, one database of sqlite, in which each change is a transaction.

Everything that must not get lost is in there before anybody acts on it. Managers and clients of other processes meet here, and
nowhere else: a client needs no manager to submit, and a manager that comes later finds what was submitted. A datagram at the
socket `wake` only saves the manager from looking often.
"""

import collections
import contextlib
import dataclasses
import fnmatch
import json
import os
import pathlib
import shutil
import sqlite3
import time

from . import _list
from ._list import values_of
from ._lock import ring
from ._model import OPEN, OVER, Error, Job, Kind, Limits, NoSuchJob, QuotaError, State
from ._order import LARGEST, Order, kind_of, named_devices, text, whole

VERSION = 2
PATIENCE = 30.0  # seconds for another process's transaction
MOST_ATTEMPTS = 3  # at starting a job whose process vanished before it began

SCHEMA = """
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL,
    priority INTEGER NOT NULL, state TEXT NOT NULL, description TEXT NOT NULL, folder TEXT NOT NULL, devices TEXT, memory INTEGER,
    session TEXT, attempt INTEGER NOT NULL DEFAULT 0, submitted REAL NOT NULL, started REAL, began REAL, ended REAL,
    assigned TEXT NOT NULL DEFAULT '[]', held INTEGER NOT NULL DEFAULT 0, worker INTEGER, status TEXT, error TEXT, exit INTEGER,
    stage TEXT, done INTEGER, total INTEGER, unit TEXT, rate REAL, seconds_left REAL, results TEXT NOT NULL DEFAULT '[]',
    outputs TEXT NOT NULL DEFAULT '[]', bytes INTEGER NOT NULL DEFAULT 0, provenance TEXT NOT NULL DEFAULT '{}', repeats INTEGER,
    is_cancelled INTEGER NOT NULL DEFAULT 0);
CREATE INDEX jobs_by_state ON jobs (state, priority DESC, id);
CREATE INDEX jobs_by_owner ON jobs (owner, state);
CREATE INDEX jobs_by_session ON jobs (state, session, priority DESC, id);
CREATE TABLE workers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, pid INTEGER, ticks INTEGER, boot TEXT, program TEXT NOT NULL, session TEXT,
    devices TEXT NOT NULL);
CREATE TABLE requests (id INTEGER PRIMARY KEY AUTOINCREMENT, job INTEGER NOT NULL, command TEXT NOT NULL);
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT);
"""

# That make a queue of a version one of the next. They only add: a manager that runs meanwhile goes on.
# `changes` has each job once, with the number of its last change, also where it is gone.
CHANGES = {1: """
ALTER TABLE jobs ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN key TEXT;
CREATE UNIQUE INDEX jobs_by_key ON jobs (key, owner) WHERE key IS NOT NULL;
CREATE INDEX jobs_by_subject ON jobs (subject, state);
CREATE INDEX jobs_listed ON jobs (id, state, owner, name, subject, key, priority, began, ended);
CREATE TABLE changes (revision INTEGER PRIMARY KEY AUTOINCREMENT, job INTEGER NOT NULL UNIQUE);
CREATE TRIGGER job_came AFTER INSERT ON jobs BEGIN INSERT OR REPLACE INTO changes (job) VALUES (NEW.id); END;
CREATE TRIGGER job_changed AFTER UPDATE ON jobs BEGIN INSERT OR REPLACE INTO changes (job) VALUES (NEW.id); END;
CREATE TRIGGER job_gone AFTER DELETE ON jobs BEGIN INSERT OR REPLACE INTO changes (job) VALUES (OLD.id); END;
"""}

# That a process or a manager writes into the folder of a job or a worker; nothing else is ever removed.
OURS = {"jobs": ("events.jsonl", "errors.log", "preview-*.npy*"), "workers": ("commands", "events.jsonl", "errors.log")}

COLUMNS = ", ".join("jobs." + field.name for field in dataclasses.fields(Job) if field.name != "pid")


def states_of(states):
    """For SQL."""
    return ", ".join(f"'{state}'" for state in states)


WAITING = "id, priority, devices, memory, session, kind"
Waiting = collections.namedtuple("Waiting", WAITING + ", problem")


def waiting_of(row):
    """A job that waits; one with a problem can't be understood, such as one from a client that checks nothing."""
    try:
        devices = None if row["devices"] is None else tuple(json.loads(row["devices"]))
        for name, kinds in (("priority", int), ("memory", (int, type(None))), ("session", (str, type(None)))):
            if not isinstance(row[name], kinds):
                raise TypeError(f"{name} is {ascii(row[name])}")
        return Waiting(row["id"], row["priority"], devices, row["memory"], row["session"], Kind(row["kind"]), None)
    except (TypeError, ValueError) as e:
        return Waiting(row["id"], 0, (), None, None, None, f"the order can't be understood: {e}")


def default_folder():
    """GST_TOMO_JOBS, else below XDG_STATE_HOME or ~/.local/state."""
    named = os.environ.get("GST_TOMO_JOBS")
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return pathlib.Path(named or os.path.join(state, "gst-tomo", "jobs"))


def job_of(row):
    return Job(**values_of(row))


class Store:
    """A connection to a queue, for one thread. Raises sqlite3.Error where the disk fails or is full."""

    def __init__(self, folder=None):
        self.folder = pathlib.Path(folder or default_folder()).absolute()
        text("the folder of the queue", str(self.folder))  # processes are told names within it
        self.folder.mkdir(parents=True, exist_ok=True)
        self._left = set()  # folders that could not be removed yet
        self._refuse_folders_of_others(is_queue=(self.folder / "jobs.sqlite").exists)  # before anything is written
        self._database = sqlite3.connect(self.folder / "jobs.sqlite", timeout=PATIENCE, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        try:
            self._use_log()
            self._database.execute("PRAGMA synchronous = NORMAL")  # see make_durable()
            self._create()
        except BaseException:
            self._database.close()
            raise

    def _refuse_folders_of_others(self, is_queue):
        """Those that have a name of ours before there is a queue: it would take them for its own."""
        found = [kind for kind in OURS if os.path.lexists(self.folder / kind)]
        if found and not is_queue():  # in this order, because others may make the queue meanwhile
            raise Error(f"{self.folder} is no queue and has a '{found[0]}' already, which a queue would use; name a folder of its own "
                        f"for the queue, such as {self.folder / 'queue'}")

    def _use_log(self):
        """Readers and one writer do not wait for each other in this mode, which the first connection brings about. sqlite does
        not wait for others that do the same just then."""
        end = time.monotonic() + PATIENCE
        while self._database.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            try:
                mode = self._database.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            except sqlite3.OperationalError as e:
                if e.sqlite_errorcode & 0xff not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or time.monotonic() > end:
                    raise
                time.sleep(0.01)
            else:
                if mode != "wal":
                    raise Error(f"{self.folder} can't hold a queue: sqlite keeps no log there (its mode is {mode}); wanted a folder on a "
                                "disk of this computer")

    def _create(self):
        """Also from a queue of an earlier version."""
        if self._version() == VERSION:
            return
        with self.transaction():
            version = self._version()  # somebody else may have been faster
            if version == 0:
                self._refuse_folders_of_others(is_queue=lambda: False)
                self._execute(SCHEMA)
                version = 1
            for number in range(version, VERSION):
                self._execute(CHANGES[number])
            self._database.execute(f"PRAGMA user_version = {VERSION}")

    def _execute(self, statements):
        statement = ""
        for line in statements.splitlines():
            statement += line + "\n"
            if sqlite3.complete_statement(statement):
                self._database.execute(statement)
                statement = ""

    def _version(self):
        """0 for a database that is new."""
        version = self._database.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise Error(f"{self.folder} is a queue of a newer version of gst-tomo ({version}; this one knows {VERSION})")
        return version

    def close(self):
        self._database.close()

    @contextlib.contextmanager
    def transaction(self):
        """Everything or nothing, and nobody in between."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:  # a full disk ends it by itself
                self._database.execute("ROLLBACK")
            raise

    def make_durable(self):
        """Until transactions would survive a loss of power. Each is safe from the end of any process before that."""
        with contextlib.suppress(FileNotFoundError), open(self.folder / "jobs.sqlite-wal", "rb") as log:
            os.fsync(log.fileno())

    def change_count(self):
        """Something else whenever this or another connection has changed something."""
        return self._database.execute("PRAGMA data_version").fetchone()[0], self._database.total_changes

    # Folders

    def job_folder(self, number):
        return self.folder / "jobs" / str(number)

    def worker_folder(self, number):
        return self.folder / "workers" / str(number)

    def wake_manager(self):
        """Tells a manager, if there is one, that something has changed."""
        ring(self.folder)

    # Limits

    def limits(self):
        found = {row["key"]: json.loads(row["value"]) for row in self._database.execute("SELECT key, value FROM settings")}
        return Limits(**{f.name: found[f.name] for f in dataclasses.fields(Limits) if f.name in found})

    def set_limits(self, limits):
        """All of them, or those of a dict."""
        changes = dataclasses.asdict(limits) if isinstance(limits, Limits) else limits
        if unknown := set(changes) - set(Limits.__dataclass_fields__):
            raise TypeError(f"there is no limit {', '.join(sorted(unknown))}")
        with self.transaction():
            for key, value in changes.items():
                self._database.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, json.dumps(value)))

    # Submitting and looking

    def submit(self, orders, repeats=None, most_open=None):
        """Numbers of their jobs, in their order: all or none. Jobs are new, except for those whose key is known. Raises QuotaError,
        DescriptionError."""
        checked = [order.checked() for order in orders]
        with self.transaction():
            new = {(order.owner, order.key or n): order for n, order in enumerate(checked) if self._known(order) is None}
            self._check_quotas(new.values(), most_open)
            return [number if (number := self._known(order)) is not None else self._insert(order, repeats) for order in checked]

    def _known(self, order):
        """The number of the job that was ordered by the same key."""
        row = None if order.key is None else self._database.execute(
            "SELECT id FROM jobs WHERE owner = ? AND key = ?", (order.owner, order.key)).fetchone()
        return row and row["id"]

    def _insert(self, order, repeats):
        return self._database.execute(
            "INSERT INTO jobs (kind, name, owner, priority, state, description, folder, devices, memory, session, submitted, repeats, "
            "subject, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (kind_of(order.description).value, order.name, order.owner, order.priority, State.QUEUED.value, json.dumps(order.description),
             order.folder, None if order.devices is None else json.dumps(order.devices), order.memory, order.session, time.time(),
             repeats, order.subject, order.key)).lastrowid

    def _check_quotas(self, orders, most_open):
        limits = self.limits()
        bounds = [bound for bound in (limits.jobs_per_owner, most_open) if bound is not None]
        for owner in {order.owner for order in orders}:
            new = sum(order.owner == owner for order in orders)
            waiting, size = self._database.execute(
                f"SELECT (SELECT count(*) FROM jobs WHERE owner = ? AND state IN ({states_of(OPEN)})), "
                "(SELECT coalesce(sum(bytes), 0) FROM jobs WHERE owner = ?)", (owner, owner)).fetchone()
            if bounds and waiting + new > min(bounds):
                raise QuotaError(f"{owner} has {waiting} jobs that are not over; with {new} more there would be more than the "
                                 f"{min(bounds)} that an owner may have")
            if limits.bytes_per_owner is not None and size >= limits.bytes_per_owner:
                raise QuotaError(f"results of {owner} have {size} bytes, and an owner may have {limits.bytes_per_owner}; remove "
                                 "some, and clean their jobs")

    def job(self, number):
        if not isinstance(number, int) or abs(number) > LARGEST:
            raise NoSuchJob(f"there is no job {number}")
        row = self._database.execute(
            f"SELECT {COLUMNS}, workers.pid FROM jobs LEFT JOIN workers ON workers.id = jobs.worker WHERE jobs.id = ?",
            (number,)).fetchone()
        if row is None:
            raise NoSuchJob(f"there is no job {number}")
        return job_of(row)

    def jobs(self, states=None, owner=None, limit=None, session=None):
        """The newest first."""
        where, values = ["1"], []
        if states:
            where.append(f"jobs.state IN ({', '.join('?' * len(states))})")
            values += [State(state).value for state in states]
        for name, value in (("jobs.owner", owner), ("jobs.session", session)):
            if value is not None:
                where.append(f"{name} = ?")
                values.append(value)
        rows = self._database.execute(
            f"SELECT {COLUMNS}, workers.pid FROM jobs LEFT JOIN workers ON workers.id = jobs.worker WHERE {' AND '.join(where)} "
            "ORDER BY jobs.id DESC LIMIT ?", (*values, -1 if limit is None else min(limit, LARGEST)))
        return [job_of(row) for row in rows]

    def page(self, **wanted):
        """A part of the list, see _list.page()."""
        return _list.page(self._database, **wanted)

    def changed(self, since):
        """The number of the last change, and the numbers of jobs that have changed behind `since`, the last one last."""
        last = self._database.execute("SELECT coalesce(max(revision), 0) FROM changes").fetchone()[0]
        rows = self._database.execute("SELECT job FROM changes WHERE revision > ? AND revision <= ? ORDER BY revision", (since, last))
        return last, [row["job"] for row in rows]

    def counts(self):
        """How many jobs there are in each state."""
        found = dict.fromkeys(State, 0)
        for row in self._database.execute("SELECT state, count(*) AS number FROM jobs GROUP BY state"):
            found[State(row["state"])] = row["number"]
        return found

    def order_of(self, number):
        """By which a job is submitted again."""
        job = self.job(number)
        devices = None if job.devices == named_devices(job.description) else job.devices
        return Order(job.description, job.name, job.owner, job.priority, devices, job.memory, job.session, job.folder, job.subject)

    # Before a job runs; after that, its manager is asked

    def change_queued(self, number, before, after):
        """Whether a job without a process was in the state `before` and is in `after` from now on."""
        with self.transaction():
            return self._database.execute(
                "UPDATE jobs SET state = ?, ended = ? WHERE id = ? AND state = ? AND worker IS NULL",
                (after.value, time.time() if after in OVER else None, number, before.value)).rowcount > 0

    def prioritize(self, number, priority):
        """Whether the job waits, and has that priority from now on."""
        with self.transaction():
            return self._database.execute("UPDATE jobs SET priority = ? WHERE id = ? AND state IN ('queued', 'paused') AND worker IS NULL",
                                          (whole("priority", priority), number)).rowcount > 0

    def cancel_waiting(self, number):
        """A job that has no process, whether it is queued or held."""
        return self.change_queued(number, State.QUEUED, State.CANCELLED) or self.change_queued(number, State.PAUSED, State.CANCELLED)

    def refuse(self, number, error):
        """A job that waits fails."""
        with self.transaction():
            self._database.execute("UPDATE jobs SET state = 'failed', ended = ?, error = ? WHERE id = ? AND state = 'queued'",
                                   (time.time(), error, number))

    def request(self, number, command):
        with self.transaction():
            self._database.execute("INSERT INTO requests (job, command) VALUES (?, ?)", (number, json.dumps(command)))

    def requests(self, after=0):
        """Their numbers, the numbers of their jobs and commands, in the order that they came."""
        rows = self._database.execute("SELECT id, job, command FROM requests WHERE id > ? ORDER BY id", (after,)).fetchall()
        return [(row["id"], row["job"], json.loads(row["command"])) for row in rows]

    def forget_requests(self, last, number):
        """Of a job, up to one that was obeyed: those before it were, too."""
        with self.transaction():
            self._database.execute("DELETE FROM requests WHERE id <= ? AND job = ?", (last, number))

    # Running, for the manager

    def queued(self, after=None, without_devices=False):
        """The jobs without a session that wait, the next one first: all, or those whose turn comes after that one's, or those
        that want no device."""
        where, values = "state = 'queued' AND session IS NULL", ()
        if after is not None:
            where += " AND (priority < ? OR (priority = ? AND id > ?))"
            values = (after.priority, after.priority, after.id)
        if without_devices:
            where += " AND devices = '[]'"
        return map(waiting_of, self._database.execute(f"SELECT {WAITING} FROM jobs WHERE {where} ORDER BY priority DESC, id", values))

    def queued_first(self):
        """The first job that waits of each session, the next one first."""
        rows = self._database.execute(
            f"SELECT {WAITING} FROM (SELECT DISTINCT session AS one FROM jobs WHERE state = 'queued' AND session IS NOT NULL) "
            "JOIN jobs ON jobs.id = (SELECT id FROM jobs WHERE state = 'queued' AND session = one ORDER BY priority DESC, id LIMIT 1) "
            "ORDER BY priority DESC, id").fetchall()
        return list(map(waiting_of, rows))

    def claim(self, number, worker, devices, memory):
        """The job, if it still waits: it belongs to a worker from now on."""
        with self.transaction():
            changed = self._database.execute(
                "UPDATE jobs SET state = 'running', worker = ?, assigned = ?, held = ?, started = ?, attempt = attempt + 1 "
                "WHERE id = ? AND state = 'queued'", (worker, json.dumps(devices), memory, time.time(), number)).rowcount
        return self.job(number) if changed else None

    def put_back(self, number, counts):
        """A job whose process has gone before it began waits again. Whether it does: not for ever, where that `counts` as an
        attempt."""
        with self.transaction():
            return self._database.execute(
                "UPDATE jobs SET state = 'queued', worker = NULL, assigned = '[]', held = 0, started = NULL, attempt = attempt - ? "
                "WHERE id = ? AND (attempt < ? OR ?) AND state IN ('running', 'paused') AND NOT is_cancelled",
                (int(not counts), number, MOST_ATTEMPTS, int(not counts))).rowcount > 0

    def update(self, number, **values):
        """Of a job that runs."""
        names = ", ".join(f"{name} = ?" for name in values)
        with self.transaction():
            self._database.execute(f"UPDATE jobs SET {names} WHERE id = ? AND state IN ('running', 'paused')",
                                   (*map(as_column, values.values()), number))

    def end(self, number, state, **values):
        """It is over: its claims end. Once."""
        self.update(number, state=state, worker=None, ended=time.time(), **values)

    def add_facts(self, number, **facts):
        """To the provenance."""
        with self.transaction():
            row = self._database.execute("SELECT provenance FROM jobs WHERE id = ?", (number,)).fetchone()
            if row:
                self._database.execute("UPDATE jobs SET provenance = ? WHERE id = ?",
                                       (json.dumps({**json.loads(row["provenance"]), **facts}), number))

    def running(self):
        """(id, worker, devices, memory, session, is_cancelled) of the jobs that have a process."""
        rows = self._database.execute("SELECT id, worker, assigned, held, session, is_cancelled FROM jobs "
                                      "WHERE state IN ('running', 'paused') AND worker IS NOT NULL").fetchall()
        return [(row["id"], row["worker"], tuple(json.loads(row["assigned"])), row["held"], row["session"], bool(row["is_cancelled"]))
                for row in rows]

    # Processes

    def add_worker(self, program, session, devices):
        with self.transaction():
            return self._database.execute("INSERT INTO workers (program, session, devices) VALUES (?, ?, ?)",
                                          (program, session, json.dumps(devices))).lastrowid

    def set_process(self, worker, pid, ticks, boot):
        with self.transaction():
            self._database.execute("UPDATE workers SET pid = ?, ticks = ?, boot = ? WHERE id = ?", (pid, ticks, boot, worker))

    def workers(self):
        return [{**dict(row), "devices": tuple(json.loads(row["devices"]))} for row in self._database.execute("SELECT * FROM workers")]

    def forget_worker(self, worker):
        with self.transaction():
            self._database.execute("DELETE FROM workers WHERE id = ?", (worker,))
        self._remove(self.worker_folder(worker))

    # Forgetting

    def forget(self, numbers):
        """Jobs that are over, with their logs. Returns how many there were."""
        count = 0
        for number in numbers:
            with self.transaction():
                gone = self._database.execute(f"DELETE FROM jobs WHERE id = ? AND state IN ({states_of(OVER)})",
                                              (number,)).rowcount
            if gone:
                self._remove(self.job_folder(number))
            count += gone
        return count

    def outdated(self, keep_days, keep_jobs):
        """Numbers of the jobs that need not be kept."""
        numbers = set()
        if keep_days is not None:
            numbers.update(row[0] for row in self._database.execute(
                f"SELECT id FROM jobs WHERE state IN ({states_of(OVER)}) AND ended < ?", (time.time() - keep_days * 86400,)))
        if keep_jobs is not None:
            numbers.update(row[0] for row in self._database.execute(
                f"SELECT id FROM jobs WHERE state IN ({states_of(OVER)}) ORDER BY ended DESC, id DESC LIMIT -1 OFFSET ?",
                (keep_jobs,)))
        return sorted(numbers)

    def remove_strays(self):
        """Folders without a job or worker, which a process has left that was killed while it cleaned. Those that hold anything of
        others stay."""
        for kind, names in OURS.items():
            folder = self.folder / kind
            for path in folder.iterdir() if folder.is_dir() else ():
                if is_number(path.name) and is_ours(path, names) and not self._database.execute(
                        f"SELECT 1 FROM {kind} WHERE id = ?", (int(path.name),)).fetchone():
                    self._remove(path)

    def _remove(self, path):
        shutil.rmtree(path, ignore_errors=True)
        if os.path.lexists(path):
            self._left.add(path)

    def remove_left(self):
        """Folders that could not be removed before, as where there were too few descriptors."""
        left, self._left = self._left, set()
        for path in left:
            self._remove(path)


def is_number(name):
    """As this module writes it."""
    return name.isascii() and name.isdecimal() and str(int(name)) == name and int(name) <= LARGEST


def is_ours(path, names):
    """A folder with nothing but files of these names."""
    if path.is_symlink() or not path.is_dir():
        return False
    return all(not one.is_dir() and any(fnmatch.fnmatchcase(one.name, name) for name in names) for one in path.iterdir())


def as_column(value):
    if isinstance(value, (list, dict)):
        return json.dumps(value)
    return value.value if isinstance(value, State) else value
