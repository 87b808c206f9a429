/*
 * test_leaks.c - what is live at the end is what valgrind's memcheck finds, stack by stack, and
 * suppressions hold for the same blocks as in valgrind and LeakSanitizer. Reachability is
 * not known to allotrope: memcheck shows all kinds, and libc frees nothing for the program at
 * its end. Stacks are compared by file and line (without them by object) up to main: symbols have
 * several names. Our thread-local storage makes each thread's table of such 16 bytes longer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

#define STACKS_MAX 20000

struct leak { char *stack; long long blocks, bytes; };
struct leaks { struct leak *items; size_t count; long long blocks, bytes; };

static void leaks_add(struct leaks *l, char *stack, long long blocks, long long bytes)
{
	if (!l->items)
		l->items = calloc(STACKS_MAX, sizeof(*l->items));
	assert_non_null(l->items);
	assert_in_range(l->count, 0, STACKS_MAX - 1);
	l->items[l->count++] = (struct leak){ stack, blocks, bytes };
	l->blocks += blocks;
	l->bytes += bytes;
}

static int compare_leaks(const void *a, const void *b)
{
	return strcmp(((const struct leak *)a)->stack, ((const struct leak *)b)->stack);
}

/* One for each stack, sorted. */
static void leaks_merge(struct leaks *l)
{
	size_t kept = 0;

	if (l->count)
		qsort(l->items, l->count, sizeof(*l->items), compare_leaks);
	for (size_t i = 0; i < l->count; i++) {
		if (kept && strcmp(l->items[kept - 1].stack, l->items[i].stack) == 0) {
			l->items[kept - 1].blocks += l->items[i].blocks;
			l->items[kept - 1].bytes += l->items[i].bytes;
			free(l->items[i].stack);
		} else {
			l->items[kept++] = l->items[i];
		}
	}
	l->count = kept;
}

static void leaks_release(struct leaks *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i].stack);
	free(l->items);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "libz.so" of a path with a version: links and what they point to are one. */
static void print_object(FILE *f, const char *path)
{
	const char *base = base_name(path), *so = strstr(base, ".so");

	fprintf(f, "%.*s", so ? (int)(so + 3 - base) : (int)strlen(base), base);
}

/* Frames behind these are not compared: clone and what starts a program have many names. */
static int is_outermost(const char *function)
{
	return strcmp(function, "main") == 0 || strcmp(function, "start_thread") == 0 ||
	       strcmp(function, "__libc_start_call_main") == 0 || strcmp(function, "(below main)") == 0;
}

/* ---- memcheck ---- */

/* What stands in the first <TAG> of TEXT before END; "" where there is none. A static buffer, four alive. */
static const char *element(const char *text, const char *end, const char *tag)
{
	static char buffers[4][4096];
	static unsigned turn;
	char *out = buffers[turn++ % 4];
	char open[32];
	const char *from, *to;

	snprintf(open, sizeof(open), "<%s>", tag);
	*out = '\0';
	from = strstr(text, open);
	if (!from || from >= end)
		return out;
	from += strlen(open);
	to = strchr(from, '<');
	snprintf(out, sizeof(buffers[0]), "%.*s", (int)(to - from), from);
	return out;
}

/* The frames of an <error> behind the allocator's, up to main. */
static char *memcheck_stack(const char *text, const char *end)
{
	const char *stack_end = strstr(text, "</stack>");
	char *out = NULL;
	size_t bytes;
	FILE *f = open_memstream(&out, &bytes);

	assert_non_null(stack_end);
	assert_true(stack_end < end);
	while ((text = strstr(text, "<frame>")) != NULL && text < stack_end) {
		const char *frame_end = strstr(text, "</frame>");
		const char *file = element(text, frame_end, "file");
		const char *object = element(text, frame_end, "obj");

		if (*file)
			fprintf(f, "%s:%s;", file, element(text, frame_end, "line"));
		else if (!strstr(object, "/vgpreload_")) {
			print_object(f, object);
			putc(';', f);
		}
		if (is_outermost(element(text, frame_end, "fn")))
			break;
		text = frame_end;
	}
	fclose(f);
	return out;
}

static long long plain_number(const char *text)
{
	long long n = 0;

	for (; *text == ',' || (*text >= '0' && *text <= '9'); text++)
		if (*text != ',')
			n = n * 10 + (*text - '0');
	return n;
}

