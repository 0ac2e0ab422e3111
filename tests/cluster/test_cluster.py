# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-cluster: slabs by processes of Dask make the volume of one process, also where workers die, hang or can't write."""

import asyncio
import contextlib
import glob
import io
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import types
import unittest.mock

from clustertest import BLIND, FULL, OTHER, SLOW, WITHOUT_MODULE, Processes, descendants, is_slab_process, is_worker
from gsttomo.cluster import _connect, _program, _slabs, _worker
from gsttomo.cluster._connect import connected
from gsttomo.cluster._errors import ClusterError
from phantom_scan import AXIS, ROWS, Scan
from pipetest import *
from test_reconstruct import ReconstructTestCase, volume

IS_LONG = bool(os.environ.get("GST_TOMO_TEST_LONG"))
TIMES = 4  # that the scan's rows are repeated
IMAGES = ROWS * TIMES
SLAB = 6  # images of a slab
SLABS = IMAGES // SLAB
ENDLESS = ("--method", "sirt", "--num-iterations", 100000)


def cluster(*words, **kwargs):
    return subprocess.run(["tomo-cluster", *map(str, words)], text=True, capture_output=True, timeout=2 * PATIENCE, **kwargs)


async def wait_for_workers(address):
    async with contextlib.AsyncExitStack() as stack:
        await _program._Session(address)._get_ready(stack)


async def workers_of(address):
    async with contextlib.AsyncExitStack() as stack:
        client, _ = await connected(address, stack)
        return set(await client.nthreads())


class ClusterTestCase(ReconstructTestCase):
    def setUp(self):
        super().setUp()
        Scan().repeated(TIMES).nxtomo("scan.nxs")

    def one(self, *words):
        """The volume that one process makes."""
        self.done("scan.nxs", "--axis", AXIS, *words, "--output", "one.h5", "--overwrite", "--report=false", "--picture=false")
        return volume("one.h5")

    def words(self, *more):
        return ("scan.nxs", "--axis", AXIS, "--output", "many.h5", "--cluster-slab", SLAB, "--report=false", "--picture=false", *more)

    def check(self, reference, name="many.h5"):
        with h5py.File(name) as file:
            data = file["entry/data/data"]
            self.assertTrue(data.is_virtual)
            self.assertEqual(data[()].tobytes(), reference.tobytes(), f"seed {SEED}")
        self.assertEqual([name for name in os.listdir(f"{name}.volume-a") if not name.endswith(".h5")], ["lines.txt"])
        self.assertFalse(os.path.exists(f"{name}.slabs"))


