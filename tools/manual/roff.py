# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Manual pages, in the macros man(7)."""

import os
import re
import time


def escaped(text):
    """Letters that troff would take for its own; a line never begins with a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")
    return re.sub(r"(?m)^\.", r"\\&.", text)


def paragraphs(text):
    """Lines that are farther in than the others stay as they are."""
    out = []
    for part in re.split(r"\n\s*\n", text.strip()):
        if part.startswith(" "):
            out.append(".PP\n.nf\n" + "\n".join(escaped(line) for line in part.splitlines()) + "\n.fi")
        else:
            out.append(".PP\n" + escaped(" ".join(part.split())))
    return "\n".join(out)


def in_short(about):
    """The first sentence of a text, as the name of a page has it."""
    sentence = re.split(r"(?<=[.:])\s", about.strip(), maxsplit=1)[0].rstrip(".:")
    return sentence[0].lower() + sentence[1:]


def entry(option):
    value = option["value"]
    separator = "=" if option["names"][-1].startswith("--") else " "
    names = ", ".join(rf"\fB{escaped(name)}\fR" if name.startswith("-") else rf"\fI{escaped(name)}\fR" for name in option["names"])
    shown = "|\\:".join(rf"\fB{escaped(choice)}\fR" for choice in option["choices"]) or rf"\fI{escaped(value)}\fR"
    return f".TP\n{names}{separator + shown if value else ''}\n{escaped(option['about'] or 'See the description.')}"


def page(program, version, others):
    name = program["name"]
    moment = int(os.environ["SOURCE_DATE_EPOCH"]) if os.environ.get("SOURCE_DATE_EPOCH") else None
    date = time.strftime("%Y-%m-%d", time.gmtime(moment)) if moment else ""
    lines = [f'.TH {escaped(name.upper())} 1 "{date}" "gst\\-tomo {version}" "gst\\-tomo"', ".ad l", ".SH NAME",
             f"{escaped(name)} \\- {escaped(in_short(program['about']))}", ".SH SYNOPSIS",
             rf"\fB{escaped(name)}\fR {escaped(program['usage'])}", ".SH DESCRIPTION", paragraphs(program["about"]).removeprefix(".PP\n")]
    if program["commands"]:
        lines += [".SH COMMANDS", *(f".TP\n\\fB{escaped(one['name'])}\\fR\n{escaped(one['about'])}" for one in program["commands"])]
    lines.append(".SH OPTIONS")
    for section in program["sections"]:
        if len(program["sections"]) > 1:
            lines.append(f".SS {escaped(section['title'])}")
        lines += map(entry, section["options"])
    lines += [".SH EXIT STATUS", ".TP\n0\nIt did all that was asked for.", ".TP\n1\nIt failed, and standard error tells why.",
              ".TP\n2\nThe command line is wrong.", ".SH SEE ALSO",
              ", ".join(rf"\fB{escaped(other)}\fR(1)" for other in others if other != name) + r", \fBgst\-inspect\-1.0\fR(1)"]
    return '.\\" Made by tools/manual/make-manual from what the program declares.\n' + "\n".join(lines) + "\n"
