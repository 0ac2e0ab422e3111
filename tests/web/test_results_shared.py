# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Results in a browser: the volume from outside, two results beside each other, downloads, files that change, links."""

import io
import os
import shutil
import subprocess
import time

import h5py
import numpy as np
from PIL import Image
from resultplace import READY, SETTINGS, ResultPlaceTest
from resulttest import add_job, random_volume, write_volume
from webtest import main, until, until_passes


class Results(ResultPlaceTest):
    def test_the_volume_from_outside_is_its_largest_values(self):
        page = self.open(f"results/{self.job}/0/volume")
        canvas = page.get_by_label("The volume from outside", exact=False)
        page.wait_for_selector(f".viewer-room{READY}")
        page.get_by_role("button", name="Parallel").click()
        canvas.focus()
        page.keyboard.press("z")
        page.wait_for_selector(f".viewer-room{READY}")
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
            page.wait_for_selector(f".viewer-room{READY}")
            seen.append(self.pixels(page, ".viewer-room").astype(float))
            self.assertGreater(np.abs(seen[-1] - seen[-2]).mean(), 0.3)
        curve = page.get_by_label("Opacity")
        curve.focus()
        for _ in range(20):
            page.keyboard.press("ArrowDown")
        self.assertIn("opacity 20 %", curve.get_attribute("aria-valuetext"))
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

        def compare():
            np.testing.assert_allclose(self.pixels(page, first)[60:-60].astype(int), self.pixels(page, second)[60:-60], atol=2)

        until_passes(lambda: self.assertGreater(np.abs(self.pixels(page, first)[60:-60].astype(int) - self.pixels(page, second)[60:-60]).mean(), 3))
        page.get_by_role("button", name="Own levels").click()
        until_passes(compare)
        before = self.pixels(page, first)
        page.locator(f"{first} > canvas").hover()
        page.keyboard.down("Control")
        page.mouse.wheel(0, -100)
        page.keyboard.up("Control")
        until(lambda: not np.array_equal(self.pixels(page, first), before), "the wheel enlarges nothing")
        until_passes(compare)
        page.get_by_role("button", name="Flicker").click()
        pair = page.locator(".viewer-pair")
        for letter in "BA":
            page.wait_for_selector(f".viewer-pair[data-shown='{letter}']")
        page.locator(".viewer-pair .viewer-pane:not(.viewer-below) canvas").focus()
        page.keyboard.press(" ")  # holds one of them
        shown = pair.get_attribute("data-shown")
        page.keyboard.press(" ")
        self.assertNotEqual(pair.get_attribute("data-shown"), shown)
        page.wait_for_timeout(900)
        self.assertNotEqual(pair.get_attribute("data-shown"), shown)  # it is held

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
        page.wait_for_selector("[aria-label='Slice along z'][max='3']")  # of the file that was opened again
        (self.shared.results / "changing.h5").unlink()
        page.get_by_label("Slice along z", exact=True).fill("3")
        page.wait_for_function("() => document.querySelector('#results-state').innerText.includes('changing.h5 is not there any more')")

    def test_search_and_nothing_yet(self):
        page = self.open("results")
        page.locator("#place-results").get_by_role("searchbox").fill("savu")
        page.wait_for_function("() => document.querySelectorAll('.results-side tr[data-key]').length === 1")
        empty = self.server()
        page = self.page(empty, "results")
        page.get_by_text("Volumes that you reconstruct are listed here").wait_for()
        page.get_by_role("button", name="Reconstruct volume").click()
        page.wait_for_url("**/#/reconstruct*")
        page.go_back()
        page.get_by_text("Volumes that you reconstruct are listed here").wait_for()
        add_job(empty, write_volume(empty.results / "first.h5", random_volume((2, 9, 9), np.uint8)))
        page.wait_for_selector(f"#place-results .viewer-surface{READY}")

    def test_a_link_shows_this_result_to_a_stranger(self):
        page = self.open()
        page.locator("#share").click()
        page.get_by_role("button", name="New link…").click()
        page.get_by_label("For whom").fill("Anna")
        page.get_by_role("button", name="Make link").click()
        link = page.get_by_role("textbox", name="Link").input_value()
        page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")  # as without TLS
        page.get_by_role("button", name="Copy").click()
        page.get_by_role("button", name="Copied").wait_for()
        context = self.browser.new_context()
        self.addCleanup(context.close)
        guest = context.new_page()
        guest.goto(link)
        guest.wait_for_selector(f".viewer-surface{READY}")
        self.assertIn("savu24737-slices.h5", guest.title())
        self.assertGreater(guest.get_by_role("heading", name="savu24737-slices.h5").bounding_box()["height"], 12)  # seen, also on a phone
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

    def test_a_new_result_comes_into_the_list(self):
        page = self.open("results")
        page.locator("tr", has_text="savu24737-slices.h5").wait_for()
        self.second(random_volume((2, 9, 9), np.uint8), "fresh.h5")
        page.locator("tr", has_text="fresh.h5").wait_for()


if __name__ == "__main__":
    main()
