/*
 * served.c - see served.h. Relies on the order of a stream: system calls stand before the
 * end of the acquire that makes them and behind the begin of the release that makes
 * them. So an acquire finds them noted, and a release waits until the stream's next call.
 */
#include "model/served.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/idmap.h"
#include "base/xmem.h"

/* A release whose system calls may follow. */
struct pending {
	uint64_t size, weight;
	uint8_t cls;
	bool is_known;         /* it released a block that was seen to be acquired */
};

/* What the allocator call under way in a stream has done, and the system call in it. */
struct stream {
	uint64_t bytes;        /* that the system call concerns */
	uint64_t advice;       /* of madvise */
	uint8_t number;
	bool is_open;          /* the system call */
	bool grew;             /* brk up */
	bool arena_grew;       /* more of a thread's heap made accessible */
	bool trimmed;          /* brk down, a thread's heap shrunk */
	bool unmapped;
	uint64_t mapped_bytes; /* 0: nothing was mapped */
	bool remapped;         /* by mremap */
	stack_id stack;        /* of the last system call */
	bool in_release;       /* the stream's last call: what it does may follow */
	struct pending pending;
};

struct served {
	const struct stacks *stacks;
	uint64_t break_addr;   /* 0: unknown */
	uint64_t page_size;
	struct idmap index;    /* size + 1 -> row + 1 */
	struct served_row *rows;
	size_t count, capacity;
	struct stream *streams;
	size_t stream_count;
};

struct served *served_new(const struct image *image, const struct stacks *stacks)
{
	struct served *s = xcalloc(1, sizeof(*s));

	s->stacks = stacks;
	s->break_addr = image->initial_break;
	s->page_size = image->page_size >= 4096 && image->page_size <= 1 << 24 ?
		       image->page_size : 4096;
	return s;
}

void served_free(struct served *s)
{
	if (!s)
		return;
	idmap_release(&s->index);
	free(s->rows);
	free(s->streams);
	free(s);
}

static struct served_row *row_of(struct served *s, uint64_t size)
{
	uint64_t key = size < UINT64_MAX ? size + 1 : size;
	uint32_t id = idmap_add(&s->index, key, (uint32_t)s->count + 1);

	if (id > s->count) {
		xgrow(&s->rows, &s->capacity, s->count, sizeof(*s->rows));
		s->rows[s->count++] = (struct served_row){ .size = size };
	}
	return &s->rows[id - 1];
}

static struct stream *stream_of(struct served *s, uint32_t stream)
{
	if (stream >= s->stream_count) {
		size_t count = (size_t)stream + 16;

		s->streams = xreallocarray(s->streams, count, sizeof(*s->streams));
		memset(s->streams + s->stream_count, 0,
		       (count - s->stream_count) * sizeof(*s->streams));
		s->stream_count = count;
	}
	return &s->streams[stream];
}

static void count_free(struct served *s, const struct stream *st, uint64_t size, uint8_t cls,
		       uint64_t weight)
{
	struct served_row *row = row_of(s, size);

	/* one of the pieces that an arena is made of goes as a whole */
	bool arena_shrank = cls == CLASS_ARENA && (st->trimmed || st->unmapped);

	if (cls == CLASS_MAPPED && st->unmapped) {
		row->unmapped += weight;
	} else if (st->trimmed || arena_shrank) {
		row->trimmed += weight;
		row->arena_trimmed += arena_shrank ? weight : 0;
	} else {
		row->kept += weight;
	}
}

static void forget(struct stream *st)
{
	st->is_open = st->grew = st->arena_grew = st->trimmed = st->unmapped = st->remapped = false;
	st->mapped_bytes = 0;
}

static void settle(struct served *s, struct stream *st)
{
	if (st->in_release && st->pending.is_known)
		count_free(s, st, st->pending.size, st->pending.cls, st->pending.weight);
	st->in_release = st->pending.is_known = false;
	forget(st);
}

