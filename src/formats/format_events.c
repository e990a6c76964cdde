#include "formats/format_events.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log_file.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_TAG 200
#define LONGEST_RECORD 2048 /* a histogram of 30 buckets has some 700 bytes */

struct cn__events {
    cn__log_file file;
};

/* --- protocol buffers: fields of a message, appended to bytes --------------------------------------------------- */

typedef struct message {
    size_t size;
    unsigned char bytes[LONGEST_RECORD];
} message;

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static void put_byte(message *m, unsigned byte)
{
    if (m->size < sizeof m->bytes) m->bytes[m->size++] = (unsigned char)byte;
}

static void put_little(message *m, uint64_t bits, int bytes)
{
    for (int i = 0; i < bytes; i++) put_byte(m, (unsigned)(bits >> (8 * i)) & 255);
}

static void put_varint(message *m, uint64_t number)
{
    for (; number >= 128; number >>= 7) put_byte(m, (unsigned)(number & 127) | 128);
    put_byte(m, (unsigned)number);
}

static void put_key(message *m, unsigned field, unsigned kind)
{
    put_varint(m, field << 3 | kind);
}

static void put_double_bits(message *m, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    put_little(m, bits, 8);
}

/* Numbers that are 0 are left out, as protocol buffers do. */
static void put_double(message *m, unsigned field, double number)
{
    if (number == 0) return;
    put_key(m, field, FIXED64);
    put_double_bits(m, number);
}

static void put_bytes(message *m, unsigned field, const void *bytes, size_t size)
{
    put_key(m, field, BYTES);
    put_varint(m, size);
    for (size_t i = 0; i < size; i++) put_byte(m, ((const unsigned char *)bytes)[i]);
}

static void put_doubles(message *m, unsigned field, int n, const double *numbers)
{
    if (!n) return;
    put_key(m, field, BYTES);
    put_varint(m, (uint64_t)n * 8);
    for (int i = 0; i < n; i++) put_double_bits(m, numbers[i]);
}

/* --- records ---------------------------------------------------------------------------------------------------- */

/* CRC-32C (Castagnoli), bit by bit: a record is short and written once an epoch. */
static uint32_t masked_checksum(const unsigned char *bytes, size_t size)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void write_record(cn__events *events, const message *data)
{
    message head = {.size = 0}, tail = {.size = 0};
    put_little(&head, data->size, 8);
    put_little(&head, masked_checksum(head.bytes, 8), 4);
    put_little(&tail, masked_checksum(data->bytes, data->size), 4);
    fwrite(head.bytes, 1, head.size, events->file.stream);
    fwrite(data->bytes, 1, data->size, events->file.stream);
    fwrite(tail.bytes, 1, tail.size, events->file.stream);
}

static void begin_event(message *event, double wall_time, int64_t step)
{
    event->size = 0;
    put_double(event, 1, wall_time);
    if (!step) return;
    put_key(event, 2, VARINT);
    put_varint(event, (uint64_t)step);
}

/* The value, whose tag is not in it yet, becomes the only one of a summary. */
static void write_value(cn__events *events, double wall_time, int64_t step, const char *tag, const message *rest)
{
    message value = {.size = 0}, summary = {.size = 0}, event;
    size_t length = strlen(tag);
    put_bytes(&value, 1, tag, length < LONGEST_TAG ? length : LONGEST_TAG);
    for (size_t i = 0; i < rest->size; i++) put_byte(&value, rest->bytes[i]);
    put_bytes(&summary, 1, value.bytes, value.size);
    begin_event(&event, wall_time, step);
    put_bytes(&event, 5, summary.bytes, summary.size);
    write_record(events, &event);
}

/* --- files ------------------------------------------------------------------------------------------------------ */

/* The seconds come first: TensorBoard reads the files of a folder in the order of their names. */
static int open_new(cn__events *events, const char *folder, double wall_time)
{
    size_t room = strlen(folder) + 80;
    char *path = cn__alloc_raw(room, 1, "the name of an event file");
    if (!path) return CN_ENOMEM;
    int number = 0;
    do snprintf(path, room, "%s/events.out.tfevents.%010lld.cornu.%d", folder, (long long)wall_time, number++);
    while (cn__file_exists(path));
    int status = cn__log_file_open(&events->file, path, 0);
    cn__free(path);
    return status;
}

int cn__events_open(const char *folder, double wall_time, cn__events **out)
{
    static const char version[] = "brain.Event:2";
    message event;
    *out = cn__alloc(1, sizeof **out, "an event file");
    int status = *out ? open_new(*out, folder, wall_time) : CN_ENOMEM;
    if (status < 0) {
        cn__events_close(out);
        return status;
    }
    begin_event(&event, wall_time, 0);
    put_bytes(&event, 3, version, strlen(version));
    write_record(*out, &event);
    return CN_OK;
}

void cn__events_close(cn__events **events)
{
    if (!events || !*events) return;
    cn__log_file_close(&(*events)->file);
    cn__free(*events);
    *events = NULL;
}

int cn__events_flush(cn__events *events)
{
    return cn__log_file_flush(&events->file);
}

void cn__events_add_scalar(cn__events *events, double wall_time, int64_t step, const char *tag, double value)
{
    message rest = {.size = 0};
    float single = (float)value;
    uint32_t bits;
    memcpy(&bits, &single, sizeof bits);
    put_key(&rest, 2, FIXED32);
    put_little(&rest, bits, 4);
    write_value(events, wall_time, step, tag, &rest);
}

void cn__events_add_histogram(cn__events *events, double wall_time, int64_t step, const char *tag,
                              const cn__histogram *histogram)
{
    message histo = {.size = 0}, rest = {.size = 0};
    put_double(&histo, 1, histogram->min);
    put_double(&histo, 2, histogram->max);
    put_double(&histo, 3, histogram->num);
    put_double(&histo, 4, histogram->sum);
    put_double(&histo, 5, histogram->sum_squares);
    put_doubles(&histo, 6, histogram->n_buckets, histogram->limits);
    put_doubles(&histo, 7, histogram->n_buckets, histogram->counts);
    put_bytes(&rest, 5, histo.bytes, histo.size);
    write_value(events, wall_time, step, tag, &rest);
}

/* --- histograms ------------------------------------------------------------------------------------------------- */

void cn__histogram_count(cn__histogram *h, int64_t n, const double *numbers)
{
    *h = (cn__histogram){.min = INFINITY, .max = -INFINITY};
    for (int64_t i = 0; i < n; i++) {
        double x = numbers[i];
        if (!isfinite(x)) continue;
        h->min = x < h->min ? x : h->min;
        h->max = x > h->max ? x : h->max;
        h->num++;
        h->sum += x;
        h->sum_squares += x * x;
    }
    if (!(h->num > 0)) {
        h->min = h->max = 0;
        return;
    }
    double width = (h->max - h->min) / CN__HISTOGRAM_BUCKETS;
    h->n_buckets = width > 0 ? CN__HISTOGRAM_BUCKETS : 1;
    for (int b = 0; b < h->n_buckets; b++) h->limits[b] = h->min + (b + 1) * width;
    h->limits[h->n_buckets - 1] = h->max;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(numbers[i])) continue;
        int b = width > 0 ? (int)((numbers[i] - h->min) / width) : 0;
        h->counts[b < h->n_buckets ? b : h->n_buckets - 1]++;
    }
}
