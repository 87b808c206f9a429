/*
 * wrappers.c - the table of allocation wrappers and the way to the allocation
 * site. Plain names are found by a hash table; the few patterns are tried one by
 * one. Relies on the resolver for names.
 *
 * A new row must be a function that passes one request on to an allocator. If in
 * doubt leave it out: a frame too many is read past, a missing one misleads.
 */
#include "symbol/wrappers.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/xmem.h"
#include "symbol/cxx_library.h"

/* Names without wildcards, many in a string, separated by spaces. */
static const char *const block_names[] = {
	/* C library */
	"malloc calloc realloc reallocarray posix_memalign aligned_alloc memalign "
	"valloc pvalloc __libc_malloc __libc_calloc __libc_realloc __libc_memalign "
	"__libc_reallocarray __libc_valloc __libc_pvalloc __posix_memalign "
	"__malloc __calloc __realloc __memalign __reallocarray recallocarray "
	"__GI___libc_malloc __GI___libc_calloc __GI___libc_realloc __rtld_malloc "
	"__rtld_calloc __rtld_realloc _dl_malloc",
	/* inside glibc's malloc */
	"_int_malloc _int_realloc _int_memalign _int_free sysmalloc sysmalloc_mmap "
	"systrim tcache_init malloc_consolidate ptmalloc_init malloc_hook_ini "
	"realloc_hook_ini memalign_hook_ini __default_morecore __glibc_morecore "
	"_mid_memalign arena_get2 arena_get_retry new_heap alloc_new_heap grow_heap "
	"shrink_heap heap_trim mremap_chunk munmap_chunk sbrk __sbrk brk __brk",
	/* C++ run time */
	"_Znwm _Znwj _Znam _Znaj _ZnwmRKSt9nothrow_t _ZnamRKSt9nothrow_t "
	"_ZnwmSt11align_val_t _ZnamSt11align_val_t "
	"_ZnwmSt11align_val_tRKSt9nothrow_t _ZnamSt11align_val_tRKSt9nothrow_t "
	"__cxa_allocate_exception __cxa_allocate_dependent_exception",
	/* Rust */
	"__rust_alloc __rust_alloc_zeroed __rust_realloc __rdl_alloc "
	"__rdl_alloc_zeroed __rdl_realloc __rg_alloc __rg_alloc_zeroed __rg_realloc "
	"__rustc::__rust_alloc __rustc::__rust_alloc_zeroed "
	"__rustc::__rust_realloc __rustc::__rdl_alloc __rustc::__rdl_alloc_zeroed "
	"__rustc::__rdl_realloc alloc::alloc::alloc alloc::alloc::alloc_zeroed "
	"alloc::alloc::realloc alloc::alloc::exchange_malloc",
	/* gnulib, GNU programs, git, OpenSSH, tmux, vim */
	"xmalloc xcalloc xrealloc xzalloc xnmalloc xnrealloc xcharalloc "
	"x2realloc x2nrealloc xreallocarray xrecallocarray ximalloc xicalloc "
	"xirealloc xizalloc xireallocarray xpalloc imalloc icalloc irealloc "
	"ireallocarray rpl_malloc rpl_calloc rpl_realloc rpl_reallocarray "
	"xmallocarray xmallocz xmallocz_gently do_xmalloc do_xmallocz memory_limit_check "
	"sh_malloc sh_calloc sh_realloc sh_xmalloc sh_xrealloc "
	"git__malloc git__calloc git__realloc git__mallocarray git__reallocarray "
	"stdalloc__malloc stdalloc__calloc stdalloc__realloc "
	"bfd_malloc bfd_zmalloc bfd_realloc bfd_malloc2 bfd_zmalloc2 bfd_realloc2 "
	"lalloc lalloc_clear alloc_clear lmalloc lrealloc try_malloc verbose_try_malloc "
	"_nc_doalloc safe_malloc safe_calloc safe_realloc checked_malloc "
	"emalloc ecalloc erealloc malloc_or_die calloc_or_die realloc_or_die "
	"mem_alloc mem_calloc mem_realloc my_malloc my_calloc my_realloc",
	/* GLib */
	"g_malloc g_malloc0 g_realloc g_malloc_n g_malloc0_n g_realloc_n "
	"g_try_malloc g_try_malloc0 g_try_realloc g_try_malloc_n g_try_malloc0_n "
	"g_try_realloc_n g_slice_alloc g_slice_alloc0 g_aligned_alloc g_aligned_alloc0",
	/* CPython; new_arena is not here: see wrappers.h */
	"PyMem_Malloc PyMem_Calloc PyMem_Realloc PyMem_RawMalloc PyMem_RawCalloc "
	"PyMem_RawRealloc PyObject_Malloc PyObject_Calloc PyObject_Realloc "
	"_PyMem_Malloc _PyMem_Calloc _PyMem_Realloc _PyMem_RawMalloc "
	"_PyMem_RawCalloc _PyMem_RawRealloc _PyObject_Malloc _PyObject_Calloc "
	"_PyObject_Realloc pymalloc_alloc pymalloc_realloc _PyMem_DebugMalloc "
	"_PyMem_DebugCalloc _PyMem_DebugRealloc _PyMem_DebugRawMalloc "
	"_PyMem_DebugRawCalloc _PyMem_DebugRawRealloc _PyMem_DebugRawAlloc "
	"_PyObject_DebugMalloc _PyObject_DebugRealloc _PyObject_DebugMallocApi "
	"_PyObject_DebugReallocApi _PyMem_MiMalloc _PyMem_MiCalloc _PyMem_MiRealloc "
	"_PyObject_MiMalloc _PyObject_MiCalloc _PyObject_MiRealloc "
	"_PyObject_Alloc _PyObject_New _PyObject_NewVar PyObject_New PyObject_NewVar "
	"_PyObject_GC_Alloc _PyObject_GC_Malloc _PyObject_GC_Calloc _PyObject_GC_New "
	"_PyObject_GC_NewVar _PyObject_GC_Resize PyObject_GC_New PyObject_GC_NewVar "
	"PyUnstable_Object_GC_NewWithExtraData gc_alloc PyType_GenericAlloc "
	"_PyType_AllocNoTrack",
	/* Perl, Ruby, Lua, PHP, Tcl */
	"Perl_safesysmalloc Perl_safesyscalloc Perl_safesysrealloc "
	"safesysmalloc safesyscalloc safesysrealloc "
	"ruby_xmalloc ruby_xmalloc2 ruby_xcalloc ruby_xrealloc ruby_xrealloc2 "
	"ruby_mimmalloc ruby_mimcalloc objspace_xmalloc0 objspace_xcalloc "
	"objspace_xrealloc rb_xmalloc_mul_add rb_gc_impl_malloc rb_gc_impl_calloc "
	"rb_gc_impl_realloc "
	"l_alloc luaM_malloc_ luaM_realloc_ luaM_saferealloc_ luaM_growaux_ "
	"_emalloc _ecalloc _erealloc _erealloc2 _safe_emalloc _safe_erealloc "
	"_safe_malloc _safe_realloc __zend_malloc __zend_calloc __zend_realloc "
	"Tcl_Alloc Tcl_AttemptAlloc Tcl_Realloc Tcl_AttemptRealloc TclpAlloc TclpRealloc",
	/* SQLite */
	"sqlite3MemMalloc sqlite3MemRealloc sqlite3Malloc sqlite3MallocZero "
	"sqlite3Realloc sqlite3_malloc sqlite3_malloc64 sqlite3_realloc "
	"sqlite3_realloc64 mallocWithAlarm sqlite3DbMallocRaw sqlite3DbMallocRawNN "
	"sqlite3DbMallocZero sqlite3DbRealloc sqlite3DbReallocOrFree dbMallocRawFinish "
	"dbReallocFinish pcache1Alloc sqlite3PageMalloc",
	/* jq, redis, node and libuv, OpenSSL, curl, zlib, zstd, xz, bzip2, gmp */
	"jv_mem_alloc jv_mem_alloc_unguarded jv_mem_calloc jv_mem_calloc_unguarded "
	"jv_mem_realloc jv_mem_uninit_setup "
	"zmalloc zcalloc zrealloc ztrymalloc ztrycalloc ztryrealloc zmalloc_usable "
	"zcalloc_usable zrealloc_usable ztrymalloc_usable ztrycalloc_usable "
	"ztryrealloc_usable ztrymalloc_usable_internal ztrycalloc_usable_internal "
	"ztryrealloc_usable_internal zcalloc_num zmalloc_no_tcache "
	"valkey_malloc valkey_calloc valkey_realloc hi_malloc hi_calloc hi_realloc "
	"uv__malloc uv__calloc uv__realloc uv__reallocf "
	"CRYPTO_malloc CRYPTO_zalloc CRYPTO_realloc CRYPTO_clear_realloc "
	"CRYPTO_aligned_alloc OPENSSL_malloc Curl_saferealloc Curl_cmalloc "
	"ZSTD_customMalloc ZSTD_customCalloc ZSTD_malloc ZSTD_calloc lzma_alloc "
	"lzma_alloc_zero default_bzalloc BrotliAllocate BrotliDefaultAllocFunc "
	"__gmp_default_allocate __gmp_default_reallocate __gmp_tmp_reentrant_alloc",
	/* others: libxml2, APR-free servers, FFmpeg, talloc, systemd, D-Bus, PostgreSQL's tools */
	"xmlMallocLoc xmlReallocLoc xmlMemMalloc xmlMemRealloc "
	"ngx_alloc ngx_calloc ngx_memalign "
	"av_malloc av_mallocz av_calloc av_realloc av_realloc_f av_realloc_array "
	"av_malloc_array av_mallocz_array av_fast_malloc av_fast_mallocz av_fast_realloc "
	"__talloc __talloc_with_prefix _talloc _talloc_zero _talloc_array "
	"_talloc_zero_array _talloc_realloc _talloc_realloc_array _talloc_named_const "
	"talloc_named_const talloc_size "
	"malloc_multiply malloc0_multiply greedy_realloc greedy_realloc0 "
	"dbus_malloc dbus_malloc0 dbus_realloc "
	"pg_malloc pg_malloc0 pg_realloc pg_malloc_internal pg_malloc_extended "
	"_gfortrani_xmalloc _gfortrani_xmallocarray _gfortrani_xcalloc "
	"__gnat_malloc __gnat_realloc",
};

