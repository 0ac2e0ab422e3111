# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Type stubs of gsttomo for editors and type checkers, which do not run Python and so see no task.

    python3 -m gsttomo.stubs FOLDER

writes FOLDER/gsttomo-stubs/__init__.pyi, with the tasks of all plugins that are installed. A folder beside the code is
found by most editors (mypy: MYPYPATH=FOLDER).
"""

import keyword
import os
import sys

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

TYPES = {"boolean": "bool", "integer": "int", "number": "float", "string": "str | PathLike[str]",
         "array": "Sequence[Any] | np.ndarray"}


def type_of(info):
    if info["type"] == "enum":
        return f"Literal[{', '.join(repr(choice['name']) for choice in info['choices'])}]"
    return TYPES.get(info["type"], "Any")


def quoted(text):
    return '"""' + text.replace("\\", "\\\\").replace('"""', "'''") + '"""'


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


def stubs():
    """The text of the stubs."""
    return "\n".join([HEAD, *(stub_of(name, class_of(task)) for name, task in sorted(class_names().items()))])


def main(folder):
    path = os.path.join(folder, "gsttomo-stubs", "__init__.pyi")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(stubs())
    print(path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    main(sys.argv[1])
