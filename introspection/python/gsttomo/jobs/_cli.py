# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program tomo-jobs."""

import argparse
import asyncio
import json
import logging
import os
import re
import sqlite3
import sys

from . import _table
from ._client import PlainQueue
from ._manager import Manager, serve
from ._model import OPEN, DescriptionError, Error, State
from ._order import LARGEST

OK, FAILED, USAGE = 0, 1, 2
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}

ABOUT = """Reconstructions and dataflows that wait for their turn, each in a process of its own.

`serve` runs the jobs of a queue on the devices of this computer. All other commands work without it, and from other processes at
the same time: submitted jobs wait. The queue is a folder: that of --queue, else of GST_TOMO_JOBS, else one below
~/.local/state."""


def bytes_of(text):
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}'; wanted bytes, as in 8G, in powers of 1024")
    size = int(float(match[1]) * UNITS[match[2]])
    if size > LARGEST:
        raise argparse.ArgumentTypeError(f"'{text}'; wanted at most {LARGEST} bytes")
    return size


def at_least(least, kind=float):
    def read(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not least <= value <= LARGEST:
            raise argparse.ArgumentTypeError(f"'{text}'; wanted a number from {least} to {LARGEST}")
        return value
    return read


def parser():
    main = argparse.ArgumentParser(prog="tomo-jobs", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter)
    main.add_argument("--queue", metavar="FOLDER", help="folder of the queue")
    commands = main.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name, function, about):
        command = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
        command.set_defaults(function=function)
        return command

    def add_order(command):
        command.add_argument("--name", help="for people")
        command.add_argument("--priority", type=at_least(-LARGEST, int), help="jobs of a higher one come first")
        command.add_argument("--device", action="append", metavar="DEVICE", dest="devices",
                             help="index or a part of the name; several times for several, none for no device")
        command.add_argument("--memory", type=bytes_of, metavar="BYTES", help="that it is to have, as in 8G")
        command.add_argument("--session", metavar="NAME", help="run in a process that stays warm for jobs of this name")
        command.add_argument("--follow", action="store_true", help="wait for its end and tell its course")
        add_json(command)

    def add_json(command):
        command.add_argument("--json", action="store_true", help="as JSON")

    def add_number(command):
        command.add_argument("id", type=at_least(1, int), help="number of the job")

    command = add("serve", run_manager, "run the jobs of the queue, until Ctrl-C or SIGTERM; jobs that run then go on")
    command.add_argument("--device", action="append", metavar="DEVICE", dest="devices",
                         help="that jobs may have; several times for several")
    command.add_argument("--memory", type=bytes_of, metavar="BYTES", help="that all jobs together may claim (default: three quarters)")
    command.add_argument("--places", type=at_least(1, int), metavar="N", help="jobs at once (default: as many as devices)")
    command.add_argument("--idle", type=at_least(0), default=300.0, metavar="SECONDS", help="that a warm process waits for a job")
    command.add_argument("--warm", type=at_least(0, int), metavar="N", help="warm processes that wait at most (default: four for each place)")
    command.add_argument("--until-idle", type=at_least(0), metavar="SECONDS", help="end when for so long no job waits or runs")
    command.add_argument("--keep-days", type=at_least(0), metavar="DAYS", help="after which jobs that are over are forgotten")
    command.add_argument("--keep-jobs", type=at_least(0, int), metavar="N", help="jobs that are over and kept at most")
    command.add_argument("--jobs-per-owner", type=at_least(0, int), metavar="N", help="that are not over")
    command.add_argument("--bytes-per-owner", type=bytes_of, metavar="BYTES", help="of results, beyond which nothing is taken")

    command = add("submit", submit, "submit a configuration of tomo-reconstruct or a dataflow")
    command.add_argument("words", nargs="+", metavar="FILE|NAME=VALUE",
                         help="a configuration, a dataflow in JSON (-: standard input), and parameters of a configuration")
    command.add_argument("--owner", help="whose job it is (default: the user)")
    add_order(command)
    command = add("list", list_jobs, "list jobs: those that are not over, and the newest others")
    command.add_argument("--state", action="append", choices=[str(state) for state in State], help="only those; several times for several")
    command.add_argument("--owner", help="only those of an owner")
    command.add_argument("--limit", type=at_least(1, int), default=20, metavar="N", help="at most N (default: 20)")
    add_json(command)
    command = add("show", show, "tell everything about a job")
    add_number(command)
    command.add_argument("--log", action="store_true", help="what its process has written to standard error")
    add_json(command)
    command = add("follow", follow, "tell the course of a job from its begin, until it is over")
    add_number(command)
    command.add_argument("--json", action="store_true", help="its events as lines of JSON")
    for name, about in (("cancel", "end a job without a result"), ("finish", "end a job early, with what it has"),
                        ("pause", "hold a job, in the queue or where it runs"), ("resume", "end a pause")):
        command = add(name, change, about)
        add_number(command)
    command = add("repeat", repeat, "submit a job again")
    add_number(command)
    command.add_argument("words", nargs="*", metavar="NAME=VALUE", help="parameters of a configuration that differ")
    add_order(command)
    command = add("clean", clean, "forget jobs that are over, with their logs; results stay")
    command.add_argument("ids", nargs="*", type=at_least(1, int), metavar="ID", help="these jobs")
    command.add_argument("--older", type=at_least(0), metavar="DAYS", help="those that ended before")
    command.add_argument("--all-but", type=at_least(0, int), metavar="N", help="all but the newest")
    return main


