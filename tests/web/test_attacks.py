# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Attacks on tomo-web itself: other names and pages, sizes, slow clients, paths of its pages, HTML in texts, races."""

import concurrent.futures
import contextlib
import shutil
import socket
import time

import h5py
from resulttest import add_job, random_volume, write_volume
from test_access import Browser, add_persons
from webtest import SCAN, BrowserTest, ServerTest, main, until

from tomo_web.guard import POLICY

HTML = "<img src=x onerror=\"window.hacked=1\"><b class='hack'>"
PLACES = ["scans", "scans/1", "axis/1", "reconstruct/1", "results", "results/1/0", "jobs", "jobs/1", "jobs/2", "portal", "administration", "administration/log"]
END_OF_HEAD = b"\r\n\r\n"


def said(server, request, up_to=None):
    """The server's answer to bytes, until it closes the connection, or up to the first of these."""
    with socket.create_connection((server.host, server.port), timeout=20) as connection:
        answer = b""
        with contextlib.suppress(OSError):  # it may have answered and gone before all of it is sent
            for part in [request] if isinstance(request, bytes) else request:
                connection.sendall(part)
        with contextlib.suppress(OSError):
            while not (up_to and up_to in answer) and (part := connection.recv(65536)):
                answer += part
        return answer


def head(server, line, *headers, host=None):
    return "\r\n".join([f"{line} HTTP/1.1", f"Host: {host or f'{server.host}:{server.port}'}", f"Authorization: Bearer {server.token}", "Connection: close", *headers, "", ""]).encode()


