# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who is told of jobs that are over, and the messages on their way: they survive a restart, and are tried again."""

import asyncio
import contextlib
import json
import logging
import smtplib
import sqlite3
import ssl
import time
from email.message import EmailMessage

from gsttomo import jobs
from gsttomo.faces.texts import time_text

from .errors import Invalid
from .job_texts import short
from .webhook import NotDelivered, checked, deliver

TABLES = """
CREATE TABLE IF NOT EXISTS notices (person TEXT PRIMARY KEY, email TEXT, webhook TEXT, secret TEXT NOT NULL, tells TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS notices_of_jobs (job INTEGER PRIMARY KEY, person TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS notices_seen (revision INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, job INTEGER, person TEXT NOT NULL, kind TEXT NOT NULL, address TEXT NOT NULL, body TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, due REAL, created REAL NOT NULL, sent REAL, problem TEXT, UNIQUE (job, kind));
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due) WHERE due IS NOT NULL;
CREATE TRIGGER IF NOT EXISTS notices_of_person_gone AFTER DELETE ON persons BEGIN
    DELETE FROM notices WHERE person = OLD.name;
    DELETE FROM deliveries WHERE person = OLD.name;
END;
"""
FIRST, LONGEST = 10.0, 3600.0  # seconds until it is tried again: each time twice as long
MOST_TRIES = 10
AT_ONCE = 4
CLAIM = 60.0           # seconds that one process may take to send it
PIECE = 500            # jobs that are looked at together
KEPT = 30 * 86400.0    # seconds that a message is remembered

log = logging.getLogger(__name__)


