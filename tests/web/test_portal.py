# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The portal: SciCat by scitacean, against a catalogue on this computer whose bodies are checked by the models that SciCat generates. A real
backend is not there: docs/web.md says what that leaves open."""

import asyncio
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest
import unittest.mock

import numpy as np

from portaltest import CLIENT, SciCatServer, check_pythons, token_until
from webtest import SCAN, ServerTest, main, until

from tomo_web.errors import Refusal  # noqa: E402
from tomo_web.folders import Folders  # noqa: E402
from tomo_web.patterns import Pattern  # noqa: E402
from tomo_web.portal import Away, Derived, LoginRefused, Raw, Refused, RemoteFile, opened  # noqa: E402
from tomo_web.portal.paths import Paths  # noqa: E402
from tomo_web.rules import PortalSettings  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
DERIVED = Derived("key1", "a-slices", "A volume", "", (), "/data/results", (RemoteFile("a-slices.h5", 7, 5.0, "abc"),), ("gst-tomo 0.1",), {"job": 4},
                  {"slices": 4}, 10.0, 8.0, 10.0)


class Fake(unittest.TestCase):
    def test_by_the_fake_of_scitacean(self):
        done = subprocess.run([CLIENT, HERE / "portal_client.py"], capture_output=True, text=True,
                              env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Ran 5 tests", done.stderr)


class Names(unittest.TestCase):
    """The portal's folders and ours."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tomo-web-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for name in ("scans/in", "results", "secret"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "secret" / "a.nxs").touch()
        (self.folder / "scans" / "out").symlink_to(self.folder / "secret")
        self.folders = Folders({name: self.folder / name for name in ("scans", "results")})
        self.paths = Paths(self.folders, {"/data": "scans", "/data/special": "scans/in", "/derived": "results"})

    def test_places(self):
        for folder, name, place in (("/data/x", "a.nxs", "scans/x/a.nxs"), ("/data/x/", "b//a.nxs", "scans/x/b/a.nxs"), ("/data/special", "a.nxs", "scans/in/a.nxs"),
                                    ("/data/specials", "a", "scans/specials/a"), ("/elsewhere", "/data/a.nxs", "scans/a.nxs")):
            self.assertEqual(self.paths.place(folder, name), place)
        for folder, name in (("/etc", "passwd"), ("/data/../etc", "passwd"), ("/data", "../../etc/passwd"), ("/database", "x"), ("/data", "/etc/passwd"),
                             ("/data", "a\0b"), ("data", "a"), ("/data", "a\\b")):
            with self.subTest((folder, name)), self.assertRaises(Refusal):
                self.paths.place(folder, name)
        with self.assertRaisesRegex(Refusal, "is not there"):  # by a link
            self.folders.path(self.paths.place("/data/out", "a.nxs"))
        raw = Raw("1", "x", "p", "/data/out", "", 1, 0, None)
        self.assertEqual(self.paths.missing(raw, [RemoteFile("a.nxs", 0)]), "waits for a.nxs, which is not here yet")

    def test_back(self):
        self.assertEqual(self.paths.remote(self.folder / "results" / "beam"), "/derived/beam")
        self.assertEqual(self.paths.remote(self.folder / "scans" / "in"), "/data/special")
        with self.assertRaises(Refusal):
            self.paths.remote(self.folder / "secret")

    def test_which_file_is_the_scan(self):
        raw = Raw("1", "x", "p", "/data/in", "", 2, 0, None)
        files = [RemoteFile("raw/a.nxs", 1), RemoteFile("raw/log.txt", 1), RemoteFile("b.h5", 1)]
        self.assertEqual(self.paths.scan(raw, files, Pattern("*.nxs")), "scans/in/raw/a.nxs")
        self.assertEqual(self.paths.scan(raw, files, Pattern("raw/")), "scans/in/raw")
        for pattern, told in (("*.{nxs,h5}", "2 of its files fit"), ("*.tif", "none of its files fits")):
            with self.assertRaisesRegex(Refusal, told):
                self.paths.scan(raw, files, Pattern(pattern))


