# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Portal in a browser: rules, what they found and did, the portal's data sets."""

import os
import shutil

from axe_playwright_python.sync_playwright import Axe
from portaltest import SciCatServer, check_pythons, token_until
from webtest import SCAN, BrowserTest, main, until

PHONE = {"width": 390, "height": 844}


class Page(BrowserTest):
    def setUp(self):
        super().setUp()
        self.scicat = SciCatServer(token := token_until(3600))
        self.arrives = self.folder / "scans" / "in"
        self.arrives.mkdir(parents=True)
        (self.folder / "token").write_text(token)
        self.rules = self.folder / "rules.toml"
        self.rules.write_text(f"""[portal]
address = "{self.scicat.address}"
insecure = true
token-file = "{self.folder / 'token'}"
folders = {{ "/data" = "scans", "/derived" = "results" }}

[rules.beamline]
folder = "scans/in"
whole = {{ still = 0.3, projections = 91 }}
settings = {{ axis = 86.35, y = 60, height = 2 }}
every = 1
retries = 0

[rules.proposal-1]
proposals = ["p1"]
pattern = "*.nxs"
whole = {{ still = 0 }}
register = true
settings = {{ axis = 86.35, y = 60, height = 2 }}
every = 1
""")

    def start(self):
        return self.server("--watch", self.rules, scans=())

    def arrive(self, name):
        """A whole scan at once: a copy that stops for a moment would count as one that can't be read."""
        shutil.copyfile(SCAN, self.folder / "arrives.nxs")
        os.replace(self.folder / "arrives.nxs", self.arrives / name)

    def check_by_axe(self, page, server):
        for part in ("rules", "search", "file"):
            page.goto(f"http://{server.host}:{server.port}/ui/#/portal/{part}")
            page.wait_for_selector(f"#portal-tab-{part}-panel:not([hidden])")
            found = [(one["id"], one["nodes"][0]["html"][:160]) for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
            self.assertEqual(found, [], part)

    def test_rules_and_what_they_found(self):
        server = self.start()
        page = self.page(server, "portal")
        page.wait_for_selector("text=It has found nothing yet.")
        self.assertEqual(page.locator(".rule-list .name").all_inner_texts(), ["beamline", "proposal-1"])
        page.wait_for_selector(".rule-list .active >> text=✓ active")
        self.arrive("tooth.nxs")
        (self.arrives / "<b>bad.nxs").write_bytes(b"no scan")
        page.wait_for_selector("td >> text=✓ done")
        page.wait_for_selector("td >> text=✕ failed")
        self.assertEqual(page.locator("#place-portal td b").count(), 0)
        row = page.locator("tr", has_text="tooth")
        self.assertEqual(row.locator("a").evaluate_all("links => links.map((link) => link.getAttribute('href'))"),
                         ["#/scans/1", "#/jobs/1", "#/results/1/0"])
        until(lambda: "1 done, 1 failed" in page.inner_text(".rule-list .active"))
        for dark, size, name in ((False, self.SIZE, "portal-light.png"), (True, PHONE, "portal-phone.png")):
            other = self.page(server, "portal", size=size, dark=dark)
            other.wait_for_selector("td >> text=✓ done")
            self.assertLessEqual(other.evaluate("document.documentElement.scrollWidth"), size["width"])
            self.save_picture(other, name)
            self.check_by_axe(other, server)
        page.click("button:text-is('Pause')")
        page.wait_for_selector(".rule-list .active >> text=⏸ paused")
        self.arrive("second.nxs")
        page.wait_for_selector("tr:has-text('second') >> text=… waiting")
        page.click("button:text-is('Resume')")
        page.wait_for_selector("tr:has-text('second') >> text=✓ done")
        self.arrive("<b>bad.nxs")  # it was being written
        page.click("button:text-is('Run now')")
        page.wait_for_selector("tr:has-text('bad') >> text=✓ done")
        self.rules.write_text(self.rules.read_text() + "nonsense = 1\n")
        page.wait_for_selector("text=rules.proposal-1.nonsense: nobody knows this")
        page.click("#portal-tab-file")
        page.wait_for_selector(".rule-file >> text=[rules.beamline]")
        server.stop()
        page.wait_for_selector(".state-line:visible >> text=✕ Failed")
        self.problems.clear()

    def test_search_take_and_registered(self):
        shutil.copyfile(SCAN, self.folder / "scans" / "a.nxs")
        raw = self.scicat.add_raw("/data", [("a.nxs", SCAN.stat().st_size)], name="A tooth", proposal="p2")
        server = self.start()
        page = self.page(server, "portal/search")
        page.wait_for_selector("text=SciCat answers, and knows us as tester")
        page.get_by_label("Proposal").fill("p2")
        page.keyboard.press("Enter")
        page.click("button:text-is('Take as data set')")
        page.wait_for_selector("td a:text-is('Open')")
        self.save_picture(page, "portal-search.png")
        page.click("td a:text-is('Open')")
        page.wait_for_selector("#head >> text=A tooth")
        self.assertEqual(server.get("portal/datasets", proposal="p2")["items"][0]["id"], raw)
        self.scicat.add_raw("/data", [("a.nxs", SCAN.stat().st_size)], name="Tooth, by rule")
        page.goto(f"http://{server.host}:{server.port}/ui/#/portal/rules/proposal-1")
        page.wait_for_selector("tr:has-text('by rule') >> text=✓ done")
        self.assertIn(self.scicat.derived[0]["pid"], page.inner_text("tr:has-text('by rule')"))
        self.save_picture(page, "portal.png")
        self.scicat.control(token="another")
        page.click("#portal-tab-search")
        page.wait_for_selector("text=SciCat does not take the token")

    def test_without_rules(self):
        page = self.page(self.server(scans=()), "portal")
        page.wait_for_selector("text=No rules yet.")
        page.click("#portal-tab-search")
        page.wait_for_selector("text=There is no portal here.")
        page.keyboard.press("ArrowRight")
        page.focus("#portal-tab-search")
        page.keyboard.press("ArrowRight")
        page.wait_for_selector("text=There is no file of rules")


if __name__ == "__main__":
    check_pythons()
    main()
