/* What code must not outlive: the build of netc that made it, whose number the linker wrote, and the processor. */
#include "frontend/api/cache.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/utsname.h>

/* ---- the build ---- */

typedef struct search {
    uintptr_t inside; /* an address in the program or library that this is part of */
    digest *to;
    bool found;
} search;

static bool holds(const struct dl_phdr_info *o, uintptr_t address) {
    for (int k = 0; k < o->dlpi_phnum; k++) {
        const ElfW(Phdr) *h = &o->dlpi_phdr[k];
        uintptr_t from = o->dlpi_addr + h->p_vaddr;
        if (h->p_type == PT_LOAD && address >= from && address - from < h->p_memsz) return true;
    }
    return false;
}

static size_t padded(size_t bytes) {
    return (bytes + 3) & ~(size_t)3;
}

/* A segment of notes: header, name, contents, each a multiple of four bytes. */
static bool read_notes(const char *at, size_t left, digest *to) {
    while (left >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) h;
        memcpy(&h, at, sizeof h);
        size_t name = padded(h.n_namesz), size = sizeof h + name + padded(h.n_descsz);
        if (size > left) return false;
        if (h.n_type == NT_GNU_BUILD_ID && h.n_namesz == 4 && memcmp(at + sizeof h, "GNU", 4) == 0 &&
            h.n_descsz) {
            digest_number(to, h.n_descsz);
            digest_add(to, at + sizeof h + name, h.n_descsz);
            return true;
        }
        at += size;
        left -= size;
    }
    return false;
}

static int visit(struct dl_phdr_info *o, size_t size, void *context) {
    search *s = context;
    (void)size;
    if (!holds(o, s->inside)) return 0;
    for (int k = 0; k < o->dlpi_phnum && !s->found; k++) {
        const ElfW(Phdr) *h = &o->dlpi_phdr[k];
        uintptr_t from = o->dlpi_addr + h->p_vaddr;
        if (h->p_type == PT_NOTE) s->found = read_notes((const char *)from, h->p_memsz, s->to);
    }
    return 1;
}

bool identity_build(digest *d) {
    search s = {.inside = (uintptr_t)identity_build, .to = d};
    dl_iterate_phdr(visit, &s);
    return s.found;
}

/* ---- the processor ---- */

#if defined(__x86_64__) || defined(__i386__)

#include <cpuid.h>

/* Family, model and all flags; not the number of the core that happens to answer (leaf 1's ebx). */
static void add_leaves(digest *d) {
    static const struct {
        unsigned leaf, part;
    } leaves[] = {{0, 0},    {1, 0},    {7, 0},          {7, 1},         {0xd, 1},
                  {0x14, 0}, {0x19, 0}, {0x80000001, 0}, {0x80000008, 0}};
    for (size_t k = 0; k < sizeof leaves / sizeof *leaves; k++) {
        unsigned a = 0, b = 0, c = 0, e = 0;
        __get_cpuid_count(leaves[k].leaf, leaves[k].part, &a, &b, &c, &e);
        if (leaves[k].leaf == 1) b = 0;
        if (leaves[k].leaf == 0xd || leaves[k].leaf == 0x80000008)
            a = c = e = 0; /* sizes, numbers of cores */
        if (leaves[k].leaf == 0xd) b = 0;
        digest_number(d, (int64_t)((uint64_t)a << 32 | b));
        digest_number(d, (int64_t)((uint64_t)c << 32 | e));
    }
    unsigned low = 0, high = 0, a, b, c, e;
    if (__get_cpuid(1, &a, &b, &c, &e) && (c & bit_OSXSAVE)) /* which registers the system saves */
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    digest_number(d, (int64_t)((uint64_t)high << 32 | low));
}

#else

static void add_leaves(digest *d) {
    (void)d;
}

#endif

void identity_processor(digest *d) {
    struct utsname name;
    add_leaves(d);
    digest_number(d, (int64_t)getauxval(AT_HWCAP));
    digest_number(d, (int64_t)getauxval(AT_HWCAP2));
    digest_text(d, uname(&name) == 0 ? name.machine : NULL);
}
