/*
 * malloc_settings.c - see malloc_settings.h.
 */
#include "model/malloc_settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * What sets it: mallopt's word, the tunable, the older variable; NULL: nothing of that kind.
 * Whichever of the first four is set stops the threshold from moving.
 */
static const struct {
	const char *word, *tunable, *variable;
	uint64_t initial;
	bool ends_dynamic;
} rules[SET_COUNT] = {
	[SET_MMAP_THRESHOLD] = { "M_MMAP_THRESHOLD", "glibc.malloc.mmap_threshold",
		"MALLOC_MMAP_THRESHOLD_", MMAP_THRESHOLD_DEFAULT, true },
	[SET_TRIM_THRESHOLD] = { "M_TRIM_THRESHOLD", "glibc.malloc.trim_threshold",
		"MALLOC_TRIM_THRESHOLD_", MMAP_THRESHOLD_DEFAULT, true },
	[SET_TOP_PAD] = { "M_TOP_PAD", "glibc.malloc.top_pad", "MALLOC_TOP_PAD_", 128 << 10, true },
	[SET_MMAP_MAX] = { "M_MMAP_MAX", "glibc.malloc.mmap_max", "MALLOC_MMAP_MAX_", 65536, true },
	[SET_ARENA_MAX] = { "M_ARENA_MAX", "glibc.malloc.arena_max", "MALLOC_ARENA_MAX", 0, false },
	[SET_TCACHE_COUNT] = { NULL, "glibc.malloc.tcache_count", NULL, 7, false },
};

const char *malloc_setting_name(enum malloc_setting which)
{
	return rules[which].word ? rules[which].word : rules[which].tunable;
}

void malloc_settings_init(struct malloc_settings *s)
{
	*s = (struct malloc_settings){ .is_dynamic = true };
	for (unsigned i = 0; i < SET_COUNT; i++)
		s->value[i] = rules[i].initial;
}

/* The number at TEXT, whose end is one of ENDS; false: none. Negative ones are as C converts them. */
static bool read_number(const char *text, const char *ends, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return end != text && errno == 0 && strchr(ends, *end);
}

static bool set(struct malloc_settings *s, unsigned which, const char *text, const char *ends)
{
	uint64_t value;

	if (!read_number(text, ends, &value))
		return false;
	s->value[which] = value;
	s->is_set[which] = true;
	if (rules[which].ends_dynamic)
		s->is_dynamic = false;
	return true;
}

/* "glibc.malloc.mmap_threshold=65536:glibc.malloc.tcache_count=0" */
static bool apply_tunables(struct malloc_settings *s, const char *text)
{
	bool has_any = false;

	while (*text) {
		size_t bytes = strcspn(text, ":");

		for (unsigned i = 0; i < SET_COUNT; i++) {
			size_t name = strlen(rules[i].tunable);

			if (bytes > name && text[name] == '=' &&
			    strncmp(text, rules[i].tunable, name) == 0)
				has_any |= set(s, i, text + name + 1, ":");
		}
		text += bytes + (text[bytes] == ':');
	}
	return has_any;
}

static bool is_mallopt(const char *key, const char *word)
{
	size_t bytes = word ? strlen(word) : 0;

	return word && strncmp(key, "mallopt(", 8) == 0 && strncmp(key + 8, word, bytes) == 0 &&
	       strcmp(key + 8 + bytes, ")") == 0;
}

bool malloc_settings_apply(struct malloc_settings *s, const char *key, const char *value)
{
	if (!key || !value)
		return false;
	if (strcmp(key, "GLIBC_TUNABLES") == 0)
		return apply_tunables(s, value);
	for (unsigned i = 0; i < SET_COUNT; i++)
		if (is_mallopt(key, rules[i].word) ||
		    (rules[i].variable && strcmp(key, rules[i].variable) == 0))
			return set(s, i, value, "");
	return false;
}

bool malloc_settings_free(struct malloc_settings *s, uint64_t chunk_bytes)
{
	if (!s->is_dynamic || chunk_bytes <= s->value[SET_MMAP_THRESHOLD] ||
	    chunk_bytes > MMAP_THRESHOLD_MOVE_MAX)
		return false;
	s->value[SET_MMAP_THRESHOLD] = chunk_bytes;
	s->value[SET_TRIM_THRESHOLD] = 2 * chunk_bytes;
	return true;
}

uint64_t malloc_threshold_request(uint64_t threshold)
{
	uint64_t chunk;

	/* the smallest chunk has 32 bytes, for requests of 0 to 24 */
	if (threshold <= 32)
		return 0;
	if (threshold > UINT64_MAX - 15)
		return UINT64_MAX;
	chunk = (threshold + 15) & ~(uint64_t)15;
	return chunk - 16 - 8 + 1;
}
