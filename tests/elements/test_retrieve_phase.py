# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoretrievephase against its formulas in double precision, and on simulated propagation."""

from tomotest import *
from elementtest import ElementTestCase, Stream

from padtest import Pads

TOLERANCE = 2e-6
ENERGY, DISTANCE, PIXEL = 20.0, 0.4, 1.5e-6
BEAM = f"energy={ENERGY} distance=<{DISTANCE}> pixel-size={PIXEL}"
WAVELENGTH = 6.62607015e-34 * 299792458 / (ENERGY * 1.602176634e-16)
METHODS = ("tie", "gpm", "ctf", "qp", "qp2", "ict")
MODES = {"clamp_to_edge": "edge", "mirrored_repeat": "symmetric", "repeat": "wrap", "clamp": "constant", "none": "constant"}


def angles(shape, method, distances, pixel):
    """a, of each distance: a pair is one along columns and one along rows."""
    height, width = shape
    u, v = np.fft.fftfreq(width), np.fft.fftfreq(height)[:, None]
    square = (lambda f: (1 - np.cos(2 * np.pi * f)) / (2 * np.pi**2)) if method == "gpm" else np.square
    px, py = np.broadcast_to(pixel, 2)
    for distance in distances:
        x, y = np.broadcast_to(distance, 2)
        yield np.pi * WAVELENGTH * (x * square(u) / px**2 + y * square(v) / py**2)


def filters(shape, method="tie", rate=2.5, threshold=0.1, cutoff=np.inf, alpha=0.1, from_a=0.0, normalize=False,
            distances=(DISTANCE,), pixel=PIXEL):
    """H of each distance."""
    a = np.array(list(angles(shape, method, distances, pixel)))
    r = 10.0**-rate
    if method in ("ctf_multidistance", "ict"):
        c = np.where(a < cutoff, np.sin(a) / r + np.cos(a), 0)
        total = np.sum(c**2, axis=0)
        if method == "ict":
            total = total + np.where(a.max(axis=0) > (from_a or np.arctan(1 / r)), alpha, 0)
            return np.where(total > 0, c / np.where(total > 0, total, 1), 0)
        return c / np.where(total < 1e-7, 1e-3, total)
    (a,) = a
    mean = np.zeros(shape, bool)
    mean[0, 0] = True
    if method in ("tie", "gpm"):
        h = np.where(a < cutoff, 0.5 / (a + r), 0)
    else:
        transfer = np.sin(a) + r
        rings = (a > np.pi / 2) & (np.abs(transfer) < threshold)
        out = (a >= cutoff) | mean
        with np.errstate(divide="ignore"):
            h = 0.5 / transfer
        if method == "ctf":
            h = np.where(out | (np.abs(transfer) < 1e-7), 0, h)
        elif method == "qp":
            h = np.where(out | rings, 0, h)
        else:
            h = np.where(out | rings, np.sign(transfer) / (2 * (threshold + r)), h)
        if normalize:
            h[mean] = 0.5 / r
    return h[None] * (2 * r if normalize else 1)


def retrieved(a, padded=None, mode="edge", **settings):
    """The filtered projections, of views one behind another."""
    a = np.asarray(a, float)
    height, width = a.shape[-2:]
    ph, pw = padded or (height, width)
    h = filters((ph, pw), **settings)
    top, left = (ph - height) // 2, (pw - width) // 2
    planes = a.reshape(-1, len(h), height, width)
    margin = [(0, 0), (0, 0), (top, ph - height - top), (left, pw - width - left)]
    spectra = np.fft.fft2(np.pad(planes, margin, mode=mode))
    whole = np.fft.ifft2(np.sum(spectra * h, axis=1)).real[:, top : top + height, left : left + width]
    return whole[0] if a.ndim == 2 or len(whole) == 1 else whole


def transmission(*shape):
    return rng.uniform(0.2, 1.2, shape).astype(np.float32)


def scan_event(**facts):
    fields = ", ".join(f"{name.replace('_', '-')}=(double){value}" for name, value in facts.items())
    return Gst.Event.new_custom(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, Gst.Structure.new_from_string(f"tomo-scan, {fields}"))


