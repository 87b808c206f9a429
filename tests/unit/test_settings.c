/*
 * test_settings.c - which variables of the environment are recorded, and how
 * mallopt() is.
 */
#include "test.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "meta.h"
#include "session.h"
#include "settings.h"

struct session session;
struct clock_state clock_state = { CLOCK_KIND_TSC, 0 };

static char seen[16][128];
static unsigned seen_count;

uint64_t clock_monotonic_ns(void)
{
	return 1;
}

void meta_append(enum meta_kind kind, const struct meta_builder *b)
{
	const uint8_t *p = b->start;
	uint64_t image, stamp, key, value;

	assert_int_equal(kind, META_SETTING);
	assert_false(b->overflow);
	p = varint_get(p, b->p, &image);
	p = varint_get(p, b->p, &stamp);
	p = varint_get(p, b->p, &key);
	const char *name = (const char *)p;

	p = varint_get(p + key, b->p, &value);
	snprintf(seen[seen_count++], sizeof(seen[0]), "%.*s=%.*s", (int)key, name,
		 (int)(value < 40 ? value : 40), (const char *)p);
	assert_ptr_equal(p + value, b->p);
}

TEST(test_settings_of_the_allocators_are_recorded_and_no_others)
{
	char huge[5000] = "GLIBC_TUNABLES=";
	char *env[] = {
		"HOME=/root", "MALLOC_ARENA_MAX=2", "PYTHONMALLOC=malloc",
		"PYTHONMALLOCX=1", "XMALLOC_=1", "MALLOC_TRIM_THRESHOLD_=4096",
		"LD_PRELOAD=/lib/x.so", "strange", "=", huge, NULL,
	};

	memset(huge + strlen(huge), 'x', sizeof(huge) - strlen(huge) - 1);
	seen_count = 0;
	settings_record(env);
	assert_int_equal(seen_count, 5);
	assert_string_equal(seen[0], "MALLOC_ARENA_MAX=2");
	assert_string_equal(seen[1], "PYTHONMALLOC=malloc");
	assert_string_equal(seen[2], "MALLOC_TRIM_THRESHOLD_=4096");
	assert_string_equal(seen[3], "LD_PRELOAD=/lib/x.so");
	assert_non_null(strstr(seen[4], "GLIBC_TUNABLES=xxx"));
}

TEST(test_settings_of_mallopt_have_the_name_of_the_parameter)
{
	seen_count = 0;
	settings_mallopt(M_MMAP_THRESHOLD, 1 << 20);
	settings_mallopt(M_TRIM_THRESHOLD, -1);
	settings_mallopt(-77, 5);
	settings_mallopt(12345, 0);
	assert_string_equal(seen[0], "mallopt(M_MMAP_THRESHOLD)=1048576");
	assert_string_equal(seen[1], "mallopt(M_TRIM_THRESHOLD)=-1");
	assert_string_equal(seen[2], "mallopt(-77)=5");
	assert_string_equal(seen[3], "mallopt(12345)=0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings_of_the_allocators_are_recorded_and_no_others),
		cmocka_unit_test(test_settings_of_mallopt_have_the_name_of_the_parameter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
