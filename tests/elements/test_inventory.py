# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""UFO's tasks and properties against the elements that there are.

ufo_inventory.json holds what UFO has (ufo-filters after 0.17): per task its properties with type, effective default
(null: none, or one that depends on the input) and the nicks of choices. Whatever is not the same here stands in one of
the tables below with its reason. The test fails when a difference is in none of them, and when one in them is gone.
"""

import json
import math
import pathlib

from tomotest import *
from gi.repository import GObject

INVENTORY = json.loads(pathlib.Path(__file__).with_name("ufo_inventory.json").read_text(encoding="utf-8"))

# Tasks that are not to come, and why.
OUT_OF_SCOPE = {
    "cv-show": "`tomoconvert ! autovideosink` shows images",
}

# Elements that UFO has no task for.
OWN = {
    "asdpocs": "slices with few edges, by descent of the total variation",
    "air-correct": "the beam, by a region without sample",
    "concert-sink": "images over the network, as Concert sends them",
    "concert-src": "the same, received",
    "convert": "from and to GStreamer's video",
    "correct-distortion": "images of a lens that bends straight lines",
    "cgls": "slices by conjugate gradients",
    "dfi": "slices by direct Fourier inversion, by a non-uniform transform",
    "distribute": "copies on several devices",
    "double-flat-field": "rings, by means over the views of transmission",
    "download": "places the transfer to the host",
    "dynamic-flat-field-correct": "flats by principal components",
    "fade": "slices of scans at several heights",
    "fista": "slices with few edges, by proximal gradients",
    "find-shift": "displacements by least squares, for the alignment with reprojections",
    "general-forwardproject": "projections of a volume in any geometry",
    "general-iterate": "slices by iterations in any geometry",
    "inpaint": "gaps, by the Poisson equation",
    "interpolate-neighbours": "slices of heights that lie parts of a pixel apart",
    "join-half-turns": "wide sinograms of a whole turn off axis",
    "live-correct": "absorption by darks and flats that are taken while frames come",
    "live-slice": "a plane of the newest projections",
    "live-slices": "the same, with a pad for each plane",
    "live-store": "the frames of a camera, their angles, darks and flats",
    "phantom-camera": "a beamline to try things with",
    "projection-ring": "the newest projections",
    "recast-src": "projections over the network, from programs for RECAST3D",
    "redundancy-weight": "short scans and detectors to one side",
    "ramp-filter": "fft, filter and ifft in one go",
    "remove-rings": "rings of slices",
    "remove-stripes-all": "rings of all kinds: dead, large, sorting",
    "remove-stripes-dead": "rings of dead and fluctuating pixels",
    "remove-stripes-filtering": "rings, by medians of sorted low frequencies",
    "remove-stripes-fitting": "rings, by polynomials",
    "remove-stripes-large": "wide rings",
    "remove-stripes-normalization": "rings, by means over the views",
    "remove-stripes-sorting": "rings, by medians of sorted columns",
    "remove-stripes-titarenko": "rings, by means over the views, regularized",
    "remove-stripes-wavelet": "rings, by wavelets and Fourier transforms",
    "scan-src": "a raw scan from one file, as projections, darks and flats",
    "mlem": "slices for the largest likelihood",
    "sbtv": "slices with few edges, by split Bregman",
    "sart": "slices by iterations view by view",
    "sirt": "slices by simultaneous iterations",
    "simplon-src": "images of DECTRIS detectors",
    "shift": "projections of a sample that moved",
    "upload": "places the transfer to the device",
}

# (task, property, what): reason. What is "property" (not there), "type", "default" or "choices".
DIFFERENCES = {
    ("backproject", "mode", "default"): "linear gives the same numbers on every device, texture does not",
    ("camera", "camera", "property"): "an object of libuca; here Aravis opens the camera",
    ("camera", "name", "default"): "the name of the element, as GStreamer has it; `camera-name` names the camera",
    ("center-of-rotation", "angle-step", "default"): "0 takes the angles of the scan",
    ("cone-beam-projection-weight", "axis-angle-x", "default"): "none is 0",
    ("flatten", "mode", "type"): "a choice, so that a wrong one is refused",
    **{("general-backproject", name, "default"): "none is 0, and a parallel beam" for name in """
        axis-angle-x axis-angle-y axis-angle-z volume-angle-x volume-angle-y volume-angle-z detector-angle-x
        detector-angle-y detector-angle-z detector-position-x detector-position-y detector-position-z
        source-position-x source-position-y source-position-z region x-region y-region""".split()},
    **{("general-backproject", name, "default"): "none is that of the scan, else the middle" for name in
       ("center-position-x", "center-position-z")},
    ("general-backproject", "overall-angle", "default"): "0 takes the angles of the scan, and weights for attenuation",
    **{("lamino-backproject", name, "default"): "none is 0" for name in ("region", "x-region", "y-region", "projection-offset")},
    ("lamino-backproject", "center", "default"): "none is that of the scan, else the middle",
    ("lamino-backproject", "overall-angle", "default"): "0 takes the angles of the scan, and weights for attenuation",
    ("retrieve-phase", "energy", "default"): "0 takes that of the scan; none is an error, not 20 keV",
    ("retrieve-phase", "pixel-size", "default"): "0 takes that of the scan; none is an error, not 0.75 um",
    ("transpose-projections", "number", "default"): "0 takes all projections of the stream; 1 makes no sense",
    ("volume-render", "step", "default"): "0 takes one voxel; a fixed share of the edge misses thin objects of large volumes",
    ("write", "tiff-bigtiff", "type"): "true and false as there, and auto: classic where the images are known to fit",
    ("write", "bytes-per-file", "default"): "with a pattern each image gets its own file",
}

TYPES = {"uint": "unsigned", "ulong": "unsigned", "int": "signed", "float": "real", "double": "real", "boolean": "boolean",
         "string": "string", "enum": "enum", "array": "array", "object": "object",
         "guint": "unsigned", "guint64": "unsigned", "gulong": "unsigned", "gint": "signed", "gint64": "signed",
         "gfloat": "real", "gdouble": "real", "gboolean": "boolean", "gchararray": "string", "GstValueArray": "array"}


def elements():
    """By the names of their tasks."""
    found = {}
    for feature in Gst.Registry.get().get_feature_list(Gst.ElementFactory):
        if task := feature.get_metadata("tomo-task"):
            found[task] = feature
    return found


def type_of(spec):
    if spec.value_type.is_a(GObject.TYPE_ENUM):
        return "enum"
    return TYPES.get(spec.value_type.name, "object")


def nicks_of(spec):
    return [value.value_nick for value in spec.enum_class.__enum_values__.values()]


def default_of(element, spec):
    value = element.get_property(spec.name)
    if type_of(spec) == "enum":
        return value.value_nick
    if type_of(spec) == "array":
        return list(value)
    return value


def same(type_name, ours, theirs):
    if type_name == "string":
        return (ours or "") == (theirs or "")
    if type_name == "real":
        return math.isclose(ours, theirs, rel_tol=1e-6)
    if type_name == "array":
        return [float(v) for v in ours] == [float(v) for v in theirs]
    return ours == theirs


def differences_of(task, factory):
    """What of UFO's properties is not the same, as (task, property, what): in words."""
    element = factory.create(None)
    found = {}
    for name, theirs in INVENTORY[task].items():
        spec = element.find_property(name)
        if spec is None:
            found[task, name, "property"] = "it is not there"
            continue
        if type_of(spec) != TYPES[theirs["type"]]:
            found[task, name, "type"] = f"{spec.value_type.name}, not {theirs['type']}"
            continue
        if "choices" in theirs and (lacking := set(theirs["choices"]) - set(nicks_of(spec))):
            found[task, name, "choices"] = f"lacks {', '.join(sorted(lacking))}"
        if theirs.get("result"):
            if spec.flags & GObject.ParamFlags.WRITABLE:
                found[task, name, "type"] = "can be set, but is a result"
        elif theirs["default"] is not None:
            ours = default_of(element, spec)
            if not same(type_of(spec), ours, theirs["default"]):
                found[task, name, "default"] = f"{ours}, not {theirs['default']}"
    return found


