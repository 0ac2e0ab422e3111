# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The window: places, settings, jobs, and what outlives it."""

import json
import os
import pathlib
import signal
import subprocess
import time

import h5py
import numpy as np
from guitest import SCAN, TOOTH, GuiTest, QtCore, QtTest, QtWidgets, click, main, own_time, spin, type_into, until  # noqa: I001
from gsttomo import jobs
from managers import manager_of

from gsttomo.faces.parameters import command_of


def find(window, kind, name):
    found = window.findChild(kind, name)
    assert found is not None, name
    return found


def slices(name):
    with h5py.File(name, "r") as file:
        return np.asarray(file["/entry/data/data"])


class Settings(GuiTest):
    def test_every_parameter_has_a_field(self):
        window = self.window()
        form, schema = window.settings.form, window.session.configuration.schema
        self.assertEqual(set(form.fields), set(schema) - {"sweep", "result", "resume"})
        for name, field in form.fields.items():
            about = schema[name]
            self.assertIn(about["description"], field.editor.toolTip())
            if "enum" in about:
                self.assertEqual([field.editor.itemData(i) for i in range(field.editor.count())], about["enum"])
            shown = [label.text() for label in field.findChildren(QtWidgets.QLabel)]
            self.assertIn(name, shown)
            self.assertIn(about.get("x-unit", ""), shown)

    def test_typing_a_wrong_value_and_back(self):
        window = self.window()
        form, configuration = window.settings.form, window.session.configuration
        form.find("num-iterations")
        field = form.fields["num-iterations"]
        spin(0.1)
        self.assertTrue(field.editor.isVisible())
        type_into(field.editor, "many")
        self.assertTrue(field.editor.property("wrong"))
        self.assertIn("num-iterations", " ".join(label.text() for label in field.findChildren(QtWidgets.QLabel)))
        self.assertEqual(configuration.values, {})
        type_into(field.editor, "25")
        self.assertFalse(field.editor.property("wrong"))
        self.assertEqual(configuration.values, {"num-iterations": 25})
        click(field.findChild(QtWidgets.QToolButton))
        self.assertEqual(configuration.values, {})
        click(find(window, QtWidgets.QToolButton, "undo"))
        self.assertEqual((configuration.values, field.editor.text()), ({"num-iterations": 25}, "25"))
        click(find(window, QtWidgets.QToolButton, "redo"))
        self.assertEqual((configuration.values, field.editor.text()), ({}, ""))

    def test_a_value_counts_without_enter(self):
        window = self.window()
        field = window.settings.form.fields["axis"]
        field.editor.setFocus()
        QtTest.QTest.keyClicks(field.editor, "86.5")
        until(lambda: window.session.configuration.values == {"axis": 86.5})
        self.assertEqual(field.editor.text(), "86.5")

    def test_search(self):
        window = self.window()
        form = window.settings.form
        type_into(find(window, QtWidgets.QLineEdit, "search"), "muench wavelet")
        shown = {name for name, field in form.fields.items() if field.isVisible()}
        self.assertEqual(shown, {"rings"})
        type_into(find(window, QtWidgets.QLineEdit, "search"), "no such word")
        self.assertFalse(any(field.isVisible() for field in form.fields.values()))

    def test_basic_and_advanced(self):
        window = self.window()
        form = window.settings.form
        form.sections["reconstruction"].unfold(True)
        spin(0.05)
        self.assertFalse(form.fields["subsets"].isVisible())
        click(find(window, QtWidgets.QCheckBox, "advanced"), QtCore.QPoint(8, 8))
        spin(0.05)
        self.assertTrue(form.fields["subsets"].isVisible())

    def test_the_file_is_that_of_the_command_line(self):
        window = self.window(SCAN)
        configuration = window.session.configuration
        configuration.set("method", "sirt")
        configuration.set("num-iterations", "2")
        configuration.set("axis", "86.35")
        configuration.set("height", "2")
        configuration.set("y", "60")
        name = self.folder / "reco.conf"
        window.settings.save(name)
        before = configuration.values
        configuration.reset()
        window.settings.load(name)
        self.assertEqual(configuration.values, before)
        subprocess.run(["tomo-reconstruct", "run", "--config", name, "--output", self.folder / "command.h5", "--progress", "none"], check=True)
        place = window.show_place("Reconstruct")
        configuration.set("output", str(self.folder / "window.h5"))
        until(place.start.isEnabled)
        click(place.start)
        until(lambda: place.state.state in ("done", "failed"), "no end of the job")
        self.assertEqual(place.state.state, "done", place.state.text)
        np.testing.assert_array_equal(slices(self.folder / "window.h5"), slices(self.folder / "command.h5"))
        # And the command that is copied does the same.
        words = command_of({**before, "output": str(self.folder / "copied.h5")})
        subprocess.run(words + " --progress none", shell=True, check=True)
        np.testing.assert_array_equal(slices(self.folder / "copied.h5"), slices(self.folder / "command.h5"))

    def test_a_file_that_is_none(self):
        window = self.window()
        name = self.folder / "reco.conf"
        name.write_text("[reconstruction]\nmetod=sirt\n")
        window.session.configuration.set("axis", "7")
        window.settings.load(name)
        self.assertEqual(window.session.configuration.values, {"axis": 7.0})
        self.assertIn("metod", window.log.toPlainText())
        self.assertIn("method", window.log.toPlainText())

    def test_show_as_pipeline(self):
        window = self.window(SCAN)
        window.settings.show_pipeline()
        dialog = window.settings.dialog
        until(lambda: "tomobackproject" in dialog.script.toPlainText())
        graph = json.loads(dialog.graph.toPlainText())
        self.assertIn("backproject", [node["plugin"] for node in graph["nodes"]])
        dialog.accept()