static void begin_syscall(struct stream *st, const struct event *event)
{
	const struct record *r = &event->r;

	st->stack = event->stack;
	st->is_open = r->flags & SYSCALL_IN_ALLOCATOR;
	st->number = r->number;
	/* of mremap the new length matters */
	st->bytes = r->number == SYS_MEM_mremap ? r->args[2] : r->args[1];
	st->advice = r->args[2];
}

static void end_brk(struct served *s, struct stream *st, uint64_t now)
{
	if (st->is_open && s->break_addr) {
		st->grew |= now > s->break_addr;
		st->trimmed |= now < s->break_addr;
	}
	s->break_addr = now;
}

static uint64_t whole_pages(const struct served *s, uint64_t bytes)
{
	return bytes > UINT64_MAX - s->page_size ? bytes :
	       (bytes + s->page_size - 1) / s->page_size * s->page_size;
}

static void end_syscall(struct served *s, struct stream *st, const struct record *r)
{
	bool is_ours = st->is_open && st->number == r->number;

	if (r->result < 0 && r->result >= -4095) {
		st->is_open = false;
		return;
	}
	if (r->number == SYS_MEM_brk)
		end_brk(s, st, (uint64_t)r->result);
	st->is_open = false;
	if (!is_ours)
		return;
	switch (r->number) {
	case SYS_MEM_mmap:
		st->mapped_bytes = whole_pages(s, st->bytes);
		break;
	case SYS_MEM_mremap:
		st->mapped_bytes = whole_pages(s, st->bytes);
		st->remapped = true;
		break;
	case SYS_MEM_munmap:
		/* after an mmap in the same call: what was too much for an arena */
		st->unmapped |= st->mapped_bytes == 0;
		break;
	case SYS_MEM_mprotect:
		st->arena_grew = true;
		break;
	case SYS_MEM_madvise:
		st->trimmed |= st->advice == MADV_DONTNEED;
		break;
	default:
		break;
	}
}

static enum served_from served_from(const struct stream *st, uint8_t cls, bool had_mapping)
{
	/* of another allocator's blocks nothing is known but the calls that they made */
	if (cls == CLASS_MAPPED || (cls == CLASS_FOREIGN && st->mapped_bytes))
		return had_mapping ? SERVED_KEPT_MAP : SERVED_MAPPED;
	if (cls == CLASS_ARENA)
		return st->arena_grew ? SERVED_ARENA_GROWN : SERVED_ARENA;
	return st->grew ? SERVED_BRK : SERVED_HEAP;
}

static enum served_from count_acquire(struct served *s, const struct stream *st,
				      const struct event *event, const struct change *change,
				      uint64_t size)
{
	const struct call *call = &change->call;
	bool had_mapping = change->released && change->kind == KIND_HEAP &&
			   change->old.cls == CLASS_MAPPED;
	enum served_from from = served_from(st, event->r.cls, had_mapping);
	bool is_mapped = from == SERVED_MAPPED || from == SERVED_KEPT_MAP;
	struct served_row *row = row_of(s, size);

	row->calls += call->weight;
	row->heap += from == SERVED_HEAP ? call->weight : 0;
	row->brk += from == SERVED_BRK ? call->weight : 0;
	row->arena += from == SERVED_ARENA || from == SERVED_ARENA_GROWN ? call->weight : 0;
	row->mapped += is_mapped ? call->weight : 0;
	row->kept_maps += from == SERVED_KEPT_MAP ? call->weight : 0;
	if (is_mapped && st->mapped_bytes) {
		row->maps++;
		row->mapped_bytes += st->mapped_bytes;
	}
	return from;
}

static void release(struct served *s, struct stream *st, const struct call *call,
		    const struct change *change)
{
	settle(s, st);
	st->in_release = true;
	if (call->pointer && change->released && change->kind == KIND_HEAP)
		st->pending = (struct pending){
			.size = change->old.size,
			.weight = call->weight,
			.cls = (uint8_t)change->old.cls,
			.is_known = true,
		};
}

