/*
 * test_maps.c - `maps` against pmap and smaps of the same process at the same moment.
 */
#include "test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/run.h"

#define needs(program) \
	do { \
		if (!found(program)) \
			SKIP("%s is not installed", program); \
	} while (0)

/*
 * Shell lines around a waiting program: $pid is its process, recorded in test.data. It sleeps: what it
 * touches between its word and its sleep is behind it.
 */
static struct result while_it_waits(const char *program, const char *commands)
{
	return run_shell("A='%s'; mkfifo in out; $A record -q -o test.data -- %s <in >out & "
			 "exec 3>in; read ready <out; pid=$(pgrep -n -P $!); "
			 UNTIL_TRUE("[ \"$(cut -d' ' -f3 /proc/$pid/stat)\" = S ]") "%s; echo >&3; "
			 "exec 3>&-; wait", built("allotrope"), program, commands);
}

TEST(test_a_living_process_prints_as_pmap_does)
{
	struct result r;

	needs("pmap");
	r = while_it_waits(built("tests/subjects/waits"),
			   "$A maps -x -p $pid >ours; pmap -x $pid >theirs; cmp ours theirs >&2 && "
			   "echo equal; wc -l <ours");
	assert_string_equal(r.err, "");
	assert_non_null(strstr(r.out, "equal\n"));
	result_free(&r);
}

TEST(test_a_mark_holds_what_pmap_shows_then)
{
	struct result r;

	needs("pmap");
	/* two looks at the ring's own pages may differ: recorder and library write to them */
	r = while_it_waits(built("tests/subjects/waits"),
			   "$A mark here test.data; pmap -x $pid >theirs");
	result_free(&r);
	r = run_shell("'%s' maps -x --at=mark:here test.data >ours; for f in ours theirs; do "
		      "grep -v -e '\\.ring$' -e '^total' $f >$f.rows; done; diff ours.rows theirs.rows "
		      ">&2; wc -l <ours.rows", built("allotrope"));
	assert_string_equal(r.err, "");
	assert_true(atoi(r.out) > 20);
	result_free(&r);
}

TEST(test_static_programs_and_the_shell_itself_are_shown)
{
	struct result r;

	needs("pmap");
	r = run_shell("A='%s'; %s -static -o s -x c - <<'END' || exit 99\n"
		      "#include <unistd.h>\nint main(void) { pause(); }\nEND\n"
		      "./s >/dev/null & pid=$!; "
		      UNTIL_TRUE("$A maps -x -p $pid >a; pmap -x $pid >b; grep -q '/s$' a && cmp -s a b")
		      "kill $pid; cmp a b && echo static; "
		      "$A maps -x -p $$ >a; pmap -x $$ >b; "
		      "head -1 a; cmp a b && echo shell", built("allotrope"), "gcc");
	if (r.status == 99) {
		result_free(&r);
		SKIP("no static libc here");
	}
	assert_non_null(strstr(r.out, "static\n"));
	/* the shell forks between the two looks, which may copy a page: its text rows agree at least */
	assert_non_null(strstr(r.out, "sh"));
	result_free(&r);
}

/* Interpreters, a server that writes its title where its arguments were, a name with blanks. */
TEST(test_programs_that_were_never_recorded_print_as_pmap_prints_them)
{
	/* a program, and what stands in pmap's first line when it is there */
	static const char *const programs[][2] = {
		{ "python3 -c 'import time; x = list(range(100000)); time.sleep(60)'", "time.sleep(60)$" },
		{ "redis-server --port 0 --unixsocket \"$PWD/socket\" --save ''", "unixsocket:/" },
		{ "bash -c 'exec -a \"a name  \" sleep 60'", ": *a name   60$" },
	};

	needs("pmap");
	needs("redis-server");
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		/* it may page something in between the looks: once they are the same */
		struct result r = run_shell(
			"%s >/dev/null 2>&1 & pid=$!; "
			UNTIL_TRUE("'%s' maps -x -p $pid >ours; pmap -x $pid >theirs; "
				   "head -n 1 theirs | grep -q '%s' && cmp -s ours theirs")
			"kill $pid; wait; diff ours theirs; head -n 1 theirs | grep -q '%s' && wc -l <ours",
			programs[i][0], built("allotrope"), programs[i][1], programs[i][1]);

		if (atoi(r.out) < 20 || *r.err)
			fail_msg("%s: %s%s", programs[i][0], r.out, r.err);
		result_free(&r);
	}
}

TEST(test_a_process_that_cannot_be_read_is_said_so)
{
	struct result r = run_shell("sleep 0 & pid=$!; wait; '%s' maps -p $pid", built("allotrope"));

	assert_int_equal(r.status, 3);
	assert_non_null(strstr(r.err, "there is no process"));
	assert_string_equal(r.out, "");
	result_free(&r);
	if (!found("setpriv") || geteuid() != 0)
		return;
	r = run_shell("sleep 60 & pid=$!; cp '%s' /tmp/maps.$$; chmod 755 /tmp/maps.$$; "
		      "setpriv --reuid=65534 --regid=65534 --clear-groups /tmp/maps.$$ maps -p $pid; "
		      "status=$?; kill $pid; rm /tmp/maps.$$; exit $status", built("allotrope"));
	assert_int_equal(r.status, 3);
	assert_non_null(strstr(r.err, "another user's process?"));
	assert_string_equal(r.out, "");
	result_free(&r);
}

