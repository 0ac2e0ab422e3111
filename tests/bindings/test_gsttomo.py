# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Python module gsttomo and UFO's names in GstTomo: the scripts of the framework's introduction, arrays in and
out, threads, errors, memory."""

import ast
import gc
import inspect
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import weakref

from pipetest import *
import tomoref

gi.require_version("GstTomo", "1.0")
from gi.repository import GstTomo

import gsttomo
from gsttomo import Average, Calculate, DummyData, FlatFieldCorrect, Null, Read, Rescale, Sleep, Write

RUNJSON = """
import sys
from gi.repository import GstTomo as Ufo
pm = Ufo.PluginManager()
g = Ufo.TaskGraph.read_from_file(pm, sys.argv[1])
sched = Ufo.Scheduler()
sched.run(g)
"""

SCRIPT = """
from gi.repository import GstTomo as Ufo
pm = Ufo.PluginManager()
read = pm.get_task('read')
rescale = pm.get_task('rescale')
write = pm.get_task('write')
read.set_properties(path='folder/sino*.tif')
rescale.set_properties(factor=0.5)
write.set_properties(filename='output.h5:/raw')
g = Ufo.TaskGraph()
g.connect_nodes(read, rescale)
g.connect_nodes(rescale, write)
sched = Ufo.Scheduler()
sched.run(g)
"""

MODULE = """
import numpy as np
from gsttomo import Read, Write, Rescale
read = Read(path='folder/sino*.tif')
rescale = Rescale(factor=0.5)
write = Write(filename='output.h5:/raw')
write(rescale(read())).run().wait()
for image in rescale(read()):
    print(np.mean(image))
"""

def endless(width=16):
    while True:
        yield np.ones((8, width), np.float32)


class Talk(PipelineTestCase):
    def script(self, text, *arguments):
        result = subprocess.run([sys.executable, "-c", text, *arguments], text=True, capture_output=True, timeout=PATIENCE)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def setUp(self):
        super().setUp()
        self.expected = [tomoref.rescale(i, 0.5) for i in write_sinograms(shape=(24, 37))]

    def test_runjson(self):
        write_rescaling_dataflow("dataflow.json")
        self.script(RUNJSON, "dataflow.json")
        self.assert_close(read_dataset("output.h5", "raw"), self.expected, 1e-5)
        # UFO also has it as a method.
        os.unlink("output.h5")
        self.script(RUNJSON.replace("g = Ufo.TaskGraph.", "g = Ufo.TaskGraph(); g."), "dataflow.json")
        self.assert_close(read_dataset("output.h5", "raw"), self.expected, 1e-5)

    def test_script(self):
        self.script(SCRIPT)
        self.assert_close(read_dataset("output.h5", "raw"), self.expected, 1e-5)

    def test_values_of_enumerations(self):
        """What a task gives as a property, another one takes; a number is UFO's."""
        for mode in ("nearest", "texture", "linear"):
            task = gsttomo.Backproject(mode=gsttomo.Backproject(mode=mode).mode)
            self.assertEqual(task.mode.value_nick, mode)
        self.assertEqual(gsttomo.Backproject(mode=0).mode.value_nick, "nearest")

    def test_module(self):
        means = [float(line) for line in self.script(MODULE).splitlines()]
        self.assert_close(read_dataset("output.h5", "raw"), self.expected, 1e-5)
        np.testing.assert_allclose(means, [np.mean(e) for e in self.expected], atol=1e-5)


