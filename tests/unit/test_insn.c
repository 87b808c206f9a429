/*
 * test_insn.c - lengths and branches of x86-64 instructions against encodings
 * taken from objdump's output of libc.
 */
#include "test.h"

#include <string.h>

#include "insn.h"

struct sample {
	const char *bytes;
	unsigned length;
	bool is_vector;
};

#define SAMPLE(string, vector) { string, sizeof(string) - 1, vector }

static const struct sample samples[] = {
	SAMPLE("\x90", false),                                 /* nop */
	SAMPLE("\xf3\x0f\x1e\xfa", false),                     /* endbr64 */
	SAMPLE("\x48\x89\xf8", false),                         /* mov %rdi,%rax */
	SAMPLE("\xb8\x0c\x00\x00\x00", false),                 /* mov $12,%eax */
	SAMPLE("\x66\xb8\x0c\x00", false),                     /* mov $12,%ax */
	SAMPLE("\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", false), /* movabs */
	SAMPLE("\x48\xc7\xc0\xff\xff\xff\xff", false),         /* mov $-1,%rax */
	SAMPLE("\x4c\x8b\x4c\x24\x08", false),                 /* mov 8(%rsp),%r9 */
	SAMPLE("\x48\x8b\x15\xe2\x51\x0d\x00", false),         /* mov x(%rip),%rdx */
	SAMPLE("\x64\x48\x8b\x04\x25\x28\x00\x00\x00", false), /* mov %fs:40,%rax */
	SAMPLE("\x80\x3d\x71\x9b\x0d\x00\x00", false),         /* cmpb $0,x(%rip) */
	SAMPLE("\x41\xf7\xc1\xff\x0f\x00\x00", false),         /* test $4095,%r9d */
	SAMPLE("\xf7\xd8", false),                             /* neg %eax */
	SAMPLE("\x0f\x05", false),                             /* syscall */
	SAMPLE("\x0f\x1f\x84\x00\x00\x00\x00\x00", false),     /* nopl x(%rax,%rax) */
	SAMPLE("\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00", false),
	SAMPLE("\xc8\x10\x00\x00", false),                     /* enter */
	SAMPLE("\xf0\x48\x0f\xb1\x0f", false),                 /* lock cmpxchg */
	SAMPLE("\x0f\xba\xe0\x05", false),                     /* bt $5,%eax */
	SAMPLE("\xd9\xee", true),                              /* fldz */
	SAMPLE("\x66\x0f\xef\xc0", true),                      /* pxor */
	SAMPLE("\x0f\x29\x44\x24\x50", true),                  /* movaps */
	SAMPLE("\x66\x0f\x70\xc0\x00", true),                  /* pshufd */
	SAMPLE("\x66\x0f\x3a\x63\x06\x1a", true),              /* pcmpistri */
	SAMPLE("\xc5\xf8\x77", true),                          /* vzeroupper */
	SAMPLE("\xc5\xfd\xd7\xc8", true),                      /* vpmovmskb */
	SAMPLE("\xc4\xe3\x7d\x39\xc1\x01", true),              /* vextracti128 */
	SAMPLE("\x62\xe1\xfe\x28\x6f\x06", true),              /* vmovdqu64 */
};

TEST(test_insn_known_encodings_have_their_length)
{
	struct insn insn;

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		uint8_t code[16];

		memset(code, 0xcc, sizeof(code));
		memcpy(code, samples[i].bytes, samples[i].length);
		assert_int_equal(insn_decode(code, sizeof(code), &insn), samples[i].length);
		assert_int_equal(insn.is_vector, samples[i].is_vector);
		assert_false(insn.is_branch);
	}
}

TEST(test_insn_cut_anywhere_is_refused)
{
	struct insn insn;

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		for (unsigned room = 0; room < samples[i].length; room++)
			assert_int_equal(insn_decode((const uint8_t *)samples[i].bytes,
						     room, &insn), 0);
}

TEST(test_insn_branches_name_their_target)
{
	static const struct {
		const char *bytes;
		unsigned length;
		int64_t target;
	} branches[] = {
		{ "\xeb\xfe", 2, 0 },
		{ "\x74\x10", 2, 18 },
		{ "\xe8\xfb\xff\xff\xff", 5, 0 },
		{ "\xe9\x00\x01\x00\x00", 5, 261 },
		{ "\x0f\x84\xf0\xff\xff\xff", 6, -10 },
		{ "\xe3\x80", 2, -126 },
	};
	struct insn insn;

	for (size_t i = 0; i < sizeof(branches) / sizeof(branches[0]); i++) {
		assert_int_equal(insn_decode((const uint8_t *)branches[i].bytes,
					     branches[i].length, &insn), branches[i].length);
		assert_true(insn.is_branch);
		assert_int_equal(insn.target, branches[i].target);
	}
}

TEST(test_insn_invalid_in_64_bit_mode_is_refused)
{
	static const uint8_t invalid[] = {
		0x06, 0x0e, 0x16, 0x27, 0x37, 0x60, 0x82, 0x9a, 0xce, 0xd4, 0xea,
	};
	uint8_t code[16] = { 0 };
	struct insn insn;

	for (size_t i = 0; i < sizeof(invalid); i++) {
		code[0] = invalid[i];
		assert_int_equal(insn_decode(code, sizeof(code), &insn), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_insn_known_encodings_have_their_length),
		cmocka_unit_test(test_insn_cut_anywhere_is_refused),
		cmocka_unit_test(test_insn_branches_name_their_target),
		cmocka_unit_test(test_insn_invalid_in_64_bit_mode_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
