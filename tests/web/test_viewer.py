# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The viewer of images: what WebGL draws, read back and compared with what numpy makes of the same samples."""

import base64
import contextlib
import json
import os
import subprocess
import tempfile

import numpy as np
import playwright.sync_api
from webtest import BrowserTest, Server, main, until

SURROUND = (0x1b, 0x1d, 0x20)
# Functions that the pages of these tests have besides the viewer's.
HELPERS = """async () => {
  const { ImageView } = await import("/ui/viewer/image.js");
  const { device } = await import("/ui/viewer/gl.js");
  const { table } = await import("/ui/viewer/maps.js");
  const kinds = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array };
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  const text = (array) => btoa(Array.from(array, (byte) => String.fromCharCode(byte)).join(""));
  const image = ({ data, type, width, height, ...more }) => ({ data: new kinds[type](bytes(data)), width, height, ...more });
  const room = document.createElement("div");
  document.body.replaceChildren(room);
  window.t = { device, image, room, ImageView,
    table: (name) => text(table(name)),
    make(width, height, options = {}) {
      window.t.view?.close();
      Object.assign(room.style, { width: `${width}px`, height: `${height}px`, display: "flex", position: "fixed", left: 0, top: 0 });
      window.t.events = [];
      window.t.view = new ImageView(room, { label: "Slice", scaleBar: false, ...options });
      for (const kind of ["step", "pointer", "pick", "levels"]) {
        window.t.view.addEventListener(kind, ({ detail }) => window.t.events.push([kind, detail]));
      }
      return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    },
    // Without layers: texts would lie over samples.
    pixels() {
      const { view } = window.t, layers = view.layers;
      view.layers = [];
      view.drawNow();
      view.layers = layers;
      const { canvas } = view;
      return { width: canvas.width, height: canvas.height,
               data: text(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data) };
    },
  };
}"""


def as_text(array):
    array = np.ascontiguousarray(array)
    return {"data": base64.b64encode(array.tobytes()).decode(), "type": str(array.dtype), "width": array.shape[1], "height": array.shape[0]}


def shades(array, low, high):
    """As gsttomo.widgets draws samples."""
    with np.errstate(all="ignore"):
        made = np.clip((array.astype(np.float64) - low) * (256 / (high - low)), 0, 255)
    return np.where(np.isnan(array), 0, made).astype(np.uint8)


