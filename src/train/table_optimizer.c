#include "train/optimizer.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/suggest.h"
#include "train/scaled_loss.h"

#include <ctype.h>
#include <string.h>

#define ENTRY(name) &cn__optimizer_##name,
const cn__optimizer_class *const cn__optimizer_classes[CN__OPTIMIZER_COUNT] = {CN__OPTIMIZER_LIST(ENTRY)};
#undef ENTRY

int cn__optimizer_index(const cn_optimizer *optimizer)
{
    int i = 0;
    while (cn__optimizer_classes[i] != optimizer->class_) i++;
    return i;
}

double cn__optimizer_learning_rate(const cn_optimizer *optimizer, int64_t step)
{
    if (optimizer->schedule.name) return cn_schedule_value(&optimizer->schedule, step);
    return cn__optimizer_shared(optimizer)->learning_rate;
}

/* Calls for each word until one is found. */
static int any_word(const char *words, int (*found)(const char *name, const char *word), const char *name)
{
    while (words && *(words += strspn(words, ", []()'\""))) {
        char word[80];
        size_t length = strcspn(words, ", []()'\"");
        if (length < sizeof word) {
            memcpy(word, words, length);
            word[length] = '\0';
            if (found(name, word)) return 1;
        }
        words += length;
    }
    return 0;
}

static int occurs(const char *name, const char *word)
{
    return strstr(name, word) != NULL;
}

int cn__name_has_word(const char *name, const char *words)
{
    return any_word(words, occurs, name);
}

/* Keras looks for the words in "kernel" and "bias"; a word with a slash can also tell layers apart. */
static int occurs_in_weight(const char *name, const char *word)
{
    const char *slash = strrchr(name, '/');
    return strstr(slash && !strchr(word, '/') ? slash + 1 : name, word) != NULL;
}

int cn__optimizer_decays(const cn_optimizer *optimizer, const char *weight)
{
    return !any_word(cn__optimizer_shared(optimizer)->exclude_from_weight_decay, occurs_in_weight, weight);
}

int cn__optimizer_check_share(const char *owner, const char *name, double value)
{
    if (value >= 0 && value < 1) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: %s must lie in 0 ... 1 (1 excluded), got %g", owner, name, value);
}

int cn__optimizer_check_epsilon(const char *owner, double epsilon, double least)
{
    if (epsilon >= least && epsilon <= 1e30) return CN_OK;
    if (least > 0) return cn__fail(CN_EINVAL, "%s: epsilon must be at least %g, got %g", owner, least, epsilon);
    return cn__fail(CN_EINVAL, "%s: epsilon must not be negative, got %g", owner, epsilon);
}

static int check_clipping(const char *name, const cn__shared_options *o)
{
    const struct {
        const char *option;
        double value;
    } limits[] = {{"clipnorm", o->clipnorm}, {"global_clipnorm", o->global_clipnorm}, {"clipvalue", o->clipvalue}};
    int given = -1;
    for (int i = 0; i < 3; i++) {
        if (!(limits[i].value >= 0))
            return cn__fail(CN_EINVAL, "%s: %s must be a number from 0 upwards, got %g", name, limits[i].option,
                            limits[i].value);
        if (limits[i].value == 0) continue;
        if (given >= 0)
            return cn__fail(CN_EINVAL,
                            "%s: only one of clipnorm, global_clipnorm and clipvalue can be used, got %s and %s", name,
                            limits[given].option, limits[i].option);
        given = i;
    }
    return CN_OK;
}

static int check(cn_optimizer *optimizer)
{
    const cn__shared_options *o = cn__optimizer_shared(optimizer);
    const char *name = optimizer->class_->name;
    if (optimizer->schedule.name && cn__schedule_check(&optimizer->schedule) < 0) return cn__fail_prefix("%s: ", name);
    if (!(o->learning_rate >= 0 && o->learning_rate <= 1e30))
        return cn__fail(CN_EINVAL, "%s: learning_rate must be a number from 0 upwards, got %g", name, o->learning_rate);
    CN_TRY(check_clipping(name, o));
    if (!(o->weight_decay >= 0 && o->weight_decay <= 1e30))
        return cn__fail(CN_EINVAL, "%s: weight_decay must be a number from 0 upwards, got %g", name, o->weight_decay);
    if (!(o->ema_momentum >= 0 && o->ema_momentum <= 1))
        return cn__fail(CN_EINVAL, "%s: ema_momentum must lie in 0 ... 1, got %g", name, o->ema_momentum);
    if (!(o->loss_scale_factor >= 0 && o->loss_scale_factor <= 1e300))
        return cn__fail(CN_EINVAL, "%s: loss_scale_factor must be a positive number (or 0 for off), got %g", name,
                        o->loss_scale_factor);
    if (o->ema_overwrite_frequency < 0)
        return cn__fail(CN_EINVAL, "%s: ema_overwrite_frequency must not be negative, got %lld", name,
                        (long long)o->ema_overwrite_frequency);
    if (o->gradient_accumulation_steps < 0 || o->gradient_accumulation_steps == 1)
        return cn__fail(CN_EINVAL, "%s: gradient_accumulation_steps must be at least 2 (or 0 for off), got %lld", name,
                        (long long)o->gradient_accumulation_steps);
    return optimizer->class_->check ? optimizer->class_->check(optimizer->options) : CN_OK;
}

