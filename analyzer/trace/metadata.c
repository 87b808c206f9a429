/*
 * metadata.c - metadata records to the tables of a recording. Records are gathered
 * from all files, put into the order of their stamps and applied one by one, so
 * that "unmapped after mapped" and "the last name" need no thought here.
 * Fields that a record does not have count as 0 or empty. Nothing in a record is
 * trusted: a string ends inside its record, an unknown kind is skipped.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"
#include "session_ring.h"
#include "trace/execs.h"
#include "trace/images.h"
#include "trace/meta_parse.h"
#include "trace/recording_parts.h"

/* ---- gathering ---- */

/* Place of the stamp among the fields, from 0; -1: no stamp. */
static int stamp_field(unsigned kind)
{
	switch (kind) {
	case META_PROCESS:
		return 5;
	case META_THREAD_START:
		return 3;
	case META_THREAD_NAME:
	case META_THREAD_END:
		return 2;
	case META_SESSION:
	case META_TOTALS:
	case META_FRAME_ID:
		return -1;
	default:
		return 1;
	}
}

/* Bytes of records with a wrong checksum that are looked at, for each byte there is. */
#define WRONG_BYTES_MAX 8

void metadata_gather(struct recording *r, const uint8_t *bytes, size_t count)
{
	struct recording_sources *src = r->sources;
	uint64_t wrong = 0;
	size_t at = 0;

	while (count - at >= sizeof(struct meta_header)) {
		struct meta_record record;
		struct meta_header h;
		struct fields f;
		int field;

		memcpy(&h, bytes + at, sizeof(h));
		if (h.magic != META_MAGIC || h.bytes > count - at - sizeof(h)) {
			/* a hole: its writer was killed in between */
			at += 8;
			continue;
		}
		if (h.checksum != meta_checksum(h.kind, h.bytes, bytes + at + sizeof(h))) {
			/* made to keep us busy: headers that all claim the whole rest */
			wrong += h.bytes;
			if (wrong / WRONG_BYTES_MAX > count) {
				recording_damage(r, 0, count - at, "metadata whose checksums are wrong");
				break;
			}
			at += 8;
			continue;
		}
		record = (struct meta_record){
			.order = (uint32_t)src->meta_count, .kind = h.kind,
			.bytes = h.bytes, .payload = bytes + at + sizeof(h),
		};
		f = (struct fields){ record.payload, record.payload + record.bytes };
		field = stamp_field(h.kind);
		for (int i = 0; i <= field; i++)
			record.stamp = field_number(&f);
		xgrow(&src->meta, &src->meta_capacity, src->meta_count, sizeof(*src->meta));
		src->meta[src->meta_count++] = record;
		if (META_SPAN(h.bytes) > count - at)
			break;
		at += META_SPAN(h.bytes);
	}
}

