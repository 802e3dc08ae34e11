/* What a training run tells the reader of its folder after every epoch: results.csv, results.png, confusion.png,
 * and TensorBoard's events. All are made from the rows that the checkpoint holds, so they can be made again. */
#ifndef NETC_RUNTIME_JOURNAL_H
#define NETC_RUNTIME_JOURNAL_H

#include "runtime/checkpoint.h"

typedef struct journal {
    const char *folder;
    const int64_t *confusion; /* [classes][classes]; NULL: no picture of it */
    int classes;
    const char *const *names; /* of classes; NULL: numbers */
    bool plain;   /* no pictures, as asked for, or since they could not be drawn, which was said */
    double drawn; /* when pictures were drawn last: seconds */
    bool behind;  /* a row was added since */
} journal;

/* Writes the events of the rows there are already. */
bool journal_begin(journal *j, const train_state *s, diags *d);
/* After a row was added. False with an error where a file cannot be written. Pictures, which take longer than a small
 * net's epoch, are drawn every few seconds. */
bool journal_add(journal *j, const train_state *s, diags *d);
/* Draws them where they are behind: when the run ends. One that cannot be drawn is a warning, once. */
void journal_draw(journal *j, const train_state *s, diags *d);

#endif
