/*
 * module_file.c - finds and checks the files of a module. Paths come from a
 * recording, which may be hostile: only regular files are opened, without
 * blocking, and a file is believed by its build-id (or the checksum of
 * .gnu_debuglink where there is none), not by its name.
 *
 * The file behind .gnu_debugaltlink (dwz) is opened by libdw itself, which looks
 * under DEBUG_ROOT/.build-id and beside the debug file.
 */
#include "symbol/module_file.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <elfutils/libdwelf.h>
#include <gelf.h>

#include "base/xmem.h"

static int regular_file_open(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The Elf of FD, or NULL where it is no ELF file. */
static Elf *elf_of(int fd)
{
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);

	if (elf && elf_kind(elf) != ELF_K_ELF) {
		elf_end(elf);
		return NULL;
	}
	return elf;
}

static bool is_same_build(Elf *elf, const uint8_t *build_id, size_t bytes)
{
	const void *id = NULL;
	ssize_t n = dwelf_elf_gnu_build_id(elf, &id);

	if (n <= 0)
		return bytes == 0;
	/* recordings keep at most 32 bytes of longer ones */
	if ((size_t)n > bytes && bytes == 32)
		n = 32;
	return (size_t)n == bytes && memcmp(id, build_id, bytes) == 0;
}

/* Does ELF have a section NAME of type TYPE (0: any but NOBITS) with contents? */
static bool has_section(Elf *elf, const char *name, uint32_t type)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;
		const char *text;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type == SHT_NOBITS ||
		    sh.sh_size == 0)
			continue;
		if (type) {
			if (sh.sh_type == type)
				return true;
			continue;
		}
		text = elf_strptr(elf, names, sh.sh_name);
		if (text && strcmp(text, name) == 0)
			return true;
	}
	return false;
}

static bool has_lines(Elf *elf)
{
	return has_section(elf, ".debug_info", 0) ||
	       has_section(elf, ".zdebug_info", 0);
}

static bool has_symbols(Elf *elf)
{
	return has_section(elf, NULL, SHT_SYMTAB) ||
	       has_section(elf, ".gnu_debugdata", 0);
}

/* CRC-32 as .gnu_debuglink has it (IEEE 802.3, reflected); of the whole file. */
static bool is_checksum(int fd, uint32_t want)
{
	uint32_t table[256], crc = 0xffffffffu;
	uint8_t buffer[65536];
	off_t at = 0;
	ssize_t n;

	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
		table[i] = c;
	}
	while ((n = pread(fd, buffer, sizeof(buffer), at)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			crc = table[(crc ^ buffer[i]) & 255] ^ crc >> 8;
		at += n;
	}
	return n == 0 && ~crc == want;
}

/* Take PATH (malloc'ed, taken over) as the debug file if it is one of this build. */
static bool debug_take(struct module_file *mf, char *path,
		       const uint8_t *build_id, size_t bytes, const uint32_t *crc)
{
	int fd = regular_file_open(path);
	Elf *elf = fd < 0 ? NULL : elf_of(fd);

	if (elf && (bytes || !crc || is_checksum(fd, *crc)) &&
	    is_same_build(elf, build_id, bytes) &&
	    (has_lines(elf) || has_symbols(elf))) {
		mf->debug = elf;
		mf->debug_fd = fd;
		mf->debug_path = path;
		return true;
	}
	elf_end(elf);
	if (fd >= 0)
		close(fd);
	free(path);
	return false;
}

static bool debug_by_build_id(struct module_file *mf, const uint8_t *build_id,
			      size_t bytes, const char *root)
{
	char hex[2 * 64 + 1];

	if (bytes < 3 || bytes > 64)
		return false;
	for (size_t i = 0; i < bytes; i++) {
		hex[2 * i] = "0123456789abcdef"[build_id[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[build_id[i] & 15];
	}
	hex[2 * bytes] = '\0';
	return debug_take(mf, xasprintf("%s/.build-id/%.2s/%s.debug", root, hex,
					hex + 2), build_id, bytes, NULL);
}

static bool debug_by_link(struct module_file *mf, const char *path,
			  const uint8_t *build_id, size_t bytes, const char *root)
{
	GElf_Word crc;
	const char *link = dwelf_elf_gnu_debuglink(mf->elf, &crc);
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) : 0;
	bool found;

	/* a name, not a path: it must not lead elsewhere */
	if (!link || !*link || strchr(link, '/') || folder > 4096 || !slash)
		return false;
	char *real = xasprintf("%.*s", folder, path);

	found = debug_take(mf, xasprintf("%s/%s", real, link), build_id, bytes, &crc) ||
		debug_take(mf, xasprintf("%s/.debug/%s", real, link), build_id, bytes, &crc) ||
		debug_take(mf, xasprintf("%s%s/%s", root, real, link), build_id, bytes, &crc);
	free(real);
	return found;
}

/* This process's vdso: the recorded one where kernel and build are the same. */
static void vdso_open(struct module_file *mf, const uint8_t *build_id, size_t bytes)
{
	uintptr_t base = getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)base;

	if (!base || memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0 ||
	    eh->e_ident[EI_CLASS] != ELFCLASS64)
		return;
	/* the section headers are its last part; libelf wants a length, and does not write */
	mf->elf = elf_memory((char *)base, eh->e_shoff +
			     (size_t)eh->e_shnum * eh->e_shentsize);
	if (mf->elf && (!bytes || !is_same_build(mf->elf, build_id, bytes))) {
		elf_end(mf->elf);
		mf->elf = NULL;
	}
}

