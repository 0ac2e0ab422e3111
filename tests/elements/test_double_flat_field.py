# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomodoubleflatfield against its float64 statement: of sinograms, and of projections with their mean."""

from tomotest import *
from ringtest import RingTestCase, phantom, ring_energy
import ring_removal

WITH_AVERAGE = "tomodoubleflatfield name=d sigma={} ! SINK  SRC0 ! d.projections  SRC1 ! d.average"


def transmission(dtype, shape):
    """Positive, so that factors are."""
    values = rng.uniform(0.5, 1.5, shape)
    return (values * 60).astype(dtype) if np.dtype(dtype).kind in "ui" else values.astype(dtype)


class DoubleFlatField(RingTestCase):
    def test_properties(self):
        self.check_properties("tomodoubleflatfield", {"sigma": (15.0, 0.0, 1000.0)})

    def test_sinograms(self):
        self.check_filter("tomodoubleflatfield sigma=2.5",
                          lambda a: ring_removal.double_flat_field_of_sinogram(a, 2.5), make=transmission)

    def test_sinograms_without_blur(self):
        for shape in (1, 1), (17, 1), (1, 13), (31, 37):
            self.check("tomodoubleflatfield sigma=0", [transmission(np.float32, shape)],
                       lambda a: ring_removal.double_flat_field_of_sinogram(a, 0.0))

    def test_means_without_a_factor(self):
        """Signs of both kinds, dead columns, and values that are not finite."""
        for sigma in 0, 3:
            def reference(a):
                return ring_removal.double_flat_field_of_sinogram(a, sigma)

            self.check_not_finite(f"tomodoubleflatfield sigma={sigma}", reference)
            dead = transmission(np.float32, (5, 11))
            dead[:, 4] = 0
            self.check(f"tomodoubleflatfield sigma={sigma}", [dead], reference)

    def test_means_below_0(self):
        """Leave their pixels, also where the blurred mean is below 0 as well."""
        image = transmission(np.float32, (7, 40))
        image[:, 15:30] *= -1
        below = image.mean(axis=0) < 0
        for sigma in 0, 2:
            (result,) = run(f"tomodoubleflatfield sigma={sigma}", [image])
            np.testing.assert_array_equal(result[:, below], image[:, below])
            self.assert_close(result, ring_removal.double_flat_field_of_sinogram(image.astype(np.float64), sigma), 1e-6)
            (result,) = run(WITH_AVERAGE.format(sigma), [image], [image])
            np.testing.assert_array_equal(result[:, below], image[:, below])

    def test_projections(self):
        for sigma, shape in (0, (5, 7, 9)), (1.5, (6, 1, 13)), (2, (3, 17, 1)), (4, (4, 31, 37)):
            projections = transmission(np.float32, shape)
            projections[rng.integers(shape[0]), 0, 0] = np.nan
            if sigma:
                projections[:, shape[1] // 2, shape[2] // 2] = np.nan
            wanted = ring_removal.double_flat_field(projections.astype(np.float64), sigma)
            mean = ring_removal.column_means(projections.reshape(shape[0], -1)).reshape(shape[1:])
            for result, one in zip(run(WITH_AVERAGE.format(sigma), projections, [mean.astype(np.float32)]), wanted,
                                   strict=True):
                known = np.isfinite(one)
                np.testing.assert_array_equal(np.isfinite(result), known)
                self.assert_close(result[known], one[known], 1e-6)

    def test_mean_of_the_input(self):
        """Of several arrays at `average` the mean is taken; formats may differ, and stacks share one plane."""
        projections = transmission(np.float32, (5, 2, 11, 13))
        average = transmission(np.uint16, (7, 11, 13))
        mean = average.astype(np.float64).mean(axis=0)
        factors = ring_removal.double_flat_field(mean[None], 2.0)[0] / mean
        for result, stack in zip(run(WITH_AVERAGE.format(2), projections, average), projections, strict=True):
            self.assert_close(result, stack * factors, 1e-6)

    def test_memory(self):
        a, m = [transmission(np.float32, (5, 7)) for _ in range(3)], [transmission(np.float32, (5, 7))]
        factors = ring_removal.double_flat_field(m[0][None].astype(np.float64), 2.0)[0] / m[0]
        line = "SRC0 ! d.projections  SRC1 ! d.average  tomodoubleflatfield name=d sigma=2"
        self.check_memory(line, a, m, reference=[p * factors for p in a], tolerance=1e-6)

    def test_removes_stripes(self):
        clean, striped = phantom()
        (result,) = run("tomodoubleflatfield sigma=5", [np.exp(-striped).astype(np.float32)])
        self.assertGreater(ring_energy(striped, clean) / ring_energy(-np.log(result), clean), 6)

    def test_errors(self):
        image = transmission(np.float32, (3, 5))
        self.assert_fails(["average is 4 x 3 x 1", "projections are 5 x 3 x 1"], WITH_AVERAGE.format(1), [image],
                          [transmission(np.float32, (3, 4))])
        self.assert_fails(["link the same projections", "average"],
                          "capssetter join=true caps=application/x-tomo-array,domain=projection ! tomodoubleflatfield",
                          [image])


if __name__ == "__main__":
    main()
