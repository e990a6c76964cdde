/* SHA-256 against the examples of FIPS 180-4 and of NIST's test vectors, in one piece and in all sorts of pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sha256.h"

#include <string.h>

static void expect(const char *text, size_t size, size_t piece, const char *expected)
{
    cn__sha256 hash;
    char digest[65];
    cn__sha256_begin(&hash);
    for (size_t done = 0; done < size; done += piece)
        cn__sha256_add(&hash, text + done, size - done < piece ? size - done : piece);
    cn__sha256_end(&hash, digest);
    assert_string_equal(digest, expected);
}

static void known_messages(void **state)
{
    (void)state;
    expect("", 0, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect("abc", 3, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    for (size_t piece = 1; piece <= strlen(two_blocks); piece++)
        expect(two_blocks, strlen(two_blocks), piece,
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void a_million_letters(void **state)
{
    (void)state;
    static char letters[1000000];
    memset(letters, 'a', sizeof letters);
    static const size_t pieces[] = {1000000, 64, 63, 65, 1, 4096, 999999};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        expect(letters, sizeof letters, pieces[i], "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* The padding changes shape between 55, 56 and 64 bytes; the sums come from coreutils' sha256sum. */
static void lengths_around_a_block(void **state)
{
    (void)state;
    static const struct { size_t size; const char *digest; } cases[] = {
        {55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
        {56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
        {63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
        {64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
        {65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"},
    };
    char letters[65];
    memset(letters, 'a', sizeof letters);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t piece = 1; piece <= 65; piece += 16) expect(letters, cases[i].size, piece, cases[i].digest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_messages),
        cmocka_unit_test(a_million_letters),
        cmocka_unit_test(lengths_around_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
