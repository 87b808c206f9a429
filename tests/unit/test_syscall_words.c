/*
 * test_syscall_words.c - arguments and results as strace 6.1 printed them; the odd
 * ones were taken from its output for tests/subjects/map_calls.
 */
#include "forms/syscall_words.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

#define ARGS(...) ((const uint64_t[6]){ __VA_ARGS__ })
#define MINUS_ONE UINT64_MAX

static void assert_arguments(unsigned number, const uint64_t args[6], const char *expected)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	int columns = syscall_put_arguments(out, number, args);

	fclose(out);
	assert_string_equal(text, expected);
	assert_int_equal(columns, (int)strlen(expected));
	free(text);
}

static void assert_result(unsigned number, int64_t result, const char *expected)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	int columns = syscall_put_result(out, number, result);

	fclose(out);
	assert_string_equal(text, expected);
	assert_int_equal(columns, (int)strlen(expected));
	free(text);
}

TEST(test_mmap_has_its_type_first_and_flags_in_straces_order)
{
	assert_arguments(SYS_MEM_mmap, ARGS(0, 8192, 3, 0x22, MINUS_ONE, 0),
			 "NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0");
	assert_arguments(SYS_MEM_mmap, ARGS(0x7f0000000000, 4096, 5, 0x812, 3, 0x26000),
			 "0x7f0000000000, 4096, PROT_READ|PROT_EXEC, "
			 "MAP_PRIVATE|MAP_FIXED|MAP_DENYWRITE, 3, 0x26000");
	assert_arguments(SYS_MEM_mmap, ARGS(0, 65536, 0x43, 0x3a162, MINUS_ONE, 0),
			 "NULL, 65536, PROT_READ|PROT_WRITE|0x40, MAP_PRIVATE|MAP_ANONYMOUS|MAP_32BIT|"
			 "MAP_POPULATE|MAP_NONBLOCK|MAP_GROWSDOWN|MAP_LOCKED|MAP_STACK, -1, 0");
}

TEST(test_mmap_types_that_are_none_are_numbers)
{
	assert_arguments(SYS_MEM_mmap, ARGS(0, 1, 0, 0x20, MINUS_ONE, 0),
			 "NULL, 1, PROT_NONE, MAP_FILE|MAP_ANONYMOUS, -1, 0");
	assert_arguments(SYS_MEM_mmap, ARGS(0, 1, 0, 0x2f, MINUS_ONE, 0),
			 "NULL, 1, PROT_NONE, 0xf /* MAP_??? */|MAP_ANONYMOUS, -1, 0");
}

TEST(test_size_of_huge_pages_stands_behind_the_flags)
{
	assert_arguments(SYS_MEM_mmap, ARGS(0, 2097152, 3, 0x40022 | 21 << 26, MINUS_ONE, 0),
			 "NULL, 2097152, PROT_READ|PROT_WRITE, "
			 "MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGETLB|21<<MAP_HUGE_SHIFT, -1, 0");
	assert_arguments(SYS_MEM_mmap, ARGS(0, 65536, 3, 3 | 0x20 | 4 << 26, MINUS_ONE, 0),
			 "NULL, 65536, PROT_READ|PROT_WRITE, "
			 "MAP_SHARED_VALIDATE|MAP_ANONYMOUS|4<<MAP_HUGE_SHIFT, -1, 0");
}

TEST(test_mremap_has_a_fifth_argument_only_with_fixed)
{
	assert_arguments(SYS_MEM_mremap, ARGS(0x1000, 4096, 8192, 1, 0x5000),
			 "0x1000, 4096, 8192, MREMAP_MAYMOVE");
	assert_arguments(SYS_MEM_mremap, ARGS(0x1000, 4096, 4096, 3, 0x5000),
			 "0x1000, 4096, 4096, MREMAP_MAYMOVE|MREMAP_FIXED, 0x5000");
	assert_arguments(SYS_MEM_mremap, ARGS(0x1000, 4096, 4096, 5, 0),
			 "0x1000, 4096, 4096, MREMAP_MAYMOVE|MREMAP_DONTUNMAP");
	assert_arguments(SYS_MEM_mremap, ARGS(0x1000, 4096, 4096, 0x101, 7),
			 "0x1000, 4096, 4096, MREMAP_MAYMOVE|0x100");
	assert_arguments(SYS_MEM_mremap, ARGS(0x1000, 4096, 4096, 0x100, 7),
			 "0x1000, 4096, 4096, 0x100 /* MREMAP_??? */");
}

