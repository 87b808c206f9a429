/*
 * test_metadata.c - metadata records to tables: who ran what, which modules were
 * where, and when.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture/mktrace.h"
#include "test.h"

/* One test's recording; the fixture is set up empty for each. */
static struct mktrace *t;
static struct recording *r;

static int begin(void **state)
{
	(void)state;
	t = mktrace_new();
	r = NULL;
	return 0;
}

static int end(void **state)
{
	(void)state;
	recording_close(r);
	mktrace_free(t);
	return 0;
}

TEST(test_process_record_fills_the_image)
{
	mk_process(t, 1, 100, "/usr/bin/prog");
	r = mktrace_open(t);

	const struct image *im = recording_image(r, 1);

	assert_non_null(im);
	assert_int_equal(im->pid, 100);
	assert_int_equal(im->argc, 1);
	assert_string_equal(im->argv[0], "/usr/bin/prog");
	assert_null(im->argv[1]);
	assert_string_equal(im->exe, "/usr/bin/prog");
	assert_string_equal(im->cwd, "/");
	assert_string_equal(im->libc, "glibc 2.36");
	assert_true(im->features & FEATURE_GLIBC_MALLOC);
	assert_int_equal(im->initial_break, 0x555555560000);
	assert_int_equal(im->page_size, 4096);
	assert_true(im->is_described);
	assert_false(im->has_exit);
	assert_null(recording_image(r, 2));
	assert_null(recording_image_at(r, 99, 5));
}

/* A PROCESS record whose argv is BYTES long and ends in ARGV. */
static void process_with_argv(const char *argv, size_t bytes)
{
	uint8_t payload[256], *p = payload;
	struct segment_header h = { .kind = SEGMENT_META };
	uint8_t segment[512];
	struct meta_header m = { .magic = META_MAGIC, .kind = META_PROCESS };
	const uint64_t fields[] = { 1, 100, 1, 0, 0, 1, 0, 0 };

	for (size_t i = 0; i < 8; i++)
		p = varint_put(p, fields[i]);
	p = varint_put(p, bytes);
	memcpy(p, argv, bytes);
	p += bytes;
	m.bytes = (uint32_t)(p - payload);
	m.checksum = meta_checksum(m.kind, m.bytes, payload);
	memset(segment, 0, sizeof(segment));
	memcpy(segment, &m, sizeof(m));
	memcpy(segment + sizeof(m), payload, m.bytes);
	h.committed = META_SPAN(m.bytes);
	mk_raw(t, &h, segment);
	r = mktrace_open(t);
}

TEST(test_argv_is_split_at_nul_with_or_without_one_at_the_end)
{
	process_with_argv("sh\0-c\0\0exit", 11);
	assert_int_equal(r->images[0].argc, 4);
	assert_string_equal(r->images[0].argv[1], "-c");
	assert_string_equal(r->images[0].argv[2], "");
	assert_string_equal(r->images[0].argv[3], "exit");
	assert_string_equal(r->command, "sh -c '' exit");
}

TEST(test_argv_with_nul_at_the_end_has_no_empty_last_word)
{
	process_with_argv("ls\0-l\0", 6);
	assert_int_equal(r->images[0].argc, 2);
	/* fields that the record does not have are empty */
	assert_string_equal(r->images[0].exe, "");
	assert_int_equal(r->images[0].page_size, 4096);
}

TEST(test_images_of_one_pid_are_numbered_by_start)
{
	mk_image(t, 3, 100, 50, 0, PROCESS_STARTED, 300, 0, "python3");
	mk_image(t, 1, 100, 50, 0, PROCESS_STARTED, 100, 0, "sh");
	mk_image(t, 2, 100, 50, 0, PROCESS_STARTED, 200, 0, "pyenv");
	mk_image(t, 4, 200, 100, 0, PROCESS_STARTED, 250, 0, "sed");
	r = mktrace_open(t);
	assert_int_equal(recording_image(r, 1)->exec_number, 0);
	assert_int_equal(recording_image(r, 2)->exec_number, 1);
	assert_int_equal(recording_image(r, 3)->exec_number, 2);
	assert_int_equal(recording_image(r, 4)->exec_number, 0);
	/* an image ends where the next one of its pid begins */
	assert_int_equal(recording_image(r, 1)->end_stamp, 200);
	assert_int_equal(recording_image_at(r, 100, 199)->number, 1);
	assert_int_equal(recording_image_at(r, 100, 200)->number, 2);
	assert_int_equal(recording_image_at(r, 100, 50)->number, 1);
}

