/*
 * close_all.c - closes every descriptor from 3 on, changes the directory and
 * allocates on. Prints the number that the next open gets: 3 in a clean program.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	int before = open("/dev/null", O_RDONLY), after;

	if (before != 3)
		fprintf(stderr, "first descriptor is %d\n", before);
	for (int i = 0; i < 1000; i++)
		free(malloc(64));
	syscall(SYS_close_range, 3u, ~0u, 0u);
	if (chdir("/"))
		return 1;
	for (int i = 0; i < 100000; i++)
		free(malloc(64));
	after = open("/dev/null", O_RDONLY);
	printf("%d %d\n", before, after);
	return 0;
}
