/*
 * pack.c - from memory to allotrope.data. Relies on packed_writer for the bytes and pack_queue
 * for the way in; promises that the target never pays for compression while a processor is free
 * for nobody else (nice 19, SCHED_BATCH), that the memory in use stays within the bound plus one
 * round of the drainer, and that the drainer never waits for a thread of that priority.
 *
 * Two locks: `writing` for the writer, the decoder, the frame set and the queue's end,
 * `figures` for the totals. `writing` is taken first; the drainer only tries it.
 */
#include "cli/pack.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/xmem.h"
#include "cli/pack_queue.h"
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
/* Of the thread, above the recorder's own nice value. */
#define NICE_ABOVE 19

struct pack {
	struct pack_queue queue;
	uint64_t backlog_max;
	sem_t more;             /* posted for what is handed over; the thread may find it done */
	bool stopping, helped;  /* atomic */
	bool started, is_over;
	pthread_t thread;
	pid_t tid;              /* atomic: of the thread; 0: not known yet */
	int calm_nice;          /* its nice value while nobody is in a hurry */
	uint64_t meta_written;  /* atomic: metadata records in the file */

	pthread_mutex_t writing;
	struct packed_writer *writer;
	uint64_t gathered;      /* atomic: metadata records given to the writer */
	struct frame_set frames;
	struct decoder decoder;

	pthread_mutex_t figures;
	struct pack_totals totals;
};

struct pack *pack_new(struct packed_writer *w, uint64_t backlog_max)
{
	struct pack *p = xcalloc(1, sizeof(*p));

	pack_queue_init(&p->queue);
	sem_init(&p->more, 0, 0);
	pthread_mutex_init(&p->writing, NULL);
	pthread_mutex_init(&p->figures, NULL);
	p->writer = w;
	p->backlog_max = backlog_max;
	return p;
}

void pack_free(struct pack *p)
{
	if (!p)
		return;
	pack_queue_release(&p->queue);
	frame_set_release(&p->frames);
	sem_destroy(&p->more);
	pthread_mutex_destroy(&p->writing);
	pthread_mutex_destroy(&p->figures);
	free(p);
}

static uint64_t hand_over(struct pack *p, struct pack_item *item)
{
	uint64_t number = pack_queue_put(&p->queue, item);

	sem_post(&p->more);
	return number;
}

void pack_events(struct pack *p, const struct segment_header *header,
		 const void *records, uint64_t committed)
{
	struct pack_item *item = pack_queue_item(&p->queue, committed);

	item->is_meta = false;
	item->header = *header;
	item->header.committed = committed;
	memcpy(item->data, records, committed);
	hand_over(p, item);
}

uint64_t pack_meta(struct pack *p, enum meta_kind kind, const void *payload, size_t bytes)
{
	struct pack_item *item = pack_queue_item(&p->queue, bytes);

	item->is_meta = true;
	item->kind = kind;
	if (bytes)
		memcpy(item->data, payload, bytes);
	return hand_over(p, item);
}

uint64_t pack_meta_written(struct pack *p)
{
	return __atomic_load_n(&p->meta_written, __ATOMIC_ACQUIRE);
}

