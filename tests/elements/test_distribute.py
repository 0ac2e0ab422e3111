# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomodistribute as an element: properties, formats, depths, states. tests/lib/test-distribute.cpp has the rest."""

import os

os.environ["POCL_DEVICES"] = "pthread pthread"  # two devices, before OpenCL is loaded
os.environ["GST_TOMO_DEVICES"] = "0,1"

from tomotest import *
from elementtest import ElementTestCase, Stream

FLIP = "tomodistribute description=tomoflip"


class Distribute(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomodistribute", {"description": None, "devices": None,
                                                 "on-failure": ("error", {"error", "continue"}),
                                                 "max-memory": (0, 0, 2**64 - 1), "whole-groups": False})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                arrays = [random_array(dtype, (3, 7)) for _ in range(9)]
                for array, result in zip(arrays, run(FLIP, arrays), strict=True):
                    np.testing.assert_array_equal(result, array[:, ::-1])

    def test_stacks_and_caps_changes(self):
        shapes = [(3, 7)] * 4 + [(2, 3, 7)] * 5 + [(1, 1)] * 3 + [(5, 2, 2)] * 2
        arrays = [random_array(np.float32, shape) for shape in shapes]
        for array, result in zip(arrays, run(FLIP, arrays), strict=True):
            np.testing.assert_array_equal(result, array[..., ::-1])

    def test_memory(self):
        arrays = [random_array(np.float32, (4, 5)) for _ in range(5)]
        self.check_memory(FLIP, arrays, reference=[a[:, ::-1] for a in arrays], tolerance=0)

    def test_state_cycles(self):
        arrays = [random_array(np.float32, (3, 5)) for _ in range(20)]
        self.check_state_cycles(FLIP, arrays, reference=[a[:, ::-1] for a in arrays], tolerance=0)

    def test_arrays_come_at_once(self):
        """None is held back for others: who waits for a result before giving more gets it."""
        with Stream('tomodistribute description="tomorampfilter ! tomobackproject"') as stream:
            for _ in range(5):
                stream.through(random_array(np.float32, (8, 12)))

    def test_errors(self):
        array = random_array(np.float32, (3, 5))
        self.assert_fails(["tomonull", "side by side", "sink"], "tomodistribute description=tomonull", [array])
        self.assert_fails(["devices=9", "0: "], f"{FLIP} devices=9", [array])
        self.assert_fails(["could not link tomofft"], 'tomodistribute description="tomofft ! tomobackproject"', [array])


if __name__ == "__main__":
    main()
