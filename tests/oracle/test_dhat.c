/*
 * test_dhat.c - blocks, bytes and the maximum of live bytes are those of valgrind's
 * DHAT: in the summary, and for every call stack in the file of the report dhat. What
 * differs by construction is taken out: both runs see one environment (scrub.so),
 * valgrind frees nothing for the program at its end, and DHAT counts malloc(0) as one
 * byte. Call stacks are compared by file and address in it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/scrubbed.h"
#include "test.h"

struct dhat { long long bytes, blocks, max_bytes, max_blocks, end_bytes, end_blocks, deaths; };

static void read_pair(const char *text, const char *label, long long *bytes, long long *blocks)
{
	const char *line = strstr(text, label);

	assert_non_null(line);
	*bytes = number_after(line, ":");
	*blocks = number_after(line, " in ");
}

static struct dhat dhat_figures(const char *environment, const char *command)
{
	struct dhat d;
	char *words = scrubbed_words(environment, command, "dhat.maps");
	struct result r = run_shell("%s valgrind --tool=dhat --run-libc-freeres=no "
				    "--run-cxx-freeres=no --log-file=dhat.log --num-callers=400 "
				    "--show-below-main=yes --read-inline-info=no --trace-malloc=yes "
				    "--dhat-out-file=dhat.json %s && tail -n 12 dhat.log >&2", words,
				    command);
	struct result deaths = run_shell("grep -cE -e '-- (free|_Zd[al]P[a-zA-Z0-9_]*)[(]0x[1-9A-F]' "
					 "-e '-- realloc[(]0x[1-9A-F][0-9A-F]*,0[)]' dhat.log");

	if (!strstr(r.err, "Total:"))
		fail_msg("valgrind: %s", r.err);
	read_pair(r.err, "Total:", &d.bytes, &d.blocks);
	read_pair(r.err, "At t-gmax:", &d.max_bytes, &d.max_blocks);
	read_pair(r.err, "At t-end:", &d.end_bytes, &d.end_blocks);
	d.deaths = atoll(deaths.out);
	result_free(&deaths);
	result_free(&r);
	free(words);
	return d;
}

/* Blocks of zero bytes: DHAT takes each as one byte. */
static long long zero_blocks(void)
{
	char *csv = ask("sizes --format=csv --sort=size test.data");
	const char *line = strstr(csv, "\n0,");
	long long count = line ? atoll(line + 3) : 0;

	free(csv);
	return count;
}

static void equal(const char *command, const char *what, long long ours, long long dhat)
{
	if (ours != dhat)
		fail_msg("%s: %s: %lld, DHAT %lld", command, what, ours, dhat);
}

/* ---- call stack by call stack ---- */

/*
 * The call stack of point PP: "demo+1a4 demo+2b0 libc.so.6+27249". Allocating functions are
 * no part of it: valgrind's are its own, operator new is libstdc++'s here. Inlined calls
 * have the address of their caller's frame and count once. Behind _start valgrind goes on
 * into what is no code.
 */
static char *stack_key(const json_t *root, const json_t *pp, const struct maps *m)
{
	const json_t *ids = json_object_get(pp, "fs"), *frames = json_object_get(root, "ftbl");
	size_t group = 0, bytes;
	uint64_t last = 0;
	char *key = NULL;
	FILE *out = open_memstream(&key, &bytes);

	assert_non_null(out);
	for (size_t i = 0; i < json_array_size(ids); i++) {
		json_int_t id = json_integer_value(json_array_get(ids, i));
		const char *text = json_string_value(json_array_get(frames, (size_t)id));
		uint64_t address = strtoull(text, NULL, 16);
		const struct mapped *row = maps_find(m, address);
		bool is_inlined = i > group && address == last;

		if (strstr(text, "vgpreload") || (group == i && strstr(text, ": operator new"))) {
			group = i + 1;
			continue;
		}
		/* a function that calls itself has one address in two frames, and one number */
		for (size_t k = group; k < i && is_inlined; k++)
			is_inlined = json_integer_value(json_array_get(ids, k)) != id;
		if (is_inlined)
			continue;
		if (!row)
			break;
		group = i;
		last = address;
		fprintf(out, " %s+%" PRIx64, row->name, address - row->base);
	}
	fclose(out);
	return key;
}

/* Points of the file PATH by their call stack. */
static json_t *points_by_stack(const char *path, const char *maps_path)
{
	json_t *root = json_load_file(path, 0, NULL), *by_stack = json_object(), *pp;
	struct maps m = maps_read(maps_path);
	size_t i;

	assert_non_null(root);
	json_array_foreach(json_object_get(root, "pps"), i, pp) {
		char *key = stack_key(root, pp, &m);

		if (json_object_get(by_stack, key))
			fail_msg("%s: two points at%s", path, key);
		json_object_set(by_stack, key, pp);
		free(key);
	}
	json_decref(root);
	maps_free(&m);
	return by_stack;
}

/*
 * Every call stack of DHAT is one of ours, with the same figures, and the other way round.
 * LEFT_OUT: so many may differ in what was live at a maximum.
 */
