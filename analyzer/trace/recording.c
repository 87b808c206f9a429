/*
 * recording.c - opens and closes recordings, reads the payload of a segment, keeps
 * the account of damage. Relies on packed.c and ring_reader.c for what stands
 * where. Promises that whatever the bytes are, opening ends in an error or in tables
 * that are consistent: indices in range, arrays sorted, parents before
 * children.
 */
#include "trace/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xmem.h"
#include "trace/execs.h"
#include "trace/images.h"
#include "trace/recording_parts.h"

static void note_damage(struct recording *r, size_t segments, uint64_t bytes,
			const char *format, va_list ap)
{
	if (!r->damage[0])
		vsnprintf(r->damage, sizeof(r->damage), format, ap);
	r->damaged_segments += segments;
	r->damaged_bytes += bytes;
}

int recording_damage(struct recording *r, size_t segments, uint64_t bytes,
		     const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	note_damage(r, segments, bytes, format, ap);
	va_end(ap);
	return -1;
}

static bool is_in(const struct segment_ref *table, size_t count, const struct segment_ref *s)
{
	return count && s >= table && s < table + count;
}

int recording_damage_segment(struct recording *r, const struct segment_ref *s, uint64_t bytes,
			     const char *format, ...)
{
	va_list ap;

	if (s->is_damaged)
		return -1;
	/* several passes over a recording count its damage once */
	if (is_in(r->segments, r->segment_count, s)) {
		r->segments[s - r->segments].is_damaged = true;
		r->losses[LOSS_DAMAGED]++;
	} else if (is_in(r->symbols, r->symbol_count, s)) {
		r->symbols[s - r->symbols].is_damaged = true;
	} else if (is_in(r->bitmaps, r->bitmap_count, s)) {
		r->bitmaps[s - r->bitmaps].is_damaged = true;
	}
	va_start(ap, format);
	note_damage(r, 1, bytes, format, ap);
	va_end(ap);
	return -1;
}

