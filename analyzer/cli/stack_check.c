/*
 * stack_check.c - reads the check's totals, which the library writes as settings now and
 * then while the program runs: the last one of each counts.
 */
#include "cli/stack_check.h"

#include <stdlib.h>
#include <string.h>

bool stack_check_read(const struct image *image, struct stack_check *c)
{
	static const char prefix[] = "check-stacks.";
	const struct { const char *key; uint64_t *value; } rows[] = {
		{ "compared", &c->compared },
		{ "libgcc-differs", &c->libgcc_differs },
		{ "libunwind-differs", &c->libunwind_differs },
		{ "ended-early", &c->ended_early },
	};
	bool is_there = false;

	*c = (struct stack_check){ 0 };
	for (size_t i = 0; i < image->setting_count; i++) {
		const struct setting *s = &image->settings[i];

		if (strncmp(s->key, prefix, sizeof(prefix) - 1) != 0)
			continue;
		is_there = true;
		for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
			if (strcmp(s->key + sizeof(prefix) - 1, rows[k].key) == 0)
				*rows[k].value = strtoull(s->value, NULL, 10);
	}
	return is_there;
}
