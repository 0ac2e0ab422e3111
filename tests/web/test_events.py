# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Events of jobs by WebSockets: who gets them, that none is lost, and what many browsers cost."""

import asyncio
import contextlib
import json
import time
import uuid

import websockets
from webtest import LONG, ServerTest, busy, main, until

WATCHERS, SECONDS = 50, 10.0 if LONG else 3.0
BOUND = 0.5  # of a core, where 0.1 are wanted: other tests run at the same time
SLOW = {"axis": 86.35, "method": "sirt", "num-iterations": 3000}
PATH = "/tomo-web-test-"  # of the folders of tests, which no answer has


class EventsTest(ServerTest):
    def setUp(self):
        super().setUp()
        self.web = self.server()
        self.dataset = self.web.post("datasets", {"places": {"scan": "scans/savu24737.nxs"}})["id"]

    def order(self, settings):
        return self.web.post("jobs", {"datasets": [self.dataset], "settings": settings, "key": str(uuid.uuid4())})["jobs"][0]["id"]

    def socket(self, **headers):
        headers = {"Authorization": f"Bearer {self.web.token}", **{name.capitalize(): value for name, value in headers.items()}}
        return websockets.connect(f"ws://{self.web.host}:{self.web.port}/api/events", max_size=1 << 24,
                                  extra_headers={name: value for name, value in headers.items() if value is not None})


async def messages(socket, seconds=60):
    """Until nothing comes for that long."""
    with contextlib.suppress(TimeoutError, websockets.ConnectionClosed):
        while True:
            async with asyncio.timeout(seconds):
                text = await socket.recv()
            yield json.loads(text)


async def course(socket, number):
    """All (n, event) of a job up to its end, and all states in the jobs that were told, of which the last one may come behind that."""
    found, states = [], []
    async for message in messages(socket):
        states += [job["state"] for job in message.get("jobs", ()) if job["id"] == number]
        found += [(one["n"], one["event"]) for one in message.get("events", ()) if one["job"] == number]
        if any(event["event"] == "done" for _, event in found) and "done" in states:
            break
    return found, states


class WhoGetsThem(EventsTest):
    def test_only_who_is_logged_in_and_no_page_of_another_site(self):
        async def refused(**headers):
            with self.assertRaises((websockets.InvalidStatusCode, websockets.ConnectionClosed)):
                async with self.socket(**headers) as socket:
                    await socket.recv()

        async def all_of_them():
            await refused(authorization=None)
            await refused(authorization="Bearer wrong")
            await refused(origin="http://evil.example")
            async with self.socket(origin=f"http://{self.web.host}:{self.web.port}") as socket:
                await socket.send(json.dumps({"since": 0}))
                self.assertIn("revision", json.loads(await socket.recv()))
            for text in ("no json", "[]", '{"follow": ["1"]}', '{"follow": 7}', '{"since": -9}', '{"after": {"x": 1}, "follow": []}', "x" * 70000, b"{}"):
                async with self.socket() as socket:
                    await socket.send(text)
                    async for _ in messages(socket):
                        pass
                    self.assertIn(socket.close_code, (4400, 1009), text[:20])
        asyncio.run(all_of_them())


