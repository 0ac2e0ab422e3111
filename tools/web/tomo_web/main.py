# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line: tomo-web FOLDER..., tomo-web user ..."""

import argparse
import errno
import os
import pathlib
import secrets
import socket
import sys
import threading
import webbrowser

from . import users
from .errors import Refusal
from .settings import Settings, SettingsError, default_state, option_name, options, read, type_of


def parser():
    made = argparse.ArgumentParser(prog="tomo-web", description="Data sets, reconstructions and results in a browser.",
                                   epilog="tomo-web user --help tells how to add persons.")
    made.add_argument("folders", nargs="*", metavar="[NAME=]FOLDER", help="whose files people see; without any: the current folder")
    made.add_argument("--config", type=pathlib.Path, metavar="FILE", help="settings in TOML with the names of these options; options go before it")
    made.add_argument("--results", type=pathlib.Path, metavar="FOLDER", help="where volumes go; default: results below the state")
    made.add_argument("--state", type=pathlib.Path, metavar="FOLDER", help=f"where the server keeps what it knows; default: {default_state()}")
    for field in options():
        add_option(made, field)
    return made


def add_option(made, field):
    about, common = field.metadata, {"dest": field.name, "default": None}
    shown = "" if field.default in (None, (), False) else f"; default: {field.default}"
    if field.type is bool:
        made.add_argument(option_name(field), action=argparse.BooleanOptionalAction, help=about["help"], **common)
    else:
        made.add_argument(option_name(field), type=type_of(field), action="append" if field.type is tuple else "store",
                          choices=about["choices"], metavar=None if about["choices"] else type_of(field).__name__.upper(),
                          help=(about["help"] + shown).replace("%", "%%"), **common)


def settings_of(words):
    """The Settings of a command line. Raises SettingsError."""
    arguments = vars(parser().parse_intermixed_args(words))
    config = arguments.pop("config")
    values = read(config) if config else {}
    folders = folders_of(arguments.pop("folders"))
    values |= {name: tuple(value) if isinstance(value, list) else value for name, value in arguments.items() if value is not None}
    values["folders"] = folders or values.get("folders") or folders_of(["."])
    for name, folder in values["folders"].items():
        if not pathlib.Path(folder).is_dir():
            raise SettingsError(f"{folder}, the folder {name}, is not there")
        if name == "results" or not name or "/" in name:
            raise SettingsError(f"a folder can't have the name '{name}'")
    values.setdefault("state", default_state())
    values.setdefault("results", values["state"] / "results")
    return Settings(**values)


def folders_of(texts):
    """Paths by name of [NAME=]FOLDER..."""
    made = {}
    for text in texts:
        name, equals, path = text.partition("=")
        path = pathlib.Path(path if equals else text)
        name = name if equals else path.resolve().name
        if name in made:
            raise SettingsError(f"two folders have the name '{name}': NAME=FOLDER gives them others")
        made[name] = path
    return made


def main(words=None):
    words = sys.argv[1:] if words is None else words
    try:
        return users.main(words[1:]) if words[:1] == ["user"] else serve(settings_of(words))
    except (SettingsError, Refusal, OSError) as e:
        print(f"tomo-web: {e}", file=sys.stderr)
        return 1


def listen(host, port):
    """Raises SettingsError where the address is not this computer's, or not free."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as e:
        reason = "another program listens there; --port 0 takes any that is free" if e.errno == errno.EADDRINUSE else e.strerror.partition(" (")[0]
        raise SettingsError(f"{host}, port {port}, can't be listened at: {reason}") from None


def serve(settings):
    """What takes a second to import is imported where a server starts, not for persons and mistakes."""
    import uvicorn

    from . import watch
    from .app import Server, create_app, folders_of as shown_folders
    from .connections import patient
    settings.results.mkdir(parents=True, exist_ok=True)
    token = secrets.token_urlsafe(24)
    if settings.watch:
        watch.check(settings, shown_folders(settings))
    if settings.watch_only:
        print(f"tomo-web: watches by {settings.watch}", flush=True)
        watch.watch_alone(lambda: Server(settings, token))
        return 0
    app = create_app(settings, token)
    listener = listen(settings.host, settings.port)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    here = f"http://{host}:{listener.getsockname()[1]}"
    first, *_ = (*settings.addresses, here)
    place = "/live" if settings.live else ""
    key = f"#token={token}{place}" if settings.access == "token" else f"#{place}" if place else ""
    print(f"tomo-web: {first}/ui/{key}" + ("" if first == here else f" listens at {here}/"), flush=True)
    if settings.open or (settings.live and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))):
        threading.Thread(target=webbrowser.open, args=[f"{first}/ui/{key}"], daemon=True).start()
    # Proxies are the business of guard.py: uvicorn trusts any of this computer.
    uvicorn.Server(uvicorn.Config(app, log_level="warning", http=patient(settings.patience), proxy_headers=False, server_header=False,
                                  limit_concurrency=settings.connections, ws_max_size=settings.largest_request)).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
