# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What may be on a disk when the machine stops, by what recording-disk.cpp wrote down.

What was synced is there. Of what came later, any part may be there, in pieces of 4096 bytes and in any order, as file
systems write back; changes of names are there in their order, up to some point. A file's size follows what is there of it.
"""

import os

PIECE = 4096


class Record:
    def __init__(self, operation, offset, path, data):
        self.operation, self.offset, self.path, self.data = operation, offset, path, data


def read_log(path):
    with open(path, "rb") as log:
        text = log.read()
    records, at = [], 0
    while at < len(text):
        end = text.index(b"\n", at)
        operation, offset, length, paths = text[at:end].decode().split(" ", 3)
        at = end + 1
        data = text[at:at + int(length)]
        at += int(length)
        records.append(Record(operation, int(offset), paths, data))
    return records


class Contents:
    """Of one file: what is safe, and what may be there besides."""

    def __init__(self, safe=b""):
        self.safe = bytearray(safe)
        self.waiting = []

    @staticmethod
    def apply(contents, record):
        if record.operation == "truncate":
            del contents[record.offset:]
            contents.extend(bytes(record.offset - len(contents)))
            return
        contents.extend(bytes(max(0, record.offset + len(record.data) - len(contents))))
        contents[record.offset:record.offset + len(record.data)] = record.data

    def sync(self):
        for record in self.waiting:
            self.apply(self.safe, record)
        self.waiting = []

    def after_stop(self, rng):
        contents, pieces = bytearray(self.safe), []
        for record in self.waiting:
            if record.operation == "truncate":
                pieces.append(record)
            at = 0
            while at < len(record.data):
                count = min(PIECE - (record.offset + at) % PIECE, len(record.data) - at)
                pieces.append(Record("write", record.offset + at, None, record.data[at:at + count]))
                at += count
        share = rng.choice([0, 0.1, 0.5, 0.9, 1])
        for piece in pieces:
            if rng.uniform() < share:
                self.apply(contents, piece)
        return bytes(contents)


class Disk:
    """Plays a log on files that are there, all of them in one folder."""

    def __init__(self, files=None):
        self.names = {name: Contents(data) for name, data in (files or {}).items()}
        self.safe_names = dict(self.names)
        self.waiting = []  # changes of names

    @staticmethod
    def change(names, record, contents):
        if record.operation == "create":
            names[record.path] = contents
        elif record.operation == "unlink":
            names.pop(record.path, None)
        elif record.operation == "rename":
            before, after = record.path.split("\t")
            if before in names:
                names[after] = names.pop(before)

    def play(self, record):
        if record.operation in ("create", "unlink", "rename"):
            contents = Contents()
            self.change(self.names, record, contents)
            self.waiting.append((record, contents))
        elif record.operation == "sync-folder":
            self.safe_names, self.waiting = dict(self.names), []
        elif record.path in self.names:  # else it has no name any more
            contents = self.names[record.path]
            if record.operation == "sync":
                contents.sync()
            else:
                contents.waiting.append(record)

    def after_stop(self, rng):
        names = dict(self.safe_names)
        for record, contents in self.waiting[:rng.integers(len(self.waiting) + 1)]:
            self.change(names, record, contents)
        return {name: contents.after_stop(rng) for name, contents in names.items()}


def write_files(files):
    for name, data in files.items():
        with open(name, "wb") as file:
            file.write(data)


def read_files(folder, part):
    found = {}
    for name in os.listdir(folder):
        if part in name:
            with open(os.path.join(folder, name), "rb") as file:
                found[os.path.join(folder, name)] = file.read()
    return found