class UfoNames(PipelineTestCase):
    def test_graph(self):
        pm, g, sched = GstTomo.PluginManager(), GstTomo.TaskGraph(), GstTomo.Scheduler()
        self.assertIn("flat-field-correct", pm.get_all_task_names())
        tasks = [pm.get_task("dummy-data") for _ in range(3)]
        for task, value in zip(tasks, (7, 1, 3)):
            task.set_properties(width=6, height=5, init=np.float32(value), number=np.int64(1))
        correct, write = pm.get_task("flat-field-correct"), pm.get_task("write")
        write.set_properties(filename="a.tif")
        for i, task in enumerate(tasks):
            g.connect_nodes_full(task, correct, i)
        g.connect_nodes(correct, write)
        sched.run(g)
        self.assertGreater(sched.time, 0)
        np.testing.assert_array_equal(read_pages("a.tif"), np.full((1, 5, 6), 3, np.float32))
        g.save_to_json("a.json")
        os.unlink("a.tif")
        sched.run(GstTomo.TaskGraph.read_from_file(pm, "a.json"))
        np.testing.assert_array_equal(read_pages("a.tif"), np.full((1, 5, 6), 3, np.float32))
        self.assertEqual(len(g.get_nodes()), 5)

    def test_errors(self):
        pm = GstTomo.PluginManager()
        with self.assertRaisesRegex(GLib.Error, "did you mean 'read'"):
            pm.get_task("raed")
        with self.assertRaisesRegex(GLib.Error, "did you mean 'factor'"):
            pm.get_task("rescale").set_properties(facto=1)
        with self.assertRaisesRegex(GLib.Error, "at least"):
            pm.get_task("rescale").set_property("factor", -1)
        read, null = pm.get_task("read"), pm.get_task("null")
        read.set_properties(path="no-such-file.tif")
        g = GstTomo.TaskGraph()
        g.connect_nodes(read, null)
        with self.assertRaisesRegex(GLib.Error, "no-such-file.tif"):
            GstTomo.Scheduler().run(g)

    def test_abort_from_another_thread(self):
        graph = GstTomo.Graph.new_from_line("videotestsrc ! fakesink")
        started = threading.Event()
        graph.connect("progress", lambda *_: started.set())
        threading.Thread(target=lambda: (started.wait(PATIENCE), graph.abort())).start()
        with self.assertRaisesRegex(GLib.Error, "aborted"):
            graph.run()

    def test_signals(self):
        graph = GstTomo.Graph.new_from_line("dummy-data number=5 ! null")
        heard = []
        graph.connect("progress", lambda g, *numbers: heard.append(numbers))
        graph.connect("done", lambda g: heard.append("done"))
        graph.run()
        self.assertEqual(heard[-2:], [(5, 5, 5), "done"])


