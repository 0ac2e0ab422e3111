# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who gets in, as whom, how long, and what the server writes down about it."""

import asyncio
import contextlib
import io
import json
import os
import pathlib
import re
import shutil
import sqlite3
import stat
import socket
import subprocess
import tempfile
import types
import unittest
from unittest import mock

import fastapi
from webtest import BrowserTest, Server, ServerTest, main, until

from tomo_web import access, main as program
from tomo_web.access import Role, keys, limits, routes
from tomo_web.access.persons import Persons, role_of
from tomo_web.database import Database
from tomo_web.errors import Conflict, TooMany
from tomo_web.mishaps import answer_for_mishaps
from tomo_web.settings import SettingsError, read

HASHED = keys.hashed("correct horse")


def user(state, *words, password="correct horse", check=True):
    """tomo-web user"""
    done = subprocess.run(["tomo-web", "user", "--state", str(state), *words], input=password + "\n", capture_output=True, text=True)
    if check and done.returncode:
        raise AssertionError(done.stderr)
    return done


class Browser:
    """A person's browser, as far as cookies and the CSRF token go."""

    def __init__(self, server):
        self.server, self.cookie, self.csrf = server, None, ""

    def ask(self, method, path, body=None, **headers):
        given = {"Cookie": self.cookie, "X-CSRF-Token": self.csrf, "Origin": f"http://{self.server.host}:{self.server.port}"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.server.ask(method, path, body, headers={"Authorization": None, **given})
        if set_cookie := answer.headers.get("Set-Cookie"):
            self.cookie = set_cookie.partition(";")[0]
            self.set_cookie = set_cookie
        return answer

    def log_in(self, name, password="correct horse"):
        answer = self.ask("POST", "session", {"name": name, "password": password})
        if answer.status == 204:
            self.csrf = self.ask("GET", "session").json["csrf"]
        return answer.status


def add_persons(state, **roles):
    """As `tomo-web user add`, without its start."""
    database = Database(state / "web.sqlite", [access])
    with contextlib.closing(database):
        for name, role in roles.items():
            database.run("DELETE FROM persons WHERE name = ?", name)
            Persons(database).add(name, role_of(role), HASHED)


class Passwords(ServerTest):
    """All tests have one server, and persons that are new."""

    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="tomo-web-test-"))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.one = Server(folder, "--access", "passwords", "--logins-per-minute", "50")
        cls.addClassCleanup(cls.one.close)
        cls.state = folder / "state"

    def setUp(self):
        add_persons(self.state, anna="admin", otto="user")

    def server(self):
        return self.one

    def test_names_and_passwords(self):
        server = self.server()
        self.assertIsNone(server.token)
        self.assertEqual(server.ask("GET", "access").json, {"access": "passwords"})
        browser = Browser(server)
        self.assertEqual(browser.ask("GET", "session").status, 401)
        refused = [browser.ask("POST", "session", {"name": name, "password": password})
                   for name, password in (("anna", "wrong horse"), ("anna", ""), ("nobody", "correct horse"), ("", ""))]
        self.assertEqual({answer.status for answer in refused}, {401})
        self.assertEqual({answer.json["error"] for answer in refused}, {"name or password is wrong"})  # nobody learns which persons there are
        self.assertEqual(browser.log_in("anna"), 204)
        self.assertEqual(browser.ask("GET", "session").json | {"csrf": ""},
                         {"name": "anna", "role": "admin", "access": "passwords", "expert": False, "csrf": ""})
        for word in ("HttpOnly", "SameSite=strict", "Path=/"):
            self.assertIn(word, browser.set_cookie)
        self.assertEqual(browser.ask("DELETE", "session").status, 204)
        self.assertEqual(browser.ask("GET", "session").status, 401)

    def test_what_is_stored_opens_nothing(self):
        server = self.server()
        browser = Browser(server)
        browser.log_in("anna")
        stored = b"".join(path.read_bytes() for path in self.state.iterdir() if path.is_file())
        for secret in ("correct horse", browser.cookie.partition("=")[2], browser.csrf):
            self.assertNotIn(secret.encode(), stored)
        self.assertEqual({stat.S_IMODE(os.stat(path).st_mode) for path in self.state.glob("web.sqlite*")}, {0o600})

    def test_a_login_begins_a_new_session(self):
        server = self.server()
        browser = Browser(server)
        chosen = browser.cookie = f"gst-tomo-session-{server.port}=chosen-by-somebody-else"
        browser.log_in("anna")
        first = browser.cookie
        self.assertNotEqual(first, chosen)
        browser.log_in("anna")
        self.assertNotEqual(browser.cookie, first)
        second, browser.cookie = browser.cookie, first
        self.assertEqual(browser.ask("GET", "session").status, 401)  # the one before is over
        browser.cookie = second
        self.assertEqual(browser.ask("GET", "session").status, 200)

    def test_csrf_token_goes_with_the_session(self):
        server = self.server()
        anna, otto = Browser(server), Browser(server)
        anna.log_in("anna")
        otto.log_in("otto")
        for token in ("", "x", otto.csrf):
            self.assertEqual(anna.ask("DELETE", "session", X_CSRF_Token=token).status, 403)
        self.assertEqual(anna.ask("DELETE", "session", Origin="http://evil.example").status, 403)
        self.assertEqual(anna.ask("GET", "session").status, 200)
        self.assertEqual(anna.ask("DELETE", "session").status, 204)

    def test_log_out_everywhere_and_a_new_password(self):
        server = self.server()
        browsers = [Browser(server) for _ in range(3)]
        for browser in browsers:
            browser.log_in("otto")
        first, second, third = browsers
        self.assertEqual(first.ask("PUT", "session/password", {"old": "wrong horse", "password": "new password"}).json["field"], "old")
        self.assertEqual(first.ask("PUT", "session/password", {"old": "correct horse", "password": "short"}).json["field"], "password")
        self.assertEqual(first.ask("PUT", "session/password", {"old": "correct horse", "password": "new password"}).status, 204)
        self.assertEqual([one.ask("GET", "session").status for one in browsers], [200, 401, 401])
        self.assertEqual([second.log_in("otto"), second.log_in("otto", "new password")], [401, 204])
        self.assertEqual(second.ask("DELETE", "sessions").status, 204)
        self.assertEqual([one.ask("GET", "session").status for one in browsers], [401, 401, 401])

    def test_sessions_end(self):
        browser = Browser(self.server())
        for column, age in (("seen", 13), ("began", 24 * 8)):
            browser.log_in("anna")
            with sqlite3.connect(self.state / "web.sqlite", timeout=30) as database:
                database.execute(f"UPDATE sessions SET {column} = {column} - ?", (age * 3600,))
            self.assertEqual(browser.ask("GET", "session").status, 401)

    def test_persons_by_the_command_line(self):
        self.assertEqual(user(self.state, "list").stdout.split(), ["anna", "admin", "otto", "user"])
        for words, said in ((["add", "anna"], "there is a person anna already"), (["add", "a/b"], "a name has 1 to 64"), (["remove", "x"], "there is no person x"),
                            (["role", "anna", "user"], "somebody has to be administrator")):
            done = user(self.state, *words, check=False)
            self.assertEqual((done.returncode, done.stderr.startswith(f"tomo-web: {said}")), (1, True), done.stderr)
        self.assertIn("8 to 256", user(self.state, "add", "eva", password="short", check=False).stderr)
        server = self.server()
        browser = Browser(server)
        browser.log_in("otto")
        user(self.state, "role", "otto", "viewer")
        self.assertEqual(browser.ask("GET", "session").json["role"], "viewer")
        user(self.state, "password", "otto", password="another one")
        self.assertEqual(browser.ask("GET", "session").status, 401)
        self.assertEqual(browser.log_in("otto", "another one"), 204)
        user(self.state, "remove", "otto")
        self.assertEqual(browser.ask("GET", "session").status, 401)