/* fnmatch patterns for readable names; C++ and Rust. */
static const char *const block_patterns[] = {
	"operator new(*", "operator new[[]](*",
	"__gnu_cxx::new_allocator<*>::allocate(*",
	"__gnu_cxx::malloc_allocator<*>::allocate(*",
	"std::__new_allocator<*>::allocate(*",
	"std::allocator<*>::allocate(*",
	"std::allocator_traits<*>::allocate(*",
	"__gnu_cxx::__alloc_traits<*>::allocate(*",
	"std::__allocate_guarded<*",
	"std::__allocated_ptr<*> std::__allocate_guarded<*",
	"std::_Vector_base<*>::_M_allocate(*",
	"std::_Vector_base<*>::_M_create_storage(*",
	"std::_Deque_base<*>::_M_allocate_node(*",
	"std::_Deque_base<*>::_M_allocate_map(*",
	"std::_Rb_tree<*>::_M_get_node(*",
	"std::_Fwd_list_base<*>::_M_get_node(*",
	"std::*_List_base<*>::_M_get_node(*",
	"std::__detail::_Hashtable_alloc<*>::_M_allocate_buckets(*",
	"std::*basic_string<*>::_M_create(*",
	"std::*basic_string<*>::_S_allocate(*",
	"std::*basic_string<*>::_Rep::_S_create(*",
	"std::pmr::new_delete_resource*",
	"std::__1::__libcpp_allocate*", "*std::__1::__libcpp_operator_new<*",
	"std::__1::allocator<*>::allocate*",
	"std::__1::allocator_traits<*>::allocate*",
	"llvm::safe_malloc(*", "llvm::safe_calloc(*", "llvm::safe_realloc(*",
	"llvm::allocate_buffer(*", "llvm::SmallVectorBase<*>::mallocForGrow(*",
	"QArrayData::allocate(*", "QArrayData::allocate1(*", "QArrayData::allocate2(*",
	"QArrayData::reallocateUnaligned(*", "qMallocAligned(*", "qReallocAligned(*",
	"os::malloc(*", "os::realloc(*", "AllocateHeap(*", "ReallocateHeap(*",
	"v8::base::Malloc(*", "v8::base::Calloc(*", "v8::base::Realloc(*",
	"v8::base::AlignedAlloc(*", "v8::internal::AllocWithRetry(*",
	"v8::internal::AlignedAlloc*(*", "v8::internal::Malloced::operator new(*",
	"*node::Malloc<*", "*node::UncheckedMalloc<*", "*node::Calloc<*",
	"*node::UncheckedCalloc<*", "*node::Realloc<*", "*node::UncheckedRealloc<*",
	"<alloc::alloc::Global*", "alloc::alloc::Global::*",
	"<std::alloc::System*", "std::alloc::System::*",
	"std::sys::*alloc::*GlobalAlloc*", "<alloc::raw_vec::*", "alloc::raw_vec::*",
	"hashbrown::raw::alloc::*do_alloc*",
};