class Arrays(PipelineTestCase):
    def test_inputs(self):
        """An image, a stack, a list, a generator; all types."""
        for dtype in FORMATS.values():
            if dtype is np.complex64:
                continue
            stack = random_array(dtype, (4, 13, 17))
            for given in (stack, list(stack), (image for image in stack)):
                results = list(Calculate(expression="v")(given))
                np.testing.assert_array_equal(results, stack.astype(np.float32))
            (single,) = Calculate(expression="v")(stack[0])
            np.testing.assert_array_equal(single, stack[0].astype(np.float32))
        # A slice with strides, and arrays that the caller goes on writing to.
        stack = random_array(np.float32, (4, 13, 17))[:, ::2, ::-3]
        np.testing.assert_array_equal(list(Calculate(expression="v")(stack)), stack)

        def reused():
            array = np.zeros((5, 7), np.float32)
            for i in range(20):
                array[:] = i
                yield array

        self.assertEqual([image[0, 0] for image in Calculate(expression="v")(reused())], list(range(20)))

    def test_types_taken(self):
        """Types that streams do not have become the nearest one, whatever the byte order and the strides."""
        values = rng.integers(-100, 100, (3, 6, 10))
        for dtype, target in (("int64", "int32"), ("int8", "int16"), ("uint64", "uint32"), ("bool", "uint8")):
            array = (values > 0 if dtype == "bool" else abs(values) if dtype[0] == "u" else values).astype(dtype)
            results = list(gsttomo.Crop(width=10, height=6)(array))
            self.assertEqual(results[0].dtype, target)
            np.testing.assert_array_equal(results, array.astype(target))
        for dtype in (">u2", ">i4", ">f4", ">f8", ">c8"):
            array = values.astype(dtype)
            for given in (array, array.transpose(0, 2, 1), array[:, ::-2], np.asfortranarray(array)):
                height, width = given.shape[1:]
                np.testing.assert_array_equal(list(gsttomo.Crop(width=width, height=height)(given)), given)
        # At the limits; lists of numbers; volumes.
        limits = np.array([[-2**31, 2**31 - 1]])
        np.testing.assert_array_equal(list(gsttomo.Crop(width=2, height=1)(limits)), [limits])
        np.testing.assert_array_equal(list(Calculate(expression="2 * v")([[[1, 2], [3, 4]]])), [[[2, 4], [6, 8]]])
        volumes = random_array(np.float32, (2, 3, 5, 7))
        np.testing.assert_array_equal(list(gsttomo.Slice()(volumes)), volumes.reshape(6, 5, 7))

    def test_source_as_iterable(self):
        images = write_sinograms(number=3)
        np.testing.assert_array_equal(list(Read(path="folder")), images)
        # numpy gets all arrays, where it would make an object of what it does not know.
        for source in (Read(path="folder"), Read(path="folder")()):
            array = np.asarray(source)
            self.assertEqual((array.dtype, array.shape), (np.float32, (3, 24, 40)))
            np.testing.assert_array_equal(array, images)
        self.assertEqual(np.asarray(Read(path="folder"), np.float64).dtype, np.float64)

    def test_generator_that_waits(self):
        """A generator may wait for a result before it gives more; a list can't, and is computed in batches."""
        image, results = random_array(np.float32, (13, 17)), []

        def paced():
            for n in range(4):
                deadline = time.monotonic() + 30
                while len(results) < n and time.monotonic() < deadline:
                    time.sleep(0.001)
                yield image

        for result in gsttomo.Backproject()(paced()):
            results.append(result.copy())
        together = list(gsttomo.Backproject()([image] * 4))
        for one, other in zip(results, together, strict=True):
            self.assert_close(one, other.astype(np.float64), 1e-5)

    def test_generator_in_batches(self):
        """As many results as from a list, several of which are computed at once and so share memory."""
        images = random_array(np.float32, (8, 40, 50))
        backproject = gsttomo.Backproject()
        frames = list(backproject(image for image in images).frames(on_device=True))
        self.assertEqual(len(frames), len(images))
        self.assertLess(len({frame.opencl_handle for frame in frames}), len(images))
        for frame, other in zip(frames, backproject(list(images)), strict=True):
            self.assert_close(frame.array, other.astype(np.float64), 1e-5)

    def test_types_pass(self):
        for dtype in FORMATS.values():
            array = random_array(dtype, (2, 5, 7))
            results = list(gsttomo.Crop(x=1, width=3, y=0, height=5)(array))
            self.assertEqual(results[0].dtype, dtype)
            np.testing.assert_array_equal(results, array[:, :, 1:4])

    def test_volumes(self):
        volume = random_array(np.float32, (3, 5, 7))
        (result,) = gsttomo.Stack(number=3)(volume)
        np.testing.assert_array_equal(result, volume)
        np.testing.assert_array_equal(list(gsttomo.Slice()([volume])), volume)

    def test_joins(self):
        p, d, f = (random_array(np.float32, (n, 6, 5)) for n in (4, 1, 1))
        f += d + 10
        expected = (p - np.float64(d)) / (f - np.float64(d))
        self.assert_close(list(FlatFieldCorrect()(p, d, f)), expected, 1e-5)
        self.assert_close(list(FlatFieldCorrect()(flats=f[0], projections=p, darks=[d[0]])), expected, 1e-5)
        # An input may be optional.
        self.assert_close(list(FlatFieldCorrect(num_projections=4)(p, d, f, flats_after=f)), expected, 1e-5)
        with self.assertRaisesRegex(TypeError, "missing: flats$"):
            FlatFieldCorrect()(p, d, flats_after=f)

    def test_shared_flow(self):
        """One flow that is used twice is read once; its average comes when it has ended."""
        reads = []

        def images():
            for i in range(30):
                reads.append(i)
                yield np.full((4, 5), i + 1, np.float32)

        source = Calculate(expression="v")(images())
        results = list(FlatFieldCorrect()(source, np.zeros((4, 5), np.float32), Average()(source)))
        self.assertEqual(reads, list(range(30)))
        self.assert_close([r[0, 0] for r in results], (np.arange(30) + 1) / 15.5, 1e-5)

    def test_several_sinks(self):
        source = DummyData(number=5, width=4, height=3, init=2)()
        gsttomo.run(Write(filename="a.tif")(source), Write(filename="b.tif")(Average()(source))).join()
        self.assertEqual((len(read_pages("a.tif")), len(read_pages("b.tif"))), (5, 1))

    def test_frames(self):
        images = write_sinograms(number=3)
        kept = [(frame.index, frame.source, frame.view) for frame in Read(path="folder")().frames()]
        self.assertEqual([k[0] for k in kept], [0, 1, 2])
        self.assertIn("sino02.tif", kept[2][1])
        gc.collect()
        for (_, _, view), image in zip(kept, images):  # long after the pipeline is gone
            np.testing.assert_array_equal(view, image)
            self.assertFalse(view.flags.writeable)
            self.assertFalse(view.flags.owndata)
        handles = [f.opencl_handle for f in Calculate()(np.ones((4, 5), np.float32)).frames(on_device=True)]
        self.assertTrue(handles[0])

    def test_gstreamer_elements(self):
        video = gsttomo.element("videotestsrc", num_buffers=3, pattern="white")
        caps = gsttomo.element("capsfilter", caps="video/x-raw,format=GRAY8,width=8,height=6")
        results = list(Calculate(expression="v / 255")(gsttomo.Convert()(caps(video))))
        np.testing.assert_allclose(results, np.ones((3, 6, 8)), atol=0.1)

    def test_early_end(self):
        """A loop that is left stops the stream, and its inputs with it."""
        given = []

        def images():
            for image in endless():
                given.append(1)
                yield image

        for i, image in enumerate(Calculate()(images())):
            if i == 3:
                break
        del image
        gc.collect()
        count = len(given)
        time.sleep(0.2)
        self.assertEqual(len(given), count)


