/*
 * site_arm.c - system call sites in aarch64 code: `svc #0`, with the number in
 * x8. The instruction itself is replaced by a branch, one aligned store; what
 * jumps to it gets the branch.
 */
#include "site_code.h"

#if defined(__aarch64__)

#include <string.h>

#include "syscall_numbers.h"
#include "unwind.h"

#define SVC_0 0xd4000001u
#define RET   0xd65f03c0u
#define BTI_C 0xd503245fu

static uint32_t word_at(const uint8_t *code)
{
	uint32_t word;

	memcpy(&word, code, sizeof(word));
	return word;
}

/* Encoding groups, Arm ARM C4.1: data processing and loads of SIMD and FP registers. */
static bool is_vector(uint32_t word)
{
	unsigned group = word >> 25 & 15;
	bool is_load_store = (group & 5) == 4;

	return (group & 7) == 7 || (is_load_store && (word >> 26 & 1));
}

/* stp x29,x30,[sp,...] or str x30: the function keeps its return address itself. */
static bool saves_link(uint32_t word)
{
	bool is_stp_sp = (word & 0xfe4003e0u) == 0xa80003e0u;
	bool is_str_sp = (word & 0xffc003e0u) == 0xf90003e0u ||
			 (word & 0xffe003e0u) == 0xf80003e0u;

	if (is_stp_sp)
		return (word & 31) == 30 || (word >> 10 & 31) == 30;
	return is_str_sp && (word & 31) == 30;
}

unsigned site_scan(const uint8_t *code, size_t size, uint64_t addr, bool any,
		   struct site *sites, unsigned room)
{
	unsigned count = 0;
	bool leaf = true;
	long nr = -1;

	/* libc's syscall() may be asked for a clone, which must not happen in a handler */
	if (any)
		return 0;
	for (size_t at = 0; at + 4 <= size; at += 4) {
		uint32_t word = word_at(code + at);

		if (is_vector(word))
			return 0;
		leaf = leaf && !saves_link(word);
		/* movz x8, #NR: the compiler loads the number shortly before */
		if ((word & 0xffe0001fu) == 0xd2800008u)
			nr = word >> 5 & 0xffff;
		if (word != SVC_0 || !site_is_seen(nr))
			continue;
		if (count == room)
			return 0;
		sites[count] = (struct site){
			.addr = addr + at,
			.after = addr + at + 4,
			.bytes = 4,
			.kind = SITE_FIXED,
			.number = (uint8_t)syscall_of_kernel_number(nr),
			.nr = nr,
		};
		memcpy(sites[count++].original, &word, sizeof(word));
	}
	for (unsigned i = 0; i < count; i++)
		sites[i].is_leaf = leaf;
	return count;
}

bool site_scan_empty(const uint8_t *code, size_t room, uint64_t addr,
		     struct site *site)
{
	size_t start = 0;

	if (room >= 8 && word_at(code) == BTI_C)
		start = 4;
	if (room < start + 4 || word_at(code + start) != RET)
		return false;
	*site = (struct site){
		.addr = addr + start,
		.after = addr + start + 4,
		.bytes = 4,
		.kind = SITE_NOTIFY,
	};
	memcpy(site->original, code + start, 4);
	return true;
}

/* b from AT to TARGET; both within SITE_REACH of each other. */
static uint32_t branch(uint64_t at, uint64_t target)
{
	return 0x14000000u | (uint32_t)((int64_t)(target - at) >> 2 & 0x3ffffff);
}

/* Literals stand at 48 (struct site, or the target) and 56 (site_entry). */
static const uint32_t notify_code[] = {
	0x58000190, /* ldr x16, 48 */
	0xd61f0200, /* br  x16 */
};

static const uint32_t fixed_code[] = {
	0xa9be47f0, /*  0: stp x16, x17, [sp, #-32]! */
	0xa9017be8, /*  4: stp x8, x30, [sp, #16] */
	0x58000150, /*  8: ldr x16, 48 */
	0x58000171, /* 12: ldr x17, 56 */
	0xd63f0220, /* 16: blr x17 */
	0xa9417be8, /* 20: ldp x8, x30, [sp, #16] */
	0xa8c247f0, /* 24: ldp x16, x17, [sp], #32 */
	0,          /* 28: b after */
};

void site_trampoline(uint8_t *out, uint64_t addr, const struct site *site,
		     void (*target)(void))
{
	uint64_t words[2] = { (uint64_t)(uintptr_t)site, (uint64_t)(uintptr_t)site_entry };
	uint32_t back = branch(addr + 28, site->after);

	memset(out, 0, TRAMPOLINE_BYTES);
	if (site->kind == SITE_NOTIFY) {
		words[0] = (uint64_t)(uintptr_t)target;
		memcpy(out, notify_code, sizeof(notify_code));
	} else {
		memcpy(out, fixed_code, sizeof(fixed_code));
		memcpy(out + 28, &back, 4);
	}
	memcpy(out + 48, words, sizeof(words));
}

bool site_jump(uint8_t out[SITE_BYTES], const struct site *site, uint64_t target)
{
	int64_t distance = (int64_t)(target - site->addr);
	uint32_t word = branch(site->addr, target);

	if (distance > (int64_t)SITE_REACH || distance < -(int64_t)SITE_REACH)
		return false;
	memcpy(out, &word, 4);
	return true;
}

long site_number(const struct site_frame *frame)
{
	return frame->nr;
}

/*
 * In a leaf function the caller is only known by x30, which the unwinder is
 * not given: the stack begins in the caller then.
 */
void site_context(const struct site_frame *frame, struct unwind_context *ctx)
{
	ctx->pc = frame->site->is_leaf ? frame->lr : frame->site->after;
	ctx->sp = frame->sp;
	ctx->bp = frame->bp;
}

#endif
