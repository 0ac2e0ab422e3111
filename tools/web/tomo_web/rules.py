# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules of `tomo-web --watch FILE`: where new scans come from, when one is whole, with which settings it is reconstructed. Everything that
a file says is checked when it is read; docs/web.md shows one."""

import dataclasses
import json
import os
import pathlib
import re
import tomllib

from . import webhook
from .errors import Refusal
from .notify import ADDRESS
from .parameters import PLACES, checked, with_paths
from .patterns import Pattern
from .templates import PRESETS

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")  # also that of a folder of results
FIELDS = ("name", "rule", "proposal", "date")         # that stand in names of results
LARGEST = 1 << 20                                     # bytes of a file
OWNER = "tomo-web"


class RulesError(Refusal):
    """What is wrong with a file of rules: a sentence with the line or the key."""
    status = 409


@dataclasses.dataclass(frozen=True)
class Whole:
    """When a scan counts as whole. still: seconds without a change of its files; marker: name of a file beside it, or in it where it is
    a folder, that tells its end; projections, angles: that it has at least, angles in degrees"""
    still: float = 30.0
    marker: str | None = None
    projections: int = 2
    angles: float = 0.0


@dataclasses.dataclass(frozen=True)
class Rule:
    """folder: place of a folder, or None where `proposals` of the portal tell what is new; pattern: of names below that folder, or of the
    files of a portal's data set; settings: of the reconstruction, files among them as places; result: name of the volume, with
    {name}, {rule}, {proposal}, {date}; into: folder below that of the results; retries: after a failure; replaced: "again" or "ignore", for
    a scan that is another one than the one that was reconstructed; existing: whether what is there at first counts as new; every: seconds
    between looks; at_once: jobs that are not over; notify: addresses of mail and of hooks; notify_when: "failed" or "all\""""
    name: str
    folder: str | None
    proposals: tuple
    pattern: Pattern
    whole: Whole = Whole()
    settings: dict = dataclasses.field(default_factory=dict)
    priority: int = 0
    result: str = "{name}"
    into: str = ""
    retries: int = 2
    retry_after: float = 60.0
    replaced: str = "ignore"
    existing: bool = True
    every: float = 30.0
    at_once: int = 20
    owner: str = OWNER
    tags: tuple = ()
    register: bool = False
    notify: tuple = ()
    notify_when: str = "failed"

    def as_dict(self):
        """For pages."""
        members = {**dataclasses.asdict(self), "pattern": self.pattern.text}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in members.items()}


@dataclasses.dataclass(frozen=True)
class PortalSettings:
    """folders: absolute folders as the portal names them, and places of the same folders here; contact: address for data sets whose raw
    one tells none"""
    kind: str
    address: str
    token_file: str | None
    token_variable: str | None
    folders: dict
    contact: str | None = None
    python: str | None = None
    insecure: bool = False


@dataclasses.dataclass(frozen=True)
class Rules:
    text: str
    rules: tuple
    portal: PortalSettings | None


def read(path, server):
    """The Rules of a file. Raises RulesError."""
    name = pathlib.Path(path).name
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise RulesError(f"{name} has more than {LARGEST >> 20} MB")
        text = content.decode()
        given = tomllib.loads(text)
    except OSError as e:
        raise RulesError(f"{path} can't be read: {e.strerror}") from None
    except UnicodeDecodeError:
        raise RulesError(f"{name} is no text in UTF-8") from None
    except tomllib.TOMLDecodeError as e:
        raise RulesError(f"{name}: {e}") from None
    table = Table(name, "", given)
    portal = _portal(table.table("portal"), server) if "portal" in given else None
    found = tuple(_rule(one, server, portal) for one in table.tables("rules"))
    table.done()
    if not found:
        raise RulesError(f"{name}: there is no rule: a rule begins with [rules.NAME]")
    return Rules(text, found, portal)


