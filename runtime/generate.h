/* Text written by a net that reads one character a call and says in logits what may follow: its state goes from
 * call to call, and each next character is drawn by its probability. */
#ifndef NETC_RUNTIME_GENERATE_H
#define NETC_RUNTIME_GENERATE_H

#include "runtime/net.h"

typedef struct generate_options {
    const char *prompt; /* read first, at least one character; NULL: the end of a line */
    int64_t count;      /* characters to write after it */
    double
        temperature; /* logits are divided by it: below 1 bolder, above 1 wilder; 0: always the likeliest */
    uint64_t seed;   /* the same text for the same seed */
    /* The prompt, then each character. False: stop here. */
    bool (*put)(void *user, const char *text);
    void *user;
} generate_options;

/* Characters are the labels of the net, or, where it has none, those of characters.h. False with an error where
 * the net is not of this kind, or the prompt has a character that it does not know. */
bool generate(session *s, const generate_options *o, diags *d);

#endif
