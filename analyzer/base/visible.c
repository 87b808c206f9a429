/*
 * visible.c - printable forms of strings from outside. Knows UTF-8 as far as
 * well-formedness and the C0 and C1 control characters; promises that its output is
 * valid UTF-8 without any control character.
 */
#include "base/visible.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"

/* Bytes of the well-formed character at S (1..4), or 0. */
static size_t character_bytes(const unsigned char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t bytes;
	uint32_t code;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		bytes = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		bytes = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		bytes = 4;
	else
		return 0;
	code = s[0] & (0x7fu >> bytes);
	for (size_t i = 1; i < bytes; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3fu);
	}
	if (code < least[bytes] || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return bytes;
}

/*
 * Next piece of S: its source bytes in *USED, its printed form in PIECE (at
 * least 8 bytes). Returns the columns it takes.
 */
static size_t next_piece(const char *s, char *piece, size_t *used)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t bytes = character_bytes(u);
	bool is_c1 = bytes == 2 && u[0] == 0xc2 && u[1] < 0xa0;

	if (bytes == 0 || u[0] < 0x20 || u[0] == 0x7f || is_c1) {
		*used = 1;
		if (u[0] == '\n' || u[0] == '\t')
			return (size_t)sprintf(piece, "\\%c",
					       u[0] == '\n' ? 'n' : 't');
		return (size_t)sprintf(piece, "\\x%02x", u[0]);
	}
	memcpy(piece, s, bytes);
	piece[bytes] = '\0';
	*used = bytes;
	return 1;
}

char *visible_text(const char *s)
{
	char *text = xmalloc(strlen(s) * 4 + 1);
	char *out = text;
	char piece[8];
	size_t used;

	for (; *s; s += used) {
		next_piece(s, piece, &used);
		out = stpcpy(out, piece);
	}
	*out = '\0';
	return text;
}

void visible_put(FILE *out, const char *s)
{
	char piece[8];
	size_t used;

	for (; *s; s += used) {
		next_piece(s, piece, &used);
		fputs(piece, out);
	}
}

size_t visible_width(const char *s)
{
	char piece[8];
	size_t used, width = 0;

	for (; *s; s += used)
		width += next_piece(s, piece, &used);
	return width;
}

/* The byte offset of column COLUMN in TEXT, which is printable already. */
static size_t column_offset(const char *text, size_t column)
{
	size_t offset = 0;

	for (; column > 0 && text[offset]; column--)
		offset += character_bytes((const unsigned char *)text + offset);
	return offset;
}

char *visible_fit(const char *s, size_t width)
{
	char *text = visible_text(s);
	size_t columns = visible_width(text);
	size_t head, tail, tail_at;

	if (columns <= width || width < 4)
		return text;
	/* the end of a name tells more than its middle */
	head = (width - 3 + 1) / 2;
	tail = width - 3 - head;
	tail_at = column_offset(text, columns - tail);
	head = column_offset(text, head);
	memcpy(text + head, "...", 3);
	memmove(text + head + 3, text + tail_at, strlen(text + tail_at) + 1);
	return text;
}
