# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Manual pages and completion of all programs: complete, and taken by man and by the shells without a warning.

Arguments: the folder of the programs and of what is made for them; the list of installed files.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

FOLDER, BUILD = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]


def run(*command, **kwargs):
    return subprocess.run(command, text=True, capture_output=True, timeout=120, **kwargs)


def installed():
    """Places of files by their names in the build."""
    return json.loads(run("meson", "introspect", "--installed", BUILD).stdout)


def programs():
    return sorted({pathlib.Path(place).name for place in installed().values() if pathlib.Path(place).parent.name == "bin"})


class Manual(unittest.TestCase):
    def test_each_program_has_all(self):
        places = {"/".join(pathlib.Path(place).parts[-2:]) for place in installed().values()}
        self.assertIn("tomo-reconstruct", programs())
        for name in programs():
            for wanted in (f"man1/{name}.1", f"vendor_completions.d/{name}.fish", f"site-functions/_{name}"):
                self.assertIn(wanted, places)

    def test_pages_render(self):
        for name in programs():
            page = FOLDER / f"{name}.1"
            done = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", str(page), env={"MANWIDTH": "100", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)
            text = re.sub(".\b", "", done.stdout)
            for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"):
                self.assertRegex(text, rf"(?m)^{heading}$", name)
            self.assertRegex(text, rf"{name} +[-\u2010] +\w")

    def test_no_option_is_forgotten(self):
        described = json.loads(run(str(FOLDER / "tomo-reconstruct"), "--describe").stdout)
        page = (FOLDER / "tomo-reconstruct.1").read_text().replace("\\-", "-")
        for section in described["sections"]:
            for option in section["options"]:
                self.assertIn(f"\\fB{option['names'][-1]}\\fR", page)
        for name, words in {"tomo-jobs": ["--bytes-per-owner", "--all-but"], "tomo-web": ["--webhook-network", "--no-password"],
                            "tomo-launch": ["--max-memory"], "tomo-mkfilter": ["remove-spots"]}.items():
            page = (FOLDER / f"{name}.1").read_text().replace("\\-", "-")
            for word in words:
                self.assertIn(word, page)
        # Folders of the person who built it are not in it.
        self.assertIn("~/.local/state", (FOLDER / "tomo-web.1").read_text().replace("\\(ti", "~"))


class Desktop(unittest.TestCase):
    def test_data_for_menus_and_shops_of_software(self):
        files = {pathlib.Path(place).name: file for file, place in installed().items()}
        for command, name in (("desktop-file-validate", "org.gst_tomo.Gui.desktop"),
                              ("appstreamcli validate --no-net --explain", "org.gst_tomo.Gui.metainfo.xml")):
            done = run(*command.split(), files[name])
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertNotRegex(done.stdout, r"(?m)^[EW]:")


class Shells(unittest.TestCase):
    def test_bash(self):
        for words, expected in (("tomo-reconstruct --axis-meth", ["--axis-method"]), ("tomo-reconstruct --progress li", ["lines"]),
                                ("tomo-reconstruct --progress = j", ["json"]), ("tomo-reconstruct --progress =", ["bar", "lines", "json", "none"]),
                                ("tomo-reconstruct estim", ["estimate"]), ("tomo-query --prop", ["--properties"]),
                                ("tomo-web --access pass", ["passwords"]), ("tomo-gui --th", ["--theme"]), ("tomo-tango -no", ["-nodb"]),
                                ("tomo-runjson --overw", ["--overwrite"]), ("tomo-mkfilter --he", ["--help"])):
            function = "_" + words.split()[0].replace("-", "_")
            with tempfile.TemporaryDirectory() as empty:
                done = run("bash", "-uc", f'. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); {function}; echo "${{COMPREPLY[*]}}"',
                           str(FOLDER / "tomo.bash"), *words.split(), cwd=empty)
            self.assertEqual((done.stdout.split(), done.stderr), (expected, ""), words)

    def test_files_with_spaces(self):
        """Bash quotes them where it knows that they are files."""
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "my scan.nxs").touch()
            done = run("bash", "-uc", '. "$0"; compopt() { told=$*; }; COMP_WORDS=(tomo-reconstruct my) COMP_CWORD=1; _tomo_reconstruct; echo "$told: $COMPREPLY"',
                       str(FOLDER / "tomo.bash"), cwd=folder)
            self.assertEqual((done.stdout, done.stderr), ("-o filenames: my scan.nxs\n", ""))

    def test_zsh_and_fish(self):
        """Where these shells are, they read the files, and fish completes by them."""
        for name in programs():
            if shutil.which("zsh") and name != "tomo-launch":
                done = run("zsh", "-fn", str(FOLDER / f"_{name}"))
                self.assertEqual((done.returncode, done.stderr), (0, ""), name)
            if shutil.which("fish"):
                done = run("fish", "--no-execute", str(FOLDER / f"{name}.fish"))
                self.assertEqual((done.returncode, done.stderr), (0, ""), name)
        if shutil.which("fish"):
            done = run("fish", "--no-config", "-c", f"source {FOLDER}/tomo-web.fish; complete -C 'tomo-web --access pass'")
            self.assertEqual(done.stdout.split("\t")[0].strip(), "passwords", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
