// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// alpha A B + beta C. A and B are first packed as float32 with zeros up to whole tiles of 64 rows and columns and slabs
// of 32 products, A transposed, so that what computes reads both alike and needs no limits. The products of a slab are
// summed as they come; the sums of the slabs are added with what rounding loses (Knuth, The Art of Computer
// Programming, vol. 2, 4.2.2), so that the error does not grow with the number of products.

#define TILE 64
#define SLAB 32
#define EACH 4 // rows and columns of a work-item, TILE / 16

#define a_T float
#define b_T float

// packed[z][k][i] is sample (k, i) of plane z, with rows and columns exchanged where `transposed`.
#define PACK(name)                                                                                           \
    kernel void pack_##name(IN(name), OUT(float, packed), const uint width, const uint height,               \
                            const int transposed) {                                                          \
        const uint i = get_global_id(0), k = get_global_id(1), z = get_global_id(2);                         \
        const uint x = transposed ? k : i, y = transposed ? i : k;                                           \
        AT(packed, tomo_index(i, k, z, get_global_size(0), get_global_size(1))) =                            \
            x < width && y < height ? LOAD(name, tomo_index(x, y, z, width, height)) : 0.0f;                 \
    }
PACK(in0)
PACK(in1)

typedef struct {
    uint width, height; // of the output
    uint packed_width, packed_height, packed_k;
    uint planes_a, planes_b, planes_c;
    float alpha, beta;
} Gemm;

#define PLANE(planes, z) ((planes) > 1 ? (z) : 0)

#ifdef WITH_C
#define C_ARGUMENT , IN(in2)
#define PLUS_C(x, y, z)                                                                                      \
    +(gemm.beta == 0.0f ? 0.0f                                                                               \
                        : gemm.beta * LOAD(in2, tomo_index(x, y, PLANE(gemm.planes_c, z), gemm.width, gemm.height)))
#else
#define C_ARGUMENT
#define PLUS_C(x, y, z)
#endif

#define PUT(x, y, z, sum, lost)                                                                              \
    if ((x) < gemm.width && (y) < gemm.height)                                                               \
    AT(out, tomo_index(x, y, z, gemm.width, gemm.height)) =                                                  \
        gemm.alpha * (isfinite(sum) ? (sum) + (lost) : (sum)) PLUS_C(x, y, z)

#define ADD_SLAB(type, sum, lost, slab)                                                                      \
    {                                                                                                        \
        const type total = sum + slab, other = total - sum;                                                  \
        lost += (sum - (total - other)) + (slab - other);                                                    \
        sum = total;                                                                                         \
    }

// A work-group of 16 x 16 for each tile, each work-item for every 16th row and column of it.
kernel void gemm_tiled(IN(a), IN(b) C_ARGUMENT, OUT(float, out), const Gemm gemm, local float *tile_a,
                       local float *tile_b) {
    const uint lx = get_local_id(0), ly = get_local_id(1), z = get_global_id(2), item = ly * 16 + lx;
    const uint column = get_group_id(0) * TILE, row = get_group_id(1) * TILE;
    const ulong plane_a = (ulong)PLANE(gemm.planes_a, z) * gemm.packed_k;
    const ulong plane_b = (ulong)PLANE(gemm.planes_b, z) * gemm.packed_k;
    float sum[EACH][EACH] = {{0.0f}}, lost[EACH][EACH] = {{0.0f}};
    for (uint k = 0; k < gemm.packed_k; k += SLAB) {
        for (uint i = item; i < TILE * SLAB; i += 256) {
            tile_a[i] = AT(a, (plane_a + k + i / TILE) * gemm.packed_height + row + i % TILE);
            tile_b[i] = AT(b, (plane_b + k + i / TILE) * gemm.packed_width + column + i % TILE);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        float slab[EACH][EACH] = {{0.0f}};
        for (uint s = 0; s < SLAB; s++) {
            float rows[EACH], columns[EACH];
            for (uint i = 0; i < EACH; i++) {
                rows[i] = tile_a[s * TILE + ly + 16 * i];
                columns[i] = tile_b[s * TILE + lx + 16 * i];
            }
            for (uint i = 0; i < EACH; i++)
                for (uint j = 0; j < EACH; j++)
                    slab[i][j] += rows[i] * columns[j];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (uint i = 0; i < EACH; i++)
            for (uint j = 0; j < EACH; j++)
                ADD_SLAB(float, sum[i][j], lost[i][j], slab[i][j])
    }
    for (uint i = 0; i < EACH; i++)
        for (uint j = 0; j < EACH; j++) {
            const uint x = column + lx + 16 * j, y = row + ly + 16 * i;
            PUT(x, y, z, sum[i][j], lost[i][j]);
        }
}

// A work-item for 4 rows of 16 columns, which lie in a CPU's registers.
kernel void gemm_rows(IN(a), IN(b) C_ARGUMENT, OUT(float, out), const Gemm gemm) {
    const uint column = get_global_id(0) * 16, row = get_global_id(1) * EACH, z = get_global_id(2);
    const ulong plane_a = (ulong)PLANE(gemm.planes_a, z) * gemm.packed_k;
    const ulong plane_b = (ulong)PLANE(gemm.planes_b, z) * gemm.packed_k;
    float16 sum[EACH], lost[EACH];
    for (uint i = 0; i < EACH; i++)
        sum[i] = lost[i] = (float16)(0.0f);
    for (uint k = 0; k < gemm.packed_k; k += SLAB) {
        float16 slab[EACH];
        for (uint i = 0; i < EACH; i++)
            slab[i] = (float16)(0.0f);
        for (uint s = k; s < k + SLAB; s++) {
            const float16 columns = vload16(0, &AT(b, (plane_b + s) * gemm.packed_width + column));
            const float4 rows = vload4(0, &AT(a, (plane_a + s) * gemm.packed_height + row));
            slab[0] += rows.x * columns;
            slab[1] += rows.y * columns;
            slab[2] += rows.z * columns;
            slab[3] += rows.w * columns;
        }
        for (uint i = 0; i < EACH; i++)
            ADD_SLAB(float16, sum[i], lost[i], slab[i])
    }
    for (uint i = 0; i < EACH; i++) {
        float sums[16], rest[16];
        vstore16(sum[i], 0, sums);
        vstore16(lost[i], 0, rest);
        for (uint j = 0; j < 16; j++)
            PUT(column + j, row + i, z, sums[j], rest[j]);
    }
}
