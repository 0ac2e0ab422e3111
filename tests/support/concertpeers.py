# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The other side of tomoconcertsrc and tomoconcertsink, as Concert talks, and a network that can be cut."""

import json
import socket
import threading

import numpy as np
from zmqpeers import free_port, zmq

END = [json.dumps({"end": True}).encode()]


def message(array, **facts):
    """As concert.networking.base sends an image; facts that are None are left out."""
    array = np.ascontiguousarray(array)
    header = {"dtype": str(array.dtype), "shape": array.shape} | facts
    return [json.dumps({k: v for k, v in header.items() if v is not None}).encode(), array.tobytes()]


class Sender:
    """`with Sender() as s: s.send(message(array), END)`."""

    def __init__(self, kind=zmq.PUSH, connect=None):
        self.socket = zmq.Context.instance().socket(kind)
        self.socket.linger, self.socket.sndtimeo = 0, 60000
        if connect:  # messages wait for the other side
            self.endpoint, self.socket.reconnect_ivl = connect, 10
            self.socket.connect(connect)
        else:
            self.port = self.socket.bind_to_random_port("tcp://127.0.0.1")
            self.endpoint = f"tcp://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *messages):
        for parts in messages:
            self.socket.send_multipart(parts)


class Receiver(Sender):
    """Gives (header, array) until the end."""

    def __init__(self, kind=zmq.PULL, connect=None):
        super().__init__(kind, connect)
        self.socket.rcvtimeo = 60000
        if kind == zmq.SUB:
            self.socket.subscribe("")

    def images(self):
        while True:
            header = json.loads(self.socket.recv())
            if "end" in header:
                assert not self.socket.get(zmq.RCVMORE)
                return
            samples = self.socket.recv()
            assert not self.socket.get(zmq.RCVMORE)
            yield header, np.frombuffer(samples, header["dtype"]).reshape(header["shape"])


class Network:
    """Carries bytes from its own port to another one, until cut()."""

    def __init__(self, port):
        self.target, self.open = port, []
        self.port = free_port()
        self.endpoint = f"tcp://127.0.0.1:{self.port}"
        self.mend()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()

    def mend(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self.open += [near, far]
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    @staticmethod
    def _carry(source, sink):
        try:
            while data := source.recv(1 << 16):
                sink.sendall(data)
        except OSError:
            pass

    def cut(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # or the thread that waits would keep it
        self.listener.close()
        for end in self.open:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
        self.open = []
