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
    parser.add_argument("--uploads", metavar="NAME", help="name of the folder that uploads go to; without: there are none")
    parser.add_argument("--largest-upload", type=int, default=Settings.largest_upload, help="bytes of one file")
    parser.add_argument("--uploads-of-person", type=int, default=Settings.uploads_of_person, help="bytes of all files of one person together")
    parser.add_argument("--upload-days", type=float, default=Settings.upload_days)
    return parser.parse_intermixed_args(words)


def main(words=None):
    arguments = parsed(words)
    folders = dict(named(one) for one in arguments.folders or ["."])
    results = arguments.results or arguments.state / "results"
    results.mkdir(parents=True, exist_ok=True)
    app = create_app(Settings(folders=folders, results=results, state=arguments.state, queue=arguments.queue, host=arguments.host,
                              port=arguments.port,
                              uploads=arguments.uploads, largest_upload=arguments.largest_upload,
                              uploads_of_person=arguments.uploads_of_person, upload_days=arguments.upload_days))
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
