/*
 * images.c - the table of images: one program in one process each. While records are
 * applied, images, their threads and their maps are found by a hash table;
 * images_finish then sorts everything, and the table is gone. Promises: parents
 * stand before their children, numbers and pids are found by binary search.
 */
#include "trace/images.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/xmem.h"

/* How far back in the order of pids the image that another one replaced is looked for. */
#define REPLACED_PLACES 64

enum lookup_kind { LOOKUP_IMAGE, LOOKUP_THREAD, LOOKUP_MAP };

struct lookup_key {
	uint64_t kind;    /* enum lookup_kind */
	uint64_t image;
	uint64_t id;      /* thread number, start address */
};

struct lookup {
	struct lookup_key key;
	size_t index;     /* in the array of its kind */
	UT_hash_handle hh;
};

/* The entry for the key, made with *IS_NEW set where there is none. */
static struct lookup *obtain(struct recording_sources *src, enum lookup_kind kind,
			     uint32_t image, uint64_t id, bool *is_new)
{
	struct lookup_key key = { kind, image, id };
	struct lookup *l;

	HASH_FIND(hh, src->lookups, &key, sizeof(key), l);
	*is_new = !l;
	if (l)
		return l;
	l = xcalloc(1, sizeof(*l));
	l->key = key;
	HASH_ADD(hh, src->lookups, key, sizeof(l->key), l);
	return l;
}

void images_abandon(struct recording *r)
{
	struct recording_sources *src = r->sources;
	struct lookup *l, *next;

	HASH_ITER(hh, src->lookups, l, next) {
		HASH_DEL(src->lookups, l);
		free(l);
	}
}

/* Room for one more in *ARRAY; doubles at powers of two, so that no capacity is kept. */
static void grow(void *array, size_t count, size_t bytes)
{
	size_t capacity = count;

	if (count == 0 || (count >= 8 && (count & (count - 1)) == 0))
		xgrow(array, &capacity, count, bytes);
}

struct image *images_obtain(struct recording *r, uint32_t number)
{
	struct recording_sources *src = r->sources;
	bool is_new;
	struct lookup *l = obtain(src, LOOKUP_IMAGE, number, 0, &is_new);

	if (is_new) {
		grow(&r->images, r->image_count, sizeof(*r->images));
		l->index = r->image_count++;
		r->images[l->index] = (struct image){
			.number = number, .page_size = 4096,
			.exe = xstrdup(""), .cwd = xstrdup(""), .libc = xstrdup(""),
		};
	}
	return &r->images[l->index];
}

struct thread_info *images_thread(struct recording *r, struct image *im, uint32_t number)
{
	bool is_new;
	struct lookup *l = obtain(r->sources, LOOKUP_THREAD, im->number, number, &is_new);

	if (is_new) {
		grow(&im->threads, im->thread_count, sizeof(*im->threads));
		l->index = im->thread_count++;
		im->threads[l->index] = (struct thread_info){
			.number = number, .name = xstrdup(""),
		};
	}
	return &im->threads[l->index];
}

void images_add_map(struct recording *r, struct image *im, const struct module_map *map)
{
	bool is_new;
	struct lookup *l = obtain(r->sources, LOOKUP_MAP, im->number, map->start, &is_new);

	grow(&im->maps, im->map_count, sizeof(*im->maps));
	/* something else at the same place: the old one must be gone */
	if (!is_new && im->maps[l->index].to_stamp == UINT64_MAX)
		im->maps[l->index].to_stamp = map->from_stamp;
	l->index = im->map_count++;
	im->maps[l->index] = *map;
}

void images_unmap(struct recording *r, struct image *im, uint64_t start, uint64_t stamp)
{
	struct lookup_key key = { LOOKUP_MAP, im->number, start };
	struct lookup *l;

	HASH_FIND(hh, r->sources->lookups, &key, sizeof(key), l);
	if (l && im->maps[l->index].to_stamp == UINT64_MAX)
		im->maps[l->index].to_stamp = stamp;
}

void images_add_setting(struct image *im, const struct setting *s)
{
	grow(&im->settings, im->setting_count, sizeof(*im->settings));
	im->settings[im->setting_count++] = *s;
}

