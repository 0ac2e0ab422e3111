# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The case `methods`: the device's own time in each method of reconstruction, as the tracer counts it."""
import math
import os
import shlex
import statistics

import numpy as np

from programs import Failed


class Line:
    """One element's work: what it reads, its properties, and what it does in 1e9 updates or images.

    shape: columns and views, or rows, for the table. per_iteration: the work is that of an iteration; two numbers of them are
    run, and the difference counts.
    """

    def __init__(self, name, reads, element, work, shape, unit="GUPS", images=1, per_iteration=False):
        self.name, self.reads, self.element, self.work, self.shape, self.unit = name, reads, element, work, shape, unit
        self.images, self.per_iteration = images, per_iteration

    @property
    def factory(self):
        return self.element.split()[0]


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
    small = few**2 * few_views * 32 / 1e9
    cone, of_cone = s.cone**3 * s.cone_views / 1e9, (s.cone, s.cone_views)
    half = s.cone // 2
    volume, of_volume = half**3 * s.cone_views / 1e9, (half, s.cone_views)
    beam = f"source-position-y=<-{4 * s.cone}.0>"
    even = f"overall-angle={2 * math.pi}"
    back = f"tomogeneralbackproject num-projections={s.cone_views} region=<{-s.cone / 2 + 0.5},{s.cone / 2 + 0.5},1.0>"
    yield Line("dfi 1e-4", "sinograms", "tomodfi tolerance=1e-4", stack, of_stack, images=s.stack)
    yield Line("dfi 1e-3", "sinograms", "tomodfi", stack, of_stack, images=s.stack)
    yield Line("joseph's transpose", "sinograms", "tomobackproject mode=joseph", stack, of_stack, images=s.stack)
    yield Line("joseph", "slices", f"tomoforwardproject number={s.views}", stack, of_stack, images=s.stack)
    for method in ("sirt", "cgls", "mlem", "fista", "sbtv", "asdpocs"):
        yield Line(method, "sinograms", f"tomo{method}", 2 * stack, of_stack, images=s.stack, per_iteration=True)
    yield Line("sart", "small-sinograms", "tomosart", 2 * small, (few, few_views), images=32, per_iteration=True)
    yield Line("phase", "slices", "tomoretrievephase energy=20 pixel-size=1e-6 distance=<0.1>", s.stack / 1e3,
               (s.size, s.size), "1e3 images/s", images=s.stack)
    for name, options in (("", ""), (", half", " precision-mode=half"), (", tilted", " axis-angle-x=<0.5>"),
                          (", tilted, half", " axis-angle-x=<0.5> precision-mode=half")):
        yield Line(f"cone, back{name}", "projections", f"{back} {beam} {even}{options}", cone, of_cone)
    uneven = ",".join(repr(2 * math.pi * ((i * 0.6180339887) % 1.0)) for i in range(s.cone_views))
    yield Line("cone, back, any angles", "projections", f"{back} {beam} axis-angle-z=<{uneven}>", cone, of_cone)
    yield Line("cone, forward", "volume",
               f"tomogeneralforwardproject number={s.cone_views} {beam} {even} rows={half} columns={half}", volume, of_volume)
    yield Line("parallel volume, forward", "volume", f"tomogeneralforwardproject number={s.cone_views} {even}", volume,
               of_volume)
    for name, geometry in (("parallel volume", ""), ("cone", beam)):
        yield Line(f"{name}, sirt", "small-projections",
                   f"tomogeneraliterate method=sirt num-projections={s.cone_views} {geometry} {even}", 2 * volume, of_volume,
                   per_iteration=True)


def seconds_of(program, source, trace, line, iterations=None):
    """Device seconds of the element, by command."""
    element = line.element + (f" num-iterations={iterations}" if iterations else "")
    command = ["gst-launch-1.0", "-q", *shlex.split(f"{source} ! {element} ! tomonull finish=true")]
    counted = program.traced_command(command, trace)
    os.remove(trace)
    element = next(e for e in counted["elements"] if e["factory"] == line.factory)
    return {name: command["device_ns"] / 1e9 for name, command in element["by_command"].items()
            if name not in ("upload", "download")}


def files_of(base, random, s):
    half = s.cone // 2
    shapes = {"sinograms": (s.stack, s.views, s.size), "slices": (s.stack, s.size, s.size),
              "small-sinograms": (32, s.views // 2, s.size // 4), "projections": (s.cone_views, s.cone, s.cone),
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
        if plan.options.only and not any(part in line.name for part in plan.options.only.split(",")):
            continue
        plan.say(f"methods: {line.name}")
        runs = []
        try:
            for _ in range(plan.options.repeats):
                if line.per_iteration:
                    few, more = (seconds_of(program, read(line.reads), trace, line, n) for n in (1, 4))
                    run = {name: (more[name] - few.get(name, 0)) / 3 for name in more}
                    # Where noise is larger than an iteration, all that four of them took.
                    runs.append(run if sum(run.values()) > 0 else {name: t / 4 for name, t in more.items()})
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