TEST(test_protections_and_advices)
{
	assert_arguments(SYS_MEM_mprotect, ARGS(0x1000, 4096, 0), "0x1000, 4096, PROT_NONE");
	assert_arguments(SYS_MEM_mprotect, ARGS(0x1, 4096, 0x80), "0x1, 4096, 0x80 /* PROT_??? */");
	assert_arguments(SYS_MEM_mprotect, ARGS(0x1000, 4096, 0x300000c),
			 "0x1000, 4096, PROT_EXEC|PROT_SEM|PROT_GROWSDOWN|PROT_GROWSUP");
	assert_arguments(SYS_MEM_pkey_mprotect, ARGS(0x1000, 4096, 3, MINUS_ONE),
			 "0x1000, 4096, PROT_READ|PROT_WRITE, -1");
	assert_arguments(SYS_MEM_madvise, ARGS(0, 0, 4), "NULL, 0, MADV_DONTNEED");
	assert_arguments(SYS_MEM_madvise, ARGS(0, 0, 25), "NULL, 0, MADV_COLLAPSE");
	assert_arguments(SYS_MEM_madvise, ARGS(0, 0, 99), "NULL, 0, 0x63 /* MADV_??? */");
}

TEST(test_locks_and_syncs)
{
	assert_arguments(SYS_MEM_mlock, ARGS(0x1000, 4096), "0x1000, 4096");
	assert_arguments(SYS_MEM_mlock2, ARGS(0x1000, 4096, 1), "0x1000, 4096, MLOCK_ONFAULT");
	assert_arguments(SYS_MEM_mlock2, ARGS(0x1000, 4096, 0), "0x1000, 4096, 0");
	assert_arguments(SYS_MEM_mlock2, ARGS(0x1000, 4096, 6), "0x1000, 4096, 0x6 /* MLOCK_??? */");
	assert_arguments(SYS_MEM_mlockall, ARGS(5), "MCL_CURRENT|MCL_ONFAULT");
	assert_arguments(SYS_MEM_mlockall, ARGS(0x11), "MCL_CURRENT|0x10");
	assert_arguments(SYS_MEM_munlockall, ARGS(0), "");
	assert_arguments(SYS_MEM_msync, ARGS(0x1000, 4096, 3), "0x1000, 4096, MS_ASYNC|MS_INVALIDATE");
	assert_arguments(SYS_MEM_msync, ARGS(0x1000, 4096, 0x44), "0x1000, 4096, MS_SYNC|0x40");
	assert_arguments(SYS_MEM_mincore, ARGS(0x3, 4096, 0x7ffc19dfe590),
			 "0x3, 4096, 0x7ffc19dfe590");
}

TEST(test_shared_memory_and_policies)
{
	assert_arguments(SYS_MEM_shmat, ARGS(23, 0, 010000), "23, NULL, SHM_RDONLY");
	assert_arguments(SYS_MEM_shmat, ARGS(MINUS_ONE, 0x12345, 0160001),
			 "-1, 0x12345, SHM_RND|SHM_REMAP|SHM_EXEC|0x1");
	assert_arguments(SYS_MEM_shmdt, ARGS(5), "0x5");
	assert_arguments(SYS_MEM_remap_file_pages, ARGS(0x1000, 4096, 1, 3, 0x10000),
			 "0x1000, 4096, PROT_READ, 3, MAP_FILE|MAP_NONBLOCK");
	assert_arguments(SYS_MEM_mbind, ARGS(0x1000, 4096, 0, 0, 0, 0),
			 "0x1000, 4096, MPOL_DEFAULT, NULL, 0, 0");
	assert_arguments(SYS_MEM_mbind, ARGS(0x1000, 4096, 99, 0, 0, 0x77),
			 "0x1000, 4096, 0x63 /* MPOL_??? */, NULL, 0, "
			 "MPOL_MF_STRICT|MPOL_MF_MOVE|MPOL_MF_MOVE_ALL|0x70");
	assert_arguments(SYS_MEM_mbind, ARGS(0x1000, 4096, 0x4003, 0, 0, 0x80),
			 "0x1000, 4096, MPOL_INTERLEAVE|MPOL_F_RELATIVE_NODES, NULL, 0, "
			 "0x80 /* MPOL_??? */");
}

