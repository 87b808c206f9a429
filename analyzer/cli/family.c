/*
 * family.c - the processes of a session. Relies on /proc; promises that an image
 * is called gone only after its process was seen under its pid and then seen ended or
 * replaced, or where no process anywhere has that pid (vanished.h), because its slots are taken
 * away on that word.
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
#include "cli/session_clock.h"
#include "cli/vanished.h"

#define IMAGE_MAX (1u << 24)
/* Between two looks at all of /proc. */
#define SETTLE_INTERVAL 1000000000ull

enum member_state { MEMBER_NONE, MEMBER_RUNNING, MEMBER_UNKNOWN, MEMBER_GONE };

/* A process; one at a time for each pid. */
struct process {
	pid_t pid;
	uint64_t start_time;
	uint32_t image;        /* that it runs now */
	bool was_seen;
	UT_hash_handle hh;
};

/* An image of which nothing is known but its process's pid. */
struct unseen {
	uint32_t image;
	pid_t pid;
};

struct family {
	pthread_mutex_t lock;
	struct unseen *unseen;          /* in the order of coming */
	size_t unseen_count, unseen_capacity;
	uint64_t settled;               /* when all of /proc was looked at, CLOCK_MONOTONIC */
	bool is_settling;
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

/* Look at P: true where it runs. */
static bool look_at(struct process *p)
{
	uint64_t start;
	char state;

	if (!process_stat(p->pid, &state, &start) || start != p->start_time)
		return false;
	/* be it as a zombie */
	p->was_seen = true;
	return state != 'Z' && state != 'X';
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
	free(f->unseen);
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

static void add_unseen(struct family *f, uint32_t image, pid_t pid)
{
	if (f->unseen_count == f->unseen_capacity) {
		f->unseen_capacity = f->unseen_capacity ? 2 * f->unseen_capacity : 64;
		f->unseen = xrealloc(f->unseen, f->unseen_capacity * sizeof(*f->unseen));
	}
	f->unseen[f->unseen_count++] = (struct unseen){ image, pid };
}

static void process_ended(struct family *f, struct process *p)
{
	set_state(f, p->image, p->was_seen ? MEMBER_GONE : MEMBER_UNKNOWN);
	if (!p->was_seen)
		add_unseen(f, p->image, p->pid);
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
	look_at(p);
	pthread_mutex_unlock(&f->lock);
}

/* Find out about the first COUNT of the unseen. */
static void judge_unseen(struct family *f, const struct vanished *v, size_t count)
{
	size_t left = 0;

	for (size_t i = 0; i < f->unseen_count; i++) {
		if (i < count && vanished_is_over(v, f->unseen[i].pid))
			set_state(f, f->unseen[i].image, MEMBER_GONE);
		else
			f->unseen[left++] = f->unseen[i];
	}
	f->unseen_count = left;
}

/*
 * The look takes its time, and the drainer asks meanwhile. Who came after its begin is
 * not judged by it.
 */
static void settle(struct family *f)
{
	struct vanished v = { 0 };
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	size_t count;
	bool is_due;

	pthread_mutex_lock(&f->lock);
	count = f->unseen_count;
	is_due = count && !f->is_settling && (!f->settled || now - f->settled >= SETTLE_INTERVAL);
	f->is_settling |= is_due;
	pthread_mutex_unlock(&f->lock);
	if (!is_due)
		return;
	vanished_look(&v, "/proc");
	pthread_mutex_lock(&f->lock);
	judge_unseen(f, &v, count);
	f->settled = clock_ns(CLOCK_MONOTONIC);
	f->is_settling = false;
	pthread_mutex_unlock(&f->lock);
	vanished_release(&v);
}

void family_poll(struct family *f)
{
	struct process *p, *next;

	pthread_mutex_lock(&f->lock);
	HASH_ITER(hh, f->processes, p, next)
		if (!look_at(p))
			process_ended(f, p);
	pthread_mutex_unlock(&f->lock);
	settle(f);
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
