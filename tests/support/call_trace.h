/*
 * call_trace.h - what strace -f -k wrote, or `allotrope strace -f -k` alike: the calls of
 * each thread with their call stacks, in words that do not differ from run to run.
 */
#ifndef SUPPORT_CALL_TRACE_H
#define SUPPORT_CALL_TRACE_H

#define FRAMES_MAX 64
#define CALLS_MAX 60000

struct trace_line {
	char *text;                  /* mmap(NULL, ...) = 0x7f... */
	char *frames[FRAMES_MAX];    /* innermost first: "libc.so.6 [0x98fa8]" */
	char *functions[FRAMES_MAX];
	int frame_count;
	long tid;
};

struct call_trace {
	struct trace_line *lines;
	int count;
	int set_aside;               /* what ld.so made, or constructors before main: left out */
};

/*
 * The calls in the file PATH; fails the test where there is none. Those of which the
 * outermost frame is ld.so's are set aside; of strace's (IS_STRACE) those of which the
 * innermost is, too, which allotrope cannot see.
 */
struct call_trace call_trace_read(const char *path, int is_strace);
void call_trace_free(struct call_trace *t);

/* Leave the first COUNT calls out. */
void call_trace_drop(struct call_trace *t, int count);

/*
 * The calls of the thread that came NUMBERth (from 0), one a line; NULL: there is none. What is
 * chance is not in it: addresses of mappings are @0, @1, ... by their first appearance, the
 * column of results, how much of an arena's reservation is given back at which end.
 */
char *call_trace_thread(const struct call_trace *t, int number);

#endif
