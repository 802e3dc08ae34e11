/* The training loop on a net written by hand (tests/support/tiny_net.h): what a run leaves; that one which was
 * stopped, killed or refused at any moment goes on to the same bits; that whatever fails leaves the last checkpoint
 * as it was. */
#include "runtime/train.h"

#include "tests/support/tiny_net.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { EPOCHS = 3, ALL = EPOCHS * TINY_STEPS, PATH = 4096 };

/* ---- faults: this program's write, fsync and rename are its own ---- */

typedef enum fault { NO_FAULT, FAULT_KILL, FAULT_FAIL } fault;

static struct {
    fault kind;
    int at, calls; /* which call from 1, how many there were */
    bool written;  /* since the last fsync */
    int unsynced;  /* files renamed before they were on the disk */
} faults;

/* False where this call is to fail. */
static bool counted(void) {
    faults.calls++;
    if (faults.kind == NO_FAULT || faults.calls != faults.at) return true;
    if (faults.kind == FAULT_KILL) kill(getpid(), SIGKILL);
    errno = ENOSPC;
    return false;
}

ssize_t write(int file, const void *bytes, size_t size) {
    if (file > STDERR_FILENO && !counted()) return -1;
    faults.written |= file > STDERR_FILENO;
    return syscall(SYS_write, file, bytes, size);
}

int fsync(int file) {
    faults.written = false;
    return counted() ? (int)syscall(SYS_fsync, file) : -1;
}

int rename(const char *from, const char *to) {
    faults.unsynced += faults.written;
    return counted() ? (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0) : -1;
}

static void faults_off(void) {
    faults.kind = NO_FAULT;
    faults.calls = faults.unsynced = 0;
}

/* ---- runs ---- */

typedef struct fixture {
    arena arena;
    trap trap;
    diags diags;
    char folder[64];
    dataset *train, *test;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena, 0, &f->trap);
    f->diags.arena = &f->arena;
    /* in memory where there is such a place: a disk takes its time to sync */
    snprintf(f->folder, sizeof f->folder, "%s/netc-train-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(f->folder)) return -1;
    tiny_write_data(f->folder);
    f->train = dataset_open(&f->arena, f->folder, "train", &f->diags);
    f->test = dataset_open(&f->arena, f->folder, "test", &f->diags);
    faults_off();
    *state = f;
    return f->train && f->test ? 0 : -1;
}

static int tear_down(void **state) {
    fixture *f = *state;
    char command[PATH];
    dataset_close(f->train);
    dataset_close(f->test);
    snprintf(command, sizeof command, "rm -rf %s", f->folder);
    int code = system(command);
    arena_free(&f->arena);
    free(f);
    return code;
}

static const char *inside(fixture *f, const char *run, const char *name) {
    return arena_printf(&f->arena, "%s/%s/%s", f->folder, run, name);
}

/* What may differ from one run to another; zeros: the usual. */
typedef struct setup {
    int64_t epochs, stop_after; /* stop_after: steps of this call */
    uint64_t seed;
    int64_t refuse_at;
    net_stepped refusal;
    const char *const *facts;
    double save_every; /* 0: an hour; negative: after every step */
    int64_t batch;
    int loaders;
    bool fresh; /* without --resume */
    bool untested;
} setup;

static int stops(void *user) {
    int64_t *left = user;
    return (*left)-- == 0;
}

static train_options options_of(fixture *f, const setup *s, const run_folder *folder, int64_t *left) {
    *left = s->stop_after;
    return (train_options){.folder = folder,
                           .train = f->train,
                           .test = s->untested ? NULL : f->test,
                           .epochs = s->epochs ? s->epochs : EPOCHS,
                           .seed = s->seed ? s->seed : 3,
                           .seed_given = true,
                           .loaders = s->loaders,
                           .plain = true,
                           .save_every = s->save_every > 0   ? s->save_every
                                         : s->save_every < 0 ? 0
                                                             : 3600,
                           .facts = s->facts,
                           .stop = s->stop_after ? stops : NULL,
                           .user = left};
}