class OnProcesses(ClusterTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory(prefix="gst-tomo-cluster-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.processes = Processes(cls.folder.name)
        cls.addClassCleanup(cls.processes.close)
        cls.workers = [cls.processes.worker(SLOW), cls.processes.worker(SLOW)]

    def made(self, *more, status=0, **kwargs):
        result = cluster(self.processes.address, *self.words(*more), **kwargs)
        self.assertEqual(result.returncode, status, f"{result.stderr} (seed {SEED})")
        return result

    def begin(self, *more):
        process = subprocess.Popen(["tomo-cluster", self.processes.address, *map(str, self.words(*more)), "--progress", "json"], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    @contextlib.contextmanager
    def one_more(self, preload):
        worker = self.processes.worker(preload)
        try:
            yield worker
        finally:
            self.processes.end(worker)

    def test_volume(self):
        """The same bytes and facts as from one process, and all that stands beside them."""
        reference = self.one()
        result = self.made("--progress", "json", "--compression", 1, "--report", "--picture")
        self.check(reference)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([e["done"] for e in events if e["event"] == "progress"][-1], IMAGES)
        self.assertEqual(events[-1]["status"], "done")
        self.assertIn(f"{SLABS} slabs by workers of a cluster", result.stdout)
        told = next(e for e in events if e["event"] == "plan")
        self.assertRegex(told["device"], r"\A2 workers \(.+\)\Z")
        self.assertGreater(told["seconds"], 0.0)
        self.assertEqual({name for name in os.listdir(".") if name.startswith("many")},
                         {"many.h5", "many.h5.conf", "many.h5.html", "many.h5.png", "many.h5.volume-a"})
        with open("many.h5.conf") as many:
            self.assertNotIn("cluster", re.sub(r"^#.*", "", many.read(), flags=re.MULTILINE))
        with h5py.File("one.h5") as one, h5py.File("many.h5") as many:
            self.assertEqual(many["entry/data"].attrs["signal"], "data")
            for axis in one["entry/data"].attrs["axes"]:
                self.assertEqual(many["entry/data"][axis][()].tolist(), one["entry/data"][axis][()].tolist(), axis)
                self.assertEqual(dict(many["entry/data"][axis].attrs), dict(one["entry/data"][axis].attrs))
            facts, pipelines = {}, []
            for name, file in (("one", one), ("many", many)):
                process = next(item for item in file["entry"].values() if item.attrs.get("NX_class") == "NXprocess")
                facts[name] = {key: process["parameters"][key][()] for key in process["parameters"]}
                pipelines.append(json.loads(process["pipeline"].asstr()[()]))
                self.assertEqual(pipelines[-1], json.loads(file["entry/data/data"].attrs["pipeline"]))
            self.assertEqual({key: facts["many"].get(key) for key in facts["one"]}, facts["one"])
            # The first slab's.
            one, many = ({node["name"]: node.get("properties", {}) for node in pipeline["nodes"]} for pipeline in pipelines)
            self.assertEqual(one.keys(), many.keys())
            self.assertEqual((one["backproject"], many["scan"]["height"]), (many["backproject"], SLAB))
            self.assertTrue(many["write"]["filename"].endswith("/many.h5.slabs/00000.h5:/entry/data/data"))
        # Other readers of this project read it.
        self.done("--sinograms", "many.h5:/entry/data/data", "--range-degrees", 180, "--axis", 40, "--slice", "middle", "--output", "again.h5")
        # An earlier result stays until the new one is whole, and then its slabs go.
        self.made("--overwrite")
        self.assertEqual([name for name in sorted(os.listdir(".")) if "volume" in name], ["many.h5.volume-b"])
        self.assertEqual(volume("many.h5").tobytes(), reference.tobytes())

    def test_other_results(self):
        """Integers whose range is given stay in their files; other formats, and a range of all images, are joined as on one computer."""
        for words, name, is_virtual in ((("--output-bitdepth", 16, "--output-minimum", -0.01, "--output-maximum", 0.05), "x.h5", True),
                                        (("--output-bitdepth", 8), "x.tif", False)):
            with self.subTest(words=words, name=name):
                self.done("scan.nxs", "--axis", AXIS, *words, "--output", f"one-{name}", "--overwrite")
                result = cluster(self.processes.address, "scan.nxs", "--axis", AXIS, *words, "--output", name, "--overwrite", "--cluster-slab", 16)
                self.assertEqual(result.returncode, 0, result.stderr)
                if name.endswith(".tif"):
                    self.assertEqual(np.array(read_pages(name)).tobytes(), np.array(read_pages(f"one-{name}")).tobytes())
                    continue
                with h5py.File(name) as many, h5py.File(f"one-{name}") as one:
                    many, one = many["entry/data/data"], one["entry/data/data"]
                    self.assertEqual((many.is_virtual, many.dtype, many[()].tobytes()), (is_virtual, one.dtype, one[()].tobytes()))
                    self.assertEqual(many.attrs.get("grey_maximum"), one.attrs.get("grey_maximum"))

    def test_stopped_and_resumed(self):
        """Ctrl-C completes slabs that were begun, another start makes those that are missing or damaged, and lets no other run in."""
        reference = self.one()
        process = self.begin()
        for line in process.stdout:
            if json.loads(line)["event"] == "progress" and json.loads(line)["done"] >= SLAB:
                process.send_signal(signal.SIGINT)
                break
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("goes on from there", out)
        there = {name: os.stat(f"many.h5.slabs/{name}").st_mtime_ns for name in os.listdir("many.h5.slabs") if name.endswith(".h5")}
        self.assertLess(0, len(there))
        self.assertLess(len(there), SLABS)
        self.assertEqual([name for name in os.listdir("many.h5.slabs") if not name.endswith((".h5", "lines.txt"))], [])
        # Of a run that was killed.
        for name in (f"cluster-{'0' * 32}.token", f"attempt-{'0' * 32}/00000.h5.partial"):
            os.makedirs(os.path.dirname(f"many.h5.slabs/{name}"), exist_ok=True)
            open(f"many.h5.slabs/{name}", "w").close()
        refused = cluster(self.processes.address, *self.words("--circle", "--resume"))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("the interrupted run had other settings", refused.stderr)
        damaged = there.popitem()[0]
        os.truncate(f"many.h5.slabs/{damaged}", 100)
        process = self.begin("--resume")
        wait_until(lambda: [name for name in glob.glob("many.h5.slabs/*.token") if "0" * 32 not in name], "a run that resumes")
        busy = cluster(self.processes.address, *self.words("--overwrite"))
        self.assertEqual(busy.returncode, 1)
        self.assertRegex(busy.stderr.splitlines()[-1], "cannot write '.*many.h5.*': '.*many.h5.slabs' is being written by another")
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, out + err)
        self.check(reference)
        for name, time_written in there.items():
            self.assertEqual(os.stat(f"many.h5.volume-a/{name}").st_mtime_ns, time_written)

    def test_two_scans_at_once(self):
        """Their slabs have the same numbers, and the same scheduler."""
        other = ("scan.nxs", "--axis", AXIS, "--output", "other.h5", "--cluster-slab", SLAB, "--circle", "--cluster", self.processes.address)
        references = self.one(), self.one("--circle")
        process = self.begin()
        self.done(*other, "--report=false", "--picture=false")
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, out + err)
        for name, reference in zip(("many.h5", "other.h5"), references):
            self.check(reference, name)

    def test_workers_that_come_late(self):
        """Of another version, or without a module: they are left out of this run, and stay with the scheduler for others."""
        reference = self.one()
        process = self.begin()
        for line in process.stdout:
            if json.loads(line)["event"] == "progress":
                break
        print(json.dumps({"command": "pause"}), file=process.stdin, flush=True)
        with self.one_more(OTHER), self.one_more(WITHOUT_MODULE):
            print(json.dumps({"command": "resume"}), file=process.stdin, flush=True)
            out, err = process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, 0, out + err)
            left_out = re.findall(r"the worker (tcp://\S+) is left out", out)
            self.assertEqual(len(left_out), 2, out)
            self.assertLessEqual(set(left_out), asyncio.run(workers_of(self.processes.address)))
        self.assertRegex(out, r"the worker tcp://\S+ is left out: \D*it has gst-tomo 0\.0\.9, and this computer")
        self.assertRegex(out, r"the worker tcp://\S+ is left out: it has no gst-tomo: No module named")
        self.check(reference)

    def test_folder_that_goes(self):
        """One error, and no worker is blamed."""
        process = self.begin()
        wait_until(lambda: glob.glob("many.h5.slabs/*.h5"), "a slab")
        shutil.rmtree("many.h5.slabs", ignore_errors=True)  # a worker may write there meanwhile
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 1, out)
        self.assertRegex(err, r"\Atomo-reconstruct: the folder '\S+/many.h5.slabs' has gone while slabs were made in it.*\n\Z")
        self.assertNotIn("left out", out)

    def test_aborted(self):
        """Nothing works on behind it."""
        process = self.begin(*ENDLESS)
        for line in process.stdout:
            if json.loads(line)["event"] == "progress":
                break
        wait_until(lambda: glob.glob("many.h5.slabs/attempt-*"), "an attempt")
        print(json.dumps({"command": "abort"}), file=process.stdin, flush=True)
        out, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual(json.loads(out.splitlines()[-1])["status"], "aborted")
        wait_until(lambda: not [pid for worker in self.workers for pid in descendants(worker.pid)], "end of the work")
        self.assertFalse([name for name in os.listdir(".") if name.startswith("many.h5")])

    def test_worker_that_hangs(self):
        reference = self.one()
        with self.one_more(SLOW) as worker:
            process = self.begin("--cluster-patience", 10)
            wait_until(lambda: any(is_slab_process(pid) for pid in descendants(worker.pid)), "work for the worker")
            os.killpg(worker.pid, signal.SIGSTOP)
            out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("it has told nothing for", out)
        self.check(reference)

    def test_worker_with_a_full_disk(self):
        reference = self.one()
        with self.one_more(FULL):
            for _ in range(10):  # until that one has had a slab
                told = self.made("--overwrite").stderr
                self.assertEqual(volume("many.h5").tobytes(), reference.tobytes())
                if "No space left" in told:
                    return
        self.fail(f"the worker was never asked: {told}")

    def test_unfit_workers(self):
        """Another file system, another version, and none at all."""
        with self.one_more(BLIND):
            result = self.made(status=1)
        self.assertRegex(result.stderr.splitlines()[-1], r"tomo-reconstruct: the worker tcp://\S+ can't make slabs: it does not see '\S+/many.h5.slabs' of this "
                         "computer: slabs go through a file system that all workers share")
        self.assertFalse([name for name in os.listdir(".") if name.startswith("many.h5")])
        self.assertRegex(_worker.probe("0.0.9"), r"it has gst-tomo [0-9.]+, and this computer 0\.0\.9")
        with unittest.mock.patch.object(_worker, "PROGRAM", "no-such-program"):
            self.assertIn("it can't run no-such-program", _worker.probe("0.1.0"))

    def test_little_device_memory(self):
        """Slabs become smaller, as on one computer, until one slice finds no room."""
        Scan().repeated(1, 6).nxtomo("scan.nxs")
        reference = self.one()
        # Less than one array of four slices takes, so that nothing waits for memory that others may give back.
        memory = 13 * reference.shape[1] * reference.shape[2]
        few = ("--cluster-slab", 4, "--overwrite", "--device-memory")
        result = self.made(*few, memory)
        self.assertRegex(result.stderr, r"out of memory on .*Slices are made anew, 1 of them at a time instead of 4")
        self.assertNotIn("left out", result.stderr)
        np.testing.assert_allclose(volume("many.h5"), reference, rtol=0, atol=1e-6 * np.abs(reference).max())
        self.assertRegex(self.made(*few, "10k", status=1).stderr.splitlines()[-1], "out of memory on")
        self.assertFalse([name for name in os.listdir(".") if name.endswith(".slabs")])

    def test_slab_that_nobody_can_make(self):
        """One error, with its first cause."""
        os.mkdir("folder")
        Scan().folder("folder")
        with open("folder/tomo_00077.tif", "r+b") as file:
            file.truncate(200)
        result = cluster(self.processes.address, "folder", "--range-degrees", 180, "--axis", AXIS, "--output", "many.h5", "--ignore", "all",
                         "--cluster-slab", SLAB)
        self.assertEqual(result.returncode, 1)
        last = result.stderr.splitlines()[-1]
        self.assertRegex(last, r"the slab \d+\.h5 \(6 images\) was not made, on 2 workers; first on tcp://\S+: .*tomo_00077\.tif")


