/* Downloads, from file:// mirrors and from a small HTTP server in this program that can misbehave. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "formats/dataset_files.h"
#include "scratch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#ifdef CN_WITH_DOWNLOAD

/* --- what the mirrors hold ---------------------------------------------------------------------------------------- */

#define ROOM 40000
#define MIRROR "mirror/letters/"

static cn__known_dataset letters = {.name = "letters"};
static char digests[CN_DATASET_FILES][65];
static unsigned char packed[CN_DATASET_FILES][ROOM];
static size_t packed_size[CN_DATASET_FILES];

static const char *file_in(const char *folder, int file, const char *ending)
{
    char name[128];
    snprintf(name, sizeof name, "%s%s%s", folder, cn__dataset_file_names[file], ending);
    return scratch_path(name);
}

static void write_packed(const char *folder, int file, const char *ending, size_t size)
{
    FILE *stream = fopen(file_in(folder, file, ending), "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(packed[file], 1, size, stream), size);
    fclose(stream);
}

/* Four files; the first is noise of 30,000 bytes, so that there is something to be cut off. */
static void make_contents(void)
{
    static unsigned char plain[ROOM];
    static const unsigned shape[3] = {300, 10, 10}, n = 300;
    for (int file = 0; file < CN_DATASET_FILES; file++) {
        int images = file % 2 == 0;
        size_t size = scratch_idx(plain, images ? 3 : 1, images ? shape : &n, 10);
        uint32_t noise = 1;
        for (size_t i = 16; images && i < size; i++)
            plain[i] = (unsigned char)((noise = noise * 1664525 + 1013904223) >> 24);
        cn__sha256 hash;
        cn__sha256_begin(&hash);
        cn__sha256_add(&hash, plain, size);
        cn__sha256_end(&hash, digests[file]);
        letters.sha256[file] = digests[file];
        packed_size[file] = scratch_gzip(plain, size, packed[file], ROOM);
    }
}

static char file_mirror[128], http_mirror[64];

/* The mirror as it should be, and an empty cache. */
static void start_afresh(const char *mirrors)
{
    scratch_remove(scratch_path("mirror"));
    scratch_remove(scratch_path("cache"));
    scratch_make("mirror");
    scratch_make("mirror/letters");
    for (int file = 0; file < CN_DATASET_FILES; file++) write_packed(MIRROR, file, ".gz", packed_size[file]);
    setenv("CORNU_MIRRORS", mirrors, 1);
}

static int fetch(void)
{
    char folder[128];
    snprintf(folder, sizeof folder, "%s/cache", scratch_folder);
    return cn__dataset_download(&letters, folder, NULL, NULL);
}

static void expect_fetched(void)
{
    if (fetch() < 0) fail_msg("%s", cn_error_message());
    for (int file = 0; file < CN_DATASET_FILES; file++) {
        unsigned char *bytes;
        size_t size;
        assert_int_equal(cn__file_read(file_in("cache/", file, ".gz"), ROOM, &bytes, &size), CN_OK);
        assert_int_equal(size, packed_size[file]);
        assert_memory_equal(bytes, packed[file], size);
        cn__free(bytes);
    }
    assert_int_equal(scratch_count(scratch_path("cache")), CN_DATASET_FILES);
}

static void expect_failed(int status, const char *part)
{
    int64_t live = cn__memory_live_blocks();
    int result = fetch();
    if (result != status) fail_msg("status %d, \"%s\"", result, cn_error_message());
    if (!strstr(cn_error_message(), part)) fail_msg("\"%s\" lacks \"%s\"", cn_error_message(), part);
    assert_false(cn__file_exists(file_in("cache/", 0, ".gz")));
    assert_int_equal(cn__memory_live_blocks(), live);
}

/* --- from files --------------------------------------------------------------------------------------------------- */

static void fetches_what_is_missing(void **state)
{
    (void)state;
    start_afresh(file_mirror);
    expect_fetched();
    assert_int_equal(remove(file_in(MIRROR, 0, ".gz")), 0);
    assert_int_equal(remove(file_in("cache/", 2, ".gz")), 0);
    expect_fetched();
}

static void continues_or_starts_again(void **state)
{
    (void)state;
    for (size_t half = 0; half <= packed_size[0]; half += packed_size[0] / 2) {
        start_afresh(file_mirror);
        scratch_make("cache");
        write_packed("cache/", 0, ".gz.part", half);
        expect_fetched();
    }
    start_afresh(file_mirror);
    scratch_make("cache");
    scratch_write("cache/train-images-idx3-ubyte.gz.part", "of another file", 15);
    write_packed("cache/", 1, ".gz.part", packed_size[1]);
    FILE *longer = fopen(file_in("cache/", 1, ".gz.part"), "ab");
    fputs("and more", longer);
    fclose(longer);
    expect_fetched();
}

static void takes_the_next_mirror(void **state)
{
    (void)state;
    char mirrors[512];
    snprintf(mirrors, sizeof mirrors, "file://%s/nothing  file://%s/damaged/ %s ", scratch_folder, scratch_folder,
             file_mirror);
    start_afresh(mirrors);
    scratch_make("damaged");
    scratch_make("damaged/letters");
    scratch_write("damaged/letters/train-images-idx3-ubyte.gz", "<html>please log in</html>", 26);
    write_packed("damaged/letters/", 1, ".gz", packed_size[1] - 5);
    expect_fetched();
}

static void names_every_reason(void **state)
{
    (void)state;
    char mirrors[512];
    snprintf(mirrors, sizeof mirrors, "file://%s/nothing file://%s/damaged ftp://localhost", scratch_folder,
             scratch_folder);
    start_afresh(mirrors);
    expect_failed(CN_ENETWORK, "train-images-idx3-ubyte.gz");
    expect_failed(CN_ENETWORK, "/nothing/letters: Couldn't open file");
    expect_failed(CN_ENETWORK, "/damaged/letters: ");
    expect_failed(CN_ENETWORK, "ftp://localhost/letters: Protocol");
    assert_int_equal(scratch_count(scratch_path("cache")), 0 + cn__file_exists(file_in("cache/", 0, ".gz.part")));
    start_afresh("   ");
    expect_failed(CN_EINVAL, "CORNU_MIRRORS");
}

static void checks_the_contents(void **state)
{
    (void)state;
    static const char other[] = "some other gzip file, intact, but not the one that was asked for";
    unsigned char bytes[256];
    start_afresh(file_mirror);
    scratch_write(MIRROR "train-images-idx3-ubyte.gz", bytes, scratch_gzip(other, sizeof other, bytes, sizeof bytes));
    expect_failed(CN_ENETWORK, "SHA-256");
    assert_false(cn__file_exists(file_in("cache/", 0, ".gz.part"))); /* worthless: not to be continued */
}

static void says_where_it_cannot_write(void **state)
{
    (void)state;
    start_afresh(file_mirror);
    scratch_write("cache", "in the way", 10);
    expect_failed(CN_EIO, "cache");
    remove(scratch_path("cache"));
    scratch_make("cache");
    assert_int_equal(symlink("/dev/full", file_in("cache/", 0, ".gz.part")), 0);
    expect_failed(CN_EIO, "full");
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    start_afresh(file_mirror);
    int status = CN_ENOMEM;
    for (uint64_t n = 1; status < 0; n++) {
        int64_t live = cn__memory_live_blocks();
        cn__memory_fail_after(n);
        status = fetch();
        cn__memory_fail_after(0);
        if (status < 0) assert_int_equal(status, CN_ENOMEM);
        assert_int_equal(cn__memory_live_blocks(), live);
        assert_in_range(n, 1, 60);
    }
    expect_fetched();
}

/* --- from a server ------------------------------------------------------------------------------------------------ */

typedef enum behaviour { HONEST, NO_RANGES, CUTS_OFF, NOT_FOUND, REDIRECTS_TO_FILE } behaviour;
static _Atomic behaviour server_does;
static atomic_int n_requests, n_ranges;

static void send_all(int socket_fd, const void *bytes, size_t size)
{
    for (const char *p = bytes; size > 0;) {
        ssize_t n = send(socket_fd, p, size, MSG_NOSIGNAL);
        if (n <= 0) return;
        p += n;
        size -= (size_t)n;
    }
}

static void answer(int client, const char *request)
{
    char head[512];
    int file = 0;
    while (file < CN_DATASET_FILES && !strstr(request, cn__dataset_file_names[file])) file++;
    behaviour does = atomic_load(&server_does);
    atomic_fetch_add(&n_requests, 1);
    if (file == CN_DATASET_FILES || does == NOT_FOUND || does == REDIRECTS_TO_FILE) {
        snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n%s%s\r\n\r\n",
                 does == NOT_FOUND ? "404 Not Found" : "302 Found",
                 does == NOT_FOUND ? "X: " : "Location: file:///etc/", does == NOT_FOUND ? "" : "passwd");
        send_all(client, head, strlen(head));
        return;
    }
    const char *range = strcasestr(request, "\r\nRange: bytes=");
    size_t size = packed_size[file], begin = 0;
    if (range && does != NO_RANGES) {
        begin = strtoul(range + strlen("\r\nRange: bytes="), NULL, 10);
        atomic_fetch_add(&n_ranges, 1);
    }
    if (begin >= size)
        snprintf(head, sizeof head, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */%zu\r\n"
                 "Content-Length: 0\r\nConnection: close\r\n\r\n", size);
    else if (begin > 0)
        snprintf(head, sizeof head, "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %zu-%zu/%zu\r\n"
                 "Content-Length: %zu\r\nConnection: close\r\n\r\n", begin, size - 1, size, size - begin);
    else
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", size);
    send_all(client, head, strlen(head));
    size_t left = begin < size ? size - begin : 0;
    send_all(client, packed[file] + begin, does == CUTS_OFF ? left / 2 : left);
}

