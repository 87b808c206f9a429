/*
 * modules.c - keeps a copy of the loader's list and records the differences.
 * Relies on the list not changing during a walk: at start there is one thread,
 * the patched loader calls with its lock held, and polling walks inside
 * dl_iterate_phdr, whose lock guards the list. Promises to use no heap.
 */
#include "modules.h"

#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "clock.h"
#include "deep_binding.h"
#include "elf_object.h"
#include "meta.h"
#include "session.h"
#include "sys.h"
#include "sysfile.h"
#include "unwind.h"

#define PATH_BYTES 4096
#define FIRST_ROOM 256
#define LEAD_MAX 256

struct module {
	const struct link_map *map;
	const void *dynamic;
	uint64_t bias;
	uint64_t start;      /* 0: has no headers, was not recorded */
	uint32_t name_hash;  /* another file may come back at the same place */
	uint32_t round;      /* of the last walk that saw it */
};

bool modules_exact;

static struct {
	struct module *list;
	unsigned count, room, cursor;
	uint32_t round;
	uint32_t busy;       /* pid of the process that walks; a fork child inherits it */
	bool recorded, changed;
	unsigned long long adds, subs;
	struct module first[FIRST_ROOM];
	char path[PATH_BYTES];
	uint8_t record[PATH_BYTES + 256];
} state;