class Inventory(TestCase):
    def test_tasks(self):
        there = set(elements())
        self.assertEqual(sorted(set(OUT_OF_SCOPE) & there), [], "these have an element now: take them out of OUT_OF_SCOPE")
        self.assertEqual(sorted(set(OUT_OF_SCOPE) - set(INVENTORY)), [], "OUT_OF_SCOPE: UFO has no such tasks")
        self.assertEqual(sorted(set(INVENTORY) - there - set(OUT_OF_SCOPE)), [], "no element, no reason")
        self.assertEqual(sorted(there - set(INVENTORY)), sorted(OWN), "elements that UFO has no task for")

    def test_properties(self):
        found = {}
        for task, factory in elements().items():
            if task in INVENTORY:
                found.update(differences_of(task, factory))
        for key, words in found.items():
            self.assertIn(key, DIFFERENCES, f"{'.'.join(key[:2])}: {words}")
        for key, reason in DIFFERENCES.items():
            self.assertIn(key, found, f"{'.'.join(key[:2])}: there is no difference of this kind any more")
            self.assertTrue(reason)

    def test_the_data(self):
        self.assertEqual((len(INVENTORY), sum(map(len, INVENTORY.values()))), (102, 317))
        for task, properties in INVENTORY.items():
            for name, theirs in properties.items():
                with self.subTest(property=f"{task}.{name}"):
                    self.assertIn(theirs["type"], TYPES)
                    self.assertEqual(theirs["type"] == "enum", "choices" in theirs)
                    if theirs["type"] == "enum":
                        self.assertIn(theirs["default"], theirs["choices"])

    def test_the_comparison(self):
        """One that finds nothing would prove nothing."""
        factory = elements()["rescale"]
        INVENTORY["rescale"] = {
            "no-such": {"type": "uint", "default": 0}, "factor": {"type": "uint", "default": 1},
            "width": {"type": "uint", "default": 7}, "x-factor": {"type": "double", "default": None, "result": True},
            "interpolation": {"type": "enum", "default": "nearest", "choices": ["nearest", "cubic"]}}
        try:
            kinds = {(name, what) for _, name, what in differences_of("rescale", factory)}
        finally:
            INVENTORY["rescale"] = SAVED
        self.assertEqual(kinds, {("no-such", "property"), ("factor", "type"), ("width", "default"), ("x-factor", "type"),
                                 ("interpolation", "choices"), ("interpolation", "default")})


SAVED = INVENTORY["rescale"]

if __name__ == "__main__":
    main()
