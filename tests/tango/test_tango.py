# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The device server tomo-tango, by real clients: without a database, with a file, and with a real Tango database."""

import asyncio
import concurrent.futures
import contextlib
import errno
import itertools
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

import tango

from gsttomo import jobs
from jobtest import PATIENCE, FolderTestCase, dataflow, endless, is_alive, tiny, writing
from tangotest import DEVICE, Server, TangoTestCase, free_port

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tools" / "tango"))
from tomo_tango.engine import Engine  # noqa: E402
from tomo_tango.server import classes_of  # noqa: E402

DATABASE = pathlib.Path("/usr/lib/tango/DataBaseds")


class Jobs(TangoTestCase):
    def test_run(self):
        _, device = self.serve()
        self.assertEqual((device.state(), list(device.jobs or ())), (tango.DevState.ON, []))
        device.json = json.dumps(endless())
        pid = device.Run()
        self.assertEqual((device.Running(pid), device.ExitCode(pid), list(device.jobs), device.state()), (True, -42, [pid], tango.DevState.RUNNING))
        device.Stop(pid)
        device.json = json.dumps(writing("out.tif", 3, 0.1))
        pid = device.Run()
        device.Wait(pid)
        self.assertEqual((device.Running(pid), device.ExitCode(pid), list(device.jobs or ()), device.state()), (False, 0, [], tango.DevState.ON))
        self.assertTrue((self.scratch / "out.tif").exists())
        result = json.loads(device.Result(pid))
        self.assertEqual((result["outputs"], result["state"]), (["out.tif"], "done"))
        self.assertEqual((device.Progress(pid), device.percent), (100.0, 100.0))
        self.assertEqual(json.loads(device.Log(pid).splitlines()[0])["event"], "hello")

    def test_continuous(self):
        _, device = self.serve()
        device.json = json.dumps(tiny())
        pid = device.RunContinuous()
        device.Wait(pid)
        (process,) = self.pids()
        took = []
        for number in range(5):
            device.json = json.dumps(writing(f"{number}.tif"))
            device.Continue(pid)
            device.Wait(pid)
            self.assertEqual(device.ExitCode(pid), 0)
            self.assertTrue((self.scratch / f"{number}.tif").exists())
            record = json.loads(device.Result(pid))
            lines = [json.loads(line) for line in device.Log(pid).splitlines() if line.startswith("{")]
            self.assertEqual(lines[0]["pid"], process)
            took.append(lines[0]["time"])
            self.assertEqual(record["state"], "done")
        self.assertEqual(self.pids(), [process])
        device.Stop(pid)
        self.until(lambda: not is_alive(process), "Stop leaves the process")
        device.json = json.dumps(endless())
        pid = device.RunContinuous()
        self.until(lambda: device.Progress(pid) > 0, "no progress")
        device.Stop(pid)
        self.assertEqual((device.Running(pid), device.ExitCode(pid), self.pids()), (False, 1, []))
        once = device.Run()
        self.refused("NotContinuous", "RunContinuous", device.Continue, once)
        device.Stop(once)

    def test_start_of_a_changed_description(self):
        _, device = self.serve()
        device.json = json.dumps(tiny())
        pid = device.RunContinuous()
        device.Wait(pid)
        best, end, numbers = 1.0, time.monotonic() + PATIENCE, itertools.count()
        while (number := next(numbers)) < 8 or (best >= 0.05 and time.monotonic() < end):  # others use the processors as well
            device.json = json.dumps(tiny(number + 3))
            since = time.time()
            device.Continue(pid)
            device.Wait(pid)
            best = min(best, json.loads(device.Log(pid).splitlines()[0])["time"] - since)
        print(f"a changed description starts after {1000 * best:.1f} ms")
        self.assertLess(best, 0.05)

    def test_control(self):
        _, device = self.serve()
        device.json = json.dumps(endless())
        pid = device.Run()
        self.until(lambda: device.Progress(pid) > 0, "no progress")
        device.Preview(pid)
        self.assertEqual(device.image.shape, (4, 4))
        device.Pause(pid)
        self.until(lambda: json.loads(device.Result(pid))["state"] == "paused", "no pause")
        self.refused("Failed", "is paused", device.Preview, pid)
        device.Resume(pid)
        self.until(lambda: json.loads(device.Result(pid))["state"] == "running", "no end of the pause")
        device.Finish(pid)
        device.Wait(pid)
        self.assertEqual((device.ExitCode(pid), json.loads(device.Result(pid))["status"]), (0, "finished early"))
        self.refused("Failed", "is done", device.Preview, pid)

    def test_others_are_served_while_one_waits(self):
        """Also behind the three seconds of a client's default."""
        server, device = self.serve()
        device.json = json.dumps(writing("out.tif", 2, 1.8))
        pid = device.Run()
        with concurrent.futures.ThreadPoolExecutor(1) as other:
            waiting = other.submit(server.connected().Wait, pid)
            for _ in range(5):
                self.assertTrue(device.Running(pid))
                self.assertFalse(waiting.done())
            waiting.result(PATIENCE)
        self.assertFalse(device.Running(pid))

    def test_many_clients(self):
        server, device = self.serve()
        device.json = json.dumps(tiny())
        script = f"""
import tango, sys
device = tango.DeviceProxy({server.name!r})
device.set_timeout_millis(60000)
pid = device.RunContinuous()
device.Wait(pid)
sys.exit(device.ExitCode(pid))
"""
        def one(_):
            proxy = tango.DeviceProxy(server.name)
            proxy.set_timeout_millis(5 * PATIENCE * 1000)  # the last one waits for a hundred processes
            pid = proxy.Run()
            proxy.Wait(pid)
            return pid, proxy.ExitCode(pid)

        with concurrent.futures.ThreadPoolExecutor(100) as clients:
            ended = list(clients.map(one, range(100)))
        self.assertEqual(len({pid for pid, _ in ended}), 100)
        self.assertEqual({code for _, code in ended}, {0})
        self.assertEqual(subprocess.run([sys.executable, "-c", script], timeout=PATIENCE).returncode, 0)


