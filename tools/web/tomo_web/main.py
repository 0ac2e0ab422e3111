# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line: tomo-web FOLDER..."""

import argparse
import pathlib
import secrets
import socket
import sys

import uvicorn

from .app import create_app
from .settings import Settings, default_state


def parsed(words):
    parser = argparse.ArgumentParser(prog="tomo-web", description="Data sets, reconstructions and results in a browser.")
    parser.add_argument("folders", nargs="*", metavar="[NAME=]FOLDER", help="whose files people see; without any: the current folder")
    parser.add_argument("--results", type=pathlib.Path, help="where volumes go; default: results below the state")
    parser.add_argument("--state", type=pathlib.Path, default=default_state(), help="where the server keeps what it knows")
    parser.add_argument("--queue", type=pathlib.Path, help="folder of the queue of jobs (docs/jobs.md)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0: any that is free")
    return parser.parse_args(words)


def main(words=None):
    arguments = parsed(words)
    folders = dict(named(one) for one in arguments.folders or ["."])
    results = arguments.results or arguments.state / "results"
    results.mkdir(parents=True, exist_ok=True)
    app = create_app(Settings(folders=folders, results=results, state=arguments.state, queue=arguments.queue, host=arguments.host,
                              port=arguments.port))
    app.state.token = secrets.token_urlsafe(24)
    listener = socket.create_server((arguments.host, arguments.port))
    print(f"tomo-web: http://{arguments.host}:{listener.getsockname()[1]}/ui/#token={app.state.token}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
    return 0


def named(text):
    name, equals, path = text.partition("=")
    path = pathlib.Path(path if equals else text)
    return (name if equals else path.resolve().name), path


if __name__ == "__main__":
    sys.exit(main())
