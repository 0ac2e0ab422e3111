# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The walls between the rooms of docs/architecture.md: includes and imports point down only."""

import ast
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What each room may include besides itself; names without gst/ are those of gst/tomo.
BELOW = {
    "gst/tomo/support": [],
    "gst/tomo/device": ["support"],
    "gst/tomo/compute": ["device", "support"],
    "gst/tomo/geometry": ["device", "support"],
    "gst/tomo/fft": ["device", "support"],
    "gst/tomo/bases": ["compute", "geometry", "fft", "device", "support"],
    "gst/tomo/graph": ["bases", "compute", "geometry", "fft", "device", "support"],
    "gst/operators": ["compute", "geometry", "fft", "device", "support"],
    "gst/reconstruction": ["gst/files", "graph", "bases", "geometry", "device", "support"],
    "gst/live": ["gst/reconstruction", "gst/files", "graph", "bases", "geometry", "device", "support"],
    "gst/files": ["geometry", "device", "support"],  # arrays and their facts, but no element and no kernel
}
LARGEST_KNOT = 9      # files, a header and its source counted as one, that include each other
MOST_SOURCES = 45     # of one folder
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
SUFFIXES = (".c", ".cpp", ".h", ".hpp")

# What the modules of Python may import besides the standard library and their own.
PYTHON = {
    "introspection/python": {"gi", "numpy", "scipy"},
    "introspection/python/gsttomo/widgets": {"OpenGL", "h5py", "numcodecs", "numpy", "pyqtgraph", "tifffile"},  # no GstTomo
    "introspection/python/gsttomo/cluster": {"dask", "dask_jobqueue", "distributed", "h5py", "numpy", "yaml"},  # no gi, and nothing computed
    "introspection/python/gsttomo/jobs": {"gi"},  # to read configurations; no numbers
    "tools/tango": {"gi", "gsttomo", "h5py", "numpy", "tango", "zmq"},  # h5py and zmq for the stream of Concert
    "tools/web": {"fastapi", "gi", "gsttomo", "h5py", "httpx", "numpy", "pydantic", "scitacean", "starlette", "uvicorn"},  # a face, too
    "tools/gui": {"NodeGraphQt", "Qt", "gi", "gsttomo", "h5py", "numpy", "pyqtgraph"},  # a face: no OpenCL, and nothing computed
}


def sources(folder):
    return sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES)


def includes(path):
    """Files of the repository that `path` includes."""
    for kind, name in INCLUDE.findall(path.read_text()):
        beside = path.parent / name
        if kind == '"' and beside.is_file():
            yield beside.resolve()
        elif (ROOT / name).is_file():
            yield ROOT / name


def room_of(path):
    """The room of a file of the library, or None; the C headers above the rooms have none."""
    name = path.relative_to(ROOT).as_posix()
    return next((room for room in BELOW if name.startswith(room + "/")), None)


def knots(files):
    """Groups of files that include each other, by Tarjan's algorithm; a header and its source are one."""
    def unit(path):
        return path.with_suffix("")

    graph = {}
    for path in files:
        graph.setdefault(unit(path), set()).update(
            unit(other) for other in includes(path) if unit(other) != unit(path))
    number, low, stack, found = {}, {}, [], []

    def visit(node):
        number[node] = low[node] = len(number)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in number:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], number[other])
        if low[node] == number[node]:
            at = stack.index(node)
            found.append(stack[at:])
            del stack[at:]

    for node in list(graph):
        if node not in number:
            visit(node)
    return found


