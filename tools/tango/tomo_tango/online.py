# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The device class `TangoOnlineReconstruction`: Concert's, over jobs. Its names and types are those of Concert."""

import contextlib
import functools
import os
import pathlib
import shutil
import threading
import time

import numpy as np
from tango import AttrWriteType, DevFailed, DevState, PipeWriteType
from tango.server import attribute, command, pipe

from gsttomo.jobs import State

from . import parameters
from .arguments import Arguments
from .device import JobDevice, default_folder, refuse
from .recording import METRICS, Volume, forget, measured, name_of, record
from .stream import Receiver, StreamError
from .texts import outgoing, told_of
from .writer import SliceWriter, WriterError

SETTLING = 0.05  # seconds for parameters that have been written just before: Concert's client does not wait for its own writes


def answered(function):
    """Errors of a command as Tango has them."""
    @functools.wraps(function)
    def wrapper(self, *arguments):
        try:
            return function(self, *arguments)
        except StreamError as e:
            refuse("BadStream", e, self.get_name())
        except (ValueError, IndexError) as e:
            refuse("BadDescription", e, self.get_name())
        except (OSError, WriterError) as e:
            refuse("Failed", e, self.get_name())
    return wrapper


class TangoOnlineReconstruction(JobDevice):
    """Takes darks, flats and projections from a stream and reconstructs them, for Concert."""

    # Begin and end

    def init_device(self):
        super().init_device()
        self._arguments, self._find_arguments = Arguments(), {}
        self._receiver, self._cancelled, self._turn = Receiver(), threading.Event(), threading.Lock()
        self._job = self._volume = self._line = self._writer = None
        self._shape = self._projected = None  # of a dark or flat, and of a projection
        self._folder = None
        self._is_used = False  # darks and flats: the next ones replace both
        self._add_parameters()
        self.begin()
        if self._engine is not None:
            self._begin_folder()

    def _begin_folder(self):
        self._folder = pathlib.Path(self.Queue or default_folder()).absolute() / "streams" / self.get_name().replace("/", "-")
        try:
            self._call(self._engine, self._cancel_all, self._engine.queue)  # of a server that was killed
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
        except (OSError, DevFailed) as e:
            self._show(DevState.FAULT, f"no stream can be taken: {told_of(e)}")

    def _end_jobs(self):
        self._cancelled.set()
        super()._end_jobs()
        with self._turn:  # the command that runs has ended
            self._receiver.close()
            self._end_writer()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _end_writer(self):
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _add_parameters(self):
        self._names = {}
        for name, described in self._arguments.described():
            self._names[parameters.attribute_name(name)] = name
            self.add_attribute(parameters.attributes_of(name, described, self.read_parameter, self.write_parameter))

    async def _look(self):
        if self._engine is not None and (self._engine.problem is not None or self.get_state() == DevState.INIT):
            self._rest("waits for a stream")

    def _rest(self, status):
        """Nothing runs."""
        problem = self._engine and self._engine.problem
        if problem:
            self._show(DevState.FAULT, f"no jobs can be run any more: {problem}")
        else:
            self._show(DevState.STANDBY, status)

    @contextlib.contextmanager
    def _busy(self, status):
        """One stream or reconstruction at a time."""
        engine = self._working()
        if not self._turn.acquire(blocking=False):
            refuse("Busy", f"{self.get_status()}; wait for its end, or call cancel", self.get_name())
        try:
            self._cancelled.clear()
            self._show(DevState.RUNNING, status)
            yield engine
        except BaseException as e:
            self._rest(f"failed: {told_of(e)}")
            raise
        else:
            self._rest("waits for a stream")
        finally:
            self._turn.release()

    # Parameters

    def read_parameter(self, attr):
        value, quality = self._arguments.read(self._names[attr.get_name()])
        attr.set_value_date_quality(outgoing(value) if isinstance(value, str) else value, time.time(), quality)

    @answered
    def write_parameter(self, attr):
        self._arguments.write(self._names[attr.get_name()], attr.get_write_value())

    @attribute(dtype=str, access=AttrWriteType.READ_WRITE, doc="A number for each slice instead of the slice; empty: slices")
    def slice_metric(self):
        return self._arguments.slice_metric

    @slice_metric.write
    @answered
    def slice_metric(self, metric):
        self._arguments.set_slice_metric(metric)

    @command(dtype_out=(str,))
    def get_parameters(self):
        """Names of parameters, each with its description behind it."""
        found = [("slice_metric", "A number for each slice instead of the slice")]
        found += [(parameters.attribute_name(name), described["description"]) for name, described in self._arguments.described()]
        return [outgoing(one) for pair in found for one in pair]

    @command(dtype_out=(str,))
    def get_z_parameters(self):
        """Those that may differ from slice to slice."""
        return self._arguments.z_parameters

    @command(dtype_out=(str,))
    def get_slice_metrics(self):
        """Those that slice_metric takes."""
        return [*METRICS, ""]

    # The stream

    @attribute(dtype=str, access=AttrWriteType.READ_WRITE, doc="Where images come from, such as tcp://host:8991")
    def endpoint(self):
        return self._receiver.endpoint

    @endpoint.write
    @answered
    def endpoint(self, endpoint):
        if self._turn.locked():
            refuse("Busy", f"{self.get_status()}; its endpoint stays", f"{self.get_name()}/endpoint")
        self._receiver.connect(endpoint)

    @command
    @answered
    def connect_endpoint(self):
        """Again, after disconnect_endpoint."""
        self._receiver.connect(self._receiver.endpoint)

    @command
    def disconnect_endpoint(self):
        """Ends the connection, and a stream that comes."""
        self._receiver.disconnect()

    @command
    @answered
    def reset_connection(self):
        """Forgets images that have come and that nobody has asked for."""
        with self._busy("forgets images that have come"):
            self._receiver.forget()

    @command
    def cancel(self):
        """Ends the command that runs, with an error for the one who called it."""
        self._cancelled.set()
        job = self._job
        if job is not None:
            self._ask("cancel", job)

    @command
    @answered
    def reset_manager(self):
        """Forgets darks and flats; projections and slices stay."""
        with self._busy("forgets darks and flats"):
            self._forget_references()

    @command(dtype_out=str)
    def get_manager_state(self):
        """`running` or `standby`, of the reconstruction."""
        return "standby" if self._job is None else "running"

    @command
    @answered
    def update_darks(self):
        """Takes darks from the stream until its end."""
        self._update("darks")

    @command
    @answered
    def update_flats(self):
        """Takes flats from the stream until its end."""
        self._update("flats")

    def _update(self, kind):
        with self._busy(f"takes {kind} from the stream"):
            if self._is_used:
                self._forget_references()
            self._shape = record(self._path(kind), self._receiver.images(self._cancelled), self._reference_shape())

    def _path(self, kind):
        return self._folder / f"{kind}.h5"

    def _reference_shape(self):
        """Of darks and flats; None where there are none."""
        return self._shape if self._path("darks").exists() or self._path("flats").exists() else None

    def _forget_references(self):
        for kind in ("darks", "flats"):
            forget(self._path(kind))
        self._is_used = False

    # Reconstruction

    @command(dtype_in=str)
    @answered
    def reconstruct(self, slice_directory):
        """Takes projections from the stream until its end, and reconstructs them."""
        self._reconstruct(slice_directory, is_cached=False)

    @command(dtype_in=str)
    @answered
    def rereconstruct(self, slice_directory):
        """Reconstructs the same projections again."""
        self._reconstruct(slice_directory, is_cached=True)

    def _reconstruct(self, slice_directory, is_cached):
        if slice_directory and self._writer is None:
            raise ValueError(f"slices can't be written to '{slice_directory}': setup_walker was not called; wanted an empty text")
        with self._busy("reconstructs" if is_cached else "takes projections from the stream") as engine:
            if is_cached:
                time.sleep(SETTLING)
            else:
                self._projected = record(self._path("projections"), self._receiver.images(self._cancelled), self._reference_shape(),
                                         self._arguments.number)
            metric = self._arguments.slice_metric
            if slice_directory and metric:
                raise ValueError(f"no slices can be written to '{slice_directory}': slice_metric leaves a number of each; wanted an empty text")
            self._is_used = True
            volume = self._volume_of(engine, self._arguments.configuration(self._columns()), "volume.h5")
            self._volume, self._line = (None, measured(volume, metric)) if metric else (volume, None)
            if slice_directory:
                self._show(DevState.RUNNING, f"sends slices to {slice_directory}")
                self._writer.write(slice_directory, volume.slices(), self._cancelled)

    @command(dtype_in=(str,), doc_in="Tango device of Concert's walker, root folder, protocol, host and port of the slices' stream")
    @answered
    def setup_walker(self, arguments):
        """From now on slices are sent to a writer of Concert, which writes them below the root folder."""
        if len(arguments) != 5:
            raise ValueError(f"setup_walker has {len(arguments)} texts; wanted device, root, protocol, host and port")
        with self._busy("connects a writer"):
            self._end_writer()
            self._writer = SliceWriter(*arguments)

    def _columns(self):
        if self._projected is None:
            raise StreamError("there are no projections yet; call reconstruct while they are sent")
        return self._projected[1]

    def _volume_of(self, engine, configuration, name):
        """Runs a job about the projections. It replaces an earlier volume of that name."""
        self._show(DevState.RUNNING, "reconstructs")
        made, new = self._folder / name, self._folder / f"new-{name}"
        description = {**self._files(), **configuration, "output": str(new), "overwrite": True, "report": False, "picture": False}
        job = self._call(engine, engine.queue.submit, description, owner=self.get_name(), session=self.get_name(), folder=os.getcwd())
        self._job = job.id
        try:
            if self._cancelled.is_set():
                self._call(engine, engine.queue.cancel, job.id)
            job = self._call(engine, engine.queue.wait, job.id)
        finally:
            self._job = None
        if job.state is not State.DONE:
            refuse("Failed", f"job {job.id} is {job.state}: {job.error}", self.get_name())
        os.replace(new, made)
        return Volume(made)

    def _files(self):
        """Without flats projections are as they are, as in Concert."""
        kinds = ("projections", "darks", "flats") if self._path("flats").exists() else ("projections",)
        files = {kind: name_of(self._path(kind)) for kind in kinds if self._path(kind).exists()}
        return files if "flats" in files else {"flat-correction": "off", **files}

    # A parameter by its metric

    find_parameter_args = pipe(label="find_parameter_args", doc="parameter, region, metric, z and store of find_parameter",
                               access=PipeWriteType.PIPE_READ_WRITE)

    def read_find_parameter_args(self):
        if not self._find_arguments:
            refuse("BadDescription", "the pipe find_parameter_args was not written", self.get_name())
        return "find_parameter_args", self._find_arguments

    @answered
    def write_find_parameter_args(self, arguments):
        _, blob = arguments
        found = {one["name"]: one["value"] for one in blob}
        if missing := {"parameter", "region", "metric", "z", "store"} - set(found):
            raise ValueError(f"find_parameter_args has no {', '.join(sorted(missing))}")
        parameter = found["parameter"].replace("_", "-")
        if parameter not in self._arguments.z_parameters:
            raise ValueError(f"'{parameter}' is no parameter to find; these are: {', '.join(self._arguments.z_parameters)}")
        if found["metric"] not in METRICS:
            raise ValueError(f"metric does not take '{found['metric']}'; it takes {', '.join(METRICS)}")
        region = list(map(float, found["region"]))
        if len(region) != 3 or not len(np.arange(*region)):
            raise ValueError(f"region is {region}; wanted from, to and step")
        self._find_arguments = {**found, "parameter": parameter, "region": region}

    @command(dtype_out=float, doc_out="The value of the least metric")
    @answered
    def find_parameter(self):
        """Makes a slice of the projections for each value of a region, as find_parameter_args tells."""
        with self._busy("looks for a parameter") as engine:
            time.sleep(SETTLING)
            _, given = self.read_find_parameter_args()
            configuration = self._arguments.search(self._columns(), given["parameter"], given["region"], float(given["z"]))
            metrics = measured(self._volume_of(engine, configuration, "search.h5"), given["metric"])
            value = float(np.arange(*given["region"])[np.nanargmin(metrics)])
            if given["store"]:
                self._arguments.write(given["parameter"], value if given["parameter"] == "z" else [value])
            return value

    # Slices

    def _made(self):
        if self._volume is None:
            refuse("NoVolume", "slice_metric is given, so that there is a line and no volume; see get_volume_line" if self._line is not None
                   else "nothing is reconstructed yet", self.get_name())
        return self._volume

    @command(dtype_out=(int,))
    def get_volume_shape(self):
        """Slices, rows and columns; with slice_metric the length of the line."""
        return self._line.shape if self._line is not None else self._made().shape

    @command(dtype_in=int, dtype_out=(np.float32,))
    @answered
    def get_slice_x(self, index):
        """Of slices and rows, one after the other."""
        return self._made().cut(2, index).ravel()

    @command(dtype_in=int, dtype_out=(np.float32,))
    @answered
    def get_slice_y(self, index):
        """Of slices and columns."""
        return self._made().cut(1, index).ravel()

    @command(dtype_in=int, dtype_out=(np.float32,))
    @answered
    def get_slice_z(self, index):
        """A slice: of rows and columns."""
        return self._made().cut(0, index).ravel()

    @command(dtype_out=(np.float32,))
    def get_volume_line(self):
        """A number for each slice, with slice_metric."""
        if self._line is None:
            refuse("NoVolume", "there is no line; write slice_metric, and reconstruct", self.get_name())
        return self._line.astype(np.float32)