class Client(unittest.TestCase):
    """The adapter alone."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tomo-web-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.token = token_until(3600)
        self.server = SciCatServer(self.token)
        self.file = self.folder / "token"
        self.file.write_text(self.token + "\n")

    def talk(self, use, **changes):
        async def run():
            portal = opened(PortalSettings(**{"kind": "scicat", "address": self.server.address, "token_file": str(self.file), "token_variable": None,
                                              "folders": {}, "insecure": True, **changes}))
            try:
                return await use(portal)
            finally:
                await portal.close()

        return asyncio.run(run())

    def test_finds(self):
        numbers = [self.server.add_raw("/data/a", [("a.nxs", 10)], name=f"Tooth {number}.x", creationTime=f"2026-01-{number + 1:02d}T00:00:00.000Z")
                   for number in range(12)]
        self.server.add_raw("/data/b", [], proposal="p2")

        async def use(portal):
            self.assertTrue((await portal.health()).is_fine)
            self.assertEqual((await portal.health()).person, "tester")
            self.assertEqual([raw.id for raw in await portal.find(["p1"])], numbers[::-1])
            self.assertEqual(len(await portal.find(["p1", "p2"])), 13)
            self.assertEqual([raw.name for raw in await portal.find(["p1"], "tooth 1.")], ["Tooth 1.x"])
            self.assertEqual(len(await portal.find(["p1"], limit=5)), 5)
            raw, files = await portal.files(numbers[0])
            self.assertEqual((raw.folder, raw.proposal, raw.size, [(file.path, file.size) for file in files]), ("/data/a", "p1", 10, [("a.nxs", 10)]))
            with self.assertRaisesRegex(Refused, r"SciCat refuses it \(404\): dataset not found"):
                await portal.files("20.500.1/none")

        self.talk(use)

    def test_more_than_a_page(self):
        for number in range(103):
            self.server.control(raw={"ownerGroup": "g", "contactEmail": "a@example.org", "sourceFolder": "/data", "creationTime": "2026-01-02T03:04:05.000Z",
                                     "datasetName": f"n{number}", "type": "raw", "proposalIds": ["p1"]}, files=[])

        async def use(portal):
            self.assertEqual(len({raw.id for raw in await portal.find(["p1"])}), 103)

        self.talk(use)

    def test_registers(self):
        raw = self.server.add_raw("/data/a", [("a.nxs", 10)])
        derived = Derived(**{**DERIVED.__dict__, "raw": raw, "inputs": (raw,)})

        async def use(portal):
            numbers = {await portal.register(derived) for _ in range(2)}
            for _ in range(2):
                await portal.attach(min(numbers), "key1", "The middle slice", b"png")
            return numbers

        number, = self.talk(use) | self.talk(use)
        state = self.server.control()
        self.assertEqual(state["wrong"], [])
        one, = self.server.derived
        self.assertEqual((one["pid"], one["inputDatasets"], one["usedSoftware"], one["sampleIds"], one["ownerGroup"], one["accessGroups"], one["proposalIds"]),
                         (number, [raw], ["gst-tomo 0.1"], ["s1"], "group1", ["group2"], ["p1"]))
        self.assertEqual((one["numberOfFiles"], one["jobParameters"], one["scientificMetadata"]), (1, {"job": 4}, {"slices": 4}))
        attachment, = state["attachments"]
        self.assertEqual(attachment["relationships"], [{"targetId": number, "targetType": "dataset", "relationType": "is attached to"}])

    def test_logins(self):
        cases = (("no.token.here", "SciCat does not take the token: it has expired, or is none of this portal's"),
                 (token_until(-60), "the portal's token has expired: put a new one in its place"),
                 ("", "there is no token for the portal: [portal] token-file or token-variable names where it is"))

        async def use(portal):
            for token, told in cases:
                self.file.write_text(token)
                with self.subTest(told), self.assertRaises(LoginRefused) as caught:
                    await portal.find(["p1"])
                self.assertEqual(caught.exception.text, told)
                self.assertEqual((await portal.health()).text, told)
            self.file.unlink()
            with self.assertRaisesRegex(LoginRefused, "the portal's token can't be read: No such file"):
                await portal.find(["p1"])
            self.file.write_text(self.token)  # a new one is taken without a restart
            await portal.find(["p1"])

        self.talk(use)
        os.environ["TOKEN_OF_TEST"] = self.token
        self.addCleanup(os.environ.pop, "TOKEN_OF_TEST")
        self.talk(lambda portal: portal.find(["p1"]), token_file=None, token_variable="TOKEN_OF_TEST")

    def test_cuts(self):
        raw = self.server.add_raw("/data/a", [("a.nxs", 10)])
        derived = Derived(**{**DERIVED.__dict__, "raw": raw, "inputs": (raw,)})

        async def use(portal):
            for how, told in (({"cut": True}, "the portal can't be reached: "), ({"down": True}, r"SciCat can't answer now \(503\): Service Unavailable")):
                self.server.control(**how)
                with self.assertRaisesRegex(Away, told):
                    await portal.register(derived)
                self.server.control(cut=False, down=False)
            self.server.control(refuse="ownerGroup is wrong")
            with self.assertRaisesRegex(Refused, r"SciCat refuses it \(400\): ownerGroup is wrong"):
                await portal.register(derived)
            self.server.control(refuse=None)
            os.kill(portal._process.pid, signal.SIGKILL)
            with self.assertRaises(Away):
                await portal.register(derived)
            await portal.register(derived)
            self.assertEqual(len(self.server.derived), 1)

        self.talk(use)

    def test_without_scitacean(self):
        with unittest.mock.patch("tomo_web.portal.scicat.python_of", lambda settings: None), self.assertRaisesRegex(Refused, "tools/setup --portal installs it"):
            self.talk(lambda portal: portal.find(["p1"]))
        with self.assertRaisesRegex(Refused, "has no scitacean"):
            self.talk(lambda portal: portal.find(["p1"]), python="/usr/bin/python3")


class ByRules(ServerTest):
    """From a raw data set of the portal to the derived one."""

    def setUp(self):
        super().setUp()
        self.token = token_until(3600)
        self.scicat = SciCatServer(self.token)
        (self.folder / "scans" / "visit").mkdir(parents=True)
        (self.folder / "token").write_text(self.token)
        self.rules = self.folder / "rules.toml"
        self.rules.write_text(f"""