class Failures(TangoTestCase):
    def test_descriptions(self):
        _, device = self.serve()
        self.refused("BadDescription", "no description", device.Run)
        for text, words in (("{", "line 1"), ("[]", "object"), ('{"scann": 3}', "did you mean 'scan'"), ('{"axis": "left"}', "axis"), ('{"nodes": NaN}', "no JSON"), ('{"nodes": ' + "[" * 10**5, "recursion"),
                            ('{"nodes": %s}' % ("[" * 70 + "]" * 70), "deeper"), (r'{"nodes": [], "note": "\u0000"}', "U+0000")):
            self.refused("BadDescription", words, device.write_attribute, "json", text)
        device.json = json.dumps(dataflow(("no-task", {})))
        pid = device.Run()
        device.Wait(pid)
        self.assertEqual(device.ExitCode(pid), 1)
        self.assertIn("no-task", device.status())
        for command in (device.ExitCode, device.Running, device.Wait, device.Stop, device.Continue, device.Log, device.Progress, device.Result, device.Preview):
            self.refused("NoSuchJob", "4711", command, 4711)

    def test_texts_that_tango_can_not_carry(self):
        """They come out as JSON escapes them, wherever they stand; others as they are."""
        name = "/tmp/\xe4\u4e2d\U0001f52c-\ufffd.h5"
        shown = "/tmp/\xe4\\u4e2d\\ud83d\\udd2c-\\ufffd.h5"
        _, device = self.serve()
        device.json = json.dumps({"scan": name, "output": "x.h5"})
        self.assertEqual((device.scan, json.loads(device.json)["scan"]), (shown, name))
        pid = device.Run()
        device.Wait(pid)
        self.assertIn(shown, device.status())
        self.assertIn(shown, device.Log(pid))
        self.assertIn(name, " ".join(json.loads(line)["text"] for line in device.Log(pid).splitlines() if '"error"' in line))
        self.assertIn(name, json.loads(device.Result(pid))["error"])
        self.refused("BadDescription", "\\u4e2d", device.write_attribute, "json", json.dumps({"method": "\u4e2d"}))
        device.json = json.dumps(dataflow(("read", {"path": name}), ("null", {})))
        pid = device.RunContinuous()
        device.Wait(pid)
        self.assertIn(shown, device.status())
        self.assertEqual(device.ExitCode(pid), 1)
        device.Stop(pid)

    def test_the_end_of_the_manager(self):
        """Its reason is told."""
        _, device = self.serve()
        shutil.rmtree(self.scratch / "state", ignore_errors=True)  # the server may take some of it away, too
        self.until(lambda: device.state() == tango.DevState.FAULT, "nobody tells it")
        self.assertIn("removed", device.status())
        device.json = json.dumps(tiny())
        self.refused("NoManager", "removed", device.Run)

    def test_a_job_that_is_killed(self):
        _, device = self.serve()
        device.json = json.dumps(endless())
        pid = device.Run()
        self.until(lambda: device.Progress(pid) > 0, "no progress")
        os.kill(self.pids()[0], signal.SIGKILL)
        device.Wait(pid)
        self.assertEqual(device.ExitCode(pid), -9)
        self.assertIn("SIGKILL", device.status())
        device.json = json.dumps(tiny())
        pid = device.Run()
        device.Wait(pid)
        self.assertEqual(device.ExitCode(pid), 0)

    def test_init(self):
        """Ends the jobs, and begins anew."""
        _, device = self.serve()
        device.json = json.dumps(endless())
        pid = device.Run()
        self.until(lambda: device.Progress(pid) > 0, "no progress")
        device.Init()
        self.assertEqual((device.state(), device.json, self.pids()), (tango.DevState.ON, "{}", []))
        self.assertEqual(device.ExitCode(pid), 1)
        device.json = json.dumps(tiny())
        pid = device.Run()
        device.Wait(pid)
        self.assertEqual((device.ExitCode(pid), device.method), (0, "fbp"))

    def test_init_while_one_waits(self):
        """That client learns of the end."""
        server, device = self.serve()
        device.json = json.dumps(endless())
        pid = device.Run()
        with concurrent.futures.ThreadPoolExecutor(1) as other:
            waiting = other.submit(server.connected().Wait, pid)
            self.until(lambda: device.Progress(pid) > 0, "no progress")
            device.Init()
            try:
                waiting.result(PATIENCE / 2)
            except tango.DevFailed as e:
                self.assertRegex(e.args[0].reason, "TomoTango_(Failed|NoManager)")
        self.assertEqual(device.state(), tango.DevState.ON)

    def test_the_end_of_the_server(self):
        server, device = self.serve()
        device.json = json.dumps(endless())
        for run in (device.Run, device.RunContinuous):
            run()
        self.until(self.pids, "nothing runs")
        server.end()
        self.until(lambda: not self.pids(), "processes outlive the server")

    def test_a_server_that_is_killed(self):
        server, device = self.serve()
        device.json = json.dumps(writing("out.tif", 2, 1.0))
        pid = device.Run()
        self.until(self.pids, "nothing runs")
        server.end(signal.SIGKILL)
        _, device = self.serve()
        device.Wait(pid)
        self.assertEqual(device.ExitCode(pid), 0)

    def test_a_full_disk(self):
        """An error for those who submit; nothing hangs, and nothing stays."""
        server, device = self.serve(LD_PRELOAD=os.environ["GST_TOMO_FAILING_DISK"], FAILING_DISK=f"write:jobs.sqlite:{errno.ENOSPC}:300000")
        device.json = json.dumps(endless())
        first = device.Run()
        self.until(lambda: device.Progress(first) > 0, "no progress")
        with self.assertRaises(tango.DevFailed) as caught:
            for _ in range(1000):
                device.Run()
        self.assertRegex(caught.exception.args[0].desc, "full|disk")
        self.assertEqual((device.state(), device.Running(first)), (tango.DevState.RUNNING, True))
        server.end()
        self.until(lambda: not self.pids(), "processes outlive the server")

    def test_no_devices(self):
        _, device = self.serve(PATH=f"{self.path_without('tomo-query')}")
        self.assertEqual(device.state(), tango.DevState.FAULT)
        self.assertIn("devices can't be listed", device.status())
        device.json = json.dumps(tiny())
        self.refused("NoManager", "devices can't be listed", device.Run)

    def path_without(self, program):
        """A folder with the server and no other program of ours."""
        folder = self.scratch / "bin"
        folder.mkdir()
        os.symlink(shutil.which("tomo-tango"), folder / "tomo-tango")
        return f"{folder}:/usr/bin:/bin"


