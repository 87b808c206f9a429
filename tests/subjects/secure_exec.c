/*
 * secure_exec.c - a program that may have got more rights than its caller.
 * usage: secure_exec            says so, says which file malloc is of, and uses it
 *        secure_exec grant FILE gives FILE the capability to change owners
 */
#include <dlfcn.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define BLOCKS 1000

static int grant(const char *file)
{
	struct vfs_cap_data caps = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data[0].permitted = 1u << CAP_CHOWN,
	};

	return setxattr(file, "security.capability", &caps, sizeof(caps), 0) ? 1 : 0;
}

static unsigned use(void)
{
	unsigned char *blocks[BLOCKS];
	unsigned sum = 0;

	for (unsigned i = 0; i < BLOCKS; i++) {
		blocks[i] = realloc(calloc(1, i + 1), 2 * i + 2);
		memset(blocks[i], (int)(i & 3), 2 * i + 2);
	}
	for (unsigned i = 0; i < BLOCKS; i++) {
		sum += blocks[i][i];
		free(blocks[i]);
	}
	return sum;
}

int main(int argc, char **argv)
{
	void *(*volatile function)(size_t) = malloc;
	Dl_info at = { 0 };
	int status = 0;
	pid_t child;

	if (argc == 3 && strcmp(argv[1], "grant") == 0)
		return grant(argv[2]);
	dladdr((void *)function, &at);
	printf("secure %lu, malloc of %s, sum %u\n", getauxval(AT_SECURE), at.dli_fname, use());
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(use() == 1500 ? 5 : 6);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 7;
	return WEXITSTATUS(status);
}
