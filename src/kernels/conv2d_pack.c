#include "kernels/bf16.h"
#include "kernels/conv2d_parts.h"

/* What the kernel gives for window row i, column j, channel s of a group, filter t of group g. */
typedef struct view {
    const real *at;
    int64_t channel_step, filter_step;
    int rounds;
} view;

static view look_at(const cn__conv2d *c, const real *kernel, int64_t stride, int64_t row, int64_t g)
{
    int64_t share = c->filters / c->groups, n = c->channels / c->groups;
    if (!c->turned) return (view){kernel + row * n * stride + g * share, stride, 1, c->rounds};
    int64_t last = c->size[0] * c->size[1] - 1; /* rows and columns turned round; filters and channels change places */
    return (view){kernel + (last - row) * share * stride + g * n, 1, stride, c->rounds};
}

/* One row, all channels, for filters first ... first+columns-1 of a group: rows of `width`, zeros behind. */
static void pack_columns(const view *v, int64_t channels, int64_t first, int64_t columns, int64_t width, real *to,
                         int64_t to_step)
{
    for (int64_t s = 0; s < channels; s++) {
        for (int64_t t = 0; t < width; t++)
            to[s * to_step + t] = t < columns ? v->at[s * v->channel_step + (first + t) * v->filter_step] : 0;
        for (int64_t t = 0; v->rounds && t < width; t++)
            to[s * to_step + t] = (real)cn__bf16_round((float)to[s * to_step + t]);
    }
}

void cn__conv2d_pack(const cn__conv2d *c, const real *kernel, int64_t kernel_stride, int64_t first, int64_t n,
                     real *packed)
{
    int64_t share = c->filters / c->groups, channels = c->channels / c->groups, terms = cn__conv2d_terms(c);
    int64_t whole = cn__conv2d_whole_vectors(share), vectors = whole / CN__VEC;
    real *lists = packed + terms * c->groups * whole;
    for (int64_t row = first; row < first + n; row++)
        for (int64_t g = 0; g < c->groups; g++) {
            view v = look_at(c, kernel, kernel_stride, row, g);
            for (int64_t f = 0; f < whole; f += CN__PANEL) {
                int64_t width = cn__smaller(CN__PANEL, whole - f);
                pack_columns(&v, channels, f, share - f, width,
                             packed + (g * whole + f) * terms + row * channels * width, width);
            }
            if (!cn__conv2d_can_list(c)) continue;
            /* chunk, row i, channel, column j: what one non-zero is multiplied by lies together */
            for (int64_t at = 0; at < vectors; at += cn__chunk_vectors(vectors - at)) {
                int64_t width = cn__chunk_vectors(vectors - at) * CN__VEC, i = row / c->size[1], j = row % c->size[1];
                pack_columns(&v, channels, at * CN__VEC, share - at * CN__VEC, width,
                             lists + at * CN__VEC * terms + (i * channels * c->size[1] + j) * width,
                             c->size[1] * width);
            }
        }
}
