# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The form's parameters, what is right in them, settings of persons, presets and templates: by the API."""

import asyncio
import json
import subprocess
import unittest

from test_access import add_persons
from webtest import ServerTest, SharedServer, main

FIXED = {"flat-scale": "0.68", "axis": "86.35"}


class SettingsTest(SharedServer, ServerTest):
    pass


class Schema(SettingsTest):
    def test_every_parameter_has_a_field_or_is_the_servers(self):
        from gsttomo._parameters import schema
        told = {one["name"]: one for one in self.shared.get("schema")["parameters"]}
        self.assertEqual(list(told), list(schema()))
        sections = {one["name"] for one in self.shared.get("schema")["sections"]}
        for name, one in told.items():
            self.assertIn(one["section"], sections, name)
            self.assertEqual(one["unit"], schema()[name].get("x-unit", ""))
            self.assertIn(one["level"], ("basic", "advanced"))
            self.assertTrue(one["description"])
        self.assertEqual({name for name, one in told.items() if one["by_server"]},
                         {"scan", "projections", "sinograms", "sweep", "result", "resume", "output", "overwrite", "format", "device-memory",
                          "memory", "picture", "report", "cluster", "cluster-slab", "cluster-patience"})

    def test_what_names_a_file_is_a_place(self):
        """Every parameter whose description tells of a file must be a place or the server's: a new one may not slip through."""
        for one in self.shared.get("schema")["parameters"]:
            if " file" in f" {one['description'].lower()}" and one["type"] == "string" and not one["choices"]:
                self.assertTrue(one["by_server"] or one["is_place"] or one["name"] in ("entry", "chunks"), one["name"])


class Check(SettingsTest):
    def check(self, server, **values):
        return server.post("settings/check", {"values": {name.replace("_", "-"): value for name, value in values.items()}})

    def test_texts_become_values(self):
        told = self.check(self.shared, axis="86.350", binning=2.0, circle="true", method="fbp", rings="")
        self.assertEqual(told, {"values": {"axis": 86.35, "binning": 2, "circle": True},
                                "texts": {"axis": "86.35", "binning": "2", "circle": "true"}, "problems": {}})

    def test_all_digits_of_a_number_stay(self):
        self.assertEqual(self.check(self.shared, axis=86.12345678901234)["values"]["axis"], 86.12345678901234)

    def test_problems_are_the_librarys_words(self):
        told = self.check(self.shared, axis="left", binning=99, rings="fourier")
        self.assertEqual(told["values"], {"rings": "fourier"})
        self.assertEqual(set(told["problems"]), {"axis", "binning"})
        self.assertIn("wanted a number, at least 0", told["problems"]["axis"])
        self.assertIn("from 1 to 16", told["problems"]["binning"])

    def test_nothing_else_gets_through(self):
        server = self.shared
        for name, value in {"scan": "/etc/passwd", "output": "/tmp/x.h5", "nonsense": 1, "entry": "x\noutput=/tmp/x", "axis": [1], "mask": "/etc/passwd",
                            "darks": "../x.h5", "angles": "scans/../../etc/passwd", "beam-hardening": "/etc/passwd", "distortion": "/etc/passwd",
                            "detector-linearity": "scans/nothing.txt", "stitch": "scans/savu24737.nxs,/etc/passwd", "shifts": "/etc/passwd",
                            "initial": "nowhere/x", "flats": "scans/*.nxs", "device-memory": "1G", "format": "tiff"}.items():
            with self.subTest(name):
                told = server.post("settings/check", {"values": {name: value}})
                self.assertEqual(told["values"], {})
                self.assertIn(name, told["problems"])
                self.assertNotIn(str(self.scans.parent), told["problems"][name])

    def test_places_and_what_stands_for_them(self):
        (self.scans / "angles.txt").write_text("0\n1\n")
        values = {"angles": "scans/angles.txt", "darks": "scans/savu24737.nxs:/entry/darks", "beam-hardening": "1,0.2", "shifts": "none",
                  "stitch": "scans/savu24737.nxs:/entry1,scans/savu24737.nxs"}
        told = self.check(self.shared, **values)
        self.assertEqual(told["problems"], {})
        self.assertEqual(told["values"], values)

    def test_a_link_leads_nowhere(self):
        folder = self.scans / "images"
        folder.mkdir()
        (folder / "inside.tif").symlink_to("/etc/passwd")
        (self.scans / "link.txt").symlink_to("/etc/passwd")
        told = self.check(self.shared, darks="scans/images", angles="scans/link.txt")
        self.assertEqual(set(told["problems"]), {"darks", "angles"})


