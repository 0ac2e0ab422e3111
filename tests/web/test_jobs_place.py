# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Jobs in a browser: live, sorted, filtered; buttons; details; several at once; in a phone's width."""

import functools
import re
import uuid

from resulttest import add_job, random_volume, write_volume
from webtest import BrowserTest, Server, main, until

QUICK = {"axis": 86.35, "flat-scale": 0.68, "slice": "middle"}
SLOW = {"axis": 86.35, "method": "sirt", "num-iterations": 3000}


class JobsPlace(BrowserTest):
    def setUp(self):
        super().setUp()
        self.web = self.server("--host", "127.0.0.2")  # where no other test of this computer takes the port of a server that comes again

    @functools.cached_property
    def dataset(self):
        return self.web.post("datasets", {"places": {"scan": "scans/savu24737.nxs"}})["id"]

    def order(self, settings=QUICK, **wanted):
        return self.web.post("jobs", {"datasets": [self.dataset], "settings": settings, "key": str(uuid.uuid4()), **wanted})["jobs"][0]["id"]

    def over(self, number):
        return until(lambda: (now := self.web.get(f"jobs/{number}"))["ended"] and now, f"job {number} is not over")

    def row(self, page, number):
        return page.locator(f'#place-jobs tr[data-key="{number}"]')

    def test_an_empty_queue_says_what_to_do(self):
        page = self.page(self.web, "jobs")
        page.get_by_text("The queue is empty").wait_for()
        page.get_by_role("button", name="Messages…").click()  # whoever orders the first job can be told of its end
        page.get_by_role("dialog").get_by_text("has named neither a mail server").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Reconstruct a scan").click()
        page.wait_for_url(re.compile("#/reconstruct"))

    def test_a_long_name_leaves_the_others_readable(self):
        """Also at 200 %, where a window is half as wide."""
        short, long = add_job(self.web, self.web.results / "tomography-of-the-first-day.h5", name="tomography"), add_job(self.web, name="q" * 150)
        page = self.page(self.web, "jobs", {"width": 640, "height": 400})
        lines = "r => { const range = document.createRange(); range.selectNodeContents(r); return range.getClientRects().length; }"
        for number in (short, long):
            self.row(page, number).wait_for()
        self.assertEqual(self.row(page, short).get_by_text("tomography", exact=True).evaluate(lines), 1)
        self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), 640)
        same = self.row(page, short).element_handle()
        self.assertEqual(self.web.ask("DELETE", f"jobs/{long}").status, 204)
        self.row(page, long).wait_for(state="detached")
        self.assertTrue(same.evaluate("row => row.isConnected"))  # nothing goes from under a pointer

    def test_a_job_goes_on_as_one_looks(self):
        """From the order of somebody else to its result, without a reload."""
        page = self.page(self.web, "jobs")
        page.get_by_text("The queue is empty").wait_for()
        number = self.order(SLOW, name="long one")
        self.row(page, number).get_by_text("▶ running").wait_for()
        self.row(page, number).click()
        self.row(page, number).locator("progress").wait_for()
        page.locator(".jobs-pane").get_by_text("began").wait_for()
        before = self.row(page, number).locator(".job-time").inner_text()
        page.wait_for_function("([n, t]) => document.querySelector(`#place-jobs tr[data-key='${n}'] .job-time`).textContent !== t", arg=[number, before])
        for name, mark in (("Pause", "‖ paused"), ("Resume", "▶ running"), ("Cancel", "– cancelled")):
            page.get_by_role("button", name=name, exact=True).click()
            self.row(page, number).get_by_text(mark).wait_for()
        quick = self.order(name="quick one")
        self.row(page, quick).get_by_text("savu24737-slices").wait_for()
        self.row(page, quick).click()
        page.wait_for_url(re.compile(f"#/jobs/{quick}$"))
        page.get_by_role("tab", name="Settings").click()
        page.locator(".jobs-pane").get_by_text('"slice": "middle"').wait_for()
        page.get_by_role("tab", name="Provenance").click()
        page.locator(".jobs-pane").get_by_text("results/savu24737-slices").first.wait_for()
        page.get_by_role("tab", name="Command").click()
        page.locator(".jobs-pane").get_by_text("tomo-reconstruct scans/savu24737.nxs").wait_for()
        page.keyboard.press("Home")
        page.locator('[aria-selected="true"]', has_text="Course").wait_for()
        page.locator("#job-open").click()
        page.wait_for_url(re.compile(f"#/results/{quick}/0"))

    def test_again_with_changed_settings(self):
        number = self.order({**QUICK, "method": "dfi"})
        self.over(number)
        page = self.page(self.web, f"jobs/{number}")
        page.get_by_role("button", name="Again", exact=True).click()
        self.row(page, number + 1).wait_for()
        page.get_by_role("button", name="Again with changed settings").click()
        page.wait_for_url(re.compile(f"#/reconstruct/{self.dataset}"))
        until(lambda: self.web.get(f"datasets/{self.dataset}/settings")["values"] == {**QUICK, "method": "dfi"}, "the settings are not those of the job")

    def test_a_failure_says_why(self):
        self.assertTrue(self.dataset)  # made while the file is a scan
        (self.web.scans / "savu24737.nxs").write_bytes(b"no scan")
        number = self.order(name="<b>bad</b>")
        self.over(number)
        page = self.page(self.web, f"jobs/{number}")
        page.locator(".jobs-error").get_by_text("✕ Failed:").wait_for()
        self.assertEqual(self.row(page, number).locator("b").count(), 0)  # a name is a text
        self.row(page, number).get_by_text("<b>bad</b>").wait_for()
        page.get_by_role("tab", name="Log of the process").click()
        page.locator(".jobs-pane pre").wait_for()
        page.get_by_role("button", name="Remove", exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        page.get_by_text("The queue is empty").wait_for()

    def test_several_at_once_and_batches(self):
        (self.web.scans / "second.nxs").write_bytes((self.web.scans / "savu24737.nxs").read_bytes())
        other = self.web.post("datasets", {"places": {"scan": "scans/second.nxs"}})["id"]
        self.order(SLOW, name="first")
        given = self.web.post("jobs", {"datasets": [self.dataset, other], "settings": SLOW, "key": str(uuid.uuid4())})["jobs"]
        page = self.page(self.web, f"jobs/batch/{given[0]['batch']}")
        page.get_by_text("Batch of 2 jobs: 2 queued").wait_for()
        self.assertEqual(page.locator("#place-jobs tr[data-key]").count(), 2)
        for job in given:
            self.row(page, job["id"]).get_by_role("checkbox").check()
        page.get_by_text("2 jobs are marked: 2 queued").wait_for()
        page.locator("#job-priority").select_option("5")
        for job in given:
            self.row(page, job["id"]).get_by_text("priority 5").wait_for()
        page.get_by_role("button", name="Cancel", exact=True).click()
        page.get_by_text("2 jobs are marked: 2 cancelled").wait_for()
        page.get_by_role("button", name="Unmark").click()
        page.get_by_text("Batch of 2 jobs: 2 cancelled").wait_for()
        page.get_by_role("button", name="All jobs").click()
        self.row(page, 1).click()
        page.locator(".jobs-pane").get_by_text("reconstruct (").wait_for()
        self.save_picture(page, "jobs.png")
        page.locator("#place-jobs").get_by_label("State").select_option("cancelled")
        self.row(page, 1).wait_for(state="detached")
        self.assertEqual(page.locator("#place-jobs tr[data-key]").count(), 2)
        page.get_by_label("Search in names and owners").fill("second")
        self.row(page, given[0]["id"]).wait_for(state="detached")
        self.row(page, given[1]["id"]).wait_for()

    def test_the_server_goes_and_comes(self):
        """The page notices, and catches up."""
        number = self.order(SLOW, name="long one")
        page = self.page(self.web, f"jobs/{number}")
        self.row(page, number).get_by_text("▶ running").wait_for()
        page.evaluate("import('/ui/events.js').then(({ events }) => { window.events = events; })")
        page.wait_for_function("() => events.isThere")
        self.web.kill()
        page.wait_for_function("() => !events.isThere")
        self.web.start(self.web.port)
        self.web.post(f"jobs/{number}/cancel")
        self.row(page, number).get_by_text("– cancelled").wait_for()

    def test_a_change_before_the_page_listens(self):
        """What happens between its first list and the server's first word is not lost."""
        number, chosen = add_job(self.web), add_job(self.web)
        page = self.page(self.web, f"jobs/{chosen}", script="""window.WebSocket = class extends WebSocket {
            constructor(url) { super(window.mayListen ? url : new URL("nothing", url)); }
        };""")
        self.row(page, number).wait_for()
        self.assertEqual(self.web.ask("DELETE", f"jobs/{number}").status, 204)
        page.evaluate("window.mayListen = true")
        self.row(page, number).wait_for(state="detached")
        self.assertTrue(self.row(page, chosen).is_visible())

    def test_messages(self):
        add_job(self.web)
        page = self.page(self.web, "jobs")
        page.locator("#job-messages").click()
        page.get_by_role("dialog").get_by_text("neither a mail server nor addresses").wait_for()
        page.get_by_role("button", name="Close").click()
        web = Server(self.folder / "other", "--webhook", "http://127.0.0.1:9/tomo", "--smtp", "127.0.0.1:9")
        self.addCleanup(web.close)
        add_job(web)
        page = self.page(web, "jobs")
        page.locator("#job-messages").click()
        self.assertEqual(page.get_by_label("Tell me").input_value(), "always")  # whoever gives an address waits for messages
        page.get_by_label("Address of a webhook").fill("http://127.0.0.1:9/other")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("the administrator allows no address like that").wait_for()
        page.get_by_label("Address of a webhook").fill("http://127.0.0.1:9/tomo")
        page.get_by_label("Tell me").select_option("failed")
        page.get_by_role("button", name="Save").click()
        self.assertGreater(len(page.locator("#job-secret").inner_text()), 30)
        page.get_by_role("button", name="Close").click()
        page.get_by_role("dialog").get_by_role("button", name="Send").click()
        until(lambda: web.get("notices/deliveries")["items"], "nothing is sent")
        self.assertEqual(web.get("notices")["tells"], "failed")

    def test_a_phone(self):
        """Nothing is cut, and all that a row leaves out is in the details."""
        volume = write_volume(self.web.results / "savu24737-slices.h5", random_volume((2, 8, 8), "uint16"))
        number = add_job(self.web, volume, name="a name that is long enough to need more than one line on a phone")
        page = self.page(self.web, f"jobs/{number}", size={"width": 390, "height": 844})
        self.row(page, number).get_by_text("✓ done").wait_for()
        page.get_by_role("tab", name="Settings").click()
        page.locator(".jobs-pane").get_by_text('"axis": 86.35').wait_for()
        self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), 390)
        self.assertLessEqual(page.evaluate("document.querySelector('#place-jobs').scrollWidth"), 390)
        for name in ("Again", "Open result"):
            box = page.get_by_role("button", name=name, exact=True).bounding_box()
            self.assertTrue(box["x"] >= 0 and box["x"] + box["width"] <= 390, (name, box))
        self.save_picture(page, "jobs-phone.png")


if __name__ == "__main__":
    main()
