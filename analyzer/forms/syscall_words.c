/*
 * syscall_words.c - the words that strace 6.1 has for the memory class, checked
 * against it by the tests. Constants of newer kernels stand here by value, so that the
 * report is the same whatever headers it was built with.
 */
#include "forms/syscall_words.h"

#include <string.h>

#include "base/visible.h"
#include "forms/line_parts.h"
#include "forms/syscall_pair.h"

struct word { uint64_t value; const char *name; };

static const struct word protections[] = {
	{ 0x1, "PROT_READ" }, { 0x2, "PROT_WRITE" }, { 0x4, "PROT_EXEC" }, { 0x8, "PROT_SEM" },
	{ 0x01000000, "PROT_GROWSDOWN" }, { 0x02000000, "PROT_GROWSUP" }, { 0 },
};

static const struct word map_types[] = {
	{ 0, "MAP_FILE" }, { 1, "MAP_SHARED" }, { 2, "MAP_PRIVATE" },
	{ 3, "MAP_SHARED_VALIDATE" }, { 0 },
};

static const struct word map_flags[] = {
	{ 0x10, "MAP_FIXED" }, { 0x20, "MAP_ANONYMOUS" }, { 0x40, "MAP_32BIT" },
	{ 0x4000, "MAP_NORESERVE" }, { 0x8000, "MAP_POPULATE" }, { 0x10000, "MAP_NONBLOCK" },
	{ 0x100, "MAP_GROWSDOWN" }, { 0x800, "MAP_DENYWRITE" }, { 0x1000, "MAP_EXECUTABLE" },
	{ 0x2000, "MAP_LOCKED" }, { 0x20000, "MAP_STACK" }, { 0x40000, "MAP_HUGETLB" },
	{ 0x80000, "MAP_SYNC" }, { 0x100000, "MAP_FIXED_NOREPLACE" }, { 0 },
};

static const struct word remap_flags[] = {
	{ 1, "MREMAP_MAYMOVE" }, { 2, "MREMAP_FIXED" }, { 4, "MREMAP_DONTUNMAP" }, { 0 },
};

static const struct word advices[] = {
	{ 0, "MADV_NORMAL" }, { 1, "MADV_RANDOM" }, { 2, "MADV_SEQUENTIAL" },
	{ 3, "MADV_WILLNEED" }, { 4, "MADV_DONTNEED" }, { 8, "MADV_FREE" }, { 9, "MADV_REMOVE" },
	{ 10, "MADV_DONTFORK" }, { 11, "MADV_DOFORK" }, { 12, "MADV_MERGEABLE" },
	{ 13, "MADV_UNMERGEABLE" }, { 14, "MADV_HUGEPAGE" }, { 15, "MADV_NOHUGEPAGE" },
	{ 16, "MADV_DONTDUMP" }, { 17, "MADV_DODUMP" }, { 18, "MADV_WIPEONFORK" },
	{ 19, "MADV_KEEPONFORK" }, { 20, "MADV_COLD" }, { 21, "MADV_PAGEOUT" },
	{ 22, "MADV_POPULATE_READ" }, { 23, "MADV_POPULATE_WRITE" },
	{ 24, "MADV_DONTNEED_LOCKED" }, { 25, "MADV_COLLAPSE" }, { 100, "MADV_HWPOISON" },
	{ 101, "MADV_SOFT_OFFLINE" }, { 0 },
};

static const struct word sync_flags[] = {
	{ 1, "MS_ASYNC" }, { 2, "MS_INVALIDATE" }, { 4, "MS_SYNC" }, { 0 },
};

static const struct word lock_flags[] = { { 1, "MLOCK_ONFAULT" }, { 0 } };

static const struct word lock_all_flags[] = {
	{ 1, "MCL_CURRENT" }, { 2, "MCL_FUTURE" }, { 4, "MCL_ONFAULT" }, { 0 },
};

static const struct word attach_flags[] = {
	{ 010000, "SHM_RDONLY" }, { 020000, "SHM_RND" }, { 040000, "SHM_REMAP" },
	{ 0100000, "SHM_EXEC" }, { 0 },
};

static const struct word policies[] = {
	{ 0, "MPOL_DEFAULT" }, { 1, "MPOL_PREFERRED" }, { 2, "MPOL_BIND" },
	{ 3, "MPOL_INTERLEAVE" }, { 4, "MPOL_LOCAL" }, { 5, "MPOL_PREFERRED_MANY" }, { 0 },
};

static const struct word policy_flags[] = {
	{ 0x8000, "MPOL_F_STATIC_NODES" }, { 0x4000, "MPOL_F_RELATIVE_NODES" },
	{ 0x2000, "MPOL_F_NUMA_BALANCING" }, { 0 },
};

