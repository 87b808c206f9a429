/*
 * line_options.c - see line_options.h.
 */
#include "forms/line_options.h"

#include <stdlib.h>

#include "forms/form.h"

#define ALIGN_MAX 1000

static int parse_align(const char *arg, const char *option, const struct argp_state *state)
{
	char *end;
	long align = strtol(arg, &end, 10);

	if (end == arg || *end || align < 0 || align > ALIGN_MAX)
		form_usage_error(state, "--%s takes a column from 0 to %d, not '%s'", option,
				 ALIGN_MAX, arg);
	return align > 0 ? (int)align : 1;
}

bool line_option_parse(struct line_options *o, int key, const char *arg, const char *align,
		       const struct argp_state *state)
{
	switch (key) {
	case 't':
		if (o->time < TIME_EPOCH)
			o->time++;
		return true;
	case 'T':
		o->has_duration = true;
		return true;
	case 'f':
		o->follows = true;
		return true;
	case 'c':
		o->has_table = true;
		return true;
	case 'a':
		o->align = parse_align(arg, align, state);
		return true;
	default:
		return false;
	}
}
