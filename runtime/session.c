/* Memory for a net's calls, and the loop that feeds it any number of samples. */
#include "runtime/net.h"

#include "ir/base/size.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20, WORTH_IT = 8 << 20 /* bytes */ };

/* Filling tens of megabytes page by page takes longer than what is written there: large pieces ask for large pages. */
void *net_memory(int64_t bytes, const char *what, diags *d) {
    void *at = NULL;
    size_t size = (size_t)round_up(bytes > 0 ? bytes : 1, NET_ALIGN);
    bool large = size >= WORTH_IT;
    if (posix_memalign(&at, large ? HUGE_PAGE : NET_ALIGN, size) == 0) {
        if (large) madvise(at, size, MADV_HUGEPAGE);
        return at;
    }
    diag_add(d, DIAG_ERROR, (span){0}, "out of memory: %s need %lld MB", what, (long long)(bytes >> 20) + 1);
    return NULL;
}

bool session_open(session *s, const net *n, diags *d) {
    *s = (session){.net = n};
    s->packed = net_memory(n->packed_bytes, "the net's weights", d);
    if (s->packed) s->workspace = net_memory(n->workspace_bytes, "the net's intermediate results", d);
    if (!s->workspace) session_close(s);
    return s->workspace;
}

bool session_prepare(session *s, const float *params, diags *d) {
    return s->net->prepare(s->net->self, params, s->packed, d);
}

/* Bytes from one sample to the next. */
static size_t stride_of(const net_tensor *t) {
    return t->batched ? (size_t)t->count * 4 : 0;
}

bool session_run(session *s, int64_t samples, const void *const *inputs, void *const *outputs, diags *d) {
    const net *n = s->net;
    const void **in = calloc((size_t)n->input_count + 1, sizeof *in);
    void **out = calloc((size_t)n->output_count + 1, sizeof *out);
    bool good = in && out;
    if (!good) diag_add(d, DIAG_ERROR, (span){0}, "out of memory");
    for (int64_t done = 0; good && done < samples; done += n->max_batch) {
        int64_t left = samples - done;
        for (int k = 0; k < n->input_count; k++)
            in[k] = (const char *)inputs[k] + (size_t)done * stride_of(&n->inputs[k]);
        for (int k = 0; k < n->output_count; k++)
            out[k] = (char *)outputs[k] + (size_t)done * stride_of(&n->outputs[k]);
        net_call call = {.n = left < n->max_batch ? left : n->max_batch,
                         .packed = s->packed,
                         .inputs = in,
                         .outputs = out,
                         .workspace = s->workspace};
        good = n->forward(n->self, &call, d);
    }
    free(in);
    free(out);
    return good;
}

void session_close(session *s) {
    free(s->packed);
    free(s->workspace);
    s->packed = s->workspace = NULL;
}
