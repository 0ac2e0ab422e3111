# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Scans in a browser: made, found, looked at, changed."""

import contextlib
import shutil
import subprocess

import h5py
import numpy as np
from webtest import SCAN, TOOTH, BrowserTest, main, until

from tomo_web import dataset_store
from tomo_web.database import Database

PHONE = {"width": 390, "height": 844}


class Scans(BrowserTest):
    def setUp(self):
        super().setUp()
        self.shared = self.server(scans=(SCAN, TOOTH))

    def add(self, place="scans/savu24737.nxs", **more):
        answer = self.shared.ask("POST", "datasets", {"places": {"scan": place}, **more})
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json["id"]

    def open(self, place="scans", **more):
        """A page whose pictures can be asked for their samples: window.views, by their labels."""
        page = self.page(self.shared, **more)
        page.evaluate("""() => import("./viewer/image.js").then(({ ImageView }) => {
            const show = ImageView.prototype.show;
            window.shown = {};
            ImageView.prototype.show = function (image, options) {
                const label = this.canvas.getAttribute("aria-label").split(".")[0];
                window.shown[label] = image && { data: Array.from(image.data), width: image.width, height: image.height };
                return show.call(this, image, options);
            };
        })""")
        page.evaluate("place => { location.hash = '#/' + place; }", place)
        return page

    def samples(self, page, label="Image of the scan"):
        shown = page.evaluate("label => window.shown[label]", label)
        return np.array(shown["data"], np.float32).reshape(shown["height"], shown["width"])

    def said(self, page, text):
        page.wait_for_selector(f".scans-page .state-line .said:text-is('{text}')")

    def reference(self, *words):
        file = self.folder / "reference.h5"
        subprocess.run(["tomo-reconstruct", str(SCAN), *words, "--axis", "80", "--output", str(file), "--overwrite", "--format", "hdf5"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with h5py.File(file) as opened:
            return opened["entry/data/data"][0]

    def test_from_nothing_to_a_data_set(self):
        page = self.open()
        page.wait_for_selector(".empty-page >> text=Add a scan")
        page.click(".empty-page >> text=Add data set…")
        page.click("dialog >> text=▸ scans")
        page.click("dialog tr[data-key='scans/tooth.h5']")
        page.wait_for_selector("dialog output:text-is('scans/tooth.h5')")
        page.fill("dialog [name=tags]", "bone, dry")
        page.click("dialog >> text='Add'")
        page.wait_for_selector("#find-axis:enabled")
        self.assertEqual(page.inner_text("#head .name"), "tooth")
        self.assertEqual(page.input_value("#dataset-tags"), "bone, dry")
        self.assertRegex(page.url, r"#/scans/1$")
        page.click("text=All scans")
        page.wait_for_selector("tr:has-text('tooth')")
        page.click("#add-data-set")  # a file that is none is refused in the dialog, which stays
        (self.shared.scans / "notes.txt").write_text("no scan")
        page.click("dialog nav >> text=scans")
        page.click("dialog tr[data-key='scans/notes.txt']")
        page.click("dialog >> text='Add'")
        page.wait_for_selector("dialog .wrong:has-text('notes.txt')")
        page.keyboard.press("Escape")
        self.assertEqual(self.shared.get("datasets")["total"], 1)

    def test_projections_and_flats_by_themselves(self):
        with h5py.File(SCAN) as scan:
            data, keys = scan["entry/instrument/detector/data"][:], scan["entry/instrument/detector/image_key"][:]
        for name, key in (("projections", 0), ("flats", 1), ("darks", 2)):
            np.save(self.shared.scans / f"{name}.npy", data[keys == key])
        page = self.open()
        page.click(".empty-page >> text=Add data set…")
        page.click("dialog >> text=▸ scans")
        page.click("dialog summary")
        for name in ("projections", "flats", "darks"):
            page.click(f"dialog tr[data-key='scans/{name}.npy']")
            page.click(f"dialog >> text='Take as {name}'")
        page.fill("dialog [name=range]", "180")
        page.click("dialog >> text='Add'")
        page.wait_for_selector("#find-axis:enabled")
        facts = self.shared.get("datasets/1")["facts"]
        self.assertEqual((facts["projections"], facts["flats"], facts["darks"]), (91, 1, 1))

    def test_pictures_are_those_of_the_program(self):
        number = self.add()
        page = self.open(f"scans/{number}")
        self.said(page, "Projection 0 of 0 … 90, -88.2°, transmission")
        np.testing.assert_array_equal(self.samples(page), self.reference("--result", "projections", "--start", "0", "--number", "1", "--absorptivity", "off"))
        page.click("#mode-raw")
        page.fill("#frame", "7")
        page.press("#frame", "Enter")
        self.said(page, "Projection 7 of 0 … 90, -74.2°, raw")
        with h5py.File(SCAN) as scan:
            data, keys = scan["entry/instrument/detector/data"][:], scan["entry/instrument/detector/image_key"][:]
        np.testing.assert_array_equal(self.samples(page), data[keys == 0][7])
        page.click("#kind-flats")
        self.said(page, "Flat 0 of 0 … 0, raw")
        np.testing.assert_array_equal(self.samples(page), data[keys == 1][0])
        page.click("#kind-projections")
        page.click("#mode-absorption")
        self.said(page, "Projection 0 of 0 … 90, -88.2°, absorption")
        page.click("#show-sinogram")
        until(lambda: page.evaluate("window.shown['Sinogram']"), "no sinogram")
        expected = self.reference("--result", "sinograms", "--y", "67", "--height", "1", "--absorptivity", "on")
        np.testing.assert_array_equal(self.samples(page, "Sinogram"), expected)
        self.save_picture(page, "scans.png")

    def test_the_row_under_the_pointer_and_the_wheel(self):
        number = self.add()
        page = self.open(f"scans/{number}")
        self.said(page, "Projection 0 of 0 … 90, -88.2°, transmission")
        page.click("#show-sinogram")
        until(lambda: page.evaluate("window.shown['Sinogram']"), "no sinogram")
        box = page.locator(".pictures canvas").first.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.25)
        row = int(until(lambda: (text := page.inner_text(".pictures .viewer-readout").split())[3] != "-" and text[3]))
        expected = self.reference("--result", "sinograms", "--y", str(row), "--height", "1", "--absorptivity", "off")
        until(lambda: np.array_equal(self.samples(page, "Sinogram"), expected), f"no sinogram of row {row}")
        page.mouse.wheel(0, 100)
        until(lambda: page.input_value("#frame") == "1", "the wheel does nothing")
        page.click("#play")
        until(lambda: int(page.input_value("#frame")) > 6, "nothing plays")
        page.click("#play")
        box = page.locator(".sinogram canvas").first.bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        until(lambda: 40 <= int(page.input_value("#frame")) <= 50, "a click into the sinogram leads nowhere")

    def test_findings_tags_and_notes(self):
        with h5py.File(self.shared.scans / "no-flats.h5", "w") as file, h5py.File(TOOTH) as tooth:
            file["exchange/data"] = tooth["exchange/data"][:]
            file["exchange/theta"] = np.degrees(tooth["exchange/theta"][:]) if tooth["exchange/theta"][-1] < 7 else tooth["exchange/theta"][:]
        number = self.add("scans/no-flats.h5")
        findings = self.shared.get(f"datasets/{number}")["findings"]
        page = self.open(f"scans/{number}")
        page.wait_for_selector("#find-axis:enabled")
        shown = [one.get_attribute("id") for one in page.locator(".finding").all()]
        self.assertEqual(shown, [f"finding-{one['name']}" for one in findings])
        self.assertTrue(shown)
        for one in [one for one in findings if one["severity"] == "error"][:1]:
            ignore = f"#finding-{one['name']} >> text=Ignore"
            page.click(ignore)
            page.wait_for_selector(f"#finding-{one['name']} [aria-pressed=true]")
            self.assertEqual(self.shared.get(f"datasets/{number}/settings")["values"]["ignore"], one["name"])
        page.fill("#dataset-tags", "wet,  old wood , wet")
        page.fill("#dataset-notes", "<img src=x onerror=alert(1)>")
        page.locator("#dataset-notes").blur()
        until(lambda: self.shared.get(f"datasets/{number}")["notes"], "notes are not kept")
        self.assertEqual(self.shared.get(f"datasets/{number}")["tags"], ["wet", "old wood"])
        other = self.open(f"scans/{number}")
        other.wait_for_selector("#find-axis:enabled")
        self.assertEqual(other.input_value("#dataset-notes"), "<img src=x onerror=alert(1)>")
        page.fill("#dataset-notes", "first")
        page.locator("#dataset-notes").blur()
        until(lambda: self.shared.get(f"datasets/{number}")["notes"] == "first")
        other.fill("#dataset-notes", "second")  # of what it was before
        other.locator("#dataset-notes").blur()
        other.wait_for_selector("text=Not saved: somebody else has changed this data set")
        until(lambda: other.input_value("#dataset-notes") == "first", "the other's notes are not shown")
        self.assertEqual(self.shared.get(f"datasets/{number}")["notes"], "first")

    def test_a_broken_one_says_why(self):
        number = self.add("scans/tooth.h5")
        (self.shared.scans / "tooth.h5").write_bytes(b"no HDF5")
        page = self.open(f"scans/{number}")
        page.wait_for_selector("text=It can't be read")
        self.assertTrue(page.is_disabled("#find-axis"))
        self.assertEqual(page.inner_text("#head .state"), "✕ FAILED")
        shutil.copyfile(TOOTH, self.shared.scans / "tooth.h5")
        page.click("text=All scans")
        page.click("tr >> text='tooth'")
        page.wait_for_selector("#find-axis:enabled")

    def test_the_list_by_keyboard(self):
        for name in ("pear", "apple", "fig"):
            self.add("scans/tooth.h5", name=name, values={"axis": 300 + len(name)}, tags=["fruit"] if name != "fig" else [])
        page = self.open()
        page.wait_for_selector("tr:has-text('pear')")
        names = "tbody tr td:nth-child(3) a"
        self.assertEqual(page.locator(names).all_inner_texts(), ["fig", "apple", "pear"])
        page.click("th >> text=Name")
        until(lambda: page.locator(names).all_inner_texts() == ["apple", "fig", "pear"], "it is not sorted")
        self.assertEqual(page.locator("th[aria-sort=ascending]").inner_text().split()[0], "Name")
        page.focus("tbody tr >> nth=0")
        page.keyboard.press("ArrowDown")
        self.assertEqual(page.locator("tr[aria-selected=true]").get_attribute("data-key"), "3")
        page.keyboard.press("End")
        page.keyboard.press(" ")
        page.wait_for_selector("text=Tag…")
        page.click("text=Tag…")
        page.fill("dialog [name=tags]", "marked")
        page.click("dialog >> text='Add'")
        until(lambda: self.shared.get("datasets", tag="marked")["total"] == 1, "the tag is not there")
        page.fill("input[type=search]", "app")
        until(lambda: page.locator(names).all_inner_texts() == ["apple"], "nothing is searched")
        page.fill("input[type=search]", "")
        until(lambda: page.locator(names).count() == 3)
        page.select_option("select[title=Tag]", "fruit")
        until(lambda: page.locator(names).all_inner_texts() == ["apple", "pear"], "tags do not filter")
        page.focus("tbody tr >> nth=0")
        page.keyboard.press("Enter")
        page.wait_for_selector("#find-axis:enabled")
        self.assertEqual(page.inner_text("#head .name"), "apple")

    def test_pages_of_a_long_list(self):
        first = self.add("scans/tooth.h5", name="scan 00")
        with contextlib.closing(Database(self.shared.state / "web.sqlite", [dataset_store])) as database:
            store = dataset_store.Store(database)
            for number in range(1, 51):
                one = store.get(first)
                one.name, one.own = f"scan {number:02}", {"axis": 300 + number}
                store.add(one)
        page = self.open()
        page.wait_for_selector("text=1 to 50 of 51")
        page.focus("tbody tr >> nth=0")
        page.keyboard.press("PageDown")
        page.wait_for_selector("text=51 to 51 of 51")
        self.assertEqual(page.locator("tbody tr").count(), 1)
        page.click("text=Previous")
        page.wait_for_selector("text=1 to 50 of 51")

    def test_a_folder_tree(self):
        tree = self.shared.scans / "visit"
        tree.mkdir()
        for name in ("a.nxs", "b.nxs"):
            shutil.copyfile(SCAN, tree / name)
        (tree / "c.nxs").write_text("no scan")
        page = self.open()
        page.click(".empty-page >> text=Add folder tree…")
        page.click("dialog >> text=▸ scans")
        page.click("dialog >> text=▸ visit")
        page.wait_for_selector("dialog >> text=All scans in scans/visit")
        page.fill("dialog [name=tags]", "visit 7")
        page.click("dialog >> text='Add'")
        page.wait_for_selector("text=scans/visit: 2 data sets added, 0 known already, 1 can't be read")
        page.click("text=Show what can't be read")
        page.wait_for_selector("dialog td:has-text('scans/visit/c.nxs')")
        page.keyboard.press("Escape")
        page.wait_for_selector("tr:has-text('scans/visit/b.nxs')")

    def test_on_a_phone(self):
        number = self.add()
        page = self.open(f"scans/{number}", size=PHONE, dark=False)
        self.said(page, "Projection 0 of 0 … 90, -88.2°, transmission")
        self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), PHONE["width"])
        self.assertLessEqual(page.evaluate("document.getElementById('main').scrollWidth"), PHONE["width"])


if __name__ == "__main__":
    main()