bool recording_pread(const struct recording *r, unsigned source, uint64_t offset,
		     void *bytes, size_t count)
{
	int fd = r->sources->files[source].fd;
	uint8_t *p = bytes;

	if (offset > INT64_MAX - count)
		return false;
	while (count) {
		ssize_t n = pread(fd, p, count, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		offset += (uint64_t)n;
		count -= (size_t)n;
	}
	return true;
}

static void add_ref(struct segment_ref **table, size_t *count, size_t *capacity,
		    const struct segment_ref *s)
{
	xgrow(table, capacity, *count, sizeof(**table));
	(*table)[(*count)++] = *s;
}

void recording_add_segment(struct recording *r, const struct segment_ref *s)
{
	struct recording_sources *src = r->sources;

	switch (s->header.kind) {
	case SEGMENT_EVENTS:
		add_ref(&r->segments, &r->segment_count, &src->segment_capacity, s);
		break;
	case SEGMENT_SYMBOLS:
		add_ref(&r->symbols, &r->symbol_count, &src->symbol_capacity, s);
		break;
	case SEGMENT_BITMAP:
		add_ref(&r->bitmaps, &r->bitmap_count, &src->bitmap_capacity, s);
		break;
	default:
		break;
	}
}

void recording_add_meta(struct recording *r, uint8_t *buffer, size_t count)
{
	struct recording_sources *src = r->sources;

	xgrow(&src->meta_buffers, &src->meta_buffer_capacity, src->meta_buffer_count,
	      sizeof(*src->meta_buffers));
	src->meta_buffers[src->meta_buffer_count++] = buffer;
	src->meta_total += count;
	metadata_gather(r, buffer, count);
}

/* ---- opening ---- */

static int open_source(struct recording *r, const char *path, struct diag *d)
{
	struct source *s = &r->sources->files[r->sources->count];
	uint8_t magic[8] = { 0 };
	struct stat st;
	ssize_t n;

	/* O_NONBLOCK: a FIFO without a writer must not hold us */
	s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (s->fd < 0)
		return diag_errno(d, STATUS_IO, "cannot open '%s'", path);
	r->sources->count++;
	if (fstat(s->fd, &st) < 0)
		return diag_errno(d, STATUS_IO, "cannot open '%s'", path);
	if (S_ISDIR(st.st_mode))
		return diag_set(d, STATUS_IO, "cannot open '%s': Is a directory", path);
	if (!S_ISREG(st.st_mode))
		return diag_set(d, STATUS_IO,
				"cannot open '%s': not a regular file; a recording must be "
				"a file that can be sought in: copy it to one", path);
	if (st.st_size == 0)
		return diag_set(d, STATUS_IO,
				"cannot read '%s': the file is empty: nothing was recorded in it", path);
	s->bytes = (uint64_t)st.st_size;
	r->file_bytes += s->bytes;
	n = pread(s->fd, magic, sizeof(magic), 0);
	if (n < 0)
		return diag_errno(d, STATUS_IO, "cannot read '%s'", path);
	if (memcmp(magic, FILE_MAGIC, sizeof(magic)) == 0)
		return packed_scan(r, (unsigned)(r->sources->count - 1), path, d);
	if (memcmp(magic, RING_MAGIC, sizeof(magic)) == 0) {
		s->is_ring = true;
		return ring_scan(r, (unsigned)(r->sources->count - 1), path, d);
	}
	return diag_set(d, STATUS_IO, "cannot read '%s': not an allotrope recording", path);
}

static int compare_segments(const void *pa, const void *pb)
{
	const struct segment_header *a = &((const struct segment_ref *)pa)->header;
	const struct segment_header *b = &((const struct segment_ref *)pb)->header;

	if (a->image != b->image)
		return a->image < b->image ? -1 : 1;
	if (a->stream != b->stream)
		return a->stream < b->stream ? -1 : 1;
	if (a->sequence != b->sequence)
		return a->sequence < b->sequence ? -1 : 1;
	/* of two copies the longer one is the later one */
	if (a->committed != b->committed)
		return a->committed > b->committed ? -1 : 1;
	return 0;
}

static bool same_stream(const struct segment_header *a, const struct segment_header *b)
{
	return a->image == b->image && a->stream == b->stream;
}

static bool is_same(const struct segment_header *a, const struct segment_header *b)
{
	return same_stream(a, b) && a->sequence == b->sequence;
}

/* They are sorted by image, stream, sequence: remove copies, count gaps. */
static void order_segments(struct recording *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->segment_count; i++) {
		const struct segment_header *h = &r->segments[i].header;
		const struct segment_header *last = kept ? &r->segments[kept - 1].header : NULL;
		uint32_t expected = 0;

		if (last && same_stream(last, h)) {
			if (last->sequence == h->sequence)
				continue;
			expected = last->sequence + 1;
		}
		r->missing_segments += h->sequence - expected;
		r->raw_bytes += h->committed;
		r->segments[kept++] = r->segments[i];
	}
	r->segment_count = kept;
}

/*
 * Taken from the ring, less what is in the file and not in the ring. Before copies are
 * removed: of two neighbours the order says which are.
 */
static void find_unwritten(struct recording *r)
{
	struct recording_sources *src = r->sources;
	uint64_t segments = 0, bytes = 0;

	for (size_t i = 0; i < r->segment_count; i++) {
		const struct segment_ref *s = &r->segments[i];
		bool is_copy = false;

		for (size_t k = i + 1; k < r->segment_count && k < i + SOURCES_MAX; k++)
			is_copy |= r->segments[k].in_ring && is_same(&s->header, &r->segments[k].header);
		for (size_t k = i; k-- > 0 && k + SOURCES_MAX > i;)
			is_copy |= r->segments[k].in_ring && is_same(&s->header, &r->segments[k].header);
		if (s->in_ring || is_copy)
			continue;
		segments++;
		bytes += s->header.committed;
	}
	r->unwritten_segments = src->taken_slots > segments ? src->taken_slots - segments : 0;
	r->unwritten_bytes = src->taken_bytes > bytes ? src->taken_bytes - bytes : 0;
	if (!r->unwritten_segments)
		r->unwritten_bytes = 0;
}

/* A thread whose beginning was not noted: the metadata area was full. */
static void note_thread(struct recording *r, struct image *im, const struct segment_header *h)
{
	struct thread_info *t = images_thread(r, im, h->thread);

	if (!t->tid)
		t->tid = h->tid;
	if (!t->start_stamp)
		t->start_stamp = h->first_stamp;
}