class Courses(EventsTest):
    def test_a_job_from_begin_to_end(self):
        async def watched():
            async with self.socket() as socket, self.socket() as later:
                number = self.order({"axis": 86.35, "flat-scale": 0.68})
                await socket.send(json.dumps({"follow": [number]}))
                found, states = await course(socket, number)
                await later.send(json.dumps({"follow": [number], "after": {str(number): found[2][0]}, "since": 0}))
                again, now = await course(later, number)
                return number, found, states, again, now

        number, found, states, again, now = asyncio.run(watched())
        kinds = [event["event"] for _, event in found]
        self.assertEqual((kinds[0], kinds[-1]), ("hello", "done"))
        self.assertIn("plan", kinds)
        self.assertEqual([n for n, _ in found], sorted({n for n, _ in found}))
        self.assertNotIn(PATH, json.dumps(found))
        self.assertIn("results/savu24737-slices.h5", json.dumps(found[-1][1]))
        self.assertTrue(found[0][1]["line"].endswith("began"), found[0])
        # One at a time and in order; states of less than a look at the queue are not told.
        self.assertEqual(list(dict.fromkeys(states)), [state for state in ("queued", "running", "done") if state in states])
        lacking = [n for n, event in found if event["event"] != "progress" and n > found[2][0]]
        self.assertEqual([n for n, event in again if event["event"] != "progress"], lacking)  # none twice, none lost
        self.assertEqual(self.web.get(f"jobs/{number}")["state"], "done")
        self.assertEqual(now[-1], "done")

    def test_states_reach_everybody(self):
        """Also a browser that follows no job, and one that reads late; and jobs that are forgotten."""
        async def watched():
            async with self.socket() as quick, self.socket() as late:
                number = self.order(SLOW)
                found = []
                asked = set()
                async for message in messages(quick):
                    found += [job["state"] for job in message.get("jobs", ()) if job["id"] == number]
                    if "running" in found and "pause" not in asked:
                        asked.add("pause")
                        self.web.post(f"jobs/{number}/pause")
                    if "paused" in found and "cancel" not in asked:
                        asked.add("cancel")
                        self.web.post(f"jobs/{number}/cancel")
                    if found and found[-1] == "cancelled" and "forget" not in asked:
                        asked.add("forget")
                        self.assertEqual(self.web.ask("DELETE", f"jobs/{number}").status, 204)
                    if number in message.get("gone", ()):
                        break
                last = []
                async for message in messages(late):
                    last += [job["state"] for job in message.get("jobs", ()) if job["id"] == number]
                    if number in message.get("gone", ()):
                        return found, last
        found, last = asyncio.run(watched())
        self.assertEqual([state for at, state in enumerate(found) if not at or found[at - 1] != state][-3:], ["running", "paused", "cancelled"])
        self.assertEqual(last[-1], "cancelled")


class SlowBrowsers(ServerTest):
    def test_what_is_lost_is_only_how_far_it_is(self):
        from tomo_web.hub import MOST_WAITING, Browser

        async def read():
            browser = Browser()
            for n in range(1000):
                browser.put_event(7, n, json.dumps({"job": 7, "n": n, "event": {"event": "progress"}}), True)
                browser.put_jobs(n, {7: json.dumps({"id": 7, "state": "running" if n < 999 else "done"})}, ())
            for n in range(1000, 1010):
                browser.put_event(7, n, json.dumps({"job": 7, "n": n, "event": {"event": "message"}}), False)
            message = json.loads(await browser.message())
            self.assertEqual((message["jobs"], message["revision"]), ([{"id": 7, "state": "done"}], 999))
            self.assertEqual([one["n"] for one in message["events"]], [*range(999, 1010)])
            self.assertFalse(browser.is_lost)
            for n in range(MOST_WAITING + 1):
                browser.put_event(7, n, "{}", False)
            self.assertTrue(browser.is_lost)  # it has to come again, and gets what it lacks
        asyncio.run(read())


class Costs(EventsTest):
    def test_fifty_browsers_watch_a_job(self):
        """Less than a tenth of a core for the server."""
        async def watched():
            async with contextlib.AsyncExitStack() as stack:
                number = self.order({"axis": 86.35, "method": "sirt", "num-iterations": 3000})
                until(lambda: self.web.get(f"jobs/{number}")["state"] == "running", "it does not run")
                sockets = [await stack.enter_async_context(self.socket()) for _ in range(WATCHERS)]
                for socket in sockets:
                    await socket.send(json.dumps({"follow": [number], "since": 0}))
                await asyncio.sleep(1)
                counts = [0] * WATCHERS

                async def count(at):
                    async for message in messages(sockets[at]):
                        counts[at] += sum(event["event"]["event"] == "progress" for event in message.get("events", ()))

                tasks = [asyncio.create_task(count(at)) for at in range(WATCHERS)]
                before, since = busy(self.web.process.pid), time.monotonic()
                await asyncio.sleep(SECONDS)
                share = (busy(self.web.process.pid) - before) / (time.monotonic() - since)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                self.web.post(f"jobs/{number}/cancel")
                return share, counts

        share, counts = asyncio.run(watched())
        print(f"{WATCHERS} browsers take {100 * share:.1f} % of a core, for {sum(counts) / WATCHERS / SECONDS:.1f} events a second each")
        self.assertGreater(min(counts), 0)
        self.assertLess(share, BOUND)


if __name__ == "__main__":
    main()
