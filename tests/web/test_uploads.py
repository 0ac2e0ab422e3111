# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Uploads of tomo-web: by tus 1.0.0, broken off and gone on with, and what is refused."""

import asyncio
import base64
import errno
import hashlib
import os
import pathlib
import socket
import sqlite3
import tempfile
import threading
import unittest
from unittest import mock

import numpy as np
from scan_files import series
from webtest import SCAN, BrowserTest, ServerTest, main, until

from tomo_web import upload_store
from tomo_web.access import Person, Role
from tomo_web.database import Database
from tomo_web.folders import Folders
from tomo_web.settings import Settings
from tomo_web.upload_store import AT_ONCE

TUS = {"Tus-Resumable": "1.0.0"}
BODY = "application/offset+octet-stream"
DATA = SCAN.read_bytes()


def text(value):
    return base64.b64encode(value.encode()).decode()


class Hands:
    """What a client of tus does."""

    def take_uploads(self, *words):
        server = self.server("--uploads", "incoming", f"incoming={self.incoming()}", *words)
        return server

    def incoming(self):
        folder = self.folder / "incoming"
        folder.mkdir(exist_ok=True)
        return folder

    def begin(self, server, name="scan.nxs", length=len(DATA), **headers):
        return server.ask("POST", "uploads", headers={**TUS, "Upload-Length": str(length), "Upload-Metadata": f"filename {text(name)}", **headers})

    def append(self, server, address, offset, data, **headers):
        return server.ask("PATCH", address, body=data, headers={**TUS, "Content-Type": BODY, "Upload-Offset": str(offset), **headers})

    def offset(self, server, address):
        answer = server.ask("HEAD", address, headers=TUS)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        return int(answer.headers["Upload-Offset"])


