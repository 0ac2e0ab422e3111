# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoconvert: gray video to arrays bit by bit, arrays to video with windows and colours."""

from tomotest import *
from elementtest import DEVICE_CAPS, SYSTEM_CAPS, ElementTestCase, Stream

LARGEST = float(np.finfo(np.float32).max)
VIDEO_TYPES = {"GRAY8": np.dtype("u1"), "GRAY16_LE": np.dtype("<u2"), "GRAY16_BE": np.dtype(">u2")}
VIRIDIS = {0.0: "440154", 0.25: "3b528b", 0.5: "21918c", 0.75: "5ec962", 1.0: "fde725"}  # those of matplotlib


def video_caps(format_, shape, framerate="0/1"):
    return Gst.Caps.from_string(
        f"video/x-raw,format={format_},width={shape[1]},height={shape[0]},framerate={framerate}"
    )


def padded(rows, stride=None):
    """Rows of bytes at a distance that is a multiple of four, as video has them, with rubbish in between."""
    stride = stride or -(-rows.shape[1] // 4) * 4
    out = rng.integers(0, 256, (rows.shape[0], stride), np.uint8)
    out[:, : rows.shape[1]] = rows
    return out.tobytes()


def packed_10_bits(image):
    height, width = image.shape
    words = np.zeros((height, -(-width // 3), 3), np.uint32)
    words.reshape(height, -1)[:, :width] = image
    return (words << np.array([0, 10, 20], np.uint32)).sum(axis=2, dtype=np.uint32).astype("<u4")


def frame(format_, image):
    """The bytes of a video frame."""
    if format_ == "GRAY10_LE32":
        return packed_10_bits(image).tobytes()
    stored = np.ascontiguousarray(image.astype(VIDEO_TYPES[format_]))
    return padded(stored.view(np.uint8).reshape(image.shape[0], -1))


def random_image(format_, shape):
    limit = {"GRAY8": 256, "GRAY10_LE32": 1024}.get(format_, 65536)
    return rng.integers(0, limit, shape).astype(np.uint8 if format_ == "GRAY8" else np.uint16)


def picture(sample):
    """(height, width) or (height, width, 3) of a video sample, and the bytes behind each row."""
    s = sample.get_caps().get_structure(0)
    format_, width, height = s.get_string("format"), s.get_int("width")[1], s.get_int("height")[1]
    ok, info = sample.get_buffer().map(Gst.MapFlags.READ)
    try:
        rows = np.frombuffer(bytes(info.data), np.uint8).reshape(height, -1)
    finally:
        sample.get_buffer().unmap(info)
    dtype, channels = (np.dtype("u1"), 3) if format_ == "RGB" else (VIDEO_TYPES[format_], 1)
    used = width * channels * dtype.itemsize
    image = np.ascontiguousarray(rows[:, :used]).view(dtype).reshape(height, width, channels)
    return (image if channels == 3 else image[..., 0]), rows[:, used:]


def windowed(array, low, high, levels=255):
    t = (np.asarray(array, np.float64) - float(low)) / (float(high) - float(low))
    return np.clip(np.nan_to_num(t, nan=0, posinf=1, neginf=0), 0, 1) * levels


class Convert(ElementTestCase):
    def test_properties(self):
        self.check_properties(
            "tomoconvert",
            {
                "min": (LARGEST, -LARGEST, LARGEST),
                "max": (-LARGEST, -LARGEST, LARGEST),
                "color-map": ("gray", {"gray", "viridis"}),
            },
        )

    # Video to arrays -----------------------------------------------------------------------------------

    def from_video(self, line, format_, images, shape, framerate="25/1", wrap=frame):
        with Stream(line) as stream:
            stream.sources[0].set_property("caps", video_caps(format_, shape, framerate))
            for i, image in enumerate(images):
                buffer = wrap(format_, image)
                buffer = buffer if isinstance(buffer, Gst.Buffer) else Gst.Buffer.new_wrapped(buffer)
                buffer.pts, buffer.duration, buffer.offset = i * Gst.SECOND // 25, Gst.SECOND // 25, i
                stream.sources[0].push_buffer(buffer)
            return [stream.pull_sample() for _ in images]

    def test_every_video_format_and_odd_widths(self):
        for format_ in (*VIDEO_TYPES, "GRAY10_LE32"):
            for shape in ((1, 1), (4, 8), (3, 5), (5, 2), (2, 97)):
                # An application, an element of ours, and one behind a queue.
                for line in (
                    "tomoconvert",
                    "tomoconvert ! queue ! tomodownload",
                    f"tomoconvert ! {DEVICE_CAPS}",
                ):
                    with self.subTest(format=format_, shape=shape, line=line):
                        images = [random_image(format_, shape) for _ in range(2)]
                        samples = self.from_video(line, format_, images, shape)
                        for i, (image, sample) in enumerate(zip(images, samples)):
                            result, buffer = to_array(sample), sample.get_buffer()
                            self.assertEqual(result.dtype, image.dtype)
                            np.testing.assert_array_equal(result, image)
                            self.assertEqual(
                                sample.get_caps().get_structure(0).get_fraction("framerate")[1:], (25, 1)
                            )
                            self.assertEqual((buffer.pts, buffer.offset), (i * Gst.SECOND // 25, i))

    def test_strides_of_a_video_meta(self):
        try:
            gi.require_version("GstVideo", "1.0")
        except ValueError:
            self.skipTest("no GstVideo-1.0.typelib")
        from gi.repository import GstVideo

        shape, stride, offset = (4, 5), 24, 7

        def wrap(format_, image):
            stored = (
                np.ascontiguousarray(image.astype(VIDEO_TYPES[format_])).view(np.uint8).reshape(shape[0], -1)
            )
            buffer = Gst.Buffer.new_wrapped(bytes(offset) + padded(stored, stride))
            GstVideo.buffer_add_video_meta_full(
                buffer,
                GstVideo.VideoFrameFlags.NONE,
                GstVideo.VideoFormat.from_string(format_),
                shape[1],
                shape[0],
                1,
                [offset, 0, 0, 0],
                [stride, 0, 0, 0],
            )
            return buffer

        for format_ in VIDEO_TYPES:
            for line in ("tomoconvert", 'tomoconvert ! tomocalculate expression="v"'):
                with self.subTest(format=format_, line=line):
                    image = random_image(format_, shape)
                    (sample,) = self.from_video(line, format_, [image], shape, wrap=wrap)
                    np.testing.assert_array_equal(to_array(sample), image)

    def test_metas_of_others_stay(self):
        """A camera's time of exposure, for instance."""
        clock = Gst.Caps.from_string("timestamp/x-camera")

        def wrap(format_, image):
            buffer = Gst.Buffer.new_wrapped(frame(format_, image))
            buffer.add_reference_timestamp_meta(clock, 1000 + int(image[0, 0]), Gst.CLOCK_TIME_NONE)
            return buffer

        for format_ in (*VIDEO_TYPES, "GRAY10_LE32"):
            for line in (
                "tomoconvert",
                f"tomoconvert ! {DEVICE_CAPS}",
                "tomoconvert ! tomoclip ! tomoconvert min=0 max=9 ! video/x-raw,format=GRAY8",
            ):
                with self.subTest(format=format_, line=line):
                    images = [random_image(format_, (3, 5)) for _ in range(2)]
                    samples = self.from_video(line, format_, images, (3, 5), wrap=wrap)
                    for image, sample in zip(images, samples, strict=True):
                        meta = sample.get_buffer().get_reference_timestamp_meta(clock)
                        self.assertIsNotNone(meta)
                        self.assertEqual(meta.timestamp, 1000 + int(image[0, 0]))

    def test_bytes_for_others_are_packed(self):
        """An element that knows nothing of metas must not see the padding."""
        with Stream("tomoconvert ! queue ! identity ! SINK") as stream:
            image = random_image("GRAY8", (3, 5))
            stream.sources[0].set_property("caps", video_caps("GRAY8", (3, 5)))
            stream.sources[0].push_buffer(Gst.Buffer.new_wrapped(frame("GRAY8", image)))
            self.assertEqual(stream.pull_sample().get_buffer().get_size(), 15)

    def test_short_frames(self):
        for format_, shape in (
            ("GRAY8", (4, 5)),
            ("GRAY16_LE", (4, 5)),
            ("GRAY16_BE", (4, 5)),
            ("GRAY10_LE32", (4, 7)),
        ):
            with self.subTest(format=format_):
                data = frame(format_, random_image(format_, shape))
                with self.assertRaises(PipelineError) as caught:
                    self.from_video("tomoconvert", format_, [None], shape, wrap=lambda *_: data[:-4])
                self.assertIn(f"{len(data) - 4} bytes", str(caught.exception))
                self.assertIn("5 x 4" if shape[1] == 5 else "7 x 4", str(caught.exception))

    def test_unknown_rate(self):
        (sample,) = self.from_video("tomoconvert", "GRAY8", [random_image("GRAY8", (2, 3))], (2, 3), "0/1")
        self.assertEqual(sample.get_caps().get_structure(0).get_fraction("framerate")[1:], (0, 1))

    # Arrays to video -----------------------------------------------------------------------------------

    def to_video(self, format_, arrays, properties="", **kwargs):
        samples = run(
            f"tomoconvert {properties} ! video/x-raw,format={format_}", arrays, samples=True, **kwargs
        )
        self.assertEqual(len(samples), len(arrays))
        return [self.checked_picture(s, format_, a) for s, a in zip(samples, arrays)]

    def checked_picture(self, sample, format_, array):
        image, beyond = picture(sample)
        self.assertEqual(sample.get_caps().get_structure(0).get_string("format"), format_)
        self.assertEqual(image.shape[:2], array.shape[-2:])
        self.assertFalse(beyond.any(), "memory leaks out behind the rows")
        return image

    def assert_levels(self, image, wanted):
        """Equal but for rounding just beside a half."""
        np.testing.assert_allclose(image, wanted, rtol=0, atol=0.505)

    def test_bits_survive(self):
        for shape in ((1, 1), (3, 5), (2, 97)):
            a = random_array(np.uint8, shape)
            np.testing.assert_array_equal(self.to_video("GRAY8", [a])[0], a)
            a = random_array(np.uint16, shape)
            for format_ in ("GRAY16_LE", "GRAY16_BE"):
                np.testing.assert_array_equal(self.to_video(format_, [a])[0], a)

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                a = random_array(FORMATS[name], (3, 7))
                limits = np.iinfo(a.dtype) if a.dtype.kind in "ui" else None
                low, high = (limits.min, limits.max) if limits else (a.min(), a.max())
                self.assert_levels(self.to_video("GRAY8", [a])[0], windowed(a, low, high))
        a = random_array(np.float32, (5, 3))
        for format_, levels in (("GRAY16_LE", 65535), ("GRAY16_BE", 65535)):
            self.assert_levels(self.to_video(format_, [a])[0], windowed(a, a.min(), a.max(), levels))
        self.assert_levels(
            self.to_video("RGB", [a])[0], np.repeat(windowed(a, a.min(), a.max())[..., None], 3, axis=2)
        )

    def test_window(self):
        a = random_array(np.float32, (6, 7))
        for low, high in ((-1.0, 1.0), (-0.25, 3.0), (1.0, -1.0), (0.0, 1e-3)):
            with self.subTest(low=low, high=high):
                self.assert_levels(
                    self.to_video("GRAY8", [a], f"min={low} max={high}")[0], windowed(a, low, high)
                )
        self.assert_levels(self.to_video("GRAY8", [a], "min=-0.5")[0], windowed(a, -0.5, a.max()))
        self.assert_levels(self.to_video("GRAY8", [a], "max=0.5")[0], windowed(a, a.min(), 0.5))
        integers = random_array(np.uint16, (6, 7))
        self.assert_levels(self.to_video("GRAY8", [integers], "max=1000")[0], windowed(integers, 0, 1000))

    def test_the_first_range_is_held_and_told(self):
        arrays = [random_array(np.float32, (4, 5)) * np.float32(s) for s in (1, 3, 0.1)]
        low, high = arrays[0].min(), arrays[0].max()
        with Stream("tomoconvert ! video/x-raw,format=GRAY8") as stream:
            for a in arrays:
                stream.push(a)
                self.assert_levels(picture(stream.pull_sample())[0], windowed(a, low, high))
            stream.finish()
            (message,) = stream.element_messages("tomo-window")
            self.assertEqual([message.get_value(n) for n in ("min", "max")], [low, high])
        with Stream("tomoconvert min=0 max=1 ! video/x-raw,format=GRAY8") as stream:
            stream.push(arrays[0])
            stream.pull_sample()
            self.assertEqual(stream.element_messages("tomo-window"), [])

    def test_nan_is_black_and_infinity_is_not_in_the_range(self):
        a = random_array(np.float32, (3, 4))
        a[0, 0], a[1, 1], a[2, 2] = np.nan, np.inf, -np.inf
        low, high = a[np.isfinite(a)].min(), a[np.isfinite(a)].max()
        self.assert_levels(self.to_video("GRAY8", [a])[0], windowed(a, low, high))
        for a in (np.full((2, 3), np.nan, np.float32), np.full((2, 3), 5, np.float32)):
            self.assertFalse(self.to_video("GRAY8", [a])[0].any())

    def test_viridis(self):
        a = np.array([list(VIRIDIS)], np.float32)
        (image,) = self.to_video("RGB", [a], "color-map=viridis min=0 max=1")
        self.assertEqual(["%02x%02x%02x" % tuple(p) for p in image[0]], list(VIRIDIS.values()))
        # Evenly brighter (CIE luminance), from end to end.
        ramp = np.linspace(0, 1, 256, dtype=np.float32)[None]
        (image,) = self.to_video("RGB", [ramp], "color-map=viridis")
        luminance = (image[0] / 255.0) ** 2.2 @ [0.2126, 0.7152, 0.0722]
        lightness = 116 * np.cbrt(luminance) - 16
        np.testing.assert_allclose(np.diff(lightness[::15]), (lightness[-1] - lightness[0]) / 17, atol=1.0)

    def test_three_planes_are_colours(self):
        for width in (1, 5):
            a = random_array(np.uint8, (3, 4, width))
            np.testing.assert_array_equal(self.to_video("RGB", [a])[0], np.moveaxis(a, 0, -1))
            (sample,) = run("tomoconvert ! video/x-raw", [a], samples=True)
            self.assertEqual(sample.get_caps().get_structure(0).get_string("format"), "RGB")

    def test_frame_rate_and_times(self):
        arrays = [random_array(np.uint8, (3, 5)) for _ in range(3)]
        for i, sample in enumerate(run("tomoconvert ! video/x-raw", arrays, samples=True, framerate=30)):
            self.assertEqual(sample.get_caps().get_structure(0).get_fraction("framerate")[1:], (30, 1))
            self.assertEqual(sample.get_buffer().pts, i * Gst.SECOND // 30)

    # Both ----------------------------------------------------------------------------------------------

    def test_there_and_back(self):
        for format_ in VIDEO_TYPES:
            a = random_image(format_, (3, 5))
            (result,) = run(f"tomoconvert ! video/x-raw,format={format_} ! tomoconvert ! {SYSTEM_CAPS}", [a])
            np.testing.assert_array_equal(result, a)

    def test_video_to_video(self):
        image = random_image("GRAY16_LE", (3, 5))
        (sample,) = self.from_video(
            "tomoconvert max=1000 ! video/x-raw,format=GRAY8", "GRAY16_LE", [image], (3, 5)
        )
        self.assert_levels(picture(sample)[0], windowed(image, 0, 1000))

    def test_arrays_may_pass(self):
        a = random_array(np.float32, (3, 5))
        for place in (SYSTEM_CAPS, DEVICE_CAPS):
            (sample,) = run(f"tomoconvert ! {place}", [a], samples=True)
            self.assertEqual(sample.get_buffer().peek_memory(0).is_type("TomoCL"), place == DEVICE_CAPS)
            np.testing.assert_array_equal(to_array(sample), a)

    def test_from_the_device(self):
        a = random_array(np.uint8, (3, 5))
        for before in (
            "tomoupload",
            f"tomoupload ! {DEVICE_CAPS}",
            "tomoupload ! queue",
            "tomoupload ! tomodownload",
        ):
            (sample,) = run(f"{before} ! tomoconvert ! video/x-raw,format=GRAY8", [a], samples=True)
            np.testing.assert_array_equal(picture(sample)[0], a)

    def test_changes_while_playing(self):
        a = random_array(np.float32, (4, 5))
        a[0, :2] = -1, 2
        with Stream("tomoconvert name=c min=-1 max=1 ! video/x-raw ! SINK") as stream:

            def through():
                stream.push(a)
                sample = stream.pull_sample()
                return sample.get_caps().get_structure(0).get_string("format"), picture(sample)[0]

            format_, image = through()
            self.assertEqual(format_, "GRAY8")
            self.assert_levels(image, windowed(a, -1, 1))
            stream["c"].set_property("max", 2.0)
            self.assert_levels(through()[1], windowed(a, -1, 2))
            Gst.util_set_object_arg(stream["c"], "color-map", "viridis")
            format_, image = through()
            self.assertEqual(format_, "RGB")
            self.assertEqual(["%02x%02x%02x" % tuple(p) for p in image[0, :2]], [VIRIDIS[0.0], VIRIDIS[1.0]])
            Gst.util_set_object_arg(stream["c"], "color-map", "gray")
            format_, image = through()
            self.assertEqual(format_, "GRAY8")
            self.assert_levels(image, windowed(a, -1, 2))

    def test_caps_changes(self):
        arrays = [
            random_array(np.uint8, (3, 5)),
            random_array(np.uint8, (2, 7)),
            random_array(np.float32, (2, 7)) * 9,
        ]
        samples = run("tomoconvert ! video/x-raw,format=GRAY8", arrays, samples=True)
        for a, sample in zip(arrays, samples, strict=True):
            wanted = a if a.dtype == np.uint8 else windowed(a, a.min(), a.max())
            self.assert_levels(picture(sample)[0], wanted)

    def test_state_cycles(self):
        a = random_array(np.float32, (3, 5))
        with Stream("tomoconvert ! video/x-raw,format=GRAY8", play=False) as stream:
            for state in (Gst.State.NULL, Gst.State.READY, Gst.State.NULL):
                a = a * np.float32(2)  # the range is that of the new run
                stream.sent = [0]
                stream.play()
                stream.push(a)
                self.assert_levels(picture(stream.pull_sample())[0], windowed(a, a.min(), a.max()))
                stream.pipeline.set_state(state)

    def test_errors(self):
        a = random_array(np.float32, (3, 5))
        gray = "! video/x-raw,format=GRAY8"
        self.assert_fails(["min=2", "max=2", "same"], f"tomoconvert min=2 max=2 {gray}", [a])
        self.assert_fails(["color-map", "RGB", "GRAY8"], f"tomoconvert color-map=viridis {gray}", [a])
        planes = random_array(np.float32, (3, 3, 5))
        self.assert_fails(["3", "red, green and blue", "GRAY8"], f"tomoconvert {gray}", [planes])
        self.assert_fails(
            ["color-map=gray", "three planes"], "tomoconvert color-map=viridis ! video/x-raw", [planes]
        )
        self.assert_fails(["5 x 3 x 2", "tomoslice"], "tomoconvert ! video/x-raw", [planes[:2]])
        self.assert_fails(["5 x 3 x 1", "width=(int)6"], f"tomoconvert {gray},width=6", [a])
        self.assert_fails(
            ["sink", "complex64"], "tomoconvert ! video/x-raw", [random_array(np.complex64, (3, 5))]
        )
        with self.assertRaises(GLib.Error):
            run("videotestsrc num-buffers=1 ! video/x-raw,format=RGB ! tomoconvert")


if __name__ == "__main__":
    main()
