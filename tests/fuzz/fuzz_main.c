/*
 * fuzz_main.c - one target as libFuzzer wants it; compiled once for each with
 * FUZZ_TARGET defined as the function's name.
 */
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return FUZZ_TARGET(data, size);
}