static train_outcome run_into(fixture *f, const char *out, setup s, float *params, train_state *state) {
    tiny t;
    run_folder folder;
    int64_t left;
    tiny_open(&t, params);
    t.refuse_at = s.refuse_at;
    t.refusal = s.refusal;
    if (s.batch) t.recipe.batch = s.batch;
    if (!run_folder_open(&folder, inside(f, out, ""), "tiny", !s.fresh, &f->diags)) return TRAIN_REFUSED;
    train_options o = options_of(f, &s, &folder, &left);
    train_outcome end = train(&t.net, params, state, &o, &f->diags);
    run_folder_close(&folder);
    return end;
}

static train_outcome run(fixture *f, const char *out, setup s) {
    float params[128];
    train_state state;
    return run_into(f, out, s, params, &state);
}

static void assert_quiet(const fixture *f) {
    if (f->diags.first) diags_print(&f->diags, stderr, false);
    assert_null(f->diags.first);
}

static void assert_told(fixture *f, const char *part) {
    for (const diag *d = f->diags.first; d; d = d->next)
        if (strstr(d->text, part)) return;
    diags_print(&f->diags, stderr, false);
    fail_msg("expected a message that says '%s'", part);
}

static void forget(fixture *f) {
    f->diags = (diags){.arena = &f->arena};
}

/* ---- what is in a checkpoint ---- */

static bool is_time(const char *name) {
    return strcmp(name, "netc.seconds") == 0 || strcmp(name, "netc.epoch_seconds") == 0 ||
           strcmp(name, "netc.began") == 0;
}

/* All but the times: results up to the test's accuracy. */
static bool same_tensor(const stored_tensor *a, const stored_tensor *b) {
    if (!b || a->bytes != b->bytes || a->type != b->type) return false;
    if (is_time(a->name)) return true;
    if (strcmp(a->name, "netc.results") != 0) return memcmp(a->data, b->data, a->bytes) == 0;
    for (int64_t k = 0; k < a->dims[0]; k++)
        if (memcmp(a->data + (size_t)k * sizeof(train_row), b->data + (size_t)k * sizeof(train_row),
                   offsetof(train_row, images_per_second)) != 0)
            return false;
    return true;
}

static void assert_same(fixture *f, const char *one, const char *other, const char *how) {
    tensors a, b;
    assert_true(tensors_open(&a, &f->arena, inside(f, one, "last.safetensors"), &f->diags));
    assert_true(tensors_open(&b, &f->arena, inside(f, other, "last.safetensors"), &f->diags));
    assert_int_equal(a.count, b.count);
    for (int k = 0; k < a.count; k++)
        if (!same_tensor(&a.at[k], tensors_find(&b, a.at[k].name)))
            fail_msg("%s: '%s' differs from that of a run never stopped", how, a.at[k].name);
    tensors_close(&a);
    tensors_close(&b);
}

static const char *text_of(fixture *f, const char *run, const char *name, size_t *size) {
    file_map m;
    assert_true(file_open(&m, inside(f, run, name), &f->diags));
    char *text = arena_text(&f->arena, (const char *)m.bytes, m.size);
    if (size) *size = m.size;
    file_close(&m);
    return text;
}

static const char *csv_of(fixture *f, const char *run) {
    return text_of(f, run, "results.csv", NULL);
}

/* The results without the two columns of time. */
static const char *untimed(fixture *f, const char *csv) {
    char *out = arena_alloc(&f->arena, strlen(csv) + 1, 1), *to = out;
    int column = 0;
    for (; *csv; csv++) {
        column = *csv == '\n' ? 0 : column + (*csv == ',');
        if (column < 7) *to++ = *csv;
    }
    *to = 0;
    return out;
}

/* Saved files but for the times: the checkpoint and the table. */
static void assert_same_run(fixture *f, const char *out, const char *how) {
    assert_same(f, "whole", out, how);
    if (strcmp(untimed(f, csv_of(f, "whole")), untimed(f, csv_of(f, out))) != 0)
        fail_msg("%s: results.csv differs:\n%s", how, csv_of(f, out));
    assert_true(access(inside(f, out, "best.safetensors"), F_OK) == 0);
}

static void remove_run(fixture *f, const char *out) {
    char command[PATH];
    snprintf(command, sizeof command, "rm -rf %s/%s", f->folder, out);
    assert_int_equal(system(command), 0);
}

