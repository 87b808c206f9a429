/*
 * recordable.c - can this program be recorded? Finds the file as execvp does,
 * follows #! lines, and reads the ELF headers with libelf. Relies on nothing
 * but the files; promises to refuse only where the dynamic linker would not
 * load the library, or where loading it would change what the program does.
 */
#include "cli/recordable.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/xmem.h"

/* Linux gives up after four interpreters in a row (fs/exec.c: exec_binprm). */
#define SCRIPT_DEPTH_MAX 5
/* Linux looks at this much of a #! line (BINPRM_BUF_SIZE). */
#define SCRIPT_LINE_MAX 256

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#define OWN_MACHINE_NAME "x86-64"
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#define OWN_MACHINE_NAME "aarch64"
#else
#error "allotrope records x86-64 and aarch64 programs"
#endif

/* 0: PATH is a file that may be executed; else errno. */
static int executable_error(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	return access(path, X_OK) == 0 ? 0 : errno;
}

static char *found_or_why(const char *name, char *path, int error, struct diag *d)
{
	if (error == 0)
		return path;
	free(path);
	errno = error;
	diag_errno(d, error == ENOENT || error == ENOTDIR ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN,
		   "cannot run '%s'", name);
	return NULL;
}

char *program_find(const char *name, const char *path, struct diag *d)
{
	int worst = ENOENT;

	if (!*name || strchr(name, '/'))
		return found_or_why(name, xstrdup(name), executable_error(name), d);
	for (const char *p = path ? path : "/bin:/usr/bin"; p; ) {
		size_t n = strcspn(p, ":");
		char *full = n ? xasprintf("%.*s/%s", (int)n, p, name) : xstrdup(name);
		int error = executable_error(full);

		if (error == 0)
			return full;
		/* as execvp: a file without permission is remembered, the search goes on */
		if (error == EACCES)
			worst = EACCES;
		free(full);
		p = p[n] ? p + n + 1 : NULL;
	}
	return found_or_why(name, NULL, worst, d);
}

/* A string of the file at OFFSET, as long as it ends within it; else NULL. */
static const char *file_string(Elf *elf, uint64_t offset)
{
	size_t bytes;
	const char *raw = elf_rawfile(elf, &bytes);

	if (!raw || offset >= bytes || !memchr(raw + offset, 0, bytes - offset))
		return NULL;
	return raw + offset;
}

static bool needs_library(Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr, const char *prefix)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t count = shdr->sh_entsize ? shdr->sh_size / shdr->sh_entsize : 0;

	for (size_t i = 0; data && i < count; i++) {
		GElf_Dyn dyn;
		const char *name;

		if (!gelf_getdyn(data, (int)i, &dyn) || dyn.d_tag == DT_NULL)
			break;
		if (dyn.d_tag != DT_NEEDED)
			continue;
		name = elf_strptr(elf, shdr->sh_link, dyn.d_un.d_val);
		if (name && strncmp(name, prefix, strlen(prefix)) == 0)
			return true;
	}
	return false;
}

static bool defines_symbol(Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr, const char *wanted)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t count = shdr->sh_entsize ? shdr->sh_size / shdr->sh_entsize : 0;

	for (size_t i = 0; data && i < count; i++) {
		GElf_Sym sym;
		const char *name;

		if (!gelf_getsym(data, (int)i, &sym))
			break;
		if (sym.st_shndx == SHN_UNDEF)
			continue;
		name = elf_strptr(elf, shdr->sh_link, sym.st_name);
		if (name && strcmp(name, wanted) == 0)
			return true;
	}
	return false;
}

static int check_interpreter(Elf *elf, const char *path, struct diag *d)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	const char *interpreter = NULL;
	bool has_interpreter = false;
	size_t count;

	if (elf_getphdrnum(elf, &count) != 0)
		return 0;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr phdr;

		if (gelf_getphdr(elf, (int)i, &phdr) && phdr.p_type == PT_INTERP) {
			has_interpreter = true;
			interpreter = file_string(elf, phdr.p_offset);
		}
	}
	/* the dynamic linker run as a program has none, and preloads for what it runs */
	if (!has_interpreter && strncmp(base, "ld-linux", 8) != 0 && strncmp(base, "ld.so", 5) != 0)
		return diag_set(d, STATUS_CANNOT_RECORD,
				"cannot record '%s': it is statically linked, so no library can be "
				"put into it; link it dynamically, or see its memory from outside "
				"(record --no-preload)", path);
	if (interpreter && strstr(interpreter, "ld-musl"))
		return diag_set(d, STATUS_CANNOT_RECORD,
				"cannot record '%s': it uses musl (%s), and the library needs glibc; "
				"use a build for glibc", path, interpreter);
	return 0;
}

