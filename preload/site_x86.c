/*
 * site_x86.c - system call sites in x86-64 code. Relies on insn.c for the
 * boundaries of instructions: a function is decoded from its first byte, so
 * that an immediate which looks like a site is not taken for one.
 */
#include "site_code.h"

#if defined(__x86_64__)

#include <string.h>

#include "insn.h"
#include "syscall_numbers.h"
#include "unwind.h"

/* mov 0x8(%rsp),%r9; syscall: the end of libc's syscall(), 7 bytes as well */
static const uint8_t any_site[SITE_BYTES] = { 0x4c, 0x8b, 0x4c, 0x24, 0x08, 0x0f, 0x05 };

/* mov $NR,%eax; syscall, at an instruction boundary, of a call that is seen: NR; -1: not one. */
static long fixed_site(const uint8_t *code)
{
	long nr = code[1] | code[2] << 8;

	if (code[0] != 0xb8 || code[5] != 0x0f || code[6] != 0x05 ||
	    code[3] != 0 || code[4] != 0)
		return -1;
	return site_is_seen(nr) ? nr : -1;
}

static bool is_site(const uint8_t *code, bool any, struct site *site)
{
	if (any) {
		if (memcmp(code, any_site, SITE_BYTES) != 0)
			return false;
	} else {
		site->nr = fixed_site(code);
		if (site->nr < 0)
			return false;
	}
	site->kind = any ? SITE_ANY : SITE_FIXED;
	site->number = any ? SYS_MEM_COUNT : (uint8_t)syscall_of_kernel_number(site->nr);
	site->bytes = SITE_BYTES;
	memcpy(site->original, code, SITE_BYTES);
	return true;
}

/* False where a direct branch of the function leads into the middle of a site. */
static bool branches_respect(const uint8_t *code, size_t size, uint64_t addr,
			     const struct site *sites, unsigned count)
{
	struct insn insn;

	for (size_t at = 0; at < size; at += insn.length) {
		insn_decode(code + at, size - at, &insn);
		if (!insn.is_branch)
			continue;
		uint64_t target = addr + at + (uint64_t)insn.target;

		for (unsigned i = 0; i < count; i++)
			if (target > sites[i].addr && target < sites[i].after)
				return false;
	}
	return true;
}

unsigned site_scan(const uint8_t *code, size_t size, uint64_t addr, bool any,
		   struct site *sites, unsigned room)
{
	struct insn insn;
	unsigned count = 0;

	for (size_t at = 0; at < size; at += insn.length) {
		struct site site = { .addr = addr + at, .after = addr + at + SITE_BYTES };

		if (insn_decode(code + at, size - at, &insn) == 0 || insn.is_vector)
			return 0;
		if (size - at < SITE_BYTES || insn.length != SITE_BYTES - 2 ||
		    !is_site(code + at, any, &site))
			continue;
		if (count == room)
			return 0;
		sites[count++] = site;
	}
	return branches_respect(code, size, addr, sites, count) ? count : 0;
}

bool site_scan_empty(const uint8_t *code, size_t room, uint64_t addr,
		     struct site *site)
{
	static const uint8_t endbr64[4] = { 0xf3, 0x0f, 0x1e, 0xfa };
	struct insn insn;
	size_t start = 0, end;

	if (room > sizeof(endbr64) && memcmp(code, endbr64, sizeof(endbr64)) == 0)
		start = sizeof(endbr64);
	if (start >= room || code[start] != 0xc3)
		return false;
	for (end = start + 1; end < start + 5; end += insn.length)
		if (insn_decode(code + end, room - end, &insn) == 0 || !insn.is_nop)
			return false;
	*site = (struct site){
		.addr = addr + start,
		.after = addr + start + 5,
		.bytes = 5,
		.kind = SITE_NOTIFY,
	};
	memcpy(site->original, code + start, 5);
	return true;
}

static uint8_t *put(uint8_t *p, const void *bytes, size_t count)
{
	memcpy(p, bytes, count);
	return p + count;
}

static uint8_t *put32(uint8_t *p, int64_t value)
{
	int32_t v = (int32_t)value;

	return put(p, &v, sizeof(v));
}

/*
 * The words that the code refers to stand behind it, at 32, 40, 48:
 *
 *	lea  -128(%rsp),%rsp     over the red zone
 *	push 40(trampoline)      struct site
 *	push 32(trampoline)      site->after: an unwinder finds the caller there
 *	jmp  *48(trampoline)     site_entry
 */
void site_trampoline(uint8_t *out, uint64_t addr, const struct site *site,
		     void (*target)(void))
{
	uint64_t words[3] = { site->after, (uint64_t)(uintptr_t)site, 0 };
	uint8_t *p = out;

	(void)addr; /* everything is relative */
	memset(out, 0xcc, TRAMPOLINE_BYTES);
	switch (site->kind) {
	case SITE_NOTIFY:
		words[2] = (uint64_t)(uintptr_t)target;
		break;
	case SITE_ANY:
		p = put(p, any_site, 5);
		words[2] = (uint64_t)(uintptr_t)site_entry_any;
		break;
	default:
		p = put(p, "\x48\x8d\x64\x24\x80", 5);
		p = put(p, "\xff\x35", 2);
		p = put32(p, 40 - (p + 4 - out));
		p = put(p, "\xff\x35", 2);
		p = put32(p, 32 - (p + 4 - out));
		words[2] = (uint64_t)(uintptr_t)site_entry;
		break;
	}
	p = put(p, "\xff\x25", 2);
	put32(p, 48 - (p + 4 - out));
	memcpy(out + 32, words, sizeof(words));
}

bool site_jump(uint8_t out[SITE_BYTES], const struct site *site, uint64_t target)
{
	int64_t distance = (int64_t)(target - (site->addr + 5));
	uint8_t *p = out;

	if (distance != (int32_t)distance)
		return false;
	*p++ = 0xe9;
	p = put32(p, distance);
	if (site->bytes == SITE_BYTES)
		put(p, "\x66\x90", 2);
	return true;
}

long site_number(const struct site_frame *frame)
{
	return frame->site->kind == SITE_ANY ? frame->nr : frame->site->nr;
}

void site_context(const struct site_frame *frame, struct unwind_context *ctx)
{
	ctx->pc = frame->after;
	ctx->sp = (uint64_t)(uintptr_t)(frame + 1) + 128;
	ctx->bp = frame->bp;
}

#endif
