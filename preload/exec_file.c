/*
 * exec_file.c - reads the beginning of a file as execve(2) does. The loader decides in the
 * end; these are its reasons. Relies on PATH being readable memory. Promises to open
 * regular files only, and to need little stack.
 */
#include "exec_file.h"

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "record_kinds.h"
#include "sys.h"

/* Linux looks at this much of a #! line (BINPRM_BUF_SIZE), and gives up after five files. */
#define SCRIPT_LINE 256
#define SCRIPT_DEPTH 5
/* The ELF header and the first program headers. */
#define HEAD_BYTES 512
#define PROGRAM_HEADERS_MAX 64

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#else
#define OWN_MACHINE EM_AARCH64
#endif

#define BIT(name) (1u << EXEC_##name)

/*
 * Would it run with rights that its caller has not? Then the loader takes no library
 * from the environment (AT_SECURE). Root gains nothing by a setuid-root file.
 */
static uint32_t rights(long fd, const struct stat *st)
{
	uint32_t user = (uint32_t)SYS0(getuid);

	if ((st->st_mode & S_ISUID) && st->st_uid != user)
		return BIT(SETUID);
	if ((st->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
	    st->st_gid != (uint32_t)SYS0(getgid))
		return BIT(SETGID);
	if (user != 0 && SYS4(fgetxattr, fd, "security.capability", NULL, 0) > 0)
		return BIT(CAPABILITIES);
	return 0;
}

static bool is_loader(const char *path)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

	return strncmp(base, "ld-linux", 8) == 0 || strncmp(base, "ld.so", 5) == 0;
}

/* The file of FD asks for a loader; its path's beginning into INTERPRETER (64 bytes). */
static bool has_interpreter(long fd, const Elf64_Ehdr *e, char *interpreter)
{
	for (unsigned i = 0; i < e->e_phnum && i < PROGRAM_HEADERS_MAX; i++) {
		uint64_t at = e->e_phoff + (uint64_t)i * sizeof(Elf64_Phdr);
		Elf64_Phdr ph;
		long n;

		if (SYS4(pread64, fd, &ph, sizeof(ph), at) != (long)sizeof(ph))
			return true; /* damaged: execve has the last word */
		if (ph.p_type != PT_INTERP)
			continue;
		n = SYS4(pread64, fd, interpreter, 63, ph.p_offset);
		interpreter[n > 0 ? n : 0] = '\0';
		return true;
	}
	return e->e_phnum > PROGRAM_HEADERS_MAX;
}

static uint32_t elf_flags(long fd, const char *path, const char *head, long bytes)
{
	char interpreter[64] = "";
	Elf64_Ehdr e;

	if (head[EI_CLASS] != ELFCLASS64)
		return BIT(OTHER_CLASS);
	if (bytes < (long)sizeof(e))
		return 0;
	memcpy(&e, head, sizeof(e));
	if (e.e_machine != OWN_MACHINE)
		return BIT(OTHER_MACHINE);
	/* the loader run as a program has none, and preloads for what it runs */
	if (!has_interpreter(fd, &e, interpreter))
		return is_loader(path) ? 0 : BIT(STATIC);
	return strstr(interpreter, "ld-musl") ? BIT(OTHER_LIBC) : 0;
}

/* The interpreter of the #! line in HEAD of BYTES into OUT; false: it names none. */
static bool script_interpreter(const char *head, long bytes, char out[SCRIPT_LINE])
{
	const char *end = head + (bytes < SCRIPT_LINE ? bytes : SCRIPT_LINE - 1), *p = head + 2;
	size_t n = 0;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (p < end && *p && *p != ' ' && *p != '\t' && *p != '\n')
		out[n++] = *p++;
	out[n] = '\0';
	return n > 0;
}

long exec_file_flags(int directory, const char *path, uint32_t *flags)
{
	char head[HEAD_BYTES], script[SCRIPT_LINE];
	struct stat st;

	*flags = 0;
	for (unsigned depth = 0; depth < SCRIPT_DEPTH; depth++) {
		long n, fd, error = SYS4(newfstatat, directory, path, &st, 0);

		if (sys_failed(error))
			return depth ? 0 : error;
		if (!S_ISREG(st.st_mode))
			return 0;
		fd = SYS4(openat, directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
		if (sys_failed(fd))
			return 0;
		n = SYS4(pread64, fd, head, HEAD_BYTES, 0);
		if (n > SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0)
			*flags = rights(fd, &st) | elf_flags(fd, path, head, n);
		else if (n > 2 && (head[0] != '#' || head[1] != '!'))
			*flags = BIT(OTHER_FORMAT);
		SYS1(close, fd);
		if (n < 3 || *flags || head[0] != '#' || !script_interpreter(head, n, script))
			return 0;
		path = script;
		directory = AT_FDCWD;
	}
	return 0;
}