/* A started image of pid 7 whose process began at START_TIME. */
static void started_at(uint32_t image, uint64_t start_time, uint64_t stamp)
{
	mk_meta(t, META_PROCESS, "vvvvvvvvs", (uint64_t)image, (uint64_t)7, (uint64_t)0, (uint64_t)0,
		(uint64_t)PROCESS_STARTED, stamp, start_time, (uint64_t)0, "p");
}

TEST(test_images_of_one_pid_may_be_of_several_processes)
{
	/* in two pid namespaces at a time, each with an exec; then the pid is given away again */
	started_at(1, 500, 100);
	started_at(2, 501, 110);
	started_at(3, 501, 120);
	started_at(4, 500, 130);
	started_at(5, 600, 140);
	mk_image(t, 6, 8, 50, 0, PROCESS_STARTED, 100, 0, "other");
	r = mktrace_open(t);
	assert_int_equal(recording_image(r, 1)->process, 1);
	assert_int_equal(recording_image(r, 2)->process, 2);
	assert_int_equal(recording_image(r, 3)->process, 2);
	assert_int_equal(recording_image(r, 4)->process, 1);
	assert_int_equal(recording_image(r, 5)->process, 5);
	assert_true(recording_image(r, 1)->is_followed);
	assert_true(recording_image(r, 2)->is_followed);
	assert_false(recording_image(r, 3)->is_followed);
	assert_false(recording_image(r, 4)->is_followed);
	/* what --pid=PID:EXEC says stays one for each */
	assert_int_equal(recording_image(r, 3)->exec_number, 2);
	assert_int_equal(recording_image(r, 5)->exec_number, 4);
	for (uint32_t image = 1; image <= 5; image++)
		assert_true(recording_image(r, image)->shares_pid);
	assert_false(recording_image(r, 6)->shares_pid);
}

TEST(test_a_forked_image_and_one_behind_an_end_are_processes_of_their_own)
{
	mk_image(t, 1, 100, 50, 0, PROCESS_STARTED, 100, 0, "sh");
	mk_exit(t, 1, 150, 0);
	mk_image(t, 2, 100, 50, 0, PROCESS_STARTED, 200, 0, "ls");
	mk_image(t, 3, 100, 50, 2, PROCESS_FORKED, 300, 300, "");
	mk_image(t, 4, 100, 50, 0, PROCESS_STARTED, 400, 0, "cc");
	r = mktrace_open(t);
	assert_false(recording_image(r, 1)->is_followed);
	assert_int_equal(recording_image(r, 2)->process, 2);
	assert_int_equal(recording_image(r, 3)->process, 3);
	assert_true(recording_image(r, 2)->is_followed);
	assert_int_equal(recording_image(r, 4)->process, 2);
	assert_int_equal(recording_image(r, 3)->parent_image, 2);
}

TEST(test_parent_of_a_started_image_is_that_of_its_ppid_at_the_time)
{
	mk_image(t, 1, 100, 1, 0, PROCESS_STARTED, 100, 0, "sh");
	mk_image(t, 2, 100, 1, 0, PROCESS_STARTED, 200, 0, "make");
	mk_image(t, 3, 101, 100, 0, PROCESS_STARTED, 150, 0, "ls");
	mk_image(t, 4, 102, 100, 0, PROCESS_STARTED, 250, 0, "cc");
	/* exec'ed by the same pid: replaced, not parent, whatever the record says */
	mk_image(t, 5, 102, 100, 4, PROCESS_STARTED, 260, 0, "cc1");
	r = mktrace_open(t);
	assert_int_equal(recording_image(r, 1)->parent_image, 0);
	assert_int_equal(recording_image(r, 2)->parent_image, 0);
	assert_int_equal(recording_image(r, 3)->parent_image, 1);
	assert_int_equal(recording_image(r, 4)->parent_image, 2);
	assert_int_equal(recording_image(r, 5)->parent_image, 2);
}

