/*
 * site_code.h - the machine's side of syscall_sites.c: what a system call site
 * looks like, and the code that replaces it. Implemented by site_x86.c and
 * site_arm.c; site_entry.S holds what the trampolines lead to.
 *
 *	libc               trampoline page, near      this library
 *	site:   jump  -->  trampoline           -->   site_entry --> site_handler
 *	after:  ...   <------------------------------ back
 */
#ifndef PRELOAD_SITE_CODE_H
#define PRELOAD_SITE_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#define SITE_BYTES 7        /* mov $NR,%eax (5); syscall (2) */
#define SITE_REACH 0x7ff00000ul
#else
#define SITE_BYTES 4        /* svc #0 */
#define SITE_REACH 0x7f00000ul
#endif
#define TRAMPOLINE_BYTES 64
#define SITES_MAX 48

enum site_kind {
	SITE_FIXED,    /* makes one system call, whose number is in the code */
	SITE_ANY,      /* libc's syscall(): the number is a variable */
	SITE_NOTIFY,   /* a function that does nothing: _dl_debug_state */
};

/* One place to patch. The trampolines and site_entry.S know AFTER's offset. */
struct site {
	uint64_t after;             /* where the program goes on */
	uint64_t addr;              /* first byte that is replaced */
	uint8_t original[SITE_BYTES];
	uint8_t bytes;              /* that are replaced, at most SITE_BYTES */
	uint8_t kind;               /* enum site_kind */
	uint8_t number;             /* SITE_FIXED: enum memory_syscall; SYS_MEM_COUNT: task_calls.h */
	bool is_leaf;               /* aarch64: the return address is in x30 */
	long nr;                    /* SITE_FIXED: the kernel's number */
	bool is_patched;
};

/* Registers at the site, as site_entry.S saves them. */
struct site_frame {
#if defined(__x86_64__)
	uint64_t bp;
	long args[6];               /* rdi, rsi, rdx, r10, r8, r9 */
	long nr;                    /* rax, means something at SITE_ANY only */
	uint64_t flags;
	uint64_t after;
	const struct site *site;
#else
	long args[8];               /* x0 .. x7 */
	uint64_t x9_to_x15[7];
	uint64_t x18, condition_flags, back;
	uint64_t bp;                /* x29 */
	uint64_t lr;                /* x30 at the site */
	const struct site *site;
	uint64_t sp;
	long nr;                    /* x8 */
	uint64_t unused;
#endif
};

/*
 * Find the memory system call sites in the function of SIZE bytes at CODE, which
 * runs at the address ADDR. Writes at most ROOM of them to SITES and returns
 * their number. None where anything in the function is not understood, jumps
 * into a site, or uses vector registers: the system call preserves those and
 * the handler does not, so they must be dead at the site, as they are by the
 * calling convention in a function that never touches them.
 * ANY asks for the site of libc's syscall().
 */
unsigned site_scan(const uint8_t *code, size_t size, uint64_t addr, bool any,
		   struct site *sites, unsigned room);

/*
 * Describe in *SITE the function at CODE that must do nothing but return and be
 * followed by enough padding; ROOM bytes may be read. False where it is not so.
 */
bool site_scan_empty(const uint8_t *code, size_t room, uint64_t addr,
		     struct site *site);

/*
 * Write the trampoline of SITE, TRAMPOLINE_BYTES that will run at ADDR, to OUT.
 * SITE_NOTIFY leads to TARGET; the others to site_entry.S.
 */
void site_trampoline(uint8_t *out, uint64_t addr, const struct site *site,
		     void (*target)(void));

/* The bytes (site->bytes) that replace the site: a jump to TARGET. False: too far. */
bool site_jump(uint8_t out[SITE_BYTES], const struct site *site, uint64_t target);

/* site_entry.S: saves the registers, calls site_handler, restores, goes back. */
extern char site_entry[] __attribute__((visibility("hidden")));
#if defined(__x86_64__)
/* The same for SITE_ANY: numbers without a bit in site_any_class go straight on. */
extern char site_entry_any[] __attribute__((visibility("hidden")));
extern uint64_t site_any_class[8] __attribute__((visibility("hidden")));
extern const struct site *site_any __attribute__((visibility("hidden")));
#endif

/* Called by site_entry.S: make the call and record it. Returns the kernel's result. */
long site_handler(const struct site_frame *frame) __attribute__((visibility("hidden")));

/* True where the system call with the kernel's number NR is of interest. Negative: false. */
bool site_is_seen(long nr);

/* The kernel's number of the system call. */
long site_number(const struct site_frame *frame);

/* Registers at the site, for the call stack. */
struct unwind_context;
void site_context(const struct site_frame *frame, struct unwind_context *ctx);

#endif