class Guarded(ServerTest):
    def test_only_by_its_own_name(self):
        server = self.server("--address", "https://tomo.example.org")
        for host, status in ((f"127.0.0.1:{server.port}", 200), (f"localhost:{server.port}", 200), ("tomo.example.org", 200), ("evil.example", 403),
                             (f"evil.example:{server.port}", 403), ("127.0.0.1", 403), ("tomo.example.org.evil.example", 403), ("", 403)):
            for path in ("/api/session", "/ui/", "/ui/main.js", "/"):
                answer = server.ask("GET", path, headers={"Host": host})
                self.assertEqual(answer.status, status if path != "/" or status != 200 else 307, (host, path))
        double = said(server, head(server, "GET /api/session", "Host: evil.example"))
        self.assertRegex(double, rb"^HTTP/1.1 40[03] ")

    def test_websockets_only_from_its_own_pages(self):
        server = self.server()
        words = ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
        for origin, status in ((None, b"101"), (f"http://{server.host}:{server.port}", b"101"), ("http://evil.example", b"403"), ("null", b"403"),
                               (f"http://{server.host}:1", b"403")):
            request = head(server, "GET /api/events", *words, *([f"Origin: {origin}"] if origin else [])).replace(b"Connection: close", b"Connection: Upgrade")
            self.assertEqual(said(server, request, END_OF_HEAD).partition(b"\r\n")[0].split()[1:2], [status], origin)
        request = head(server, "GET /api/events", *words).replace(b"Connection: close", b"Connection: Upgrade").replace(server.token.encode(), b"x")
        self.assertRegex(said(server, request, END_OF_HEAD), rb"^HTTP/1.1 403")

    def test_large_requests(self):
        server = self.server("--largest-request", "10000")
        for path in ("/api/datasets", "/api/session", "/api/nothing"):
            self.assertRegex(said(server, head(server, f"POST {path}", "Content-Type: application/json", "Content-Length: 10001"), END_OF_HEAD), rb"^HTTP/1.1 413 ")
            chunk = b"2710\r\n" + b" " * 10000 + b"\r\n"
            answer = said(server, [head(server, f"POST {path}", "Content-Type: application/json", "Transfer-Encoding: chunked"), chunk, chunk, b"0\r\n\r\n"])
            self.assertRegex(answer, rb"^HTTP/1.1 (413|404) ", path)
        self.assertRegex(said(server, head(server, "GET /api/session", "X-Long: " + "x" * 70000)), rb"^(HTTP/1.1 4|$)")
        self.assertRegex(said(server, head(server, "GET /api/" + "x" * 70000)), rb"^(HTTP/1.1 4|$)")
        for length in ("-1", "1e3", "99999999999999999999", "0x10"):
            self.assertRegex(said(server, head(server, "POST /api/datasets", f"Content-Length: {length}"), END_OF_HEAD), rb"^HTTP/1.1 4(00|13) ")
        both = head(server, "POST /api/datasets", "Content-Length: 4", "Transfer-Encoding: chunked")
        self.assertNotIn(b"HTTP/1.1 200", said(server, [both, b"0\r\n\r\nGET /api/session HTTP/1.1\r\n\r\n"]))
        self.assertEqual(server.ask("GET", "session").status, 200)

    def test_slow_requests(self):
        server = self.server("--patience", "1")
        begin = time.monotonic()
        self.assertEqual(said(server, b""), b"")  # nothing at all
        self.assertEqual(said(server, b"GET /api/session HTTP/1.1\r\nHost:"), b"")  # half a head
        answer = said(server, head(server, "POST /api/session", "Content-Type: application/json", "Content-Length: 100") + b"{")  # half a body
        self.assertRegex(answer, rb"^HTTP/1.1 408 ")
        with socket.create_connection((server.host, server.port), timeout=20) as connection:  # a header a moment, for ever
            connection.sendall(b"GET /api/session HTTP/1.1\r\n")
            with contextlib.suppress(OSError):
                for i in range(100):
                    connection.sendall(b"X-%d: 1\r\n" % i)
                    time.sleep(0.1)
            self.assertLess(i, 50)
        self.assertLess(time.monotonic() - begin, 15)
        self.assertEqual(server.ask("GET", "session").status, 200)

    def test_many_connections(self):
        server = self.server("--connections", "20")
        with contextlib.ExitStack() as stack:
            for _ in range(30):
                stack.enter_context(contextlib.closing(socket.create_connection((server.host, server.port))))
            self.assertEqual(server.ask("GET", "session").status, 503)
        until(lambda: server.ask("GET", "session").status == 200, "connections that are closed still count")

    def test_many_requests_of_a_person(self):
        server = self.server("--requests-per-second", "1")
        self.assertEqual([server.ask("GET", "session").status for _ in range(10)], [200] * 10)
        until(lambda: server.ask("GET", "session").status == 429, "more than one request a second is answered for ever")

    def test_headers_bind_the_browser(self):
        server = self.server()
        for method, path in (("GET", "/ui/"), ("GET", "/ui/main.js"), ("GET", "/ui/bootstrap/css/bootstrap.min.css"), ("GET", "/ui/nothing"), ("GET", "/"), ("GET", "/api/nothing"),
                             ("GET", "/api/session"), ("PUT", "/api/session"), ("POST", "/api/session"), ("GET", "/api/openapi.json")):
            answer = server.ask(method, path)
            self.assertEqual(answer.headers["Content-Security-Policy"], POLICY, path)
            self.assertEqual((answer.headers["X-Content-Type-Options"], answer.headers["Referrer-Policy"], answer.headers["X-Frame-Options"]),
                             ("nosniff", "no-referrer", "DENY"))
            self.assertEqual(answer.headers["Cache-Control"], "no-store" if path.startswith("/api/") else "no-cache")
            self.assertIsNone(answer.headers["Server"])
            self.assertFalse([name for name in answer.headers if name.lower().startswith("access-control")])
        self.assertNotIn("unsafe", POLICY)

    def test_pages_lead_nowhere_else(self):
        server = self.server()
        for path in ("/ui/../tomo_web/app.py", "/ui/%2e%2e/tomo_web/app.py", "/ui/..%2ftomo_web/app.py", "/ui/bootstrap/../../tomo_web/app.py",
                     "/ui/bootstrap/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/ui//etc/passwd", "/ui/..\\tomo_web\\app.py",
                     "/ui/%00", f"/ui/{'x' * 300}", "/api/datasets/%00", "/ui/style.css%00.html"):
            answer = said(server, head(server, f"GET {path}"))
            self.assertRegex(answer, rb"^HTTP/1.1 4\d\d ", path)
            self.assertNotIn(b"root:", answer)
            self.assertNotIn(b"FastAPI", answer)
        self.assertEqual(server.process.poll(), None)


