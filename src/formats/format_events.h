/* TensorBoard's event files: records of TensorFlow's TFRecord format, each an Event of protocol buffers.
 *
 *   record    8 bytes   length of the data, little-endian
 *             4 bytes   masked CRC-32C of these 8 bytes
 *             n bytes   the data
 *             4 bytes   masked CRC-32C of the data
 *   masked    ((crc >> 15) | (crc << 17)) + 0xa282ead8
 *   Event     1 wall_time (double)   2 step (int64)   3 file_version "brain.Event:2"   5 summary
 *   Summary   1 value, repeated      { 1 tag   2 simple_value (float)   5 histo }
 *   histo     1 min   2 max   3 num   4 sum   5 sum_squares (double)   6 bucket_limit   7 bucket (packed doubles)
 *
 * Sources: tensorflow/tsl/lib/io/record_writer.cc; tensorboard/compat/proto/{event,summary,histogram}.proto;
 * protobuf.dev/programming-guides/encoding. */
#ifndef CN_FORMATS_FORMAT_EVENTS_H
#define CN_FORMATS_FORMAT_EVENTS_H

#include <stdint.h>

typedef struct cn__events cn__events;

/* A new file "events.out.tfevents.SECONDS.cornu.N" in a folder, which is made. wall_time: seconds since 1970.
 * Errors: CN_EIO, CN_ENOMEM. */
int cn__events_open(const char *folder, double wall_time, cn__events **out);

/* Closes; what has not been flushed may be lost. Accepts NULL and a pointer to NULL; sets it to NULL. */
void cn__events_close(cn__events **events);

/* Hands on what was added. Error: CN_EIO (disk full, ...). */
int cn__events_flush(cn__events *events);

/* A number; TensorBoard keeps it as float32. Tags are cut at 200 bytes. */
void cn__events_add_scalar(cn__events *events, double wall_time, int64_t step, const char *tag, double value);

#define CN__HISTOGRAM_BUCKETS 30
typedef struct cn__histogram {
    double min, max, num, sum, sum_squares;
    int n_buckets; /* CN__HISTOGRAM_BUCKETS; 1 when all numbers are the same, 0 when there are none */
    double limits[CN__HISTOGRAM_BUCKETS], counts[CN__HISTOGRAM_BUCKETS]; /* upper ends, ascending; numbers below each */
} cn__histogram;

void cn__events_add_histogram(cn__events *events, double wall_time, int64_t step, const char *tag,
                              const cn__histogram *histogram);

/* Counts n numbers into buckets of equal width; those that are not finite are left out. */
void cn__histogram_count(cn__histogram *histogram, int64_t n, const double *numbers);

#endif