class ManyOutputs(PipelineTestCase):
    """A source with several outputs."""

    def setUp(self):
        super().setUp()
        self.projections, self.darks, self.flats = (
            random_array(np.uint16, (n, 7, 11)) // share + offset
            for n, share, offset in ((9, 2, 100), (3, 8, 0), (5, 4, 40000)))
        with h5py.File("scan.h5", "w") as file:
            file["exchange/data"] = self.projections
            file["exchange/data_dark"] = self.darks
            file["exchange/data_white"] = self.flats
            file["exchange/theta"] = np.arange(9) * 20.0
        dark, flat = self.darks.mean(0), self.flats.mean(0)
        self.expected = (self.projections - dark) / (flat - dark)
        self.scan = gsttomo.ScanSrc(location="scan.h5")

    def test_unpacked(self):
        projections, darks, flats = self.scan()
        self.assert_close(list(FlatFieldCorrect()(projections, Average()(darks), Average()(flats))), self.expected, 1e-5)
        for flow, images in ((projections, self.projections), (darks, self.darks), (flats, self.flats)):
            np.testing.assert_array_equal(list(flow), images)

    def test_by_name(self):
        out = self.scan.outputs
        self.assertEqual([*out.keys()], ["projections", "darks", "flats", "flats-after"])
        correct = FlatFieldCorrect()
        flow = correct(out["projections"], Average()(out.darks), Average()(self.scan.outputs["flats"]))
        self.assert_close(list(flow), self.expected, 1e-5)
        self.assertIs(out.flats_after, out["flats-after"])
        self.assertEqual(list(out.flats_after), [])
        self.assertIn("flats_after", dir(out))
        self.assertIn("ScanSrc(location='scan.h5')().darks", repr(flow))
        # As it is, a source stands for its first output.
        np.testing.assert_array_equal(list(Calculate(expression="v")(self.scan)), self.projections)
        np.testing.assert_array_equal(list(next(iter(self.scan))), self.projections)
        # What is not asked for is not there.
        for words, act in (("did you mean 'darks'", lambda: out["dark"]), ("did you mean 'flats'", lambda: out.flat),
                           ("no source with several outputs", lambda: Read().outputs),
                           (r"outputs\['projections'\]", lambda: np.asarray(out))):
            with self.subTest(words=words), self.assertRaisesRegex((KeyError, AttributeError, TypeError), words):
                act()

    def test_an_end_right_behind_the_start(self):
        """A source that has not opened its file yet ends as early as any other one."""
        for _ in range(5):
            run = Null()(Sleep(time=0.2)(self.scan.outputs.projections)).run()
            run.finish()
            run.wait()
            self.assertLess(run.progress[2], len(self.projections))

    def test_one_output_for_all(self):
        """One output for inputs of different meanings is an error that says how it is right."""
        for source in (self.scan, self.scan(), self.scan.outputs.projections):
            with self.assertRaisesRegex(gsttomo.Error, r"'darks'.*'projections'.*outputs\["):
                list(FlatFieldCorrect()(source, Average()(source), Average()(source)))
        image = Calculate()(self.projections)
        with self.assertRaisesRegex(gsttomo.Error, "'darks' and 'flats'.*same arrays"):
            list(FlatFieldCorrect()(self.projections, image, image))
        # Made of several outputs, or taken on purpose.
        projections, darks, flats = self.scan()
        dark = Average()(darks)
        flat = gsttomo.Subtract()(Average()(flats), dark)
        results = list(FlatFieldCorrect()(gsttomo.Subtract()(projections, dark), np.zeros((7, 11), np.float32), flat))
        self.assert_close(results, self.expected, 1e-5)
        results = list(FlatFieldCorrect()(projections, dark, Average()(flats), flats_after=Average()(flats)))
        self.assert_close(results, self.expected, 1e-5)

    def test_json(self):
        out = self.scan.outputs
        corrected = FlatFieldCorrect()(out.projections, Average()(out.darks), Average()(out.flats))
        run = Write(filename="a.h5:/data")(corrected).run()
        text = run.graph.to_json()
        run.wait()
        self.assert_close(read_dataset("a.h5", "data"), self.expected, 1e-5)
        names = [edge["from"].get("output") for edge in json.loads(text)["edges"] if edge["from"]["name"] == "scan-src"]
        self.assertEqual(names, ["projections", "darks", "flats"])

        def with_numbers(flats):
            graph = json.loads(text)
            for edge in graph["edges"]:
                if edge["from"].get("output") in ("darks", "flats"):
                    edge["from"]["output"] = {"darks": 1, "flats": flats}[edge["from"]["output"]]
            return json.dumps(graph)

        for name, other in (("b.h5", text), ("c.h5", with_numbers(2))):
            GstTomo.Graph.new_from_json(other.replace("a.h5", name)).run()
            np.testing.assert_array_equal(read_dataset(name, "data"), read_dataset("a.h5", "data"))
        with self.assertRaisesRegex(GLib.Error, "no output 4"):
            GstTomo.Graph.new_from_json(with_numbers(4))

    def test_task_graph(self):
        pm, g = GstTomo.PluginManager(), GstTomo.TaskGraph()
        scan, correct, write = (pm.get_task(name) for name in ("scan-src", "flat-field-correct", "write"))
        averages = [pm.get_task("average") for _ in range(2)]
        scan.set_properties(location="scan.h5")
        write.set_properties(filename="a.h5:/data")
        g.connect_nodes(scan, correct)
        for number, (average, output) in enumerate(zip(averages, ("darks", "flats")), 1):
            g.connect_nodes(scan, average, output=output)
            g.connect_nodes(average, correct, number)
        g.connect_nodes(correct, write)
        GstTomo.Scheduler().run(g)
        self.assert_close(read_dataset("a.h5", "data"), self.expected, 1e-5)

    def test_line(self):
        GstTomo.Graph.new_from_line(
            "scan-src name=s location=scan.h5 [ s.projections, s.darks ! average, s.flats ! average ] ! "
            "flat-field-correct ! write filename=a.h5:/data").run()
        self.assert_close(read_dataset("a.h5", "data"), self.expected, 1e-5)
        with self.assertRaisesRegex(GLib.Error, "'darks'.*'projections'.*s.darks"):
            GstTomo.Graph.new_from_line(
                "scan-src location=scan.h5 name=s ! tee name=t [ t., t. ! average, t. ! average ] ! "
                "flat-field-correct ! null").run()


