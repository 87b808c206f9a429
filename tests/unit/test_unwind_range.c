/*
 * test_unwind_range.c - the bounds of stacks: main, threads of several kinds, alternate
 * and coroutine stacks; against what the kernel lists.
 */
#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "unwind_range.h"

static uint64_t here(void)
{
	return (uint64_t)__builtin_frame_address(0);
}

/* The line of /proc/self/maps that holds ADDRESS. */
static struct stack_range listed(uint64_t address)
{
	struct stack_range r = { 0, 0 };
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[4200];

	while (fgets(line, sizeof(line), maps)) {
		unsigned long low, high;

		if (sscanf(line, "%lx-%lx", &low, &high) == 2 && address >= low && address < high)
			r = (struct stack_range){ low, high };
	}
	fclose(maps);
	return r;
}

TEST(test_main_stack_ends_where_the_kernel_says)
{
	struct stack_ranges ranges = { 0 };
	struct stack_range r, kernel = listed(here());
	bool own;

	assert_true(range_find(&ranges, here(), &r, &own));
	assert_true(own);
	/* what touches it from above is joined: under qemu there is something */
	assert_true(r.high >= kernel.high && r.high < kernel.high + (1u << 20));
	assert_true(r.low <= kernel.low);
}

struct thread_case {
	size_t stack_bytes;
	void *stack;
	bool found, own;
	struct stack_range range;
	uint64_t low, high, sp;
};

static void *look(void *arg)
{
	struct thread_case *c = arg;
	struct stack_ranges ranges = { 0 };
	pthread_attr_t attr;
	size_t bytes;
	void *low;

	c->sp = here();
	c->found = range_find(&ranges, c->sp, &c->range, &c->own);
	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstack(&attr, &low, &bytes);
	pthread_attr_destroy(&attr);
	c->low = (uint64_t)low;
	c->high = c->low + bytes;
	return NULL;
}

static void run_thread(struct thread_case *c)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	if (c->stack)
		pthread_attr_setstack(&attr, c->stack, c->stack_bytes);
	else if (c->stack_bytes)
		pthread_attr_setstacksize(&attr, c->stack_bytes);
	assert_int_equal(pthread_create(&thread, &attr, look, c), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attr);
	assert_true(c->found);
	assert_true(c->own);
	assert_true(range_holds(&c->range, c->sp));
	assert_true(c->range.low >= c->low);
	assert_true(c->range.high <= c->high);
	/* the thread descriptor and thread-local data stand above the frames */
	assert_true(c->high - c->range.high < 16384);
}

TEST(test_thread_stack_lies_inside_what_pthread_says)
{
	struct thread_case c = { 0 };

	run_thread(&c);
}

TEST(test_smallest_thread_stack_is_found)
{
	struct thread_case c = { .stack_bytes = (size_t)sysconf(_SC_THREAD_STACK_MIN) };

	run_thread(&c);
}

TEST(test_stack_given_by_the_program_is_found)
{
	static _Alignas(64) char stack[128 << 10];
	struct thread_case c = { .stack_bytes = sizeof(stack), .stack = stack };

	run_thread(&c);
	assert_true(c.range.low >= (uint64_t)stack);
}

static struct stack_range on_alternate;
static bool alternate_own, alternate_found;
static struct stack_ranges signal_ranges;

static void handler(int number)
{
	(void)number;
	alternate_found = range_find(&signal_ranges, here(), &on_alternate, &alternate_own);
}

TEST(test_alternate_signal_stack_has_its_own_bounds)
{
	static char stack[64 << 10];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) }, off = { .ss_flags = SS_DISABLE };
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };

	assert_int_equal(sigaltstack(&ss, NULL), 0);
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	raise(SIGUSR1);
	sigaltstack(&off, NULL);
	assert_true(alternate_found);
	assert_false(alternate_own);
	assert_int_equal(on_alternate.low, (uint64_t)stack);
	assert_int_equal(on_alternate.high, (uint64_t)stack + sizeof(stack));
}

static ucontext_t coroutine, back;
static struct stack_ranges coroutine_ranges;
static struct stack_range on_coroutine;
static bool coroutine_own, coroutine_found;

static void coroutine_body(void)
{
	coroutine_found = range_find(&coroutine_ranges, here(), &on_coroutine, &coroutine_own);
	swapcontext(&coroutine, &back);
}

