/* test_resolve.c - frames of call stacks become functions, files and lines. */
#include "symbol/resolve.h"

#include "elf_subject.h"
#include "fixture/mktrace.h"
#include "symbol/resolve_rows.h"
#include "symbol/store.h"

#define BIAS 0x10000000ul

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

/* A recording of one process with the program mapped at BIAS, its stacks and resolver. */
struct scene {
	struct mktrace *t;
	struct recording *r;
	struct stacks *stacks;
	struct resolver *rs;
};

static void map(struct mktrace *t, uint64_t stamp, uint64_t bias, const char *path,
		const char *build_id)
{
	mk_meta(t, META_MODULE_MAP, "vvvvzss", (uint64_t)1, stamp, (uint64_t)bias,
		(uint64_t)bias + 0x1000000, (int64_t)bias, path, build_id);
}

static struct scene scene_open(struct mktrace *t, const struct resolver_options *options)
{
	struct scene s = { .t = t };

	s.r = mktrace_open(t);
	s.stacks = stacks_new();
	s.rs = resolver_new(s.r, s.stacks, options);
	return s;
}

static struct scene scene_of(const char *path, const char *build_id,
			     const struct resolver_options *options)
{
	struct mktrace *t = mktrace_new();

	mk_process(t, 1, 100, "prog");
	map(t, 2, BIAS, path, build_id);
	return scene_open(t, options);
}

static void scene_close(struct scene *s)
{
	resolver_free(s->rs);
	stacks_free(s->stacks);
	recording_close(s->r);
	mktrace_free(s->t);
}

static stack_id frame(struct scene *s, enum frame_type type, uint64_t value,
		      uint64_t stamp)
{
	return stacks_child(s->stacks, STACK_NONE, 1,
			    (struct frame){ .value = value, .type = type }, stamp);
}

TEST(test_resolver_frame_has_inlined_calls_innermost_first)
{
	struct scene s = scene_of(program, SUBJECT_BUILD_ID, NULL);
	const struct symbol *symbol = resolver_frame(s.rs, frame(&s, FRAME_NATIVE,
							BIAS + in_inlined, 10));

	assert_int_equal(symbol->count, 3);
	assert_string_equal(symbol->frames[0].function, "shape::box<int>::area(char const*)");
	assert_int_equal(symbol->frames[0].line, 11);
	assert_true(symbol->frames[0].is_inlined);
	assert_string_equal(symbol->frames[1].function, "twice");
	assert_true(symbol->frames[1].is_inlined);
	assert_string_equal(symbol->frames[2].function, "(anonymous namespace)::hidden(int)");
	assert_int_equal(symbol->frames[2].line, 21);
	assert_false(symbol->frames[2].is_inlined);
	assert_true(ends_in(symbol->frames[2].file, "/prog.cc"));
	assert_string_equal(symbol->frames[2].module, program);
	assert_int_equal(symbol->frames[2].offset, in_inlined);
	assert_string_equal(resolver_missing(s.rs), "");
	scene_close(&s);
}

TEST(test_resolver_same_place_is_looked_up_once)
{
	struct scene s = scene_of(program, SUBJECT_BUILD_ID, NULL);
	stack_id a = frame(&s, FRAME_NATIVE, BIAS + in_static, 10);
	stack_id b = stacks_child(s.stacks, a, 1, (struct frame){ .value = BIAS + in_static,
				  .type = FRAME_NATIVE }, 11);

	assert_int_not_equal(a, b);
	assert_ptr_equal(resolver_frame(s.rs, a), resolver_frame(s.rs, b));
	assert_string_equal(resolver_frame(s.rs, a)->frames[0].function, "own(int)");
	scene_close(&s);
}

TEST(test_resolver_names_can_stay_mangled)
{
	const struct resolver_options options = { .no_demangle = true };
	struct scene s = scene_of(program, SUBJECT_BUILD_ID, &options);

	assert_string_equal(resolver_frame(s.rs, frame(&s, FRAME_NATIVE, BIAS + in_static, 10))
			    ->frames[0].function, "_ZL3owni");
	scene_close(&s);
}

