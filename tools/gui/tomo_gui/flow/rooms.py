# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What elements are for: the words by which they are grouped, and shown in a colour of their own."""

# In the order of a user's way; the first four are also for elements of GStreamer.
ROOMS = {
    "sources": "Sources",
    "sinks": "Sinks",
    "stream": "Streams",
    "video": "Video",
    "arithmetic": "Arithmetic",
    "correction": "Corrections",
    "fourier": "Fourier",
    "filter": "Image filters",
    "geometry": "Geometry",
    "reconstruction": "Reconstruction",
    "live": "Live",
    "measurement": "Measurement",
}

# The folders of elements/; a task that is not here is an image filter. Sources and sinks are known by their pads.
TASKS = {
    "stream": """average buffer convert correlate-stacks distribute download duplicate fade flatten flatten-inplace interpolate
        interpolate-neighbours interpolate-stream loop monitor refeed replicate sleep slice sliding-stack stack stat-monitor upload""",
    "arithmetic": "binarize calculate clip fftmult gemm map-color mask ocl-1liner opencl opencl-reduce power-spectrum subtract unsplit",
    "correction": """air-correct cone-beam-projection-weight double-flat-field dynamic-flat-field-correct find-large-spots flat-field-correct
        horizontal-interpolate inpaint med-mad-reject med-mad-reject-2d redundancy-weight remove-outliers remove-rings remove-stripes-all
        remove-stripes-dead remove-stripes-filtering remove-stripes-fitting remove-stripes-large remove-stripes-normalization
        remove-stripes-sorting remove-stripes-titarenko remove-stripes-wavelet""",
    "fourier": "cross-correlate fft filter filter-stripes filter-stripes1d ifft ramp-filter retrieve-phase swap-quadrants zeropad",
    "filter": "blur contrast denoise detect-edge gradient median-filter non-local-means ordfilt",
    "geometry": """bin correct-distortion crop cut flip map-coordinates map-slice merge pad polar-coordinates reduce rescale rotate shift
        stamp stitch tile transpose volume-render""",
    "reconstruction": """asdpocs backproject center-of-rotation cgls cut-sinogram dfi dfi-sinc fista forwardproject general-backproject
        general-forwardproject general-iterate join-half-turns lamino-backproject mlem sart sbtv sirt stacked-backproject
        transpose-projections""",
    "live": "live-correct live-slice live-slices live-store projection-ring",
    "measurement": "concatenate-result dump-ring filter-particle find-shift get-dup-circ measure measure-sharpness remove-circle segment",
}

_room_of_task = {task: room for room, tasks in TASKS.items() for task in tasks.split()}


def room_of(task, klass, inputs, outputs):
    if not inputs:
        return "sources"
    if not outputs:
        return "sinks"
    if task:
        return _room_of_task.get(task, "filter")
    return "stream" if klass.startswith(("Generic", "Util", "Debug", "Network")) else "video"
