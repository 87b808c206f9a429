/* test_store.c - symbols written by `record` are those that a reader elsewhere shows. */
#include "symbol/store.h"

#include "elf_subject.h"
#include "fixture/mktrace.h"

#define BIAS 0x10000000ul
#define OTHER_BIAS 0x50000000ul

static char *folder, *program;
static uint64_t in_static, in_inlined;

static int group_begin(void **state)
{
	(void)state;
	folder = subject_folder();
	program = subject_compile(folder, "prog", "g++", "-O2 -g", subject_source);
	in_static = subject_address(program, "static");
	in_inlined = subject_address(program, "inlined");
	return 0;
}

static int group_end(void **state)
{
	(void)state;
	free(program);
	subject_remove(folder);
	return 0;
}

/* Two images of the program at different addresses; PAYLOAD (may be NULL) is their symbols. */
static struct mktrace *story(const uint8_t *payload, size_t bytes)
{
	struct mktrace *t = mktrace_new();
	struct segment_header h = { .magic = SEGMENT_MAGIC, .kind = SEGMENT_SYMBOLS,
				    .committed = bytes };

	for (uint64_t image = 1; image <= 2; image++) {
		uint64_t bias = image == 1 ? BIAS : OTHER_BIAS;

		mk_process(t, (uint32_t)image, 99 + (uint32_t)image, "prog");
		mk_meta(t, META_MODULE_MAP, "vvvvzss", image, (uint64_t)2, bias,
			bias + 0x1000000, (int64_t)bias, program, SUBJECT_BUILD_ID);
	}
	if (payload)
		mk_raw(t, &h, payload);
	return t;
}

static stack_id frame(struct stacks *s, stack_id parent, uint32_t image, uint64_t pc)
{
	return stacks_child(s, parent, image,
			    (struct frame){ .value = pc, .type = FRAME_NATIVE }, 10);
}

/* Both places in both images, a special frame and a JIT address. */
static struct stacks *stacks_made(void)
{
	struct stacks *s = stacks_new();

	frame(s, frame(s, STACK_NONE, 1, BIAS + in_static), 1, BIAS + in_inlined);
	frame(s, frame(s, STACK_NONE, 2, OTHER_BIAS + in_inlined), 2, OTHER_BIAS + in_static);
	frame(s, STACK_NONE, 1, 0x7000);
	stacks_child(s, STACK_NONE, 1, (struct frame){ .value = SPECIAL_TRUNCATED,
		     .type = FRAME_SPECIAL }, 10);
	return s;
}

struct steps { size_t calls, total, stop_at; };

static int count_step(size_t done, size_t total, void *ctx)
{
	struct steps *s = ctx;

	assert_true(done <= total);
	s->total = total;
	return ++s->calls >= s->stop_at;
}

static uint8_t *payload_of(size_t *bytes, struct steps *steps)
{
	struct mktrace *t = story(NULL, 0);
	struct recording *r = mktrace_open(t);
	struct stacks *stacks = stacks_made();
	struct resolver *rs = resolver_new(r, stacks, NULL);
	uint8_t *payload;

	assert_int_equal(symbols_store(rs, stacks, &payload, bytes,
				       steps ? count_step : NULL, steps), 0);
	resolver_free(rs);
	stacks_free(stacks);
	recording_close(r);
	mktrace_free(t);
	return payload;
}

TEST(test_store_is_read_back_without_the_file)
{
	const struct resolver_options options = { .stored_only = true };
	size_t bytes;
	uint8_t *payload = payload_of(&bytes, NULL);
	struct mktrace *t = story(payload, bytes);
	struct recording *r = mktrace_open(t);
	struct stacks *stacks = stacks_made();
	struct resolver *rs = resolver_new(r, stacks, &options);
	const struct symbol *inlined = resolver_frame(rs, 2), *own = resolver_frame(rs, 4);

	assert_int_equal(inlined->count, 3);
	assert_string_equal(inlined->frames[0].function, "shape::box<int>::area(char const*)");
	assert_string_equal(inlined->frames[2].function, "(anonymous namespace)::hidden(int)");
	assert_int_equal(inlined->frames[2].line, 21);
	assert_string_equal(own->frames[0].function, "own(int)");
	assert_int_equal(own->frames[0].line, 23);
	assert_true(ends_in(own->frames[0].file, "/prog.cc"));
	/* the same places in the other image */
	assert_ptr_equal(resolver_frame(rs, 3), inlined);
	assert_ptr_equal(resolver_frame(rs, 1), own);
	resolver_free(rs);
	stacks_free(stacks);
	recording_close(r);
	mktrace_free(t);
	free(payload);
}

TEST(test_store_has_each_place_once)
{
	struct steps steps = { .stop_at = SIZE_MAX };
	size_t bytes, found = 0;
	uint8_t *payload = payload_of(&bytes, &steps);

	/* one of them in no module: it may be code made at run time */
	assert_int_equal(steps.total, 3);
	assert_true(steps.calls >= 1);
	for (size_t i = 0; i + 8 <= bytes; i++)
		found += memcmp(payload + i, "_ZL3owni", 8) == 0;
	assert_int_equal(found, 1);
	free(payload);
}

TEST(test_store_stopped_early_is_still_readable)
{
	struct steps steps = { .stop_at = 1 };
	size_t bytes;
	uint8_t *payload = payload_of(&bytes, &steps);
	struct mktrace *t = story(payload, bytes);
	struct recording *r = mktrace_open(t);
	struct stacks *stacks = stacks_made();
	struct resolver *rs = resolver_new(r, stacks, NULL);

	/* nothing was stored: the file answers */
	assert_string_equal(resolver_frame(rs, 1)->frames[0].function, "own(int)");
	resolver_free(rs);
	stacks_free(stacks);
	recording_close(r);
	mktrace_free(t);
	free(payload);
}

TEST(test_store_without_stacks_is_empty)
{
	struct mktrace *t = story(NULL, 0);
	struct recording *r = mktrace_open(t);
	struct stacks *stacks = stacks_new();
	struct resolver *rs = resolver_new(r, stacks, NULL);
	uint8_t *payload;
	size_t bytes;

	assert_int_equal(symbols_store(rs, stacks, &payload, &bytes, NULL, NULL), 0);
	assert_int_equal(bytes, 3);
	free(payload);
	resolver_free(rs);
	stacks_free(stacks);
	recording_close(r);
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_store_is_read_back_without_the_file),
		cmocka_unit_test(test_store_has_each_place_once),
		cmocka_unit_test(test_store_stopped_early_is_still_readable),
		cmocka_unit_test(test_store_without_stacks_is_empty),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
