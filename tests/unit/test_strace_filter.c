/*
 * test_strace_filter.c - -e as strace reads it.
 */
#include "forms/strace_filter.h"

#include <string.h>

#include "record_kinds.h"
#include "test.h"

static syscall_set set_of(const char *expression)
{
	struct diag d = { 0 };
	syscall_set set = 0;

	if (strace_filter_parse(expression, &set, &d) != 0)
		fail_msg("%s: %s", expression, d.text);
	return set;
}

static void assert_refused(const char *expression, const char *why)
{
	struct diag d = { 0 };
	syscall_set set = 0;

	assert_int_equal(strace_filter_parse(expression, &set, &d), -1);
	if (!strstr(d.text, why))
		fail_msg("'%s' is not in: %s", why, d.text);
}

static syscall_set bit(enum memory_syscall number)
{
	return (syscall_set)1 << number;
}

TEST(test_names_may_follow_trace)
{
	assert_int_equal(set_of("brk"), bit(SYS_MEM_brk));
	assert_int_equal(set_of("trace=brk,mmap"), bit(SYS_MEM_brk) | bit(SYS_MEM_mmap));
	assert_int_equal(set_of("t=mlock2"), bit(SYS_MEM_mlock2));
}

TEST(test_class_is_all_that_is_recorded)
{
	assert_int_equal(set_of("trace=%memory"), ~bit(SYS_MEM_process_madvise));
	assert_int_equal(set_of("memory"), ~bit(SYS_MEM_process_madvise));
	assert_int_equal(set_of("%desc"), bit(SYS_MEM_mmap) | bit(SYS_MEM_io_uring_register) |
			 bit(SYS_MEM_process_madvise));
	assert_int_equal(set_of("%ipc,brk"), bit(SYS_MEM_shmat) | bit(SYS_MEM_shmdt) |
			 bit(SYS_MEM_brk));
	assert_int_equal(set_of("all"), SYSCALL_SET_ALL);
	assert_int_equal(set_of("none"), 0);
}

TEST(test_exclamation_mark_turns_round)
{
	assert_int_equal(set_of("trace=!brk,mmap"), ~(bit(SYS_MEM_brk) | bit(SYS_MEM_mmap)));
	assert_int_equal(set_of("!none"), SYSCALL_SET_ALL);
}

TEST(test_patterns_are_extended_regular_expressions)
{
	assert_int_equal(set_of("/^m(un)?map$"), bit(SYS_MEM_mmap) | bit(SYS_MEM_munmap));
	assert_refused("/(", "regular expression");
}

TEST(test_question_mark_allows_unknown_names)
{
	assert_int_equal(set_of("?openat,brk"), bit(SYS_MEM_brk));
}

TEST(test_other_calls_are_refused_with_those_there_are)
{
	assert_refused("openat", "'openat' is not recorded: the system calls here are brk, mmap");
	assert_refused("%file", "'%file' is not recorded");
	assert_refused("brk,!mmap", "'!mmap' is not recorded");
	assert_refused("inject=brk:error=ENOMEM", "-e inject changes what a program's calls do");
	assert_refused("raw=mmap", "-e takes trace=NAMES and status=WORDS, not 'raw=mmap'");
}

TEST(test_status_is_how_calls_ended)
{
	struct diag d = { 0 };
	unsigned status = 77;

	assert_int_equal(strace_status_parse("brk", &status, &d), 0);
	assert_int_equal(status, 77);
	assert_int_equal(strace_status_parse("status=failed,unfinished", &status, &d), 1);
	assert_int_equal(status, OUTCOME_FAILED | OUTCOME_UNFINISHED);
	assert_int_equal(strace_status_parse("status=!successful,detached", &status, &d), 1);
	assert_int_equal(status, OUTCOME_FAILED | OUTCOME_UNFINISHED);
	assert_int_equal(strace_status_parse("status=none", &status, &d), 1);
	assert_int_equal(status, 0);
	assert_int_equal(strace_status_parse("status=bad", &status, &d), -1);
	assert_non_null(strstr(d.text, "'bad' is no status"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_may_follow_trace),
		cmocka_unit_test(test_class_is_all_that_is_recorded),
		cmocka_unit_test(test_exclamation_mark_turns_round),
		cmocka_unit_test(test_patterns_are_extended_regular_expressions),
		cmocka_unit_test(test_question_mark_allows_unknown_names),
		cmocka_unit_test(test_status_is_how_calls_ended),
		cmocka_unit_test(test_other_calls_are_refused_with_those_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
