/*
 * execs.c - matches each exec that the library saw with the program that announced itself
 * afterwards. Relies on images in order; a process is found by pid and stamp, as everywhere.
 */
#include "trace/execs.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"
#include "trace/recording_parts.h"

/* How many images of a pid that several processes have are looked at for one program. */
#define SHARED_PLACES 256
/* The library cannot have come to life in these: an image that follows is another program's. */
#define SURELY_NOT (1u << EXEC_OTHER_CLASS | 1u << EXEC_OTHER_MACHINE | 1u << EXEC_STATIC | \
		    1u << EXEC_OTHER_LIBC)

/* A parent may wait for its child that much later. */
#define OOM_SLACK_NS 1000000000ull

/* "a\0b" and "a\0b\0" as a shell would read them. */
static char *command_of(struct field_text t)
{
	size_t capacity = 0, start = 0;
	char **words = NULL, *command;
	int count = 0;

	for (size_t i = 0; i <= t.bytes; i++) {
		if (i < t.bytes ? t.s[i] != '\0' : start == t.bytes)
			continue;
		xgrow(&words, &capacity, (size_t)count, sizeof(*words));
		words[count++] = xstrndup(t.s + start, i - start);
		start = i + 1;
	}
	command = metadata_quote(words, count);
	for (int i = 0; i < count; i++)
		free(words[i]);
	free(words);
	return command ? command : xstrdup("");
}

void execs_add(struct recording *r, struct fields *f)
{
	struct unrecorded u = { .pid = field_number32(f) };

	u.stamp = field_number(f);
	u.starter = field_number32(f);
	u.reasons = field_number32(f);
	u.error = (int)field_number32(f);
	u.path = field_text_copy(f);
	u.command = command_of(field_text(f));
	xgrow(&r->unrecorded, &r->sources->unrecorded_capacity, r->unrecorded_count,
	      sizeof(*r->unrecorded));
	r->unrecorded[r->unrecorded_count++] = u;
}

void execs_add_oom(struct recording *r, struct fields *f)
{
	struct oom_kills k = { .since_stamp = field_number(f) };

	k.stamp = field_number(f);
	k.count = field_number(f);
	k.cgroup = field_text_copy(f);
	xgrow(&r->oom_kills, &r->sources->oom_capacity, r->oom_count, sizeof(*r->oom_kills));
	r->oom_kills[r->oom_count++] = k;
}

/* At one stamp an attempt stands before its failure, and otherwise what does not matter. */
static int compare_by_pid(const void *pa, const void *pb)
{
	const struct unrecorded *a = pa, *b = pb;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->stamp != b->stamp)
		return a->stamp < b->stamp ? -1 : 1;
	if (a->error != b->error)
		return a->error < b->error ? -1 : 1;
	return strcmp(a->path, b->path);
}

static int compare_by_stamp(const void *pa, const void *pb)
{
	const struct unrecorded *a = pa, *b = pb;

	return a->stamp != b->stamp ? (a->stamp < b->stamp ? -1 : 1) : compare_by_pid(pa, pb);
}

static void release(struct unrecorded *u)
{
	free(u->path);
	free(u->command);
}

/* Entries of R that KEEP wants, in their order; the others are freed. */
static void keep_only(struct recording *r, const bool *keep)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->unrecorded_count; i++) {
		if (keep[i])
			r->unrecorded[kept++] = r->unrecorded[i];
		else
			release(&r->unrecorded[i]);
	}
	r->unrecorded_count = kept;
}

