/*
 * test_hostile.c - a recording that somebody else made: every name in it holds what a terminal, a
 * browser, gnuplot, a shell or a line of a file would obey. Every report in every format, and every
 * command, must show it as text.
 */
#include "test.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xmem.h"
#include "cli/command.h"
#include "fixture/mktrace.h"
#include "support/run.h"
#include "symbol/symbol_codec.h"

/* Title of the window, colour, C1 introducer in UTF-8 and bare, DEL, a bad sequence. */
#define TERMINAL "\033]0;t\007\033[31m\302\23331m\23331m\177\b\r\xff\xc3("
/* What ends a string, a tag, a comment, a section and an entity. */
#define MARKUP   "<script>alert(1)</script>\"'-->]]>&bad;</text></svg>"
/* What a shell and gnuplot run; a format; what ends a quoted string or begins one. */
#define COMMANDS "`touch pwned`$(touch pwned)'.system('touch pwned').'\\\"%n%s%{x}"
/* A line of its own in files that are read by lines. */
#define LINES    "\nINJECTED=1\nfn=(1) INJECTED\nsystem 'touch pwned'\n\nn0: 1 INJECTED\n,;\t12 34\n"
#define HOSTILE  TERMINAL MARKUP COMMANDS LINES

#define BIAS 0x400000
#define BUILD_ID "12345678"
#define AT(offset) (BIAS + (uint64_t)(offset))

static bool has_xmllint;
/* Outputs that showed such a name. */
static size_t shown;

/* ---- the recording ---- */

static void tell_symbols(struct mktrace *t)
{
	const struct stored_frame frames[] = {
		{ "inner" HOSTILE, "/src/" HOSTILE, 10, 0 }, { "outer" HOSTILE, "/src/b" HOSTILE, 20, 4 },
	};
	struct segment_header h = { .magic = SEGMENT_MAGIC, .kind = SEGMENT_SYMBOLS };
	struct symbol_writer *w = symbol_writer_new();
	uint8_t *payload;
	size_t bytes;

	symbol_writer_module(w, "/lib/" HOSTILE, (const uint8_t *)BUILD_ID, sizeof(BUILD_ID) - 1, 1);
	symbol_writer_row(w, 0x100, frames, 2);
	symbol_writer_row(w, 0x200, frames + 1, 1);
	payload = symbol_writer_finish(w, &bytes);
	h.committed = bytes;
	mk_raw(t, &h, payload);
	free(payload);
	symbol_writer_free(w);
}

static void tell_snapshot(struct mktrace *t, uint64_t stamp, enum memory_moment moment)
{
	static const char text[] =
		"00400000-00402000 r-xp 00000000 fe:01 9 /lib/" TERMINAL MARKUP COMMANDS "\nRss: 8 kB\n"
		"00100000-00142000 rw-p 00000000 00:00 0 [heap]\nRss: 40 kB\nPrivate_Dirty: 40 kB\n"
		"7f0000000000-7f0000200000 rw-p 00000000 00:00 0 [anon:" TERMINAL MARKUP "]\n"
		"Rss: 4 kB\n"
		"7f1000000000-7f1000200000 rw-s 00000000 00:05 7 /dev/shm/" COMMANDS " (deleted)\n"
		"Rss: 4 kB\n";

	mk_meta(t, META_SMAPS, "vvvsvvs", (uint64_t)100, stamp, (uint64_t)moment, HOSTILE, (uint64_t)0,
		(uint64_t)1, text);
	mk_memory(t, 100, stamp, 1 << 20);
}

