/*
 * task_calls.c - exec and wait as system calls that leave a record. Relies on the
 * append-only metadata area, which takes records from any thread and any process that
 * shares the ring. Promises to read nothing of the caller's that the kernel could not
 * read (it would say EFAULT), and to change neither arguments nor results.
 */
#include "task_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include "clock.h"
#include "exec_file.h"
#include "meta.h"
#include "sandbox.h"
#include "session.h"
#include "sys.h"

#define PATH_BYTES 400
#define ARGV_BYTES 200
#define RECORD_BYTES (PATH_BYTES + ARGV_BYTES + 80)
#define PAGE_BYTES 4096u
/* Variables looked at; beyond that nothing is said against the environment. */
#define VARIABLES_MAX 20000u

static const char preload_name[] = "LD_PRELOAD=";
static const char ring_name[] = ENV_RING "=";
/* Part of the library's file name. */
static const char library_name[] = "liballotrope";

bool task_call_is(long nr)
{
	return nr == SYS_execve || nr == SYS_execveat || nr == SYS_wait4 || nr == SYS_waitid;
}

bool task_call_is_indirect(long nr)
{
	return task_call_is(nr) || nr == SYS_seccomp || nr == SYS_prctl;
}

/* ---- the caller's memory ---- */

/* The number of the page that was found readable last, from 1; 0: none. */
struct reader { uint64_t page; };

/*
 * True where the page of AT can be read: an unknown `how` is refused only after the
 * kernel has read the set (kernel/signal.c).
 */
static bool can_read(struct reader *r, const void *at)
{
	uint64_t page = (uint64_t)(uintptr_t)at / PAGE_BYTES + 1;

	/* the kernel takes a set at 0 for none */
	if (page == 1)
		return false;
	if (page == r->page)
		return true;
	if (SYS4(rt_sigprocmask, -1, (uint64_t)(uintptr_t)at & ~7ul, NULL, 8) == -EFAULT)
		return false;
	r->page = page;
	return true;
}

/* The pointer at AT, NULL where it cannot be read. */
static const char *pointer_at(struct reader *r, char *const *at)
{
	return can_read(r, at) ? *at : NULL;
}

/* Copies a string, cut at ROOM - 1 bytes; its length. */
static size_t string_copy(struct reader *r, char *out, size_t room, const char *from)
{
	size_t n = 0;

	while (n < room - 1 && can_read(r, from + n) && from[n]) {
		out[n] = from[n];
		n++;
	}
	out[n] = '\0';
	return n;
}

/* What follows PREFIX in the string AT, NULL where it begins otherwise. */
static const char *behind(struct reader *r, const char *at, const char *prefix)
{
	while (*prefix && can_read(r, at) && *at == *prefix) {
		at++;
		prefix++;
	}
	return *prefix ? NULL : at;
}

static bool names_library(struct reader *r, const char *value)
{
	for (; can_read(r, value) && *value; value++)
		if (behind(r, value, library_name))
			return true;
	return false;
}

/* EXEC_NO_* for the environment ENV. */
static uint32_t environment_flags(struct reader *r, char *const *env)
{
	struct reader strings = { 0 };
	bool has_preload = false, has_ring = false, has_any = false;
	const char *entry, *value;

	for (unsigned i = 0; i < VARIABLES_MAX && (entry = pointer_at(r, env + i)); i++) {
		has_any = true;
		value = behind(&strings, entry, preload_name);
		if (value)
			has_preload |= names_library(&strings, value);
		else
			has_ring |= behind(&strings, entry, ring_name) != NULL;
		if (has_preload && has_ring)
			return 0;
	}
	if (!has_any || (!has_preload && !has_ring))
		return 1u << EXEC_NO_ENVIRONMENT;
	return !has_preload ? 1u << EXEC_NO_PRELOAD : 1u << EXEC_NO_RING;
}

/* ---- exec ---- */

/* execve's arguments, and execveat's. */
struct exec {
	int directory;
	const char *path;
	char *const *argv, *const *env;
	uint32_t pid, flags;
};

/* Number as text behind TO; no more than ten digits. */
static void put_number(char *to, unsigned n)
{
	char digits[12];
	size_t i = sizeof(digits);

	digits[--i] = '\0';
	do
		digits[--i] = (char)('0' + n % 10);
	while (n /= 10);
	memcpy(to, digits + i, sizeof(digits) - i);
}

