/*
 * counted.c - counts its completed heap calls in a page of a file, to be killed
 * at any moment.
 * usage: counted FILE THREADS [CHILDREN]
 * The file holds a 64-bit count per thread, 64 bytes apart: calls that have
 * returned. Each of CHILDREN forked processes has THREADS of its own, after the parent's.
 * Writes its pid to FILE.pid and those of the children to FILE.pids before.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct counter { _Atomic uint64_t calls; char pad[56]; };

static void *work(void *arg)
{
	struct counter *counter = arg;
	void *blocks[16] = { NULL };

	for (unsigned i = 0;; i = (i + 1) % 16) {
		if (blocks[i]) {
			free(blocks[i]);
			atomic_fetch_add_explicit(&counter->calls, 1, memory_order_relaxed);
		}
		blocks[i] = malloc(16 + i * 40);
		atomic_fetch_add_explicit(&counter->calls, 1, memory_order_relaxed);
	}
	return NULL;
}

/* Adds PID, unless 0, to the file NAME SUFFIX, without a heap call. */
static void pids_write(const char *name, const char *suffix, pid_t pid)
{
	char path[4096], line[32];
	int fd;

	snprintf(path, sizeof(path), "%s%s", name, suffix);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (pid && write(fd, line, (size_t)snprintf(line, sizeof(line), "%d\n", (int)pid)) < 0)
		_exit(1);
	close(fd);
}

int main(int argc, char **argv)
{
	int fd = argc >= 3 ? open(argv[1], O_RDWR | O_CREAT, 0600) : -1;
	int threads = argc >= 3 ? atoi(argv[2]) : 0;
	int children = argc == 4 ? atoi(argv[3]) : 0, own = 0;
	struct counter *counters;
	pthread_t thread;

	if (fd < 0 || ftruncate(fd, 4096) || threads < 1 || threads * (children + 1) > 64)
		return 2;
	counters = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (counters == MAP_FAILED)
		return 1;
	pids_write(argv[1], ".pids", 0);
	for (int i = 1; i <= children && !own; i++) {
		pid_t pid = fork();

		if (pid == 0)
			own = i;
		else
			pids_write(argv[1], ".pids", pid);
	}
	if (!own)
		pids_write(argv[1], ".pid", getpid());
	counters += own * threads;
	for (int i = 1; i < threads; i++)
		pthread_create(&thread, NULL, work, &counters[i]);
	work(&counters[0]);
	return 0;
}
