# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The other side of tomozmqpub and tomozmqsub, as UFO's tasks talk: five bytes ask, two bytes answer."""

import json
import struct
import sys
import time

try:
    import zmq
except ImportError:
    print("python3-zmq is not installed")
    sys.exit(77)  # to Meson: skipped

import numpy as np
from ports import free_port

REGISTER, DATA = 0, 1
ACK, STOP = 0, 1
OKAY, REGISTRATION_EXPECTED, ALREADY_REGISTERED, NOT_REGISTERED, ALREADY_SENT = range(5)


def request(ident, kind):
    return struct.pack("=iB", ident, kind)


def reply(error, kind):
    return struct.pack("=BB", error, kind)


def header(array, **changes):
    fields = {"htype": "array-1.0", "frame": 0, "type": "float", "shape": list(array.shape)} | changes
    return json.dumps({k: v for k, v in fields.items() if v is not None}).encode()


class Subscriber:
    """`with Subscriber(port) as s: s.register(); s.ask()`."""

    def __init__(self, port, ident=7):
        self.ident = ident
        self.socket = zmq.Context.instance().socket(zmq.REQ)
        self.socket.linger, self.socket.rcvtimeo = 0, 60000
        self.socket.connect(f"tcp://127.0.0.1:{port}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *parts):
        self.socket.send_multipart(parts)
        return self.socket.recv_multipart()

    def register(self):
        return struct.unpack("=BB", self.send(request(self.ident, REGISTER))[0])

    def ask(self):
        """(error, type), and the array and the header where there are."""
        while True:
            parts = self.send(request(self.ident, DATA))
            error, kind = struct.unpack("=BB", parts[0])
            if error == REGISTRATION_EXPECTED:
                continue
            if len(parts) == 1:
                return (error, kind), None, None
            fields = json.loads(parts[1])
            return (error, kind), np.frombuffer(parts[2], np.float32).reshape(fields["shape"]), fields

    def images(self):
        while (answer := self.ask())[0] == (OKAY, ACK):
            yield answer[1]
        assert answer[0] == (OKAY, STOP), answer


class Publisher:
    """Answers in a thread: `answers` are lists of parts for each request for data; the last one again and again. None: it keeps a request for data without an
    answer until answer_next() tells more."""

    def __init__(self, answers, registration=reply(OKAY, ACK)):
        import threading

        self.answers, self.registration, self.requests = answers and list(answers), registration, []
        self.socket = zmq.Context.instance().socket(zmq.REP)
        self.socket.linger = 0
        self.port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        self.ending = False
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending = True
        self.thread.join()
        self.socket.close()

    def answer_next(self, answers):
        self.answers = list(answers)

    def run(self):
        while not self.ending:
            if not self.socket.poll(20):
                continue
            ident, kind = struct.unpack("=iB", self.socket.recv())
            self.requests.append((ident, kind))
            if kind == REGISTER:
                self.socket.send_multipart([self.registration] if isinstance(self.registration, bytes) else self.registration)
            elif self.answers is None:
                while self.answers is None and not self.ending:
                    time.sleep(0.01)
                self.socket.send(b"to a connection that is gone")
            else:
                self.socket.send_multipart(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])


def data(array, **changes):
    return [reply(OKAY, ACK), header(array, **changes), np.ascontiguousarray(array).tobytes()]


END = [reply(OKAY, STOP)]
