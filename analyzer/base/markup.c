/*
 * markup.c - see markup.h. visible.h leaves well-formed UTF-8 without control characters;
 * of that XML 1.0 forbids only U+FFFE and U+FFFF.
 */
#include "base/markup.h"

#include <stdlib.h>
#include <string.h>

#include "base/visible.h"

void markup_put(FILE *out, const char *s)
{
	char *text = visible_text(s);

	for (const char *p = text; *p; p++) {
		switch (*p) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			if (strncmp(p, "\xef\xbf\xbe", 3) == 0 || strncmp(p, "\xef\xbf\xbf", 3) == 0) {
				fputs("\xef\xbf\xbd", out);
				p += 2;
				break;
			}
			putc(*p, out);
		}
	}
	free(text);
}
