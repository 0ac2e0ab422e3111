# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Type stubs of gsttomo for editors and type checkers, which do not run Python and so see no task.

    python3 -m gsttomo.stubs FOLDER

writes FOLDER/gsttomo-stubs/__init__.pyi, with the tasks of all plugins that are installed, and reconstruction.pyi and
tomopy.pyi beside it, with all parameters. A folder beside the code is
found by most editors (mypy: MYPYPATH=FOLDER).
"""

import inspect
import keyword
import os
import sys

from ._slices import METHODS
from ._task import class_names, class_of

HEAD = '''"""Made by python3 -m gsttomo.stubs; see gsttomo."""

from collections.abc import Iterable, Iterator, KeysView, Sequence
from os import PathLike
from typing import Any, Literal

import numpy as np

Input = Task | Flow | np.ndarray | Iterable[Any]

class Error(RuntimeError): ...

class Result: ...

class Frame:
    index: int | None
    angle: float | None
    source: str | None
    @property
    def view(self) -> np.ndarray: ...
    @property
    def array(self) -> np.ndarray: ...
    @property
    def opencl_handle(self) -> int | None: ...

class Flow:
    @property
    def task(self) -> Task: ...
    def run(self) -> Run: ...
    def result(self, name: str) -> Result: ...
    def frames(self, on_device: bool = False) -> Iterator[Frame]: ...
    def __iter__(self) -> Iterator[Any]: ...

class Outputs(Flow):
    def keys(self) -> KeysView[str]: ...
    def __getitem__(self, name: str) -> Flow: ...
    def __getattr__(self, name: str) -> Flow: ...

class Run:
    @property
    def progress(self) -> tuple[int, int, int]: ...
    def is_running(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> bool: ...
    def join(self, timeout: float | None = None) -> bool: ...
    def abort(self) -> None: ...
    def finish(self) -> None: ...

class Task:
    @property
    def outputs(self) -> Outputs: ...
    def __call__(self, *inputs: Input, **named: Input) -> Flow: ...
    def __iter__(self) -> Iterator[Any]: ...

def run(*flows: Flow) -> Run: ...
def tasks() -> list[str]: ...
def element(plugin: str, **properties: Any) -> Task: ...
'''

RECONSTRUCTION = '''"""Made by python3 -m gsttomo.stubs; see gsttomo.reconstruction."""

from collections.abc import AsyncIterator, Iterator
from os import PathLike
from typing import Any, Literal, NamedTuple

import gsttomo
import numpy as np
from numpy.typing import ArrayLike

Path = str | PathLike[str]
Source = Path | ArrayLike | Scan | None

class Error(gsttomo.Error): ...
class ParameterError(Error, ValueError): ...
class Aborted(Error): ...
class Warning(UserWarning): ...

class Stage(NamedTuple):
    name: str
    index: int
    count: int

class Message(NamedTuple):
    level: str
    text: str
    element: str | None

class Result(NamedTuple):
    name: str
    value: float
    unit: str
    uncertainty: float | None

class Progress(NamedTuple):
    stage: str
    done: int
    total: int
    unit: str
    rate: float | None
    seconds_left: float | None
    iteration: int | None
    iterations: int | None
    residual: float | None

class Preview(NamedTuple):
    number: int
    image: np.ndarray
    iteration: int | None

class Done(NamedTuple):
    status: str
    outputs: list[str]

class Finding(NamedTuple):
    name: str
    severity: str
    text: str
    advice: str

class AxisOfRow(NamedTuple):
    row: float
    axis: float
    uncertainty: float
    pairs: int

Event = Stage | Message | Result | Progress | Preview | Done

class Run(Iterator[Event], AsyncIterator[Event]):
    status: str
    axis: float | None
    pixel_size: float | None
    values: list[str] | None
    @property
    def result(self) -> Slices | File | None: ...
    def is_running(self) -> bool: ...
    def finish(self) -> None: ...
    def abort(self) -> None: ...
    def pause(self) -> None: ...
    def unpause(self) -> None: ...
    def __next__(self) -> Event: ...
    async def __anext__(self) -> Event: ...
    def __iter__(self) -> Run: ...
    def __aiter__(self) -> Run: ...
    def __enter__(self) -> Run: ...
    def __exit__(self, *_: object) -> None: ...

class Scan:
    name: str
    kind: Literal["scan", "sinograms"]
    width: int
    height: int
    format: str
    projections: int
    views: int
    darks: int
    flats: int
    flats_after: int
    files: int
    angle_first: float
    angle_last: float
    angle_step: float
    angles_from: str
    axis: float | None
    pixel_size: float | None
    distance: float | None
    source_distance: float | None
    energy: float | None
    findings: list[Finding]
    description: str
    @property
    def path(self) -> str | None: ...
    @property
    def is_usable(self) -> bool: ...
    def image(self) -> np.ndarray: ...

class AxisEstimate:
    axis: float
    uncertainty: float
    tilt: float
    tilt_degrees: float
    tilt_uncertainty_degrees: float
    method: str
    axis_of_scan: float | None
    warning: str | None
    pairs: int
    rows: list[AxisOfRow]
    used_rows: int
    methods: list[dict[str, Any]]
    curve: dict[str, Any]
    def __float__(self) -> float: ...

class Slices(np.ndarray):
    axis: float | None
    pixel_size: float | None

class File(str):
    dataset: str | None
    @property
    def location(self) -> str: ...
    def image(self, number: int | None = None) -> np.ndarray: ...

class Sweep(tuple[list[Any], Slices | File]):
    name: str
    values: list[Any]
    array: Slices | File

def describe() -> dict[str, Any]: ...
'''

ARRAYS = ("projections", "darks", "flats", "flats2", "sinograms", "angles", "shifts", "initial", "mask")
RETURNS = {"reconstruct": "Slices | File", "run": "Run", "inspect": "Scan", "estimate_axis": "AxisEstimate", "sweep": "Sweep"}
OWN_TYPES = {"source": "Source", "out": "np.ndarray | None", "progress": "bool | None", "preview": "float | None", "parameter": "str"}

TYPES = {"boolean": "bool", "integer": "int", "number": "float", "string": "str | PathLike[str]",
         "array": "Sequence[Any] | np.ndarray"}


def type_of(info):
    if info["type"] == "enum":
        return f"Literal[{', '.join(repr(choice['name']) for choice in info['choices'])}]"
    return TYPES.get(info["type"], "Any")


def quoted(text):
    text = text.replace("\\", "\\\\").replace('"""', "'''")
    if text.endswith('"'):  # which would be one of those that end it
        text = text[:-1] + '\\"'
    return f'"""{text}"""'