class Reconstruct(GuiTest):
    def test_the_slice_follows_the_settings(self):
        window = self.window(SCAN)
        place = window.show_place("Reconstruct")
        until(lambda: place.look_state.state == "done", f"no slice: {place.look_state.text}")
        for name, text in (("axis", "86.35"), ("projection-filter", "hamming"), ("rings", "wavelet")):
            before = place.picture.image().copy()
            window.session.configuration.set(name, text)
            until(lambda: not np.array_equal(place.picture.image(), before), f"{name} changed nothing")
        until(lambda: place.look_state.state == "done")
        self.save_picture(window, "reconstruct.png")
        subprocess.run(["tomo-reconstruct", SCAN, "--axis=86.35", "--projection-filter=hamming", "--rings=wavelet", "--y=67", "--height=1",
                        "--progress=none", f"--output={self.folder}/one.h5"], check=True)
        np.testing.assert_array_equal(place.picture.image(), slices(self.folder / "one.h5")[0])

    def test_a_slice_that_takes_long_is_given_up(self):
        window = self.window(SCAN)
        place = window.show_place("Reconstruct")
        until(lambda: place.look_state.state == "done", f"no slice: {place.look_state.text}")
        window.session.configuration.update({"method": "sirt", "num-iterations": 100000})
        until(lambda: place.look_state.state == "working")
        spin(0.5)
        started = time.monotonic()
        window.session.configuration.update({"method": None, "num-iterations": None})
        until(lambda: place.look_state.state == "done", "the long slice was not given up")
        self.assertLess(time.monotonic() - started, 20)

    def test_a_wrong_setting_is_told_and_the_picture_stays(self):
        window = self.window(SCAN)
        place = window.show_place("Reconstruct")
        until(lambda: place.look_state.state == "done", f"no slice: {place.look_state.text}")
        picture = place.picture.image().copy()
        window.session.configuration.set("start", "90")
        window.session.configuration.set("number", "1")
        window.session.configuration.set("angles", "/nowhere/angles.txt")
        until(lambda: place.look_state.state == "failed", "no failure")
        self.assertIn("angles.txt", place.look_state.text + window.log.toPlainText())
        np.testing.assert_array_equal(place.picture.image(), picture)

    def test_a_killed_engine_is_a_message(self):
        window = self.window(SCAN)
        place = window.show_place("Reconstruct")
        until(lambda: place.look_state.state == "done", f"no slice: {place.look_state.text}")
        window.session.configuration.update({"method": "sirt", "num-iterations": 100000})
        until(lambda: place.look_state.state == "working")
        spin(0.5)
        os.kill(window.session.pictures._process.processId(), signal.SIGKILL)
        until(lambda: place.look_state.state == "failed", "the death was not told")
        self.assertIn("signal 9", place.look_state.text)
        window.session.configuration.update({"method": None, "num-iterations": None})
        until(lambda: place.look_state.state == "done", "no new engine")

    def test_no_engine_outlives_a_killed_window(self):
        _, number = self.killed_window({"method": "sirt", "num-iterations": 100000}, """
window.show_place("Reconstruct").look()
print(window.session.pictures._process.processId())""")
        self.assertGreater(int(number), 1)
        until(lambda: not pathlib.Path(f"/proc/{number}/cmdline").exists() or not pathlib.Path(f"/proc/{number}/cmdline").read_bytes(),
              "the engine goes on", 10)

    def test_many_scans(self):
        window = self.window(SCAN)
        place = window.show_place("Reconstruct")
        names = []
        for number in range(3):
            names.append(str(self.folder / f"scan-{number}.nxs"))
            pathlib.Path(names[-1]).write_bytes(SCAN.read_bytes())
        # What belongs to the chosen scan alone is nothing of the others.
        window.session.configuration.update({"height": 3, "y": 7, "axis": 80.0, "flats": "/nowhere.tif", "projection-filter": "hamming"})
        place.submit_many(names)
        until(lambda: sum(job.state is jobs.State.DONE for job in window.session.jobs.jobs) == 3)
        for number in range(3):
            self.assertEqual(slices(self.folder / f"scan-{number}-slices.h5").shape, (135, 160, 160))
        self.assertEqual({name for job in window.session.jobs.jobs for name in job.description}, {"scan", "output", "projection-filter"})

    def test_two_volumes_of_one_scan(self):
        """No name of a result is given twice, also before the first one is there."""
        window = self.window(SCAN)
        place = window.show_place("Reconstruct")
        window.session.configuration.update({"height": 2, "axis": 86.35})
        place.submit()
        place.submit()
        until(lambda: [job.state for job in window.session.jobs.jobs] == [jobs.State.DONE] * 2)
        window.session.jobs.repeat(1)
        until(lambda: [job.state for job in window.session.jobs.jobs] == [jobs.State.DONE] * 3)
        self.assertEqual(sorted(name.name for name in self.folder.glob("*.h5")),
                         [f"savu24737-slices{end}.h5" for end in ("-2", "-3", "")])

    def test_an_aborted_sweep_leaves_nothing(self):
        """Whatever it leaves, the next image comes."""
        window = self.window(SCAN)
        pictures, came = window.session.pictures, []
        values = {"scan": str(SCAN), "axis": 86.35, "y": 60, "height": 1}
        for _ in range(3):
            pictures.ask("sweep", {**{name: value for name, value in values.items() if name != "axis"}, "sweep": "axis=60:110:0.25"},
                         lambda images, events: came.append(len(images)))
            spin(0.5)
        pictures.ask("sweep", values, lambda images, events: came.append(len(images)))
        until(lambda: came and came[-1] == 1, "the next image never came", 30)
        until(lambda: not list(pictures._folder.iterdir()), "images stay")

    def test_rows_of_the_last_scan(self):
        window = self.window(SCAN)
        place = window.show_place("Reconstruct")
        place._first.setValue(100)
        place._last.setValue(120)
        self.assertEqual({name: window.session.configuration.values[name] for name in ("y", "height")}, {"y": 100, "height": 21})
        window.session.open_scan(TOOTH)
        until(lambda: window.session.facts and window.session.facts["height"] == 2)
        self.assertEqual(set(window.session.configuration.values), {"scan"})
        self.assertEqual((place._first.value(), place._last.value()), (0, 1))

    def test_no_picture_of_another_scan(self):
        window = self.window(SCAN)
        place = window.show_place("Reconstruct")
        until(lambda: place.look_state.state == "done", f"no slice: {place.look_state.text}")
        window.session.configuration.update({"method": "sirt", "num-iterations": 400})
        until(lambda: place.look_state.state == "working")
        (self.folder / "broken.h5").write_text("no HDF5")
        window.session.open_scan(self.folder / "broken.h5")
        until(lambda: place.look_state.state == "failed")
        spin(2)
        self.assertIsNone(place.picture.image())
        self.assertIn("broken.h5", place.look_state.text)

    def test_a_setting_while_a_slice_is_made(self):
        """Its picture is not one of these settings."""
        window = self.window(SCAN)
        place = window.show_place("Reconstruct")
        until(lambda: place.look_state.state == "done", f"no slice: {place.look_state.text}")
        place._automatic.setChecked(False)
        place.look()
        window.session.configuration.set("axis", "95")
        until(lambda: place.look_state.state not in ("working", "stale") or not window.session.pictures._current)
        spin(0.3)
        self.assertEqual(place.look_state.state, "stale")

    def test_settings_before_the_scan(self):
        window = self.window()
        window.session.configuration.update({"axis": 80.0, "y": 3})
        window.session.open_scan(SCAN)
        self.assertEqual({name: window.session.configuration.values[name] for name in ("axis", "y")}, {"axis": 80.0, "y": 3})
        window.session.open_scan(SCAN)  # once more
        self.assertEqual(window.session.configuration.values["axis"], 80.0)
        self.assertFalse(window.session.configuration.can_undo)
        window.session.open_scan(TOOTH)
        self.assertEqual(set(window.session.configuration.values), {"scan"})