/* ---- what a run leaves ---- */

static void a_run_learns_and_leaves_its_files(void **s) {
    fixture *f = *s;
    float params[128];
    train_state state;
    assert_int_equal(run_into(f, "whole", (setup){.epochs = 12, .loaders = 2}, params, &state), TRAIN_DONE);
    assert_quiet(f);
    assert_int_equal(faults.unsynced, 0);
    assert_int_equal(state.epoch, 12);
    assert_int_equal(state.rows.count, 12);
    const train_row *first = &state.rows.at[0], *last = &state.rows.at[11];
    assert_true(first->epoch == 1 && first->step == TINY_STEPS && last->step == 12 * TINY_STEPS);
    assert_true(first->train_loss > 0.8 && first->train_loss < 1.5); /* ln 3 is 1.1 */
    assert_true(last->train_loss < 0.5 * first->train_loss && last->test_loss < 0.5 * first->test_loss);
    assert_true(last->test_accuracy == 1 && state.best == 1 && state.best_epoch >= 1);
    assert_true(last->learning_rate == 0.1);
    static const char header[] = "epoch,step,learning_rate,train_loss,train_accuracy,test_loss,test_accuracy,"
                                 "images_per_second,seconds\n1,5,0.1,";
    assert_memory_equal(csv_of(f, "whole"), header, sizeof header - 1);
    int lines = 0;
    for (const char *at = csv_of(f, "whole"); *at; at++) lines += *at == '\n';
    assert_int_equal(lines, 13);
}

/* PyTorch's names, and nothing of ours. */
static void the_best_weights_are_weights_alone(void **s) {
    fixture *f = *s;
    float params[128];
    train_state state;
    tensors t;
    static const char *const names[] = {"fc.weight", "fc.bias", "bn.running_mean"};
    assert_int_equal(run_into(f, "whole", (setup){.untested = true}, params, &state), TRAIN_DONE);
    assert_true(tensors_open(&t, &f->arena, inside(f, "whole", "best.safetensors"), &f->diags));
    assert_int_equal(t.count, 3);
    for (int k = 0; k < 3; k++) assert_string_equal(t.at[k].name, names[k]);
    /* the loss fell to the end, so the last weights are the best */
    assert_int_equal(state.best_epoch, EPOCHS);
    assert_memory_equal(t.at[0].data, params, t.at[0].bytes);
    tensors_close(&t);
    assert_true(tensors_open(&t, &f->arena, inside(f, "whole", "last.safetensors"), &f->diags));
    assert_memory_equal(tensors_find(&t, "bn.running_mean")->data, params + 51, 64);
    assert_string_equal(tensors_metadata(&t, "netc.batch"), "5");
    tensors_close(&t);
    assert_true(isnan(state.rows.at[0].test_loss) && isnan(state.rows.at[0].test_accuracy));
    assert_non_null(strstr(csv_of(f, "whole"), ",,,")); /* no test: two empty columns */
    assert_quiet(f);
}

static void threads_change_nothing(void **s) {
    fixture *f = *s;
    assert_int_equal(run(f, "whole", (setup){0}), TRAIN_DONE);
    assert_int_equal(run(f, "threads", (setup){.loaders = 3, .save_every = -1}), TRAIN_DONE);
    assert_same_run(f, "threads", "three loaders, a checkpoint a step");
    assert_int_equal(run(f, "seed", (setup){.seed = 4}), TRAIN_DONE);
    assert_string_not_equal(untimed(f, csv_of(f, "whole")), untimed(f, csv_of(f, "seed")));
}

/* ---- going on ---- */

static void a_run_stopped_at_any_step_goes_on_to_the_same_bits(void **s) {
    fixture *f = *s;
    assert_int_equal(run(f, "whole", (setup){0}), TRAIN_DONE);
    for (int64_t step = 1; step <= ALL + 2 * EPOCHS; step++) { /* tests ask too: two batches each */
        train_outcome end = run(f, "part", (setup){.stop_after = step});
        if (end == TRAIN_DONE) break;
        assert_int_equal(end, TRAIN_STOPPED);
        if (step % 2) assert_int_not_equal(run(f, "part", (setup){.stop_after = 2}), TRAIN_REFUSED);
        assert_int_not_equal(run(f, "part", (setup){.loaders = step % 3 == 0}), TRAIN_REFUSED);
        assert_same_run(f, "part", arena_printf(&f->arena, "stopped after %lld", (long long)step));
        remove_run(f, "part");
    }
    assert_quiet(f);
}