static void *serve(void *argument)
{
    int server = *(int *)argument;
    for (int client; (client = accept(server, NULL, NULL)) >= 0; close(client)) {
        char request[4096] = "";
        size_t used = 0;
        while (!strstr(request, "\r\n\r\n") && used + 1 < sizeof request) {
            ssize_t n = recv(client, request + used, sizeof request - 1 - used, 0);
            if (n <= 0) break;
            request[used += (size_t)n] = '\0';
        }
        answer(client, request);
        shutdown(client, SHUT_WR);
        while (recv(client, request, sizeof request, 0) > 0) {} /* until the other side has closed, too */
    }
    return NULL;
}

static int start_server(void)
{
    static int server;
    static pthread_t thread;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    server = socket(AF_INET, SOCK_STREAM, 0);
    if (server < 0 || bind(server, (struct sockaddr *)&address, size) < 0 || listen(server, 4) < 0 ||
        getsockname(server, (struct sockaddr *)&address, &size) < 0 ||
        pthread_create(&thread, NULL, serve, &server) != 0)
        return -1;
    pthread_detach(thread);
    snprintf(http_mirror, sizeof http_mirror, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    return 0;
}

static void fetches_from_a_server(void **state)
{
    (void)state;
    start_afresh(http_mirror);
    atomic_store(&server_does, HONEST);
    expect_fetched();
}

/* Each time half of the rest comes; then the server mends its ways. */
static void continues_after_being_cut_off(void **state)
{
    (void)state;
    uint64_t first, second;
    start_afresh(http_mirror);
    atomic_store(&server_does, CUTS_OFF);
    expect_failed(CN_ENETWORK, "127.0.0.1");
    assert_int_equal(cn__file_size(file_in("cache/", 0, ".gz.part"), &first), CN_OK);
    assert_int_equal(first, packed_size[0] / 2);
    expect_failed(CN_ENETWORK, "127.0.0.1");
    assert_int_equal(cn__file_size(file_in("cache/", 0, ".gz.part"), &second), CN_OK);
    assert_in_range(second, first + 1, packed_size[0] - 1);
    atomic_store(&n_ranges, 0);
    atomic_store(&server_does, HONEST);
    expect_fetched();
    assert_int_equal(atomic_load(&n_ranges), 1);
}

static void starts_again_where_it_must(void **state)
{
    (void)state;
    static const behaviour behaviours[] = {HONEST, NO_RANGES};
    for (size_t i = 0; i < 2; i++)
        for (size_t part = 1; part < 4; part++) {
            start_afresh(http_mirror);
            scratch_make("cache");
            atomic_store(&server_does, behaviours[i]);
            write_packed("cache/", 0, ".gz.part", part == 1 ? 100 : packed_size[0]);
            if (part == 3) truncate(file_in("cache/", 0, ".gz.part"), ROOM); /* longer than the file can be */
            expect_fetched();
        }
}

static void passes_on_what_the_server_says(void **state)
{
    (void)state;
    start_afresh(http_mirror);
    atomic_store(&server_does, NOT_FOUND);
    expect_failed(CN_ENETWORK, "404");
    atomic_store(&server_does, REDIRECTS_TO_FILE);
    expect_failed(CN_ENETWORK, "Protocol");
}

/* --- progress ----------------------------------------------------------------------------------------------------- */

typedef struct seen {
    int calls, stop_at;
    uint64_t received, total;
} seen;

static int note(void *user, const char *url, uint64_t received, uint64_t total)
{
    seen *s = user;
    assert_non_null(strstr(url, "-ubyte.gz"));
    if (strstr(url, cn__dataset_file_names[0])) {
        s->received = received;
        s->total = total;
    }
    return ++s->calls == s->stop_at;
}

static void reports_progress(void **state)
{
    (void)state;
    char folder[128];
    snprintf(folder, sizeof folder, "%s/cache", scratch_folder);
    seen s = {0};
    atomic_store(&server_does, HONEST);
    start_afresh(http_mirror);
    assert_int_equal(cn__dataset_download(&letters, folder, note, &s), CN_OK);
    assert_int_equal(s.received, packed_size[0]);
    assert_int_equal(s.total, packed_size[0]);

    start_afresh(http_mirror);
    s = (seen){.stop_at = 1};
    assert_int_equal(cn__dataset_download(&letters, folder, note, &s), CN_ESTOPPED);
    assert_int_equal(s.calls, 1);
    assert_non_null(strstr(cn_error_message(), "stopped"));
    expect_fetched();
}

/* Two at once: one waits for the other and then finds everything there, so each file is asked for once. */
static pthread_barrier_t both_ready;

static void *fetch_in_thread(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&both_ready);
    return fetch() == CN_OK ? &letters : NULL;
}