static const char *const mapping_names[] = {
	"mmap mmap64 __mmap __mmap64 __GI_mmap __GI_mmap64 __GI___mmap "
	"__GI___mmap64 mremap __mremap brk __brk sbrk __sbrk "
	"_PyObject_ArenaMmap _PyMem_ArenaAlloc allocate_stack allocate_thread_stack "
	"uv__mmap os_mmap",
};

static const char *const mapping_patterns[] = {
	"std::sys::*::mmap*",
	"v8::internal::VirtualMemory::VirtualMemory(*", "v8::internal::AllocatePages(*",
	"v8::base::OS::Allocate(*", "v8::base::*::Allocate(void*",
	"os::reserve_memory(*", "os::pd_reserve_memory(*", "anon_mmap(*",
};

struct plain_name {
	UT_hash_handle hh;
	char text[];
};

struct pattern {
	char *function;
	char *module;       /* NULL: any */
};

/* What is passed over for one kind of allocation. */
struct name_set {
	struct plain_name *names;
	const char *const *patterns;
	size_t pattern_count;
};

struct wrappers {
	struct name_set blocks, mappings;
	struct pattern *added;
	size_t added_count, added_capacity;
};

/* ---- life ---- */

static void set_fill(struct name_set *set, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *p = names[i];

		while (*p) {
			size_t bytes = strcspn(p, " ");
			struct plain_name *n, *old;

			HASH_FIND(hh, set->names, p, bytes, old);
			if (bytes && !old) {
				n = xcalloc(1, sizeof(*n) + bytes + 1);
				memcpy(n->text, p, bytes);
				HASH_ADD_KEYPTR(hh, set->names, n->text, bytes, n);
			}
			p += bytes;
			p += strspn(p, " ");
		}
	}
}

