# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-web starts, knows its person, and shows a page."""

import unittest

from webtest import BrowserTest, main


class Start(BrowserTest):
    def test_only_who_has_the_address_gets_in(self):
        server = self.server()
        self.assertEqual(server.ask("GET", "session", headers={"Authorization": None}).status, 401)
        self.assertEqual(server.get("session")["name"], "local")

    def test_a_page_opens(self):
        server = self.server()
        page = self.page(server)
        self.assertEqual(page.title(), "Scans - gst-tomo")


if __name__ == "__main__":
    main()
