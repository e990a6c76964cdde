/* Where a weight's gradient goes, row by row while it is still in the cache: through an optimizer's update into the
 * weight, into a gradient buffer, or nowhere. */
#ifndef CN_KERNELS_SINK_H
#define CN_KERNELS_SINK_H

#include <stddef.h>
#include <stdint.h>

#define CN__MAX_SLOTS 3
#define CN__MAX_COEFFICIENTS 12

struct cn__pool;

/* A weight that its rule moves as a whole; rows of `stride` numbers, of which `columns` count. */
typedef struct cn__whole {
    int64_t rows, columns, stride;
    int ndim;
    const int64_t *shape;
    int kind;         /* which of the optimizer's rules */
    void *gradient;   /* laid out like the weight; the rule may overwrite it */
    void *room;       /* cn__optimizer_class.room numbers */
    double *row_sums; /* room for a number of each row */
    double factor;    /* for the rule's own use */
    struct cn__pool *pool;
} cn__whole;

/* What an optimizer's update needs in one step; filled by cn__optimizer_class.begin_step. */
typedef struct cn__step {
    double coefficients[CN__MAX_COEFFICIENTS];
    int switches; /* meaning is the optimizer's own, e.g. nesterov */
    int is_plain_rmsprop; /* then kernels/rmsprop.h has it too */
    int takes_cpu_root;   /* and all of its updates take the inverse root of kernels/rmsprop.h */
    double decay; /* the weight loses this part of itself before the update (weight_decay * learning rate) */
    cn__whole *whole; /* of rules that move weights as a whole: they get all of one at once */
} cn__step;

/* Moves n weights. All pointers are to `real` of the engine; slots[k][i] belongs to weight i. */
typedef void (*cn__update)(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                           const void *gradient);

/* What `steps` updates with a gradient of exactly 0 do to n weights whose value they leave alone: the slots decay, in
 * the same order of rounding as if each update had come in its turn. */
typedef void (*cn__idle)(const cn__step *step, int64_t n, void *const slots[CN__MAX_SLOTS], int64_t steps);

/* Rows without a gradient may wait: their updates are made up for when the row is next touched. Accounts are kept for
 * pieces of CN__IDLE_COLUMNS columns, which different threads may work on. */
#define CN__IDLE_COLUMNS 128
typedef struct cn__accounts {
    cn__idle idle;
    uint32_t *settled; /* updates that piece p of row r has been through: settled[p * rows + r] */
    uint32_t done;     /* updates before this one */
    int64_t rows;
} cn__accounts;

typedef struct cn__sink {
    cn__update update; /* NULL: store the gradient */
    const cn__step *step;
    void *weight;                /* rows of `stride` numbers */
    void *slots[CN__MAX_SLOTS];  /* laid out like the weight */
    void *gradient;              /* laid out like the weight; used when update is NULL; may be NULL: drop it */
    int64_t stride;
    int64_t panel; /* from one panel of `stride` columns of weight and slots to the next; 0: rows are whole */
    const cn__accounts *accounts; /* NULL: no row may wait */
} cn__sink;

#endif
