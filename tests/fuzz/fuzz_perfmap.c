/*
 * fuzz_perfmap.c - target: a perf map. Every line is a piece or ignored; what is found has a name
 * and covers the address asked for. Each line is also a name to shorten, as C++ names are.
 */
#include <inttypes.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "symbol/perf_map.h"
#include "symbol/short_name.h"

static void ask(const struct perf_map *map, struct name_pool *pool, uint64_t address)
{
	struct stored_frame f = { 0 };

	if (!perf_map_find(map, address, pool, &f))
		return;
	FUZZ_CHECK(f.name != NULL && *f.name);
	FUZZ_CHECK(f.file == NULL || *f.file);
}

static void shorten(const char *name)
{
	char *text = short_name(name);

	FUZZ_CHECK(strlen(text) <= 2 * strlen(name) + 8);
	FUZZ_CHECK(*text || !*name);
	free(text);
}

int fuzz_perfmap(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct name_pool *pool = name_pool_new();
	struct perf_map *map;
	size_t lines = 0;

	FUZZ_CHECK(text != NULL);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	map = perf_map_parse((const char *)data, size);
	ask(map, pool, 0);
	ask(map, pool, UINT64_MAX);
	for (char *line = text, *end; line < text + size; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + size - line));
		if (!end)
			end = text + size;
		*end = '\0';
		lines += end > line;
		ask(map, pool, strtoull(line, NULL, 16));
		ask(map, pool, strtoull(line, NULL, 16) + 1);
		shorten(line);
	}
	FUZZ_CHECK(perf_map_pieces(map) + perf_map_ignored(map) == lines);
	perf_map_free(map);
	name_pool_free(pool);
	free(text);
	return 0;
}