class Table:
    """A table of TOML that knows where it stands: what is missing, of another type, or unknown is told with its key."""

    def __init__(self, file, key, values):
        self.file, self.key, self._values, self._taken = file, key, values, set()

    def wrong(self, name, text):
        where = ".".join(filter(None, (self.key, name)))
        return RulesError(f"{self.file}: {where}: {text}", where)

    def __contains__(self, name):
        return name in self._values

    def take(self, name, kind, default=None, told=None):
        """A value of a type; the default where there is none."""
        self._taken.add(name)
        value = self._values.get(name, default)
        if name not in self._values:
            return value
        kinds = (int, float) if kind is float else kind
        if not isinstance(value, kinds) or isinstance(value, bool) and kind is not bool:
            raise self.wrong(name, f"wanted {told or TOLD[kind]}")
        return value

    def number(self, name, kind, default, least, most):
        value = self.take(name, kind, default)
        if not least <= value <= most:
            raise self.wrong(name, f"{value} is out of range; wanted {least} to {most}")
        return value

    def choice(self, name, choices, default):
        value = self.take(name, str, default)
        if value not in choices:
            raise self.wrong(name, f"there is no \"{value}\"; wanted {' or '.join(choices)}")
        return value

    def texts(self, name):
        value = self.take(name, list, [], "a list of texts")
        if not all(isinstance(one, str) and one.strip() for one in value):
            raise self.wrong(name, "wanted a list of texts")
        return tuple(value)

    def table(self, name):
        return Table(self.file, ".".join(filter(None, (self.key, name))), self.take(name, dict, {}))

    def tables(self, name):
        inner = self.table(name)
        for key, value in inner._values.items():
            if not isinstance(value, dict):
                raise inner.wrong(key, f"wanted a table [{inner.key}.{key}]")
            yield Table(self.file, f"{inner.key}.{key}", value)

    def done(self):
        """Nothing is left that nobody knows."""
        if unknown := sorted(set(self._values) - self._taken):
            raise self.wrong(unknown[0], f"nobody knows this; wanted {', '.join(sorted(self._taken))}")


TOLD = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", dict: "a table", list: "a list"}


def _rule(table, server, portal):
    name = table.key.rpartition(".")[2]
    if not NAME.fullmatch(name):
        raise table.wrong("", "a name of a rule has letters, digits, - and _, 60 at most")
    folder, proposals = table.take("folder", str), table.texts("proposals")
    if bool(folder) == bool(proposals):
        raise table.wrong("folder", "a rule has either a folder, or proposals of the portal")
    if proposals and not portal:
        raise table.wrong("proposals", "there is no [portal] that knows them")
    if folder:
        _check_folder(table, server, folder)
    register = table.take("register", bool, False)
    if register and not proposals:
        raise table.wrong("register", "only results of a portal's data sets can be registered: the rule has a folder")
    made = Rule(
        name, folder, proposals, _pattern(table), _whole(table.table("whole")), _settings(table, server),
        table.number("priority", int, 0, -10**6, 10**6), _result(table), _into(table, name), table.number("retries", int, 2, 0, 100),
        table.number("retry-after", float, 60.0, 0.1, 10**6), table.choice("replaced", ("again", "ignore"), "ignore"),
        table.take("existing", bool, True), table.number("every", float, 30.0, 0.1, 86400.0), table.number("at-once", int, 20, 1, 1000),
        table.take("owner", str, OWNER) or OWNER, table.texts("tags"), register, _notify(table, server.settings),
        table.choice("notify-when", ("failed", "all"), "failed"))
    table.done()
    return made


def _check_folder(table, server, place):
    try:
        server.folders.path(place.partition("/")[0])  # what lies below may come later, or be a disk that is away
        server.folders.check(place)
    except Refusal as e:
        raise table.wrong("folder", e.text) from None


def _pattern(table):
    text = table.take("pattern", str, "**/*.{h5,hdf5,nxs,nx}")
    try:
        return Pattern(text)
    except ValueError as e:
        raise table.wrong("pattern", str(e)) from None


def _whole(table):
    marker = table.take("marker", str)
    if marker is not None and ("/" in marker or not marker.strip() or marker in (".", "..")):
        raise table.wrong("marker", "wanted the name of a file, in which {name} is that of the scan")
    made = Whole(table.number("still", float, 30.0, 0.0, 10**6), marker, table.number("projections", int, 2, 1, 10**7),
                 table.number("angles", float, 0.0, 0.0, 10**6))
    table.done()
    return made


