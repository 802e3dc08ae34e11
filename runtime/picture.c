/* From a file to numbers. A decoded picture is large, so each has memory of its own that goes at once. */
#include "runtime/picture.h"

#include "ir/base/guard.h"

bool picture_input_of(const net_tensor *t, picture_input *out) {
    int64_t channels = t->rank == 3 ? t->dims[0] : 1;
    if (t->type != NET_F32 || t->rank < 2 || t->rank > 3 || (channels != 1 && channels != 3)) return false;
    int64_t height = t->dims[t->rank - 2], width = t->dims[t->rank - 1];
    if (height > IMAGE_MAX_SIDE || width > IMAGE_MAX_SIDE) return false;
    *out = (picture_input){(int)channels, (int)height, (int)width, {.divisor = 255, .std = {1, 1, 1}}};
    for (int c = 0; t->mean && c < out->channels; c++) {
        out->norm.mean[c] = (float)t->mean[t->channels == 1 ? 0 : c];
        out->norm.std[c] = (float)t->std[t->channels == 1 ? 0 : c];
    }
    return true;
}

typedef struct reading {
    float *to;
    const picture_input *input;
    const char *path;
    diags *diags; /* in an arena that outlives this one */
} reading;

static bool read(arena *a, void *context) {
    const reading *r = context;
    const picture_input *p = r->input;
    image picture, fit;
    if (!image_open(&picture, a, r->path, r->diags) ||
        !image_fit(&fit, a, &picture, p->channels, p->height, p->width, r->path, r->diags))
        return false;
    image_levels levels = image_levels_of(&p->norm);
    image_planar(r->to, &fit, &levels);
    return true;
}

bool picture_read(float *to, const picture_input *p, const char *path, diags *d) {
    reading r = {.input = p, .path = path, .diags = d};
    r.to = to;
    char reason[GUARD_REASON];
    bool good = guard_run(0, read, &r, reason);
    return *reason ? diag_file(d, path, "%s", reason) : good;
}