class Races(ServerTest):
    def setUp(self):
        super().setUp()
        add_persons(self.folder / "state", anna="admin", otto="admin")
        self.one = self.server("--access", "passwords", "--requests-per-second", "1e6")
        self.tabs = [Browser(self.one), Browser(self.one)]
        for tab, name in zip(self.tabs, ("anna", "otto")):
            tab.log_in(name)

    def together(self, *asks):
        with concurrent.futures.ThreadPoolExecutor(len(asks)) as pool:
            return [done.result() for done in [pool.submit(ask) for ask in asks]]

    def test_two_administrators_put_each_other_out(self):
        anna, otto = self.tabs
        statuses = [answer.status for answer in self.together(lambda: anna.ask("PATCH", "administration/persons/otto", {"role": "viewer"}),
                                                              lambda: otto.ask("PATCH", "administration/persons/anna", {"role": "viewer"}))]
        self.assertEqual(statuses.count(200), 1, statuses)
        roles = [tab.ask("GET", "session").json["role"] for tab in self.tabs]
        self.assertEqual(sorted(roles), ["admin", "viewer"])

    def test_two_add_the_same_person(self):
        new = {"name": "eva", "password": "correct horse"}
        answers = self.together(*[lambda tab=tab: tab.ask("POST", "administration/persons", new) for tab in self.tabs * 2])
        self.assertEqual(sorted(answer.status for answer in answers), [201, 409, 409, 409])

    def test_two_tabs_set_and_take_away(self):
        tab, other = self.tabs[0], Browser(self.one)
        other.cookie, other.csrf = tab.cookie, tab.csrf
        self.assertEqual(tab.ask("POST", "datasets", {"places": {"scan": "scans/savu24737.nxs"}}).status, 201)
        values = [{"axis": 80.0 + i, "rings": "remove-stripes"} for i in range(8)]
        asks = [lambda one=one, by=by: by.ask("PUT", "datasets/1/settings", {"values": {"axis": one["axis"]}}) for one, by in zip(values, [tab, other] * 4)]
        self.assertEqual({answer.status for answer in self.together(*asks)}, {200})
        self.assertIn(tab.ask("GET", "datasets/1/settings").json["values"]["axis"], [one["axis"] for one in values])
        statuses = [answer.status for answer in self.together(*[lambda by=by: by.ask("DELETE", "datasets/1") for by in (tab, other)])]
        self.assertEqual(sorted(statuses)[1], 404, statuses)
        self.assertLess(sorted(statuses)[0], 300)


class Texts(BrowserTest):
    def test_texts_are_never_read_as_html(self):
        server = self.server()
        nasty = "<img src=x onerror=window.hacked=1>.nxs"
        shutil.copyfile(SCAN, server.scans / nasty)
        with h5py.File(server.scans / nasty, "r+") as file:
            file.create_group(HTML.replace("/", ""))
        made = server.ask("POST", "datasets", {"places": {"scan": f"scans/{nasty}"}, "name": HTML, "tags": [HTML[:60]], "notes": HTML})
        self.assertEqual(made.status, 201, made.body)
        add_job(server, write_volume(server.results / "<b class=hack>x.h5", random_volume((4, 8, 8), "uint16")), name=HTML, owner=HTML)
        add_job(server, name=HTML, state="failed", status="failed", error=HTML, stage=HTML)
        server.ask("POST", "templates", {"name": HTML, "settings": {}})
        server.ask("POST", "session", {"token": HTML})
        page = self.page(server)
        seen = ""
        for place in PLACES:
            page.goto(f"http://{server.host}:{server.port}/ui/#/{place}")
            self.settle(page)
            self.assertIsNone(page.evaluate("window.hacked ?? null"), place)
            self.assertEqual(page.locator("img[src=x], b.hack").count(), 0, place)
            seen += page.inner_text("body")
        self.assertGreater(seen.count("<img src=x onerror="), 5)  # it was shown


if __name__ == "__main__":
    main()