static void two_do_not_disturb_each_other(void **state)
{
    (void)state;
    start_afresh(http_mirror);
    atomic_store(&server_does, HONEST);
    atomic_store(&n_requests, 0);
    assert_int_equal(pthread_barrier_init(&both_ready, NULL, 2), 0);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, fetch_in_thread, NULL), 0);
    for (int i = 0; i < 2; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_non_null(result);
    }
    pthread_barrier_destroy(&both_ready);
    assert_int_equal(atomic_load(&n_requests), CN_DATASET_FILES);
    expect_fetched();
}

static int setup(void **state)
{
    if (scratch_setup(state) < 0 || start_server() < 0) return -1;
    make_contents();
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    snprintf(file_mirror, sizeof file_mirror, "file://%s/mirror", scratch_folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fetches_what_is_missing),
        cmocka_unit_test(continues_or_starts_again),
        cmocka_unit_test(takes_the_next_mirror),
        cmocka_unit_test(names_every_reason),
        cmocka_unit_test(checks_the_contents),
        cmocka_unit_test(says_where_it_cannot_write),
        cmocka_unit_test(survives_lack_of_memory),
        cmocka_unit_test(fetches_from_a_server),
        cmocka_unit_test(continues_after_being_cut_off),
        cmocka_unit_test(starts_again_where_it_must),
        cmocka_unit_test(passes_on_what_the_server_says),
        cmocka_unit_test(reports_progress),
        cmocka_unit_test(two_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, setup, scratch_teardown);
}

#else

static void says_that_it_cannot(void **state)
{
    (void)state;
    cn__known_dataset letters = {.name = "letters"};
    assert_int_equal(cn__dataset_download(&letters, "/nowhere", NULL, NULL), CN_ENOTSUP);
    assert_non_null(strstr(cn_error_message(), "libcurl"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(says_that_it_cannot)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