static void a_run_may_be_many_processes(void **s) {
    fixture *f = *s;
    train_outcome end;
    int turns = 0;
    assert_int_equal(run(f, "whole", (setup){0}), TRAIN_DONE);
    while ((end = run(f, "part", (setup){.stop_after = 3})) == TRAIN_STOPPED && turns < 100) turns++;
    assert_int_equal(end, TRAIN_DONE);
    assert_in_range(turns, ALL / 3, ALL);
    assert_same_run(f, "part", "stopped again and again");
    assert_quiet(f);
}

static void a_finished_run_is_left_alone(void **s) {
    fixture *f = *s;
    size_t before, after;
    assert_int_equal(run(f, "whole", (setup){0}), TRAIN_DONE);
    const char *old = text_of(f, "whole", "last.safetensors", &before);
    faults_off();
    assert_int_equal(run(f, "whole", (setup){0}), TRAIN_NOTHING);
    assert_int_equal(run(f, "whole", (setup){.epochs = 1}), TRAIN_NOTHING);
    assert_int_equal(faults.calls, 0); /* nothing was written */
    const char *new = text_of(f, "whole", "last.safetensors", &after);
    assert_int_equal(before, after);
    assert_memory_equal(old, new, before);
    assert_quiet(f);
}

static void more_epochs_go_on_from_there(void **s) {
    fixture *f = *s;
    assert_int_equal(run(f, "whole", (setup){.epochs = 5}), TRAIN_DONE);
    assert_int_equal(run(f, "part", (setup){.epochs = 2}), TRAIN_DONE);
    assert_int_equal(run(f, "part", (setup){.epochs = 5}), TRAIN_DONE);
    assert_same_run(f, "part", "two epochs and three more");
}

/* ---- killed, and refused by the disk ---- */

static int calls_of_a_run(fixture *f, setup s) {
    faults_off();
    assert_int_equal(run(f, "counted", s), TRAIN_DONE);
    return faults.calls;
}

