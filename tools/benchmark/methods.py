# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The case `methods`: the device's own time in each method of reconstruction, as the tracer counts it."""
import math
import os
import shlex
import statistics

import numpy as np

from programs import Failed


ITERATIONS = ("num-iterations", 1, 4)
TV_ITERATIONS = ("tv-iterations", 10, 40)
IMAGES = "number"  # of tomoread: without tables that are made once for all images


class Line:
    """The work of an element, or of a chain of them: what it reads, its properties, and what it does in 1e9 updates or images.

    shape: columns and views, or rows, for the table. steps: the work is one step of those that this property counts; these two
    numbers of them are run, and the difference counts. IMAGES: a quarter of the images, and all.
    """

    def __init__(self, name, reads, element, work, shape, unit="GUPS", images=1, steps=None):
        self.name, self.reads, self.element, self.work, self.shape, self.unit = name, reads, element, work, shape, unit
        self.images = images
        self.steps = (IMAGES, max(1, images // 4), images) if steps == IMAGES else steps

    @property
    def factories(self):
        return [element.split()[0] for element in self.element.split(" ! ")]


class Sizes:
    """Of the stacks of slices, of the slice of methods that go view by view, and of the volume of a cone beam."""

    def __init__(self, size, views, stack, cone, cone_views):
        self.size, self.views, self.stack, self.cone, self.cone_views = size, views, stack, cone, cone_views


SIZES = {"quick": Sizes(32, 24, 2, 16, 12), "cpu": Sizes(512, 500, 16, 128, 120), "gpu": Sizes(2048, 1500, 128, 1024, 720)}


def random_images(path, random, number, height, width):
    """White noise; the images repeat after the eighth."""
    images = np.lib.format.open_memmap(path, "w+", "<f4", (number, height, width))
    pool = random.random((min(number, 8), height, width), dtype=np.float32)
    for i in range(number):
        images[i] = pool[i % len(pool)]
    return path


def lines(s):
    stack, of_stack = s.size**2 * s.views * s.stack / 1e9, (s.size, s.views)  # updates of one operator
    few, few_views = s.size // 4, s.views // 2
    small = few**2 * few_views / 1e9
    cone, of_cone = s.cone**3 * s.cone_views / 1e9, (s.cone, s.cone_views)
    half = s.cone // 2
    volume, of_volume = half**3 * s.cone_views / 1e9, (half, s.cone_views)
    beam = f"source-position-y=<-{4 * s.cone}.0>"
    even = f"overall-angle={2 * math.pi}"
    uneven = ",".join(repr(2 * math.pi * ((i * 0.6180339887) % 1.0)) for i in range(s.cone_views))
    any_angles = f"axis-angle-z=<{uneven}>"
    yield Line("dfi 1e-4", "sinograms", "tomodfi tolerance=1e-4", stack, of_stack, images=s.stack, steps=IMAGES)
    yield Line("dfi 1e-4, batches of 8", "sinograms", "tomodfi tolerance=1e-4 batch=8", stack, of_stack, images=s.stack, steps=IMAGES)
    yield Line("dfi 1e-3", "sinograms", "tomodfi", stack, of_stack, images=s.stack, steps=IMAGES)
    yield Line("joseph's transpose", "sinograms", "tomobackproject mode=joseph", stack, of_stack, images=s.stack)
    yield Line("joseph", "slices", f"tomoforwardproject number={s.views}", stack, of_stack, images=s.stack)
    yield Line("project by fourier", "slices", f"tomoforwardproject number={s.views} operator=fourier", stack, of_stack,
               images=s.stack, steps=IMAGES)
    for method in ("sirt", "cgls", "mlem", "fista", "sbtv", "asdpocs"):
        yield Line(method, "sinograms", f"tomo{method}", 2 * stack, of_stack, images=s.stack, steps=ITERATIONS)
    for method in ("cgls", "fista"):
        yield Line(f"{method} by fourier", "sinograms", f"tomo{method} operator=fourier", 2 * stack, of_stack, images=s.stack,
                   steps=ITERATIONS)
    for name, reads, images in (("", "small-sinograms", 32), (", one slice", "small-sinogram", 1)):
        yield Line(f"sart{name}", reads, "tomosart", 2 * small * images, (few, few_views), images=images, steps=ITERATIONS)
    phase = "tomoretrievephase energy=20 pixel-size=1e-6 distance=<0.1>"
    for name, padding in (("", ""), (", twice as wide", f" padded-width={2 * s.size} padded-height={2 * s.size}")):
        yield Line(f"phase{name}", "slices", phase + padding, s.stack / 1e3, (s.size, s.size), "1e3 images/s", images=s.stack)

    def back(size):
        return (f"tomogeneralbackproject num-projections={s.cone_views}"
                f" region=<{-size / 2 + 0.5},{size / 2 + 0.5},1.0>")

    tilted, in_half = " axis-angle-x=<0.5>", " precision-mode=half"
    for name, options in (("", ""), (", half", in_half), (", tilted", tilted), (", tilted, half", tilted + in_half)):
        yield Line(f"cone, back{name}", "projections", f"{back(s.cone)} {beam} {even}{options}", cone, of_cone)
    for name, options in (("", ""), (", tilted", tilted)):
        yield Line(f"cone, back{name}, any angles", "projections", f"{back(s.cone)} {beam} {any_angles}{options}", cone, of_cone)
    weight = f"tomoconebeamprojectionweight source-distance=<{4 * s.cone}.0> detector-distance=<0.0>"
    for name, options in (("", ""), (", half", in_half)):
        yield Line(f"fdk{name}", "projections", f"{weight} ! tomorampfilter ! {back(s.cone)} {beam} {even}{options}", cone, of_cone)
    forward = f"tomogeneralforwardproject number={s.cone_views}"
    for name, angles in (("", even), (", any angles", any_angles)):
        yield Line(f"cone, forward{name}", "volume", f"{forward} {beam} {angles} rows={half} columns={half}", volume, of_volume)
    yield Line("parallel volume, forward", "volume", f"{forward} {even}", volume, of_volume)
    yield Line("parallel volume, back", "small-projections", f"{back(half)} {even}", volume, of_volume)
    iterate = f"tomogeneraliterate num-projections={s.cone_views}"
    for name, geometry in (("parallel volume", ""), ("cone", beam)):
        yield Line(f"{name}, sirt", "small-projections", f"{iterate} method=sirt {geometry} {even}", 2 * volume, of_volume,
                   steps=ITERATIONS)
    yield Line("total variation", "small-projections",
               f"{iterate} method=fista num-iterations=1 lambda=0.1 tv-dimensions=3 {even}", half**3 / 1e9, (half, half),
               "1e9 voxels/s", steps=TV_ITERATIONS)


def seconds_of(program, source, trace, line, steps=None):
    """Device seconds of the elements, by command."""
    element = line.element
    if steps and line.steps[0] == IMAGES:
        source += f" {IMAGES}={steps}"
    elif steps:
        element += f" {line.steps[0]}={steps}"
    command = ["gst-launch-1.0", "-q", *shlex.split(f"{source} ! {element} ! tomonull finish=true")]
    counted = program.traced_command(command, trace)
    os.remove(trace)
    seconds = {}
    for element in counted["elements"]:
        if element["factory"] in line.factories:
            for name, command in element["by_command"].items():
                if name not in ("upload", "download"):
                    seconds[name] = seconds.get(name, 0.0) + command["device_ns"] / 1e9
    return seconds


def files_of(base, random, s):
    half = s.cone // 2
    shapes = {"sinograms": (s.stack, s.views, s.size), "slices": (s.stack, s.size, s.size),
              "small-sinograms": (32, s.views // 2, s.size // 4), "small-sinogram": (1, s.views // 2, s.size // 4),
              "projections": (s.cone_views, s.cone, s.cone),
              "small-projections": (s.cone_views, half, half), "volume": (half, half, half)}
    made = {}

    def read(name):
        if name not in made:
            path = random_images(os.path.join(base, f"{name}.npy"), random, *shapes[name])
            made[name] = f"tomoread path={path}" + (f" ! tomostack number={half}" if name == "volume" else "")
        return made[name]

    return read


def methods(plan):
    s, rows = SIZES[plan.options.preset], []
    read = files_of(plan.base, plan.random, s)
    trace = os.path.join(plan.base, "trace.json")
    program = next(p for p in plan.programs if not p.is_peer)
    for line in lines(s):
        if not plan.wants(line.name):
            continue
        plan.say(f"methods: {line.name}")
        runs = []
        try:
            for _ in range(plan.options.repeats):
                if line.steps:
                    fewer, more = (seconds_of(program, read(line.reads), trace, line, n) for n in line.steps[1:])
                    number = line.steps[2] - line.steps[1]
                    scale = line.images if line.steps[0] == IMAGES else 1
                    run = {name: (more[name] - fewer.get(name, 0)) / number * scale for name in more}
                    # Where noise is larger than a step, all that the larger number of them took.
                    runs.append(run if sum(run.values()) > 0 else {name: t / line.steps[2] * scale for name, t in more.items()})
                else:
                    runs.append(seconds_of(program, read(line.reads), trace, line))
        except (Failed, StopIteration, KeyError) as reason:
            plan.skip(f"methods: {line.name}", program, reason)
            continue
        totals = [sum(run.values()) for run in runs]
        seconds = statistics.median(totals)
        parts = sorted(((t, n) for n, t in runs[0].items()), reverse=True)[:4]
        rows.append({"case": line.name, "program": program.name, "size": line.shape[0], "projections": line.shape[1],
                     "counts": [line.images], "seconds": [seconds], "ms_per_image": seconds / line.images * 1e3, "unit": line.unit, "rate": line.work / seconds,
                     "note": ", ".join(f"{n} {t * 1e3:.3g}" for t, n in parts)})
    return rows
