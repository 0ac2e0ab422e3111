#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pipelines that users copy, through gst-launch-1.0, with numbers; and GStreamer's own elements in between."""

import os
import re
import subprocess
import unittest

from pipetest import *
import tomoref


class Files(PipelineTestCase):
    def test_series_to_one_file_and_back(self):
        images = write_sinograms()
        self.assert_launches("tomoread path='folder/sino*.tif' ! tomowrite filename=multi.tif")
        self.assert_launches("tomoread path=multi.tif ! tomowrite filename=folder/single-%05i.tif")
        for page, image in zip(read_pages("multi.tif"), images, strict=True):
            np.testing.assert_array_equal(page, image)
        for i, image in enumerate(images):
            np.testing.assert_array_equal(tifffile.imread(f"folder/single-{i:05}.tif"), image)
        self.assertFalse(os.path.exists(f"folder/single-{len(images):05}.tif"))

    def test_explicit_upload(self):
        """Sinks that read on the host take device memory, too."""
        images = write_sinograms()
        self.assert_launches("tomoread path='folder/sino*.tif' ! tomoupload ! tomowrite filename=multi.tif")
        for page, image in zip(read_pages("multi.tif"), images, strict=True):
            np.testing.assert_array_equal(page, image)

    def test_standard_output(self):
        images = write_sinograms()
        with open("out.raw", "wb") as file:
            subprocess.run(["gst-launch-1.0", "-q", "tomoread", "path=folder", "!", "tomowrite"], stdout=file,
                           check=True, timeout=PATIENCE)
        np.testing.assert_array_equal(np.fromfile("out.raw", np.float32).reshape(np.shape(images)), images)

    def test_integers_are_converted_on_the_device(self):
        for dtype in (np.uint16, np.int32):
            images = write_sinograms(dtype=dtype)
            self.assert_launches("tomoread path='folder/sino*.tif' ! tomowrite filename=floats.tif")
            self.assert_launches("tomoread path='folder/sino*.tif' convert=false ! tomowrite filename=same.tif")
            for page, same, image in zip(read_pages("floats.tif"), read_pages("same.tif"), images, strict=True):
                self.assertEqual(page.dtype, np.float32)
                np.testing.assert_array_equal(page, image.astype(np.float32))
                self.assertEqual(same.dtype, image.dtype)
                np.testing.assert_array_equal(same, image)

    def test_assumptions_are_printed(self):
        """The axis as a warning, and that all views make half a turn as an information."""
        write_sinograms(shape=(24, 37))
        line = "tomoread path=folder ! tomorampfilter ! tomobackproject %s ! tomonull"
        printed = self.assert_launches(line % "", options=())
        self.assertEqual(len(re.findall("WARNING.*no axis is known: took the middle of 37 columns, 18.5. Set axis-pos",
                                        printed)), 1, printed)
        printed = self.assert_launches(line % "axis-pos=18", options=())
        self.assertIn("24 views were taken for half a turn; set angle-step", printed)
        printed = self.assert_launches(line % "axis-pos=18 angle-step=0.1", options=())
        self.assertNotIn("taken for half a turn", printed)

    def test_part_of_the_projections(self):
        """It is no half turn: they have their own angles."""
        write_sinograms(shape=(24, 37))
        tifffile.imwrite("stack.tif", np.array(write_sinograms("other", (24, 37), 7)))
        back = "tomotransposeprojections ! tomobackproject axis-pos=18"
        for chosen, whole, came, first, step in (
                ("path=folder number=3", 5, 3, 0, 1), ("path=folder start=1 step=2", 5, 2, 1, 2),
                ("path=stack.tif image-start=2 image-step=2", 7, 3, 2, 2)):
            with self.subTest(chosen=chosen):
                printed = self.assert_launches(f"tomoread {chosen} ! {back} ! tomowrite filename=a.tif", options=())
                self.assertRegex(printed, f"WARNING.*{whole} projections were taken for half a turn, of which {came} came")
                self.assert_launches(f"tomoread {chosen} ! {back} angle-step={step * np.pi / whole!r} "
                                     f"angle-offset={first * np.pi / whole!r} ! tomowrite filename=b.tif")
                for result, wanted in zip(read_pages("a.tif"), read_pages("b.tif"), strict=True):
                    self.assert_close(result, wanted, 1e-4)
                os.remove("a.tif"), os.remove("b.tif")

    def test_part_of_the_rows(self):
        """What may be a part of the views is a warning, chosen when they are read or later."""
        write_sinograms(shape=(24, 37))
        part = "WARNING.* {} views, which are a part of the 24 rows of the images, were taken for half a turn"
        for chosen, came in (("height=12", 12), ("y=7 height=11", 11), ("number=2 ! tomocrop y=2 height=13", 13),
                             ("y=3 ! tomocrop y=2 height=5", 5)):
            line = f"tomoread path=folder {chosen} ! tomobackproject axis-pos=18 %s ! tomonull"
            self.assertRegex(self.assert_launches(line % "", options=()), part.format(came))
            self.assertNotIn("half a turn", self.assert_launches(line % "angle-step=0.2", options=()))
        for whole in ("y-step=5", "number=3", "! tomocrop width=20", "number=2 ! tomobin size=3"):
            line = f"tomoread path=folder {whole} ! tomobackproject axis-pos=5 ! tomonull"
            printed = self.assert_launches(line, options=())
            self.assertNotIn("WARNING", printed)
            self.assertIn("were taken for half a turn", printed)
        # As many sinograms as each of them has views.
        write_sinograms("folder", (3, 37), 5)
        printed = self.assert_launches("tomoread path=folder number=3 ! tomobackproject axis-pos=18 ! tomonull", options=())
        self.assertIn("no angles came: 3 views were taken for half a turn", printed)

    def test_rescale_to_hdf5(self):
        images = write_sinograms(shape=(24, 37))
        self.assert_launches("tomoread path='folder/sino*.tif' ! tomorescale factor=0.5 ! "
                             "tomowrite filename=output.h5:/raw")
        self.assert_close(read_dataset("output.h5", "raw"), [tomoref.rescale(i, 0.5) for i in images], 1e-5)


