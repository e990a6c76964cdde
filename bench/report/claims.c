#include "claims.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAIN_JOB_GFLOP 490.9 /* 300,000 samples x (4 x 784 x 512 + 6 x 512 x 10) FLOP */

typedef struct checker {
    const runs *r;
    claim *list;
    int n;
} checker;

static claim *add(checker *c, const char *text, int at_least, double bound, const char *unit)
{
    claim *new = &c->list[c->n];
    if (c->n + 1 < CLAIMS_MAX) c->n++;
    *new = (claim){.text = text, .bound = bound, .at_least = at_least, .unit = unit, .value = NAN};
    return new;
}

static const measurement *ours(const checker *c, const char *section, const char *label, const char *key)
{
    return runs_find(c->r, section, label, key);
}

static const measurement *rival(const checker *c, const char *section, const char *key)
{
    return runs_fastest_rival(c->r, section, key, 0);
}

/* slow / fast is at least (or at most) bound. */
static void ratio(checker *c, const char *text, int at_least, double bound, const measurement *slow,
                  const measurement *fast)
{
    claim *new = add(c, text, at_least, bound, "x");
    if (!slow || !fast) {
        snprintf(new->how, sizeof new->how, "%s", !slow && !fast ? "neither side ran" : "one side did not run");
        return;
    }
    new->value = slow->median / fast->median;
    snprintf(new->how, sizeof new->how, "%s %.4g / %s %.4g", slow->label, slow->median, fast->label, fast->median);
}

static void faster(checker *c, const char *text, double bound, const measurement *slow, const measurement *fast)
{
    ratio(c, text, 1, bound, slow, fast);
}

static void no_slower(checker *c, const char *text, double bound, const measurement *slow, const measurement *fast)
{
    ratio(c, text, 0, bound, slow, fast);
}

static void at_most(checker *c, const char *text, double bound, const char *unit, const measurement *m, double scale)
{
    claim *new = add(c, text, 0, bound, unit);
    if (!m) {
        snprintf(new->how, sizeof new->how, "did not run");
        return;
    }
    new->value = m->median * scale;
    snprintf(new->how, sizeof new->how, "%s, %d runs", m->label, m->n);
}

static void check_main(checker *c)
{
    const measurement *fit = ours(c, "main", "cornu", "fit_seconds");
    const measurement *bf16 = ours(c, "main", "cornu bf16", "fit_seconds");
    const measurement *peak = ours(c, "peak", "2 threads", "fma_gflops");
    faster(c, "main job, float32: fit against the fastest rival", 6, rival(c, "main", "fit_seconds"), fit);
    faster(c, "main job, float32: whole process against the fastest rival", 20, rival(c, "whole", "total_seconds"),
           ours(c, "whole", "cornu", "wall_seconds"));
    claim *limit = add(c, "main job, float32: fit against dense arithmetic at the FMA peak", 0, 0.5, "x");
    if (fit && peak) {
        limit->value = fit->median / (MAIN_JOB_GFLOP / peak->median);
        snprintf(limit->how, sizeof limit->how, "fit %.4g s / (%.1f GFLOP at %.0f GFLOP/s = %.4g s)", fit->median,
                 MAIN_JOB_GFLOP, peak->median, MAIN_JOB_GFLOP / peak->median);
    } else {
        snprintf(limit->how, sizeof limit->how, "needs fit and fma_peak");
    }
    faster(c, "main job, mixed_bfloat16: fit against our own float32", 1.8, fit, bf16);
    faster(c, "main job, mixed_bfloat16: fit against the fastest rival in any precision", 10,
           runs_fastest_rival(c->r, "main", "fit_seconds", 1), bf16);
}

/* The promise is about the section `sparse`; the wide network is shown beside it. */
static void check_sparse_network(checker *c, const char *section, const char *const texts[3])
{
    const measurement *dense = ours(c, section, "cornu", "dense_rows_seconds");
    faster(c, texts[0], 20, rival(c, section, "dense_rows_seconds"), dense);
    faster(c, texts[1], 1, ours(c, section, "sparse_pytorch", "embedding_bag_seconds"), dense);
    faster(c, texts[2], 1, ours(c, section, "sparse_pytorch", "embedding_bag_sparse_sgd_seconds"),
           ours(c, section, "cornu", "dense_rows_sgd_seconds"));
}