TEST(test_resolver_special_frames_say_what_they_are)
{
	struct scene s = scene_of(program, SUBJECT_BUILD_ID, NULL);
	const struct symbol *symbol;

	for (uint64_t special = 0; special < SPECIAL_COUNT + 2; special++) {
		symbol = resolver_frame(s.rs, frame(&s, FRAME_SPECIAL, special, 10));
		assert_int_equal(symbol->count, 1);
		assert_int_equal(symbol->frames[0].function[0], '[');
		assert_null(symbol->frames[0].module);
	}
	symbol = resolver_frame(s.rs, frame(&s, FRAME_SPECIAL, SPECIAL_TRUNCATED, 10));
	assert_string_equal(symbol->frames[0].function, "[truncated: depth limit]");
	symbol = resolver_frame(s.rs, frame(&s, FRAME_PYTHON, 5, 10));
	assert_string_equal(symbol->frames[0].function, "[unknown kind of frame]");
	assert_string_equal(resolver_frame(s.rs, STACK_NONE)->frames[0].function,
			    "[no call stack]");
	assert_string_equal(resolver_frame(s.rs, 4000000000u)->frames[0].function,
			    "[no call stack]");
	scene_close(&s);
}

TEST(test_resolver_code_in_no_module_is_its_address)
{
	struct scene s = scene_of(program, SUBJECT_BUILD_ID, NULL);
	const struct symbol *symbol = resolver_frame(s.rs, frame(&s, FRAME_NATIVE, 0x4000, 10));

	assert_int_equal(symbol->count, 1);
	assert_null(symbol->frames[0].function);
	assert_null(symbol->frames[0].module);
	assert_int_equal(symbol->frames[0].offset, 0x4000);
	assert_non_null(strstr(resolver_missing(s.rs), "1 frame in no file"));
	scene_close(&s);
}

TEST(test_resolver_file_of_another_build_is_not_used)
{
	struct scene s = scene_of(program, "another!", NULL);
	const struct symbol *symbol = resolver_frame(s.rs, frame(&s, FRAME_NATIVE,
							BIAS + in_static, 10));

	assert_null(symbol->frames[0].function);
	assert_int_equal(symbol->frames[0].offset, in_static);
	assert_string_equal(symbol->frames[0].module, program);
	assert_non_null(strstr(resolver_missing(s.rs), "prog: no names and no lines for 1 frame:"));
	assert_non_null(strstr(resolver_missing(s.rs), "changed since it was recorded"));
	scene_close(&s);
}

TEST(test_resolver_module_loaded_later_at_same_address_is_told_apart)
{
	struct mktrace *t = mktrace_new();
	struct scene s;
	stack_id early, late;

	mk_process(t, 1, 100, "prog");
	map(t, 2, BIAS, "/nowhere/first.so", "");
	mk_module_unmap(t, 1, 50, BIAS);
	map(t, 60, BIAS, program, SUBJECT_BUILD_ID);
	s = scene_open(t, NULL);
	early = frame(&s, FRAME_NATIVE, BIAS + in_static, 10);
	late = stacks_child(s.stacks, early, 1, (struct frame){ .value = BIAS + in_static,
			    .type = FRAME_NATIVE }, 70);
	assert_string_equal(resolver_frame(s.rs, early)->frames[0].module, "/nowhere/first.so");
	assert_null(resolver_frame(s.rs, early)->frames[0].function);
	assert_string_equal(resolver_frame(s.rs, late)->frames[0].function, "own(int)");
	scene_close(&s);
}

TEST(test_resolver_stored_only_opens_no_files)
{
	const struct resolver_options options = { .stored_only = true };
	struct scene s = scene_of(program, SUBJECT_BUILD_ID, &options);
	const struct symbol *symbol = resolver_frame(s.rs, frame(&s, FRAME_NATIVE,
							BIAS + in_static, 10));

	assert_null(symbol->frames[0].function);
	assert_non_null(strstr(resolver_missing(s.rs), "not looked up"));
	scene_close(&s);
}

/* A recording that has FRAMES stored for "static" of PATH. */
static struct scene stored_scene(const char *path, uint8_t state,
				 const struct stored_frame *frames, uint32_t count)
{
	struct mktrace *t = mktrace_new();
	struct symbol_writer *w = symbol_writer_new();
	struct segment_header h = { .magic = SEGMENT_MAGIC, .kind = SEGMENT_SYMBOLS };
	size_t bytes;
	uint8_t *payload;

	mk_process(t, 1, 100, "prog");
	map(t, 2, BIAS, path, SUBJECT_BUILD_ID);
	symbol_writer_module(w, path, (const uint8_t *)SUBJECT_BUILD_ID,
			     SUBJECT_BUILD_ID_BYTES, state);
	symbol_writer_row(w, in_static, frames, count);
	symbol_writer_module(w, "/of/no/recording", NULL, 0, 1);
	symbol_writer_row(w, in_static, frames, count);
	payload = symbol_writer_finish(w, &bytes);
	h.committed = bytes;
	mk_raw(t, &h, payload);
	free(payload);
	symbol_writer_free(w);
	return scene_open(t, NULL);
}

