/*
 * real.c - finds the functions behind the hooks and emulates the optional ones
 * that are missing. Relies on dlsym(RTLD_NEXT), so other preloads keep their
 * place in the chain; never on __libc_* names. Promises that struct real is
 * callable at any time.
 */
#include <dlfcn.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>

#include "bootstrap.h"
#include "cfi_module.h"
#include "real.h"

/* The newest glibc whose malloc_chunk was looked at; later ones may differ. */
#define GLIBC_MINOR_KNOWN 42

static void *early_malloc(size_t size)
{
	return bootstrap_alloc(16, size);
}

static void early_free(void *p)
{
	(void)p;
}

static void *early_calloc(size_t nmemb, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(nmemb, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return bootstrap_alloc(16, bytes);
}

static void *early_realloc(void *old, size_t size)
{
	return bootstrap_realloc(old, size);
}

static void *emulated_reallocarray(void *old, size_t nmemb, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(nmemb, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return real.realloc(old, bytes);
}

static void *early_memalign(size_t alignment, size_t size)
{
	return bootstrap_alloc(alignment, size);
}

static int emulated_posix_memalign(void **result, size_t alignment, size_t size)
{
	int saved = errno;
	void *p;

	if (alignment % sizeof(void *) != 0 || alignment == 0 ||
	    (alignment & (alignment - 1)) != 0)
		return EINVAL;
	p = real.memalign(alignment, size);
	errno = saved;
	if (!p)
		return ENOMEM;
	*result = p;
	return 0;
}

static void *emulated_memalign(size_t alignment, size_t size)
{
	size_t power = sizeof(void *);
	void *p = NULL;
	int error;

	while (power < alignment && power <= SIZE_MAX / 2)
		power *= 2;
	error = real.posix_memalign(&p, power, size);
	if (error) {
		errno = error;
		return NULL;
	}
	return p;
}

static void *emulated_aligned_alloc(size_t alignment, size_t size)
{
	return real.memalign(alignment, size);
}

static void *emulated_valloc(size_t size)
{
	return real.memalign(getauxval(AT_PAGESZ), size);
}

static void *emulated_pvalloc(size_t size)
{
	size_t page = getauxval(AT_PAGESZ);

	if (size > SIZE_MAX - page) {
		errno = ENOMEM;
		return NULL;
	}
	if (size == 0)
		size = 1;
	return real.memalign(page, (size + page - 1) & ~(page - 1));
}

static void emulated_free_sized(void *p, size_t size)
{
	(void)size;
	real.free(p);
}

static void emulated_free_aligned_sized(void *p, size_t alignment, size_t size)
{
	(void)alignment;
	(void)size;
	real.free(p);
}

static void emulated_cfree(void *p)
{
	real.free(p);
}

static size_t early_usable_size(void *p)
{
	return bootstrap_owns(p) ? bootstrap_usable(p) : 0;
}

struct real real = {
	.malloc = early_malloc,
	.free = early_free,
	.calloc = early_calloc,
	.realloc = early_realloc,
	.reallocarray = emulated_reallocarray,
	.posix_memalign = emulated_posix_memalign,
	.aligned_alloc = early_memalign,
	.memalign = early_memalign,
	.valloc = emulated_valloc,
	.pvalloc = emulated_pvalloc,
	.free_sized = emulated_free_sized,
	.free_aligned_sized = emulated_free_aligned_sized,
	.cfree = emulated_cfree,
	.malloc_usable_size = early_usable_size,
};

/*
 * All or nothing: the names are looked up first and put in force together, so
 * that no block of the real allocator meets the bootstrap's realloc.
 */
void real_resolve(void)
{
	struct real found;

#define HOOK(name, need, type, params) \
	*(void **)&found.name = dlsym(RTLD_NEXT, #name);
#include "hooks.def"
#undef HOOK
	/* the program must not find the errors of our look-ups */
	dlerror();
	if (!found.malloc || !found.free || !found.calloc || !found.realloc)
		return;
	if (!found.reallocarray)
		found.reallocarray = emulated_reallocarray;
	if (!found.memalign)
		found.memalign = found.posix_memalign ? emulated_memalign :
				 found.aligned_alloc ? found.aligned_alloc : early_memalign;
	if (!found.posix_memalign)
		found.posix_memalign = emulated_posix_memalign;
	if (!found.aligned_alloc)
		found.aligned_alloc = emulated_aligned_alloc;
	if (!found.valloc)
		found.valloc = emulated_valloc;
	if (!found.pvalloc)
		found.pvalloc = emulated_pvalloc;
	if (!found.free_sized)
		found.free_sized = emulated_free_sized;
	if (!found.free_aligned_sized)
		found.free_aligned_sized = emulated_free_aligned_sized;
	if (!found.cfree)
		found.cfree = emulated_cfree;
	if (!found.malloc_usable_size)
		found.malloc_usable_size = early_usable_size;
	real = found;
}

/* dladdr reads all symbols of an object, which costs more than all the rest of the start. */
static bool same_object(const void *a, const void *b)
{
	uint64_t start_a, start_b, end;
	Dl_info info_a, info_b;

	if (cfi_module_range((uint64_t)a, &start_a, &end) &&
	    cfi_module_range((uint64_t)b, &start_b, &end))
		return start_a == start_b;
	return dladdr(a, &info_a) && dladdr(b, &info_b) && info_a.dli_fbase == info_b.dli_fbase;
}

const char *real_first_object(void)
{
	/*
	 * What dlopen(NULL) returns, without a lock and a count. Not RTLD_DEFAULT: this
	 * library is linked symbolically, so its own names come first for it.
	 */
	void *program = _r_debug.r_map;
	void *first = program ? dlsym(program, "malloc") : NULL;
	const ElfW(Sym) *symbol = NULL;
	Dl_info object;

	if (!first)
		dlerror();
	if (!first || same_object(first, (const void *)real_resolve) ||
	    !dladdr1(first, &object, (void **)&symbol, RTLD_DL_SYMENT))
		return NULL;
	/* an executable at a fixed address stands for a function whose address it takes */
	return symbol && symbol->st_shndx != SHN_UNDEF ? object.dli_fname : NULL;
}

bool real_is_glibc_malloc(void)
{
	const char *version = gnu_get_libc_version();
	unsigned minor = 0;

	if (version[0] != '2' || version[1] != '.')
		return false;
	for (const char *p = version + 2; *p >= '0' && *p <= '9' && minor < 1000; p++)
		minor = minor * 10 + (unsigned)(*p - '0');
	if (minor > GLIBC_MINOR_KNOWN)
		return false;
	return same_object((const void *)gnu_get_libc_version, (const void *)real.malloc);
}
