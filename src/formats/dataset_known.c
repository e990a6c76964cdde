#include "formats/dataset_files.h"

#include <stddef.h>

const char *const cn__dataset_file_names[CN_DATASET_FILES] = {
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

static const char *const digits[10] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

/* Source: the table in the README of github.com/zalandoresearch/fashion-mnist. */
static const char *const clothes[10] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"};

static const cn__known_dataset known_datasets[] = {
    {.name = "mnist",
     .classes = digits,
     .mirrors = {"https://storage.googleapis.com/cvdf-datasets/mnist/",
                 "https://ossci-datasets.s3.amazonaws.com/mnist/"},
     .sha256 = {"ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}},
    {.name = "fashion_mnist",
     .classes = clothes,
     .debian_package = "dataset-fashion-mnist",
     .debian_folder = "/usr/share/datasets/fashion-mnist",
     .mirrors = {"https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
                 "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                 "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"},
     .sha256 = {"c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"}},
};

enum { N_KNOWN = sizeof known_datasets / sizeof *known_datasets };

static int same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        char x = *a == '-' ? '_' : *a, y = *b == '-' ? '_' : *b;
        if (x != y) return 0;
    }
    return *a == *b;
}

const cn__known_dataset *cn__known_dataset_find(const char *name)
{
    for (int i = 0; name && i < N_KNOWN; i++)
        if (same_name(name, known_datasets[i].name)) return &known_datasets[i];
    return NULL;
}

int cn__known_dataset_names(const char *const **names)
{
    static const char *const list[N_KNOWN] = {"mnist", "fashion_mnist"};
    *names = list;
    return N_KNOWN;
}

const char *cn_class_name(const char *dataset_name, int label)
{
    const cn__known_dataset *known = cn__known_dataset_find(dataset_name);
    return known && label >= 0 && label < 10 ? known->classes[label] : NULL;
}
