# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How fast stripes of sinograms are removed, and how much less of the rings remains."""
import json
import os
import shutil
import statistics

import numpy as np
import tomoref

import files
from programs import Failed, Unsupported

METHODS = ("sorting", "filtering", "fitting", "large", "dead", "all")


class Striped(files.Scan):
    """Transmission of a head with 1 % noise and with stripes: some columns too bright or too dark in all views or in a
    third of them, a wide one, and one that fluctuates. `clean` is the first sinogram without them."""

    def _images(self, seeds):
        head = tomoref.line_integrals(tomoref.shepp_logan(0.4 * self.size, 3.0 / self.size),
                                      tomoref.angles_of_scan(self.projections), self.size, self.size / 2.0)
        thin = max(self.size // 40, 2)
        for seed in seeds:
            random = np.random.default_rng(seed)
            clean = np.exp(-head) * (1 + 0.01 * random.standard_normal(self.shape))
            response = np.ones(self.shape)
            response[:, random.integers(4, self.size - 4, thin)] += 0.05 * random.choice([-1, 1], thin)
            response[self.projections // 3:2 * self.projections // 3, random.integers(4, self.size - 4, thin)] += 0.08
            response[:, self.size // 3:self.size // 3 + max(self.size // 64, 1)] += 0.15
            response[:, 2 * self.size // 3] += 0.3 * random.uniform(-1, 1, self.projections)
            yield clean, clean * response

    def __init__(self, base, size, projections, number, seed):
        self.size, self.projections, self.number = size, projections, number
        self.shape, self.bytes = (projections, size), 4 * size * projections
        self.folder = os.path.join(base, f"striped-{size}x{projections}")
        distinct = min(number, 4)
        self._check_room(base, (distinct + 1) * self.bytes)
        os.mkdir(self.folder)
        self.clean = None
        for i, (clean, striped) in enumerate(self._images(np.random.SeedSequence(seed).spawn(distinct))):
            files.write_tiff(self.path(i), striped)
            self.clean = clean if i == 0 else self.clean
        for i in range(distinct, number):
            os.link(self.path(i % distinct), self.path(i))

    def ring_energy(self, sinogram):
        """Of what all views have in common, in absorption."""
        return float(np.square(np.log(np.maximum(sinogram, 1e-6) / self.clean).mean(axis=0)).sum())


def device_seconds(counted):
    return sum(command["device_ns"] for element in counted["elements"] if element["factory"].startswith("tomoremovestripes")
               for name, command in element["by_command"].items() if name not in ("upload", "download")) / 1e9


def measure(plan, program, scan, method, folder):
    """Seconds for each sinogram, and the first result. Ours: the device's own time; a peer's: from two processes."""
    chain, pattern = ("read", f"rings-{method}", "raw"), os.path.join(folder, "%05i.raw")
    trace, seconds = os.path.join(folder, "trace.json"), []
    for _ in range(plan.options.repeats):
        plan.say(f"stripes, {program.name}: {method}")
        if program.is_peer:
            start, whole = (program.run(chain, scan, number, pattern).seconds for number in (0, 1))
            seconds.append(whole - start)
        else:
            program.run(chain, scan, plan.small, pattern, env={"GST_TRACERS": f'tomotrace(file="{trace}")'})
            with open(trace, encoding="utf-8") as file:
                seconds.append(device_seconds(json.load(file)["tomo"]) / plan.small)
    result = np.fromfile(pattern % 0, "<f4").reshape(scan.shape)
    for name in os.listdir(folder):
        os.remove(os.path.join(folder, name))
    return statistics.median(seconds), result


def stripes(plan, compare):
    scan = Striped(plan.base, plan.scan.size, plan.scan.projections, plan.small, plan.options.seed + 3)
    folder = os.path.join(plan.base, "without-rings")
    os.mkdir(folder)
    before, ceiling, all_rows = scan.ring_energy(scan.sinogram(0)), plan.ceiling("copy_GBps"), []
    for method in METHODS:
        rows = []
        for program in plan.programs:
            case = f"stripes: {method}"
            try:
                seconds, result = measure(plan, program, scan, method, folder)
            except (Failed, Unsupported) as reason:
                plan.skip(case, program, reason)
                continue
            rate = 2 * scan.bytes / 1e9 / seconds if seconds > 0 else None  # once in, once out
            less = before / scan.ring_energy(result)
            rows.append({"case": case, "program": program.name, "size": scan.size, "projections": scan.projections,
                         "counts": [1 if program.is_peer else plan.small], "seconds": [seconds],
                         "ms_per_image": seconds * 1e3, "unit": "GB/s", "rate": rate, "limit": "device copy",
                         "ceiling": ceiling, "share": rate / ceiling if rate and ceiling else None,
                         "rings_less_by": less, "note": f"rings / {less:.2f}"})
        compare(rows)
        all_rows += rows
    shutil.rmtree(folder)
    shutil.rmtree(scan.folder)
    return all_rows
