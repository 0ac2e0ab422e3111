# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What came out, as a table for people and as the page docs/compared-with-ufo.md."""
import collections
import textwrap

import compare
import lines

# kind: "same", "different", "fails" (UFO does) or "absent" (UFO has no such task or property)
Row = collections.namedtuple("Row", "task line kind result explanation", defaults=("",))

HEAD = """# Compared with UFO

Written by `tools/compare-with-ufo --markdown`, which runs the same lines with `ufo-launch` and with `tomo-launch` on the
same small random files and compares the files that they write. This is UFO as Debian 12 has it (ufo-core and ufo-filters
0.16) on the CPU (PoCL 3.1), where many of its tasks for images abort. Where a line names no source, it is in full
`read path=image.tif ! LINE ! write filename=out.tif`. Numbers are |a - b| / |b|, b UFO's; up to {rounding:g} two files
count as the same, which is the rounding of float32. What changes for users is in
[From UFO to gst-tomo](migrating-from-ufo.md).

| lines | outcome |
|---:|---|
| {same} | the same files |
| {explained} | different files, explained below |
| {unexplained} | different files, not explained |
| {fails} | UFO aborts, fails or hangs |
| {absent} | UFO 0.16 has no such task or property |
"""

WITHOUT = "Without a line: {}."


def _code(line):
    return f"`{line}`".replace("|", "\\|")


def _by_task(rows, heads, cell):
    """A table of tasks, their lines joined where the last column is the same."""
    groups = collections.OrderedDict()
    for row in rows:
        groups.setdefault((row.task, cell(row)), []).append(row.line)
    text = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    text += [f"| `{task}` | {'<br>'.join(map(_code, own))} | {last} |" for (task, last), own in groups.items()]
    return "\n".join(text)


def page(rows):
    kinds = {kind: [row for row in rows if row.kind == kind] for kind in ("same", "different", "fails", "absent")}
    explained = [row for row in kinds["different"] if row.explanation]

    head = HEAD.format(rounding=compare.ROUNDING, same=len(kinds["same"]), explained=len(explained),
                       unexplained=len(kinds["different"]) - len(explained), fails=len(kinds["fails"]),
                       absent=len(kinds["absent"]))
    different = ["| task | line | difference | explanation |", "|---|---|---|---|"]
    different += [f"| `{row.task}` | {_code(row.line)} | {row.result} | {row.explanation or '**none**'} |"
                  for row in kinds["different"]]
    shown = [f"`{task}` ({why})" for task, why in sorted(lines.WITHOUT_LINE.items()) if why != "not in UFO"]
    return "\n".join([
        head, "## Different, and why", "", *different, "", "## UFO gives no result", "",
        _by_task(kinds["fails"] + kinds["absent"], ("task", "lines", "what UFO does"), lambda row: row.result), "",
        "## The same files", "", _by_task(kinds["same"], ("task", "lines", "result"), lambda row: (
            row.result if row.result == "identical" else "the same but for rounding")), "",
        *textwrap.wrap(WITHOUT.format(", ".join(shown)), 120)])


def table(rows):
    columns = [("task", "line", "result", "explanation")]
    columns += [(row.task, row.line, row.result, row.explanation) for row in rows]
    widths = [max(len(row[i]) for row in columns) for i in range(3)]
    return "\n".join("  ".join([*(text.ljust(width) for text, width in zip(row, widths)), row[3]]).rstrip()
                     for row in columns)
