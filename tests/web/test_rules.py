# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules by which scans are reconstructed without anybody: what a file of them says, when a scan is whole, and that nothing is lost or done
twice, wherever a process is killed. The program itself is in test_watch.py."""

import asyncio
import collections
import os
import pathlib
import shutil
import tempfile
import time
import types
import unittest
import unittest.mock

from rulestest import BEAM
from webtest import PATIENCE, SCAN, main

from tomo_web.app import Server as InProcess  # noqa: E402
from tomo_web import rule_work, rules, templates  # noqa: E402
from tomo_web.database import Database  # noqa: E402
from tomo_web.finds import Finds, State  # noqa: E402
from tomo_web.folders import Folders  # noqa: E402
from tomo_web.patterns import Pattern, found_below  # noqa: E402
from tomo_web.programs import Questions  # noqa: E402
from tomo_web.settings import Settings  # noqa: E402


class Files(unittest.TestCase):
    """What is said about a file of rules."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tomo-web-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "scans").mkdir()
        database = Database(self.folder / "web.sqlite", (templates,))
        self.addCleanup(database.close)
        settings = types.SimpleNamespace(smtp=None, webhooks=("https://a.example.org/",))
        self.known = types.SimpleNamespace(settings=settings, folders=Folders({"scans": self.folder / "scans"}), database=database)

    def read(self, text):
        file = self.folder / "rules.toml"
        file.write_text(text)
        return rules.read(file, self.known)

    def test_mistakes_are_told_with_their_place(self):
        rule = '[rules.a]\nfolder = "scans/in"\n'
        portal = '[portal]\naddress = "https://cat.example.org/api/v3"\ntoken-variable = "T"\nfolders = { "/data" = "scans" }\n'
        for text, told in (
                ("[rules.a]\nfolder = ", "rules.toml: Invalid value (at end of document)"),
                ("", "rules.toml: there is no rule: a rule begins with [rules.NAME]"),
                ("[rules.a]\n", "rules.toml: rules.a.folder: a rule has either a folder, or proposals of the portal"),
                ('[rules."a b"]\nfolder = "scans"\n', "rules.toml: rules.a b: a name of a rule has letters, digits, - and _, 60 at most"),
                ('[rules.a]\nfolder = "elsewhere/in"\n', "rules.toml: rules.a.folder: there is no folder elsewhere"),
                ('[rules.a]\nfolder = "scans/../in"\n', "rules.a.folder: a place is FOLDER/PATH/WITHIN"),
                (rule + 'foldr = "x"\n', "rules.toml: rules.a.foldr: nobody knows this; wanted at-once, every, existing, folder"),
                (rule + 'pattern = "/etc/*"\n', "rules.a.pattern: wanted a pattern of names below the folder"),
                (rule + 'pattern = "a/**"\n', "rules.a.pattern: ** stands alone between two /, and not at the end"),
                (rule + "priority = 1.5\n", "rules.a.priority: wanted a whole number"),
                (rule + "priority = true\n", "rules.a.priority: wanted a whole number"),
                (rule + "retries = -1\n", "rules.a.retries: -1 is out of range; wanted 0 to 100"),
                (rule + 'replaced = "twice"\n', 'rules.a.replaced: there is no "twice"; wanted again or ignore'),
                (rule + 'result = "../{name}"\n', "rules.a.result: wanted a name of a file, with {name}, {rule}, {proposal}, {date} in it"),
                (rule + 'into = "../x"\n', "rules.a.into: wanted the name of a folder below that of the results"),
                (rule + "whole = { stil = 3 }\n", "rules.a.whole.stil: nobody knows this; wanted angles, marker, projections, still"),
                (rule + 'whole = { marker = "../x" }\n', "rules.a.whole.marker: wanted the name of a file"),
                (rule + "settings = { axiss = 3 }\n", "rules.a.settings.axiss: there is no parameter 'axiss'"),
                (rule + 'settings = { method = "magic" }\n', "rules.a.settings.method: "),
                (rule + 'settings = { output = "/etc/x" }\n', "rules.a.settings.output: output is set by the server"),
                (rule + 'settings = { darks = "/etc/passwd" }\n', "rules.a.settings.darks: "),
                (rule + 'preset = "Nothing"\n', 'rules.a.preset: there is no preset "Nothing"; wanted one of Bright spots, '),
                (rule + 'template = "Nothing"\n', 'rules.a.template: there is no template "Nothing"'),
                (rule + 'notify = ["somebody"]\n', 'rules.a.notify: "somebody" is neither an address of mail nor one of http'),
                (rule + 'notify = ["a@example.org"]\n', "rules.a.notify: the server sends no e-mail: --smtp names a mail server"),
                (rule + 'notify = ["https://b.example.org/"]\n', "rules.a.notify: --webhook does not allow https://b.example.org/"),
                (rule + "register = true\n", "rules.a.register: only results of a portal's data sets can be registered"),
                ('[rules.a]\nproposals = ["p"]\n', "rules.a.proposals: there is no [portal] that knows them"),
                (rule + portal.replace("https", "http"), "rules.toml: portal.address: a token must not travel by http"),
                (rule + portal.replace('"/data"', '"data"'), 'portal.folders."data": wanted an absolute folder'),
                (rule + portal.replace('= "scans" }', '= "elsewhere" }'), 'portal.folders."/data": there is no folder elsewhere'),
                (rule + portal + 'kind = "icat"\n', 'portal.kind: there is no "icat"; wanted scicat'),
                (rule + "x = 1\ny = [[rules]]\n", "rules.toml: ")):
            with self.subTest(told), self.assertRaises(rules.RulesError) as caught:
                self.read(text)
            self.assertIn(told, caught.exception.text)
            self.assertNotIn("\n", caught.exception.text)
        with self.assertRaisesRegex(rules.RulesError, r"line 2"):
            self.read("[rules.a]\nfolder = ?\n")
        with self.assertRaisesRegex(rules.RulesError, "can't be read: No such file"):
            rules.read(self.folder / "nothing.toml", self.known)

    def test_settings_of_preset_template_and_rule(self):
        self.known.database.run("INSERT INTO templates (owner, name, is_shared, settings, changed) VALUES ('b', 'Mine', 1, ?, 0), ('c', 'Own', 0, ?, 0)",
                                '{"rings": "all", "circle": true}', '{"rings": "all"}')
        rule, = self.read('[rules.a]\nfolder = "scans"\npreset = "Rings"\ntemplate = "b/Mine"\nsettings = { circle = false, axis = 3 }\n').rules
        self.assertEqual(rule.settings, {"rings": "all", "axis": 3})
        with self.assertRaisesRegex(rules.RulesError, "there is no template"):
            self.read('[rules.a]\nfolder = "scans"\ntemplate = "Own"\n')  # nobody else's

    def test_patterns(self):
        for pattern, fitting, other in (("*.nxs", "a.nxs", "b/a.nxs"), ("**/*.nxs", "b/c/a.nxs", "a.nxsx"), ("**/*.nxs", "a.nxs", ".nx"),
                                        ("run?/*.{h5,nxs}", "run1/a.h5", "run12/a.h5"), ("a/**/b", "a/b", "a"), ("a/**/b", "a/x/y/b", "x/a/b"), ("a.b", "a.b", "axb"), ("x[1]*", "x[1]y", "x1y")):
            self.assertTrue(Pattern(pattern).fits(fitting), (pattern, fitting))
            self.assertFalse(Pattern(pattern).fits(other), (pattern, other))

        self.assertTrue(Pattern("*.nxs").fits_end("a/b.nxs"))
        self.assertFalse(Pattern("a/*.nxs").fits_end("a/c/b.nxs"))
        for text in ("{a", "a}", "{a,{b}}", "{a,b,c,d}" * 4):
            with self.assertRaises(ValueError):
                Pattern(text)
        began = time.monotonic()
        for text, name in (("a*" * 100 + "b", "a" * 250), ("**/" * 60 + "b", "a/" * 100 + "a"), ("{a,b}*" * 6 + "x", "ab" * 120)):
            self.assertFalse(Pattern(text).fits_end(name))
        self.assertLess(time.monotonic() - began, 2)

    def test_found_below(self):
        root = self.folder / "scans"
        for name in ("a/one.nxs", "a/b/two.nxs", "a/.part.nxs", "three.h5"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).touch()
        (root / "circle").symlink_to(root)
        self.assertEqual(found_below(root, Pattern("**/*.nxs"))[0], ["a/b/two.nxs", "a/one.nxs"])
        self.assertEqual(found_below(root, Pattern("*/*.nxs"))[0], ["a/one.nxs"])
        self.assertEqual(found_below(root, Pattern("**/*/"))[0], ["a"])
        self.assertEqual(sorted(found_below(root, Pattern("**/*.nxs"))[1]), ["", "a", "a/b"])