class Arithmetic(PipelineTestCase):
    def test_calculate(self):
        images = [np.abs(a) + 0.1 for a in write_sinograms()]
        for i, image in enumerate(images):
            tifffile.imwrite(f"folder/sino{i:02}.tif", image)
        self.assert_launches('tomoread path=\'folder/sino*.tif\' ! tomocalculate expression="log(v)" ! '
                             "tomowrite filename=output.h5:/raw")
        self.assert_close(read_dataset("output.h5", "raw"), np.log(np.float64(images)), 1e-6)


class Reconstruction(PipelineTestCase):
    def test_filter_stripes(self):
        images = write_sinograms(shape=(30, 21))
        self.assert_launches("tomoread path='folder/sino*.tif' ! tomofft dimensions=2 ! tomofilterstripes ! "
                             "tomoifft dimensions=2 ! tomowrite filename=output.tif")
        for page, image in zip(read_pages("output.tif"), images, strict=True):
            self.assertEqual(page.shape, image.shape)
            self.assertTrue(np.isfinite(page).all())
            self.assertGreater(np.abs(page - image).max(), 1e-6, "the filter did nothing")

    def test_filtered_backprojection(self):
        angles, width = 60, 41
        disc = tomoref.disc(5.0, -3.0, 8.0, 0.02)
        sinogram = tomoref.line_integrals([disc], tomoref.angles_of_scan(angles), width, width / 2).astype(np.float32)
        images = [sinogram, 2.0 * sinogram[:, ::-1]]
        os.mkdir("folder")
        for i, image in enumerate(images):
            tifffile.imwrite(f"folder/sino{i:02}.tif", np.ascontiguousarray(image, np.float32))
        self.assert_launches("tomoread path='folder/sino*.tif' ! tomofft ! tomofilter ! tomoifft ! tomobackproject ! "
                             "tomowrite filename=output.h5:/entry/data/data")
        slices = read_dataset("output.h5", "entry/data/data")
        for result, image in zip(slices, images, strict=True):
            reference = tomoref.backproject_linear(tomoref.fft_filter(image))
            self.assert_close(result, reference, 1e-5)

    def test_scan_to_slices(self):
        views, rows, width = 32, 7, 33
        sinogram = tomoref.line_integrals([tomoref.disc(4.0, 2.0, 7.0, 0.05)], tomoref.angles_of_scan(views), width,
                                          width / 2)
        strength = 1.0 + np.arange(rows) / rows
        absorption = sinogram[:, None, :] * strength[None, :, None]  # views x rows x columns
        dark = rng.uniform(90, 110, (rows, width))
        flat = rng.uniform(900, 1100, (rows, width)) + dark
        projections = (dark + (flat - dark) * np.exp(-absorption)).astype(np.float32)
        darks = (dark + rng.normal(0, 1, (3, rows, width))).astype(np.float32)
        flats = (flat + rng.normal(0, 1, (4, rows, width))).astype(np.float32)
        for name, stack in (("radios", projections), ("darks", darks), ("flats", flats)):
            os.mkdir(name)
            for i, image in enumerate(stack):
                tifffile.imwrite(f"{name}/{i:03}.tif", image)
        self.assert_launches(
            "tomoread path=radios ! f.projections  tomoread path=darks ! tomoaverage ! f.darks  "
            "tomoread path=flats ! tomoaverage ! f.flats  "
            "tomoflatfieldcorrect name=f absorption-correct=true fix-nan-and-inf=true ! tomotransposeprojections ! "
            "tomofft ! tomofilter ! tomoifft ! tomobackproject ! tomowrite filename=slices.h5:/entry/data/data")
        d, f = darks.astype(np.float64).mean(0), flats.astype(np.float64).mean(0)
        measured = np.log((f - d) / (projections.astype(np.float64) - d))
        reference = [tomoref.backproject_linear(tomoref.fft_filter(measured[:, row])) for row in range(rows)]
        self.assert_close(read_dataset("slices.h5", "entry/data/data"), reference, 1e-4)


