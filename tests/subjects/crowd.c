/*
 * crowd.c - threads that make heap calls as fast as they can, and what being recorded cost them beside time.
 * usage: crowd THREADS PAIRS [DEPTH [PID]]
 * Stops the process PID, its recorder. Each thread makes PAIRS blocks and frees each, called through
 * DEPTH frames (0). Prints, in one line,
 * "calls N waits N peak_kib N private_kib N": heap calls made, voluntary context switches of
 * the process, the most memory that was resident, and what is resident and private now.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define THREADS_MAX 256

static pthread_barrier_t barrier;
static long pairs;
static int depth;

static __attribute__((noinline)) void descend(int left, unsigned *seed)
{
	void *volatile block;

	if (left > 0) {
		descend(left - 1, seed);
		return;
	}
	*seed = *seed * 1664525u + 1013904223u;
	block = malloc(16 + (*seed >> 20));
	free(block);
}

static void *work(void *arg)
{
	unsigned seed = (unsigned)(unsigned long)arg;

	pthread_barrier_wait(&barrier);
	for (long i = 0; i < pairs; i++)
		descend(depth, &seed);
	/* all live to the end: what each of them costs is seen at once */
	pthread_barrier_wait(&barrier);
	return NULL;
}

/* The number behind KEY in the text of /proc/self/status, read without the heap. */
static long status_of(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? atol(at + strlen(key)) : 0;
}

int main(int argc, char **argv)
{
	static pthread_t ids[THREADS_MAX];
	static char text[4096];
	int threads = argc > 2 ? atoi(argv[1]) : 0, bytes;
	struct rusage usage;
	FILE *in;

	if (threads < 1 || threads > THREADS_MAX)
		return 2;
	pairs = atol(argv[2]);
	depth = argc > 3 ? atoi(argv[3]) : 0;
	if (argc > 4 && kill(atoi(argv[4]), SIGSTOP))
		return 1;
	pthread_barrier_init(&barrier, NULL, (unsigned)threads);
	for (int i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, work, (void *)(unsigned long)(i + 1)))
			return 1;
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	in = fopen("/proc/self/status", "r");
	if (!in || fread(text, 1, sizeof(text) - 1, in) == 0)
		return 1;
	fclose(in);
	getrusage(RUSAGE_SELF, &usage);
	bytes = snprintf(text + 3072, 1024, "calls %ld waits %ld peak_kib %ld private_kib %ld\n",
			 2 * pairs * threads, usage.ru_nvcsw, status_of(text, "VmHWM:"),
			 status_of(text, "RssAnon:"));
	return write(STDOUT_FILENO, text + 3072, (size_t)bytes) != bytes;
}