class Attributes(TangoTestCase):
    def test_parameters(self):
        _, device = self.serve()
        described = device.get_attribute_config("axis")
        self.assertEqual((described.unit, described.label), ("px", "axis"))
        self.assertEqual(device.get_attribute_config("energy").max_value, "100000.0")
        self.assertEqual(device.read_attribute("axis").quality, tango.AttrQuality.ATTR_INVALID)
        self.assertEqual(device.method, "fbp")
        device.axis = 31.5
        device.scan = "missing.nxs"
        device.output = "slices.h5"
        self.assertEqual(json.loads(device.json), {"axis": 31.5, "scan": "missing.nxs", "output": "slices.h5"})
        self.refused("BadDescription", "method", device.write_attribute, "method", "magic")
        device.angles = "angles.txt"
        device.angles = ""  # by itself again
        self.assertNotIn("angles", json.loads(device.json))
        pid = device.Run()
        device.Wait(pid)
        self.assertIn("missing.nxs", json.loads(device.Result(pid))["error"])
        device.json = json.dumps(tiny())
        self.refused("BadDescription", "dataflow", device.write_attribute, "axis", 3.0)

    def test_a_reconstruction(self):
        from phantom_scan import AXIS, Scan
        here = os.getcwd()
        os.chdir(self.scratch)
        self.addCleanup(os.chdir, here)
        Scan().nxtomo("scan.nxs")
        _, device = self.serve()
        device.scan, device.axis, device.output = "scan.nxs", AXIS, "slices.h5"
        pid = device.Run()
        device.Wait(pid)
        self.assertEqual(device.ExitCode(pid), 0, device.status())
        self.assertTrue((self.scratch / "slices.h5").exists())

    def test_events(self):
        _, device = self.serve()
        told = {name: [] for name in ("State", "jobs", "percent")}
        ids = [device.subscribe_event(name, tango.EventType.CHANGE_EVENT,
                                      lambda event, name=name: told[name].append(None if event.err else event.attr_value.value)) for name in told]
        device.json = json.dumps(writing("out.tif", 8, 0.2))
        pid = device.Run()
        device.Wait(pid)
        self.until(lambda: told["State"][-1:] == [tango.DevState.ON] and told["percent"][-1:] == [100.0], told)
        self.assertEqual(told["State"], [tango.DevState.ON, tango.DevState.RUNNING, tango.DevState.ON])
        values = [list(value) if value is not None else [] for value in told["jobs"]]
        self.assertEqual([value for value, _ in itertools.groupby(values)], [[], [pid], []])  # Tango may tell the first one twice
        self.assertEqual(told["percent"], sorted(told["percent"]))
        for number in ids:
            device.unsubscribe_event(number)


