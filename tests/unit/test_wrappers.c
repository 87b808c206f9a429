/* test_wrappers.c - the allocation site is who asked, not who passed it on. */
#include "symbol/wrappers.h"

#include <stdlib.h>
#include <string.h>

#include "fixture/mktrace.h"
#include "symbol/symbol_codec.h"
#include "test.h"

static struct wrappers *standard;

static int group_begin(void **state)
{
	(void)state;
	standard = wrappers_new(NULL);
	return 0;
}

static int group_end(void **state)
{
	(void)state;
	wrappers_free(standard);
	return 0;
}

#define assert_wrapper(name) \
	do { \
		if (!wrapper_is(standard, name, "/usr/lib/libx.so")) \
			fail_msg("%s is a wrapper", name); \
	} while (0)
#define assert_no_wrapper(name) \
	do { \
		if (wrapper_is(standard, name, "/usr/lib/libx.so")) \
			fail_msg("%s is no wrapper", name); \
	} while (0)

TEST(test_wrappers_of_c_are_known)
{
	assert_wrapper("malloc");
	assert_wrapper("__libc_calloc");
	assert_wrapper("xmalloc");
	assert_wrapper("g_malloc0_n");
	assert_wrapper("PyMem_RawMalloc");
	assert_wrapper("_PyObject_Malloc");
	assert_wrapper("PyObject_Realloc");
	assert_wrapper("sqlite3MemMalloc");
	assert_wrapper("Perl_safesysmalloc");
	assert_wrapper("jv_mem_alloc");
	assert_wrapper("CRYPTO_zalloc");
}

TEST(test_wrappers_of_cxx_and_rust_are_known)
{
	assert_wrapper("operator new(unsigned long)");
	assert_wrapper("operator new[](unsigned long, std::nothrow_t const&)");
	assert_wrapper("_Znwm");
	assert_wrapper("std::__new_allocator<char>::allocate(unsigned long, void const*)");
	assert_wrapper("std::allocator_traits<std::allocator<int> >::allocate(std::allocator<int>&, "
		       "unsigned long)");
	assert_wrapper("std::_Vector_base<int, std::allocator<int> >::_M_allocate(unsigned long)");
	assert_wrapper("std::__cxx11::basic_string<char, std::char_traits<char>, "
		       "std::allocator<char> >::_M_create(unsigned long&, unsigned long)");
	assert_wrapper("__rust_alloc");
	assert_wrapper("alloc::alloc::exchange_malloc");
	assert_wrapper("<alloc::alloc::Global as core::alloc::Allocator>::allocate");
	assert_wrapper("<alloc::alloc::Global>::alloc_impl_runtime");
	assert_wrapper("alloc::raw_vec::RawVec<T,A>::grow_one");
	assert_wrapper("<alloc::raw_vec::RawVecInner>::finish_grow");
}

TEST(test_wrappers_compiled_into_copies_are_known)
{
	assert_wrapper("xmalloc.part.0");
	assert_wrapper("PyMem_RawMalloc.constprop.0");
	assert_wrapper("operator new(unsigned long) [clone .cold]");
}

TEST(test_functions_that_make_something_are_no_wrappers)
{
	assert_no_wrapper("strdup");
	assert_no_wrapper("asprintf");
	assert_no_wrapper("getline");
	assert_no_wrapper("fopen");
	assert_no_wrapper("g_strdup");
	assert_no_wrapper("PyUnicode_New");
	assert_no_wrapper("PyList_New");
	assert_no_wrapper("std::vector<int, std::allocator<int> >::push_back(int&&)");
	assert_no_wrapper("std::_MakeUniq<int>::__single_object std::make_unique<int, int>(int&&)");
	assert_no_wrapper("<alloc::vec::Vec<u8>>::with_capacity");
	assert_no_wrapper("<alloc::boxed::Box<i32>>::new");
	assert_no_wrapper("main");
	assert_no_wrapper("");
	assert_no_wrapper(".part.0");
	assert_no_wrapper("mymalloc");
	assert_no_wrapper("malloc_usage");
	assert_false(wrapper_is(standard, NULL, NULL));
}

/* Who makes a pool grow did not ask for the whole piece. */
TEST(test_pools_are_no_wrappers)
{
	assert_no_wrapper("new_arena");
	assert_no_wrapper("allocate_from_new_pool");
	assert_no_wrapper("Perl_more_bodies");
	assert_no_wrapper("_obstack_newchunk");
}