static struct leaks memcheck_leaks(const char *environment, const char *command, const char *program)
{
	struct result r = run_shell("%s SCRUB=%s LD_PRELOAD=%s valgrind --leak-check=full "
				    "--show-leak-kinds=all --leak-resolution=high --num-callers=500 "
				    "--run-libc-freeres=no --run-cxx-freeres=no --xml=yes "
				    "--xml-file=memcheck.xml %s >/dev/null 2>&1; cat memcheck.xml",
				    environment, program, built("tests/subjects/scrub.so"), command);
	struct leaks l = { 0 };
	const char *p = r.out;

	if (!strstr(r.out, "</valgrindoutput>"))
		fail_msg("valgrind: %s %s", command, r.err);
	while ((p = strstr(p, "<error>")) != NULL) {
		const char *end = strstr(p, "</error>");
		const char *what = element(p, end, "text");
		const char *direct = strstr(what, "(");

		/* "128 (32 direct, 96 indirect) bytes in 1 blocks": the indirect have their own record */
		if (strncmp(element(p, end, "kind"), "Leak_", 5) == 0)
			leaks_add(&l, memcheck_stack(p, end), atoll(element(p, end, "leakedblocks")),
				  plain_number(direct && strstr(what, " direct") ? direct + 1 : what));
		p = end;
	}
	result_free(&r);
	leaks_merge(&l);
	return l;
}

/* ---- ours ---- */

/* The allocator's own function for valgrind, a frame like others in a recording. */
static int is_replaced(const json_t *frame)
{
	return strncmp(json_string_value(json_object_get(frame, "function")), "operator new", 12) == 0;
}

static char *our_stack(const json_t *frames)
{
	char *out = NULL;
	size_t bytes, i;
	FILE *f = open_memstream(&out, &bytes);
	json_t *frame;

	json_array_foreach(frames, i, frame) {
		const char *file = json_string_value(json_object_get(frame, "file"));
		const char *module = json_string_value(json_object_get(frame, "module"));
		const char *function = json_string_value(json_object_get(frame, "function"));

		if (i == 0 && is_replaced(frame))
			continue;
		if (file && json_is_integer(json_object_get(frame, "line")))
			fprintf(f, "%s:%lld;", base_name(file),
				(long long)json_integer_value(json_object_get(frame, "line")));
		else {
			print_object(f, module ? module : "");
			putc(';', f);
		}
		if (is_outermost(function))
			break;
	}
	fclose(f);
	return out;
}

static void record_scrubbed(const char *environment, const char *command, const char *program)
{
	struct result r = run_shell("%s SCRUB=%s LD_PRELOAD=%s %s record -q -o test.data -- %s",
				    environment, program, built("tests/subjects/scrub.so"),
				    built("allotrope"), command);
	json_t *root;

	if (r.status != 0)
		fail_msg("%s: status %d: %s", command, r.status, r.err);
	result_free(&r);
	root = summary("");
	assert_nothing_lost(root);
	json_decref(root);
}

static struct leaks our_leaks(const char *options)
{
	char *text = ask("leaks --format=json --wrappers=none %s test.data", options);
	json_t *rows = json_loads(text, 0, NULL), *row;
	struct leaks l = { 0 };
	size_t i;

	assert_non_null(rows);
	json_array_foreach(rows, i, row) {
		long long blocks = number_at(row, "blocks");
		long long extra = strstr(json_string_value(json_object_get(row, "stack")), "allocate_dtv;") ?
				  16 * blocks : 0;

		leaks_add(&l, our_stack(json_object_get(row, "frames")), blocks,
			  number_at(row, "bytes") - extra);
	}
	leaks_merge(&l);
	json_decref(rows);
	free(text);
	return l;
}

/* ---- comparison ---- */

static void print_leak(const char *who, const struct leaks *l, size_t i)
{
	if (i < l->count)
		printf("%s: %lld blocks, %lld bytes: %s\n", who, l->items[i].blocks, l->items[i].bytes,
		       l->items[i].stack);
}

static void leaks_equal(const char *command, const struct leaks *ours, const struct leaks *theirs)
{
	printf("%.60s: %lld blocks, %lld bytes, %zu stacks; memcheck %lld, %lld, %zu\n", command,
	       ours->blocks, ours->bytes, ours->count, theirs->blocks, theirs->bytes, theirs->count);
	for (size_t i = 0; i < ours->count || i < theirs->count; i++) {
		const struct leak *a = &ours->items[i], *b = &theirs->items[i];

		if (i < ours->count && i < theirs->count && strcmp(a->stack, b->stack) == 0 &&
		    a->blocks == b->blocks && a->bytes == b->bytes)
			continue;
		print_leak("ours", ours, i);
		print_leak("memcheck", theirs, i);
		fail_msg("%s: stack %zu differs", command, i);
	}
	assert_int_equal(ours->blocks, theirs->blocks);
	assert_int_equal(ours->bytes, theirs->bytes);
}

