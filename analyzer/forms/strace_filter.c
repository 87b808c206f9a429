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

#define BIT(name) ((syscall_set)1 << SYS_MEM_##name)

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

/* Classes of strace: what of them is recorded. */
static const struct {
	const char *name;
	syscall_set set;
} classes[] = {
	{ "all", SYSCALL_SET_ALL },
	{ "%memory", SYSCALL_SET_ALL & ~BIT(process_madvise) },
	{ "memory", SYSCALL_SET_ALL & ~BIT(process_madvise) },
	{ "%desc", BIT(mmap) | BIT(io_uring_register) | BIT(process_madvise) },
	{ "desc", BIT(mmap) | BIT(io_uring_register) | BIT(process_madvise) },
	{ "%ipc", BIT(shmat) | BIT(shmdt) },
	{ "ipc", BIT(shmat) | BIT(shmdt) },
};

static int add_word(const char *word, syscall_set *set, struct diag *d)
{
	/* ?name: no complaint where there is no such call */
	bool is_optional = *word == '?';

	word += is_optional;
	if (*word == '/')
		return add_pattern(word + 1, set, d);
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (strcmp(word, classes[i].name) == 0) {
			*set |= classes[i].set;
			return 0;
		}
	}
	for (unsigned i = 0; i < SYS_MEM_COUNT; i++) {
		if (strcmp(word, syscall_name(i)) == 0) {
			*set |= (syscall_set)1 << i;
			return 0;
		}
	}
	return is_optional ? 0 : unknown(word, d);
}

/* What else strace's -e can do. */
static int refuse(const char *expression, struct diag *d)
{
	if (strncmp(expression, "inject=", 7) == 0 || strncmp(expression, "fault=", 6) == 0)
		diag_set(d, STATUS_USAGE, "-e %.*s changes what a program's calls do: those of a "
			 "recording are over", (int)strcspn(expression, "="), expression);
	else
		diag_set(d, STATUS_USAGE, "-e takes trace=NAMES and status=WORDS, not '%s'", expression);
	return -1;
}

int strace_status_parse(const char *expression, unsigned *status, struct diag *d)
{
	/* two that calls of a recording never have */
	static const struct { const char *name; unsigned bits; } words[] = {
		{ "successful", OUTCOME_SUCCESSFUL }, { "failed", OUTCOME_FAILED },
		{ "unfinished", OUTCOME_UNFINISHED }, { "unavailable", 0 }, { "detached", 0 },
		{ "all", OUTCOME_ALL }, { "none", 0 },
	};
	bool is_negative;
	char *copy, *rest, *word;
	size_t i;

	if (strncmp(expression, "status=", 7) != 0)
		return 0;
	is_negative = expression[7] == '!';
	copy = rest = xstrdup(expression + 7 + is_negative);
	*status = 0;
	while ((word = strsep(&rest, ",")) != NULL) {
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strcmp(words[i].name, word) == 0)
				break;
		if (i == sizeof(words) / sizeof(words[0])) {
			diag_set(d, STATUS_USAGE, "'%s' is no status: successful, failed, unfinished, "
				 "unavailable, detached, all or none", word);
			free(copy);
			return -1;
		}
		*status |= words[i].bits;
	}
	free(copy);
	if (is_negative)
		*status ^= OUTCOME_ALL;
	return 1;
}

int strace_filter_parse(const char *expression, syscall_set *set, struct diag *d)
{
	const char *equals = strchr(expression, '=');
	bool is_negative;
	char *copy, *rest, *word;
	int result = 0;

	if (equals && strncmp(expression, "trace=", 6) != 0 && strncmp(expression, "t=", 2) != 0)
		return refuse(expression, d);
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
