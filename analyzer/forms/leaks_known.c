/*
 * leaks_known.c - see leaks_known.h. Names are looked up twice, as people read them and as the
 * linker has them: LeakSanitizer compares the first, valgrind the second.
 */
#include "forms/leaks_known.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"

/* By which functions of the allocator the sites of a heap were called. */
struct known_funcs {
	const struct heap *heap;
	uint32_t *bits;          /* by site; of the first COUNT */
	size_t count;
};

/* A module's path without links; NULL where it is not on this machine. */
struct known_path { const char *module; char *real; };

/* Every function that makes blocks: where none was seen (inherited blocks). */
#define ANY_ALLOCATOR (((1u << FUNC_FREE) - 1) | 1u << ALLOCATOR_REALLOC_NULL)

/*
 * Found with tests/subjects/libc_keeps.c, which uses what libc keeps something for. None may
 * match what libc calls back: a constructor runs under the loader and dlopen, so that only
 * what the loader itself asks for is taken there, not what was asked for under it.
 */
static const struct { const char *name, *frames; } libc_list[] = {
	{ "libc: buffers of streams", "fun:malloc fun:_IO_file_doallocate" },
	{ "libc: buffers of wide streams", "fun:malloc fun:_IO_wfile_doallocate" },
	{ "libc: character sets", "... fun:__gconv_*" },
	{ "libc: character sets of wide streams", "... fun:__wcsmbs_load_conv" },
	{ "libc: locales", "... fun:setlocale" },
	{ "libc: locales", "... fun:newlocale" },
	{ "libc: message catalogues", "... fun:__dcigettext" },
	{ "libc: text domains", "... fun:bindtextdomain" },
	{ "libc: text domains", "... fun:textdomain" },
	{ "libc: time zone", "... fun:tzset_internal" },
	{ "libc: name services", "... fun:__nss_*" },
	{ "libc: name services", "... fun:__resolv_context_get*" },
	{ "libc: name services", "fun:malloc fun:getpwnam" },
	{ "libc: name services", "fun:malloc fun:getpwuid" },
	{ "libc: name services", "fun:malloc fun:getgrnam" },
	{ "libc: name services", "fun:malloc fun:getgrgid" },
	{ "libc: name services", "fun:malloc fun:gethostbyname" },
	{ "libc: name services", "fun:malloc fun:gethostbyaddr" },
	{ "libc: name services", "fun:malloc fun:getservbyname" },
	{ "libc: environment", "... fun:__add_to_environ" },
	{ "libc: state of dlerror", "fun:malloc fun:_dlerror_run" },
	{ "libc: state of dlerror", "... fun:dlerror" },
	{ "loader: objects, thread-local storage", "fun:*alloc obj:*/ld*.so*" },
	{ "loader: objects, thread-local storage", "fun:memalign obj:*/ld*.so*" },
	{ "libstdc++: pool for exceptions", "fun:malloc ... obj:*/libstdc++.so* fun:call_init" },
};

void known_leaks_release(struct known_leaks *k)
{
	suppressions_release(&k->list);
	for (size_t i = 0; i < k->func_count; i++)
		free(k->funcs[i].bits);
	for (size_t i = 0; i < k->path_count; i++)
		free(k->paths[i].real);
	free(k->paths);
	free(k->funcs);
	free(k->frames);
	free(k->uses);
	if (k->readable)
		resolver_free(k->readable);
	if (k->linker)
		resolver_free(k->linker);
	memset(k, 0, sizeof(*k));
}

int known_leaks_read(struct known_leaks *k, const char *path, struct diag *d)
{
	return suppressions_read(&k->list, path, d);
}

void known_leaks_add_libc(struct known_leaks *k)
{
	for (size_t i = 0; i < sizeof(libc_list) / sizeof(libc_list[0]); i++) {
		char *text = xasprintf("{\n%s\nMemcheck:Leak\n%s\n}\n", libc_list[i].name,
				       libc_list[i].frames);

		/* a frame a line; the name and the head have no frames in them */
		for (char *p = strstr(text, "Leak\n") + 5; (p = strchr(p, ' ')) != NULL; )
			*p = '\n';
		suppressions_parse(&k->list, text, strlen(text), KNOWN_LIBC, NULL);
		free(text);
	}
}