static void compare(const char *environment, const char *command)
{
	char program[256];
	struct leaks ours, theirs;

	snprintf(program, sizeof(program), "%.*s", (int)strcspn(base_name(command), " "),
		 command[0] == '/' ? strrchr(strndupa(command, strcspn(command, " ")), '/') + 1 : command);
	theirs = memcheck_leaks(environment, command, program);
	record_scrubbed(environment, command, program);
	ours = our_leaks("");
	assert_true(theirs.blocks > 0);
	leaks_equal(command, &ours, &theirs);
	leaks_release(&ours);
	leaks_release(&theirs);
}

TEST(test_c_program_leaks_what_memcheck_finds)
{
	compare("", built("tests/subjects/leaks"));
}

TEST(test_cpp_program_leaks_what_memcheck_finds)
{
	compare("", built("tests/subjects/leaks_cxx"));
}

TEST(test_libc_keeps_what_memcheck_finds)
{
	compare("", built("tests/subjects/libc_keeps"));
}

TEST(test_awk_leaks_what_memcheck_finds)
{
	compare("", "/usr/bin/awk 'BEGIN { for (i = 0; i < 200; i++) a[i % 17] = a[i % 17] \"x\" i }'");
}

TEST(test_perl_leaks_what_memcheck_finds)
{
	compare("PERL_HASH_SEED=0",
		"/usr/bin/perl -e 'my %h; $h{$_ % 97} .= \"x$_\" for 1..1000; print scalar(keys %h)'");
}

TEST(test_sed_leaks_what_memcheck_finds)
{
	compare("", "/usr/bin/sed -n 's/\\(a*\\)b/<\\1>/p' /etc/passwd");
}

/* ---- suppressions ---- */

/* Every leak of the program, as valgrind itself would suppress it. */
TEST(test_suppressions_that_valgrind_generates_suppress_all)
{
	static const char *const programs[] = { "tests/subjects/leaks", "tests/subjects/leaks_cxx" };

	for (int i = 0; i < 2; i++) {
		struct result r = run_shell("valgrind --leak-check=full --show-leak-kinds=all "
					    "--gen-suppressions=all --run-libc-freeres=no "
					    "--run-cxx-freeres=no %s 2>&1 | grep -v '^==' >all.supp; "
					    "grep -c fun: all.supp", built(programs[i]));
		struct leaks l;

		assert_true(atoi(r.out) > 10);
		result_free(&r);
		r = record("", "%s", built(programs[i]));
		result_free(&r);
		l = our_leaks("--suppressions=all.supp");
		if (l.count)
			fail_msg("%s: not suppressed: %s", programs[i], l.items[0].stack);
		leaks_release(&l);
	}
}

static const char *const valgrind_locations[] = {
	"fun:malloc\nfun:lose_blocks", "fun:malloc\nfun:lose_*", "...\nfun:main", "fun:?alloc",
	"fun:realloc\n...\nfun:(below main)", "obj:*vgpreload*\nfun:lose_t*", "fun:malloc\nsrc:leaks.c:79",
	"fun:malloc\nfun:lose_deep\n...\nfun:lose_deep\nfun:lose_deep\nfun:main", "...\nobj:*libc.so*",
	"fun:*m*align*", "fun:strdup", "...\nsrc:strdup.c",
	"fun:malloc\nfun:main", "...\nfun:lose_deep\nfun:lose_grown",
};

/* "12 name file:1 suppressed: 1,234 bytes in 12 blocks": bytes and blocks; 0 where it was not used. */
static void valgrind_used(const char *text, const char *name, long long *bytes, long long *blocks)
{
	const char *line = strstr(text, name), *at;

	*bytes = *blocks = 0;
	if (!line || !(at = strstr(line, "suppressed: ")))
		return;
	*bytes = plain_number(at + strlen("suppressed: "));
	*blocks = plain_number(strstr(at, " in ") + 4);
}