void images_add_region(struct image *im, const struct region *g)
{
	grow(&im->regions, im->region_count, sizeof(*im->regions));
	im->regions[im->region_count++] = *g;
}

/* ---- finishing ---- */

static int compare_images(const void *pa, const void *pb)
{
	const struct image *a = pa, *b = pb;

	if (a->start_stamp != b->start_stamp)
		return a->start_stamp < b->start_stamp ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

static int compare_threads(const void *pa, const void *pb)
{
	const struct thread_info *a = pa, *b = pb;

	return a->number < b->number ? -1 : a->number > b->number;
}

static int compare_regions(const void *pa, const void *pb)
{
	const struct region *a = pa, *b = pb;

	return a->start < b->start ? -1 : a->start > b->start;
}

static int compare_by_number(const void *pa, const void *pb, void *images)
{
	const struct image *a = (const struct image *)images + *(const uint32_t *)pa;
	const struct image *b = (const struct image *)images + *(const uint32_t *)pb;

	return a->number < b->number ? -1 : a->number > b->number;
}

static int compare_by_pid(const void *pa, const void *pb, void *images)
{
	const struct image *a = (const struct image *)images + *(const uint32_t *)pa;
	const struct image *b = (const struct image *)images + *(const uint32_t *)pb;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	/* images are sorted by start already */
	return a < b ? -1 : a > b;
}

static void sort_images(struct recording *r)
{
	struct recording_sources *src = r->sources;

	if (!r->image_count)
		return;
	qsort(r->images, r->image_count, sizeof(*r->images), compare_images);
	src->by_number = xreallocarray(NULL, r->image_count, sizeof(uint32_t));
	src->by_pid = xreallocarray(NULL, r->image_count, sizeof(uint32_t));
	for (size_t i = 0; i < r->image_count; i++) {
		struct image *im = &r->images[i];

		src->by_number[i] = src->by_pid[i] = (uint32_t)i;
		if (im->thread_count)
			qsort(im->threads, im->thread_count, sizeof(*im->threads),
			      compare_threads);
		if (im->region_count)
			qsort(im->regions, im->region_count, sizeof(*im->regions),
			      compare_regions);
		if (!im->argv)
			im->argv = xcalloc(1, sizeof(*im->argv));
	}
	qsort_r(src->by_number, r->image_count, sizeof(uint32_t), compare_by_number, r->images);
	qsort_r(src->by_pid, r->image_count, sizeof(uint32_t), compare_by_pid, r->images);
}

/*
 * The image that the one at place I in the order of pids took the place of, by exec. Where two
 * processes had one pid at the same time, and began in the same clock tick, it may be the
 * other's; the one that has waited longest is taken.
 */
static struct image *replaced_by(const struct recording *r, size_t i)
{
	const uint32_t *order = r->sources->by_pid;
	const struct image *im = &r->images[order[i]];
	struct image *found = NULL;

	if (im->how == PROCESS_FORKED)
		return NULL;
	for (size_t k = i; k-- > 0 && i - k <= REPLACED_PLACES;) {
		struct image *old = &r->images[order[k]];

		if (old->pid != im->pid)
			break;
		/* who was replaced has written no end */
		if (!old->is_followed && !old->has_exit && old->start_time == im->start_time)
			found = old;
	}
	return found;
}

/* Processes, and the images of each pid by start. */
static void number_execs(struct recording *r)
{
	const uint32_t *order = r->sources->by_pid;

	for (size_t i = 0, first = 0; i < r->image_count; i++) {
		struct image *im = &r->images[order[i]], *old;

		if (r->images[order[first]].pid != im->pid)
			first = i;
		im->exec_number = (uint32_t)(i - first);
		if (im->end_stamp < im->start_stamp)
			im->end_stamp = im->start_stamp;
		im->process = im->number;
		old = replaced_by(r, i);
		if (old) {
			im->process = old->process;
			old->is_followed = true;
			if (old->end_stamp < im->start_stamp)
				old->end_stamp = im->start_stamp;
		}
		if (im->process != r->images[order[first]].process)
			for (size_t k = i + 1; k-- > first && !r->images[order[k]].shares_pid;)
				r->images[order[k]].shares_pid = true;
		im->shares_pid = r->images[order[first]].shares_pid;
	}
}

static void find_parent(struct recording *r, struct image *im)
{
	struct image *parent = im->parent_image ? recording_image(r, im->parent_image) : NULL;

	/* the image that an exec replaced has the same pid: its parent is ours */
	if (!parent || parent->process == im->process) {
		parent = im->ppid && im->ppid != im->pid
				 ? recording_image_at(r, im->ppid, im->start_stamp) : NULL;
	}
	im->parent_image = parent && parent < im ? parent->number : 0;
}

/* A child by fork runs its parent's program. */
static void inherit_program(struct recording *r, struct image *im)
{
	const struct image *parent = image_parent(r, im);

	if (im->how != PROCESS_FORKED || !parent)
		return;
	if (im->argc == 0 || (im->argc == 1 && !im->argv[0][0])) {
		for (int i = 0; i < im->argc; i++)
			free(im->argv[i]);
		im->argv = xreallocarray(im->argv, (size_t)parent->argc + 1, sizeof(*im->argv));
		for (int i = 0; i < parent->argc; i++)
			im->argv[i] = xstrdup(parent->argv[i]);
		im->argc = parent->argc;
		im->argv[im->argc] = NULL;
	}
	if (!im->exe[0]) {
		free(im->exe);
		im->exe = xstrdup(parent->exe);
	}
	if (!im->libc[0]) {
		free(im->libc);
		im->libc = xstrdup(parent->libc);
	}
	if (!im->features)
		im->features = parent->features;
	if (!im->initial_break)
		im->initial_break = parent->initial_break;
}

/* ---- modules ---- */

struct module_lookup {
	uint32_t module;
	UT_hash_handle hh;
	size_t bytes;
	uint8_t key[];     /* build-id, 0xff, path */
};

static uint32_t obtain_module(struct recording *r, struct module_lookup **table,
			      const struct module_map *m)
{
	size_t path = strlen(m->path), bytes = m->build_id_bytes + 1 + path;
	struct module_lookup *l = xmalloc(sizeof(*l) + bytes), *known;

	memcpy(l->key, m->build_id, m->build_id_bytes);
	l->key[m->build_id_bytes] = 0xff;
	memcpy(l->key + m->build_id_bytes + 1, m->path, path);
	l->bytes = bytes;
	HASH_FIND(hh, *table, l->key, bytes, known);
	if (known) {
		free(l);
		return known->module;
	}
	grow(&r->modules, r->module_count, sizeof(*r->modules));
	l->module = (uint32_t)r->module_count++;
	r->modules[l->module] = (struct module){
		.path = xstrdup(m->path), .build_id_bytes = m->build_id_bytes,
	};
	memcpy(r->modules[l->module].build_id, m->build_id, sizeof(m->build_id));
	HASH_ADD_KEYPTR(hh, *table, l->key, bytes, l);
	return l->module;
}

static void number_modules(struct recording *r)
{
	struct module_lookup *table = NULL, *l, *next;

	for (size_t i = 0; i < r->image_count; i++)
		for (size_t k = 0; k < r->images[i].map_count; k++)
			r->images[i].maps[k].module =
				obtain_module(r, &table, &r->images[i].maps[k]);
	HASH_ITER(hh, table, l, next) {
		HASH_DEL(table, l);
		free(l);
	}
}

static uint32_t image_number_at(const struct recording *r, uint32_t pid, uint64_t stamp)
{
	const struct image *im = pid ? recording_image_at(r, pid, stamp) : NULL;

	return im ? im->number : 0;
}

void images_finish(struct recording *r)
{
	images_abandon(r);
	sort_images(r);
	number_execs(r);
	for (size_t i = 0; i < r->image_count; i++) {
		find_parent(r, &r->images[i]);
		inherit_program(r, &r->images[i]);
	}
	number_modules(r);
	for (size_t i = 0; i < r->mark_count; i++)
		r->marks[i].image = image_number_at(r, r->marks[i].pid, r->marks[i].stamp);
	for (size_t i = 0; i < r->sample_count; i++)
		r->samples[i].image = image_number_at(r, r->samples[i].pid,
						      r->samples[i].stamp);
	if (!r->command && r->image_count)
		r->command = metadata_quote(r->images[0].argv, r->images[0].argc);
}
