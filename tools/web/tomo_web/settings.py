# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the administrator decides, once, when the server starts: by options, or by a file in TOML with the same names."""

import dataclasses
import ipaddress
import json
import os
import pathlib
import re
import tomllib
import typing

from .access.model import NAMES

WILDCARDS = ("0.0.0.0", "::", "")


def default_state():
    """Below XDG_STATE_HOME or ~/.local/state."""
    return pathlib.Path(os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")) / "gst-tomo" / "web"


class SettingsError(Exception):
    """One sentence for the administrator."""


def option(default, text, choices=None, name=None):
    """A field that is an option, too. `name`: of the option, where it may be given several times."""
    return dataclasses.field(default=default, metadata={"help": text, "choices": choices, "name": name})


@dataclasses.dataclass(frozen=True)
class Settings:
    """
    folders: names and paths of the folders whose files people see
    results: the folder that volumes are written to, by jobs alone
    state: of the server: its database, thumbnails, uploads
    """
    folders: dict
    results: pathlib.Path
    state: pathlib.Path
    queue: pathlib.Path | None = option(None, "folder of the queue of jobs (docs/jobs.md)")
    host: str = option("127.0.0.1", "address of this computer to listen at")
    port: int = option(8080, "0: any that is free")
    open: bool = option(False, "open the address in a browser of this computer")
    addresses: tuple = option((), "as people open the server, where that is not http://HOST:PORT: https://tomo.example.org; may be repeated",
                              name="address")
    access: str = option("token", "token: one person, who opens the address that is printed; passwords: persons of tomo-web user; "
                         "proxy: a proxy tells the person's name", choices=("token", "passwords", "proxy"))
    trusted_proxies: tuple = option((), "address or network of a proxy whose X-Forwarded-For and name of the person count; may be repeated",
                                    name="trusted-proxy")
    proxy_header: str = option("X-Remote-User", "header in which the proxy tells the person's name")
    new_persons: str = option("user", "role of a person whom the proxy tells and nobody has added; none: they stay outside",
                              choices=("none", *NAMES[:2]))
    experts: bool = option(False, "let persons of the role expert see where files lie on this computer, in settings, commands and pipelines")
    cameras: tuple = option((), "NAME=ELEMENTS: a camera of the place Live, elements of GStreamer that end with grey images; may be repeated",
                            name="camera")
    demo_camera: bool = option(False, "the place Live has a camera that makes its frames itself")
    live_elements: bool = option(False, "let experts and administrators name any elements of GStreamer in the place Live, which can read and write "
                                 "whatever the server can")
    live: str | None = option(None, "start the place Live with this source: demo, elements of GStreamer, a scan, or what tomo-live --web hands over; "
                              "the address leads there, and opens where there is a display")
    uploads: str | None = option(None, "name of the folder that uploads go to; without: there are none")
    largest_upload: int = option(1 << 40, "bytes of one file")
    uploads_of_person: int = option(1 << 42, "bytes of all files of one person together")
    upload_days: float = option(7.0, "days after which uploads that nobody goes on with are taken away")
    largest_request: int = option(1 << 20, "bytes of any other request")
    session_hours: float = option(12.0, "hours without a request after which a session ends")
    watch: pathlib.Path | None = option(None, "file of rules by which new scans are reconstructed (docs/web.md)")
    watch_only: bool = option(False, "watch by the rules, and answer no browser")
    jobs_per_person: int = option(1000, "that are not over")
    keep_days: float | None = option(None, "days after which results and logs of jobs are taken away; without: never")
    keep_bytes: int | None = option(None, "bytes of results of one person, beyond which the oldest are taken away; without: never")
    webhooks: tuple = option((), "begin of addresses that persons may let be told of their jobs, https://hooks.example.org/tomo; may be repeated",
                             name="webhook")
    webhook_networks: tuple = option((), "network that webhooks may lead to beside public addresses, 10.1.0.0/16; may be repeated",
                                     name="webhook-network")
    smtp: str | None = option(None, "HOST:PORT of the mail server; without: no e-mail")
    smtp_security: str = option("none", "how it is spoken with", choices=("none", "starttls", "tls"))
    smtp_login: pathlib.Path | None = option(None, "file with NAME:PASSWORD for it")
    mail_from: str = option("gst-tomo@localhost", "sender of e-mail")
    mail_domains: tuple = option((), "domain that e-mail may go to; may be repeated; without: any", name="mail-domain")
    requests_per_second: float = option(100.0, "of one person on the average; ten times as many at once")
    logins_per_minute: float = option(10.0, "wrong ones from one address")
    connections: int = option(500, "at the same time; others are told to come again")
    patience: float = option(30.0, "seconds for a browser that sends or takes nothing")

    def __post_init__(self):
        for field in options():
            choices, value = field.metadata["choices"], getattr(self, field.name)
            if choices and value not in choices:
                raise SettingsError(f"{option_name(field)} is one of {', '.join(choices)}, not {value}")
            if isinstance(value, (int, float)) and value < 0:
                raise SettingsError(f"{option_name(field)} is at least 0")
        if self.port > 65535:
            raise SettingsError(f"--port is at most 65535, not {self.port}")
        for address in self.addresses:
            if not re.fullmatch(r"https?://[a-z0-9.:\[\]-]+", address):
                raise SettingsError(f"--address is http://NAME or https://NAME, with :PORT where it is no usual one, not {address}")
        if self.host in WILDCARDS and not self.addresses:
            raise SettingsError("--host 0.0.0.0 wants --address: the address that people open")
        if self.access == "proxy" and not self.trusted_proxies:
            raise SettingsError("--access proxy wants --trusted-proxy: the address that the proxy's requests come from")
        if self.uploads and self.uploads not in self.folders:
            raise SettingsError(f"--uploads names one of the folders {', '.join(self.folders)}")
        object.__setattr__(self, "live_run", live_run_of(self.live))
        for one in self.cameras:
            name, equals, elements = one.partition("=")
            if not (equals and re.fullmatch(r"[\w. -]{1,40}", name) and elements.strip()):
                raise SettingsError(f"--camera is NAME=ELEMENTS with a name of letters, digits, blanks, - and ., not {one}")
        if self.watch_only and not self.watch:
            raise SettingsError("--watch-only wants --watch: a file of rules")
        object.__setattr__(self, "proxies", tuple(map(network, self.trusted_proxies)))
        object.__setattr__(self, "private_webhooks", tuple(network(one, "--webhook-network") for one in self.webhook_networks))


def live_run_of(text):
    """{demo, parameters} of --live; None without it."""
    if text is None or text == "demo":
        return text and {"demo": True, "parameters": {}}
    if not text.lstrip().startswith("{"):
        return {"demo": False, "parameters": {"source": text}}
    try:
        told = json.loads(text)
        parameters = dict(told.get("parameters") or {})
    except (ValueError, TypeError, AttributeError):
        raise SettingsError(f"--live is a source, or an object with demo and parameters, not {text}") from None
    return {"demo": bool(told.get("demo")), "parameters": parameters}


def network(text, option="--trusted-proxy"):
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise SettingsError(f"{option} is an address or a network such as 10.0.0.0/8, not {text}") from None


def options():
    return [field for field in dataclasses.fields(Settings) if field.metadata]


def option_name(field):
    return f"--{field.metadata['name'] or field.name.replace('_', '-')}"


def type_of(field):
    """That of the one value of an option."""
    if field.type is tuple:
        return str
    return next(one for one in (*typing.get_args(field.type), field.type) if one is not type(None))


def read(path):
    """Values of a file in TOML by the names of Settings. Names of files in it are meant from its folder. Raises SettingsError."""
    path = pathlib.Path(path)
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise SettingsError(f"{path} can't be read: {e.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise SettingsError(f"{path}: {e}") from None
    here = path.resolve().parent
    known = {option_name(field)[2:]: field for field in options()}
    values = {}
    for name, value in given.items():
        name = name.replace("_", "-")
        if name == "folders" and isinstance(value, dict) and all(isinstance(one, str) for one in value.values()):
            values["folders"] = {key: here / one for key, one in value.items()}
        elif name in ("results", "state") and isinstance(value, str):
            values[name] = here / value
        elif name in known:
            values[known[name].name] = _value(path, here, name, known[name], value)
        else:
            raise SettingsError(f"{path}: there is no setting {name}")
    return values


def _value(path, here, name, field, value):
    kind = type_of(field)
    if field.type is tuple:
        value = (value,) if isinstance(value, str) else value
        if isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value):
            return tuple(value)
    elif kind is pathlib.Path and isinstance(value, str):
        return here / value
    elif kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    elif isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise SettingsError(f"{path}: {name} is no {'list of texts' if field.type is tuple else WORDS[kind]}: {value}")


WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", pathlib.Path: "name of a folder"}
