#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Values that a property does not take, or not now: refused, told, and never computed with."""

from pipetest import *

gi.require_version("GstController", "1.0")
gi.require_version("GstTomo", "1.0")
from gi.repository import GObject, GstController, GstTomo

READY, PAUSED, PLAYING = (1 << (GObject.PARAM_USER_SHIFT + i) for i in (2, 3, 4))
SOURCE = "tomodummydata width=5 height=3 number=2"


class Unacceptable(PipelineTestCase):
    """gst-launch and applications: the run fails instead of computing with the default."""

    def assert_refused(self, line, element, *words):
        result = launch(line, ("-q",))
        self.assertNotEqual(result.rc, 0, f"{line}\n{result}")
        self.assertEqual(len(result.errors), 1, f"{line}\n{result}")
        self.assertIn(element, result.errors[0])
        for word in words:
            self.assertIn(word, result.errors[0], line)
        self.assertNotIn("CRITICAL", result.out)

    def test_launch(self):
        for line, element, words in (
                (f"{SOURCE} ! tomorescale factor=nan ! tomonull", "tomorescale0", ("'factor'", "nan", "a number")),
                (f"{SOURCE} ! tomobackproject axis-pos=-nan ! tomonull", "tomobackproject0", ("'axis-pos'", "nan")),
                (f"{SOURCE} ! tomobackproject axis-pos=-12 ! tomonull", "tomobackproject0",
                 ("'axis-pos'", "-12", "from -1 to 32768")),
                (f"{SOURCE} ! tomobackproject batch=2000 ! tomonull", "tomobackproject0",
                 ("'batch'", "2000", "from 0 to 1024")),
                (f"{SOURCE} ! tomorotate center=<1,nan> ! tomonull", "tomorotate0", ("'center'", "nan")),
                ("tomodummydata init=nan number=1 ! tomonull", "tomodummydata0", ("'init'", "nan"))):
            with self.subTest(line=line):
                self.assert_refused(line, element, *words)

    def test_set(self):
        """A value that is taken back is forgiven; what is in force is what one reads."""
        for name, factory, good, bad in (("factor", "tomorescale", 0.5, (float("nan"), -1.0)),
                                         ("axis-pos", "tomobackproject", 2.5, (float("nan"), float("inf"), -12.0)),
                                         ("number", "tomostack", 2, (0,)), ("mode", "tomobackproject", None, (77,))):
            for value in bad:
                with self.subTest(property=name, value=value), Play(f"{SOURCE} ! {factory} name=e ! tomonull") as play:
                    before = play["e"].get_property(name)
                    play["e"].set_property(name, value)
                    self.assertEqual(play["e"].get_property(name), before)
                    self.assertIn(f"'{name}'", play.run())
                    play.stop()
                    play["e"].set_property(name, before if good is None else good)
                    self.assertIsNone(play.run())
                    play.stop()

    def test_while_it_runs(self):
        """A live stream goes on with the value in force, and the bus tells."""
        with Play(f"appsrc name=a format=time caps={CAPS} ! tomoclip name=e max=1 ! tomonull") as play:
            play["a"].emit("push-buffer", buffer_of(np.zeros((3, 5))))
            self.assertTrue(play.state(Gst.State.PLAYING))
            play["e"].set_property("max", float("nan"))
            self.assertEqual(play["e"].get_property("max"), 1)
            play["a"].emit("push-buffer", buffer_of(np.zeros((3, 5))))
            play["a"].emit("end-of-stream")
            self.assertIsNone(play.finish())
            self.assertEqual(len(play.warnings()), 1, play.warnings())
            self.assertIn("'max' does not take nan", play.warnings()[0])

    def test_control(self):
        """One that follows the time ends in an error, or each frame would be computed with an old value."""
        with Play("tomodummydata width=5 height=3 number=4 ! application/x-tomo-array(ANY),framerate=1/1 ! "
                  "tomobackproject name=e ! tomonull") as play:
            control = GstController.InterpolationControlSource(mode=GstController.InterpolationMode.LINEAR)
            control.set(0, 1.0)
            control.set(4 * Gst.SECOND, -7.0)
            self.assertTrue(play["e"].add_control_binding(
                GstController.DirectControlBinding.new_absolute(play["e"], "axis-pos", control)))
            self.assertIn("'axis-pos' does not take", play.run() or "")

    def test_tasks(self):
        """From Python and JSON the error comes at once."""
        element = Gst.ElementFactory.make("tomorescale")
        before = element.get_property("factor")
        with self.assertRaises(GLib.Error):
            GstTomo.set_properties(element, factor=-1.0)
        self.assertEqual(element.get_property("factor"), before)


CAPS = '"application/x-tomo-array,format=float32,width=5,height=3,depth=1,framerate=0/1"'


def buffer_of(array):
    return Gst.Buffer.new_wrapped(np.asarray(array, np.float32).tobytes())


