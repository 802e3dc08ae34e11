/* Arrays as samples of an input: their shape must be exactly the declared one, batch first. */
#include "runtime/inputs_array.h"

#include "ir/base/text.h"
#include "runtime/shown.h"

#include <string.h>

const char *item_shape(arena *a, const net_tensor *t) {
    text s = text_in(a);
    text_puts(&s, "[samples");
    for (int k = 0; k < t->rank; k++) text_printf(&s, ",%lld", (long long)t->dims[k]);
    text_puts(&s, "]");
    return s.at;
}

static bool shape_fits(const item *i, diags *d) {
    const stored_tensor *s = &i->array.tensor;
    bool good = s->rank == i->to->rank + 1;
    for (int k = 0; good && k < i->to->rank; k++) good = s->dims[k + 1] == i->to->dims[k];
    if (!good)
        return diag_file(d, i->path, "the array is %s, but input '%s' needs %s",
                         shown_shape(d->arena, s->rank, s->dims), i->to->name, item_shape(d->arena, i->to));
    return s->dims[0] > 0 || diag_file(d, i->path, "the array has no samples: its first dimension is 0");
}

static bool type_fits(const item *i, diags *d) {
    const element_info *e = &element_infos[i->array.tensor.type];
    if (i->to->type == NET_I32 && e->real)
        return diag_file(d, i->path, "this holds %s, but input '%s' takes whole numbers", e->name,
                         i->to->name);
    if (i->to->type == NET_F32 && !e->real && i->to->mean)
        return diag_file(d, i->path,
                         "this holds %s, but input '%s' takes floats that are already normalised, "
                         "(x / 255 - mean) / std: convert it, or give pictures",
                         e->name, i->to->name);
    return true;
}

bool item_fits(const item *i, diags *d) {
    return shape_fits(i, d) && type_fits(i, d);
}

bool item_open_array(item *i, arena *a, diags *d) {
    if (!npy_open(&i->array, a, i->path, d)) return false;
    i->samples = i->array.tensor.rank ? i->array.tensor.dims[0] : 0;
    return item_fits(i, d);
}

static bool read_whole(const item *i, int32_t *to, diags *d) {
    const stored_tensor *s = &i->array.tensor;
    double low = i->to->bound ? 0 : -0x1p31, end = i->to->bound ? (double)i->to->bound : 0x1p31;
    for (int64_t k = 0; k < s->count; k++) {
        double x = element_real(s->type, s->data, k);
        if (!(x >= low && x < end))
            return diag_file(d, i->path,
                             "element %lld is %.0f, but input '%s' takes whole numbers from %.0f to %.0f",
                             (long long)k, x, i->to->name, low, end - 1);
        to[k] = (int32_t)x;
    }
    return true;
}

bool item_read_array(const item *i, void *to, diags *d) {
    const stored_tensor *s = &i->array.tensor;
    if (i->to->type == NET_I32) return read_whole(i, to, d);
    if (s->type == EL_F32) memcpy(to, s->data, s->bytes);
    for (int64_t k = 0; s->type != EL_F32 && k < s->count; k++)
        ((float *)to)[k] = (float)element_real(s->type, s->data, k);
    return true;
}
