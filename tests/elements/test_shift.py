# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoshift against splines through the samples in double precision."""

from tomotest import *
from elementtest import ElementTestCase, Stream

KERNELS = {"nearest": 0, "linear": 1, "cubic": 2}
TOLERANCE = 3e-6


def weights(t, order):
    """Of the samples at -1, 0, 1, 2."""
    if order == 0:
        return [0, t < 0.5, t >= 0.5, 0]
    if order == 1:
        return [0, 1 - t, t, 0]
    return [(-t + 2 * t**2 - t**3) / 2, (2 - 5 * t**2 + 3 * t**3) / 2, (t + 4 * t**2 - 3 * t**3) / 2, (t**3 - t**2) / 2]


def along_rows(image, places, order):
    """The image at these columns; beyond its edges it goes on as at them."""
    whole = np.floor(places).astype(int)
    parts = weights(places - whole, order)
    last = image.shape[1] - 1
    return sum(part * image[:, np.clip(whole + k - 1, 0, last)] for k, part in enumerate(parts))


def shifted(image, x, y, order=2, rows=None):
    image = np.asarray(image, np.float64)
    height, width = image.shape
    rows = np.arange(height) if rows is None else rows
    moved = along_rows(image, np.arange(width) + x, order)
    return along_rows(moved.T, rows + y, order).T


def vector(values):
    return "<" + ",".join(f"{v!r}" for v in np.asarray(values, float).tolist()) + ">"


