/*
 * test_symbols.c - names and lines of real recordings: stripped programs whose debug files
 * are elsewhere, servers of them, code made at run time, and reading where the program is gone.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/run.h"

static const char program[] =
	"#include <cstdlib>\n"
	"#include <vector>\n"
	"namespace shop {\n"
	"struct item { char text[100]; };\n"
	"struct cart {\n"
	"	std::vector<item> items;\n"
	"	__attribute__((noinline)) void add(int count)\n"
	"	{\n"
	"		for (int i = 0; i < count; i++)\n"
	"			items.push_back(item());\n"                   /* 10 */
	"	}\n"
	"};\n"
	"__attribute__((noinline)) static void *receipt()\n"
	"{\n"
	"	return malloc(54321);\n"                                      /* 15 */
	"}\n"
	"}\n"
	"int main()\n"
	"{\n"
	"	shop::cart c;\n"
	"	c.add(3);\n"
	"	return shop::receipt() == nullptr;\n"                         /* 22 */
	"}\n";

/* ./shop with debug information of FLAGS; the strip commands follow in a test. */
static void build(const char *flags)
{
	FILE *out = fopen("shop.cc", "w");
	struct result r;

	assert_non_null(out);
	fputs(program, out);
	fclose(out);
	r = run_shell("g++ -O1 -g -fno-builtin-malloc -static-libstdc++ -static-libgcc %s -o shop shop.cc",
		      flags);
	if (r.status != 0)
		fail_msg("%s", r.err);
	result_free(&r);
}

static void shell(const char *command)
{
	struct result r = run_shell("%s", command);

	if (r.status != 0)
		fail_msg("%s: %s", command, r.err);
	result_free(&r);
}

/* The row of the block of 54321 bytes has function and line, and those of its caller. */
static void assert_named(const char *options)
{
	char *text = ask("sites --sort=blocks --top=0 %s test.data", options);

	if (!strstr(text, "    shop::receipt() (shop.cc:15)\n      main (shop.cc:22)\n"))
		fail_msg("%s", text);
	if (!strstr(text, "shop::cart::add(int) (shop.cc:10)\n"))
		fail_msg("%s", text);
	free(text);
}

static void record_shop(const char *options)
{
	struct result r = record(options, "./shop");

	assert_int_equal(r.status, 0);
	result_free(&r);
}

#define STRIP "objcopy --only-keep-debug shop shop.debug && strip -s shop && "

TEST(test_a_debug_file_is_found_by_the_link_in_the_program)
{
	build("");
	shell(STRIP "objcopy --add-gnu-debuglink=shop.debug shop");
	record_shop("");
	assert_named("");
	shell("mkdir .debug && mv shop.debug .debug");
	record_shop("");
	assert_named("");
}

TEST(test_a_debug_file_is_found_by_build_id)
{
	if (access("/usr/lib/debug/.build-id", W_OK) != 0)
		SKIP("/usr/lib/debug/.build-id cannot be written");
	build("-Wl,--build-id=0xfe0123456789abcdef0123456789abcdef012345");
	shell(STRIP "mkdir -p /usr/lib/debug/.build-id/fe && "
	      "mv shop.debug /usr/lib/debug/.build-id/fe/0123456789abcdef0123456789abcdef012345.debug");
	record_shop("");
	shell("rm /usr/lib/debug/.build-id/fe/0123456789abcdef0123456789abcdef012345.debug; "
	      "rmdir /usr/lib/debug/.build-id/fe 2>/dev/null || :");
	/* and it is in the recording now */
	assert_named("");
}

TEST(test_debug_information_that_dwz_moved_to_a_shared_file_is_found)
{
	if (!found("dwz"))
		SKIP("dwz is not installed");
	build("-gdwarf-4");
	shell("cp shop other && dwz -m shared.debug -M \"$PWD/shared.debug\" shop other 2>/dev/null");
	shell("test -s shared.debug && readelf -S shop | grep -q gnu_debugaltlink");
	record_shop("");
	assert_named("");
	shell("objcopy --only-keep-debug shop shop.debug && strip -s shop && "
	      "objcopy --add-gnu-debuglink=shop.debug shop");
	record_shop("");
	assert_named("");
}

TEST(test_missing_debug_information_is_said_with_its_remedy)
{
	struct result r;

	build("");
	shell("strip -s shop");
	record_shop("");
	r = run_shell("%s sites --format=csv test.data", built("allotrope"));
	assert_non_null(strstr(r.out, ",shop+0x"));
	assert_non_null(strstr(r.err, ": stripped: compile with -g and do not strip\n"));
	result_free(&r);
}

TEST(test_debug_information_that_comes_later_completes_the_recording)
{
	build("");
	shell(STRIP ":");
	record_shop("");
	shell("objcopy --add-gnu-debuglink=shop.debug shop");
	assert_named("");
}

