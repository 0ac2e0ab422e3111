# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""examples/languages: the framework's introduction in JavaScript, Lua and Ruby. Arguments: the interpreters that there
are, as NAME=PROGRAM."""

import os
import pathlib
import subprocess
import sys

from pipetest import *
import tomoref

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "languages"
INTERPRETERS = dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
sys.argv[1:] = [argument for argument in sys.argv[1:] if "=" not in argument]


class Languages(PipelineTestCase):
    def run_example(self, program, name, *arguments):
        return subprocess.run([program, str(EXAMPLES / name), *arguments], text=True, capture_output=True,
                              timeout=PATIENCE, stdin=subprocess.DEVNULL)

    def test_all(self):
        self.assertTrue(INTERPRETERS, "no interpreter was named")
        images = write_sinograms(shape=(24, 37), number=12)
        expected = [tomoref.rescale(i, 0.5) for i in images]
        write_rescaling_dataflow("dataflow.json")
        with open("broken.json", "w") as file:
            file.write('{"nodes": [\n{"plugin": "raed"}]}')
        for language, program in INTERPRETERS.items():
            for name, arguments in (("runjson", ("dataflow.json",)), ("rescale", ())):
                with self.subTest(language=language, name=name):
                    result = self.run_example(program, f"{name}.{language}", *arguments)
                    self.assertEqual(result.returncode, 0, result.stderr)
                    self.assert_close(read_dataset("output.h5", "raw"), expected, 1e-5)
                    os.unlink("output.h5")
                    if name == "rescale":
                        self.assertEqual(result.stdout.splitlines()[-1], "12 of 12")
            with self.subTest(language=language, name="error"):
                result = self.run_example(program, f"runjson.{language}", "broken.json")
                self.assertNotEqual(result.returncode, 0)
                self.assertIn("broken.json:2", result.stderr)
                self.assertIn("did you mean 'read'", result.stderr)


if __name__ == "__main__":
    main()