TEST(test_wrappers_of_mappings_are_others)
{
	assert_true(wrapper_is_mapping(standard, "mmap64", NULL));
	assert_true(wrapper_is_mapping(standard, "_PyObject_ArenaMmap", NULL));
	assert_false(wrapper_is_mapping(standard, "PyObject_Malloc", NULL));
	assert_false(wrapper_is_mapping(standard, "new_arena", NULL));
	assert_false(wrapper_is(standard, "mmap", NULL));
}

TEST(test_wrappers_none_leaves_every_frame)
{
	struct wrappers *w = wrappers_new("none");

	assert_false(wrapper_is(w, "malloc", NULL));
	assert_false(wrapper_is_mapping(w, "mmap", NULL));
	wrappers_free(w);
}

TEST(test_wrappers_of_the_user_are_added)
{
	struct wrappers *w = wrappers_new("my_alloc, pool_*,,Arena<int, char>::get, alloc@libfoo.so*");

	assert_true(wrapper_is(w, "malloc", NULL));
	assert_true(wrapper_is(w, "my_alloc", "/x"));
	assert_true(wrapper_is(w, "my_alloc.constprop.0", NULL));
	assert_true(wrapper_is(w, "pool_get", NULL));
	assert_true(wrapper_is_mapping(w, "pool_get", NULL));
	assert_true(wrapper_is(w, "Arena<int, char>::get(unsigned long)", NULL));
	assert_true(wrapper_is(w, "alloc", "/usr/lib/libfoo.so.1"));
	assert_false(wrapper_is(w, "alloc", "/usr/lib/libbar.so.1"));
	assert_false(wrapper_is(w, "alloc", NULL));
	assert_false(wrapper_is(w, "my_alloc2", NULL));
	wrappers_free(w);
}

/* ---- call stacks: a recording whose functions are what the test stores ---- */

#define LIB 0x10000000ul
#define PROG 0x20000000ul
#define CXX 0x30000000ul
#define LIBC 0x40000000ul

/* Offset, then the functions there: inlined ones first. */
struct known { uint64_t offset; const char *names[3]; };

struct scene {
	struct mktrace *t;
	struct recording *r;
	struct stacks *stacks;
	struct resolver *rs;
};

static void module_write(struct symbol_writer *w, const char *path,
			 const struct known *rows, size_t count)
{
	symbol_writer_module(w, path, NULL, 0, 1);
	for (size_t i = 0; i < count; i++) {
		struct stored_frame frames[3] = { { NULL, NULL, 0, 0 } };
		uint32_t n = 0;

		while (n < 3 && rows[i].names[n]) {
			frames[n] = (struct stored_frame){ rows[i].names[n], "x.c", 1, 0 };
			n++;
		}
		symbol_writer_row(w, rows[i].offset, frames, n ? n : 1);
	}
}

static struct scene scene_open(void)
{
	static const struct known lib[] = {
		{ 0x10, { "xmalloc" } }, { 0x20, { NULL } }, { 0x30, { "PyObject_Malloc" } },
		{ 0x40, { "lib_make" } }, { 0x50, { NULL } }, { 0x60, { "mmap" } },
		{ 0x70, { "new_arena" } },
	};
	static const struct known prog[] = {
		{ 0x10, { "operator new(unsigned long)" } },
		{ 0x20, { "std::allocator<int>::allocate(unsigned long)", "xcalloc", "build" } },
		{ 0x30, { "main" } }, { 0x40, { NULL } },
	};
	static const struct known cxx[] = {
		{ 0x10, { "std::string::_M_mutate" } }, { 0x20, { "std::string::append" } },
	};
	static const struct known libc[] = { { 0x10, { "start_thread" } } };
	const struct resolver_options options = { .stored_only = true };
	struct symbol_writer *w = symbol_writer_new();
	struct segment_header h = { .magic = SEGMENT_MAGIC, .kind = SEGMENT_SYMBOLS };
	struct scene s = { .t = mktrace_new() };
	uint8_t *payload;
	size_t bytes;