TEST(test_resolver_stored_rows_work_without_the_file)
{
	static const struct stored_frame frames[] = {
		{ "_ZN3Foo5innerEv", "a.cc", 3, 0 }, { "outer", "a.cc", 9, 0x41 },
	};
	struct scene s = stored_scene("/gone/prog", 1, frames, 2);
	const struct symbol *symbol = resolver_frame(s.rs, frame(&s, FRAME_NATIVE,
							BIAS + in_static, 10));

	assert_int_equal(symbol->count, 2);
	assert_string_equal(symbol->frames[0].function, "Foo::inner()");
	assert_true(symbol->frames[0].is_inlined);
	assert_string_equal(symbol->frames[1].function, "outer");
	assert_int_equal(symbol->frames[1].line, 9);
	assert_int_equal(symbol->frames[0].into, 0);
	assert_int_equal(symbol->frames[1].into, 0x41);
	assert_string_equal(resolver_missing(s.rs), "");
	/* a place that is not stored, and no file to look into */
	symbol = resolver_frame(s.rs, frame(&s, FRAME_NATIVE, BIAS + in_inlined, 10));
	assert_null(symbol->frames[0].function);
	scene_close(&s);
}

TEST(test_resolver_stored_rows_come_before_the_file)
{
	static const struct stored_frame frames[] = { { "stored_name", "s.c", 4, 0 } };
	struct scene s = stored_scene(program, 1, frames, 1);

	assert_string_equal(resolver_frame(s.rs, frame(&s, FRAME_NATIVE, BIAS + in_static, 10))
			    ->frames[0].function, "stored_name");
	/* what is not stored comes from the file */
	assert_int_equal(resolver_frame(s.rs, frame(&s, FRAME_NATIVE, BIAS + in_inlined, 10))
			 ->count, 3);
	scene_close(&s);
}

TEST(test_resolver_file_with_more_completes_stored_rows)
{
	static const struct stored_frame frames[] = { { "exported", NULL, 0, 0 } };
	struct scene s = stored_scene(program, 3, frames, 1);
	const struct symbol *symbol = resolver_frame(s.rs, frame(&s, FRAME_NATIVE,
							BIAS + in_static, 10));

	assert_string_equal(symbol->frames[0].function, "own(int)");
	assert_int_equal(symbol->frames[0].line, 23);
	assert_string_equal(resolver_missing(s.rs), "");
	scene_close(&s);
}

TEST(test_resolver_stored_state_names_the_remedy_elsewhere)
{
	static const struct stored_frame frames[] = { { NULL, NULL, 0, 0 } };
	struct scene s = stored_scene("/gone/prog", 3, frames, 1);

	resolver_frame(s.rs, frame(&s, FRAME_NATIVE, BIAS + in_static, 10));
	assert_non_null(strstr(resolver_missing(s.rs), "prog: no names and no lines for 1 frame: "
			       "stripped: compile with -g"));
	scene_close(&s);
}

TEST(test_resolver_damaged_stored_rows_fall_back_to_the_file)
{
	struct mktrace *t = mktrace_new();
	struct segment_header h = { .magic = SEGMENT_MAGIC, .kind = SEGMENT_SYMBOLS,
				    .committed = 6 };
	struct scene s;

	mk_process(t, 1, 100, "prog");
	map(t, 2, BIAS, program, SUBJECT_BUILD_ID);
	mk_raw(t, &h, "\x01\xff\xff\xff\xff\x01");
	s = scene_open(t, NULL);
	assert_string_equal(resolver_frame(s.rs, frame(&s, FRAME_NATIVE, BIAS + in_static, 10))
			    ->frames[0].function, "own(int)");
	scene_close(&s);
}

/* ---- code made at run time ---- */

static void write_perf_map(unsigned pid, const char *text)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/perf-%u.map", folder, pid);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static struct mktrace *runtime_story(void)
{
	struct mktrace *t = mktrace_new();

	mk_process(t, 1, 100, "prog");
	mk_process(t, 2, 200, "other");
	mk_fork(t, 3, 300, 1, 5);
	return t;
}