static const char *base_name(const char *path)
{
	return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

/* A failure takes the attempt before it away, and what tries the same name again takes the failure. */
static void drop_failures(struct recording *r)
{
	bool *keep = xcalloc(r->unrecorded_count + 1, sizeof(*keep));

	for (size_t i = 0; i < r->unrecorded_count; i++) {
		struct unrecorded *u = &r->unrecorded[i], *before = u - 1;

		keep[i] = true;
		if (i == 0 || before->pid != u->pid)
			continue;
		if (before->error ? strcmp(base_name(before->path), base_name(u->path)) == 0 :
				    u->error && strcmp(before->path, u->path) == 0)
			keep[i - 1] = false;
	}
	/* an attempt between two failures of one search hides the first from the second */
	keep_only(r, keep);
	for (size_t i = 0; i < r->unrecorded_count; i++) {
		struct unrecorded *u = &r->unrecorded[i], *next = u + 1;

		keep[i] = i + 1 == r->unrecorded_count || !u->error || next->pid != u->pid ||
			  strcmp(base_name(u->path), base_name(next->path)) != 0;
	}
	keep_only(r, keep);
	free(keep);
}

/*
 * For each place in the order of pid and start: the first image from there on of the same
 * pid that was started (not forked), else NULL. malloc'ed.
 */
static struct image **started_from(const struct recording *r)
{
	const uint32_t *order = r->sources->by_pid;
	struct image **first = xcalloc(r->image_count + 1, sizeof(*first));

	for (size_t i = r->image_count; i-- > 0;) {
		struct image *im = &r->images[order[i]];

		if (im->how == PROCESS_STARTED)
			first[i] = im;
		else if (i + 1 < r->image_count && r->images[order[i + 1]].pid == im->pid)
			first[i] = first[i + 1];
	}
	return first;
}

/* The place of the first image of PID at STAMP or later; image_count: none. */
static size_t place_of(const struct recording *r, uint32_t pid, uint64_t stamp)
{
	const uint32_t *order = r->sources->by_pid;
	size_t low = 0, high = r->image_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct image *im = &r->images[order[middle]];

		if (im->pid < pid || (im->pid == pid && im->start_stamp < stamp))
			low = middle + 1;
		else
			high = middle;
	}
	return low < r->image_count && r->images[order[low]].pid == pid ? low : r->image_count;
}

/* The program that ran in the process of U when U was started goes on as U. */
static void replace_image(struct recording *r, const struct unrecorded *u)
{
	struct image *im = recording_image(r, u->starter);

	/* a pid may be of several processes; a child by vfork is started by its parent's image */
	if (!im || im->pid != u->pid)
		im = recording_image_at(r, u->pid, u->stamp);
	if (!im || im->start_stamp > u->stamp || (im->has_exit && im->end_stamp < u->stamp))
		return;
	im->is_replaced = true;
	/* not when the next program of the process began that is recorded */
	if (!im->has_exit)
		im->end_stamp = u->stamp;
}

/* Failures behind the attempts that began a program. */
static int compare_by_success(const void *pa, const void *pb)
{
	const struct unrecorded *a = pa, *b = pb;

	return !a->error != !b->error ? (a->error ? 1 : -1) : compare_by_pid(pa, pb);
}

/*
 * The image from PLACE on that U became, where several processes have its pid: the first that
 * TAKEN has not as that of another one.
 */
static struct image *take_started(const struct recording *r, size_t place,
				  const struct unrecorded *u, bool *taken)
{
	const uint32_t *order = r->sources->by_pid;

	for (size_t n = 0; place < r->image_count && n < SHARED_PLACES; place++, n++) {
		struct image *im = &r->images[order[place]];

		if (im->pid != u->pid)
			break;
		if (im->how == PROCESS_STARTED && !taken[order[place]]) {
			taken[order[place]] = true;
			return im;
		}
	}
	return NULL;
}