class Starts(ServerTest):
    def setUp(self):
        super().setUp()
        self.state = self.folder / "state"
        add_persons(self.state, anna="admin", otto="user", eva="expert")

    def test_sessions_outlive_the_server(self):
        server = self.server("--access", "passwords", "--address", "http://tomo.example.org")
        browser = Browser(server)
        browser.log_in("anna")
        server.kill()
        server.start()
        browser.cookie = re.sub(r"session-\d+", f"session-{server.port}", browser.cookie)
        self.assertEqual(browser.ask("DELETE", "session").status, 204)  # the CSRF token does, too

    def test_guesses_are_slowed_down(self):
        server = self.server("--access", "passwords", "--logins-per-minute", "2")  # another one is let in after 30 s
        browser = Browser(server)
        answers = [browser.ask("POST", "session", {"name": "anna", "password": f"guess {i}"}) for i in range(4)]
        self.assertEqual([answer.status for answer in answers], [401] * 2 + [429] * 2)
        self.assertRegex(answers[-1].headers["Retry-After"], r"^\d+$")
        self.assertEqual(browser.log_in("anna"), 429)

    def test_experts_are_users_unless_allowed(self):
        for words, told in (((), ("user", False)), (("--experts",), ("expert", True))):
            server = self.server("--access", "passwords", *words)
            browser = Browser(server)
            browser.log_in("eva")
            person = browser.ask("GET", "session").json
            self.assertEqual((person["role"], person["expert"]), told)
            server.stop()