TEST(test_parents_that_form_a_circle_are_cut)
{
	mk_image(t, 1, 100, 101, 2, PROCESS_FORKED, 10, 10, "a");
	mk_image(t, 2, 101, 100, 1, PROCESS_FORKED, 20, 20, "b");
	mk_image(t, 3, 102, 102, 3, PROCESS_FORKED, 30, 30, "c");
	r = mktrace_open(t);
	assert_int_equal(recording_image(r, 1)->parent_image, 0);
	assert_int_equal(recording_image(r, 2)->parent_image, 1);
	assert_int_equal(recording_image(r, 3)->parent_image, 0);
	assert_null(image_module(r, recording_image(r, 2), 0x1234, 25));
}

TEST(test_fork_child_runs_its_parents_program)
{
	mk_process(t, 1, 100, "/usr/bin/prog");
	mk_fork(t, 2, 101, 1, 50);
	r = mktrace_open(t);

	const struct image *child = recording_image(r, 2);

	assert_int_equal(child->how, PROCESS_FORKED);
	assert_int_equal(child->fork_stamp, 50);
	assert_int_equal(child->parent_image, 1);
	assert_string_equal(child->exe, "/usr/bin/prog");
	assert_string_equal(child->argv[0], "/usr/bin/prog");
}

TEST(test_module_is_in_force_from_map_to_unmap)
{
	mk_process(t, 1, 100, "prog");
	mk_module(t, 1, 10, 0x1000, 0x2000, "/lib/a.so");
	mk_module_unmap(t, 1, 20, 0x1000);
	mk_module(t, 1, 30, 0x1000, 0x3000, "/lib/b.so");
	r = mktrace_open(t);

	const struct image *im = recording_image(r, 1);

	assert_string_equal(image_module(r, im, 0x1000, 10)->path, "/lib/a.so");
	assert_string_equal(image_module(r, im, 0x1fff, 19)->path, "/lib/a.so");
	assert_string_equal(image_module(r, im, 0x1000, 30)->path, "/lib/b.so");
	assert_string_equal(image_module(r, im, 0x2fff, 1000)->path, "/lib/b.so");
	/* what runs before its map is noted belongs to it too */
	assert_string_equal(image_module(r, im, 0x1000, 25)->path, "/lib/b.so");
	assert_string_equal(image_module(r, im, 0x1000, 5)->path, "/lib/a.so");
	assert_null(image_module(r, im, 0x3000, 40));
}

TEST(test_module_records_may_come_in_any_order)
{
	mk_process(t, 1, 100, "prog");
	mk_module_unmap(t, 1, 20, 0x1000);
	mk_module(t, 1, 10, 0x1000, 0x2000, "/lib/a.so");
	r = mktrace_open(t);
	assert_int_equal(recording_image(r, 1)->maps[0].to_stamp, 20);
}

TEST(test_fork_child_finds_its_parents_modules_as_they_were_then)
{
	mk_process(t, 1, 100, "prog");
	mk_module(t, 1, 10, 0x1000, 0x2000, "/usr/bin/prog");
	mk_module_unmap(t, 1, 60, 0x1000);
	mk_fork(t, 2, 101, 1, 50);
	mk_module(t, 2, 70, 0x8000, 0x9000, "/lib/own.so");
	mk_image(t, 3, 102, 100, 1, PROCESS_STARTED, 55, 0, "other");
	r = mktrace_open(t);

	const struct image *child = recording_image(r, 2);

	assert_string_equal(image_module(r, child, 0x1100, 100)->path, "/usr/bin/prog");
	assert_string_equal(image_module(r, child, 0x8100, 100)->path, "/lib/own.so");
	/* exec brings nothing along */
	assert_null(image_module(r, recording_image(r, 3), 0x1100, 58));
}

