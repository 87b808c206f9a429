/*
 * proc_maps.c - reads /proc/self/maps by raw system calls into the caller's
 * buffer. A line that does not fit (a path of 8 KiB) ends the reading.
 */
#include "proc_maps.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "sys.h"

static const char *parse_number(const char *p, unsigned base, uint64_t *value)
{
	const char *start = p;

	*value = 0;
	for (;; p++) {
		unsigned digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned)(*p - '0');
		else if (base == 16 && *p >= 'a' && *p <= 'f')
			digit = (unsigned)(*p - 'a' + 10);
		else
			break;
		*value = *value * base + digit;
	}
	return p > start ? p : NULL;
}

/* start-end rwxp offset major:minor inode   name */
bool maps_parse(char *text, struct maps_line *line)
{
	const char *p = text;

	*line = (struct maps_line){ 0 };
	p = parse_number(p, 16, &line->start);
	if (!p || *p != '-')
		return false;
	p = parse_number(p + 1, 16, &line->end);
	if (!p || *p != ' ' || strlen(p) < 6)
		return false;
	p++;
	line->prot = (p[0] == 'r' ? PROT_READ : 0u) | (p[1] == 'w' ? PROT_WRITE : 0u) |
		     (p[2] == 'x' ? PROT_EXEC : 0u);
	line->is_shared = p[3] == 's';
	p += 4;
	for (unsigned field = 0; field < 2; field++) {
		p = *p == ' ' ? strchr(p + 1, ' ') : NULL;
		if (!p)
			return false;
	}
	p = parse_number(p + 1, 10, &line->inode);
	if (!p)
		return false;
	while (*p == ' ')
		p++;
	line->name = p;
	return true;
}

bool maps_open(struct maps_reader *r)
{
	r->fd = SYS4(openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
	r->used = 0;
	r->next = 0;
	return !sys_failed(r->fd);
}

bool maps_next(struct maps_reader *r, struct maps_line *line)
{
	char *end;
	long bytes;

	while (!(end = memchr(r->text + r->next, '\n', r->used - r->next))) {
		memmove(r->text, r->text + r->next, r->used - r->next);
		r->used -= r->next;
		r->next = 0;
		bytes = SYS3(read, r->fd, r->text + r->used, sizeof(r->text) - r->used);
		if (bytes <= 0)
			return false;
		r->used += (size_t)bytes;
	}
	char *start = r->text + r->next;

	*end = '\0';
	r->next = (size_t)(end + 1 - r->text);
	return maps_parse(start, line);
}

void maps_close(struct maps_reader *r)
{
	SYS1(close, r->fd);
}