def plain(value):
    """A list in place of the array of a property, which equals no other one."""
    return list(value.array) if isinstance(value, Gst.ValueArray) else value


class Frozen(PipelineTestCase):
    """What may change before the start only does not change while the stream runs."""

    def collect(self, play, values, after, change):
        """The first sample and the depth of each result; `change` is done when `after` arrays are through."""
        results = []
        for i, value in enumerate(values):
            if i == after:
                # All of them have been taken.
                play["a"].get_static_pad("src").get_peer().query(Gst.Query.new_drain())
                change(play["e"])
            play["a"].emit("push-buffer", buffer_of(np.full((3, 5), value)))
        play["a"].emit("end-of-stream")
        while sample := play["o"].emit("try-pull-sample", PATIENCE * Gst.SECOND):
            array = to_array(sample)
            results.append(array.reshape(-1, 3, 5)[:, 0, 0].tolist())
        play.collect()
        self.assertEqual(play.errors(), [])
        return results

    def test_results(self):
        for element, name, value, expected in (
                ("tomostack number=4", "number", 2, [[1, 2, 3, 4], [5, 6]]),
                ("tomostack number=2", "number", 4, [[1, 2], [3, 4], [5, 6]]),
                ("tomobuffer dup-count=2", "dup-count", 1, [[v] for v in (1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6)]),
                ("tomoflatteninplace mode=min", "mode", "sum", [[1]])):
            with self.subTest(element=element, value=value), \
                    Play(f"appsrc name=a format=time caps={CAPS} ! {element} name=e ! appsink name=o sync=false") as play:
                play.pipeline.set_state(Gst.State.PLAYING)
                before = play["e"].get_property(name)

                def change(running):
                    Gst.util_set_object_arg(running, name, str(value))
                    self.assertEqual(running.get_property(name), before)
                    with self.assertRaises(GLib.Error) as refused:
                        GstTomo.set_properties_from_json(running, f'{{"{name}": "{value}"}}')
                    self.assertIn("while the stream runs", refused.exception.message)

                self.assertEqual(self.collect(play, range(1, 7), 1, change), expected)
                play.state(Gst.State.READY)
                Gst.util_set_object_arg(play["e"], name, str(value))
                self.assertNotEqual(play["e"].get_property(name), before)

    def test_all(self):
        """Every property of the kind, in every element: the declared range of states is the effective one."""
        seen = 0
        for factory in Gst.Registry.get().get_feature_list_by_plugin("tomo"):
            if not isinstance(factory, Gst.ElementFactory):
                continue
            element = factory.create(None)
            sink = [t for t in factory.get_static_pad_templates() if t.direction == Gst.PadDirection.SINK]
            frozen = [p for p in element.list_properties() if p.owner_type.name.startswith("GstTomo")
                      and p.flags & GObject.ParamFlags.WRITABLE and int(p.flags) & READY]
            if not frozen or len(sink) != 1 or sink[0].presence != Gst.PadPresence.ALWAYS or not element.srcpads:
                continue
            if element.set_state(Gst.State.PAUSED) == Gst.StateChangeReturn.FAILURE:
                element.set_state(Gst.State.NULL)  # needs a file, for instance
                continue
            for spec in frozen:
                before = plain(element.get_property(spec.name))
                if spec.value_type.name == "GstValueArray":
                    other = Gst.ValueArray((0.5, 0.25, 0.75))
                elif spec.value_type == GObject.TYPE_STRING:
                    other = "other"
                elif spec.value_type == GObject.TYPE_BOOLEAN:
                    other = not before
                elif spec.value_type.is_a(GObject.TYPE_ENUM):
                    other = next((v for v in spec.enum_class.__enum_values__.values() if v != before), None)
                else:
                    other = spec.maximum if before != spec.maximum else spec.minimum
                if other is None:
                    continue
                with self.subTest(element=factory.get_name(), property=spec.name):
                    element.set_property(spec.name, other)
                    self.assertEqual(plain(element.get_property(spec.name)), before)
                    seen += 1
            element.set_state(Gst.State.NULL)
        self.assertGreater(seen, 20)

    def test_bindings(self):
        graph = GstTomo.Graph()
        for plugin, name in (("dummy-data", "d"), ("center-of-rotation", "m"), ("stack", "s"), ("null", "n")):
            graph.add_node(plugin, name)
        with self.assertRaises(GLib.Error) as refused:
            graph.bind("m", "center", "s", "number")
        self.assertIn("while the stream runs", refused.exception.message)

    def test_device_in_ready(self):
        """What is chosen between READY and PAUSED counts."""
        with Play(f"{SOURCE} ! tomorescale name=e ! tomonull") as play:
            self.assertTrue(play.state(Gst.State.READY))
            play["e"].set_property("device", "no such device")
            self.assertIn("no such device", play.run() or "")


if __name__ == "__main__":
    main()