[portal]
address = "{self.scicat.address}"
insecure = true
token-file = "{self.folder / 'token'}"
folders = {{ "/data/visitor" = "scans/visit", "/data/derived" = "results" }}

[rules.beam]
proposals = ["p1"]
pattern = "*.nxs"
whole = {{ still = 0.3 }}
every = 1
retry-after = 0.5
settings = {{ axis = 86.35, y = 60, height = 2 }}
register = true
""")
        self.scan = self.folder / "scans" / "visit" / "a.nxs"

    def raw(self):
        return self.scicat.add_raw("/data/visitor", [("a.nxs", SCAN.stat().st_size), ("notes.txt", 5)])

    def start(self):
        (self.folder / "scans" / "visit" / "notes.txt").write_text("notes")
        return self.server("--watch", self.rules, scans=())

    def found(self, server):
        found = server.get("rules/beam/found")["items"]
        return found[0] if found else {"state": None, "why": ""}

    def test_from_raw_to_derived(self):
        server, raw = self.start(), self.raw()
        until(lambda: "waits for a.nxs, which is not here yet" in self.found(server)["why"])
        self.scan.write_bytes(SCAN.read_bytes()[:1000])
        until(lambda: "which has 1000 of" in self.found(server)["why"])
        shutil.copyfile(SCAN, self.scan)
        found = until(lambda: (one := self.found(server))["state"] == "done" and one)
        one, = self.scicat.derived
        self.assertEqual((found["registered"], found["source"]), (one["pid"], raw))
        self.assertEqual((one["inputDatasets"], one["sourceFolder"], one["datasetName"]), ([raw], "/data/derived/beam", "a-slices"))
        self.assertRegex(one["usedSoftware"][0], r"^gst-tomo .*\d+\.\d+")
        parameters = one["jobParameters"]
        self.assertEqual((parameters["job"], parameters["settings"]["axis"], parameters["rule"]), (found["job"], 86.35, "beam"))
        self.assertNotIn(str(self.folder), str(one))
        state = self.scicat.control()
        self.assertEqual(state["wrong"], [])
        block, = [one for one in state["blocks"] if one["datasetId"] == found["registered"]]
        volume = self.folder / "results" / "beam" / "a-slices.h5"
        file = next(one for one in block["dataFileList"] if one["path"] == "a-slices.h5")
        self.assertEqual((file["size"], file["chk"], block["chkAlg"]), (volume.stat().st_size, hashlib.sha256(volume.read_bytes()).hexdigest(), "sha256"))
        attachment, = state["attachments"]
        self.assertTrue(attachment["thumbnail"].startswith("data:image/png;base64,"))
        self.assertGreater(np.std(picture_of(attachment["thumbnail"])), 10)  # shows something
        self.assertNotIn(self.token, (self.folder / "server.log").read_text())
        self.assertFalse(self.token in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout)

    def test_cut_and_killed_while_it_registers(self):
        shutil.copyfile(SCAN, self.scan)
        self.raw()
        self.scicat.control(cut="POST")  # it tells what there is, and takes nothing
        server = self.start()
        until(lambda: self.found(server)["state"] == "registering" and "can't be reached" in self.found(server)["why"])
        self.scicat.control(cut=True)
        self.assertFalse(server.get("portal")["is_fine"])
        server.kill()
        self.scicat.control(cut=False)
        server.start()
        server.post("rules/beam/run")
        until(lambda: self.found(server)["state"] == "done")
        self.assertEqual((len(self.scicat.derived), len(self.scicat.control()["attachments"]), self.scicat.control()["wrong"]), (1, 1, []))

    def test_refused_is_told_once(self):
        shutil.copyfile(SCAN, self.scan)
        self.scicat.control(refuse="no right to create")
        self.raw()
        server = self.start()
        found = until(lambda: (one := self.found(server))["state"] == "failed" and one)
        self.assertEqual(found["why"], "SciCat refuses it (400): no right to create")
        self.assertEqual((self.folder / "server.log").read_text().count("rule beam: Tooth: failed"), 1)
        self.scicat.control(refuse=None)
        server.post("rules/beam/run")  # the volume is there: only registering is done again
        after = until(lambda: (one := self.found(server))["state"] == "done" and one)
        self.assertEqual(after["job"], found["job"])

    def test_search_and_take(self):
        self.rules.write_text(self.rules.read_text().replace('proposals = ["p1"]', 'proposals = ["other"]'))
        shutil.copyfile(SCAN, self.scan)
        server, raw = self.start(), self.raw()
        self.assertEqual(server.get("portal"), {"is_configured": True, "address": self.scicat.address, "is_fine": True, "text": "SciCat answers, and knows us as tester"})
        one, = server.get("portal/datasets", proposal="p1")["items"]
        self.assertEqual((one["id"], one["name"], one["files"], one["dataset"]), (raw, "Tooth", 2, None))
        self.assertEqual(server.get("portal/datasets", proposal="p1", search="nothing")["total"], 0)
        taken = server.post("portal/datasets", {"id": raw})["dataset"]
        self.assertEqual(server.post("portal/datasets", {"id": raw})["dataset"], taken)
        self.assertEqual(server.get(f"datasets/{taken}")["name"], "Tooth")
        self.assertEqual(server.get("portal/datasets", proposal="p1")["items"][0]["dataset"], taken)
        outside = self.scicat.add_raw("/etc", [("passwd", 0)])
        answer = server.ask("POST", "portal/datasets", {"id": outside, "pattern": "passwd"})
        self.assertEqual((answer.status, answer.json["error"]), (422, "the portal's folder /etc is in none of those that [portal.folders] names"))
        self.scicat.control(token="another")
        answer = server.ask("GET", "portal/datasets", query={"proposal": "p1"})
        self.assertEqual((answer.status, answer.json["error"]), (503, "SciCat does not take the token: it has expired, or is none of this portal's"))


def picture_of(thumbnail):
    import base64
    import io

    from PIL import Image
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(thumbnail.partition(",")[2]))).convert("L"))


if __name__ == "__main__":
    check_pythons()
    main()
