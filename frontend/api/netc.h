/* netc as a library: compiles a net from its text, in this process, and runs or trains it.
 *
 *     netc_error error;
 *     netc_model *model = netc_compile_file("resnet20.net", NULL, &error);
 *     if (!model || !netc_load_weights(model, "resnet20.safetensors", &error)) ...
 *     netc_session *session = netc_session_new(model, &error);
 *     netc_run(session, 1, (const void *[]){image}, (void *[]){logits}, &error);
 *
 * Nothing here prints, exits or aborts. What fails returns false or NULL, says why in the caller's netc_error (nothing
 * to free, NULL if unwanted) and changes nothing else. Any number of threads may call at once, the same model too; a
 * session or a trainer serves one thread at a time. Functions that free take NULL.
 *
 * Numbers are float (NETC_F32) or int32_t (NETC_I32), row by row, without gaps, at any address fit for their type.
 * Samples of a batch lie one after the other. Shapes are PyTorch's: [channels, rows, columns], [steps, features].
 */
#ifndef NETC_H
#define NETC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define NETC_PUBLIC __attribute__((visibility("default")))
#else
#define NETC_PUBLIC
#endif

/* What kind of failure it was. */
enum {
    NETC_OK,
    NETC_BAD_INPUT,   /* a text, file or value is refused */
    NETC_BAD_CALL,    /* an argument is NULL, too large, of the wrong size; no such name */
    NETC_NO_MEMORY,   /* the allocator gave none, or the net needs more than the machine has */
    NETC_NO_WEIGHTS,  /* a parameter has no value yet */
    NETC_BUSY,        /* the model has open sessions, or another thread is inside this session or trainer */
    NETC_UNSUPPORTED, /* this build of netc, or this machine, cannot do it */
    NETC_BAD_LABEL,   /* a training target is no class of the net */
    NETC_NOT_FINITE,  /* a training loss is NaN or infinite */
    NETC_BUG          /* netc's own fault: please report it */
};

typedef struct netc_error {
    int code;         /* one of the above */
    int line, column; /* 1-based, column in bytes; 0 where there is no place in a text */
    char
        file[256]; /* that line and column are in, or that was refused; "text" for one in memory; may be "" */
    char message[1024]; /* one sentence; more about it, and further errors, follow on lines of their own */
} netc_error;

typedef struct netc_model netc_model;     /* a compiled net and its weights */
typedef struct netc_session netc_session; /* one caller's workspace and recurrent state */
typedef struct netc_trainer netc_trainer; /* weights and optimizer of a net in training */

/* Threads that the host lends. */
typedef struct netc_executor {
    void *user;
    int threads; /* 1..1024 */
    /* Calls body(arg, i, slot) for every i in 0..count, in any order, on up to `threads` threads at once, and returns
     * when all are done. Calls that run at the same time have different slots, 0..threads-1. Several threads may be
     * inside of run at once, each with calls and slots of its own. A body must not be left by a jump or exception. */
    void (*run)(void *user, void (*body)(void *arg, int i, int slot), void *arg, int count);
} netc_executor;

/* How to compile. Start with {.size = sizeof(netc_options)}: zeros everywhere else mean the usual. */
typedef struct netc_options {
    size_t size; /* sizeof(netc_options) */
    const char
        *backend; /* "llvm", "c" (through a C compiler), "interp" (slow); NULL: the first of them there is */
    const char
        *target; /* "avx512", "avx2", "neon", "c99": instructions to use; NULL or "native": all there are */
    const char *const
        *set;      /* "classes=10", "optimizer.lr=0.05": the net's arguments and its recipe; ends with NULL */
    int max_batch; /* the most samples in a call, 1..65536; 0: 1 (a trainer's: the recipe's batch) */
    int threads;   /* 1..1024; 0: one a processor */
    /* Called for every warning before the function that found it returns, from its thread. NULL: they are dropped. */
    void (*report)(void *user, const netc_error *warning);
    /* A realloc, aligned to 16, for netc's own memory: old is NULL for a new block; with 0 bytes old is freed. Where
     * it returns NULL the call fails with NETC_NO_MEMORY. Several threads call it at once. NULL: malloc. What LLVM,
     * the C library and threads' own records take is not asked for here. */
    void *(*allocate)(void *user, void *old, size_t bytes);
    /* Copied; what it points to outlives the model. Backend "llvm" runs on it; "interp" runs on the caller's thread;
     * "c" cannot take one. NULL: threads that the model owns. A caller that finds them busy runs on its own alone. */
    const netc_executor *executor;
    void *user; /* of report and allocate */
    /* Takes compiled code from the user's cache folder ($XDG_CACHE_HOME/netc, ~/.cache/netc) and leaves it there, which
     * makes compiling the same net again a matter of milliseconds. Else no file is written. */
    bool cache;
} netc_options;

/* ---- models ---- */

/* Compiles a .net file; files that it names lie in its folder or below. options may be NULL. NULL with an error:
 * NETC_BAD_INPUT with file, line and column where the text is wrong; NETC_UNSUPPORTED for .onnx files, which this
 * version cannot read, and for backends that are not there. Takes the time of compiling: milliseconds to seconds. */
NETC_PUBLIC netc_model *netc_compile_file(const char *path, const netc_options *options, netc_error *error);
/* The same of a text in memory, `bytes` long, which need not end with a zero and may be freed afterwards. Files that
 * it names lie in the current folder or below. */
NETC_PUBLIC netc_model *netc_compile_text(const char *text, size_t bytes, const netc_options *options,
                                          netc_error *error);
/* For ONNX files in memory. This version cannot read them: always NULL with NETC_UNSUPPORTED. */
NETC_PUBLIC netc_model *netc_compile_onnx(const void *bytes, size_t count, const netc_options *options,
                                          netc_error *error);