class Token(ServerTest):
    def test_one_person(self):
        server = self.server("--logins-per-minute", "9")
        self.assertEqual(server.get("session")["role"], "admin")
        browser = Browser(server)
        for token in (server.token[:-1], server.token + "x", "", "\ud800", server.token.swapcase()):
            self.assertEqual(browser.ask("POST", "session", {"token": token}).status, 401)
            self.assertEqual(server.ask("GET", "session", headers={"Authorization": f"Bearer {token.encode('ascii', 'replace').decode()}"}).status, 401)
        until(lambda: browser.ask("POST", "session", {"token": "x"}).status == 429, "guesses go on")
        self.assertEqual(browser.ask("POST", "session", {"token": server.token}).status, 429)

    def test_the_cookie_is_not_the_token(self):
        server = self.server()
        browser = Browser(server)
        self.assertEqual(browser.ask("POST", "session", {"token": server.token}).status, 204)
        self.assertNotIn(server.token, browser.cookie)
        self.assertEqual(browser.ask("GET", "session").json["name"], "local")

    def test_sessions_of_one_way_in_are_none_of_another(self):
        server = self.server()
        browser = Browser(server)
        browser.ask("POST", "session", {"token": server.token})
        add_persons(server.state, local="admin")
        server.stop()
        server._words += ["--access", "passwords"]
        server.start()
        browser.cookie = re.sub(r"session-\d+", f"session-{server.port}", browser.cookie)
        self.assertEqual(browser.ask("GET", "session").status, 401)


class Proxy(ServerTest):
    def test_the_proxy_tells_who(self):
        add_persons(self.folder / "state", anna="admin")
        server = self.server("--access", "proxy", "--trusted-proxy", "127.0.0.1")
        for headers, told in (({}, None), ({"X-Remote-User": ""}, None), ({"X-Remote-User": "anna"}, "admin"), ({"X-Remote-User": "eva"}, "user")):
            answer = server.ask("GET", "session", headers=headers)
            self.assertEqual(answer.json.get("role"), told, answer.body)
        csrf = server.ask("GET", "session", headers={"X-Remote-User": "eva"}).json["csrf"]
        for name, status in (("eva", 204), ("anna", 403)):  # a browser is logged in by itself: its pages have to say so
            self.assertEqual(server.ask("DELETE", "sessions", headers={"X-Remote-User": name, "X-CSRF-Token": csrf}).status, status)
        self.assertEqual(server.ask("GET", "session", headers={"X-Remote-User": "a\tb"}).status, 422)
        self.assertEqual(server.ask("POST", "session", {"name": "anna"}).status, 401)

    def test_nobody_else_does(self):
        server = self.server("--access", "proxy", "--trusted-proxy", "10.1.0.0/16")
        self.assertEqual(server.ask("GET", "session", headers={"X-Remote-User": "anna", "X-Forwarded-For": "10.1.0.1"}).status, 401)

    def test_unknown_persons_stay_outside(self):
        server = self.server("--access", "proxy", "--trusted-proxy", "127.0.0.1", "--new-persons", "none")
        self.assertEqual(server.ask("GET", "session", headers={"X-Remote-User": "eva"}).status, 401)