class OfDataSet(SettingsTest):
    def test_they_are_kept_for_each_person_and_data_set(self):
        server, number = self.shared, self.data_set()
        server.ask("PUT", f"datasets/{number}/settings", {"values": {}})
        self.assertEqual(server.get(f"datasets/{number}/settings"), {"values": {}, "texts": {}, "changed": None})
        kept = server.ask("PUT", f"datasets/{number}/settings", {"values": FIXED}).json
        self.assertEqual(kept["values"], {"axis": 86.35, "flat-scale": 0.68})
        self.assertEqual(server.get(f"datasets/{number}/settings"), kept)
        server.stop()
        server.start()
        self.assertEqual(server.get(f"datasets/{number}/settings"), kept)
        wrong = server.ask("PUT", f"datasets/{number}/settings", {"values": {"axis": "left"}})
        self.assertEqual((wrong.status, wrong.json["field"]), (422, "axis"))
        self.assertEqual(server.get(f"datasets/{number}/settings"), kept)
        self.assertEqual(server.ask("GET", "datasets/77/settings").status, 404)
        self.assertEqual(server.ask("GET", f"datasets/{2**63}/settings").status, 422)

    def test_pages_that_change_others_lose_nothing(self):
        server, number = self.shared, self.data_set(FIXED)
        path = f"datasets/{number}/settings"
        self.assertEqual(server.ask("PATCH", path, {"values": {"rings": "fourier"}}).json["values"], {"axis": 86.35, "flat-scale": 0.68, "rings": "fourier"})
        self.assertEqual(server.ask("PATCH", path, {"values": {"axis": "", "binning": "2"}}).json["values"], {"flat-scale": 0.68, "rings": "fourier", "binning": 2})
        self.assertEqual(server.ask("PATCH", path, {"values": {"binning": "many", "rings": ""}}).status, 422)
        self.assertEqual(server.get(path)["values"]["rings"], "fourier")

    def test_a_reco_conf_goes_out_and_in(self):
        server, number = self.shared, self.data_set()
        server.ask("PUT", f"datasets/{number}/settings", {"values": {**FIXED, "rings": "fourier"}})
        answer = server.ask("GET", f"datasets/{number}/settings.conf")
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        text = answer.body.decode()
        self.assertIn(f"scan = {self.scans}/savu24737.nxs", text.replace("scan=", "scan = "))
        file = self.folder / "reco.conf"
        file.write_bytes(answer.body)
        plan = subprocess.run(["tomo-reconstruct", "tomo", "--dry-run", "--json", "--config", str(file)], cwd=self.folder, check=True, capture_output=True)
        self.assertEqual(json.loads(plan.stdout)["axis"], 86.35)
        server.ask("PUT", f"datasets/{number}/settings", {"values": {}})
        loaded = server.ask("PUT", f"datasets/{number}/settings.conf", body=answer.body, headers={"Content-Type": "text/plain"}).json
        self.assertEqual(loaded["values"], {"axis": 86.35, "flat-scale": 0.68, "rings": "fourier"})
        self.assertEqual(loaded["left_out"], ["scan"])

    def test_a_file_that_is_no_reco_conf(self):
        server, number = self.shared, self.data_set()
        for body in (b"\xff\xfe\x00", b"[axis]\naxis = left\n", b"[nothing]\nhere = 1\n", b"x" * 300_000):
            answer = server.ask("PUT", f"datasets/{number}/settings.conf", body=body, headers={"Content-Type": "text/plain"})
            self.assertIn(answer.status, (413, 422), body[:20])
            self.assertNotIn("/tmp", answer.json["error"])

    def test_the_same_as_a_command_and_as_a_pipeline(self):
        server, number = self.shared, self.data_set()
        server.ask("PUT", f"datasets/{number}/settings", {"values": FIXED})
        text = server.get(f"datasets/{number}/command")["text"]
        self.assertEqual(text, f"tomo-reconstruct {self.scans}/savu24737.nxs --flat-scale=0.68 --axis=86.35 --output=savu24737-slices.h5")
        plan = server.post(f"datasets/{number}/plan", {"values": FIXED})
        self.assertIn("tomobackproject", plan["script"])
        self.assertIn("backproject", [node["plugin"] for node in plan["graph"]["nodes"]])