static void own_file_open(struct module_file *mf, const char *path,
			  const uint8_t *build_id, size_t bytes)
{
	struct stat st;

	mf->state = MODULE_VANISHED;
	if (strcmp(path, "[vdso]") == 0) {
		vdso_open(mf, build_id, bytes);
		return;
	}
	if (path[0] != '/')
		return;
	mf->fd = regular_file_open(path);
	if (mf->fd < 0) {
		if (stat(path, &st) == 0)
			mf->state = MODULE_DAMAGED;
		return;
	}
	mf->elf = elf_of(mf->fd);
	if (!mf->elf) {
		mf->state = MODULE_DAMAGED;
	} else if (!is_same_build(mf->elf, build_id, bytes)) {
		mf->state = MODULE_CHANGED;
		elf_end(mf->elf);
		mf->elf = NULL;
	}
	if (!mf->elf) {
		close(mf->fd);
		mf->fd = -1;
	}
}

/* What is known, by the files that were found. Where there are none it was said before. */
static void judge(struct module_file *mf)
{
	if (mf->debug && has_lines(mf->debug)) {
		mf->lines = mf->debug;
		mf->state = MODULE_COMPLETE;
	} else if ((mf->debug && has_symbols(mf->debug)) ||
		   (mf->elf && has_symbols(mf->elf))) {
		mf->state = MODULE_NO_LINES;
	} else if (mf->elf) {
		mf->state = MODULE_STRIPPED;
	}
}

void module_file_open(struct module_file *mf, const char *path,
		      const uint8_t *build_id, size_t build_id_bytes,
		      const char *debug_root_path)
{
	const char *root = debug_root_path ? debug_root_path : DEBUG_ROOT;

	*mf = (struct module_file){ .fd = -1, .debug_fd = -1, .shared_fd = -1 };
	elf_version(EV_CURRENT);
	own_file_open(mf, path, build_id, build_id_bytes);
	if (mf->elf && has_lines(mf->elf)) {
		mf->lines = mf->elf;
		mf->state = MODULE_COMPLETE;
		return;
	}
	if (!debug_by_build_id(mf, build_id, build_id_bytes, root) && mf->elf)
		debug_by_link(mf, path, build_id, build_id_bytes, root);
	judge(mf);
}

/* The file that .gnu_debugaltlink of the fetched debug file names. */
static void fetch_shared(struct module_file *mf, struct debuginfod *servers)
{
	Dwarf *dwarf = dwarf_begin_elf(mf->debug, DWARF_C_READ, NULL);
	const char *name;
	const void *id = NULL;
	ssize_t bytes = dwarf ? dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &id) : 0;
	char *path = bytes > 0 ? debuginfod_find(servers, id, (size_t)bytes) : NULL;

	if (path)
		mf->shared_fd = regular_file_open(path);
	if (mf->shared_fd >= 0)
		mf->shared = elf_of(mf->shared_fd);
	if (mf->shared && !is_same_build(mf->shared, id, (size_t)bytes)) {
		elf_end(mf->shared);
		mf->shared = NULL;
	}
	free(path);
	dwarf_end(dwarf);
}

void module_file_fetch(struct module_file *mf, const uint8_t *build_id, size_t build_id_bytes,
		       struct debuginfod *servers)
{
	char *path;

	if (mf->lines || build_id_bytes == 0)
		return;
	path = debuginfod_find(servers, build_id, build_id_bytes);
	if (!path)
		return;
	/* what was found here has no lines: a symbol table at most */
	elf_end(mf->debug);
	if (mf->debug_fd >= 0)
		close(mf->debug_fd);
	free(mf->debug_path);
	mf->debug = NULL;
	mf->debug_fd = -1;
	mf->debug_path = NULL;
	if (debug_take(mf, path, build_id, build_id_bytes, NULL)) {
		judge(mf);
		fetch_shared(mf, servers);
	}
}

void module_file_close(struct module_file *mf)
{
	elf_end(mf->shared);
	elf_end(mf->debug);
	elf_end(mf->elf);
	if (mf->shared_fd >= 0)
		close(mf->shared_fd);
	if (mf->debug_fd >= 0)
		close(mf->debug_fd);
	if (mf->fd >= 0)
		close(mf->fd);
	free(mf->debug_path);
	*mf = (struct module_file){ .fd = -1, .debug_fd = -1, .shared_fd = -1 };
}
