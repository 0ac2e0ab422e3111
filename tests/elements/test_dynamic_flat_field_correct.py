# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomodynamicflatfieldcorrect against the least total variation in double precision, and its drifting flats."""

from tomotest import *
from elementtest import ElementTestCase, Stream
from scipy.optimize import minimize

FLATS = 24
LINE = ("tomodynamicflatfieldcorrect name=f {} SRC0 ! {} f.projections  SRC1 ! f.darks  "
        "SRC2 ! tomostack number=1000 ! f.flats  f. ! SINK")


class Beam:
    """Whose two modes drift; noise of counts, and a disc in front of it."""

    def __init__(self, shape, noise=20.0, views=3, modes=2):
        rows, columns = np.mgrid[:shape[0], :shape[1]] / max(shape)
        self.mean = 10000 * (1 + 0.2 * np.sin(9 * columns + 4 * rows))
        self.modes = [900 * np.sin(31 * rows + 5 * columns), 500 * np.cos(25 * columns - 14 * rows)][:modes]
        self.dark = rng.uniform(90, 110, shape).astype(np.float32)

        def flat():
            return self.mean + sum(rng.choice([-1, 1]) * rng.uniform(0.4, 1) * mode for mode in self.modes)

        def counts(image):
            return (self.dark + image + rng.normal(0, noise, shape)).astype(np.float32)

        self.flats = [counts(flat()) for _ in range(FLATS)]
        self.truth = 1 - 0.6 * ((rows - 0.5) ** 2 + (columns - 0.45) ** 2 < 0.09)
        self.projections = [counts(flat() * self.truth) for _ in range(views)]