class Usage(Exception):
    pass


def run_manager(arguments):
    given = {name: getattr(arguments, name) for name in ("keep_days", "keep_jobs", "jobs_per_owner", "bytes_per_owner")}
    limits = {name: value for name, value in given.items() if value is not None}
    logging.basicConfig(level=logging.INFO, format="tomo-jobs: %(message)s")
    manager = Manager(arguments.queue, devices=arguments.devices, memory=arguments.memory, places=arguments.places,
                      idle=arguments.idle, warm=arguments.warm, limits=limits, until_idle=arguments.until_idle)

    def told():
        names = ", ".join(f"{device.index}: {device.name}" for device in manager.devices) or "no device"
        print(f"tomo-jobs: serves {manager.folder} on {names}, {manager.places} at once", file=sys.stderr, flush=True)

    asyncio.run(serve(manager, told))
    return OK


def parameters_of(words):
    """Of NAME=VALUE, as a configuration has them."""
    reconstruction = new_reconstruction()
    for word in words:
        name, is_one, value = word.partition("=")
        if not is_one:
            raise Usage(f"'{word}' is no NAME=VALUE")
        try:
            call(reconstruction.set_parameter, name, value)
        except DescriptionError as e:
            raise Usage(str(e)) from None
    return json.loads(reconstruction.get_parameters())


def new_reconstruction():
    import gi
    gi.require_version("GstTomo", "1.0")
    from gi.repository import GstTomo
    return GstTomo.Reconstruction.new(None)


def call(function, *arguments):
    from gi.repository import GLib
    try:
        function(*arguments)
    except GLib.Error as e:
        raise DescriptionError(e.message) from None


def description_of(file, words):
    if file is None:
        return parameters_of(words)
    text = None
    try:
        if file == "-":
            text = sys.stdin.read()
        else:
            with open(file, encoding="utf-8") as opened:
                text = opened.read()
    except (OSError, UnicodeDecodeError) as e:
        raise DescriptionError(f"'{file}' can't be read: {e}") from None
    if text.lstrip().startswith("{"):
        try:
            description = json.loads(text)
        except (ValueError, RecursionError) as e:
            raise DescriptionError(f"'{file}' is no JSON: {e}") from None
    elif file == "-":
        raise DescriptionError("standard input is no JSON")
    else:
        reconstruction = new_reconstruction()
        call(reconstruction.load_configuration, file)
        description = json.loads(reconstruction.get_parameters())
    if words and "nodes" in description:
        raise Usage("NAME=VALUE is for configurations, and this is a dataflow")
    return {**description, **parameters_of(words)}


def order_of(arguments):
    names = "name", "priority", "devices", "memory", "session"
    order = {name: value for name in names if (value := getattr(arguments, name)) is not None}
    if order.get("devices") == ["none"]:
        order["devices"] = ()
    return order


def told_of(queue, job, arguments):
    """After a submission."""
    if arguments.json and not arguments.follow:
        print(json.dumps(job.as_dict(), indent=2))
    elif not arguments.follow:
        print(job.id)
    return tell_course(queue, job.id, arguments.json) if arguments.follow else OK