static __attribute__((noinline)) void exec_record(const struct exec *e, const char *path, long error)
{
	uint8_t buffer[RECORD_BYTES];
	char words[ARGV_BYTES];
	struct reader r = { 0 }, strings = { 0 };
	struct meta_builder b;
	const char *word;
	size_t n = 0;

	for (unsigned i = 0; n < sizeof(words) - 1 && (word = pointer_at(&r, e->argv + i)); i++)
		n += string_copy(&strings, words + n, sizeof(words) - n, word) + 1;
	meta_init(&b, buffer, sizeof(buffer));
	meta_number(&b, e->pid);
	meta_number(&b, clock_stamp());
	meta_number(&b, session.image);
	meta_number(&b, e->flags);
	meta_number(&b, (uint64_t)error);
	meta_string(&b, path);
	meta_bytes(&b, words, n > sizeof(words) ? sizeof(words) : n);
	meta_append(META_EXEC, &b);
}

/* A child that the options leave out is no program that should have been recorded. */
static bool is_wanted(uint32_t pid)
{
	return session.ring && !session.sandboxed &&
	       (session.options.follow != FOLLOW_NO || pid == session.pid);
}

static __attribute__((noinline)) long exec_call(long nr, const long args[6], struct exec *e)
{
	struct reader r = { 0 };
	char path[PATH_BYTES];
	long result;

	e->pid = (uint32_t)SYS0(getpid);
	if (!is_wanted(e->pid))
		return sys_call6(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	if (string_copy(&r, path, sizeof(path), e->path) == 0 && e->directory != AT_FDCWD) {
		/* AT_EMPTY_PATH: the descriptor is the program */
		memcpy(path, "/proc/self/fd/", 15);
		put_number(path + 14, (unsigned)e->directory);
		e->directory = AT_FDCWD;
	}
	if (exec_file_flags(e->directory, path, &e->flags) == 0) {
		e->flags |= environment_flags(&r, e->env);
		exec_record(e, path, 0);
	}
	result = sys_call6(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	exec_record(e, path, -result);
	return result;
}

/* ---- wait ---- */

static __attribute__((noinline)) void child_record(long pid, int status)
{
	uint8_t small[64];
	struct meta_builder b;

	if (!session.recording || session.sandboxed || session.options.follow == FOLLOW_NO ||
	    (!WIFEXITED(status) && !WIFSIGNALED(status)))
		return;
	meta_init(&b, small, sizeof(small));
	meta_number(&b, (uint64_t)pid);
	meta_number(&b, clock_stamp());
	meta_number(&b, zigzag(status));
	meta_append(META_STATUS, &b);
}

/* A caller that does not want the status gets none: the kernel writes it to us. */
static long wait4_call(const long args[6])
{
	int own = 0, *status = args[1] ? (int *)args[1] : &own;
	long pid = sys_call6(SYS_wait4, args[0], (long)status, args[2], args[3], args[4], args[5]);

	if (!sys_failed(pid) && pid > 0)
		child_record(pid, *status);
	return pid;
}

static long waitid_call(const long args[6])
{
	siginfo_t own, *info = args[2] ? (siginfo_t *)args[2] : &own;
	long result;
	int status;

	own.si_pid = 0;
	result = sys_call6(SYS_waitid, args[0], args[1], (long)info, args[3], args[4], args[5]);
	if (result != 0 || info->si_pid <= 0 || (args[3] & WNOWAIT))
		return result;
	status = info->si_status;
	switch (info->si_code) {
	case CLD_EXITED:
		child_record(info->si_pid, (status & 0xff) << 8);
		break;
	case CLD_KILLED:
		child_record(info->si_pid, status & 0x7f);
		break;
	case CLD_DUMPED:
		child_record(info->si_pid, (status & 0x7f) | 0x80);
		break;
	default:
		break;
	}
	return result;
}

long task_call(long nr, const long args[6])
{
	struct exec e = { 0 };

	switch (nr) {
	case SYS_execve:
		e.directory = AT_FDCWD;
		e.path = (const char *)args[0];
		e.argv = (char *const *)args[1];
		e.env = (char *const *)args[2];
		return exec_call(nr, args, &e);
	case SYS_execveat:
		e.directory = (int)args[0];
		e.path = (const char *)args[1];
		e.argv = (char *const *)args[2];
		e.env = (char *const *)args[3];
		return exec_call(nr, args, &e);
	case SYS_wait4:
		return wait4_call(args);
	case SYS_waitid:
		return waitid_call(args);
	case SYS_seccomp:
		sandbox_seccomp((unsigned)args[0]);
		break;
	case SYS_prctl:
		sandbox_prctl((int)args[0], (unsigned long)args[1]);
		break;
	default:
		break;
	}
	return sys_call6(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
}
