/*
 * static_dynamic.c - what do shared libraries add to an address space? Says its pid and
 * stays for a while. The build makes it twice: static_dynamic, and static_dynamic_static
 * (linked with -static), into which no library can be put.
 *
 * usage: static_dynamic [SECONDS]    half a second unless told
 *
 * Look for (allotrope maps -x -p PID of each, or allotrope record --no-preload): libc and
 * ld.so have four or five mappings each in the one, none in the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 0.5;
	struct timespec t = { (time_t)seconds, (long)((seconds - (long)seconds) * 1e9) };

	printf("%d\n", (int)getpid());
	fflush(stdout);
	nanosleep(&t, NULL);
	return 0;
}