static void check_sparse(checker *c)
{
    static const char *const book[] = {"very sparse inputs, layers of 16: against the fastest rival given dense rows",
                                       "very sparse inputs, layers of 16: against PyTorch's EmbeddingBag, RMSprop",
                                       ("very sparse inputs, layers of 16: against EmbeddingBag's sparse gradients, "
                                        "SGD")};
    static const char *const wide[] = {"very sparse inputs, a layer of 512: against the fastest rival given dense rows",
                                       "very sparse inputs, a layer of 512: against PyTorch's EmbeddingBag, RMSprop",
                                       ("very sparse inputs, a layer of 512: against EmbeddingBag's sparse gradients, "
                                        "SGD")};
    check_sparse_network(c, "sparse", book);
    check_sparse_network(c, "sparse_wide", wide);
}

static void check_predict(checker *c)
{
    const char *one = "one_image_microseconds", *many = "ten_thousand_images_seconds";
    const measurement *image = ours(c, "predict", "cornu", one), *images = ours(c, "predict", "cornu", many);
    at_most(c, "prediction: one image", 10, "us", image, 1);
    faster(c, "prediction: one image against onnxruntime", 3, ours(c, "predict", "predict_onnxruntime", one), image);
    faster(c, "prediction: one image against Keras predict", 1000, ours(c, "predict", "predict_keras", one), image);
    faster(c, "prediction: 10,000 images against the fastest rival", 5, rival(c, "predict", many), images);
}

static void check_start(checker *c)
{
    at_most(c, "start: cornu info", 10, "ms", ours(c, "start", "cornu info", "wall_seconds"), 1e3);
    at_most(c, "start: all of MNIST from the gzipped files", 120, "ms", ours(c, "start", "cornu load", "load_seconds"),
            1e3);
    at_most(c, "memory: peak of the whole main job", 150, "MB", ours(c, "whole", "cornu", "peak_rss_bytes"), 1e-6);
}

static void check_company(checker *c)
{
    const measurement *alone = ours(c, "company", "cornu 2 threads", "fit_seconds");
    no_slower(c, "company: fit beside two busy loops against fit alone", 3,
              ours(c, "company", "cornu 2 threads, two busy loops", "fit_seconds"), alone);
    no_slower(c, "threads beyond the cores: 3 against 2", 1.2, ours(c, "company", "cornu 3 threads", "fit_seconds"),
              alone);
    no_slower(c, "threads beyond the cores: 4 against 2", 1.2, ours(c, "company", "cornu 4 threads", "fit_seconds"),
              alone);
    no_slower(c, "threads beyond the cores: 8 against 2", 1.2, ours(c, "company", "cornu 8 threads", "fit_seconds"),
              alone);
}

/* The worst shape of one kind of product. */
static void worst_product(checker *c, const char *text, const char *section, const char *form)
{
    claim *new = add(c, text, 1, 0.95, "x");
    const measurement *worst = NULL;
    int shapes = 0, below = 0;
    for (int i = 0; i < c->r->n; i++) {
        const measurement *m = &c->r->list[i];
        double value = runs_product_ratio(c->r, m);
        if (strcmp(m->section, section) || strncmp(m->label, form, strlen(form)) || isnan(value)) continue;
        shapes++;
        below += value < 0.95;
        if (worst && value >= new->value) continue;
        worst = m;
        new->value = value;
    }
    if (worst)
        snprintf(new->how, sizeof new->how, "worst of %d shapes, %s; %d below 0.95", shapes, worst->label, below);
    else
        snprintf(new->how, sizeof new->how, "did not run, or no rival is here");
}

static void check_dense(checker *c)
{
    worst_product(c, "dense float32: forward against the better of OpenBLAS and oneDNN", "dense", "forward");
    worst_product(c, "dense float32: input gradient", "dense", "input");
    worst_product(c, "dense float32: weight gradient", "dense", "weight");
    worst_product(c, "dense bfloat16: forward against oneDNN", "dense_bf16", "forward");
    worst_product(c, "dense bfloat16: input gradient", "dense_bf16", "input");
    worst_product(c, "dense bfloat16: weight gradient", "dense_bf16", "weight");
    faster(c, "4 x 4096 network, float32: a training step against PyTorch", 1.3, rival(c, "mlp", "step_seconds"),
           ours(c, "mlp", "cornu", "step_seconds"));
}

static void check_convolution(checker *c)
{
    faster(c, "network with convolutions, float32: an epoch against the fastest rival", 1.5,
           rival(c, "convolution", "fit_seconds"), ours(c, "convolution", "cornu", "fit_seconds"));
}

int claims_check(const runs *r, claim claims[CLAIMS_MAX])
{
    checker c = {r, claims, 0};
    check_main(&c);
    check_predict(&c);
    check_sparse(&c);
    check_start(&c);
    check_company(&c);
    check_dense(&c);
    check_convolution(&c);
    return c.n;
}

const char *claim_verdict(const claim *c)
{
    if (isnan(c->value)) return "not measured";
    return (c->at_least ? c->value >= c->bound : c->value <= c->bound) ? "met" : "NOT MET";
}
