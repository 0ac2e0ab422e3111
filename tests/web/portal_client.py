# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What scicat_program.py sends, by scitacean's own fake of a catalogue. Runs in the Python that has scitacean; test_portal.py starts it."""

import base64
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "web" / "tomo_web" / "portal"))

import scicat_program  # noqa: E402
from scitacean import PID, Profile, ScicatCommError, model  # noqa: E402
from scitacean.testing.client import FakeClient  # noqa: E402

SETTINGS = {"address": "http://localhost/api/v3", "token_file": None, "token_variable": None, "insecure": True}
RAW = {"pid": "1/raw", "type": "raw", "owner": "Ada", "ownerGroup": "g", "contactEmail": "ada@example.org", "proposalIds": ["p"], "sourceFolder": "/data/raw"}
DERIVED = {"key": "k1", "name": "a-slices", "description": "A volume", "raw": "1/raw", "inputs": ["1/raw"], "folder": "/data/results",
           "files": [{"path": "a-slices.h5", "size": 7, "time": 5.0, "checksum": "abc"}], "software": ["gst-tomo 0.1"],
           "parameters": {"settings": {"axis": 3.5}, "job": 4}, "facts": {"slices": 4}, "created": 10.0, "began": 8.0, "ended": 10.0, "contact": None}


class Talk(scicat_program.Talk):
    """With what a fake has no calls for: questions by filters."""

    def _known(self, key):
        return next(({"pid": str(pid), "origdatablocks": self._client.orig_datablocks.get(pid)} for pid, one in self._client.datasets.items()
                     if "gst-tomo:" + key in (one.keywords or ())), None)

    def _dataset(self, number, include=()):
        return RAW if number == RAW["pid"] else {"ownerGroup": "g", "attachments": [
            {"aid": one.aid, "caption": one.caption} for one in self._client.attachments.get(PID.parse(number), ())]}

    def _scicat(self):
        return self._client.scicat


class Fake(unittest.TestCase):
    def setUp(self):
        self.client = FakeClient(profile=Profile(url="https://fake.example.org", file_transfer=None))
        self.talk = Talk(SETTINGS, self.client)

    def test_registers_once(self):
        numbers = {self.talk.register(DERIVED) for _ in range(3)}
        self.assertEqual(len(numbers), 1)
        (pid, one), = self.client.datasets.items()
        self.assertEqual((one.type, one.inputDatasets, one.usedSoftware), ("derived", [PID.parse("1/raw")], ["gst-tomo 0.1"]))
        self.assertEqual((one.ownerGroup, one.owner, one.proposalIds, one.jobParameters["job"]), ("g", "Ada", ["p"], 4))
        block, = self.client.orig_datablocks[pid]
        self.assertEqual([(file.path, file.size, file.chk) for file in block.dataFileList], [("a-slices.h5", 7, "abc")])
        self.assertEqual(block.chkAlg, "sha256")

    def test_goes_on_behind_a_cut(self):
        self.client.disabled["create_orig_datablock"] = ScicatCommError("Error in operation 'x': 503 Service Unavailable: {\"message\": \"later\"}")
        with self.assertRaises(scicat_program.Told) as caught:
            self.talk.register(DERIVED)
        self.assertEqual((caught.exception.kind, str(caught.exception)), ("away", "SciCat can't answer now (503): later"))
        del self.client.disabled["create_orig_datablock"]
        self.talk.register(DERIVED)
        self.assertEqual((len(self.client.datasets), sum(map(len, self.client.orig_datablocks.values()))), (1, 1))

    def test_picture_once(self):
        number = self.talk.register(DERIVED)
        for _ in range(2):
            self.talk.attach(number, "k1", "The middle slice", base64.b64encode(b"png").decode())
        attachment, = self.client.attachments[PID.parse(number)]
        self.assertEqual((attachment.caption, attachment.thumbnail.decoded_data(), attachment.ownerGroup), ("The middle slice", b"png", "g"))

    def test_what_can_not_be_described(self):
        answer = scicat_program.answer(self.talk, '{"call": "register", "arguments": {"derived": %s}}' % __import__("json").dumps({**DERIVED, "folder": "relative"}))
        self.assertEqual(answer["kind"], "refused")
        self.assertIn("sourceFolder", answer["error"])

    def test_secrets_are_left_out(self):
        told = scicat_program.of_status("Error in operation 'x': 400 Bad Request: {\"message\": [\"no secret-token here\", \"eyJhbGciOiJI.eyJhbGciOiJI.abcdefgh1\"]}",
                                        "secret-token")
        self.assertEqual(str(told), "SciCat refuses it (400): no *** here; ***")
        self.assertIsNotNone(model.UploadDataset)


if __name__ == "__main__":
    unittest.main()
