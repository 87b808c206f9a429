/*
 * call_filter.c - rules in the order given; the last one that fits decides. Without a
 * rule that adds, everything is there to take from.
 */
#include "forms/call_filter.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"
#include "record_kinds.h"

struct rule {
	bool takes_away;
	char *function;  /* pattern */
	char *caller;    /* pattern, or NULL: any */
};

struct call_filter {
	struct rule *rules;
	size_t count, capacity;
	char **callers;  /* -l */
	size_t caller_count, caller_capacity;
};

static const char *const func_names[] = {
#define ROW(name, text) text,
	ALLOC_FUNCS(ROW)
#undef ROW
};

static bool is_pattern(const char *text)
{
	return text[strcspn(text, "*?[")] != '\0';
}

struct call_filter *call_filter_new(void)
{
	return xcalloc(1, sizeof(struct call_filter));
}

void call_filter_free(struct call_filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++) {
		free(f->rules[i].function);
		free(f->rules[i].caller);
	}
	for (size_t i = 0; i < f->caller_count; i++)
		free(f->callers[i]);
	free(f->rules);
	free(f->callers);
	free(f);
}

/* A name that nobody records would show nothing, and look like an answer. */
static int check_function(const char *pattern, struct diag *d)
{
	char list[256] = "";

	for (size_t i = 0; i < FUNC_OTHER; i++) {
		if (fnmatch(pattern, func_names[i], 0) == 0)
			return 0;
		strcat(strcat(list, i ? ", " : ""), func_names[i]);
	}
	return diag_set(d, STATUS_USAGE, "no calls of '%s' are recorded; there are %s",
			pattern, list);
}

int call_filter_add(struct call_filter *f, const char *expression, struct diag *d)
{
	const char *p = expression;
	bool takes_away = false;

	while (*p) {
		size_t length;
		char *word, *at;

		if (*p == '+' || *p == ',' || *p == '-') {
			takes_away = *p++ == '-';
			continue;
		}
		length = strcspn(p, "+-,");
		word = xstrndup(p, length);
		p += length;
		at = strchr(word, '@');
		if (at)
			*at = '\0';
		xgrow(&f->rules, &f->capacity, f->count, sizeof(*f->rules));
		f->rules[f->count++] = (struct rule){
			.takes_away = takes_away,
			.function = xstrdup(*word ? word : "*"),
			.caller = at && at[1] ? xstrdup(at + 1) : NULL,
		};
		free(word);
		takes_away = false;
		if (check_function(f->rules[f->count - 1].function, d) != 0)
			return -1;
	}
	return 0;
}

void call_filter_add_caller(struct call_filter *f, const char *pattern)
{
	xgrow(&f->callers, &f->caller_capacity, f->caller_count, sizeof(*f->callers));
	f->callers[f->caller_count++] = xstrdup(pattern);
}

bool call_filter_is_empty(const struct call_filter *f)
{
	return f->count == 0 && f->caller_count == 0;
}

bool call_filter_has_caller(const struct call_filter *f)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->rules[i].caller)
			return true;
	return f->caller_count > 0;
}

/* python: python, python3.11, libpython3.11.so.1.0 */
static bool plain_word_fits(const char *word, const char *name)
{
	size_t length = strlen(word);

	if (strncmp(name, word, length) == 0 && !isalpha((unsigned char)name[length]))
		return true;
	return strncmp(name, "lib", 3) == 0 && strncmp(name + 3, word, length) == 0 &&
	       !isalpha((unsigned char)name[3 + length]);
}

static bool caller_fits(const char *pattern, const char *caller,
			const char *main_path)
{
	const char *name;

	if (!caller)
		return strcmp(pattern, "*") == 0;
	if (strcmp(pattern, "MAIN") == 0)
		return main_path && strcmp(caller, main_path) == 0;
	if (*pattern == '/')
		return fnmatch(pattern, caller, 0) == 0;
	name = strrchr(caller, '/');
	name = name ? name + 1 : caller;
	if (is_pattern(pattern))
		return fnmatch(pattern, name, 0) == 0;
	return *pattern && plain_word_fits(pattern, name);
}

bool call_filter_shows(const struct call_filter *f, const char *function,
		       const char *caller, const char *main_path)
{
	bool is_shown = f->count == 0 || f->rules[0].takes_away;
	bool is_caller = f->caller_count == 0;

	for (size_t i = 0; i < f->count; i++) {
		const struct rule *rule = &f->rules[i];

		if (fnmatch(rule->function, function, 0) == 0 &&
		    (!rule->caller || caller_fits(rule->caller, caller, main_path)))
			is_shown = !rule->takes_away;
	}
	for (size_t i = 0; !is_caller && i < f->caller_count; i++)
		is_caller = caller_fits(f->callers[i], caller, main_path);
	return is_shown && is_caller;
}