	mk_process(s.t, 1, 100, "prog");
	mk_meta(s.t, META_MODULE_MAP, "vvvvzss", (uint64_t)1, (uint64_t)2, (uint64_t)LIB,
		(uint64_t)LIB + 0x1000, (int64_t)LIB, "/lib.so", "");
	mk_meta(s.t, META_MODULE_MAP, "vvvvzss", (uint64_t)1, (uint64_t)2, (uint64_t)PROG,
		(uint64_t)PROG + 0x1000, (int64_t)PROG, "/prog", "");
	mk_meta(s.t, META_MODULE_MAP, "vvvvzss", (uint64_t)1, (uint64_t)2, (uint64_t)CXX,
		(uint64_t)CXX + 0x1000, (int64_t)CXX, "/lib/libstdc++.so.6", "");
	mk_meta(s.t, META_MODULE_MAP, "vvvvzss", (uint64_t)1, (uint64_t)2, (uint64_t)LIBC,
		(uint64_t)LIBC + 0x1000, (int64_t)LIBC, "/lib/libc.so.6", "");
	module_write(w, "/lib.so", lib, sizeof(lib) / sizeof(*lib));
	module_write(w, "/prog", prog, sizeof(prog) / sizeof(*prog));
	module_write(w, "/lib/libstdc++.so.6", cxx, sizeof(cxx) / sizeof(*cxx));
	module_write(w, "/lib/libc.so.6", libc, sizeof(libc) / sizeof(*libc));
	payload = symbol_writer_finish(w, &bytes);
	symbol_writer_free(w);
	h.committed = bytes;
	mk_raw(s.t, &h, payload);
	free(payload);
	s.r = mktrace_open(s.t);
	s.stacks = stacks_new();
	s.rs = resolver_new(s.r, s.stacks, &options);
	return s;
}

static void scene_close(struct scene *s)
{
	resolver_free(s->rs);
	stacks_free(s->stacks);
	recording_close(s->r);
	mktrace_free(s->t);
}

/* The call stack of PCS, innermost first, ended by 0. */
static stack_id stack_of(struct scene *s, const uint64_t *pcs)
{
	stack_id id = STACK_NONE;
	size_t n = 0;

	while (pcs[n])
		n++;
	while (n-- > 0)
		id = stacks_child(s->stacks, id, 1, (struct frame){ .value = pcs[n],
				  .type = pcs[n] < 16 ? FRAME_SPECIAL : FRAME_NATIVE }, 10);
	return id;
}

#define SITE(s, is_mapping, ...) \
	wrappers_site(standard, (s)->rs, (s)->stacks, \
		      stack_of(s, (const uint64_t[]){ __VA_ARGS__, 0 }), is_mapping)

TEST(test_site_is_first_frame_that_is_no_wrapper)
{
	struct scene s = scene_open();
	struct frame_place p = SITE(&s, false, LIB + 0x10, LIB + 0x40, PROG + 0x30);

	assert_string_equal(p.frame->function, "lib_make");
	p = frame_place_caller(s.rs, s.stacks, p);
	assert_string_equal(p.frame->function, "main");
	p = frame_place_caller(s.rs, s.stacks, p);
	assert_int_equal(p.stack, STACK_NONE);
	assert_null(p.frame);
	p = frame_place_caller(s.rs, s.stacks, p);
	assert_int_equal(p.stack, STACK_NONE);
	scene_close(&s);
}

TEST(test_site_may_be_outside_of_inlined_wrappers)
{
	struct scene s = scene_open();
	struct frame_place p = SITE(&s, false, PROG + 0x10, PROG + 0x20, PROG + 0x30);

	assert_string_equal(p.frame->function, "build");
	assert_int_equal(p.index, 2);
	scene_close(&s);
}

TEST(test_site_of_wrappers_only_is_the_innermost)
{
	struct scene s = scene_open();

	assert_string_equal(SITE(&s, false, LIB + 0x10, LIB + 0x30).frame->function, "xmalloc");
	assert_string_equal(SITE(&s, false, LIB + 0x10, SPECIAL_TRUNCATED).frame->function,
			    "xmalloc");
	assert_int_equal(wrappers_site(standard, s.rs, s.stacks, STACK_NONE, false).stack,
			 STACK_NONE);
	scene_close(&s);
}

