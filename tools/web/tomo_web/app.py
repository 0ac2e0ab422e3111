# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The application: what it keeps open, and which addresses it answers."""

import contextlib
import copy
import pathlib

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from fastapi.utils import generate_unique_id
from gsttomo.faces import looks
from gsttomo.jobs import Queue
from starlette.routing import compile_path

from . import (access, administration, axis, browse, dataset_store, datasets, events, forms, images, ingest, jobs, kept_settings, live, notify, slices,
               templates, thumbnails, upload_store, uploads)
from . import downloads, portal_room, results, retention, shares, volumes, watch
from .bricks import Bricks
from .computer import Computer, Keeper
from .database import Database
from .description import complete_description
from .folders import Folders
from .given import Facts
from .guard import Guard
from .hub import Hub
from .live_run import LiveRun
from .mishaps import answer_for_mishaps
from .notices import Notices
from .open_volumes import OpenVolumes
from .previews import Previews
from .programs import Estimates, Looks, Questions
from .result_names import ResultNames

STATIC = pathlib.Path(__file__).resolve().parents[1] / "static"
SAMPLES = pathlib.Path(__file__).resolve().parents[3] / "examples" / "data"  # where the server runs from its sources
# Debian's libjs-bootstrap5; in an archive that carries its own, beside this.
_PLACES = [pathlib.Path(__file__).resolve().parents[3] / "javascript" / "bootstrap5", pathlib.Path("/usr/share/javascript/bootstrap5")]
BOOTSTRAP = next(filter(pathlib.Path.is_dir, _PLACES), _PLACES[-1])
ROOMS = (  # modules with TABLES, and a `router` below /api
    access,
    administration,
    browse,
    datasets,
    thumbnails,
    images,
    ingest,
    uploads,
    forms,
    kept_settings,
    templates,
    axis,
    slices,
    results,
    volumes,
    downloads,
    shares,
    portal_room,
    jobs,
    live,
    events,
    notify,
    retention,
)


class Server:
    """What all requests share. As `request.app.state.server`, by the dependency server_of()."""

    def __init__(self, settings, token):
        self.settings = settings
        self.folders = folders_of(settings)
        self.database = Database(settings.state / "web.sqlite", ROOMS)
        self.access = access.Desk(settings, self.database, token)
        self.datasets = dataset_store.Store(self.database)
        self.queue = Queue(settings.queue)
        self.computer = Computer()
        self.keeper = Keeper(self.queue.folder)
        self.result_names = ResultNames(self.database, self.queue, settings.results)
        self.previews = Previews(self.queue)
        self.hub = Hub(self.queue, self.folders.told, self.keeper)
        self.notices = Notices(settings, self.database, self.queue, self.folders.told)
        self.hub.listeners.append(self.notices.wake)
        self.keeping = retention.Keeping(settings, self.database, self.queue)
        self.questions = Questions()
        self.estimates = Estimates(Questions())  # that take long: nobody's facts wait for them
        self.facts = Facts()
        self.volumes = OpenVolumes(self.folders)
        self.bricks = Bricks(settings.state / "bricks")
        self.looks = Looks()
        self.flow_looks = Looks("tomo-runjson", looks.whole_flow)
        self.thumbnails = thumbnails.Thumbnails(settings.state / "thumbnails", self.looks)
        self.uploads = upload_store.Uploads(settings, self.folders, self.database)
        self.live = LiveRun(settings, self.folders)
        self.ingests = ingest.Ingests()
        self.stacks = images.Stacks(self.flow_looks)
        self.watcher = watch.Watcher(self, settings.watch) if settings.watch else None

    def start(self):
        """What goes on without a request."""
        self.hub.start()
        self.live.begin()
        self.notices.start()
        self.keeping.start()
        if self.watcher:
            self.watcher.start()

    async def close(self):
        if self.watcher:
            await self.watcher.close()
        await self.live.close()
        await self.hub.close()
        await self.notices.close()
        await self.keeping.close()
        await self.previews.close()
        await self.ingests.close()
        await self.uploads.close()
        await self.looks.close()
        await self.flow_looks.close()
        self.volumes.close()
        self.queue.close()
        self.database.close()


def folders_of(settings):
    return Folders({**_samples(), **settings.folders, "results": settings.results})


def _samples():
    """A folder with scans for people who have none."""
    return {"samples": SAMPLES} if (SAMPLES / "savu24737.nxs").is_file() else {}


def _below_api(route):
    """The same route with its whole address. include_router() makes each one anew, with models and all: half of the time of a start."""
    made = copy.copy(route)
    made.path = f"/api{route.path}"
    made.path_regex, made.path_format, made.param_convertors = compile_path(made.path)
    if isinstance(made, APIRoute):
        made.unique_id = generate_unique_id(made)
    return made


def create_app(settings, token):
    """The application behind its guard. `token` lets in where settings.access is `token`."""
    @contextlib.asynccontextmanager
    async def lifespan(app):
        app.state.server = Server(settings, token)
        app.state.server.start()
        try:
            yield
        finally:
            await app.state.server.close()

    app = FastAPI(title="gst-tomo", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json",
                  description="Data sets, reconstructions and results. Errors are {error, field}.")
    app.router.lifespan_context = lifespan  # FastAPI of Debian 12 has no argument for it
    for room in ROOMS:
        app.router.routes += map(_below_api, room.router.routes)

    answer_for_mishaps(app)
    complete_description(app)

    @app.get("/", include_in_schema=False)
    async def begin():
        return RedirectResponse("/ui/")

    app.mount("/ui/bootstrap", StaticFiles(directory=BOOTSTRAP, check_dir=False, follow_symlink=True))
    app.mount("/ui", StaticFiles(directory=STATIC, html=True))
    return Guard(app, settings)