static int compare_records(const void *pa, const void *pb)
{
	const struct meta_record *a = pa, *b = pb;

	if (a->stamp != b->stamp)
		return a->stamp < b->stamp ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static int compare_content(const struct meta_record *a, const struct meta_record *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? -1 : 1;
	return memcmp(a->payload, b->payload, a->bytes);
}

static int compare_copies(const void *pa, const void *pb)
{
	const struct meta_record *a = pa, *b = pb;
	int difference;

	if (a->stamp != b->stamp)
		return a->stamp < b->stamp ? -1 : 1;
	difference = compare_content(a, b);
	return difference ? difference : a->order < b->order ? -1 : 1;
}

/* The same record in two files: the first one is enough. */
static void drop_copies(struct recording_sources *src)
{
	size_t kept = 0;

	if (!src->meta_count)
		return;
	qsort(src->meta, src->meta_count, sizeof(*src->meta), compare_copies);
	for (size_t i = 0; i < src->meta_count; i++)
		if (!kept || src->meta[kept - 1].stamp != src->meta[i].stamp ||
		    compare_content(&src->meta[kept - 1], &src->meta[i]) != 0)
			src->meta[kept++] = src->meta[i];
	src->meta_count = kept;
}

/* ---- applying ---- */

/* "a\0b\0" and "a\0b" are both two arguments. */
static void set_argv(struct image *im, struct field_text t)
{
	size_t capacity = 0, start = 0;

	for (size_t i = 0; i <= t.bytes; i++) {
		if (i < t.bytes ? t.s[i] != '\0' : start == t.bytes)
			continue;
		xgrow(&im->argv, &capacity, (size_t)im->argc + 1, sizeof(*im->argv));
		im->argv[im->argc++] = xstrndup(t.s + start, i - start);
		im->argv[im->argc] = NULL;
		start = i + 1;
	}
}

static void apply_process(struct recording *r, struct fields *f)
{
	struct image *im = images_obtain(r, field_number32(f));

	if (im->is_described)
		return;
	im->is_described = true;
	im->pid = field_number32(f);
	im->ppid = field_number32(f);
	im->parent_image = field_number32(f);
	im->how = field_number(f) == PROCESS_FORKED ? PROCESS_FORKED : PROCESS_STARTED;
	im->start_stamp = field_number(f);
	im->start_time = field_number(f);
	im->features = field_number32(f);
	set_argv(im, field_text(f));
	free(im->exe);
	free(im->cwd);
	free(im->libc);
	im->exe = field_text_copy(f);
	im->cwd = field_text_copy(f);
	im->libc = field_text_copy(f);
	im->initial_break = field_number(f);
	im->fork_stamp = field_number(f);
	im->fork_thread = field_number(f);
	im->page_size = field_number(f);
	/* sizes are divided by it */
	if (im->page_size < 4096 || im->page_size > (64 << 20) ||
	    (im->page_size & (im->page_size - 1)) != 0)
		im->page_size = 4096;
}

static void apply_module(struct recording *r, struct fields *f)
{
	struct image *im = images_obtain(r, field_number32(f));
	struct module_map m = { .to_stamp = UINT64_MAX };
	struct field_text build_id;

	m.from_stamp = field_number(f);
	m.start = field_number(f);
	m.end = field_number(f);
	m.bias = (uint64_t)field_signed_number(f);
	if (m.end <= m.start)
		return;
	m.path = field_text_copy(f);
	build_id = field_text(f);
	m.build_id_bytes = build_id.bytes < sizeof(m.build_id) ? (uint8_t)build_id.bytes
							       : sizeof(m.build_id);
	memcpy(m.build_id, build_id.s, m.build_id_bytes);
	images_add_map(r, im, &m);
}

static void apply_thread(struct recording *r, struct fields *f, unsigned kind)
{
	struct image *im = images_obtain(r, field_number32(f));
	struct thread_info *t = images_thread(r, im, field_number32(f));
	struct field_text name;

	if (kind == META_THREAD_END) {
		t->end_stamp = field_number(f);
		return;
	}
	if (kind == META_THREAD_START) {
		t->tid = field_number32(f);
		t->start_stamp = field_number(f);
	} else {
		(void)field_number(f); /* stamp: records come in its order */
	}
	name = field_text(f);
	if (name.bytes) {
		free(t->name);
		t->name = field_take(name);
	}
}

static void set_usage(struct image *im, struct fields *f)
{
	uint64_t kib;

	/* a recorder that could not wait for the process itself knows its status at most */
	if (f->p >= f->end)
		return;
	im->utime_us = field_number(f);
	im->stime_us = field_number(f);
	kib = field_number(f);
	im->maxrss_bytes = kib > UINT64_MAX >> 10 ? UINT64_MAX : kib << 10;
	im->minflt = field_number(f);
	im->majflt = field_number(f);
}

static void apply_exit(struct recording *r, struct fields *f)
{
	struct image *im = images_obtain(r, field_number32(f));
	uint64_t stamp = field_number(f);

	if (stamp > im->end_stamp)
		im->end_stamp = stamp;
	/* as given to exit(3); the kernel keeps eight bits of it, as wait(2) shows them */
	im->status = (int)((uint64_t)field_signed_number(f) & 0xff) << 8;
	im->has_exit = true;
	set_usage(im, f);
}

static void apply_setting(struct recording *r, struct fields *f)
{
	struct image *im = images_obtain(r, field_number32(f));
	struct setting s = { .stamp = field_number(f) };

	s.key = field_text_copy(f);
	s.value = field_text_copy(f);
	images_add_setting(im, &s);
}

static void apply_region(struct recording *r, struct fields *f)
{
	struct image *im = images_obtain(r, field_number32(f));
	struct region g = { .stamp = field_number(f) };

	g.start = field_number(f);
	g.end = field_number(f);
	g.prot = field_number32(f);
	if (g.end <= g.start)
		return;
	g.name = field_text_copy(f);
	images_add_region(im, &g);
}

static void apply_note(struct recording *r, struct fields *f, bool fault)
{
	struct recording_sources *src = r->sources;
	struct note n = { .fault = fault, .image = field_number32(f) };

	n.stamp = field_number(f);
	n.text = field_text_copy(f);
	xgrow(&r->notes, &src->note_capacity, r->note_count, sizeof(*r->notes));
	r->notes[r->note_count++] = n;
}

static void apply_mark(struct recording *r, struct fields *f)
{
	struct recording_sources *src = r->sources;
	struct mark m = { .pid = field_number32(f) };

	m.stamp = field_number(f);
	m.name = field_text_copy(f);
	xgrow(&r->marks, &src->mark_capacity, r->mark_count, sizeof(*r->marks));
	r->marks[r->mark_count++] = m;
}

static void apply_memory(struct recording *r, struct fields *f)
{
	struct recording_sources *src = r->sources;
	struct memory_sample m = { .pid = field_number32(f) };
	uint64_t moment;

	m.stamp = field_number(f);
	moment = field_number(f);
	m.moment = moment <= MEMORY_AT_MARK ? (uint8_t)moment : MEMORY_PERIODIC;
	m.rss = field_number(f);
	m.heap = field_number(f);
	m.mapped = field_number(f);
	m.stack = field_number(f);
	m.file = field_number(f);
	m.shmem = field_number(f);
	m.other = field_number(f);
	m.virtual_bytes = field_number(f);
	m.swap = field_number(f);
	m.has_parts = m.heap || m.mapped || m.stack || m.file || m.shmem || m.other;
	xgrow(&r->samples, &src->sample_capacity, r->sample_count, sizeof(*r->samples));
	r->samples[r->sample_count++] = m;
}

/* A word as a shell reads it back. */
static void append_quoted(char **out, size_t *capacity, size_t *used, const char *s, size_t n)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789_@%+=:,./-";
	bool is_plain = n > 0;

	for (size_t i = 0; i < n; i++)
		is_plain &= strchr(plain, s[i]) != NULL;
	xgrow(out, capacity, *used + 4 * n + 4, 1);
	if (*used)
		(*out)[(*used)++] = ' ';
	if (!is_plain)
		(*out)[(*used)++] = '\'';
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\'') {
			memcpy(*out + *used, "'\\''", 4);
			*used += 4;
		} else {
			(*out)[(*used)++] = s[i];
		}
	}
	if (!is_plain)
		(*out)[(*used)++] = '\'';
	(*out)[*used] = '\0';
}

