# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-web behind examples/web/nginx.conf with a certificate of our own: page, WebSocket, upload; and the other files beside it."""

import base64
import configparser
import http.client
import os
import random
import re
import shlex
import ssl
import subprocess
import unittest

from ports import free_port
from test_access import add_persons
from webtest import PATIENCE, ROOT, BrowserTest, main, until

from tomo_web import main as program
from tomo_web.settings import read

EXAMPLES = ROOT / "examples" / "web"


class Nginx(BrowserTest):
    def setUp(self):
        super().setUp()
        self.port, self.plain = free_port(), free_port()
        add_persons(self.folder / "state", anna="admin")
        self.one = self.server("--access", "passwords", "--trusted-proxy", "127.0.0.1", "--address", f"https://127.0.0.1:{self.port}", "--uploads", "scans")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", self.folder / "key.pem", "-out", self.folder / "cert.pem"], check=True, capture_output=True)
        site = (EXAMPLES / "nginx.conf").read_text()
        for old, new in ((r"/etc/letsencrypt\S*fullchain.pem", f"{self.folder}/cert.pem"), (r"/etc/letsencrypt\S*privkey.pem", f"{self.folder}/key.pem"),
                         (r"listen 443", f"listen 127.0.0.1:{self.port}"), (r"listen 80", f"listen 127.0.0.1:{self.plain}"), (r"tomo\.example\.org", "127.0.0.1"),
                         (r"127\.0\.0\.1:8080", f"127.0.0.1:{self.one.port}")):
            site, count = re.subn(old, new, site)
            self.assertGreater(count, 0, old)
        (self.folder / "site.conf").write_text(site)
        paths = "".join(f"{name}_temp_path {self.folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.getuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(f"{user} worker_processes 1; pid {self.folder}/nginx.pid; error_log {self.folder}/nginx.log; daemon off;"
                                                f"events {{}} http {{ access_log off; {paths} include {self.folder}/site.conf; }}")
        with open(self.folder / "nginx.log", "ab") as log:
            process = subprocess.Popen(["/usr/sbin/nginx", "-p", self.folder, "-c", self.folder / "nginx.conf"], stderr=log)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.terminate)
        until(lambda: self.answers() or process.poll() is not None, "nginx does not answer")
        self.assertIsNone(process.poll(), (self.folder / "nginx.log").read_text())
        self.cookie, self.csrf = "", ""

    def answers(self):
        try:
            return self.ask("GET", "/api/access").status == 200
        except OSError:
            return False

    def ask(self, method, path, body=None, **headers):
        context = ssl.create_default_context(cafile=self.folder / "cert.pem")
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=PATIENCE)
        try:
            connection.request(method, path, body, {"Cookie": getattr(self, "cookie", ""), "X-CSRF-Token": getattr(self, "csrf", ""),
                                                    **{name.replace("_", "-"): value for name, value in headers.items()}})
            answer = connection.getresponse()
            answer.content = answer.read()
            return answer
        finally:
            connection.close()

    def log_in(self):
        answer = self.ask("POST", "/api/session", b'{"name": "anna", "password": "correct horse"}', Content_Type="application/json", X_Forwarded_For="6.6.6.6")
        self.assertEqual(answer.status, 204, answer.content)
        self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        self.csrf = re.search(rb'"csrf":"(\w+)"', self.ask("GET", "/api/session").content)[1].decode()
        return answer

    def test_requests(self):
        answer = self.log_in()
        self.assertRegex(answer.headers["Set-Cookie"], r"^__Host-gst-tomo-session=[^;]+; HttpOnly; Path=/; SameSite=strict; Secure$")
        self.assertEqual(answer.headers["Strict-Transport-Security"], "max-age=31536000")
        log = self.ask("GET", "/api/administration/audit").content
        self.assertIn(b'"address":"127.0.0.1"', log)  # and not what the browser says of itself
        self.assertNotIn(b"6.6.6.6", log)
        self.assertEqual(self.ask("GET", "/api/session", Cookie="", X_Remote_User="anna").status, 401)
        plain = http.client.HTTPConnection("127.0.0.1", self.plain, timeout=PATIENCE)
        plain.request("GET", "/ui/")
        moved = plain.getresponse()
        self.assertEqual((moved.status, moved.headers["Location"]), (301, "https://127.0.0.1/ui/"))
        plain.close()

    def test_upload(self):
        self.log_in()
        content = random.Random(1).randbytes(3_000_000)
        name = base64.b64encode(b"large.h5").decode()
        made = self.ask("POST", "/api/uploads", b"", Tus_Resumable="1.0.0", Upload_Length=str(len(content)), Upload_Metadata=f"filename {name}")
        self.assertEqual(made.status, 201, made.content)
        address = re.sub(r"^https?://[^/]+", "", made.headers["Location"])
        for begin, end in ((0, 2_000_000), (2_000_000, 3_000_000)):
            answer = self.ask("PATCH", address, content[begin:end], Tus_Resumable="1.0.0", Upload_Offset=str(begin), Content_Type="application/offset+octet-stream")
            self.assertEqual((answer.status, answer.headers["Upload-Offset"]), (204, str(end)), answer.content)
        found = [path for path in self.one.scans.rglob("large.h5")]
        self.assertEqual([path.read_bytes() == content for path in found], [True])

    def test_page_and_websocket(self):
        context = self.browser.new_context(viewport=self.SIZE, ignore_https_errors=True)
        self.addCleanup(context.close)
        page, problems = context.new_page(), []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"https://127.0.0.1:{self.port}/ui/")
        page.get_by_label("Name").fill("anna")
        page.get_by_label("Password").fill("correct horse")
        page.keyboard.press("Enter")
        page.wait_for_selector("#place-scans:not([hidden])")
        opened = page.evaluate("""() => new Promise((resolve) => {
            const socket = new WebSocket(new URL("../api/events", location.href.replace("https", "wss").replace(/#.*/, "")));
            socket.onopen = () => { socket.send('{"follow": []}'); setTimeout(() => resolve(socket.readyState), 1000); };
            socket.onerror = () => resolve("error");
        })""")
        self.assertEqual(opened, 1)  # OPEN
        self.assertEqual(problems, [])


class Files(unittest.TestCase):
    def test_settings(self):
        values = read(EXAMPLES / "tomo-web.toml")
        self.assertEqual((values["access"], values["addresses"], values["trusted_proxies"]), ("passwords", ("https://tomo.example.org",), ("127.0.0.1",)))
        self.assertIn(values["uploads"], values["folders"])

    def test_service(self):
        unit = configparser.ConfigParser(strict=False)
        unit.optionxform = str
        unit.read(EXAMPLES / "tomo-web.service")
        command, *words = shlex.split(unit["Service"]["ExecStart"])
        self.assertEqual(command, "/usr/bin/tomo-web")
        self.assertEqual(str(program.parser().parse_args(words).config), "/etc/tomo-web.toml")


if __name__ == "__main__":
    main()