/* What the segments say beside the metadata: ends of images, end of all. */
static void note_segments(struct recording *r)
{
	for (size_t i = 0; i < r->segment_count; i++) {
		const struct segment_header *h = &r->segments[i].header;
		struct image *im = images_obtain(r, h->image);

		im->segment_count++;
		note_thread(r, im, h);
		if (!im->pid)
			im->pid = h->pid;
		if (!im->is_described &&
		    (!im->start_stamp || h->first_stamp < im->start_stamp))
			im->start_stamp = h->first_stamp;
		if (h->last_stamp > im->end_stamp)
			im->end_stamp = h->last_stamp;
		if (h->last_stamp > r->end_stamp)
			r->end_stamp = h->last_stamp;
	}
}

static void find_start(struct recording *r)
{
	uint64_t start = r->start_stamp ? r->start_stamp : r->head.start_stamp;

	/* nobody noted when the recording began */
	if (!start && r->image_count)
		start = r->images[0].start_stamp;
	for (size_t i = 0; i < r->image_count; i++)
		if (r->images[i].start_stamp && r->images[i].start_stamp < start)
			start = r->images[i].start_stamp;
	r->start_stamp = start;
	if (r->end_stamp < start)
		r->end_stamp = start;
	if (!r->wall_ns)
		r->wall_ns = r->head.wall_ns;
}

static void find_losses(struct recording *r)
{
	size_t damaged = r->missing_segments;

	/* a damaged header shows as a gap too */
	if (r->sources->damaged_headers > damaged)
		damaged = r->sources->damaged_headers;
	/* the flight recorder counts what it overwrites itself */
	if (r->losses[LOSS_OVERWRITTEN])
		damaged = r->sources->damaged_headers;
	if (damaged > r->losses[LOSS_DAMAGED])
		r->losses[LOSS_DAMAGED] = damaged;
}

/*
 * A bare ring has no END: it is complete when the program that was started has
 * ended. A ring that a recorder left behind lacks what was drained.
 */
static bool ring_is_complete(const struct recording *r)
{
	uint32_t root = r->root_pid;
	const struct image *last;

	if (!r->options.bare || !r->image_count)
		return false;
	if (!root)
		root = r->images[0].pid;
	last = recording_image_at(r, root, UINT64_MAX);
	return last && last->has_exit;
}

struct recording *recording_open_many(const char *const paths[], size_t count,
				      struct diag *d)
{
	struct recording *r = xcalloc(1, sizeof(*r));
	bool has_end = false;

	r->sources = xcalloc(1, sizeof(*r->sources));
	r->path = xstrdup(count ? paths[0] : "");
	if (count == 0 || count > SOURCES_MAX) {
		diag_set(d, STATUS_USAGE, "%zu files cannot be opened as one recording", count);
		goto fail;
	}
	r->is_ring = true;
	for (size_t i = 0; i < count; i++) {
		if (open_source(r, paths[i], d) < 0)
			goto fail;
		r->is_ring &= r->sources->files[i].is_ring;
		has_end |= r->sources->files[i].has_end;
	}
	r->file = fdopen(r->sources->files[0].fd, "rb");
	if (!r->file) {
		diag_errno(d, STATUS_IO, "cannot open '%s'", paths[0]);
		goto fail;
	}
	if (r->segment_count)
		qsort(r->segments, r->segment_count, sizeof(*r->segments), compare_segments);
	find_unwritten(r);
	order_segments(r);
	metadata_apply(r);
	note_segments(r);
	images_finish(r);
	execs_finish(r);
	metadata_apply_status(r);
	execs_sort(r);
	clockmap_find(r);
	find_start(r);
	find_losses(r);
	r->complete = r->is_ring ? ring_is_complete(r) : has_end;
	return r;
fail:
	recording_close(r);
	return NULL;
}

struct recording *recording_open(const char *path, struct diag *d)
{
	return recording_open_many(&path, 1, d);
}

/* ---- closing ---- */

static void release_image(struct image *im)
{
	for (int i = 0; i < im->argc; i++)
		free(im->argv[i]);
	free(im->argv);
	free(im->exe);
	free(im->cwd);
	free(im->libc);
	for (size_t i = 0; i < im->thread_count; i++)
		free(im->threads[i].name);
	for (size_t i = 0; i < im->map_count; i++)
		free(im->maps[i].path);
	for (size_t i = 0; i < im->setting_count; i++) {
		free(im->settings[i].key);
		free(im->settings[i].value);
	}
	for (size_t i = 0; i < im->region_count; i++)
		free(im->regions[i].name);
	free(im->threads);
	free(im->maps);
	free(im->settings);
	free(im->regions);
}

