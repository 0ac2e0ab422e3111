# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table for people."""
import math


def number(value):
    """Three digits, or all before the point."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -3:
        return f"{value:.1e}"
    return f"{value:.{max(0, 2 - magnitude)}f}"


def pair(values):
    return " / ".join(number(v) for v in values)


def cells(row, peers):
    """One line of the table."""
    line = [row["case"], row["program"], f"{row['size']} x {row['projections']}", " / ".join(map(str, row["counts"]))]
    if "host_MB" in row:
        device = f", device {pair(row['device_MB'])} MB" if "device_MB" in row else ""
        line += ["-", "-", f"host {pair(row['host_MB'])} MB{device}", "-", "-"]
    else:
        rate = f"{number(row['rate'])} {row['unit']}" if row.get("rate") else "-"
        whole = f" ({number(row['whole_rate'])})" if row.get("whole_rate") else ""
        seconds = pair(row["seconds"]) if "seconds" in row else "-"
        line += [seconds + (" *" if row.get("extrapolated") else ""), number(row.get("ms_per_image")), rate + whole,
                 f"{100 * row['share']:.1f} % {row['limit']}" if row.get("share") else "-"]
        errors = row.get("errors")
        line.append(" / ".join(f"{errors[name]:.1e}" for name in ("head", "noise")) if errors
                    else row.get("note", "-"))
    for peer in peers:
        image, whole = (row.get(key, {}).get(peer) for key in ("times_peer", "times_peer_whole"))
        line.append(f"{number(image)} ({number(whole)})" if image or whole else "-")
    return line


def table(rows, peers):
    """Markdown with aligned columns."""
    head = ["case", "program", "size x views", "images", "seconds", "ms / image", "rate (whole)", "share of ceiling",
            "error head / noise", *(f"x {peer} (whole)" for peer in peers)]
    lines = [head, *(cells(row, peers) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


NOTES = """
rate: from the difference of the times at the two numbers of images, so without what a process needs to start; in
brackets from the whole process at the larger number. GUPS: 1e9 pixels times views per second; the ceiling is reading
two float32 from local memory for each. ramp: bytes in and out; read, write: bytes of the images, not compressed.
error: relative L2 distance to a float64 reference, on a head with 1 % noise and on white noise; that of a peer with
the best factor, within the circle that all views see.
kernels: the device's own time in a stage, as the tracer counts it; transfers: bytes over the time of their commands.
methods: the device's own time in an element, for one iteration where it iterates; the last column names its longest commands in ms.
stripes: ours, the device's own time; a peer, its time for one sinogram; rings / N: the energy of the rings is N times less.
*: computed for one image, extrapolated."""


def left_out(entries):
    """Lines that say what is missing in the table and why."""
    cases = {}
    for entry in entries:
        cases.setdefault((entry["program"], entry["reason"]), []).append(entry["case"])
    return "\n".join(f"left out: {program}, {', '.join(dict.fromkeys(names))}: {reason}"
                     for (program, reason), names in cases.items())


def ceilings(found):
    labels = (("copy_GBps", "device copy (read + written)", "GB/s"), ("upload_GBps", "upload, pinned", "GB/s"),
              ("download_GBps", "download, pinned", "GB/s"), ("both_ways_GBps", "both ways at once", "GB/s"),
              ("local_read_GBps", "reading local memory", "GB/s"),
              ("image_R32F_Gsamples", "linear samples of an R32F image", "1e9/s"),
              ("image_RGBA16F_Gsamples", "linear samples of an RGBA16F image", "1e9/s"),
              ("read_files_GBps", "reading files, all threads", "GB/s"),
              ("write_files_GBps", "writing files, all threads", "GB/s"),
              ("write_file_GBps", "writing files, one thread", "GB/s"),
              ("inflate_GBps", "zlib inflating uint16, all threads", "GB/s"),
              ("deflate_GBps", "zlib deflating float32, all threads", "GB/s"),
              ("lz4_GBps", "LZ4 decoding uint16, all threads", "GB/s"))
    lines = [f"{found['device']}, {found['driver']}" if "device" in found else "no ceilings of the device"]
    lines += [f"  {label:36} {number(found[key])} {unit}" for key, label, unit in labels if found.get(key)]
    return "\n".join(lines)
