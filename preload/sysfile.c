/*
 * sysfile.c - reading /proc by raw system calls. Promises to leave no
 * descriptor open and not to touch errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "sys.h"
#include "sysfile.h"

long sysfile_read(const char *path, char *buffer, size_t size)
{
	long fd = SYS4(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
	size_t have = 0;
	long n = 0;

	buffer[0] = '\0';
	if (sys_failed(fd))
		return fd;
	while (have + 1 < size) {
		n = SYS3(read, fd, buffer + have, size - 1 - have);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t)n;
		/* no file that is read here gives less than there is */
		if (have + 1 < size)
			break;
	}
	SYS1(close, fd);
	buffer[have] = '\0';
	return have == 0 && sys_failed(n) ? n : (long)have;
}

const char *sysfile_exe(void)
{
	static char path[4096];

	if (!path[0]) {
		long n = SYS4(readlinkat, AT_FDCWD, "/proc/self/exe", path, sizeof(path) - 1);

		path[n > 0 ? n : 0] = '\0';
	}
	return path;
}

/* The number in FIELD of a stat file, counted from 1 as in proc(5), from 3 on; 0: none. */
static uint64_t stat_field(const char *stat, unsigned field)
{
	/* field 2 is the command in parentheses and may hold anything */
	const char *p = strrchr(stat, ')');
	uint64_t value = 0;

	for (unsigned at = 2; p && at < field; at++) {
		p = strchr(p, ' ');
		if (p)
			p++;
	}
	for (; p && *p >= '0' && *p <= '9'; p++)
		value = value * 10 + (uint64_t)(*p - '0');
	return value;
}

bool sysfile_self_parse(struct sysfile_self *self, const char *stat)
{
	self->threads = (uint32_t)stat_field(stat, 20);
	self->start_time = stat_field(stat, 22);
	return self->threads != 0;
}

bool sysfile_self(struct sysfile_self *self)
{
	char text[1024];

	*self = (struct sysfile_self){ 0 };
	return sysfile_read("/proc/self/stat", text, sizeof(text)) > 0 &&
	       sysfile_self_parse(self, text);
}

char *sysfile_decimal(char *p, uint64_t v)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	while (n)
		*p++ = digits[--n];
	*p = '\0';
	return p;
}