TEST(test_coroutine_stack_is_the_mapping_it_lies_in)
{
	size_t bytes = 64 << 10;
	char *stack = mmap(NULL, bytes + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_int_equal(mprotect(stack + 4096, bytes, PROT_READ | PROT_WRITE), 0);
	getcontext(&coroutine);
	coroutine.uc_stack.ss_sp = stack + 4096;
	coroutine.uc_stack.ss_size = bytes;
	makecontext(&coroutine, coroutine_body, 0);
	swapcontext(&back, &coroutine);
	assert_true(coroutine_found);
	assert_false(coroutine_own);
	assert_int_equal(on_coroutine.low, (uint64_t)stack + 4096);
	assert_int_equal(on_coroutine.high, (uint64_t)stack + 4096 + bytes);
	munmap(stack, bytes + 8192);
}

TEST(test_mappings_that_touch_are_joined)
{
	struct stack_ranges ranges = { 0 };
	struct stack_range r;
	bool own;
	char *p = mmap(NULL, 4 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* of different protection, so that the kernel lists two */
	mprotect(p + 4096, 4096, PROT_READ | PROT_WRITE);
	mprotect(p + 8192, 4096, PROT_READ);
	assert_true(range_find(&ranges, (uint64_t)p + 4096 + 8, &r, &own));
	assert_int_equal(r.low, (uint64_t)p + 4096);
	assert_int_equal(r.high, (uint64_t)p + 3 * 4096);
	munmap(p, 4 * 4096);
}

TEST(test_unreadable_and_unmapped_memory_is_no_stack)
{
	struct stack_ranges ranges = { 0 };
	struct stack_range r;
	bool own;
	char *p = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_false(range_find(&ranges, (uint64_t)p + 64, &r, &own));
	munmap(p, 4096);
	assert_false(range_find(&ranges, (uint64_t)p + 64, &r, &own));
	assert_false(range_find(&ranges, 64, &r, &own));
	assert_false(range_find(&ranges, UINT64_MAX - 64, &r, &own));
}

TEST(test_kept_bounds_are_dropped_when_memory_changes)
{
	struct stack_ranges ranges = { 0 };
	struct stack_range r;
	bool own;
	char *p = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(range_find(&ranges, (uint64_t)p, &r, &own));
	munmap(p, 8 * 4096);
	/* still kept: nobody said that memory changed */
	assert_true(range_find(&ranges, (uint64_t)p, &r, &own));
	range_changed();
	assert_false(range_find(&ranges, (uint64_t)p, &r, &own));
}

static int text_file(const char *text)
{
	int fd = memfd_create("maps", 0);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

TEST(test_text_of_mappings_says_the_same_as_the_kernel)
{
	struct stack_range text, kernel;
	int fd = open("/proc/self/maps", O_RDONLY);

	assert_true(range_in_text(fd, here(), &text));
	assert_true(range_of_mapping(here(), &kernel));
	assert_int_equal(text.high, kernel.high);
	close(fd);
}

TEST(test_text_of_mappings_is_joined_and_cut_at_unreadable_ones)
{
	struct stack_range r;
	int fd = text_file("1000-2000 ---p 0 0:0 0\n"
			   "2000-3000 rw-p 0 0:0 0 [x-y z]\n"
			   "3000-5000 r--p 0 0:0 0 /a b-c\n"
			   "5000-6000 ---p 0 0:0 0\n"
			   "8000-9000 rw-p 0 0:0 0");

	assert_true(range_in_text(fd, 0x2008, &r));
	assert_int_equal(r.low, 0x2000);
	assert_int_equal(r.high, 0x5000);
	lseek(fd, 0, SEEK_SET);
	assert_false(range_in_text(fd, 0x1008, &r));
	lseek(fd, 0, SEEK_SET);
	assert_false(range_in_text(fd, 0x7000, &r));
	lseek(fd, 0, SEEK_SET);
	assert_true(range_in_text(fd, 0x8fff, &r));
	assert_int_equal(r.low, 0x8000);
	close(fd);
}

TEST(test_text_that_is_no_list_of_mappings_is_survived)
{
	struct stack_range r;
	int fd = text_file("\n\n-\nzz-- r\nffffffffffffffffffffff-1 r\n1000");

	assert_false(range_in_text(fd, 0x1008, &r));
	close(fd);
}

TEST(test_no_descriptor_is_left_open)
{
	struct stack_range r;
	int before = dup(0), after;

	close(before);
	assert_true(range_of_mapping(here(), &r));
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
}

TEST(test_first_stack_pointer_is_recognised)
{
	extern void *__libc_stack_end;

	assert_true(range_is_first((uint64_t)__libc_stack_end));
	assert_false(range_is_first(here()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_main_stack_ends_where_the_kernel_says),
		cmocka_unit_test(test_thread_stack_lies_inside_what_pthread_says),
		cmocka_unit_test(test_smallest_thread_stack_is_found),
		cmocka_unit_test(test_stack_given_by_the_program_is_found),
		cmocka_unit_test(test_alternate_signal_stack_has_its_own_bounds),
		cmocka_unit_test(test_coroutine_stack_is_the_mapping_it_lies_in),
		cmocka_unit_test(test_mappings_that_touch_are_joined),
		cmocka_unit_test(test_unreadable_and_unmapped_memory_is_no_stack),
		cmocka_unit_test(test_kept_bounds_are_dropped_when_memory_changes),
		cmocka_unit_test(test_text_of_mappings_says_the_same_as_the_kernel),
		cmocka_unit_test(test_text_of_mappings_is_joined_and_cut_at_unreadable_ones),
		cmocka_unit_test(test_text_that_is_no_list_of_mappings_is_survived),
		cmocka_unit_test(test_no_descriptor_is_left_open),
		cmocka_unit_test(test_first_stack_pointer_is_recognised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
