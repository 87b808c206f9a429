/*
 * unwind_range.c - the bounds of the stack that a thread runs on.
 *
 * Relies on three sources, cheapest first: glibc's thread descriptor, which lies
 * above every stack that pthread_create uses and names its bounds; sigaltstack(2)
 * for the alternate stack in use; the kernel's list of mappings (the PROCMAP_QUERY
 * ioctl of Linux 6.11, the text of /proc/self/maps before). Promises to make no
 * call that takes a lock or uses the heap, and to keep no descriptor.
 */
#include "unwind_range.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "session.h"
#include "sys.h"

/* The stack pointer at the process's entry; in ld.so. */
extern void *__libc_stack_end __attribute__((weak));

/* Smallest gap that the kernel keeps below a growing stack: 256 pages; half of it is used. */
#define GROWTH_BYTES (512u << 10)
/* Largest distance from a thread descriptor's start to the end of its stack. */
#define DESCRIPTOR_BYTES (1u << 20)
/* Words of the thread descriptor that are searched: struct pthread has about 2.3 KiB. */
#define DESCRIPTOR_WORDS 256
#define STACK_BYTES_MIN 4096u
#define STACK_BYTES_MAX ((uint64_t)1 << 40)
/* Neighbouring mappings that are joined: a stack may be cut in pieces by madvise. */
#define JOIN_MAX 16

static uint32_t memory_generation;
/* A stack of another kind than a thread's own was ever met. */
static bool others_met;
/* Where struct pthread keeps (stackblock, stackblock_size, guardsize): word index + 1. */
static uint32_t descriptor_word;

uint32_t range_generation(void)
{
	return __atomic_load_n(&memory_generation, __ATOMIC_ACQUIRE);
}

void range_changed(void)
{
	if (__atomic_load_n(&others_met, __ATOMIC_RELAXED))
		__atomic_fetch_add(&memory_generation, 1, __ATOMIC_RELEASE);
}

bool range_is_first(uint64_t sp)
{
	uint64_t first;

	if (!&__libc_stack_end)
		return false;
	first = (uint64_t)__libc_stack_end;
	return sp >= first - 64 && sp <= first + 64;
}

/* ---- glibc's thread descriptor ---- */

/*
 * A pair (block, size) describes this thread's stack if it holds SP below the
 * descriptor and ends shortly above it: nothing else in the descriptor does.
 */
static bool descriptor_fits(const uint64_t *word, uint64_t self, uint64_t sp,
			    struct stack_range *found)
{
	uint64_t block = word[0], size = word[1], guard = word[2];

	/* the first thread's pair is (0, __libc_stack_end); pointers are no sizes */
	if (block < STACK_BYTES_MIN || size < STACK_BYTES_MIN || size > STACK_BYTES_MAX ||
	    guard > size || block > sp ||
	    block + size < block || block + guard > sp)
		return false;
	if (block + size <= self || block + size - self > DESCRIPTOR_BYTES)
		return false;
	found->low = block + guard;
	found->high = self;
	return true;
}

static bool range_of_thread(uint64_t sp, struct stack_range *found)
{
	const uint64_t *words = (const uint64_t *)pthread_self();
	uint64_t self = (uint64_t)words;
	uint32_t known = __atomic_load_n(&descriptor_word, __ATOMIC_RELAXED);

	if (!words || sp >= self || self & 7)
		return false;
	if (known)
		return descriptor_fits(words + known - 1, self, sp, found);
	for (uint32_t i = 0; i < DESCRIPTOR_WORDS; i++) {
		if (!descriptor_fits(words + i, self, sp, found))
			continue;
		__atomic_store_n(&descriptor_word, i + 1, __ATOMIC_RELAXED);
		return true;
	}
	return false;
}

static bool range_of_alternate(uint64_t sp, struct stack_range *found)
{
	stack_t ss;

	if (sys_failed(SYS2(sigaltstack, 0, &ss)) || !(ss.ss_flags & SS_ONSTACK))
		return false;
	found->low = (uint64_t)ss.ss_sp;
	found->high = (found->low + ss.ss_size) & ~(uint64_t)7;
	return range_holds(found, sp);
}

/* ---- the kernel's list of mappings ---- */

struct procmap_query {
	uint64_t size, query_flags, query_addr;
	uint64_t vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
	uint32_t dev_major, dev_minor, vma_name_size, build_id_size;
	uint64_t vma_name_addr, build_id_addr;
};

#define PROCMAP_QUERY_NR  0xc0686611ul /* _IOWR('f', 17, struct procmap_query) */
#define PROCMAP_READABLE  1u

