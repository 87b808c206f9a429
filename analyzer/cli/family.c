/*
 * family.c - the processes of a session. Relies on /proc; promises that an image
 * is called gone only after its process was seen running under its pid and then
 * seen ended or replaced, because its slots are taken away on that word.
 */
#include "cli/family.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "base/xmem.h"

#define IMAGE_MAX (1u << 24)

enum member_state { MEMBER_NONE, MEMBER_RUNNING, MEMBER_UNKNOWN, MEMBER_GONE };

/* A process; one at a time for each pid. */
struct process {
	pid_t pid;
	uint64_t start_time;
	uint32_t image;        /* that it runs now */
	bool was_seen;
	UT_hash_handle hh;
};

struct family {
	pthread_mutex_t lock;
	struct process *processes;      /* by pid: running ones only */
	uint8_t *states;                /* by image: enum member_state */
	size_t state_capacity;
	size_t process_count, image_count;
};

bool process_stat(pid_t pid, char *state, uint64_t *start_time)
{
	char path[40], text[1024], *p;
	unsigned long long start;
	int threads, fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	/* the name in parentheses may hold anything, parentheses too */
	p = strrchr(text, ')');
	if (!p || sscanf(p + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
			 "%*d %*d %d %*d %llu", state, &threads, &start) != 3)
		return false;
	/* main ended by pthread_exit: the leader waits as a zombie for its threads */
	if (*state == 'Z' && threads > 1)
		*state = 'S';
	*start_time = start;
	return true;
}

static bool is_running(const struct process *p)
{
	uint64_t start;
	char state;

	return process_stat(p->pid, &state, &start) && start == p->start_time &&
	       state != 'Z' && state != 'X';
}

struct family *family_new(void)
{
	struct family *f = xcalloc(1, sizeof(*f));

	pthread_mutex_init(&f->lock, NULL);
	return f;
}

void family_free(struct family *f)
{
	struct process *p, *next;

	if (!f)
		return;
	HASH_ITER(hh, f->processes, p, next) {
		HASH_DEL(f->processes, p);
		free(p);
	}
	pthread_mutex_destroy(&f->lock);
	free(f->states);
	free(f);
}

static void set_state(struct family *f, uint32_t image, enum member_state state)
{
	size_t old = f->state_capacity;

	while (f->state_capacity <= image)
		f->state_capacity = f->state_capacity ? 2 * f->state_capacity : 256;
	if (f->state_capacity != old) {
		f->states = xrealloc(f->states, f->state_capacity);
		memset(f->states + old, MEMBER_NONE, f->state_capacity - old);
	}
	f->states[image] = (uint8_t)state;
}

static void process_ended(struct family *f, struct process *p)
{
	set_state(f, p->image, p->was_seen ? MEMBER_GONE : MEMBER_UNKNOWN);
	HASH_DEL(f->processes, p);
	free(p);
}

void family_add(struct family *f, uint32_t image, pid_t pid, uint64_t start_time)
{
	struct process *p;

	if (image > IMAGE_MAX || pid <= 0)
		return;
	pthread_mutex_lock(&f->lock);
	HASH_FIND_INT(f->processes, &pid, p);
	/*
	 * Never seen: it lives in a pid namespace of its own, where another may have the same
	 * pid, and in a sandbox without /proc nobody knows when it started.
	 */
	if (p && (p->start_time != start_time || !p->was_seen)) {
		process_ended(f, p);
		p = NULL;
	}
	if (p) {
		set_state(f, p->image, MEMBER_GONE);
	} else {
		p = xcalloc(1, sizeof(*p));
		p->pid = pid;
		p->start_time = start_time;
		HASH_ADD_INT(f->processes, pid, p);
		f->process_count++;
	}
	p->image = image;
	set_state(f, image, MEMBER_RUNNING);
	f->image_count++;
	/* at once: a short life may be over at the next poll */
	p->was_seen |= is_running(p);
	pthread_mutex_unlock(&f->lock);
}

void family_poll(struct family *f)
{
	struct process *p, *next;

	pthread_mutex_lock(&f->lock);
	HASH_ITER(hh, f->processes, p, next) {
		if (is_running(p))
			p->was_seen = true;
		else
			process_ended(f, p);
	}
	pthread_mutex_unlock(&f->lock);
}

bool family_image_is_gone(struct family *f, uint32_t image)
{
	bool gone;

	pthread_mutex_lock(&f->lock);
	gone = image < f->state_capacity && f->states[image] == MEMBER_GONE;
	pthread_mutex_unlock(&f->lock);
	return gone;
}

size_t family_running(struct family *f, pid_t *pids, size_t count)
{
	struct process *p, *next;
	size_t n = 0;

	pthread_mutex_lock(&f->lock);
	HASH_ITER(hh, f->processes, p, next) {
		if (n < count)
			pids[n] = p->pid;
		n++;
	}
	pthread_mutex_unlock(&f->lock);
	return n;
}

size_t family_process_count(struct family *f)
{
	size_t n;

	pthread_mutex_lock(&f->lock);
	n = f->process_count;
	pthread_mutex_unlock(&f->lock);
	return n;
}

size_t family_image_count(struct family *f)
{
	size_t n;

	pthread_mutex_lock(&f->lock);
	n = f->image_count;
	pthread_mutex_unlock(&f->lock);
	return n;
}
