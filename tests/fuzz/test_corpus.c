/*
 * test_corpus.c - the fuzz targets without a fuzzer: every kept input, and a few
 * thousand changes of them that are the same in each run. Meant to be built with
 * SAN=address,undefined. FUZZ_MUTATIONS sets their number (for each target).
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"
#include "fuzz/fuzz.h"
#include "test.h"

#define MUTATIONS 3000
/* A report may look into the libraries of this machine: fewer of them. */
#define COST_OF_FORMS 8
#define INPUTS_MAX 256

struct input {
	uint8_t *bytes;
	size_t count;
};

static struct input inputs[INPUTS_MAX];
static size_t input_count;

static uint64_t random_state;

/* xorshift64 */
static uint64_t random_below(uint64_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return limit ? random_state % limit : 0;
}

static void read_input(const char *folder, const char *name)
{
	char path[512];
	struct input in = { .bytes = xmalloc(1 << 20) };
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	in.count = fread(in.bytes, 1, 1 << 20, f);
	fclose(f);
	assert_true(input_count < INPUTS_MAX);
	inputs[input_count++] = in;
}

static void read_corpus(const char *target)
{
	struct dirent **names;
	char folder[256];
	int count;

	snprintf(folder, sizeof(folder), SOURCE_DIR "/tests/fuzz/corpus/%s", target);
	count = scandir(folder, &names, NULL, alphasort);
	assert_true(count > 2);
	for (int i = 0; i < count; i++) {
		if (names[i]->d_name[0] != '.')
			read_input(folder, names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

static void release_corpus(void)
{
	for (size_t i = 0; i < input_count; i++)
		free(inputs[i].bytes);
	input_count = 0;
}

/* A number that is at an edge more often than not. */
static uint64_t edge_number(void)
{
	static const uint64_t edges[] = {
		0, 1, 7, 8, 127, 128, 255, 4095, 4096, 65535, 65536, 0x7fffffff, 0x80000000,
		0xffffffff, 0x100000000, 1ull << 47, INT64_MAX, UINT64_MAX - 15, UINT64_MAX,
	};

	return edges[random_below(sizeof(edges) / sizeof(edges[0]))];
}

/* One change to COUNT of BYTES, which has room for twice as many; returns how many there are now. */
static size_t change(uint8_t *bytes, size_t count)
{
	size_t at = random_below(count), other = random_below(count);
	size_t length = 1 + random_below(random_below(4) ? 8 : 200);
	uint64_t number = edge_number();

	if (length > count - at)
		length = count - at;
	switch (random_below(8)) {
	case 0:
		bytes[at] ^= (uint8_t)(1 << random_below(8));
		break;
	case 1:
		bytes[at] = (uint8_t)random_below(256);
		break;
	case 2:
		memcpy(bytes + at, &number, length < 8 ? length : 8);
		break;
	case 3:
		memset(bytes + at, random_below(2) ? 0xff : 0, length);
		break;
	case 4:
		memmove(bytes + at, bytes + at + length, count - at - length);
		return count - length;
	case 5:
		memmove(bytes + at + length, bytes + at, count - at);
		return count + length;
	case 6:
		if (length > count - other)
			length = count - other;
		memmove(bytes + at, bytes + other, length);
		break;
	default:
		bytes[at] = (uint8_t)(bytes[at] + (random_below(2) ? 1 : -1));
		break;
	}
	return count;
}

static void run_changed(fuzz_target *target, const struct input *in)
{
	uint8_t *bytes = xmalloc(4 * in->count + 4096);
	size_t count = in->count;
	uint64_t changes = 1 + random_below(6);

	memcpy(bytes, in->bytes, count);
	for (uint64_t i = 0; i < changes && count > 1 && count < 2 * in->count; i++)
		count = change(bytes, count);
	/* cut off, now and then */
	if (random_below(16) == 0)
		count = random_below(count);
	assert_int_equal(target(bytes, count), 0);
	free(bytes);
}

/* A row with a wrong option would end the program, and no fuzzer would look behind it. */
static void run_rows(const struct input *in)
{
	uint8_t *bytes = xmalloc(in->count);

	memcpy(bytes, in->bytes, in->count);
	for (size_t row = 0; row < fuzz_form_rows; row++) {
		bytes[0] = (uint8_t)row;
		assert_int_equal(fuzz_forms(bytes, in->count), 0);
	}
	free(bytes);
}

static void run_target(const char *name, fuzz_target *target)
{
	const char *asked = getenv("FUZZ_MUTATIONS");
	unsigned long mutations = asked ? strtoul(asked, NULL, 10) : MUTATIONS;

	if (target == fuzz_forms)
		mutations /= COST_OF_FORMS;
	random_state = 0x9e3779b97f4a7c15u;
	read_corpus(name);
	assert_int_equal(target((const uint8_t *)"", 0), 0);
	for (size_t i = 0; i < input_count; i++)
		assert_int_equal(target(inputs[i].bytes, inputs[i].count), 0);
	if (target == fuzz_forms)
		run_rows(&inputs[0]);
	for (unsigned long i = 0; i < mutations; i++)
		run_changed(target, &inputs[random_below(input_count)]);
	release_corpus();
}

#define ROW(name) \
	TEST(test_##name##_corpus_and_its_changes_break_no_promise) \
	{ \
		run_target(#name, fuzz_##name); \
	}
FUZZ_TARGETS(ROW)
#undef ROW

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test(test_##name##_corpus_and_its_changes_break_no_promise),
		FUZZ_TARGETS(ROW)
#undef ROW
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
