# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a reconstruction tells and gives: scans, axes, slices. In notebooks they show themselves."""

import collections
import os

import numpy as np

from . import _show
from ._job import Finding

AxisOfRow = collections.namedtuple("AxisOfRow", "row axis uncertainty pairs")


class Facts:
    """An answer of the library whose members are attributes, with _ for -."""

    def __init__(self, facts):
        self._facts = {name.replace("-", "_"): value for name, value in facts.items()}

    def __getattr__(self, name):
        if name.startswith("_") or name not in self._facts:
            raise AttributeError(f"{type(self).__name__} has no {name!r}; it has {', '.join(self._names())}")
        return self._facts[name]

    def _names(self):
        return [name for name in self._facts if not name.startswith("_")]

    def __dir__(self):
        return [*super().__dir__(), *self._names()]


def without_pixels(facts):
    """With names that do not say that pixels are the unit, also in what they hold."""
    if isinstance(facts, list):
        return [without_pixels(fact) for fact in facts]
    if not isinstance(facts, dict):
        return facts
    return {name.removesuffix("-px"): without_pixels(value) for name, value in facts.items()}


class Scan(Facts):
    """What a scan is, and its findings: what is wrong with it.

    name, kind ("scan" or "sinograms"), width and height of an image, format (type of a sample), projections and views
    (those of them that are taken), darks, flats, flats_after, files; angle_first, angle_last and angle_step in radians,
    with angles_from ("scan", "given" or "assumed"); axis in edge coordinates, pixel_size, distance (to the detector)
    and source_distance in metres and energy in keV, None where the scan does not tell them; findings, each with name,
    severity ("info", "warning", "error"), text and advice; description, all of that in lines."""

    def __init__(self, facts, job):
        super().__init__({"axis": None, "pixel-size": None, "energy": None, "distance": None, "source-distance": None, **facts,
                          "findings": [Finding(f["name"], f["severity"], f["text"], f["advice"]) for f in facts["findings"]]})
        self._job = job

    @property
    def path(self):
        """The file, folder or pattern that it was found in; None for arrays."""
        source = next((self._job.given[name] for name in ("scan", "projections", "sinograms") if name in self._job.given), None)
        return os.fspath(source) if isinstance(source, (str, os.PathLike)) else None

    @property
    def is_usable(self):
        """Whether none of the findings stops a reconstruction."""
        return all(finding.severity != "error" for finding in self.findings)

    def image(self):
        """The middle projection (or sinogram) as it is stored."""
        from . import Read, ScanSrc

        given, get = self._job.given, self._job.object.get_property
        if self.kind == "sinograms":
            flow = Read(path=get("sinograms"), image_start=self.height // 2, number=1, convert=False)
        else:
            named = {name: get(name) for name in ("entry", "detector") if name in given}
            source = ScanSrc(location=get("scan") or get("projections"), start=self.projections // 2, number=1, **named)
            flow = source.outputs.projections
        return next(iter(flow))

    def __str__(self):
        return self.description.rstrip("\n")

    def __repr__(self):
        problems = [f.name for f in self.findings if f.severity != "info"]
        return (f"<Scan {self.name}: {self.projections} x {self.height} x {self.width} {self.format}, {self.darks} darks, "
                f"{self.flats + self.flats_after} flats{', ' + ', '.join(problems) if problems else ''}>")

    def _repr_html_(self):
        return _show.scan(self)


class AxisEstimate(Facts):
    """Where the rotation axis is: axis (an edge coordinate, at the middle row of the detector), uncertainty (one sigma),
    tilt (columns per row), tilt_degrees and tilt_uncertainty_degrees, method, axis_of_scan (None where the scan does not
    tell one), warning (None where there is none), pairs (of mirrored views), rows, each with row, axis, uncertainty and
    pairs, of which used_rows fit together, methods, what each of several says, and curve, a metric of a slice against the
    axis, where one was computed. All but angles in pixels. float() of it is the axis."""

    def __init__(self, facts):
        facts = without_pixels(facts)
        rows = [AxisOfRow(r["row"], r["axis"], r["uncertainty"], r["pairs"]) for r in facts["rows"]]
        super().__init__({"axis-of-scan": None, "warning": None, **facts, "rows": rows})

    def __float__(self):
        return float(self.axis)

    def __str__(self):
        return f"{self.axis:.2f} ± {self.uncertainty:.2f} px"

    def __repr__(self):
        return f"<AxisEstimate {self}, tilted by {self.tilt_degrees:.3f} degrees, by {self.method} in {len(self.rows)} rows>"

    def _repr_html_(self):
        return _show.axis(self)


class Slices(np.ndarray):
    """Slices as an array of numpy, of shape (slices, rows, columns), with the `axis` that made them (None where there
    is none) and `pixel_size` in metres, None where it is not known. A notebook shows the middle ones."""

    def __new__(cls, array, axis=None, pixel_size=None):
        slices = np.asarray(array).view(cls)
        slices.axis, slices.pixel_size = axis, pixel_size
        return slices

    def __array_finalize__(self, array):
        self.axis, self.pixel_size = getattr(array, "axis", None), getattr(array, "pixel_size", None)

    def _repr_html_(self):
        return _show.volume(self, self.pixel_size) if self.ndim in (2, 3) and self.size and self.dtype.kind in "iuf" else None

    def _repr_png_(self):
        return _show.png_of(self) if self.ndim == 2 and self.size and self.dtype.kind in "iuf" else None


class File(str):
    """The name of a result's file, as reconstruct() was given it; `dataset` is that of its images in HDF5, else None. A
    notebook shows its middle slice."""

    def __new__(cls, location):
        file, colon, dataset = location.partition(":/")
        made = super().__new__(cls, file)
        made.dataset = "/" + dataset if colon else None
        return made

    @property
    def location(self):
        """File and dataset, as Read takes them."""
        return self if self.dataset is None else f"{self}:{self.dataset}"

    def image(self, number=None):
        """A slice; the middle one, if no number is given."""
        from . import Read

        if number is None:
            number = self._count() // 2
        path = self.location
        if "%" in self:
            path, number = self % number, 0
        return next(iter(Read(path=path, image_start=number, number=1)))

    def _count(self):
        if "%" in self:
            count = 0
            while os.path.exists(self % count):
                count += 1
            return count
        from . import Null, Read

        run = Null()(Read(path=self.location, y=0, height=1)).run()
        run.wait()
        return run.progress[0]

    def _repr_html_(self):
        try:
            return _show.file(self)
        except Exception:  # it is only a picture; the name says all
            return None


class Sweep(tuple):
    """The values of a parameter, and the middle slice for each of them; unpacks into both."""

    def __new__(cls, name, values, array):
        sweep = super().__new__(cls, (values, array))
        sweep.name, sweep.values, sweep.array = name, values, array
        return sweep

    def __repr__(self):
        return f"<Sweep of {self.name}: {len(self.values)} slices, {', '.join(map(str, self.values[:4]))}{', ...' * (len(self.values) > 4)}>"

    def _repr_html_(self):
        return _show.sweep(self) if isinstance(self.array, np.ndarray) else None
