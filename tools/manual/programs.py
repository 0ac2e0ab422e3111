# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What each program takes, as a dictionary: name, usage, about, commands (name, about), sections (title, options), where an option has
names, value, about and choices.

Programs in C++ tell it by --describe. Those in Python declare it for argparse, by a function `parser` without arguments.
"""

import argparse
import importlib
import importlib.machinery
import importlib.util
import json
import pathlib
import subprocess
import sys

TOOLS = pathlib.Path(__file__).resolve().parents[1]

# Folder of the modules, module of the parser, and parsers of commands that are read apart; or a script.
MODULES = {
    "tomo-cluster": (TOOLS.parent / "introspection" / "python", "gsttomo.cluster._program", {}),
    "tomo-gui": (TOOLS / "gui", "tomo_gui.command", {}),
    "tomo-jobs": (TOOLS.parent / "introspection" / "python", "gsttomo.jobs._cli", {}),
    "tomo-mkfilter": (TOOLS, "tomo-mkfilter", {}),
    "tomo-pva": (TOOLS, "tomo-pva", {}),
    "tomo-tango": (TOOLS / "tango", "tomo_tango.command", {}),
    "tomo-web": (TOOLS / "web", "tomo_web.main", {"user": "tomo_web.users"}),
}


class Unknown(Exception):
    """A program that does not tell what it takes."""


def described(name, folder):
    """Raises Unknown."""
    if name in MODULES:
        place, module, others = MODULES[name]
        sys.path.insert(0, str(place))
        return of_parser(parser_of(place, module), {command: parser_of(place, other) for command, other in others.items()})
    try:
        done = subprocess.run([f"{folder}/{name}", "--describe"], text=True, capture_output=True, timeout=120)
    except OSError as e:
        raise Unknown(f"{name}: {e}; a program in Python has a line in tools/manual/programs.py") from None
    if done.returncode:
        raise Unknown(f"{name} --describe ended with status {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def parser_of(folder, name):
    if (folder / name).is_file():
        loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(folder / name))
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
        loader.exec_module(module)
    else:
        module = importlib.import_module(name)
    return module.parser()


def of_parser(parser, others):
    """`others` are parsers by command that the program reads by itself."""
    usage = parser.format_usage().removeprefix("usage: ").split(None, 1)[1]
    words = [action for action in parser._actions if not action.option_strings]
    commands, sections = [], [section("Arguments", parser, words), section("Options", parser, options_of(parser))]
    for action in words:
        if isinstance(action, argparse._SubParsersAction):
            sections[0]["options"] = []
            usage = "[OPTION...] COMMAND [ARGUMENT...]"
            abouts = {choice.dest: choice.help for choice in action._choices_actions}
            for command, its in action.choices.items():
                commands.append({"name": command, "about": abouts[command]})
                sections.append(section(command, its, its._actions))
    for command, its in others.items():
        commands.append({"name": command, "about": its.description})
        for action in its._actions:
            if isinstance(action, argparse._SubParsersAction):
                sections += [section(f"{command} {name}", one, one._actions) for name, one in action.choices.items()]
    if any(section["title"] == "Options" and len(section["options"]) > 4 for section in sections):
        usage = " ".join(["[OPTION...]", *("COMMAND [ARGUMENT...]" if word.nargs == argparse.PARSER else shown(word) for word in words)])
    return {"name": parser.prog, "usage": " ".join(usage.split()), "about": " ".join(filter(None, [parser.description, parser.epilog])),
            "commands": commands, "sections": [one for one in sections if one["options"]]}


def options_of(parser):
    return [action for action in parser._actions if action.option_strings]


def shown(word):
    name = word.metavar or word.dest
    return {"*": f"[{name}...]", "+": f"{name}...", "?": f"[{name}]"}.get(word.nargs, name)


def section(title, parser, actions):
    formatter = parser._get_formatter()
    options = []
    for action in actions:
        if action.help == argparse.SUPPRESS or isinstance(action, argparse._HelpAction) and title not in ("Options",):
            continue
        choices = [str(choice) for choice in action.choices or () if not isinstance(action, argparse._SubParsersAction)]
        takes = action.nargs != 0 and bool(action.option_strings)
        options.append({"names": list(action.option_strings) or [shown(action)],
                        "value": ("|".join(choices) or action.metavar or action.dest.upper()) if takes else "",
                        "about": formatter._expand_help(action) if action.help else "", "choices": choices})
    return {"title": title, "options": options}