static void tell_world(struct mktrace *t, const char *ring)
{
	mk_meta(t, META_SESSION, "vvssvvvs", (uint64_t)1, (uint64_t)1700000000000000000, HOSTILE, ring,
		(uint64_t)100, (uint64_t)900, (uint64_t)899, HOSTILE);
	mk_meta(t, META_MODULE_MAP, "vvvvzss", (uint64_t)1, (uint64_t)1, (uint64_t)BIAS,
		(uint64_t)BIAS + 0x2000, (int64_t)BIAS, "/lib/" HOSTILE, BUILD_ID);
	mk_module(t, 1, 2, BIAS + 0x10000, BIAS + 0x20000, HOSTILE);
	mk_setting(t, 1, HOSTILE, HOSTILE);
	mk_setting(t, 1, "GLIBC_TUNABLES", "glibc.malloc.tcache_count=" HOSTILE);
	mk_setting(t, 1, "MALLOC_ARENA_MAX", HOSTILE);
	mk_note(t, 1, 45, HOSTILE);
	mk_meta(t, META_FAULT, "vvs", (uint64_t)1, (uint64_t)46, HOSTILE);
	mk_mark(t, 100, 47, HOSTILE);
	mk_mark(t, 0, 48, HOSTILE);
	mk_meta(t, META_REGION, "vvvvvs", (uint64_t)1, (uint64_t)1, (uint64_t)0x100000, (uint64_t)0x142000,
		(uint64_t)3, "[heap]" HOSTILE);
	tell_snapshot(t, 49, MEMORY_AT_MARK);
	tell_snapshot(t, 800, MEMORY_AT_EXIT);
	tell_symbols(t);
}

static void tell_calls(struct mktrace *t, mk_stream s)
{
	for (uint64_t i = 0; i < 40; i++)
		mk_malloc(t, s, 50 + i, 0x100010 + 0x100 * i, 100 + i, AT(0x100), AT(0x200), BIAS + 0x10100);
	for (uint64_t i = 0; i < 10; i++)
		mk_free(t, s, 100 + i, 0x100010 + 0x100 * i);
	mk_malloc_mapped(t, s, 200, 0x7f0000000010, 1 << 20, AT(0x200));
	mk_failed(t, s, 210, FUNC_CALLOC, 12, 1ull << 40, 1ull << 40);
	mk_event_mark(t, s, 220, HOSTILE);
	mk_syscall(t, s, 230, SYS_MEM_mmap, MK_ARGS(0, 0x4000, 3, 0x22, -1ull, 0), 0x7f1000000000,
		   SYSCALL_BY_HOOK, AT(0x100));
	mk_syscall(t, s, 240, SYS_MEM_mremap, MK_ARGS(0x7f1000000000, 0x4000, 0x8000, 1, 0), 0x7f2000000000,
		   0, BIAS + 0x10200);
	mk_free(t, s, 250, 0xdead0000);
	mk_loss(t, s, 260, LOSS_NESTED, 3);
}

static struct mktrace *hostile(const char *ring)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, HOSTILE), thread, child;

	tell_world(t, ring);
	tell_calls(t, s);
	thread = mk_thread(t, 1, 101, 15, HOSTILE);
	mk_malloc(t, thread, 60, 0x130000, 64, AT(0x100));
	mk_meta(t, META_THREAD_NAME, "vvvs", (uint64_t)1, (uint64_t)101, (uint64_t)70, HOSTILE);
	child = mk_image(t, 2, 102, 100, 1, PROCESS_STARTED, 300, 0, HOSTILE);
	mk_malloc(t, child, 310, 0x5000, 64, 0x1100);
	mk_exit(t, 2, 320, 9);
	mk_exit(t, 1, 890, 0);
	return t;
}

/* ---- what may not be in an output ---- */

enum shape { SHAPE_TEXT, SHAPE_CSV, SHAPE_JSON, SHAPE_XML, SHAPE_FOLDED,
	     SHAPE_CALLGRIND, SHAPE_PICTURE };

static enum shape shape_of(const char *format)
{
	static const struct { const char *name; enum shape shape; } rows[] = {
		{ "csv", SHAPE_CSV }, { "json", SHAPE_JSON }, { "dhat", SHAPE_JSON },
		{ "speedscope", SHAPE_JSON }, { "svg", SHAPE_XML }, { "junit", SHAPE_XML },
		{ "folded", SHAPE_FOLDED }, { "callgrind", SHAPE_CALLGRIND }, { "png", SHAPE_PICTURE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].name, format) == 0)
			return rows[i].shape;
	return SHAPE_TEXT;
}