static const struct symbol_frame *runtime_frame(struct scene *s, uint32_t image)
{
	struct frame f = { .value = 0x7000010, .type = FRAME_NATIVE };

	return &resolver_frame(s->rs, stacks_child(s->stacks, STACK_NONE, image, f, 10))->frames[0];
}

TEST(test_resolver_names_code_made_at_run_time_by_the_map_of_its_process)
{
	const struct resolver_options options = { .perf_map_folder = folder };
	struct scene s = scene_open(runtime_story(), &options);

	write_perf_map(100, "7000000 40 JS:*serve /app/a.js:7:1\nnonsense\n");
	assert_string_equal(runtime_frame(&s, 1)->function, "serve");
	assert_string_equal(runtime_frame(&s, 1)->file, "/app/a.js");
	assert_int_equal(runtime_frame(&s, 1)->line, 7);
	assert_null(runtime_frame(&s, 1)->module);
	/* another process's code at this address is other code; a child has its parent's */
	assert_null(runtime_frame(&s, 2)->function);
	assert_string_equal(runtime_frame(&s, 3)->function, "serve");
	assert_non_null(strstr(resolver_missing(s.rs), "1 frame in no file"));
	assert_non_null(strstr(resolver_missing(s.rs), "perf-PID.map: 1 line not understood"));
	scene_close(&s);
}

TEST(test_resolver_keeps_names_of_code_made_at_run_time_in_the_recording)
{
	const struct resolver_options making = { .perf_map_folder = folder };
	const struct resolver_options reading = { .stored_only = true };
	struct segment_header h = { .magic = SEGMENT_MAGIC, .kind = SEGMENT_SYMBOLS };
	struct scene s = scene_open(runtime_story(), &making);
	uint8_t *payload;
	size_t bytes;
	struct mktrace *t;

	write_perf_map(100, "7000000 40 ours\n");
	write_perf_map(200, "7000000 40 theirs\n");
	runtime_frame(&s, 1);
	runtime_frame(&s, 2);
	assert_int_equal(symbols_store(s.rs, s.stacks, &payload, &bytes, NULL, NULL), 0);
	scene_close(&s);
	subject_shell("rm '%s'/perf-*.map", folder);

	t = runtime_story();
	h.committed = bytes;
	mk_raw(t, &h, payload);
	free(payload);
	s = scene_open(t, &reading);
	assert_string_equal(runtime_frame(&s, 1)->function, "ours");
	assert_string_equal(runtime_frame(&s, 2)->function, "theirs");
	assert_string_equal(resolver_missing(s.rs), "");
	scene_close(&s);
}

TEST(test_resolver_shortens_names_on_request_and_keeps_the_full_ones)
{
	const struct resolver_options options = { .short_names = true };
	struct scene s = scene_of(program, SUBJECT_BUILD_ID, &options);
	const struct symbol *symbol = resolver_frame(s.rs, frame(&s, FRAME_NATIVE,
							BIAS + in_inlined, 10));

	assert_string_equal(symbol->frames[0].function, "shape::box<int>::area");
	assert_string_equal(symbol->frames[0].full_name, "shape::box<int>::area(char const*)");
	assert_string_equal(symbol->frames[2].function, "hidden");
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolver_frame_has_inlined_calls_innermost_first),
		cmocka_unit_test(test_resolver_same_place_is_looked_up_once),
		cmocka_unit_test(test_resolver_names_can_stay_mangled),
		cmocka_unit_test(test_resolver_special_frames_say_what_they_are),
		cmocka_unit_test(test_resolver_code_in_no_module_is_its_address),
		cmocka_unit_test(test_resolver_file_of_another_build_is_not_used),
		cmocka_unit_test(test_resolver_module_loaded_later_at_same_address_is_told_apart),
		cmocka_unit_test(test_resolver_stored_only_opens_no_files),
		cmocka_unit_test(test_resolver_stored_rows_work_without_the_file),
		cmocka_unit_test(test_resolver_stored_rows_come_before_the_file),
		cmocka_unit_test(test_resolver_file_with_more_completes_stored_rows),
		cmocka_unit_test(test_resolver_stored_state_names_the_remedy_elsewhere),
		cmocka_unit_test(test_resolver_damaged_stored_rows_fall_back_to_the_file),
		cmocka_unit_test(test_resolver_names_code_made_at_run_time_by_the_map_of_its_process),
		cmocka_unit_test(test_resolver_keeps_names_of_code_made_at_run_time_in_the_recording),
		cmocka_unit_test(test_resolver_shortens_names_on_request_and_keeps_the_full_ones),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
