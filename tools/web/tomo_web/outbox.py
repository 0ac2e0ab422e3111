# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages about finds of rules, by mail or to hooks. They are written down together with what they tell, and sent until somebody takes them."""

import asyncio
import email.message
import json
import smtplib
import sys
import time
import urllib.error
import urllib.request

TABLES = """
CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT NOT NULL, content TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    not_before REAL NOT NULL DEFAULT 0, error TEXT);
"""
BEAT = 1.0
PATIENCE = 20.0      # seconds for one message
MOST_TRIES = 12      # the last one about a day behind the first
FIRST, LONGEST = 20.0, 4 * 3600.0  # seconds between tries, which double


class Outbox:
    """mail: MailSettings, or None"""

    def __init__(self, database, mail=None):
        self._database, self.mail = database, mail

    def add(self, address, content):
        """content: {"text", ...}. It is sent if the transaction around this is committed."""
        self._database.run("INSERT INTO outbox (address, content) VALUES (?, ?)", address, json.dumps(content))

    async def run(self):
        """Until it is cancelled."""
        while True:
            for row in self._database.all("SELECT * FROM outbox WHERE not_before <= ? ORDER BY id LIMIT 20", time.time()):
                await self._send(row)
            await asyncio.sleep(BEAT)

    async def _send(self, row):
        try:
            await asyncio.to_thread(send, row["id"], row["address"], json.loads(row["content"]), self.mail)
        except (OSError, smtplib.SMTPException, urllib.error.URLError, ValueError) as e:
            self._failed(row, str(e) or type(e).__name__)
        else:
            self._database.run("DELETE FROM outbox WHERE id = ?", row["id"])

    def _failed(self, row, error):
        tries = row["tries"] + 1
        if tries >= MOST_TRIES:
            print(f"tomo-web: {row['address']} can't be told: {error}", file=sys.stderr, flush=True)
            self._database.run("DELETE FROM outbox WHERE id = ?", row["id"])
        else:
            wait = min(FIRST * 2**row["tries"], LONGEST)
            self._database.run("UPDATE outbox SET tries = ?, not_before = ?, error = ? WHERE id = ?", tries, time.time() + wait, error, row["id"])


def send(number, address, content, mail):
    """Raises where nobody takes it."""
    if address.startswith("http"):
        # The number lets a hook know a message that comes again, because its answer was lost.
        request = urllib.request.Request(address, json.dumps({"message": number, **content}).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE):
            return
    letter = email.message.EmailMessage()
    letter["Subject"] = f"{content['rule']}: {content['name']}: {content['state']}"
    letter["From"], letter["To"] = mail.sender, address
    letter["Message-ID"] = f"<gst-tomo-{number}-{mail.sender}>"
    letter.set_content(content["text"] + "\n")
    with smtplib.SMTP(mail.host, mail.port, timeout=PATIENCE) as server:
        server.send_message(letter)
