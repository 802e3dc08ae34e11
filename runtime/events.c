/* TFRecord: u64 length, u32 check of it, the bytes, u32 check of them, all little-endian; a check is CRC-32C,
 * rotated and shifted. The bytes are a protocol buffer:
 *   Event    { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5 }
 *   Summary  { repeated Value value = 1 }
 *   Value    { string tag = 1; float simple_value = 2 } */
#include "runtime/events.h"

#include <math.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static uint32_t crc32c(const char *bytes, size_t size) {
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned char)bytes[i];
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    }
    return ~crc;
}

static uint32_t masked(uint32_t crc) {
    return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

static void add_little(text *t, uint64_t x, int bytes) {
    for (int k = 0; k < bytes; k++) text_add(t, &(char){(char)(x >> 8 * k)}, 1);
}

static void add_varint(text *t, uint64_t x) {
    for (; x >= 0x80; x >>= 7) text_add(t, &(char){(char)(x | 0x80)}, 1);
    text_add(t, &(char){(char)x}, 1);
}

static void add_key(text *t, int number, int wire) {
    add_varint(t, (uint64_t)number << 3 | (uint64_t)wire);
}

static void add_bytes(text *t, int number, const char *bytes, size_t size) {
    add_key(t, number, WIRE_BYTES);
    add_varint(t, size);
    text_add(t, bytes, size);
}

static void add_double(text *t, int number, double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    add_key(t, number, WIRE_64);
    add_little(t, bits, 8);
}

static void add_float(text *t, int number, float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    add_key(t, number, WIRE_32);
    add_little(t, bits, 4);
}

static void add_record(text *t, const text *body) {
    text length = text_in(t->arena);
    add_little(&length, body->length, 8);
    text_add(t, length.at, length.length);
    add_little(t, masked(crc32c(length.at, length.length)), 4);
    text_add(t, body->at, body->length);
    add_little(t, masked(crc32c(body->at, body->length)), 4);
}

void events_begin(text *t, double time) {
    static const char version[] = "brain.Event:2";
    text body = text_in(t->arena);
    add_double(&body, 1, time);
    add_bytes(&body, 3, version, sizeof version - 1);
    add_record(t, &body);
}

void events_add(text *t, double time, int64_t step, const event_scalar *scalars, int count) {
    text body = text_in(t->arena), summary = text_in(t->arena);
    for (int k = 0; k < count; k++) {
        text value = text_in(t->arena);
        if (isnan(scalars[k].value)) continue;
        add_bytes(&value, 1, scalars[k].tag, strlen(scalars[k].tag));
        add_float(&value, 2, (float)scalars[k].value);
        add_bytes(&summary, 1, value.at, value.length);
    }
    add_double(&body, 1, time);
    add_key(&body, 2, WIRE_VARINT);
    add_varint(&body, (uint64_t)step);
    if (summary.length) add_bytes(&body, 5, summary.at, summary.length);
    add_record(t, &body);
}