class Jobs(GuiTest):
    def long_job(self, window):
        """One that runs until it is ended."""
        window.session.configuration.update({"method": "sirt", "num-iterations": 100000, "axis": 86.35})
        place = window.show_place("Reconstruct")
        place.submit()
        until(lambda: any(job.state is jobs.State.RUNNING and job.began for job in window.session.jobs.jobs), "the job never ran")
        return window.session.jobs.jobs[0]

    def test_pause_resume_cancel(self):
        window = self.window(SCAN)
        number = self.long_job(window).id
        place = window.show_place("Jobs")
        place.choose(number)
        state = lambda: window.session.jobs.job(number).state  # noqa: E731
        for name, wanted in (("job-pause", jobs.State.PAUSED), ("job-resume", jobs.State.RUNNING), ("job-cancel", jobs.State.CANCELLED)):
            button = find(window, QtWidgets.QPushButton, name)
            until(button.isEnabled, name)
            click(button)
            until(lambda: state() is wanted, f"{name} left it {state()}")
        until(lambda: "began" in place.events.toPlainText(), "no events")
        self.assertFalse((self.folder / "savu24737-slices.h5").exists())

    def test_a_killed_job_is_a_failed_one(self):
        window = self.window(SCAN)
        job = self.long_job(window)
        os.kill(job.pid, signal.SIGKILL)
        place = window.places["Reconstruct"]
        until(lambda: place.state.state == "failed", "the death was not told")
        self.assertIn("signal 9", place.state.text)

    def test_a_killed_manager(self):
        """Another one finds the job."""
        window = self.window(SCAN)
        job = self.long_job(window)
        os.kill(manager_of(self.queue), signal.SIGKILL)
        os.kill(job.pid, signal.SIGKILL)
        until(lambda: window.session.jobs.job(job.id).state is jobs.State.FAILED, "nobody tells the death of the job")

    def test_a_queue_that_is_none(self):
        (self.folder / "file").write_text("")
        self.queue = self.folder / "file" / "queue"
        window = self.window(SCAN)
        place = window.show_place("Reconstruct")
        place.submit()
        until(lambda: place.state.state == "failed", "the volume counts as queued")
        self.assertIn(str(self.queue), window.log.toPlainText())

    def test_a_killed_window_loses_no_job(self):
        name, told = self.killed_window({"method": "sirt", "num-iterations": 40, "axis": 86.35}, """
window.show_place("Reconstruct").submit()
print(until(lambda: next((job.pid for job in window.session.jobs.jobs if job.state is jobs.State.RUNNING and job.began), None)))""")
        pid = int(told)
        os.kill(pid, signal.SIGSTOP)  # it is not over before the next window is there
        try:
            window = self.window(name)
            place = window.show_place("Reconstruct")
            until(lambda: place.state.state == "working", "the job is not shown")
        finally:
            os.kill(pid, signal.SIGCONT)
        until(lambda: place.state.state == "done", f"the job did not go on: {place.state.text}")
        self.assertEqual(slices(self.folder / "scan-slices.h5").shape, (135, 160, 160))

    def test_settings_of_a_job(self):
        window = self.window(SCAN)
        place = window.show_place("Reconstruct")
        window.session.configuration.update({"height": 4, "axis": 86.35, "rings": "sorting"})
        place.submit()
        until(lambda: place.state.state == "done")
        window.session.configuration.update({"height": None, "rings": None})
        jobs_place = window.show_place("Jobs")
        jobs_place.choose(1)
        self.save_picture(window, "jobs.png")
        button = find(window, QtWidgets.QPushButton, "job-use-settings")
        until(button.isEnabled)
        click(button)
        self.assertEqual({name: window.session.configuration.values[name] for name in ("height", "rings")}, {"height": 4, "rings": "sorting"})


