/* The state of Intel's tiles: eight of 16 rows of 64 bytes, for the functions between open and close. */
#ifndef CN_KERNELS_AMX_TILES_H
#define CN_KERNELS_AMX_TILES_H

#include <immintrin.h>
#include <stdint.h>

typedef struct cn__tile_configuration {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes_per_row[16];
    uint8_t rows[16];
} cn__tile_configuration;

static inline void cn__tiles_open(void)
{
    _Alignas(64) cn__tile_configuration configuration = {.palette = 1};
    for (int t = 0; t < 8; t++) {
        configuration.bytes_per_row[t] = 64;
        configuration.rows[t] = 16;
    }
    _tile_loadconfig(&configuration);
}

static inline void cn__tiles_close(void)
{
    _tile_release();
}

#endif
