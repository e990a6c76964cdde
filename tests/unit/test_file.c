/* Reading whole files, and writing so that nothing half-written is ever seen. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "scratch.h"

#include <pthread.h>
#include <stdatomic.h>

static void expect_contents(const char *path, const char *expected)
{
    unsigned char *bytes;
    size_t size;
    assert_int_equal(cn__file_read(path, 1000, &bytes, &size), CN_OK);
    assert_int_equal(size, strlen(expected));
    assert_string_equal((char *)bytes, expected); /* also: a 0 stands behind the end */
    cn__free(bytes);
}

static void expect_unreadable(const char *path, size_t max_bytes, int status, const char *part)
{
    unsigned char *bytes;
    size_t size;
    assert_int_equal(cn__file_read(path, max_bytes, &bytes, &size), status);
    assert_null(bytes);
    assert_non_null(strstr(cn_error_message(), path));
    assert_non_null(strstr(cn_error_message(), part));
}

static void reads(void **state)
{
    (void)state;
    int64_t live = cn__memory_live_blocks();
    const char *path = scratch_write("five", "12345", 5);
    expect_contents(path, "12345");
    expect_contents(scratch_write("none", "", 0), "");
    expect_unreadable(path, 4, CN_EFORMAT, "5 bytes");
    expect_unreadable(scratch_path("missing"), 4, CN_ENOTFOUND, "No such file");
    expect_unreadable(scratch_path("five/below"), 4, CN_ENOTFOUND, "Not a directory");
    expect_unreadable(scratch_folder, 4, CN_EIO, "folder");
    expect_unreadable("/dev/null", 4, CN_EIO, "device");
    const char *pipe_path = scratch_path("pipe");
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    expect_unreadable(pipe_path, 4, CN_EIO, "pipe"); /* and it does not wait for a writer */
    cn__memory_fail_after(1);
    expect_unreadable(path, 5, CN_ENOMEM, "out of memory");
    cn__memory_fail_after(0);
    assert_int_equal(cn__memory_live_blocks(), live);
}

static void tells_what_stands_there(void **state)
{
    (void)state;
    uint64_t bytes = 0;
    const char *path = scratch_write("seven", "1234567", 7);
    assert_true(cn__file_exists(path));
    assert_false(cn__file_exists(scratch_folder));
    assert_false(cn__file_exists(scratch_path("missing")));
    assert_true(cn__folder_exists(scratch_folder));
    assert_false(cn__folder_exists(path));
    assert_int_equal(cn__file_size(path, &bytes), CN_OK);
    assert_int_equal(bytes, 7);
    assert_int_equal(cn__file_size(scratch_path("missing"), &bytes), CN_ENOTFOUND);
    assert_int_equal(cn__file_size(scratch_folder, &bytes), CN_EIO);
}

static void makes_folders(void **state)
{
    (void)state;
    const char *deep = scratch_path("one/two/three");
    assert_int_equal(cn__folder_make(deep), CN_OK);
    assert_true(cn__folder_exists(deep));
    assert_int_equal(cn__folder_make(deep), CN_OK);
    assert_int_equal(cn__folder_make(scratch_path("one/four/")), CN_OK);
    assert_true(cn__folder_exists(scratch_path("one/four")));
    scratch_write("in-the-way", "", 0);
    assert_int_equal(cn__folder_make(scratch_path("in-the-way")), CN_EIO);
    assert_int_equal(cn__folder_make(scratch_path("in-the-way/below")), CN_EIO);
    assert_non_null(strstr(cn_error_message(), "in-the-way"));
}

