# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoflatfieldcorrect against its formula in double precision."""

from tomotest import *
from elementtest import ElementTestCase, Stream

TOLERANCE = 1e-6
SINK = "f. ! SINK"
INPUTS = "SRC0 ! f.projections  SRC1 ! f.darks  SRC2 ! f.flats"


def line(properties=""):
    return f"tomoflatfieldcorrect name=f {properties}  {INPUTS}  f. ! SINK"


def darks(shape, dtype=np.float32):
    return rng.uniform(1, 10, shape).astype(dtype)


def flats(shape, dtype=np.float32):
    return rng.uniform(200, 250, shape).astype(dtype)


def projections(shape, dtype=np.float32):
    return rng.uniform(40, 160, shape).astype(dtype)


def reference(p, d, f, absorption=False, dark_scale=1.0, flat_scale=1.0):
    p, d, f = (np.asarray(a, np.float64) for a in (p, dark_scale * np.float64(d), flat_scale * np.float64(f)))
    with np.errstate(all="ignore"):
        return np.log((f - d) / (p - d)) if absorption else (p - d) / (f - d)


class FlatFieldCorrect(ElementTestCase):
    def test_properties(self):
        largest = float(np.finfo(np.float32).max)
        self.check_properties(
            "tomoflatfieldcorrect",
            {
                "absorption-correct": False,
                "fix-nan-and-inf": False,
                "sinogram-input": False,
                "dark-scale": (1.0, -largest, largest),
                "flat-scale": (1.0, -largest, largest),
                "num-projections": (0, 0, 2**32 - 1),
                "normalize-beam": False,
                "several": ("automatic", {"automatic", "mean", "pairs"}),
            },
        )

    def test_every_format(self):
        """Of the projections, with darks and flats of other ones."""
        others = REAL[1:] + REAL[:1]
        for name, other in zip(REAL, others):
            with self.subTest(format=name, others=other):
                shape = (3, 7)
                p, d, f = projections(shape, FORMATS[name]), darks(shape, FORMATS[other]), flats(shape)
                (sample,) = run(line(), [p], [d], [f], samples=True, framerate=25)
                self.assert_close(to_array(sample), reference(p, d, f), TOLERANCE)
                structure = sample.get_caps().get_structure(0)
                self.assertEqual(structure.get_string("format"), "float32")
                self.assertEqual(structure.get_fraction("framerate")[1:], (25, 1))

    def test_absorption_and_scales(self):
        p, d, f = projections((5, 3)), darks((5, 3)), flats((5, 3))
        for absorption in (False, True):
            for dark_scale, flat_scale in ((1.0, 1.0), (0.5, 1.25), (0.0, -1.5)):
                if absorption and flat_scale < 0:
                    continue
                with self.subTest(absorption=absorption, scales=(dark_scale, flat_scale)):
                    properties = (
                        f"absorption-correct={absorption} dark-scale={dark_scale} flat-scale={flat_scale}"
                    )
                    self.assert_close(
                        run(line(properties), [p], [d], [f])[0],
                        reference(p, d, f, absorption, dark_scale, flat_scale),
                        TOLERANCE,
                    )

    def test_sizes(self):
        for shape in ((1, 1), (1, 13), (13, 1), (31, 97)):
            with self.subTest(shape=shape):
                p, d, f = projections(shape), darks(shape), flats(shape)
                self.assert_close(run(line(), [p], [d], [f])[0], reference(p, d, f), TOLERANCE)

    def test_planes(self):
        """Of one plane for all, or of as many as the projections."""
        p = projections((3, 4, 5))
        for dark_shape, flat_shape in (
            ((4, 5), (4, 5)),
            ((3, 4, 5), (4, 5)),
            ((4, 5), (3, 4, 5)),
            ((3, 4, 5),) * 2,
        ):
            with self.subTest(darks=dark_shape, flats=flat_shape):
                d, f = darks(dark_shape), flats(flat_shape)
                self.assert_close(run(line(), [p], [d], [f])[0], reference(p, d, f), TOLERANCE)

    def test_sinograms(self):
        for shape in ((6, 5), (1, 5), (3, 6, 5)):
            with self.subTest(shape=shape):
                p, d, f = projections(shape), darks((1, 5)), flats((1, 5))
                (result,) = run(line("sinogram-input=true"), [p], [d], [f])
                self.assert_close(result, reference(p, d, f), TOLERANCE)
        p, d, f = projections((2, 4, 5)), darks((2, 1, 5)), flats((2, 1, 5))
        self.assert_close(run(line("sinogram-input=true"), [p], [d], [f])[0], reference(p, d, f), TOLERANCE)

    def test_sinograms_take_the_first_row(self):
        """As in UFO, which wants as many rows as there are angles; but not in silence."""
        p = projections((2, 6, 5))
        for dark_shape, flat_shape in ((6, 5), (1, 5)), ((1, 5), (6, 5)), ((3, 5), (9, 5)), ((2, 6, 5), (2, 3, 5)):
            with self.subTest(shapes=(dark_shape, flat_shape)):
                d, f = darks(dark_shape), flats(flat_shape)
                with Stream(line("sinogram-input=true"), inputs=3) as stream:
                    for i, array in enumerate((p, d, f)):
                        stream.push(array, i)
                    (result,) = stream.finish()
                self.assert_close(result, reference(p, d[..., :1, :], f[..., :1, :]), TOLERANCE)
                warned = [f"{name} have {a.shape[-2]} rows" for name, a in (("darks", d), ("flats", f)) if a.shape[-2] > 1]
                self.assertEqual(len(stream.warnings()), len(warned), stream.warnings())
                for warning, words in zip(stream.warnings(), warned):
                    self.assertIn(words, warning)
                    self.assertIn("y=ROW height=1", warning)

    def test_inputs_that_end_repeat_their_last(self):
        shape, n = (3, 5), 7
        p = [projections(shape) for _ in range(n)]
        for number_darks, number_flats in ((1, 1), (3, 1), (2, 5), (n, n)):
            with self.subTest(darks=number_darks, flats=number_flats):
                d = [darks(shape) for _ in range(number_darks)]
                f = [flats(shape) for _ in range(number_flats)]
                results = run(line("several=pairs"), p, d, f)
                self.assertEqual(len(results), n)
                for i, result in enumerate(results):
                    wanted = reference(p[i], d[min(i, number_darks - 1)], f[min(i, number_flats - 1)])
                    self.assert_close(result, wanted, TOLERANCE, f"image {i}")

    def test_several_darks_and_flats_are_averaged(self):
        """In float64, of every number of them; one dark and one flat keep their format. tomoaverage changes nothing."""
        shape, n = (5, 7), 4
        p = [projections(shape, np.uint16) for _ in range(n)]
        for number_darks, number_flats, dtype in ((1, 1, np.uint16), (3, 1, np.uint16), (2, 9, np.float32), (9, 5, np.uint8)):
            d = [rng.integers(0, 40, shape).astype(dtype) for _ in range(number_darks)]
            f = [rng.integers(200, 255, shape).astype(dtype) for _ in range(number_flats)]
            wanted = [reference(a, np.mean(d, axis=0, dtype=float), np.mean(f, axis=0, dtype=float)) for a in p]
            for settings, mean in (("", ""), ("several=mean", ""), ("", "! tomoaverage"), ("several=pairs", "! tomoaverage")):
                with self.subTest(darks=number_darks, flats=number_flats, dtype=dtype, settings=settings, mean=mean):
                    description = line(settings).replace("! f.darks", f"{mean} ! f.darks").replace(
                        "! f.flats", f"{mean} ! f.flats")
                    results = run(description, p, d, f)
                    for result, reference_ in zip(results, wanted, strict=True):
                        self.assert_close(result, reference_, TOLERANCE)
        after = [rng.integers(150, 200, shape).astype(np.float32) for _ in range(3)]
        results = run(self.after_line("num-projections=4"), p, d, f, after)
        f, after = np.mean(f, axis=0, dtype=float), np.mean(after, axis=0, dtype=float)
        for i, result in enumerate(results):
            w = (i + 0.5) / n
            self.assert_close(result, reference(p[i], np.mean(d, axis=0, dtype=float), f + w * (after - f)), TOLERANCE)

    def test_how_many_were_averaged_is_told(self):
        shape = (3, 5)
        with Stream(line(), inputs=3) as stream:
            for i, (make, n) in enumerate(((projections, 2), (darks, 1), (flats, 6))):
                for _ in range(n):
                    stream.push(make(shape), i)
            stream.finish()
            (told,) = stream.element_messages("tomo-effective")
        self.assertEqual([told.get_uint64(f"{n}-averaged")[1] for n in ("darks", "flats")], [1, 6])
        self.assertIn("6 flats", told.get_string("text"))

    def test_sinograms_have_darks_and_flats_of_their_own(self):
        p, d, f = ([make(shape) for _ in range(3)] for make, shape in ((projections, (4, 5)), (darks, (1, 5)), (flats, (1, 5))))
        for i, result in enumerate(run(line("sinogram-input=true"), p, d, f)):
            self.assert_close(result, reference(p[i], d[i], f[i]), TOLERANCE)

    def test_means_begin_anew_with_each_run(self):
        shape = (3, 5)
        p = projections(shape)
        with Stream(line(), inputs=3, play=False) as stream:
            for _ in range(3):
                d, f = ([make(shape) for _ in range(3)] for make in (darks, flats))
                stream.sent = [0, 0, 0]
                stream.play()
                stream.push(p, 0)
                for source, arrays in ((1, d), (2, f)):
                    for a in arrays:
                        stream.push(a, source)
                (result,) = stream.finish()
                self.assert_close(result, reference(p, np.mean(d, axis=0, dtype=float), np.mean(f, axis=0, dtype=float)), TOLERANCE)
                stream.pipeline.set_state(Gst.State.NULL)

    def test_flats_of_several_sizes(self):
        p, d = projections((3, 5)), darks((3, 5))
        self.assert_fails(["5 x 4", "5 x 3", "mean"], line(), [p], [d], [flats((3, 5)), flats((4, 5))])

    def event_of_scan(self, **lists):
        words = ["tomo-scan, angles=<>"]
        for name, values in lists.items():
            numbers = [f"(double){v!r}" for v in np.atleast_1d(np.asarray(values, float)).tolist()]
            words.append(f"{name.replace('_', '-')}=" + (numbers[0] if np.ndim(values) == 0 else "<" + ",".join(numbers) + ">"))
        structure = Gst.Structure.new_from_string(", ".join(words))
        return Gst.Event.new_custom(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, structure)

    def corrected(self, description, event, *sides):
        """Of arrays for each input; the first ones come with the event."""
        with Stream(description, inputs=len(sides)) as stream:
            for source, arrays in enumerate(sides):
                for i, array in enumerate(arrays):
                    stream.push(array, source, event=event if source == i == 0 else None)
            return stream.finish()

    def test_sets_of_flats(self):
        """The two around each projection, in time, and with the intensity of the beam in each."""
        times, after_time = np.array([1.5, 8.0, 17.0]), 30.0
        frames = np.array([4.0, 7, 9, 12, 18, 25, 40])
        beam, set_beams, after_beam = rng.uniform(1, 2, len(frames)), rng.uniform(1, 2, 3), 1.7
        facts = dict(frames=frames, flat_set_frames=times, flats_frame=times.mean(), beam=beam, flats_beam=set_beams)
        d = rng.uniform(1, 10, (4, 5)).astype(np.float32)
        sets = flats((3, 4, 5))
        after = flats((4, 5))
        p = projections((len(frames), 4, 5))
        for has_after in (False, True):
            all_times = np.append(times, after_time) if has_after else times
            all_flats = np.concatenate([sets, after[None]]) if has_after else sets
            all_beams = np.append(set_beams, after_beam) if has_after else set_beams
            for normalize in (False, True):
                wanted = []
                for i, frame in enumerate(frames):
                    clear = (all_flats.astype(float) - d) / (all_beams[:, None, None] if normalize else 1)
                    flat = np.empty((4, 5))
                    for at in np.ndindex(4, 5):
                        flat[at] = np.interp(frame, all_times, clear[(slice(None), *at)])
                    wanted.append((p[i].astype(float) - d) / flat / (beam[i] if normalize else 1))
                wanted = np.array(wanted)
                event = self.event_of_scan(**facts, **(dict(flats_after_frame=after_time, flats_after_beam=after_beam) if has_after else {}))
                with self.subTest(after=has_after, normalize=normalize):
                    make = self.after_line if has_after else line
                    # Each frame by itself: OFFSET is its number, as that of a frame whose source does not tell it.
                    rows = make(f"sinogram-input=true normalize-beam={normalize}")
                    sides = [[p.transpose(1, 0, 2).copy()], [d[:, None]], [sets.transpose(1, 0, 2).copy()]]
                    (result,) = self.corrected(rows, event, *sides, *([[after[:, None]]] if has_after else []))
                    self.assert_close(result.transpose(1, 0, 2), wanted, TOLERANCE)

    def test_sets_of_stacked_sinograms(self):
        """Have a plane for all of the projections', or one for each; others don't fit."""
        frames, times = np.arange(6.0), [0.0, 5.0]
        event = self.event_of_scan(frames=frames, flat_set_frames=times, flats_frame=2.5)
        w = (frames / 5)[:, None]
        p, d = projections((8, 6, 5)), darks((1, 5))
        for planes in 1, 8, 2:
            f = flats((planes, 2, 5))
            with self.subTest(planes=planes):
                if planes == 2:
                    with self.assertRaisesRegex(PipelineError, "flats are 5 x 2 x 2"):
                        self.corrected(line("sinogram-input=true"), event, [p], [d], [f])
                    continue
                (result,) = self.corrected(line("sinogram-input=true"), event, [p], [d], [f])
                self.assert_close(result, reference(p, d, f[:, :1] + w * (np.float64(f[:, 1:]) - f[:, :1])), TOLERANCE)

    def test_beam_of_one_set(self):
        shape = (4, 5)
        p, d, f = [projections(shape) for _ in range(3)], darks(shape), [flats(shape) for _ in range(2)]
        beam, flats_beam = rng.uniform(1, 2, 3), 1.3
        event = self.event_of_scan(frames=[0, 1, 2], beam=beam, flats_beam=[flats_beam])
        results = self.corrected(line("normalize-beam=true"), event, p, [d], f)
        for i, result in enumerate(results):
            wanted = reference(p[i], d, np.mean(f, axis=0, dtype=float)) * flats_beam / beam[i]
            self.assert_close(result, wanted, TOLERANCE)
        for facts, part in ((dict(), "does not tell"), (dict(beam=beam * 0, flats_beam=[1.0]), "is 0"), (dict(beam=beam), "the flats is nan")):
            with self.assertRaisesRegex(PipelineError, part):
                self.corrected(line("normalize-beam=true"), self.event_of_scan(**facts), p[:1], [d], f)

    def test_beam_of_another_scan(self):
        """What holds for all sinograms of a scan ends with it."""
        rows, columns, flats_beam = 7, 5, 1.3
        p = [projections((rows, columns)) for _ in range(4)]
        d, f = darks((1, columns)), flats((1, columns))
        beams = rng.uniform(1, 2, (2, rows))
        events = [self.event_of_scan(frames=range(rows), beam=beam, flats_beam=[flats_beam]) for beam in beams]
        with Stream(line("normalize-beam=true sinogram-input=true"), inputs=3) as stream:
            stream.push(d, 1)
            stream.push(f, 2)
            for i, array in enumerate(p):
                stream.push(array, event=events[i // 2] if i % 2 == 0 else None)
            results = stream.finish()
        for i, result in enumerate(results):
            self.assert_close(result, reference(p[i], d, f) * flats_beam / beams[i // 2][:, None], TOLERANCE)

    def after_line(self, properties=""):
        return line(properties).replace("f. !", "SRC3 ! f.flats-after  f. !")

    def test_flats_after(self):
        """Without a word about time: directly before the first and behind the last projection."""
        shape, n = (4, 5), 5
        p = [projections(shape) for _ in range(n)]
        d, before, after = darks(shape), flats(shape), flats(shape) * 0.9
        for absorption in (False, True):
            properties = f"num-projections={n} absorption-correct={absorption} dark-scale=0.5 flat-scale=1.25"
            results = run(self.after_line(properties), p, [d], [before], [after])
            self.assertEqual(len(results), n)
            for i, result in enumerate(results):
                flat = before + (i + 0.5) / n * (np.float64(after) - before)
                self.assert_close(result, reference(p[i], d, flat, absorption, 0.5, 1.25), TOLERANCE)

    def test_flats_after_of_sinograms(self):
        """Each row has its time."""
        for shape in ((7, 5), (3, 7, 5)):
            p = projections(shape)
            d, before, after = darks(shape[:-2] + (1, 5)), flats(shape[:-2] + (1, 5)), flats(shape[:-2] + (1, 5))
            weights = (np.arange(7)[:, None] + 0.5) / 7
            (result,) = run(self.after_line("sinogram-input=true"), [p], [d], [before], [after])
            flat = before + weights * (np.float64(after) - before)
            self.assert_close(result, reference(p, d, flat), TOLERANCE)

    def test_flats_after_by_the_scan(self):
        """The scan event tells when flats and projections were taken."""
        shape = (4, 5)
        p = [projections(shape) for _ in range(4)]
        d, before, after = darks(shape), flats(shape), flats(shape)
        structure = Gst.Structure.new_from_string(
            "tomo-scan, angles=<>, frames=<(double)1, (double)3, (double)5, (double)7>,"
            "flats-frame=(double)2, flats-after-frame=(double)6"
        )
        event = Gst.Event.new_custom(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, structure)
        with Stream(self.after_line(), inputs=4) as stream:
            for i in range(4):
                stream.push(p[i], 0, event=event if i == 0 else None)
            for i, side in enumerate((d, before, after)):
                stream.push(side, i + 1)
            results = stream.finish()
        for i, (result, w) in enumerate(zip(results, (0, 0, 0, 0.25), strict=True)):  # OFFSET counts from 0
            self.assert_close(result, reference(p[i], d, before + w * (np.float64(after) - before)), TOLERANCE)
        p, d, before, after = projections(shape), darks((1, 5)), flats((1, 5)), flats((1, 5))
        with Stream(self.after_line("sinogram-input=true"), inputs=4) as stream:
            stream.push(p, 0, event=event)
            for i, side in enumerate((d, before, after)):
                stream.push(side, i + 1)
            (result,) = stream.finish()
        weights = np.array([0, 0.25, 0.75, 1])[:, None]
        self.assert_close(result, reference(p, d, before + weights * (np.float64(after) - before)), TOLERANCE)

    def test_empty_flats_after(self):
        """As good as not linked."""
        p, d, f = projections((3, 5)), darks((3, 5)), flats((3, 5))
        (result,) = run(self.after_line(), [p], [d], [f], [])
        self.assert_close(result, reference(p, d, f), TOLERANCE)

    def test_flats_after_without_a_count(self):
        p, d, f = projections((3, 5)), darks((3, 5)), flats((3, 5))
        self.assert_fails(["num-projections"], self.after_line(), [p], [d], [f], [f])
        self.assert_fails(["flats-after are 6 x 3 x 1"], self.after_line("num-projections=1"), [p], [d], [f], [flats((3, 6))])

    def test_main_input_ends_first(self):
        shape = (3, 5)
        with Stream(line("several=pairs"), inputs=3) as stream:
            for i in range(2):
                stream.push(projections(shape), 0)
            stream.push(darks(shape), 1)
            for i in range(5):
                stream.push(flats(shape), 2)
            self.assertEqual(len(stream.finish()), 2)
            (warning,) = stream.warnings()
            self.assertIn("projections ended", warning)
            self.assertIn("flats", warning)
            self.assertNotIn("darks", warning)

    def bad_pixels(self):
        """A projection, a dark and a flat with bad pixels of every kind."""
        p, d, f = projections((7, 11)), darks((7, 11)), flats((7, 11))
        f[0, 0] = d[0, 0]  # infinite
        p[0, 1] = f[0, 1] = d[0, 1]  # 0 / 0
        f[3, 4] = d[3, 4] - 1  # flat below dark: finite, but nonsense
        p[5, 5], d[6, 6], f[6, 7] = np.nan, np.nan, np.inf
        p[2, 2] = np.inf
        return p, d, f

    def test_fix_nan_and_inf(self):
        for absorption in (False, True):
            with self.subTest(absorption=absorption):
                p, d, f = self.bad_pixels()
                if absorption:
                    p[4, 4] = d[4, 4]  # nothing came through: infinite
                    p[4, 5] = d[4, 5] - 1  # less than nothing: NaN
                wanted = reference(p, d, f, absorption)
                bad = ~np.isfinite(wanted) | (f <= d)
                wanted[bad] = 0
                with Stream(
                    line(f"fix-nan-and-inf=true absorption-correct={absorption}"), inputs=3
                ) as stream:
                    for i in range(3):
                        stream.push(p, 0)
                    stream.push(d, 1)
                    stream.push(f, 2)
                    results = stream.finish()
                    self.assertEqual(len(results), 3)
                    for result in results:
                        np.testing.assert_array_equal(result[bad], 0)
                        self.assert_close(result, wanted, TOLERANCE)
                    (message,) = stream.element_messages("tomo-fixed-pixels")
                    self.assertEqual(message.get_uint64("count")[1], 3 * bad.sum())
                    (warning,) = stream.warnings()
                    self.assertIn(f"{3 * bad.sum()} of {3 * bad.size} pixels", warning)

    def test_few_and_all_fixed_pixels(self):
        """A dead pixel among hundreds is no news; all of them, as of swapped darks and flats, are."""
        p, d, f = projections((13, 17)), darks((13, 17)), flats((13, 17))
        for dark, flat, words in ((d, np.where(np.arange(17) + np.arange(13)[:, None], f, d), None),
                                  (f, d, "221 of 221 pixels (100 %)")):
            with Stream(line("fix-nan-and-inf=true"), inputs=3) as stream:
                for i, array in enumerate((p, dark, flat)):
                    stream.push(array, i)
                stream.finish()
                self.assertEqual(len(stream.element_messages("tomo-fixed-pixels")), 1)
                self.assertEqual(len(stream.warnings()), 1 if words else 0)
                if words:
                    self.assertIn(words, stream.warnings()[0])
                    self.assertIn("swapped", stream.warnings()[0])

    def test_unfixed(self):
        p, d, f = self.bad_pixels()
        wanted = reference(p, d, f)
        with Stream(line(), inputs=3) as stream:
            for i, array in enumerate((p, d, f)):
                stream.push(array, i)
            (result,) = stream.finish()
            finite = np.isfinite(wanted)
            self.assert_close(result[finite], wanted[finite], TOLERANCE)
            np.testing.assert_array_equal(result[~finite], wanted[~finite])
            (warning,) = stream.warnings()
            self.assertIn(f"{(~finite).sum()} pixels", warning)
            self.assertIn("fix-nan-and-inf", warning)
            self.assertEqual(stream.element_messages("tomo-fixed-pixels"), [])

    def test_nothing_bad_is_not_told(self):
        with Stream(line("fix-nan-and-inf=true"), inputs=3) as stream:
            for i, make in enumerate((projections, darks, flats)):
                stream.push(make((3, 4)), i)
            stream.finish()
            self.assertEqual(stream.element_messages("tomo-fixed-pixels") + stream.warnings(), [])

    def test_memory(self):
        shape = (3, 5)
        p, d, f = [projections(shape) for _ in range(4)], [darks(shape)], [flats(shape)]
        self.check_memory(
            "tomoflatfieldcorrect name=f  SRC0 ! f.projections  SRC1 ! f.darks  SRC2 ! f.flats  f.",
            p,
            d,
            f,
            reference=[reference(i, d[0], f[0]) for i in p],
            tolerance=TOLERANCE,
        )

    def test_state_cycles(self):
        shape = (3, 5)
        p, d, f = [projections(shape) for _ in range(3)], [darks(shape)], [flats(shape)]
        self.check_state_cycles(
            line("several=pairs"), p, d, f, reference=[reference(i, d[0], f[0]) for i in p], tolerance=TOLERANCE
        )

    def test_changes_while_playing(self):
        p, d, f = projections((3, 5)), darks((3, 5)), flats((3, 5))
        with Stream(line(), inputs=3) as stream:
            stream.push(d, 1)
            stream.push(f, 2)
            stream.end(1, 2)
            self.assert_close(stream.through(p), reference(p, d, f), TOLERANCE)
            stream["f"].set_property("absorption-correct", True)
            self.assert_close(stream.through(p), reference(p, d, f, True), TOLERANCE)
            stream["f"].set_property("dark-scale", 2.0)
            stream["f"].set_property("flat-scale", 1.5)
            self.assert_close(stream.through(p), reference(p, d, f, True, 2.0, 1.5), TOLERANCE)
            p[1, 1] = np.nan
            self.assertTrue(np.isnan(stream.through(p)[1, 1]))
            stream["f"].set_property("fix-nan-and-inf", True)
            self.assertEqual(stream.through(p)[1, 1], 0)
            self.assertEqual(stream.through(p)[1, 1], 0)
            stream.finish()
            # Each pixel is told as what became of it.
            self.assertEqual(stream.element_messages("tomo-fixed-pixels")[0].get_uint64("count")[1], 2)
            for words, warning in zip(("2 of 90 pixels", "1 pixels are not finite"), stream.warnings(), strict=True):
                self.assertIn(words, warning)

    def test_caps_changes(self):
        shapes, formats = ((3, 5), (4, 9), (2, 4, 9)), (np.float32, np.uint16, np.float32)
        p, d, f = ([make(s, t) for s, t in zip(shapes, formats)] for make in (projections, darks, flats))
        for i, result in enumerate(run(line("several=pairs"), p, d, f)):
            self.assert_close(result, reference(p[i], d[i], f[i]), TOLERANCE)

    def test_sizes_that_do_not_fit(self):
        p = projections((3, 5))
        for name, shape, properties in (
            ("darks", (3, 6), ""),
            ("flats", (4, 5), ""),
            ("darks", (1, 5), ""),
            ("flats", (2, 3, 5), ""),
            ("darks", (2, 3, 5), "sinogram-input=true"),
            ("flats", (1, 4), "sinogram-input=true"),
        ):
            with self.subTest(input=name, shape=shape, properties=properties):
                d = darks(shape if name == "darks" else (3, 5))
                f = flats(shape if name == "flats" else (3, 5))
                size = " x ".join(str(n) for n in reversed((1,) * (3 - len(shape)) + shape))
                words = [name, size, "projections", "5 x 3 x 1"] + (
                    [] if properties else ["sinogram-input=true"]
                )
                self.assert_fails(words, line(properties), [p], [d], [f])
        # The projections change, but not the rest.
        self.assert_fails(
            ["darks", "5 x 3 x 1", "5 x 4 x 1"],
            line(),
            [p, projections((4, 5))],
            [darks((3, 5))],
            [flats((3, 5))],
        )

    def test_missing_inputs(self):
        p, d, f = projections((3, 5)), darks((3, 5)), flats((3, 5))
        self.assert_fails(
            ["input flats", "not linked"],
            "tomoflatfieldcorrect name=f  SRC0 ! f.projections  SRC1 ! f.darks  f. ! SINK",
            [p],
            [d],
        )
        self.assert_fails(
            ["input projections", "not linked"],
            "tomoflatfieldcorrect name=f  SRC0 ! f.darks  SRC1 ! f.flats  f. ! SINK",
            [d],
            [f],
        )
        self.assert_fails(["input darks", "without any image"], line(), [p], [], [f])
        self.assert_fails(["input flats", "without any image"], line(), [p], [d], [])
        self.assert_fails(["complex64"], line(), [random_array(np.complex64, (3, 5))], [d], [f])

    def test_empty_main_input(self):
        with Stream(line(), inputs=3) as stream:
            stream.push(darks((3, 5)), 1)
            stream.push(flats((3, 5)), 2)
            self.assertEqual(stream.finish(), [])
            self.assertTrue(stream.warnings())

    def test_an_input_that_is_requested_anew_has_a_mean_of_its_own(self):
        pipeline = Gst.parse_launch(
            "appsrc name=a format=time ! f.projections appsrc name=d format=time ! f.darks appsrc name=w format=time ! f.flats "
            "tomoflatfieldcorrect name=f ! appsink name=sink sync=false")
        self.addCleanup(pipeline.set_state, Gst.State.NULL)
        join, sink = pipeline.get_by_name("f"), pipeline.get_by_name("sink")
        shape = caps(np.float32, (4, 4))

        def give(source, *values):
            source.set_property("caps", shape)
            for value in values:
                source.emit("push-buffer", to_buffer(np.full((4, 4), value, np.float32)))

        def result():
            return to_array(sink.try_pull_sample(TIMEOUT * Gst.SECOND))[0, 0]

        projections, darks, flats = (pipeline.get_by_name(name) for name in "adw")
        give(darks, 1, 1)
        give(flats, 11, 11)
        for source in darks, flats:
            source.emit("end-of-stream")
        pipeline.set_state(Gst.State.PLAYING)
        give(projections, 6)
        self.assertAlmostEqual(result(), 0.5, places=6)
        pad = join.get_static_pad("darks")
        darks.set_state(Gst.State.NULL)
        darks.get_static_pad("src").unlink(pad)
        pipeline.remove(darks)
        join.release_request_pad(pad)
        others = Gst.parse_launch("appsrc format=time")
        pipeline.add(others)
        others.get_static_pad("src").link(join.request_pad_simple("darks"))
        others.sync_state_with_parent()
        give(others, 3, 3)
        others.emit("end-of-stream")
        give(projections, 7)
        self.assertAlmostEqual(result(), 0.5, places=6)


if __name__ == "__main__":
    main()