static void end_realloc(struct served *s, struct stream *st, const struct event *event,
			const struct change *change)
{
	const struct call *call = &change->call;
	bool has_old = change->released && change->kind == KIND_HEAP;

	if (has_old && event->r.kind == EVENT_NULL_CALL)
		count_free(s, st, change->old.size, (uint8_t)change->old.cls, call->weight);
	else if (has_old && call->result && call->result != call->pointer && !st->remapped)
		count_free(s, st, change->old.size, (uint8_t)change->old.cls, call->weight);
}

static bool is_release(uint8_t func)
{
	return func == FUNC_FREE || func == FUNC_CFREE || func == FUNC_FREE_SIZED ||
	       func == FUNC_FREE_ALIGNED_SIZED;
}

/*
 * With sampling a system call has the call stack down to itself, and the calls that are not
 * recorded make some, too. One is taken for that of the acquire with stack CALLER where it
 * was made, some frames inside the allocator, from there.
 */
static bool was_made_from(const struct served *s, stack_id stack, stack_id caller)
{
	for (int inner = 0; stack != STACK_NONE && inner < 16; inner++) {
		if (stack == caller)
			return true;
		stack = stacks_node(s->stacks, stack)->parent;
	}
	return false;
}

static enum served_from end_call(struct served *s, struct stream *st, const struct event *event,
				 const struct change *change)
{
	enum served_from from = SERVED_NOT;
	const struct call *call = &change->call;
	uint64_t size = call->size;

	if (is_release(call->func)) {
		release(s, st, call, change);
		return from;
	}
	if (st->in_release || (event->sampling && !was_made_from(s, st->stack, event->stack)))
		settle(s, st);
	if (call->func == FUNC_REALLOC || call->func == FUNC_REALLOCARRAY)
		end_realloc(s, st, event, change);
	if ((call->func == FUNC_CALLOC || call->func == FUNC_REALLOCARRAY) &&
	    __builtin_mul_overflow(call->nmemb, call->size, &size))
		size = UINT64_MAX;
	if (call->result)
		from = count_acquire(s, st, event, change, size);
	settle(s, st);
	return from;
}

enum served_from served_event(struct served *s, const struct event *event,
			      const struct change *change)
{
	struct stream *st = stream_of(s, event->stream);
	const struct record *r = &event->r;

	switch (r->kind) {
	case EVENT_SYSCALL_BEGIN:
		/* what an acquire does next is not the last release's */
		if ((r->flags & SYSCALL_IN_ALLOCATOR) && !is_release(r->func) &&
		    st->in_release)
			settle(s, st);
		begin_syscall(st, event);
		break;
	case EVENT_SYSCALL_END:
		end_syscall(s, st, r);
		break;
	case EVENT_REALLOC_BEGIN:
		settle(s, st);
		break;
	default:
		if (change->has_call)
			return end_call(s, st, event, change);
		break;
	}
	return SERVED_NOT;
}

static int compare(const void *pa, const void *pb)
{
	const struct served_row *a = pa, *b = pb;

	return a->size < b->size ? -1 : a->size > b->size;
}

const struct served_row *served_rows(struct served *s, size_t *count)
{
	for (size_t i = 0; i < s->stream_count; i++)
		settle(s, &s->streams[i]);
	if (s->count > 1)
		qsort(s->rows, s->count, sizeof(*s->rows), compare);
	/* the index no longer fits */
	idmap_release(&s->index);
	s->index = (struct idmap){ 0 };
	*count = s->count;
	return s->rows;
}

struct served_row served_sum(const struct served_row *rows, size_t count)
{
	struct served_row sum = { 0 };

	for (size_t i = 0; i < count; i++) {
		sum.calls += rows[i].calls;
		sum.heap += rows[i].heap;
		sum.brk += rows[i].brk;
		sum.arena += rows[i].arena;
		sum.mapped += rows[i].mapped;
		sum.mapped_bytes += rows[i].mapped_bytes;
		sum.maps += rows[i].maps;
		sum.kept_maps += rows[i].kept_maps;
		sum.kept += rows[i].kept;
		sum.trimmed += rows[i].trimmed;
		sum.unmapped += rows[i].unmapped;
		sum.arena_trimmed += rows[i].arena_trimmed;
	}
	return sum;
}
