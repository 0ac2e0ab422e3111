# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs what README.md, docs/*.md and examples/*.sh show, so that none of it goes stale.

Every fenced block marked `sh` runs with `bash -euo pipefail`, inside the environment of this test (meson devenv). The
blocks of one document run one after the other in one fresh folder with the files of tools/example-files.

A block marked `output` is what the block before it prints, line by line: `...` in a line stands for any text, a line of
nothing else for any lines. Every file that a line names by `filename=` has to be there afterwards, and not empty.

A block that is marked `sh no-run: REASON` is shown only; that is for installing and cloning, and is checked.
"""
import contextlib
import glob
import io
import os
import pathlib
import re
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

import numpy as np

import example_files

ROOT = pathlib.Path(__file__).resolve().parents[2]

SEED = int(os.environ.get("GST_TOMO_TEST_SEED", np.random.SeedSequence().entropy % 2**32))
SECONDS_PER_BLOCK = 240
NOT_RUN = re.compile(r"(sudo |apt-get |git clone |cd |meson setup |meson compile |meson install |meson devenv |tools/|gh )")


class Block:
    def __init__(self, document, line, info, text):
        self.name = f"{document}:{line}"
        self.text = text
        self.run = info == "sh"
        self.output = None  # what it prints, where the document says
        self.reason = info.partition("no-run:")[2].strip() if info.startswith("sh no-run") else ""


def blocks_of(document, text):
    """The fenced shell blocks of a Markdown text; raises ValueError for fences that would escape the test."""
    blocks, fence, start, info, lines = [], None, 0, "", []
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r"^ {0,3}(`{3,}|~{3,})\s*(.*?)\s*$", line)
        if fence is None and match:
            fence, start, info, lines = match[1], number, match[2], []
        elif fence is not None and match and match[1].startswith(fence) and not match[2]:
            block = Block(document, start, info, "\n".join(lines) + "\n")
            language = info.split()[0] if info else ""
            if language in ("bash", "shell", "console", "zsh", "shell-session"):
                raise ValueError(f"{block.name}: mark shell blocks `sh`, not `{language}`, so that they are run")
            if language == "sh":
                if not block.run and not block.reason:
                    raise ValueError(f"{block.name}: `{info}` is neither `sh` nor `sh no-run: REASON`")
                commands = [c for c in re.sub(r"\\\n", " ", block.text).splitlines() if c.strip() and c[0] != "#"]
                if not block.run and not all(NOT_RUN.match(c) for c in commands):
                    raise ValueError(f"{block.name}: only commands that install, clone or build may be left out")
                blocks.append(block)
            elif language == "output":
                if not blocks or not blocks[-1].run or blocks[-1].output is not None:
                    raise ValueError(f"{block.name}: no `sh` block before it whose output it could be")
                blocks[-1].output = block.text
            fence = None
        elif fence is not None:
            lines.append(line)
    if fence is not None:
        raise ValueError(f"{document}:{start}: the block has no end")
    return blocks


def run(command, folder):
    """Runs it to its end or the limit, with all its children; returns (exit status, output)."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   start_new_session=True)
        try:
            status = process.wait(timeout=SECONDS_PER_BLOCK)
        except subprocess.TimeoutExpired:
            status = f"none after {SECONDS_PER_BLOCK} s"
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # whatever it left in the background
        process.wait()
        output.seek(0)
        return status, output.read().decode(errors="replace")


def printed(output, expected):
    """Where the lines differ from what is expected, or None."""
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", output)
    lines = [line.rsplit("\r", 1)[-1].rstrip() for line in plain.rstrip("\r\n").split("\n")]
    at, anywhere = 0, False
    for wanted in expected.splitlines():
        if wanted.strip() == "...":
            anywhere = True
            continue
        pattern = re.compile(".*".join(map(re.escape, wanted.rstrip().split("..."))))
        found = next((i for i in range(at, len(lines) if anywhere else min(at + 1, len(lines))) if pattern.fullmatch(lines[i])), None)
        if found is None:
            return f"wanted '{wanted}' {'somewhere behind' if anywhere else 'as'} line {at + 1} of"
        at, anywhere = found + 1, False
    return None if anywhere or at == len(lines) else f"wanted nothing behind line {at} of"


def named_files(text):
    """The files that the lines of a block write, as patterns."""
    names = re.findall(r"""\bfilename=["']?([^\s"':(]+)""", text)
    return [re.sub(r"%\d*[id]|\$\w+", "*", name) for name in names]


