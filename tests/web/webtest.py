# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server of tomo-web for tests, on 127.0.0.1, with folders and a queue of its own, and hands for a browser."""

import contextlib
import http.client
import io
import json
import os
import pathlib
import re
import shutil
import signal
import sys
import tempfile
import time
import unittest
import urllib.parse

import numpy as np
from managers import end_manager
from preloaded import Process

PATIENCE = 60  # seconds until something counts as never
LONG = bool(os.environ.get("GST_TOMO_TEST_LONG"))  # by tools/test --long: whole where else a part does
ROOT = pathlib.Path(__file__).resolve().parents[2]
SCAN = ROOT / "examples" / "data" / "savu24737.nxs"
TOOTH = SCAN.with_name("tooth.h5")
CHROMIUM = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"  # the former has no window, and takes a third of the time for a page
COLOURS = 256  # of pictures for docs/web.md, which become a third as large by it

sys.path.insert(0, str(ROOT / "tools" / "web"))


def until(condition, said="nothing happened", patience=PATIENCE):
    """Waits until something is true, and returns it."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"{said} within {patience} s")


def until_passes(check, patience=PATIENCE):
    """Waits until a check of pictures or texts holds, which are drawn soon; raises what it raises in the end."""
    end = time.monotonic() + patience
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > end:
                raise
        time.sleep(0.02)


def busy(number):
    """Seconds of processor time of a process."""
    with open(f"/proc/{number}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def end_workers(folder):
    """Processes of jobs of the queue, which outlive their manager: they read a pipe there."""
    for number in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{number}/fd/0").startswith(f"{folder}/workers/"):
                os.kill(int(number), signal.SIGKILL)


class Answer:
    """Of the server to one request."""

    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def array(self):
        """The samples of an image."""
        shape = [int(size) for size in self.headers["X-Shape"].split(",")]
        return np.frombuffer(self.body, np.dtype(self.headers["X-Type"]).newbyteorder("<")).reshape(shape)


class Server:
    """tomo-web as a process. `address` is what a person opens, with the token."""

    def __init__(self, folder, *words, scans=None):
        self.folder = pathlib.Path(folder)
        self.scans, self.state, self.queue, self.results = (self.folder / name for name in ("scans", "state", "queue", "results"))
        (scans or self.scans).mkdir(parents=True, exist_ok=True)
        self._words = ["tomo-web", f"scans={scans or self.scans}", "--results", str(self.results), "--state", str(self.state),
                       "--queue", str(self.queue), *map(str, words)]
        self.start()

    def start(self, port=0):
        self.log = open(self.folder / "server.log", "ab")
        self.process = self.begin([*self._words[1:], "--port", str(port)])
        told = self.process.stdout.readline()
        found = re.search(r"http://([\d.]+):(\d+)/\S*", told)
        if not found:
            raise AssertionError(f"the server does not start: {told} {(self.folder / 'server.log').read_text()}")
        self.address, self.host, self.port = found[0], found[1], int(found[2])
        token = re.search(r"token=([\w-]+)", told)
        self.token = token and token[1]

    def begin(self, words):
        """The process; stdout is a pipe."""
        return Process(words, self.log)

    def ask(self, method, path, json_body=None, *, body=None, headers=None, query=None):
        """An Answer. `path` is below /api/ unless it begins with a slash."""
        path = path if path.startswith("/") else f"/api/{path}"
        if query:
            path += "?" + urllib.parse.urlencode(query)
        headers = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **(headers or {})}
        if json_body is not None:
            body, headers["Content-Type"] = json.dumps(json_body).encode(), "application/json"
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, {name: value for name, value in headers.items() if value is not None})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **query):
        answer = self.ask("GET", path, query=query)
        assert answer.status == 200, (path, answer.status, answer.body[:500])
        return answer.json

    def post(self, path, values=None):
        answer = self.ask("POST", path, values or {})
        assert answer.status < 300, (path, answer.status, answer.body[:500])
        return answer.json

    def kill(self):
        self.process.kill()
        self._ended()

    def stop(self):
        self.process.terminate()
        self._ended()

    def _ended(self):
        self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.log.close()

    def close(self):
        if self.process.poll() is None:
            self.stop()
        end_manager(self.queue)
        end_workers(self.queue)


class ServerTest(unittest.TestCase):
    """Tests with a server each, in a folder of their own."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tomo-web-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def server(self, *words, scans=(SCAN,)):
        """A server that shows copies of these files in its folder `scans`."""
        folder = self.folder / "scans"
        folder.mkdir(exist_ok=True)
        for one in scans:
            shutil.copyfile(one, folder / pathlib.Path(one).name)
        server = Server(self.folder, *words)
        self.addCleanup(server.close)
        return server


