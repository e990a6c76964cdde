#include "base/error.h"
#include "formats/dataset_files.h"

#ifndef CN_WITH_DOWNLOAD

int cn__dataset_download(const cn__known_dataset *known, const char *folder, cn_download_progress progress, void *user)
{
    (void)known, (void)folder, (void)progress, (void)user;
    return cn__fail(CN_ENOTSUP, "and this build of Cornu cannot download (it was made without libcurl)");
}

#else

#include "base/file.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "formats/format_gzip.h"
#include "formats/lazy_curl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIRRORS_AT_MOST 8
#define LARGEST_FILE ((curl_off_t)256 << 20)
#define CONNECT_SECONDS 15L
#define STALLED_SECONDS 20L /* below STALLED_BYTES a second for so long: give up on this mirror */
#define STALLED_BYTES 1000L

static cn__curl library; /* set once, see start_curl */
static int opened;

typedef struct download {
    CURL *curl;
    const cn__known_dataset *known;
    const char *folder;
    cn_download_progress progress;
    void *user;
    int stopped;                              /* progress asked for it */
    char bases[MIRRORS_AT_MOST][CN_PATH_BYTES];
    int n_bases;
    int trusted_only;                         /* built-in mirrors: no file:// */
    char reasons[600];                        /* why each mirror failed, for the sentence */
} download;

/* One file from one mirror. */
typedef struct transfer {
    download *job;
    const char *url;
    FILE *part;
    curl_off_t begin;  /* bytes that were there before */
    curl_off_t bytes;  /* bytes written now */
} transfer;

/* --- one transfer ------------------------------------------------------------------------------------------------- */

static size_t write_part(char *bytes, size_t size, size_t count, void *context)
{
    transfer *t = context;
    size_t n = size * count;
    t->bytes += (curl_off_t)n;
    if (t->begin + t->bytes > LARGEST_FILE) return 0;
    return fwrite(bytes, 1, n, t->part);
}

static int report(void *context, curl_off_t total, curl_off_t now, curl_off_t upload_total, curl_off_t upload_now)
{
    transfer *t = context;
    (void)upload_total, (void)upload_now;
    if (!t->job->progress) return 0;
    uint64_t all = total > 0 ? (uint64_t)(t->begin + total) : 0;
    t->job->stopped = t->job->progress(t->job->user, t->url, (uint64_t)(t->begin + now), all) != 0;
    return t->job->stopped;
}

static void set_options(transfer *t, char reason[CURL_ERROR_SIZE])
{
    CURL *curl = t->job->curl;
    library.easy_reset(curl);
    library.easy_setopt(curl, CURLOPT_URL, t->url);
    library.easy_setopt(curl, CURLOPT_PROTOCOLS_STR, t->job->trusted_only ? "https,http" : "https,http,file");
    library.easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https,http");
    library.easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    library.easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
    library.easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    library.easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    library.easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    library.easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, STALLED_BYTES);
    library.easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, STALLED_SECONDS);
    library.easy_setopt(curl, CURLOPT_USERAGENT, "cornu");
    library.easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    library.easy_setopt(curl, CURLOPT_WRITEFUNCTION, write_part);
    library.easy_setopt(curl, CURLOPT_WRITEDATA, t);
    library.easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    library.easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, report);
    library.easy_setopt(curl, CURLOPT_XFERINFODATA, t);
    library.easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, t->begin);
}

static int fail_transfer(const transfer *t, CURLcode code, const char *reason)
{
    if (t->job->stopped) return cn__fail(CN_ESTOPPED, "the download of %s was stopped", t->url);
    if (t->begin + t->bytes > LARGEST_FILE) return cn__fail(CN_ENETWORK, "the file is far too large");
    if (code == CURLE_WRITE_ERROR) return cn__fail(CN_EIO, "cannot write to '%s': disk full?", t->job->folder);
    return cn__fail(CN_ENETWORK, "%s", reason[0] ? reason : library.easy_strerror(code));
}

/* Appends to the part file (begin > 0) or starts it anew. What has arrived stays there even on failure. */
static int run_transfer(transfer *t, const char *part)
{
    char reason[CURL_ERROR_SIZE] = "";
    t->part = fopen(part, t->begin > 0 ? "ab" : "wb");
    if (!t->part) return cn__fail(CN_EIO, "cannot write '%s'", part);
    set_options(t, reason);
    CURLcode code = library.easy_perform(t->job->curl);
    if (fclose(t->part) != 0 && code == CURLE_OK) code = CURLE_WRITE_ERROR;
    return code == CURLE_OK ? CN_OK : fail_transfer(t, code, reason);
}

/* --- one file ----------------------------------------------------------------------------------------------------- */

static int check_contents(const char *part, const char *expected)
{
    unsigned char *packed, *block;
    size_t size;
    CN_TRY(cn__file_read(part, (size_t)LARGEST_FILE, &packed, &size));
    int status = cn__gzip_unpack("the file", packed, size, 0, &block, &size);
    cn__free(packed);
    CN_TRY(status);
    char digest[65];
    cn__sha256 hash;
    cn__sha256_begin(&hash);
    cn__sha256_add(&hash, block, size);
    cn__sha256_end(&hash, digest);
    cn__free(block);
    if (strcmp(digest, expected) == 0) return CN_OK;
    return cn__fail(CN_EFORMAT, "the file has SHA-256 %.8s..., not %.8s...", digest, expected);
}

