/* Sections of all objects are laid out one behind the other, then what refers to them is filled in. Everything that
 * an object says of itself is held against its size. */
#include "backends/llvm/image.h"

#include "ir/base/map.h"
#include "ir/base/size.h"

#include <elf.h>
#include <string.h>

enum { NOWHERE = -1 };

typedef struct part {
    const unsigned char *bytes; /* an ELF object */
    uint64_t size;
    const Elf64_Ehdr *head;
    const Elf64_Shdr *sections;
    int64_t *place; /* by section: its offset in the image */
} part;

typedef struct image {
    arena *arena;
    diags *diags;
    part *parts;
    int count;
    map symbols; /* global ones: where they are */
    text *out;
    const relocator *relocator;
    int64_t imports;
} image;

static bool fail(const image *i, const char *what, const char *name) {
    diag_add(i->diags, DIAG_ERROR, (span){0},
             "LLVM's code cannot be put together: %s%s%s; this is a bug in netc", what, *name ? " " : "",
             name);
    return false;
}

/* ---- reading ---- */

static const void *at(const part *p, uint64_t offset, uint64_t count, uint64_t size) {
    bool good = size && offset <= p->size && count <= (p->size - offset) / size && offset % 8 == 0;
    return good ? p->bytes + offset : NULL;
}

static const char *text_at(const part *p, const Elf64_Shdr *strings, uint32_t offset) {
    if (strings->sh_offset > p->size || strings->sh_size > p->size - strings->sh_offset) return "";
    const char *from = (const char *)p->bytes + strings->sh_offset;
    if (!strings->sh_size || offset >= strings->sh_size || from[strings->sh_size - 1]) return "";
    return from + offset;
}

static bool open_part(const image *i, part *p) {
    p->head = at(p, 0, 1, sizeof *p->head);
    if (!p->head || memcmp(p->head->e_ident, ELFMAG, SELFMAG) != 0 ||
        p->head->e_ident[EI_CLASS] != ELFCLASS64)
        return fail(i, "not an object", "");
    if (p->head->e_machine != i->relocator->machine || p->head->e_shentsize != sizeof(Elf64_Shdr))
        return fail(i, "an object of another machine", "");
    p->sections = at(p, p->head->e_shoff, p->head->e_shnum, sizeof *p->sections);
    if (!p->sections || p->head->e_shstrndx >= p->head->e_shnum)
        return fail(i, "an object without sections", "");
    p->place = NEW_ARRAY(i->arena, int64_t, p->head->e_shnum);
    return true;
}

/* ---- placing ---- */

static void pad(text *out, int64_t to) {
    static const char zeros[IMAGE_ALIGN];
    while ((int64_t)out->length < to) {
        int64_t more = to - (int64_t)out->length;
        text_add(out, zeros, (size_t)(more < IMAGE_ALIGN ? more : IMAGE_ALIGN));
    }
}

/* Nothing ever unwinds through this code. */
static bool wanted(const part *p, const Elf64_Shdr *s) {
    const char *name = text_at(p, &p->sections[p->head->e_shstrndx], s->sh_name);
    return (s->sh_flags & SHF_ALLOC) && s->sh_size && strcmp(name, ".eh_frame") != 0;
}

static bool place_sections(const image *i, part *p) {
    for (int k = 0; k < p->head->e_shnum; k++) {
        const Elf64_Shdr *s = &p->sections[k];
        p->place[k] = NOWHERE;
        if (!wanted(p, s)) continue;
        bool plain = s->sh_type == SHT_PROGBITS && !(s->sh_flags & SHF_WRITE);
        if (!plain || s->sh_addralign > IMAGE_ALIGN || s->sh_offset > p->size ||
            s->sh_size > p->size - s->sh_offset)
            return fail(i, "a section of an unknown kind",
                        text_at(p, &p->sections[p->head->e_shstrndx], s->sh_name));
        pad(i->out, round_up((int64_t)i->out->length, IMAGE_ALIGN));
        p->place[k] = (int64_t)i->out->length;
        text_add(i->out, (const char *)p->bytes + s->sh_offset, s->sh_size);
    }
    return true;
}

