/* Packed weights in the output: their first bytes, and the ways to find them at run time. */
#include "backends/c/emit.h"

#include <string.h>

/* packed_header as words, less the zeros at its end. */
enum { MARKS = (PACKED_HEADER - sizeof(((packed_header *)0)->rest)) / 4 };

static void marks_of(const program *p, uint32_t mark[MARKS]) {
    packed_header h = program_header(p);
    memcpy(mark, &h, MARKS * sizeof *mark);
}

static void print_mark(emitter *e) {
    uint32_t mark[MARKS];
    marks_of(e->program, mark);
    text_puts(e->out, "/* The first words of packed weights: what they are, and for which net. */\n");
    text t = text_in(e->arena);
    text_printf(&t, "static const uint32_t %s_mark[%d] = {", e->prefix, (int)MARKS);
    for (int k = 0; k < MARKS; k++) text_printf(&t, "%s0x%08lx", k ? ", " : "", (unsigned long)mark[k]);
    text_puts(&t, "};");
    c_line(e->out, 0, t.at);
    text_puts(e->out, "\n");
    text_printf(e->out,
                "static int %s_ready(const void *packed)\n{\n    for (int k = 0; k < %d; k++)\n"
                "        if (((const uint32_t *)packed)[k] != %s_mark[k]) return 0;\n    return 1;\n}\n\n",
                e->prefix, MARKS, e->prefix);
}

static void print_array(emitter *e) {
    const unsigned char *bytes = e->options->packed;
    size_t words = e->options->packed_bytes / 4;
    packed_header header = program_header(e->program);
    text_printf(e->out, "static const ALIGNED(64) uint32_t %s_packed[%llu] = {", e->prefix,
                (unsigned long long)words);
    for (size_t k = 0; k < words; k++) {
        uint32_t word;
        memcpy(&word, 4 * k < sizeof header ? (const unsigned char *)&header + 4 * k : bytes + 4 * k, 4);
        char digits[32];
        int length = snprintf(digits, sizeof digits, "%s0x%lx,", k % 8 ? " " : "\n    ", (unsigned long)word);
        text_add(e->out, digits, (size_t)length);
    }
    text_puts(e->out, "\n};\n\n");
}

static void print_incbin(emitter *e) {
    const char *p = e->prefix, *u = e->upper, *file = e->options->packed_file_name;
    text_printf(
        e->out,
        "/* The assembler takes %s from the folder in which the compiler runs, or from one named with\n"
        "   -Wa,-I,FOLDER; -D%s_PACKED_FILE='\"PATH\"' names another path. */\n"
        "#ifndef %s_PACKED_FILE\n#define %s_PACKED_FILE \"%s\"\n#endif\n",
        file, u, u, u, file);
    text_printf(e->out,
                "#ifdef __APPLE__\n"
                "__asm__(\".const_data\\n.private_extern _%s_packed\\n.p2align 6\\n_%s_packed:\\n\"\n"
                "        \".incbin \\\"\" %s_PACKED_FILE \"\\\"\\n.text\\n\");\n"
                "#else\n"
                "__asm__(\".pushsection .rodata\\n.globl %s_packed\\n.hidden %s_packed\\n.balign "
                "64\\n%s_packed:\\n\"\n"
                "        \".incbin \\\"\" %s_PACKED_FILE \"\\\"\\n.popsection\\n\");\n#endif\n",
                p, p, u, p, p, p, u);
    text_printf(e->out,
                "#ifdef __cplusplus\nextern \"C\" {\n#endif\n"
                "extern const uint32_t %s_packed[] __attribute__((visibility(\"hidden\")));\n"
                "#ifdef __cplusplus\n}\n#endif\n\n",
                p);
}

static void print_weights_function(emitter *e) {
    text_printf(e->out, "const void *%s_weights(void)\n{\n    return %s_packed;\n}\n\n", e->prefix,
                e->prefix);
}

static void print_load(emitter *e) {
    const char *p = e->prefix, *u = e->upper;
    text_printf(e->out,
                "const void *%s_load(const void *file, size_t bytes)\n{\n"
                "    if (!file || (uintptr_t)file %% %s_ALIGN || bytes != %s_PACKED_BYTES) return NULL;\n"
                "    return %s_ready(file) ? file : NULL;\n}\n\n",
                p, u, u, p);
}

void emit_weights(emitter *e) {
    print_mark(e);
    switch (e->options->embed) {
    case EMBED_NONE: break;
    case EMBED_ARRAY:
        print_array(e);
        print_weights_function(e);
        break;
    case EMBED_INCBIN:
        print_incbin(e);
        print_weights_function(e);
        break;
    case EMBED_FILE: print_load(e);
    }
}
