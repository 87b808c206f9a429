/*
 * pack.c - from memory to allotrope.data. Relies on packed_writer for the bytes;
 * promises that the target never pays for compression while a processor is free
 * for nobody else (nice 19, SCHED_BATCH), and that the memory in use stays
 * within the bound plus one round of the drainer.
 *
 * Two locks: `lock` for the queue and the figures, `writing` for the writer, the decoder
 * and the frame set. `writing` is taken first.
 */
#include "cli/pack.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/xmem.h"
#include "inner_record.h"
#include "record_codec.h"
#include "trace/meta_fields.h"

/* zstd levels: the better one while there is time for it. */
#define LEVEL_CALM 3
#define LEVEL_HURRY 1
/* Gathered metadata is brought to the file after this long, for `mark`, `info` and accidents. */
#define FLUSH_SECONDS 1
/* Metadata records that go to the file at once: where the session is, is among them. */
#define FIRST_META 8
/* Spare buffers kept, so that the heap of the recorder need not grow and shrink. */
#define SPARE_MAX 64

struct item {
	struct item *next;
	size_t capacity;      /* of data */
	size_t bytes;         /* used */
	bool is_meta;
	enum meta_kind kind;
	struct segment_header header;
	uint8_t data[];
};

struct pack {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct item *head, **tail;
	struct item *spare;
	size_t spare_count;
	uint64_t backlog, backlog_max;
	bool stopping, started, helped, is_over;
	pthread_t thread;
	struct pack_totals totals;
	uint64_t meta_count;    /* metadata records handed over */
	uint64_t meta_written;  /* of these: in the file */

	pthread_mutex_t writing;
	struct packed_writer *writer;
	uint64_t gathered;      /* metadata records given to the writer */
	struct frame_set frames;
	struct decoder decoder;
};

struct pack *pack_new(struct packed_writer *w, uint64_t backlog_max)
{
	struct pack *p = xcalloc(1, sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	pthread_mutex_init(&p->writing, NULL);
	pthread_cond_init(&p->changed, NULL);
	p->tail = &p->head;
	p->writer = w;
	p->backlog_max = backlog_max;
	return p;
}

static void free_list(struct item *item)
{
	while (item) {
		struct item *next = item->next;

		free(item);
		item = next;
	}
}

void pack_free(struct pack *p)
{
	if (!p)
		return;
	free_list(p->head);
	free_list(p->spare);
	frame_set_release(&p->frames);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->writing);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* A buffer for BYTES: a spare one where it fits. Spares are all of a slot's size. */
static struct item *item_new(struct pack *p, size_t bytes)
{
	struct item *item = NULL;
	size_t capacity = bytes > 4096 ? (bytes + 65535) & ~(size_t)65535 : bytes;