TEST(test_site_passes_nameless_helpers_of_a_wrapper)
{
	struct scene s = scene_open();

	/* static functions of a stripped library, called by its exported allocator */
	assert_string_equal(SITE(&s, false, LIB + 0x20, LIB + 0x50, LIB + 0x30, PROG + 0x30)
			    .frame->function, "main");
	/* called by something else, they are the site */
	assert_int_equal(SITE(&s, false, LIB + 0x20, LIB + 0x40, PROG + 0x30).frame->offset, 0x20);
	/* a wrapper of another object does not own them */
	assert_int_equal(SITE(&s, false, PROG + 0x40, LIB + 0x30, PROG + 0x30).frame->offset, 0x40);
	/* outermost and nameless: still the first of them */
	assert_int_equal(SITE(&s, false, LIB + 0x20, LIB + 0x50).frame->offset, 0x20);
	/* after named wrappers too */
	assert_string_equal(SITE(&s, false, LIB + 0x10, LIB + 0x20, LIB + 0x30, PROG + 0x30)
			    .frame->function, "main");
	scene_close(&s);
}

TEST(test_site_does_not_pass_many_nameless_frames)
{
	struct scene s = scene_open();
	struct frame_place p = SITE(&s, false, LIB + 0x20, LIB + 0x50, LIB + 0x20, LIB + 0x50,
				    LIB + 0x20, LIB + 0x30, PROG + 0x30);

	assert_int_equal(p.frame->offset, 0x20);
	assert_null(p.frame->function);
	scene_close(&s);
}

TEST(test_site_of_mapping_is_the_pool)
{
	struct scene s = scene_open();

	assert_string_equal(SITE(&s, true, LIB + 0x60, LIB + 0x70, LIB + 0x30, PROG + 0x30)
			    .frame->function, "new_arena");
	assert_int_equal(SITE(&s, true, LIB + 0x20, LIB + 0x30, PROG + 0x30).frame->offset, 0x20);
	scene_close(&s);
}

#define USER(s, ...) \
	wrappers_user(standard, (s)->rs, (s)->stacks, \
		      stack_of(s, (const uint64_t[]){ __VA_ARGS__, 0 }), false).frame->function

TEST(test_user_of_the_cxx_library_is_the_function_that_called_it)
{
	struct scene s = scene_open();

	assert_string_equal(SITE(&s, false, CXX + 0x10, CXX + 0x20, PROG + 0x30).frame->function,
			    "std::string::_M_mutate");
	assert_string_equal(USER(&s, CXX + 0x10, CXX + 0x20, PROG + 0x30), "main");
	assert_string_equal(USER(&s, LIB + 0x10, CXX + 0x20, LIB + 0x40, CXX + 0x10, PROG + 0x30),
			    "lib_make");
	/* not the library's: the site */
	assert_string_equal(USER(&s, LIB + 0x40, CXX + 0x20, PROG + 0x30), "lib_make");
	scene_close(&s);
}

TEST(test_user_is_the_site_where_only_the_c_library_calls)
{
	struct scene s = scene_open();

	assert_string_equal(USER(&s, CXX + 0x10, CXX + 0x20, LIBC + 0x10),
			    "std::string::_M_mutate");
	assert_string_equal(USER(&s, CXX + 0x10), "std::string::_M_mutate");
	assert_string_equal(USER(&s, CXX + 0x10, SPECIAL_TRUNCATED), "std::string::_M_mutate");
	assert_null(wrappers_user(standard, s.rs, s.stacks, STACK_NONE, false).frame);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrappers_of_c_are_known),
		cmocka_unit_test(test_wrappers_of_cxx_and_rust_are_known),
		cmocka_unit_test(test_wrappers_compiled_into_copies_are_known),
		cmocka_unit_test(test_functions_that_make_something_are_no_wrappers),
		cmocka_unit_test(test_pools_are_no_wrappers),
		cmocka_unit_test(test_wrappers_of_mappings_are_others),
		cmocka_unit_test(test_wrappers_none_leaves_every_frame),
		cmocka_unit_test(test_wrappers_of_the_user_are_added),
		cmocka_unit_test(test_site_is_first_frame_that_is_no_wrapper),
		cmocka_unit_test(test_site_may_be_outside_of_inlined_wrappers),
		cmocka_unit_test(test_site_of_wrappers_only_is_the_innermost),
		cmocka_unit_test(test_site_passes_nameless_helpers_of_a_wrapper),
		cmocka_unit_test(test_site_does_not_pass_many_nameless_frames),
		cmocka_unit_test(test_site_of_mapping_is_the_pool),
		cmocka_unit_test(test_user_of_the_cxx_library_is_the_function_that_called_it),
		cmocka_unit_test(test_user_is_the_site_where_only_the_c_library_calls),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
