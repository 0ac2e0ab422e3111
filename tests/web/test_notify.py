# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages about jobs that are over: signed requests and e-mail, tried again, behind restarts, and to nobody else's address."""

import asyncio
import email
import email.policy
import hashlib
import hmac
import http.server
import ipaddress
import json
import socketserver
import threading
import unittest
import uuid

from webtest import ServerTest, main, until

QUICK = {"axis": 86.35, "flat-scale": 0.68, "slice": "middle"}


class Hook(http.server.BaseHTTPRequestHandler):
    """Keeps what comes; answers with the next of `answers`, else 204."""

    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.answers.pop(0) if self.server.answers else 204
        self.server.came.append((status, self.path, dict(self.headers), body))
        self.send_response(status)
        if status == 302:
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.end_headers()

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_):
        pass


class Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as one client needs."""

    def handle(self):
        self.say("220 here")
        lines = None
        while line := self.rfile.readline():
            word = line[:4].upper()
            if lines is not None:
                if line == b".\r\n":
                    self.server.came.append(b"".join(lines).decode())
                    lines = None
                    self.say("250 taken")
                else:
                    lines.append(line)
            elif word == b"DATA":
                lines = []
                self.say("354 go on")
            elif word == b"QUIT":
                return self.say("221 bye")
            else:
                if word == b"RCPT":
                    self.server.recipients.append(line.decode().strip())
                self.say("250 here" if word in (b"HELO", b"EHLO", b"MAIL", b"RCPT") else "500 what")

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


class NotifyTest(ServerTest):
    def listening(self, kind, handler):
        server = kind(("127.0.0.1", 0), handler)
        server.came, server.answers, server.recipients = [], [], []
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def setUp(self):
        super().setUp()
        self.hook = self.listening(http.server.ThreadingHTTPServer, Hook)
        self.mail = self.listening(socketserver.ThreadingTCPServer, Mail)
        self.allowed = f"http://127.0.0.1:{self.hook.server_port}/tomo"
        self.web = self.server("--webhook", self.allowed, "--webhook-network", "127.0.0.0/8", "--smtp", f"127.0.0.1:{self.mail.server_address[1]}",
                               "--mail-domain", "example.org")
        self.dataset = self.web.post("datasets", {"places": {"scan": "scans/savu24737.nxs"}})["id"]

    def wish(self, status=200, **wish):
        answer = self.web.ask("PUT", "notices", wish)
        self.assertEqual(answer.status, status, answer.body)
        return answer.json

    def order(self, **wanted):
        return self.web.post("jobs", {"datasets": [self.dataset], "settings": QUICK, "key": str(uuid.uuid4()), **wanted})["jobs"][0]["id"]

    def test_a_signed_request_and_a_letter(self):
        self.wish(webhook=self.allowed + "/done", email="anna@example.org", tells="never")
        secret = self.web.post("notices/secret")["secret"]
        number = self.order(notify=True, name="the vial\u00e9")
        until(lambda: self.hook.came and self.mail.came, "nobody is told")
        status, path, headers, body = self.hook.came[0]
        self.assertEqual((status, path, headers["Content-Type"]), (204, "/tomo/done", "application/json"))
        wanted = hmac.new(secret.encode(), headers["X-Tomo-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
        self.assertEqual(headers["X-Tomo-Signature"], f"sha256={wanted}")
        told = json.loads(body)
        self.assertEqual((told["event"], told["job"]["id"], told["job"]["state"], told["job"]["results"][0]["name"]),
                         ("job-over", number, "done", "savu24737-slices.h5"))
        self.assertNotIn(str(self.folder), body.decode())
        self.assertEqual([one.upper() for one in self.mail.recipients], ["RCPT TO:<ANNA@EXAMPLE.ORG>"])
        letter = email.message_from_string(self.mail.came[0], policy=email.policy.default)
        self.assertEqual((letter["To"], letter["Subject"]), ("anna@example.org", f"gst-tomo: job {number} (the vial\u00e9) is done"))
        self.assertIn("Result: savu24737-slices.h5", letter.get_content())
        until(lambda: all(one["sent"] for one in self.web.get("notices/deliveries")["items"]), "nobody knows that it arrived")
        self.order()  # nobody asked to be told of that one
        until(lambda: self.web.get("jobs", state="done")["total"] == 2)
        self.web.stop()
        self.web.start()
        self.assertEqual((len(self.hook.came), len(self.mail.came)), (1, 1))

    def test_failures_alone(self):
        self.wish(webhook=self.allowed, tells="failed")
        self.order()
        until(lambda: self.web.get("jobs", state="done")["total"], "it is not done")
        (self.web.scans / "savu24737.nxs").write_bytes(b"no scan")
        number = self.order()
        until(lambda: self.hook.came, "nobody is told")
        told = json.loads(self.hook.came[0][3])["job"]
        self.assertEqual((told["id"], told["state"]), (number, "failed"))
        self.assertTrue(told["error"])
        self.assertEqual(len(self.hook.came), 1)

    def test_tried_again_and_behind_a_restart(self):
        """No redirection is followed; a message waits while nobody takes it, and comes once."""
        self.hook.answers += [302, 500]
        self.wish(webhook=self.allowed, tells="always")
        self.order()
        until(lambda: self.hook.came, "nobody is told")
        first = until(lambda: (one := self.web.get("notices/deliveries")["items"][0])["problem"] and one, "the failure is not told")
        self.assertEqual((first["problem"], first["sent"]), ("127.0.0.1 answers 302", None))
        self.assertGreater(first["due"], first["created"])
        self.web.kill()
        self.web.start()
        until(lambda: len(self.hook.came) == 3, "it is not tried again", patience=90)
        self.assertEqual([(status, path) for status, path, *_ in self.hook.came], [(302, "/tomo"), (500, "/tomo"), (204, "/tomo")])
        self.assertEqual(len({headers["X-Tomo-Delivery"] for _, _, headers, _ in self.hook.came}), 1)
        until(lambda: self.web.get("notices/deliveries")["items"][0]["sent"], "nobody knows that it arrived")

    def test_a_job_that_ends_while_the_server_is_away(self):
        self.wish(webhook=self.allowed, tells="always")
        number = self.order()
        self.web.kill()
        events = self.web.queue / "jobs" / str(number) / "events.jsonl"
        until(lambda: events.exists() and any(json.loads(line)["event"] == "done" for line in events.read_text().split("\n")[:-1]), "it does not end")
        self.web.start()
        until(lambda: self.hook.came, "nobody is told")
        self.assertEqual(json.loads(self.hook.came[0][3])["job"]["id"], number)

    def test_only_to_addresses_that_are_allowed(self):
        port = self.hook.server_port
        for url in (f"http://127.0.0.1:{port}/other", f"http://127.0.0.1:{port}/tomo-other", f"http://127.0.0.1:{port}/tomo/../other", f"http://127.0.0.1:{port}/tomo/%2e%2e/x",
                    f"https://127.0.0.1:{port}/tomo", f"http://localhost:{port}/tomo", f"http://a@127.0.0.1:{port}/tomo", "http://169.254.169.254/tomo", "file:///tomo",
                    f"http://127.0.0.1:{port}/tomo\r\nX: y", f"http://127.0.0.1:{port}/tomo#x", "x", f"http://127.0.0.1:{port + 1}/tomo"):
            with self.subTest(url):
                self.assertEqual(self.wish(422, webhook=url)["field"], "webhook")
        for address in ("anna@example.com", "anna", "a@b@example.org", "anna@example.org\r\nBcc: x@example.org", "anna@example.org, b@example.org"):
            with self.subTest(address):
                self.assertEqual(self.wish(422, email=address)["field"], "email")
        self.assertEqual(self.web.ask("POST", "notices/trial", {}).status, 409)
        self.wish(webhook=self.allowed, email="anna@example.org")
        self.assertEqual(self.web.post("notices/trial"), {"count": 2})
        until(lambda: self.hook.came and self.mail.came, "the trial does not come")
        self.assertEqual(json.loads(self.hook.came[0][3]), {"event": "trial"})


class Addresses(unittest.TestCase):
    def test_names_that_lead_inside(self):
        from tomo_web.webhook import NotDelivered, deliver
        for url in ("http://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/", "http://[::ffff:127.0.0.1]:9/", "http://10.0.0.1/", "http://169.254.169.254/",
                    "http://0.0.0.0:9/", "http://224.0.0.1/", "http://2130706433:9/"):
            with self.subTest(url), self.assertRaisesRegex(NotDelivered, "no public address"):
                asyncio.run(deliver(url, b"{}", "s", 1))
        with self.assertRaisesRegex(NotDelivered, "can't be reached"):
            asyncio.run(deliver("http://127.0.0.1:9/", b"{}", "s", 1, [ipaddress.ip_network("127.0.0.0/8")]))


if __name__ == "__main__":
    main()
