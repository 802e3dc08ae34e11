/* Receptive fields, followed through a graph as the user wrote it. */
#ifndef NETC_FRONTEND_API_FIELD_H
#define NETC_FRONTEND_API_FIELD_H

#include "ir/graph.h"

/* Of one element of a value: rows and columns of the picture that it depends on, and how many lie from there
 * to what its neighbour depends on. size 0: it depends on no picture. */
typedef struct field {
    double size[2], step[2];
} field;

/* By value id, for values of g itself; NULL where no input is a picture [N,C,H,W]. */
const field *fields_of(arena *a, const graph *g);

#endif