class Uploads(Hands, ServerTest):
    def test_pieces_become_a_file_and_a_data_set(self):
        server = self.take_uploads()
        can = server.ask("OPTIONS", "uploads")
        self.assertEqual((can.status, can.headers["Tus-Version"], can.headers["Tus-Extension"]),
                         (204, "1.0.0", "creation,expiration,checksum,termination"))
        made = self.begin(server)
        self.assertEqual(made.status, 201, made.body)
        address = made.headers["Location"]
        self.assertIn("Upload-Expires", made.headers)
        half = len(DATA) // 2
        self.assertEqual(self.append(server, address, 0, DATA[:half]).headers["Upload-Offset"], str(half))
        self.assertEqual(self.offset(server, address), half)
        self.assertEqual(server.get("folders/contents", place="incoming")["items"], [])  # nobody sees half a file
        self.assertEqual([one["offset"] for one in server.get("uploads")], [half])
        for wrong in (0, half - 1, half + 1, len(DATA)):
            self.assertEqual(self.append(server, address, wrong, DATA[half:]).status, 409, wrong)
        self.assertEqual(self.append(server, address, half, DATA[half:]).status, 204)
        self.assertEqual((self.incoming() / "local" / "scan.nxs").read_bytes(), DATA)
        about = server.get(f"uploads/{address.rsplit('/', 1)[1]}")
        self.assertEqual((about["is_whole"], about["place"]), (True, "incoming/local/scan.nxs"))
        self.assertEqual(server.ask("POST", "datasets", {"places": {"scan": about["place"]}}).json["facts"]["projections"], 91)
        self.assertEqual((server.get("uploads"), os.listdir(self.incoming() / ".uploads")), ([], []))
        self.assertEqual(self.begin(server).status, 409)  # the name is taken
        self.assertEqual(self.begin(server, "empty.txt", 0).status, 201)
        self.assertEqual((self.incoming() / "local" / "empty.txt").read_bytes(), b"")

    def test_a_server_that_is_killed_in_the_middle(self):
        server = self.take_uploads()
        address = self.begin(server).headers["Location"]
        self.append(server, address, 0, DATA[:100_000])
        with socket.create_connection((server.host, server.port)) as connection:  # a piece under way
            connection.sendall((f"PATCH {address} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\nAuthorization: Bearer {server.token}\r\n"
                                f"Tus-Resumable: 1.0.0\r\nContent-Type: {BODY}\r\nUpload-Offset: 100000\r\n"
                                f"Content-Length: {len(DATA) - 100_000}\r\n\r\n").encode() + DATA[100_000:150_000])
            server.kill()
        server.start()
        at = self.offset(server, address)
        self.assertIn(at, range(100_000, 150_001))
        self.assertEqual(self.append(server, address, at, DATA[at:]).status, 204)
        self.assertEqual((self.incoming() / "local" / "scan.nxs").read_bytes(), DATA)

    def test_a_connection_that_breaks_or_hangs(self):
        server = self.take_uploads()
        address = self.begin(server).headers["Location"]
        head = (f"PATCH {address} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\nAuthorization: Bearer {server.token}\r\nTus-Resumable: 1.0.0\r\n"
                f"Content-Type: {BODY}\r\nContent-Length: {len(DATA)}\r\n")
        with socket.create_connection((server.host, server.port)) as connection:
            connection.sendall(f"{head}Upload-Offset: 0\r\n\r\n".encode() + DATA[:70_000])
        at = 70_000
        until(lambda: self.offset(server, address) == at, "what came before is lost")
        with socket.create_connection((server.host, server.port)) as hangs:
            hangs.sendall(f"{head}Upload-Offset: {at}\r\n\r\n".encode() + DATA[at:at + 10])
            until(lambda: server.ask("HEAD", address, headers=TUS).status == 200)
            found = self.append(server, address, self.offset(server, address), b"")  # ends the other one
            at = self.offset(server, address)
            self.assertIn(found.status, (204, 409))
            self.assertEqual(self.append(server, address, at, DATA[at:]).status, 204)
        self.assertEqual((self.incoming() / "local" / "scan.nxs").read_bytes(), DATA)

    def test_checksums(self):
        server = self.take_uploads()
        address = self.begin(server).headers["Location"]
        for name in ("sha1", "sha256", "md5"):
            at = self.offset(server, address)
            piece = DATA[at:at + 1000]
            wrong = self.append(server, address, at, piece, **{"Upload-Checksum": f"{name} {base64.b64encode(b'x' * 20).decode()}"})
            self.assertEqual((wrong.status, self.offset(server, address)), (460, at))
            right = base64.b64encode(hashlib.new(name, piece).digest()).decode()
            self.assertEqual(self.append(server, address, at, piece, **{"Upload-Checksum": f"{name} {right}"}).status, 204)
            self.assertEqual(self.offset(server, address), at + 1000)
        self.assertEqual(self.append(server, address, 3000, b"x", **{"Upload-Checksum": "crc32 AAAA"}).status, 422)

    def test_giving_up(self):
        server = self.take_uploads()
        address = self.begin(server).headers["Location"]
        self.append(server, address, 0, DATA[:1000])
        self.assertEqual(server.ask("DELETE", address, headers=TUS).status, 204)
        self.assertEqual(server.ask("HEAD", address, headers=TUS).status, 404)
        self.assertEqual((server.get("uploads"), os.listdir(self.incoming() / ".uploads")), ([], []))
        self.assertEqual(self.begin(server).status, 201)  # the name is free again

    def test_names_and_protocol(self):
        server = self.take_uploads()
        for name in ("../x.h5", "/etc/x.h5", "a/../x.h5", "a//x.h5", ".x.h5", "a/.x.h5", "x\0.h5", "x\n.h5", "x\\y.h5", "", ".", "..", "a*.h5",
                     "x.h5/", " x.h5", "x.php", "x", "scan.zip", "scan.tar.gz", "x" * 250 + ".h5", "a/b/c/d/e/f.h5", "\u202ex.h5", "C:x.h5"):
            with self.subTest(name=name):
                self.assertEqual(self.begin(server, name).status, 422)
        self.assertEqual(os.listdir(self.incoming()), [])
        self.assertEqual(self.begin(server, "Häuser 7/darks/0001.tif", 5).status, 201)
        self.assertEqual(server.ask("POST", "uploads", headers={"Upload-Length": "5", "Upload-Metadata": f"filename {text('a.h5')}"}).status, 412)
        for metadata in ("filename", "filename ====", f"other {text('a.h5')}", "filename /y5oNQ=="):
            answer = server.ask("POST", "uploads", headers={**TUS, "Upload-Length": "5", "Upload-Metadata": metadata})
            self.assertEqual(answer.status, 422, metadata)
        for length in ("-1", "x", "99999999999999999999"):
            self.assertEqual(self.begin(server, "b.h5", length).status, 422)
        address = self.begin(server).headers["Location"]
        self.assertEqual(server.ask("PATCH", address, body=b"x", headers={**TUS, "Upload-Offset": "0", "Content-Type": "text/plain"}).status, 415)
        self.assertEqual(server.ask("PATCH", address, body=b"x", headers={**TUS, "Content-Type": BODY}).status, 422)
        self.assertEqual(server.ask("HEAD", "uploads/../../etc", headers=TUS).status, 404)

    def test_limits(self):
        server = self.take_uploads("--largest-upload", "2000000", "--uploads-of-person", "3000000")
        self.assertEqual(self.begin(server, "large.h5", 2_000_001).status, 413)
        address = self.begin(server, "a.h5", 1_999_999).headers["Location"]
        self.assertEqual(self.begin(server, "b.h5", 1_500_000).status, 413)  # together they are too large
        self.assertEqual(self.append(server, address, 0, b"x" * 1_999_999 + b"more").status, 413)  # more than was announced
        self.assertLessEqual(self.offset(server, address), 1_999_999)
        # Far more than a connection holds: the answer comes though nobody wants the rest.
        self.assertEqual(self.append(server, address, 0, bytes(16 << 20)).status, 413)
        self.assertEqual(self.begin(server, "c.h5", 1_000_000).status, 201)

    def test_links_do_not_lead_out(self):
        server = self.take_uploads()
        outside = self.folder / "outside"
        outside.mkdir()
        (self.incoming() / "local").mkdir()
        (self.incoming() / "local" / "link").symlink_to(outside)
        (self.incoming() / "local" / "there.h5").symlink_to(outside / "made.h5")
        self.assertEqual(self.begin(server, "there.h5", 1).status, 409)
        address = self.begin(server, "link/x.h5", 1).headers["Location"]
        self.assertEqual(self.append(server, address, 0, b"x").status, 404)
        self.assertEqual(os.listdir(outside), [])

    def test_what_nobody_goes_on_with_is_taken_away(self):
        server = self.take_uploads()
        old, new = self.begin(server, "old.h5").headers["Location"], self.begin(server, "new.h5").headers["Location"]
        whole = self.begin(server, "whole.h5", 3).headers["Location"]
        self.append(server, old, 0, DATA[:1000])
        linked = self.begin(server, "linked.h5", 3).headers["Location"]
        server.stop()
        (self.incoming() / ".uploads" / whole.rsplit("/", 1)[1]).write_bytes(b"abc")  # as if it was killed behind the last byte
        (part := self.incoming() / ".uploads" / linked.rsplit("/", 1)[1]).write_bytes(b"abc")  # and here behind the name
        (self.incoming() / "local").mkdir()
        os.link(part, self.incoming() / "local" / "linked.h5")
        (self.incoming() / ".uploads" / "nobodys").write_bytes(b"x")
        with sqlite3.connect(server.state / "web.sqlite") as database:
            database.execute("UPDATE uploads SET changed = changed - 8 * 86400 WHERE id = ?", [old.rsplit("/", 1)[1]])
        server.start()
        until(lambda: server.ask("HEAD", old, headers=TUS).status == 404, "it is not taken away")
        self.assertEqual(self.offset(server, new), 0)
        until(lambda: (self.incoming() / "local" / "whole.h5").exists(), "a whole file has no name")
        until(lambda: server.get(linked[5:])["is_whole"], "a file that has its name is not whole")
        until(lambda: os.listdir(self.incoming() / ".uploads") == [new.rsplit("/", 1)[1]], "parts stay")

    def test_a_server_without_uploads(self):
        server = self.server()
        self.assertEqual(self.begin(server).status, 403)
        self.assertFalse(any(one["takes_uploads"] for one in server.get("folders")))