/* Control characters of one byte, and of two in UTF-8; bytes that belong to no character. */
static const char *control_in(const char *text, size_t bytes)
{
	const char *end = text + bytes;

	for (const char *p = text; p < end; p++) {
		unsigned char c = (unsigned char)*p;
		int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2 ? 1 : 0;

		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f || (c >= 0x80 && !more))
			return p;
		if (c == 0xc2 && p + 1 < end && (unsigned char)p[1] < 0xa0)
			return p;
		for (; more > 0; more--)
			if (++p >= end || (*p & 0xc0) != 0x80)
				return p;
	}
	return NULL;
}

static size_t occurrences(const char *text, const char *word)
{
	size_t count = 0;

	for (const char *p = text; (p = strstr(p, word)) != NULL; p++)
		count++;
	return count;
}

static void check_json(const char *words, const char *text)
{
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!root)
		fail_msg("%s: no JSON: line %d: %s", words, error.line, error.text);
	json_decref(root);
}

static void check_xml(const char *words, const char *text, size_t bytes)
{
	FILE *file = fopen("out.xml", "w");
	struct result r;

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, bytes, file), bytes);
	fclose(file);
	/* a picture may have one script: its own */
	if (strstr(text, "<script>alert") || occurrences(text, "<script") > 1)
		fail_msg("%s: a name is a tag", words);
	if (!has_xmllint)
		return;
	r = run_shell("xmllint --noout --nonet out.xml");
	if (r.status != 0)
		fail_msg("%s: no XML: %s", words, r.err);
	result_free(&r);
}

static size_t csv_fields(const char **at)
{
	bool is_quoted = false;
	size_t count = 1;
	const char *p = *at;

	for (; *p && (is_quoted || *p != '\n'); p++) {
		if (*p == '"')
			is_quoted = !is_quoted;
		else if (*p == ',' && !is_quoted)
			count++;
	}
	*at = *p ? p + 1 : p;
	return count;
}

static void check_csv(const char *words, const char *text)
{
	const char *at = text;
	size_t columns = csv_fields(&at);

	for (size_t row = 2; *at; row++)
		if (csv_fields(&at) != columns)
			fail_msg("%s: row %zu has other columns than the first", words, row);
}

static void check_line(const char *words, enum shape shape, const char *line)
{
	const char *last = strrchr(line, ' ');

	if (strncmp(line, "INJECTED", 8) == 0 || strncmp(line, "fn=(1) INJECTED", 15) == 0 ||
	    strncmp(line, "system", 6) == 0 || strncmp(line, "n0: 1 INJECTED", 14) == 0)
		fail_msg("%s: a name makes a line: %s", words, line);
	if (shape == SHAPE_FOLDED && *line && (!last || !last[1] || last[1 + strspn(last + 1, "0123456789")]))
		fail_msg("%s: no folded stack: %s", words, line);
	if (shape == SHAPE_CALLGRIND && *line && line[0] != '#' && !strchr("0123456789+-*", line[0]) &&
	    !line[strcspn(line, "=:")])
		fail_msg("%s: no line of callgrind: %s", words, line);
}

static void check_lines(const char *words, enum shape shape, const char *text)
{
	char *copy = xstrdup(text), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		check_line(words, shape, line);
	free(copy);
}

static void check_text(const char *words, enum shape shape, const char *text, size_t bytes)
{
	const char *bad;

	if (shape == SHAPE_PICTURE)
		return;
	bad = control_in(text, bytes);
	if (bad)
		fail_msg("%s: byte 0x%02x at %td behind: %.*s", words, (unsigned char)*bad, bad - text,
			 bad - text > 60 ? 60 : (int)(bad - text), bad - text > 60 ? bad - 60 : text);
	if (shape == SHAPE_JSON)
		check_json(words, text);
	else if (shape == SHAPE_CSV)
		check_csv(words, text);
	else if (shape == SHAPE_XML)
		check_xml(words, text, bytes);
	check_lines(words, shape, text);
}

/* Run allotrope WORDS (shell words); what it says must be tame, its status MOST at most. */
static void check_run(const char *words, enum shape shape, int most)
{
	struct result r = run_shell("LC_ALL=C.UTF-8 PAGER= COLUMNS=80 exec '%s' %s",
				    built("allotrope"), words);

	if (r.status < 0 || r.status > most)
		fail_msg("%s: status %d: %s", words, r.status, r.err);
	shown += strstr(r.out, "touch pwned") != NULL;
	if (r.out_bytes > 0)
		check_text(words, shape, r.out, r.out_bytes);
	check_text(words, SHAPE_TEXT, r.err, strlen(r.err));
	assert_int_not_equal(access("pwned", F_OK), 0);
	result_free(&r);
}