def bins(image, size):
    height, width = (n // size for n in image.shape)
    return image[:height * size, :width * size].reshape(height, size, width, size).mean((1, 3))


def without_noise(component, noise):
    """A quadratic surface for the pixels around, and what deviates from it by more than noise."""
    j, i = np.mgrid[-3:4, -3:4].reshape(2, -1)
    surfaces = np.stack([np.ones(49), i, j, i * i, j * j, i * j], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(component, 3, mode="edge"), (7, 7)).reshape(-1, 49).T
    fits, squares, *_ = np.linalg.lstsq(surfaces, windows, rcond=None)
    fit, kept = fits[0], np.clip(1 - noise / (squares / 43), 0, 1)
    return (fit + kept * (component.ravel() - fit)).reshape(component.shape)


def least_variation(beam, count, size, denoise):
    """The statement of Van Nieuwenhove et al., 2015."""
    flats = np.array(beam.flats, float) - beam.dark
    mean = flats.mean(0)
    off = (flats - mean).reshape(FLATS, -1)
    values, vectors = np.linalg.eigh(off @ off.T)
    components = (vectors[:, ::-1][:, :count].T @ off).reshape(count, *mean.shape)
    if denoise:
        noise = values[:-count].sum() / mean.size / (FLATS - 1 - count)
        components = np.array([without_noise(component, noise) for component in components])
    small_mean, small = bins(mean, size), np.array([bins(c, size) for c in components])
    smoothing = 1e-3 * small_mean.mean()
    results = []
    for projection in beam.projections:
        view = bins(projection.astype(float) - beam.dark, size)

        def cost(scaled):
            flat = small_mean + np.tensordot(scaled / np.sqrt(FLATS), small, 1)
            image = view / flat * flat.mean()
            right, below = np.diff(image, axis=1)[:-1], np.diff(image, axis=0)[:, :-1]
            return np.sqrt(right**2 + below**2 + smoothing**2).sum()

        start = cost(np.zeros(count))
        found = minimize(lambda w: cost(w) / start, np.zeros(count), method="BFGS", options={"gtol": 1e-9})
        flat = mean + np.tensordot(found.x / np.sqrt(FLATS), components, 1)
        results.append((projection - beam.dark.astype(float)) / flat)
    return results


class DynamicFlatFieldCorrect(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomodynamicflatfieldcorrect", {
            "absorption-correct": False, "fix-nan-and-inf": False, "components": (0, 0, 8), "denoise": True, "downsampling": (0, 0, 1024)})

    def corrected(self, beam, properties="", memory=""):
        return run(LINE.format(properties, memory), beam.projections, [beam.dark], beam.flats)

    def test_least_variation(self):
        for shape, size, count, denoise in (((61, 83), 1, 2, False), ((131, 67), 3, 1, True), ((64, 96), 2, 4, False),
                                            ((47, 53), 1, 2, True)):
            beam = Beam(shape)
            wanted = least_variation(beam, count, size, denoise)
            for memory in ("", "tomoupload !"):
                with self.subTest(shape=shape, downsampling=size, components=count, denoise=denoise, memory=memory):
                    properties = f"components={count} downsampling={size} denoise={str(denoise).lower()}"
                    results = self.corrected(beam, properties, memory)
                    for result, reference in zip(results, wanted, strict=True):
                        self.assert_close(result, reference, 2e-4)

    def test_noise_of_components(self):
        """Few noisy flats: without noise in their components, less of it is in what does not move."""
        beam = Beam((90, 110), noise=300.0)
        beam.projections = [(beam.dark + (beam.mean + w * beam.modes[0] - w * beam.modes[1])).astype(np.float32)
                            for w in (-1.0, 0.9)]
        # The noise of the mean is the same in both, that of components is not.
        noise = [np.std(np.divide(*self.corrected(beam, f"components=2 denoise={d}"))) for d in ("true", "false")]
        print("noise of components: %.4f of the transmission, %.4f of it with denoise=false" % tuple(noise))
        self.assertLess(noise[0], noise[1] / 1.5)

    def test_drift_is_followed(self):
        """Against one flat for all; and as many components are found as there are modes."""
        for modes in (0, 1, 2):
            beam = Beam((150, 170), modes=modes)
            with Stream(LINE.format("", ""), inputs=3) as stream:
                for source, arrays in enumerate((beam.projections, [beam.dark], beam.flats)):
                    for array in arrays:
                        stream.push(array, source)
                results = stream.finish()
                (told,) = stream.element_messages("tomo-effective")
            self.assertEqual(told.get_uint("components")[1], modes)
            mean = np.mean(beam.flats, 0, dtype=float) - beam.dark
            for result, projection in zip(results, beam.projections, strict=True):
                # But for a factor, which nothing tells.
                ratio, plain = result / beam.truth, (projection - beam.dark) / mean / beam.truth
                error, error_of_plain = (np.std(r) / np.mean(r) for r in (ratio, plain))
                print(f"{modes} modes: {error:.4f} of the transmission, {error_of_plain:.4f} by the mean flat")
                self.assertLess(error, 0.006)  # the noise of this beam
                if modes:
                    self.assertGreater(error_of_plain, 2 * error)

    def test_flats_after_count_as_well(self):
        beam = Beam((40, 50))
        line = LINE.replace("f. !", "SRC3 ! tomostack number=1000 ! f.flats-after  f. !").format("components=2", "")
        for some, others in ((beam.flats[:7], beam.flats[7:]),):
            results = run(line, beam.projections, [beam.dark], some, [f.astype(np.float64) for f in others])
            for result, reference in zip(results, self.corrected(beam, "components=2"), strict=True):
                self.assert_close(result, reference, 1e-4)

    def test_absorption_and_defects(self):
        beam = Beam((50, 40))
        for array in (*beam.flats, *beam.projections):
            array[7, 9] = beam.dark[7, 9]
            array[11, 5] = np.nan
        plain = self.corrected(beam, "components=2")
        absorption = self.corrected(beam, "components=2 absorption-correct=true fix-nan-and-inf=true")
        for p, a in zip(plain, absorption, strict=True):
            self.assertTrue(np.isfinite(a).all())
            self.assertEqual((a[7, 9], a[11, 5]), (0, 0))
            good = np.isfinite(p) & (p > 0)
            self.assertGreaterEqual(good.sum(), good.size - 2)
            self.assert_close(a[good], -np.log(p[good].astype(float)), 1e-5)

    def test_sizes(self):
        """One row, one column, one pixel, depth."""
        for shape in ((1, 40), (40, 1), (1, 1)):
            beam = Beam(shape)
            for result in self.corrected(beam):
                self.assertTrue(np.isfinite(result).all())
        beam = Beam((30, 20))
        stack = "tomostack number=3 !"
        (together,) = self.corrected(beam, "components=2", stack)
        self.assert_close(together, np.array(self.corrected(beam, "components=2")), 1e-5)
        self.assert_fails(["20 x 30", "same width"], LINE.format("", ""), beam.projections, [beam.dark[1:]], beam.flats)

    def test_too_few_flats(self):
        beam = Beam((30, 20))
        line = "tomodynamicflatfieldcorrect name=f {} SRC0 ! f.projections  SRC1 ! f.darks  SRC2 {} ! f.flats  f. ! SINK"
        self.assert_fails(["f: ", "1 flat came", "at least 3", "tomostack"],
                          line.format("", ""), beam.projections, [beam.dark], beam.flats)
        self.assert_fails(["f: ", "4 flats came", "4 components", "at least 5"],
                          line.format("components=4", "! tomostack number=4"), beam.projections, [beam.dark], beam.flats[:4])

    def test_sinograms_are_refused(self):
        line = LINE.replace("SRC0 !", "SRC0 ! tomotransposeprojections number=3 !").format("", "")
        self.assert_fails(["f: ", "whole projections"], line, Beam((30, 20)).projections, [Beam((30, 20)).dark], Beam((30, 20)).flats)


if __name__ == "__main__":
    main()