TEST(test_same_file_in_two_images_is_one_module)
{
	mk_process(t, 1, 100, "prog");
	mk_process(t, 2, 101, "prog");
	mk_module(t, 1, 10, 0x1000, 0x2000, "/lib/libc.so.6");
	mk_module(t, 2, 10, 0x7000, 0x8000, "/lib/libc.so.6");
	mk_module(t, 2, 10, 0x9000, 0xa000, "/lib/libm.so.6");
	r = mktrace_open(t);
	assert_int_equal(r->module_count, 2);
	assert_int_equal(recording_image(r, 1)->maps[0].module,
			 recording_image(r, 2)->maps[0].module);
	assert_string_equal(r->modules[recording_image(r, 2)->maps[1].module].path,
			    "/lib/libm.so.6");
	assert_int_equal(r->modules[0].build_id_bytes, 8);
}

TEST(test_threads_are_found_by_number_with_their_last_name)
{
	mk_process(t, 1, 100, "prog");
	mk_thread(t, 1, 205, 30, "pool");
	mk_thread(t, 1, 203, 20, "first");
	mk_meta(t, META_THREAD_NAME, "vvvs", (uint64_t)1, (uint64_t)203, (uint64_t)40, "last");
	mk_meta(t, META_THREAD_NAME, "vvvs", (uint64_t)1, (uint64_t)203, (uint64_t)25, "middle");
	mk_thread_end(t, 1, 203, 50);
	r = mktrace_open(t);

	const struct image *im = recording_image(r, 1);

	assert_int_equal(im->thread_count, 3);
	assert_string_equal(image_thread(im, 203)->name, "last");
	assert_int_equal(image_thread(im, 203)->start_stamp, 20);
	assert_int_equal(image_thread(im, 203)->end_stamp, 50);
	assert_string_equal(image_thread(im, 205)->name, "pool");
	assert_int_equal(image_thread(im, 205)->end_stamp, 0);
	assert_int_equal(image_thread(im, 1)->tid, 100);
	assert_null(image_thread(im, 7));
}

TEST(test_status_of_the_recorder_beats_exit_of_the_program)
{
	mk_process(t, 1, 100, "prog");
	mk_process(t, 2, 101, "other");
	mk_exit(t, 1, 90, 0);
	mk_meta(t, META_EXIT, "vvzv", (uint64_t)2, (uint64_t)95, (int64_t)256 + 7,
		(uint64_t)1000);
	mk_meta(t, META_STATUS, "vvzvvvvv", (uint64_t)100, (uint64_t)99, (int64_t)9,
		(uint64_t)11, (uint64_t)12, (uint64_t)13, (uint64_t)14, (uint64_t)15);
	r = mktrace_open(t);
	assert_int_equal(recording_image(r, 1)->status, 9);
	assert_int_equal(recording_image(r, 1)->utime_us, 11);
	assert_int_equal(recording_image(r, 1)->maxrss_bytes, 13 * 1024);
	assert_int_equal(recording_image(r, 1)->end_stamp, 90);
	/* as wait(2) would have told it */
	assert_int_equal(recording_image(r, 2)->status, 7 << 8);
	assert_int_equal(recording_image(r, 2)->utime_us, 1000);
}

TEST(test_status_belongs_to_the_last_image_of_its_pid)
{
	mk_image(t, 1, 100, 1, 0, PROCESS_STARTED, 10, 0, "sh");
	mk_image(t, 2, 100, 1, 0, PROCESS_STARTED, 20, 0, "prog");
	mk_meta(t, META_STATUS, "vvz", (uint64_t)100, (uint64_t)99, (int64_t)9);
	r = mktrace_open(t);
	assert_false(recording_image(r, 1)->has_exit);
	assert_true(recording_image(r, 2)->has_exit);
	/* killed: it wrote no end itself */
	assert_int_equal(recording_image(r, 2)->end_stamp, 99);
}