class Races(unittest.IsolatedAsyncioTestCase):
    """Connections that go on with the same file, and a disk that is slow or full."""

    async def asyncSetUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="tomo-web-test-")))
        database = Database(self.folder / "web.sqlite", [upload_store])
        self.addCleanup(database.close)
        settings = Settings({"incoming": self.folder}, self.folder, self.folder, uploads="incoming")
        self.uploads = upload_store.Uploads(settings, Folders({"incoming": self.folder}), database)
        self.addAsyncCleanup(self.uploads.close)
        self.person = Person("otto", Role.USER)

    def begin(self, length):
        return self.uploads.begin(self.person, "scan.h5", length)

    def go_on(self, upload, offset, given):
        return asyncio.ensure_future(self.uploads.write(self.uploads.get(upload.id, self.person), offset, given))

    async def test_a_piece_is_written_once(self):
        """Whoever goes on while it is written finds all of it."""
        data = os.urandom(2 * AT_ONCE)
        upload = self.begin(len(data))
        begun, may_go_on = asyncio.Event(), threading.Event()
        loop, write = asyncio.get_running_loop(), os.write

        def slow(file, piece):
            loop.call_soon_threadsafe(begun.set)
            may_go_on.wait(10)
            return write(file, piece)

        with mock.patch.object(upload_store.os, "write", slow):
            first = self.go_on(upload, 0, pieces(data[:AT_ONCE]))
            await begun.wait()
            second = self.go_on(upload, AT_ONCE, pieces(data[AT_ONCE:]))
            await asyncio.sleep(0.1)
            may_go_on.set()
            await asyncio.wait({first, second})
        self.assertTrue(first.cancelled())
        self.assertEqual(second.result(), len(data))
        self.assertEqual((self.folder / "otto" / "scan.h5").read_bytes(), data)

    async def test_of_several_that_come_together_one_goes_on(self):
        upload = self.begin(10)
        hangs = self.go_on(upload, 0, pieces(until=asyncio.Event()))
        await asyncio.sleep(0)
        others = [self.go_on(upload, 0, pieces(b"01234", b"56789")) for _ in range(3)]
        await asyncio.gather(hangs, *others, return_exceptions=True)
        at = self.uploads.offset(upload)  # the others are told of the bytes that the first one has written, or end it
        await self.go_on(upload, at, pieces(b"0123456789"[at:]))
        self.assertEqual((self.folder / "otto" / "scan.h5").read_bytes(), b"0123456789")

    async def test_a_full_disk_costs_no_descriptor(self):
        upload = self.begin(2 * AT_ONCE)
        before = len(os.listdir("/proc/self/fd"))
        with mock.patch.object(upload_store.os, "write", side_effect=OSError(errno.ENOSPC, "full")):
            for _ in range(3):
                with self.assertRaises(OSError):
                    await self.go_on(upload, 0, pieces(bytes(AT_ONCE)))
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)
        self.assertEqual(self.uploads.offset(upload), 0)


