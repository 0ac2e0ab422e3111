# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""All places by keyboard, by axe, and in the width of a phone."""

from axe_playwright_python.sync_playwright import Axe
from resulttest import add_job, random_volume, write_volume
from webtest import LONG, BrowserTest, main

PHONE = {"width": 390, "height": 844}
# Beside the places of the bar: parts of them.
PARTS = ["scans/1", "axis/1", "reconstruct/1", "results/1/0", "jobs/1", "administration/sessions", "administration/log", "administration/results", "administration/server"]
SERIOUS = ("serious", "critical")
# Places that were open before stay in the page, where axe would look through their parts as well, which nobody sees.
TAKE_OTHERS = "() => (window.others = [...document.querySelectorAll('#main > section[hidden]')]).forEach((one) => one.remove())"
PUT_BACK = "() => document.getElementById('main').prepend(...window.others)"


class Accessible(BrowserTest):
    def filled(self):
        server = self.server()
        server.post("datasets", {"places": {"scan": "scans/savu24737.nxs"}, "tags": ["tooth"], "notes": "a note"})
        add_job(server, write_volume(server.results / "volume.h5", random_volume((4, 8, 8), "uint16")), name="volume")
        add_job(server, name="broken", state="failed", status="failed", error="the disk is full")
        return server

    def walk(self, page, server):
        """Opens one place after the other, yields their addresses."""
        names = [link.rpartition("#/")[2].partition("/")[0] for link in page.locator("#bar .navbar-nav a").evaluate_all("all => all.map((a) => a.href)")]
        self.assertEqual(len(names), 8)
        for place in [*names, *PARTS]:
            page.goto(f"http://{server.host}:{server.port}/ui/#/{place}")
            page.wait_for_selector(f"#place-{place.partition('/')[0]}:not([hidden])")
            self.settle(page)
            yield place

    def test_axe(self):
        """Of the light theme the colours alone, in which it differs; else all in the long setup."""
        server, axe, found = self.filled(), Axe(), []
        page = self.page(server)
        for place in self.walk(page, server):
            page.evaluate(TAKE_OTHERS)
            for theme, rules in (("dark", {}), ("light", {} if LONG else {"runOnly": {"type": "rule", "values": ["color-contrast"]}})):
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # colours change at once
                page.wait_for_selector(f"html[data-theme={theme}]")
                for violation in axe.run(page, options={"resultTypes": ["violations"], **rules}).response["violations"]:
                    if violation["impact"] in SERIOUS:
                        nodes = [node["html"][:160] for node in violation["nodes"][:3]]
                        found.append(f"{theme} {place}: {violation['id']}: {violation['help']}: {len(violation['nodes'])} x {nodes}")
            page.emulate_media(color_scheme="dark", reduced_motion="reduce")
            page.evaluate(PUT_BACK)
        self.assertEqual(found, [], "\n" + "\n".join(found))
        page.evaluate("document.getElementById('main').append(document.createElement('button'))")
        self.assertIn("button-name", [one["id"] for one in axe.run(page).response["violations"]])  # it would have been found

    def test_width_of_a_phone(self):
        server = self.filled()
        page = self.page(server, size=PHONE)
        for place in self.walk(page, server):
            self.save_picture(page, f"phone-{place.replace('/', '-')}.png")
            with self.subTest(place):
                self.assertEqual(page.evaluate("document.documentElement.scrollWidth"), PHONE["width"])
                self.assertGreater(page.evaluate("document.getElementById('main').clientHeight"), 500)
                # What is wider than the page scrolls within a part of its own, and nothing lies right of the window.
                wide = page.evaluate("""() => [...document.querySelectorAll("#main *")].filter((one) => {
                    const box = one.getBoundingClientRect();
                    let part = one.parentElement;
                    while (part && part.id !== "main" && !["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(part).overflowX)) part = part.parentElement;
                    return box.width && box.right > innerWidth + 1 && (!part || part.id === "main");
                }).map((one) => one.outerHTML.slice(0, 120))""")
                self.assertEqual(wide, [])

    def test_keyboard(self):
        server = self.filled()
        page = self.page(server)
        page.keyboard.press("Tab")
        self.assertEqual(page.evaluate("document.activeElement.id"), "skip")
        self.assertTrue(page.is_visible("#skip"))
        page.keyboard.press("Enter")
        self.assertEqual(page.evaluate("document.activeElement.id"), "main")
        for place in self.walk(page, server):
            with self.subTest(place):
                page.evaluate("document.activeElement?.blur(); document.getElementById('skip').focus()")
                seen = []
                for _ in range(400):
                    page.keyboard.press("Tab")
                    about = page.evaluate("""() => {
                        const one = document.activeElement;
                        if (!one || one === document.body) return null;
                        const box = one.getBoundingClientRect();
                        const style = getComputedStyle(one);
                        const text = one.getAttribute("aria-label") || one.labels?.[0]?.textContent || one.getAttribute("aria-labelledby") || one.title || one.placeholder || one.textContent.trim();
                        one.dataset.walked = Number(one.dataset.walked ?? 0) + 1;
                        return { id: one.outerHTML.slice(0, 100), again: one.dataset.walked > 1, name: text, visible: box.width > 0 && box.height > 0,
                                 outline: style.outlineStyle !== "none" || style.boxShadow !== "none" || one.id === "main" };
                    }""")
                    if about is None or about["again"]:
                        break
                    seen.append(about)
                else:
                    self.fail("the keyboard comes to no end")
                self.assertGreater(len(seen), 8)
                self.assertEqual([one["id"] for one in seen if not one["name"]], [], "without a name")
                self.assertEqual([one["id"] for one in seen if not one["visible"]], [], "can't be seen")
                self.assertEqual([one["id"] for one in seen if not one["outline"]], [], "the focus can't be seen")
                page.evaluate("document.querySelectorAll('[data-walked]').forEach((one) => delete one.dataset.walked)")


if __name__ == "__main__":
    main()