static char *quote_text(struct field_text t)
{
	size_t capacity = 0, used = 0, start = 0;
	char *out = NULL;

	for (size_t i = 0; i <= t.bytes; i++) {
		if (i < t.bytes ? t.s[i] != '\0' : start == t.bytes)
			continue;
		append_quoted(&out, &capacity, &used, t.s + start, i - start);
		start = i + 1;
	}
	return out;
}

char *metadata_quote(char *const words[], int count)
{
	size_t capacity = 0, used = 0;
	char *out = NULL;

	for (int i = 0; i < count; i++)
		append_quoted(&out, &capacity, &used, words[i], strlen(words[i]));
	return out;
}

/* `record` writes one at its start and one at its end: the last one is right. */
static void apply_session(struct recording *r, struct fields *f)
{
	struct field_text command, ring_path, options;
	uint64_t end;

	r->start_stamp = field_number(f);
	r->wall_ns = field_number(f);
	command = field_text(f);
	ring_path = field_text(f);
	r->root_pid = field_number32(f);
	end = field_number(f);
	r->wall_duration_ns = field_number(f);
	options = field_text(f);
	if (end > r->end_stamp)
		r->end_stamp = end;
	free(r->command);
	r->command = quote_text(command);
	free(r->ring_path);
	r->ring_path = ring_path.bytes ? field_take(ring_path) : NULL;
	free(r->options_text);
	r->options_text = options.bytes ? field_take(options) : NULL;
}

