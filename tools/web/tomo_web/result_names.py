# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names of results: no two jobs write the same file. A name belongs to an order before the queue has it, and is free again when its job
is over and has left nothing."""

import asyncio
import contextlib
import os
import re

TABLES = """
CREATE TABLE IF NOT EXISTS result_names (name TEXT PRIMARY KEY, job INTEGER) WITHOUT ROWID;
"""
LONGEST = 100  # characters of the part that people chose


class ResultNames:
    """In a folder that jobs alone write to."""

    def __init__(self, database, queue, folder):
        self._database, self._queue, self.folder = database, queue, folder.resolve()
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def reserved(self, stems):
        """Paths, one for each stem: NAME-slices.h5 of it, with the next number that is free. They stay reserved for the jobs that are
        given to keep(); others are free again at the end."""
        async with self._turn:
            names = await self._reserve(stems)
        try:
            yield [str(self.folder / name) for name in names]
        finally:
            with self._database.transaction():
                for name in names:
                    self._database.run("DELETE FROM result_names WHERE name = ? AND job IS NULL", name)

    def keep(self, given):
        """For jobs that are queued now."""
        with self._database.transaction():
            for job in given:
                self._database.run("UPDATE result_names SET job = ? WHERE name = ?", job.id, os.path.basename(job.description["output"]))

    async def _reserve(self, stems):
        names, counters = [], {}
        for stem in map(plain_name, stems):
            number = counters.get(stem, 0) + 1
            while not await self._is_free(name := name_of(stem, number), names):
                number += 1
            counters[stem] = number
            names.append(name)
        with self._database.transaction():
            for name in names:
                self._database.run("INSERT OR REPLACE INTO result_names VALUES (?, NULL)", name)
        return names

    async def _is_free(self, name, others):
        if os.path.lexists(self.folder / name):
            return False
        row = self._database.one("SELECT job FROM result_names WHERE name = ?", name)
        if row is None or row["job"] is None:
            return row is None and name not in others
        found = (await self._queue.page(numbers=[row["job"]], limit=1)).jobs
        return not found or found[0].is_over


def name_of(stem, number):
    return f"{stem}-slices.h5" if number == 1 else f"{stem}-slices-{number}.h5"


def plain_name(text):
    """Letters, digits and what is no trouble in names of files."""
    return re.sub(r"[^\w.-]+", "_", text).strip("._")[:LONGEST] or "volume"
