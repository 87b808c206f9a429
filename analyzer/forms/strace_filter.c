/*
 * strace_filter.c - see strace_filter.h.
 */
#include "forms/strace_filter.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"
#include "forms/syscall_words.h"

_Static_assert(SYS_MEM_COUNT <= 32, "a set has a bit for each call");

static int unknown(const char *word, struct diag *d)
{
	char known[512] = "";

	for (unsigned i = 0; i < SYS_MEM_COUNT; i++) {
		strcat(known, i ? ", " : "");
		strcat(known, syscall_name(i));
	}
	diag_set(d, STATUS_USAGE, "'%s' is not recorded: the system calls here are %s",
		 word, known);
	return -1;
}

static int add_pattern(const char *pattern, syscall_set *set, struct diag *d)
{
	char text[128];
	regex_t expression;
	int error = regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB);

	if (error) {
		regerror(error, &expression, text, sizeof(text));
		diag_set(d, STATUS_USAGE, "'%s' is no regular expression: %s", pattern, text);
		return -1;
	}
	for (unsigned i = 0; i < SYS_MEM_COUNT; i++)
		if (regexec(&expression, syscall_name(i), 0, NULL, 0) == 0)
			*set |= (syscall_set)1 << i;
	regfree(&expression);
	return 0;
}

static int add_word(const char *word, syscall_set *set, struct diag *d)
{
	/* ?name: no complaint where there is no such call */
	bool is_optional = *word == '?';

	word += is_optional;
	if (*word == '/')
		return add_pattern(word + 1, set, d);
	if (strcmp(word, "all") == 0 || strcmp(word, "%memory") == 0 ||
	    strcmp(word, "memory") == 0) {
		*set = SYSCALL_SET_ALL;
		return 0;
	}
	for (unsigned i = 0; i < SYS_MEM_COUNT; i++) {
		if (strcmp(word, syscall_name(i)) == 0) {
			*set |= (syscall_set)1 << i;
			return 0;
		}
	}
	return is_optional ? 0 : unknown(word, d);
}

int strace_filter_parse(const char *expression, syscall_set *set, struct diag *d)
{
	const char *equals = strchr(expression, '=');
	bool is_negative;
	char *copy, *rest, *word;
	int result = 0;

	if (equals && strncmp(expression, "trace=", 6) != 0 && strncmp(expression, "t=", 2) != 0) {
		diag_set(d, STATUS_USAGE, "-e takes trace=NAMES, not '%s'", expression);
		return -1;
	}
	if (equals)
		expression = equals + 1;
	is_negative = *expression == '!';
	expression += is_negative;
	*set = 0;
	if (strcmp(expression, "none") != 0) {
		copy = rest = xstrdup(expression);
		while (result == 0 && (word = strsep(&rest, ",")) != NULL)
			result = add_word(word, set, d);
		free(copy);
	}
	if (is_negative)
		*set = ~*set;
	return result;
}
