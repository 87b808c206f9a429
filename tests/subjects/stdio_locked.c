/*
 * stdio_locked.c - allocates while its thread holds the lock of stdout, in the functions of a stream of
 * fopencookie(3), and while another thread waits for that lock. Prints "well".
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long calls;

static ssize_t put(void *cookie, const char *text, size_t bytes)
{
	(void)cookie;
	(void)text;
	free(malloc(321));
	calls++;
	return (ssize_t)bytes;
}

static void *print(void *arg)
{
	printf("%s", (const char *)arg);
	return NULL;
}

int main(void)
{
	const cookie_io_functions_t functions = { .write = put };
	FILE *stream = fopencookie(NULL, "w", functions);
	pthread_t thread;

	if (!stream)
		return 1;
	setvbuf(stream, NULL, _IONBF, 0);
	flockfile(stdout);
	if (pthread_create(&thread, NULL, print, "") != 0)
		return 1;
	for (int i = 0; i < 20000; i++)
		free(malloc(77));
	for (int i = 0; i < 1000; i++)
		fputs("x", stream);
	funlockfile(stdout);
	pthread_join(thread, NULL);
	fclose(stream);
	puts(calls >= 1000 ? "well" : "the stream did not write");
	return 0;
}
