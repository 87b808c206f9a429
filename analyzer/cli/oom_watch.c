/*
 * oom_watch.c - see oom_watch.h. Relies on the counter rising before the process is gone
 * (mm/oom_kill.c), so that who waits for the process reads the new value.
 */
#include "cli/oom_watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmem.h"

#define GROUPS_MAX 64
#define TEXT_MAX (256u << 10)

struct group {
	char *folder;
	char *path;          /* of the counter */
	uint64_t count;
	uint64_t stamp;      /* when it was read */
};

struct oom_watch {
	char *mounts;
	struct group groups[GROUPS_MAX];
	size_t count;
};

/* The whole of PATH; NULL: it cannot be read. malloc'ed. */
static char *file_text(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	size_t capacity = 0, used = 0;
	ssize_t n = 0;

	if (fd < 0)
		return NULL;
	do {
		xgrow(&text, &capacity, used + 4096, 1);
		n = read(fd, text + used, capacity - used - 1);
		used += n > 0 ? (size_t)n : 0;
	} while (n > 0 && used < TEXT_MAX);
	close(fd);
	text[used] = '\0';
	return text;
}

bool oom_parse_count(const char *text, uint64_t *count)
{
	static const char name[] = "oom_kill ";

	for (const char *p = text; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, name, sizeof(name) - 1) == 0) {
			*count = strtoull(p + sizeof(name) - 1, NULL, 10);
			return true;
		}
		if (!*p)
			break;
	}
	return false;
}

/* WORD is one of LIST, between commas. */
static bool is_in_list(const char *list, size_t bytes, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; p < list + bytes;) {
		const char *comma = memchr(p, ',', (size_t)(list + bytes - p));
		size_t length = (size_t)((comma ? comma : list + bytes) - p);

		if (length == n && memcmp(p, word, n) == 0)
			return true;
		p += length + 1;
	}
	return false;
}

/* The path behind "N:CONTROLLERS:" of TEXT; CONTROLLER "" for version 2. malloc'ed; NULL: none. */
static char *group_path(const char *text, const char *controller)
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *list = strchr(line, ':'), *end = line + strcspn(line, "\n");
		const char *path = list && list < end ? strchr(list + 1, ':') : NULL;

		if (!path || path > end)
			continue;
		list++;
		if (*controller ? is_in_list(list, (size_t)(path - list), controller) : path == list)
			return xstrndup(path + 1, (size_t)(end - path - 1));
	}
	return NULL;
}

/*
 * Where the cgroup PATH stands below the mount of TYPE with OPTION ("" any) among its super
 * options. A line of mountinfo (proc(5)): ID PARENT DEVICE ROOT PLACE OPTIONS ... - TYPE
 * SOURCE SUPER. malloc'ed; NULL: not mounted here.
 */
static char *folder_in(const char *mounts, const char *type, const char *option, const char *path)
{
	for (const char *p = mounts; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		char *line = xstrndup(p, strcspn(p, "\n")), *rest = strstr(line, " - "), *found = NULL;
		char root[1024], place[1024], kind[64], super[1024] = "";
		size_t n;

		if (rest && sscanf(line, "%*s %*s %*s %1023s %1023s", root, place) == 2 &&
		    sscanf(rest, " - %63s %*s %1023s", kind, super) == 2 &&
		    strcmp(kind, type) == 0 && (!*option || is_in_list(super, strlen(super), option))) {
			n = strcmp(root, "/") == 0 ? 0 : strlen(root);
			if (strncmp(path, root, n) == 0 && (n == 0 || !path[n] || path[n] == '/'))
				found = xasprintf("%s%s", place, strcmp(path + n, "/") == 0 ? "" : path + n);
		}
		free(line);
		if (found)
			return found;
	}
	return NULL;
}

char *oom_parse_folder(const char *text, const char *mounts, const char **file)
{
	char *path = group_path(text, "memory"), *folder = NULL;

	*file = "memory.oom_control";
	if (path) {
		folder = folder_in(mounts, "cgroup", "memory", path);
	} else {
		*file = "memory.events";
		path = group_path(text, "");
		if (path)
			folder = folder_in(mounts, "cgroup2", "", path);
	}
	free(path);
	return folder;
}

struct oom_watch *oom_watch_new(void)
{
	struct oom_watch *w = xcalloc(1, sizeof(*w));

	w->mounts = file_text("/proc/self/mountinfo");
	return w;
}

void oom_watch_free(struct oom_watch *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->count; i++) {
		free(w->groups[i].folder);
		free(w->groups[i].path);
	}
	free(w->mounts);
	free(w);
}

static bool read_count(const char *path, uint64_t *count)
{
	char *text = file_text(path);
	bool is_there = text && oom_parse_count(text, count);

	free(text);
	return is_there;
}

void oom_watch_process(struct oom_watch *w, pid_t pid, uint64_t stamp)
{
	char name[40], *text, *folder;
	struct group g = { .stamp = stamp };
	const char *file;

	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	text = w->mounts && w->count < GROUPS_MAX ? file_text(name) : NULL;
	folder = text ? oom_parse_folder(text, w->mounts, &file) : NULL;
	free(text);
	for (size_t i = 0; folder && i < w->count; i++)
		if (strcmp(w->groups[i].folder, folder) == 0) {
			free(folder);
			folder = NULL;
		}
	if (!folder)
		return;
	g.folder = folder;
	g.path = xasprintf("%s/%s", folder, file);
	if (read_count(g.path, &g.count)) {
		w->groups[w->count++] = g;
		return;
	}
	free(g.folder);
	free(g.path);
}

void oom_watch_poll(struct oom_watch *w, uint64_t stamp,
		    void (*each)(const struct oom_rise *rise, void *ctx), void *ctx)
{
	for (size_t i = 0; i < w->count; i++) {
		struct group *g = &w->groups[i];
		uint64_t count;

		if (!read_count(g->path, &count))
			continue;
		if (count > g->count) {
			const struct oom_rise rise = { g->stamp, stamp, count - g->count, g->folder };

			each(&rise, ctx);
		}
		g->count = count;
		g->stamp = stamp;
	}
}
