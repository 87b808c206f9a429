/*
 * perf_map.c - reads a map into a table by address. The text is kept as it is: names are cut out
 * of it when they are asked for, which most are not.
 */
#include "symbol/perf_map.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xmem.h"

#define SECOND 1000000000u
#define NAME_BYTES_MAX 16384
/* Pieces looked at that begin before an address: more overlap in hostile files only. */
#define STEPS_MAX 4096

struct piece {
	uint64_t start, end;    /* [start, end) */
	uint64_t most_end;      /* of this piece and all before it in the order */
	uint32_t line;          /* its place in the file */
	uint32_t name_bytes;
	const char *name;
};

struct perf_map {
	char *text;
	struct piece *pieces;   /* by start, then line */
	size_t count, capacity;
	size_t ignored;
};

/* ---- reading ---- */

/* A hexadecimal number at *AT up to END, then a space; false where there is none. */
static bool take_number(const char **at, const char *end, uint64_t *number)
{
	const char *p = *at, *digits;

	if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		p += 2;
	digits = p;
	for (*number = 0; p < end && p - digits <= 16; p++) {
		int digit = *p >= '0' && *p <= '9' ? *p - '0' :
			    *p >= 'a' && *p <= 'f' ? *p - 'a' + 10 :
			    *p >= 'A' && *p <= 'F' ? *p - 'A' + 10 : -1;

		if (digit < 0)
			break;
		*number = *number << 4 | (unsigned)digit;
	}
	if (p == digits || p - digits > 16 || p >= end || *p != ' ')
		return false;
	while (p < end && *p == ' ')
		p++;
	*at = p;
	return true;
}

static bool take_line(struct perf_map *map, const char *line, const char *end, uint32_t number)
{
	uint64_t start, size;
	const char *at = line;

	if (!take_number(&at, end, &start) || !take_number(&at, end, &size))
		return false;
	if (end > at && end[-1] == '\r')
		end--;
	if (at == end || end - at > NAME_BYTES_MAX || memchr(at, '\0', (size_t)(end - at)) ||
	    size == 0 || start + size < start)
		return false;
	xgrow(&map->pieces, &map->capacity, map->count, sizeof(*map->pieces));
	map->pieces[map->count++] = (struct piece){
		.start = start, .end = start + size, .line = number,
		.name = at, .name_bytes = (uint32_t)(end - at),
	};
	return true;
}

static int compare(const void *pa, const void *pb)
{
	const struct piece *a = pa, *b = pb;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

/* TEXT is taken over. */
static struct perf_map *map_of(char *text, size_t bytes)
{
	struct perf_map *map = xcalloc(1, sizeof(*map));
	const char *end = text + bytes;
	uint32_t number = 0;

	map->text = text;
	for (const char *line = text; line < end; number++) {
		const char *line_end = memchr(line, '\n', (size_t)(end - line));

		if (!line_end)
			line_end = end;
		if (line_end > line && !take_line(map, line, line_end, number))
			map->ignored++;
		line = line_end + 1;
	}
	if (map->count > 1)
		qsort(map->pieces, map->count, sizeof(*map->pieces), compare);
	for (size_t i = 0; i < map->count; i++) {
		uint64_t before = i ? map->pieces[i - 1].most_end : 0;

		map->pieces[i].most_end = map->pieces[i].end > before ? map->pieces[i].end : before;
	}
	return map;
}

struct perf_map *perf_map_parse(const char *text, size_t bytes)
{
	char *copy = xmalloc(bytes + 1);

	memcpy(copy, text, bytes);
	return map_of(copy, bytes);
}

/* Everything in FD, at most PERF_MAP_BYTES_MAX; malloc'ed. */
static char *read_whole(int fd, size_t *bytes)
{
	size_t capacity = 0;
	char *text = NULL;
	ssize_t n;

	for (*bytes = 0; *bytes < PERF_MAP_BYTES_MAX; *bytes += (size_t)n) {
		xgrow(&text, &capacity, *bytes + 65536, 1);
		n = read(fd, text + *bytes, 65536);
		if (n <= 0)
			break;
	}
	return text;
}

static uint64_t written_ns(const struct stat *st)
{
	return (uint64_t)st->st_mtim.tv_sec * SECOND + (uint64_t)st->st_mtim.tv_nsec;
}

struct perf_map *perf_map_open(const char *folder, uint32_t pid, uint64_t earliest,
			       uint64_t latest)
{
	char *path = xasprintf("%s/perf-%u.map", folder ? folder : PERF_MAP_FOLDER, pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	struct perf_map *map = NULL;
	struct stat st;
	size_t bytes;

	free(path);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_uid == geteuid() || st.st_uid == 0) &&
	    (!earliest || written_ns(&st) >= earliest) && (!latest || written_ns(&st) <= latest)) {
		char *text = read_whole(fd, &bytes);

		map = map_of(text, bytes);
	}
	close(fd);
	return map;
}