static const struct word get_policy_flags[] = {
	{ 1, "MPOL_F_NODE" }, { 2, "MPOL_F_ADDR" }, { 4, "MPOL_F_MEMS_ALLOWED" }, { 0 },
};

static const struct word move_flags[] = {
	{ 2, "MPOL_MF_MOVE" }, { 4, "MPOL_MF_MOVE_ALL" }, { 0 },
};

static const struct word ring_operations[] = {
	{ 0, "IORING_REGISTER_BUFFERS" }, { 1, "IORING_UNREGISTER_BUFFERS" },
	{ 2, "IORING_REGISTER_FILES" }, { 3, "IORING_UNREGISTER_FILES" },
	{ 4, "IORING_REGISTER_EVENTFD" }, { 5, "IORING_UNREGISTER_EVENTFD" },
	{ 6, "IORING_REGISTER_FILES_UPDATE" }, { 7, "IORING_REGISTER_EVENTFD_ASYNC" },
	{ 8, "IORING_REGISTER_PROBE" }, { 9, "IORING_REGISTER_PERSONALITY" },
	{ 10, "IORING_UNREGISTER_PERSONALITY" }, { 11, "IORING_REGISTER_RESTRICTIONS" },
	{ 12, "IORING_REGISTER_ENABLE_RINGS" }, { 13, "IORING_REGISTER_FILES2" },
	{ 14, "IORING_REGISTER_FILES_UPDATE2" }, { 15, "IORING_REGISTER_BUFFERS2" },
	{ 16, "IORING_REGISTER_BUFFERS_UPDATE" }, { 17, "IORING_REGISTER_IOWQ_AFF" },
	{ 18, "IORING_UNREGISTER_IOWQ_AFF" }, { 19, "IORING_REGISTER_IOWQ_MAX_WORKERS" },
	{ 20, "IORING_REGISTER_RING_FDS" }, { 21, "IORING_UNREGISTER_RING_FDS" },
	{ 22, "IORING_REGISTER_PBUF_RING" }, { 23, "IORING_UNREGISTER_PBUF_RING" }, { 0 },
};

static const struct word bind_flags[] = {
	{ 1, "MPOL_MF_STRICT" }, { 2, "MPOL_MF_MOVE" }, { 4, "MPOL_MF_MOVE_ALL" }, { 0 },
};

static const char *const names[] = {
#define ROW(name, argc) #name,
	MEMORY_SYSCALLS(ROW)
#undef ROW
};

const char *syscall_name(unsigned number)
{
	return number < SYS_MEM_COUNT ? names[number] : "?";
}

bool syscall_gives_address(unsigned number)
{
	return number == SYS_MEM_brk || number == SYS_MEM_mmap ||
	       number == SYS_MEM_mremap || number == SYS_MEM_shmat;
}

static int put_pointer(FILE *out, uint64_t address)
{
	return address ? line_hex(out, address) : line_text(out, "NULL");
}