class Shift(ElementTestCase):
    def test_properties(self):
        names = {p.name for p in Gst.ElementFactory.make("tomoshift").list_properties() if p.owner_type.name == "GstTomoShift"}
        self.assertEqual(names - {"device"}, {"shifts-x", "shifts-y", "reverse", "addressing-mode", "interpolation", "y", "height", "y-step"})
        element = Gst.ElementFactory.make("tomoshift")
        self.assertEqual([len(element.get_property(name)) for name in ("shifts-x", "shifts-y")], [0, 0])
        self.assertEqual([element.get_property(name).value_nick for name in ("interpolation", "addressing-mode")], ["cubic", "clamp_to_edge"])

    def test_every_interpolation(self):
        for shape in ((7, 11), (1, 13), (13, 1), (64, 48)):
            images = [rng.uniform(-1, 1, shape).astype(np.float32) for _ in range(3)]
            x, y = rng.uniform(-3, 3, 3), rng.uniform(-3, 3, 3)
            for name, order in KERNELS.items():
                with self.subTest(shape=shape, interpolation=name):
                    line = f"tomoshift interpolation={name} shifts-x={vector(x)} shifts-y={vector(y)}"
                    for out, image, dx, dy in zip(run(f"SRC0 ! {line} ! SINK", images), images, x, y):
                        self.assert_close(out, shifted(image, dx, dy, order), TOLERANCE)

    def test_whole_pixels_change_nothing(self):
        image = rng.uniform(0, 1, (9, 8)).astype(np.float32)
        (out,) = run("SRC0 ! tomoshift shifts-x=<2.0> shifts-y=<-1.0> ! SINK", [image])
        np.testing.assert_array_equal(out, shifted(image, 2, -1).astype(np.float32))
        image[4, 4] = np.nan
        (out,) = run("SRC0 ! tomoshift shifts-x=<1.0> ! SINK", [image])
        self.assertEqual(np.isnan(out).sum(), 1)

    def test_one_direction_and_one_for_all(self):
        images = [rng.uniform(0, 1, (5, 6)).astype(np.float32) for _ in range(2)]
        for out, image in zip(run("SRC0 ! tomoshift shifts-y=<0.25> ! SINK", images), images):
            self.assert_close(out, shifted(image, 0, 0.25), TOLERANCE)

    def test_formats_and_device_memory(self):
        for name in REAL:
            image = rng.uniform(0, 100, (5, 9)).astype(FORMATS[name])
            for memory in ("", "tomoupload ! "):
                with self.subTest(format=name, memory=memory):
                    (out,) = run(f"SRC0 ! {memory}tomoshift shifts-x=<-0.5> ! SINK", [image])
                    self.assert_close(out, shifted(image, -0.5, 0), TOLERANCE)

    def test_stacks(self):
        """Each plane is a frame, also of the last stack, which has fewer; one displacement is for all."""
        images = [rng.uniform(0, 1, (5, 6)).astype(np.float32) for _ in range(7)]
        x, y = rng.uniform(-2, 2, 7), rng.uniform(-2, 2, 7)
        for number in (2, 3, 7):
            for dx, dy in ((x, y), (x, y[:1]), (x[:1], y[:1]), (x[:1], [])):
                with self.subTest(number=number, x=len(dx), y=len(dy)):
                    lists = f"shifts-x={vector(dx)}" + (f" shifts-y={vector(dy)}" if len(dy) else "")
                    results = run(f"SRC0 ! tomostack number={number} ! tomoshift {lists} ! SINK", images)
                    planes = [plane for result in results for plane in (result if result.ndim > 2 else [result])]
                    for out, image, i in zip(planes, images, range(7), strict=True):
                        wanted = shifted(image, dx[min(i, len(dx) - 1)], dy[min(i, len(dy) - 1)] if len(dy) else 0)
                        self.assert_close(out, wanted, TOLERANCE)

    def test_stacked_sinograms_move_by_their_rows(self):
        image, x = rng.uniform(0, 1, (3, 4, 9)).astype(np.float32), rng.uniform(-2, 2, 4)
        sinograms = "capssetter join=true caps=application/x-tomo-array,domain=sinogram"
        results = run(f"SRC0 ! {sinograms} ! tomoshift shifts-x={vector(x)} ! SINK", [image, image])
        for out in results:
            for view in range(4):
                self.assert_close(out[:, view], np.stack([shifted(p[view : view + 1], x[view], 0)[0] for p in image]), TOLERANCE)

    def test_displacements_change_while_it_runs(self):
        image = rng.uniform(0, 1, (5, 9)).astype(np.float32)
        with Stream("SRC0 ! tomoshift name=s shifts-x=<1.5> ! SINK") as stream:
            self.assert_close(stream.through(image), shifted(image, 1.5, 0), TOLERANCE)
            Gst.util_set_object_arg(stream["s"], "shifts-x", "<-0.5>")
            self.assert_close(stream.through(image), shifted(image, -0.5, 0), TOLERANCE)
            Gst.util_set_object_arg(stream["s"], "reverse", "x")
            self.assert_close(stream.through(image), shifted(image, 0.5, 0), TOLERANCE)

    def test_rows(self):
        image = rng.uniform(0, 1, (17, 6)).astype(np.float32)
        (out,) = run("SRC0 ! tomoshift shifts-x=<0.3> shifts-y=<1.7> y=3 height=4 y-step=3 ! SINK", [image])
        self.assert_close(out, shifted(image, 0.3, 1.7, rows=3 + 3 * np.arange(4)), TOLERANCE)

    def test_scan(self):
        """Displacements of the scan, in pixels of a detector that was binned and mirrored."""
        images = [rng.uniform(0, 1, (5, 8)).astype(np.float32) for _ in range(3)]
        x, y = rng.uniform(-2, 2, 3), rng.uniform(-2, 2, 3)
        lists = ", ".join(f"{name}=<" + ",".join(f"(double){v!r}" for v in values.tolist()) + ">"
                          for name, values in (("shifts-x", x), ("shifts-y", y)))
        structure = Gst.Structure.new_from_string(f"tomo-scan, angles=<>, binning-x=(double)2, binning-y=(double)-2, {lists}")
        event = Gst.Event.new_custom(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, structure)
        for reverse, (sx, sy) in {"none": (1, 1), "x": (-1, 1), "y": (1, -1), "both": (-1, -1)}.items():
            with Stream(f"SRC0 ! tomoshift reverse={reverse} ! SINK") as stream:
                for i, image in enumerate(images):
                    stream.push(image, event=event if i == 0 else None)
                for out, image, dx, dy in zip(stream.finish(), images, x, y, strict=True):
                    self.assert_close(out, shifted(image, sx * dx / 2, -sy * dy / 2), TOLERANCE)

    def test_errors(self):
        image = np.zeros((5, 6), np.float32)
        self.assert_fails(["no displacement is known"], "SRC0 ! tomoshift ! SINK", [image])
        self.assert_fails(["frame 2", "2 displacements"], "SRC0 ! tomoshift shifts-x=<1.0,2.0> ! SINK", [image] * 3)
        self.assert_fails(["1e+300"], "SRC0 ! tomoshift shifts-x=<1e300> ! SINK", [image])
        self.assert_fails(["do not lie in"], "SRC0 ! tomoshift shifts-x=<1.0> y=4 height=2 ! SINK", [image])


if __name__ == "__main__":
    main()