TEST(test_another_machine_shows_the_names_that_were_recorded)
{
	char *here, *there, *moved;

	build("");
	record_shop("");
	here = ask("sites --top=0 test.data");
	shell("mv shop gone && mv shop.cc away");
	there = ask("sites --top=0 test.data");
	assert_string_equal(here, there);
	shell("printf 'int main(void){return 0;}' > x.c && gcc -o shop x.c");
	moved = ask("sites --top=0 test.data");
	assert_string_equal(here, moved);
	free(here);
	free(there);
	free(moved);
}

TEST(test_short_names_leave_out_what_stands_beside_the_name)
{
	char *text, *plain;

	build("");
	record_shop("");
	text = ask("sites --short-names --top=0 test.data");
	assert_non_null(strstr(text, "    shop::receipt (shop.cc:15)\n"));
	assert_non_null(strstr(text, "std::vector<...>::push_back ("));
	assert_non_null(strstr(text, "shop::cart::add (shop.cc:10)\n"));
	assert_null(strstr(text, "void std::"));
	free(text);
	/* the allocation sites are the same ones */
	text = ask("sites --short-names --format=csv --top=0 test.data | cut -d, -f1-7");
	plain = ask("sites --format=csv --top=0 test.data | cut -d, -f1-7");
	assert_string_equal(text, plain);
	free(text);
	free(plain);
}

/* ---- servers ---- */

/* A server of the debug files in ./served that has shop's; its pid in ./server.pid. Returns its URL. */
static const char *start_server(void)
{
	static char url[64];
	struct result r = run_shell(
		"port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); "
		"s.bind((\"127.0.0.1\", 0)); print(s.getsockname()[1])'); id=$(readelf -n shop | "
		"sed -n 's/.*Build ID: //p'); "
		"debuginfod -v -F served -p $port -d :memory: >server.log 2>&1 & echo $! >server.pid; "
		"has_it() { exec 3<>/dev/tcp/127.0.0.1/$port && "
		"printf 'GET /buildid/%%s/debuginfo HTTP/1.0\r\n\r\n' $id >&3 && "
		"head -n 1 <&3 | grep -aq ' 200 '; } 2>/dev/null; "
		UNTIL_TRUE("has_it") "has_it && echo http://127.0.0.1:$port");

	if (r.status != 0)
		fail_msg("debuginfod has no file of shop's: %s", r.err);
	snprintf(url, sizeof(url), "%.*s", (int)strcspn(r.out, "\n"), r.out);
	result_free(&r);
	return url;
}

static void stop_server(void)
{
	struct result r = run_shell("kill $(cat server.pid); rm -rf cache");

	result_free(&r);
}

TEST(test_a_server_is_asked_where_that_is_wanted_and_only_there)
{
	char *text, options[128];
	const char *url;

	if (!found("debuginfod"))
		SKIP("debuginfod is not installed");
	build("");
	shell(STRIP "mkdir served && mv shop.debug served/");
	setenv("DEBUGINFOD_CACHE_PATH", "cache", 1);
	url = start_server();

	/* its servers are named, but nobody asked for them */
	setenv("DEBUGINFOD_URLS", url, 1);
	record_shop("");
	text = ask("sites test.data");
	assert_non_null(strstr(text, "shop+0x"));
	assert_null(strstr(text, "shop::receipt"));
	assert_int_not_equal(access("cache", F_OK), 0);
	free(text);

	assert_named("--debuginfod");
	unsetenv("DEBUGINFOD_URLS");
	shell("rm -rf cache");
	snprintf(options, sizeof(options), "--debuginfod=%s", url);
	record_shop(options);
	shell("mv served elsewhere; rm -rf cache");
	stop_server();
	assert_named("");
	unsetenv("DEBUGINFOD_CACHE_PATH");
}

TEST(test_a_server_that_does_not_answer_costs_the_names_only)
{
	struct result r;
	char *text;

	if (!found("debuginfod"))
		SKIP("debuginfod is not installed");
	build("");
	shell("strip -s shop");
	setenv("DEBUGINFOD_CACHE_PATH", "cache", 1);
	r = run_shell("%s record --debuginfod=http://127.0.0.1:1 -o test.data ./shop", built("allotrope"));
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.err, "debuginfod: cannot fetch debug information: "));
	result_free(&r);
	text = ask("sites --debuginfod=http://127.0.0.1:1 test.data");
	assert_non_null(strstr(text, "shop+0x"));
	assert_non_null(strstr(text, "note: debuginfod: cannot fetch debug information: "));
	free(text);
	unsetenv("DEBUGINFOD_CACHE_PATH");
}