class LoginPage(BrowserTest):
    def test_in_and_out(self):
        add_persons(self.folder / "state", anna="admin", otto="viewer")
        server = self.server("--access", "passwords")
        context = self.browser.new_context(viewport=self.SIZE, color_scheme="dark")
        self.addCleanup(context.close)
        page = context.new_page()
        page.goto(server.address)
        page.get_by_label("Name").fill("anna")
        page.get_by_label("Password").fill("wrong horse")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=name or password is wrong")
        self.save_picture(page, "login.png")
        page.get_by_label("Password").fill("correct horse")
        page.keyboard.press("Enter")
        page.wait_for_selector("#place-link-administration")
        page.click("#person")
        page.click("text=Change password")
        page.get_by_label("Old password").fill("correct horse")
        page.get_by_label("New password").fill("a new password")
        page.keyboard.press("Enter")
        page.wait_for_selector("#notes .last >> text=The password is changed")
        page.click("#person")
        page.click("button:text-is('Log out')")
        page.get_by_label("Name").fill("otto")
        page.get_by_label("Password").fill("correct horse")
        page.keyboard.press("Enter")
        page.wait_for_selector("#place-link-scans")
        self.assertEqual(page.locator("#place-link-administration").count(), 0)
        other = Browser(server)
        other.log_in("otto")
        other.ask("DELETE", "sessions")
        page.evaluate("import('./api.js').then(({ get }) => get('session').catch(() => {})), undefined")
        page.get_by_label("Password").wait_for()  # the session is over: the page asks for the password


class Pieces(unittest.TestCase):
    def test_a_login_by_a_password_that_is_changed_meanwhile(self):
        """Sessions of the old one have ended, so that none may begin."""
        with tempfile.TemporaryDirectory() as folder, contextlib.closing(Database(pathlib.Path(folder) / "web.sqlite", [access])) as database:
            persons = Persons(database)
            persons.add("otto", Role.USER, HASHED)

            async def slow(password, stored):
                persons.set_password("otto", keys.hashed("the new one"))
                return keys.fits(password, stored)

            server = types.SimpleNamespace(settings=types.SimpleNamespace(access="passwords"), access=types.SimpleNamespace(persons=persons))
            login = routes.Login(name="otto", password="correct horse")
            self.assertTrue(asyncio.run(routes._is_right(server, login)))
            with mock.patch.object(keys, "fits_soon", slow):
                self.assertFalse(asyncio.run(routes._is_right(server, login)))
            with self.assertRaises(Conflict):
                persons.replace_password("otto", HASHED, keys.hashed("his own new one"))

    def test_a_full_disk_is_told(self):
        app = fastapi.FastAPI()
        answer_for_mishaps(app)

        @app.get("/database")
        async def fill_database():
            with contextlib.closing(sqlite3.connect(":memory:")) as database:
                database.execute("CREATE TABLE one (text)")
                database.execute("PRAGMA max_page_count = 2")
                database.execute("INSERT INTO one VALUES (?)", ["x" * 100_000])

        @app.get("/file")
        async def fill_file():
            pathlib.Path("/dev/full").write_text("x")

        @app.get("/other")
        async def fail():
            pathlib.Path("/nowhere").read_text()

        async def ask(path):
            said = []

            async def send(message):
                said.append(message)

            scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
            await app(scope, None, send)
            return said[0]["status"], json.loads(said[1]["body"])["error"]

        for path in ("/database", "/file"):
            with self.assertLogs("tomo_web.mishaps"):
                self.assertEqual(asyncio.run(ask(path)), (503, "the server's disk is full: tell the administrator"))
        with self.assertRaises(FileNotFoundError):  # of a fault of ours the log has all
            asyncio.run(ask("/other"))

    def test_passwords(self):
        stored = keys.hashed("correct horse")
        self.assertNotEqual(stored, keys.hashed("correct horse"))
        self.assertEqual([keys.fits(one, stored) for one in ("correct horse", "correct hors", "")], [True, False, False])
        self.assertFalse(keys.fits("", None))
        self.assertFalse(keys.fits("x", keys.NOBODY))

    def test_rates(self):
        now = [0.0]
        rate = limits.Rate(2.0, 4, clock=lambda: now[0])
        for _ in range(4):
            rate.take("a")
        rate.take("b")
        with self.assertRaises(TooMany) as caught:
            rate.take("a")
        self.assertEqual(caught.exception.retry_after, 1)
        now[0] += 0.5
        rate.take("a")
        with self.assertRaises(TooMany):
            rate.take("a")
        rate.give("a")
        rate.take("a")
        now[0] += 1e6
        self.assertEqual(rate.left("a"), 4)
        for key in range(3 * limits.MOST):
            rate.take(key)
            now[0] += 1.0
        self.assertLessEqual(len(rate._used), limits.MOST + 1)


