/* Writes .npz: a zip file of .npy files. */
#include "ir/base/text.h"
#include "runtime/npy.h"
#include "runtime/save.h"
#include "runtime/zip_write.h"

bool tensors_save_npz(const char *path, const stored_tensor *list, int count, diags *d) {
    zip_part *parts = NEW_ARRAY(d->arena, zip_part, count + 1);
    for (int k = 0; k < count; k++) {
        const stored_tensor *s = &list[k];
        text front = text_in(d->arena);
        if (!npy_front(&front, s->type, s->rank, s->dims))
            return diag_file(d, path, "tensor '%s': numpy has no such type or shape", s->name);
        parts[k] =
            (zip_part){arena_printf(d->arena, "%s.npy", s->name), front.at, s->data, front.length, s->bytes};
    }
    return zip_write(path, parts, count, d);
}
