# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slices in the place Results, in a browser, on a volume that a job has made of a scan: pictures compared sample by sample; facts, the
report, and what axe finds."""

import contextlib
import re

import numpy as np
from playwright.sync_api import Error
from resultplace import READY, ResultPlaceTest
from resulttest import random_volume
from webtest import SCAN, main, until, until_passes


class Results(ResultPlaceTest):
    def compare_plane(self, page, plane, levels):
        """What is seen at one pixel per sample with the shades of numpy; texts lie in the lower corners."""
        got, (low, high) = self.pixels(page), levels
        rows, columns = plane.shape
        top, left = ((have - wanted + 1) // 2 for have, wanted in zip(got.shape, plane.shape))  # halves are rounded up
        seen = got[top:min(top + rows, got.shape[0] - 60), left:left + columns]
        wanted = np.clip((plane.astype(np.float64) - low) * 256 / (high - low), 0, 255).astype(np.uint8)[:seen.shape[0]]
        self.assertLessEqual(np.abs(seen.astype(int) - wanted).max(), 1)
        self.assertGreater((seen == wanted).mean(), 0.99)

    # Slices

    def test_slices_are_those_of_the_file(self):
        page = self.open()
        levels = self.levels()
        for name, axis in (("z", 0), ("y", 1), ("x", 2)):
            self.alone(page, name)
            page.get_by_role("button", name="1 : 1").click()
            until_passes(lambda axis=axis: self.compare_plane(page, self.volume.take(self.volume.shape[axis] // 2, axis), levels))
        page.locator(".viewer-pane:not([hidden]) canvas").first.hover()
        page.mouse.wheel(0, 120)
        page.wait_for_selector(f".viewer-pane:not([hidden]) [data-index='81']{READY}")
        until_passes(lambda: self.compare_plane(page, self.volume[:, :, 81], levels))
        page.get_by_label("Slice along x").fill("5")
        page.wait_for_selector(f".viewer-pane:not([hidden]) [data-index='5']{READY}")
        until_passes(lambda: self.compare_plane(page, self.volume[:, :, 5], levels))

    def alone(self, page, name="z"):
        """One plane, as large as it can be."""
        page.get_by_role("group", name="Planes").get_by_role("button", name=name, exact=True).click()

    def test_tiles_join_without_seams_at_every_zoom(self):
        """Values that grow evenly do so in the picture, whatever tiles and means of samples it is made of."""
        rows, columns = np.mgrid[0:1200, 0:1500]
        job = self.second((20 * columns + 10 * rows)[np.newaxis].astype(np.uint16), "even.h5")
        page = self.open(f"results/{job}/0")
        self.alone(page)
        low, high = self.levels(job)
        for key, zoom in (("0", None), ("1", 1.0), ("+", 1.2), ("+", 1.44), ("1", 1.0), ("-", 1 / 1.2)):
            page.locator(".viewer-pane:not([hidden]) canvas").first.focus()
            page.keyboard.press(key)
            with self.subTest((key, zoom)):
                until_passes(lambda zoom=zoom: self.compare_ramp(page, low, high, zoom))
                page.wait_for_selector(f".viewer-pane:not([hidden]) .viewer-surface{READY}")
                self.compare_ramp(page, low, high, zoom)  # also when nothing finer is to come

    def compare_ramp(self, page, low, high, zoom):
        got = self.pixels(page)
        height, width = got.shape
        scale = zoom or min(width / 1500, height / 1200)
        y, x = ((np.arange(size) + 0.5 - size / 2) / scale + middle for size, middle in ((height - 60, 600 - 30 / scale), (width, 750)))
        wanted = np.clip((20 * (x - 0.5) + 10 * (y - 0.5)[:, np.newaxis] - low) * 256 / (high - low), 0, 255)
        inside = (x > 3) & (x < 1497) & ((y > 3) & (y < 1197))[:, np.newaxis]
        self.assertLess(np.abs(got[:-60] - wanted)[inside].max(), 2.5)

    def test_what_nobody_looks_at_is_given_up(self):
        job = self.second(random_volume((1, 1200, 1500), np.uint8), "large.h5")
        page = self.page(self.shared)
        gone, held = [], []
        page.on("requestfailed", lambda request: gone.append(request.url))
        page.route("**/tile?*level=0*", lambda route: held.append(route))  # they take for ever
        page.goto(f"http://{self.shared.host}:{self.shared.port}/ui/#/results/{job}/0")
        page.wait_for_selector(f"#place-results .viewer-surface{READY}")
        self.alone(page)
        page.locator(".viewer-pane:not([hidden]) canvas").first.focus()
        with page.expect_request("**/tile?*level=0*"):
            page.keyboard.press("1")
        page.keyboard.press("0")
        until(lambda: page.wait_for_timeout(50) or [url for url in gone if "level=0" in url], "the tile is waited for")
        for route in held:
            with contextlib.suppress(Error):  # those that were given up are gone
                route.abort()

    def test_a_click_moves_the_crosshair_and_tells_the_value(self):
        page = self.open()
        canvas = page.get_by_label("Slice across z", exact=False).first
        canvas.focus()
        for key in ("0", "Shift+ArrowRight", "Shift+ArrowDown", "Enter"):
            page.keyboard.press(key)
        self.assertEqual([page.get_by_label(f"Slice along {name}", exact=True).input_value() for name in "zyx"], ["30", "81", "81"])
        value = self.volume[30, 81, 81]
        readout = page.locator("#place-results .viewer-readout").first.inner_text()
        found = re.fullmatch(r"x +81 +y +81 +z +30 +value (\S+) *", readout)
        self.assertTrue(found, readout)
        self.assertAlmostEqual(float(found[1]), value, delta=abs(value) * 1e-4)
        box = canvas.bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2 + 40, box["y"] + box["height"] / 2 - 30)
        page.wait_for_function("() => document.querySelector('[aria-label=\"Slice along x\"]').value !== '81'")
        x = int(page.get_by_label("Slice along x", exact=True).input_value())
        page.wait_for_selector(f".viewer-surface[data-index='{x}']")

    def test_a_length_is_measured(self):
        page = self.open()
        self.alone(page)
        page.get_by_role("button", name="Length").click()
        page.get_by_role("button", name="1 : 1").click()
        box = page.locator(".viewer-pane:not([hidden]) canvas").first.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x - 30, y)
        page.mouse.down()
        page.mouse.move(x + 30, y + 40, steps=4)
        page.mouse.up()
        said = page.locator("#results-state")
        self.assertRegex(said.inner_text(), r"^Length 72\.1\d px")
        page.mouse.move(x + 30, y + 40)
        page.mouse.down()
        page.keyboard.down("Shift")
        page.mouse.move(x + 50, y + 5)
        page.mouse.up()
        page.keyboard.up("Shift")
        self.assertIn("80 px", said.inner_text())
        page.keyboard.press("Delete")
        self.assertNotIn("Length", said.inner_text())
        for key in ("Shift+ArrowRight", "Enter", *["Shift+ArrowRight"] * 3, *["Shift+ArrowDown"] * 4, "Enter"):
            page.keyboard.press(key)
        self.assertIn("Length 5 px", said.inner_text())

    def test_slices_are_played(self):
        page = self.open()
        page.get_by_role("button", name="Play").click()
        page.wait_for_function("() => Number(document.querySelector('[aria-label=\"Slice along z\"]').value) >= 34")
        page.get_by_role("button", name="Play").click()
        at = page.get_by_label("Slice along z", exact=True).input_value()
        page.wait_for_timeout(400)
        self.assertLessEqual(int(page.get_by_label("Slice along z", exact=True).input_value()) - int(at), 1)

    def test_facts_and_report(self):
        page = self.open()
        page.get_by_role("tab", name="Facts").click()
        facts = page.get_by_role("tabpanel", name="Facts").inner_text()
        for text in ("160 x 160 x 60", "float32", "flat-scale", "0.68", "results/savu24737-slices.h5", "Made of", "savu24737.nxs"):
            self.assertIn(text, facts)
        self.assertNotIn(str(SCAN.parent), facts)
        page.get_by_role("tab", name="Report").click()
        report = page.frame_locator("iframe")
        report.get_by_role("heading", name="savu24737.nxs").wait_for()
        self.assertEqual(page.locator("iframe").get_attribute("sandbox"), "")
        self.assertNotIn(str(self.shared.results), report.locator("body").inner_text())
        self.assertRegex(page.url, rf"#/results/{self.job}/0/report$")

    # For everybody

    def test_the_list_tells_how_each_was_made(self):
        (item,) = [one for one in self.shared.get("results")["items"] if one["job"] == self.job]
        self.assertEqual(item["summary"], "fbp, axis 86.35, flat-scale 0.68, y 30, height 60")
        self.assertEqual(self.open().locator(f".results-side tr[data-key='{self.job}/0'] .summary").inner_text(), item["summary"])

    def test_no_serious_findings_of_axe(self):
        from axe_playwright_python.sync_playwright import Axe
        for dark in (True, False):
            page = self.open(dark=dark)
            for tab in ("Slices", "Volume", "Facts"):
                page.get_by_role("tab", name=tab).click()
                page.wait_for_timeout(200)
                found = [one for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
                self.assertEqual([(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found], [])

    def test_nothing_is_cut_on_a_phone(self):
        page = self.open(size={"width": 390, "height": 844})
        for tab in ("Slices", "Volume", "Facts"):
            page.get_by_role("tab", name=tab).click()
            self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), 390, tab)
            panel, state = (page.locator(one).bounding_box() for one in ("[role=tabpanel]:visible > *", "#results-state"))
            self.assertLessEqual(panel["y"] + panel["height"], state["y"] + 1, tab)  # nothing lies over each other
        self.assertEqual(page.locator(".viewer-pane:visible").count(), 0)
        page.get_by_role("tab", name="Slices").click()
        self.assertEqual(page.locator(".viewer-pane:visible").count(), 1)

    def test_pictures_for_the_documentation(self):
        page = self.open()
        page.wait_for_timeout(300)
        self.save_picture(page, "results.png")


if __name__ == "__main__":
    main()
