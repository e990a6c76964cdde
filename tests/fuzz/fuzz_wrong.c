/* The checker is checked: this reads behind its input, which must be found wrong. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    return bytes[size] == 0 ? 0 : -1;
}
