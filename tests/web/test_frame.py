# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The frame around the places: bar, head, notes, dialogs, states, dark and light, on large and small windows."""

from webtest import BrowserTest, main

PLACES = ["Scans", "Axis", "Reconstruct", "Results", "Jobs", "Live", "Portal", "Administration"]
PHONE = {"width": 390, "height": 844}
HEAD = {"size": "160 x 135, 91 views, -88.2 to 91.8°", "axis": "axis 86.50 (scan)", "word": "⚠ 1 WARNING", "tone": "warning"}


def chosen(page, name):
    """Gives the page a data set, without any on the server."""
    page.evaluate("""([name, head]) => import("./frame.js").then(({ Frame }) => {
        Frame.prototype.go = async function () {};
        for (const room of ["bar", "head", "notes", "main"]) document.getElementById(room).replaceChildren();
        const frame = window.frame = new Frame({ name: "local", role: "admin", access: "token" });
        frame.dataset = { id: 7, name, head };
        frame.dispatchEvent(new Event("dataset"));
    })""", [name, HEAD])


class Frame(BrowserTest):
    def test_places_in_their_order(self):
        page = self.page(self.server())
        self.assertEqual(page.locator("#bar .navbar-nav .nav-link[href]").all_inner_texts(), PLACES)
        for title in PLACES:
            page.click(f"#bar a:text-is('{title}')")
            page.wait_for_selector(f"#place-{title.lower()}:not([hidden])")
            self.assertEqual(page.locator("#main > section:visible").count(), 1)
            self.assertEqual(page.locator("[aria-current=page]").all_inner_texts(), [title])
            self.assertEqual(page.title(), f"{title} - gst-tomo")
        page.go_back()
        page.wait_for_selector("#place-portal:not([hidden])")

    def test_no_trace_of_the_token(self):
        server = self.server()
        page = self.page(server)
        self.assertNotIn(server.token, page.url)
        self.assertNotIn(server.token, page.evaluate("document.cookie + JSON.stringify(localStorage) + JSON.stringify(history.state)"))

    def test_without_a_person(self):
        server = self.server()
        page = self.page(server)
        page.context.clear_cookies()
        page.goto("about:blank")
        page.goto(server.address.partition("#")[0])
        page.wait_for_selector("text=Open the address that tomo-web has printed")

    def test_head_shows_facts_as_texts(self):
        page = self.page(self.server())
        name = "<img src=x onerror=alert(1)>"
        chosen(page, name)
        self.assertEqual(page.inner_text("#head .name"), name)
        self.assertEqual(page.locator("#head img").count(), 0)
        self.assertEqual([page.inner_text(f"#head .{part}") for part in ("size", "axis", "state")], [HEAD["size"], HEAD["axis"], HEAD["word"]])
        self.assertEqual(page.get_attribute("#bar a:text-is('Axis')", "href"), "#/axis/7")
        page.evaluate("frame.update({ head: { axis: 'axis 86.35' } })")
        self.assertEqual([page.inner_text(f"#head .{part}") for part in ("size", "axis")], [HEAD["size"], "axis 86.35"])

    def test_notes(self):
        page = self.page(self.server())
        chosen(page, "scan.nxs")
        page.evaluate("frame.note('info', 'first')")
        page.evaluate("frame.note('error', '<b>second</b>')")
        self.assertEqual(page.inner_text("#notes .last"), "✕ <b>second</b>")
        self.assertFalse(page.is_visible("#log"))
        page.click("#notes button")
        self.assertRegex(page.inner_text("#log"), r"^[\d:]{8} info: first\n[\d:]{8} error: <b>second</b>$")

    def test_dialog(self):
        page = self.page(self.server())
        page.focus("#place-link-jobs")
        page.evaluate("""import("./parts/dialog.js").then(({ ask }) => ask("New person", [{ name: "name", label: "Name", required: true },
            { name: "role", label: "Role", type: "select", options: [["user", "User"], ["admin", "Administrator"]], value: "user" }],
            { send: async (values) => { if (values.name === "bad") throw Object.assign(new Error("taken"), { field: "name" }); } }))
            .then((values) => { window.result = values; }), undefined""")
        dialog = page.get_by_role("dialog", name="New person")
        dialog.wait_for()
        self.assertEqual(page.evaluate("document.activeElement.name"), "name")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=This is needed.")
        dialog.get_by_label("Name").fill("bad")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=taken")
        dialog.get_by_label("Name").fill("good")
        page.keyboard.press("Enter")
        dialog.wait_for(state="detached")
        page.wait_for_function("() => window.result")
        self.assertEqual(page.evaluate("result"), {"name": "good", "role": "user"})
        self.assertEqual(page.evaluate("document.activeElement.id"), "place-link-jobs")
        page.evaluate("""import("./parts/dialog.js").then(({ confirm }) => confirm("Remove it?")).then((yes) => { window.yes = yes; }), undefined""")
        page.wait_for_selector("dialog")
        page.keyboard.press("Escape")
        page.wait_for_function("() => window.yes === false")

    def test_states(self):
        page = self.page(self.server())
        page.evaluate("""import("./parts/states.js").then(({ StateLine, emptyPage, nextButton }) => {
            const line = window.line = new StateLine("Choose a scan");
            const room = document.createElement("div");
            room.id = "try";
            document.getElementById("main").replaceChildren(room);
            room.append(line.element, emptyPage("No scan yet", nextButton("Add scan", () => { window.pressed = true; })));
        })""")
        for call, state, text in (("working('Slice 3', {done: 3, total: 10})", "working", "Slice 3"), ("failed('no memory', {log: true})", "failed", "✕ Failed: no memory"),
                                  ("stale()", "stale", "⚠ The picture is older than the settings."), ("done('Ready')", "done", "Ready")):
            page.evaluate(f"line.{call}")
            self.assertEqual((page.get_attribute("#try .state-line", "data-state"), page.inner_text("#try .state-line .said")), (state, text))
            self.assertEqual(page.is_visible("#try .state-line progress"), state == "working")
            self.assertEqual(page.is_visible("#try >> text=Show log"), state == "failed")
        page.click("text=Add scan")
        self.assertTrue(page.evaluate("pressed"))

    def test_dark_and_light(self):
        server = self.server()
        for dark in (True, False):
            page = self.page(server, dark=dark)
            self.assertEqual(page.evaluate("document.documentElement.dataset.theme"), "dark" if dark else "light")
        page.click("#person")
        self.save_picture(page, "frame-light.png")
        page.click("button:text-is('Dark')")
        self.assertEqual(page.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(37, 40, 44)")
        page.reload()
        page.wait_for_selector("main section:not([hidden])")
        self.assertEqual(page.evaluate("document.documentElement.dataset.theme"), "dark")

    def test_phone(self):
        page = self.page(self.server(), size=PHONE)
        chosen(page, "a_scan_with_a_rather_long_name_that_does_not_fit_a_phone_00017.nxs")
        self.assertFalse(page.is_visible("#places"))
        self.save_picture(page, "frame-phone.png")
        self.assertEqual(page.evaluate("document.documentElement.scrollWidth"), PHONE["width"])
        page.click(".navbar-toggler")
        page.click("#bar a:text-is('Jobs')")
        page.wait_for_selector("#places", state="hidden")
        page.click(".navbar-toggler")
        page.keyboard.press("Escape")
        page.wait_for_selector("#places", state="hidden")


if __name__ == "__main__":
    main()
