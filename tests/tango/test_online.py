# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The device class of tomo-tango for Concert, by a client and a stream as Concert has them."""

import asyncio
import concurrent.futures
import contextlib
import errno
import math
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import unittest

import h5py
import numpy as np
import tango

from gsttomo import jobs
from jobtest import PATIENCE
from phantom_scan import AXIS, VIEWS, WIDTH, Scan
from tangotest import Camera, TangoTestCase, free_port

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tools" / "tango"))
from tomo_tango.recording import METRICS  # noqa: E402


class OnlineTestCase(TangoTestCase):
    device, device_class = "concert/tango/reco", "TangoOnlineReconstruction"

    def connect(self, **env):
        self.server, device = self.serve(**env)
        self.camera = Camera(self)
        device.endpoint = f"tcp://127.0.0.1:{self.camera.port}"
        return device

    def stream(self, command, images, *arguments, **options):
        """A command while its images come."""
        sending = threading.Thread(target=self.camera.send, args=(images,), kwargs=options)
        sending.start()
        try:
            return command(*arguments)
        finally:
            sending.join()

    def take(self, device, scan):
        self.stream(device.update_darks, scan.darks)
        self.stream(device.update_flats, scan.flats)
        self.stream(device.reconstruct, scan.projections, "")

    def folder_of_queue(self):
        return self.scratch / "state" / "gst-tomo" / "jobs-of-tomo-tango-t1"

    def folder_of_streams(self):
        return self.folder_of_queue() / "streams" / self.device.replace("/", "-")

    def files(self):
        return sorted(path.name for path in self.folder_of_streams().iterdir() if "volume" not in path.name)

    def volume(self, device):
        shape = tuple(device.get_volume_shape())
        return np.stack([device.get_slice_z(index).reshape(shape[1:]) for index in range(shape[0])])

    def directly(self, scan, **parameters):
        """The same slices by tomo-reconstruct."""
        scan.nxtomo(self.scratch / "scan.nxs")
        words = [f"--{name.replace('_', '-')}={value}" for name, value in parameters.items()]
        done = subprocess.run(["tomo-reconstruct", "--scan=scan.nxs", "--output=direct.h5", "--overwrite", *words], cwd=self.scratch, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stdout)
        with h5py.File(self.scratch / "direct.h5") as file:
            return file["entry/data/data"][:]

    @contextlib.contextmanager
    def waiting(self, words, function, *arguments, reason="BadStream"):
        """A command that ends with an error within that context."""
        failed = []
        thread = threading.Thread(target=lambda: failed.append(self.refused(reason, words, function, *arguments) is None))
        thread.start()
        yield
        thread.join(PATIENCE)
        self.assertEqual((thread.is_alive(), failed), (False, [True]))


