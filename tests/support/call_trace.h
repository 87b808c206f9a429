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
	char *functions[FRAMES_MAX]; /* "main+0x15" */
	int frame_count;
	long tid;
};

struct call_trace {
	struct trace_line *lines;
	int count;
	struct trace_line *early;    /* of constructors before main */
	int early_count;
	int set_aside;               /* what ld.so made, and constructors: not in `lines` */
};

/*
 * The calls in the file PATH; fails the test where there is none. Those of which the
 * outermost frame is ld.so's are set aside; of strace's (IS_STRACE) those of which the
 * innermost is, too, which allotrope cannot see. Those of tests/subjects/scrub.so are no
 * calls of the program's.
 */
struct call_trace call_trace_read(const char *path, int is_strace);
void call_trace_free(struct call_trace *t);

/* Leave the first COUNT calls out. */
void call_trace_drop(struct call_trace *t, int count);

/* Fails the test of COMMAND with the first line that differs, unless OURS and THEIRS are the same. */
void assert_same_lines(const char *command, int thread, const char *ours, const char *theirs);

/*
 * Fails the test of COMMAND with the first line that differs, unless both have the same
 * threads, in any order, with the same calls each, and the calls of constructors that OURS
 * has are the last of THEIRS. Returns the number of threads.
 */
int call_trace_compare(const char *command, const struct call_trace *ours,
		       const struct call_trace *theirs);

/*
 * The calls of the thread that came NUMBERth (from 0), one a line; NULL: there is none. What is
 * chance is not in it: addresses of mappings are @0, @1, ... by their first appearance, the
 * column of results, how an arena came to its alignment.
 */
char *call_trace_thread(const struct call_trace *t, int number);

#endif
