# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Attacks on every address that the OpenAPI description of tomo-web has: without a login, from other pages, by names of files."""

import re
import secrets

from described import operations
from resulttest import add_job, random_volume, write_volume
from test_access import Browser, add_persons
from webtest import ServerTest, main

# Whoever has not logged in may ask these.
OPEN = {"GET /api/access", "POST /api/session", "POST /api/shared"}
# What viewers change is theirs alone.
FOR_VIEWERS = {"POST /api/session", "DELETE /api/session", "DELETE /api/sessions", "PUT /api/session/password", "POST /api/shared"}
ESCAPES = ("../../../../../../etc/passwd", "/etc/passwd", "scans/../../outside/secret.txt", "scans/link/secret.txt", "scans/link", "results/../state/web.sqlite",
           "file:///etc/passwd", "..\\..\\etc\\passwd", "scans/savu24737.nxs\0.txt", "%2e%2e/%2e%2e/etc/passwd", "|id", "$(id)", "scans/secret.h5:/away")


class Described(ServerTest):
    def setUp(self):
        super().setUp()
        outside = self.folder / "outside"
        outside.mkdir()
        self.secret = secrets.token_hex(16)
        (outside / "secret.txt").write_text(self.secret)

    def opened(self, *words):
        """A server with a data set and a result, each number 1."""
        server = self.server("--requests-per-second", "1e6", "--logins-per-minute", "1e6", *words)
        (server.scans / "link").symlink_to(self.folder / "outside")
        return server

    def filled(self, server):
        server.post("datasets", {"places": {"scan": "scans/savu24737.nxs"}})
        add_job(server, write_volume(server.results / "volume.h5", random_volume((4, 8, 8), "uint16")))
        return server

    def test_nothing_without_a_login(self):
        server = self.opened()
        found = operations(server)
        self.assertGreater(len(found), 40)
        for one in found:
            path, headers, body = one.request()
            answer = server.ask(one.method, path, body=body, headers={**headers, "Authorization": None})
            with self.subTest(one.name):
                if one.name in OPEN or one.method == "OPTIONS":
                    self.assertNotEqual(answer.status, 500)
                else:
                    self.assertEqual(answer.status, 401, answer.body[:200])

    def test_no_change_from_another_page(self):
        add_persons(self.folder / "state", anna="admin")
        server = self.opened("--access", "passwords")
        browser = Browser(server)
        browser.log_in("anna")
        checked = 0
        for one in operations(server):
            if not one.changes or one.name in OPEN:
                continue
            path, headers, body = one.request()
            for wrong in ({"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * 64}, {"Origin": "https://evil.example"}, {"Origin": "null"},
                          {"Origin": f"http://{server.host}:1"}):
                answer = server.ask(one.method, path, body=body, headers={
                    **headers, "Authorization": None, "Cookie": browser.cookie, "X-CSRF-Token": browser.csrf, **wrong})
                with self.subTest(one.name, wrong=wrong):
                    self.assertEqual(answer.status, 403, answer.body[:200])
                    checked += 1
        self.assertGreater(checked, 100)
        self.assertEqual(browser.ask("GET", "session").status, 200)

    def test_viewers_change_nothing(self):
        add_persons(self.folder / "state", vera="viewer")
        server = self.opened("--access", "passwords")
        browser = Browser(server)
        browser.log_in("vera")
        for one in operations(server):
            if not one.reads and one.name not in FOR_VIEWERS:
                path, headers, body = one.request()
                answer = server.ask(one.method, path, body=body, headers={
                    **headers, "Authorization": None, "Cookie": browser.cookie, "X-CSRF-Token": browser.csrf})
                with self.subTest(one.name):
                    self.assertEqual(answer.status, 403, answer.body[:200])

    def test_no_parameter_leads_out(self):
        server = self.filled(self.opened())
        tried = 0
        for one in operations(server):
            for place in one.places():
                if place == "token":
                    continue  # is compared, and nothing else
                for text in ESCAPES if one.changes or place not in ("if-none-match", "if-range") else ESCAPES[:2]:
                    path, headers, body = one.request(place, text)
                    headers = {name: re.sub(r"[^\x20-\x7e]", "", value) for name, value in headers.items()}
                    answer = server.ask(one.method, path, body=body, headers=headers)
                    tried += 1
                    with self.subTest(one.name, place=place, text=text):
                        self.assertLess(answer.status, 500, answer.body[:200])
                        for leak in (self.secret.encode(), b"root:", b"SQLite format", b"uid=", str(self.folder / "outside").encode()):
                            self.assertNotIn(leak, answer.body)
        print(f"{tried} requests with names of files that lead out")
        self.assertGreater(tried, 1000)
        self.assertEqual((self.folder / "outside" / "secret.txt").read_text(), self.secret)
        self.assertEqual([path.name for path in (self.folder / "outside").iterdir()], ["secret.txt"])
        self.assertEqual(server.process.poll(), None)


if __name__ == "__main__":
    main()