/* ---- tests ---- */

static void check_format(const char *form, const char *options, const char *format, const char *file)
{
	char *words = xasprintf("%s %s --format=%s %s", form, options, format, file);

	/* a gate may not hold; some files hold one program only */
	check_run(words, shape_of(format), strstr(options, "--all") ? 2 : 1);
	free(words);
}

static void check_form(const struct form *form, const char *options, const char *file)
{
	static const char *const common[] = {
		[EMIT_TEXT] = "text", [EMIT_CSV] = "csv", [EMIT_JSON] = "json",
	};

	for (unsigned i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (!(form->without & 1u << i))
			check_format(form->name, options, common[i], file);
	for (const struct form_format *f = form->formats; f && f->name; f++)
		if (!f->is_folder && (strcmp(form->name, "timeline") != 0 || found("gnuplot")))
			check_format(form->name, options, f->name, file);
}

/* What a report needs to be one. */
static const char *needed_by(const struct form *form)
{
	return strcmp(form->name, "check") == 0 ? "--max-peak=1K --max-in='total:*=1'" : "";
}

TEST(test_every_report_in_every_format)
{
	struct mktrace *t = hostile("");
	const char *file = mktrace_file(t);

	for (size_t i = 0; forms[i]; i++) {
		char *all = xasprintf("--all %s", needed_by(forms[i]));

		check_form(forms[i], needed_by(forms[i]), file);
		check_form(forms[i], all, file);
		free(all);
	}
	/* sizes and pictures need not */
	assert_true(shown >= 60);
	mktrace_free(t);
}

TEST(test_every_way_of_showing_names)
{
	static const char *const ways[] = {
		"sites --lifetimes --depth=0", "sites --wrappers=none --no-demangle", "sites --short-names",
		"leaks --kind=all", "temporary --age=1us", "ltrace -f -S -tt -i", "ltrace -c -S",
		"strace -f -k --cause -T", "strace -c", "threshold --each --all", "threshold --explain",
		"maps --list", "maps -x", "maps --sites", "maps --smaps", "maps --at=end",
		"maps --diff=start end", "tree --callers --kind=all", "tree --by=line",
		"flame --by=line --format=folded", "flame --by=line --format=svg",
		"flame --kind=all --inverted --format=svg", "massif --pages-as-heap",
		"dhat --at=peak", "summary --since=peak", "leaks --at=mark:none", "sites --since=mark:none",
		"sites --pid=7",
		"ltrace -e nothing", "sites --sort=nothing", "callgrind --all",
	};
	struct mktrace *t = hostile("");
	const char *file = mktrace_file(t);

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		char *words = xasprintf("%s %s", ways[i], file);

		check_run(words, strstr(ways[i], "=svg") ? SHAPE_XML :
			  strstr(ways[i], "=folded") ? SHAPE_FOLDED : SHAPE_TEXT, 3);
		free(words);
	}
	mktrace_free(t);
}

TEST(test_every_command)
{
	static const struct { const char *words; enum shape shape; } rows[] = {
		{ "info %s", SHAPE_TEXT }, { "info --format=json %s", SHAPE_JSON },
		{ "diff %s %s", SHAPE_TEXT }, { "diff --format=json %s %s", SHAPE_JSON },
		{ "diff --all --format=csv %s %s", SHAPE_CSV },
		{ "diff --form=sites --from=start %s", SHAPE_TEXT },
		{ "diff --form=sites --from=start --format=csv %s", SHAPE_CSV },
		{ "diff --form=sites --from=start --format=json %s", SHAPE_JSON },
		{ "diff --form=sizes --from=start %s", SHAPE_TEXT },
		{ "diff --form=flame --from=start %s", SHAPE_FOLDED },
		{ "diff --form=flame --from=start --format=svg %s", SHAPE_XML },
		{ "diff --from=mark:none %s", SHAPE_TEXT },
		{ "mark here %s", SHAPE_TEXT }, { "recover -o recovered.data %s", SHAPE_TEXT },
		{ "help %s", SHAPE_TEXT },
	};
	struct mktrace *t = hostile("");
	const char *file = mktrace_file(t);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *words = NULL;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		assert_true(asprintf(&words, rows[i].words, file, file) > 0);
#pragma GCC diagnostic pop
		check_run(words, rows[i].shape, 3);
		free(words);
	}
	mktrace_free(t);
}

