/* The state of Intel's tiles for the functions between open and close: four sums, 0 to 3, of 16 rows of 64 bytes, left
 * factors, 4 and 5, and right ones, 6 and 7, for so many terms of a sum, up to 32 of bfloat16. */
#ifndef CN_KERNELS_AMX_TILES_H
#define CN_KERNELS_AMX_TILES_H

#include <immintrin.h>
#include <stdint.h>

typedef struct cn__tile_configuration {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes_per_row[16];
    uint8_t rows[16];
} cn__tile_configuration;

static inline void cn__tiles_open_for(int terms)
{
    _Alignas(64) cn__tile_configuration configuration = {.palette = 1};
    for (int t = 0; t < 8; t++) {
        configuration.bytes_per_row[t] = (uint16_t)(t == 4 || t == 5 ? 2 * terms : 64);
        configuration.rows[t] = (uint8_t)(t >= 6 ? terms / 2 : 16);
    }
    _tile_loadconfig(&configuration);
}

static inline void cn__tiles_open(void)
{
    cn__tiles_open_for(32);
}

static inline void cn__tiles_close(void)
{
    _tile_release();
}

#endif