static void compare_points(const char *command, const struct dhat *d, size_t left_out)
{
	static const char *const keys[] = { "tb", "tbk", "eb", "ebk", "mb", "mbk", "gb", "gbk" };
	json_t *theirs, *ours, *pp;
	const char *stack;
	size_t differing = 0;
	char *csv;

	free(ask("dhat --format=dhat --valgrind-max -o ours.json test.data"));
	ours = points_by_stack("ours.json", "test.maps");
	theirs = points_by_stack("dhat.json", "dhat.maps");
	json_object_foreach(theirs, stack, pp) {
		const json_t *own = json_object_get(ours, stack);
		bool differs = false;

		if (!own)
			fail_msg("%s: DHAT alone has%s", command, stack);
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			long long a = number_at(own, keys[i]), b = number_at(pp, keys[i]);

			differs |= a != b;
			if (a != b && (i < 4 || !left_out))
				fail_msg("%s: %s: %lld, DHAT %lld, at%s", command, keys[i], a, b, stack);
		}
		differing += differs;
	}
	assert_int_equal(json_object_size(ours), json_object_size(theirs));
	assert_in_range(differing, 0, left_out);
	json_decref(ours);
	json_decref(theirs);
	csv = ask("dhat test.data");
	equal(command, "deaths", number_after(csv, "deaths:  "), d->deaths);
	free(csv);
}

/*
 * SPREAD: by how many bytes the program's own maximum differs from run to run with
 * the addresses that it gets; 0 where it is deterministic.
 */
static void compare_spread(const char *environment, const char *command, long long spread)
{
	struct dhat d = dhat_figures(environment, command);
	long long zero;
	json_t *root;

	record_scrubbed(environment, command);
	root = summary("");
	zero = zero_blocks();
	equal(command, "blocks", number_at(root, "blocks"), d.blocks);
	equal(command, "bytes", number_at(root, "bytes") + zero, d.bytes);
	if (spread) {
		assert_in_range(llabs(d.max_bytes - number_at(root, "peak_bytes")), 0, spread);
	} else if (zero == 0) {
		equal(command, "max-live bytes", number_at(root, "peak_bytes"), d.max_bytes);
		equal(command, "max-live blocks", number_at(root, "peak_blocks"), d.max_blocks);
		equal(command, "bytes at end", number_at(root, "end_bytes"), d.end_bytes);
		equal(command, "blocks at end", number_at(root, "end_blocks"), d.end_blocks);
	} else {
		assert_in_range(d.max_bytes - number_at(root, "peak_bytes"), 0, zero);
	}
	compare_points(command, &d, spread ? 12 : 0);
	assert_nothing_lost(root);
	json_decref(root);
}

static void compare(const char *environment, const char *command)
{
	compare_spread(environment, command, 0);
}

TEST(test_c_examples_equal_dhat)
{
	char command[4096];

	compare("", built("examples/benchmark"));
	compare("", built("examples/alloc_size"));
	snprintf(command, sizeof(command), "%s 410000", built("examples/int_blocks"));
	compare("", command);
	snprintf(command, sizeof(command), "%s 5 20000", built("bench/pairs"));
	compare("", command);
	snprintf(command, sizeof(command), "%s 9 20000", built("bench/tree"));
	compare("", command);
}

TEST(test_cpp_program_equals_dhat)
{
	char command[4096];

	snprintf(command, sizeof(command), "%s 50", built("tests/subjects/exceptions"));
	compare("", command);
}

TEST(test_jq_equals_dhat)
{
	make_inputs();
	compare("", "/usr/bin/jq -c 'select(.n > 7) | .a' in.json");
}

TEST(test_sqlite3_equals_dhat)
{
	make_inputs();
	compare("", "/usr/bin/sqlite3 :memory: '.read in.sql'");
}

TEST(test_sed_equals_dhat)
{
	make_inputs();
	compare("", "/usr/bin/sed -n 's/text \\([0-9]*\\)/<\\1>/p' in.json");
}

TEST(test_awk_equals_dhat)
{
	make_inputs();
	compare("", "/usr/bin/awk -F, '{ n[$2] += length($3) } END { for (k in n) s += n[k]; "
		"print s }' in.json");
}

TEST(test_perl_equals_dhat)
{
	compare("PERL_HASH_SEED=0",
		"/usr/bin/perl -e 'my %h; $h{$_ % 97} .= \"x$_\" for 1..3000; "
		"print scalar(keys %h), \"\\n\"'");
}

#define PYTHON27 "/root/.pyenv/versions/2.7.18/bin/python2.7"

TEST(test_python27_equals_dhat)
{
	if (access(PYTHON27, X_OK) != 0) {
		/* no distribution has it any more; int_blocks is compared in its place */
		printf("no CPython 2.7 at %s\n", PYTHON27);
		return;
	}
	compare("PYTHONHASHSEED=0", PYTHON27 " -S -c 'print(len(range(20000)))'");
}

TEST(test_python3_equals_dhat)
{
	/* CPython's cache of type attributes keeps names alive by the types' addresses */
	compare_spread("PYTHONHASHSEED=0 PYTHONMALLOC=malloc",
		       "/usr/bin/python3 -S -c 'd = {i: str(i) for i in range(2000)}; "
		       "print(len(d))'", 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_c_examples_equal_dhat),
		LIVE_TEST(test_cpp_program_equals_dhat),
		LIVE_TEST(test_jq_equals_dhat),
		LIVE_TEST(test_sqlite3_equals_dhat),
		LIVE_TEST(test_sed_equals_dhat),
		LIVE_TEST(test_awk_equals_dhat),
		LIVE_TEST(test_perl_equals_dhat),
		LIVE_TEST(test_python27_equals_dhat),
		LIVE_TEST(test_python3_equals_dhat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
