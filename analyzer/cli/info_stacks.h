/*
 * info_stacks.h - what allotrope info says of call stacks: how many are truncated and
 * why, and how they compare with other unwinders' (record --check-stacks).
 */
#ifndef CLI_INFO_STACKS_H
#define CLI_INFO_STACKS_H

#include <jansson.h>

#include "trace/recording.h"

/* Prints a line; an empty KEY continues the line before. */
typedef void info_put(const char *key, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Nothing where there is nothing to say. */
void info_stacks_text(const struct recording *r, info_put *put);

/* Always an object: {"depth_limit", "no_rule", "hard_rule", "bad_stack"}. */
json_t *info_stack_ends_json(const struct image *image);

/* Null where the check was not asked for. */
json_t *info_stack_check_json(const struct image *image);

#endif
