# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Completion of options and of their choices for bash, zsh and fish. Words of dataflows and numbers of jobs come from the programs themselves."""

HEAD = "# Made by tools/manual/make-manual from what the program declares.\n"
OWN = ("tomo-jobs", "tomo-launch", "tomo-query")  # have functions of their own for bash: tools/completion


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def options_of(program, commands=False):
    """Of the program itself, or all with those of its commands."""
    titles = {command["name"] for command in program["commands"]} if not commands else set()
    for section in program["sections"]:
        if section["title"].partition(" ")[0] not in titles:
            yield from (option for option in section["options"] if option["names"][0].startswith("-"))


def bash(programs):
    lines = ["\n" + HEAD.rstrip()]
    for program in programs:
        words = [name + ("=" + " ".join(option["choices"]) if option["value"] else "")
                 for option in options_of(program, True) for name in option["names"]]
        words = list(dict.fromkeys(words + [command["name"] for command in program["commands"]]))
        variable = program["name"].replace("-", "_") + "_words"
        lines.append(f"_{variable}=({' '.join(map(quoted, words))})")
        if program["name"] not in OWN:
            function = f"_{program['name'].replace('-', '_')}"
            lines += [f"{function}() {{", f'    _tomo_options "${{_{variable}[@]}}"', "}", f"complete -o default -F {function} {program['name']}"]
    return "\n".join(lines) + "\n"


def bracketed(text):
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def in_short(text):
    """What a list has room for."""
    return text.split(". ")[0].split("; ")[0]


def zsh(program):
    name, specs = program["name"], []
    for option in options_of(program, True):
        for one in option["names"]:
            long = one.startswith("--")
            value = option["value"] and f":{bracketed(option['value'])}:" + (f"({' '.join(option['choices'])})" if option["choices"] else "_files")
            specs.append(quoted(f"*{one}{'=' if value and long else ''}[{bracketed(in_short(option['about']))}]{value}"))
    commands = [quoted(f"{one['name']}:{bracketed(in_short(one['about']))}") for one in program["commands"]]
    words = quoted("*: :_files")
    if commands:
        words = "'1: :->first' '*: :_files'"
    lines = [f"#compdef {name}", HEAD.rstrip(), "local state", "_arguments \\", *(f"    {spec} \\" for spec in dict.fromkeys(specs)), f"    {words}"]
    if commands:
        lines += ["if [[ $state == first ]]; then", f"    local -a commands=({' '.join(commands)})",
                  "    _describe command commands", "    _files", "fi"]
    return "\n".join(lines) + "\n"


def fish(program):
    name = program["name"]
    if name == "tomo-launch":
        dynamic = "(tomo-query --complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)"
        return HEAD + f"complete -c {name} -a {quoted(dynamic)}\n"
    lines = []
    for command in program["commands"]:
        lines.append(f"complete -c {name} -n __fish_use_subcommand -a {quoted(command['name'])} -d {quoted(in_short(command['about']))}")
    for option in options_of(program, True):
        names = [f"-l {one[2:]}" if one.startswith("--") else f"-s {one[1:]}" if len(one) == 2 else f"-o {one[1:]}" for one in option["names"]]
        value = f" -x -a {quoted(' '.join(option['choices']))}" if option["choices"] else " -r" if option["value"] else ""
        lines.append(f"complete -c {name} {' '.join(names)}{value} -d {quoted(in_short(option['about']))}")
    return HEAD + "\n".join(dict.fromkeys(lines)) + "\n"
