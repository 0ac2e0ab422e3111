# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""examples/languages: the framework's introduction in all languages that it is there for. Arguments: the interpreters and compilers
that there are, as NAME=PROGRAM."""

import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

from pipetest import *
import tomoref

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "languages"
PROGRAMS = dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
sys.argv[1:] = [argument for argument in sys.argv[1:] if "=" not in argument]



def flags():
    """Of compiler and linker, from the pkg-config file of the build."""
    told = subprocess.run(["pkg-config", "--cflags", "--libs", "gsttomo-1.0"], check=True, capture_output=True, text=True).stdout
    return shlex.split(told)


# How each compiler makes OUTPUT of a source.
COMPILERS = {
    "c": lambda program, source, output: [program, "-Wall", "-Wextra", "-Werror", source, "-o", output, *flags()],
    "vala": lambda program, source, output: [program, "--vapidir", os.environ["GST_TOMO_VAPI"], "--pkg", "gstreamer-base-1.0", "--pkg", "gsttomo-1.0", source, "-o", output,
                                             *(word for flag in flags() for word in ("-X", flag)), "-X", "-w"],
    "hs": lambda program, source, output: [program, "-v0", "-outputdir", f"{output}-objects", source, "-o", output,
                                           *(flag for flag in flags() if flag[:2] in ("-L", "-l"))],
    "rs": lambda program, source, output: [program, "-D", "warnings", source, "-o", output, *(flag for flag in flags() if flag[:2] in ("-L", "-l"))],
    "go": lambda program, source, output: [program, "build", "-o", output, source],
}


class Languages(PipelineTestCase):
    def command(self, language, program, name):
        """What starts an example, which is compiled before where the language wants it."""
        source = str(EXAMPLES / f"{name}.{language}")
        if language not in COMPILERS:
            return [program, source]
        folder = tempfile.TemporaryDirectory(prefix="gst-tomo-languages-")
        self.addCleanup(folder.cleanup)
        output = f"{folder.name}/{name}"
        made = subprocess.run(COMPILERS[language](program, source, output), text=True, capture_output=True, timeout=PATIENCE * 5,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(made.returncode, 0, made.stderr)
        return [output]

    def run_example(self, command, *arguments):
        return subprocess.run([*command, *arguments], text=True, capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)

    def test_all(self):
        self.assertTrue(PROGRAMS, "no interpreter was named")
        images = write_sinograms(shape=(24, 37), number=12)
        expected = [tomoref.rescale(i, 0.5) for i in images]
        write_rescaling_dataflow("dataflow.json")
        os.symlink("folder", "sinograms")
        with open("broken.json", "w") as file:
            file.write('{"nodes": [\n{"plugin": "raed"}]}')
        for language, program in PROGRAMS.items():
            commands = {name: self.command(language, program, name) for name in ("runjson", "rescale")}
            for name, arguments in (("runjson", ("dataflow.json",)), ("rescale", ())):
                with self.subTest(language=language, name=name):
                    result = self.run_example(commands[name], *arguments)
                    self.assertEqual(result.returncode, 0, result.stderr)
                    self.assert_close(read_dataset("output.h5", "raw"), expected, 1e-5)
                    os.unlink("output.h5")
                    if name == "rescale":
                        self.assertEqual(result.stdout.splitlines()[-1], "12 of 12")
            with self.subTest(language=language, name="error"):
                result = self.run_example(commands["runjson"], "broken.json")
                self.assertNotEqual(result.returncode, 0)
                self.assertIn("broken.json:2", result.stderr)
                self.assertIn("did you mean 'read'", result.stderr)
            with self.subTest(language=language, name="no file"):
                result = self.run_example(commands["runjson"])
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertRegex(result.stderr, r"\Ausage: .*runjson.* FILE\n\Z")


if __name__ == "__main__":
    main()
