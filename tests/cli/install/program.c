/* What a user of the installed library writes first; tests/cli/install.sh compiles it in four ways. */
#include <cornu/cornu.h>
#include <stdio.h>

int main(void)
{
    cn_tensor *labels = cn_tensor_from(CN_UINT8, CN_SHAPE(3), (unsigned char[]){5, 0, 4});
    char *text = cn_repr(labels);
    if (text == NULL) {
        return 1;
    }
    printf("%s\n", text);
    cn_string_free(text);
    cn_tensor_destroy(&labels);
    cn_model *model = cn_sequential(.threads = 1);
    cn_add(model, cn_input(4));
    cn_add(model, cn_dense(2, .activation = "softmax"));
    CN_CHECK(cn_compile(model, .loss = "categorical_crossentropy"));
    cn_model_destroy(&model);
    return 0;
}