TEST(test_policies_of_processes_and_pages)
{
	assert_arguments(SYS_MEM_set_mempolicy, ARGS(0x8003, 0, 0),
			 "MPOL_INTERLEAVE|MPOL_F_STATIC_NODES, NULL, 0");
	assert_arguments(SYS_MEM_set_mempolicy, ARGS(MINUS_ONE, 8, 64),
			 "MPOL_F_STATIC_NODES|MPOL_F_RELATIVE_NODES|MPOL_F_NUMA_BALANCING|"
			 "0xffff1fff, 0x8, 64");
	assert_arguments(SYS_MEM_set_mempolicy, ARGS(77, 0, 0), "0x4d /* MPOL_??? */, NULL, 0");
	assert_arguments(SYS_MEM_get_mempolicy, ARGS(0x8, 0, 0, 0x1000, 0x17),
			 "0x8, NULL, 0, 0x1000, MPOL_F_NODE|MPOL_F_ADDR|MPOL_F_MEMS_ALLOWED|0x10");
	assert_arguments(SYS_MEM_migrate_pages, ARGS(MINUS_ONE, 64, 0, 0x10), "-1, 64, NULL, 0x10");
	assert_arguments(SYS_MEM_move_pages, ARGS(0, 1, 8, 16, 24, 7),
			 "0, 1, 0x8, 0x10, 0x18, MPOL_MF_MOVE|MPOL_MF_MOVE_ALL|0x1");
	assert_arguments(SYS_MEM_set_mempolicy_home_node, ARGS(0, MINUS_ONE, 3, 5),
			 "NULL, 18446744073709551615, 3, 0x5");
}

TEST(test_asynchronous_input_and_output)
{
	assert_arguments(SYS_MEM_io_setup, ARGS(MINUS_ONE, 8), "4294967295, 0x8");
	assert_arguments(SYS_MEM_io_destroy, ARGS(5), "0x5");
	assert_arguments(SYS_MEM_io_uring_register, ARGS(MINUS_ONE, 22, 0x1000, MINUS_ONE),
			 "-1, IORING_REGISTER_PBUF_RING, 0x1000, 4294967295");
	assert_arguments(SYS_MEM_io_uring_register, ARGS(3, 0x4d, 0, 1),
			 "3, 0x4d /* IORING_REGISTER_??? */, NULL, 1");
}

TEST(test_results_are_addresses_numbers_or_errors)
{
	assert_result(SYS_MEM_brk, 0x5558a0495000, "0x5558a0495000");
	assert_result(SYS_MEM_munmap, 0, "0");
	assert_result(SYS_MEM_mmap, -12, "-1 ENOMEM (Cannot allocate memory)");
	assert_result(SYS_MEM_madvise, -22, "-1 EINVAL (Invalid argument)");
	assert_result(SYS_MEM_madvise, -4000, "-1 (errno 4000)");
}

TEST(test_maps_of_files_from_before_the_library_have_a_path_for_a_descriptor)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	syscall_put_file_map(out, ARGS(0x7f0000000000, 4096, 1, 2, 0, 0), "/lib/x\n.so");
	fclose(out);
	assert_string_equal(text, "0x7f0000000000, 4096, PROT_READ, MAP_PRIVATE, "
			    "?</lib/x\\n.so>, ?");
	free(text);
}

TEST(test_numbers_beyond_the_last_call_have_no_name)
{
	assert_string_equal(syscall_name(SYS_MEM_mmap), "mmap");
	assert_string_equal(syscall_name(SYS_MEM_COUNT), "?");
	assert_string_equal(syscall_name(1000), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mmap_has_its_type_first_and_flags_in_straces_order),
		cmocka_unit_test(test_mmap_types_that_are_none_are_numbers),
		cmocka_unit_test(test_size_of_huge_pages_stands_behind_the_flags),
		cmocka_unit_test(test_mremap_has_a_fifth_argument_only_with_fixed),
		cmocka_unit_test(test_protections_and_advices),
		cmocka_unit_test(test_locks_and_syncs),
		cmocka_unit_test(test_shared_memory_and_policies),
		cmocka_unit_test(test_policies_of_processes_and_pages),
		cmocka_unit_test(test_asynchronous_input_and_output),
		cmocka_unit_test(test_results_are_addresses_numbers_or_errors),
		cmocka_unit_test(test_maps_of_files_from_before_the_library_have_a_path_for_a_descriptor),
		cmocka_unit_test(test_numbers_beyond_the_last_call_have_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
