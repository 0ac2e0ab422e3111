# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-web --watch: new scans become volumes, beside the server and without one, also where the process is killed."""

import contextlib
import http.server
import json
import shutil
import signal
import socketserver
import sqlite3
import subprocess
import threading
import time

from gsttomo import jobs
from rulestest import BEAM
from webtest import PATIENCE, SCAN, ServerTest, end_manager, main, until


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        refuses = self.server.owner.refuses
        if refuses:
            self.server.owner.refuses -= 1
        else:
            self.server.owner.got.append(body)
        self.send_response(503 if refuses else 200)
        self.end_headers()

    def log_message(self, *_):
        pass


class Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as a letter needs."""

    def handle(self):
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.owner.got.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")


class Receiver:
    def __init__(self, handler):
        self.got, self.refuses = [], 0
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        self._server.owner, self._server.daemon_threads = self, True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Watching(ServerTest):
    """The program itself."""

    def setUp(self):
        super().setUp()
        self.arrives = self.folder / "scans" / "in"
        self.arrives.mkdir(parents=True)
        self.rules = self.folder / "rules.toml"

    def watching(self, text):
        self.rules.write_text(text)
        return self.server("--watch", self.rules, scans=())

    def count(self, wanted, table="finds"):
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(self.folder / "state" / "web.sqlite")) as database:
            return database.execute(f"SELECT COUNT(*) FROM {table} WHERE {wanted}").fetchone()[0]

    def found(self, server, rule="beam"):
        return {one["name"]: one for one in server.get(f"rules/{rule}/found")["items"]}

    def test_a_scan_arrives(self):
        server = self.watching(BEAM.replace("every = 0.5", "every = 600") + 'result = "{rule}-{name}"\ninto = "auto"\npriority = 7\ntags = ["by rule"]\n')
        until(lambda: server.get("rules")["rules"][0]["looked"])
        self.assertEqual(server.get("rules")["rules"][0]["state"], "active")
        shutil.copyfile(SCAN, self.arrives / "a.nxs")  # inotify tells it: the next look would be in ten minutes
        found = until(lambda: (one := self.found(server).get("a")) and one["state"] == "done" and one)
        self.assertEqual(found["result"], f"{found['job']}/0")
        self.assertTrue((self.folder / "results" / "auto" / "beam-a-slices.h5").is_file())
        self.assertEqual(server.get(f"datasets/{found['dataset']}")["tags"], ["by rule"])
        self.assertEqual(server.get("rules")["rules"][0]["counts"], {"done": 1})
        shown = server.get("rules")
        self.assertEqual((shown["file"], shown["content"], shown["is_watched"]), ("rules.toml", self.rules.read_text(), True))

    def test_jobs_that_fail(self):
        server = self.watching(BEAM.replace("y = 60", "y = 500") + "retries = 1\n")
        shutil.copyfile(SCAN, self.arrives / "a.nxs")
        first = until(lambda: (one := self.found(server).get("a")) and one["state"] == "failed" and one)
        self.assertEqual(first["attempts"], 2)
        log = self.folder / "server.log"
        told = "rule beam: a: failed: "
        until(lambda: told in log.read_text())
        server.stop()
        server.start()
        time.sleep(1.5)
        self.assertEqual(log.read_text().count(told), 1)
        server.post("rules/beam/run")
        until(lambda: self.found(server)["a"]["job"] != first["job"])
        until(lambda: self.found(server)["a"]["state"] == "failed")
        self.assertEqual(log.read_text().count(told), 2)

    def test_messages(self):
        hook, mail = Receiver(Hook), Receiver(Mail)
        for one in (hook, mail):
            self.addCleanup(one.close)
        hook.refuses = 1
        self.rules.write_text(BEAM.replace("0.5 }", "0 }") + "retries = 0\n"
                              f'notify = ["http://127.0.0.1:{hook.port}/x", "ada@example.org"]\nnotify-when = "all"\n')
        words = ("--watch", self.rules, "--smtp", f"127.0.0.1:{mail.port}", "--webhook", f"http://127.0.0.1:{hook.port}/", "--webhook-network", "127.0.0.0/8")
        server = self.server(*words, scans=())
        (self.arrives / "bad.nxs").write_bytes(b"no scan")
        until(lambda: mail.got and self.found(server)["bad"]["state"] == "failed" and not hook.refuses)
        self.assertRegex(mail.got[0], r"(?s)To: ada@example.org.*Subject: gst-tomo: beam: bad: failed.*rule beam: bad: failed: 'scans/in/bad.nxs' is not an HDF5 file")
        until(lambda: self.count("sent IS NOT NULL OR problem IS NOT NULL", "deliveries") == 2)  # the server knows of both
        self.assertEqual(hook.got, [])
        server.kill()
        server.start()  # it still has the message that nobody took
        told = until(lambda: hook.got and json.loads(hook.got[0]), patience=60)
        self.assertEqual((told["event"], told["rule"], told["name"], told["state"], told["job"]), ("rule", "beam", "bad", "failed", None))
        shutil.copyfile(SCAN, self.arrives / "good.nxs")
        until(lambda: len(hook.got) == 2 and len(mail.got) == 2)
        self.assertEqual((json.loads(hook.got[1])["state"], json.loads(hook.got[1])["dataset"]), ("done", 1))

    def test_pause(self):
        server = self.watching(BEAM)
        until(lambda: server.get("rules")["rules"])
        self.assertEqual(server.ask("PATCH", "rules/beam", {"is_paused": True}).json["state"], "paused")
        shutil.copyfile(SCAN, self.arrives / "a.nxs")
        until(lambda: self.found(server).get("a"))
        time.sleep(1.5)
        self.assertEqual(self.found(server)["a"]["job"], None)
        server.stop()
        server.start()
        self.assertEqual(server.get("rules")["rules"][0]["state"], "paused")
        server.ask("PATCH", "rules/beam", {"is_paused": False})
        until(lambda: self.found(server)["a"]["state"] == "done")
        self.assertEqual(server.ask("POST", "rules/nothing/run").status, 404)

    def test_file_changes(self):
        server = self.watching(BEAM)
        until(lambda: server.get("rules")["rules"])
        self.rules.write_text(BEAM + "retries = many\n")
        problem = until(lambda: "line 7" in (told := server.get("rules")["problem"] or "") and told)  # and not of a file that is half written
        self.assertRegex(problem, r"^rules\.toml: .*line 7")
        self.assertEqual([one["name"] for one in server.get("rules")["rules"]], ["beam"])
        self.rules.write_text(BEAM.replace("rules.beam", "rules.other"))
        until(lambda: [one["name"] for one in server.get("rules")["rules"]] == ["other"])
        self.assertIsNone(server.get("rules")["problem"])

    def test_what_keeps_it_from_beginning(self):
        def said(*words):
            done = subprocess.run(["tomo-web", f"scans={self.folder / 'scans'}", "--state", self.folder / "state", "--queue", self.folder / "queue", *words],
                                  capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 1)
            return done.stderr.strip()

        self.assertEqual(said("--watch-only"), "tomo-web: --watch-only wants --watch: a file of rules")
        self.rules.write_text("[rules.a]\n")
        self.assertEqual(said("--watch", self.rules), "tomo-web: rules.toml: rules.a.folder: a rule has either a folder, or proposals of the portal")
        self.watching(BEAM)
        self.assertEqual(said("--watch", self.rules, "--watch-only"),
                         "tomo-web: another tomo-web watches with this state already: give one of them another --state")

    def test_kills_without_an_address(self):
        names = [f"s{number}" for number in range(5)]
        for name in names:
            shutil.copyfile(SCAN, self.arrives / f"{name}.nxs")
        self.rules.write_text(BEAM.replace("0.5 }", "0.2 }"))
        words = ["tomo-web", f"scans={self.folder / 'scans'}", "--state", self.folder / "state", "--queue", self.folder / "queue",
                 "--results", self.folder / "results", "--watch", self.rules, "--watch-only"]
        self.addCleanup(end_manager, self.folder / "queue")
        for wanted in ("found > 0", "dataset > 0", "job IS NOT NULL", "state = 'done'"):
            process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            until(lambda: self.count(wanted), patience=60)
            process.send_signal(signal.SIGKILL)
            process.wait()
        server = self.server(scans=())  # that does not watch, and shows what the other one does
        self.assertEqual([one["name"] for one in server.get("rules")["rules"]], ["beam"])
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        try:
            until(lambda: [one["state"] for one in self.found(server).values()] == ["done"] * 5, patience=60)
        finally:
            process.terminate()
            self.assertEqual(process.wait(PATIENCE), 0)
        self.assertEqual(sorted(self.found(server)), names)
        self.assertEqual(server.get("datasets")["total"], 5)
        self.assertEqual(sorted(path.name for path in (self.folder / "results" / "beam").glob("*.h5")), [f"{name}-slices.h5" for name in names])
        with jobs.PlainQueue(self.folder / "queue") as queue:
            self.assertEqual(queue.page().total, 5)


if __name__ == "__main__":
    main()
