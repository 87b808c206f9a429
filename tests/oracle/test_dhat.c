/*
 * test_dhat.c - blocks, bytes and the maximum of live bytes are those of valgrind's
 * DHAT. What differs by construction is taken out: both runs see one environment
 * (scrub.so), valgrind frees nothing for the program at its end, and DHAT counts
 * malloc(0) as one byte.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

struct dhat { long long bytes, blocks, max_bytes, max_blocks, end_bytes, end_blocks; };

static void read_pair(const char *text, const char *label, long long *bytes, long long *blocks)
{
	const char *line = strstr(text, label);

	assert_non_null(line);
	*bytes = number_after(line, ":");
	*blocks = number_after(line, " in ");
}

/* The program of COMMAND; a static buffer. */
static const char *first_word(const char *command)
{
	static char word[4096];

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(command, " "), command);
	return word;
}

static struct dhat dhat_figures(const char *environment, const char *command)
{
	struct dhat d;
	struct result r = run_shell("%s SCRUB=$(basename %s) LD_PRELOAD=%s valgrind --tool=dhat "
				    "--run-libc-freeres=no --run-cxx-freeres=no --log-file=dhat.log "
				    "--dhat-out-file=/dev/null %s && cat dhat.log >&2",
				    environment, first_word(command), built("tests/subjects/scrub.so"),
				    command);

	if (!strstr(r.err, "Total:"))
		fail_msg("valgrind: %s", r.err);
	read_pair(r.err, "Total:", &d.bytes, &d.blocks);
	read_pair(r.err, "At t-gmax:", &d.max_bytes, &d.max_blocks);
	read_pair(r.err, "At t-end:", &d.end_bytes, &d.end_blocks);
	result_free(&r);
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

/*
 * SPREAD: by how many bytes the program's own maximum differs from run to run with
 * the addresses that it gets; 0 where it is deterministic.
 */
static void compare_spread(const char *environment, const char *command, long long spread)
{
	struct dhat d = dhat_figures(environment, command);
	struct result r = run_shell("%s SCRUB=$(basename %s) LD_PRELOAD=%s %s record -q "
				    "-o test.data -- %s", environment, first_word(command),
				    built("tests/subjects/scrub.so"), built("allotrope"), command);
	long long zero;
	json_t *root;

	if (r.status != 0)
		fail_msg("%s: status %d: %s", command, r.status, r.err);
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
	assert_nothing_lost(root);
	json_decref(root);
	result_free(&r);
}

static void compare(const char *environment, const char *command)
{
	compare_spread(environment, command, 0);
}

static void make_inputs(void)
{
	struct result r = run_shell("for i in $(seq 300); do echo \"{\\\"n\\\":$i,\\\"s\\\":"
				    "\\\"text $i\\\",\\\"a\\\":[1,2,$i]}\"; done >in.json;"
				    "{ echo 'create table t(a,b);'; for i in $(seq 200); do echo "
				    "\"insert into t values($i,'row $i');\"; done; echo 'select "
				    "count(*),sum(a) from t group by a%%7;'; } >in.sql");

	assert_int_equal(r.status, 0);
	result_free(&r);
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
		LIVE_TEST(test_python3_equals_dhat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