class Video(PipelineTestCase):
    def test_camera_to_pictures(self):
        self.assert_launches(
            "videotestsrc num-buffers=10 ! video/x-raw,format=GRAY16_LE ! tomoconvert ! "
            'tomocalculate expression="v*2" ! tomoconvert ! video/x-raw,format=GRAY8 ! jpegenc ! '
            "multifilesink location=f%d.jpg")
        self.assert_files(*[f"f{i}.jpg" for i in range(10)])
        for i in range(10):
            with open(f"f{i}.jpg", "rb") as file:
                picture = file.read()
            self.assertTrue(picture.startswith(b"\xff\xd8") and picture.endswith(b"\xff\xd9"), "not a JPEG")

    def test_numbers_of_video(self):
        """What the converters do to gray values, against the source's own frames."""
        frame = "videotestsrc num-buffers=1 pattern=gradient ! video/x-raw,format=GRAY16_LE,width=33,height=17"
        (raw,) = run(f"{frame} ! tomoconvert ! application/x-tomo-array,format=uint16 ! SINK")
        (twice,) = run(f'{frame} ! tomoconvert ! tomocalculate expression="v*2" ! SINK')
        np.testing.assert_array_equal(twice, raw.astype(np.float32) * 2)
        self.assert_launches(f"{frame} ! tomoconvert ! tomocalculate expression=\"v*2\" ! "
                             "tomoconvert min=0 max=131070 ! video/x-raw,format=GRAY8 ! filesink location=gray.raw")
        gray = np.fromfile("gray.raw", np.uint8).reshape(17, 36)[:, :33]  # rows of video are 4-byte aligned
        expected = raw.astype(np.float64) / 65535 * 255
        self.assertLessEqual(np.abs(gray - expected).max(), 0.51)


