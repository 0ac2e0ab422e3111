# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Live: slices of a camera in a browser, who may steer, which sources there are, and a process that dies."""

import asyncio
import json
import os
import pathlib
import signal

from axe_playwright_python.sync_playwright import Axe
from test_access import Browser, add_persons
from test_accessible import PHONE, SERIOUS
from webtest import BrowserTest, ServerTest, main, until

CAMERA = "small=tomophantomcamera name=camera width=96 height=64 half-turn=40 frame-rate=40 noise=0.2"
VALUES = {"half-turn": "40", "axis": "48", "rate": "4"}


def engines(server):
    """Numbers of the processes that make slices for a server."""
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = pathlib.Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
            parent = int(pathlib.Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue
        if b"gsttomo._live_process" in words and parent == server.process.pid:
            found.append(int(number))
    return found


class Live(BrowserTest):
    def opened(self, server):
        page = self.page(server, "live")
        page.wait_for_selector("#place-live:not([hidden])")
        return page

    def noted(self, page, text):
        """Also where a later message stands at the foot already."""
        page.locator("#log", has_text=text).wait_for(state="attached")

    def test_a_run(self):
        server = self.server("--camera", CAMERA, "--demo-camera")
        self.assertEqual(server.ask("PATCH", "live/settings", {"values": VALUES}).json["problems"], {})
        page = self.opened(server)
        page.wait_for_selector("#live-demo")
        self.assertEqual(page.locator("#live-source option").all_inner_texts(), ["small", "Demo camera", "A scan that is played"])
        page.select_option("#live-source", "small")
        page.click("#live-start")
        page.wait_for_selector(".state-line[data-state=done] .said:has-text('Slices come')")
        page.wait_for_function("() => Number.parseFloat(document.querySelector('[data-name=Slices]').textContent) > 0")
        # A plane by its text, and the same in another page.
        planes = page.locator(".live-plane input")
        planes.nth(2).fill("z=3,size=48")
        planes.nth(2).press("Enter")
        until(lambda: server.get("live")["planes"] == ["x=0", "y=0", "z=3,size=48"])
        planes.nth(2).fill("v=1")
        planes.nth(2).press("Enter")
        self.noted(page, "x, y or z")
        until(lambda: planes.nth(2).input_value() == "z=3,size=48", "a wrong text stays")
        # By the wheel.
        box = page.locator(".live-picture").nth(0).bounding_box()
        page.mouse.move(box["x"] + 20, box["y"] + 20)
        page.mouse.wheel(0, 120)
        until(lambda: server.get("live")["planes"][0] == "x=-1", "the wheel moves nothing")
        # By its line in another plane: x=-1 in the middle plane, which shows x from left to right.
        box = page.locator(".live-picture").nth(1).bounding_box()
        scale = min(box["width"] / 96, box["height"] / 64)
        line = box["x"] + box["width"] / 2 - scale
        page.mouse.move(line, box["y"] + 20)
        with self.held_up(page, "**/live/command"):  # nothing overtakes it
            page.mouse.down()
            page.mouse.move(line + 10 * scale, box["y"] + 20, steps=4)
            page.mouse.up()
        until(lambda: 7 < float(server.get("live")["planes"][0].partition("=")[2]) < 11, "the line moves nothing")
        # Settings that count at once, and one that can't.
        page.fill("#live-field-axis", "47.5")
        until(lambda: server.get("live")["values"].get("axis") == 47.5)
        page.fill("#live-field-minimum", "abc")
        page.wait_for_selector("[data-name=minimum] .wrong:not(:empty)")
        answer = server.ask("PATCH", "live/settings", {"values": {"precision-mode": "half", "minimum": "", "roll": 0.5}}).json
        self.assertIn("stop it first", answer["problems"]["precision-mode"])
        self.assertEqual(answer["values"]["roll"], 0.5)
        # Another page, and the same one again.
        page.reload()
        page.wait_for_selector(".state-line .said:has-text('Slices come')")
        self.assertEqual(page.locator(".live-plane input").nth(2).input_value(), "z=3,size=48")
        page.click("#live-add")
        until(lambda: len(server.get("live")["planes"]) == 4)
        page.wait_for_function("() => document.querySelectorAll('.live-plane input').length === 4")
        page.click("[aria-label='Remove plane 4']")
        until(lambda: len(server.get("live")["planes"]) == 3)
        # A coarse volume for all, in which planes are lines; another direction needs no new one.
        self.assertEqual(page.locator("#live-along").count(), 0)
        page.click("#live-volume")
        page.wait_for_selector("#live-volume:text-is('Hide volume')")
        self.assertEqual(server.get("live")["values"]["volume-rate"], 1.0)
        page.wait_for_selector(".live-pane[data-caption^='maximum along y']")
        until(lambda: [line[:2] for line in server.get("live")["volume_lines"]["z"]] == [[0, 0], [1, 1]], "no lines")
        page.select_option("#live-along", "z")
        page.wait_for_selector(".live-pane[data-caption^='maximum along z']")
        page.click("#live-volume")
        page.wait_for_selector("#live-along", state="detached")
        until(lambda: "volume-rate" not in server.get("live")["values"])
        # Flats that are ordered, and taken back.
        page.fill("#live-count", "10000")
        page.click("#live-flats")
        page.wait_for_selector("#live-flats:text-is('Cancel flats')")
        page.wait_for_selector("#live-darks:disabled")
        page.wait_for_selector(".state-line .said:has-text('of 10000')")
        page.click("#live-flats")
        page.wait_for_selector("#live-flats:text-is('Take flats')")
        self.noted(page, "of 10000 flats were taken")
        # Frames that are kept become a file among the results.
        page.click("#live-keep")
        page.wait_for_selector("#live-keep:text-is('Stop keeping')")
        page.wait_for_function("() => Number(document.querySelector('[data-name=Kept]').textContent) > 5")
        page.click("#live-keep")
        page.wait_for_selector("#live-keep:text-is('Keep')")
        until(lambda: [one.suffix for one in server.results.iterdir()] == [".h5"], "no file")
        self.noted(page, "results/live-")
        # A pause, an end, and a run behind a crash.
        page.click("#live-pause")
        page.wait_for_selector("#live-pause:text-is('Resume')")
        page.click("#live-stop")
        page.wait_for_selector(".state-line .said:has-text('Stopped')")
        page.click("#live-start")
        page.wait_for_selector(".state-line .said:has-text('Slices come')")
        [engine] = engines(server)
        os.kill(engine, signal.SIGKILL)
        page.wait_for_selector(".state-line[data-state=failed] .said:has-text('signal 9')")
        self.assertEqual(server.get("session")["name"], "local")
        page.click("#live-start")
        page.wait_for_selector(".state-line .said:has-text('Slices come')")
        [engine] = engines(server)
        server.stop()
        until(lambda: not os.path.exists(f"/proc/{engine}"), "slices go on behind the server")

    def test_who_may_and_what(self):
        add_persons(self.folder / "state", vera="viewer", uli="user", eva="expert")
        server = self.server("--access", "passwords", "--demo-camera", "--live-elements", "--experts")
        viewer, user = Browser(server), Browser(server)
        viewer.log_in("vera")
        user.log_in("uli")
        self.assertEqual(viewer.ask("GET", "live").json["state"], "empty")
        for method, path, body in (("POST", "live/start", {"source": "demo"}), ("POST", "live/stop", {}), ("POST", "live/command", {"command": "pause"}),
                                   ("PATCH", "live/settings", {"values": {"axis": 3}})):
            self.assertEqual(viewer.ask(method, path, body).status, 403, path)
        for body, status, words in (
                ({"source": "nosuch"}, 422, "no camera"), ({"elements": "videotestsrc"}, 403, "experts"), ({"place": "scans/../../etc/passwd"}, 422, "FOLDER"),
                ({"place": "scans/none.nxs"}, 404, "not there"), ({}, 422, "one of"), ({"source": "demo", "place": "scans/savu24737.nxs"}, 422, "one of")):
            answer = user.ask("POST", "live/start", body)
            self.assertEqual((answer.status, words in answer.json["error"]), (status, True), answer.json)
        name = "a ! filesink location=x"
        (server.scans / name).write_bytes((server.scans / "savu24737.nxs").read_bytes())
        self.assertIn("blanks", user.ask("POST", "live/start", {"place": f"scans/{name}"}).json["error"])
        self.assertEqual(user.ask("POST", "live/command", {"command": "pause"}).status, 409)
        problems = user.ask("PATCH", "live/settings", {"values": {
            "process": "filesink location=/tmp/x", "keep-path": "/tmp/x.h5", "volume-path": "/tmp/x-%i.h5", "source": "x", "darks": "/etc/passwd", "axs": 1, "flats": "scans/savu24737.nxs",
            "volume-size": 513, "volume-rate": 11}}).json["problems"]
        self.assertEqual(set(problems), {"process", "keep-path", "volume-path", "source", "darks", "axs", "volume-size", "volume-rate"})
        self.assertIn("at most 512", problems["volume-size"])
        self.assertEqual([one["by_server"] for one in user.ask("GET", "live/schema").json["parameters"] if one["name"] in ("process", "axis")], [True, False])
        expert = Browser(server)
        expert.log_in("eva")
        answer = expert.ask("POST", "live/start", {"elements": "nosuchcamera"})
        self.assertEqual(answer.status, 422)
        self.assertIn("nosuchcamera", answer.json["error"])
        self.assertEqual(viewer.ask("GET", "live").json["state"], "failed")

    def test_demo(self):
        """From the empty place to slices by one button."""
        page = self.opened(self.server("--demo-camera"))
        page.click("#live-demo")
        page.wait_for_selector(".state-line .said:has-text('Slices come')")
        page.click("#live-volume")
        page.wait_for_selector(".live-pane[data-caption^='maximum along y']")
        self.save_picture(page, "live.png")

    def test_from_the_command_line(self):
        """As tomo-live --web starts it."""
        told = {"demo": True, "parameters": {"source": CAMERA.partition("=")[2], "half-turn": 40, "axis": 48.0, "rate": 4.0, "planes": "z=2", "waiting-frames": 9}}
        server = self.server("--live", json.dumps(told))
        self.assertIn("/live", server.address)
        page = self.page(server)
        page.wait_for_selector("#place-live .state-line .said:has-text('Slices come')")
        for theme in "dark", "light":
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.wait_for_selector(f"html[data-theme={theme}]")
            found = [one for one in Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"] if one["impact"] in SERIOUS]
            self.assertEqual(found, [], theme)
        page.set_viewport_size(PHONE)
        page.wait_for_function(f"() => document.documentElement.scrollWidth === {PHONE['width']}")
        state = server.get("live")
        self.assertEqual((state["planes"], state["values"]), (["z=2"], {"half-turn": 40, "axis": 48.0, "rate": 4.0}))
        self.assertEqual(server.ask("POST", "live/stop", {}).status, 204)
        page.wait_for_selector(".state-line .said:has-text('Stopped')")


class Parts(ServerTest):
    def test_a_slow_browser(self):
        """It gets the newest of each picture, and no more at once than it confirms."""
        from tomo_web.live_run import IN_FLIGHT, Watcher

        async def look():
            watcher = Watcher("how things are")
            for number in range(20):
                for key in range(IN_FLIGHT + 2):
                    watcher.put_picture(key, (key, number))
            came = [await watcher.message() for _ in range(IN_FLIGHT + 1)]
            self.assertEqual(came, ["how things are", *((key, 19) for key in range(IN_FLIGHT))])
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(watcher.message(), 0.05)
            watcher.put_told("stopped")  # which needs no room
            self.assertEqual(await watcher.message(), "stopped")
            watcher.put_picture(IN_FLIGHT, (IN_FLIGHT, 20))
            watcher.confirm()
            self.assertEqual(await watcher.message(), (IN_FLIGHT, 20))
        asyncio.run(look())

    def test_wrong_options(self):
        from tomo_web.settings import Settings, SettingsError
        folders = {"folders": {}, "results": self.folder, "state": self.folder}
        for options, words in (({"cameras": ("no elements",)}, "NAME=ELEMENTS"), ({"cameras": ("a/b=x",)}, "NAME=ELEMENTS"), ({"live": "{"}, "--live")):
            with self.assertRaisesRegex(SettingsError, words):
                Settings(**folders, **options)
        self.assertEqual(Settings(**folders, live="v4l2src").live_run, {"demo": False, "parameters": {"source": "v4l2src"}})


if __name__ == "__main__":
    main()