	pthread_mutex_lock(&p->lock);
	if (capacity > bytes && p->spare && p->spare->capacity >= bytes) {
		item = p->spare;
		p->spare = item->next;
		p->spare_count--;
		capacity = item->capacity;
	}
	pthread_mutex_unlock(&p->lock);
	if (!item)
		item = xmalloc(sizeof(*item) + capacity);
	item->next = NULL;
	item->capacity = capacity;
	item->bytes = bytes;
	return item;
}

static void item_done(struct pack *p, struct item *item)
{
	pthread_mutex_lock(&p->lock);
	p->backlog -= sizeof(*item) + item->bytes;
	if (item->capacity > 4096 && p->spare_count < SPARE_MAX) {
		item->next = p->spare;
		p->spare = item;
		p->spare_count++;
		item = NULL;
	}
	pthread_mutex_unlock(&p->lock);
	free(item);
}

/* Returns the number of metadata records handed over so far. */
static uint64_t enqueue(struct pack *p, struct item *item)
{
	uint64_t number;

	pthread_mutex_lock(&p->lock);
	p->meta_count += item->is_meta;
	number = p->meta_count;
	*p->tail = item;
	p->tail = &item->next;
	p->backlog += sizeof(*item) + item->bytes;
	if (p->backlog > p->totals.backlog_peak)
		p->totals.backlog_peak = p->backlog;
	pthread_cond_signal(&p->changed);
	pthread_mutex_unlock(&p->lock);
	return number;
}

void pack_events(struct pack *p, const struct segment_header *header,
		 const void *records, uint64_t committed)
{
	struct item *item = item_new(p, committed);

	item->is_meta = false;
	item->header = *header;
	item->header.committed = committed;
	memcpy(item->data, records, committed);
	enqueue(p, item);
}

uint64_t pack_meta(struct pack *p, enum meta_kind kind, const void *payload, size_t bytes)
{
	struct item *item = item_new(p, bytes);

	item->is_meta = true;
	item->kind = kind;
	if (bytes)
		memcpy(item->data, payload, bytes);
	return enqueue(p, item);
}

uint64_t pack_meta_written(struct pack *p)
{
	uint64_t number;

	pthread_mutex_lock(&p->lock);
	number = p->meta_written;
	pthread_mutex_unlock(&p->lock);
	return number;
}

bool pack_is_full(struct pack *p)
{
	bool full;

	pthread_mutex_lock(&p->lock);
	full = p->backlog >= p->backlog_max;
	pthread_mutex_unlock(&p->lock);
	return full;
}

static bool is_call(unsigned kind)
{
	return kind == EVENT_ALLOC || kind == EVENT_CALLOC || kind == EVENT_ALIGNED ||
	       kind == EVENT_REALLOC_END || kind == EVENT_FREE || kind == EVENT_NULL_CALL ||
	       kind == EVENT_FAILED;
}

/* What counts as one lost event, as the target counts them: halves and remarks do not. */
static bool is_event(unsigned kind)
{
	return kind != EVENT_REALLOC_BEGIN && kind != EVENT_SYSCALL_BEGIN && kind != EVENT_TIMING &&
	       kind != EVENT_THREAD && kind != EVENT_LOSS && kind != EVENT_EXTENDED;
}

/*
 * A mark that the program made stands among its events: say it in the metadata
 * too, so that it can be found without reading them. It is not counted in
 * `gathered`: nobody handed it over.
 */
static void repeat_mark(struct pack *p, const struct segment_header *h, const struct record *r)
{
	struct meta_fields f = { 0 };

	meta_fields_number(&f, h->pid);
	meta_fields_number(&f, r->stamp);
	meta_fields_string(&f, r->name, r->name_bytes);
	packed_writer_meta(p->writer, META_MARK_AT, f.bytes, f.count);
	meta_fields_release(&f);
}

/* The frames of R, which D has just decoded in IMAGE. */
static void gather_frames(struct pack *p, const struct decoder *d, const struct record *r, uint32_t image)
{
	struct inner_frames inner;

	for (uint32_t i = 0; i < r->push; i++)
		if (d->frames[i].type == FRAME_NATIVE)
			frame_set_add(&p->frames, image, d->frames[i].value, r->stamp);
	if (__builtin_expect(r->kind != EVENT_EXTENDED, 1) || !get_inner(r, &inner))
		return;
	for (uint32_t i = 0; i < inner.count; i++)
		frame_set_add(&p->frames, image, inner.pcs[i], r->stamp);
}

/* Count the records of ITEM (as lost ones too), gather its frames, close its header. */
static void count_item(struct pack *p, struct item *item, struct pack_totals *sum)
{
	struct decoder *d = &p->decoder;
	struct record r;
	int more;

	decoder_init(d, item->data, item->bytes, item->header.first_stamp, item->header.thread);
	while ((more = record_decode(d, &r)) > 0) {
		sum->events++;
		sum->lost_events += is_event(r.kind);
		sum->calls += is_call(r.kind);
		if (r.kind == EVENT_MARK)
			repeat_mark(p, &item->header, &r);
		gather_frames(p, d, &r, item->header.image);
	}
	sum->damaged += more < 0;
	item->header.events = sum->events > UINT32_MAX ? 0 : (uint32_t)sum->events;
	if (!item->header.last_stamp)
		item->header.last_stamp = d->base.stamp;
}

/* Write ITEM. With `writing` held. */
static void write_item(struct pack *p, struct item *item, int level, bool failed)
{
	struct pack_totals sum = { 0 };
	int64_t grown = -1;

	if (item->is_meta) {
		if (packed_writer_meta(p->writer, item->kind, item->data, item->bytes) == 0)
			grown = 0;
		p->gathered++;
	} else {
		count_item(p, item, &sum);
		if (!failed)
			grown = packed_writer_segment(p->writer, &item->header, item->data, level);
	}
	pthread_mutex_lock(&p->lock);
	if (grown < 0 && !p->totals.error)
		p->totals.error = errno ? errno : EIO;
	if (grown < 0) {
		p->totals.lost_events += sum.lost_events;
	} else if (!item->is_meta) {
		p->totals.segments++;
		p->totals.raw_bytes += item->bytes;
		p->totals.stored_bytes += (uint64_t)grown;
		p->totals.events += sum.events;
		p->totals.calls += sum.calls;
	}
	p->totals.damaged += sum.damaged;
	pthread_mutex_unlock(&p->lock);
}

/* Pack the oldest item. With `writing` held. Returns false where there is none. */
static bool pack_one(struct pack *p)
{
	struct item *item;
	bool failed;
	int level;

	pthread_mutex_lock(&p->lock);
	item = p->head;
	if (item) {
		p->head = item->next;
		if (!p->head)
			p->tail = &p->head;
	}
	level = p->backlog > p->backlog_max / 8 ? LEVEL_HURRY : LEVEL_CALM;
	failed = p->totals.error != 0;
	pthread_mutex_unlock(&p->lock);
	if (!item)
		return false;
	write_item(p, item, level, failed);
	item_done(p, item);
	return true;
}

static void flush(struct pack *p)
{
	uint64_t gathered;
	int error = 0;

	pthread_mutex_lock(&p->writing);
	gathered = p->gathered;
	if (packed_writer_flush(p->writer) < 0)
		error = errno ? errno : EIO;
	pthread_mutex_unlock(&p->writing);
	pthread_mutex_lock(&p->lock);
	if (!error)
		p->meta_written = gathered;
	else if (!p->totals.error)
		p->totals.error = error;
	pthread_mutex_unlock(&p->lock);
}

/*
 * Wait for work. Returns false when all is done. With `lock` held. The first
 * metadata goes to the file at once: it tells where the session is.
 */
static bool wait_for_work(struct pack *p)
{
	struct timespec until;

	while ((!p->head || p->helped) && !p->stopping) {
		if (!p->head && p->meta_count && !p->meta_written && !p->totals.error) {
			pthread_mutex_unlock(&p->lock);
			flush(p);
			pthread_mutex_lock(&p->lock);
			continue;
		}
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += FLUSH_SECONDS;
		if (pthread_cond_timedwait(&p->changed, &p->lock, &until) == ETIMEDOUT) {
			pthread_mutex_unlock(&p->lock);
			flush(p);
			pthread_mutex_lock(&p->lock);
		}
	}
	return p->head != NULL;
}

/* A busy program leaves no pause to write them in. */
static bool is_first_meta_waiting(struct pack *p)
{
	bool is_waiting;

	pthread_mutex_lock(&p->writing);
	pthread_mutex_lock(&p->lock);
	is_waiting = p->meta_written < FIRST_META && p->gathered > p->meta_written &&
		     !p->totals.error;
	pthread_mutex_unlock(&p->lock);
	pthread_mutex_unlock(&p->writing);
	return is_waiting;
}

static void *pack_thread(void *arg)
{
	struct sched_param param = { 0 };
	struct pack *p = arg;
	time_t flushed = time(NULL);
	bool more;

	/* of this thread only: Linux gives threads their own nice value */
	pthread_setschedparam(pthread_self(), SCHED_BATCH, &param);
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 19);
	for (;;) {
		pthread_mutex_lock(&p->lock);
		more = wait_for_work(p);
		pthread_mutex_unlock(&p->lock);
		if (!more)
			return NULL;
		pthread_mutex_lock(&p->writing);
		pack_one(p);
		pthread_mutex_unlock(&p->writing);
		if (time(NULL) >= flushed + FLUSH_SECONDS || is_first_meta_waiting(p)) {
			flush(p);
			flushed = time(NULL);
		}
	}
}

