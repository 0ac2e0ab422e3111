# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shared by the tests of tomo-tango: servers as processes, their errors, and a stream for them."""

import contextlib
import os
import signal
import subprocess
import time

import numpy as np
import tango
import zmq
from zmq.utils.monitor import recv_monitor_message

from jobtest import PATIENCE, FolderTestCase
from ports import free_port

DEVICE = "hgzctkit/process/1"


class Server:
    """A server as a process; `proxy` is its device."""

    def __init__(self, case, *options, name=None, device=DEVICE, **env):
        self.port = free_port()
        # The folder, because a description may name files as it sees them.
        self.process = subprocess.Popen(["tomo-tango", "t1", *options, "-ORBendPoint", f"giop:tcp:127.0.0.1:{self.port}"],
                                        cwd=case.scratch, env={**os.environ, "XDG_STATE_HOME": str(case.scratch / "state"), **env},
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        case.addCleanup(self.end)
        self.name = name or f"tango://127.0.0.1:{self.port}/{device}#dbase=no"
        self.proxy = self.connected()

    def connected(self):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                proxy = tango.DeviceProxy(self.name)
                proxy.set_timeout_millis(PATIENCE * 1000)
                proxy.ping()
                return proxy
            except tango.DevFailed:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise AssertionError(self.process.communicate(timeout=5)[0]) from None
                time.sleep(0.05)

    def end(self, number=signal.SIGTERM, patience=PATIENCE):
        if self.process.poll() is None:
            self.process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        if self.process.poll() is None:
            self.process.kill()
            raise AssertionError("the server does not end")
        self.process.stdout.close()


class Camera:
    """Sends as Concert's ZmqSender does: PUSH, a header and the samples, and at the end a header alone."""

    def __init__(self, case):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.PUSH)
        self.socket.linger = 0
        self.port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        self.ends = self.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        case.addCleanup(self.context.term)
        case.addCleanup(self.socket.close)
        case.addCleanup(self.ends.close)

    def wait_for_end(self):
        """Until a connection has ended also here: what is sent before is lost with it."""
        assert self.ends.poll(1000 * PATIENCE), "no connection ends"
        recv_monitor_message(self.ends)

    def send(self, images, end=True, **metadata):
        for image in images:
            self.socket.send_json({**metadata, "dtype": str(image.dtype), "shape": image.shape}, zmq.SNDMORE)
            self.socket.send(np.ascontiguousarray(image))
        if end:
            self.socket.send_json({"end": True})


class TangoTestCase(FolderTestCase):
    device, device_class = DEVICE, "Process"

    def serve(self, **env):
        server = Server(self, "-nodb", "-dlist", f"{self.device_class}::{self.device}", device=self.device, **env)
        return server, server.proxy

    def refused(self, reason, words, function, *arguments):
        with self.assertRaises(tango.DevFailed) as caught:
            function(*arguments)
        error = caught.exception.args[0]
        self.assertEqual(error.reason, f"TomoTango_{reason}")
        self.assertIn(words, error.desc)
        self.assertIn(self.device, error.origin)
