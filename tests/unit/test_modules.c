/*
 * test_modules.c - the records of loaded objects against the loader's own word,
 * and what dlopen and dlclose change.
 */
#include "test.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "elf_object.h"
#include "meta.h"
#include "modules.h"
#include "session.h"
#include "unwind.h"

struct session session;
struct clock_state clock_state = { CLOCK_KIND_TSC, 0 };

uint64_t clock_monotonic_ns(void)
{
	return 1;
}

static struct seen {
	enum meta_kind kind;
	uint64_t image, stamp, start, end;
	int64_t bias;
	char path[512];
	size_t build_id_bytes;
} seen[256];
static unsigned seen_count;
static unsigned invalidations, additions;

static const uint8_t *number(const uint8_t *p, const struct meta_builder *b, uint64_t *v)
{
	p = varint_get(p, b->p, v);
	assert_non_null(p);
	return p;
}

void meta_append(enum meta_kind kind, const struct meta_builder *b)
{
	struct seen *s = &seen[seen_count++ % 256];
	const uint8_t *p = b->start;
	uint64_t v;

	assert_false(b->overflow);
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	p = number(p, b, &s->image);
	p = number(p, b, &s->stamp);
	p = number(p, b, &s->start);
	if (kind == META_MODULE_UNMAP) {
		assert_ptr_equal(p, b->p);
		return;
	}
	p = number(p, b, &s->end);
	p = number(p, b, &v);
	s->bias = unzigzag(v);
	p = number(p, b, &v);
	assert_true(v < sizeof(s->path));
	memcpy(s->path, p, v);
	p = number(p + v, b, &v);
	s->build_id_bytes = v;
	assert_ptr_equal(p + v, b->p);
}

void unwind_modules_changed(void)
{
	invalidations++;
}

void unwind_modules_added(void)
{
	additions++;
}

static const struct seen *find_seen(enum meta_kind kind, uint64_t start)
{
	for (unsigned i = 0; i < seen_count; i++)
		if (seen[i].kind == kind && seen[i].start == start)
			return &seen[i];
	return NULL;
}

static int check_object(struct dl_phdr_info *info, size_t size, void *count)
{
	const struct seen *s = NULL;

	(void)size;
	for (unsigned i = 0; i < seen_count && !s; i++)
		if (seen[i].bias == (int64_t)info->dlpi_addr && seen[i].end)
			s = &seen[i];
	assert_non_null(s);
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type != PT_LOAD)
			continue;
		assert_in_range(info->dlpi_addr + ph->p_vaddr, s->start, s->end - 1);
		assert_in_range(info->dlpi_addr + ph->p_vaddr + ph->p_memsz, s->start, s->end);
	}
	assert_true(s->path[0] == '/' || strcmp(s->path, "[vdso]") == 0);
	++*(unsigned *)count;
	return 0;
}

TEST(test_modules_at_start_are_what_the_loader_lists)
{
	unsigned count = 0;
	char exe[512] = "";

	session.image = 9;
	session.pid = (uint32_t)getpid();
	session.recording = true;
	modules_record_all();
	dl_iterate_phdr(check_object, &count);
	assert_int_equal(seen_count, count);
	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	assert_string_equal(seen[0].path, exe);
	assert_int_equal(seen[0].image, 9);
	assert_true(seen[0].build_id_bytes == 20 || seen[0].build_id_bytes == 0);
}

TEST(test_modules_recorded_twice_are_not_repeated)
{
	unsigned before = seen_count;

	modules_record_all();
	modules_poll();
	assert_int_equal(seen_count, before);
}

TEST(test_modules_loaded_and_unloaded_are_recorded_by_polling)
{
	void *handle = dlopen("libutil.so.1", RTLD_NOW);
	const struct link_map *map = handle;
	unsigned before = seen_count, invalidated = invalidations, added = additions;
	uint64_t start;

	if (!handle)
		SKIP("no small library to load");
	start = map->l_addr;
	modules_poll();
	assert_int_equal(seen_count, before + 1);
	assert_int_equal(seen[before].kind, META_MODULE_MAP);
	assert_int_equal(seen[before].start, start);
	assert_non_null(strstr(seen[before].path, "libutil"));
	/* rules of other code stay as they are while nothing goes away */
	assert_int_equal(additions, added + 1);
	assert_int_equal(invalidations, invalidated);
	dlclose(handle);
	modules_poll();
	assert_int_equal(invalidations, invalidated + 1);
	assert_int_equal(seen_count, before + 2);
	assert_non_null(find_seen(META_MODULE_UNMAP, start));
}

TEST(test_modules_not_recording_records_nothing)
{
	unsigned before = seen_count;
	void *handle;

	session.recording = false;
	handle = dlopen("libutil.so.1", RTLD_NOW);
	modules_poll();
	modules_loader_changed();
	assert_int_equal(seen_count, before);
	if (handle)
		dlclose(handle);
	session.recording = true;
}

TEST(test_modules_symbol_is_where_dlsym_finds_it)
{
	const struct link_map *libc = elf_find(elf_loader(), "libc.so.6");
	const ElfW(Sym) *symbol = elf_symbol(libc, "getpid");

	assert_non_null(symbol);
	assert_ptr_equal((void *)(libc->l_addr + symbol->st_value),
			 dlsym(RTLD_DEFAULT, "getpid"));
	assert_null(elf_symbol(libc, "no_function_has_this_name"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modules_at_start_are_what_the_loader_lists),
		cmocka_unit_test(test_modules_recorded_twice_are_not_repeated),
		cmocka_unit_test(test_modules_loaded_and_unloaded_are_recorded_by_polling),
		cmocka_unit_test(test_modules_not_recording_records_nothing),
		cmocka_unit_test(test_modules_symbol_is_where_dlsym_finds_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
