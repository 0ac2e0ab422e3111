# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lines that both programs run, by task.

A line without a source is wrapped in `read path=image.tif ! ... ! write filename=out.tif`, one without a sink gets the
latter. A line that gives different files is a pair with the explanation, which begins with a kind of difference:

    intended     one of docs/migrating-from-ufo.md
    UFO's error  its result is wrong
    UFO 0.16     as Debian has it; later versions do what gst-tomo does
"""
import re

SIZES = "UFO 0.16: `auto-zeropadding` is true by default, so that sizes become powers of two"
SCALE = "UFO 0.16: `ifft` divides by the number of values twice"
STACK = "intended: a shorter stack comes last, where UFO loses the images that are left"
ROUNDED = "intended: integers are rounded, UFO truncates them"
BLUR = "UFO's error: it loses the last weight and shifts them at the left and top edges"
DENOISE = "intended: beyond the edges the image is mirrored, where UFO takes its opposite side"
GRADIENT = "UFO 0.16: border pixels get the difference of their neighbours; later ones read by `addressing-mode`"
MASK = "intended: the circle is around the middle of the image, UFO's around pixel (W / 2, W / 2)"
BORDER = "UFO's error: it does not write the border"
AXIS = "UFO's error: along a row it sums other values; the mean of values below 1.1 comes out above 2"
C_ABS = "intended: complex samples without imaginary part; UFO packs real ones into the first half"
DIGITS = "intended: numbers are written with nine decimals, UFO's with six"
DFI = ("UFO's error: values are (L / 2 pi)^2 too large, angles one step off and in the other sense, low frequencies and the "
       "ends of half a turn lack their mirrored neighbours")
UNFINISHED = "UFO's error: the task is unfinished and gives nothing"
NEAREST = "UFO's error: beyond the ends of a row, `nearest` reads the neighbouring rows"

# Tasks that a line can't show, and why.
WITHOUT_LINE = {
    "memory-in": "takes an address in the caller's memory",
    "memory-out": "takes an address in the caller's memory",
    "camera": "needs a camera",
    **dict.fromkeys(("general-backproject", "lamino-backproject"), "UFO's needs images of a kind that PoCL lacks"),
    "stacked-backproject": "not in UFO 0.16",
    "stdin": "reads standard input",
    "volume-render": "UFO's kernel is missing",
    "zmq-pub": "needs another process",
    "zmq-sub": "needs another process",
    "convert": "not in UFO",
    "distribute": "not in UFO",
    "download": "not in UFO",
    "upload": "not in UFO",
    "ramp-filter": "not in UFO",
    "scan-src": "not in UFO",
    **dict.fromkeys(("air-correct", "asdpocs", "cgls", "concert-sink", "concert-src", "correct-distortion", "dfi", "double-flat-field", "dynamic-flat-field-correct",
                     "fade", "find-shift", "fista", "general-forwardproject", "general-iterate", "inpaint", "interpolate-neighbours", "join-half-turns", "live-correct", "live-slice",
                     "live-slices", "live-store", "mlem", "phantom-camera", "projection-ring", "recast-src", "simplon-src",
                     "redundancy-weight", "remove-rings",
                     "remove-stripes-all", "remove-stripes-dead", "remove-stripes-filtering", "remove-stripes-fitting",
                     "remove-stripes-large", "remove-stripes-normalization", "remove-stripes-sorting",
                     "remove-stripes-titarenko", "remove-stripes-wavelet", "sart", "sbtv", "shift", "sirt"), "not in UFO"),
}

LINES = {
    "average": ["read path=images.tif ! average", "read path=images.tif ! average number=2"],
    "backproject": [
        ("read path=sinogram.tif ! backproject mode=texture",
         "intended: an error on devices without image unit, which names `mode=linear`"),
        "read path=sinogram.tif ! backproject mode=nearest",
        ("read path=sinogram.tif ! backproject mode=nearest axis-pos=15 angle-offset=0.3 "
         "angle-step=0.1308996938995747", NEAREST),
        "read path=sinogram.tif ! backproject mode=nearest axis-pos=15 angle-offset=0.3 "
        "angle-step=0.1308996938995747 ! crop x=8 y=8 width=14 height=14",
        ("read path=sinogram.tif ! backproject mode=nearest angle-step=0.1 ! crop x=8 y=8 width=14 height=14",
         "intended: the factor is what each view adds, and half a turn is not covered here; UFO's is pi / n"),
        ("read path=sinogram.tif ! backproject mode=nearest roi-x=8 roi-y=8 roi-width=16 roi-height=16",
         "UFO's error: with a region, `nearest` steps by the region's width through the sinogram"),
    ],
    "bin": ["bin", "bin size=3", "read path=odd.tif ! bin", "read path=images.tif ! stack number=5 ! bin ! slice"],
    "binarize": ["binarize threshold=0.5"],
    "blur": [("blur", BLUR), ("blur size=9 sigma=2", BLUR), ("read path=odd.tif ! blur size=4 sigma=1", BLUR)],
    "buffer": ["read path=images.tif ! buffer", "read path=images.tif ! buffer number=5 dup-count=2",
               "read path=images.tif ! buffer number=5 dup-count=2 loop=true"],
    "calculate": ["calculate expression='v * 2 + x'", "calculate expression='v + x * y / index' dimensions=2",
                  "calculate expression='sqrt(v) + (float) x / width + (float) y / height' dimensions=2",
                  "calculate expression='exp(-v)'"],
    "center-of-rotation": ["read path=sinogram.tif ! center-of-rotation"],
    "clip": ["clip min=0.3 max=0.7"],
    "concatenate-result": ["read path=rings.tif ! concatenate-result ring-count=1 ! ringwriter filename=rings"],
    "cone-beam-projection-weight": [
        "cone-beam-projection-weight center-position-x=16 center-position-z=12 source-distance=100 "
        "detector-distance=50",
        "cone-beam-projection-weight center-position-x=15 center-position-z=11 source-distance=100 "
        "detector-distance=50 axis-angle-x=0.2"],
    "contrast": ["contrast", "contrast remove-high=true"],
    "correlate-stacks": [("[read path=images.tif ! stack number=5, read path=others.tif] ! correlate-stacks number=5",
                          "intended: columns are references and rows are images; UFO's are transposed"),
                         "[read path=images.tif ! stack number=5, read path=images.tif] ! correlate-stacks number=5"],
    "crop": ["crop width=10 height=7", "crop x=3 y=5 width=10 height=7", "crop width=10 height=8 from-center=true",
             "crop x=3 y=5", "read path=odd.tif ! crop width=10 height=8 from-center=true"],
    "cross-correlate": ["[read path=image.tif ! fft dimensions=2, read path=other.tif ! fft dimensions=2] ! "
                        "cross-correlate postproc=output"],
    "cut": ["cut width=6", "read path=odd.tif ! cut width=6"],
    "cut-sinogram": ["cut-sinogram center-of-rotation=20", "cut-sinogram center-of-rotation=12",
                     ("cut-sinogram", "UFO's error: -1 is taken for a position, and it reads out of range")],
    "denoise": [("denoise matrix-size=5", DENOISE), "denoise matrix-size=5 ! crop x=4 y=4 width=24 height=16"],
    "detect-edge": ["detect-edge filter=sobel", "detect-edge filter=prewitt", "detect-edge filter=laplace"],
    "dfi-sinc": [("read path=sinogram.tif ! zeropad oversampling=2 ! fft auto-zeropadding=false ! dfi-sinc ! swap-quadrants ! "
                  "ifft dimensions=2 ! swap-quadrants", DFI)],
    "dummy-data": ["dummy-data width=7 height=5 number=2 init=3.5"],
    "dump-ring": [("[read path=square.tif, read path=rings.tif] ! dump-ring", "intended: circles are closed, of the pixels "
                   "nearest to the radius; UFO rounds points that lie 0.005 rad apart")],
    "duplicate": [("read path=images.tif ! duplicate", UNFINISHED)],
    "fft": ["fft ! power-spectrum", ("fft dimensions=2 ! power-spectrum", SIZES),
            "read path=square.tif ! fft dimensions=2 ! power-spectrum",
            ("read path=odd.tif ! fft ! power-spectrum", SIZES),
            "read path=odd.tif ! fft auto-zeropadding=true ! power-spectrum",
            ("read path=images.tif ! stack number=5 ! fft dimensions=3 ! power-spectrum ! slice",
             "UFO 0.16: three dimensions come out as single rows")],
    "fftmult": ["[read path=image.tif ! fft, read path=other.tif ! fft] ! fftmult ! ifft",
                "[read path=square.tif ! fft dimensions=2, read path=other-square.tif ! fft dimensions=2] ! fftmult ! "
                "ifft dimensions=2"],
    "filter": [f"fft ! filter filter={name} ! power-spectrum" for name in
               ("ramp", "ramp-fromreal", "butterworth", "hamming", "bh3")]
              + ["fft ! filter filter=butterworth cutoff=0.3 order=2 scale=2 ! power-spectrum",
                 "fft ! filter filter=hamming cutoff=0.3 ! power-spectrum",
                 ("fft ! filter filter=faris-byer ! power-spectrum",
                  "UFO's error: it mixes up real and imaginary parts"),
                 ("fft ! filter ! ifft", SCALE), "fft ! filter ! ifft ! binarize threshold=0"],
    "filter-stripes": [
        f"read path=square.tif ! fft dimensions=2 ! filter-stripes{sigma} ! power-spectrum"
        for sigma in ("", " horizontal-sigma=3", " horizontal-sigma=3 vertical-sigma=2")],
    "filter-stripes1d": ["fft ! filter-stripes1d strength=3 ! power-spectrum"],
    "filter-particle": ["read path=smooth.tif ! filter-particle ! ringwriter filename=rings"],
    "find-large-spots": [
        "read path=spots.tif ! find-large-spots spot-threshold=10 spot-threshold-mode=above grow-threshold=5",
        "read path=spots.tif ! find-large-spots spot-threshold=10 spot-threshold-mode=above"],
    "flat-field-correct": [
        "[read path=projections.tif, read path=darks.tif ! average, read path=flats.tif ! average] ! "
        "flat-field-correct",
        "[read path=projections.tif, read path=darks.tif ! average, read path=flats.tif ! average] ! "
        "flat-field-correct absorption-correct=true fix-nan-and-inf=true",
        "[read path=projections.tif, read path=darks.tif ! average, read path=flats.tif ! average] ! "
        "flat-field-correct dark-scale=0.9 flat-scale=1.1",
        ("[read path=projections.tif, read path=darks.tif, read path=flats.tif] ! flat-field-correct",
         "intended: the means of all darks and flats; UFO takes pairs, as `several=pairs` does here"),
        "[read path=projections.tif, read path=row-darks.tif, read path=row-flats.tif] ! "
        "flat-field-correct sinogram-input=true",
        "[read path=projections.tif, read path=darks.tif ! average, read path=flats.tif ! average] ! "
        "flat-field-correct sinogram-input=true"],
    "flatten": [("read path=images.tif ! stack number=5 ! flatten",
                 "UFO's error: the plane in the middle, not the median"),
                ("read path=images.tif ! stack number=4 ! flatten", STACK)],
    "flatten-inplace": ["read path=images.tif ! flatten-inplace mode=sum",
                        ("read path=images.tif ! flatten-inplace mode=min",
                         "UFO's error: it starts from zeros, so that the minimum of positive values is 0"),
                        "read path=images.tif ! flatten-inplace mode=max"],
    "flip": ["flip", "flip direction=vertical", "read path=odd.tif ! flip"],
    "forwardproject": ["read path=smooth-square.tif ! mask ! forwardproject number=24",
                       "read path=smooth-square.tif ! mask ! forwardproject number=12 angle-step=0.2 axis-pos=15"],
    "gemm": ["[read path=square.tif, read path=other-square.tif, read path=third-square.tif] ! gemm alpha=2 beta=3"],
    "get-dup-circ": ["read path=rings.tif ! get-dup-circ ! ringwriter filename=rings",
                     "read path=rings.tif ! get-dup-circ threshold=20 ! ringwriter filename=rings"],
    "gradient": [line for direction in ("horizontal", "vertical", "both", "both_abs") for line in
                 ((f"gradient direction={direction}", GRADIENT),
                  f"gradient direction={direction} ! crop x=1 y=1 width=30 height=22")],
    "horizontal-interpolate": [
        "[read path=image.tif, read path=mask.tif] ! horizontal-interpolate",
        "[read path=image.tif, read path=border-mask.tif] ! horizontal-interpolate use-one-sided-gradient=false",
        "[read path=image.tif, read path=border-mask.tif] ! horizontal-interpolate"],
    "ifft": [("fft ! ifft", SCALE),
             ("read path=square.tif ! fft dimensions=2 ! ifft dimensions=2 crop-width=20 crop-height=10", SCALE),
             ("read path=odd.tif ! fft dimensions=2 ! ifft dimensions=2", SIZES),
             ("read path=odd.tif ! fft dimensions=2 auto-zeropadding=true ! ifft dimensions=2 crop-width=31 "
              "crop-height=23", SCALE)],
    "interpolate": ["[read path=image.tif, read path=other.tif] ! interpolate number=4"],
    "interpolate-stream": ["read path=images.tif ! interpolate-stream number=5",
                           ("read path=images.tif ! interpolate-stream number=11",
                            "intended: from the first to the last, evenly; UFO rounds the number between two")],
    "loop": ["read path=images.tif ! loop number=3"],
    "map-color": [("map-color", "intended: `write` makes pages of three planes, RGB with `rgb=true`"),
                  ("map-color ! slice", "UFO 0.16: colours from 0 to 1, later ones up to 255; 256 equal intervals")],
    "map-coordinates": ["[read path=image.tif, read path=map-x.tif, read path=map-y.tif] ! map-coordinates"],
    "map-slice": ["read path=images.tif ! map-slice number=5"],
    "mask": [("read path=square.tif ! mask", MASK), ("mask", MASK)],
    "measure": [*(f"read path=spots.tif ! measure metric={metric} ! write filename=out.raw"
                  for metric in ("min", "max", "sum", "mean", "var", "std", "skew", "kurtosis")),
                *(f"measure metric={metric} axis=1 ! write filename=out.raw" for metric in ("min", "mean", "kurtosis")),
                ("measure metric=mean axis=0 ! write filename=out.raw", AXIS)],
    "measure-sharpness": ["measure-sharpness"],
    "med-mad-reject": [("read path=images.tif ! med-mad-reject threshold=3",
                        "UFO's error: it looks at the current image only, repeats the first one and loses the last one")],
    "med-mad-reject-2d": ["read path=spots.tif ! med-mad-reject-2d box-size=3 threshold=3",
                          "read path=spots.tif ! med-mad-reject-2d box-size=5 threshold=10",
                          "read path=spots.tif ! med-mad-reject-2d box-size=5 threshold=10 ! "
                          "crop x=2 y=2 width=28 height=20"],
    "median-filter": [("median-filter", BORDER), "median-filter ! crop x=1 y=1 width=30 height=22",
                      "median-filter size=5 ! crop x=2 y=2 width=28 height=20"],
    "merge": ["[read path=image.tif, read path=other.tif] ! merge number=2"],
    "metaballs": [("metaballs width=32 height=32 number=2 number-balls=3",
                   "intended: the same balls each time, unless `seed` is changed; UFO's differ with each run")],
    "monitor": ["monitor"],
    "non-local-means": ["non-local-means search-radius=3 patch-radius=2 sigma=0.2"],
    "null": ["read path=images.tif ! null", "read path=images.tif ! null download=true"],
    "ocl-1liner": ["ocl-1liner one-line='out_px = in_0_px * 2.0f + x'",
                   "[read path=image.tif, read path=other.tif] ! "
                   "ocl-1liner one-line='out_px = in_0_px * in_1_px' num-inputs=2"],
    "opencl": ["opencl kernel=absorptivity", "opencl kernel=fix_nan_and_inf",
               *(f"[read path=image.tif, read path=other.tif] ! opencl kernel={kernel}"
                 for kernel in ("diff", "add", "multiply", "divide")),
               ("opencl kernel=nlm_noise_reduction",
                "UFO's error: it leaves out the last column and row of the window"),
               "read path=signed.tif ! fft ! opencl filename=complex.cl kernel=c_conj ! ifft ! binarize threshold=0",
               ("fft ! opencl filename=complex.cl kernel=c_abs_squared ! power-spectrum", C_ABS),
               "[read path=image.tif ! fft, read path=other.tif ! fft] ! opencl filename=complex.cl kernel=c_mul ! ifft"],
    "opencl-reduce": ["read path=images.tif ! opencl-reduce kernel=minimum",
                      "read path=images.tif ! opencl-reduce kernel=maximum",
                      "read path=images.tif ! opencl-reduce kernel=sum",
                      "read path=images.tif ! opencl-reduce kernel=sum finish=divide",
                      "read path=images.tif ! opencl-reduce kernel=sum fold-value=3"],
    "ordfilt": [("[read path=square.tif, ring-pattern width=32 height=32 ring-start=5 ring-end=5 ring-thickness=2] ! "
                 "ordfilt", "intended: an even pattern is centred on its pixel size / 2, UFO's on size / 2 - 1; edges "
                 "are mirrored, UFO takes the opposite side")],
    "pad": ["pad width=40 height=30 x=4 y=3", "pad width=40 height=30 x=4 y=3 addressing-mode=clamp_to_edge"],
    "polar-coordinates": ["polar-coordinates", "polar-coordinates direction=polar_to_cartesian width=32 height=32"],
    "power-spectrum": ["read path=square.tif ! fft dimensions=2 ! power-spectrum"],
    "read": ["read path=folder", "read path='folder/*.tif' start=1 step=2", "read path=images.tif number=3",
             "read path=images.tif image-start=1 image-step=2", "read path=image.tif y=3 height=8 y-step=2",
             "read path=bytes.tif", "read path=words.tif",
             ("read path=signed-words.tif", "UFO's error: signed integers are read as unsigned ones"),
             ("read path=longs.tif", "UFO's error: 32-bit integers are read as floats"),
             "read path=doubles.tif", "read path=volume.h5:/volume", "read path=volume.h5:/words y=3 height=4",
             "read path=image.edf", "read path=words.raw raw-width=32 raw-height=24 raw-bitdepth=16",
             "read path=floats.raw raw-width=32 raw-height=24 raw-bitdepth=32 raw-pre-offset=0"],
    "reduce": ["reduce", "read path=odd.tif ! reduce"],
    "refeed": ["read path=images.tif ! refeed"],
    "remove-circle": ["read path=rings.tif ! remove-circle ! ringwriter filename=rings"],
    "remove-outliers": ["read path=spots.tif ! remove-outliers threshold=5",
                        "read path=spots.tif ! remove-outliers size=5 threshold=5 ! crop x=2 y=2 width=28 height=20"],
    "replicate": [("read path=images.tif ! replicate", UNFINISHED)],
    "rescale": ["rescale factor=2", "rescale factor=0.5 interpolation=nearest", "rescale width=20 height=10"],
    "retrieve-phase": [f"read path=square.tif ! fft dimensions=2 ! retrieve-phase method={name} energy=20 distance=0.1 "
                       "pixel-size=1e-6 ! power-spectrum" for name in ("tie", "ctf", "qp", "qp2")],
    "ring-pattern": ["ring-pattern width=32 height=32 ring-start=5 ring-end=9 ring-step=2 ring-thickness=3",
                     ("ring-pattern width=30 height=20", "intended: any size, where UFO takes the next powers of two")],
    "ringwriter": ["read path=rings.tif ! ringwriter filename=rings"],
    "rotate": ["rotate angle=0.3", "rotate angle=0.3 interpolation=nearest", "rotate angle=0.3 reshape=true"],
    "segment": [("[read path=images.tif ! stack number=5, read path=mask.tif] ! segment", "UFO's error: walkers overwrite each "
                 "other's counts, and leave the volume at its left and top edges")],
    "sleep": ["sleep time=0.1"],
    "slice": ["read path=images.tif ! stack number=5 ! slice"],
    "sliding-stack": ["read path=images.tif ! sliding-stack number=3 ! slice",
                      "read path=images.tif ! sliding-stack number=3 ordered=true ! slice"],
    "stack": ["read path=images.tif ! stack number=5 ! slice", ("read path=images.tif ! stack number=2 ! slice", STACK)],
    "stamp": ["stamp"],
    "stat-monitor": [("stat-monitor filename=statistics", DIGITS)],
    "stitch": ["[read path=image.tif, read path=other.tif] ! stitch shift=20",
               "[read path=image.tif, read path=other.tif] ! stitch shift=20 adjust-mean=false",
               "[read path=image.tif, read path=other.tif] ! stitch shift=20 adjust-mean=false blend=true",
               "[read path=image.tif, read path=other.tif] ! stitch shift=-20 adjust-mean=false"],
    "subtract": ["[read path=image.tif, read path=other.tif] ! subtract",
                 "[read path=images.tif, read path=other.tif] ! subtract"],
    "swap-quadrants": ["swap-quadrants", "read path=odd.tif ! swap-quadrants",
                       "read path=square.tif ! fft dimensions=2 ! swap-quadrants ! power-spectrum"],
    "tile": ["tile width=16 height=8", "read path=images.tif ! tile width=32 height=12"],
    "transpose": ["transpose", "read path=odd.tif ! transpose"],
    "transpose-projections": ["read path=images.tif ! transpose-projections number=5"],
    "unsplit": ["read path=images.tif ! stack number=3 ! unsplit"],
    "write": ["read path=images.tif ! write filename=out-%03i.tif",
              "read path=images.tif ! write filename=out-%03i.tif bytes-per-file=0 counter-start=4 counter-step=2",
              "read path=images.tif ! write filename=out.h5:/a/b", "read path=images.tif ! write filename=out.raw",
              ("write filename=out.tif bits=8", ROUNDED), ("write filename=out.tif bits=16", ROUNDED),
              ("write filename=out.tif bits=8 minimum=0.2 maximum=0.8", ROUNDED),
              ("write filename=out.tif bits=16 rescale=false", ROUNDED),
              ("read path=images.tif ! write filename=out.tif bits=16",
               "intended: the range of the whole stream, UFO's of each image"),
              ("write filename=out.jpg", ROUNDED)],
    "zeropad": ["zeropad ! power-spectrum", ("zeropad oversampling=2 center-of-rotation=14 ! power-spectrum",
                 "UFO's error: an axis off the middle moves the wrong way")],
}


def whole(line):
    """The line with its source and its sink."""
    if not re.match(r"(\[|read |dummy-data|metaballs|ring-pattern)", line):
        line = "read path=image.tif ! " + line
    if not re.search(r"! (write|null|ringwriter)\b", line):
        line += " ! write filename=out.tif"
    return line
