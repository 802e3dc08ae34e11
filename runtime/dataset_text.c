/* Plain text, a character a sample's step (characters.h). */
#include "runtime/characters.h"
#include "runtime/dataset_kinds.h"

#include <string.h>
#include <sys/stat.h>

enum { PARTS = 10 /* of a file without parts of its own: the last is for testing */ };

static bool refuse_byte(const opening *o, const char *path, const file_map *m, size_t at) {
    size_t line = 1, start = 0;
    for (size_t k = 0; k < at; k++)
        if (m->bytes[k] == '\n') line++, start = k + 1;
    return diag_file(o->diags, path,
                     "line %zu, byte %zu: 0x%02x is no printable ASCII, which is all that netc reads as text "
                     "yet: iconv -t ASCII//TRANSLIT and expand help",
                     line, at - start + 1, m->bytes[at]);
}

/* Carriage returns before the end of a line are dropped. */
static bool read_text(const opening *o, const char *path) {
    dataset *s = o->set;
    const file_map *m = dataset_map(o, path);
    if (!m) return false;
    unsigned char *codes = arena_alloc(o->arena, m->size + 1, 1);
    s->text = codes;
    for (size_t k = 0; k < m->size; k++) {
        int code = character_code(m->bytes[k]);
        bool carriage = m->bytes[k] == '\r' && k + 1 < m->size && m->bytes[k + 1] == '\n';
        if (code < 0 && !carriage) return refuse_byte(o, path, m, k);
        if (!carriage) codes[s->count++] = (unsigned char)code;
    }
    s->kind = "text";
    s->holds = HOLDS_TEXT;
    return s->count > 0 || diag_file(o->diags, path, "the text is empty");
}

/* One file for both. */
static outcome open_file(const opening *o) {
    dataset *s = o->set;
    if (!read_text(o, o->path)) return REFUSED;
    int64_t training = s->count - s->count / PARTS;
    if (o->train && o->test) return OPENED;
    if (o->test) s->text += training;
    s->count = o->train ? training : s->count - training;
    return s->count > 0 ? OPENED
                        : refuse_set(o, o->path, "the text is too short to keep a tenth for testing");
}

outcome open_text(opening *o) {
    static const char *const test[] = {"test.txt", "val.txt", "valid.txt", NULL};
    static const char *const train[] = {"train.txt", NULL};
    struct stat s;
    const char *path, *dot = strrchr(o->path, '.');
    if (stat(o->path, &s) == 0 && S_ISREG(s.st_mode))
        return dot && !strcmp(dot, ".txt") ? open_file(o) : ABSENT;
    for (int k = 0; k < 2; k++)
        for (const char *const *name = k ? train : test; *name; name++)
            if ((k ? o->train : o->test) && dataset_file(o, "", *name, &path))
                return read_text(o, path) ? OPENED : REFUSED;
    return ABSENT;
}
