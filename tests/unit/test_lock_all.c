/*
 * test_lock_all.c - mlockall() of a process that has a large sparse mapping of
 * ours.
 */
#include "test.h"

#include <errno.h>
#include <sys/mman.h>

#include "lock_all.h"
#include "session.h"

#define RING_BYTES (64ul << 20)

struct session session;

/* A sanitizer's shadow memory is too large to be locked, so there is no test of that. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

static void *reserve(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

static bool is_resident(const void *p)
{
	unsigned char residency = 0;

	assert_int_equal(mincore((void *)p, 4096, &residency), 0);
	return residency & 1;
}

TEST(test_lock_all_leaves_the_ring_untouched)
{
	uint8_t *ring = reserve(RING_BYTES);
	uint8_t *other = reserve(1 << 20);
	long result;

	session.ring = (struct ring_header *)ring;
	session.meta = ring;
	session.meta_mapped = RING_BYTES;
	session.slot_words = (uint64_t *)ring;
	session.slots = ring;
	*session.ring = (struct ring_header){ .slot_bytes = 65536 };
	result = lock_all(MCL_CURRENT);
	/* a user's limit may be lower than what a process has */
	assert_true(result == 0 || result == -ENOMEM || result == -EPERM);
	if (result == 0)
		assert_true(is_resident(other + (512 << 10)));
	assert_false(is_resident(ring + RING_BYTES / 2));
	assert_int_equal(munlockall(), 0);
	session.ring = NULL;
	munmap(ring, RING_BYTES);
	munmap(other, 1 << 20);
}

#endif

TEST(test_lock_all_with_wrong_flags_fails_as_the_kernel_does)
{
	assert_int_equal(lock_all(0), -EINVAL);
	assert_int_equal(lock_all(1 << 20), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		cmocka_unit_test(test_lock_all_leaves_the_ring_untouched),
#endif
		cmocka_unit_test(test_lock_all_with_wrong_flags_fails_as_the_kernel_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