class Configuration(ServerTest):
    def test_a_file_has_the_same_settings(self):
        file = self.folder / "web.toml"
        (self.folder / "data").mkdir()
        file.write_text('host = "127.0.0.1"\naccess = "passwords"\nsession-hours = 2\ntrusted-proxy = ["127.0.0.1"]\nexperts = true\n[folders]\nraw = "data"\n')
        values = read(file)
        self.assertEqual(values, {"host": "127.0.0.1", "access": "passwords", "session_hours": 2.0, "trusted_proxies": ("127.0.0.1",), "experts": True,
                                  "folders": {"raw": self.folder / "data"}})
        server = self.server("--config", file, "--access", "token")
        self.assertEqual(server.ask("GET", "access").json["access"], "token")  # the command line counts

    def test_mistakes_are_told(self):
        file = self.folder / "web.toml"
        for text, said in (("acces = 'token'", "there is no setting acces"), ("port = 'x'", "port is no whole number"), ("experts = 1", "experts is no true or false"),
                           ("port = true", "port is no whole number"), ("[", "Invalid"), ("trusted-proxy = 1", "is no list of texts")):
            file.write_text(text)
            with self.assertRaisesRegex(SettingsError, said):
                read(file)
        holder = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(holder.close)
        taken = holder.getsockname()[1]
        for words, said in ((["--host", "0.0.0.0"], "wants --address"), (["--access", "proxy"], "wants --trusted-proxy"), (["/nowhere"], "is not there"),
                            (["--trusted-proxy", "x"], "is an address or a network"), (["--address", "tomo.example.org/x"], "--address is http"),
                            (["--uploads", "x"], "names one of the folders"), (["--port", "65536"], "--port is at most 65535"),
                            (["--config", "/nowhere.toml"], "/nowhere.toml can't be read: No such file"), (["a=/tmp", "a=/usr"], "two folders have the name 'a'")):
            with contextlib.redirect_stderr(io.StringIO()) as told:
                status = program.main(self.words(words))
            self.check_told(status, told.getvalue(), said)
        for words, said in ((["--port", str(taken)], f"port {taken}, can't be listened at: another program"),
                            (["--host", "name.invalid"], "name.invalid, port 0, can't be listened at: ")):
            done = subprocess.run(["tomo-web", *self.words(words)], capture_output=True, text=True, timeout=60)
            self.check_told(done.returncode, done.stderr, said)

    def words(self, more):
        return ["--state", str(self.folder / "state"), "--port", "0", *more]

    def check_told(self, status, text, said):
        self.assertEqual((status, text.count("\n")), (1, 1), text)
        self.assertRegex(text, f"^tomo-web: .*{said}")


if __name__ == "__main__":
    main()
