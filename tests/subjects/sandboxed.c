/*
 * sandboxed.c - gives up system calls and allocates on.
 * usage: sandboxed strict|filter|refuse
 * strict: SECCOMP_MODE_STRICT, where any system call but read, write, _exit kills.
 * filter: a filter that kills for all calls that a program with its files open has no need of:
 * only memory calls without a descriptor, write, futex, signals and the end are left.
 * refuse: a filter that answers EPERM to madvise, openat and fallocate.
 * Writes "well" before its end, after 100,000 more blocks of 123 bytes.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALLOW(number) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

#define REFUSE(number) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

static int filter_set(struct sock_filter *code, size_t count)
{
	struct sock_fprog program = { (unsigned short)count, code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static int refuse(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		REFUSE(SYS_madvise), REFUSE(SYS_openat), REFUSE(SYS_fallocate),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return filter_set(code, sizeof(code) / sizeof(code[0]));
}

static int kill_for_others(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(SYS_write), ALLOW(SYS_brk), ALLOW(SYS_munmap), ALLOW(SYS_madvise),
		ALLOW(SYS_exit_group), ALLOW(SYS_exit), ALLOW(SYS_futex), ALLOW(SYS_rt_sigreturn),
		/* mmap of memory only: the fifth argument is a descriptor, -1 */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[4])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xffffffffu, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return filter_set(code, sizeof(code) / sizeof(code[0]));
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "strict";
	/* so that the heap need not grow under the strict mode */
	void *volatile room = malloc(100000);

	free(room);
	free(malloc(123));
	if (strcmp(how, "strict") == 0 ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) :
	    strcmp(how, "refuse") == 0 ? refuse() : kill_for_others())
		return 1;
	for (int i = 0; i < 100000; i++)
		free(malloc(123));
	if (strcmp(how, "strict") != 0)
		free(malloc(500000));
	if (write(1, "well\n", 5) != 5)
		return 1;
	syscall(SYS_exit, 0);
	return 0;
}