static int put_signed(FILE *out, int64_t n)
{
	int sign = n < 0 ? line_text(out, "-") : 0;

	return sign + line_decimal(out, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

/* A number that no word is known for, with a note that says so. */
static int put_unknown(FILE *out, uint64_t value, const char *prefix)
{
	int n = line_hex(out, value);

	n += line_text(out, " /* ");
	n += line_text(out, prefix);
	return n + line_text(out, "_??? */");
}

/* Bits of VALUE joined by '|'; what is left over in hexadecimal. */
static int put_flags(FILE *out, uint64_t value, const struct word *words, const char *zero,
		     const char *prefix)
{
	int n = 0;

	if (value == 0)
		return line_text(out, zero);
	for (; words->name; words++) {
		if (!(value & words->value))
			continue;
		value &= ~words->value;
		if (n > 0)
			n += line_text(out, "|");
		n += line_text(out, words->name);
	}
	if (value == 0)
		return n;
	if (n == 0)
		return put_unknown(out, value, prefix);
	n += line_text(out, "|");
	return n + line_hex(out, value);
}

static int put_word(FILE *out, uint64_t value, const struct word *words, const char *prefix)
{
	for (; words->name; words++)
		if (words->value == value)
			return line_text(out, words->name);
	return put_unknown(out, value, prefix);
}

static int put_map_flags(FILE *out, uint64_t flags)
{
	/* the logarithm of the page size stands in bits 26 to 31 */
	uint64_t huge = flags >> 26 & 0x3f;
	uint64_t others = flags & ~(0xfull | 0x3full << 26);
	int n = put_word(out, flags & 0xf, map_types, "MAP");

	if (others) {
		n += line_text(out, "|");
		n += put_flags(out, others, map_flags, "", "MAP");
	}
	if (huge) {
		n += line_text(out, "|");
		n += line_decimal(out, huge);
		n += line_text(out, "<<MAP_HUGE_SHIFT");
	}
	return n;
}

static int put_protection(FILE *out, uint64_t value)
{
	return put_flags(out, (uint32_t)value, protections, "PROT_NONE", "PROT");
}

static int comma(FILE *out)
{
	return line_text(out, ", ");
}

/* Where a page offset or a size is 0, strace writes no 0x. */
static int put_offset(FILE *out, uint64_t value)
{
	return value ? line_hex(out, value) : line_text(out, "0");
}

static int put_range(FILE *out, const uint64_t args[6])
{
	int n = put_pointer(out, args[0]);

	n += comma(out);
	return n + line_decimal(out, args[1]);
}

static int put_map_begin(FILE *out, const uint64_t args[6])
{
	int n = put_range(out, args);

	n += comma(out);
	n += put_protection(out, args[2]);
	n += comma(out);
	n += put_map_flags(out, (uint32_t)args[3]);
	return n + comma(out);
}

static int put_remap(FILE *out, const uint64_t args[6])
{
	int n = put_range(out, args);

	n += comma(out);
	n += line_decimal(out, args[2]);
	n += comma(out);
	n += put_flags(out, args[3], remap_flags, "0", "MREMAP");
	if (args[3] & 2) {
		n += comma(out);
		n += put_pointer(out, args[4]);
	}
	return n;
}

static int put_more_pointer(FILE *out, uint64_t address)
{
	int n = comma(out);

	return n + put_pointer(out, address);
}

static int put_more_decimal(FILE *out, uint64_t value)
{
	int n = comma(out);

	return n + line_decimal(out, value);
}

/* A policy that is none is a number, behind the flags where there are any. */
static int put_policy(FILE *out, uint32_t mode)
{
	uint32_t flags = mode & 0xe000;
	bool is_known = (mode & ~flags) < sizeof(policies) / sizeof(policies[0]) - 1;
	int n;

	if (!is_known)
		return put_flags(out, mode, policy_flags, "", "MPOL");
	n = put_word(out, mode & ~flags, policies, "MPOL");
	if (!flags)
		return n;
	n += line_text(out, "|");
	return n + put_flags(out, flags, policy_flags, "", "MPOL");
}

static int put_bind(FILE *out, const uint64_t args[6])
{
	int n = put_range(out, args);

	n += comma(out);
	n += put_policy(out, (uint32_t)args[2]);
	n += put_more_pointer(out, args[3]);
	n += put_more_decimal(out, args[4]);
	n += comma(out);
	return n + put_flags(out, (uint32_t)args[5], bind_flags, "0", "MPOL");
}

static int put_set_policy(FILE *out, const uint64_t args[6])
{
	int n = put_policy(out, (uint32_t)args[0]);

	n += put_more_pointer(out, args[1]);
	return n + put_more_decimal(out, args[2]);
}

static int put_get_policy(FILE *out, const uint64_t args[6])
{
	int n = put_pointer(out, args[0]);

	n += put_more_pointer(out, args[1]);
	n += put_more_decimal(out, args[2]);
	n += put_more_pointer(out, args[3]);
	n += comma(out);
	return n + put_flags(out, args[4], get_policy_flags, "0", "MPOL");
}

/* Of a process: migrate_pages. */
static int put_migrate(FILE *out, const uint64_t args[6])
{
	int n = put_signed(out, (int32_t)args[0]);

	n += put_more_decimal(out, args[1]);
	n += put_more_pointer(out, args[2]);
	return n + put_more_pointer(out, args[3]);
}

static int put_move_pages(FILE *out, const uint64_t args[6])
{
	int n = put_migrate(out, args);

	n += put_more_pointer(out, args[4]);
	n += comma(out);
	return n + put_flags(out, (uint32_t)args[5], move_flags, "0", "MPOL");
}

static int put_home_node(FILE *out, const uint64_t args[6])
{
	int n = put_range(out, args);

	n += put_more_decimal(out, args[2]);
	n += comma(out);
	return n + put_offset(out, args[3]);
}

static int put_ring_register(FILE *out, const uint64_t args[6])
{
	int n = put_signed(out, (int32_t)args[0]);

	n += comma(out);
	n += put_word(out, (uint32_t)args[1], ring_operations, "IORING_REGISTER");
	n += put_more_pointer(out, args[2]);
	return n + put_more_decimal(out, (uint32_t)args[3]);
}

static int put_remap_pages(FILE *out, const uint64_t args[6])
{
	int n = put_range(out, args);

	n += comma(out);
	n += put_protection(out, args[2]);
	n += comma(out);
	n += line_decimal(out, args[3]);
	n += comma(out);
	return n + put_map_flags(out, (uint32_t)args[4]);
}

/* A range and one more argument: protection, advice, flags or a pointer. */
static int put_range_and(FILE *out, unsigned number, const uint64_t args[6])
{
	uint64_t value = args[2];
	int n = put_range(out, args);

	n += comma(out);
	switch (number) {
	case SYS_MEM_mprotect:
	case SYS_MEM_pkey_mprotect:
		return n + put_protection(out, value);
	case SYS_MEM_madvise:
		return n + put_word(out, (uint32_t)value, advices, "MADV");
	case SYS_MEM_msync:
		return n + put_flags(out, (uint32_t)value, sync_flags, "0", "MS");
	case SYS_MEM_mlock2:
		return n + put_flags(out, (uint32_t)value, lock_flags, "0", "MLOCK");
	default:
		return n + put_pointer(out, value);
	}
}

static int put_attach(FILE *out, const uint64_t args[6])
{
	int n = put_signed(out, (int32_t)args[0]);

	n += comma(out);
	n += put_pointer(out, args[1]);
	n += comma(out);
	return n + put_flags(out, (uint32_t)args[2], attach_flags, "0", "SHM");
}

static int put_advise_other(FILE *out, const uint64_t args[6])
{
	int n = put_signed(out, (int32_t)args[0]);

	n += comma(out);
	n += put_pointer(out, args[1]);
	n += comma(out);
	n += line_decimal(out, args[2]);
	n += comma(out);
	n += put_word(out, (uint32_t)args[3], advices, "MADV");
	n += comma(out);
	return n + put_offset(out, (uint32_t)args[4]);
}

int syscall_put_arguments(FILE *out, unsigned number, const uint64_t args[6])
{
	int n;

	switch (number) {
	case SYS_MEM_brk:
	case SYS_MEM_shmdt:
		return put_pointer(out, args[0]);
	case SYS_MEM_mmap:
		n = put_map_begin(out, args);
		n += put_signed(out, (int32_t)args[4]);
		n += comma(out);
		return n + put_offset(out, args[5]);
	case SYS_MEM_munmap:
	case SYS_MEM_mlock:
	case SYS_MEM_munlock:
		return put_range(out, args);
	case SYS_MEM_mremap:
		return put_remap(out, args);
	case SYS_MEM_mlockall:
		return put_flags(out, (uint32_t)args[0], lock_all_flags, "0", "MCL");
	case SYS_MEM_munlockall:
		return 0;
	case SYS_MEM_shmat:
		return put_attach(out, args);
	case SYS_MEM_remap_file_pages:
		return put_remap_pages(out, args);
	case SYS_MEM_mbind:
		return put_bind(out, args);
	case SYS_MEM_pkey_mprotect:
		n = put_range_and(out, number, args);
		n += comma(out);
		return n + put_signed(out, (int32_t)args[3]);
	case SYS_MEM_process_madvise:
		return put_advise_other(out, args);
	case SYS_MEM_set_mempolicy:
		return put_set_policy(out, args);
	case SYS_MEM_get_mempolicy:
		return put_get_policy(out, args);
	case SYS_MEM_migrate_pages:
		return put_migrate(out, args);
	case SYS_MEM_move_pages:
		return put_move_pages(out, args);
	case SYS_MEM_set_mempolicy_home_node:
		return put_home_node(out, args);
	case SYS_MEM_io_setup:
		n = line_decimal(out, (uint32_t)args[0]);
		return n + put_more_pointer(out, args[1]);
	case SYS_MEM_io_destroy:
		return put_pointer(out, args[0]);
	case SYS_MEM_io_uring_register:
		return put_ring_register(out, args);
	default:
		return put_range_and(out, number, args);
	}
}

int syscall_put_file_map(FILE *out, const uint64_t args[6], const char *file)
{
	int n = put_map_begin(out, args);

	n += line_text(out, "?<");
	visible_put(out, file);
	return n + (int)visible_width(file) + line_text(out, ">, ?");
}

int syscall_put_result(FILE *out, unsigned number, int64_t result)
{
	const char *name, *text;
	int n;

	if (!syscall_has_failed(result))
		return syscall_gives_address(number) ? put_offset(out, (uint64_t)result) :
						       put_signed(out, result);
	name = strerrorname_np((int)-result);
	text = strerrordesc_np((int)-result);
	n = line_text(out, "-1 ");
	if (!name) {
		n += line_text(out, "(errno ");
		n += line_decimal(out, (uint64_t)-result);
		return n + line_text(out, ")");
	}
	n += line_text(out, name);
	n += line_text(out, " (");
	n += line_text(out, text ? text : "?");
	return n + line_text(out, ")");
}
