/*
 * fuzz_code.c - target: bytes as machine code, which the library reads in libc before it patches it.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "insn.h"

int fuzz_code(const uint8_t *data, size_t size)
{
	uint8_t *code = malloc(size ? size : 1);

	FUZZ_CHECK(code != NULL);
	if (size)
		memcpy(code, data, size);
	for (size_t at = 0; at <= size; at++) {
		struct insn whole, cut;
		unsigned length = insn_decode(code + at, size - at, &whole);

		FUZZ_CHECK(length <= 15 && length <= size - at);
		/* what it says does not depend on what comes after */
		if (length) {
			FUZZ_CHECK(whole.length == length);
			FUZZ_CHECK(insn_decode(code + at, length, &cut) == length);
			FUZZ_CHECK(cut.opcode == whole.opcode && cut.map == whole.map);
			FUZZ_CHECK(insn_decode(code + at, length - 1, &cut) == 0);
		}
	}
	free(code);
	return 0;
}