class Plumbing(PipelineTestCase):
    """GStreamer's own elements between ours."""

    def test_tee(self):
        images = write_sinograms()
        self.assert_launches("tomoread path=folder ! tee name=t  "
                             "t. ! queue ! tomocalculate expression=2*v ! tomowrite filename=twice.tif  "
                             "t. ! queue ! tomowrite filename=once.tif")
        self.assert_close(read_pages("once.tif"), images, 0)
        self.assert_close(read_pages("twice.tif"), 2.0 * np.float64(images), 0)

    def test_tee_on_the_device(self):
        """Both branches read the same memory, and neither changes it for the other."""
        images = write_sinograms(number=9)
        self.assert_launches("tomoread path=folder ! tomocalculate expression=v+1 ! tee name=t  "
                             "t. ! queue ! tomofft ! tomoifft ! tomowrite filename=a.tif  "
                             "t. ! queue ! tomocalculate expression=v*0 ! tomowrite filename=b.tif")
        self.assert_close(read_pages("a.tif"), 1.0 + np.float64(images), 1e-6)
        self.assert_close(read_pages("b.tif"), np.zeros_like(images), 0)

    def test_queues_everywhere(self):
        images = write_sinograms(number=20)
        self.assert_launches("tomoread path=folder ! queue ! tomocalculate expression=v+1 ! queue max-size-buffers=1 ! "
                             "tomofft ! queue ! tomoifft ! queue ! tomowrite filename=output.tif")
        self.assert_close(read_pages("output.tif"), 1.0 + np.float64(images), 1e-6)

    def test_app_source_and_sink(self):
        images = [random_array(np.float32, (13, 17)) for _ in range(5)]
        results = run("tomocalculate expression=-v ! queue ! tomofft ! tomoifft", images)
        self.assert_close(results, -np.float64(images), 1e-6)

    def test_network(self):
        """Frames cross a TCP connection as packets that any GStreamer can read, caps and time stamps included."""
        images = write_sinograms(number=7)
        with Play("tomoread path=folder ! application/x-tomo-array(ANY),framerate=10/1 ! "
                  "tomocalculate expression=v*3 ! tomodownload ! gdppay ! "
                  "tcpserversink name=server host=127.0.0.1 port=0 sync=false") as play:
            server = play["server"]
            self.assertTrue(play.state(Gst.State.PAUSED))
            since = time.monotonic()
            client = start_launch(f"tcpclientsrc host=127.0.0.1 port={server.get_property('current-port')} ! "
                                  "gdpdepay ! tomocalculate expression=v/3 ! tomowrite filename=output.tif", ("-q",))
            wait_until(lambda: server.get_property("num-handles") > 0 or client.poll() is not None, "the client")
            self.assertIsNone(play.run())
            wait_until(lambda: server.get_property("bytes-served") >= server.get_property("bytes-to-serve"), "the last byte")
        client = end_launch(client, since)
        self.assertEqual(client.rc, 0, str(client))
        self.assert_close(read_pages("output.tif"), images, 1e-6)

    def test_progress_report(self):
        write_sinograms(number=3)
        self.assert_launches("tomoread path=folder ! tomowrite filename=multi.tif")
        out = launch("tomoread path=multi.tif ! progressreport update-freq=1 format=default do-query=true ! "
                     "identity sleep-time=700000 ! tomowrite filename=output.tif").out
        reports = re.findall(r"progressreport0 \(\d\d:\d\d:\d\d\): *(\d+) / *(\d+) (\w+)", out)
        self.assertTrue(reports, out)
        for position, duration, unit in reports:
            self.assertEqual(duration, "3", out)
            self.assertLessEqual(int(position), 3, out)

    def test_latency_tracer(self):
        write_sinograms()
        out = launch("tomoread path=folder ! tomocalculate expression=v ! tomofft ! tomoifft ! "
                     "tomowrite filename=output.tif", ("-q",),
                     {"GST_TRACERS": "latency(flags=element+pipeline)", "GST_DEBUG": "GST_TRACER:7",
                      "GST_DEBUG_NO_COLOR": "1"})
        self.assertEqual(out.rc, 0, str(out))
        whole = [line for line in out.out.splitlines()
                 if re.search(r"TRACE.*: latency, src-element-id=\(string\)0x", line)]
        self.assertEqual(len(whole), 5, str(out))
        for element in ("tomocalculate0", "tomofft0", "tomoifft0"):
            self.assertRegex(out.out, f"element-latency,.* element=\\(string\\){element}")