TEST(test_debuginfod_without_a_server_is_a_usage_error)
{
	struct result r;

	unsetenv("DEBUGINFOD_URLS");
	r = run_shell("%s record --debuginfod -- touch started", built("allotrope"));
	assert_int_equal(r.status, 2);
	assert_non_null(strstr(r.err, "no server is named"));
	assert_int_not_equal(access("started", F_OK), 0);
	result_free(&r);
}

TEST(test_the_recorded_program_does_not_see_the_servers)
{
	struct result r;

	unsetenv("DEBUGINFOD_URLS");
	r = record("--debuginfod=http://127.0.0.1:1 --no-symbols", "env");
	assert_int_equal(r.status, 0);
	assert_null(strstr(r.out, "DEBUGINFOD"));
	result_free(&r);
}

/* ---- code made at run time ---- */

static void check_jit(const char *options)
{
	struct result r = record(options, "%s", built("tests/subjects/jit_map"));
	char *text;

	assert_int_equal(r.status, 0);
	/* the recording keeps what it needs of the map */
	text = ask("sites --format=csv test.data; rm /tmp/perf-%d.map", atoi(r.out));
	free(text);
	text = ask("sites --depth=2 test.data");
	assert_non_null(strstr(text, "    allocate (jit_map.c:"));
	if (!strstr(text, "      handleRequest (app.js:42)\n") || !strstr(text, "      work (jobs.py)\n"))
		fail_msg("%s", text);
	free(text);
	result_free(&r);
}

TEST(test_code_made_at_run_time_has_the_names_of_its_map)
{
	check_jit("");
	check_jit("--call-graph=fp");
}

TEST(test_frames_behind_code_made_at_run_time_need_frame_pointers)
{
	struct result r = record("--call-graph=fp", "%s", built("tests/subjects/jit_map"));
	char *text = ask("sites --depth=3 test.data; rm /tmp/perf-%d.map", atoi(r.out));

	assert_non_null(strstr(text, "      handleRequest (app.js:42)\n      main (jit_map.c:"));
	free(text);
	result_free(&r);
}

TEST(test_code_without_a_map_is_an_address_with_a_remedy)
{
	struct result r = record("", "%s no-map", built("tests/subjects/jit_map"));
	char *text = ask("sites --depth=2 test.data");

	assert_non_null(strstr(text, "      0x7"));
	assert_non_null(strstr(text, "code made at run time (node --perf-basic-prof"));
	free(text);
	result_free(&r);
}

TEST(test_node_shows_its_functions)
{
	struct result r;
	char *text;

	if (!found("node"))
		SKIP("node is not installed");
	r = run_shell("ldd \"$(command -v node)\" | grep -q libnode");
	if (r.status == 0) {
		/* Debian's: no stack by frame pointers passes it */
		printf("this node's library was built without frame pointers\n");
		result_free(&r);
		return;
	}
	result_free(&r);
	shell("printf 'function makeBuffers(n) {\\n\\tconst kept = [];\\n"
	      "\\tfor (let i = 0; i < n; i++)\\n\\t\\tkept.push(Buffer.alloc(54321));\\n"
	      "\\treturn kept;\\n}\\n"
	      "console.log(process.pid);\\nmakeBuffers(100);\\n' >app.js");
	r = record("--call-graph=fp", "node --perf-basic-prof --interpreted-frames-native-stack app.js");
	if (r.status != 0)
		SKIP("this node has no --perf-basic-prof");
	text = ask("sites --format=csv test.data | grep ';makeBuffers;' | head -n 1; rm -f /tmp/perf-%d.map",
		   atoi(r.out));
	assert_int_not_equal(*text, '\0');
	free(text);
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_a_debug_file_is_found_by_the_link_in_the_program),
		LIVE_TEST(test_a_debug_file_is_found_by_build_id),
		LIVE_TEST(test_debug_information_that_dwz_moved_to_a_shared_file_is_found),
		LIVE_TEST(test_missing_debug_information_is_said_with_its_remedy),
		LIVE_TEST(test_debug_information_that_comes_later_completes_the_recording),
		LIVE_TEST(test_another_machine_shows_the_names_that_were_recorded),
		LIVE_TEST(test_short_names_leave_out_what_stands_beside_the_name),
		LIVE_TEST(test_a_server_is_asked_where_that_is_wanted_and_only_there),
		LIVE_TEST(test_a_server_that_does_not_answer_costs_the_names_only),
		LIVE_TEST(test_debuginfod_without_a_server_is_a_usage_error),
		LIVE_TEST(test_the_recorded_program_does_not_see_the_servers),
		LIVE_TEST(test_code_made_at_run_time_has_the_names_of_its_map),
		LIVE_TEST(test_frames_behind_code_made_at_run_time_need_frame_pointers),
		LIVE_TEST(test_code_without_a_map_is_an_address_with_a_remedy),
		LIVE_TEST(test_node_shows_its_functions),
	};

	return cmocka_run_group_tests_name("symbols", tests, NULL, NULL);
}