class Notices:
    """One for each server."""

    def __init__(self, settings, database, queue, told):
        self._settings, self._database, self._queue, self._told = settings, database, queue, told
        self._wake = asyncio.Event()
        self._task = None

    def start(self):
        if not self._database.one("SELECT revision FROM notices_seen"):
            self._database.run("INSERT INTO notices_seen VALUES (-1)")
        self._task = asyncio.create_task(self._run())

    async def close(self):
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    def wake(self):
        """Something about jobs has changed, or is to be sent."""
        self._wake.set()

    def want(self, person, given):
        """Of these jobs the person is told, whatever else was said."""
        with self._database.transaction():
            for job in given:
                self._database.run("INSERT OR IGNORE INTO notices_of_jobs VALUES (?, ?)", job.id, person.name)

    def put(self, person, job, body):
        """A message to all addresses of a person who is let in; job: its number, None for a trial."""
        row = self._database.one("SELECT * FROM notices WHERE person = ? AND person NOT IN (SELECT name FROM persons WHERE is_blocked)", person)
        if not row:
            return 0
        count = 0
        for kind, is_possible in (("email", self._settings.smtp), ("webhook", self._settings.webhooks)):
            if row[kind] and is_possible:
                count += self._database.run("INSERT OR IGNORE INTO deliveries (job, person, kind, address, body, due, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
                                            job, person, kind, row[kind], json.dumps(body), time.time(), time.time()).rowcount
        self.wake()
        return count

    def add(self, person, address, body):
        """A message to an address that the administrator has given, of mail or of a webhook. body: {"event", "subject", "text", ...}. It is
        sent if the transaction around this is committed."""
        self._database.run("INSERT INTO deliveries (job, person, kind, address, body, due, created) VALUES (NULL, ?, ?, ?, ?, ?, ?)", person,
                           "webhook" if address.startswith("http") else "email", address, json.dumps(body), time.time(), time.time())
        self.wake()

    async def _run(self):
        while True:
            self._wake.clear()
            try:
                await self._look()
                await self._send()
                wait = self._until_next()
            except (jobs.Error, sqlite3.Error, OSError, ValueError) as e:
                log.error("messages about jobs wait: %s", e)
                wait = FIRST
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    def _until_next(self):
        due = self._database.one("SELECT min(due) AS due FROM deliveries WHERE due IS NOT NULL")["due"]
        return 60.0 if due is None else min(60.0, max(0.1, due - time.time()))

    async def _look(self):
        """Messages for jobs that are over since the last look; the look and its messages are one change on disk."""
        seen = self._database.one("SELECT revision FROM notices_seen")["revision"]
        last, numbers = await self._queue.changed(max(seen, 0))
        if seen < 0:
            numbers = []  # those before the first look are nobody's news
        if last == seen:
            return
        over = []
        for at in range(0, len(numbers), PIECE):
            page = await self._queue.page(states=jobs.OVER, numbers=numbers[at:at + PIECE], limit=PIECE)
            over += page.jobs
            await asyncio.sleep(0)  # others are served meanwhile, as where much has happened without a server
        with self._database.transaction():
            for job in sorted(over, key=lambda one: one.id):
                self._tell(job)
            self._database.run("UPDATE notices_seen SET revision = ?", last)
            self._database.run("DELETE FROM deliveries WHERE due IS NULL AND created < ?", time.time() - KEPT)

    def _tell(self, job):
        asked = self._database.one("SELECT person FROM notices_of_jobs WHERE job = ?", job.id)
        row = self._database.one("SELECT tells FROM notices WHERE person = ?", job.owner)
        tells = row["tells"] if row else "never"
        if asked or tells == "always" or (tells == "failed" and job.state is jobs.State.FAILED):
            about = short(job, self._told)
            address = f"{self._settings.addresses[0]}/ui/#/jobs/{job.id}" if self._settings.addresses else None
            self.put(asked["person"] if asked else job.owner, job.id, {
                "event": "job-over", "address": address, "job": {name: about[name] for name in (
                    "id", "name", "owner", "dataset", "state", "status", "error", "submitted", "began", "ended", "seconds", "results", "bytes")}})

    async def _send(self):
        rows = self._database.all("SELECT * FROM deliveries WHERE due <= ? ORDER BY due LIMIT ?", time.time(), AT_ONCE)
        await asyncio.gather(*(self._try(row) for row in rows if self._claim(row)))
        if rows:
            self.wake()

    def _claim(self, row):
        """Whether it is ours, and not that of tomo-web --watch-only beside us. Whoever is killed meanwhile leaves it for later."""
        return self._database.run("UPDATE deliveries SET due = ? WHERE id = ? AND due = ?", time.time() + CLAIM, row["id"], row["due"]).rowcount == 1

    async def _try(self, row):
        try:
            if row["kind"] == "email":
                await asyncio.to_thread(self._mail, row["address"], json.loads(row["body"]), row["id"])
            else:
                await self._call(row)
        except NotDelivered as e:
            self._again(row, str(e))
        else:
            self._database.run("UPDATE deliveries SET sent = ?, due = NULL, problem = NULL, tries = tries + 1 WHERE id = ?", time.time(), row["id"])

    def _again(self, row, problem):
        tries = row["tries"] + 1
        due = None if tries >= MOST_TRIES else time.time() + min(LONGEST, FIRST * 2 ** (tries - 1))
        self._database.run("UPDATE deliveries SET tries = ?, due = ?, problem = ? WHERE id = ?", tries, due, self._told(problem)[:500], row["id"])

    async def _call(self, row):
        secret = self._database.one("SELECT secret FROM notices WHERE person = ?", row["person"])
        try:
            checked(row["address"], self._settings.webhooks)  # another administrator may think otherwise meanwhile
        except Invalid as e:
            raise NotDelivered(e.text) from None
        await deliver(row["address"], row["body"].encode(), secret["secret"] if secret else "", row["id"], self._settings.private_webhooks)

    def _mail(self, address, body, number):
        """In a thread."""
        message = EmailMessage()
        message["From"], message["To"] = self._settings.mail_from, address
        message["Subject"] = subject_of(body)
        message["Message-ID"] = f"<{number}.{int(time.time())}@gst-tomo>"
        message.set_content(text_of(body))
        host, _, port = self._settings.smtp.rpartition(":") if ":" in self._settings.smtp else (self._settings.smtp, "", "25")
        try:
            kind = smtplib.SMTP_SSL if self._settings.smtp_security == "tls" else smtplib.SMTP
            with kind(host, int(port), timeout=20) as server:
                if self._settings.smtp_security == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if self._settings.smtp_login:
                    server.login(*self._settings.smtp_login.read_text().strip().split(":", 1))
                server.send_message(message)
        except (OSError, smtplib.SMTPException, ValueError, TypeError) as e:
            raise NotDelivered(f"the mail server {host} takes no message: {e}") from None


def subject_of(body):
    if "subject" in body:
        return " ".join(body["subject"].split())
    job = body.get("job")
    return " ".join(f"gst-tomo: job {job['id']} ({job['name']}) {WORDS[job['state']]}".split()) if job else "gst-tomo: a trial"


WORDS = {"done": "is done", "failed": "has failed", "cancelled": "was cancelled"}


def text_of(body):
    """For people."""
    if "text" in body:
        return body["text"] + "\n"
    job = body.get("job")
    if not job:
        return "Messages about your jobs come to this address.\n"
    lines = [f"{job['name']} {WORDS[job['state']]}" + (", early" if job["status"] == "finished early" else "") + "."]
    if job["seconds"] is not None:
        lines.append(f"It took {time_text(job['seconds'])}.")
    if job["error"] and job["state"] == "failed":
        lines.append(job["error"])
    lines += [f"Result: {one['name']}" for one in job["results"]]
    return "\n".join([*lines, *([body["address"]] if body["address"] else [])]) + "\n"
