# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs what README.md, docs/*.md and examples/*.sh show, so that none of it goes stale.

Every fenced block marked `sh` runs with `bash -euo pipefail`, inside the environment of this test (meson devenv). The
blocks of one document run one after the other in one fresh folder, which holds small inputs:

    folder/sino-00.tif ... sino-04.tif   sinograms, float32, 64 columns x 48 angles over 180 degrees, axis 32.0
    radios/, darks/, flats/              projections of a scan, uint16, 64 columns x 5 rows, 48, 3 and 3 images
    examples/                            the repository's folder

A block that is marked `sh no-run: REASON` is shown only; that is for installing and cloning, and is checked.
"""
import contextlib
import io
import os
import pathlib
import re
import runpy
import signal
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

import numpy as np
import tifffile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "reference"))
import tomoref

SEED = int(os.environ.get("GST_TOMO_TEST_SEED", np.random.SeedSequence().entropy % 2**32))
SECONDS_PER_BLOCK = 240
NOT_RUN = re.compile(r"(sudo |apt-get |git clone |cd |meson setup |meson compile |meson install |meson devenv |tools/|gh )")


class Block:
    def __init__(self, document, line, info, text):
        self.name = f"{document}:{line}"
        self.text = text
        self.run = info == "sh"
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


def prepare(folder):
    """Writes the small inputs: a head and its scan, with noise."""
    rng = np.random.default_rng(SEED)
    width, views, rows, axis = 64, 48, 5, 32.0
    head = tomoref.shepp_logan(28.0, 0.02)
    sinogram = tomoref.line_integrals(head, tomoref.angles_of_scan(views), width, axis)
    for name in ("folder", "radios", "darks", "flats"):
        (folder / name).mkdir()
    for i in range(rows):
        noisy = sinogram * (1 + 0.1 * i) + 0.01 * rng.standard_normal(sinogram.shape)
        tifffile.imwrite(folder / "folder" / f"sino-{i:02}.tif", noisy.astype(np.float32))
    counts = 100 + 40000 * np.exp(-np.repeat(sinogram[:, None, :], rows, axis=1))
    for name, images in (("radios", counts), ("darks", np.full((3, rows, width), 100)),
                         ("flats", np.full((3, rows, width), 40100))):
        for i, image in enumerate(images):
            tifffile.imwrite(folder / name / f"{name}-{i:04}.tif", rng.poisson(image).astype(np.uint16))
    (folder / "examples").symlink_to(ROOT / "examples")


class Documents(unittest.TestCase):
    def check(self, name, command, folder):
        status, output = run(command, folder)
        print(f"{name}: {'ok' if status == 0 else f'status {status}'}", flush=True)
        if status != 0:
            self.fail(f"{name}: status {status}\n{output}")
        partial = [str(p.relative_to(folder)) for p in folder.rglob("*.partial")]
        if partial:
            self.fail(f"{name}: left {', '.join(partial)}")

    def test_documents(self):
        documents = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
        ran = {}
        for document in documents:
            name = str(document.relative_to(ROOT))
            blocks = blocks_of(name, document.read_text(encoding="utf-8"))
            ran[name] = sum(block.run for block in blocks)
            with tempfile.TemporaryDirectory() as scratch:
                folder = pathlib.Path(scratch)
                prepare(folder)
                for block in filter(lambda b: b.run, blocks):
                    with self.subTest(block=block.name):
                        self.check(block.name, ["bash", "-euo", "pipefail", "-c", block.text], folder)
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

    def test_links(self):
        for document in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "examples/data/README.md"]:
            for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8")):
                if not re.match(r"[a-z]+:", target):
                    self.assertTrue((document.parent / target).exists(), f"{document.name} links to {target}: no file")


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