class Engines(FolderTestCase):
    """Without a server."""

    def setUp(self):
        super().setUp()
        self.engine = Engine.take(str(self.folder), devices=None, idle=60.0)

    def test_a_call_that_waits(self):
        """Ends with the engine, and so does a later one."""
        job = self.engine.call(self.engine.queue.submit, tiny(), devices=())
        self.engine.call(self.engine.queue.wait, job.id)
        with concurrent.futures.ThreadPoolExecutor(1) as other:
            waiting = other.submit(self.engine.call, asyncio.sleep, 1000)
            time.sleep(0.1)
            self.engine.give_back()
            with self.assertRaisesRegex(jobs.Error, "ended its jobs"):
                waiting.result(PATIENCE)
        with self.assertRaisesRegex(jobs.Error, "ended its jobs"):
            self.engine.call(asyncio.sleep, 0)

    def test_a_disk_that_fails_once(self):
        """Changes are told again when it works."""
        self.addCleanup(self.engine.give_back)
        told = []

        async def listen():
            told.append(self.engine.queue)

        count, failed = self.engine.queue._store.change_count, []

        def fail_once():
            if failed:
                return count()
            failed.append(True)
            raise sqlite3.OperationalError("disk I/O error")

        self.engine.listen(listen)
        with self.assertLogs("tomo_tango.engine", "ERROR"):
            self.engine.queue._store.change_count = fail_once
            self.until(lambda: failed, "nobody looks")
            before = len(told)
            self.until(lambda: len(told) > before, "changes are told no more")

    def test_other_options(self):
        self.addCleanup(self.engine.give_back)
        with self.assertRaisesRegex(jobs.Error, "idle 61.0 and not 60.0"):
            Engine.take(str(self.folder), devices=None, idle=61.0)
        self.assertIs(Engine.take(str(self.folder), devices=None, idle=60.0), self.engine)
        self.engine.give_back()