TEST(test_samples_and_marks_find_the_image_of_their_moment)
{
	mk_image(t, 1, 100, 1, 0, PROCESS_STARTED, 10, 0, "sh");
	mk_image(t, 2, 100, 1, 0, PROCESS_STARTED, 20, 0, "prog");
	mk_memory(t, 100, 30, 3 << 20);
	mk_memory(t, 100, 15, 2 << 20);
	mk_memory(t, 555, 15, 2 << 20);
	mk_mark(t, 100, 25, "here");
	mk_mark(t, 0, 5, "session");
	r = mktrace_open(t);
	assert_int_equal(r->sample_count, 3);
	assert_int_equal(r->samples[0].image, 1);
	assert_int_equal(r->samples[1].image, 0);
	assert_int_equal(r->samples[2].image, 2);
	assert_int_equal(r->samples[2].rss, 3 << 20);
	assert_false(r->samples[2].has_parts);
	assert_string_equal(r->marks[0].name, "session");
	assert_int_equal(r->marks[0].image, 0);
	assert_int_equal(r->marks[1].image, 2);
}

TEST(test_session_the_last_record_is_right)
{
	mk_process(t, 1, 100, "prog");
	mk_meta(t, META_SESSION, "vvssvvvs", (uint64_t)1, (uint64_t)77, "prog", "/dev/shm/x",
		(uint64_t)100, (uint64_t)0, (uint64_t)0, "");
	mk_meta(t, META_SESSION, "vvssvvvs", (uint64_t)1, (uint64_t)77, "it's", "",
		(uint64_t)100, (uint64_t)500, (uint64_t)499, "--ring=1M");
	mk_meta(t, META_TOTALS, "vvvvvv", (uint64_t)8, (uint64_t)9, (uint64_t)LOSS_NO_SLOT,
		(uint64_t)5, (uint64_t)99, (uint64_t)6);
	r = mktrace_open(t);
	assert_null(r->ring_path);
	assert_string_equal(r->command, "'it'\\''s'");
	assert_string_equal(r->options_text, "--ring=1M");
	assert_int_equal(r->root_pid, 100);
	assert_int_equal(r->end_stamp, 500);
	assert_int_equal(r->wall_ns, 77);
	assert_int_equal(r->wall_duration_ns, 499);
	assert_int_equal(r->slots_drained, 8);
	assert_int_equal(r->losses[LOSS_NO_SLOT], 5);
}

TEST(test_settings_notes_faults_and_regions_are_kept)
{
	mk_process(t, 1, 100, "prog");
	mk_setting(t, 1, "PYTHONMALLOC", "malloc");
	mk_note(t, 1, 5, "a note");
	mk_meta(t, META_FAULT, "vvs", (uint64_t)0, (uint64_t)6, "a child is static");
	mk_meta(t, META_REGION, "vvvvvs", (uint64_t)1, (uint64_t)2, (uint64_t)0x7000,
		(uint64_t)0x8000, (uint64_t)3, "[stack]");
	mk_meta(t, META_REGION, "vvvvvs", (uint64_t)1, (uint64_t)2, (uint64_t)0x5000,
		(uint64_t)0x6000, (uint64_t)3, "[heap]");
	r = mktrace_open(t);

	const struct image *im = recording_image(r, 1);

	assert_string_equal(im->settings[0].key, "PYTHONMALLOC");
	assert_string_equal(im->settings[0].value, "malloc");
	assert_int_equal(r->note_count, 2);
	assert_false(r->notes[0].fault);
	assert_true(r->notes[1].fault);
	assert_string_equal(r->notes[1].text, "a child is static");
	assert_int_equal(im->region_count, 2);
	assert_string_equal(im->regions[0].name, "[heap]");
}

