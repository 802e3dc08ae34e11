/* DOT text to a file, or through graphviz. */
#include "frontend/cli/draw.h"

#include "frontend/api/picture.h"
#include "ir/base/file.h"
#include "runtime/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const struct {
    const char *suffix, *how; /* how NULL: the text itself */
} kinds[] = {{".dot", NULL}, {".svg", "-Tsvg"}, {".png", "-Tpng"}, {".pdf", "-Tpdf"}};

/* Starts dot, reading from a pipe and writing to the file; the pipe's end to write to, or -1. */
static int start(const char *how, int file, pid_t *child, int *error) {
    char *const argv[] = {"dot", (char *)(uintptr_t)how, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return *error = errno, -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, file, STDOUT_FILENO);
    *error = posix_spawnp(child, "dot", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    if (*error == 0) return ends[1];
    close(ends[1]);
    return -1;
}

/* dot reads everything before it writes; where it has ended early, its exit code says so. */
static void feed(int to, const text *t) {
    for (size_t done = 0; done < t->length;) {
        ssize_t n = write(to, t->at + done, t->length - done);
        if (n < 0 && errno != EINTR) break;
        if (n > 0) done += (size_t)n;
    }
    close(to);
}

static bool finish(aside *w, pid_t child, diags *d) {
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return aside_commit(w);
    aside_drop(w);
    return diag_file(d, w->path,
                     "graphviz's dot failed, so nothing under this name has changed; .dot gives its input");
}

static bool through_dot(const char *path, const char *how, const text *t, diags *d) {
    aside w;
    pid_t child;
    int error;
    if (!aside_open(&w, path, d)) return false;
    int to = start(how, w.file, &child, &error);
    if (to < 0) {
        aside_drop(&w);
        return diag_file(d, path,
                         error == ENOENT
                             ? "graphviz's program dot is not installed: install graphviz, or write .dot"
                             : "cannot start graphviz's program dot: %s",
                         strerror(error));
    }
    feed(to, t);
    return finish(&w, child, d);
}

int draw_net(cli *c, const graph *g) {
    const char *path = c->settings.draw, *dot = strrchr(path, '.');
    text t = text_in(c->arena);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        if (!dot || strcmp(dot, kinds[k].suffix) != 0) continue;
        picture_dot(&t, c->arena, g);
        bool good = kinds[k].how ? through_dot(path, kinds[k].how, &t, c->diags)
                                 : file_write(path, t.at, t.length, c->diags);
        return good ? CLI_OK : CLI_BAD_INPUT;
    }
    return cli_misuse(c, "--draw %s: a net is drawn as .dot, .svg, .png or .pdf", path);
}
