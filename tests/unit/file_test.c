/* ir/base/file: whole files in, whole files out or the old one left as it was. */
#include "ir/base/file.h"

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct fixture {
    trap t;
    arena a;
    diags d;
    char folder[64];
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    arena_init(&f->a, 0, &f->t);
    f->d.arena = &f->a;
    strcpy(f->folder, "/tmp/netc-file-XXXXXX");
    *state = f;
    return mkdtemp(f->folder) ? 0 : -1;
}

static int tear_down(void **state) {
    fixture *f = *state;
    DIR *folder = opendir(f->folder);
    for (struct dirent *e; (e = readdir(folder));) unlinkat(dirfd(folder), e->d_name, 0);
    closedir(folder);
    int result = rmdir(f->folder);
    arena_free(&f->a);
    free(f);
    return result;
}

static const char *in_folder(fixture *f, const char *name) {
    return arena_printf(&f->a, "%s/%s", f->folder, name);
}

static int entries(const fixture *f) {
    int count = -2; /* . and .. */
    DIR *folder = opendir(f->folder);
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

static void assert_holds(fixture *f, const char *path, const char *want) {
    source *s = file_read_text(&f->a, path, 1 << 20, &f->d);
    assert_non_null(s);
    assert_string_equal(s->text, want);
    assert_int_equal(s->bytes, strlen(want));
}

static void assert_error(const fixture *f, const char *part) {
    assert_int_equal(f->d.errors, 1);
    assert_non_null(strstr(f->d.first->text, part));
}

static void what_is_written_is_read(void **state) {
    fixture *f = *state;
    const char *path = in_folder(f, "a.txt");
    mode_t mask = umask(027);
    assert_true(file_write(path, "one\n", 4, &f->d));
    umask(mask);
    assert_holds(f, path, "one\n");
    struct stat s;
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 07777, 0640);
    assert_true(file_write(path, "", 0, &f->d));
    assert_holds(f, path, "");
    assert_int_equal(entries(f), 1);
}

static void a_replaced_file_keeps_its_mode_and_link(void **state) {
    fixture *f = *state;
    const char *path = in_folder(f, "a.sh"), *link = in_folder(f, "link");
    assert_true(file_write(path, "one", 3, &f->d));
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(symlink("a.sh", link), 0);
    assert_true(file_write(link, "two", 3, &f->d));
    struct stat s;
    assert_int_equal(lstat(link, &s), 0);
    assert_true(S_ISLNK(s.st_mode));
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 07777, 0755);
    assert_holds(f, path, "two");
}

/* A limit on the size of files stands for a full disk: the write in the middle fails. */
static void a_failed_write_leaves_the_old_file(void **state) {
    fixture *f = *state;
    const char *path = in_folder(f, "a.bin");
    static char big[100000];
    assert_true(file_write(path, "old", 3, &f->d));
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 50000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool written = file_write(path, big, sizeof big, &f->d);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_false(written);
    assert_error(f, "nothing under this name has changed");
    assert_holds(f, path, "old");
    assert_int_equal(entries(f), 1);
}

static void devices_are_written_plainly(void **state) {
    fixture *f = *state;
    assert_true(file_write("/dev/null", "x", 1, &f->d));
    struct stat s;
    assert_int_equal(stat("/dev/null", &s), 0);
    assert_true(S_ISCHR(s.st_mode));
    assert_false(file_write("/dev/full", "x", 1, &f->d));
    assert_error(f, "/dev/full: cannot write: No space left on device");
}

static void a_folder_that_is_not_there_is_an_error(void **state) {
    fixture *f = *state;
    assert_false(file_write(in_folder(f, "none/a"), "x", 1, &f->d));
    assert_error(f, "No such file or directory");
}

static void a_folder_is_not_a_file(void **state) {
    fixture *f = *state;
    file_map m;
    assert_false(file_write(f->folder, "x", 1, &f->d));
    assert_null(file_read_text(&f->a, f->folder, 100, &f->d));
    assert_false(file_open(&m, f->folder, &f->d));
    assert_int_equal(m.size, 0);
    assert_int_equal(f->d.errors, 2); /* the two readers say the same */
    assert_non_null(strstr(f->d.last->text, "this is a folder, but a regular file is needed"));
}

static void pipes_and_devices_are_not_read(void **state) {
    fixture *f = *state;
    file_map m;
    const char *fifo = in_folder(f, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_null(file_read_text(&f->a, fifo, 100, &f->d));
    assert_error(f, "this is a pipe");
    assert_false(file_open(&m, "/dev/zero", &f->d));
    assert_int_equal(f->d.errors, 2);
}

static void a_file_past_the_limit_is_refused_unread(void **state) {
    fixture *f = *state;
    const char *path = in_folder(f, "sparse");
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
    close(fd);
    size_t before = f->a.used;
    assert_null(file_read_text(&f->a, path, 1000, &f->d));
    assert_error(f, "larger than 1000 bytes");
    assert_true(f->a.used - before < 10000);
}

static void a_zero_byte_is_not_text(void **state) {
    fixture *f = *state;
    const char *path = in_folder(f, "bin");
    assert_true(file_write(path, "ab\0c", 4, &f->d));
    assert_null(file_read_text(&f->a, path, 1000, &f->d));
    assert_error(f, "this is not a text file: byte 2 is zero");
}

static void maps_show_the_bytes(void **state) {
    fixture *f = *state;
    file_map m;
    const char *path = in_folder(f, "bin"), *empty = in_folder(f, "empty");
    assert_true(file_write(path, "ab\0c", 4, &f->d));
    assert_true(file_write(empty, "", 0, &f->d));
    assert_true(file_open(&m, path, &f->d));
    assert_int_equal(m.size, 4);
    assert_memory_equal(m.bytes, "ab\0c", 4);
    file_close(&m);
    assert_int_equal(m.size, 0);
    assert_true(file_open(&m, empty, &f->d));
    assert_int_equal(m.size, 0);
    assert_non_null(m.bytes);
    file_close(&m);
    assert_false(file_open(&m, in_folder(f, "none"), &f->d));
    assert_error(f, "cannot open: No such file or directory");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read),
        TEST(a_replaced_file_keeps_its_mode_and_link),
        TEST(a_failed_write_leaves_the_old_file),
        TEST(devices_are_written_plainly),
        TEST(a_folder_that_is_not_there_is_an_error),
        TEST(a_folder_is_not_a_file),
        TEST(pipes_and_devices_are_not_read),
        TEST(a_file_past_the_limit_is_refused_unread),
        TEST(a_zero_byte_is_not_text),
        TEST(maps_show_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
