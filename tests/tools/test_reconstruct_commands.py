# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct --progress json, driven by commands; each line by its schema."""

import contextlib
import re
import threading
import time

from drivertest import Driver
from phantom_scan import AXIS, ROWS, WIDTH, Scan
from pipetest import *
from test_reconstruct import ReconstructTestCase, volume

class Commands(ReconstructTestCase):
    def large_scan(self, times=60):
        scan = Scan().repeated(times, 4)
        scan.nxtomo("scan.nxs")
        return times * ROWS

    def test_a_driven_run(self):
        rows = self.large_scan()
        with Driver(self, "scan.nxs", "--axis", 180, "--output", "slices.h5", env=slow_kernels(10000)) as driver:
            driver.tell({"command": "pause"})
            driver.tell({"command": "preview"})
            # The middle one comes in the pause; no other image does.
            preview = driver.until("preview")
            self.assertEqual((preview["slice"], preview["shape"], preview["format"], preview["path"]),
                             (rows // 2, [4 * WIDTH, 4 * WIDTH], "float32", "slices.h5.preview.npy"))
            middle = np.load(preview["path"])
            if not any(event["event"] == "state" for event in driver.events):
                driver.until("state")
            self.assertEqual([e["state"] for e in driver.events if e["event"] == "state"], ["paused"])
            time.sleep(1)
            for line, words in (("no JSON", "command"), ('["abort"]', "wanted an object"), ('{"command": "abbort"}', "did you mean 'abort'"),
                                ('{"command": "run", "description": {}}', "another one"), ('{"command": "pause", "path": "x"}', "pause has no 'path'"),
                                ('{"command": "preview", "path": 3}', "name of a file"), ("x" * 100000, "command"), ("{}", "no name")):
                driver.tell(line)
                self.assertIn(words, driver.until("message", lambda e: e["level"] == "error")["text"])
            told = [e["done"] for e in driver.events if e["event"] == "progress"]
            self.assertLess(max(told, default=0), rows)
            driver.tell({"command": "resume"})
            driver.until("state")
            driver.until("progress", lambda e: e["done"] > max(told, default=0))
            self.assertTrue(all(e.get("rate", 1) > 0 for e in driver.events), driver.events)
            driver.tell({"command": "preview", "path": "later.npy"})
            driver.tell({"command": "preview", "path": "missing/later.npy"})
            self.assertEqual(driver.until("preview")["path"], "later.npy")
            later = driver.events[-1]["slice"]
            driver.until("message", lambda e: e["level"] == "error" and "preview was not written" in e["text"])
            driver.process.stdin.close()  # which is no abort
            done, status = driver.end()
        self.assertEqual((done["status"], status), ("done", 0))
        slices = volume()
        self.assertEqual(len(slices), rows)
        np.testing.assert_allclose(middle, slices[rows // 2], atol=3e-6 * np.abs(slices).max())
        np.testing.assert_array_equal(np.load("later.npy"), slices[later])
        # A pause is no time that the run took.
        paused, resumed = (e["time"] for e in driver.events if e["event"] == "state")
        with open("slices.h5.html", encoding="utf-8") as file:
            seconds = float(re.search(r"([\d.]+) s\D*?in all", file.read()).group(1))
        self.assertGreater(resumed - paused, 1)
        self.assertLess(seconds, driver.events[-1]["time"] - driver.events[0]["time"] - 0.9 * (resumed - paused))

    def test_noise_from_before_the_begin_to_behind_the_end(self):
        """hello is first and done is last, whenever lines come that are no commands."""
        Scan().nxtomo("scan.nxs")
        with Driver(self, "scan.nxs", "--axis", AXIS, "--output", "slices.h5") as driver:
            def make_noise():
                with contextlib.suppress(OSError, ValueError):
                    while driver.process.poll() is None:
                        driver.process.stdin.write("no JSON\n" * 20)
                        driver.process.stdin.flush()
                        time.sleep(0.002)

            driver.tell("no JSON")  # also where the thread begins late
            noise = threading.Thread(target=make_noise)
            noise.start()
            driver.until("done")
            rest = driver.process.stdout.read()
            noise.join()
            self.assertEqual((rest, driver.process.wait(PATIENCE)), ("", 0))
        self.assertEqual(driver.events[0]["event"], "hello")
        self.assertIn("no JSON", str(driver.events))

    def test_a_pause_while_axis_and_shifts_are_found(self):
        Scan().nxtomo("scan.nxs")
        with Driver(self, "scan.nxs", "--axis-method", "correlation", "--shifts", "align", "--align-iterations", 2,
                    "--output", "slices.h5") as driver:
            driver.tell({"command": "pause"})
            driver.tell({"command": "preview"})
            preview = driver.until("preview")  # which waits for them; they do not wait for the end of the pause
            self.assertEqual([e["name"] for e in driver.events if e["event"] == "stage"], ["inspect", "axis", "align", "reconstruct"])
            if not any(event["event"] == "state" for event in driver.events):
                driver.until("state")
            driver.tell({"command": "resume"})
            done, status = driver.end()
        self.assertEqual((done["status"], status), ("done", 0))
        np.testing.assert_allclose(np.load(preview["path"]), volume()[preview["slice"]], atol=1e-6)

    def test_ends_of_a_pause(self):
        rows = self.large_scan()
        for command, status, told in (("finish", 0, "finished early"), ("abort", 1, "aborted")):
            with Driver(self, "scan.nxs", "--axis", 180, "--output", f"{command}.h5", env=slow_kernels(10000)) as driver:
                driver.until("progress", lambda e: e["done"] > 0)
                driver.tell({"command": "pause"})
                driver.until("state")
                driver.tell({"command": command})
                done, ended = driver.end()
            self.assertEqual((done["status"], ended), (told, status))
            self.assertEqual(os.path.exists(f"{command}.h5"), command == "finish")
        self.assertTrue(0 < len(volume("finish.h5")) < rows)


if __name__ == "__main__":
    main()
