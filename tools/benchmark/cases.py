# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is measured. Each case gives rows: dictionaries of numbers, for the table and for JSON."""
import json
import os
import shutil
import statistics

import numpy as np
import tomoref

import files
import methods
import programs
import scan_file
import striped
from programs import RING_METHODS, Failed, Unsupported

FFT_CHAIN = ("read", "fft-filter", "backproject", "null")
FUSED_CHAIN = ("read", "ramp-filter", "backproject", "null")
PADDED_CHAIN = ("read", "padded-filter", "backproject", "null")
DFI_CHAIN = ("read", "dfi", "null")
BYTES_TO_WRITE = 4 << 30  # at most, in the cases that fill the disk
BYTES_TO_DEFLATE = 1 << 29  # at most, because one thread of a peer takes its time


class Plan:
    """What to run: sizes, programs and ceilings."""

    def __init__(self, options, base, programs, ceilings, say):
        self.options, self.base, self.programs, self.ceilings, self.say = options, base, programs, ceilings, say
        self.small, self.big = options.slices
        self.say(f"making {self.big} sinograms of {options.size} x {options.projections} in {base}")
        self.scan = files.Scan(base, options.size, options.projections, self.big, options.seed)
        self.random = np.random.default_rng(options.seed + 1)
        self.skipped, self.failures = [], 0

    def skip(self, case, program, reason):
        self.skipped.append({"case": case, "program": program.name, "reason": str(reason)})
        if not program.is_peer and isinstance(reason, Failed):
            self.failures += 1
        self.say(f"{case}, {program.name}: skipped, {reason}")

    def wants(self, name):
        """Whether the option --only names a part of it, or is not given."""
        return not self.options.only or any(part in name for part in self.options.only.split(","))

    def updates(self):  # of one slice, 1e9
        return self.scan.size ** 2 * self.scan.projections / 1e9

    def gups_ceiling(self):
        """Float32 backprojection from local memory reads two values per update."""
        rate = self.ceilings.get("local_read_GBps")
        return rate / 8.0 if rate else None

    def ceiling(self, name):
        return self.ceilings.get(name)


def share(rate, ceiling):
    return rate / ceiling if rate and ceiling else None


def clear(folder):
    for name in os.listdir(folder):
        os.remove(os.path.join(folder, name))


# Times -----------------------------------------------------------------------------------------------------------

def measured(plan, case, chain, counts, output=None, source=None, **options):
    """Runs all programs that know the chain, in turn, as often as asked after a warm-up.

    Returns {program: {count: [outcomes]}}, without those that failed.
    """
    times, able = {}, []
    for program in plan.programs:
        try:
            program.command(chain, plan.scan, 1, output, source)
            able.append(program)
        except Unsupported as reason:
            plan.skip(case, program, reason)
    for turn in range(-1, plan.options.repeats):
        for program in list(able):
            wanted = (0, program.most_slices) if program.most_slices else counts
            for count in wanted if turn >= 0 else wanted[:1]:
                plan.say(f"{case}, {program.name}: {'warm-up' if turn < 0 else f'run {turn + 1}'}, {count} images")
                if output:
                    clear(os.path.dirname(output.partition(":")[0]))  # each run makes its files anew
                try:
                    outcome = program.run(chain, plan.scan, count, output, source, **options)
                except Failed as reason:
                    plan.skip(case, program, reason)
                    times.pop(program, None)
                    able.remove(program)
                    break
                if turn >= 0:
                    times.setdefault(program, {}).setdefault(count, []).append(outcome)
    return times


def row(plan, case, program, outcomes, counts, unit, per_image, ceiling, limit):
    """A row from the outcomes at two counts. per_image: units of 1e9 in one image."""
    medians = {count: statistics.median(o.seconds for o in runs) for count, runs in outcomes.items()}
    low, high = min(medians), max(medians)
    difference = (medians[high] - medians[low]) / (high - low) if high > low else None
    extrapolated = program.most_slices is not None
    if extrapolated:
        medians = {count: medians[low] + count * difference for count in counts}
    # Where noise is larger than what more images cost, there is no rate.
    rate = per_image / difference if difference and difference > 0 else None
    return {
        "case": case, "program": program.name, "size": plan.scan.size, "projections": plan.scan.projections,
        "counts": list(counts), "seconds": [medians[count] for count in counts], "extrapolated": extrapolated,
        "runs": {str(count): [o.seconds for o in runs] for count, runs in outcomes.items()},
        "ms_per_image": difference * 1e3 if rate else None, "unit": unit, "rate": rate,
        "whole_rate": per_image * counts[-1] / medians[counts[-1]],
        "limit": limit, "ceiling": ceiling, "share": share(rate, ceiling),
    }


