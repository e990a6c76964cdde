#include <cornu/system.h>
#include <stddef.h>

#if CN_WITH_JSON
#include <jansson.h>
#define JSON_LIBRARY "jansson " JANSSON_VERSION
#else
#define CN_WITH_JSON 0
#define JSON_LIBRARY "jansson"
#endif
#if CN_WITH_PNG
#include <png.h>
#define PNG_LIBRARY "libpng " PNG_LIBPNG_VER_STRING
#else
#define CN_WITH_PNG 0
#define PNG_LIBRARY "libpng"
#endif
#if CN_WITH_DOWNLOAD
#include <curl/curlver.h>
#define DOWNLOAD_LIBRARY "libcurl " LIBCURL_VERSION
#else
#define CN_WITH_DOWNLOAD 0
#define DOWNLOAD_LIBRARY "libcurl"
#endif

static const struct {
    const char *name;
    int built;
    const char *library;
} features[] = {
    {"json", CN_WITH_JSON, JSON_LIBRARY},
    {"png", CN_WITH_PNG, PNG_LIBRARY},
    {"download", CN_WITH_DOWNLOAD, DOWNLOAD_LIBRARY},
};

const char *cn_system_feature(int i, int *built, const char **library)
{
    if (i < 0 || (size_t)i >= sizeof features / sizeof *features) return NULL;
    *built = features[i].built;
    *library = features[i].library;
    return features[i].name;
}
