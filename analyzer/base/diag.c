/*
 * diag.c - errors as values and the one line on stderr. Relies on nothing but
 * libc; promises that no byte of a name reaches the terminal as a control
 * character, and that a message is one write.
 */
#include "base/diag.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Room for a message whose every byte is escaped would be 4 times as much: it is cut. */
#define LINE_MAX_BYTES 4096

static int set_text(struct diag *d, int status, const char *format, va_list ap)
{
	if (d) {
		d->status = status;
		vsnprintf(d->text, sizeof(d->text), format, ap);
	}
	return -1;
}

int diag_set(struct diag *d, int status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	set_text(d, status, format, ap);
	va_end(ap);
	return -1;
}

int diag_errno(struct diag *d, int status, const char *format, ...)
{
	int error = errno;
	va_list ap;
	size_t used;

	if (!d)
		return -1;
	va_start(ap, format);
	set_text(d, status, format, ap);
	va_end(ap);
	used = strlen(d->text);
	snprintf(d->text + used, sizeof(d->text) - used, ": %s", strerror(error));
	errno = error;
	return -1;
}

/* Bytes of the UTF-8 character at P that may be shown as it is; 0: escape one byte. */
static size_t shown_bytes(const unsigned char *p)
{
	size_t n;

	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* C1 controls U+0080..U+009F act like ESC on some terminals */
	if (p[0] == 0xc2 && p[1] < 0xa0)
		return 0;
	return n;
}

/* As visible_put, but without memory: this also says that there is none. */
static size_t escape_into(char *out, size_t room, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = (const unsigned char *)text;
	size_t used = 0;

	while (*p && used + 4 < room) {
		size_t n = shown_bytes(p);

		if (n) {
			memcpy(out + used, p, n);
			used += n;
			p += n;
			continue;
		}
		out[used++] = '\\';
		if (*p == '\n' || *p == '\t') {
			out[used++] = *p == '\n' ? 'n' : 't';
		} else {
			out[used++] = 'x';
			out[used++] = hex[*p >> 4];
			out[used++] = hex[*p & 15];
		}
		p++;
	}
	return used;
}

void diag_print(const char *level, const char *format, ...)
{
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
	size_t used, done = 0;
	int error = errno;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	used = (size_t)snprintf(line, 64, "allotrope: ");
	if (level && *level)
		used += (size_t)snprintf(line + used, 64, "%.32s: ", level);
	used += escape_into(line + used, sizeof(line) - used - 1, text);
	line[used++] = '\n';
	/* where both go to one pipe, no line of the report is cut in two */
	fflush(stdout);
	while (done < used) {
		ssize_t n = write(STDERR_FILENO, line + done, used - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	errno = error;
}
