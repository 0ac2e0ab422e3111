# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""schemathesis asks tomo-web whatever its OpenAPI description allows, and much that it does not."""

import os
import pathlib
import subprocess
import sys

from resulttest import add_job, random_volume, write_volume
from webtest import LONG, ServerTest, main

SCHEMATHESIS = pathlib.Path(os.environ["GST_TOMO_WEB_PYTHON"]).parents[2] / "schemathesis-python" / "bin" / "schemathesis"
SECONDS = int(os.environ.get("GST_TOMO_FUZZ_SECONDS", 120 if LONG else 18))
EXAMPLES = 8 if LONG else 2   # of each address, each phase
# What the description says of values counts; beyond it some that it can't tell are refused: places, settings, names of persons.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
# Nobody is logged out amid the test.
LEFT_OUT = r"/api/session(s|/password)?$"


class Fuzz(ServerTest):
    def test_everything(self):
        if not SCHEMATHESIS.exists():
            sys.exit(f"{SCHEMATHESIS} is missing: tools/setup --tests makes it")
        server = self.server("--requests-per-second", "1e6", "--logins-per-minute", "1e6", "--uploads", "scans")
        server.post("datasets", {"places": {"scan": "scans/savu24737.nxs"}})
        add_job(server, write_volume(server.results / "volume.h5", random_volume((4, 8, 8), "uint16")))
        words = [str(SCHEMATHESIS), "run", f"http://{server.host}:{server.port}/api/openapi.json", "--header", f"Authorization: Bearer {server.token}",
                 "--checks", CHECKS, "--max-examples", str(EXAMPLES), "--max-time", str(SECONDS), "--phases", "examples,coverage,fuzzing" if LONG else "fuzzing",
                 "--exclude-path-regex", LEFT_OUT, "--continue-on-failure", "--no-color", "--no-shrink", "--generation-database", "none",
                 "--seed", os.environ.get("GST_TOMO_TEST_SEED", "1"), "--request-timeout", "30", "--warnings", "off"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment |= {"PYTHONPATH": str(pathlib.Path(__file__).parent), "SCHEMATHESIS_HOOKS": "fuzz_hooks"}
        done = subprocess.run(words, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=SECONDS + 120)
        print(done.stdout[-1200:])
        self.assertEqual(done.returncode, 0, done.stdout[-20000:] + done.stderr[-3000:] + (self.folder / "server.log").read_text()[-5000:])
        self.assertNotIn("Exception in ASGI application", (self.folder / "server.log").read_text())
        self.assertIsNone(server.process.poll())


if __name__ == "__main__":
    main()