bool pack_is_full(struct pack *p)
{
	return pack_queue_bytes(&p->queue) >= p->backlog_max;
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
static void count_item(struct pack *p, struct pack_item *item, struct pack_totals *sum)
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
static void write_item(struct pack *p, struct pack_item *item, int level, bool failed)
{
	struct pack_totals sum = { 0 };
	int64_t grown = -1;

	if (item->is_meta) {
		if (packed_writer_meta(p->writer, item->kind, item->data, item->bytes) == 0)
			grown = 0;
		__atomic_add_fetch(&p->gathered, 1, __ATOMIC_RELAXED);
	} else {
		count_item(p, item, &sum);
		if (!failed)
			grown = packed_writer_segment(p->writer, &item->header, item->data, level);
	}
	pthread_mutex_lock(&p->figures);
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
	pthread_mutex_unlock(&p->figures);
}

static int error_of(struct pack *p)
{
	int error;

	pthread_mutex_lock(&p->figures);
	error = p->totals.error;
	pthread_mutex_unlock(&p->figures);
	return error;
}

/* Pack the oldest item. With `writing` held. Returns false where there is none. */
static bool pack_one(struct pack *p)
{
	bool hurry = pack_queue_bytes(&p->queue) > p->backlog_max / 8;
	struct pack_item *item = pack_queue_take(&p->queue);

	if (!item)
		return false;
	write_item(p, item, hurry ? LEVEL_HURRY : LEVEL_CALM, error_of(p) != 0);
	pack_queue_done(&p->queue, item);
	return true;
}

static void flush(struct pack *p)
{
	int error = 0;

	pthread_mutex_lock(&p->writing);
	if (packed_writer_flush(p->writer) < 0)
		error = errno ? errno : EIO;
	else
		__atomic_store_n(&p->meta_written, p->gathered, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&p->writing);
	pthread_mutex_lock(&p->figures);
	if (error && !p->totals.error)
		p->totals.error = error;
	pthread_mutex_unlock(&p->figures);
}

/* It tells where the session is; a busy program leaves no pause to write it in. */
static bool is_first_meta_waiting(struct pack *p)
{
	uint64_t written = pack_meta_written(p);

	return written < FIRST_META && __atomic_load_n(&p->gathered, __ATOMIC_RELAXED) > written &&
	       !error_of(p);
}

static bool is_set(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

/* Returns false where there was nothing to do, or others do it. */
static bool work(struct pack *p)
{
	bool worked = false;

	/* not even for a look: the one who helps would find it locked */
	if (is_set(&p->helped))
		return false;
	pthread_mutex_lock(&p->writing);
	if (!is_set(&p->helped))
		worked = pack_one(p);
	pthread_mutex_unlock(&p->writing);
	return worked;
}

/* Returns false where nothing came for FLUSH_SECONDS. */
static bool wait_for_more(struct pack *p)
{
	struct timespec until;
	int result;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += FLUSH_SECONDS;
	while ((result = sem_timedwait(&p->more, &until)) != 0 && errno == EINTR)
		;
	/* what was handed over since, all at once */
	while (sem_trywait(&p->more) == 0)
		;
	return result == 0;
}

static void *pack_thread(void *arg)
{
	struct sched_param param = { 0 };
	struct pack *p = arg;
	pid_t tid = (pid_t)syscall(SYS_gettid);
	time_t flushed = time(NULL);

	/* of this thread only: Linux gives threads their own nice value */
	pthread_setschedparam(pthread_self(), SCHED_BATCH, &param);
	setpriority(PRIO_PROCESS, (id_t)tid, p->calm_nice);
	__atomic_store_n(&p->tid, tid, __ATOMIC_RELEASE);
	while (!is_set(&p->stopping)) {
		bool is_late = !work(p) && !wait_for_more(p);

		if (is_late || time(NULL) >= flushed + FLUSH_SECONDS || is_first_meta_waiting(p)) {
			flush(p);
			flushed = time(NULL);
		}
	}
	return NULL;
}

int pack_start(struct pack *p)
{
	int error;

	p->calm_nice = getpriority(PRIO_PROCESS, 0) + NICE_ABOVE;
	error = pthread_create(&p->thread, NULL, pack_thread, p);
	p->started = error == 0;
	errno = error;
	return error ? -1 : 0;
}

/*
 * The item at hand is not worth waiting seconds for. Who may not raise a priority (root,
 * CAP_SYS_NICE and RLIMIT_NICE may) waits for it.
 */
static void hurry_thread(struct pack *p, bool hurry)
{
	pid_t tid = __atomic_load_n(&p->tid, __ATOMIC_ACQUIRE);

	if (tid)
		setpriority(PRIO_PROCESS, (id_t)tid, hurry ? p->calm_nice - NICE_ABOVE : p->calm_nice);
}

bool pack_help(struct pack *p)
{
	uint64_t bytes = pack_queue_bytes(&p->queue);
	bool help = is_set(&p->helped);

	if (help ? bytes < p->backlog_max / 4 : bytes > p->backlog_max / 2) {
		help = !help;
		__atomic_store_n(&p->helped, help, __ATOMIC_RELEASE);
		hurry_thread(p, help);
		sem_post(&p->more);
	}
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
	__atomic_store_n(&p->stopping, true, __ATOMIC_RELEASE);
	hurry_thread(p, true);
	sem_post(&p->more);
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

	pthread_mutex_lock(&p->figures);
	totals = p->totals;
	pthread_mutex_unlock(&p->figures);
	totals.backlog_peak = pack_queue_peak(&p->queue);
	return totals;
}

const struct frame_set *pack_frames(const struct pack *p)
{
	return &p->frames;
}
