/* Types, shapes and layouts: their counts and their texts. */
#include "ir/tensor.h"
#include "ir/base/size.h"

#include <inttypes.h>
#include <string.h>

static const struct {
    const char *name;
    int bytes;
} dtypes[] = {[DT_F32] = {"f32", 4}, [DT_F64] = {"f64", 8}, [DT_I32] = {"i32", 4}, [DT_U8] = {"u8", 1}};

const char *const layout_names[LAYOUT_KINDS] = {
    [LAYOUT_PLANAR] = "planar",       [LAYOUT_BLOCKED16] = "blocked16", [LAYOUT_LANES16] = "lanes16",
    [LAYOUT_WEIGHTS16] = "weights16", [LAYOUT_WEIGHTS1] = "weights1",   [LAYOUT_WINOGRAD] = "winograd",
    [LAYOUT_PHASES16] = "phases16",
};

const char *dtype_name(dtype t) {
    return dtypes[t].name;
}

int dtype_bytes(dtype t) {
    return dtypes[t].bytes;
}

shape shape_of(int rank, const int64_t *dims) {
    shape s = {.rank = rank};
    memcpy(s.dim, dims, (size_t)rank * sizeof *dims);
    return s;
}

bool shape_equal(const shape *a, const shape *b) {
    return a->rank == b->rank && memcmp(a->dim, b->dim, (size_t)a->rank * sizeof *a->dim) == 0;
}

int64_t shape_count(const shape *s) {
    int64_t count = 1;
    for (int i = shape_batched(s); i < s->rank; i++) count *= s->dim[i];
    return count;
}

bool shape_valid(const shape *s) {
    if (s->rank < 0 || s->rank > MAX_RANK) return false;
    int64_t count = 1;
    for (int i = shape_batched(s); i < s->rank; i++)
        if (s->dim[i] < 1 || !size_mul(count, s->dim[i], &count)) return false;
    return true;
}

void shape_print(text *t, const shape *s) {
    text_puts(t, "[");
    for (int i = 0; i < s->rank; i++) {
        if (i) text_puts(t, ",");
        if (s->dim[i] == DIM_N)
            text_puts(t, "N");
        else
            text_printf(t, "%" PRId64, s->dim[i]);
    }
    text_puts(t, "]");
}

/* Blocks of 16 inputs that output block `o` touches: its first output's group to its last one's. */
static int64_t blocks_read(int64_t o, int64_t outputs, int64_t out_group, int64_t in_group) {
    int64_t last = (o + 1) * BLOCK < outputs ? (o + 1) * BLOCK - 1 : outputs - 1;
    int64_t from = o * BLOCK / out_group * in_group, to = (last / out_group + 1) * in_group - 1;
    return to / BLOCK - from / BLOCK + 1;
}

int64_t weights16_blocks(const shape *weight, int groups) {
    int64_t outputs = weight->dim[0], in_group = weight->dim[1], most = 0;
    if (groups <= 1) return ceil_div(in_group, BLOCK);
    int64_t out_group = outputs / groups, blocks = ceil_div(outputs, BLOCK);
    /* What a block touches depends on where its groups begin modulo 16 in outputs and inputs, which repeats
     * within 16 groups: so does the maximum, however many groups there are. */
    for (int64_t o = 0; o < blocks && o < BLOCK * BLOCK; o++) {
        int64_t n = blocks_read(o, outputs, out_group, in_group);
        if (n > most) most = n;
    }
    for (int64_t g = 0; g < groups && g < 2 * BLOCK; g++) {
        int64_t o = g * out_group / BLOCK, n = blocks_read(o, outputs, out_group, in_group);
        if (n > most) most = n;
    }
    return most;
}

static int64_t planar_count(const layout *l, const shape *s) {
    int64_t count = shape_count(s), halo = (int64_t)l->left + l->right;
    return halo && s->rank ? count / s->dim[s->rank - 1] * (s->dim[s->rank - 1] + halo) : count;
}

static int64_t blocked_count(const layout *l, const shape *s) {
    int c = s->rank - 3;
    int64_t width = s->dim[c + 2] + l->left + l->right, images = c > 0 && !shape_batched(s) ? s->dim[0] : 1;
    return images * round_up(s->dim[c], BLOCK) * s->dim[c + 1] * width;
}

static int64_t weights_count(const layout *l, const shape *s) {
    int64_t taps = s->rank == 4 ? s->dim[2] * s->dim[3] : 1, outputs = round_up(s->dim[0], BLOCK);
    int64_t side = l->groups + 2; /* of a winograd tile */
    if (l->kind == LAYOUT_WINOGRAD) return outputs * side * side * round_up(s->dim[1], BLOCK);
    if (l->kind == LAYOUT_PHASES16) return round_up(s->dim[0], BLOCK) * round_up(s->dim[1], BLOCK) * taps;
    if (l->kind == LAYOUT_WEIGHTS1) return outputs * taps * s->dim[1];
    return outputs * taps * weights16_blocks(s, l->groups) * BLOCK;
}

int64_t layout_count(const layout *l, const shape *s) {
    switch (l->kind) {
    case LAYOUT_BLOCKED16: return blocked_count(l, s);
    case LAYOUT_LANES16: return round_up(s->dim[0], BLOCK) * (shape_count(s) / s->dim[0]);
    case LAYOUT_WEIGHTS16:
    case LAYOUT_WINOGRAD:
    case LAYOUT_PHASES16:
    case LAYOUT_WEIGHTS1: return weights_count(l, s);
    default: return planar_count(l, s);
    }
}

bool layout_equal(const layout *a, const layout *b) {
    return a->kind == b->kind && a->left == b->left && a->right == b->right && a->groups == b->groups;
}

void layout_print(text *t, const layout *l) {
    text_puts(t, layout_names[l->kind]);
    if (l->left || l->right)
        text_printf(t, "(%d,%d)", l->left, l->right);
    else if (l->groups > 1)
        text_printf(t, "(g%d)", l->groups);
}