def submit(arguments):
    file = arguments.words[0] if "=" not in arguments.words[0] else None
    description = description_of(file, arguments.words[1:] if file is not None else arguments.words)
    with PlainQueue(arguments.queue) as queue:
        return told_of(queue, queue.submit(description, owner=arguments.owner, **order_of(arguments)), arguments)


def repeat(arguments):
    with PlainQueue(arguments.queue) as queue:
        if arguments.words and "nodes" in queue.get(arguments.id).description:
            raise Usage("NAME=VALUE is for configurations, and this is a dataflow")
        return told_of(queue, queue.repeat(arguments.id, description=parameters_of(arguments.words), **order_of(arguments)), arguments)


def list_jobs(arguments):
    with PlainQueue(arguments.queue) as queue:
        jobs = queue.list(arguments.state, arguments.owner, arguments.limit)
        if not arguments.state:  # those that are not over come first
            going = queue.list(OPEN, arguments.owner, arguments.limit)
            jobs = (going + [job for job in jobs if job.is_over])[:arguments.limit]
        counts = queue.counts()
    if arguments.json:
        print(json.dumps([job.as_dict() for job in jobs], indent=2))
        return OK
    print(_table.table(jobs))
    if sum(counts.values()) > len(jobs):
        print("in all: " + ", ".join(f"{number} {state}" for state, number in counts.items() if number))
    return OK


def show(arguments):
    with PlainQueue(arguments.queue) as queue:
        job = queue.get(arguments.id)
        log = {"log": queue.log(arguments.id)} if arguments.log else {}
    if arguments.json:
        print(json.dumps({**job.as_dict(), **log}, indent=2))
    elif log:
        print(log["log"], end="")
    else:
        print(_table.details(job))
    return OK


def follow(arguments):
    with PlainQueue(arguments.queue) as queue:
        return tell_course(queue, arguments.id, arguments.json)


def tell_course(queue, number, as_json):
    is_terminal = sys.stdout.isatty() and not as_json
    is_open = False  # a line that is written over
    for event in queue.follow(number):
        line = json.dumps(event) if as_json else _table.event_line(event)
        if not line:
            continue
        fleeting = is_terminal and event["event"] == "progress"
        print(("\r" if is_open and fleeting else "\n" if is_open else "") + (f"{line:{_table.WIDTH - 1}}" if fleeting else line),
              end="" if fleeting else "\n", flush=True)
        is_open = fleeting
    if is_open:
        print()
    job = queue.get(number)
    if not as_json and job.state is not State.DONE:
        print(f"job {number} is {job.state}" + (f": {_table.plain(job.error, _table.WHITE)}" if job.error else ""), file=sys.stderr)
    return OK if job.state is State.DONE else FAILED


def change(arguments):
    with PlainQueue(arguments.queue) as queue:
        getattr(queue, arguments.command)(arguments.id)
    return OK


def clean(arguments):
    if not arguments.ids and arguments.older is None and arguments.all_but is None:
        raise Usage("clean wants numbers of jobs, --older DAYS or --all-but N")
    with PlainQueue(arguments.queue) as queue:
        number = queue.clean(arguments.ids, arguments.older, arguments.all_but)
    print(f"{number} jobs are forgotten")
    return OK


def completions(words):
    """For shells: the commands, or the options of the one that is among the words."""
    reader = parser()
    commands = next(action.choices for action in reader._actions if isinstance(action, argparse._SubParsersAction))
    named = [commands[word] for word in words if word in commands]
    return [*(named[0] if named else reader)._option_string_actions, *([] if named else commands)]


def main(words=None):
    """Returns the status of the program."""
    words = sys.argv[1:] if words is None else words
    if words[:1] == ["--complete"]:
        print("\n".join(completions(words[1:])))
        return OK
    reader = parser()
    arguments, rest = reader.parse_known_args(words)  # ends the process with USAGE
    if any(word.startswith("-") or not hasattr(arguments, "words") for word in rest):
        reader.error(f"unknown: {' '.join(rest)}")
    if rest:  # NAME=VALUE behind options
        arguments.words += rest
    try:
        status = arguments.function(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # as by head: it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still to be flushed
        return OK
    except Usage as e:
        print(f"tomo-jobs: {_table.plain(str(e), _table.WHITE)}", file=sys.stderr)
        return USAGE
    except (Error, OSError, sqlite3.Error, UnicodeError) as e:  # the last: a name that is no UTF-8
        print(f"tomo-jobs: {_table.plain(str(e), _table.WHITE)}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return 130