void perf_map_free(struct perf_map *map)
{
	if (!map)
		return;
	free(map->text);
	free(map->pieces);
	free(map);
}

size_t perf_map_pieces(const struct perf_map *map)
{
	return map->count;
}

size_t perf_map_ignored(const struct perf_map *map)
{
	return map->ignored;
}

/* ---- names ---- */

static const char *pooled(struct name_pool *pool, const char *text, const char *end)
{
	return name_pool_add(pool, text, (size_t)(end - text));
}

/* The number behind the last ':' of TEXT .. *END, which moves there; false where there is none. */
static bool cut_number(const char *text, const char **end, uint32_t *number)
{
	const char *p = *end;
	uint64_t value = 0, unit = 1;

	while (p > text && p[-1] >= '0' && p[-1] <= '9' && *end - p < 9) {
		value += (uint64_t)(p[-1] - '0') * unit;
		unit *= 10;
		p--;
	}
	if (p == *end || p == text || p[-1] != ':')
		return false;
	*number = (uint32_t)value;
	*end = p - 1;
	return true;
}

/* Does TEXT .. END begin with WORD, and go on? */
static bool begins(const char *text, const char *end, const char *word)
{
	size_t bytes = strlen(word);

	return end > text && (size_t)(end - text) > bytes && memcmp(text, word, bytes) == 0;
}

/* Where in TEXT .. END the file begins: names of functions may hold blanks ("get size"). */
static const char *find_file(const char *text, const char *end)
{
	for (const char *p = text; p < end; p++)
		if (*p == ' ' && (begins(p + 1, end, "/") || begins(p + 1, end, "node:") ||
				  begins(p + 1, end, "file:")))
			return p + 1;
	for (const char *p = end; p > text; p--)
		if (p[-1] == ' ')
			return p;
	return NULL;
}

/* "JS:*name file:line:column"; a mark of the tier (~ ^ + *) tells it from other names. */
static bool split_v8(const char *text, const char *end, struct name_pool *pool,
		     struct stored_frame *frame)
{
	static const char *const kinds[] = { "JS:", "LazyCompile:", "Function:", "Eval:", "Script:" };
	const char *file;
	uint32_t column;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t bytes = strlen(kinds[i]);

		if (!begins(text, end, kinds[i]) || !memchr("~^+*", text[bytes], 4))
			continue;
		text += bytes + 1;
		if (!cut_number(text, &end, &column) || !cut_number(text, &end, &frame->line))
			return false;
		file = find_file(text, end);
		if (!file || file == end)
			return false;
		frame->file = pooled(pool, file, end);
		frame->name = file - 1 > text ? pooled(pool, text, file - 1) : "(anonymous)";
		frame->name = name_pool_string(pool, frame->name);
		return true;
	}
	return false;
}

/* "py::name:file". */
static bool split_python(const char *text, const char *end, struct name_pool *pool,
			 struct stored_frame *frame)
{
	const char *colon;

	if (!begins(text, end, "py::"))
		return false;
	text += 4;
	colon = memchr(text, ':', (size_t)(end - text));
	if (!colon || colon == text || colon + 1 == end)
		return false;
	frame->name = pooled(pool, text, colon);
	frame->file = pooled(pool, colon + 1, end);
	return true;
}

int perf_map_find(const struct perf_map *map, uint64_t address, struct name_pool *pool,
		  struct stored_frame *frame)
{
	const struct piece *best = NULL;
	size_t low = 0, high = map->count;
	const char *end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (map->pieces[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i > 0 && low - i < STEPS_MAX; i--) {
		const struct piece *p = &map->pieces[i - 1];

		if (p->most_end <= address)
			break;
		if (p->end > address && (!best || p->line > best->line))
			best = p;
	}
	if (!best)
		return 0;
	end = best->name + best->name_bytes;
	*frame = (struct stored_frame){ 0 };
	if (!split_v8(best->name, end, pool, frame) && !split_python(best->name, end, pool, frame))
		*frame = (struct stored_frame){ .name = pooled(pool, best->name, end) };
	frame->into = address + 1 - best->start;
	return 1;
}
