/*
 * malloc_settings.c - see malloc_settings.h.
 */
#include "model/malloc_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What sets it: mallopt's word, the tunable, the older variable; NULL: nothing of that kind.
 * What the environment sets must lie in the range, else glibc passes over it. Whichever of the
 * first four is set stops the threshold from moving.
 */
static const struct {
	const char *word, *tunable, *variable;
	uint64_t initial;
	bool ends_dynamic;
	uint64_t least, most;
} rules[SET_COUNT] = {
	[SET_MMAP_THRESHOLD] = { "M_MMAP_THRESHOLD", "glibc.malloc.mmap_threshold",
		"MALLOC_MMAP_THRESHOLD_", MMAP_THRESHOLD_DEFAULT, true, 0, UINT64_MAX },
	[SET_TRIM_THRESHOLD] = { "M_TRIM_THRESHOLD", "glibc.malloc.trim_threshold",
		"MALLOC_TRIM_THRESHOLD_", MMAP_THRESHOLD_DEFAULT, true, 0, UINT64_MAX },
	[SET_TOP_PAD] = { "M_TOP_PAD", "glibc.malloc.top_pad", "MALLOC_TOP_PAD_", 128 << 10, true,
		0, UINT64_MAX },
	[SET_MMAP_MAX] = { "M_MMAP_MAX", "glibc.malloc.mmap_max", "MALLOC_MMAP_MAX_", 65536, true,
		0, INT32_MAX },
	[SET_ARENA_MAX] = { "M_ARENA_MAX", "glibc.malloc.arena_max", "MALLOC_ARENA_MAX", 0, false,
		1, UINT64_MAX },
	[SET_TCACHE_COUNT] = { NULL, "glibc.malloc.tcache_count", NULL, 7, false, 0, UINT16_MAX },
};

const char *malloc_setting_name(enum malloc_setting which)
{
	return rules[which].word ? rules[which].word : rules[which].tunable;
}

/* Up to 2.38 glibc reads a number as far as it goes: "128K" is 128, "" is 0. */
static bool reads_prefix(const char *libc)
{
	unsigned major, minor;

	return libc && sscanf(libc, "glibc %u.%u", &major, &minor) == 2 && major == 2 && minor < 39;
}

void malloc_settings_init(struct malloc_settings *s, const char *libc)
{
	*s = (struct malloc_settings){ .is_dynamic = true, .reads_prefix = reads_prefix(libc) };
	for (unsigned i = 0; i < SET_COUNT; i++)
		s->value[i] = rules[i].initial;
}

static void set(struct malloc_settings *s, unsigned which, uint64_t value)
{
	s->value[which] = value;
	s->is_set[which] = true;
	if (rules[which].ends_dynamic)
		s->is_dynamic = false;
}

/*
 * What the environment says, up to one of ENDS; false: nothing that glibc takes. Negative numbers
 * are as C converts them, too large ones the largest.
 */
static bool set_by_environment(struct malloc_settings *s, unsigned which, const char *text,
			       const char *ends)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);
	bool is_number = end != text && strchr(ends, *end);

	if ((!is_number && !s->reads_prefix) || value < rules[which].least || value > rules[which].most)
		return false;
	set(s, which, value);
	return true;
}

/* mallopt takes an int, and its own limits are those of what glibc does with it. */
static bool set_by_program(struct malloc_settings *s, unsigned which, const char *text)
{
	char *end;
	long long value = strtoll(text, &end, 10);

	if (end == text || *end || (which == SET_ARENA_MAX && value <= 0))
		return false;
	/* fewer than none is none */
	set(s, which, which == SET_MMAP_MAX && value < 0 ? 0 : (uint64_t)value);
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
				has_any |= set_by_environment(s, i, text + name + 1, ":");
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
	for (unsigned i = 0; i < SET_COUNT; i++) {
		if (is_mallopt(key, rules[i].word))
			return set_by_program(s, i, value);
		if (rules[i].variable && strcmp(key, rules[i].variable) == 0)
			return set_by_environment(s, i, value, "");
	}
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