static void run_and_die(fixture *f, setup s, int at) {
    pid_t child = fork();
    if (child == 0) {
        faults.kind = FAULT_KILL;
        faults.at = at;
        faults.calls = 0;
        run(f, "part", s);
        _exit(0);
    }
    int status = 0;
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void a_run_killed_at_any_write_goes_on_to_the_same_bits(void **s) {
    fixture *f = *s;
    assert_int_equal(run(f, "whole", (setup){0}), TRAIN_DONE);
    int calls = calls_of_a_run(f, (setup){0});
    assert_in_range(calls, 50, 1000);
    for (int at = 1; at <= calls; at++) {
        run_and_die(f, (setup){0}, at);
        assert_int_not_equal(run(f, "part", (setup){0}), TRAIN_REFUSED);
        assert_same_run(f, "part", arena_printf(&f->arena, "killed at write %d", at));
        remove_run(f, "part");
    }
    assert_quiet(f);
}

static void a_run_killed_again_and_again_ends_with_the_same_bits(void **s) {
    fixture *f = *s;
    const setup often = {.save_every = -1};
    int left = 0;
    assert_int_equal(run(f, "whole", (setup){0}), TRAIN_DONE);
    for (int at = 40; at < 90; at += 9, left++) run_and_die(f, often, at);
    assert_int_equal(left, 6);
    assert_int_equal(run(f, "part", often), TRAIN_DONE);
    assert_same_run(f, "part", "killed six times");
}

/* Nothing under the folder's names is torn, and nothing half written stays once a run goes on. */
static void a_write_that_fails_is_told_and_loses_nothing(void **s) {
    fixture *f = *s;
    assert_int_equal(run(f, "whole", (setup){0}), TRAIN_DONE);
    int calls = calls_of_a_run(f, (setup){0}), refused = 0;
    for (int at = 1; at <= calls; at++) {
        faults_off();
        faults.kind = FAULT_FAIL;
        faults.at = at;
        train_outcome end = run(f, "part", (setup){0});
        faults_off();
        if (end == TRAIN_REFUSED) assert_told(f, "No space left on device");
        refused += end == TRAIN_REFUSED;
        forget(f);
        end = run(f, "part", (setup){0});
        assert_true(end == TRAIN_DONE || end == TRAIN_NOTHING);
        assert_same_run(f, "part", arena_printf(&f->arena, "write %d failed", at));
        remove_run(f, "part");
    }
    assert_in_range(refused, calls * 3 / 4,
                    calls); /* a folder that cannot be synced after a rename is let pass */
    assert_quiet(f);
}

static void half_written_files_are_swept_away(void **s) {
    fixture *f = *s;
    run_and_die(f, (setup){0}, 7);
    run_folder folder;
    char command[PATH];
    snprintf(command, sizeof command, "touch %s/part/.netc-1-w0.tmp %s/part/.netc-2-0.tmp %s/part/.netc-mine",
             f->folder, f->folder, f->folder);
    assert_int_equal(system(command), 0);
    assert_true(run_folder_open(&folder, inside(f, "part", ""), "tiny", true, &f->diags));
    assert_false(run_folder_has(&folder, ".netc-1-w0.tmp"));
    assert_false(run_folder_has(&folder, ".netc-2-0.tmp"));
    assert_true(run_folder_has(&folder, ".netc-mine"));
    run_folder_close(&folder);
}

/* ---- refusals ---- */

static void a_loss_that_is_no_number_ends_the_run(void **s) {
    fixture *f = *s;
    assert_int_equal(run(f, "whole", (setup){0}), TRAIN_DONE);
    setup bad = {.refuse_at = 8, .refusal = STEP_NOT_FINITE, .save_every = -1};
    assert_int_equal(run(f, "part", bad), TRAIN_REFUSED);
    assert_told(f, "epoch 2, step 3: the loss is no longer a finite number, at a learning rate of 0.1");
    assert_told(f, "last.safetensors");
    forget(f);
    assert_int_equal(run(f, "part", (setup){0}), TRAIN_DONE); /* the checkpoint of step 7 is whole */
    assert_same_run(f, "part", "after a refused loss");
}

static void a_label_out_of_range_is_refused(void **s) {
    fixture *f = *s;
    setup bad = {.refuse_at = 2, .refusal = STEP_BAD_LABEL};
    assert_int_equal(run(f, "part", bad), TRAIN_REFUSED);
    assert_told(f, "epoch 1, step 2: a label is out of range");
    forget(f);
    tiny t;
    float params[128];
    tiny_open(&t, params);
    t.output.dims[0] = t.output.count = t.recipe.class_count = 2; /* the data have three classes */
    run_folder folder;
    train_state state;
    int64_t left;
    assert_true(run_folder_open(&folder, inside(f, "two", ""), "tiny", true, &f->diags));
    train_options o = options_of(f, &(setup){0}, &folder, &left);
    assert_int_equal(train(&t.net, params, &state, &o, &f->diags), TRAIN_REFUSED);
    assert_told(f, "2 classes");
    run_folder_close(&folder);
}

static void another_runs_checkpoint_is_refused(void **s) {
    fixture *f = *s;
    static const char *const was[] = {"netc.optimizer", "sgd(lr=0.1)", "netc.clip", "none", NULL},
                             *const is[] = {"netc.optimizer", "sgd(lr=0.2)", "netc.clip", "none", NULL};
    assert_int_equal(run(f, "part", (setup){.facts = was, .stop_after = 3}), TRAIN_STOPPED);
    assert_int_equal(run(f, "part", (setup){.facts = is, .batch = 4}), TRAIN_REFUSED);
    assert_told(f, "this checkpoint is of another run");
    assert_told(f, "optimizer was sgd(lr=0.1), and is now sgd(lr=0.2)");
    assert_told(f, "batch was 5, and is now 4");
    assert_int_equal(f->diags.errors, 1);
    forget(f);
    assert_int_equal(run(f, "part", (setup){.facts = was, .seed = 9}), TRAIN_REFUSED);
    assert_told(f, "--seed 3, not 9");
    forget(f);
    assert_int_equal(run(f, "part", (setup){.facts = was}), TRAIN_DONE);
    assert_quiet(f);
}

static void a_folder_with_a_checkpoint_is_not_overwritten(void **s) {
    fixture *f = *s;
    run_folder one, two;
    assert_int_equal(run(f, "part", (setup){.fresh = true, .stop_after = 2}), TRAIN_STOPPED);
    assert_int_equal(run(f, "part", (setup){.fresh = true}), TRAIN_REFUSED);
    assert_told(f, "--resume");
    forget(f);
    assert_true(run_folder_open(&one, inside(f, "part", ""), "tiny", true, &f->diags));
    assert_false(run_folder_open(&two, inside(f, "part", ""), "tiny", true, &f->diags));
    assert_told(f, "another netc is training in this folder");
    run_folder_close(&one);
}

/* Of any size that a kill on a file system without renames could leave, and damaged. */
static void a_damaged_checkpoint_is_refused(void **s) {
    fixture *f = *s;
    size_t size;
    assert_int_equal(run(f, "part", (setup){.stop_after = 7}), TRAIN_STOPPED);
    const char *whole = text_of(f, "part", "last.safetensors", &size);
    for (size_t cut = 0; cut < size; cut += 1 + size / 60) {
        int file = open(inside(f, "part", "last.safetensors"), O_WRONLY | O_TRUNC);
        assert_int_equal(write(file, whole, cut), cut);
        close(file);
        assert_int_equal(run(f, "part", (setup){0}), TRAIN_REFUSED);
        assert_told(f, "last.safetensors: ");
        forget(f);
    }
    remove_run(f, "part");
    assert_int_equal(run(f, "part", (setup){0}), TRAIN_DONE);
    assert_int_equal(syscall(SYS_renameat2, AT_FDCWD, inside(f, "part", "best.safetensors"), AT_FDCWD,
                             inside(f, "part", "last.safetensors"), 0),
                     0);
    assert_int_equal(run(f, "part", (setup){.epochs = 9}), TRAIN_REFUSED);
    assert_told(f, "this is no checkpoint: it holds weights alone");
}

/* ---- folders by number ---- */

static void runs_are_numbered(void **s) {
    fixture *f = *s;
    char here[PATH];
    run_folder folder;
    static const char *const want[] = {"runs/tiny-1", "runs/tiny-2", "runs/tiny-2", "runs/other-1"};
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(f->folder), 0);
    for (int k = 0; k < 4; k++) {
        assert_true(run_folder_open(&folder, NULL, k == 3 ? "other" : "tiny", k == 2, &f->diags));
        assert_string_equal(folder.path, want[k]);
        if (k == 2) assert_false(folder.made);
        folder.made = false; /* so that it stays */
        run_folder_close(&folder);
    }
    assert_true(run_folder_open(&folder, "a/b/c", "tiny", false, &f->diags));
    run_folder_close(&folder);
    assert_int_not_equal(access("a/b/c", F_OK), 0); /* nothing was left in it */
    assert_int_equal(access("a/b", F_OK), 0);
    assert_int_equal(chdir(here), 0);
    assert_quiet(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_run_learns_and_leaves_its_files),
        TEST(the_best_weights_are_weights_alone),
        TEST(threads_change_nothing),
        TEST(a_run_stopped_at_any_step_goes_on_to_the_same_bits),
        TEST(a_run_may_be_many_processes),
        TEST(a_finished_run_is_left_alone),
        TEST(more_epochs_go_on_from_there),
        TEST(a_run_killed_at_any_write_goes_on_to_the_same_bits),
        TEST(a_run_killed_again_and_again_ends_with_the_same_bits),
        TEST(a_write_that_fails_is_told_and_loses_nothing),
        TEST(half_written_files_are_swept_away),
        TEST(a_loss_that_is_no_number_ends_the_run),
        TEST(a_label_out_of_range_is_refused),
        TEST(another_runs_checkpoint_is_refused),
        TEST(a_folder_with_a_checkpoint_is_not_overwritten),
        TEST(a_damaged_checkpoint_is_refused),
        TEST(runs_are_numbered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
