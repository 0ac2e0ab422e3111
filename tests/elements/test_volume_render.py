# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomovolumerender against float64 sums along rays, and against projections."""

from tomotest import *
from elementtest import ElementTestCase, Stream


def sampled(volume, x, y, z):
    """Linear between voxel centres, continued up to the edges."""
    result = 0.0
    places = [np.asarray(p) - 0.5 for p in (x, y, z)]
    floors = [np.floor(p).astype(int) for p in places]
    for corner in np.ndindex(2, 2, 2):
        index, weight = [], 1.0
        for place, low, c, n in zip(places, floors, corner, volume.shape[::-1]):
            index.append(np.clip(low + c, 0, n - 1))
            weight = weight * (place - low if c else 1 - (place - low))
        with np.errstate(invalid="ignore"):
            result = result + weight * volume[index[2], index[1], index[0]]
    return result


def shaded(volume, place, ahead):
    d = np.eye(3)
    slope = np.array([float(sampled(volume, *(place + k))) - float(sampled(volume, *(place - k))) for k in d])
    return abs(slope @ ahead) / np.linalg.norm(slope) if np.linalg.norm(slope) > 0 else 1.0


def rendered(volume, width, height, mode="emission", angle=0.0, elevation=0.0, zoom=1.0, step=0.0, threshold=0.0, slope=1.0,
             constant=0.0, displacement=0.0, size=None, binning=1):
    """`size`: of the volume in voxels where these are binned, and may reach beyond it."""
    volume = np.asarray(volume, np.float64)
    size = np.array(volume.shape[::-1] if size is None else size, float)
    diagonal, edge = np.linalg.norm(size), size.max()
    pixel = diagonal / min(width, height) / zoom
    along = step * edge or 1.0
    begin = -diagonal / 2 + max(0.0, displacement * edge)
    right = np.array([np.cos(angle), np.sin(angle), 0])
    ahead = np.array([-np.sin(angle) * np.cos(elevation), np.cos(angle) * np.cos(elevation), np.sin(elevation)])
    down = np.cross(right, ahead)
    result = np.zeros((height, width))
    t = begin + (np.arange(max(0, int(np.ceil((diagonal / 2 - begin) / along)))) + 0.5) * along
    for j, i in np.ndindex(height, width):
        origin = size / 2 + (i + 0.5 - width / 2) * pixel * right + (j + 0.5 - height / 2) * pixel * down
        places = origin + t[:, None] * ahead
        inside = np.all((places >= 0) & (places <= size), axis=1)
        values = sampled(volume, *places[inside].T)
        finite = np.isfinite(values)
        places, values, ts = places[inside][finite], values[finite], t[inside][finite]
        if mode == "maximum":
            result[j, i] = values.max(initial=-np.inf) if len(values) else 0.0
        elif mode == "sum":
            result[j, i] = values.sum() * along * binning
        elif mode == "emission":
            a = np.where(values > threshold, np.clip(slope * (values - threshold) + constant, 0, 1), 0)
            a = 1 - (1 - a) ** (along * binning)
            passing = np.concatenate([[1.0], np.cumprod(1 - a)[:-1]])
            result[j, i] = (passing * a * values).sum()
        else:
            hits = np.flatnonzero(values > threshold)
            if len(hits):
                k = hits[0]
                past = (values[k] - threshold) / (values[k] - values[k - 1]) * along if k > 0 else 0.0
                result[j, i] = shaded(volume, origin + (ts[k] - past) * ahead, ahead)
    return result


def blobs(shape):
    """Smooth, so that pictures do not hang on the rounding of a place."""
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    volume = np.zeros(shape)
    for _ in range(5):
        cz, cy, cx = rng.uniform(-0.6, 0.6, 3)
        volume += rng.uniform(0.3, 1) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2) / rng.uniform(0.05, 0.3))
    return volume.astype(np.float32)