def difference_case(plan, case, chain, unit, per_image, ceiling, limit, errors=None, counts=None, **options):
    counts = counts or (plan.small, plan.big)
    rows = []
    for program, outcomes in measured(plan, case, chain, counts, **options).items():
        rows.append(row(plan, case, program, outcomes, counts, unit, per_image, ceiling, limit))
        if errors:
            try:
                rows[-1]["errors"] = errors(plan, program, chain)
            except Failed as reason:
                plan.skip(f"error of {case}", program, reason)
    compare(rows)
    return rows


def compare(rows, key=lambda r: r.get("rate"), whole=lambda r: r.get("whole_rate")):
    """Adds how many times faster than each peer a row of ours is: per image, and as a whole process."""
    for ours in rows:
        if not ours["program"].startswith("gst-tomo"):
            continue
        ours["times_peer"], ours["times_peer_whole"] = {}, {}
        for peer in rows:
            if peer["program"].startswith("gst-tomo"):
                continue
            for name, rate in (("times_peer", key), ("times_peer_whole", whole)):
                if rate(ours) and rate(peer):
                    ours[name][peer["program"]] = rate(ours) / rate(peer)


# Errors ----------------------------------------------------------------------------------------------------------

def relative_error(result, reference, program, mask=None):
    """Relative L2 distance; a peer's is free in its scale, and is taken where every view sees the pixel."""
    if mask is not None:
        result, reference = result[mask], reference[mask]
    if program.scale_is_free:
        norm = np.vdot(result, result)
        result = result * (np.vdot(result, reference) / norm if norm > 0 else 0.0)
    return tomoref.error(result, reference)


def results_of(plan, program, chain, source=None):
    """What a program makes of the scan's first two sinograms."""
    folder = os.path.join(plan.base, "results")
    os.mkdir(folder)
    try:
        program.run((*chain[:-1], "raw"), plan.scan, 2, os.path.join(folder, "%05i.raw"), source)
        names = sorted(os.listdir(folder))
        if len(names) != 2:
            raise Failed(f"{program.name} wrote {len(names)} files for two images: {', '.join(names[:3])}")
        return [np.fromfile(os.path.join(folder, name), "<f4").astype(np.float64) for name in names]
    finally:
        shutil.rmtree(folder)


