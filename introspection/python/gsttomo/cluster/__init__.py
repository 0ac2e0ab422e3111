# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slabs of a reconstruction as jobs of Dask: the program tomo-cluster, see docs/clusters.md.

A run of tomo-reconstruct with `cluster` starts `tomo-cluster --slabs CLUSTER`, and tells it slabs; it answers how far they are. Each
line is an object of JSON.

    to it:    {"command": "make", "slabs": [{"number", "images", "file", "graph"}, ...], "slab-folder", "folder", "patience", ...}
              {"command": "join", "slabs": [FILE, ...], "dataset-of-slab", "slab-folder", "file", "dataset"}
              {"command": "pause"}, {"command": "resume"}, {"command": "finish"}
    from it:  {"event": "ready", "workers", "kinds": [{"device", "is-cpu", "compute-units", "disk", "count"}, ...]},
              {"event": "progress", "slab", "images"}, {"event": "made", "slab", "shares"},
              {"event": "stopped"}, {"event": "out-of-memory", "text"},
              {"event": "joined"}, {"event": "message", "level", "text"}, {"event": "failed", "text"}

The end of its input ends it, and the work of its workers.
"""
