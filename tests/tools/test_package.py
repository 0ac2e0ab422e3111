# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lists of packages: each installed file is in one of them, and nothing else is. `tools/package --test` builds and tries them.

Argument: the build folder.
"""

import fnmatch
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEBIAN = ROOT / "tools" / "packaging" / "debian"
BUILD = sys.argv[1]
FOR_TESTS = ("tests", "haskell")  # options of which nothing is installed

sys.path.insert(0, str(ROOT / "tools" / "packaging"))

import debian  # noqa: E402
import portable  # noqa: E402
import support  # noqa: E402


def introspected(what):
    return json.loads(subprocess.run(["meson", "introspect", what, BUILD], text=True, capture_output=True, check=True).stdout)


def installed():
    """Paths below the prefix, as packages have them; of a folder, its own."""
    prefix = next(option["value"] for option in introspected("--buildoptions") if option["name"] == "prefix")
    places = {"usr" + place.removeprefix(prefix) for place in introspected("--installed").values()}
    programs = {pathlib.PurePath(place).name for place in places if place.startswith("usr/bin/")}
    return places | {f"usr/share/bash-completion/completions/{program}" for program in programs}


def lists():
    return {path.stem: [line.split()[0] for line in path.read_text().splitlines()] for path in DEBIAN.glob("*.install")}


def covers(pattern, place):
    """As dh_install does: a folder has all that is in it."""
    wanted, parts = pattern.split("/"), place.split("/")
    return len(parts) >= len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))


class Packages(unittest.TestCase):
    def test_each_file_is_in_one_package(self):
        found = installed()
        self.assertGreater(len(found), 100)
        for place in sorted(found):
            packages = [name for name, patterns in lists().items() if any(covers(pattern, place) for pattern in patterns)]
            self.assertEqual(len(packages), 1, f"{place} is in {packages or 'none'} of tools/packaging/debian/*.install")

    def test_no_line_is_left_over(self):
        found = installed()
        for name, patterns in lists().items():
            for pattern in patterns:
                self.assertTrue(any(covers(pattern, place) for place in found), f"{name}.install: nothing is installed as {pattern}")

    def test_patterns(self):
        self.assertTrue(covers("usr/lib/*/girepository-1.0", "usr/lib/x86_64-linux-gnu/girepository-1.0/GstTomo-1.0.typelib"))
        self.assertFalse(covers("usr/bin/tomo-web", "usr/bin/tomo-webs"))
        self.assertFalse(covers("usr/lib/*/gst", "usr/lib/gst"))

    def test_control(self):
        text = (DEBIAN / "control").read_text()
        packages = re.findall(r"(?m)^Package: (\S+)$", text)
        self.assertEqual(sorted(packages), sorted(lists()))
        for line in text.splitlines():
            self.assertLess(len(line), 110)
        for name in re.findall(r"(?m)\b(libgsttomo-[\w.-]+|tomo-\w+|python3-gsttomo|gstreamer1.0-tomo) \(", text):
            self.assertIn(name, packages)


    def test_packages_have_all(self):
        """Packages ask for each part that a build may leave out."""
        rules = (DEBIAN / "rules").read_text()
        for name in re.findall(r"option\('(\w+)', type: 'feature'", (ROOT / "meson_options.txt").read_text()):
            self.assertIn(f"-D{name}={'disabled' if name in FOR_TESTS else 'enabled'}", rules)


class Changelog(unittest.TestCase):
    def test_of_news(self):
        release = support.Release(ROOT)
        text = debian.changelog(release, 1_800_000_000, "abc1234")
        heading = text.splitlines()[0]
        self.assertRegex(heading, r"^gst-tomo \(\S+-1\) bookworm; urgency=medium$")
        self.assertIn(release.version, heading)
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(text)
            file.flush()
            told = subprocess.run(["dpkg-parsechangelog", "-l", file.name, "-S", "Version"], text=True, capture_output=True, check=True)
        self.assertEqual((told.stdout.strip(), told.stderr), (debian.version_of(release, 1_800_000_000, "abc1234"), ""))

    def test_versions_grow(self):
        """A commit is newer than those before it, and older than the release that it leads to."""
        release = support.Release(ROOT)
        release.all[0] = (release.version, "not yet released", "First.")
        versions = [debian.version_of(release, 1_800_000_000, "fff"), debian.version_of(release, 1_800_000_600, "aaa")]
        release.all[0] = (release.version, "2027-02-01", "First.")
        versions.append(debian.version_of(release, 1_800_001_000, "bbb"))
        self.assertEqual(versions[-1], f"{release.version}-1")
        for older, newer in zip(versions, versions[1:]):
            subprocess.run(["dpkg", "--compare-versions", older, "lt", newer], check=True)

    def test_two_versions_are_refused(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            (folder / "meson.build").write_text("project('x', version: '2.0')")
            (folder / "NEWS").write_text("gst-tomo 1.0 (2027-01-01)\n====\nFirst.\n")
            with self.assertRaisesRegex(support.Failure, "2.0"):
                support.Release(folder)


class Tools(unittest.TestCase):
    def test_missing_ones_are_told_at_once(self):
        with tempfile.TemporaryDirectory() as scratch, unittest.mock.patch.dict(os.environ, PATH=scratch):
            with self.assertRaisesRegex(support.Failure, "lintian are not installed: apt-get install dpkg-dev lintian$"):
                debian.make(ROOT, pathlib.Path(scratch), None, 1)
            self.assertEqual(os.listdir(scratch), [])


class Sources(unittest.TestCase):
    def test_inside_of_another_repository(self):
        """An archive that was unpacked there is none of its files, also where that ignores it."""
        with tempfile.TemporaryDirectory() as scratch:
            other = pathlib.Path(scratch) / "other"
            root = other / "build" / "gst-tomo"
            root.mkdir(parents=True)
            (root / "NEWS").write_text("gst-tomo")
            (other / ".gitignore").write_text("/build/\n")
            for words in (["init", "-q"], ["add", ".gitignore"], ["-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "First"]):
                subprocess.run(["git", "-C", str(other), *words], check=True)
            support.copy_sources(root, pathlib.Path(scratch) / "copy")
            self.assertEqual(os.listdir(pathlib.Path(scratch) / "copy"), ["NEWS"])
            self.assertEqual(support.commit_of(root)[1], "")
            (root / ".git").write_text("broken")
            with self.assertRaisesRegex(support.Failure, "git log ended with status"):
                support.commit_of(root)


class Archive(unittest.TestCase):
    def test_everybody_may_read_it(self):
        """Also where it was made under a strict umask, and root unpacks it."""
        with tempfile.TemporaryDirectory() as scratch, unittest.mock.patch("shutil.copy2", lambda _, folder: pathlib.Path(folder).write_text("free")):
            work = pathlib.Path(scratch)
            before = os.umask(0o077)
            try:
                (work / "name" / "fftw").mkdir(parents=True)
                (work / "name" / "README").write_text("Read me.")
                made = portable.archives(work, "name", work, 0)
            finally:
                os.umask(before)
            for archive in made:
                with tarfile.open(archive) as packed:
                    for member in packed:
                        self.assertEqual(member.mode & 0o777, 0o755 if member.isdir() else 0o644, member.name)

    def test_no_cache_of_somebody_else(self):
        """Whoever comes first to a name in /tmp may have put plugins behind it."""
        with tempfile.TemporaryDirectory() as scratch:
            root = pathlib.Path(scratch).resolve()
            for folder in ("bin", "libexec", "foreign"):
                (root / folder).mkdir()
            shutil.copy(ROOT / "tools" / "packaging" / "portable_files" / "run", root / "bin" / "tomo-env")
            shutil.copy("/usr/bin/env", root / "libexec" / "tomo-env")

            def place():
                done = subprocess.run([root / "bin" / "tomo-env"], env={"TMPDIR": scratch}, text=True, capture_output=True, check=True)
                return pathlib.Path(dict(line.split("=", 1) for line in done.stdout.splitlines())["XDG_CACHE_HOME"])

            usual = root / f"gst-tomo-{os.getuid()}"
            self.assertEqual(place(), usual)
            self.assertEqual(usual.stat().st_mode & 0o777, 0o700)
            shutil.rmtree(usual)
            usual.symlink_to("foreign")
            self.assertNotEqual(place(), usual)
            self.assertEqual(os.listdir(root / "foreign"), [])

    def test_scripts_are_sound(self):
        folder = ROOT / "tools" / "packaging" / "portable_files"
        for name in ("run", "linker"):
            subprocess.run(["sh", "-n", str(folder / name)], check=True)

    def test_programs_find_their_folder(self):
        """From a folder with a space in its name, by a link, in an empty environment; `env` stands for a program."""
        with tempfile.TemporaryDirectory(prefix="gst tomo ") as scratch:
            root = pathlib.Path(scratch).resolve()
            for folder in ("bin", "libexec"):
                (root / folder).mkdir()
            shutil.copy(ROOT / "tools" / "packaging" / "portable_files" / "run", root / "bin" / "tomo-env")
            shutil.copy("/usr/bin/env", root / "libexec" / "tomo-env")
            (root / "link").symlink_to("bin/tomo-env")
            done = subprocess.run([root / "link"], env={"GST_TOMO_OPENCL": "bundled", "HOME": scratch}, text=True, capture_output=True, check=True)
            found = dict(line.split("=", 1) for line in done.stdout.splitlines())
            libraries = f"{root}/lib/x86_64-linux-gnu"
            for name, wanted in {"GST_PLUGIN_SYSTEM_PATH_1_0": f"{libraries}/gstreamer-1.0", "GI_TYPELIB_PATH": f"{libraries}/girepository-1.0",
                                 "GST_TOMO_FFT_MODULE_PATH": f"{libraries}/gst-tomo", "OCL_ICD_VENDORS": f"{root}/etc/OpenCL/pocl.icd",
                                 "GST_PLUGIN_SCANNER_1_0": f"{root}/libexec/path/gst-plugin-scanner"}.items():
                self.assertEqual(found[name], wanted)
            self.assertTrue(found["PATH"].startswith(f"{root}/bin:{root}/libexec/path:"))
            self.assertNotIn("LD_LIBRARY_PATH", found)
            done = subprocess.run([root / "bin" / "tomo-env", "printf", "%s|", "a b", ""], env={}, text=True, capture_output=True, check=True)
            self.assertEqual((done.stdout, done.stderr), ("a b||", ""))
            done = subprocess.run([root / "bin" / "tomo-env", "false"], env={}, check=False)
            self.assertEqual(done.returncode, 1)

    def test_modules_with_what_they_depend_on(self):
        modules = portable.needed_modules(["python3-h5py"])
        self.assertIn("python3-numpy", modules)
        self.assertEqual(portable.needed_modules(["python3-no-such-module"]), [])
        with unittest.mock.patch.object(portable, "NEEDED", ["bash", "python3-no-such-module"]), tempfile.TemporaryDirectory() as scratch:
            with self.assertRaisesRegex(support.Failure, "apt-get install --no-install-recommends python3-no-such-module$"):
                portable.make(ROOT, pathlib.Path(scratch), None, 1)

    def test_a_build_elsewhere_is_refused(self):
        with self.assertRaisesRegex(support.Failure, "no build folder"):
            support.checked_build(ROOT / "docs")
        if next(option["value"] for option in introspected("--buildoptions") if option["name"] == "prefix") != "/usr":
            with self.assertRaisesRegex(support.Failure, "--prefix=/usr"):
                support.checked_build(pathlib.Path(BUILD))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
