# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A manager of jobs in a thread of its own, for the threads of Tango."""

import asyncio
import concurrent.futures
import logging
import threading

import tango

from gsttomo import jobs

log = logging.getLogger(__name__)
ENDED = "this device has ended its jobs, as by Init"
ENDING = 30.0  # seconds for all jobs to end, where the disk lets them


class Engine:
    """Runs a queue, and calls functions of it from any thread. Raises what they raise."""

    _open = {}  # by folder: devices of one server share a queue, and so never fight for a GPU
    _lock = threading.Lock()

    @classmethod
    def take(cls, folder, **options):
        """The engine of a folder, for one more user, whose options are those of the others. Raises jobs.Error, OSError."""
        with cls._lock:
            if folder not in cls._open:
                cls._open[folder] = cls(folder, options)
            engine = cls._open[folder]
            if wrong := [f"{name} {options[name]} and not {value}" for name, value in engine._options.items() if options[name] != value]:
                raise jobs.Error(f"the queue {folder} is served already for another device of this server, and this one wants "
                                 f"{', '.join(wrong)}; wanted the same Devices, Idle and MostJobs, or another Queue")
            engine._users += 1
            return engine

    def give_back(self):
        """Ends it with its last user: all jobs are cancelled."""
        with self._lock:
            self._users -= 1
            if self._users:
                return
            del self._open[self._folder]
        try:
            self.call(self._end, timeout=ENDING)
        except Exception:
            log.exception("jobs do not end as they should")
        self._stop()

    def _stop(self):
        """Ends the thread. Calls that still wait end with an error, and so do later ones."""
        with self._gate:
            self._is_over = True
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def __init__(self, folder, options):
        self._folder, self._options, self._users = folder, options, 0
        self.problem = None  # by which the manager has ended
        self._listeners = set()
        self._gate, self._is_over = threading.Lock(), False  # of calls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._thread.start()
        self._manager = jobs.Manager(folder, **options)
        try:
            self.call(self._begin)
        except BaseException:
            self._stop()
            raise

    def _run(self):
        with tango.EnsureOmniThread():  # listeners push events
            asyncio.set_event_loop(self._loop)
            self._loop.run_forever()
            while tasks := asyncio.all_tasks(self._loop):
                for task in tasks:
                    task.cancel()
                self._loop.run_until_complete(asyncio.wait(tasks))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _begin(self):
        self.queue = jobs.Queue(self._folder)
        try:
            await self._manager.open()
        except BaseException:
            self.queue.close()
            raise
        self._watch = asyncio.create_task(self._tell())
        self._guard = asyncio.create_task(self._see_end())

    async def _end(self):
        self._watch.cancel()
        self._guard.cancel()
        await self._manager.close(cancel=True)
        self.queue.close()

    async def _see_end(self):
        try:
            await self._manager.run()
        except Exception as e:
            log.exception("no jobs are run any more")
            self.problem = str(e) or type(e).__name__
            await self._tell_all()

    async def _tell(self):
        while True:
            try:
                async for _ in self.queue.changes():
                    await self._tell_all()
            except Exception:  # such as of a disk
                log.exception("changes can't be seen")
                await asyncio.sleep(1)

    async def _tell_all(self):
        for listener in list(self._listeners):
            try:
                await listener()
            except Exception:  # of one device; the others want to know
                log.exception("a device can't tell its changes")

    def listen(self, listener):
        """Calls a coroutine function whenever something has changed."""
        self._listeners.add(listener)
        self.call(listener)

    def forget(self, listener):
        self._listeners.discard(listener)

    def call(self, function, *arguments, timeout=None, **options):
        """Raises TimeoutError, and jobs.Error where the engine ends meanwhile."""
        with self._gate:
            if self._is_over:
                raise jobs.Error(ENDED)
            future = asyncio.run_coroutine_threadsafe(function(*arguments, **options), self._loop)
        try:
            return future.result(timeout)
        except concurrent.futures.CancelledError:
            raise jobs.Error(ENDED) from None
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise TimeoutError(f"not within {timeout} s") from None

    async def end_session(self, session):
        await self._manager.end_session(session)
