/* The growth section of a benchmark run as a page and a picture.
 *
 *   growth_table RUNS PAGE.md PICTURE.svg
 *
 * Each line of the page stands beside the arithmetic limit: the time that dense arithmetic needs at the FMA peak
 * measured in the same run. (Most of MNIST is zero, so the first layer can be faster than that.) A line is flagged
 * where time grew more than the work did since the line before, or where an odd size is slower, per unit of work, than
 * the size beside it; TOLERANCE is left for noise. */
#include "machine.h"
#include "runs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE 1.25
enum { MAX_POINTS = 64 };

typedef struct point {
    double at, seconds, least, most, work, limit;
    const char *flag; /* "" when nothing is wrong */
} point;

typedef struct series {
    const char *axis, *title;
    point points[MAX_POINTS];
    int n;
} series;

static double number(const runs *r, const char *label, const char *key)
{
    const measurement *m = runs_find(r, "growth", label, key);
    return m ? m->median : NAN;
}

/* A size that no vector divides: its neighbour is the judge, not the line before. */
static int is_odd_size(double at)
{
    return fmod(at, 64) != 0 && at > 64;
}

/* More than `allowed` times as long as `other`, in the median and in the least time: one of them alone may be a slow,
 * or a fast, minute of the machine. */
static int is_slower(const point *p, const point *other, double allowed)
{
    return !(p->seconds <= TOLERANCE * allowed * other->seconds) && !(p->least <= TOLERANCE * allowed * other->least);
}

/* The size beside an odd one: the next or `before`, whichever is nearer. */
static const point *neighbour(const series *s, int i, const point *before)
{
    const point *p = &s->points[i], *next = i + 1 < s->n && !is_odd_size(p[1].at) ? p + 1 : NULL;
    if (!before || !next) return before ? before : next;
    return next->at - p->at < p->at - before->at ? next : before;
}

static void flag(series *s)
{
    const point *even = NULL; /* the last one that is no odd size */
    for (int i = 0; i < s->n; i++) {
        point *p = &s->points[i];
        p->flag = "";
        if (is_odd_size(p->at)) {
            const point *near = neighbour(s, i, even);
            if (near && is_slower(p, near, p->work / near->work)) p->flag = "cliff";
            continue;
        }
        /* the first layer skips zeros, the rest cannot */
        if (even && !strcmp(s->axis, "depth") && even->at == 1) even = NULL;
        double more_work = even && p->work > even->work ? p->work / even->work : 1;
        int is_threads = !strcmp(s->axis, "threads");
        if (even && is_slower(p, even, is_threads ? 1 : more_work))
            p->flag = is_threads ? "slower" : "worse than linear";
        even = p;
    }
}

static void collect(const runs *r, series *s)
{
    size_t length = strlen(s->axis);
    int cores = (int)json_integer_value(json_object_get(r->machine, "cores"));
    for (int i = 0; i < r->n && s->n < MAX_POINTS; i++) {
        const measurement *m = &r->list[i];
        if (strcmp(m->section, "growth") || strcmp(m->key, "epoch_seconds") || strncmp(m->label, s->axis, length))
            continue;
        double threads = number(r, m->label, "asked_threads");
        const char *peak_label = threads < 2 || cores < 2 ? "1 thread" : "2 threads";
        const measurement *peak = runs_find(r, "peak", peak_label, "fma_gflops");
        double work = number(r, m->label, "work_flop");
        s->points[s->n++] = (point){atof(m->label + length), m->median, m->least, m->most, work,
                                    peak ? 1e-9 * work / peak->median : NAN, ""};
    }
    flag(s);
}

static int write_page(const char *path, const char *picture, const runs *r, const series *all, int n)
{
    FILE *out = fopen(path, "w");
    int flagged = 0;
    if (!out) return -1;
    const char *name = strrchr(picture, '/') ? strrchr(picture, '/') + 1 : picture; /* it stands in a folder `images` */
    fprintf(out, "# Growth\n\nSeconds of one epoch of MNIST (60,000 images) as one thing of the main job changes and "
                 "the others stay: 784 inputs, one\nhidden layer of 512, batch 128, 2 threads, float32. Beside each "
                 "the arithmetic limit: all multiply-adds of dense\narithmetic at the FMA peak measured in the same "
                 "run. Four fifths of the images are zero, and the first layer leaves\nzeros out, so it can be faster "
                 "than that. The limit knows nothing of moving the weights, which a batch does once, however\nsmall it "
                 "is.\n\nEpochs are whole where they take up to a quarter of a second. Else as many whole batches are "
                 "measured as fit into that\ntime, at least 32, and the time is scaled up to 60,000 images. Medians "
                 "of rounds in which all sizes take turns. Made by\n`bench/run.sh growth`.\n\n![time of an "
                 "epoch](images/%s)\n\n", name);
    machine_print(out, r, "- ");
    for (int s = 0; s < n; s++) {
        fprintf(out, "\n## %s\n\n| %s | epoch, s | least ... most | arithmetic limit, s | epoch / limit | |\n"
                     "|---|---|---|---|---|---|\n", all[s].title, all[s].axis);
        for (int i = 0; i < all[s].n; i++) {
            const point *p = &all[s].points[i];
            flagged += *p->flag != 0;
            fprintf(out, "| %.0f | %.3g | %.3g ... %.3g | %.3g | %.2f | %s |\n", p->at, p->seconds, p->least, p->most,
                    p->limit, p->seconds / p->limit, p->flag);
        }
    }
    fprintf(out, "\n%d lines are flagged: time grew over %.2f times as much as the work since the line before, or an "
                 "odd size is over\n%.2f times slower, for its work, than the size beside it, in the median and in the "
                 "least time. A second layer is not held\nagainst the first, which skips the zeros of the images.\n",
            flagged, TOLERANCE, TOLERANCE);
    return fclose(out);
}