/* ---- symbols ---- */

static const Elf64_Shdr *section_of(const part *p, uint32_t index, uint32_t type) {
    return index < p->head->e_shnum && p->sections[index].sh_type == type ? &p->sections[index] : NULL;
}

static const Elf64_Sym *symbols_of(const part *p, const Elf64_Shdr *table, uint64_t *count) {
    *count = table->sh_size / sizeof(Elf64_Sym);
    return at(p, table->sh_offset, *count, sizeof(Elf64_Sym));
}

/* Where a symbol that the part itself defines is; NOWHERE for others. */
static int64_t own_place(const part *p, const Elf64_Sym *s) {
    if (s->st_shndx == SHN_UNDEF || s->st_shndx >= p->head->e_shnum || p->place[s->st_shndx] == NOWHERE)
        return NOWHERE;
    return s->st_value <= p->sections[s->st_shndx].sh_size ? p->place[s->st_shndx] + (int64_t)s->st_value
                                                           : NOWHERE;
}

static void note_symbol(image *i, const char *name, int64_t place) {
    int64_t *kept = NEW(i->arena, int64_t);
    *kept = place;
    map_put(&i->symbols, name, kept);
}

static bool note_symbols(image *i, const part *p) {
    for (int k = 0; k < p->head->e_shnum; k++) {
        const Elf64_Shdr *table = section_of(p, (uint32_t)k, SHT_SYMTAB);
        const Elf64_Shdr *names = table ? section_of(p, table->sh_link, SHT_STRTAB) : NULL;
        uint64_t count = 0;
        const Elf64_Sym *all = names ? symbols_of(p, table, &count) : NULL;
        if (table && !all) return fail(i, "a damaged table of symbols", "");
        for (uint64_t n = 0; n < count; n++)
            if (ELF64_ST_BIND(all[n].st_info) != STB_LOCAL && own_place(p, &all[n]) != NOWHERE)
                note_symbol(i, text_at(p, names, all[n].st_name), own_place(p, &all[n]));
    }
    return true;
}

static int64_t place_of(const image *i, const part *p, const Elf64_Sym *s, const Elf64_Shdr *names) {
    int64_t own = own_place(p, s);
    const int64_t *other = own == NOWHERE ? map_get(&i->symbols, text_at(p, names, s->st_name)) : NULL;
    return other ? *other : own;
}

/* ---- references ---- */

static bool relocate_one(const image *i, const part *p, const Elf64_Rela *r, uint32_t within,
                         const Elf64_Sym *s, const Elf64_Shdr *names) {
    const Elf64_Shdr *section = &p->sections[within];
    int64_t symbol = place_of(i, p, s, names), place = p->place[within] + (int64_t)r->r_offset;
    if (symbol == NOWHERE) return fail(i, "it calls", text_at(p, names, s->st_name));
    if (r->r_offset > section->sh_size || r->r_addend < -SIZE_LIMIT || r->r_addend > SIZE_LIMIT)
        return fail(i, "a reference lies outside of its section", "");
    const char *why = i->relocator->apply((unsigned char *)i->out->at + place, section->sh_size - r->r_offset,
                                          (unsigned)ELF64_R_TYPE(r->r_info), place, symbol + r->r_addend);
    return !why || fail(i, why, text_at(p, names, s->st_name));
}