def slice_errors(plan, program, chain):
    """Errors of reconstructions, on a few rows of the slices."""
    size, scan = plan.scan.size, plan.scan
    only_backprojects = "backproject" in chain and not any("filter" in step for step in chain)
    source = scan.filtered if only_backprojects else None
    errors = {}
    for i, (name, result) in enumerate(zip(("head", "noise"), results_of(plan, program, chain, source))):
        sinogram = scan.sinogram(i, filtered=only_backprojects)
        if "padded-filter" in chain:
            sinogram = tomoref.fft_filter(sinogram, size=2 * size, crop=size)
        elif not only_backprojects:
            sinogram = tomoref.fft_filter(sinogram)
        if result.size != size * size:
            raise Failed(f"{program.name} made {result.size} samples of a slice of {size} x {size}")
        image, rows, references, masks = result.reshape(size, size), 4, [], []
        tops = [size // 2, int(plan.random.integers(0, size - rows))]
        axis = size / 2.0 + program.axis_from_middle
        for top in tops:
            roi = (0, top, size, rows)
            references.append(tomoref.backproject_linear(sinogram, axis=axis, roi=roi))
            masks.append(tomoref.field_of_view(size, axis, roi, margin=2.0))
        parts = np.concatenate([image[top:top + rows] for top in tops])
        mask = np.concatenate(masks) if program.is_peer else None
        errors[name] = relative_error(parts, np.concatenate(references), program, mask)
    return errors


def filter_errors(plan, program, chain):
    errors = {}
    for i, (name, result) in enumerate(zip(("head", "noise"), results_of(plan, program, chain))):
        reference = tomoref.fft_filter(plan.scan.sinogram(i))
        if result.size != reference.size:
            raise Failed(f"{program.name} made {result.size} samples of a sinogram of {reference.size}")
        errors[name] = relative_error(result.reshape(reference.shape), reference, program)
    return errors


# Cases -----------------------------------------------------------------------------------------------------------

def fbp(plan):
    return difference_case(plan, "fbp", FFT_CHAIN, "GUPS", plan.updates(), plan.gups_ceiling(), "local memory",
                           slice_errors)


def fbp_fused(plan):
    return difference_case(plan, "fbp-fused", FUSED_CHAIN, "GUPS", plan.updates(), plan.gups_ceiling(), "local memory",
                           slice_errors)


def fbp_padded(plan):
    return difference_case(plan, "fbp-padded", PADDED_CHAIN, "GUPS", plan.updates(), plan.gups_ceiling(),
                           "local memory", slice_errors)


def dfi(plan):
    """GUPS as if it had been backprojected. A slice is band-limited, so the others are no reference for it."""
    return difference_case(plan, "dfi", DFI_CHAIN, "GUPS", plan.updates(), None, None)


def backproject(plan):
    return difference_case(plan, "backproject", ("read", "backproject", "finish"), "GUPS", plan.updates(),
                           plan.gups_ceiling(), "local memory", slice_errors)


def ramp(plan):
    rows = []
    for case, step in (("ramp", "fft-filter"), ("ramp-fused", "ramp-filter")):
        # Once in, once out.
        rows += difference_case(plan, case, ("read", step, "finish"), "GB/s", 2 * plan.scan.bytes / 1e9,
                                plan.ceiling("copy_GBps"), "device copy", filter_errors)
    return rows


def rings(plan):
    rows = []
    for method in RING_METHODS:
        rows += difference_case(plan, method, ("read", method, "finish"), "GB/s", 2 * plan.scan.bytes / 1e9,
                                plan.ceiling("copy_GBps"), "device copy")
    return rows


def read(plan):
    ceiling = files.read_rate(plan.scan, plan.big, os.cpu_count()) / 1e9
    plan.ceilings["read_files_GBps"] = ceiling
    return difference_case(plan, "read", ("read", "null"), "GB/s", plan.scan.bytes / 1e9, ceiling, "reading files")


def capped(plan, most=BYTES_TO_WRITE):
    """Counts of the cases that make as many bytes as they read: what the folder has room for."""
    room = min(most, shutil.disk_usage(plan.base).free // 2)
    big = max(2, min(plan.big, room // plan.scan.bytes))
    return (max(1, min(plan.small, big // 2)), big)


def dataset_case(plan, case, make, per_image, ceiling, limit, step="read-hdf5"):
    """Reading a dataset that `make(location, number)` makes."""
    counts = capped(plan)
    path = os.path.join(plan.base, "scan.h5")
    location = f"{path}:/data"
    try:
        make(location, counts[1])
    except Failed as reason:
        plan.skip(case, ours(plan), reason)
        return []
    try:
        return difference_case(plan, case, (step, "null"), "GB/s", per_image / 1e9, ceiling, limit, counts=counts,
                               source=location)
    finally:
        os.remove(path)


def ours(plan):
    return next(p for p in plan.programs if not p.is_peer)


def read_hdf5(plan):
    ceiling = plan.ceiling("read_files_GBps") or files.read_rate(plan.scan, plan.big, os.cpu_count()) / 1e9
    return dataset_case(plan, "read-hdf5", lambda location, number: ours(plan).run(
        ("read", "write-hdf5"), plan.scan, number, location), plan.scan.bytes, ceiling, "reading files")


def read_deflate(plan):
    plan.ceilings["inflate_GBps"] = files.inflate_rate(plan.scan, os.cpu_count()) / 1e9
    return dataset_case(plan, "read-deflate", lambda location, number: ours(plan).run(
        ("read", "write-counts"), plan.scan, number, location), plan.scan.bytes // 2, plan.ceiling("inflate_GBps"),
        "zlib inflating")


def read_lz4(plan):
    if reason := files.missing_for_lz4():
        plan.skip("read-lz4", ours(plan), reason)
        return []
    plan.ceilings["lz4_GBps"] = files.lz4_rate(plan.scan, os.cpu_count()) / 1e9
    return dataset_case(plan, "read-lz4", lambda location, number: files.write_lz4(
        location.partition(":")[0], plan.scan, number), plan.scan.bytes // 2, plan.ceiling("lz4_GBps"), "LZ4 decoding",
        "read-lz4")


def writing_case(plan, case, step, name, counts, ceiling=None, limit="writing files"):
    """Files of a folder of its own; the ceiling, where none is given, is writing them at all.

    To one file a system writes for one thread at a time.
    """
    folder = os.path.join(plan.base, "written")
    os.mkdir(folder)
    try:
        if ceiling is None:
            name_of_ceiling, threads = ("write_files_GBps", os.cpu_count()) if "%" in name else ("write_file_GBps", 1)
            if not plan.ceiling(name_of_ceiling):
                plan.ceilings[name_of_ceiling] = files.write_rate(folder, plan.scan, counts[1], threads) / 1e9
            ceiling = plan.ceiling(name_of_ceiling)
        return difference_case(plan, case, ("read", step), "GB/s", plan.scan.bytes / 1e9, ceiling, limit,
                               counts=counts, output=os.path.join(folder, name))
    finally:
        shutil.rmtree(folder)


def write(plan):
    return writing_case(plan, "write", "write", "%05i.tif", capped(plan))


def write_hdf5(plan):
    return writing_case(plan, "write-hdf5", "write-hdf5", "scan.h5:/data", capped(plan))


def write_deflate(plan):
    plan.ceilings["deflate_GBps"] = files.deflate_rate(plan.scan, os.cpu_count()) / 1e9
    return writing_case(plan, "write-deflate", "write-deflate", "scan.h5:/data", capped(plan, BYTES_TO_DEFLATE),
                        plan.ceiling("deflate_GBps"), "zlib deflating")


def first_slice(plan):
    """A small scan: from the start of the process until the bytes of its first slice came out of it, and, to be
    compared with peers, the whole process for one slice."""
    size = plan.options.first_size
    scan, plan.scan = plan.scan, files.Scan(plan.base, size, size, 16, plan.options.seed + 2)
    rows = []
    try:
        for program, outcomes in measured(plan, "first-slice", FFT_CHAIN, (1,)).items():
            if program.most_slices:
                continue
            seconds = statistics.median(o.seconds for o in outcomes[1])
            rows.append({"case": "one-slice", "program": program.name, "size": size, "projections": size,
                         "counts": [1], "seconds": [seconds], "unit": "s"})
        compare(rows, lambda r: 1 / r["seconds"][0], lambda r: 1 / r["seconds"][0])
        for program, outcomes in measured(plan, "first-slice", (*FFT_CHAIN[:-1], "stdout"), (16,),
                                          first_bytes=4 * size * size).items():
            rows.append({"case": "first-slice", "program": program.name, "size": size, "projections": size,
                         "counts": [16], "seconds": [statistics.median(o.first for o in outcomes[16])], "unit": "s"})
    finally:
        plan.scan = scan
    return rows


TRANSFERS = {"upload": "upload_GBps", "download": "download_GBps"}
FILTERS = ("tomofft", "tomofilter", "tomoifft", "tomorampfilter")


def device_times(counted):
    """{"backproject", "ramp", "upload", "download": seconds of the device}, and bytes of the transfers."""
    times, moved = {}, {"upload": 0, "download": 0}
    for element in counted["elements"]:
        computes = {"tomobackproject": "backproject", **dict.fromkeys(FILTERS, "ramp")}.get(element["factory"])
        for name, command in element["by_command"].items():
            if kind := name if name in TRANSFERS else computes:
                times[kind] = times.get(kind, 0.0) + command["device_ns"] / 1e9
        moved["upload"] += element["to_device_bytes"]
        moved["download"] += element["to_host_bytes"]
    return times, moved


def kernels(plan):
    """Rates while the device is at work on a stage, by its own clock, in the whole pipeline."""
    rows = []
    for case, chain in (("", FFT_CHAIN), ("-fused", FUSED_CHAIN)):
        for program in plan.programs:
            if program.is_peer:
                continue
            path, runs = os.path.join(plan.base, "trace.json"), []
            try:
                for turn in range(plan.options.repeats):
                    plan.say(f"kernels, {program.name}: run {turn + 1}, {plan.small} images")
                    runs.append(device_times(program.traced(chain, plan.scan, plan.small, path)))
            except (Failed, Unsupported) as reason:
                plan.skip(f"kernels{case}", program, reason)
                continue
            os.remove(path)
            for kind in runs[0][0]:
                seconds = statistics.median(times[kind] for times, _ in runs)
                if kind in TRANSFERS:
                    work, unit, limit = runs[0][1][kind] / 1e9, "GB/s", f"pinned {kind}"
                    # Devices that share the host's memory have no transfers worth the name.
                    ceiling = None if plan.ceilings.get("shares_host_memory") else plan.ceiling(TRANSFERS[kind])
                elif kind == "ramp":
                    work, unit, limit = 2 * plan.scan.bytes * plan.small / 1e9, "GB/s", "device copy"
                    ceiling = plan.ceiling("copy_GBps")
                else:
                    work, unit, limit = plan.updates() * plan.small, "GUPS", "local memory"
                    ceiling = plan.gups_ceiling()
                rate = work / seconds if seconds > 0 else None
                rows.append({"case": f"kernels{case}: {kind}", "program": program.name, "size": plan.scan.size,
                             "projections": plan.scan.projections, "counts": [plan.small], "seconds": [seconds],
                             "ms_per_image": seconds / plan.small * 1e3, "unit": unit, "rate": rate, "limit": limit,
                             "ceiling": ceiling, "share": share(rate, ceiling)})
    return rows


def device_peaks(plan, program):
    path = os.path.join(plan.base, "trace.json")
    peaks = []
    for count in (plan.small, plan.big):
        peaks.append(program.traced(FFT_CHAIN, plan.scan, count, path)["device_memory_peak_bytes"] / 1e6)
        os.remove(path)
    return peaks


def memory(plan):
    rows = []
    for program in plan.programs:
        if program.most_slices:
            continue
        peaks = []
        try:
            for count in (plan.small, plan.big):
                plan.say(f"memory, {program.name}: {count} images")
                peaks.append(program.run(FFT_CHAIN, plan.scan, count, watch_memory=True).peak)
        except (Failed, Unsupported) as reason:
            plan.skip("memory", program, reason)
            continue
        rows.append({"case": "memory", "program": program.name, "size": plan.scan.size,
                     "projections": plan.scan.projections, "counts": [plan.small, plan.big],
                     "host_MB": [peak / 1e6 for peak in peaks], "unit": "MB"})
        if not program.is_peer:
            try:
                rows[-1]["device_MB"] = device_peaks(plan, program)
            except (Failed, Unsupported) as reason:
                plan.skip("device memory", program, reason)
    return rows


def scan(plan):
    """From a raw scan in HDF5 to a volume in a file, whole processes; the axis is given."""
    size, projections, rows = plan.options.raw
    plan.say(f"making a raw scan of {projections} projections of {size} x {rows}")
    raw = scan_file.RawScan(plan.base, size, projections, rows, plan.options.seed + 3)
    folder = os.path.join(plan.base, "volume")
    try:
        times, able = {}, {}
        for program in plan.programs:
            try:
                for name, command, output in program.volume_commands(raw, folder):
                    if plan.wants(name):
                        able[name] = (program, command, output)
            except Unsupported as reason:
                plan.skip("scan", program, reason)
        for turn in range(-1, plan.options.repeats):
            for name, (program, command, output) in list(able.items()):
                plan.say(f"scan, {name}: {'warm-up' if turn < 0 else f'run {turn + 1}'}, {rows} slices")
                os.mkdir(folder)
                try:
                    outcome = programs.execute(command, env=program.env)
                    if not os.path.exists(output):
                        raise Failed(f"{name} left no {os.path.basename(output)}")
                    if turn >= 0:
                        times.setdefault(name, []).append(outcome.seconds)
                except Failed as reason:
                    plan.skip("scan", program, reason)
                    able.pop(name)
                finally:
                    shutil.rmtree(folder)
    finally:
        raw.remove()
    found = [{"case": "scan", "program": name, "size": size, "projections": projections, "counts": [rows],
              "seconds": [statistics.median(runs)], "runs": {str(rows): runs}, "unit": "s",
              "ms_per_image": statistics.median(runs) / rows * 1e3} for name, runs in times.items()]
    compare(found, lambda r: 1 / r["seconds"][0], lambda r: 1 / r["seconds"][0])
    return found


CASES = {
    "read": read,
    "read-hdf5": read_hdf5,
    "read-deflate": read_deflate,
    "read-lz4": read_lz4,
    "write": write,
    "write-hdf5": write_hdf5,
    "write-deflate": write_deflate,
    "ramp": ramp,
    "rings": rings,
    "backproject": backproject,
    "fbp": fbp,
    "fbp-fused": fbp_fused,
    "fbp-padded": fbp_padded,
    "dfi": dfi,
    "kernels": kernels,
    "stripes": lambda plan: striped.stripes(plan, compare),
    "methods": methods.methods,
    "first-slice": first_slice,
    "memory": memory,
    "scan": scan,
}
