# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Administration: persons, sessions, what was changed, and this computer."""

import time

import numpy as np
from resulttest import add_job, write_volume
from test_access import Browser, add_persons
from webtest import BrowserTest, main


class Administration(BrowserTest):
    def setUp(self):
        super().setUp()
        add_persons(self.folder / "state", anna="admin", otto="user")
        self.one = self.server("--access", "passwords", "--smtp", "127.0.0.1:9", "--keep-days", "5")
        self.anna, self.otto = Browser(self.one), Browser(self.one)
        self.anna.log_in("anna")
        self.otto.log_in("otto")

    def opened(self, place):
        context = self.browser.new_context(viewport=self.SIZE, color_scheme="dark")
        self.addCleanup(context.close)
        name, _, value = self.anna.cookie.partition("=")
        context.add_cookies([{"name": name, "value": value, "domain": self.one.host, "path": "/"}])
        page = context.new_page()
        page.goto(f"http://{self.one.host}:{self.one.port}/ui/#/{place}")
        return page

    def test_who_is_no_administrator_gets_nothing(self):
        paths = [("GET", "persons"), ("GET", "sessions"), ("GET", "audit"), ("GET", "server"), ("GET", "devices"), ("POST", "persons"), ("PATCH", "persons/anna"),
                 ("DELETE", "persons/anna"), ("DELETE", "sessions/" + "0" * 16)]
        for method, path in paths:
            body = {"name": "eva", "role": "admin", "password": "correct horse"} if method in ("POST", "PATCH") else None
            self.assertEqual(self.otto.ask(method, f"administration/{path}", body).status, 403, path)

    def test_persons(self):
        ask = self.anna.ask
        made = ask("POST", "administration/persons", {"name": "eva", "role": "viewer", "password": "correct horse"})
        self.assertEqual((made.status, made.json["role"], made.json["has_password"]), (201, "viewer", True))
        self.assertEqual(ask("POST", "administration/persons", {"name": "eva", "password": "correct horse"}).status, 409)
        self.assertEqual(ask("POST", "administration/persons", {"name": "<b>", "password": "correct horse"}).json["field"], "name")
        self.assertEqual(ask("POST", "administration/persons", {"name": "max", "password": ""}).json["field"], "password")
        eva = Browser(self.one)
        self.assertEqual(eva.log_in("eva"), 204)
        self.assertEqual(ask("PATCH", "administration/persons/eva", {"is_blocked": True}).json["is_blocked"], True)
        self.assertEqual((eva.ask("GET", "session").status, eva.log_in("eva")), (401, 401))
        ask("PATCH", "administration/persons/eva", {"is_blocked": False, "password": "another one"})
        self.assertEqual((eva.log_in("eva"), eva.log_in("eva", "another one")), (401, 204))
        for method, body in (("PATCH", {"role": "user"}), ("PATCH", {"is_blocked": True}), ("DELETE", None)):
            self.assertEqual(ask(method, "administration/persons/anna", body).status, 409)
        self.assertEqual(ask("DELETE", "administration/persons/eva").status, 204)
        self.assertEqual(ask("DELETE", "administration/persons/eva").status, 404)
        self.assertEqual([one["name"] for one in ask("GET", "administration/persons").json], ["anna", "otto"])
        entries = ask("GET", "administration/audit").json["items"]
        self.assertEqual([(one["person"], one["path"], one["detail"], one["status"]) for one in entries[:2]],
                         [("anna", "DELETE /api/administration/persons/eva", "", 204), ("eva", "POST /api/session", "", 204)])
        self.assertIn(("eva", "POST /api/session", 401), [(one["person"], one["path"], one["status"]) for one in entries])
        self.assertIn(("PATCH /api/administration/persons/eva", "blocked: False, password: new"), [(one["path"], one["detail"]) for one in entries])
        self.assertNotIn("another one", str(entries))
        older = ask("GET", f"administration/audit?before={entries[1]['id']}&limit=2").json["items"]
        self.assertEqual([one["id"] for one in older], [one["id"] for one in entries[2:4]])

    def test_nothing_of_a_person_goes_on_without_her(self):
        """Links to results open nothing while she is blocked and when she is gone; her addresses are not those of the next one of this name."""
        result = write_volume(self.one.results / "volume.h5", np.zeros((2, 3, 4), np.uint8))
        job = add_job(self.one, result)
        token = self.otto.ask("POST", f"results/{job}/0/shares", {}).json["token"]
        self.assertEqual(self.otto.ask("PUT", "notices", {"email": "otto@example.org", "tells": "always"}).status, 200)

        def opened():
            guest = Browser(self.one)
            return guest.ask("POST", "shared", {"token": token}).status, guest.ask("GET", f"results/{job}/0").status

        self.assertEqual(opened(), (200, 200))
        for is_blocked, status in ((True, (404, 401)), (False, (200, 200))):
            self.anna.ask("PATCH", "administration/persons/otto", {"is_blocked": is_blocked})
            self.assertEqual(opened(), status)
        self.anna.ask("DELETE", "administration/persons/otto")
        self.assertEqual(opened(), (404, 401))
        self.anna.ask("POST", "administration/persons", {"name": "otto", "password": "correct horse"})
        self.otto.log_in("otto")
        self.assertEqual((self.otto.ask("GET", "notices").json["email"], opened()), (None, (404, 401)))

    def test_sessions_and_the_computer(self):
        page = self.opened("administration/sessions")
        page.wait_for_selector("td:text-is('anna (this browser)')")
        page.get_by_label("Log out otto, 127.0.0.1").click()
        page.wait_for_selector("text=otto", state="detached")
        self.assertEqual(self.otto.ask("GET", "session").status, 401)
        page.click("#tab-server")
        page.wait_for_selector("td:text-is('CPU')")
        self.assertRegex(page.inner_text("#place-administration"), r"gst-tomo 0\.\d+\.\d+")
        self.assertRegex(page.inner_text("[aria-label='Disk space'] table"), r"scans\s+[⚠ ]*\d+(\.\d+)? .B \(\d+ %\)")
        self.assertRegex(page.inner_text("[aria-label=Settings] table"), r"--access\s+passwords")
        self.assertRegex(page.inner_text("[aria-label=Settings] table"), r"--experts\s+no\s")
        self.save_picture(page, "administration-server.png")
        page.click("#tab-log")
        page.wait_for_selector("td:text-matches('DELETE /api/administration/sessions/')")

    def test_what_rules_about_results_take_away(self):
        day, file = 86400, write_volume(self.one.results / "volume.h5", np.zeros((2, 3, 4), np.uint8))
        number = add_job(self.one, file, name="<b>old</b>", ended=time.time() - 6 * day, began=time.time() - 7 * day, started=time.time() - 7 * day, bytes=2000)
        add_job(self.one, file, name="young")
        (told,) = self.anna.ask("GET", "retention").json["items"]
        self.assertEqual((told["job"], told["goes"]), (number, False))  # its file is younger than the job
        page = self.opened("administration/results")
        page.wait_for_selector("text=results older than 5 days go")
        page.wait_for_selector("text=Nothing goes now.")
        rows = page.locator("table[aria-label='Old results'] tbody tr")
        self.assertEqual([row.split("\t") for row in rows.all_inner_texts()],
                         [[f"{number} <b>old</b>", "local", page.evaluate("(t) => new Date(1000 * t).toLocaleString('sv-SE')", told["ended"]), "2.00 kB", "✓ stays", told["reason"]]])

    def test_persons_in_the_page(self):
        page = self.opened("administration")
        page.click("text=Add person…")
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Name").fill("eva")
        dialog.get_by_label("Role").select_option("viewer")
        dialog.get_by_label("Password").fill("short")
        dialog.get_by_role("button", name="Add").click()
        dialog.get_by_text("a password has 8 to 256 characters").wait_for()
        dialog.get_by_label("Password").fill("correct horse")
        dialog.get_by_role("button", name="Add").click()
        page.wait_for_selector("td:text-is('eva')")
        self.save_picture(page, "administration.png")
        page.get_by_label("Change eva").click()
        page.click("button:text-is('Block') >> visible=true")
        page.wait_for_selector("text=✕ blocked")
        page.get_by_label("Change anna").click()
        page.click("button:text-is('Remove…') >> visible=true")
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        page.wait_for_selector("#notes .last >> text=somebody has to be administrator")


if __name__ == "__main__":
    main()
