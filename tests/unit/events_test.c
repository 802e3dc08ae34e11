/* TensorBoard's events, byte for byte as tensorboard 2.21 writes them:
 *   from tensorboard.compat.proto import event_pb2; from tensorboard.summary.writer.record_writer import RecordWriter
 *   w = RecordWriter(f)
 *   w.write(event_pb2.Event(wall_time=1700000000.25, file_version="brain.Event:2").SerializeToString())
 *   e = event_pb2.Event(wall_time=1700000001.5, step=300)
 *   e.summary.value.add(tag="loss/train", simple_value=0.75)
 *   e.summary.value.add(tag="accuracy/test", simple_value=0.9875)
 *   w.write(e.SerializeToString()) */
#include "runtime/events.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char tensorboards[] = "\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7f\x4b\x22\x09\x00\x00\x10\x40\xfc"
                                   "\x54\xd9\x41\x1a\x0d\x62\x72\x61\x69"
                                   "\x6e\x2e\x45\x76\x65\x6e\x74\x3a\x32\x33\x8d\x2f\xe9\x37\x00\x00\x00\x00"
                                   "\x00\x00\x00\xe7\xe8\xca\x59\x09\x00"
                                   "\x00\x60\x40\xfc\x54\xd9\x41\x10\xac\x02\x2a\x29\x0a\x11\x0a\x0a\x6c\x6f"
                                   "\x73\x73\x2f\x74\x72\x61\x69\x6e\x15"
                                   "\x00\x00\x40\x3f\x0a\x14\x0a\x0d\x61\x63\x63\x75\x72\x61\x63\x79\x2f\x74"
                                   "\x65\x73\x74\x15\xcd\xcc\x7c\x3f\xd7"
                                   "\x4d\xdc\xff";

static void records_are_tensorboards(void **state) {
    static const event_scalar scalars[] = {
        {"loss/train", 0.75}, {"loss/test", NAN}, {"accuracy/test", 0.9875}};
    arena a;
    trap t;
    (void)state;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s", t.reason);
    text out = text_in(&a);
    events_begin(&out, 1700000000.25);
    events_add(&out, 1700000001.5, 300, scalars, 3);
    assert_int_equal(out.length, sizeof tensorboards - 1);
    assert_memory_equal(out.at, tensorboards, out.length);
    arena_free(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(records_are_tensorboards)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