def _settings(table, server):
    """Those of the preset, then of the template, then of the rule itself: the later ones count."""
    values = {}
    if preset := table.take("preset", str):
        values |= _named(table, "preset", preset, {one.name: one.settings for one in PRESETS})
    if template := table.take("template", str):
        values |= _named(table, "template", template, _templates(server))
    own = table.take("settings", dict, {})
    for name, value in own.items():
        try:
            with_paths(checked({name: value}, PLACES), server.folders)
        except Refusal as e:
            raise table.wrong(f"settings.{name}", e.text) from None
    try:
        merged = checked({**values, **own}, PLACES)
        with_paths(merged, server.folders)
    except Refusal as e:
        raise table.wrong("settings", e.text) from None
    return merged


def _named(table, key, name, known):
    if name not in known:
        raise table.wrong(key, f"there is no {key} \"{name}\"" + (f"; wanted one of {', '.join(sorted(known))}" if known else ""))
    return known[name]


def _templates(server):
    """Those that everybody sees, by their names. Two of one name are told apart as OWNER/NAME."""
    rows = server.database.all("SELECT owner, name, settings FROM templates WHERE is_shared")
    found = {}
    for row in rows:
        found[f"{row['owner']}/{row['name']}"] = found[row["name"]] = json.loads(row["settings"])
    for row in rows:
        if sum(one["name"] == row["name"] for one in rows) > 1:
            found.pop(row["name"], None)
    return found


def _result(table):
    text = table.take("result", str, "{name}")
    unknown = [field for field in re.findall(r"\{([^{}]*)\}", text) if field not in FIELDS]
    if unknown or "/" in text or not text.strip():
        raise table.wrong("result", f"wanted a name of a file, with {', '.join('{%s}' % field for field in FIELDS)} in it")
    return text


def _into(table, name):
    text = table.take("into", str, name)
    if not text or any(not NAME.fullmatch(part) for part in text.split("/")):
        raise table.wrong("into", "wanted the name of a folder below that of the results: letters, digits, - and _, / between folders")
    return text


def _notify(table, settings):
    found = table.texts("notify")
    for one in found:
        if not one.startswith("http") and not ADDRESS.fullmatch(one):
            raise table.wrong("notify", f"\"{one}\" is neither an address of mail nor one of http")
        if not one.startswith("http") and not settings.smtp:
            raise table.wrong("notify", "the server sends no e-mail: --smtp names a mail server")
        if one.startswith("http"):
            try:
                webhook.checked(one, settings.webhooks)
            except Refusal:
                raise table.wrong("notify", f"--webhook does not allow {one}") from None
    return found


def _portal(table, server):
    kind = table.choice("kind", ("scicat",), "scicat")
    address = table.take("address", str, "")
    insecure = table.take("insecure", bool, False)
    if not re.match(r"https?://[^/\s@]+", address):
        raise table.wrong("address", "wanted the address of the portal's interface, such as https://scicat.example.org/api/v3")
    if address.startswith("http:") and not insecure:
        raise table.wrong("address", "a token must not travel by http: wanted https, or insecure = true for a trial")
    file, variable = table.take("token-file", str), table.take("token-variable", str)
    if file and variable:
        raise table.wrong("token-file", "the token comes from a file or from a variable of the environment, not from both")
    folders = table.table("folders")
    made = {}
    for remote in folders._values:
        place = folders.take(remote, str)
        if not remote.startswith("/") or os.path.normpath(remote) != remote:
            raise folders.wrong(f'"{remote}"', "wanted an absolute folder, as the portal names it")
        try:
            server.folders.check(place)
        except Refusal as e:
            raise folders.wrong(f'"{remote}"', e.text) from None
        made[remote] = place
    if not made:
        raise table.wrong("folders", "wanted folders as the portal names them, and their places here")
    portal = PortalSettings(kind, address, file, variable, made, table.take("contact", str), table.take("python", str), insecure)
    table.done()
    return portal