/* A thread's stack and its guard page are one mapping. */
TEST(test_stacks_of_threads_are_counted_once)
{
	struct result r = record("", "%s", built("examples/arenas"));
	char *text;

	result_free(&r);
	text = ask("maps --top=0 --at=mark:full test.data");
	assert_null(strstr(text, " 0 x "));
	assert_non_null(strstr(text, "     8.0 MiB         1 x  pthread_create"));
	assert_non_null(strstr(text, "     4.0 KiB    (a part)  pthread_create"));
	free(text);
	text = ask("maps --sites --format=csv --at=mark:full test.data");
	assert_non_null(strstr(text, "\nmapping,4,33570816,"));
	free(text);
}

static json_t *rows_of(const char *options)
{
	char *text = ask("maps --format=json %s test.data", options);
	json_t *rows = json_loads(text, 0, NULL);

	assert_non_null(rows);
	free(text);
	return rows;
}

/* Of the rows of TYPE (NULL: all) the sum of KEY. */
static long long sum(const json_t *rows, const char *type, const char *key)
{
	long long v = 0;
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (!type || strcmp(json_string_value(json_object_get(row, "type")), type) == 0)
			v += number_or_zero(row, key);
	return v;
}

TEST(test_what_is_live_and_its_overhead_lies_in_the_mappings)
{
	struct result r = record("", "/usr/bin/python3 -c 'x = [bytes(i) for i in range(3000)]'");
	json_t *all = summary("--until=end"), *rows;

	result_free(&r);
	rows = rows_of("--at=end");
	/* every block that is live at the end lies in a mapping that the kernel showed */
	assert_int_equal(sum(rows, NULL, "live_bytes"), number_at(all, "end_bytes"));
	assert_int_equal(sum(rows, NULL, "live_blocks"), number_at(all, "end_blocks"));
	assert_true(sum(rows, "heap (break)", "live_bytes") +
			    sum(rows, "heap (break)", "overhead_bytes") <=
		    sum(rows, "heap (break)", "size"));
	json_decref(rows);
	json_decref(all);
}

TEST(test_of_one_gibibyte_one_page_was_touched)
{
	struct result r = record("", "%s", built("examples/demand_paging"));
	char *touched, *asked, *freed;

	result_free(&r);
	asked = ask("maps --sites --format=csv --at=mark:asked --top=1 test.data");
	touched = ask("maps --sites --format=csv --at=mark:touched --top=1 test.data");
	freed = ask("maps --sites --format=csv --at=mark:freed --top=1 test.data");
	/* malloc writes the block's size before it: on the page of the first byte */
	assert_non_null(strstr(asked, "\nheap,1,1073741824,4080,1073737744,main,"));
	assert_non_null(strstr(touched, "\nheap,1,1073741824,8176,1073733648,main,"));
	assert_null(strstr(freed, "1073741824"));
	/* the same by the other report */
	free(asked);
	asked = ask("sites --touched=mark:touched --format=csv --top=1 test.data");
	assert_string_equal(asked, touched);
	free(touched);
	free(asked);
	free(freed);
}

/* smaps of the mapping itself says the same as the pages of its block. */
TEST(test_touched_equals_the_rss_of_smaps)
{
	struct result r = record("", "%s", built("examples/demand_paging"));
	json_t *rows;

	result_free(&r);
	rows = rows_of("--at=mark:touched");
	assert_int_equal(sum(rows, "malloc mapping", "rss"), 8192);
	assert_int_equal(sum(rows, "malloc mapping", "live_bytes"), 1 << 30);
	json_decref(rows);
}

TEST(test_a_static_program_is_recorded_from_outside)
{
	struct result r = run_shell("gcc -static -O1 -o s -x c - <<'END' || exit 99\n"
				    "#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n"
				    "int main(void) { char *p = malloc(30 << 20); memset(p, 1, 30 << 20); "
				    "sleep(1); return p[5] + 2; }\nEND\n"
				    "exec '%s' record --no-preload --memory-interval=20ms "
				    "-o test.data ./s", built("allotrope"));
	char *text;

	if (r.status == 99) {
		result_free(&r);
		SKIP("no static libc here");
	}
	assert_int_equal(r.status, 3);
	assert_non_null(strstr(r.err, "1 process seen from outside"));
	result_free(&r);
	text = ask("maps --smaps --at=end test.data");
	assert_true(number_after(text, "Rss") > 30 << 10);
	free(text);
	text = ask("timeline --format=csv --points=10 test.data");
	assert_non_null(strstr(text, ",0,0,0,0,0,0,3"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_a_living_process_prints_as_pmap_does),
		LIVE_TEST(test_a_mark_holds_what_pmap_shows_then),
		LIVE_TEST(test_static_programs_and_the_shell_itself_are_shown),
		LIVE_TEST(test_programs_that_were_never_recorded_print_as_pmap_prints_them),
		LIVE_TEST(test_a_process_that_cannot_be_read_is_said_so),
		LIVE_TEST(test_stacks_of_threads_are_counted_once),
		LIVE_TEST(test_what_is_live_and_its_overhead_lies_in_the_mappings),
		LIVE_TEST(test_of_one_gibibyte_one_page_was_touched),
		LIVE_TEST(test_a_static_program_is_recorded_from_outside),
		LIVE_TEST(test_touched_equals_the_rss_of_smaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
