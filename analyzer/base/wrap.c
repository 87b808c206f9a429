/*
 * wrap.c - sentences in lines of a width. Relies on visible_width for columns.
 */
#include "base/wrap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/visible.h"
#include "base/xmem.h"

/* Bytes of the next piece of TEXT that must stay on one line: a word, with its unit. */
static size_t piece_bytes(const char *text)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "%", "s", "ms",
					     "us", "ns" };
	size_t length = strcspn(text, " ");
	size_t next = text[length] ? strcspn(text + length + 1, " ,;.:)") : 0;

	if (next == 0 || text[0] < '(' || text[0] > '9')
		return length;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i]) == next &&
		    strncmp(units[i], text + length + 1, next) == 0)
			return length + 1 + strcspn(text + length + 1, " ");
	return length;
}

void wrap_put(FILE *out, const char *text, int column, int indent, int line_width)
{
	bool has_piece = false; /* on this line */

	text += strspn(text, " ");
	while (*text) {
		size_t length = piece_bytes(text);
		char *piece = xstrndup(text, length);
		int width = (int)visible_width(piece);

		if (has_piece && column + 1 + width > line_width) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (has_piece) {
			putc(' ', out);
			column++;
		}
		fputs(piece, out);
		column += width;
		has_piece = true;
		free(piece);
		text += length;
		text += strspn(text, " ");
	}
	putc('\n', out);
}
