/*
 * fuzz_module.c - target: the file of a module, which a recording names and anybody may have made:
 * whether it is the same build, which debug file it asks for, its symbols, its lines.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "symbol/elf_symbols.h"
#include "symbol/module_symbols.h"
#include "symbol/name_pool.h"

static const uint64_t addresses[] = { 0, 0x100, 0x1000, 0x1040, 0x1130, 0x2000, 0x401000, UINT64_MAX };

static void find_all(const char *path, const uint8_t *build_id, size_t bytes)
{
	struct stored_frame frames[SOURCE_FRAMES_MAX];
	struct name_pool *pool = name_pool_new();
	struct module_symbols m;

	module_symbols_open(&m, path, build_id, bytes, "/proc/self/fd", NULL);
	FUZZ_CHECK(m.file.state > MODULE_UNKNOWN && m.file.state < MODULE_STATE_COUNT);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		uint32_t count = module_symbols_find(&m, addresses[i], pool, frames);

		FUZZ_CHECK(count >= 1 && count <= SOURCE_FRAMES_MAX);
		for (uint32_t k = 0; k < count; k++)
			FUZZ_CHECK(!frames[k].name || *frames[k].name);
	}
	module_symbols_close(&m);
	name_pool_free(pool);
}

int fuzz_module(const uint8_t *data, size_t size)
{
	static const uint8_t build_id[] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0 };
	const char *path = fuzz_file(data, size);

	find_all(path, NULL, 0);
	find_all(path, build_id, sizeof(build_id));
	return 0;
}
