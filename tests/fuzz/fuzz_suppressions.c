/*
 * fuzz_suppressions.c - target: a file of suppressions, compared with call stacks. The first
 * line is the name of a function, which comes from a recording as well.
 */
#include <string.h>

#include "base/diag.h"
#include "forms/suppressions.h"
#include "fuzz/fuzz.h"

static void compare(const struct suppressions *s, char *name)
{
	const struct suppression_frame frames[] = {
		{ name, name, "/src/a.c", "/lib/liba.so", "/usr/lib/liba.so.1", 4, true },
		{ "operator new(unsigned long)", "_Znwm", NULL, NULL, NULL, 0, false },
		{ NULL, NULL, NULL, "/bin/p", NULL, 0, false },
		{ name, NULL, name, name, name, 7, true },
		{ "main", "main", "m.c", "/bin/p", "/bin/p", 9, false },
		{ "clone3", "clone3", NULL, "/lib/libc.so.6", NULL, 0, false },
	};

	for (size_t first = 0; first <= 6; first++) {
		for (unsigned func = 0; func <= ALLOCATOR_REALLOC_NULL + 1; func++) {
			const struct suppression_stack stack = {
				frames + first, 6 - first, func > ALLOCATOR_REALLOC_NULL ? 0 : 1u << func,
			};
			int64_t found = suppressions_find(s, &stack);

			FUZZ_CHECK(found >= -1 && found < (int64_t)s->count);
		}
	}
}

int fuzz_suppressions(const uint8_t *data, size_t size)
{
	struct suppressions s = { 0 };
	struct diag d = { 0 };
	char *text = malloc(size + 1), *rest;
	int result;

	FUZZ_CHECK(text != NULL);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	rest = memchr(text, '\n', size);
	if (rest)
		*rest++ = '\0';
	else
		rest = text + size;
	result = suppressions_parse(&s, rest, size - (size_t)(rest - text), "f", &d);
	FUZZ_CHECK(result == 0 ? d.status == 0 : d.status == STATUS_USAGE && *d.text);
	for (size_t i = 0; i < s.count; i++)
		FUZZ_CHECK(*s.items[i].name && s.items[i].line > 0);
	if (result == 0)
		compare(&s, text);
	suppressions_release(&s);
	free(text);
	return 0;
}
