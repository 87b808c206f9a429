/*
 * steady.c - a program that is in the midst of its heap calls while something happens to its recorder.
 * usage: steady PAIRS
 * Blocks are made and freed until the file ./happened is there, then PAIRS more. Makes the file
 * ./working when it has made 20,000 of them. Prints how many it made in all.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Pairs between two looks for the file. */
#define ROUND 20000

static void pairs(long count)
{
	for (long i = 0; i < count; i++) {
		void *volatile block = malloc(16 + (size_t)i % 1024);

		free(block);
	}
}

int main(int argc, char **argv)
{
	long more = argc == 2 ? atol(argv[1]) : -1, made = 0;
	char line[32];
	int length;

	if (more < 0)
		return 2;
	do {
		pairs(ROUND);
		made += ROUND;
		if (made == ROUND)
			close(open("working", O_WRONLY | O_CREAT, 0600));
	} while (access("happened", F_OK) != 0);
	pairs(more);
	/* without a heap call */
	length = snprintf(line, sizeof(line), "%ld\n", made + more);
	return write(1, line, (size_t)length) != length;
}