class Databases(TangoTestCase):
    def test_two_devices_of_a_queue(self):
        """They share its manager, and so its options."""
        other = DEVICE[:-1] + "2"
        (self.scratch / "device.txt").write_text(f'tomo-tango/t1/DEVICE/Process: "{DEVICE}", "{other}"\n{other}->Idle: 7\n')
        server = Server(self, f"-file={self.scratch}/device.txt")
        second = tango.DeviceProxy(server.name.replace(DEVICE, other))
        states = [server.proxy.state(), second.state()]
        self.assertCountEqual(states, [tango.DevState.ON, tango.DevState.FAULT])
        self.assertRegex((server.proxy, second)[states.index(tango.DevState.FAULT)].status(), "wants idle [0-9.]+ and not [0-9.]+; wanted the same")

    def test_init_of_one(self):
        """Ends the jobs of that device alone."""
        other = DEVICE[:-1] + "2"
        server = Server(self, "-nodb", "-dlist", f"{DEVICE},{other}")
        devices = server.proxy, tango.DeviceProxy(server.name.replace(DEVICE, other))
        numbers = []
        for device in devices:
            device.json = json.dumps(endless())
            numbers.append(device.Run())
        devices[0].Init()
        self.assertEqual((devices[0].state(), devices[0].ExitCode(numbers[0])), (tango.DevState.ON, 1))
        self.assertTrue(devices[1].Running(numbers[1]))

    def test_classes(self):
        """Without one that nobody wants, which Tango would give a device."""
        def of(*words):
            return [one.__name__ for one in classes_of(["tomo-tango", "t1", *words])]

        file = self.scratch / "device.txt"
        file.write_text('tomo-tango/t1/DEVICE/TangoOnlineReconstruction: "a/b/c"\na/b/c->Idle: 7\n')
        self.assertEqual(of(), ["TangoOnlineReconstruction", "Process"])
        self.assertEqual(of("-nodb", "-dlist", "a/b/c"), ["Process"])
        self.assertEqual(of("-nodb", "-dlist", "TangoOnlineReconstruction::a/b/c"), ["TangoOnlineReconstruction"])
        self.assertEqual(of("-nodb", "-dlist", "a/b/c,tangoonlinereconstruction::a/b/d"), ["TangoOnlineReconstruction", "Process"])
        self.assertEqual(of(f"-file={file}"), ["TangoOnlineReconstruction"])
        self.assertEqual(of(f"-file={file}.not"), ["TangoOnlineReconstruction", "Process"])

    def test_a_file(self):
        """Properties come from it. Other limits of the queue stay."""
        with jobs.PlainQueue(self.folder) as queue:
            queue._store.set_limits({"keep_jobs": 77})
        (self.scratch / "device.txt").write_text(f'tomo-tango/t1/DEVICE/Process: "{DEVICE}"\n{DEVICE}->MostJobs: 1\n'
                                                 f'{DEVICE}->Queue: "{self.folder}"\n')
        server = Server(self, f"-file={self.scratch}/device.txt")
        device = server.proxy
        device.json = json.dumps(endless())
        pid = device.Run()
        self.refused("TooManyJobs", "1 that an owner", device.Run)
        self.assertTrue((self.folder / "jobs.sqlite").exists())
        with jobs.PlainQueue(self.folder) as queue:
            self.assertEqual((queue.limits().keep_jobs, queue.limits().jobs_per_owner), (77, 1))
        device.Stop(pid)

    def test_a_real_database(self):
        """With the snippet of docs/tango.md as it stands."""
        port = self.start_database()
        os.environ["TANGO_HOST"] = f"127.0.0.1:{port}"
        self.addCleanup(os.environ.pop, "TANGO_HOST")
        database = tango.Database()
        info = tango.DbDevInfo()
        info.name, info._class, info.server = DEVICE, "Process", "tomo-tango/t1"
        database.add_device(info)
        database.put_device_property(DEVICE, {"Idle": ["60"]})
        server = Server(self, name=DEVICE)
        (self.scratch / "dataflow.json").write_text(json.dumps(writing("out.tif", 2, 0.1)))
        page = (pathlib.Path(__file__).parents[2] / "docs" / "tango.md").read_text()
        snippet = re.search(r"^```python\n(.*?)^```", page, re.M | re.S)[1]
        done = subprocess.run([sys.executable, "-c", snippet], cwd=self.scratch, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("exit code 0", done.stdout)
        self.assertTrue((self.scratch / "out.tif").exists())
        self.assertEqual(server.proxy.state(), tango.DevState.ON)

    def start_database(self):
        folder = self.scratch / "db"
        folder.mkdir()
        user = pwd.getpwuid(os.getuid())
        if user.pw_uid == 0:  # as which the database does not run
            user = pwd.getpwnam("mysql")
            for path in (self.scratch, folder):
                path.chmod(0o755)
            os.chown(folder, user.pw_uid, user.pw_gid)
        as_root = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE)
        made = subprocess.run(["mariadb-install-db", "--no-defaults", f"--user={user.pw_name}", f"--datadir={folder}/data",
                               "--auth-root-authentication-method=normal"], **as_root)
        self.assertEqual(made.returncode, 0, made.stdout)
        sql, port = free_port(), free_port()
        self.start(["mariadbd", "--no-defaults", f"--user={user.pw_name}", f"--datadir={folder}/data", f"--socket={folder}/s.sock", f"--port={sql}",
                    "--bind-address=127.0.0.1", "--skip-log-bin"])
        client = ["mysql", "-uroot", "-S", f"{folder}/s.sock"]
        self.until(lambda: subprocess.run([*client, "-e", "select 1"], **as_root).returncode == 0, "the database does not start")
        subprocess.run([*client, "-e", "create database tango; create user tango@'127.0.0.1' identified by 'tango'; "
                        "grant all on tango.* to tango@'127.0.0.1'"], check=True, **as_root)
        with open("/usr/share/dbconfig-common/data/tango-db/install/mysql") as tables:
            subprocess.run([*client, "tango"], stdin=tables, check=True, **as_root)
        self.start([str(DATABASE), "2", "-ORBendPoint", f"giop:tcp:127.0.0.1:{port}"], MYSQL_USER="tango", MYSQL_PASSWORD="tango",
                   MYSQL_HOST=f"127.0.0.1:{sql}", MYSQL_DATABASE="tango")

        def is_there():
            with contextlib.suppress(tango.DevFailed):
                tango.Database("127.0.0.1", port)
                return True
            return False

        self.until(is_there, "the Tango database does not start")
        return port

    def start(self, command, **env):
        process = subprocess.Popen(command, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (process.kill(), process.wait()))


if __name__ == "__main__":
    unittest.main(verbosity=2)
