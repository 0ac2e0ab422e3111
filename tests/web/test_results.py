# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Results in a browser, on a volume that a job has made of a scan: pictures compared sample by sample, downloads, links."""

import base64
import contextlib
import io
import os
import re
import shutil
import subprocess
import tempfile
import time

import h5py
import numpy as np
from gsttomo import jobs
from PIL import Image
from playwright.sync_api import Error
from resulttest import add_job, random_volume, write_volume
from webtest import SCAN, BrowserTest, Server, main, until

SETTINGS = {"scan": str(SCAN), "axis": 86.35, "flat-scale": 0.68, "y": 30, "height": 60}
READY = "[data-complete=true]"


class Results(BrowserTest):
    """All tests share a server; its first result is that of a job."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory(prefix="tomo-web-test-", ignore_cleanup_errors=True)
        cls.addClassCleanup(folder.cleanup)
        cls.shared = Server(folder.name)
        cls.addClassCleanup(cls.shared.close)
        cls.file = cls.shared.results / "savu24737-slices.h5"
        with jobs.PlainQueue(cls.shared.queue) as queue:
            cls.job = queue.submit({**SETTINGS, "output": str(cls.file)}, name="savu24737", subject="data set 1", owner="local").id
            manager = jobs.start_manager(cls.shared.queue)
            done = queue.wait(cls.job, 120)
            manager.terminate()
            manager.wait(60)
        if done.state is not jobs.State.DONE:
            raise AssertionError(done.error)
        with h5py.File(cls.file, "r") as file:
            cls.volume = file["entry/data/data"][()]

    def open(self, place=None, **options):
        page = self.page(self.shared, place or f"results/{self.job}/0", **options)
        if place is None:
            page.wait_for_selector(f".viewer-surface{READY}")
            page.wait_for_function("() => document.querySelector('#results-state').dataset.state === 'done'")
        return page

    def second(self, array, name):
        """Another result: number of its job."""
        return add_job(self.shared, write_volume(self.shared.results / name, array), name=name)

    def levels(self, job=None):
        return self.shared.get(f"results/{job or self.job}/0/values")["levels"]

    @staticmethod
    def pixels(page, selector=".viewer-pane:not([hidden]) .viewer-surface"):
        data = page.evaluate("""(selector) => {
            const canvas = document.querySelector(`${selector} > canvas`), { width, height } = canvas;
            const copy = document.createElement("canvas");
            [copy.width, copy.height] = [width, height];
            copy.getContext("2d").drawImage(canvas, 0, 0);
            const bytes = copy.getContext("2d").getImageData(0, 0, width, height).data;
            let text = "";
            for (let i = 0; i < bytes.length; i += 4) text += String.fromCharCode(bytes[i]);
            return [width, height, btoa(text)];
        }""", selector)
        return np.frombuffer(base64.b64decode(data[2]), np.uint8).reshape(data[1], data[0])

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
            page.wait_for_timeout(150)
            self.compare_plane(page, self.volume.take(self.volume.shape[axis] // 2, axis), levels)
        page.locator(".viewer-pane:not([hidden]) canvas").first.hover()
        page.mouse.wheel(0, 120)
        page.wait_for_selector(f".viewer-pane:not([hidden]) [data-index='81']{READY}")
        self.compare_plane(page, self.volume[:, :, 81], levels)
        page.get_by_label("Slice along x").fill("5")
        page.wait_for_selector(f".viewer-pane:not([hidden]) [data-index='5']{READY}")
        page.wait_for_timeout(100)
        self.compare_plane(page, self.volume[:, :, 5], levels)

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
            page.wait_for_timeout(200)
            page.wait_for_selector(f".viewer-pane:not([hidden]) .viewer-surface{READY}")
            page.wait_for_timeout(100)
            got = self.pixels(page)
            height, width = got.shape
            scale = zoom or min(width / 1500, height / 1200)
            y, x = ((np.arange(size) + 0.5 - size / 2) / scale + middle for size, middle in ((height - 60, 600 - 30 / scale), (width, 750)))
            wanted = np.clip((20 * (x - 0.5) + 10 * (y - 0.5)[:, np.newaxis] - low) * 256 / (high - low), 0, 255)
            inside = (x > 3) & (x < 1497) & ((y > 3) & (y < 1197))[:, np.newaxis]
            with self.subTest((key, scale)):
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

    # Volume and compare

    def test_the_volume_from_outside_is_its_largest_values(self):
        page = self.open(f"results/{self.job}/0/volume")
        canvas = page.get_by_label("The volume from outside", exact=False)
        page.wait_for_selector(f".viewer-room{READY}")
        page.get_by_role("button", name="Parallel").click()
        canvas.focus()
        page.keyboard.press("z")
        page.wait_for_selector(f".viewer-room{READY}")
        page.wait_for_timeout(300)
        got = self.pixels(page, ".viewer-room").astype(float)
        low, high = self.levels()
        largest = np.clip((self.volume.max(0) - low) / (high - low), 0, 1) * 255
        side = round(0.8 / 1.5 * got.shape[0])  # of the view, at the zoom of the beginning
        top, left = (got.shape[0] - side) // 2, (got.shape[1] - side) // 2
        wanted = np.asarray(Image.fromarray(largest.astype(np.uint8)).resize((side, side), Image.BILINEAR), float)
        self.assertGreater(np.corrcoef(got[top:top + side, left:left + side].ravel(), wanted.ravel())[0, 1], 0.95)
        self.assertEqual(int(got[2, 2]), 0x1b)
        # Turned, cut, and by a transfer function it looks different each time.
        seen = [got]
        for does in (lambda: page.keyboard.press("ArrowRight"), lambda: page.get_by_label("Cut along x, to").fill("50"),
                     lambda: page.get_by_role("button", name="Transfer function").click()):
            does()
            page.wait_for_timeout(50)
            page.wait_for_selector(f".viewer-room{READY}")
            seen.append(self.pixels(page, ".viewer-room").astype(float))
            self.assertGreater(np.abs(seen[-1] - seen[-2]).mean(), 0.3)
        curve = page.get_by_label("Opacity")
        curve.focus()
        for _ in range(20):
            page.keyboard.press("ArrowDown")
        self.assertIn("opacity 20 %", curve.get_attribute("aria-valuetext"))
        page.wait_for_timeout(50)
        page.wait_for_selector(f".viewer-room{READY}")
        self.assertLess(self.pixels(page, ".viewer-room").mean(), seen[-1].mean())

    def test_two_results_beside_each_other(self):
        other = self.second((self.volume * 2).astype(np.float32), "double.h5")
        page = self.open("results")
        for name in ("double.h5", "savu24737-slices.h5"):
            page.locator("tr", has_text=name).locator("input").check()
        page.get_by_role("button", name="Compare").click()
        page.wait_for_function("() => document.querySelectorAll('.viewer-pair .viewer-surface[data-complete=true]').length === 2")
        self.assertRegex(page.url, rf"#/results/({other}/0/compare/{self.job}/0|{self.job}/0/compare/{other}/0)$")
        first, second = (f".viewer-pair > .viewer-pane:nth-child({i}) .viewer-surface" for i in (1, 2))
        page.wait_for_timeout(300)
        self.assertGreater(np.abs(self.pixels(page, first)[60:-60].astype(int) - self.pixels(page, second)[60:-60]).mean(), 3)
        page.get_by_role("button", name="Own levels").click()
        page.wait_for_timeout(300)
        np.testing.assert_allclose(self.pixels(page, first)[60:-60].astype(int), self.pixels(page, second)[60:-60], atol=2)
        page.locator(f"{first} > canvas").hover()
        page.keyboard.down("Control")
        page.mouse.wheel(0, -100)
        page.keyboard.up("Control")
        page.wait_for_timeout(400)
        np.testing.assert_allclose(self.pixels(page, first)[60:-60].astype(int), self.pixels(page, second)[60:-60], atol=2)
        page.get_by_role("button", name="Flicker").click()
        pair = page.locator(".viewer-pair")
        for letter in "BA":
            page.wait_for_selector(f".viewer-pair[data-shown='{letter}']")
        page.locator(".viewer-pair .viewer-pane:not(.viewer-below) canvas").focus()
        shown = pair.get_attribute("data-shown")
        page.keyboard.press(" ")
        self.assertNotEqual(pair.get_attribute("data-shown"), shown)
        page.wait_for_timeout(900)
        self.assertNotEqual(pair.get_attribute("data-shown"), shown)  # it is held

    # Downloads

    def download(self, page, name):
        page.locator("#download").click()
        box = page.get_by_role("button", name=name, exact=True).bounding_box()
        self.assertTrue(0 <= box["x"] and box["x"] + box["width"] <= self.SIZE["width"], box)
        with page.expect_download() as waiting:
            page.get_by_role("button", name=name, exact=True).click()
        path = self.folder / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path

    def test_the_download_is_what_the_command_line_makes(self):
        page = self.open()
        got = self.download(page, "HDF5, the file as it is")
        self.assertEqual(got.read_bytes(), self.file.read_bytes())
        made = self.folder / "command-line.h5"
        subprocess.run(["tomo-reconstruct", "run", *(f"--{name}={value}" for name, value in SETTINGS.items()), f"--output={made}"], check=True,
                       capture_output=True)
        with h5py.File(got, "r") as first, h5py.File(made, "r") as second:
            self.assertEqual(first["entry/data/data"][()].tobytes(), second["entry/data/data"][()].tobytes())
        archive = self.download(page, "TIFFs in a zip")
        shutil.unpack_archive(archive, self.folder / "slices")
        names = sorted((self.folder / "slices").glob("*/*.tif"))
        self.assertEqual(len(names), 60)
        np.testing.assert_array_equal(np.asarray(Image.open(names[7])), self.volume[7])
        picture = np.asarray(Image.open(self.download(page, "PNG of this slice, all samples")))
        low, high = self.levels()
        self.assertLessEqual(np.abs(picture.astype(int) - np.clip((self.volume[30] - low) / (high - low) * 256, 0, 255).astype(int)).max(), 1)
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Save PNG").first.click()
        self.assertEqual(waiting.value.suggested_filename, "savu24737-slices-z30.png")
        with open(waiting.value.path(), "rb") as file:
            self.assertGreater(min(Image.open(io.BytesIO(file.read())).size), 100)

    # Facts, the report, names

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

    def test_names_are_texts(self):
        wild = "<img src=x onerror=document.title='bad'>"
        path = write_volume(self.shared.results / f"{wild}.h5", random_volume((3, 20, 20), np.uint8))
        job = add_job(self.shared, path, name=wild, description={"scan": "x", "method": wild})
        page = self.open(f"results/{job}/0")
        page.wait_for_selector(f".viewer-surface{READY}")
        for tab in ("Facts", "Slices"):
            page.get_by_role("tab", name=tab).click()
            self.assertIn(wild, page.inner_text("#place-results"))
        self.assertEqual(page.locator("#place-results img").count(), 0)
        self.assertNotEqual(page.title(), "bad")

    def test_a_file_that_is_written_anew_is_opened_anew(self):
        array = random_volume((4, 30, 30), np.uint8)
        job = self.second(array, "changing.h5")
        page = self.open(f"results/{job}/0")
        page.wait_for_selector(f".viewer-surface{READY}")
        write_volume(self.shared.results / "changing.new", array)
        os.replace(self.shared.results / "changing.new", self.shared.results / "changing.h5")
        page.get_by_label("Slice along z", exact=True).fill("0")
        page.wait_for_function("() => document.querySelector('#results-state').innerText.startsWith('The file has changed')")
        (self.shared.results / "changing.h5").unlink()
        page.get_by_label("Slice along z", exact=True).fill("3")
        page.wait_for_function("() => document.querySelector('#results-state').innerText.includes('changing.h5 is not there any more')")

    def test_search_and_nothing_yet(self):
        page = self.open("results")
        page.get_by_role("searchbox").fill("savu")
        page.wait_for_function("() => document.querySelectorAll('.results-side tr[data-key]').length === 1")
        empty = self.server()
        page = self.page(empty, "results")
        page.get_by_text("Volumes that you reconstruct are listed here").wait_for()
        page.get_by_role("button", name="Reconstruct volume").click()
        page.wait_for_url("**/#/reconstruct*")

    # Links

    def test_a_link_shows_this_result_to_a_stranger(self):
        page = self.open()
        page.locator("#share").click()
        page.get_by_role("button", name="New link…").click()
        page.get_by_label("For whom").fill("Anna")
        page.get_by_role("button", name="Make link").click()
        link = page.get_by_role("textbox", name="Link").input_value()
        context = self.browser.new_context()
        self.addCleanup(context.close)
        guest = context.new_page()
        guest.goto(link)
        guest.wait_for_selector(f".viewer-surface{READY}")
        self.assertIn("savu24737-slices.h5", guest.title())
        guest.get_by_role("tab", name="Facts").click()
        self.assertIn("160 x 160 x 60", guest.inner_text("main"))
        address = f"http://{self.shared.host}:{self.shared.port}"
        self.assertEqual(guest.evaluate("(a) => fetch(a).then((answer) => answer.status)", f"{address}/api/results"), 401)
        self.assertEqual(guest.evaluate("(a) => fetch(a).then((answer) => answer.status)", f"{address}/api/results/{self.job}/0"), 200)
        page.get_by_role("button", name="Close").click()
        page.locator("#share").click()
        page.get_by_role("button", name="Revoke Anna").click()
        page.get_by_text("There are no links yet.").wait_for()
        guest.reload()
        guest.get_by_text("this link has expired, or was revoked").wait_for()

    def test_a_link_that_has_expired(self):
        made = self.shared.post(f"results/{self.job}/0/shares", {"hours": 0.5 / 3600})
        time.sleep(0.6)
        context = self.browser.new_context()
        self.addCleanup(context.close)
        guest = context.new_page()
        guest.goto(f"http://{self.shared.host}:{self.shared.port}/ui/shared.html#{made['token']}")
        guest.get_by_text("this link has expired, or was revoked").wait_for()
        self.assertEqual(guest.locator("canvas").count(), 0)

    # For everybody

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
        self.assertEqual(page.locator(".viewer-pane:visible").count(), 0)
        page.get_by_role("tab", name="Slices").click()
        self.assertEqual(page.locator(".viewer-pane:visible").count(), 1)

    def test_pictures_for_the_documentation(self):
        page = self.open()
        page.wait_for_timeout(300)
        self.save_picture(page, "results.png")


if __name__ == "__main__":
    main()