static void set_release(struct name_set *set)
{
	struct plain_name *n, *next;

	HASH_ITER(hh, set->names, n, next) {
		HASH_DEL(set->names, n);
		free(n);
	}
}

static void pattern_add(struct wrappers *w, const char *text, size_t bytes)
{
	struct pattern *p;
	char *at;

	while (bytes && *text == ' ')
		text++, bytes--;
	while (bytes && text[bytes - 1] == ' ')
		bytes--;
	if (!bytes)
		return;
	xgrow(&w->added, &w->added_capacity, w->added_count, sizeof(*w->added));
	p = &w->added[w->added_count++];
	p->function = xstrndup(text, bytes);
	p->module = NULL;
	at = strrchr(p->function, '@');
	if (at) {
		*at = '\0';
		p->module = xstrdup(at + 1);
	}
}

/* Commas inside <...> and (...) belong to the pattern: "map<int, int>::get". */
static void patterns_add(struct wrappers *w, const char *list)
{
	const char *from = list;
	int depth = 0;

	for (const char *p = list;; p++) {
		if (*p == '<' || *p == '(')
			depth++;
		else if ((*p == '>' || *p == ')') && depth > 0)
			depth--;
		if (*p == '\0' || (*p == ',' && depth == 0)) {
			pattern_add(w, from, (size_t)(p - from));
			from = p + 1;
		}
		if (*p == '\0')
			break;
	}
}

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

