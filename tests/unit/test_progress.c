/* What fit, evaluate and predict print: Keras 3's bar byte by byte on a terminal, a line an epoch elsewhere. */
#define _GNU_SOURCE
#include "small_fixture.h"

#include <pty.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char seen[65536];

/* --- a small pattern language: # one or more digits, ? a number like 1.2345 or 1.2345e-04, everything else itself */

static const char *skip_number(const char *text)
{
    char *end;
    strtod(text, &end);
    return end;
}

static int matches(const char *text, const char *pattern)
{
    for (; *pattern; pattern++) {
        if (*pattern == '#') {
            size_t digits = strspn(text, "0123456789");
            if (digits == 0) return 0;
            text += digits;
        } else if (*pattern == '?') {
            const char *end = skip_number(text);
            if (end == text || *text == ' ') return 0;
            text = end;
        } else if (*text++ != *pattern) {
            return 0;
        }
    }
    return *text == '\0';
}

/* Times have units that depend on the machine; they become "Ts" and "Tms/step". */
static void blur_times(char *text)
{
    char *out = text;
    for (const char *in = text; *in;) {
        size_t digits = strspn(in, "0123456789");
        const char *unit = in + digits;
        static const char *const units[] = {"us/step", "ms/step", "s/step"};
        size_t length = 0;
        for (int i = 0; digits && i < 3 && !length; i++)
            if (strncmp(unit, units[i], strlen(units[i])) == 0) length = strlen(units[i]);
        if (length) {
            memcpy(out, "T/step", 6);
            out += 6;
            in = unit + length;
        } else if (digits) {
            memmove(out, in, digits);
            out += digits;
            in += digits;
        } else {
            *out++ = *in++;
        }
    }
    *out = '\0';
}

static void read_back(FILE *stream)
{
    rewind(stream);
    size_t n = fread(seen, 1, sizeof seen - 1, stream);
    seen[n] = '\0';
    fclose(stream);
    blur_times(seen);
}

static void expect(const char *pattern)
{
    if (!matches(seen, pattern)) print_message("printed: %s\nexpected: %s\n", seen, pattern);
    assert_true(matches(seen, pattern));
}

static void the_pattern_is_strict(void **state)
{
    (void)state;
    assert_true(matches("3/3 - 12s", "3/3 - #s"));
    assert_false(matches("3/3 - s", "3/3 - #s"));
    assert_false(matches("3/3 - 12s ", "3/3 - #s"));
    assert_true(matches("loss: 1.5e-04", "loss: ?"));
    assert_false(matches("loss:  1.5", "loss: ?"));
}

/* --- not a terminal --- */

static void one_line_an_epoch_in_files(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_int_equal(cn_fit(model, x, y, .epochs = 2, .batch_size = 4, .verbose = 1, .output = file), CN_OK);
    read_back(file);
    expect("Epoch 1/2: 3/3 - #s - T/step - accuracy: ? - loss: ?\n"
           "Epoch 2/2: 3/3 - #s - T/step - accuracy: ? - loss: ?\n");
    assert_null(strpbrk(seen, "\r\033\b"));
}

static void verbose_2_is_that_of_keras(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_int_equal(cn_fit(model, x, y, .epochs = 2, .batch_size = 4, .verbose = 2, .output = file,
                            .validation_split = 0.2), CN_OK);
    read_back(file);
    expect("Epoch 1/2\n2/2 - #s - T/step - accuracy: ? - loss: ? - val_accuracy: ? - val_loss: ?\n"
           "Epoch 2/2\n2/2 - #s - T/step - accuracy: ? - loss: ? - val_accuracy: ? - val_loss: ?\n");
    file = tmpfile();
    assert_int_equal(cn_fit(model, x, y, .batch_size = 4, .verbose = 2, .output = file), CN_OK);
    read_back(file);
    expect("3/3 - #s - T/step - accuracy: ? - loss: ?\n");
}

static void silence_is_the_default(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    cn_result result;
    assert_int_equal(cn_fit(model, x, y, .output = file), CN_OK);
    assert_int_equal(cn_evaluate(model, x, y, &result, .output = file), CN_OK);
    read_back(file);
    assert_string_equal(seen, "");
}