def stub_of(name, task):
    properties = {key: info for key, info in task._properties.items() if info["own"] and not keyword.iskeyword(key)}
    lines = [f"class {name}(Task):", f"    {quoted(task.__doc__.splitlines()[0])}", ""]
    for key, info in properties.items():
        lines += [f"    {key}: {type_of(info)}", f"    {quoted(info['description'])}"]
    lines += [f"    {key.replace('-', '_')}: float | None" for key in task._results]
    arguments = "".join(f", {key}: {type_of(info)} | Result = ..." for key, info in properties.items())
    lines.append(f"    def __init__(self{', *' if arguments else ''}{arguments}, **others: Any) -> None: ...")
    if task._outputs:
        lines.append("    def __call__(self) -> Outputs: ...")
    return "\n".join(lines) + "\n"


def type_of_parameter(name):
    from ._parameters import schema

    about = schema()[name]
    if name in ARRAYS:
        return "Path | ArrayLike | None"
    if "enum" in about:
        choices = f"Literal[{', '.join(map(repr, about['enum']))}]"
        return f"{choices} | bool" if {"on", "off"} <= set(about["enum"]) else choices
    kind = {"boolean": "bool", "integer": "int", "number": "float"}.get(about["type"], "Path")
    return f"{kind} | None" if about.get("x-automatic") or "default" not in about else kind