struct wrappers *wrappers_new(const char *extra)
{
	struct wrappers *w = xcalloc(1, sizeof(*w));

	if (extra && strcmp(extra, "none") == 0)
		return w;
	set_fill(&w->blocks, block_names, LENGTH(block_names));
	w->blocks.patterns = block_patterns;
	w->blocks.pattern_count = LENGTH(block_patterns);
	set_fill(&w->mappings, mapping_names, LENGTH(mapping_names));
	w->mappings.patterns = mapping_patterns;
	w->mappings.pattern_count = LENGTH(mapping_patterns);
	if (extra)
		patterns_add(w, extra);
	return w;
}

void wrappers_free(struct wrappers *w)
{
	if (!w)
		return;
	set_release(&w->blocks);
	set_release(&w->mappings);
	for (size_t i = 0; i < w->added_count; i++) {
		free(w->added[i].function);
		free(w->added[i].module);
	}
	free(w->added);
	free(w);
}

/* ---- names ---- */

/*
 * Length of FUNCTION's bare name: without its parameters and without what
 * compilers append to copies (".part.0", ".constprop.1", ".cold", " [clone ...]").
 */
static size_t bare_bytes(const char *function)
{
	size_t depth = 0, i;

	for (i = 0; function[i]; i++) {
		char c = function[i];

		if (c == '<')
			depth++;
		else if (c == '>' && depth > 0)
			depth--;
		if (depth || i == 0)
			continue;
		if (c == '(' && strncmp(function + i, "(anonymous", 10) != 0)
			break;
		if (c == '.' || strncmp(function + i, " [clone", 7) == 0)
			break;
	}
	return i;
}

/* fnmatch, but for most names decided by the pattern's first literal part. */
static bool is_match(const char *pattern, const char *name)
{
	size_t star = *pattern == '*', bytes = strcspn(pattern + star, "*?[");

	if (star ? !memmem(name, strlen(name), pattern + 1, bytes) :
		   strncmp(name, pattern, bytes) != 0)
		return false;
	return fnmatch(pattern, name, 0) == 0;
}

static bool set_has(const struct name_set *set, const char *function, size_t bare)
{
	struct plain_name *n;

	HASH_FIND(hh, set->names, function, bare, n);
	if (n)
		return true;
	/* all patterns are of names with namespaces or parameters */
	if (!strpbrk(function, ":("))
		return false;
	for (size_t i = 0; i < set->pattern_count; i++)
		if (is_match(set->patterns[i], function))
			return true;
	return false;
}