static void release_sources(struct recording_sources *src, FILE *first)
{
	for (size_t i = first ? 1 : 0; i < src->count; i++)
		close(src->files[i].fd);
	if (first)
		fclose(first);
	for (size_t i = 0; i < src->meta_buffer_count; i++)
		free(src->meta_buffers[i]);
	ZSTD_freeDCtx(src->unpacker);
	free(src->packed);
	free(src->meta_buffers);
	free(src->meta);
	free(src->by_number);
	free(src->by_pid);
	free(src);
}

void recording_close(struct recording *r)
{
	if (!r)
		return;
	images_abandon(r);
	for (size_t i = 0; i < r->image_count; i++)
		release_image(&r->images[i]);
	for (size_t i = 0; i < r->module_count; i++)
		free(r->modules[i].path);
	for (size_t i = 0; i < r->mark_count; i++)
		free(r->marks[i].name);
	for (size_t i = 0; i < r->note_count; i++)
		free(r->notes[i].text);
	execs_release(r);
	free(r->images);
	free(r->modules);
	free(r->marks);
	free(r->notes);
	free(r->samples);
	free(r->segments);
	free(r->symbols);
	free(r->bitmaps);
	free(r->command);
	free(r->ring_path);
	free(r->options_text);
	free(r->path);
	release_sources(r->sources, r->file);
	free(r);
}

bool recording_is_outside(const struct recording *r)
{
	return r->options_text && strstr(r->options_text, "--no-preload");
}

uint64_t recording_sampling(const struct recording *r)
{
	uint64_t bytes;

	if (r->has_options && r->options.sample_bytes)
		return r->options.sample_bytes;
	for (size_t i = 0; i < r->segment_count; i++)
		if (r->segments[i].header.sampling)
			return r->segments[i].header.sampling;
	/* nothing was recorded: the library has said what it was asked */
	for (size_t i = 0; i < r->image_count; i++)
		for (size_t j = 0; j < r->images[i].setting_count; j++) {
			const struct setting *s = &r->images[i].settings[j];

			if (strcmp(s->key, SETTING_SAMPLE) == 0) {
				bytes = strtoull(s->value, NULL, 10);
				if (bytes)
					return bytes;
			}
		}
	return 0;
}

bool recording_has_inner(const struct recording *r)
{
	return r->has_options ? r->options.syscalls == SYSCALLS_STACKS :
	       r->options_text && strstr(r->options_text, "--syscalls=stacks");
}

/* ---- reading ---- */

static int64_t unpack(struct recording *r, const struct segment_ref *s,
		      const uint8_t *packed, uint8_t *out)
{
	struct recording_sources *src = r->sources;
	size_t n;

	if (!src->unpacker)
		src->unpacker = ZSTD_createDCtx();
	if (!src->unpacker)
		return -1;
	n = ZSTD_decompressDCtx(src->unpacker, out, s->header.committed, packed,
				s->header.stored_bytes);
	return ZSTD_isError(n) || n != s->header.committed ? -1 : (int64_t)n;
}

int64_t recording_read(struct recording *r, const struct segment_ref *s,
		       uint8_t **buffer, size_t *capacity)
{
	struct recording_sources *src = r->sources;
	const struct segment_header *h = &s->header;
	uint64_t at = s->offset + h->header_bytes;

	if (h->committed >= *capacity)
		xgrow(buffer, capacity, h->committed, 1);
	if (s->in_ring || !(h->flags & SEGMENT_ZSTD)) {
		if (recording_pread(r, s->source, at, *buffer, h->committed))
			return (int64_t)h->committed;
		goto damaged;
	}
	xgrow(&src->packed, &src->packed_capacity, h->stored_bytes, 1);
	if (recording_pread(r, s->source, at, src->packed, h->stored_bytes) &&
	    unpack(r, s, src->packed, *buffer) >= 0)
		return (int64_t)h->committed;
damaged:
	return recording_damage_segment(r, s, h->stored_bytes,
					"the segment at offset %llu cannot be unpacked",
					(unsigned long long)s->offset);
}
