// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The rays of a view in any geometry, in numbers of voxels, so that planes and voxels lie at whole numbers, and the axis along
// which they are followed.

// One view. Three numbers stand for x, y, z; a form has a constant behind them.
typedef struct {
    tomo_real source[3];                     // of a cone beam, or the direction of a parallel one
    tomo_real corner[3], column[3], row[3];  // of the detector, and its pixels' steps
    tomo_real column_form[4], row_form[4], depth_form[4]; // see ViewGeometry
    tomo_real step[3];                       // lengths of voxels
    tomo_real is_parallel;
    tomo_real driving;                       // axis of all rays; 3: see driving_axis()
    tomo_real unused[3];
} RayView;

typedef struct {
    tomo_real source[3], direction[3];
} Ray;

static Ray ray_of(global const RayView *view, const uint column, const uint row) {
    Ray ray;
    for (int a = 0; a < 3; a++) {
        const tomo_real pixel = view->corner[a] + (column + (tomo_real)0.5f) * view->column[a] + (row + (tomo_real)0.5f) * view->row[a];
        ray.source[a] = view->is_parallel != 0 ? pixel : view->source[a];
        ray.direction[a] = view->is_parallel != 0 ? view->source[a] : pixel - view->source[a];
    }
    return ray;
}

// A ray that is as close to two axes takes one of them by a rule, wherever rounding leads, so that all operators agree: z last,
// and of x and y that which a quarter of a turn about z takes to the one that the turned ray takes.
#define CLEARLY 1.0001f

static int driving_axis(global const RayView *view, const Ray *ray) {
    if (view->driving < 3)
        return (int)view->driving;
    const tomo_real x = fabs(ray->direction[0]), y = fabs(ray->direction[1]), z = fabs(ray->direction[2]);
    const int is_even = x <= y * CLEARLY && y <= x * CLEARLY;
    const int axis = is_even ? ray->direction[0] * ray->direction[1] > 0 : y > x;
    return z > (axis == 0 ? x : y) * CLEARLY ? 2 : axis;
}

// From plane to plane.
static tomo_real way_of(global const RayView *view, const Ray *ray, const int axis) {
    tomo_real sum = 0;
    for (int a = 0; a < 3; a++)
        sum += ray->direction[a] * ray->direction[a] * view->step[a] * view->step[a];
    return sqrt(sum) / fabs(ray->direction[axis]);
}

// How rays of a detector column in an upright beam pass planes along their driving axis, x or y: at plane 0, and how far on at
// the next one; the other axis, z of one row, and the way in z from row to row.
typedef struct {
    tomo_real across[2], height[2], row[2], is_along_x, unused;
} Path;

static Path path_of(global const RayView *view, const uint column, const uint row) {
    const Ray ray = ray_of(view, column, row);
    const int axis = driving_axis(view, &ray), other = 1 - axis;
    const tomo_real inverse = 1 / ray.direction[axis];
    const tomo_real slope = ray.direction[other] * inverse, rise = ray.direction[2] * inverse;
    const tomo_real row_rise = view->is_parallel != 0 ? 0 : view->row[2] * inverse;
    const tomo_real row_start = view->is_parallel != 0 ? view->row[2] : -ray.source[axis] * row_rise;
    const Path path = {{ray.source[other] - ray.source[axis] * slope, slope},
                       {ray.source[2] - ray.source[axis] * rise, rise},
                       {row_start, row_rise},
                       axis == 0,
                       0};
    return path;
}