def fresnel(wave, distance):
    height, width = wave.shape
    f2 = np.fft.fftfreq(width) ** 2 + np.fft.fftfreq(height)[:, None] ** 2
    propagator = np.exp(-1j * np.pi * WAVELENGTH * distance / PIXEL**2 * f2)
    return np.abs(np.fft.ifft2(np.fft.fft2(wave) * propagator)) ** 2


def spheres(shape, blur):
    """Projected thickness in metres of two spheres, with soft edges."""
    height, width = shape
    y, x = np.mgrid[:height, :width]
    thickness = np.zeros(shape)
    for cx, cy, radius in ((0.36, 0.45, 0.2), (0.7, 0.6, 0.13)):
        square = (radius * height) ** 2 - (x - cx * width) ** 2 - (y - cy * height) ** 2
        thickness += 2 * np.sqrt(np.maximum(square, 0))
    f2 = np.fft.fftfreq(width) ** 2 + np.fft.fftfreq(height)[:, None] ** 2
    return np.fft.ifft2(np.fft.fft2(thickness) * np.exp(-2 * (np.pi * blur) ** 2 * f2)).real * PIXEL


class RetrievePhase(ElementTestCase):
    def test_properties(self):
        largest = float(np.finfo(np.float32).max)
        positive = (0.0, 0.0, largest)
        self.check_properties(
            "tomoretrievephase",
            {
                "method": ("tie", {*METHODS, "ctf_multidistance"}),
                "energy": positive,
                "distance": [],
                "source-distance": [],
                "distance-x": positive,
                "distance-y": positive,
                "pixel-size": positive,
                "regularization-rate": (2.5, 0.0, 30.0),
                "thresholding-rate": (0.1, 0.0, largest),
                "frequency-cutoff": (largest, 0.0, largest),
                "ict-alpha": (0.1, 0.0, largest),
                "ict-alpha-threshold": positive,
                "normalize": False,
                "quantity": ("filtered", {"filtered", "phase", "thickness"}),
                "delta": (0.0, 0.0, 1.0),
                "padded-width": (0, 0, 65536),
                "padded-height": (0, 0, 65536),
                "addressing-mode": ("clamp_to_edge", set(MODES)),
                "output-filter": False,
                "batch": (0, 0, 1024),
            },
        )

    def test_spectra(self):
        for method in METHODS:
            for shape in ((1, 1), (1, 5), (7, 1), (8, 16), (13, 31), (2, 6, 11)):
                for normalize in (False, True):
                    with self.subTest(method=method, shape=shape, normalize=normalize):
                        a = random_array(np.complex64, shape)
                        (result,) = run(f"tomoretrievephase {BEAM} method={method} normalize={normalize}", [a])
                        wanted = a * filters(shape[-2:], method, normalize=normalize)[0]
                        self.assertEqual(result.dtype, np.complex64)
                        self.assert_close(result, wanted, TOLERANCE)

    def test_projections(self):
        """Of odd and even sizes, padded to any; without padding opposite edges meet."""
        for method in METHODS:
            for shape, padded in (((1, 1), (1, 2)), ((5, 6), (5, 6)), ((6, 2), (6, 2)), ((1, 7), (4, 10)), ((9, 1), (11, 4)),
                                  ((13, 17), (13, 18)), ((31, 23), (37, 58)), ((2, 8, 11), (16, 26))):
                with self.subTest(method=method, shape=shape, padded=padded):
                    a = transmission(*shape)
                    size = f"padded-height={padded[0]} padded-width={padded[1]}"
                    (result,) = run(f"tomoretrievephase {BEAM} method={method} {size}", [a])
                    self.assert_close(result, retrieved(a, padded, method=method), 4 * TOLERANCE,
                                      size=retrieved(a, padded, method="tie") if method != "ict" else None)

    def test_formats(self):
        for name, dtype in FORMATS.items():
            if name == "complex64":
                continue
            a = random_array(dtype, (5, 6))
            with self.subTest(format=name):
                (result,) = run(f"tomoretrievephase {BEAM} padded-width=6 padded-height=5", [a])
                size = retrieved(np.abs(a.astype(float)))
                self.assert_close(result, retrieved(a), TOLERANCE, size=size)

    def test_padding_modes(self):
        a = transmission(9, 14)
        for mode, of_numpy in MODES.items():
            with self.subTest(mode=mode):
                (result,) = run(f"tomoretrievephase {BEAM} addressing-mode={mode} padded-width=40 padded-height=31", [a])
                self.assert_close(result, retrieved(a, (31, 40), of_numpy), TOLERANCE)

    def test_parameters(self):
        a = random_array(np.complex64, (19, 24))
        for method in METHODS:
            for line, settings in (
                ("regularization-rate=1.25", {"rate": 1.25}),
                ("regularization-rate=0", {"rate": 0}),
                ("thresholding-rate=0.4", {"threshold": 0.4}),
                ("frequency-cutoff=2.5", {"cutoff": 2.5}),
                ("frequency-cutoff=0", {"cutoff": 0}),
                ("ict-alpha=0", {"alpha": 0}),  # 1 / C
                ("ict-alpha=7 ict-alpha-threshold=0.7", {"alpha": 7, "from_a": 0.7}),
            ):
                with self.subTest(method=method, line=line):
                    (result,) = run(f"tomoretrievephase {BEAM} method={method} {line}", [a])
                    self.assert_close(result, a * filters(a.shape, method, **settings)[0], TOLERANCE)
        line = f"energy={ENERGY} pixel-size={PIXEL} distance-x=0.2 distance-y=0.7"
        for method in METHODS:
            with self.subTest(method=method, line=line):
                (result,) = run(f"tomoretrievephase {line} method={method}", [a])
                self.assert_close(result, a * filters(a.shape, method, distances=[(0.2, 0.7)])[0], TOLERANCE)

    def test_several_distances(self):
        distances = (0.1, 0.35, 0.8)
        for method in ("ctf_multidistance", "ict"):
            line = (f"tomoretrievephase method={method} energy={ENERGY} pixel-size={PIXEL} "
                    f"distance=<{','.join(map(str, distances))}>")
            for cutoff in (np.inf, 3.0):
                with self.subTest(method=method, cutoff=cutoff):
                    limited = line if np.isinf(cutoff) else f"{line} frequency-cutoff={cutoff}"
                    settings = {"method": method, "distances": distances, "cutoff": cutoff}
                    a = random_array(np.complex64, (6, 11, 13))
                    (result,) = run(limited, [a])
                    planes = a.reshape(2, 3, 11, 13) * filters((11, 13), **settings)
                    self.assert_close(result, planes.sum(axis=1), TOLERANCE)
                    views = transmission(6, 11, 13)
                    (result,) = run(f"{limited} padded-width=20 padded-height=15", [views])
                    self.assert_close(result, retrieved(views, (15, 20), **settings), TOLERANCE)
                    (result,) = run(f"{limited} padded-width=20 padded-height=15", [views[:3]])
                    self.assert_close(result, retrieved(views[:3], (15, 20), **settings), TOLERANCE)

    def test_output_filter(self):
        for method in METHODS:
            with self.subTest(method=method):
                line = f"tomoretrievephase {BEAM} method={method} output-filter=true"
                (result,) = run(line, [random_array(np.complex64, (9, 12))])
                self.assert_close(result, filters((9, 12), method)[0], 1e-6)
                (result,) = run(f"{line} padded-width=16 padded-height=11", [transmission(9, 12)])
                self.assert_close(result, filters((11, 16), method)[0], 1e-6)
        line = f"tomoretrievephase method=ict energy={ENERGY} pixel-size={PIXEL} distance=<0.1,0.2> output-filter=true"
        (result,) = run(line, [random_array(np.complex64, (2, 9, 12))])
        self.assert_close(result, filters((9, 12), "ict", distances=(0.1, 0.2)), 1e-6)

    def test_quantities(self):
        a = transmission(11, 14)
        size = "padded-width=20 padded-height=15"
        for method in METHODS:
            logarithm = np.log(retrieved(a, (15, 20), method=method, normalize=True, rate=1.5, threshold=0.5))
            line = f"tomoretrievephase {BEAM} {size} method={method} regularization-rate=1.5 thresholding-rate=0.5"
            ratio = 10**1.5
            with self.subTest(method=method):
                (phase,) = run(f"{line} quantity=phase", [a])
                np.testing.assert_allclose(phase, logarithm * ratio / 2, rtol=2e-5, atol=2e-5 * ratio)
                (thickness,) = run(f"{line} quantity=thickness delta=3e-7", [a])
                wanted = -WAVELENGTH * ratio / (4 * np.pi * 3e-7) * logarithm
                np.testing.assert_allclose(thickness, wanted, rtol=2e-5, atol=1e-4 * np.nanmax(np.abs(wanted)))

    def test_the_mean_stays_when_normalized(self):
        a = transmission(10, 12)
        for method in METHODS:
            with self.subTest(method=method):
                line = f"tomoretrievephase {BEAM} method={method} normalize=true padded-width=12 padded-height=10"
                (result,) = run(line, [a])
                self.assertAlmostEqual(float(np.mean(result, dtype=float)), float(np.mean(a, dtype=float)), places=5)

    def test_homogeneous_object(self):
        """Thickness of what absorbs up to a quarter, from an image with fringes: transport of intensity close to the object, intensity
        contrast transfer far behind it."""
        delta, rate = 4e-7, 1.5
        thickness = spheres((181, 226), 2.0)
        wave = np.exp(-2 * np.pi / WAVELENGTH * (delta * 10**-rate + 1j * delta) * thickness)
        core = thickness > 0.3 * thickness.max()
        for method, distance in (("tie", 0.02), ("gpm", 0.02), ("ict", 0.02), ("ict", 0.3)):
            with self.subTest(method=method, distance=distance):
                image = fresnel(wave, distance).astype(np.float32)
                line = (f"tomoretrievephase method={method} energy={ENERGY} pixel-size={PIXEL} distance=<{distance}> "
                        f"regularization-rate={rate} quantity=thickness delta={delta}")
                (result,) = run(line, [image])
                ratio = np.sum(result[core]) / np.sum(thickness[core])  # of delta
                self.assertLess(abs(ratio - 1), 0.003)
                self.assert_close(result[core], thickness[core], 0.01)

    def test_weak_object(self):
        """Phase of what absorbs next to nothing, from one distance and from three."""
        delta, rate = 2e-9, 2.0
        thickness = spheres((128, 160), 2.0)
        phase = -2 * np.pi / WAVELENGTH * delta * thickness
        wave = np.exp(phase * 10**-rate + 1j * phase)
        distances = (0.05, 0.12, 0.3)
        images = np.array([fresnel(wave, z) for z in distances], np.float32)
        line = f"tomoretrievephase energy={ENERGY} pixel-size={PIXEL} regularization-rate={rate} quantity=phase"
        for method, count in (("tie", 1), ("ctf", 1), ("qp", 1), ("qp2", 1), ("ict", 1), ("ctf_multidistance", 3), ("ict", 3)):
            with self.subTest(method=method, distances=count):
                listed = ",".join(map(str, distances[:count]))
                (result,) = run(f"{line} method={method} distance=<{listed}>", [images[:count]])
                result = result.reshape(phase.shape)
                self.assert_close(result, phase, 0.01)

    def test_automatic_padding_is_enough(self):
        """More changes a projection of random data by less than its rounding in a detector of 12 bits."""
        a = transmission(70, 90)
        for method in ("tie", "gpm"):
            line = f"tomoretrievephase energy={ENERGY} distance=<0.02> pixel-size={PIXEL} method={method} normalize=true"
            (result,) = run(line, [a])
            (far,) = run(f"{line} padded-width=512 padded-height=512", [a])
            np.testing.assert_allclose(result, far, atol=2.0**-12)

    def test_facts_of_the_scan(self):
        """Energy, distance and pixel size of the scan, with its binning; properties come before them."""
        event = scan_event(energy=ENERGY, distance=DISTANCE, pixel_size=PIXEL, binning_x=2, binning_y=-3)
        a = transmission(7, 10)
        size = "padded-width=16 padded-height=9"
        for line, settings in (("", {"pixel": (PIXEL, 1.5 * PIXEL)}), (f"pixel-size={PIXEL}", {}),
                               (f"pixel-size={PIXEL} distance=<0.1>", {"distances": (0.1,)})):
            with self.subTest(line=line):
                with Pads(f"tomoretrievephase {size} {line}") as pads:
                    pads.begin(a)
                    pads.send(event)
                    (output,) = pads.push(a)
                    self.assert_close(output.array, retrieved(a, (9, 16), **settings), TOLERANCE)
        with Pads(f"tomoretrievephase output-filter=true {size}") as pads:
            pads.begin(a)
            pads.send(event)
            (output,) = pads.push(a)
            self.assert_close(output.array, filters((9, 16), pixel=(PIXEL, 1.5 * PIXEL))[0], TOLERANCE)

    def test_facts_of_binned_images(self):
        """Elements before it change the size of a pixel once."""
        a = transmission(14, 20)
        for element, pixel in (("tomobin size=2", 2 * PIXEL), ("tomorescale x-factor=0.5 y-factor=0.25", (2 * PIXEL, 4 * PIXEL)),
                               ("tomoflip", PIXEL)):
            with self.subTest(element=element):
                with Pads(element) as before, Pads("tomoretrievephase output-filter=true") as pads:
                    before.begin(a)
                    before.send(scan_event(energy=ENERGY, distance=DISTANCE, pixel_size=PIXEL))
                    (changed,) = before.push(a)
                    pads.begin(changed.array)
                    pads.send(before.end.get_sticky_event(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, 0))
                    (output,) = pads.push(changed.array)
                    self.assert_close(output.array, filters(output.array.shape, pixel=pixel)[0], TOLERANCE)

    def test_point_source(self):
        """Distance and pixel size are those of the parallel beam that makes the same image."""
        a = random_array(np.complex64, (13, 16))
        magnification = 1 + DISTANCE / 0.1
        at_sample = {"distances": (DISTANCE / magnification,), "pixel": PIXEL / magnification}
        for method in METHODS:
            with self.subTest(method=method):
                (result,) = run(f"tomoretrievephase {BEAM} method={method} source-distance=<0.1>", [a])
                self.assert_close(result, a * filters(a.shape, method, **at_sample)[0], TOLERANCE)
                (parallel,) = run(f"tomoretrievephase {BEAM} method={method} source-distance=<1e30>", [a])
                self.assert_close(parallel, a * filters(a.shape, method)[0], TOLERANCE)
        (result,) = run(f"tomoretrievephase energy={ENERGY} pixel-size={PIXEL} distance-x=0.2 distance-y=0.7 source-distance=<0.1>", [a])
        self.assert_close(result, a * filters(a.shape, distances=[(0.2 / 3, 0.7 / 8)], pixel=(PIXEL / 3, PIXEL / 8))[0], TOLERANCE)
        # Images at several distances are those of the first one in size.
        planes = random_array(np.complex64, (2, 13, 16))
        for sources, parallel in (("0.1", (0.2 / 3, 0.7 / 8)), ("0.1,0.3", (0.2 / 3, 0.3 * 0.7))):
            line = f"energy={ENERGY} pixel-size={PIXEL} distance=<0.2,0.7> source-distance=<{sources}>"
            (result,) = run(f"tomoretrievephase method=ctf_multidistance {line}", [planes])
            h = filters(a.shape, "ctf_multidistance", distances=parallel, pixel=PIXEL / 3)
            self.assert_close(result, np.sum(planes * h, axis=0), TOLERANCE)

    def test_point_source_of_the_scan(self):
        """A scan that tells a source tells pixels at the sample; one that tells none those of the detector."""
        a = transmission(7, 10)
        for told, line, z, pixel in (
            ({"source_distance": 0.1}, "", DISTANCE / 5, PIXEL),
            ({"source_distance": 0.1}, f"pixel-size={5 * PIXEL}", DISTANCE / 5, PIXEL),
            ({"source_distance": 0.1}, "source-distance=<0.2>", DISTANCE / 3, PIXEL),
            ({"source_distance": np.inf}, "", DISTANCE, PIXEL),
            ({}, "source-distance=<0.1>", DISTANCE / 5, PIXEL / 5),
        ):
            with self.subTest(told=told, line=line):
                with Pads(f"tomoretrievephase output-filter=true padded-width=16 padded-height=9 {line}") as pads:
                    pads.begin(a)
                    pads.send(scan_event(energy=ENERGY, distance=DISTANCE, pixel_size=PIXEL, **told))
                    (output,) = pads.push(a)
                    self.assert_close(output.array, filters((9, 16), distances=(z,), pixel=pixel)[0], TOLERANCE)

    def test_thickness_behind_a_point_source(self):
        """Of spheres whose image is Fresnel's integral over a spherical wave: within 1 %."""
        energy, r1, r2, pixels, rate, delta = 20.0, 0.08, 0.12, 64, 1.5, 5e-7
        magnified = 1 + r2 / r1
        pixel = magnified * PIXEL
        mu = 4 * np.pi * delta / 10**rate / WAVELENGTH
        fine = 16  # samples per pixel along an axis
        thickness = spheres((fine * pixels, fine * pixels), 1.5 * fine) / fine
        wave = np.exp(-mu / 2 * thickness - 2j * np.pi * delta / WAVELENGTH * thickness)
        # The wave without a sample is known; what the sample changes of it lies within the field.
        x = (np.arange(fine * pixels) + 0.5 - fine * pixels / 2) * PIXEL / fine
        seen = (np.arange(pixels) + 0.5 - pixels / 2) * pixel
        k = np.pi / WAVELENGTH
        step = np.exp(1j * k * ((seen[:, None] - x) ** 2 / r2 + x**2 / r1)) * PIXEL / fine
        # Far from a ray the wave is much smoother than the propagator, which samples can't follow there.
        near = np.clip(2 - np.abs(seen[:, None] / magnified - x) * 4 * PIXEL / fine * magnified / (WAVELENGTH * r2), 0, 1)
        step *= np.sin(np.pi / 2 * near) ** 2
        changed = step @ (wave - 1) @ step.T / (1j * WAVELENGTH * r2)
        free = np.exp(1j * k * (seen**2 + seen[:, None] ** 2) / (r1 + r2)) / magnified
        image = (np.abs(free + changed) ** 2 / np.abs(free) ** 2).astype(np.float32)
        self.assertGreater(image.max(), 1.02)
        line = (f"tomoretrievephase energy={energy} distance=<{r2}> source-distance=<{r1}> pixel-size={pixel} "
                f"regularization-rate={rate} quantity=thickness delta={delta}")
        wanted = thickness.reshape(pixels, fine, pixels, fine).mean(axis=(1, 3))
        for method in ("tie", "gpm", "ict"):
            with self.subTest(method=method):
                (result,) = run(f"{line} method={method}", [image])
                self.assert_close(result, wanted, 0.01)
        # As if the beam were parallel it is far off.
        (result,) = run(f"tomoretrievephase energy={energy} distance=<{r2}> pixel-size={pixel} "
                        f"regularization-rate={rate} quantity=thickness delta={delta}", [image])
        self.assertGreater(np.linalg.norm(result - wanted) / np.linalg.norm(wanted), 0.03)

    def test_nan(self):
        a = transmission(3, 8, 9)
        a[1, 2, 3], a[2, 0, 0] = np.nan, np.inf
        (result,) = run(f"tomoretrievephase {BEAM}", [a])
        self.assertTrue(np.all(np.isfinite(result[0])))
        self.assertTrue(np.all(np.isnan(result[1:])))

    def test_batches(self):
        arrays = [transmission(2, 9, 12) for _ in range(5)]
        line = f"tomoretrievephase {BEAM} method=ict padded-width=16 padded-height=11"
        for batch in (1, 2, 3, 7):
            for a, result in zip(arrays, run(f"{line} batch={batch}", arrays), strict=True):
                self.assert_close(result, retrieved(a, (11, 16), method="ict"), TOLERANCE)

    def test_memory_and_state_cycles(self):
        arrays = [transmission(9, 12) for _ in range(3)]
        reference = [retrieved(a, (11, 16)) for a in arrays]
        line = f"tomoretrievephase {BEAM} padded-width=16 padded-height=11"
        self.check_memory(line, arrays, reference=reference, tolerance=TOLERANCE)
        self.check_state_cycles(line, arrays, reference=reference, tolerance=TOLERANCE)

    def test_changes_while_playing(self):
        a = transmission(6, 9)
        with Stream(f"tomoretrievephase name=f {BEAM} padded-width=12 padded-height=8") as stream:
            self.assert_close(stream.through(a), retrieved(a, (8, 12)), TOLERANCE)
            stream["f"].set_property("regularization-rate", 1.0)
            self.assert_close(stream.through(a), retrieved(a, (8, 12), rate=1.0), TOLERANCE)
            stream["f"].set_property("padded-height", 6)
            self.assert_close(stream.through(a), retrieved(a, (6, 12), rate=1.0), TOLERANCE)

    def test_caps_changes(self):
        arrays = [transmission(*shape) for shape in ((4, 8), (5, 6), (2, 5, 6), (4, 8))]
        line = f"tomoretrievephase {BEAM} padded-width=10 padded-height=7"
        for a, result in zip(arrays, run(line, arrays), strict=True):
            self.assert_close(result, retrieved(a, (7, 10)), TOLERANCE)

    def test_errors(self):
        a, spectrum = transmission(5, 6), random_array(np.complex64, (5, 6))
        known = f"energy={ENERGY} pixel-size={PIXEL}"
        for expected, line, array in (
            (["no energy", "give energy"], f"distance=<1> pixel-size={PIXEL}", a),
            (["no distance", "give distance"], known, a),
            (["no pixel size", "give pixel-size"], f"energy={ENERGY} distance=<1>", a),
            (["no energy", "give energy"], "output-filter=true", a),
            (["no energy", "give energy"], "", spectrum),
            (["distance has 0", "above 0"], f"{known} distance=<0.0>", a),
            (["distance has -1", "above 0"], f"{known} distance=<-1.0>", a),
            (["method=tie takes one distance", "2"], f"{known} distance=<1.0,2.0>", a),
            (["1 planes", "2 distances"], f"{known} method=ict distance=<1.0,2.0>", a),
            (["source-distance has 0", "above 0"], f"{BEAM} source-distance=<0.0>", a),
            (["source-distance has 2 numbers for 1 distances"], f"{BEAM} source-distance=<1.0,2.0>", a),
            (["distance-x=1", "distance-y=0", "both"], f"{known} distance-x=1", a),
            (["distance", "one of them"], f"{BEAM} distance-x=1 distance-y=1", a),
            (["no finite filter", "pixel-size"], f"energy={ENERGY} distance=<1.0> pixel-size=1e-200", a),
            (["padded-width=4", "at least 6", "even"], f"{BEAM} padded-width=4", a),
            (["padded-width=7", "even"], f"{BEAM} padded-width=7", a),
            (["padded-height=4", "at least 5"], f"{BEAM} padded-height=4", a),
            (["padded-width=8", "tomofft"], f"{BEAM} padded-width=8", spectrum),
            (["quantity=thickness", "delta=0"], f"{BEAM} quantity=thickness", a),
            (["delta=0.001", "quantity=thickness"], f"{BEAM} delta=0.001", a),
            (["quantity=phase", "spectra"], f"{BEAM} quantity=phase", spectrum),
            (["quantity=phase", "output-filter"], f"{BEAM} quantity=phase output-filter=true", a),
        ):
            with self.subTest(line=line):
                self.assert_fails(expected, f"tomoretrievephase {line}", [array])
        with Pads(f"tomoretrievephase {BEAM}") as pads:
            with self.assertRaisesRegex(PipelineError, "sinograms.*tomotransposeprojections"):
                pads.begin(a, domain="sinogram")
                pads.push(a, domain="sinogram")


if __name__ == "__main__":
    main()