def anchors(text):
    """Of the headings of a Markdown text, as GitHub makes them."""
    text = re.sub(r"(?ms)^ {0,3}(```|~~~).*?^ {0,3}\1", "", text)
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"(?m)^#+ (.+?)\s*$", text)]


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        made = tempfile.TemporaryDirectory(prefix="gst-tomo-")
        cls.addClassCleanup(made.cleanup)
        cls.files = made.name
        example_files.make(made.name, SEED)

    def check(self, name, command, folder, expected=None, files=()):
        status, output = run(command, folder)
        print(f"{name}: {'ok' if status == 0 else f'status {status}'}", flush=True)
        if status != 0:
            self.fail(f"{name}: status {status}\n{output}")
        partial = [str(p.relative_to(folder)) for p in folder.rglob("*.partial")]
        if partial:
            self.fail(f"{name}: left {', '.join(partial)}")
        if complaint := re.search(r"-(CRITICAL|WARNING) \*\*|Traceback \(most recent", output):
            self.fail(f"{name}: '{complaint[0]}' in the output\n{output}")
        for file in files:
            if not any(os.path.getsize(f) for f in glob.glob(str(folder / file))):
                self.fail(f"{name}: {file} is not there, or empty\n{output}")
        if expected is not None and (difference := printed(output, expected)):
            self.fail(f"{name}: {difference}\n{output}")

    def test_documents(self):
        documents = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
        ran = {}
        for document in documents:
            name = str(document.relative_to(ROOT))
            blocks = blocks_of(name, document.read_text(encoding="utf-8"))
            ran[name] = sum(block.run for block in blocks)
            if not ran[name]:
                continue
            with tempfile.TemporaryDirectory() as scratch:
                folder = pathlib.Path(scratch)
                shutil.copytree(self.files, folder, symlinks=True, dirs_exist_ok=True)
                for block in filter(lambda b: b.run, blocks):
                    with self.subTest(block=block.name):
                        self.check(block.name, ["bash", "-euo", "pipefail", "-c", block.text], folder, block.output,
                                   named_files(block.text))
        for name in ("README.md", "docs/guide.md"):
            self.assertGreater(ran.get(name, 0), 0, f"{name} shows nothing that runs")

    def test_examples(self):
        examples = sorted((ROOT / "examples").glob("*.sh"))
        self.assertTrue(examples)
        for example in examples:
            with self.subTest(example=example.name), tempfile.TemporaryDirectory() as scratch:
                folder = pathlib.Path(scratch)
                self.check(f"examples/{example.name}", [str(example), "with spaces in it"], folder)
                self.assertTrue(any(p.is_file() and p.stat().st_size for p in folder.rglob("*")), "wrote nothing")

    def test_tools(self):
        """A shell works where one is, and runs commands; the files are made once."""
        with tempfile.TemporaryDirectory() as scratch:
            shell, files = str(ROOT / "tools" / "shell"), str(ROOT / "tools" / "example-files")
            if (ROOT / "build" / "build.ninja").exists():
                self.assertEqual(run([shell, "pwd"], scratch), (0, os.path.realpath(scratch) + "\n"))
                self.assertEqual(run([shell, "sh", "-c", "exit 3"], scratch)[0], 3)
                # The command is the process itself, so that Ctrl-C reaches nothing else.
                self.assertEqual(run([shell, "sh", "-c", "ps -o ppid= $$"], scratch)[1].strip(), str(os.getpid()))
            self.assertEqual(run([files, "try"], scratch)[0], 0)
            self.assertEqual(sorted(os.listdir(f"{scratch}/try")), sorted(os.listdir(self.files)))
            for name in os.listdir(self.files):
                self.assertIn(name, example_files.__doc__, f"tools/example-files --help does not tell of {name}")
            status, output = run([files, "try"], scratch)
            self.assertEqual((status, "not empty" in output), (1, True))

    def test_links(self):
        """Of files, and of headings in them."""
        for document in [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md")), ROOT / "examples/data/README.md"]:
            for target, heading in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", document.read_text(encoding="utf-8")):
                if re.match(r"[a-z]+:", target):
                    continue
                file = document.parent / target if target else document
                self.assertTrue(file.exists(), f"{document.name} links to {target}: no file")
                if heading and file.suffix == ".md":
                    self.assertIn(heading, anchors(file.read_text(encoding="utf-8")), f"{document.name} links to {target}#{heading}: no heading")


class Reference(unittest.TestCase):
    def test_build_without_an_element(self):
        """Like tomostamp, which takes Pango: its section is no complaint, and is not lost."""
        names = runpy.run_path(str(ROOT / "docs" / "make-reference"), run_name="make_reference")["main"].__globals__
        everything = names["elements"]
        names["elements"] = lambda: {task: factory for task, factory in everything().items() if task != "rotate"}
        with unittest.mock.patch("sys.argv", ["make-reference", "--check"]):
            names["main"]()
        with unittest.mock.patch("sys.argv", ["make-reference"]), self.assertRaisesRegex(SystemExit, "tomorotate"):
            names["main"]()


class TheTestItself(unittest.TestCase):
    """A runner that could not fail would prove nothing."""

    def test_blocks_are_found(self):
        text = "a\n```sh\nfalse | true\n```\n```\nnot shell\n```\n~~~sh no-run: installs\nsudo apt-get install x\n~~~\n"
        first, second = blocks_of("t", text)
        self.assertEqual((first.name, first.run, first.text), ("t:2", True, "false | true\n"))
        self.assertEqual((second.name, second.run, second.reason), ("t:8", False, "installs"))

    def test_outputs_are_found(self):
        (block,) = blocks_of("t", "```sh\nls\n```\n\n```output\na\n...\n```\n")
        self.assertEqual(block.output, "a\n...\n")
        for text in ("```output\na\n```\n", "```sh no-run: x\ncd x\n```\n```output\na\n```\n",
                     "```sh\nls\n```\n```output\na\n```\n```output\nb\n```\n"):
            with self.assertRaises(ValueError, msg=text):
                blocks_of("t", text)

    def test_outputs_are_compared(self):
        output = "Setting up\n\x1b[32maxis\x1b[0m 131.02 of 256\n10 %\r90 %\rdone\n"
        for expected in ("Setting up\naxis 131.02 of 256\ndone\n", "...\naxis 13... of 256\n...\n", "...\ndone\n"):
            self.assertIsNone(printed(output, expected), expected)
        for expected in ("Setting up\n", "axis 131.02 of 256\ndone\n", "...\naxis 132... of 256\n...\n", "...\ndone\n...\ndone\n",
                         "...\ndone\nmore\n", "Setting up\n...\naxis 131\n...\n"):
            self.assertIsNotNone(printed(output, expected), expected)

    def test_files_are_looked_for(self):
        text = "x filename=a.h5:/b ! filename='c-%05i.tif' $first filename=d-$first.tif\nWrite(filename=\"e.h5:/raw\")\n"
        self.assertEqual(named_files(text), ["a.h5", "c-*.tif", "d-*.tif", "e.h5"])
        with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(io.StringIO()):
            for command, files in (("true", ["x.tif"]), ("touch x.tif", ["x.tif"])):
                with self.assertRaisesRegex(AssertionError, "x.tif is not there, or empty"):
                    self.check("t", ["bash", "-c", command], pathlib.Path(scratch), files=files)
            with self.assertRaisesRegex(AssertionError, "CRITICAL"):
                self.check("t", ["bash", "-c", "echo '(x): GLib-GObject-CRITICAL **: y'"], pathlib.Path(scratch))

    def test_headings_are_found(self):
        self.assertEqual(anchors("# A `b-c`, d\n```sh\n# none\n```\n## Two  \n"), ["a-b-c-d", "two"])

    def test_escapes_are_refused(self):
        for text in ("```bash\ntrue\n```\n", "```sh no-run\ncd x\n```\n", "```sh no-run: x\ngst-launch-1.0 a\n```\n",
                     "```sh\ntrue\n", "```sh norun: x\ntrue\n```\n"):
            with self.assertRaises(ValueError, msg=text):
                blocks_of("t", text)

    def test_failures_are_seen(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            for text in ("false\ntrue\n", "false | true\n", "echo $not_set_anywhere\n", "no-such-command\n"):
                self.assertNotEqual(run(["bash", "-euo", "pipefail", "-c", text], folder)[0], 0, text)
            (folder / "x.partial").touch()
            with contextlib.redirect_stdout(io.StringIO()), self.assertRaises(AssertionError):
                self.check("leaves a partial file", ["true"], folder)

    check = Documents.check


if __name__ == "__main__":
    print(f"seed {SEED} (set GST_TOMO_TEST_SEED to repeat)")
    unittest.main()
