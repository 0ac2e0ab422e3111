# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Axis: views over each other, methods, slices for several values; by the API and in the browser."""

import http.client
import json
import subprocess
import time

import numpy as np
from webtest import SCAN, TOOTH, BrowserTest, SharedServer, busy, main, until

AXIS = 86.35
SETTINGS = {"flat-scale": 0.68}


class AxisTest(SharedServer, BrowserTest):
    SCANS = (SCAN, TOOTH)

    def opened(self, settings=SETTINGS, **words):
        return self.shared, self.data_set(settings, **words)

    def place(self, server, number, **words):
        page = self.page(server, f"axis/{number}", **words)
        page.wait_for_selector("text=Drag the line")
        return page

    def values(self, server, number):
        return server.get(f"datasets/{number}/settings")["values"]

    def facts(self, answer):
        return json.loads(answer.headers["X-Facts"])


class Api(AxisTest):
    def test_what_can_be_done(self):
        server, number = self.opened()
        told = server.get(f"datasets/{number}/axis")
        self.assertEqual((told["opposite"]["apart"], round(told["opposite"]["degrees"], 3), told["why"], told["doubt"]), (90, 180.0, "", ""))
        self.assertIn("spectrum", told["methods"])
        self.assertIn("rings", told["swept"])
        server.ask("PUT", f"datasets/{number}/settings", {"values": {"range-degrees": 90, "geometry": "lamino"}})
        told = server.get(f"datasets/{number}/axis")
        self.assertIsNone(told["opposite"])
        self.assertIn("no two are half a turn apart", told["why"])
        self.assertIn("tilted", told["doubt"])
        refused = server.ask("GET", f"datasets/{number}/axis/views")
        self.assertEqual((refused.status, refused.json["error"]), (422, told["why"]))

    def test_views_are_those_of_the_program(self):
        server, number = self.opened()
        views = server.ask("GET", f"datasets/{number}/axis/views")
        self.assertEqual(self.facts(views), {"first": 0, "apart": 90, "degrees": self.facts(views)["degrees"], "mode": "absorption", "binning": 1})
        subprocess.run(["tomo-reconstruct", "flatcorrect", str(self.scans / "savu24737.nxs"), "--flat-scale=0.68", "--absorptivity=on", "--axis=80", "--ignore=all",
                        "--start=0", "--number=2", "--step=90", "--output=views.h5"], cwd=self.folder, check=True, capture_output=True)
        import h5py
        with h5py.File(self.folder / "views.h5") as file:
            np.testing.assert_array_equal(views.array, file["/entry/data/data"][:])

    def test_methods_find_the_axis(self):
        server, number = self.opened()
        told = server.post(f"datasets/{number}/axis/estimate", {"settings": {**SETTINGS, "axis": 70}})
        self.assertAlmostEqual(told["found"]["auto"]["axis-px"], AXIS, delta=0.2)
        self.assertEqual(set(told["found"]), {"auto", "correlation", "spectrum"})
        self.assertIn("The methods agree", told["agreement"])
        self.assertEqual(told["tone"], "good")
        beside = {"far": {"axis": 99, "uncertainty": 0.1}}
        told = server.post(f"datasets/{number}/axis/estimate", {"settings": SETTINGS, "method": "spectrum", "beside": beside})
        self.assertEqual((set(told["found"]), told["tone"]), ({"spectrum"}, "warning"))
        self.assertIn("spectrum and far disagree", told["agreement"])
        self.assertEqual(server.ask("POST", f"datasets/{number}/axis/estimate", {"method": "guess"}).status, 422)

    def test_an_estimate_ends_with_its_browser(self):
        server, number = self.opened()
        connection = http.client.HTTPConnection(server.host, server.port)
        body = json.dumps({"settings": {**SETTINGS, "axis-rows": 130}, "method": "sharpness", "tab": "a"})
        connection.request("POST", f"/api/datasets/{number}/axis/estimate", body,
                           {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"})
        until(lambda: estimates_of(server), "no estimate has begun")
        connection.close()
        until(lambda: not estimates_of(server), "the estimate goes on", 10)

    def test_the_next_wish_of_a_tab_ends_the_last_one(self):
        server, number = self.opened()
        before = seconds_for_images(server)
        long = subprocess.Popen(["curl", "-s", "-H", f"Authorization: Bearer {server.token}", "-H", "Content-Type: application/json", "-d",
                                 json.dumps({"settings": {**SETTINGS, "method": "sirt", "num-iterations": 100000}, "tab": "a"}),
                                 f"http://{server.host}:{server.port}/api/datasets/{number}/slice"], stdout=subprocess.PIPE)
        self.addCleanup(long.stdout.close)
        self.addCleanup(long.kill)
        until(lambda: seconds_for_images(server) > before + 0.2, "no slice has begun")
        began = time.monotonic()
        self.assertEqual(server.ask("POST", f"datasets/{number}/slice", {"settings": SETTINGS, "tab": "a"}).status, 200)
        self.assertLess(time.monotonic() - began, 10)
        self.assertIn("asked for in its place", json.loads(long.communicate(timeout=10)[0])["error"])

    def test_a_sweep(self):
        server, number = self.opened()
        answer = server.ask("POST", f"datasets/{number}/axis/sweep", {"parameter": "axis", "values": "85.35:87.35:0.5", "row": 100, "settings": SETTINGS})
        facts = self.facts(answer)
        self.assertEqual([float(value) for value in facts["values"]], [85.35, 85.85, 86.35, 86.85, 87.35])
        self.assertEqual((answer.array.shape, facts["unit"], facts["row"], facts["sharpest"]), ((5, 160, 160), "px", 100, AXIS))
        slice_ = server.ask("POST", f"datasets/{number}/slice", {"row": 100, "settings": {**SETTINGS, "axis": 86.85}})
        np.testing.assert_array_equal(answer.array[3], slice_.array)
        for wrong in ("0:1e9:0.001", "1:2:0", "a:b:c", ",".join(["86"] * 26)):
            refused = server.ask("POST", f"datasets/{number}/axis/sweep", {"values": wrong, "row": 1, "settings": SETTINGS})
            self.assertEqual((refused.status, refused.json["field"]), (422, "values"), wrong)
        other = server.ask("POST", f"datasets/{number}/axis/sweep", {"parameter": "rings", "values": "none,fourier", "row": 100, "settings": SETTINGS})
        self.assertEqual(self.facts(other)["values"], ["none", "fourier"])

    def test_proposals_and_tilt(self):
        server, number = self.opened()
        self.assertEqual(server.get("axis/proposal", parameter="axis", at=86.5)["values"], "82.5:90.5:1")
        self.assertEqual(server.get("axis/proposal", parameter="axis", at=86.35, of="82.5:90.5:1", factor=0.4)["values"], "84.75:87.95:0.4")
        self.assertEqual(server.get("axis/proposal", parameter="rings")["values"].split(",")[0], "none")
        told = server.post(f"datasets/{number}/axis/tilt", {"upper": {"row": 16, "axis": 86}, "lower": {"row": 116, "axis": 87}})
        self.assertAlmostEqual(told["tilt"], np.degrees(np.arctan(0.01)), 6)
        self.assertAlmostEqual(told["axis"], 86 + (67.5 - 16.5) * 0.01, 6)


def estimates_of(server):
    found = subprocess.run(["pgrep", "-P", str(server.process.pid), "-f", "tomo-reconstruct estimate"], capture_output=True, text=True).stdout.split()
    return found


def seconds_for_images(server):
    """Processor time of the process that makes images for a server; 0 before there is one."""
    found = subprocess.run(["pgrep", "-P", str(server.process.pid), "-f", "tomo-reconstruct --serve"], capture_output=True, text=True).stdout.split()
    return sum(map(busy, found))


class Browser(AxisTest):
    def test_the_axis_that_methods_find_is_taken(self):
        server, number = self.opened()
        page = self.place(server, number)
        self.assertEqual(page.inner_text("#axis-now"), "axis 86.50 px (scan)")
        page.click("#find-methods")
        page.wait_for_selector("text=The methods agree")
        self.assertEqual(page.locator(".plot-point").count() > 3, True)
        self.assertIn("What spectrum compares", page.inner_text(".estimates"))
        self.save_picture(page, "axis.png")
        page.click("#take-axis")
        until(lambda: "axis" in self.values(server, number))
        self.assertAlmostEqual(self.values(server, number)["axis"], AXIS, delta=0.2)
        page.wait_for_selector("text=± 0.0")
        self.assertIn("The methods agree", page.inner_text(".estimates"))  # the axis itself makes no answer old
        self.assertEqual(page.inner_text("#head .axis"), f"axis {self.values(server, number)['axis']:.2f}")
        page.click("[data-section=cleaning] summary")
        page.select_option("#field-rings", "fourier")
        page.wait_for_selector("text=What methods found is older than the settings")

    def test_the_line_is_dragged_and_moved_by_keys(self):
        server, number = self.opened()
        page = self.place(server, number)
        canvas = page.locator("#place-axis .axis-page canvas").first
        canvas.focus()
        page.keyboard.press("ArrowLeft")
        until(lambda: self.values(server, number).get("axis") == 86.4)
        page.keyboard.press("Shift+ArrowRight")
        until(lambda: self.values(server, number).get("axis") == 87.4)
        page.click("#undo" if page.query_selector("#undo") else "text=Undo")
        until(lambda: self.values(server, number).get("axis") == 86.4)
        page.fill("#axis-value", "86.35")
        page.press("#axis-value", "Enter")
        until(lambda: self.values(server, number).get("axis") == AXIS)
        agreed = self.colours(page)
        box = canvas.bounding_box()
        scale = min(box["width"] / 160, box["height"] / 135)
        left = box["x"] + (box["width"] - 160 * scale) / 2
        page.mouse.move(left + AXIS * scale, box["y"] + 200)
        page.mouse.down()
        page.mouse.move(left + (AXIS + 10) * scale, box["y"] + 210, steps=4)
        page.mouse.up()
        until(lambda: abs(self.values(server, number)["axis"] - AXIS - 10) < 0.5)
        until(lambda: self.colours(page) > 5 * agreed, "no cyan and red where the views no longer fit")

    def colours(self, page):
        """How far the picture is from grey."""
        return page.evaluate("""() => {
          const canvas = document.querySelector("#place-axis .axis-page canvas"), {width, height} = canvas;
          const {data} = canvas.getContext("2d").getImageData(0, height / 3, width, height / 3);
          let sum = 0;
          for (let i = 0; i < data.length; i += 4) sum += Math.abs(data[i] - data[i + 1]);
          return sum / data.length;
        }""")

    def test_profiles_lie_below_the_views(self):
        server, number = self.opened({**SETTINGS, "axis": AXIS})
        page = self.place(server, number)
        page.click("text=Profile")
        page.wait_for_selector(".axis-profile .plot-red", state="attached")

        def is_below():
            mark = page.query_selector(".axis-profile .plot-mark").bounding_box()
            canvas = page.locator("#place-axis .axis-page canvas").first.bounding_box()
            scale = min(canvas["width"] / 160, canvas["height"] / 135)
            return abs(mark["x"] + mark["width"] / 2 - canvas["x"] - canvas["width"] / 2 - (AXIS - 80) * scale) < 2

        until(is_below, "the axis lies elsewhere in the profile")

    def test_a_slice_of_a_mosaic_is_taken(self):
        server, number = self.opened()
        page = self.place(server, number)
        with self.held_up(page, "**/axis/proposal*"):
            page.click("[data-view=mosaic]")
            page.fill("#sweep-values", "85.35:87.35:0.5")
        page.wait_for_selector("#finer:not([hidden])")
        self.settle(page)
        self.assertEqual(page.input_value("#sweep-values"), "85.35:87.35:0.5")  # no proposal takes away what is typed
        page.fill("#sweep-row", "100")
        page.click("#make-slices")
        page.wait_for_selector("text=the sharpest at 86.35 px")
        self.assertEqual([one.inner_text() for one in page.query_selector_all(".mosaic-take")], [f"{value} px" for value in ("85.35", "85.85", "86.35", "86.85", "87.35")])
        self.save_picture(page, "axis-mosaic.png")
        page.click("[data-value='86.35'] canvas")
        until(lambda: self.values(server, number).get("axis") == AXIS)
        self.assertEqual(page.get_attribute("[data-value='86.35'] button", "aria-pressed"), "true")
        page.click("#finer")
        page.wait_for_selector("[data-value='86.55']")
        self.assertEqual(page.input_value("#sweep-values"), "85.95:86.75:0.2")
        page.select_option("#sweep-parameter", "rings")
        page.fill("#sweep-values", "none,fourier")
        page.click("#make-slices")
        page.click("[data-value=fourier] button")
        until(lambda: self.values(server, number).get("rings") == "fourier")

    def test_two_rows_tell_the_tilt(self):
        server, number = self.opened()
        page = self.place(server, number)
        page.click("[data-view=mosaic]")
        page.check("#two-rows")
        page.fill("#sweep-row", "80")
        page.fill("#sweep-lower-row", "120")
        page.fill("#sweep-values", "86,86.4")
        page.click("#make-slices")
        page.wait_for_selector(".mosaic:nth-child(2) [data-value='86.4']")
        page.wait_for_selector("text=slices of row 120")
        page.click(".mosaic:nth-child(1) [data-value='86'] button")
        page.click(".mosaic:nth-child(2) [data-value='86.4'] button")
        page.wait_for_selector("text=tilt 0.57°")
        page.click("#take-tilt")
        until(lambda: "roll" in self.values(server, number))
        values = self.values(server, number)
        self.assertAlmostEqual(values["roll"], 0.573, 3)
        self.assertAlmostEqual(values["axis"], 86 + 0.4 * (67.5 - 80.5) / 40, delta=0.006)

    def test_a_scan_without_opposite_views_says_so(self):
        server, number = self.opened({"range-degrees": 90}, scan="tooth.h5")
        page = self.page(server, f"axis/{number}")
        page.wait_for_selector("text=There are no views to lay over each other")
        self.assertTrue(page.is_disabled("#first-view"))

    def test_no_data_set_is_chosen(self):
        page = self.page(self.shared, "axis")
        page.wait_for_selector("text=There is no scan yet")
        page.click("text=Choose a data set")
        page.wait_for_url("**/#/scans*")


if __name__ == "__main__":
    main()