/* Their start-up code ends the program, or breaks it, when another library comes first. */
static int check_sanitizers(Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr, const char *path,
			    struct diag *d)
{
	static const struct {
		const char *library, *name, *option;
	} sanitizers[] = {
		{ "libasan", "AddressSanitizer", "address" },
		{ "libtsan", "ThreadSanitizer", "thread" },
		{ "liblsan", "LeakSanitizer", "leak" },
	};

	for (size_t i = 0; i < sizeof(sanitizers) / sizeof(sanitizers[0]); i++)
		if (needs_library(elf, scn, shdr, sanitizers[i].library))
			return diag_set(d, STATUS_CANNOT_RECORD,
					"cannot record '%s': it is built with %s, which replaces "
					"malloc and refuses preloaded libraries; build it without "
					"-fsanitize=%s", path, sanitizers[i].name, sanitizers[i].option);
	return 0;
}

static int check_sections(Elf *elf, const char *path, struct recordable *r, struct diag *d)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;

		if (!gelf_getshdr(scn, &shdr))
			continue;
		if (shdr.sh_type == SHT_DYNAMIC && check_sanitizers(elf, scn, &shdr, path, d))
			return STATUS_CANNOT_RECORD;
		if (shdr.sh_type == SHT_DYNSYM)
			r->has_own_malloc |= defines_symbol(elf, scn, &shdr, "malloc");
	}
	return 0;
}

static int check_elf(int fd, const char *path, struct recordable *r, struct diag *d)
{
	Elf *elf;
	GElf_Ehdr ehdr;
	int result = 0;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf && gelf_getehdr(elf, &ehdr)) {
		if (gelf_getclass(elf) != ELFCLASS64)
			result = diag_set(d, STATUS_CANNOT_RECORD,
					  "cannot record '%s': it is a 32-bit program, and the library "
					  "is for " OWN_MACHINE_NAME "; use a 64-bit build", path);
		else if (ehdr.e_machine != OWN_MACHINE)
			result = diag_set(d, STATUS_CANNOT_RECORD,
					  "cannot record '%s': it is made for another machine (ELF "
					  "machine %u), and the library is for " OWN_MACHINE_NAME,
					  path, ehdr.e_machine);
		else if (check_interpreter(elf, path, d) != 0 ||
			 check_sections(elf, path, r, d) != 0)
			result = -1;
	}
	elf_end(elf);
	return result;
}

/*
 * Would exec turn on secure execution, in which the dynamic linker takes no
 * libraries from us (ld.so(8))? Root gains nothing by a setuid-root file.
 */
static int check_privileges(int fd, const char *path, struct diag *d)
{
	struct stat st;
	const char *why = NULL;

	if (fstat(fd, &st) != 0)
		return 0;
	if ((st.st_mode & S_ISUID) && st.st_uid != getuid())
		why = "setuid";
	else if ((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && st.st_gid != getgid())
		why = "setgid";
	else if (getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		why = "a program with file capabilities";
	if (!why)
		return 0;
	return diag_set(d, STATUS_CANNOT_RECORD,
			"cannot record '%s': it is %s, so the system loads no library of ours into it; "
			"record a copy of it without these rights (cp makes one)", path, why);
}

/* The interpreter named by the #! line in LINE of BYTES, or NULL. */
static char *script_interpreter(const char *line, size_t bytes)
{
	const char *p = line + 2, *end;
	size_t n;

	if (bytes < 3 || line[0] != '#' || line[1] != '!')
		return NULL;
	end = memchr(line, '\n', bytes);
	if (!end)
		end = line + bytes;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	for (n = 0; p + n < end && p[n] && p[n] != ' ' && p[n] != '\t'; n++)
		;
	return n ? xstrndup(p, n) : NULL;
}

/* One link of the chain; *NEXT is the interpreter to look at, or NULL at the end. */
static int check_file(const char *path, char **next, struct recordable *r, struct diag *d)
{
	char line[SCRIPT_LINE_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int result = 0;

	*next = NULL;
	if (fd < 0)
		return 0;
	n = pread(fd, line, sizeof(line), 0);
	if (n >= SELFMAG && memcmp(line, ELFMAG, SELFMAG) == 0) {
		if (check_privileges(fd, path, d) != 0 || check_elf(fd, path, r, d) != 0)
			result = -1;
	} else if (n > 0) {
		*next = script_interpreter(line, (size_t)n);
	}
	close(fd);
	return result;
}

int recordable_check(const char *path, struct recordable *r, struct diag *d)
{
	char *link = xstrdup(path);
	int result = 0;

	*r = (struct recordable){ 0 };
	for (int depth = 0; link && result == 0 && depth < SCRIPT_DEPTH_MAX; depth++) {
		char *next;

		result = check_file(link, &next, r, d);
		free(link);
		link = next;
	}
	free(link);
	return result;
}
