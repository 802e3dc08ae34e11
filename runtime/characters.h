/* Characters as numbers for nets that read and write text: printable ASCII counts from its space, 0..94; the end
 * of a line is 95. */
#ifndef NETC_RUNTIME_CHARACTERS_H
#define NETC_RUNTIME_CHARACTERS_H

enum { CHARACTERS = 96, CHARACTER_LINE_END = 95 };

/* -1: none of ours. */
static inline int character_code(unsigned char byte) {
    if (byte == '\n') return CHARACTER_LINE_END;
    return byte >= 32 && byte < 127 ? byte - 32 : -1;
}

static inline char character_of(int code) {
    return (char)(code == CHARACTER_LINE_END ? '\n' : code + 32);
}

#endif