class Runs(PipelineTestCase):
    def test_other_threads_go_on(self):
        """While a pipeline runs and is waited for, Python does other things."""
        counted = 0
        ends = threading.Event()

        def count():
            nonlocal counted
            while not ends.is_set():
                counted += 1

        thread = threading.Thread(target=count)
        flow = Null()(gsttomo.element("identity", sleep_time=5000)(DummyData(number=100)))
        before = 0
        thread.start()
        try:
            before = counted
            flow.run().wait()
            during = counted - before
        finally:
            ends.set()
            thread.join()
        self.assertGreater(during, 1000)

    def test_progress_and_abort(self):
        run = Null()(Calculate()(endless())).run()
        while run.progress[2] < 3:
            self.assertFalse(run.wait(0.02))
        run.abort()
        with self.assertRaisesRegex(gsttomo.Error, "aborted"):
            run.wait()
        self.assertFalse(run.is_running())
        run = Write(filename="a.tif")(Calculate()(endless())).run()
        while run.progress[2] < 3:
            run.wait(0.02)
        run.finish()
        self.assertTrue(run.wait())
        self.assertGreaterEqual(len(read_pages("a.tif")), 3)

    def test_repr(self):
        run = Null()(Sleep(time=2)(np.ones((3, 4, 5), np.float32))).run()
        self.assertRegex(repr(run), r"^<Run running, \d of 3 arrays in, \d+ out: Null\(\)")
        run.abort()
        with self.assertRaisesRegex(gsttomo.Error, "aborted"):
            run.wait()
        run = Null()(Calculate(expression="v")(np.ones((3, 4, 5), np.float32))).run()
        run.wait()
        self.assertRegex(repr(run), r"^<Run done after [\d.e-]+ s, 3 of 3 arrays in, 3 out: "
                                    r"Null\(\)\(Calculate\(expression='v'\)\(<float32 \(3, 4, 5\)>\)\)>$")
        run = Null()(Read(path="no-such.tif")).run()
        with self.assertRaises(gsttomo.Error):
            run.wait()
        self.assertRegex(repr(run), "^<Run failed .*no-such.tif")

    def test_threads(self):
        """Threads share tasks, start runs and set properties at the same time."""
        add, images = Calculate(expression="v + 1"), random_array(np.float32, (3, 5, 7))
        failures = []

        def work():
            try:
                for _ in range(10):
                    np.testing.assert_array_equal(list(add(images)), images + 1)
                    add.expression = "v + 1"
            except Exception as e:
                failures.append(e)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_fixed_property_while_running(self):
        """A property that must not change while the stream runs is refused, and stays."""
        stack = gsttomo.TransposeProjections(number=4)
        outputs = iter(stack(endless()))
        next(outputs)
        with self.assertRaisesRegex(gsttomo.Error, "number of TransposeProjections can only be set before the start"):
            stack.number = 2
        self.assertEqual(stack.number, 4)
        outputs.close()
        stack.number = 2
        self.assertEqual(next(iter(stack(np.ones((2, 3, 4), np.float32)))).shape, (2, 4))

    def test_property_while_running(self):
        values = set()
        calculate = Calculate(expression="v * 2")
        for image in calculate(endless()):
            values.add(float(image[0, 0]))
            calculate.expression = "v * 3"
            if 3.0 in values:
                break
        self.assertEqual(values, {2.0, 3.0})

    SCRIPT = ("import gsttomo, numpy as np, time\n"
              "def endless(pause=0, number=0):\n"
              "    print('runs', flush=True)\n"
              "    while True:\n"
              "        yield np.ones((8, 8), np.float32)\n"
              "        number += 1\n"
              "        time.sleep(pause if number > 5 else 0)\n")

    def test_ctrl_c(self):
        """It ends a wait, a loop, and both while a generator does not come back."""
        for line in ("gsttomo.Null()(endless()).run().wait()", "for image in gsttomo.Calculate()(endless()): pass",
                     "gsttomo.Null()(endless(1000)).run().wait()", "for image in gsttomo.Calculate()(endless(1000)): pass"):
            with self.subTest(line=line):
                script = f"{self.SCRIPT}try:\n    {line}\nexcept KeyboardInterrupt: print('interrupted')\n"
                process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
                self.addCleanup(process.kill)
                self.assertEqual(process.stdout.readline(), "runs\n")
                time.sleep(0.3)
                process.send_signal(signal.SIGINT)
                out, _ = process.communicate(timeout=PATIENCE)
                self.assertEqual((out, process.returncode), ("interrupted\n", 0))

    def test_end_of_interpreter(self):
        """A run that nobody waits for is completed, an iterated one ends, and an error is told."""
        for line, status, words in (
                ("gsttomo.Write(filename='a.tif')(gsttomo.Calculate(expression='v')(np.ones((20, 9, 9), np.float32))).run()",
                 0, "^$"),
                ("outputs = iter(gsttomo.Calculate()(endless())); next(outputs)", 0, "^$"),
                ("gsttomo.Null()(gsttomo.Read(path='no-such.tif')).run()", 1, "no-such.tif"),
                ("gsttomo.Null()(endless()).run(); 1 / 0", 1, "ZeroDivisionError has ended the script: 1 unfinished run is")):
            with self.subTest(line=line):
                result = subprocess.run([sys.executable, "-c", f"{self.SCRIPT}{line}\n"], text=True, capture_output=True,
                                        timeout=PATIENCE)
                self.assertEqual(result.returncode, status, result.stderr)
                self.assertRegex(result.stderr, words)
        np.testing.assert_array_equal(read_pages("a.tif"), np.ones((20, 9, 9), np.float32))

    def test_ctrl_c_at_the_end(self):
        """A run that goes on by itself ends with the script, and the caller sees that."""
        for line, status, words in (
                ("print('here', flush=True)\ntime.sleep(100)", -signal.SIGINT, "KeyboardInterrupt has ended the script: 1 unfinished run is aborted"),
                ("import atexit\natexit.register(print, 'here', flush=True)", 128 + signal.SIGINT, "Ctrl-C: the unfinished runs are aborted")):
            with self.subTest(line=line):
                script = f"{self.SCRIPT}run = gsttomo.Null()(endless()).run()\n{line}\n"
                process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                           text=True)
                self.addCleanup(process.kill)
                # two threads print at once, so that one's word may stand in the other's line
                said = process.stdout.read(len("runs\nhere\n"))
                self.assertTrue("runs" in said and "here" in said, said)
                time.sleep(0.5)
                process.send_signal(signal.SIGINT)
                _, errors = process.communicate(timeout=PATIENCE)
                self.assertIn(words, errors)
                self.assertEqual(process.returncode, status, errors)

    def test_left_early(self):
        """Loops that are left and outputs that are dropped leave no thread and no file open."""
        write_sinograms(number=3)

        def once():
            for image in Calculate()(endless()):
                break
            outputs = Calculate()(Read(path="folder/*.tif")).frames()
            next(outputs)
            del outputs
            with self.assertRaises(ZeroDivisionError):
                for image in Calculate()(endless()):
                    1 / 0
            run = Null()(endless()).run()
            run.abort()
            with self.assertRaisesRegex(gsttomo.Error, "aborted"):
                run.wait()

        def held():
            gc.collect()
            return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

        for _ in range(3):
            once()
        before = held()
        for _ in range(15):
            once()
        deadline = time.monotonic() + PATIENCE  # GLib's pool of threads takes its time
        while any(np.subtract(held(), before) > 0) and time.monotonic() < deadline:
            time.sleep(0.1)
        files, threads = np.subtract(held(), before)
        self.assertLessEqual(files, 0)
        self.assertLessEqual(threads, 2)

    def test_no_growth(self):
        """Runs in one process leave nothing behind."""
        alive = []

        def once():
            flow = Calculate(expression="v + 1")(np.zeros((3, 64, 64), np.float32))
            self.assertEqual(len(list(flow)), 3)
            run = Null()(DummyData(number=3)).run()
            run.wait()
            alive.append((weakref.ref(run), weakref.ref(flow)))
            weak = run.graph.weak_ref(lambda: gone.append(1))
            self.assertIsNotNone(weak)

        def resident():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

        gone = []
        for _ in range(10):
            once()
        gc.collect()
        before, threads = resident(), threading.active_count()
        for _ in range(40):
            once()
        gc.collect()
        self.assertEqual(len(gone), 50)
        self.assertEqual([r() for pair in alive for r in pair if r() is not None], [])
        self.assertEqual(threading.active_count(), threads)
        self.assertLess(resident() - before, 20e6)