class Scans(OnlineTestCase):
    def test_a_scan(self):
        """As Concert's add-on does it, with its asynchronous client."""
        scan, device = Scan(), self.connect()
        self.assertEqual(device.state(), tango.DevState.STANDBY)
        asyncio.run(self.course_of(scan))
        volume = self.volume(device)
        region = f"{-(WIDTH // 2)},{WIDTH - WIDTH // 2},1"
        expected = self.directly(scan, center_position_x=AXIS, region="-2,3,1", x_region=region, y_region=region)
        self.assertEqual(volume.shape, (5, WIDTH, WIDTH))
        self.assertLess(np.abs(volume - expected).max(), 1e-6 * np.abs(expected).max())
        for name, axis in (("x", 2), ("y", 1)):
            cut = getattr(device, f"get_slice_{name}")(40)
            np.testing.assert_array_equal(cut.reshape(np.delete(volume.shape, axis)), volume.take(40, axis))
        self.refused("BadDescription", "wanted 0 to 4", device.get_slice_z, 5)
        device.region = [0.0, 1.0, 1.0]
        device.rereconstruct("")
        self.assertEqual(tuple(device.get_volume_shape()), (1, WIDTH, WIDTH))
        np.testing.assert_array_equal(self.volume(device)[0], volume[2])

    async def course_of(self, scan):
        device = tango.DeviceProxy(self.server.name, green_mode=tango.GreenMode.Asyncio)
        device.set_timeout_millis(2**21)
        await device.connect_endpoint()
        given = await device.get_parameters()
        self.assertLessEqual({"center_position_x", "region", "number", "overall_angle", "slice_metric", "z_parameter"}, set(given[::2]))
        self.assertEqual(list((await device["region"]).value), [0, 1, 1])
        self.assertIsNone((await device["center_position_x"]).value)
        for name, value in (("number", VIEWS), ("center_position_x", [AXIS]), ("overall_angle", math.pi), ("absorptivity", True),
                            ("region", [-2.0, 3.0, 1.0])):
            await device.write_attribute(name, value)
        for command, images in ((device.update_darks, scan.darks), (device.update_flats, scan.flats)):
            task = asyncio.create_task(self.called(command))
            self.camera.send(images)
            await task
        task = asyncio.create_task(self.called(device.reconstruct, ""))
        while await device.state() != tango.DevState.RUNNING:
            await asyncio.sleep(0.01)
        self.camera.send(scan.projections)
        await task
        self.assertEqual((await device.state(), await device.get_manager_state()), (tango.DevState.STANDBY, "standby"))
        await device.disconnect_endpoint()

    async def called(self, command, *arguments):
        return await command(*arguments)

    def test_find_parameter(self):
        """The axis, where slices are sharpest, and the volume stays."""
        device = self.connect()
        device.absorptivity, device.overall_angle, device.center_position_x = True, math.pi, [45.0]
        self.take(device, Scan())
        before = self.volume(device)
        self.refused("BadDescription", "was not written", device.find_parameter)
        given = {"parameter": "center-position-x", "region": [46.0, 48.5, 0.1], "z": 0, "store": False, "metric": "sag"}
        for wrong, words in (({"parameter": "axis"}, "no parameter to find"), ({"metric": "best"}, "metric does not take"),
                             ({"region": [1.0, 2.0]}, "wanted from, to and step")):
            self.refused("BadDescription", words, device.write_pipe, "find_parameter_args", ("find_parameter_args", {**given, **wrong}))
        device.write_pipe("find_parameter_args", ("find_parameter_args", given))
        self.assertAlmostEqual(device.find_parameter(), AXIS, delta=0.11)
        self.assertEqual(list(device.center_position_x), [45.0])
        device.write_pipe("find_parameter_args", ("find_parameter_args", {**given, "store": True}))
        told = {one["name"]: one["value"] for one in device.read_pipe("find_parameter_args")[1]}
        self.assertEqual((told["parameter"], told["store"], list(told["region"])), ("center-position-x", True, given["region"]))
        found = device.find_parameter()
        self.assertEqual(list(device.center_position_x), [found])
        np.testing.assert_array_equal(self.volume(device), before)

    def test_an_angle(self):
        """Concert has angles in radians, and so are regions of them and results."""
        device = self.connect()
        device.absorptivity, device.overall_angle, device.center_position_x = True, math.pi, [AXIS]
        self.take(device, Scan())
        device.write_pipe("find_parameter_args", ("find_parameter_args", {
            "parameter": "axis-angle-y", "region": [-0.1, 0.11, 0.05], "z": 0, "store": True, "metric": "sag"}))
        self.assertAlmostEqual(device.find_parameter(), 0.0, delta=1e-6)

    def test_slice_metric(self):
        device = self.connect()
        device.absorptivity, device.overall_angle, device.center_position_x, device.region = True, math.pi, [AXIS], [-2.0, 3.0, 1.0]
        self.take(device, Scan())
        volume = self.volume(device)
        self.refused("NoVolume", "there is no line", device.get_volume_line)
        self.assertEqual(list(device.get_slice_metrics() or ()), [*METRICS, ""])
        device.slice_metric = "std"
        self.assertEqual(device.slice_metric, "std")
        device.rereconstruct("")
        self.assertEqual(list(device.get_volume_shape()), [5])
        np.testing.assert_allclose(device.get_volume_line(), volume.std((1, 2)), rtol=1e-5)
        self.refused("NoVolume", "slice_metric is given", device.get_slice_z, 0)
        writing = device.write_attribute_asynch("slice_metric", "max")  # as Concert's client does it
        device.rereconstruct("")
        device.write_attribute_reply(writing)
        np.testing.assert_allclose(device.get_volume_line(), volume.max((1, 2)), rtol=1e-5)
        self.refused("BadDescription", "it takes min", device.write_attribute, "slice_metric", "best")

    def test_references(self):
        """The first ones behind a reconstruction replace both kinds; a scan without any uses those from before."""
        scan, device = Scan(), self.connect()
        device.absorptivity, device.overall_angle, device.center_position_x = True, math.pi, [AXIS]
        self.take(device, scan)
        before = self.volume(device)
        self.stream(device.reconstruct, scan.projections, "")
        np.testing.assert_array_equal(self.volume(device), before)
        self.stream(device.update_darks, scan.darks)
        self.assertEqual(self.files(), ["darks.h5", "darks.samples", "projections.h5", "projections.samples"])
        self.stream(device.update_flats, scan.flats // 2)
        self.stream(device.reconstruct, scan.projections // 2, "")
        self.assertLess(np.abs(self.volume(device) - before).max(), 0.1 * before.max())
        device.reset_manager()
        self.assertEqual(self.files(), ["projections.h5", "projections.samples"])
        device.rereconstruct("")  # not corrected
        self.stream(device.update_flats, scan.flats[:, :, 1:])
        self.refused("Failed", "is failed", device.rereconstruct, "")
        self.server.end()
        self.assertFalse(self.folder_of_streams().exists())

    def test_writer(self):
        """A walker of Concert gets all slices, in a folder that the client names."""
        port, images = free_port(), self.scratch / "written.npy"
        walker = subprocess.Popen([sys.executable, "-c", WALKER, str(images), "t1", "-nodb", "-dlist", "concert/tango/walker", "-ORBendPoint",
                                   f"giop:tcp:127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (walker.kill(), walker.wait()))
        name = f"tango://127.0.0.1:{port}/concert/tango/walker#dbase=no"

        def is_there():
            with contextlib.suppress(tango.DevFailed):
                return tango.DeviceProxy(name).ping() > 0
            return False

        self.until(is_there, "the walker does not start")
        device = self.connect()
        device.absorptivity, device.overall_angle, device.center_position_x, device.region = True, math.pi, [AXIS], [-2.0, 3.0, 1.0]
        self.refused("BadDescription", "setup_walker was not called", device.reconstruct, "slices")
        device.setup_walker([name, "/data/here", "tcp", "127.0.0.1", str(free_port())])
        self.take(device, Scan())
        device.rereconstruct("/data/here/slices")
        np.testing.assert_array_equal(np.load(images), self.volume(device))
        told = tango.DeviceProxy(name)
        self.assertEqual((told.current, told.root, told.folder), ("/data/here", "/data/here", "/data/here/slices"))
        device.slice_metric = "std"
        self.refused("BadDescription", "a number of each", device.rereconstruct, "slices")
        device.slice_metric = ""
        self.refused("Failed", "no room", device.rereconstruct, "full")
        self.assertEqual(device.state(), tango.DevState.STANDBY)
        self.refused("Failed", "can't be connected", device.setup_walker, [name[:-10] + "x#dbase=no", "/data", "tcp", "127.0.0.1", str(free_port())])
        self.refused("BadDescription", "setup_walker was not called", device.rereconstruct, "slices")


WALKER = """
import json, sys
import numpy as np, tango, zmq
from tango.server import Device, attribute, command, run

class Walker(Device):
    root = attribute(dtype=str, access=tango.AttrWriteType.READ_WRITE)
    current = attribute(dtype=str, access=tango.AttrWriteType.READ_WRITE)
    folder = attribute(dtype=str)
    endpoint = attribute(dtype=str, access=tango.AttrWriteType.WRITE)
    writer_class = attribute(dtype=str, access=tango.AttrWriteType.WRITE)
    dsetname = attribute(dtype=str, access=tango.AttrWriteType.WRITE)
    bytes_per_file = attribute(dtype=int, access=tango.AttrWriteType.WRITE)
    start_index = attribute(dtype=int, access=tango.AttrWriteType.WRITE)
    def read_root(self): return self._root
    def write_root(self, value): self._root = value
    def read_current(self): return self._current
    def write_current(self, value): self._current = value
    def read_folder(self): return self._folder
    def write_writer_class(self, value): assert value == "TiffWriter"
    def write_dsetname(self, value): assert value == "frame_{:>06}.tif"
    def write_bytes_per_file(self, value): assert value == 2**40
    def write_start_index(self, value): assert value == 0
    def write_endpoint(self, value):
        self.socket = zmq.Context.instance().socket(zmq.PULL)
        self.socket.connect(value)
    @command(dtype_in=str)
    def write_sequence(self, name):
        if name == "full":
            raise RuntimeError("no room")
        self._folder, images = name, []
        while "end" not in (header := self.socket.recv_json()):
            images.append(np.frombuffer(self.socket.recv(), header["dtype"]).reshape(header["shape"]))
        np.save(FILE, images)

FILE = sys.argv.pop(1)
run((Walker,), args=["walker", *sys.argv[1:]])
"""


class Failures(OnlineTestCase):
    def test_streams(self):
        scan, device = Scan(), self.connect()
        self.refused("BadStream", "no projections yet", device.rereconstruct, "")
        self.refused("NoVolume", "nothing is reconstructed", device.get_volume_shape)
        self.refused("BadStream", "behind 0 images", self.stream, device.update_darks, [])
        self.stream(device.update_flats, scan.flats)
        self.refused("BadStream", "12 rows and 89 columns", self.stream, device.update_darks, scan.darks[:, :, 1:])
        self.refused("BadStream", "12 rows and 89 columns", self.stream, device.reconstruct, scan.projections[:, :, 1:], "")
        device.number = VIEWS + 1
        self.refused("BadStream", f"behind {VIEWS} images; wanted {VIEWS + 1}", self.stream, device.reconstruct, scan.projections, "")
        self.assertEqual(device.state(), tango.DevState.STANDBY)
        self.assertIn("failed: the stream ended", device.status())
        device.number = VIEWS - 1
        device.absorptivity, device.center_position_x = True, [AXIS]
        self.stream(device.reconstruct, scan.projections, "")  # the last one does not count
        self.assertEqual(tuple(device.get_volume_shape()), (1, WIDTH, WIDTH))

    def test_cancel(self):
        """Of a stream that stops, of one that goes on, and of a job. No image of them is left to the next stream."""
        scan, device = Scan(), self.connect()
        with self.waiting("cancelled", device.update_flats):
            self.camera.send(scan.flats, end=False)
            self.until(lambda: device.state() == tango.DevState.RUNNING, "no command runs")
            self.refused("Busy", "takes flats", device.update_darks)
            self.refused("Busy", "its endpoint stays", device.write_attribute, "endpoint", "tcp://127.0.0.1:1")
            device.cancel()
        self.camera.send(scan.flats * 0, end=True)  # the rest of it, which came too late
        device.reset_connection()
        device.absorptivity, device.center_position_x, device.overall_angle = True, [AXIS], math.pi
        self.take(device, scan)
        before = self.volume(device)
        (pid,) = self.pids()
        os.kill(pid, signal.SIGSTOP)
        with self.waiting("is cancelled", device.rereconstruct, "", reason="Failed"):
            self.until(lambda: device.get_manager_state() == "running", "no job")
            device.cancel()
            os.kill(pid, signal.SIGCONT)
        np.testing.assert_array_equal(self.volume(device), before)

    def test_disconnect(self):
        device = self.connect()
        with self.waiting("no connection", device.update_darks):
            self.until(lambda: device.state() == tango.DevState.RUNNING, "no command runs")
            device.disconnect_endpoint()
        self.camera.wait_for_end()
        device.connect_endpoint()
        self.stream(device.update_darks, Scan().darks)
        self.refused("BadStream", "'nonsense' is no endpoint", device.write_attribute, "endpoint", "nonsense")

    def test_a_job_that_fails(self):
        """Or whose process is killed: the slices from before stay, and the next one has a new process."""
        scan, device = Scan(), self.connect()
        device.center_position_x = [AXIS]
        self.take(device, scan)
        before = self.volume(device)
        device.x_region = device.y_region = [0.0, 2.0, 1.0]
        device.region = [-5.0, 5.0, 0.0001]
        with self.waiting("SIGKILL", device.rereconstruct, "", reason="Failed"):
            self.until(lambda: device.get_manager_state() == "running" and self.begun(), "no job")
            os.kill(self.begun()[0].pid, signal.SIGKILL)
        device.center_position_x = [1e6]
        self.refused("Failed", "axis-outside", device.rereconstruct, "")
        np.testing.assert_array_equal(self.volume(device), before)
        device.center_position_x, device.region = [AXIS], [0.0, 1.0, 1.0]
        device.rereconstruct("")
        self.assertEqual(tuple(device.get_volume_shape()), (1, 2, 2))

    def begun(self):
        with jobs.PlainQueue(self.folder_of_queue()) as queue:
            return [job for job in queue.list(jobs.OPEN) if job.began is not None and job.pid]

    def test_a_full_disk(self):
        """The client learns of it, and nothing half stays."""
        device = self.connect(LD_PRELOAD=os.environ["GST_TOMO_FAILING_DISK"], FAILING_DISK=f"write:projections.samples:{errno.ENOSPC}:50000")
        self.stream(device.update_flats, Scan().flats)
        self.refused("Failed", "No space left", self.stream, device.reconstruct, Scan().projections, "")
        self.assertEqual((self.files(), device.state()), (["flats.h5", "flats.samples"], tango.DevState.STANDBY))

    def test_a_server_that_is_killed(self):
        """The next one ends its job, and needs no file of it."""
        device = self.connect()
        device.center_position_x, device.region = [AXIS], [-5.0, 5.0, 0.0001]
        device.x_region = device.y_region = [0.0, 2.0, 1.0]
        with contextlib.suppress(tango.DevFailed), concurrent.futures.ThreadPoolExecutor(1) as other:
            taking = other.submit(self.take, device, Scan())
            self.until(self.begun, "no job")
            self.server.end(signal.SIGKILL)
            taking.result()
        device = self.connect()
        self.until(lambda: not self.begun(), "the job goes on")
        self.assertEqual(self.files(), [])
        device.center_position_x = [AXIS]
        self.take(device, Scan())
        self.assertEqual(tuple(device.get_volume_shape()), (1, WIDTH, WIDTH))

    def test_the_end_of_the_manager(self):
        device = self.connect()
        states = []
        device.subscribe_event("State", tango.EventType.CHANGE_EVENT, lambda event: states.append(None if event.err else event.attr_value.value))
        shutil.rmtree(self.folder_of_queue(), ignore_errors=True)  # the server may take some of it away, too
        self.until(lambda: device.state() == tango.DevState.FAULT, "nobody notices")
        self.assertIn("was removed or replaced", device.status())
        self.refused("NoManager", "was removed", device.update_darks)
        self.until(lambda: states[-1:] == [tango.DevState.FAULT], states)

    def test_init(self):
        """Ends the command that waits, and forgets all."""
        device = self.connect()
        with self.waiting("cancelled", device.update_darks):
            self.until(lambda: device.state() == tango.DevState.RUNNING, "no command runs")
            device.Init()
        self.assertEqual((device.state(), device.endpoint), (tango.DevState.STANDBY, ""))
        self.refused("BadStream", "no connection", device.update_darks)


if __name__ == "__main__":
    unittest.main(verbosity=2)