static struct known_funcs *funcs_of(struct known_leaks *k, const struct heap *heap)
{
	if (k->last < k->func_count && k->funcs[k->last].heap == heap)
		return &k->funcs[k->last];
	for (k->last = 0; k->last < k->func_count; k->last++)
		if (k->funcs[k->last].heap == heap)
			return &k->funcs[k->last];
	xgrow(&k->funcs, &k->func_capacity, k->func_count, sizeof(*k->funcs));
	k->funcs[k->func_count] = (struct known_funcs){ .heap = heap };
	return &k->funcs[k->func_count++];
}

void known_leaks_watch(struct known_leaks *k, const struct change *change)
{
	struct known_funcs *f;
	size_t site = change->block.site;
	bool is_null;

	if (!k->list.count || !change->acquired || !change->has_call || change->kind != KIND_HEAP)
		return;
	f = funcs_of(k, change->heap);
	if (site >= f->count) {
		size_t count = site * 2 + 64;

		f->bits = xreallocarray(f->bits, count, sizeof(*f->bits));
		memset(f->bits + f->count, 0, (count - f->count) * sizeof(*f->bits));
		f->count = count;
	}
	is_null = (change->call.func == FUNC_REALLOC || change->call.func == FUNC_REALLOCARRAY) &&
		  change->call.pointer == 0;
	f->bits[site] |= 1u << (is_null ? (unsigned)ALLOCATOR_REALLOC_NULL : change->call.func);
}

static uint32_t allocators(struct known_leaks *k, const struct heap *heap, size_t site)
{
	const struct known_funcs *f;

	if (heap->sites[site].kind == KIND_MAPPING)
		return 0;
	f = funcs_of(k, heap);
	return site < f->count && f->bits[site] ? f->bits[site] : ANY_ALLOCATOR;
}

/* Strings of a resolver: equal ones of one module have one address. */
static const char *real_path(struct known_leaks *k, const char *module)
{
	if (!module)
		return NULL;
	for (size_t i = 0; i < k->path_count; i++)
		if (k->paths[i].module == module)
			return k->paths[i].real;
	xgrow(&k->paths, &k->path_capacity, k->path_count, sizeof(*k->paths));
	k->paths[k->path_count] = (struct known_path){ module, realpath(module, NULL) };
	return k->paths[k->path_count++].real;
}

/* The frames of STACK into k->frames; how many. */
static size_t make_frames(struct known_leaks *k, const struct run *run, stack_id stack)
{
	size_t count = 0;

	for (; stack != STACK_NONE; stack = stacks_node(run->stacks, stack)->parent) {
		const struct symbol *read = resolver_frame(k->readable, stack);
		const struct symbol *link = resolver_frame(k->linker, stack);

		for (uint32_t i = 0; i < read->count; i++) {
			const struct symbol_frame *f = &read->frames[i];

			xgrow(&k->frames, &k->frame_capacity, count, sizeof(*k->frames));
			k->frames[count++] = (struct suppression_frame){
				.function = f->function,
				.symbol = i < link->count ? link->frames[i].function : f->function,
				.file = f->file,
				.module = f->module,
				.real_module = real_path(k, f->module),
				.line = f->line,
				.is_inlined = f->is_inlined,
			};
		}
	}
	return count;
}

bool known_leaks_has(struct known_leaks *k, const struct run *run, const struct heap *heap,
		     size_t site, struct amount live)
{
	struct suppression_stack stack;
	struct known_use *use;
	int64_t found;

	if (!k->list.count)
		return false;
	if (!k->readable) {
		k->readable = resolver_new(run->recording, run->stacks,
					   &(struct resolver_options){ .no_demangle = false });
		k->linker = resolver_new(run->recording, run->stacks,
					 &(struct resolver_options){ .no_demangle = true });
		k->uses = xcalloc(k->list.count, sizeof(*k->uses));
	}
	stack.count = make_frames(k, run, heap->sites[site].stack);
	stack.frames = k->frames;
	stack.allocators = allocators(k, replay_image_heap(run->replay, heap->image->number), site);
	found = suppressions_find(&k->list, &stack);
	if (found < 0)
		return false;
	use = &k->uses[found];
	use->amount.blocks += live.blocks;
	use->amount.bytes += live.bytes;
	use->stacks++;
	return true;
}

struct amount known_leaks_sum(const struct known_leaks *k, size_t *used)
{
	struct amount sum = { 0, 0 };

	*used = 0;
	for (size_t i = 0; k->uses && i < k->list.count; i++) {
		sum.blocks += k->uses[i].amount.blocks;
		sum.bytes += k->uses[i].amount.bytes;
		*used += k->uses[i].stacks > 0;
	}
	return sum;
}