static int is_final(int status)
{
    return status == CN_OK || status == CN_ESTOPPED || status == CN_EIO || status == CN_ENOMEM;
}

/* Continues what an earlier attempt has left. If that leads nowhere (the mirror has another file, or cannot continue),
 * starts again from the first byte. */
static int fetch_from(download *job, const char *base, int file, const char *part)
{
    char name[72], url[CN_PATH_BYTES];
    snprintf(name, sizeof name, "%s.gz", cn__dataset_file_names[file]);
    CN_TRY(cn__path_join(url, base, name));
    uint64_t there = 0;
    if (cn__file_exists(part)) CN_TRY(cn__file_size(part, &there));
    transfer t = {.job = job, .url = url, .begin = (curl_off_t)there};
    int status = run_transfer(&t, part);
    if (status == CN_ENETWORK && t.bytes > 0) return status; /* cut off on the way: worth continuing later */
    if (status == CN_OK) status = check_contents(part, job->known->sha256[file]);
    if (is_final(status) || there == 0) return status;
    t = (transfer){.job = job, .url = url};
    CN_TRY(run_transfer(&t, part));
    return check_contents(part, job->known->sha256[file]);
}

static void note_reason(download *job, const char *base)
{
    size_t used = strlen(job->reasons);
    snprintf(job->reasons + used, sizeof job->reasons - used, "%s%s: %s", used ? "; " : "", base, cn_error_message());
}

static int fetch_file(download *job, int file)
{
    char name[80], path[CN_PATH_BYTES], part[CN_PATH_BYTES];
    snprintf(name, sizeof name, "%s.gz.part", cn__dataset_file_names[file]);
    CN_TRY(cn__path_join(part, job->folder, name));
    snprintf(path, sizeof path, "%.*s", (int)(strlen(part) - strlen(".part")), part);
    if (cn__file_exists(path)) return CN_OK; /* only checked files get this name */
    job->reasons[0] = '\0';
    for (int i = 0; i < job->n_bases; i++) {
        int status = fetch_from(job, job->bases[i], file, part);
        if (status == CN_OK)
            return rename(part, path) == 0 ? CN_OK : cn__fail(CN_EIO, "cannot write '%s'", path);
        if (status == CN_EFORMAT) remove(part);
        if (is_final(status)) return status;
        note_reason(job, job->bases[i]);
    }
    return cn__fail(CN_ENETWORK, "no mirror has a usable %s.gz (%s)", cn__dataset_file_names[file], job->reasons);
}

/* --- all files ---------------------------------------------------------------------------------------------------- */

/* $CORNU_MIRRORS is for company mirrors and for tests: base URLs that hold a folder for each data set. */
static int choose_mirrors(download *job)
{
    const char *list = getenv("CORNU_MIRRORS");
    job->trusted_only = !list || !list[0];
    if (job->trusted_only) {
        for (; job->n_bases < 4 && job->known->mirrors[job->n_bases]; job->n_bases++)
            snprintf(job->bases[job->n_bases], CN_PATH_BYTES, "%s", job->known->mirrors[job->n_bases]);
        return CN_OK;
    }
    while (job->n_bases < MIRRORS_AT_MOST) {
        list += strspn(list, " ");
        size_t length = strcspn(list, " ");
        if (length == 0) break;
        char base[CN_PATH_BYTES];
        snprintf(base, sizeof base, "%.*s", (int)length, list);
        CN_TRY(cn__path_join(job->bases[job->n_bases++], base, job->known->name));
        list += length;
    }
    return job->n_bases > 0 ? CN_OK : cn__fail(CN_EINVAL, "CORNU_MIRRORS holds no URL");
}

static void start_curl(void)
{
    opened = cn__curl_open(&library);
    if (opened == CN_OK && library.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        opened = cn__fail(CN_ENOMEM, "libcurl cannot start: out of memory?");
}

static int fetch_all(download *job)
{
    static cn__lazy_library_once once = CN_LAZY_LIBRARY_ONCE;
    cn__lazy_library_start(&once, start_curl);
    if (opened != CN_OK)
        return cn__fail(opened, "%s is needed for downloads and cannot be used; install it (Debian: libcurl4)",
                        CN_CURL_LIBRARY);
    job->curl = library.easy_init();
    if (!job->curl) return cn__fail(CN_ENOMEM, "libcurl cannot start: out of memory?");
    int status = CN_OK;
    for (int i = 0; i < CN_DATASET_FILES && status == CN_OK; i++) status = fetch_file(job, i);
    library.easy_cleanup(job->curl);
    return status;
}

int cn__dataset_download(const cn__known_dataset *known, const char *folder, cn_download_progress progress, void *user)
{
    download *job = cn__alloc(1, sizeof *job, "a download");
    if (!job) return CN_ENOMEM;
    job->known = known;
    job->folder = folder;
    job->progress = progress;
    job->user = user;
    int lock = -1, status = choose_mirrors(job);
    if (status == CN_OK) status = cn__folder_make(folder);
    if (status == CN_OK) status = lock = cn__folder_lock(folder);
    if (status >= 0) status = fetch_all(job);
    if (lock >= 0) cn__folder_unlock(lock);
    cn__free(job);
    return status;
}

#endif
