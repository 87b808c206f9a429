/*
 * missing.c - words the remedy for each state a module can be in. Debian's
 * packages are told from the user's own programs by their folder.
 */
#include "symbol/missing.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"
#include "symbol/module_file.h"

static bool is_packaged(const char *path)
{
	static const char *const folders[] = {
		"/usr/bin/", "/usr/sbin/", "/usr/lib", "/bin/", "/sbin/", "/lib",
		"/usr/games/", "/usr/libexec/",
	};

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (strncmp(path, folders[i], strlen(folders[i])) == 0)
			return true;
	return false;
}

/*
 * PATH without /usr: packages name their files with or without it, whatever the links
 * from /lib to /usr/lib made of it when the object was loaded.
 */
static const char *unmerged(const char *path)
{
	return strncmp(path, "/usr/", 5) == 0 ? path + 4 : path;
}

/* What to do, for PATH in STATE; malloc'ed. */
static char *remedy(const char *path, uint8_t state)
{
	const char *fact = state == MODULE_STRIPPED ? "stripped" :
			   state == MODULE_COMPLETE ? "line information for a part of it only" :
			   "no line information";

	switch (state) {
	case MODULE_STRIPPED:
	case MODULE_NO_LINES:
	case MODULE_COMPLETE:
		if (is_packaged(path))
			return xasprintf("%s: install its debug symbols (Debian: PACKAGE-dbgsym "
					 "from the debug archive; find it with: "
					 "dpkg -S '*%s'), or fetch them with --debuginfod", fact,
					 unmerged(path));
		return xasprintf("%s: compile with -g%s", fact,
				 state == MODULE_STRIPPED ? " and do not strip" : "");
	case MODULE_CHANGED:
		return xstrdup("changed since it was recorded: record again");
	case MODULE_VANISHED:
		if (path[0] == '[')
			return xstrdup("code of the kernel: not on this machine");
		return xstrdup("not on this machine: read the recording where it was made");
	case MODULE_DAMAGED:
		return xstrdup("not a readable ELF file");
	default:
		return xstrdup("not looked up");
	}
}

static int missing_compare(const void *pa, const void *pb)
{
	const struct missing_module *a = pa, *b = pb;
	uint64_t na = a->count.without_line, nb = b->count.without_line;

	if (na != nb)
		return na > nb ? -1 : 1;
	return strcmp(a->path, b->path);
}

/*
 * A module with full debug information has some code without a source (assembler,
 * start-up code). Where that is most of it, only a part was compiled with -g.
 */
static bool is_well(const struct missing_module *m)
{
	return m->state == MODULE_COMPLETE &&
	       (m->count.frames < 8 || m->count.without_line * 2 < m->count.frames);
}

static void text_add(char **text, char *more)
{
	char *longer = xasprintf("%s%s\n", *text, more);

	free(*text);
	free(more);
	*text = longer;
}

/* "3 of 8 frames without name, 8 without line" */
static char *counts(const struct missing_count *c)
{
	if (!c->without_name)
		return xasprintf("%" PRIu64 " of %" PRIu64 " frames without line",
				 c->without_line, c->frames);
	if (c->without_name == c->frames && c->without_line == c->frames)
		return xasprintf("no names and no lines for %" PRIu64 " frame%s", c->frames,
				 c->frames == 1 ? "" : "s");
	if (!c->without_line)
		return xasprintf("%" PRIu64 " of %" PRIu64 " frames without name",
				 c->without_name, c->frames);
	return xasprintf("%" PRIu64 " of %" PRIu64 " frames without name, %" PRIu64
			 " without line", c->without_name, c->frames, c->without_line);
}

char *missing_text(struct missing_module *list, size_t count,
		   uint64_t loose_frames, uint64_t ignored_lines)
{
	char *text = xstrdup("");

	if (count)
		qsort(list, count, sizeof(*list), missing_compare);
	for (size_t i = 0; i < count; i++) {
		const char *slash = strrchr(list[i].path, '/');
		char *what, *how;

		if (is_well(&list[i]))
			continue;
		what = counts(&list[i].count);
		how = remedy(list[i].path, list[i].state);
		text_add(&text, xasprintf("%s: %s: %s",
					  slash ? slash + 1 : list[i].path,
					  what, how));
		free(what);
		free(how);
	}
	if (loose_frames)
		text_add(&text, xasprintf("%" PRIu64 " frame%s in no file: code made at run time "
					  "(node --perf-basic-prof, python3.12 -X perf and others "
					  "write its names into /tmp/perf-PID.map, which record keeps), "
					  "or a module that was not recorded", loose_frames,
					  loose_frames == 1 ? "" : "s"));
	if (ignored_lines)
		text_add(&text, xasprintf("/tmp/perf-PID.map: %" PRIu64 " line%s not understood",
					  ignored_lines, ignored_lines == 1 ? "" : "s"));
	return text;
}