static void writes_at_once_or_not_at_all(void **state)
{
    (void)state;
    const char *folder = scratch_make("out"), *path = scratch_path("out/file");
    cn__output output;
    assert_int_equal(cn__output_open(&output, path), CN_OK);
    fputs("first", output.stream);
    fflush(output.stream);
    assert_false(cn__file_exists(path));
    assert_int_equal(cn__output_commit(&output), CN_OK);
    expect_contents(path, "first");

    assert_int_equal(cn__output_open(&output, path), CN_OK);
    fputs("second, given up", output.stream);
    cn__output_discard(&output);
    expect_contents(path, "first");

    assert_int_equal(cn__output_open(&output, path), CN_OK);
    fputs("third", output.stream);
    assert_int_equal(cn__output_commit(&output), CN_OK);
    expect_contents(path, "third");
    assert_int_equal(scratch_count(folder), 1);
    cn__output_discard(&output); /* after a commit there is nothing left to discard */
    cn__output_discard(NULL);
}

static void keeps_links(void **state)
{
    (void)state;
    const char *target = scratch_write("target", "old", 3), *link_path = scratch_path("link");
    assert_int_equal(symlink(target, link_path), 0);
    cn__output output;
    assert_int_equal(cn__output_open(&output, link_path), CN_OK);
    fputs("new", output.stream);
    assert_int_equal(cn__output_commit(&output), CN_OK);
    struct stat info;
    assert_int_equal(lstat(link_path, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    expect_contents(target, "new");
}

static void says_why_writing_failed(void **state)
{
    (void)state;
    cn__output output;
    int64_t live = cn__memory_live_blocks();
    assert_int_equal(cn__output_open(&output, scratch_path("no-folder/file")), CN_EIO);
    assert_non_null(strstr(cn_error_message(), "no-folder/file"));
    assert_int_equal(cn__output_open(&output, scratch_folder), CN_EIO);
    assert_non_null(strstr(cn_error_message(), "directory"));

    static const char kilobytes[100000];
    assert_int_equal(cn__output_open(&output, "/dev/full"), CN_OK);
    fwrite(kilobytes, 1, sizeof kilobytes, output.stream);
    assert_int_equal(cn__output_commit(&output), CN_EIO);
    assert_non_null(strstr(cn_error_message(), "/dev/full"));
    assert_int_equal(cn__output_open(&output, "/dev/full"), CN_OK);
    fputs("few bytes, which fail only at the end", output.stream);
    assert_int_equal(cn__output_commit(&output), CN_EIO);
    assert_non_null(strstr(cn_error_message(), "No space left"));

    assert_int_equal(cn__output_open(&output, "/dev/null"), CN_OK);
    fputs("gone", output.stream);
    assert_int_equal(cn__output_commit(&output), CN_OK);
    for (uint64_t n = 1; n <= 2; n++) {
        cn__memory_fail_after(n);
        assert_int_equal(cn__output_open(&output, scratch_path("memory")), CN_ENOMEM);
        cn__memory_fail_after(0);
    }
    assert_false(cn__file_exists(scratch_path("memory")));
    assert_int_equal(cn__memory_live_blocks(), live);
}

static atomic_int second_has_lock;

static void *lock_second(void *path)
{
    int handle = cn__folder_lock(path);
    atomic_store(&second_has_lock, handle >= 0 ? 1 : -1);
    if (handle >= 0) cn__folder_unlock(handle);
    return NULL;
}

static void locks_folders(void **state)
{
    (void)state;
    pthread_t second;
    const char *missing = scratch_path("missing");
    int handle = cn__folder_lock(scratch_folder);
    assert_true(handle >= 0);
    assert_int_equal(pthread_create(&second, NULL, lock_second, scratch_folder), 0);
    usleep(50000);
    assert_int_equal(atomic_load(&second_has_lock), 0);
    cn__folder_unlock(handle);
    pthread_join(second, NULL);
    assert_int_equal(atomic_load(&second_has_lock), 1);
    assert_int_equal(cn__folder_lock(missing), CN_EIO);
    assert_non_null(strstr(cn_error_message(), missing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(tells_what_stands_there),
        cmocka_unit_test(makes_folders),
        cmocka_unit_test(writes_at_once_or_not_at_all),
        cmocka_unit_test(keeps_links),
        cmocka_unit_test(says_why_writing_failed),
        cmocka_unit_test(locks_folders),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