class Live(PipelineTestCase):
    def test_bounded_latency(self):
        """A camera through to slices, in windows: the LATENCY query says how late, and nothing waits for the end."""
        width, rows, window, rate, number = 24, 6, 5, 25, 50
        camera = (f"videotestsrc is-live=true pattern=snow num-buffers={{}} ! "
                  f"video/x-raw,format=GRAY16_LE,width={width},height={rows},framerate={rate}/1 ! tomoconvert")
        with Play(f"{camera.format(number)} ! queue ! f.projections "
                  f"{camera.format(1)} ! tomocalculate expression=v*0 ! f.darks "
                  f"{camera.format(1)} ! tomocalculate expression=v*0+1 ! f.flats tomoflatfieldcorrect name=f ! "
                  f"tomotransposeprojections name=t number={window} ! tomobackproject ! "
                  "tomonull name=sink sync=true") as play:
            taken, shown = [], []  # times of projections; for each slice, its time and how many were taken before

            def take(pad, info):
                taken.append(info.get_buffer().pts)
                return Gst.PadProbeReturn.OK

            def show(pad, info):
                shown.append((info.get_buffer().pts, len(taken)))
                if len(shown) == rows + 1:  # the sink answers once it plays
                    query = Gst.Query.new_latency()
                    answers.append((play.pipeline.query(query), *query.parse_latency()))
                return Gst.PadProbeReturn.OK

            answers = []
            play["t"].get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, take)
            play["sink"].get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, show)
            self.assertIsNone(play.run())
        frame = Gst.SECOND // rate
        self.assertEqual(len(taken), number)
        # A window of projections becomes as many slices as there are rows, as soon as it is complete.
        self.assertEqual([before for _, before in shown],
                         [window * (i // rows + 1) for i in range(number // window * rows)])
        for i, (pts, _) in enumerate(shown):
            first = taken[i // rows * window]
            self.assertGreaterEqual(pts, first)
            self.assertLess(pts, first + window * frame)
        ((answered, live, least, most),) = answers
        self.assertTrue(answered and live)
        # The first projection of a window waits for the others, and for its own end, as cameras count.
        self.assertGreaterEqual(least, (window - 1) * frame)
        self.assertLessEqual(least, (window + 2) * frame)
        self.assertGreaterEqual(most, least)

    def test_slow_side_input_is_repeated(self):
        """A join in a live stream goes at the pace of its main input."""
        camera = "videotestsrc is-live=true num-buffers={} ! video/x-raw,format=GRAY8,width=8,height=4,framerate={}/1 ! tomoconvert"
        with Play(f"{camera.format(40, 20)} ! f.projections {camera.format(100, 1)} ! f.darks "
                  f"{camera.format(100, 1)} ! tomocalculate expression=v+1 ! f.flats "
                  "tomoflatfieldcorrect name=f ! appsink name=sink sync=false") as play:
            play.pipeline.set_state(Gst.State.PLAYING)
            count = 0
            while play["sink"].try_pull_sample(20 * Gst.SECOND):
                count += 1
            play.collect()
            self.assertEqual(play.errors(), [])
        # 40 projections take two seconds, in which the others have two or three images.
        self.assertEqual(count, 40)


class Standstill(PipelineTestCase):
    """A pipeline that can't start says who waits for whom; one that is slow says nothing."""

    SOURCE = "tomodummydata width=4 height=4 number=200 ! tee name=t "

    def warnings(self, branches, seconds):
        with Play(self.SOURCE + branches) as play:
            play.pipeline.set_state(Gst.State.PAUSED)
            since = time.monotonic()
            while time.monotonic() - since < seconds and not play.warnings():
                GLib.usleep(50000)
                play.collect()
            return play.warnings()

    def test_tee_without_queues(self):
        for branches, sink, words in (
                ("t. ! tomonull name=a  t. ! tomonull name=b", "b", ("waits in 'a'", "put a queue")),
                ("t. ! fakesink name=a  t. ! tomoaverage ! fakesink name=b", "b", ("'t'", "waits in 'a'")),
                ("t. ! queue ! tomoaverage ! j.sink_1  t. ! identity ! j.sink_0  tomosubtract name=j ! tomonull name=b",
                 "b", ("'j' waits for its input", "waits in 'j'")),
                ("t. ! queue name=q max-size-buffers=2 ! tomonull name=a  t. ! queue ! tomoaverage ! tomonull name=b",
                 "b", ("waits for room in 'q'", "give 'q' room"))):
            with self.subTest(branches):
                found = self.warnings(branches, PATIENCE)
                self.assertEqual(len(found), 1)
                for word in (f"{sink}: ", *words):
                    self.assertIn(word, found[0])

    def test_slow(self):
        self.assertEqual(self.warnings("t. ! queue ! tomosleep time=7 ! tomonull  t. ! queue ! tomonull", 6.5), [])


if __name__ == "__main__":
    main()
