/*
 * config.c - the table of environment variables of a bare run (config.h).
 * Relies on nothing but the strings it is given.
 */
#include <stddef.h>
#include <string.h>

#include "config.h"
#include "record_codec.h"

#define CHOICES_MAX 4

enum value_kind { VALUE_CHOICE, VALUE_NUMBER, VALUE_BYTES, VALUE_SAMPLE, VALUE_TEXT };

/* A choice is stored as a byte: its index in CHOICES. A number as 32 bits. */
struct variable {
	const char *name;
	enum value_kind kind;
	size_t offset; /* in struct config */
	uint32_t least, most;
	const char *choices[CHOICES_MAX];
};

#define OPTION(member) offsetof(struct config, options.member)

static const struct variable variables[] = {
	{ .name = ENV_RING, .kind = VALUE_TEXT, .offset = offsetof(struct config, ring) },
	{ .name = "ALLOTROPE_OUT", .kind = VALUE_TEXT, .offset = offsetof(struct config, out) },
	{ .name = "ALLOTROPE_SIZE", .kind = VALUE_BYTES, .offset = offsetof(struct config, size) },
	{ .name = "ALLOTROPE_SYSCALLS", .kind = VALUE_CHOICE, .offset = OPTION(syscalls),
	  .choices = { "exact", "inferred", "off", "stacks" } },
	{ .name = "ALLOTROPE_FOLLOW", .kind = VALUE_CHOICE, .offset = OPTION(follow),
	  .choices = { "tree", "exec", "no" } },
	{ .name = "ALLOTROPE_CALL_GRAPH", .kind = VALUE_CHOICE, .offset = OPTION(callgraph),
	  .choices = { "cfi", "fp", "no", "libunwind" } },
	{ .name = "ALLOTROPE_DEPTH", .kind = VALUE_NUMBER, .offset = OPTION(depth),
	  .least = 1, .most = DEPTH_MAX },
	{ .name = "ALLOTROPE_FREE_STACKS", .kind = VALUE_CHOICE, .offset = OPTION(free_stacks),
	  .choices = { "0", "1" } },
	{ .name = "ALLOTROPE_TOUCHED", .kind = VALUE_CHOICE, .offset = OPTION(look_at_free),
	  .choices = { "0", "1" } },
	{ .name = SETTING_SAMPLE, .kind = VALUE_SAMPLE, .offset = OPTION(sample_bytes) },
	{ .name = "ALLOTROPE_TIMING", .kind = VALUE_CHOICE, .offset = OPTION(timing_all),
	  .choices = { "sample", "all" } },
	{ .name = "ALLOTROPE_CHECK_STACKS", .kind = VALUE_NUMBER, .offset = OPTION(check_stacks),
	  .least = 0, .most = UINT32_MAX },
	{ .name = "ALLOTROPE_WHEN_FULL", .kind = VALUE_CHOICE, .offset = OPTION(when_full),
	  .choices = { "wait", "drop", "overwrite" } },
	{ .name = "ALLOTROPE_VERBOSE", .kind = VALUE_CHOICE,
	  .offset = offsetof(struct config, verbose), .choices = { "0", "1" } },
};

/* Decimal digits, then nothing or (where SUFFIX) one of K, M, G. False: not a number. */
static bool number_parse(const char *s, bool suffix, uint64_t *value)
{
	uint64_t v = 0;
	unsigned shift = 0;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return false;
	if (suffix && *s) {
		shift = *s == 'K' || *s == 'k' ? 10 : *s == 'M' || *s == 'm' ? 20 :
			*s == 'G' || *s == 'g' ? 30 : 0;
		if (shift)
			s++;
	}
	if (*s || v > UINT64_MAX >> shift)
		return false;
	*value = v << shift;
	return true;
}

static void variable_set(struct config *c, const struct variable *v, const char *text)
{
	char *place = (char *)c + v->offset;
	uint64_t number;
	uint32_t small;

	switch (v->kind) {
	case VALUE_TEXT:
		if (*text)
			memcpy(place, &text, sizeof(text));
		break;
	case VALUE_BYTES:
		if (number_parse(text, true, &number) && number > 0)
			memcpy(place, &number, sizeof(number));
		break;
	case VALUE_SAMPLE:
		if (number_parse(text, true, &number) &&
		    (number == 0 || (number >= SAMPLE_BYTES_MIN && number <= SAMPLE_BYTES_MAX)))
			memcpy(place, &number, sizeof(number));
		break;
	case VALUE_NUMBER:
		if (!number_parse(text, false, &number) || number < v->least || number > v->most)
			break;
		small = (uint32_t)number;
		memcpy(place, &small, sizeof(small));
		break;
	case VALUE_CHOICE:
		for (uint8_t i = 0; i < CHOICES_MAX && v->choices[i]; i++)
			if (strcmp(text, v->choices[i]) == 0)
				memcpy(place, &i, 1);
		break;
	}
}

void config_read(struct config *c, char *const *env)
{
	memset(c, 0, sizeof(*c));
	c->out = "allotrope.%p.ring";
	c->size = CONFIG_SIZE_DEFAULT;
	c->options.depth = CONFIG_DEPTH_DEFAULT;
	c->options.when_full = WHEN_FULL_DROP;
	c->options.look_at_free = 1;
	c->options.bare = 1;
	for (; env && *env; env++) {
		if (strncmp(*env, "ALLOTROPE_", 10) != 0)
			continue;
		for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
			size_t n = strlen(variables[i].name);

			if (strncmp(*env, variables[i].name, n) == 0 && (*env)[n] == '=')
				variable_set(c, &variables[i], *env + n + 1);
		}
	}
}