class SharedServer:
    """Before ServerTest or BrowserTest: one server for all tests of a class, `shared`, which shows copies of SCANS in `scans`."""

    SCANS = (SCAN,)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(tempfile.mkdtemp(prefix="tomo-web-test-"))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.scans = folder / "scans"
        cls.scans.mkdir()
        for one in cls.SCANS:
            shutil.copy(one, cls.scans)
        cls.shared = Server(folder)
        cls.addClassCleanup(cls.shared.close)

    def data_set(self, settings=(), scan="savu24737.nxs"):
        """The number of the data set of a scan, which has these settings now."""
        place = f"scans/{scan}"
        known = [one["id"] for one in self.shared.get("datasets")["items"] if one["place"] == place]
        number = known[0] if known else self.shared.post("datasets", {"places": {"scan": place}})["id"]
        assert self.shared.ask("PUT", f"datasets/{number}/settings", {"values": dict(settings)}).status == 200, settings
        return number


class BrowserTest(ServerTest):
    """The same with Debian's Chromium, one for all tests of a class. `self.problems` are errors of the pages: a test fails with one."""

    SIZE = {"width": 1280, "height": 800}

    @classmethod
    def setUpClass(cls):
        Process.prepare()
        from playwright.sync_api import sync_playwright
        cls.playwright = sync_playwright().start()
        cls.addClassCleanup(cls.playwright.stop)
        cls.browser = cls.playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        cls.addClassCleanup(cls.browser.close)

    def page(self, server, place="", size=None, dark=True, script=None):
        """A page of a fresh browser that is logged in, and runs a script before all others. No request of it may leave the machine."""
        context = self.browser.new_context(viewport=size or self.SIZE, color_scheme="dark" if dark else "light", accept_downloads=True,
                                           reduced_motion="reduce")  # colours change at once
        self.addCleanup(context.close)
        context.set_default_timeout(PATIENCE * 1000)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.under_way = set()
        page.on("request", lambda request: page.under_way.add(request))
        for event in ("requestfinished", "requestfailed"):
            page.on(event, lambda request: page.under_way.discard(request))
        self.problems = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self.problems.append(f"leaves the machine: {request.url}") if not re.match(
            rf"(http|ws)://{re.escape(server.host)}:{server.port}/|blob:|data:", request.url) else None)
        page.goto(server.address)
        page.wait_for_selector("main section:not([hidden])")
        if place:
            page.goto(f"http://{server.host}:{server.port}/ui/#/{place}")
        self.addCleanup(lambda: self.assertEqual(self.problems, []))
        return page

    def settle(self, page, quiet=150):
        """Waits until a page asks for nothing and nothing in it changes any more. quiet: milliseconds"""
        until(lambda: page.evaluate("""(quiet) => new Promise((tell) => {
            const end = (isQuiet) => { watch.disconnect(); clearTimeout(timer); tell(isQuiet); };
            const watch = new MutationObserver(() => end(false)), timer = setTimeout(() => end(true), quiet);
            watch.observe(document.body, { subtree: true, childList: true, characterData: true });
        })""", quiet) and not page.under_way, "the page does not settle")

    @contextlib.contextmanager
    def held_up(self, page, address):
        """The first request to addresses like that reaches the server when all in the block is done. Gives a function that waits for it."""
        held = []
        page.route(address, lambda route: route.continue_() if held else held.append(route))
        is_asked = lambda: until(lambda: page.wait_for_timeout(20) or held, f"nobody asks for {address}")  # noqa: E731
        yield is_asked
        is_asked()
        held[0].continue_()
        page.unroute(address)

    def save_picture(self, page, name):
        """For docs/web.md, where the environment names a folder for it."""
        if folder := os.environ.get("GST_TOMO_SCREENSHOTS"):
            page.wait_for_timeout(200)
            from PIL import Image
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(pathlib.Path(folder) / name, optimize=True)


main = unittest.main