static bool relocate_section(const image *i, const part *p, const Elf64_Shdr *r) {
    const Elf64_Shdr *table = section_of(p, r->sh_link, SHT_SYMTAB);
    const Elf64_Shdr *names = table ? section_of(p, table->sh_link, SHT_STRTAB) : NULL;
    uint64_t symbols = 0, count = r->sh_size / sizeof(Elf64_Rela);
    const Elf64_Sym *all = names ? symbols_of(p, table, &symbols) : NULL;
    const Elf64_Rela *list = at(p, r->sh_offset, count, sizeof *list);
    if (!all || !list) return fail(i, "a damaged table of references", "");
    for (uint64_t n = 0; n < count; n++) {
        uint64_t symbol = ELF64_R_SYM(list[n].r_info);
        if (symbol >= symbols) return fail(i, "a reference to no symbol", "");
        if (!relocate_one(i, p, &list[n], r->sh_info, &all[symbol], names)) return false;
    }
    return true;
}

static bool relocate_part(const image *i, const part *p) {
    for (int k = 0; k < p->head->e_shnum; k++) {
        const Elf64_Shdr *r = section_of(p, (uint32_t)k, SHT_RELA);
        bool concerned = r && r->sh_info < p->head->e_shnum && p->place[r->sh_info] != NOWHERE;
        if (concerned && !relocate_section(i, p, r)) return false;
    }
    return true;
}

/* ---- the whole ---- */

static void add_imports(image *i) {
    static const char *const names[IMPORTS] = {"memcpy", "memmove", "memset"};
    pad(i->out, round_up((int64_t)i->out->length, IMAGE_ALIGN));
    i->imports = (int64_t)i->out->length;
    for (int k = 0; k < IMPORTS; k++) {
        image_import one = {{0}, 0};
        memcpy(one.jump, i->relocator->jump, sizeof one.jump);
        note_symbol(i, names[k], (int64_t)i->out->length);
        text_add(i->out, (const char *)&one, sizeof one);
    }
}

static bool finish(const image *i, const program *p, target_id which) {
    image_header h = {
        .machine = i->relocator->machine, .bytes = i->out->length, .imports = (uint64_t)i->imports};
    memcpy(h.magic, IMAGE_MAGIC, sizeof h.magic);
    for (int k = 0; k < ENTRY_KINDS; k++) {
        const char *symbol = ll_entry_symbol(i->arena, (entry_kind)k, which);
        const int64_t *place = p->entries[k].present ? map_get(&i->symbols, symbol) : NULL;
        if (p->entries[k].present && !place) return fail(i, "there is no", symbol);
        h.entry[k] = place ? (uint64_t)*place : 0;
    }
    memcpy(i->out->at, &h, sizeof h);
    return true;
}

static bool open_parts(const image *i, const objects *o) {
    for (int k = 0; k < o->count; k++) {
        i->parts[k].bytes = (const unsigned char *)LLVMGetBufferStart(o->at[k]);
        i->parts[k].size = LLVMGetBufferSize(o->at[k]);
        if (!open_part(i, &i->parts[k]) || !place_sections(i, &i->parts[k])) return false;
    }
    return true;
}

bool image_link(text *out, arena *a, const program *p, target_id which, const objects *o, diags *d) {
    image i = {.arena = a, .diags = d, .count = o->count, .symbols = map_in(a), .out = out};
    const Elf64_Ehdr *first = o->count ? (const void *)LLVMGetBufferStart(o->at[0]) : NULL;
    bool whole = first && LLVMGetBufferSize(o->at[0]) >= sizeof *first;
    i.relocator = whole ? relocator_find(first->e_machine) : NULL;
    if (!i.relocator) return fail(&i, "this processor's objects are unknown", "");
    i.parts = NEW_ARRAY(a, part, o->count);
    pad(out, round_up((int64_t)sizeof(image_header), IMAGE_ALIGN));
    if (!open_parts(&i, o)) return false;
    add_imports(&i);
    for (int k = 0; k < o->count; k++)
        if (!note_symbols(&i, &i.parts[k])) return false;
    for (int k = 0; k < o->count; k++)
        if (!relocate_part(&i, &i.parts[k])) return false;
    return finish(&i, p, which);
}