_Static_assert(sizeof(struct procmap_query) == 0x68, "size is part of the request number");

/* 1: FOUND; 0: not readable memory; -1: the kernel does not know the question. */
static int range_by_query(int fd, uint64_t address, struct stack_range *found)
{
	struct procmap_query q;
	long result;

	memset(&q, 0, sizeof(q));
	q.size = sizeof(q);
	q.query_flags = PROCMAP_READABLE;
	q.query_addr = address;
	result = SYS3(ioctl, fd, PROCMAP_QUERY_NR, &q);
	if (result == -ENOENT)
		return 0;
	if (sys_failed(result))
		return -1;
	found->low = q.vma_start;
	found->high = q.vma_end;
	return range_holds(found, address);
}

struct maps_parser {
	uint64_t low, high;
	int field; /* 0 low, 1 high, 2 first letter of the permissions, 3 rest of the line */
	bool readable;
};

/* -1: C is no digit. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Feed a byte; true where a line's range and permission are complete. */
static bool maps_byte(struct maps_parser *m, char c)
{
	uint64_t *number = m->field == 0 ? &m->low : &m->high;

	if (c == '\n') {
		*m = (struct maps_parser){ 0 };
		return false;
	}
	if (m->field == 3)
		return false;
	if (m->field == 2) {
		m->readable = c == 'r';
		m->field = 3;
		return true;
	}
	if (hex_digit(c) >= 0)
		*number = *number << 4 | (uint64_t)hex_digit(c);
	else if (c == (m->field == 0 ? '-' : ' '))
		m->field++;
	else
		m->field = 3;
	return false;
}

/* Neighbours are joined in passing. */
bool range_in_text(int fd, uint64_t address, struct stack_range *found)
{
	struct maps_parser m = { 0 };
	bool inside = false;
	char buffer[2048];
	long n;

	while ((n = SYS3(read, fd, buffer, sizeof(buffer))) > 0) {
		for (long i = 0; i < n; i++) {
			if (!maps_byte(&m, buffer[i]))
				continue;
			if (inside && (m.low != found->high || m.high <= m.low || !m.readable))
				return true;
			if (inside) {
				found->high = m.high;
			} else if (address >= m.low && address < m.high) {
				if (!m.readable)
					return false;
				found->low = m.low;
				found->high = m.high;
				inside = true;
			}
		}
	}
	return inside;
}

bool range_of_mapping(uint64_t sp, struct stack_range *found)
{
	struct stack_range above;
	bool ok = false;
	long fd = SYS4(openat, AT_FDCWD, "/proc/self/maps",
		       O_RDONLY | O_CLOEXEC, 0);

	if (sys_failed(fd))
		return false;
	switch (range_by_query((int)fd, sp, found)) {
	case 1:
		for (int i = 0; i < JOIN_MAX; i++) {
			if (range_by_query((int)fd, found->high, &above) != 1)
				break;
			found->high = above.high;
		}
		ok = true;
		break;
	case -1:
		ok = range_in_text((int)fd, sp, found);
		break;
	default:
		break;
	}
	SYS1(close, fd);
	return ok;
}

/* The first thread's stack grows: what lies just below it can only become stack. */
static bool range_is_main(struct stack_range *found)
{
	uint64_t first;

	if (!&__libc_stack_end)
		return false;
	first = (uint64_t)__libc_stack_end;
	if (!range_holds(found, first))
		return false;
	found->low -= GROWTH_BYTES;
	return true;
}

bool range_find(struct stack_ranges *r, uint64_t sp, struct stack_range *found,
		bool *own)
{
	uint32_t generation = range_generation();

	*own = true;
	if (range_holds(&r->own, sp)) {
		*found = r->own;
		return true;
	}
	if (range_of_thread(sp, found)) {
		r->own = *found;
		return true;
	}
	*own = false;
	if (r->generation != generation) {
		memset(r->other, 0, sizeof(r->other));
		r->generation = generation;
	}
	for (int i = 0; i < RANGES_KEPT; i++) {
		if (range_holds(&r->other[i], sp)) {
			*found = r->other[i];
			return true;
		}
	}
	if (session.sandboxed)
		return false;
	if (!range_of_alternate(sp, found)) {
		if (!range_of_mapping(sp, found))
			return false;
		if (range_is_main(found)) {
			r->own = *found;
			*own = true;
			return true;
		}
	}
	__atomic_store_n(&others_met, true, __ATOMIC_RELAXED);
	r->other[r->next++ % RANGES_KEPT] = *found;
	return true;
}