class Rooms(unittest.TestCase):
    def test_library_includes_what_is_below(self):
        seen = set()
        for path in sources("gst"):
            room = room_of(path)
            if room is None or "pch" in path.parts:
                continue
            seen.add(room)
            for other in includes(path):
                its = room_of(other)
                with self.subTest(file=str(path.relative_to(ROOT)), includes=str(other.relative_to(ROOT))):
                    self.assertTrue(other.is_relative_to(ROOT / "gst"), "the library knows nothing above it")
                    if its is not None and its != room:
                        self.assertIn(its, [name if "/" in name else f"gst/tomo/{name}" for name in BELOW[room]], f"{room} stands below {its}")
        self.assertGreaterEqual(seen, {"gst/tomo/support", "gst/tomo/device", "gst/tomo/bases", "gst/tomo/graph", "gst/files", "gst/live",
                                      "gst/reconstruction"})

    def test_every_file_of_the_library_has_a_room(self):
        for path in sources("gst"):
            if "pch" in path.parts or (path.parent == ROOT / "gst/tomo" and path.suffix == ".h"):
                continue
            with self.subTest(file=str(path.relative_to(ROOT))):
                self.assertIsNotNone(room_of(path))

    def test_c_headers_are_c(self):
        headers = sorted((ROOT / "gst/tomo").glob("*.h"))
        self.assertTrue(headers)
        for path in headers:
            for other in includes(path):
                with self.subTest(file=path.name, includes=other.name):
                    self.assertEqual((other.parent, other.suffix), (ROOT / "gst/tomo", ".h"))

    def test_elements_include_no_element_and_no_graph(self):
        classes = {path.with_suffix(".hpp") for path in sources("elements") if "TOMO_ELEMENT(" in path.read_text()}
        self.assertTrue(classes)
        for path in sources("elements"):
            for other in includes(path):
                with self.subTest(file=str(path.relative_to(ROOT)), includes=str(other.relative_to(ROOT))):
                    self.assertNotIn(other, classes - {path.with_suffix(".hpp")})
                    self.assertNotEqual(room_of(other), "gst/tomo/graph")
                    self.assertIn(other.suffix, (".h", ".hpp"))
                    self.assertFalse(other.is_relative_to(ROOT / "tools") or other.is_relative_to(ROOT / "tests"))

    def test_libraries_of_files_stay_in_their_rooms(self):
        places = {r"hdf5|H5\w*": ["gst/files/hdf5"], r"tiff\w*": ["gst/files/tiff"], r"png\w*|jpeglib": ["gst/files/formats"]}
        found = set()
        for path in sources("gst") + sources("elements"):
            for kind, name in INCLUDE.findall(path.read_text()):
                for library, rooms in places.items():
                    if kind == "<" and re.fullmatch(rf"(?:{library})\.h", name):
                        found.add(library)
                        with self.subTest(file=str(path.relative_to(ROOT)), includes=name):
                            self.assertIn(path.parent.relative_to(ROOT).as_posix(), rooms)
        self.assertEqual(found, set(places))

    def test_no_large_knot(self):
        for folder in ("gst/tomo", "gst", "elements"):
            largest = max(knots(sources(folder)), key=len)
            self.assertLessEqual(len(largest), LARGEST_KNOT, [str(path.relative_to(ROOT)) for path in largest])

    def test_knots_are_found(self):
        # Of files that exist: the element and its properties know each other.
        together = [{path.name for path in knot} for knot in knots(sources("gst/tomo"))]
        self.assertTrue(any({"element", "property"} <= knot for knot in together))

    def test_no_crowded_folder(self):
        for top in ("gst", "elements", "tools", "kernels"):
            for folder in {path.parent for path in (ROOT / top).rglob("*") if path.is_file()}:
                files = [path for path in folder.iterdir() if path.suffix in (".c", ".cpp")]
                self.assertLessEqual(len(files), MOST_SOURCES, folder)

    def test_python_imports(self):
        for folder, allowed in PYTHON.items():
            files = sorted((ROOT / folder).rglob("*.py"))
            self.assertTrue(files)
            own = {path.stem for path in files} | {path.parent.name for path in files}
            rooms_within = [ROOT / other for other in PYTHON if other.startswith(folder + "/")]
            for path in files:
                if any(room in path.parents for room in rooms_within):
                    continue
                for node in ast.walk(ast.parse(path.read_text())):
                    names = ([alias.name for alias in node.names] if isinstance(node, ast.Import)
                             else [node.module] if isinstance(node, ast.ImportFrom) and not node.level else [])
                    for name in names:
                        with self.subTest(file=str(path.relative_to(ROOT)), imports=name):
                            self.assertIn(name.split(".")[0], allowed | own | sys.stdlib_module_names)


if __name__ == "__main__":
    unittest.main()
