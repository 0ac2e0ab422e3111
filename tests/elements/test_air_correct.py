# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoaircorrect against means in double precision."""

from tomotest import *
from elementtest import ElementTestCase

LINE = "tomoaircorrect name=a SRC0 ! {} a.projections SRC1 ! {} a.air a. ! SINK"
TOLERANCE = 1e-6


class AirCorrect(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomoaircorrect", {})

    def test_projections(self):
        for shape, region in (((7, 11), (3, 4)), ((1, 5), (1, 1)), ((13, 1), (129, 67))):
            for memory in ("", "tomoupload !"):
                p = [rng.uniform(0, 1, shape).astype(np.float32) for _ in range(3)]
                air = [rng.uniform(0.5, 1.5, region).astype(np.float32) for _ in range(3)]
                air[1][0, 0] = np.nan if air[1].size > 1 else 1
                for out, image, part in zip(run(LINE.format(memory, memory), p, air), p, air, strict=True):
                    self.assert_close(out, image / np.nanmean(part, dtype=float), TOLERANCE)

    def test_sinograms(self):
        """Their rows are views, and one region serves all of them."""
        p = [rng.uniform(0, 1, (2, 7, 5)).astype(np.float32) for _ in range(3)]
        air = rng.uniform(0.5, 1.5, (4, 7, 3)).astype(np.float32)
        air[2, 3, 1] = np.inf
        means = np.where(np.isfinite(air), air, np.nan)
        means = np.nanmean(means.astype(float), axis=(0, 2))
        results = run("tomoaircorrect name=a SRC0 ! tomotransposeprojections ! a.projections SRC1 ! "
                      "tomotransposeprojections ! tomostack number=4 ! a.air a. ! SINK",
                      list(np.concatenate(p).transpose(1, 0, 2).copy()), list(air.transpose(1, 0, 2).copy()))
        self.assert_close(np.array(results), np.concatenate(p) / means[:, None], TOLERANCE)

    def test_errors(self):
        image = np.ones((5, 4), np.float32)
        self.assert_fails(["wanted as many planes"], LINE.format("", ""), [image], [np.ones((2, 5, 4), np.float32)])


if __name__ == "__main__":
    main()
