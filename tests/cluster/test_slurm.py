# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-cluster on a real Slurm, which this test starts on this computer. It runs on demand, as root:

    apt install slurmctld slurmd munge
    tools/setup --cluster
    tools/test --suite slurm
"""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time

from pipetest import *
from ports import free_port
from test_cluster import SLABS, ClusterTestCase, cluster


class Slurm:
    """munged, slurmctld and slurmd with one node, this computer, until close()."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self._processes = []
        host = socket.gethostname().partition(".")[0]
        self.conf = self.folder / "slurm.conf"
        for name in ("state", "spool", "munge"):
            (self.folder / name).mkdir(parents=True)
        munge = self.folder / "munge"
        for path in (self.folder.parent, self.folder):  # munged runs as a user of its own
            os.chmod(path, 0o755)
        key = munge / "key"
        key.write_bytes(os.urandom(1024))
        owner = pwd.getpwnam("munge")
        for path in (munge, key):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        os.chmod(key, 0o400)
        os.chmod(munge, 0o755)
        self.conf.write_text(f"""ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={free_port()}
SlurmdPort={free_port()}
AuthType=auth/munge
AuthInfo=socket={munge}/socket
StateSaveLocation={self.folder}/state
SlurmdSpoolDir={self.folder}/spool
SlurmctldPidFile={self.folder}/slurmctld.pid
SlurmdPidFile={self.folder}/slurmd.pid
SlurmctldLogFile={self.folder}/slurmctld.log
SlurmdLogFile={self.folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
SelectType=select/cons_tres
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
""")
        self.environment = {**os.environ, "SLURM_CONF": str(self.conf)}
        self._start("setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups", "munged", "--foreground", "--force",
                    f"--key-file={key}", f"--socket={munge}/socket", f"--pid-file={munge}/pid", f"--log-file={munge}/log",
                    f"--seed-file={munge}/seed")
        wait_until(lambda: (munge / "socket").exists(), "munged")
        self._start("slurmctld", "-D", "-f", self.conf)
        self._start("slurmd", "-D", "-N", host, "-f", self.conf)
        wait_until(lambda: "idle" in self.ask("sinfo", "-h", "-o", "%T"), "the node")

    def _start(self, *words):
        with open(self.folder / "output.log", "ab") as log:
            self._processes.append(subprocess.Popen([*map(str, words)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment))

    def ask(self, *words):
        time.sleep(0.2)
        return subprocess.run(words, text=True, capture_output=True, env=self.environment).stdout

    def close(self):
        self.ask("scancel", "--state=RUNNING", "--user=root")
        for process in self._processes[::-1]:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


class OnSlurm(ClusterTestCase):
    def setUp(self):
        super().setUp()
        self.assertEqual(os.geteuid(), 0, "Slurm wants root")
        for program in ("slurmctld", "slurmd", "munged", "sbatch"):
            self.assertTrue(shutil.which(program), f"{program} is not there: apt install slurmctld slurmd munge")
        self.slurm = Slurm(os.path.abspath("slurm"))
        self.addCleanup(self.slurm.close)

    def write_configuration(self, **options):
        lines = {"jobs": 2, "queue": "all", "cores": 1, "memory": "1GiB", "walltime": '"00:10:00"', "interface": "lo", "patience": 60, **options}
        with open("cluster.yaml", "w") as file:
            file.writelines(f"{name}: {value}\n" for name, value in lines.items())

    def test_volume(self):
        """Jobs of Slurm make the same bytes, and are gone behind it."""
        self.write_configuration()
        reference = self.one()
        seen = []
        process = subprocess.Popen(["tomo-cluster", "slurm:cluster.yaml", *map(str, self.words())], text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=self.slurm.environment)
        while process.poll() is None:
            seen += self.slurm.ask("squeue", "-h", "-o", "%A %T").splitlines()
        _, err = process.communicate()
        self.assertEqual(process.returncode, 0, err)
        self.check(reference)
        self.assertIn(f"{SLABS} slabs by workers of a cluster", err)
        self.assertEqual(len({line.split()[0] for line in seen}), 2, seen)
        self.assertTrue(any(line.endswith("RUNNING") for line in seen), seen)
        wait_until(lambda: not self.slurm.ask("squeue", "-h", "-t", "RUNNING,PENDING").strip(), "end of the jobs")

    def test_wrong_queue(self):
        """An error tells it."""
        self.write_configuration(queue="no-such-queue", patience=5)
        result = cluster("slurm:cluster.yaml", *self.words(), "--progress", "none", env=self.slurm.environment)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertRegex(result.stderr, "'cluster.yaml': .*invalid partition|no worker has come to 'slurm:cluster.yaml'")


if __name__ == "__main__":
    sys.argv[1:] = sys.argv[1:] or ["OnSlurm"]
    main()