/* Keep those of the first COUNT that no image of the recording is; and all failures. */
static void drop_recorded(struct recording *r, size_t count)
{
	struct image **started = started_from(r);
	bool *keep = xcalloc(r->unrecorded_count + 1, sizeof(*keep));
	bool *taken = xcalloc(r->image_count + 1, sizeof(*taken));

	for (size_t i = 0; i < r->unrecorded_count; i++) {
		const struct unrecorded *u = &r->unrecorded[i];
		size_t place = place_of(r, u->pid, u->stamp);
		const struct image *im = started[place];
		bool is_followed = i + 1 < count && u[1].pid == u->pid;

		if (im && im->shares_pid && i < count) {
			is_followed = false;
			im = u->reasons & SURELY_NOT ? NULL : take_started(r, place, u, taken);
		}

		keep[i] = i >= count || (u->reasons & SURELY_NOT) || !im ||
			  (is_followed && im->start_stamp > u[1].stamp);
		if (keep[i] && i < count) {
			replace_image(r, u);
			r->sources->started_count++;
		}
	}
	keep_only(r, keep);
	free(keep);
	free(taken);
	free(started);
}

void execs_finish(struct recording *r)
{
	size_t count = 0;

	if (!r->unrecorded_count)
		return;
	qsort(r->unrecorded, r->unrecorded_count, sizeof(*r->unrecorded), compare_by_pid);
	drop_failures(r);
	qsort(r->unrecorded, r->unrecorded_count, sizeof(*r->unrecorded), compare_by_success);
	while (count < r->unrecorded_count && !r->unrecorded[count].error)
		count++;
	drop_recorded(r, count);
}

bool execs_take_end(struct recording *r, uint32_t pid, uint64_t stamp, int status)
{
	size_t low = 0, high = r->sources->started_count;
	const struct image *im;
	struct unrecorded *u;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		u = &r->unrecorded[middle];
		if (u->pid < pid || (u->pid == pid && u->stamp <= stamp))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || r->unrecorded[low - 1].pid != pid)
		return false;
	u = &r->unrecorded[low - 1];
	im = recording_image_at(r, pid, stamp);
	if (im && im->start_stamp > u->stamp && im->start_stamp <= stamp)
		return false;
	u->has_end = true;
	u->status = status;
	u->end_stamp = stamp;
	return true;
}

void execs_sort(struct recording *r)
{
	if (r->unrecorded_count)
		qsort(r->unrecorded, r->unrecorded_count, sizeof(*r->unrecorded), compare_by_stamp);
}

/* ---- what the tables say ---- */

size_t recording_unrecorded_programs(const struct recording *r)
{
	size_t count = 0;

	for (size_t i = 0; i < r->unrecorded_count; i++)
		count += !r->unrecorded[i].error;
	return count;
}

size_t recording_blind_images(const struct recording *r)
{
	size_t count = 0;

	for (size_t i = 0; i < r->image_count; i++)
		count += !(r->images[i].features & FEATURE_EXECS_SEEN);
	return count;
}

const char *unrecorded_reason(const struct unrecorded *u)
{
	static const char *const sentences[] = {
#define ROW(name, key, text) text,
		EXEC_REASONS(ROW)
#undef ROW
	};

	for (unsigned i = 0; i < EXEC_REASON_COUNT; i++)
		if (u->reasons >> i & 1)
			return sentences[i];
	return "not known: it ended at once, or its loader did not find or take the library";
}

const char *unrecorded_reason_key(const struct unrecorded *u)
{
	static const char *const keys[] = {
#define ROW(name, key, text) key,
		EXEC_REASONS(ROW)
#undef ROW
	};

	for (unsigned i = 0; i < EXEC_REASON_COUNT; i++)
		if (u->reasons >> i & 1)
			return keys[i];
	return "unknown";
}

bool recording_is_oom_kill(const struct recording *r, uint64_t stamp)
{
	for (size_t i = 0; i < r->oom_count; i++)
		if (r->oom_kills[i].since_stamp <= stamp &&
		    recording_span_ns(r, r->oom_kills[i].stamp, stamp) <= OOM_SLACK_NS)
			return true;
	return false;
}

void execs_release(struct recording *r)
{
	for (size_t i = 0; i < r->unrecorded_count; i++)
		release(&r->unrecorded[i]);
	for (size_t i = 0; i < r->oom_count; i++)
		free(r->oom_kills[i].cgroup);
	free(r->unrecorded);
	free(r->oom_kills);
}