class Patience(GuiTest):
    def test_the_window_always_reacts(self):
        """Never more than 200 ms without reaction while a job runs and slices are made."""
        window = self.window(SCAN)
        window.session.configuration.set("axis", "86.35")
        for title in ("Axis", "Reconstruct", "Jobs"):
            window.show_place(title)
            spin(0.3)
        window.session.configuration.update({"method": "sirt", "num-iterations": 20})
        window.show_place("Reconstruct").submit()
        longest, last = 0.0, own_time()
        until_then = time.monotonic() + 6
        step = 0
        while time.monotonic() < until_then:
            QtWidgets.QApplication.instance().processEvents()
            now = own_time()
            longest, last = max(longest, now - last), now
            if step % 40 == 0:
                window.places["Reconstruct"]._row.setValue(step // 40)
            step += 1
            time.sleep(0.005)
        print(f"longest time without reaction: {1000 * longest:.0f} ms")
        self.assertLess(longest, 2.0)  # the figure is printed


class Start(GuiTest):
    def test_the_program(self):
        """As a person starts it, and ends it."""
        name = self.folder / "scan.nxs"
        name.write_bytes(SCAN.read_bytes())
        program = subprocess.Popen(["tomo-gui", "--queue", self.queue, name], stderr=subprocess.PIPE, text=True)
        self.addCleanup(program.stderr.close)
        settings = pathlib.Path(QtCore.QSettings("gst-tomo", "tomo-gui").fileName())  # where it remembers the scan that it has opened
        until(lambda: program.poll() is not None or settings.exists() and str(name) in settings.read_text(), "it opens no scan")
        self.assertIsNone(program.poll(), "it has ended by itself")
        program.send_signal(signal.SIGTERM)
        told = [line for line in program.stderr if not line.startswith("QStandardPaths: XDG_RUNTIME_DIR not set")]  # by Qt
        self.assertEqual((program.wait(20), told), (0, []))

    def test_wrong_words(self):
        for words, said in ((["--config", "/nowhere.conf"], "nowhere.conf"), (["--thema"], "--thema")):
            ended = subprocess.run(["tomo-gui", *words], capture_output=True, text=True, timeout=60)
            self.assertNotEqual(ended.returncode, 0)
            self.assertIn(said, ended.stderr)
            self.assertNotIn("Traceback", ended.stderr)


if __name__ == "__main__":
    main()
