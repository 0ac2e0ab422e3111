# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-web starts, knows its person, and shows a page."""

import subprocess

from webtest import BrowserTest, Server, main


class Program(Server):
    """tomo-web as people start it: other tests have servers that fork."""

    def begin(self, words):
        return subprocess.Popen(["tomo-web", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True)


class Start(BrowserTest):
    def test_only_who_has_the_address_gets_in(self):
        server = Program(self.folder)
        self.addCleanup(server.close)
        self.assertEqual(server.ask("GET", "session", headers={"Authorization": None}).status, 401)
        self.assertEqual(server.get("session")["name"], "local")

    def test_a_page_opens(self):
        server = self.server()
        page = self.page(server)
        self.assertEqual(page.title(), "Scans - gst-tomo")

    def test_it_ends_as_it_is_told_to(self):
        server = Program(self.folder)
        self.addCleanup(server.close)
        server.get("session")
        server.stop()
        self.assertEqual(server.process.returncode, 0, server.folder.joinpath("server.log").read_text())


if __name__ == "__main__":
    main()