int pack_start(struct pack *p)
{
	int error = pthread_create(&p->thread, NULL, pack_thread, p);

	p->started = error == 0;
	errno = error;
	return error ? -1 : 0;
}

bool pack_help(struct pack *p)
{
	bool help;

	pthread_mutex_lock(&p->lock);
	if (!p->helped && p->backlog > p->backlog_max / 2) {
		p->helped = true;
	} else if (p->helped && p->backlog < p->backlog_max / 4) {
		p->helped = false;
		pthread_cond_signal(&p->changed);
	}
	help = p->helped;
	pthread_mutex_unlock(&p->lock);
	if (!help || pthread_mutex_trylock(&p->writing) != 0)
		return false;
	help = pack_one(p);
	pthread_mutex_unlock(&p->writing);
	return help;
}

void pack_stop(struct pack *p)
{
	if (p->is_over)
		return;
	p->is_over = true;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	p->helped = false;
	pthread_cond_signal(&p->changed);
	pthread_mutex_unlock(&p->lock);
	/* the target is gone: the rest need not be done at the lowest priority */
	pthread_mutex_lock(&p->writing);
	while (pack_one(p))
		;
	pthread_mutex_unlock(&p->writing);
	if (p->started)
		pthread_join(p->thread, NULL);
	p->started = false;
	flush(p);
}

struct pack_totals pack_totals(struct pack *p)
{
	struct pack_totals totals;

	pthread_mutex_lock(&p->lock);
	totals = p->totals;
	pthread_mutex_unlock(&p->lock);
	return totals;
}

const struct frame_set *pack_frames(const struct pack *p)
{
	return &p->frames;
}