class Words(ClusterTestCase):
    def test_wrong_clusters(self):
        """One error each, and nothing is left."""
        result = cluster("tcp://127.0.0.1:9", *self.words(), "--progress", "none")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, r"\Atomo-reconstruct: no scheduler of Dask answers at 'tcp://127.0.0.1:9'.*\n\Z")
        self.assertFalse([name for name in os.listdir(".") if name.startswith("many.h5")])
        result = cluster("tls://127.0.0.1:9", *self.words(), "--progress", "none")  # without a certificate
        self.assertRegex(result.stderr, r"\Atomo-reconstruct: no scheduler of Dask answers at 'tls://127.0.0.1:9': .*\n\Z")
        with open("bad.yaml", "w") as file:
            file.write("queue: all\n")
        for name, expected in (("nowhere", "'nowhere' names no cluster"), ("local:none", "wanted local:N"), ("local:²", "wanted local:N"), ("slurm:bad.yaml", "jobs: 20|dask-jobqueue")):
            with self.subTest(name=name), self.assertRaisesRegex(ClusterError, expected):
                asyncio.run(connected(name, contextlib.AsyncExitStack()))

    def test_no_worker(self):
        """Nobody waits for ever."""
        with tempfile.TemporaryDirectory() as folder, contextlib.closing(Processes(folder)) as lonely, \
                unittest.mock.patch.object(_connect, "PATIENCE", 0.2), contextlib.redirect_stdout(io.StringIO()) as told:
            with self.assertRaisesRegex(ClusterError, "no worker has come to 'tcp://.*' for 0 s; `dask worker ADDRESS"):
                asyncio.run(wait_for_workers(lonely.address))
        self.assertEqual(told.getvalue(), "")
        self.assertIn("squeue", _connect.how_workers_come("slurm:cluster.yaml"))

    def test_scheduler_that_does_not_answer(self):
        async def late():
            await asyncio.sleep(5)
            return {}

        dispatcher = _slabs.Dispatcher(types.SimpleNamespace(nthreads=late), print)
        with unittest.mock.patch.object(_slabs, "TO_ANSWER", 0.1), self.assertRaisesRegex(ClusterError, "the scheduler has not answered for 0 s; .*--resume"):
            asyncio.run(dispatcher.workers())

    def test_process_that_dies_between_slabs(self):
        """The next slab gets another one, and one of the version that is asked for."""
        problems = []

        def fail(text, is_unfit):
            problems.append((text, is_unfit))
            raise RuntimeError

        self.addCleanup(_worker._end_server)
        order = {"version": _worker.version()}
        first = _worker._serving(order, fail).process
        self.assertIs(_worker._serving(order, fail).process, first)
        first.kill()
        first.wait()
        second = _worker._serving(order, fail).process
        self.assertIsNone(second.poll())
        with self.assertRaises(RuntimeError):
            _worker._serving({"version": "0.0.9"}, fail)
        self.assertRegex(f"{problems}", r"it has gst-tomo [0-9.]+, and this computer 0\.0\.9', True")

    def test_interrupted_before_a_worker_comes(self):
        """Ctrl-C waits for nobody."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            process = subprocess.Popen(["tomo-cluster", f"tcp://127.0.0.1:{silent.getsockname()[1]}", *map(str, self.words())], text=True, stderr=subprocess.PIPE)
            self.addCleanup(process.kill)
            connection, _ = silent.accept()
            self.addCleanup(connection.close)
            process.send_signal(signal.SIGINT)
            begun = time.monotonic()
            _, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("there is no result yet: 0 of", err)
        self.assertLess(time.monotonic() - begun, _connect.TO_ANSWER, err)

    def test_usage(self):
        self.assertIn("slurm:FILE.yaml", cluster("--help").stdout)
        self.assertRegex(cluster("--version").stdout, r"\Atomo-cluster [0-9.]+\n\Z")
        for words in ((), ("local:2",), ("--wrong", "x"), ("", "scan.nxs")):
            self.assertEqual(cluster(*words).returncode, 2)
        for words, expected in ((("--method", "sirt", "--geometry", "cone", "--source-position-y", -500), "needs the whole volume"),
                                (("--result", "projections"), "corrected projections are made in one stream"),
                                (("--output-parts", 2), "each slab of a cluster is a file"),
                                (("--devices", "all"), "workers of a cluster share the slabs")):
            result = self.refused(2, [expected], "scan.nxs", "--axis", AXIS, "--output", "many.h5", *words, "--cluster", "local:1", "--dry-run")
            self.assertNotIn("many.h5", os.listdir("."), result)
        self.refused(2, ["give cluster as well"], "scan.nxs", "--axis", AXIS, "--cluster-slab", 3, "--dry-run")

    def test_plan(self):
        """Without a cluster; its script makes the same on one computer."""
        reference = self.one()
        plan = json.loads(self.done(*self.words(), "--cluster", "tcp://nobody:1", "--dry-run", "--json").stdout)
        self.assertEqual([slab["images"] for slab in plan["slabs"]], [SLAB] * SLABS)
        self.assertTrue(plan["virtual"])
        self.assertNotIn("seconds", plan)
        # Two processes of one computer share its processor, and may only have to start once each.
        work = ("--method", "sirt", "--num-iterations", 1000)
        one, two = (json.loads(self.done(*self.words(*work), "--cluster", name, "--dry-run", "--json").stdout) for name in ("local:1", "local:2"))
        self.assertTrue(two["device"].startswith("2 workers ("), two["device"])
        self.assertLess(0.9 * one["seconds"], two["seconds"])
        self.assertLess(two["seconds"], 1.1 * one["seconds"])
        subprocess.run(["bash", "-euc", plan["script"]], check=True, capture_output=True)
        self.assertEqual(volume("many.h5").tobytes(), reference.tobytes())


class Killed(ClusterTestCase):
    @unittest.skipUnless(IS_LONG, "long")
    def test_scheduler(self):
        """One error, and the slabs stay for another one."""
        reference = self.one()
        with tempfile.TemporaryDirectory() as folder, contextlib.closing(Processes(folder)) as processes:
            for _ in range(2):
                processes.worker(SLOW)
            with subprocess.Popen(["tomo-cluster", processes.address, *map(str, self.words())], text=True, stderr=subprocess.PIPE) as process:
                wait_until(lambda: glob.glob("many.h5.slabs/*.h5"), "a slab")
                processes.kill_scheduler()
                _, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 1)
        told = [line for line in err.splitlines() if line.startswith("tomo-reconstruct: ")]
        self.assertEqual(told[-1], "tomo-reconstruct: the scheduler has gone; slabs that are made stay, and --resume goes on from there")
        self.assertNotIn("Traceback", err)
        cluster("local:2", *self.words("--resume"))
        self.check(reference)

    def test_killed_at_random(self):
        """Workers are killed while they make slabs; others take their place, and the volume is the same."""
        reference = self.one()
        with open("slow.py", "w") as file:
            file.write(SLOW)
        environment = {**os.environ, "DASK_DISTRIBUTED__WORKER__PRELOAD": json.dumps([os.path.abspath("slow.py")])}
        chance = random.Random(SEED)
        kills = 0
        for run in range(20 if IS_LONG else 2):
            process = subprocess.Popen(["tomo-cluster", "local:2", *map(str, self.words()), "--overwrite", "--progress", "json"], text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
            done = threading.Event()

            def kill(process=process, done=done):
                nonlocal kills
                # Once slabs are made.
                while not done.is_set() and not glob.glob("many.h5.slabs/attempt-*"):
                    time.sleep(0.01)
                for _ in range(1 + IS_LONG * chance.randrange(3)):
                    done.wait(chance.uniform(0.05, 0.8))
                    # A worker, or the process that makes a slab for it.
                    pids = [pid for pid in descendants(process.pid) if is_worker(pid) or is_slab_process(pid)]
                    if pids and not done.is_set():
                        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
                            os.kill(chance.choice(pids), signal.SIGKILL)
                            kills += 1

            killer = threading.Thread(target=kill)
            killer.start()
            out, err = process.communicate(timeout=3 * PATIENCE)
            done.set()
            killer.join()
            self.assertEqual(process.returncode, 0, f"run {run}: {out[-2000:]} {err} (seed {SEED})")
            self.assertEqual(volume("many.h5").tobytes(), reference.tobytes(), f"run {run} (seed {SEED})")
            self.assertFalse(os.path.exists("many.h5.slabs"))
        self.assertGreater(kills, 0)


if __name__ == "__main__":
    main()