static bool is_added(const struct wrappers *w, const char *function,
		     size_t bare, const char *module)
{
	const char *slash = module ? strrchr(module, '/') : NULL;
	const char *base = slash ? slash + 1 : module ? module : "";
	char *name;
	bool found = false;

	if (!w->added_count)
		return false;
	name = xstrndup(function, bare);
	for (size_t i = 0; i < w->added_count && !found; i++) {
		const struct pattern *p = &w->added[i];

		if (p->module && fnmatch(p->module, base, 0) != 0)
			continue;
		found = fnmatch(p->function, name, 0) == 0 ||
			fnmatch(p->function, function, 0) == 0;
	}
	free(name);
	return found;
}

static bool is_wrapper(const struct wrappers *w, const struct name_set *set,
		       const char *function, const char *module)
{
	size_t bare;

	if (!function || !*function)
		return false;
	bare = bare_bytes(function);
	return set_has(set, function, bare) || is_added(w, function, bare, module);
}

bool wrapper_is(const struct wrappers *w, const char *function,
		const char *module)
{
	return is_wrapper(w, &w->blocks, function, module);
}

bool wrapper_is_mapping(const struct wrappers *w, const char *function,
			const char *module)
{
	return is_wrapper(w, &w->mappings, function, module);
}

/* ---- call stacks ---- */

struct frame_place frame_place_first(struct resolver *rs, stack_id stack)
{
	struct frame_place p = { .stack = stack };

	if (stack != STACK_NONE)
		p.frame = &resolver_frame(rs, stack)->frames[0];
	return p;
}

struct frame_place frame_place_caller(struct resolver *rs,
				      const struct stacks *stacks,
				      struct frame_place p)
{
	const struct symbol *symbol;

	if (p.stack == STACK_NONE)
		return p;
	symbol = resolver_frame(rs, p.stack);
	if (p.index + 1 < symbol->count) {
		p.index++;
		p.frame = &symbol->frames[p.index];
		return p;
	}
	return frame_place_first(rs, stacks_node(stacks, p.stack)->parent);
}

/* Does FRAME stand for something else than a function: the end of what is known? */
static bool is_special(const struct symbol_frame *frame)
{
	return !frame->module && frame->function && frame->function[0] == '[';
}

/*
 * Nameless frames of one object that a wrapper may have inside it. More are
 * taken for a stripped program's own: a wrapper further out is then a
 * coincidence (a collection of garbage started by an allocation).
 */
#define NAMELESS_MAX 4

struct frame_place wrappers_site(const struct wrappers *w, struct resolver *rs,
				 const struct stacks *stacks, stack_id stack,
				 bool is_mapping)
{
	const struct name_set *set = is_mapping ? &w->mappings : &w->blocks;
	struct frame_place innermost = frame_place_first(rs, stack);
	struct frame_place p = innermost, site = innermost;
	unsigned nameless = 0; /* frames passed since SITE, the first of them */

	for (; p.stack != STACK_NONE; p = frame_place_caller(rs, stacks, p)) {
		const struct symbol_frame *f = p.frame;
		bool same = nameless && f->module &&
			    strcmp(f->module, site.frame->module) == 0;

		if (is_special(f))
			break;
		if ((!nameless || same) &&
		    is_wrapper(w, set, f->full_name ? f->full_name : f->function, f->module)) {
			nameless = 0;
			continue;
		}
		if (!nameless)
			site = p;
		if (f->function || !f->module || (nameless && !same) ||
		    is_mapping || nameless == NAMELESS_MAX)
			return site;
		nameless++;
	}
	return nameless ? site : innermost;
}

struct frame_place wrappers_user(const struct wrappers *w, struct resolver *rs,
				 const struct stacks *stacks, stack_id stack,
				 bool is_mapping)
{
	struct frame_place site = wrappers_site(w, rs, stacks, stack, is_mapping);
	struct frame_place p = site;

	while (p.stack != STACK_NONE && !is_special(p.frame) && cxx_library_has(p.frame))
		p = frame_place_caller(rs, stacks, p);
	if (p.stack == STACK_NONE || is_special(p.frame) || c_library_has(p.frame))
		return site;
	return p;
}