async def pieces(*given, until=None):
    for piece in given:
        yield piece
        await asyncio.sleep(0)
    if until:
        await until.wait()


class InTheBrowser(Hands, BrowserTest):
    def test_a_file_that_pauses_outlives_a_reload(self):
        large = self.folder / "large.nxs"
        large.write_bytes(DATA + b"\0" * (30 << 20))  # HDF5 does not mind what is behind its end
        server = self.take_uploads()
        page = self.page(server, "scans")
        page.evaluate("""() => {
            const fetched = window.fetch;  // a line that breaks behind two pieces
            let pieces = 0;
            window.fetch = (...words) => (words[1]?.method === "PATCH" && ++pieces > 2 ? new Promise(() => {}) : fetched(...words));
        }""")
        self.choose(page, "Files…", large)
        page.wait_for_selector(".upload-list progress:visible")
        until(lambda: any(one["offset"] == 8 << 20 for one in server.get("uploads")), "nothing comes")
        page.click(".upload-list >> text=Pause")
        page.wait_for_selector(".upload-list >> text=paused")
        came = server.get("uploads")[0]["offset"]
        page.reload()
        page.wait_for_selector(".upload-list >> text=choose the same file again")
        offsets = []
        page.on("request", lambda request: offsets.append(int(request.headers["upload-offset"])) if request.method == "PATCH" else None)
        with page.expect_file_chooser() as chooser:
            page.click(".upload-list >> text=Go on…")
        chooser.value.set_files(str(large))
        page.wait_for_selector(".upload-list >> text=data set 1")
        self.assertTrue(page.get_by_role("link", name="Show").get_attribute("href").endswith("#/scans/1"))
        self.assertEqual(offsets[0], came)  # no byte comes twice
        self.assertEqual((self.incoming() / "local" / "large.nxs").read_bytes(), large.read_bytes())
        page.wait_for_selector("tr:has-text('incoming/local/large.nxs')")
        self.assertEqual(server.get("datasets/1")["facts"]["projections"], 91)

    def test_a_folder_of_images(self):
        folder = self.folder / "bone"
        images = np.arange(5 * 12 * 16, dtype=np.uint16).reshape(5, 12, 16) + 1000
        for name in ("projections", "flats", "darks"):
            series(folder / name, images)
        (folder / ".hidden").write_text("nobody's")
        server = self.take_uploads()
        page = self.page(server, "scans")
        self.choose(page, "Folder…", folder)
        page.wait_for_selector("tr:has-text('incoming/local/bone')")
        facts = server.get("datasets/1")["facts"]
        self.assertEqual((facts["projections"], facts["flats"], facts["darks"]), (5, 5, 5))
        self.assertEqual(sorted(os.listdir(self.incoming() / "local" / "bone")), ["darks", "flats", "projections"])

    def test_what_is_refused_is_told(self):
        archive = self.folder / "scan.zip"
        archive.write_bytes(b"PK")
        page = self.page(self.take_uploads(), "scans")
        self.choose(page, "Files…", archive)
        page.wait_for_selector(".upload-list >> text=archives are not unpacked")
        page.click(".upload-list >> text=Give up")
        page.wait_for_selector(".upload-line", state="hidden")

    def choose(self, page, button, path):
        page.click(".empty-page >> text=Upload…")
        with page.expect_file_chooser() as chooser:
            page.click(f"dialog >> text={button}")
        chooser.value.set_files(str(path))


if __name__ == "__main__":
    main()
