/*
 * outside.c - writes the PROCESS records that otherwise the library writes. Relies on
 * /proc/PID/task/TID/children (proc(5)) to find children; a kernel without it shows the root alone.
 */
#include "cli/outside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "base/xmem.h"
#include "cli/session_clock.h"
#include "cli/snapshot_put.h"
#include "trace/meta_fields.h"

/* A program that a process runs. */
struct seen {
	pid_t pid;
	uint64_t start_time;
	uint32_t image;
	uint64_t hash;            /* of its executable and arguments */
	UT_hash_handle hh;
};

struct outside {
	struct session_file *session;
	struct family *family;
	struct pack *pack;
	pid_t root;
	uint32_t images;
	struct seen *seen;
	char *text;
	size_t capacity;
};

struct outside *outside_new(struct session_file *s, struct family *f, struct pack *p, pid_t root)
{
	struct outside *o = xcalloc(1, sizeof(*o));

	o->session = s;
	o->family = f;
	o->pack = p;
	o->root = root;
	return o;
}

void outside_free(struct outside *o)
{
	struct seen *s, *next;

	if (!o)
		return;
	HASH_ITER(hh, o->seen, s, next) {
		HASH_DEL(o->seen, s);
		free(s);
	}
	free(o->text);
	free(o);
}

/* Where link NAME of PID leads, "" where that is not known. */
static void read_link(char *to, size_t room, pid_t pid, const char *name)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	n = readlink(path, to, room - 1);
	to[n > 0 ? n : 0] = '\0';
}

/* FNV-1a, 64 bits. */
static uint64_t hash_of(uint64_t hash, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		hash = (hash ^ (uint8_t)bytes[i]) * 0x100000001b3ull;
	return hash;
}

/* Every report says why it has no heap; once for all processes. */
static void put_fault(struct outside *o, uint32_t image)
{
	struct meta_fields f = { 0 };

	meta_fields_number(&f, image);
	meta_fields_number(&f, session_stamp(&o->session->fixed));
	meta_fields_text(&f, "recorded from outside (record --no-preload): its calls are not known, only "
			 "what the kernel shows (allotrope maps, timeline)");
	pack_meta(o->pack, META_FAULT, f.bytes, f.count);
	meta_fields_release(&f);
}

static void announce(struct outside *o, struct seen *s, pid_t parent, const char *exe,
		     size_t argv_bytes)
{
	const struct seen *by = NULL;
	struct meta_fields f = { 0 };
	char cwd[4096];

	HASH_FIND_INT(o->seen, &parent, by);
	read_link(cwd, sizeof(cwd), s->pid, "cwd");
	meta_fields_number(&f, s->image);
	meta_fields_number(&f, (uint64_t)s->pid);
	meta_fields_number(&f, (uint64_t)parent);
	meta_fields_number(&f, by ? by->image : 0);
	meta_fields_number(&f, PROCESS_STARTED);
	meta_fields_number(&f, session_stamp(&o->session->fixed));
	meta_fields_number(&f, s->start_time);
	meta_fields_number(&f, 0);
	/* without the last NUL: they stand between the arguments */
	meta_fields_string(&f, o->text, argv_bytes ? argv_bytes - 1 : 0);
	meta_fields_text(&f, exe);
	meta_fields_text(&f, cwd);
	meta_fields_text(&f, "");
	for (int i = 0; i < 3; i++)
		meta_fields_number(&f, 0);
	meta_fields_number(&f, (uint64_t)sysconf(_SC_PAGESIZE));
	pack_meta(o->pack, META_PROCESS, f.bytes, f.count);
	meta_fields_release(&f);
	if (s->image == 1)
		put_fault(o, s->image);
	family_add(o->family, s->image, s->pid, s->start_time);
}

/* PID is there: announce it, or the other program that it runs now. */
static void look_at(struct outside *o, pid_t pid, pid_t parent)
{
	uint64_t start_time, hash = 0xcbf29ce484222325ull;
	char exe[4096], state;
	struct seen *s;
	size_t bytes;

	if (!process_stat(pid, &state, &start_time) || state == 'Z')
		return;
	read_link(exe, sizeof(exe), pid, "exe");
	/* it ends right now */
	if (!*exe)
		return;
	bytes = proc_text(pid, "cmdline", &o->text, &o->capacity);
	hash = hash_of(hash_of(hash, exe, strlen(exe) + 1), o->text, bytes);
	HASH_FIND_INT(o->seen, &pid, s);
	if (s && s->start_time == start_time && s->hash == hash)
		return;
	if (!s) {
		s = xcalloc(1, sizeof(*s));
		s->pid = pid;
		HASH_ADD_INT(o->seen, pid, s);
	}
	s->start_time = start_time;
	s->hash = hash;
	s->image = ++o->images;
	announce(o, s, parent, exe, bytes);
}

/* Depth of a process tree; deeper ones than this are no accident. */
#define GENERATIONS 64

static void look_below(struct outside *o, pid_t pid, unsigned depth)
{
	char name[64], *text = NULL, *next, *end;
	size_t capacity = 0;
	long child;

	snprintf(name, sizeof(name), "task/%d/children", (int)pid);
	if (depth < GENERATIONS && proc_text(pid, name, &text, &capacity)) {
		for (next = text; (child = strtol(next, &end, 10)) > 0 && end != next; next = end) {
			look_at(o, (pid_t)child, pid);
			look_below(o, (pid_t)child, depth + 1);
		}
	}
	free(text);
}

void outside_poll(struct outside *o)
{
	look_at(o, o->root, getpid());
	look_below(o, o->root, 0);
}
