# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests of methods with total variation share: float64 statements from the papers, for one or several planes.

Slices are arrays (planes, rows, columns). Differences are taken along the last `dims` axes.
"""

from iterativetest import *


def differences(x, dims):
    """Forward differences along columns, rows and, with dims=3, planes; 0 behind the last one."""
    result = []
    for axis in (2, 1, 0)[:dims]:
        d = np.zeros_like(x)
        np.moveaxis(d, axis, 0)[:-1] = np.diff(np.moveaxis(x, axis, 0), axis=0)
        result.append(d)
    return np.array(result)


def transposed(p, dims):
    """The transpose of differences()."""
    result = np.zeros_like(p[0])
    for axis, part in zip((2, 1, 0)[:dims], p):
        inside, out = np.moveaxis(part, axis, 0)[:-1], np.moveaxis(result, axis, 0)
        out[1:] += inside
        out[:-1] -= inside
    return result


def variation(x, dims):
    return np.sqrt((differences(x, dims) ** 2).sum(0)).sum()


class Problem:
    """Planes of sinograms b (planes, views * columns) of the matrix a; subsets of views as rows of a."""

    def __init__(self, a, b, views, shape, dims, parts=None):
        self.a, self.b, self.views, self.dims = a, b, views, dims
        self.of_sinogram = shape
        self.shape = (len(b), *shape)
        self.parts = [slice(None)] if parts is None else parts

    def forward(self, x, rows=slice(None)):
        return x.reshape(len(x), -1) @ self.a[rows].T

    def back(self, y, rows=slice(None)):
        return (y @ self.a[rows]).reshape(self.shape)

    def objective(self, x, weight):
        return ((self.b - self.forward(x)) ** 2).sum() / (2 * self.views) + weight * variation(x, self.dims)

    def step(self):
        """1 / L, L no less than the norm of A*A: its largest row, with two steps of the power method."""
        bounds = []
        for rows in self.parts:
            once = self.back(self.forward(np.ones(self.shape), rows), rows)
            twice = self.back(self.forward(once, rows), rows)
            bounds.append(divided(twice, once).max())
        return 1 / (len(self.parts) * max(bounds))


class FourierProblem(Problem):
    """Of a matrix with negative weights: L by twelve steps of the power method and a reserve."""

    def step(self):
        values = []
        for rows in self.parts:
            x = np.ones(self.shape[1:])[None]
            for _ in range(12):
                x = x / np.linalg.norm(x)
                x = (self.a[rows].T @ (self.a[rows] @ x.ravel())).reshape(x.shape)
            values.append(1.01 * np.linalg.norm(x))
        return 1 / (len(self.parts) * max(values))


def denoise(v, weight, dims, steps, low, high, p=None):
    """Beck, Teboulle 2009: fast gradient projection; the slice and its dual."""
    p = np.zeros((dims, *v.shape)) if p is None else p
    before, t = p, 1.0
    momentum = 0.0
    for _ in range(steps if weight > 0 else 0):
        r = p + momentum * (p - before)
        image = np.clip(v - weight * transposed(r, dims), low, high)
        q = r + differences(image, dims) / (4 * dims * weight)
        before, p = p, q / np.maximum(1, np.sqrt((q**2).sum(0)))
        following = (1 + np.sqrt(1 + 4 * t * t)) / 2
        momentum, t = (t - 1) / following, following
    return np.clip(v - weight * transposed(p, dims), low, high), p


def fista(problem, weight, iterations, steps=20, low=-np.inf, high=np.inf, start=None, mask=None):
    size = problem.step()
    x, mask = begin(problem.shape, start, mask)
    y, low, high = x, np.where(mask, low, x), np.where(mask, high, x)
    p, t, residuals = None, 1.0, []
    for _ in range(iterations):
        total = 0.0
        for rows in problem.parts:
            difference = problem.b[:, rows] - problem.forward(y, rows)
            total += (difference**2).sum()
            v = y + len(problem.parts) * size * problem.back(difference, rows)
            before = x
            x, p = denoise(v, weight * problem.views * size, problem.dims, steps, low, high, p)
            following = (1 + np.sqrt(1 + 4 * t * t)) / 2
            y, t = x + (t - 1) / following * (x - before), following
        residuals.append(np.sqrt(total) / np.linalg.norm(problem.b))
    return x, residuals


def split_bregman(problem, weight, iterations, penalty=1.0, inner=3, low=-np.inf, high=np.inf, start=None, mask=None):
    """Goldstein, Osher 2009, the step for x by conjugate gradients; bounds are split off as well."""
    dims, bounded = problem.dims, np.isfinite([low, high]).any()
    x, mask = begin(problem.shape, start, mask)
    first = x
    left = problem.b - problem.forward(x)
    d, shift = np.zeros((2, dims, *problem.shape))
    e, lag = np.zeros((2, *problem.shape))
    residuals = []

    def apply(p, projected):
        return mask * (problem.back(projected) / problem.views + penalty * transposed(differences(p, dims), dims) +
                       (penalty * p if bounded else 0))

    for _ in range(iterations):
        r = mask * (problem.back(left) / problem.views + penalty * transposed(d - shift - differences(x, dims), dims) +
                    (penalty * (e - lag - x) if bounded else 0))
        p, gamma = r, (r**2).sum()
        for _ in range(inner):
            projected = problem.forward(p)
            q = apply(p, projected)
            length = gamma / (p * q).sum() if gamma > 0 else 0.0
            x, left, r = x + length * p, left - length * projected, r - length * q
            gamma, last = (r**2).sum(), gamma
            p = r + (gamma / last if last > 0 else 0.0) * p
        g = differences(x, dims) + shift
        size = np.sqrt((g**2).sum(0))
        d = g * divided(np.maximum(size - weight / penalty, 0), size)
        shift = g - d
        if bounded:
            e = np.clip(x + lag, low, high)
            lag = x + lag - e
        residuals.append(np.linalg.norm(left) / np.linalg.norm(problem.b))
    return np.where(mask, np.clip(x, low, high), first), residuals


def variation_gradient(x, dims):
    d = differences(x, dims)
    return transposed(d / np.sqrt((d**2).sum(0) + 1e-8), dims)


def asd_pocs(problem, iterations, relaxation=1.0, relaxation_reduction=0.995, steps=20, size=0.2, size_reduction=0.95,
             most=0.95, enough=0.0, low=0.0, high=np.inf, start=None, mask=None):
    """Sidky, Pan 2008, with SART view by view for its ART."""
    x, mask = begin(problem.shape, start, mask)
    descent, residuals = None, []
    for _ in range(iterations):
        start, total = x, 0.0
        for rows in problem.parts:
            difference = problem.b[:, rows] - problem.forward(x, rows)
            total += (difference**2).sum()
            part = problem.a[rows]
            corrected = x + relaxation * divided(problem.back(divided(difference, np.broadcast_to(part.sum(1), difference.shape)), rows),
                                         np.broadcast_to(part.sum(0).reshape(problem.of_sinogram), problem.shape))
            x = np.where(mask, np.clip(corrected, low, high), x)
        residuals.append(np.sqrt(total) / np.linalg.norm(problem.b))
        if len(residuals) == iterations:
            break
        by_data = np.linalg.norm(x - start)
        descent = size * by_data if descent is None else descent
        start = x
        for _ in range(steps):
            gradient = mask * variation_gradient(x, problem.dims)
            length = np.linalg.norm(gradient)
            x = x - (descent / length if length > 0 else 0.0) * gradient
        if np.linalg.norm(x - start) > most * by_data and residuals[-1] > enough:
            descent *= size_reduction
        relaxation *= relaxation_reduction
    return x, residuals


class VariationTestCase(IterativeTestCase):
    LAMBDA = 0.002

    def data(self, planes=1):
        """Sinograms of discs that change from plane to plane, with noise; never negative."""
        y, x = np.indices((self.HEIGHT, self.WIDTH))
        self.truth = np.zeros((planes, self.HEIGHT, self.WIDTH))
        for z, plane in enumerate(self.truth):
            plane[(y - 14) ** 2 + (x - 15) ** 2 < (11 + 0.5 * z) ** 2] = 0.02
            for _ in range(3):
                plane[(y - rng.integers(9, 20)) ** 2 + (x - rng.integers(9, 20)) ** 2 < rng.uniform(3, 16)] = rng.uniform(0, 0.06)
        b = self.truth.reshape(planes, -1) @ self.a.T
        b = np.abs(b + 0.03 * b.max() * rng.standard_normal(b.shape))
        return b.reshape(planes, self.VIEWS, self.COLUMNS).astype(np.float32)

    def problem(self, sinograms, dims, parts=None, kind=Problem):
        a = self.fourier if kind is FourierProblem else self.a
        return kind(a, sinograms.reshape(len(sinograms), -1).astype(np.float64), self.VIEWS, (self.HEIGHT, self.WIDTH), dims, parts)

    def check_objective(self, element, method, weight=LAMBDA, parts=None, kind=Problem):
        """2-D: plane by plane; 3-D: all planes at once. method(problem) -> (slices, residuals) in float64."""
        sinograms = self.data(3)
        for dims in (2, 3):
            (result,) = self.slices(f"{element} tv-dimensions={dims}", sinograms)
            volumes = [range(3)] if dims == 3 else [[0], [1], [2]]
            self.assertEqual(len(self.residuals), len(volumes))
            for planes, residuals in zip(volumes, self.residuals):
                problem = self.problem(sinograms[planes], dims, parts, kind)
                x, wanted = method(problem)
                where = f"{element} tv-dimensions={dims} (seed {SEED})"
                self.assertLess(np.linalg.norm(result[planes] - x), 1e-3 * np.linalg.norm(x), where)
                self.assertLess(abs(problem.objective(result[planes].astype(np.float64), weight) / problem.objective(x, weight) - 1),
                                1e-4, where)
                np.testing.assert_allclose(residuals, wanted, rtol=5e-4, err_msg=where)

    def check_error(self, element, method, share=0.999):
        """Against the truth, it is as many times smaller than that of filtered backprojection as in float64."""
        width, views, axis = 49, 30, 24.5
        angles = np.arange(views) * np.pi / views
        a = matrix(angles, width, axis, width, width)
        y, x = np.indices((width, width))
        truth = np.zeros((width, width))
        truth[(y - 23) ** 2 + (x - 24) ** 2 < 18**2] = 0.02
        truth[(y - 15) ** 2 + (x - 28) ** 2 < 5**2] = 0.05
        truth[26:35, 14:22] = 0.0
        b = truth.ravel() @ a.T
        sinogram = (b + 0.02 * b.max() * rng.standard_normal(b.shape)).reshape(views, width).astype(np.float32)
        (fbp,) = run("tomorampfilter ! tomobackproject axis-pos=24.5", [sinogram])
        (result,) = run(f"{element} axis-pos=24.5", [sinogram])
        error_of_fbp, error = np.linalg.norm(fbp - truth), np.linalg.norm(result - truth)
        problem = Problem(a, sinogram.reshape(1, -1).astype(np.float64), views, truth.shape, 2,
                          [(np.asarray(v)[:, None] * width + np.arange(width)).ravel() for v in subsets(views, views)])
        wanted, _ = method(problem)
        print(f"{element}: error {error_of_fbp / error:.2f} times smaller than that of FBP")
        self.assertGreater(error_of_fbp / error, share * error_of_fbp / np.linalg.norm(wanted[0] - truth), f"(seed {SEED})")
        self.assertGreater(error_of_fbp / error, 2, f"(seed {SEED})")
