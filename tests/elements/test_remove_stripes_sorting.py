# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoremovestripessorting against sorted columns."""

from stripestest import *


class RemoveStripesSorting(StripesTestCase):
    def test_properties(self):
        self.check_properties("tomoremovestripessorting", {**BATCH, "size": (21, 1, 1023)})

    def test_stripes(self):
        self.check_stripes("tomoremovestripessorting", stripes.remove_sorting, less_by=10)
        self.check_nan("tomoremovestripessorting", stripes.remove_sorting)
        self.check_batches("tomoremovestripessorting", stripes.remove_sorting)

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (5, 7)) for _ in range(3)]
        wanted = [by_plane(stripes.remove_sorting, a) for a in arrays]
        self.check_memory("tomoremovestripessorting", arrays, reference=wanted, tolerance=1e-6)
        self.check_state_cycles("tomoremovestripessorting", arrays, reference=wanted, tolerance=1e-6)

    def test_windows(self):
        """Exactly: nothing is computed but places. Larger than the image as well."""
        for size in (1, 2, 5, 200):
            self.check(f"tomoremovestripessorting size={size}", [random_array(np.float32, s) for s in ((31, 37), (2, 3))],
                       lambda p: stripes.remove_sorting(p, size), 0.0)

    def test_equal_values_keep_the_order_of_their_views(self):
        few = rng.integers(0, 3, (101, 97)).astype(np.float32)
        few[few == 0] *= rng.choice([-1, 1], (few == 0).sum())  # both zeros are equal
        few += np.linspace(0, 0.5, 97, dtype=np.float32)
        self.check("tomoremovestripessorting size=5", [few], lambda p: stripes.remove_sorting(p, 5), 0.0)

    def test_columns_of_any_length(self):
        """Longer than local memory, and than 65536 views."""
        for views in (4093, 5463, 8200):
            self.check("tomoremovestripessorting size=3", [random_array(np.float32, (views, 3))],
                       lambda p: stripes.remove_sorting(p, 3), 0.0)
        self.check("tomoremovestripessorting size=1", [random_array(np.float32, (65537, 1))], lambda p: p, 0.0)


if __name__ == "__main__":
    main()
