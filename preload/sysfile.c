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
	}
	SYS1(close, fd);
	buffer[have] = '\0';
	return have == 0 && sys_failed(n) ? n : (long)have;
}

uint64_t sysfile_parse_start_time(const char *stat)
{
	/* field 2 is the command in parentheses and may hold anything */
	const char *p = strrchr(stat, ')');
	uint64_t value = 0;

	if (!p)
		return 0;
	for (unsigned field = 2; field < 22; field++) {
		p = strchr(p, ' ');
		if (!p)
			return 0;
		p++;
	}
	for (; *p >= '0' && *p <= '9'; p++)
		value = value * 10 + (uint64_t)(*p - '0');
	return value;
}

uint64_t sysfile_start_time(void)
{
	char text[1024];

	if (sysfile_read("/proc/self/stat", text, sizeof(text)) <= 0)
		return 0;
	return sysfile_parse_start_time(text);
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
