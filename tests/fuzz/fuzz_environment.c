/*
 * fuzz_environment.c - target: the environment that the library starts in. The input's lines, each
 * ended by NUL, are its entries.
 */
#include <string.h>

#include "config.h"
#include "fuzz/fuzz.h"
#include "record_codec.h"
#include "settings.h"

#define ENTRIES_MAX 64

static void check(const struct config *c, const char *text, size_t size)
{
	const struct ring_options *o = &c->options;

	FUZZ_CHECK(c->size > 0);
	FUZZ_CHECK(c->out && *c->out);
	FUZZ_CHECK(!c->ring || (c->ring >= text && c->ring < text + size && *c->ring));
	FUZZ_CHECK(o->depth >= 1 && o->depth <= DEPTH_MAX);
	FUZZ_CHECK(o->sample_bytes == 0 ||
		   (o->sample_bytes >= SAMPLE_BYTES_MIN && o->sample_bytes <= SAMPLE_BYTES_MAX));
	FUZZ_CHECK(o->syscalls <= SYSCALLS_STACKS && o->follow <= FOLLOW_NO &&
		   o->callgraph <= CALLGRAPH_LIBUNWIND);
	FUZZ_CHECK(o->free_stacks <= 1 && o->timing_all <= 1 && o->when_full <= WHEN_FULL_OVERWRITE);
	FUZZ_CHECK(o->bare == 1);
}

int fuzz_environment(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *env[ENTRIES_MAX + 1];
	struct config c;
	size_t count = 0;

	FUZZ_CHECK(text != NULL);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	for (char *p = text; p < text + size && count < ENTRIES_MAX; p += strlen(p) + 1)
		env[count++] = p;
	env[count] = NULL;
	config_read(&c, env);
	check(&c, text, size);
	settings_record(env);
	free(text);
	return 0;
}
