/*
 * map_copy.c - what does it take to copy a file? Once by read and write through a buffer
 * of 64 KiB, once by memcpy between mappings of both files.
 *
 * usage: map_copy FROM TO
 *
 * Look for (allotrope strace --no-startup): two mmap of the size of the file, by name;
 * (allotrope maps --diff mark:mapped mark:copied): both files come in while the copy
 * touches them, as pages of RES and SHR. read and write need no more than the buffer.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "allotrope.h"

#define BUFFER (64 << 10)

static int copy_by_read(int from, int to)
{
	char *buffer = malloc(BUFFER);
	ssize_t bytes = -1;

	while (buffer && (bytes = read(from, buffer, BUFFER)) > 0) {
		if (write(to, buffer, (size_t)bytes) != bytes) {
			bytes = -1;
			break;
		}
	}
	free(buffer);
	return bytes ? -1 : 0;
}

static int copy_by_map(int from, int to, size_t bytes)
{
	void *in, *out;

	if (ftruncate(to, 0) || ftruncate(to, (off_t)bytes))
		return -1;
	in = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, from, 0);
	out = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
	if (in == MAP_FAILED || out == MAP_FAILED)
		return -1;
	allotrope_mark("mapped");
	memcpy(out, in, bytes);
	allotrope_mark("copied");
	return munmap(in, bytes) || munmap(out, bytes) ? -1 : 0;
}

int main(int argc, char **argv)
{
	int from = argc == 3 ? open(argv[1], O_RDONLY) : -1;
	int to = argc == 3 ? open(argv[2], O_RDWR | O_CREAT | O_TRUNC, 0644) : -1;
	struct stat st;

	if (argc != 3) {
		fputs("usage: map_copy FROM TO\n", stderr);
		return 2;
	}
	allotrope_mark("read and write");
	if (from < 0 || to < 0 || fstat(from, &st) || copy_by_read(from, to) ||
	    copy_by_map(from, to, (size_t)st.st_size)) {
		perror("map_copy");
		return 1;
	}
	allotrope_mark("unmapped");
	return 0;
}