def stub_of_function(name):
    from . import reconstruction
    from ._parameters import name_of

    function = getattr(reconstruction, name)
    arguments, starred = [], False
    for argument in inspect.signature(function).parameters.values():
        if argument.kind == argument.KEYWORD_ONLY and not starred:
            arguments.append("*")
            starred = True
        kind = OWN_TYPES.get(argument.name) or type_of_parameter(name_of(argument.name, name))
        needed = argument.name == "parameter"
        arguments.append(f"{argument.name}: {kind}{'' if needed else ' = ...'}")
    listed = ",\n        ".join(arguments)
    return f"def {name}(\n        {listed}) -> {RETURNS[name]}:\n    {quoted(function.__doc__.splitlines()[0])}\n"


def stubs_of_reconstruction():
    """The text of the stubs of gsttomo.reconstruction."""
    return "\n".join([RECONSTRUCTION, *map(stub_of_function, RETURNS)])


def stubs():
    """The text of the stubs."""
    return "\n".join([HEAD, *(stub_of(name, class_of(task)) for name, task in sorted(class_names().items()))])


TOMOPY = '''"""Made by python3 -m gsttomo.stubs; see gsttomo.tomopy."""

from typing import Any, Callable, Literal

import numpy as np
from scipy.sparse.linalg import LinearOperator

from . import Error as Error

Array = Any  # what numpy makes an array of

class OpTomo(LinearOperator):
    sinogram_shape: tuple[int, int]
    slice_shape: tuple[int, int]
    def __init__(self, theta: Array, columns: int, center: float | None = ..., num_gridx: int | None = ...,
                 num_gridy: int | None = ..., device: int | str | None = ...) -> None: ...
    def project(self, slices: Array) -> np.ndarray: ...
    def backproject(self, sinograms: Array) -> np.ndarray: ...

def create_sino(slices: Array, theta: Array, center: float | None = ..., columns: int | None = ...,
                device: int | str | None = ...) -> np.ndarray: ...
def find_center(tomo: Array, theta: Array, ind: int | None = ..., init: float | None = ..., tol: float = ..., mask: Literal[True] = ...,
                ratio: float = ..., sinogram_order: bool = ...) -> float: ...
def find_center_pc(proj1: Array, proj2: Array, tol: float = ..., rotc_guess: float | None = ...) -> float: ...
def find_center_vo(tomo: Array, ind: int | None = ..., smin: float = ..., smax: float = ..., srad: None = ..., step: float = ...,
                   ratio: None = ..., drop: None = ..., ncore: int | None = ..., *, theta: Array | None = ...) -> float: ...
def recon(tomo: Array, theta: Array, center: Array | None = ..., sinogram_order: bool = ..., algorithm: str | Callable[..., Any] = ...,
          init_recon: None = ..., ncore: int | None = ..., nchunk: int | None = ..., *, out: np.ndarray | None = ...,
          options: dict[str, Any] | None = ..., **kwargs: Any) -> np.ndarray: ...
def register() -> list[str]: ...
def release() -> None: ...
'''


def stubs_of_tomopy():
    """The text of the stubs of gsttomo.tomopy."""
    arguments = ("tomo: Array, center: Array, recon: np.ndarray, theta: Array, num_gridx: int | None = ..., num_gridy: int | None = ..., "
                 "options: dict[str, Any] | None = ..., **extra: Any")
    return TOMOPY + "".join(f"def {name}({arguments}) -> np.ndarray: ...\n" for name in METHODS)


def main(folder):
    folder = os.path.join(folder, "gsttomo-stubs")
    os.makedirs(folder, exist_ok=True)
    for name, text in (("__init__", stubs()), ("reconstruction", stubs_of_reconstruction()), ("tomopy", stubs_of_tomopy())):
        path = os.path.join(folder, f"{name}.pyi")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        print(path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    main(sys.argv[1])
