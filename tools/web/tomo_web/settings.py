# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the administrator decides, once, when the server starts."""

import dataclasses
import os
import pathlib


def default_state():
    """Below XDG_STATE_HOME or ~/.local/state."""
    return pathlib.Path(os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")) / "gst-tomo" / "web"


@dataclasses.dataclass(frozen=True)
class Settings:
    """
    folders: names and paths of the folders whose files people see
    results: the folder that volumes are written to, by jobs alone
    state: of the server: its database, thumbnails, uploads
    queue: folder of the queue of gsttomo.jobs; None: the default one
    access: token (one person, the address is the key), passwords, or proxy (a proxy tells the person's name in proxy_header)
    experts: whether persons of that role may name any file, give dataflows and sources of OpenCL
    """
    folders: dict
    results: pathlib.Path
    state: pathlib.Path = dataclasses.field(default_factory=default_state)
    queue: pathlib.Path | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    access: str = "token"
    proxy_header: str = "X-Remote-User"
    experts: bool = False
    uploads: str | None = None              # name of the folder that uploads go to; None: there are none
    largest_upload: int = 1 << 40           # bytes of one file
    uploads_of_person: int = 1 << 42        # bytes of all files of one person together
    upload_days: float = 7.0                # after which uploads that nobody goes on with are taken away
    largest_request: int = 1 << 20          # bytes of any other request
    session_hours: float = 12.0
    jobs_per_person: int = 1000             # that are not over