class Named(SettingsTest):
    def test_every_preset_runs_on_the_bundled_scan(self):
        server, number = self.shared, self.data_set()
        known = {"energy": "20", "propagation-distance": "0.1", "pixel-size": "1e-6"}
        for preset in server.get("presets"):
            with self.subTest(preset["name"]):
                settings = {**FIXED, **{name: known[name] for name in preset["wanted"]}, **preset["settings"]}
                self.assertEqual(server.post("settings/check", {"values": settings})["problems"], {})
                answer = server.ask("POST", f"datasets/{number}/slice", {"settings": settings, "row": 100})
                self.assertEqual(answer.status, 200, answer.body)
                self.assertEqual(answer.json if answer.status != 200 else json.loads(answer.headers["X-Facts"])["warnings"], [])

    def test_presets_follow_each_other(self):
        """Parameters without an effect are refused: what one preset has set, another one about the same resets."""
        server, number = self.shared, self.data_set()
        presets = {one["name"]: one["settings"] for one in server.get("presets")}
        settings = {**FIXED, **presets["Few views"], **presets["Noise"], **presets["Large slices"], **presets["Standard"]}
        self.assertEqual(server.post("settings/check", {"values": settings})["values"], {"axis": 86.35, "flat-scale": 0.68})
        self.assertEqual(server.ask("POST", f"datasets/{number}/slice", {"settings": settings, "row": 100}).status, 200)

    def test_templates_come_and_go(self):
        server = self.shared
        made = server.post("templates", {"name": "bone", "settings": {"rings": "fourier", "axis": 86.35}})
        self.assertEqual((made["settings"], made["owner"], made["is_shared"]), ({"rings": "fourier"}, "local", False))
        again = server.ask("POST", "templates", {"name": " bone ", "settings": {}})
        self.assertEqual((again.status, again.json["field"]), (409, "name"))
        changed = server.ask("PUT", f"templates/{made['id']}", {"name": "bones", "settings": {"binning": 2}, "is_shared": True}).json
        self.assertEqual((changed["name"], changed["settings"], changed["is_shared"]), ("bones", {"binning": 2}, True))
        self.assertEqual(server.get("templates"), [changed])
        self.assertEqual(server.ask("POST", "templates", {"name": "x", "settings": {"output": "/tmp/x"}}).status, 403)
        self.assertEqual(server.ask("POST", "templates", {"name": "x", "settings": {"beam-hardening": "/etc/passwd"}}).status, 404)
        self.assertEqual(server.ask("DELETE", f"templates/{made['id']}").status, 204)
        self.assertEqual(server.get("templates"), [])
        self.assertEqual(server.ask("DELETE", f"templates/{made['id']}").status, 404)


