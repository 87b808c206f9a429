/*
 * fuzz_words.c - target: words of the command line: sizes, durations, moments, choices of
 * calls. What is understood is in its range, what is not has a message.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/units.h"
#include "cli/moment.h"
#include "fixture/mktrace.h"
#include "forms/call_filter.h"
#include "forms/metric.h"
#include "forms/strace_filter.h"
#include "fuzz/fuzz.h"

static bool is_decimal(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

static void check_numbers(const char *text)
{
	uint64_t value = 7, exact;
	char buffer[UNITS_MAX];

	errno = 0;
	exact = strtoull(text, NULL, 10);
	if (units_parse_bytes(text, &value) == 0) {
		FUZZ_CHECK(isdigit((unsigned char)*text));
		FUZZ_CHECK(!is_decimal(text) || value == exact);
		FUZZ_CHECK(strlen(units_bytes(buffer, value)) < UNITS_MAX);
		FUZZ_CHECK(strlen(units_count(buffer, value)) < UNITS_MAX);
	} else {
		FUZZ_CHECK(value == 7);
		FUZZ_CHECK(!is_decimal(text) || errno == ERANGE);
	}
	value = 7;
	if (units_parse_ns(text, &value) == 0) {
		FUZZ_CHECK(isdigit((unsigned char)*text));
		FUZZ_CHECK(strlen(units_ns(buffer, value)) < UNITS_MAX);
	} else {
		FUZZ_CHECK(value == 7);
	}
}

/* A recording with a mark of the program and one of the recorder; made once. */
static struct recording *subject(void)
{
	static struct recording *r;
	struct mktrace *t;
	mk_stream s;

	if (r)
		return r;
	t = mktrace_new();
	s = mk_process(t, 1, 100, "p");
	mk_malloc(t, s, 1000, 0x1000, 8);
	mk_mark(t, 0, 2001, "outside");
	mk_event_mark(t, s, 3001, "inside");
	mk_free(t, s, 5000, 0x1000);
	r = mktrace_open(t);
	mktrace_free(t);
	return r;
}

static void check_moment(const char *text)
{
	struct recording *r = subject();
	struct diag d = { 0 };
	uint64_t stamp;

	FUZZ_CHECK(r != NULL);
	moment_needs_peak(text);
	if (moment_parse(text, r, 777, &stamp, &d) != 0)
		FUZZ_CHECK(d.status == STATUS_USAGE && *d.text);
	else
		FUZZ_CHECK(d.status == STATUS_OK);
}

static void check_choices(const char *text)
{
	struct call_filter *f = call_filter_new();
	struct diag d = { 0 };
	enum metric metric;
	syscall_set set;

	if (metric_parse(text, &metric))
		FUZZ_CHECK(metric < METRIC_WORDS && strcmp(metric_name(metric), text) == 0);
	if (strace_filter_parse(text, &set, &d) != 0)
		FUZZ_CHECK(d.status == STATUS_USAGE && *d.text);
	d = (struct diag){ 0 };
	if (call_filter_add(f, text, &d) != 0)
		FUZZ_CHECK(d.status == STATUS_USAGE && *d.text);
	call_filter_add_caller(f, text);
	call_filter_shows(f, "malloc", "/usr/lib/libssl.so.3", "/bin/p");
	call_filter_shows(f, "free", NULL, "/bin/p");
	call_filter_free(f);
}

int fuzz_words(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	FUZZ_CHECK(text != NULL);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	check_numbers(text);
	check_moment(text);
	/* a regular expression of nested repeats takes gigabytes: its writer's own */
	if (size < 64 && !strchr(text, '{') && !strstr(text, "++"))
		check_choices(text);
	free(text);
	return 0;
}
