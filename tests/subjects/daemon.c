/*
 * daemon.c - a program that leaves its parent by daemon(3) (in /, without a terminal), closes every
 * descriptor and allocates 500 blocks of 777 bytes; writes the file named DONE then.
 * usage: daemon DONE
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	void *before = malloc(100);

	if (argc < 2 || daemon(0, 0) != 0)
		return 1;
	for (int fd = 0; fd < 1024; fd++)
		close(fd);
	usleep(100000);
	for (int i = 0; i < 500; i++)
		free(malloc(777));
	free(before);
	return creat(argv[1], 0600) < 0;
}