static void apply_totals(struct recording *r, struct fields *f)
{
	r->slots_drained = field_number(f);
	(void)field_number(f); /* raw bytes: the segments tell */
	while (f->p < f->end) {
		uint64_t cause = field_number(f), count = field_number(f);

		if (cause < LOSS_COUNT && count > r->losses[cause])
			r->losses[cause] = count;
	}
}

static void apply(struct recording *r, const struct meta_record *m)
{
	struct fields f = { m->payload, m->payload + m->bytes };

	if (m->stamp > r->end_stamp)
		r->end_stamp = m->stamp;
	switch (m->kind) {
	case META_PROCESS:
		apply_process(r, &f);
		break;
	case META_MODULE_MAP:
		apply_module(r, &f);
		break;
	case META_MODULE_UNMAP: {
		struct image *im = images_obtain(r, field_number32(&f));
		uint64_t stamp = field_number(&f);

		images_unmap(r, im, field_number(&f), stamp);
		break;
	}
	case META_THREAD_START:
	case META_THREAD_NAME:
	case META_THREAD_END:
		apply_thread(r, &f, m->kind);
		break;
	case META_EXIT:
		apply_exit(r, &f);
		break;
	case META_SETTING:
		apply_setting(r, &f);
		break;
	case META_NOTE:
	case META_FAULT:
		apply_note(r, &f, m->kind == META_FAULT);
		break;
	case META_MARK_AT:
		apply_mark(r, &f);
		break;
	case META_MEMORY:
		apply_memory(r, &f);
		break;
	case META_SESSION:
		apply_session(r, &f);
		break;
	case META_TOTALS:
		apply_totals(r, &f);
		break;
	case META_REGION:
		apply_region(r, &f);
		break;
	case META_EXEC:
		execs_add(r, &f);
		break;
	case META_OOM_KILLS:
		execs_add_oom(r, &f);
		break;
	default:
		break;
	}
}

/* The recorder's wait knows the status better than the program's own exit. */
static void apply_status(struct recording *r, const struct meta_record *m)
{
	struct fields f = { m->payload, m->payload + m->bytes };
	uint32_t pid = field_number32(&f);
	uint64_t stamp = field_number(&f);
	int64_t status = field_signed_number(&f);
	struct image *im = recording_image_at(r, pid, stamp);

	if (execs_take_end(r, pid, stamp, (int)status) || !im)
		return;
	if (!im->has_exit && stamp > im->end_stamp)
		im->end_stamp = stamp;
	im->status = (int)status;
	im->has_exit = true;
	set_usage(im, &f);
}

void metadata_apply(struct recording *r)
{
	struct recording_sources *src = r->sources;

	if (src->count > 1)
		drop_copies(src);
	if (src->meta_count)
		qsort(src->meta, src->meta_count, sizeof(*src->meta), compare_records);
	for (size_t i = 0; i < src->meta_count; i++)
		apply(r, &src->meta[i]);
}

void metadata_apply_status(struct recording *r)
{
	for (size_t i = 0; i < r->sources->meta_count; i++)
		if (r->sources->meta[i].kind == META_STATUS)
			apply_status(r, &r->sources->meta[i]);
}