static bool enter(void)
{
	uint32_t holder = 0;

	if (__atomic_compare_exchange_n(&state.busy, &holder, session.pid, false,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return true;
	/* the holder is a thread of the parent, which this child does not have */
	if (holder == session.pid)
		return false;
	return __atomic_compare_exchange_n(&state.busy, &holder, session.pid, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void leave(void)
{
	__atomic_store_n(&state.busy, 0, __ATOMIC_RELEASE);
}

static uint32_t name_hash(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash;
}

static bool make_room(void)
{
	unsigned room = state.room ? state.room * 2 : FIRST_ROOM;
	struct module *list = state.first;
	long pages;

	if (state.count < state.room)
		return true;
	if (state.room) {
		pages = SYS6(mmap, 0, room * sizeof(*list), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (sys_failed(pages))
			return false;
		list = (struct module *)pages;
		memcpy(list, state.list, state.count * sizeof(*list));
		if (state.list != state.first)
			SYS2(munmap, state.list, state.room * sizeof(*list));
	}
	state.list = list;
	state.room = room;
	return true;
}

/* ---- paths ---- */

/*
 * The program's file. By its own link, but where the loader was started as a
 * program (ld.so ./prog) that is the loader, and what it was given is the name.
 */
static const char *main_path(void)
{
	const char *given = (const char *)getauxval(AT_EXECFN);
	const char *exe = sysfile_exe();

	if (given && (getauxval(AT_BASE) == 0 || !*exe))
		return given;
	return exe;
}

/* A relative name was relative to the working directory of this moment. */
static const char *absolute_path(const char *name)
{
	size_t folder, length = strlen(name);
	long bytes;

	if (name[0] == '/')
		return name;
	while (name[0] == '.' && name[1] == '/') {
		name += 2;
		length -= 2;
	}
	bytes = SYS2(getcwd, state.path, sizeof(state.path));
	if (sys_failed(bytes) || (size_t)bytes + length + 1 > sizeof(state.path))
		return name;
	folder = strlen(state.path);
	if (folder > 1)
		state.path[folder++] = '/';
	memcpy(state.path + folder, name, length + 1);
	return state.path;
}

static const char *module_path(const struct link_map *map, bool is_main)
{
	/* the vDSO has a name but no file; its headers are where the kernel says */
	if (map->l_addr != 0 && map->l_addr == getauxval(AT_SYSINFO_EHDR))
		return "[vdso]";
	if (is_main)
		return absolute_path(map->l_name[0] ? map->l_name : main_path());
	return absolute_path(map->l_name);
}

/* ---- records ---- */

static void record_map(struct module *m, bool is_main)
{
	uint8_t id[BUILD_ID_MAX];
	struct elf_object object;
	struct meta_builder b;
	const char *path;

	if (!elf_object_init(&object, m->map, is_main))
		return;
	m->start = object.start;
	path = module_path(m->map, is_main);
	meta_init(&b, state.record, sizeof(state.record));
	meta_number(&b, session.image);
	meta_number(&b, clock_stamp());
	meta_number(&b, object.start);
	meta_number(&b, object.end);
	meta_number(&b, zigzag((int64_t)object.bias));
	meta_string(&b, path);
	meta_bytes(&b, id, elf_build_id(&object, id));
	meta_append(META_MODULE_MAP, &b);
}

static void record_unmap(const struct module *m)
{
	struct meta_builder b;

	if (m->start == 0)
		return;
	meta_init(&b, state.record, sizeof(state.record));
	meta_number(&b, session.image);
	meta_number(&b, clock_stamp());
	meta_number(&b, m->start);
	meta_append(META_MODULE_UNMAP, &b);
}

/* ---- the walk ---- */

static struct module *find(const struct link_map *map, uint32_t hash)
{
	/* the list keeps the loader's order but for what came and went */
	for (unsigned i = 0; i < state.count; i++) {
		unsigned at = (state.cursor + i) % state.count;
		struct module *m = &state.list[at];

		if (m->map == map && m->dynamic == map->l_ld &&
		    m->bias == map->l_addr && m->name_hash == hash) {
			state.cursor = at + 1;
			return m;
		}
	}
	return NULL;
}

static void mark_present(const struct r_debug *list)
{
	for (; list; list = elf_next_namespace(list)) {
		for (const struct link_map *map = list->r_map; map; map = map->l_next) {
			struct module *m = find(map, name_hash(map->l_name));

			if (m)
				m->round = state.round;
			else
				state.changed = true;
		}
	}
}

static void drop_absent(void)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < state.count; i++) {
		if (state.list[i].round == state.round) {
			state.list[kept++] = state.list[i];
			continue;
		}
		record_unmap(&state.list[i]);
		state.changed = true;
	}
	state.count = kept;
}

static void add_new(const struct r_debug *list)
{
	bool is_main = true;

	for (; list; list = elf_next_namespace(list)) {
		for (const struct link_map *map = list->r_map; map; map = map->l_next) {
			uint32_t hash = name_hash(map->l_name);

			if (!find(map, hash) && make_room()) {
				struct module *m = &state.list[state.count++];

				*m = (struct module){
					.map = map,
					.dynamic = map->l_ld,
					.bias = map->l_addr,
					.name_hash = hash,
					.round = state.round,
				};
				record_map(m, is_main);
			}
			is_main = false;
		}
	}
}

/* Unmaps are recorded before maps: a new object may lie where an old one was. */
static void walk(const struct r_debug *list)
{
	unsigned before = state.count;

	state.changed = false;
	state.cursor = 0;
	state.round++;
	mark_present(list);
	drop_absent();
	state.cursor = 0;
	if (state.changed) {
		bool is_dropped = state.count != before;

		add_new(list);
		if (is_dropped)
			unwind_modules_changed();
		else
			unwind_modules_added();
	}
}

/*
 * What a dlopen has just mapped in the program's own namespace, which comes first in the
 * list. More objects than LEAD_MAX by one call are no plugin's few; they are left alone.
 */
static void lead_deeply_bound(const struct r_debug *list, unsigned known)
{
	const struct link_map *maps[LEAD_MAX];
	unsigned count = 0;

	for (const struct link_map *map = list->r_map; map; map = map->l_next) {
		const struct module *m = find(map, name_hash(map->l_name));

		if (!m || m < state.list + known)
			continue;
		if (count == LEAD_MAX)
			return;
		maps[count++] = map;
	}
	deep_binding_lead(list, maps, count);
}

void modules_record_all(void)
{
	const struct r_debug *list = elf_loader();

	if (state.recorded || !list || !enter())
		return;
	state.recorded = true;
	walk(list);
	leave();
}

void modules_loader_changed(void)
{
	const struct r_debug *list = elf_loader();
	unsigned known;

	if (!session.recording || !state.recorded || !list || !enter())
		return;
	for (const struct r_debug *r = list; r; r = elf_next_namespace(r)) {
		if (r->r_state == RT_CONSISTENT)
			continue;
		/* being changed: what was learnt of code may be about to go away */
		if (r->r_state == RT_DELETE)
			unwind_modules_changed();
		leave();
		return;
	}
	known = state.count;
	walk(list);
	if (state.changed && deep_binding_take())
		lead_deeply_bound(list, known);
	leave();
}

static int poll_locked(struct dl_phdr_info *info, size_t size, void *unused)
{
	const struct r_debug *list = elf_loader();

	(void)unused;
	if (size < offsetof(struct dl_phdr_info, dlpi_subs) + sizeof(info->dlpi_subs))
		return 1;
	if (info->dlpi_adds == state.adds && info->dlpi_subs == state.subs)
		return 1;
	if (!list || list->r_state != RT_CONSISTENT)
		return 1;
	state.adds = info->dlpi_adds;
	state.subs = info->dlpi_subs;
	walk(list);
	return 1;
}

void modules_poll(void)
{
	if (modules_exact || !session.recording || !state.recorded || !enter())
		return;
	dl_iterate_phdr(poll_locked, NULL);
	leave();
}
