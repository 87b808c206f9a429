/*
 * filtered.c - a sandbox that was there before the program.
 * usage: filtered HOW NUMBER PROGRAM [ARGS]
 * HOW is errno (the system call NUMBER fails with EPERM), kill (it ends the program), or raw: as
 * errno, but the filter is set by libc's syscall(), then PROGRAM is not started: blocks of 123
 * bytes are allocated, and "well" is written.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int filter_on(unsigned number, unsigned verdict)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, verdict),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	/* prctl would announce it */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? 0 :
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

int main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[1] : "";
	unsigned number = argc > 2 ? (unsigned)atoi(argv[2]) : 0;

	if (strcmp(how, "raw") == 0) {
		if (filter_on(number, SECCOMP_RET_KILL_PROCESS) != 0)
			return 1;
		for (int i = 0; i < 1000; i++)
			free(malloc(123));
		return write(1, "well\n", 5) != 5;
	}
	if (argc < 4 || filter_on(number, strcmp(how, "kill") == 0 ? SECCOMP_RET_KILL_PROCESS :
				  SECCOMP_RET_ERRNO | EPERM) != 0)
		return 125;
	execvp(argv[3], argv + 3);
	return 126;
}