class Told(list):
    """In place of the watcher's tell()."""

    def __call__(self, rule, find):
        self.append(find)


class Killed(BaseException):
    """The process ends here."""


class Fragile:
    """Finds or a queue that lets the process end before or after its n-th change."""

    def __init__(self, inner, names, count):
        self._inner, self._names, self._count = inner, names, count

    def __getattr__(self, name):
        attribute = getattr(self._inner, name)
        if name not in self._names:
            return attribute

        def before():
            self._count["left"] -= 1
            if self._count["left"] == 0:
                raise Killed

        if asyncio.iscoroutinefunction(attribute):
            async def change(*values, **named):
                before()
                result = await attribute(*values, **named)
                before()
                return result
        else:
            def change(*values, **named):
                before()
                result = attribute(*values, **named)
                before()
                return result
        return change


class Steps(unittest.TestCase):
    """Work in this process, whose time and end the test decides. Nothing runs the jobs."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tomo-web-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.arrives = self.folder / "scans" / "in"
        self.arrives.mkdir(parents=True)
        (self.folder / "results").mkdir()
        self.file = self.folder / "rules.toml"

    def server(self):
        server = InProcess(Settings(folders={"scans": self.folder / "scans"}, results=self.folder / "results", state=self.folder / "state",
                                    queue=self.folder / "queue"), "token")
        server.keeper = types.SimpleNamespace(start=lambda: None)
        return server

    def work(self, server, finds=None):
        self.file.write_text(self.text)
        rule, = rules.read(self.file, server).rules
        finds = finds or Finds(server.database)
        finds.begin(rule, 0)
        return rule_work.Work(server, finds, rule, None, Told())

    async def finish(self, work, until_state, patience=PATIENCE):
        """Turns until all finds are in a state."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            await work._turn()
            found = work._finds.page("beam")[0]
            if found and all(one.state is until_state for one in found):
                return found
            await asyncio.sleep(0.05)
        self.fail([(one.state, one.why) for one in found])

    def test_killed_at_every_change(self):
        self.text = BEAM.replace("0.5 }", "0.1 }")
        shutil.copyfile(SCAN, self.arrives / "a.nxs")
        answers, ask = {}, Questions.ask

        async def ask_once(questions, words, description, person=""):
            key = str((words, description))
            if key not in answers:
                answers[key] = await ask(questions, words, description, person)
            return answers[key]

        for name, replacement in (("programs.Questions.ask", ask_once), ("confined.check", unittest.mock.AsyncMock())):
            self.enterContext(unittest.mock.patch(f"tomo_web.{name}", replacement))

        async def with_death(at):
            server, count = self.server(), {"left": at}
            finds = Fragile(Finds(server.database), ("add", "save", "begun", "looked"), count)
            server.queue, queue = Fragile(server.queue, ("submit_many",), count), server.queue
            server.datasets = Fragile(server.datasets, ("add", "keep_look"), count)
            try:
                await self.finish(self.work(server, finds), State.ORDERED)
                return False
            except Killed:
                return True
            finally:
                server.queue = queue
                await server.close()

        async def life(at):
            for name in ("state", "queue"):
                shutil.rmtree(self.folder / name, ignore_errors=True)
            was_killed = await with_death(at)
            server = self.server()
            found = await self.finish(self.work(server), State.ORDERED)
            page = await server.queue.page()
            self.assertEqual([(one.source, one.dataset, one.job) for one in found], [("scans/in/a.nxs", 1, page.jobs[0].id)], at)
            self.assertEqual((page.total, page.jobs[0].subject, server.datasets.page()[1]), (1, "data set 1", 1), at)
            description = (await server.queue.get(page.jobs[0].id)).description
            self.assertEqual((description["output"], found[0].output), (found[0].output, str(self.folder / "results/beam/a-slices.h5")))
            await server.close()
            return was_killed

        deaths = 0
        while asyncio.run(life(deaths + 1)):
            deaths += 1
        self.assertGreater(deaths, 10)

    def test_who_asks_while_it_looks_gets_another_look(self):
        self.text = BEAM.replace("every = 0.5", "every = 600")

        async def live():
            server, looks = self.server(), []
            work = self.work(server)
            look = work._look

            async def asked_meanwhile(is_first):
                looks.append(is_first)
                if is_first:
                    work._finds.ask_run("beam")
                await look(is_first)

            work._look = asked_meanwhile
            for _ in range(3):
                await work._turn()
            self.assertEqual(looks, [True, False])
            await server.close()

        asyncio.run(live())

    def test_what_is_not_whole_waits(self):
        self.text = BEAM.replace("still = 0.5", 'still = 0.4, marker = "{name}.end", projections = 91, angles = 180')

        async def live():
            server = self.server()
            work, finds = self.work(server), Finds(server.database)

            async def why(wanted):
                for _ in range(200):
                    await work._turn()
                    if (found := finds.page("beam")[0]) and wanted in found[0].why:
                        return self.assertEqual(found[0].state, State.WAITING)
                    await asyncio.sleep(0.05)
                self.fail(found[0].why)

            content = SCAN.read_bytes()
            file = self.arrives / "a.nxs"
            for part in range(4):
                with open(file, "ab") as opened:
                    opened.write(content[part * len(content) // 4:(part + 1) * len(content) // 4])
                await why("has not changed for 0.4 s")
                await asyncio.sleep(0.2)
            await why("waits for the file a.end")
            (self.arrives / "a.end").touch()
            found = await self.finish(work, State.ORDERED)
            self.assertEqual([one.attempts for one in found], [0])
            await server.close()

        asyncio.run(live())

    def test_too_few_projections(self):
        self.text = BEAM.replace("0.5 }", "0, projections = 92 }") + '[rules.turn]\nfolder = "scans/in"\nwhole = { still = 0, angles = 360 }\n'
        shutil.copyfile(SCAN, self.arrives / "a.nxs")

        async def live():
            server = self.server()
            self.file.write_text(self.text)
            for rule, told in zip(rules.read(self.file, server).rules, ("has 91 of 92 projections", "has 182.0 of 360 degrees")):
                finds = Finds(server.database)
                finds.begin(rule, 0)
                work = rule_work.Work(server, finds, rule, None, Told())
                await work._turn()
                self.assertEqual([(one.state, one.why, one.attempts) for one in finds.page(rule.name)[0]], [(State.WAITING, told, 0)])
            self.assertEqual((server.datasets.page()[1], (await server.queue.page()).total), (0, 0))
            await server.close()

        asyncio.run(live())

    def test_jobs_at_once(self):
        self.text = BEAM.replace("0.5 }", "0 }") + "at-once = 2\n"
        for number in range(4):
            shutil.copyfile(SCAN, self.arrives / f"{number}.nxs")

        async def live():
            server = self.server()
            work, finds = self.work(server), Finds(server.database)
            for ordered in (2, 4):
                for _ in range(3):
                    await work._turn()
                self.assertEqual((await server.queue.page()).total, ordered)
                for one in finds.ordered("beam"):
                    one.state = State.DONE
                    finds.save(one)
            await server.close()

        asyncio.run(live())

    def test_replaced(self):
        for way, orders in (("ignore", 1), ("again", 2)):
            self.text = BEAM.replace("0.5 }", "0 }") + f'replaced = "{way}"\n'
            for name in ("state", "queue"):
                shutil.rmtree(self.folder / name, ignore_errors=True)
            shutil.copyfile(SCAN, self.arrives / "a.nxs")

            async def live():
                server = self.server()
                work, finds = self.work(server), Finds(server.database)
                first, = await self.finish(work, State.ORDERED)
                first.state = State.DONE
                finds.save(first)
                for _ in range(2):  # the second time nothing has changed
                    os.utime(self.arrives / "a.nxs", (5, 5))
                    work._looked = 0
                    await work._turn()
                    work._looked = 0
                    await work._turn()
                states = [one.state for one in finds.page("beam")[0]]
                self.assertEqual(states, [State.PASSED if way == "ignore" else State.ORDERED, State.DONE])
                page = await server.queue.page()
                self.assertEqual([page.total, len({job.key for job in page.jobs}), {job.subject for job in page.jobs}], [orders, orders, {"data set 1"}])
                await server.close()

            asyncio.run(live())

    def test_without_what_is_there(self):
        self.text = BEAM.replace("0.5 }", "0.1 }") + "existing = false\n"
        shutil.copyfile(SCAN, self.arrives / "old.nxs")
        shutil.copyfile(SCAN, self.arrives / "growing.nxs")

        async def live():
            server = self.server()
            work, finds = self.work(server), Finds(server.database)
            await work._turn()
            shutil.copyfile(SCAN, self.arrives / "new.nxs")
            os.utime(self.arrives / "growing.nxs")
            for _ in range(100):
                work._looked = 0
                await work._turn()
                if (await server.queue.page()).total == 2:
                    break
                await asyncio.sleep(0.05)
            self.assertEqual(collections.Counter((one.name, one.state) for one in finds.page("beam")[0]), collections.Counter([
                ("old", State.PASSED), ("growing", State.PASSED), ("growing", State.ORDERED), ("new", State.ORDERED)]))
            await server.close()

        asyncio.run(live())

    def test_unreadable_is_told_once(self):
        self.text = BEAM.replace("0.5 }", "0 }") + "retries = 2\n"
        (self.arrives / "bad.nxs").write_bytes(b"no scan" * 100)

        async def live(expected):
            server = self.server()
            work = self.work(server)
            found, = await self.finish(work, State.FAILED)
            self.assertEqual((found.attempts, len(work._tell)), (3, expected))
            self.assertNotIn(str(self.folder), found.why)
            await server.close()

        asyncio.run(live(1))
        asyncio.run(live(0))  # of another process


if __name__ == "__main__":
    main()
