/* Tensors of a weight file put where a net wants them, by name. All that does not fit is told at once. */
#ifndef NETC_RUNTIME_PARAMS_H
#define NETC_RUNTIME_PARAMS_H

#include "runtime/tensors.h"

enum { PARAM_MAX_RANK = 8 };

/* One row of a net's table of parameters. */
typedef struct param {
    const char *name;      /* "layer1.0.conv1.weight" */
    int64_t offset, count; /* in elements of the destination */
    int rank;
    int64_t dims[PARAM_MAX_RANK];
} param;

/* Copies every wanted tensor to `to + offset`, converted from any floating-point type (float32 to `float` bit
 * for bit). False, with one error and notes that list every missing, extra, misshapen and integer tensor (20
 * of a kind at most), if the file is not exactly of this net; `to` is then untouched. Not extra:
 * `num_batches_tracked` and names that begin with `netc.`. A prefix that the file puts before all names
 * (`module.`, `model.`, ...) is left off, and a note says so. NaN and infinity load, with a warning. */
bool params_load(const tensors *from, const param *wanted, int count, float *to, arena *scratch, diags *d);
bool params_load_double(const tensors *from, const param *wanted, int count, double *to, arena *scratch,
                        diags *d);

/* For fine-tuning: copies every wanted tensor that the file has in the same shape; what it lacks or has in another
 * shape keeps its numbers, and notes list it, as they do what the net has no place for. False with an error if
 * nothing fits or a fitting tensor holds integers; `to` is then untouched. */
bool params_load_some(const tensors *from, const param *wanted, int count, float *to, arena *scratch,
                      diags *d);

/* The table and its numbers as a list for tensors_save_safetensors; `from` is not copied. */
stored_tensor *params_list(arena *a, const param *table, int count, const float *from);

#endif