/* Its sessions and trainers go on working: what they share with it is freed with the last of them. */
NETC_PUBLIC void netc_model_free(netc_model *model);

/* ---- weights: refused with NETC_BUSY while sessions are open, for they share them ---- */

/* From safetensors, PyTorch's .pt, .pth, .th (read as data, nothing in them is executed) or .npz, told apart by
 * content; every floating-point type is converted. All parameters by name or none: NETC_BAD_INPUT lists what is
 * missing, extra or of another shape. */
NETC_PUBLIC bool netc_load_weights(netc_model *model, const char *path, netc_error *error);
/* The same of a file's `count` bytes in memory, which may be freed afterwards. */
NETC_PUBLIC bool netc_load_weights_memory(netc_model *model, const void *bytes, size_t count,
                                          netc_error *error);
/* Draws every parameter by its rule: the same numbers for the same seed, on every machine. */
NETC_PUBLIC bool netc_init_weights(netc_model *model, uint64_t seed, netc_error *error);
/* One parameter by PyTorch's name ("conv1.weight"), running statistics too; `count` is the count of numbers in
 * `values` and must be the parameter's: NETC_BAD_CALL otherwise. Getting: NETC_NO_WEIGHTS before there is a value. */
NETC_PUBLIC bool netc_get_parameter(const netc_model *model, const char *name, float *values, size_t count,
                                    netc_error *error);
NETC_PUBLIC bool netc_set_parameter(netc_model *model, const char *name, const float *values, size_t count,
                                    netc_error *error);

/* ---- what a model takes and gives ---- */

enum { NETC_F32, NETC_I32 };

typedef struct netc_tensor {
    const char *name;
    int type, rank;
    int64_t dims[8]; /* of one sample: a batch of n has [n, dims...] */
    size_t bytes;    /* of one sample; of a parameter's all */
    bool batched; /* false: one in all, whatever n (parameters, and outputs that depend on weights alone) */
} netc_tensor;

/* In the order of the text; i in 0..count, NULL outside of it. They live as long as the model. Of a NULL model there
 * are none. */
NETC_PUBLIC int netc_input_count(const netc_model *model);
NETC_PUBLIC const netc_tensor *netc_input(const netc_model *model, int i);
NETC_PUBLIC int netc_output_count(const netc_model *model);
NETC_PUBLIC const netc_tensor *netc_output(const netc_model *model, int i);
NETC_PUBLIC int netc_parameter_count(const netc_model *model);
NETC_PUBLIC const netc_tensor *netc_parameter(const netc_model *model, int i);

/* ---- running ---- */

/* Sessions of a model share its weights; each has a workspace and recurrent state (zeros) of its own, so that as many
 * threads run at once as there are sessions ("interp": one at a time, the others wait). NETC_NO_WEIGHTS where a
 * parameter has no value. The first session after a change of the weights arranges them for the kernels. */
NETC_PUBLIC netc_session *netc_session_new(const netc_model *model, netc_error *error);
/* Runs n samples, 1..max_batch. inputs[i] is n × netc_input(i)->bytes bytes, outputs[i] takes n × netc_output(i)->bytes;
 * none may be NULL. Integer inputs lie in the range that the text states, or NETC_BAD_INPUT names the one that does
 * not. State kept from the last call enters, sample k's where sample k was, and the new one is kept. What a sample
 * gives depends neither on its neighbours nor on the number of threads. Where it fails state is as it was; outputs
 * may have been written. */
NETC_PUBLIC bool netc_run(netc_session *session, int n, const void *const *inputs, void *const *outputs,
                          netc_error *error);
/* Recurrent state to zeros: a new sequence begins. */
NETC_PUBLIC void netc_session_reset(netc_session *session);
NETC_PUBLIC void netc_session_free(netc_session *session);

/* ---- training, for nets whose text has a train {} ---- */

/* A copy of the model's weights to train; parameters without a value are drawn by their rules from the seed, which
 * dropout follows too. The model stays as it is. Compiles the training step. NETC_UNSUPPORTED where the text has no
 * train {} or the backend cannot train. */
NETC_PUBLIC netc_trainer *netc_trainer_new(const netc_model *model, uint64_t seed, netc_error *error);
/* One step on n samples, 1..max_batch: forward, loss, gradients, optimizer. inputs as for netc_run; target is n ×
 * int32_t classes (n × T for a sequence), or floats of the shape of the output that the loss reads. *loss (may be
 * NULL) is the mean before the step. NETC_BAD_LABEL and NETC_NOT_FINITE leave weights, running statistics and
 * optimizer as they were. The schedule of the text is the caller's to follow: learning_rate is taken as it is. */
NETC_PUBLIC bool netc_train_step(netc_trainer *trainer, int n, const void *const *inputs, const void *target,
                                 float learning_rate, float *loss, netc_error *error);
/* Weights under PyTorch's names, and optimizer, step and seed under names that begin with "netc.", as safetensors. The
 * file appears under its name when it is complete, and is on the disk then; until then an old one stays. */
NETC_PUBLIC bool netc_trainer_save(const netc_trainer *trainer, const char *path, netc_error *error);
/* Goes on where a saved trainer of the same net stood. */
NETC_PUBLIC bool netc_trainer_resume(netc_trainer *trainer, const char *path, netc_error *error);
/* Puts the weights as they are now into a model of the same net. NETC_BUSY while it has open sessions. */
NETC_PUBLIC bool netc_trainer_publish(const netc_trainer *trainer, netc_model *model, netc_error *error);
NETC_PUBLIC void netc_trainer_free(netc_trainer *trainer);

/* "0.1.0" */
NETC_PUBLIC const char *netc_version(void);

#ifdef __cplusplus
}
#endif

#endif
