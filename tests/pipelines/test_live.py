# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slices while the sample turns: a camera's frames, with jitter, lost and repeated ones, against what is reconstructed behind."""

from pipetest import *
from tomoref import disc, line_integrals
from livetest import axis_plane, slice_of

WIDTH, ROWS, VIEWS, AXIS = 48, 6, 60, 22.7
STEP = np.pi / VIEWS
BEAM, DARK = 40000.0, 200.0


class Beamline:
    """A turning sample before a camera: discs in an upper and a lower half, and what the camera counts of them."""

    def __init__(self, angles, moving=0.0):
        self.angles, self.moving = angles, moving
        self.flat = BEAM * (0.9 + 0.1 * rng.random((ROWS, WIDTH))).astype(np.float32)

    def discs(self, n):
        return [disc(5 - self.moving * n, 3, 6, 0.02), disc(-9, -8, 4, 0.05)], [disc(-3, 7, 5, 0.03)]

    def frame(self, n):
        upper, lower = (line_integrals(discs, [self.angles[n]], WIDTH, AXIS)[0] for discs in self.discs(n))
        transmission = np.exp(-np.stack([upper] * (ROWS // 2) + [lower] * (ROWS // 2)))
        return np.round((self.flat - DARK) * transmission + DARK + rng.normal(0, 20, (ROWS, WIDTH))).astype(np.uint16)

    def corrected(self, frame):
        return -np.log((frame.astype(np.float64) - DARK) / (self.flat.astype(np.float64) - DARK)).astype(np.float32)


class Live(PipelineTestCase):
    def play(self, beamline, options, slices, pads):
        """A camera that the test feeds; slices come to the sinks k0, k1 ..."""
        for folder, image in (("darks", np.full((ROWS, WIDTH), DARK, np.float32)), ("flats", beamline.flat)):
            os.makedirs(folder, exist_ok=True)
            tifffile.imwrite(f"{folder}/0.tif", image)
        sinks = " ".join(f"s.src_{n} ! appsink name=k{n} sync=false async=false wait-on-eos=false" for n in range(pads))
        play = Play(f"appsrc name=camera format=time is-live=true max-bytes=0 caps=video/x-raw,format=GRAY16_LE,width={WIDTH},height={ROWS},framerate=0/1 "
                    "! tomoconvert ! f.projections tomoread path=darks ! f.darks tomoread path=flats ! f.flats tomoflatfieldcorrect name=f "
                    f"absorption-correct=true ! tomorampfilter ! tomoprojectionring {options} ! tomoliveslices name=s axis-pos={AXIS} {slices} {sinks}")
        play.pipeline.set_state(Gst.State.PLAYING)
        return play

    def shoot(self, play, frame, number, time):
        buffer = Gst.Buffer.new_wrapped(frame.tobytes())
        buffer.pts, buffer.offset = round(time * Gst.SECOND), number
        self.assertEqual(play["camera"].emit("push-buffer", buffer), Gst.FlowReturn.OK)

    def end(self, play):
        play["camera"].emit("end-of-stream")
        message = play.until(Gst.MessageType.EOS)
        self.assertEqual(message.type, Gst.MessageType.EOS, play.errors())

    def slices(self, play, pad):
        samples = []
        while sample := play[f"k{pad}"].try_pull_sample(0):
            samples.append(sample)
        return samples

    def filtered(self, beamline, frames):
        return run("tomorampfilter", [beamline.corrected(frame) for frame in frames])

    def test_times_with_jitter_lost_and_repeated_frames(self):
        """Slices are those that the same frames give behind, at the angles at which they were taken."""
        speed = 2.0
        angles = np.arange(VIEWS + 40) * STEP + rng.uniform(-0.2, 0.2, VIEWS + 40) * STEP
        angles[0] = 0.0
        angles[VIEWS:] += STEP / 2  # between those of the half turn before
        taken = [n for n in range(VIEWS + 40) if n not in (7, 20, 21, 50)]
        taken.insert(30, taken[30])
        beamline = Beamline(angles)
        frames = [beamline.frame(n) for n in taken]
        with self.play(beamline, f"views={VIEWS} speed={speed}", "planes=\"z=-0.5;x=3\" drop=false every=20", 2) as play:
            for n, frame in zip(taken, frames):
                self.shoot(play, frame, n, angles[n] / speed)
            self.end(play)
            filtered = self.filtered(beamline, frames)
            for pad, (normal, offset) in enumerate((("z", -0.5), ("x", 3))):
                samples = self.slices(play, pad)
                self.assertEqual(len(samples), (len(taken) - VIEWS) // 20 + 1)
                for k, sample in enumerate(samples):
                    window = slice(20 * k, 20 * k + VIEWS)
                    times = [round(angles[n] / speed * Gst.SECOND) / Gst.SECOND for n in taken]
                    wanted = slice_of(filtered[window], speed * np.array(times[window]), AXIS, axis_plane(normal, offset, (ROWS, WIDTH), AXIS))
                    self.assert_close(to_array(sample), wanted, 2e-5)
                    self.assertEqual(sample.get_buffer().pts, round(angles[taken[window.stop - 1]] / speed * Gst.SECOND))

    def test_numbers_of_frames_tell_their_angles(self):
        """Through conversion and flat field: those behind a lost frame keep their angles."""
        taken = [n for n in range(VIEWS + 6) if n not in (9, 10, 31)]
        beamline = Beamline(np.arange(VIEWS + 6) * STEP)
        frames = [beamline.frame(n) for n in taken]
        with self.play(beamline, f"views={VIEWS - 3} angle-step={STEP}", "planes=z=0 drop=false every=6", 1) as play:
            for n, frame in zip(taken, frames):
                self.shoot(play, frame, n, n / 100)
            self.end(play)
            first, second = self.slices(play, 0)
        filtered = self.filtered(beamline, frames)
        for sample, window in (first, slice(0, VIEWS - 3)), (second, slice(6, VIEWS + 3)):
            wanted = slice_of(filtered[window], STEP * np.array(taken[window]), AXIS, axis_plane("z", 0, (ROWS, WIDTH), AXIS))
            self.assert_close(to_array(sample), wanted, 2e-5)

    def test_an_object_that_moves_is_where_it_is(self):
        beamline = Beamline(np.arange(5 * VIEWS) * STEP, moving=0.02)
        frames = [beamline.frame(n) for n in range(5 * VIEWS)]
        with self.play(beamline, f"views={VIEWS} angle-step={STEP}", f"planes=z=-1 drop=false every={2 * VIEWS}", 1) as play:
            for n, frame in enumerate(frames):
                self.shoot(play, frame, n, n / 100)
            self.end(play)
            samples = self.slices(play, 0)
        self.assertEqual(len(samples), 3)
        columns, rows = np.arange(WIDTH) + 0.5 - AXIS, np.arange(WIDTH)[:, None] + 0.5 - AXIS
        for k, sample in enumerate(samples):
            x = 5 - 0.02 * (2 * VIEWS * k + VIEWS / 2)
            near = (columns - x) ** 2 + (rows - 3) ** 2 < 8.5 ** 2
            found = to_array(sample) * near
            self.assertAlmostEqual((found * columns).sum() / found.sum(), x, delta=0.3)
            self.assertAlmostEqual(found.sum() / (0.02 * np.pi * 36), 1.0, delta=0.1)

    def test_a_plane_on_demand(self):
        """While frames come, a new plane is there within a few of them."""
        beamline = Beamline(np.arange(4 * VIEWS) * STEP)
        frames = [beamline.frame(n) for n in range(2 * VIEWS)]
        with self.play(beamline, f"views={VIEWS} angle-step={STEP}", "planes=z=0", 1) as play:
            for n in range(VIEWS):
                self.shoot(play, frames[n], n, n / 100)
            self.assertEqual(to_array(play["k0"].try_pull_sample(PATIENCE * Gst.SECOND)).shape, (WIDTH, WIDTH))
            self.assertTrue(play["s"].emit("show", 0, "y=2,width=10,height=4"))
            seen = None
            for n in range(VIEWS, 2 * VIEWS):
                self.shoot(play, frames[n], n, n / 100)
                sample = play["k0"].try_pull_sample(PATIENCE * Gst.SECOND)
                if to_array(sample).shape == (4, 10):
                    seen = sample.get_buffer().pts
                    break
            self.assertIsNotNone(seen)
            self.assertLessEqual(n - VIEWS, 3)

    def test_the_line_of_the_guide(self):
        """A camera of GStreamer, an encoder behind, and a pad that nobody asked for."""
        os.makedirs("darks"), os.makedirs("flats")
        for folder, value in ("darks", 10), ("flats", 60000):
            tifffile.imwrite(f"{folder}/0.tif", np.full((24, 32), value, np.uint16))
        self.assert_launches("videotestsrc num-buffers=260 pattern=ball ! video/x-raw,format=GRAY16_LE,width=32,height=24 ! tomoconvert ! f.projections "
                             "tomoread path=darks ! f.darks tomoread path=flats ! f.flats tomoflatfieldcorrect name=f absorption-correct=true ! tomorampfilter "
                             "! tomoprojectionring views=180 angle-step=0.01745 ! tomoliveslices name=s planes=x=0;y=0;z=0 axis-pos=16 drop=false every=10 "
                             "s.src_0 ! tomoconvert ! fakesink s.src_1 ! tomoconvert ! jpegenc ! multifilesink location=live-%d.jpg")
        self.assertEqual(len([name for name in os.listdir() if name.endswith(".jpg")]), 9)

    def test_no_leaks(self):
        for n in range(12):
            os.makedirs("in", exist_ok=True)
            tifffile.imwrite(f"in/{n:02}.tif", rng.standard_normal((5, 9)).astype(np.float32))
        line = ("tomoread path=in ! tomoprojectionring views=8 angle-step=0.4 ! tomoliveslices name=s planes=z=0;x=1 axis-pos=4.5 "
                "s.src_1 ! tomonull download=true s.src_0 ! tomonull")
        self.assert_no_leaks(line)
        self.assert_no_leaks(line.replace("angle-step=0.4", ""), rc=1)


if __name__ == "__main__":
    main()