static void evaluate_and_predict_print_their_line(void **state)
{
    (void)state;
    cn_result result;
    FILE *file = tmpfile();
    assert_int_equal(cn_evaluate(model, x, y, &result, .batch_size = 4, .verbose = 2, .output = file), CN_OK);
    read_back(file);
    expect("3/3 - #s - T/step - accuracy: ? - loss: ?\n");
    file = tmpfile();
    cn_tensor *p = cn_predict(model, x, .batch_size = 4, .verbose = 2, .output = file);
    cn_tensor_destroy(&p);
    read_back(file);
    expect("3/3 - #s - T/step\n");
}

/* --- a terminal --- */

typedef struct reader {
    int from;
    size_t n;
} reader;

static void *read_all(void *context)
{
    reader *r = context;
    ssize_t got;
    while (r->n < sizeof seen - 1 && (got = read(r->from, seen + r->n, sizeof seen - 1 - r->n)) > 0)
        r->n += (size_t)got;
    seen[r->n] = '\0';
    return NULL;
}

static void fit_on_terminal(int epochs)
{
    int keyboard, screen;
    assert_int_equal(openpty(&keyboard, &screen, NULL, NULL, NULL), 0);
    FILE *terminal = fdopen(screen, "w");
    reader r = {.from = keyboard};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_all, &r), 0);
    assert_int_equal(cn_fit(model, x, y, .epochs = epochs, .batch_size = 5, .verbose = 1, .output = terminal), CN_OK);
    fclose(terminal);
    pthread_join(thread, NULL);
    close(keyboard);
    blur_times(seen);
}

#define BOLD "\033[1m"
#define GREEN "\033[32m"
#define WHITE "\033[37m"
#define PLAIN "\033[0m"
#define FIVE "\u2501\u2501\u2501\u2501\u2501"
#define TEN FIVE FIVE

/* Backspaces over the visible width of the line before, as many as it had characters. */
static size_t count_backspaces(const char *from)
{
    return strspn(from, "\b");
}

static void the_bar_is_drawn_as_keras_draws_it(void **state)
{
    (void)state;
    fit_on_terminal(2);
    char *second = strstr(seen, "Epoch 2/2");
    assert_non_null(second);
    *second = '\0';
    /* a terminal turns \n into \r\n; the first update is always drawn, then the last */
    char *last = strchr(seen, '\b');
    assert_non_null(last);
    size_t width = count_backspaces(last);
    char *behind = last + width;
    char first[4096];
    snprintf(first, sizeof first, "%.*s", (int)(last - seen), seen);
    assert_true(matches(first, "Epoch 1/2\r\n"
                               "\r" BOLD "1/2" PLAIN " " GREEN TEN PLAIN WHITE TEN PLAIN " " BOLD "#s" PLAIN
                               " T/step - accuracy: ? - loss: ?"));
    size_t end = strlen(behind);
    while (end >= 3 && behind[end - 3] == ' ') { /* spaces over a longer line before */
        memmove(behind + end - 3, behind + end - 2, 3);
        end--;
    }
    assert_true(matches(behind, "\r" BOLD "2/2" PLAIN " " GREEN TEN TEN PLAIN WHITE PLAIN " " BOLD "#s" PLAIN
                                " T/step - accuracy: ? - loss: ?\r\n"));
    /* "1/2 " + 20 cells + " 0s 12ms/step - accuracy: 0.4000 - loss: 1.2345": times have 4 to 5 digits and units */
    assert_in_range(width, 4 + 20 + strlen(" 0s 1s/step - accuracy: 0.4000 - loss: 1.2345"),
                    4 + 20 + strlen(" 00s 999ms/step - accuracy: 0.0000e+00 - loss: 1.2345"));
}

static void one_epoch_has_no_heading(void **state)
{
    (void)state;
    fit_on_terminal(1);
    assert_null(strstr(seen, "Epoch"));
    assert_true(strncmp(seen, "\r" BOLD "1/2", 8) == 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pattern_is_strict),   TEST(one_line_an_epoch_in_files),
        TEST(verbose_2_is_that_of_keras),          TEST(silence_is_the_default),
        TEST(evaluate_and_predict_print_their_line), TEST(the_bar_is_drawn_as_keras_draws_it),
        TEST(one_epoch_has_no_heading),
    };
    return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