static cn_optimizer *allocate(const cn__optimizer_class *class_, const void *options)
{
    cn_optimizer *optimizer = cn__alloc(1, sizeof *optimizer, "an optimizer");
    if (!optimizer) return NULL;
    optimizer->class_ = class_;
    optimizer->options = cn__alloc(1, class_->options_size, "an optimizer's options");
    if (optimizer->options &&
        cn__fields_copy(class_->fields, class_->n_fields, options ? options : class_->defaults,
                        optimizer->options) < 0) {
        cn__free(optimizer->options);
        optimizer->options = NULL;
    }
    if (!optimizer->options) cn_optimizer_destroy(&optimizer);
    return optimizer;
}

cn_optimizer *cn__optimizer_create_scheduled(const cn__optimizer_class *class_, const void *options,
                                             const cn_schedule *schedule)
{
    cn_optimizer *optimizer = allocate(class_, options);
    if (optimizer && schedule) optimizer->schedule = *schedule;
    if (optimizer && schedule && !schedule->name) optimizer->schedule.name = ""; /* which check refuses */
    if (optimizer && check(optimizer) < 0) cn_optimizer_destroy(&optimizer);
    return optimizer;
}

cn_optimizer *cn__optimizer_create(const cn__optimizer_class *class_, const void *options)
{
    const cn_schedule *schedule = NULL;
    if (options)
        memcpy(&schedule, (const char *)options + offsetof(cn__shared_options, schedule), sizeof schedule);
    return cn__optimizer_create_scheduled(class_, options, schedule);
}

void cn_optimizer_destroy(cn_optimizer **optimizer)
{
    if (!optimizer || !*optimizer) return;
    if ((*optimizer)->options)
        cn__fields_free((*optimizer)->class_->fields, (*optimizer)->class_->n_fields, (*optimizer)->options);
    cn__free((*optimizer)->options);
    if ((*optimizer)->by_hand) (*optimizer)->release_by_hand((*optimizer)->by_hand);
    cn__free(*optimizer);
    *optimizer = NULL;
}

/* The first argument, or the one called learning_rate, may be a schedule; its place is then kept by a number. */
static int take_schedule(cn__spec *spec, cn_schedule *schedule)
{
    for (int i = 0; i < spec->n; i++) {
        int is_rate = spec->keys[i] ? !strcmp(spec->keys[i], "learning_rate") : i == 0;
        if (!is_rate || !isalpha((unsigned char)spec->values[i][0]) || !strchr(spec->values[i], '(')) continue;
        CN_TRY(cn__schedule_read(spec->values[i], schedule));
        spec->values[i] = "0";
    }
    return CN_OK;
}

static cn_optimizer *read(const cn__optimizer_class *class_, cn__spec *spec)
{
    cn_optimizer *optimizer = allocate(class_, NULL);
    if (!optimizer) return NULL;
    int status = take_schedule(spec, &optimizer->schedule);
    if (status < 0) cn__fail_prefix("%s: ", class_->name);
    else status = cn__fields_set(class_->fields, class_->n_fields, optimizer->options, spec);
    if (status < 0 || check(optimizer) < 0) cn_optimizer_destroy(&optimizer);
    return optimizer;
}

/* "loss_scale_optimizer(adam(0.01), initial_scale=1024)" */
static cn_optimizer *read_scaled(const cn__spec *spec)
{
    const cn__loss_scale_class *class_ = &cn__loss_scale_optimizer;
    cn__loss_scale_text given;
    cn_optimizer *optimizer = NULL;
    if (cn__fields_copy(class_->fields, class_->n_fields, &class_->defaults, &given) < 0) return NULL;
    if (cn__fields_set(class_->fields, class_->n_fields, &given, spec) == CN_OK) {
        if (given.inner_optimizer)
            optimizer = cn_loss_scale_optimizer_create(cn_optimizer_from_text(given.inner_optimizer), &given.numbers);
        else
            cn__fail(CN_EINVAL, "%s needs inner_optimizer, as in %s(adam(0.001))", class_->name, spec->name);
    }
    cn__fields_free(class_->fields, class_->n_fields, &given);
    return optimizer;
}

cn_optimizer *cn_optimizer_from_text(const char *text)
{
    const char *names[CN__OPTIMIZER_COUNT];
    cn__spec spec;
    if (cn__spec_parse(text, &spec) < 0) return NULL;
    if (cn__same_name(spec.name, cn__loss_scale_optimizer.name)) return read_scaled(&spec);
    for (int i = 0; i < CN__OPTIMIZER_COUNT; i++) {
        names[i] = cn__optimizer_classes[i]->snake;
        if (cn__same_name(spec.name, names[i])) return read(cn__optimizer_classes[i], &spec);
    }
    cn__fail_unknown("optimizer", spec.name, names, CN__OPTIMIZER_COUNT);
    return NULL;
}