TEST(test_suppressions_hold_for_the_blocks_that_valgrind_suppresses)
{
	struct result r;

	/* "lost": nothing is lost with another block, which valgrind counts twice */
	r = record("", "%s lost", built("tests/subjects/leaks"));
	result_free(&r);
	for (size_t i = 0; i < sizeof(valgrind_locations) / sizeof(*valgrind_locations); i++) {
		struct leaks all = our_leaks(""), left;
		long long bytes, blocks;

		r = run_shell("printf '{\\nonly one\\nMemcheck:Leak\\n%s\\n}\\n' >one.supp; "
			      "valgrind -v --leak-check=full --show-leak-kinds=all --suppressions=one.supp "
			      "--run-libc-freeres=no %s lost 2>&1 | grep used_suppression",
			      valgrind_locations[i], built("tests/subjects/leaks"));
		valgrind_used(r.out, "only one", &bytes, &blocks);
		left = our_leaks("--suppressions=one.supp");
		if (all.blocks - left.blocks != blocks || all.bytes - left.bytes != bytes)
			fail_msg("%s: ours %lld blocks %lld bytes, valgrind %lld %lld",
				 valgrind_locations[i], all.blocks - left.blocks, all.bytes - left.bytes,
				 blocks, bytes);
		leaks_release(&all);
		leaks_release(&left);
		result_free(&r);
	}
}

static const char *const leak_patterns[] = {
	"lose_blocks", "lose", "lose_*", "^lose_t", "^ose", "lose_t$", "lose_text$", "deep*deep", "l*k*s$",
	"leaks.c", "strdup", "alloc", "realloc", "calloc", "posix_memalign", "libc.so", "_start", "main$",
	"^*main$", "nowhere", "lose_d*p$", "_libc_start_call_main",
};

TEST(test_leak_lines_hold_for_the_blocks_that_leak_sanitizer_suppresses)
{
	struct result r = run_shell("gcc -std=gnu11 -D_GNU_SOURCE -O1 -g -fno-builtin-malloc -fsanitize=leak "
				    "-o leaks %s -lpthread 2>&1 && ./leaks lost 2>&1",
				    source("tests/subjects/leaks.c"));

	if (!strstr(r.out, "LeakSanitizer: detected memory leaks"))
		SKIP("gcc -fsanitize=leak does not work here: %.200s", r.out);
	result_free(&r);
	/* the same program without it */
	r = record("", "%s lost", built("tests/subjects/leaks"));
	result_free(&r);
	for (size_t i = 0; i < sizeof(leak_patterns) / sizeof(*leak_patterns); i++) {
		struct leaks all = our_leaks(""), left;
		long long bytes = 0, blocks = 0;
		const char *line;

		r = run_shell("printf 'leak:%%s\\n' '%s' >one.supp; LSAN_OPTIONS=suppressions=one.supp:"
			      "print_suppressions=1:fast_unwind_on_malloc=0 ./leaks lost 2>&1",
			      leak_patterns[i]);
		line = strstr(r.out, "count      bytes template\n");
		if (line)
			sscanf(strchr(line, '\n'), "%lld %lld", &blocks, &bytes);
		left = our_leaks("--suppressions=one.supp");
		if (all.blocks - left.blocks != blocks || all.bytes - left.bytes != bytes)
			fail_msg("%s: ours %lld blocks %lld bytes, LeakSanitizer %lld %lld:\n%s",
				 leak_patterns[i], all.blocks - left.blocks, all.bytes - left.bytes,
				 blocks, bytes, r.out);
		leaks_release(&all);
		leaks_release(&left);
		result_free(&r);
	}
}

/* A program that frees all of its own leaves only what libc keeps, and all of that is known. */
TEST(test_what_libc_keeps_is_left_out_by_hide_libc)
{
	struct result r = record("", "%s", built("tests/subjects/libc_keeps"));
	struct leaks l;

	result_free(&r);
	l = our_leaks("--hide-libc");
	if (l.count)
		fail_msg("left: %s", l.items[0].stack);
	leaks_release(&l);
	r = record("", "%s", built("tests/subjects/leaks_cxx"));
	result_free(&r);
	/* not one of the program's own */
	l = our_leaks("--hide-libc");
	assert_int_equal(l.blocks, 3 * 3 + 1 + 1 + 5 + 5);
	leaks_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_c_program_leaks_what_memcheck_finds),
		LIVE_TEST(test_cpp_program_leaks_what_memcheck_finds),
		LIVE_TEST(test_libc_keeps_what_memcheck_finds),
		LIVE_TEST(test_awk_leaks_what_memcheck_finds),
		LIVE_TEST(test_perl_leaks_what_memcheck_finds),
		LIVE_TEST(test_sed_leaks_what_memcheck_finds),
		LIVE_TEST(test_suppressions_that_valgrind_generates_suppress_all),
		LIVE_TEST(test_suppressions_hold_for_the_blocks_that_valgrind_suppresses),
		LIVE_TEST(test_leak_lines_hold_for_the_blocks_that_leak_sanitizer_suppresses),
		LIVE_TEST(test_what_libc_keeps_is_left_out_by_hide_libc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