TEST(test_a_recording_whose_recorder_was_killed)
{
	struct mktrace *t = hostile("/nowhere/" HOSTILE);
	const char *file = mktrace_unfinished(t);
	char *words = xasprintf("recover -o recovered.data %s", file);
	struct stat st;

	check_run(words, SHAPE_TEXT, 0);
	free(words);
	words = xasprintf("mark here %s", file);
	check_run(words, SHAPE_TEXT, 3);
	free(words);
	words = xasprintf("info %s", file);
	check_run(words, SHAPE_TEXT, 0);
	free(words);
	assert_int_equal(stat("recovered.data", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	check_run("info recovered.data", SHAPE_TEXT, 0);
	check_run("sites --all recovered.data", SHAPE_TEXT, 0);
	mktrace_free(t);
}

static char *file_text(const char *path)
{
	struct result r = run_shell("cat '%s'", path);

	free(r.err);
	return r.out;
}

TEST(test_what_is_written_for_gnuplot_runs_nothing_else)
{
	struct mktrace *t = hostile("");
	char *words = xasprintf("timeline --all --format=gnuplot -o plot %s", mktrace_file(t));
	char *script, *data;

	check_run(words, SHAPE_TEXT, 0);
	script = file_text("plot/timeline.gp");
	data = file_text("plot/timeline.dat");
	check_text("timeline.gp", SHAPE_TEXT, script, strlen(script));
	check_text("timeline.dat", SHAPE_TEXT, data, strlen(data));
	if (found("gnuplot")) {
		struct result r = run_shell("cd plot && gnuplot timeline.gp >picture 2>errors");

		assert_int_equal(r.status, 0);
		result_free(&r);
		assert_int_not_equal(access("plot/pwned", F_OK), 0);
		assert_int_not_equal(access("pwned", F_OK), 0);
	}
	free(script);
	free(data);
	free(words);
	mktrace_free(t);
}

TEST(test_names_of_files_are_shown_as_text)
{
	check_run("info $'\\e]0;t\\a\\e[31m\\x9b\\r.data'", SHAPE_TEXT, 3);
	check_run("sites $'\\e]0;t\\a\\e[31m\\x9b\\r.data'", SHAPE_TEXT, 3);
	check_run("diff $'\\e]0;t\\a' $'\\e[31m'", SHAPE_TEXT, 3);
	check_run("record -o $'\\e]0;t\\a/x' true", SHAPE_TEXT, 3);
	check_run("record $'\\e]0;t\\a/x'", SHAPE_TEXT, 127);
	check_run("$'\\e]0;t\\a'", SHAPE_TEXT, 3);
	check_run("sites $'--format=\\e]0;t\\a'", SHAPE_TEXT, 3);
	check_run("sites $'--sort=\\e]0;t\\a'", SHAPE_TEXT, 3);
	check_run("sites $'--no\\e]0;t\\a'", SHAPE_TEXT, 3);
	check_run("sites -a$'\\e'", SHAPE_TEXT, 3);
	check_run("record $'--no\\e]0;t\\a' true", SHAPE_TEXT, 3);
	check_run("diff $'-\\e]0;t\\a'", SHAPE_TEXT, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_every_report_in_every_format),
		LIVE_TEST(test_every_way_of_showing_names),
		LIVE_TEST(test_every_command),
		LIVE_TEST(test_a_recording_whose_recorder_was_killed),
		LIVE_TEST(test_what_is_written_for_gnuplot_runs_nothing_else),
		LIVE_TEST(test_names_of_files_are_shown_as_text),
	};

	has_xmllint = found("xmllint") != NULL;
	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
