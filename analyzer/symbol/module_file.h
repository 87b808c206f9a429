/*
 * module_file.h - the ELF files that describe a recorded module: the file it
 * was loaded from, if that is still the same build, and its separate debug
 * file. Nothing is fetched over the network but by module_file_fetch.
 *
 * Same build means: the same GNU build-id. Without a build-id on either side it
 * cannot be known and the file is believed.
 */
#ifndef SYMBOL_MODULE_FILE_H
#define SYMBOL_MODULE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include <libelf.h>

#include "symbol/debuginfod.h"

/* What can be said about the code of a module. The numbers stand in recordings. */
enum module_state {
	MODULE_UNKNOWN = 0,  /* not looked for */
	MODULE_COMPLETE = 1, /* functions and lines */
	MODULE_NO_LINES = 2, /* a symbol table, but no line information */
	MODULE_STRIPPED = 3, /* exported names at most */
	MODULE_CHANGED = 4,  /* the file at its path is another build now */
	MODULE_VANISHED = 5, /* there is no such file */
	MODULE_DAMAGED = 6,  /* there is one, but it cannot be read as ELF */
	MODULE_STATE_COUNT,
};

#define DEBUG_ROOT "/usr/lib/debug"

struct module_file {
	enum module_state state;
	Elf *elf;          /* the module's own file; NULL: see state */
	Elf *debug;        /* separate debug file; NULL: none found */
	Elf *lines;        /* of the two the one with line information; NULL: none */
	Elf *shared;       /* what dwz moved out of several debug files; NULL: libdw looks for it */
	char *debug_path;  /* of `debug`; NULL: none */
	int fd, debug_fd, shared_fd; /* -1: none */
};

/*
 * Open the files of the module that was recorded as PATH with BUILD_ID (of
 * BUILD_ID_BYTES, 0: it had none). Debug files are looked for, in this order, as
 *	DEBUG_ROOT/.build-id/xx/yyyy.debug
 *	the name in .gnu_debuglink in PATH's folder, its .debug/, and DEBUG_ROOT/folder
 * DEBUG_ROOT_PATH takes the place of DEBUG_ROOT; NULL: DEBUG_ROOT. "[vdso]" is
 * read from this process where the build agrees. Never fails: what was found is
 * in MF, which module_file_close releases.
 */
void module_file_open(struct module_file *mf, const char *path,
		      const uint8_t *build_id, size_t build_id_bytes,
		      const char *debug_root_path);
/*
 * After module_file_open, where line information is still missing: ask for the debug file of
 * BUILD_ID, and for the shared one that it refers to.
 */
void module_file_fetch(struct module_file *mf, const uint8_t *build_id, size_t build_id_bytes,
		       struct debuginfod *servers);

void module_file_close(struct module_file *mf);

#endif