TEST(test_events_of_an_image_nobody_described_make_one)
{
	struct segment_header h = { .kind = SEGMENT_EVENTS, .image = 6, .pid = 60, .tid = 61,
				    .thread = 4, .first_stamp = 50, .last_stamp = 70,
				    .committed = 3 };

	mk_raw(t, &h, "\x0b\1\1");
	r = mktrace_open(t);

	const struct image *im = recording_image(r, 6);

	assert_non_null(im);
	assert_false(im->is_described);
	assert_int_equal(im->pid, 60);
	assert_int_equal(im->start_stamp, 50);
	assert_int_equal(im->end_stamp, 70);
	assert_int_equal(im->argc, 0);
	assert_string_equal(im->exe, "");
	assert_int_equal(image_thread(im, 4)->tid, 61);
}

TEST(test_records_of_unknown_kind_or_absurd_content_are_passed_over)
{
	mk_process(t, 1, 100, "prog");
	mk_meta(t, (enum meta_kind)200, "vvv", (uint64_t)1, (uint64_t)2, (uint64_t)3);
	mk_meta(t, META_MODULE_MAP, "vvvvz", (uint64_t)1, (uint64_t)2, (uint64_t)0x2000,
		(uint64_t)0x1000, (int64_t)0);
	/* fields end early: the rest is 0 */
	mk_meta(t, META_EXIT, "v", (uint64_t)1);
	mk_meta(t, META_THREAD_END, "");
	r = mktrace_open(t);
	assert_int_equal(recording_image(r, 1)->map_count, 0);
	assert_int_equal(recording_image(r, 1)->status, 0);
	assert_string_equal(r->damage, "");
}

#define CLAIMS_BYTES ((size_t)4 << 20)

/* Each of a quarter of a million headers claims all that follows: hours of checksums. */
TEST(test_headers_that_all_claim_the_rest_are_given_up_soon)
{
	struct segment_header h = { .kind = SEGMENT_META, .committed = CLAIMS_BYTES };
	struct meta_header *claims = calloc(1, CLAIMS_BYTES);

	assert_non_null(claims);
	for (size_t i = 0; i < CLAIMS_BYTES / sizeof(*claims); i++)
		claims[i] = (struct meta_header){
			.magic = META_MAGIC, .kind = META_NOTE,
			.bytes = (uint32_t)(CLAIMS_BYTES - (i + 1) * sizeof(*claims)),
		};
	mk_process(t, 1, 100, "prog");
	mk_raw(t, &h, claims);
	free(claims);
	r = mktrace_open(t);
	assert_int_equal(r->image_count, 1);
	assert_int_equal(r->note_count, 0);
	assert_string_equal(r->damage, "metadata whose checksums are wrong");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(test_process_record_fills_the_image),
		ROW(test_argv_is_split_at_nul_with_or_without_one_at_the_end),
		ROW(test_argv_with_nul_at_the_end_has_no_empty_last_word),
		ROW(test_images_of_one_pid_are_numbered_by_start),
		ROW(test_images_of_one_pid_may_be_of_several_processes),
		ROW(test_a_forked_image_and_one_behind_an_end_are_processes_of_their_own),
		ROW(test_parent_of_a_started_image_is_that_of_its_ppid_at_the_time),
		ROW(test_parents_that_form_a_circle_are_cut),
		ROW(test_fork_child_runs_its_parents_program),
		ROW(test_module_is_in_force_from_map_to_unmap),
		ROW(test_module_records_may_come_in_any_order),
		ROW(test_fork_child_finds_its_parents_modules_as_they_were_then),
		ROW(test_same_file_in_two_images_is_one_module),
		ROW(test_threads_are_found_by_number_with_their_last_name),
		ROW(test_status_of_the_recorder_beats_exit_of_the_program),
		ROW(test_status_belongs_to_the_last_image_of_its_pid),
		ROW(test_samples_and_marks_find_the_image_of_their_moment),
		ROW(test_session_the_last_record_is_right),
		ROW(test_settings_notes_faults_and_regions_are_kept),
		ROW(test_events_of_an_image_nobody_described_make_one),
		ROW(test_records_of_unknown_kind_or_absurd_content_are_passed_over),
		ROW(test_headers_that_all_claim_the_rest_are_given_up_soon),
#undef ROW
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