class Persons(ServerTest):
    """Behind a proxy that tells who asks."""

    def setUp(self):
        super().setUp()
        add_persons(self.folder / "state", anna="user", eva="user", xenia="expert", otto="viewer")
        self.asked = self.server("--access", "proxy", "--trusted-proxy", "127.0.0.1", "--experts")
        self.number = self.ask("anna", "POST", "datasets", {"places": {"scan": "scans/savu24737.nxs"}}).json["id"]

    def ask(self, name, method, path, values=None):
        headers = {"X-Remote-User": name}
        if method != "GET":
            headers["X-CSRF-Token"] = self.asked.ask("GET", "session", headers=headers).json["csrf"]
        return self.asked.ask(method, path, values, headers=headers)

    def test_each_has_settings_and_templates_of_ones_own(self):
        path = f"datasets/{self.number}/settings"
        self.ask("anna", "PUT", path, {"values": FIXED})
        self.assertEqual(self.ask("eva", "GET", path).json["values"], {})
        self.ask("eva", "PUT", path, {"values": {"binning": 2}})
        self.assertEqual(self.ask("anna", "GET", path).json["values"], {"axis": 86.35, "flat-scale": 0.68})
        self.assertEqual(self.ask("otto", "PUT", path, {"values": {}}).status, 403)
        self.assertEqual(self.ask("otto", "POST", f"datasets/{self.number}/slice", {}).status, 403)
        self.assertEqual(self.ask("otto", "GET", f"datasets/{self.number}/axis").status, 200)
        own = self.ask("anna", "POST", "templates", {"name": "bone", "settings": {}}).json
        shared = self.ask("anna", "POST", "templates", {"name": "wood", "settings": {}, "is_shared": True}).json
        self.assertEqual([one["name"] for one in self.ask("eva", "GET", "templates").json], ["wood"])
        self.assertEqual(self.ask("eva", "DELETE", f"templates/{own['id']}").status, 404)
        self.assertEqual(self.ask("eva", "DELETE", f"templates/{shared['id']}").status, 403)
        self.assertEqual(self.ask("eva", "POST", "templates", {"name": "bone", "settings": {}}).status, 201)

    def test_experts_alone_see_paths(self):
        path = str(self.folder)
        for name, sees in (("anna", False), ("xenia", True)):
            self.ask(name, "PUT", f"datasets/{self.number}/settings", {"values": FIXED})
            texts = (self.ask(name, "GET", f"datasets/{self.number}/settings.conf").body.decode(),
                     self.ask(name, "GET", f"datasets/{self.number}/command").json["text"],
                     self.ask(name, "POST", f"datasets/{self.number}/plan", {"values": FIXED}).body.decode())
            for text in texts:
                self.assertEqual(path in text, sees, text)
                self.assertIn("scans/savu24737.nxs", text)

    def test_a_removed_data_set_takes_its_settings_along(self):
        self.ask("eva", "PUT", f"datasets/{self.number}/settings", {"values": FIXED})
        self.assertEqual(self.ask("anna", "DELETE", f"datasets/{self.number}").status, 204)
        self.assertEqual(self.ask("eva", "GET", f"datasets/{self.number}/settings").status, 404)


class InTurn(unittest.IsolatedAsyncioTestCase):
    async def test_persons_take_turns(self):
        from tomo_web.errors import TooMany
        from tomo_web.turns import Turns
        turns, order = Turns(most=4), []

        async def work(name):
            async with turns.turn(name):
                order.append(name)
                await asyncio.sleep(0.01)

        given = [asyncio.ensure_future(work(name)) for name in ("anna", "anna", "anna", "anna", "anna", "eva", "otto", "eva")]
        await asyncio.sleep(0)
        with self.assertRaises(TooMany):
            await work("anna")
        given[2].cancel()  # who gives up has no turn, and takes none from others
        await asyncio.gather(*given, return_exceptions=True)
        self.assertEqual(order, ["anna", "anna", "eva", "otto", "anna", "eva", "anna"])
        await asyncio.wait_for(work("anna"), 1)


if __name__ == "__main__":
    main()
