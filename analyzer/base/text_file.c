/*
 * text_file.c - see text_file.h. Read through a descriptor until the end, as the size
 * of a pipe is not known.
 */
#include "base/text_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"

char *text_file_read(const char *path, size_t *bytes, struct diag *d)
{
	size_t room = 4096, used = 0, n;
	FILE *in = fopen(path, "re");
	char *text;

	if (!in) {
		diag_errno(d, STATUS_IO, "cannot open '%s'", path);
		return NULL;
	}
	text = xmalloc(room + 1);
	while ((n = fread(text + used, 1, room - used, in)) > 0) {
		used += n;
		if (used > TEXT_FILE_MAX)
			break;
		if (used == room)
			text = xrealloc(text, (room *= 2) + 1);
	}
	if (ferror(in))
		diag_errno(d, STATUS_IO, "cannot read '%s'", path);
	else if (used > TEXT_FILE_MAX)
		diag_set(d, STATUS_IO, "'%s' is larger than 16 MiB: no text that somebody wrote", path);
	n = ferror(in) || used > TEXT_FILE_MAX;
	fclose(in);
	if (n) {
		free(text);
		return NULL;
	}
	text[used] = '\0';
	*bytes = used;
	return text;
}

char *text_lines_next(struct text_lines *l)
{
	static const char space[] = " \t\r\v\f";
	const char *from = l->text, *end, *next;
	char *line;

	if (from >= l->end)
		return NULL;
	end = memchr(from, '\n', (size_t)(l->end - from));
	next = end ? end + 1 : l->end;
	if (!end)
		end = l->end;
	while (from < end && *from && strchr(space, *from))
		from++;
	line = xstrndup(from, (size_t)(end - from));
	for (size_t n = strlen(line); n > 0 && strchr(space, line[n - 1]); n--)
		line[n - 1] = '\0';
	l->text = next;
	l->number++;
	return line;
}