class Classes(TestCase):
    def test_names(self):
        self.assertIn("FlatFieldCorrect", gsttomo.tasks())
        self.assertEqual(len(gsttomo.tasks()), len(GstTomo.list_tasks()))
        self.assertLessEqual(set(gsttomo.tasks()), set(dir(gsttomo)))
        for name in gsttomo.tasks():
            self.assertTrue(getattr(gsttomo, name).__doc__)
        self.assertIs(gsttomo.Read, Read)
        with self.assertRaises(ImportError):
            from gsttomo import Raed
        names = {}
        exec("from gsttomo import *", names)
        self.assertLessEqual({*gsttomo.tasks(), "run", "element", "Error"}, set(names))
        self.assertIs(names["Read"], Read)
        with self.assertRaisesRegex(gsttomo.Error, "did you mean 'videotestsrc'"):
            gsttomo.element("videotestsrcc")

    def test_help(self):
        self.assertIn("FlatFieldCorrect: Transmission of projections", gsttomo.__doc__)
        self.assertIn("projections, darks, flats = ScanSrc(...)(); .outputs.flats_after", gsttomo.ScanSrc.__doc__)
        self.assertIn("FlatFieldCorrect(...)(projections, darks, flats, flats_after=None)", FlatFieldCorrect.__doc__)
        self.assertIn("Write(...)(INPUT).run().wait()", Write.__doc__)
        self.assertIn("Subtract(...)(INPUT, INPUT, ...)", gsttomo.Subtract.__doc__)

    def test_stubs(self):
        """Stubs are Python, and have all tasks with their properties."""
        with tempfile.TemporaryDirectory() as folder:
            result = subprocess.run([sys.executable, "-m", "gsttomo.stubs", folder], text=True, capture_output=True)
            self.assertEqual(result.returncode, 0, result.stderr)
            own, reconstruction, _ = result.stdout.split()  # test_tomopy.py looks at the last one
            with open(own) as file:
                module = ast.parse(file.read())
            self.check_stubs_of_reconstruction(reconstruction)
        classes = {node.name: {a.target.id for a in node.body if isinstance(a, ast.AnnAssign)}
                   for node in module.body if isinstance(node, ast.ClassDef)}
        self.assertLessEqual(set(gsttomo.tasks()), set(classes))
        self.assertLessEqual({"factor", "x_factor", "interpolation"}, classes["Rescale"])
        self.assertIn("center", classes["CenterOfRotation"])

    def check_stubs_of_reconstruction(self, path):
        """They have all that the module has, and no more."""
        import gsttomo.reconstruction as module

        with open(path) as file:
            tree = ast.parse(file.read())
        classes = {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        self.assertLessEqual(set(module.__all__), set(classes) | set(functions))
        for name, body in classes.items():
            stub = {part.target.id if isinstance(part, ast.AnnAssign) else part.name for part in body
                    if isinstance(part, (ast.AnnAssign, ast.FunctionDef, ast.AsyncFunctionDef))}
            real = getattr(module, name)
            public = {key for one in real.__mro__ if one.__module__.startswith("gsttomo") for key in vars(one) if not key.startswith("_")}
            self.assertLessEqual(public - {"with_traceback", "add_note"}, stub, name)
            if hasattr(real, "_fields"):
                self.assertEqual([part.target.id for part in body], list(real._fields))
        for name, function in functions.items():
            given = [a.arg for a in function.args.args + function.args.kwonlyargs]
            self.assertEqual(given, list(inspect.signature(getattr(module, name)).parameters), name)
        annotation = {a.arg: ast.unparse(a.annotation) for a in functions["reconstruct"].args.kwonlyargs}
        self.assertIn("'sorting'", annotation["rings"])
        self.assertEqual((annotation["axis"], annotation["circle"]), ("float | None", "bool"))

    def test_signatures(self):
        parameters = inspect.signature(Rescale).parameters
        self.assertIn("x_factor", parameters)
        self.assertEqual(parameters["interpolation"].default, "linear")
        self.assertIn("Resamples", Rescale.__doc__)
        self.assertIn("factor", dir(Rescale()))
        self.assertIn("number", Rescale.factor.__doc__)
        self.assertEqual(Rescale(factor=0.5).factor, 0.5)

    def test_errors(self):
        image = np.ones((4, 5), np.float32)
        for error, words, act in (
            (TypeError, "no property 'facto'", lambda: Rescale(facto=1)),
            (AttributeError, "no property 'facto'", lambda: setattr(Rescale(), "facto", 1)),
            (ValueError, "at least", lambda: Rescale(factor=-1)),
            (ValueError, "factor.*nan.*at least", lambda: Rescale(factor=np.nan)),
            (ValueError, "axis-pos.*nan.*number", lambda: setattr(gsttomo.Backproject(), "axis_pos", -np.float32("nan"))),
            (ValueError, "drop-probability.*nan.*from 0 to 1", lambda: gsttomo.element("identity", drop_probability="nan")),
            (ValueError, "one of nearest, linear", lambda: Rescale(interpolation="cubic")),
            (TypeError, "needs inputs|missing", lambda: Rescale()()),
            (TypeError, "takes 1 inputs", lambda: Rescale()(image, image)),
            (TypeError, "takes 0 inputs", lambda: Read()(image)),
            (TypeError, "missing: flats", lambda: FlatFieldCorrect()(image, image)),
            (TypeError, "given twice", lambda: FlatFieldCorrect()(image, image, projections=image)),
            (TypeError, "gives no output", lambda: Rescale()(Null()(image))),
            (TypeError, "nobody takes", lambda: Rescale()(image).run()),
            (TypeError, "gives no output", lambda: list(Null()(image))),
            (TypeError, "not 'x'", lambda: Rescale()("x")),
            (TypeError, r"type complex128 and shape \(4, 5\).*complex64", lambda: Rescale()(np.ones((4, 5), complex))),
            (TypeError, r"type float128 and shape \(4, 5\).*float32",
             lambda: list(Rescale()([np.ones((4, 5), np.longdouble)]))),
            (TypeError, r"type object and shape \(2,\)", lambda: list(Rescale()([np.array([None, 1])]))),
            (TypeError, r"type <U1 and shape \(1,\)", lambda: list(Rescale()([["a"]]))),
            (TypeError, r"masked", lambda: Rescale()(np.ma.masked_equal(np.ones((4, 5)), 1))),
            (TypeError, r"shape \(1, 1, 1, 1, 1\)", lambda: Rescale()(np.ones((1,) * 5))),
            (TypeError, r"shape \(\)", lambda: list(Rescale()([3.0]))),
            (ValueError, r"holds 2147483648.*int32.*float64", lambda: list(Calculate()(np.array([[1, 2**31]])))),
            (ValueError, r"holds -2147483649", lambda: list(Calculate()(np.array([[-2**31 - 1, 0]])))),
            (ValueError, r"holds 4294967296.*uint32", lambda: list(Calculate()(np.array([[2**32]], np.uint64)))),
            (AttributeError, r"no result 'centre' \(did you mean 'center'",
             lambda: gsttomo.CenterOfRotation()(image).result("centre")),
            (TypeError, r"no property 'x_facto' \(did you mean 'x_factor'", lambda: Rescale(x_facto=1)),
            (TypeError, r"no input 'dark' \(did you mean 'darks'", lambda: FlatFieldCorrect()(image, dark=image)),
            (AttributeError, r"no task 'Raed' \(did you mean 'Read'", lambda: gsttomo.Raed),
            (TypeError, "takes inputs: iterate over Rescale", lambda: list(Rescale())),
            (gsttomo.Error, "number of Stack can only be set before the start.*comes later",
             lambda: gsttomo.Stack(number=gsttomo.CenterOfRotation()(image).result("center"))),
            (ValueError, "one type and size", lambda: list(Calculate()([image, image[1:]]))),
            (ValueError, "no array", lambda: list(Calculate()([]))),
            (gsttomo.Error, "no-such.tif", lambda: list(Read(path="no-such.tif")())),
            (gsttomo.Error, "no-such.tif", lambda: Null()(Read(path="no-such.tif")).run().wait()),
        ):
            with self.subTest(words=words), self.assertRaisesRegex(error, words):
                act()

    def test_errors_of_generators(self):
        def images():
            yield np.ones((4, 5), np.float32)
            raise ZeroDivisionError("on purpose")

        with self.assertRaisesRegex(ZeroDivisionError, "on purpose"):
            list(Average()(images()))
        with self.assertRaisesRegex(ZeroDivisionError, "on purpose"):
            Null()(images()).run().wait()


if __name__ == "__main__":
    main()
