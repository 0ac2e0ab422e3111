# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files that people upload, piece by piece: what has come of each, and where it goes. uploads.py speaks tus to browsers."""

import asyncio
import contextlib
import dataclasses
import hashlib
import os
import re
import secrets
import shutil
import sqlite3
import time

from .browse import HDF5, IMAGES, SCANNERS
from .confined import PATTERN
from .errors import Conflict, Forbidden, Invalid, TooLarge, TooMany, Unknown
from .folders import FORBIDDEN
from .programs import until_done

TABLES = """
CREATE TABLE IF NOT EXISTS uploads (id TEXT PRIMARY KEY, person TEXT NOT NULL, place TEXT NOT NULL UNIQUE, length INTEGER NOT NULL,
    modified TEXT NOT NULL, created REAL NOT NULL, changed REAL NOT NULL, is_whole INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS uploads_by_person ON uploads (person);
"""
PARTS = ".uploads"           # folder of what is not whole; hidden ones are shown to nobody
BESIDE = {".txt", ".raw", ".csv", ".json", ".xml", ".cfg", ".dat", ".ini"}  # facts that lie beside images
ARCHIVES = {".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".xz", ".bz2"}
LONGEST_NAME = 200           # bytes of UTF-8
DEEPEST = 4                  # folders
MOST_UNFINISHED = 20_000     # of one person: a folder of images has many
ROOM = 1 << 30               # bytes of the disk that stay free
AT_ONCE = 1 << 20            # bytes that are written in one go
TIDY = 3600.0                # seconds between two looks at what nobody goes on with
HASHES = ("sha1", "sha256", "md5")


@dataclasses.dataclass
class Upload:
    id: str
    person: str
    place: str
    length: int
    modified: str  # of the file that the person has: tells whether it is still the same
    created: float
    changed: float
    is_whole: bool

    @property
    def name(self):
        """Within the folder of the person."""
        return "/".join(self.place.split("/")[2:])


class Mismatch(Exception):
    """Of a checksum."""


class Uploads:
    def __init__(self, settings, folders, database):
        self._settings, self._folders, self._database = settings, folders, database
        self._writing = {}  # id to the task that writes
        self._tidying = asyncio.ensure_future(self._tidy_for_ever()) if settings.uploads else None

    async def close(self):
        for task in [*self._writing.values(), *filter(None, [self._tidying])]:
            task.cancel()

    # What there is

    def get(self, number, person):
        row = self._database.one("SELECT * FROM uploads WHERE id = ? AND person = ?", number, person.name)
        if not row:
            raise Unknown("there is no such upload: it was taken away, or it is somebody else's")
        return _upload(row)

    def of(self, person, whole=False):
        """Those that are not whole, or all of them."""
        self._forget_lost()
        rows = self._database.all("SELECT * FROM uploads WHERE person = ? AND is_whole <= ? ORDER BY created, place", person.name, whole)
        return [_upload(row) for row in rows]

    def offset(self, upload):
        """Bytes that have come."""
        if upload.is_whole:
            return upload.length
        try:
            return os.stat(self._part(upload.id)).st_size
        except FileNotFoundError:
            return 0

    def expires(self, upload):
        """Seconds since 1970 after which it is taken away, if nothing more comes."""
        return upload.changed + self._settings.upload_days * 86400

    # How it comes

    def begin(self, person, name, length, modified=""):
        """An upload of a file, whose name may have folders before it. Raises why the file can't be taken."""
        if not self._settings.uploads:
            raise Forbidden("this server takes no uploads")
        if length > self._settings.largest_upload:
            raise TooLarge(f"a file may have {self._settings.largest_upload} bytes at most")
        place = f"{self._settings.uploads}/{folder_of(person.name)}/{checked_name(name)}"
        self._check_room(person, length)
        if os.path.lexists(self._root.joinpath(*place.split("/")[1:])):
            raise Conflict(f"{name} is there already")
        self._forget_lost(place)
        if self._database.one("SELECT 1 FROM uploads WHERE place = ?", place):
            raise Conflict(f"{name} is on its way already")
        now = time.time()
        upload = Upload(secrets.token_hex(16), person.name, place, length, modified[:64], now, now, False)
        self._parts.mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(self._part(upload.id), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        self._database.run("INSERT INTO uploads (id, person, place, length, modified, created, changed) VALUES (?, ?, ?, ?, ?, ?, ?)",
                           upload.id, upload.person, place, length, upload.modified, now, now)
        return upload

    async def write(self, upload, offset, pieces, checksum=None):
        """Appends what comes, and gives the file its name when it is whole. What has come before an error stays, unless a checksum of it was
        given. Raises Conflict where other bytes are wanted, Mismatch. Returns the offset then."""
        await self._end_other(upload)
        self._writing[upload.id] = asyncio.current_task()
        try:
            at = self.offset(upload)
            if offset != at:
                raise Conflict(f"byte {at} comes next, and not byte {offset}", "Upload-Offset")
            if not upload.is_whole:
                at = await self._append(upload, at, pieces, checksum)
            if at == upload.length and not upload.is_whole:
                await to_its_end(self._complete(upload))
        finally:
            del self._writing[upload.id]
        return at

    async def _complete(self, upload):
        await asyncio.to_thread(self._finish, upload)
        self._database.run("UPDATE uploads SET is_whole = 1, changed = ? WHERE id = ?", time.time(), upload.id)
        upload.is_whole = True

    async def remove(self, upload):
        """Gives up one that is not whole."""
        await self._end_other(upload)
        if upload.is_whole:
            raise Conflict("the file is whole")
        self._database.run("DELETE FROM uploads WHERE id = ?", upload.id)
        self._part(upload.id).unlink(missing_ok=True)

    async def _end_other(self, upload):
        """A connection that hangs does not hinder the one that goes on. Of several that come meanwhile one goes on at a time."""
        while other := self._writing.get(upload.id):
            other.cancel()
            if not (await asyncio.wait({other}, timeout=10))[0]:
                raise Conflict("the last bytes are still being written: try again")
        row = self._database.one("SELECT is_whole FROM uploads WHERE id = ?", upload.id)
        if not row:
            raise Unknown("the upload was given up meanwhile")
        upload.is_whole = bool(row["is_whole"])

    async def _append(self, upload, begin, pieces, checksum):
        file = os.open(self._part(upload.id), os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        made, at, waiting = hashlib.new(checksum[0], usedforsecurity=False) if checksum else None, begin, bytearray()
        is_right = not checksum
        try:
            async for piece in pieces:
                if at + len(waiting) + len(piece) > upload.length:
                    raise TooLarge(f"more than the {upload.length} bytes came that were announced")
                waiting += piece
                if made:
                    made.update(piece)
                if len(waiting) >= AT_ONCE:
                    at += await to_its_end(self._put(file, waiting))
            is_right = not made or made.digest() == checksum[1]
            if not is_right:
                raise Mismatch
        finally:
            try:
                if waiting and is_right or waiting and not made:
                    at += os.write(file, waiting)  # also of a connection that broke
                if not is_right:
                    os.ftruncate(file, begin)
            finally:
                os.close(file)
            self._database.run("UPDATE uploads SET changed = ? WHERE id = ?", time.time(), upload.id)
        return at

    async def _put(self, file, waiting):
        written = await asyncio.to_thread(os.write, file, bytes(waiting))
        del waiting[:written]
        return written

    def _finish(self, upload):
        """The name appears when all of the file is on the disk, and never in place of another file."""
        part = self._part(upload.id)
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        folder, name = upload.place.rsplit("/", 1)
        path = self._root
        for one in folder.split("/")[1:]:
            path = path / one
            path.mkdir(exist_ok=True)
        target = self._folders.path(folder) / name  # raises where somebody made a link that leads out
        os.chmod(part, 0o644)
        try:
            os.link(part, target)
        except FileExistsError:
            if not os.path.samefile(part, target):  # else the server was killed behind the link
                raise Conflict(f"{upload.name} is there already") from None
        except OSError:  # a file system without hard links
            os.rename(part, target)
            return
        part.unlink()

    # Limits

    def _check_room(self, person, length):
        self._forget_lost()
        used, count = self._database.one("SELECT COALESCE(SUM(length), 0), COALESCE(SUM(NOT is_whole), 0) FROM uploads WHERE person = ?", person.name)
        if count >= MOST_UNFINISHED:
            raise TooMany(f"{MOST_UNFINISHED} of your files are on their way: finish some of them first")
        if used + length > self._settings.uploads_of_person:
            raise TooLarge(f"your files may have {self._settings.uploads_of_person} bytes together, and have {used}")
        waiting = self._database.one("SELECT COALESCE(SUM(length), 0) FROM uploads WHERE NOT is_whole")[0]
        if waiting + length + ROOM > shutil.disk_usage(self._root).free:
            raise TooLarge("the disk has no room for this file")

    def _forget_lost(self, place=None):
        """Whole files that somebody has removed count no more."""
        rows = self._database.all("SELECT id, place FROM uploads WHERE is_whole" + (" AND place = ?" if place else ""), *filter(None, [place]))
        for row in rows:
            if not os.path.lexists(self._root.joinpath(*row["place"].split("/")[1:])):
                self._database.run("DELETE FROM uploads WHERE id = ?", row["id"])

    async def _tidy_for_ever(self):
        while True:
            with contextlib.suppress(OSError, sqlite3.Error):  # such as of a full disk
                self.tidy()
                await self._complete_left()
            await asyncio.sleep(TIDY)

    async def _complete_left(self):
        """Files whose last byte had come when the server was killed."""
        for upload in [_upload(row) for row in self._database.all("SELECT * FROM uploads WHERE NOT is_whole")]:
            if self.offset(upload) == upload.length and upload.id not in self._writing:
                task = asyncio.ensure_future(self.write(upload, upload.length, nothing()))
                await asyncio.gather(task, return_exceptions=True)  # another connection may cancel it, and what is wrong is told there

    def tidy(self, now=None):
        """Takes away what nobody goes on with, and parts that belong to no upload."""
        before = (now or time.time()) - self._settings.upload_days * 86400
        for row in self._database.all("SELECT id FROM uploads WHERE NOT is_whole AND changed < ?", before):
            if row["id"] not in self._writing:
                self._database.run("DELETE FROM uploads WHERE id = ?", row["id"])
        known = {row["id"] for row in self._database.all("SELECT id FROM uploads WHERE NOT is_whole")}
        for path in self._parts.iterdir() if self._parts.is_dir() else ():
            if path.name not in known:
                path.unlink(missing_ok=True)

    @property
    def _root(self):
        return self._folders.path(self._settings.uploads)

    @property
    def _parts(self):
        return self._root / PARTS

    def _part(self, number):
        return self._parts / number


async def nothing():
    """Pieces of no bytes."""
    return
    yield


async def to_its_end(work):
    """The result of a coroutine that must not stop half way: where who waits for it is cancelled, that is told behind its end."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    finally:
        await until_done(task)


def _upload(row):
    return Upload(*(row[field.name] for field in dataclasses.fields(Upload)[:-1]), bool(row["is_whole"]))


def checked_name(name):
    """FOLDER/FILE as it is. Raises Invalid where a part of it is no plain name."""
    parts = name.split("/")
    if len(parts) > DEEPEST + 1:
        raise Invalid(f"at most {DEEPEST} folders may be before the name of a file", "filename")
    for part in parts:
        if not part or part.startswith(".") or part != part.strip() or FORBIDDEN.search(part) or PATTERN.search(part) or not part.isprintable():
            raise Invalid(f"'{part[:100]}' is no name for a file here: no . at the begin, and none of * ? [ ] % , : \\", "filename")
        try:
            too_long = len(part.encode()) > LONGEST_NAME
        except UnicodeEncodeError:
            too_long = True
        if too_long:
            raise Invalid(f"a name may have {LONGEST_NAME} bytes at most", "filename")
    suffix = os.path.splitext(parts[-1])[1].lower()
    if suffix in ARCHIVES:
        raise Invalid("archives are not unpacked: choose the files in it, or their folder", "filename")
    if suffix not in HDF5 | IMAGES | SCANNERS | BESIDE:
        raise Invalid(f"files with the suffix '{suffix}' are no part of a scan", "filename")
    return name


def folder_of(person):
    """The name of a person as that of a folder; two persons never have one."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", person)[:64]
    return plain if plain == person else f"{plain}-{hashlib.sha256(person.encode()).hexdigest()[:8]}"