class VolumeRender(ElementTestCase):
    def check(self, result, wanted, tolerance=1e-3):
        # A sample at the edge may be in or out.
        far = np.abs(result - wanted) > 1e-2 * np.abs(wanted).max()
        self.assertLessEqual(far.mean(), 0.03, f"(seed {SEED})")
        self.assert_close(result[~far], wanted[~far], tolerance)

    def test_properties(self):
        big = float(np.finfo(np.float32).max)
        tiny = float(np.finfo(np.float32).tiny)
        self.check_properties("tomovolumerender", {
            "width": (512, 1, 32768), "height": (512, 1, 32768), "num-generate": (1, 1, 2**32 - 1), "angle": (0.0, -big, big),
            "delta": (0.025, -big, big), "elevation": (0.0, -big, big), "zoom": (1.0, tiny, big), "mode": ("emission", {"emission", "maximum", "sum", "first-hit"}),
            "step": (0.0, 0.0, big), "threshold": (0.0, -big, big), "slope": (1.0, -big, big), "constant": (0.0, -big, big),
            "displacement": (0.0, -big, big), "max-memory": (0, 0, 2**64 - 1)})

    def test_modes_and_views(self):
        for mode in ("emission", "maximum", "sum", "first-hit"):
            for _ in range(3):
                volume = blobs(tuple(rng.integers(5, 14, 3)))
                p = {"angle": rng.uniform(-4, 4), "elevation": rng.uniform(-2, 2), "zoom": rng.uniform(0.7, 1.5),
                     "step": rng.uniform(0.03, 0.1), "threshold": rng.uniform(0.1, 0.4)}
                if mode == "emission":
                    p |= {"slope": rng.uniform(0.1, 0.5), "constant": rng.uniform(-0.1, 0.2)}
                if rng.random() < 0.5:
                    p["displacement"] = rng.uniform(-0.5, 0.8)
                with self.subTest(mode=mode, **p):
                    words = " ".join(f"{k}={v!r}" for k, v in p.items())
                    (result,) = run(f"tomovolumerender mode={mode} width=17 height=13 {words}", list(volume))
                    wanted = rendered(volume, 17, 13, mode, **p)
                    self.check(result, wanted, 2e-2 if mode == "first-hit" else 1e-3)

    def test_projection(self):
        """The sum from the side is the sum over y; from above that over z."""
        volume = blobs((8, 12, 10))
        zoom = np.linalg.norm(volume.shape) / 24  # a pixel is a voxel
        (side,), (top,) = (run(f"tomovolumerender mode=sum width=24 height=24 zoom={zoom!r} step={1 / 12 / 64!r} {view}",
                               list(volume)) for view in ("", f"elevation={np.pi / 2!r}"))
        self.assert_close(side[8:-8, 7:-7], volume.sum(axis=1), 2e-3)
        # From above, y grows upwards.
        self.assert_close(top[6:-6, 7:-7], volume.sum(axis=0)[::-1], 2e-3)

    def test_turning_views(self):
        volume = blobs((8, 9, 7))
        results = run("tomovolumerender mode=sum width=9 height=8 num-generate=4 angle=0.3 delta=-0.7", [volume])
        self.assertEqual(len(results), 4)
        for i, result in enumerate(results):
            self.check(result, rendered(volume, 9, 8, "sum", angle=0.3 - 0.7 * i))

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                volume = (100 * np.abs(blobs((5, 6, 7)))).astype(FORMATS[name])
                (result,) = run("tomovolumerender mode=sum width=8 height=8 angle=1", list(volume))
                self.check(result, rendered(volume.astype(float), 8, 8, "sum", angle=1.0), 2e-3)

    def test_sizes(self):
        for shape in ((1, 1, 1), (1, 1, 9), (7, 1, 1), (1, 5, 1), (2, 31, 3)):
            with self.subTest(shape=shape):
                volume = random_array(np.float32, shape)
                for mode in ("sum", "maximum"):
                    (result,) = run(f"tomovolumerender mode={mode} width=6 height=5 angle=0.4 elevation=0.3 step=0.05",
                                    [volume])
                    self.check(result, rendered(volume, 6, 5, mode, angle=0.4, elevation=0.3, step=0.05))

    def test_binning(self):
        """A volume that does not fit is halved, whether its slices are counted before or not."""
        volume = blobs((13, 11, 10))
        for limit, k in ((4 * 7 * 6 * 5, 2), (4 * 4 * 3 * 3, 4), (4, 16)):
            size = np.array(volume.shape[::-1]) / k
            padded = np.full([int(np.ceil(n / k)) * k for n in volume.shape], np.nan)
            padded[: volume.shape[0], : volume.shape[1], : volume.shape[2]] = volume
            cut = padded.reshape(padded.shape[0] // k, k, padded.shape[1] // k, k, padded.shape[2] // k, k)
            binned = np.nanmean(cut, axis=(1, 3, 5))
            wanted = rendered(binned, 12, 12, "sum", angle=0.7, size=size, binning=k)
            for arrays in (list(volume), [volume]):
                with self.subTest(limit=limit, arrays=len(arrays)), \
                        Stream(f"tomovolumerender mode=sum width=12 height=12 angle=0.7 max-memory={limit}") as stream:
                    for array in arrays:
                        stream.push(array)
                    stream.end()
                    (result,) = stream.finish()
                    self.check(result, wanted)
                    told = [m.get_structure() for m in stream.messages
                            if m.get_structure() and m.get_structure().get_name() == "tomo-effective"]
                    self.assertEqual(told[-1].get_uint("binning")[1], k)

    def test_not_finite_is_air(self):
        volume = blobs((7, 8, 9))
        holes = volume.copy()
        holes[3, 4, 5], holes[2, 2, 2] = np.nan, np.inf
        for mode in ("sum", "maximum", "emission"):
            (result,) = run(f"tomovolumerender mode={mode} width=10 height=10 angle=0.5", [holes])
            self.assertTrue(np.isfinite(result).all())
            self.check(result, rendered(holes, 10, 10, mode, angle=0.5))

    def test_changes_and_states(self):
        volumes = [blobs((4, 5, 6)), blobs((3, 7, 4))]
        wanted = [rendered(v, 6, 6, "sum") for v in volumes]
        results = run("tomovolumerender mode=sum width=6 height=6", [*volumes[0], *volumes[1]])
        for result, one in zip(results, wanted, strict=True):
            self.check(result, one)
        self.check_memory("tomovolumerender mode=sum width=6 height=6", list(volumes[0]), reference=wanted[:1], tolerance=1e-3)
        with Stream("tomovolumerender mode=sum width=6 height=6", play=False) as stream:
            for _ in range(2):
                stream.sent = [0]
                stream.play()
                for plane in volumes[0]:
                    stream.push(plane)
                self.check(stream.finish()[-1], wanted[0])
                stream.pipeline.set_state(Gst.State.READY)


if __name__ == "__main__":
    main()