def desktop_maps():
    """Tables by their names; None where no Python has pyqtgraph and Qt."""
    script = ("import json; from gsttomo.widgets import _colours; print(json.dumps({name: [[c >> 16 & 255, c >> 8 & 255, c & 255]"
              " for c in map(int, _colours.table(name))] for name in _colours.NAMES}))")
    for python in (os.environ.get("GST_TOMO_GUI_PYTHON", ""), "/usr/bin/python3"):
        if os.path.exists(python):
            done = subprocess.run([python, "-c", script], capture_output=True, text=True, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
            if done.returncode == 0:
                return {name: np.array(table) for name, table in json.loads(done.stdout).items()}
    return None


class Viewer(BrowserTest):
    """All tests share a page: each makes a view of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory(prefix="tomo-web-test-")
        cls.addClassCleanup(folder.cleanup)
        server = Server(folder.name)
        cls.addClassCleanup(server.close)
        context = cls.browser.new_context(viewport={"width": 800, "height": 600}, has_touch=True)
        cls.addClassCleanup(context.close)
        cls.errors = []
        cls.tab = context.new_page()
        cls.tab.on("pageerror", lambda error: cls.errors.append(str(error)))
        cls.tab.goto(server.address)
        cls.tab.wait_for_selector("main section:not([hidden])")
        cls.tab.evaluate(HELPERS)

    def setUp(self):
        super().setUp()
        self.errors.clear()
        self.addCleanup(lambda: self.assertEqual(self.errors, []))

    def make(self, width, height, **options):
        self.tab.evaluate("([w, h, o]) => t.make(w, h, o)", [width, height, options])

    def show(self, array, **options):
        more = {name: options.pop(name) for name in ("step", "size", "pixelSize") if name in options}
        self.tab.evaluate("([i, o]) => t.view.show(t.image(i), o)", [{**as_text(array), **more}, {"fit": True, **options}])

    def do(self, script, argument=None):
        return self.tab.evaluate(f"(a) => {{ const view = t.view; return {script}; }}", argument)

    def pixels(self):
        got = self.tab.evaluate("() => t.pixels()")
        return np.frombuffer(base64.b64decode(got["data"]), np.uint8).reshape(got["height"], got["width"], 4)[..., :3]

    def events(self, kind):
        return [detail for name, detail in self.tab.evaluate("() => t.events") if name == kind]

    # Window, types, sizes

    def test_samples_of_all_types_have_their_shades(self):
        random = np.random.default_rng(1)
        for array in (random.integers(0, 256, (64, 96)).astype(np.uint8), random.integers(0, 65536, (64, 96)).astype(np.uint16),
                      random.normal(3, 20, (64, 96)).astype(np.float32)):
            with self.subTest(array.dtype):
                self.make(96, 64)
                low, high = float(np.percentile(array, 20)), float(np.percentile(array, 90))
                self.show(array, levels=[low, high])
                got, wanted = self.pixels(), shades(array, low, high)
                self.assertTrue((got[..., 0] == got[..., 1]).all() and (got[..., 0] == got[..., 2]).all())
                self.assertLessEqual(np.abs(got[..., 0].astype(int) - wanted).max(), 1)
                self.assertGreater((got[..., 0] == wanted).mean(), 0.999)

    def test_the_window_is_that_of_the_percentiles(self):
        random = np.random.default_rng(2)
        for array in (random.normal(0, 1, (300, 700)).astype(np.float32), random.integers(0, 65536, (511, 513)).astype(np.uint16),
                      np.full((5, 7), 3, np.float32)):
            with self.subTest(array.shape):
                self.make(200, 200)
                self.show(array)
                step = max(1, int(np.ceil((array.size / 131072) ** 0.5)))
                some = array[::step, ::step]
                wanted = np.percentile(some.astype(np.float64), (0.5, 99.5)) if some.min() < some.max() else (2.997, 3.003)
                np.testing.assert_allclose(self.do("view.levels"), wanted, rtol=1e-6)

    def test_nothing_is_the_first_colour_and_infinities_the_last_ones(self):
        array = np.array([[np.nan, -np.inf, np.inf, 0.5]], np.float32)
        self.make(64, 64)
        self.show(array, levels=[0, 1])
        row = self.pixels()[32, 8::16]
        np.testing.assert_array_equal(row[:, 0], [0, 0, 255, 128])
        self.do("view.map = 'viridis'")
        row = self.pixels()[32, 8::16]
        self.assertEqual(tuple(row[0]), (68, 1, 84))
        # A sample that is none has no part in a mixture.
        self.do("(view.map = 'grey', view.showPart(1.5, [2, 0.5]))")
        self.assertEqual(self.pixels()[32, 32 - 2, 0], 0)

    def test_images_of_one_pixel_and_of_odd_sizes(self):
        for rows, columns in ((1, 1), (1, 9), (7, 1), (3, 5), (101, 77)):
            with self.subTest((rows, columns)):
                array = (np.arange(rows * columns).reshape(rows, columns) % 251).astype(np.uint8)
                self.make(128, 128)
                self.show(array, levels=[0, 256])
                scale = self.do("view.scale")
                got = self.pixels()
                self.assertEqual(scale, min(128 / rows, 128 / columns))
                left, top = round(64 - columns * scale / 2), round(64 - rows * scale / 2)
                for row, column in {(0, 0), (rows - 1, columns - 1), (rows // 2, columns // 2)}:
                    if scale > 2:
                        x, y = int(left + (column + 0.5) * scale), int(top + (row + 0.5) * scale)
                        self.assertEqual(got[y, x, 0], array[row, column], (row, column))
                if columns < rows:
                    self.assertEqual(tuple(got[0, 0]), SURROUND)

    def test_an_image_larger_than_a_texture_is_cut(self):
        array = np.random.default_rng(3).integers(0, 65536, (90, 110)).astype(np.uint16)
        self.make(220, 180)
        largest = self.tab.evaluate("() => t.device().largest")
        for scale in (1, 2, 1.37):
            self.show(array, levels=[0, 65536], fit=False)
            self.do("view.showPart(a, [55, 45])", scale)
            whole = self.pixels()
            self.tab.evaluate("() => { t.device().largest = 32; }")
            self.addCleanup(self.tab.evaluate, "(a) => { t.device().largest = a; }", largest)
            self.show(array, levels=[0, 65536], fit=False)
            self.do("view.showPart(a, [55, 45])", scale)
            np.testing.assert_array_equal(self.pixels(), whole)
            self.tab.evaluate("(a) => { t.device().largest = a; }", largest)

    # Zoom

    def test_linear_up_to_twice_the_size_and_squares_above(self):
        array = np.random.default_rng(4).integers(0, 256, (20, 30)).astype(np.uint8)
        self.make(120, 80)
        self.show(array, levels=[0, 256])
        self.assertEqual(self.do("view.density"), 4)
        np.testing.assert_array_equal(self.pixels()[..., 0], array.repeat(4, 0).repeat(4, 1))
        self.do("view.showPart(2, [15, 10])")
        got = self.pixels()[20:60, 30:90, 0]
        # Pixel i lies at sample (i + 0.5) / 2 - 0.5.
        columns, rows = ((np.arange(60) + 0.5) / 2 - 0.5).clip(0, 29), ((np.arange(40) + 0.5) / 2 - 0.5).clip(0, 19)
        along = np.stack([np.interp(columns, np.arange(30), row) for row in array.astype(float)])
        wanted = np.stack([np.interp(rows, np.arange(20), column) for column in along.T], 1)
        self.assertLess(np.abs(got - np.floor(wanted)).max(), 2)
        self.assertLess(np.abs(got.astype(float) - wanted).mean(), 0.6)

    def test_a_smaller_picture_has_means(self):
        array = np.random.default_rng(5).normal(100, 30, (256, 384)).astype(np.float32)
        self.make(96, 64)
        self.show(array, levels=[0, 256])
        self.assertEqual(self.do("view.scale"), 0.25)
        wanted = array.reshape(64, 4, 96, 4).mean((1, 3))
        self.assertLessEqual(np.abs(self.pixels()[..., 0].astype(int) - shades(wanted, 0, 256)).max(), 1)

    def test_a_coarse_image_takes_the_place_of_the_large_one(self):
        array = np.arange(35, dtype=np.uint8).reshape(5, 7) * 7
        self.make(130, 100)
        self.show(array, levels=[0, 256], step=4, size=[26, 20])
        self.assertEqual(self.do("view.scale"), 5)
        np.testing.assert_array_equal(self.pixels()[..., 0], array.repeat(20, 0).repeat(20, 1)[:, :130])
        self.assertEqual(self.do("view.valueAt(25.9, 19.9)"), array[4, 6])

    # Two images

    def test_an_overlay_is_white_where_both_agree(self):
        random = np.random.default_rng(6)
        first, second = (random.integers(0, 256, (64, 80)).astype(np.uint16) for _ in range(2))
        self.make(80, 64)

        def overlay(**options):
            self.tab.evaluate("([a, b, o]) => t.view.overlay(t.image(a), t.image(b), o)",
                              [as_text(first), as_text(second), {"levels": [0, 256], "fit": True, **options}])
            return self.pixels().astype(int)

        got = overlay(mode="red-cyan")
        np.testing.assert_array_equal(got[..., 0], second)
        np.testing.assert_array_equal(got[..., 1], first)
        np.testing.assert_array_equal(got[..., 2], first)
        np.testing.assert_array_equal(overlay(mode="difference")[..., 0], first // 2 + 127 - second // 2)
        np.testing.assert_array_equal(overlay(mode="sum")[..., 0], first // 2 + second // 2)
        np.testing.assert_array_equal(overlay(mode="red-cyan", mirrored=True)[..., 0], second[:, ::-1])
        shifted = overlay(mode="red-cyan", shift=3)
        np.testing.assert_array_equal(shifted[:, 3:, 0], second[:, :-3])
        self.assertEqual(shifted[:, :3, 0].max(), 0)
        moved = overlay(mode="red-cyan", shift=[0, -2])
        np.testing.assert_array_equal(moved[:-2, :, 0], second[2:])

    def test_a_shift_by_parts_of_pixels_is_linear(self):
        ramp = np.tile(np.arange(64, dtype=np.float32) * 4, (8, 1))
        self.make(64, 64)
        for shift in (0.25, 0.5, -1.75):
            self.tab.evaluate("([a, b, o]) => t.view.overlay(t.image(a), t.image(b), o)",
                              [as_text(ramp), as_text(ramp), {"levels": [0, 256], "fit": True, "shift": shift}])
            row = self.pixels()[32].astype(int)
            np.testing.assert_array_equal(row[4:60, 0], np.floor(ramp[0, 4:60] - 4 * shift))
            np.testing.assert_array_equal(row[4:60, 1], ramp[0, 4:60])
        # By the whole way through a pixel the second image moves once, and in even parts.
        self.do("view.setOverlay({ shift: 0.75 })")
        self.assertEqual(self.pixels()[32, 20, 0], 77)

    def test_colour_maps_are_those_of_the_desktop_program(self):
        maps = desktop_maps()
        if maps is None:
            self.skipTest("pyqtgraph is not there")
        names = self.tab.evaluate("() => t.ImageView.maps")
        self.assertEqual(names, list(maps))
        for name in names:
            got = np.frombuffer(base64.b64decode(self.tab.evaluate("(name) => t.table(name)", name)), np.uint8)
            np.testing.assert_array_equal(got.reshape(256, 3), maps[name], name)

    # Hands

    def test_mouse_moves_zooms_and_sets_the_window(self):
        array = np.arange(100 * 100, dtype=np.uint16).reshape(100, 100)
        self.make(200, 200, readout=True)
        self.show(array, levels=[0, 10000])
        mouse = self.tab.mouse
        self.tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")  # the readout has its line then
        scale, height = self.do("view.scale"), self.do("view.size[1]")
        mouse.move(100, 50)
        at = self.events("pointer")[-1]
        self.assertEqual(at["value"], array[int(at["y"]), int(at["x"])])
        self.assertEqual(self.do("view.readout.textContent"), f"column {int(at['x']):>4}  row {int(at['y']):>4}  value {at['value']:<11}")
        length = len(self.do("view.readout.textContent"))
        mouse.wheel(0, 120)
        mouse.wheel(0, -120)
        self.tab.wait_for_function("() => t.events.filter(([kind]) => kind === 'step').length === 2")
        self.assertEqual(self.events("step"), [1, -1])
        self.tab.keyboard.down("Control")

        def is_larger():
            mouse.wheel(0, -100)  # Chromium drops one now and then that follows others at once
            with contextlib.suppress(playwright.sync_api.TimeoutError):
                return self.tab.wait_for_function("(scale) => t.view.scale > scale * 1.19", arg=scale, timeout=3000)

        until(is_larger, "Ctrl and the wheel do not enlarge")
        self.tab.keyboard.up("Control")
        np.testing.assert_allclose(self.do("view.toImage(100, 50)"), [at["x"], at["y"]], atol=1e-6)  # what is below the pointer stays
        mouse.down()
        mouse.move(110, 70, steps=3)
        mouse.up()
        np.testing.assert_allclose(self.do("view.toImage(110, 70)"), [at["x"], at["y"]], atol=1e-6)
        self.assertEqual(self.events("pick"), [])
        mouse.down(button="right")
        mouse.move(260, 70)
        mouse.up(button="right")
        np.testing.assert_allclose(self.do("view.levels"), [-5000, 15000])
        mouse.click(100, 100)
        self.assertEqual(len(self.events("pick")), 1)
        mouse.dblclick(100, 100)
        self.assertEqual((self.do("view.isFitted"), self.do("view.scale"), self.do("view.size[1]")), (True, scale, height))
        mouse.move(700, 500)
        self.assertIsNone(self.events("pointer")[-1])
        self.assertEqual(len(self.do("view.readout.textContent")), length)

    def test_all_of_it_by_keys(self):
        array = np.arange(100 * 100, dtype=np.uint16).reshape(100, 100)
        self.make(200, 200)
        self.show(array, levels=[0, 10000])
        press = self.tab.keyboard.press
        self.do("view.canvas.focus()")
        for key in ("ArrowDown", "ArrowLeft", "PageDown", "Home"):
            press(key)
        self.assertEqual(self.events("step"), [1, -1, 10, -2 ** 30])
        press("+")
        self.assertAlmostEqual(self.do("view.scale"), 2.4)
        press("Control+ArrowRight")
        self.assertLess(self.do("view.toPixel(50, 50)")[0], 100)
        press("1")
        self.assertEqual(self.do("view.scale"), 1)
        press("0")
        self.assertEqual(self.do("view.scale"), 2)
        press("w")
        self.assertGreater(self.do("view.levels[1] - view.levels[0]"), 10000)
        press("a")
        np.testing.assert_allclose(self.do("view.levels"), np.percentile(array, (0.5, 99.5)))
        press("Shift+ArrowRight")
        self.assertEqual(self.events("pointer")[-1], {"x": 51.5, "y": 50.5, "value": array[50, 51]})
        self.assertEqual(self.do("view.frame.querySelector('[aria-live]').textContent"), f"column 51, row 50, value {array[50, 51]}")
        press("Enter")
        self.assertEqual(self.events("pick"), [{"x": 51.5, "y": 50.5}])
        press("?")
        self.assertIn("other images", self.tab.inner_text("dialog[open]"))
        press("Escape")
        self.tab.wait_for_selector("dialog", state="detached")
        self.assertTrue(self.do("document.activeElement === view.canvas"))

    def test_two_fingers_zoom(self):
        self.make(300, 300)
        self.show(np.zeros((100, 100), np.uint8), levels=[0, 1])
        touch = self.tab.context.new_cdp_session(self.tab)
        self.do("view.zoom(1.5)")  # while all is seen, a finger moves the page

        def send(kind, *points):
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]})

        middle = self.do("view.toImage(150, 150)")
        send("touchStart", (130, 150), (170, 150))
        for apart in (25, 30, 40):
            send("touchMove", (150 - apart, 150), (150 + apart, 150))
        send("touchEnd")
        self.tab.wait_for_function("() => Math.abs(t.view.scale - 9) < 0.01")
        np.testing.assert_allclose(self.do("view.toImage(150, 150)"), middle, atol=1e-6)

    def test_the_histogram_sets_the_window(self):
        array = np.random.default_rng(7).normal(100, 10, (200, 200)).astype(np.float32)
        self.make(400, 300, histogram=True, readout=True)
        self.show(array)
        low, high = self.do("view.levels")
        counts, (first, last) = self.do("Array.from(view.histogram.counts)"), self.do("view.histogram.span")
        np.testing.assert_array_equal(counts, np.histogram(array, 256, (first, last))[0])
        box = self.do("view.histogram.canvas.getBoundingClientRect().toJSON()")
        to_x = lambda value: box["x"] + (value - first) / (last - first) * box["width"]  # noqa: E731
        y = box["y"] + box["height"] / 2
        self.tab.mouse.move(to_x(high), y)
        self.tab.mouse.down()
        self.tab.mouse.move(to_x(100), y, steps=4)
        self.tab.mouse.up()
        np.testing.assert_allclose(self.do("view.levels"), [low, 100], atol=0.5)
        self.do("view.histogram.canvas.focus()")
        self.tab.keyboard.press("ArrowUp")
        self.assertLess(self.do("view.levels[0]"), low)
        self.tab.mouse.dblclick(to_x(80), y)
        np.testing.assert_allclose(self.do("view.levels"), [low, high])
        self.assertTrue(self.do("view.isAutomatic"))

    # The context, and pictures that are saved

    def test_a_lost_context_loses_nothing(self):
        array = np.random.default_rng(8).integers(0, 256, (100, 100)).astype(np.uint8)
        self.make(100, 100)
        self.show(array, levels=[0, 256])
        self.tab.evaluate("() => { t.loss = t.device().canvas.getContext('webgl2').getExtension('WEBGL_lose_context'); t.loss.loseContext(); }")
        self.tab.wait_for_function("() => !t.device().isReady")
        self.do("(view.map = 'inverted', view.drawNow())")
        self.tab.evaluate("() => t.loss.restoreContext()")
        self.tab.wait_for_function("() => t.device().isReady")
        np.testing.assert_array_equal(self.pixels()[..., 0], 255 - array)

    def test_saved_pictures_and_values(self):
        array = np.random.default_rng(9).normal(0, 1, (50, 100)).astype(np.float32)
        self.make(200, 200)
        self.show(array, levels=[-2, 2], pixelSize=1e-6)
        size = self.tab.evaluate("async () => { const made = await createImageBitmap(await t.view.picture()); return [made.width, made.height]; }")
        self.assertEqual(size, [200, 100])  # without what surrounds it
        saved = bytes(self.tab.evaluate("async () => Array.from(new Uint8Array(await t.view.values().arrayBuffer()))"))
        file = self.folder / "values.tif"
        file.write_bytes(saved)
        from gsttomo.widgets import Volume
        volume = Volume(str(file))
        np.testing.assert_array_equal(volume.slice(0, 0).array, array)
        self.assertAlmostEqual(volume.pixel_size, 1e-6, delta=1e-11)
        volume.close()


if __name__ == "__main__":
    main()