/* --- the picture: four panels, both axes logarithmic -------------------------------------------------------------- */

enum { PANEL_WIDTH = 420, PANEL_HEIGHT = 300, MARGIN = 56 };

typedef struct scale {
    double low, high, from, to; /* low ... high, logarithmic, to pixels */
} scale;

static double place(const scale *s, double value)
{
    return s->from + (s->to - s->from) * log(value / s->low) / log(s->high / s->low);
}

static void draw_line(FILE *out, const series *s, const scale *x, const scale *y, int is_limit)
{
    fprintf(out, "<polyline fill='none' stroke='%s' stroke-width='2'%s points='", is_limit ? "#999" : "#1764ab",
            is_limit ? " stroke-dasharray='5 4'" : "");
    for (int i = 0; i < s->n; i++) {
        const point *p = &s->points[i];
        fprintf(out, "%.1f,%.1f ", place(x, p->at), place(y, is_limit ? p->limit : p->seconds));
    }
    fprintf(out, "'/>\n");
    for (int i = 0; i < s->n && !is_limit; i++) {
        const point *p = &s->points[i];
        fprintf(out, "<circle cx='%.1f' cy='%.1f' r='3' fill='%s'/>\n", place(x, p->at), place(y, p->seconds),
                *p->flag ? "#c0392b" : "#1764ab");
    }
}

static void draw_axes(FILE *out, const series *s, const scale *x, const scale *y)
{
    fprintf(out, "<text x='%.0f' y='%.0f' font-weight='bold'>%s</text>\n", x->from, y->to - 12, s->title);
    fprintf(out, "<rect x='%.0f' y='%.0f' width='%.0f' height='%.0f' fill='none' stroke='#ccc'/>\n", x->from, y->to,
            x->to - x->from, y->from - y->to);
    for (double v = pow(10, ceil(log10(y->low))); v <= y->high; v *= 10) {
        fprintf(out, "<line x1='%.0f' x2='%.0f' y1='%.1f' y2='%.1f' stroke='#eee'/>\n", x->from, x->to, place(y, v),
                place(y, v));
        fprintf(out, "<text x='%.0f' y='%.1f' text-anchor='end'>%g s</text>\n", x->from - 6, place(y, v) + 4, v);
    }
    for (double v = x->low; v <= x->high * 1.001; v *= x->high / x->low > 100 ? 4 : 2)
        fprintf(out, "<text x='%.1f' y='%.0f' text-anchor='middle'>%.0f</text>\n", place(x, v), y->from + 16, v);
}

static void draw_panel(FILE *out, const series *s, double left, double top)
{
    scale x = {1e300, 0, left + MARGIN, left + PANEL_WIDTH - 16};
    scale y = {1e300, 0, top + PANEL_HEIGHT - 32, top + 36};
    for (int i = 0; i < s->n; i++) {
        const point *p = &s->points[i];
        x.low = fmin(x.low, p->at), x.high = fmax(x.high, p->at);
        y.low = fmin(y.low, fmin(p->seconds, p->limit)), y.high = fmax(y.high, fmax(p->seconds, p->limit));
    }
    if (s->n < 2) return;
    y.low = pow(10, floor(log10(y.low))), y.high = pow(10, ceil(log10(y.high)));
    draw_axes(out, s, &x, &y);
    draw_line(out, s, &x, &y, 1);
    draw_line(out, s, &x, &y, 0);
}

static int write_picture(const char *path, const series *all, int n)
{
    FILE *out = fopen(path, "w");
    int rows = (n + 1) / 2;
    if (!out) return -1;
    fprintf(out, "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' font-family='sans-serif' "
                 "font-size='11'>\n"
                 "<rect width='100%%' height='100%%' fill='white'/>\n", 2 * PANEL_WIDTH, rows * PANEL_HEIGHT + 24);
    for (int i = 0; i < n; i++) draw_panel(out, &all[i], i % 2 * PANEL_WIDTH, i / 2 * PANEL_HEIGHT);
    fprintf(out, "<text x='%d' y='%d' fill='#1764ab'>measured (red: flagged on the page)</text>\n", MARGIN,
            rows * PANEL_HEIGHT + 12);
    fprintf(out, "<text x='%d' y='%d' fill='#777'>dashed: arithmetic limit</text>\n</svg>\n", PANEL_WIDTH + MARGIN,
            rows * PANEL_HEIGHT + 12);
    return fclose(out);
}

int main(int argc, char **argv)
{
    static series all[] = {
        {.axis = "width", .title = "Width of the hidden layer"},
        {.axis = "batch", .title = "Batch size"},
        {.axis = "depth", .title = "Hidden layers of 512"},
        {.axis = "threads", .title = "Threads"},
    };
    enum { N_SERIES = sizeof all / sizeof all[0] };
    runs r;
    if (argc != 4) {
        fprintf(stderr, "usage: growth_table RUNS PAGE.md PICTURE.svg\n");
        return 2;
    }
    if (runs_read(&r, argv[1])) return 1;
    for (int i = 0; i < N_SERIES; i++) collect(&r, &all[i]);
    int failed = write_page(argv[2], argv[3], &r, all, N_SERIES) || write_picture(argv[3], all, N_SERIES);
    if (failed) fprintf(stderr, "growth_table: %s or %s cannot be written\n", argv[2], argv[3]);
    runs_free(&r);
    return failed;
}
