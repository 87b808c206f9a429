/*
 * maps.c - the report `maps`: the address space of a program at a moment of its recording, with
 * the call stacks that own it; or of any living process (-p), which needs no recording.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/term.h"
#include "base/units.h"
#include "base/visible.h"
#include "base/xmem.h"
#include "forms/form.h"
#include "forms/live_process.h"
#include "forms/maps_diff.h"
#include "forms/maps_moment.h"
#include "forms/maps_owners.h"
#include "forms/maps_text.h"
#include "forms/stack_text.h"
#include "forms/touched.h"
#include "model/replay_until.h"

/* Call stacks shown for each mapping in text. */
#define OWNERS_SHOWN 3

enum view { VIEW_REGIONS, VIEW_PMAP, VIEW_SMAPS, VIEW_SITES, VIEW_LIST, VIEW_DIFF };

struct maps_state {
	enum view view;
	uint32_t pid;                      /* -p; 0: a recording */
	const char *diff_from, *diff_to;
	struct map_snapshots *snapshots;
	const struct map_snapshot *at, *from;  /* the moment; of --diff the earlier one */
	struct frame_tree *tree;
};

enum {
	COL_PID, COL_MOMENT, COL_TIME, COL_START, COL_END, COL_MODE, COL_OFFSET, COL_NAME, COL_TYPE,
	COL_SIZE, COL_RSS, COL_PSS, COL_SHARED_CLEAN, COL_SHARED_DIRTY, COL_PRIVATE_CLEAN,
	COL_PRIVATE_DIRTY, COL_ANONYMOUS, COL_SWAP, COL_BLOCKS, COL_BYTES, COL_OVERHEAD, COL_MAPPED,
	COL_COUNT,
};

static const struct column columns[COL_COUNT] = {
	[COL_PID] = { "pid", NULL, COLUMN_EXACT, 0, false, "process" },
	[COL_MOMENT] = { "moment", NULL, COLUMN_TEXT, 0, false, "why the snapshot was taken" },
	[COL_TIME] = { "time_s", NULL, COLUMN_REAL, 0, false,
		"when, seconds since the recording began" },
	[COL_START] = { "start", NULL, COLUMN_ADDRESS, 0, false, "first address" },
	[COL_END] = { "end", NULL, COLUMN_ADDRESS, 0, false, "behind the last address" },
	[COL_MODE] = { "mode", NULL, COLUMN_TEXT, 0, false, "rwx, then p private or s shared" },
	[COL_OFFSET] = { "offset", NULL, COLUMN_EXACT, 0, false, "in the file" },
	[COL_NAME] = { "name", NULL, COLUMN_TEXT, 0, false, "as the kernel names it" },
	[COL_TYPE] = { "type", NULL, COLUMN_TEXT, 0, false, "what it is for" },
	[COL_SIZE] = { "size", NULL, COLUMN_BYTES, 0, false, "bytes of address space" },
	[COL_RSS] = { "rss", NULL, COLUMN_BYTES, 0, false, "bytes in memory" },
	[COL_PSS] = { "pss", NULL, COLUMN_BYTES, 0, false,
		"the same, shared pages divided by their sharers" },
	[COL_SHARED_CLEAN] = { "shared_clean", NULL, COLUMN_BYTES, 0, false, "of rss" },
	[COL_SHARED_DIRTY] = { "shared_dirty", NULL, COLUMN_BYTES, 0, false, "of rss" },
	[COL_PRIVATE_CLEAN] = { "private_clean", NULL, COLUMN_BYTES, 0, false, "of rss" },
	[COL_PRIVATE_DIRTY] = { "private_dirty", NULL, COLUMN_BYTES, 0, false, "of rss" },
	[COL_ANONYMOUS] = { "anonymous", NULL, COLUMN_BYTES, 0, false, "of rss: pages of no file" },
	[COL_SWAP] = { "swap", NULL, COLUMN_BYTES, 0, false, "bytes swapped out" },
	[COL_BLOCKS] = { "live_blocks", NULL, COLUMN_COUNT, 0, false,
		"heap blocks live in it: where most of a block lies" },
	[COL_BYTES] = { "live_bytes", NULL, COLUMN_BYTES, 0, false,
		"requested bytes of blocks that lie in it" },
	[COL_OVERHEAD] = { "overhead_bytes", NULL, COLUMN_BYTES, 0, false,
		"what rounding and headers of these blocks take" },
	[COL_MAPPED] = { "mapped_bytes", NULL, COLUMN_BYTES, 0, false,
		"mapped by calls of the program itself" },
};

/* ---- rows for programs ---- */

static void put_rows(struct run *run, const struct address_space *a, uint32_t pid,
		     const char *moment, struct cell time)
{
	struct emit *table = run_table(run, columns, COL_COUNT);

	for (size_t i = 0; i < run_rows(run, a->count); i++) {
		const struct region_view *v = &a->rows[i];
		const struct smaps_region *m = v->map;
		char mode[5] = { m->prot & PROT_READ ? 'r' : '-', m->prot & PROT_WRITE ? 'w' : '-',
				 m->prot & PROT_EXEC ? 'x' : '-', m->is_shared ? 's' : 'p', '\0' };
		struct cell cells[COL_COUNT] = {
			[COL_PID] = cell_number(pid), [COL_MOMENT] = cell_text(moment),
			[COL_TIME] = time,
			[COL_START] = cell_number(m->start), [COL_END] = cell_number(m->end),
			[COL_MODE] = cell_text(mode), [COL_OFFSET] = cell_number(m->offset),
			[COL_NAME] = cell_text(m->name), [COL_TYPE] = cell_text(region_type_name(v->type)),
			[COL_SIZE] = cell_number(m->size), [COL_RSS] = cell_number(m->rss),
			[COL_PSS] = cell_number(m->pss),
			[COL_SHARED_CLEAN] = cell_number(m->shared_clean),
			[COL_SHARED_DIRTY] = cell_number(m->shared_dirty),
			[COL_PRIVATE_CLEAN] = cell_number(m->private_clean),
			[COL_PRIVATE_DIRTY] = cell_number(m->private_dirty),
			[COL_ANONYMOUS] = cell_number(m->anonymous), [COL_SWAP] = cell_number(m->swap),
		};

		if (a->has_heap) {
			cells[COL_BLOCKS] = cell_number(v->live.blocks);
			cells[COL_BYTES] = cell_number(v->live.bytes);
			cells[COL_OVERHEAD] = cell_number(v->rounding + v->headers);
			cells[COL_MAPPED] = cell_number(v->mapped.bytes);
		}
		emit_row(table, cells);
	}
	emit_free(table);
}

/* ---- who owns it ---- */

static bool is_explained(const struct region_view *v)
{
	return v->live.blocks > 0 || v->live.bytes > 0 || v->mapped.bytes > 0;
}

static void put_region_line(struct run *run, const struct region_view *v)
{
	char text[UNITS_MAX], rss[UNITS_MAX];
	uint64_t overhead = v->rounding + v->headers;
	uint64_t used = v->live.bytes + overhead + v->mapped.bytes;

	fprintf(run->out, "%s%s%s at 0x%" PRIx64 ": %s, %s resident\n",
		term_style(run->color, STYLE_HEAD), region_type_name(v->type),
		term_plain(run->color), v->map->start, units_bytes(text, v->map->size),
		units_bytes(rss, v->map->rss));
	if (v->live.blocks == 0 && v->live.bytes == 0)
		return;
	fprintf(run->out, "  = %s in ", units_bytes(text, v->live.bytes));
	if (v->live.blocks > 0)
		fprintf(run->out, "%s block%s", units_count(rss, v->live.blocks),
			v->live.blocks == 1 ? "" : "s");
	if (v->has_parts)
		fprintf(run->out, "%sa part of a block", v->live.blocks > 0 ? " and " : "");
	fprintf(run->out, " + %s rounding, headers", units_bytes(text, overhead));
	if (v->mapped.bytes)
		fprintf(run->out, " + %s mapped by the program", units_bytes(text, v->mapped.bytes));
	if (v->map->size > used)
		fprintf(run->out, " + %s free", units_bytes(text, v->map->size - used));
	putc('\n', run->out);
}

static void put_owner(struct run *run, const struct owner *o)
{
	const struct maps_state *s = run->state;
	char bytes[UNITS_MAX], count[UNITS_MAX];
	char *frame = frame_text_fit(frame_tree_frame(s->tree, o->node),
				     (size_t)(run->width > 36 ? run->width - 32 : 20));

	/* a mapping that lies in two rows of the kernel's list is one, in the other row a part */
	if (o->asked.blocks)
		fprintf(run->out, "  %10s %9s x  %s\n", units_bytes(bytes, o->asked.bytes),
			units_count(count, o->asked.blocks), frame);
	else
		fprintf(run->out, "  %10s %11s  %s\n", units_bytes(bytes, o->asked.bytes),
			"(a part)", frame);
	free(frame);
}

static int compare_size(const void *pa, const void *pb)
{
	const struct region_view *a = *(const struct region_view *const *)pa,
				 *b = *(const struct region_view *const *)pb;

	if (a->map->rss != b->map->rss)
		return a->map->rss > b->map->rss ? -1 : 1;
	return a->map->start < b->map->start ? -1 : a->map->start > b->map->start;
}

static void put_owners(struct run *run, const struct address_space *a, const struct owners *o)
{
	const struct region_view **rows = xcalloc(a->count + 1, sizeof(*rows));
	size_t count = 0, shown;

	for (size_t i = 0; i < a->count; i++)
		if (is_explained(&a->rows[i]))
			rows[count++] = &a->rows[i];
	if (count > 1)
		qsort(rows, count, sizeof(*rows), compare_size);
	shown = run_rows(run, count);
	for (size_t i = 0; i < shown; i++) {
		size_t of_region = 0;

		putc('\n', run->out);
		put_region_line(run, rows[i]);
		for (size_t k = 0; k < o->count; k++)
			if (o->rows[k].region == rows[i] && of_region++ < OWNERS_SHOWN)
				put_owner(run, &o->rows[k]);
		if (of_region > OWNERS_SHOWN)
			fprintf(run->out, "  %zu more call stacks: --sites\n", of_region - OWNERS_SHOWN);
	}
	if (shown < count)
		fprintf(run->out, "\n%zu of %zu mappings of heap and program; --top=0 shows all\n",
			shown, count);
	free(rows);
}

/* ---- moments ---- */

static struct cell time_of(const struct run *run, const struct map_snapshot *s)
{
	return cell_real((double)recording_ns(run->recording, s->stamp) / 1e9);
}

static void put_title(struct run *run, const struct map_snapshot *s)
{
	const struct image *image = recording_image(run->recording, s->image);
	int64_t ns = recording_ns(run->recording, s->stamp);
	char *reason = maps_moment_reason(s), *command, *shown;
	char time[UNITS_MAX];

	if (image) {
		command = image_command(image);
		shown = visible_fit(command, 50);
		fprintf(run->out, "%s (pid %" PRIu32 "), %s: %s\n", shown, s->pid, reason,
			units_ns(time, ns > 0 ? (uint64_t)ns : 0));
		free(command);
		free(shown);
	}
	free(reason);
}

enum { LIST_TIME, LIST_PID, LIST_REASON, LIST_SIZE, LIST_RSS, LIST_MAPPINGS, LIST_PAGES,
       LIST_COLS };

static const struct column list_columns[LIST_COLS] = {
	[LIST_TIME] = { "time_s", "time (s)", COLUMN_REAL, 0, false, NULL },
	[LIST_PID] = { "pid", "pid", COLUMN_EXACT, 0, false, NULL },
	[LIST_REASON] = { "moment", "taken", COLUMN_TEXT, 0, false, NULL },
	[LIST_SIZE] = { "size", "virtual", COLUMN_BYTES, 0, false, NULL },
	[LIST_RSS] = { "rss", "resident", COLUMN_BYTES, 0, false, NULL },
	[LIST_MAPPINGS] = { "mappings", "mappings", COLUMN_COUNT, 0, false, NULL },
	[LIST_PAGES] = { "touched", "touched", COLUMN_BYTES, 0, false, NULL },
};

static void put_list(struct run *run)
{
	const struct maps_state *s = run->state;
	struct emit *table = run_table(run, list_columns, LIST_COLS);

	for (size_t i = 0; i < s->snapshots->count; i++) {
		const struct map_snapshot *item = &s->snapshots->items[i];
		uint64_t size = 0;
		char *reason;

		if (!run_shows(run, item->image))
			continue;
		reason = maps_moment_reason(item);
		for (size_t k = 0; k < item->smaps->count; k++)
			size += item->smaps->rows[k].size;
		const struct cell cells[LIST_COLS] = {
			[LIST_TIME] = time_of(run, item), [LIST_PID] = cell_number(item->pid),
			[LIST_REASON] = cell_text(reason), [LIST_SIZE] = cell_number(size),
			[LIST_RSS] = cell_number(maps_moment_rss(item)),
			[LIST_MAPPINGS] = cell_number(item->smaps->count),
			[LIST_PAGES] = { .is_known = item->has_pages,
					 .number = map_snapshot_touched(item, 0, UINT64_MAX) },
		};
		emit_row(table, cells);
		free(reason);
	}
	emit_free(table);
}

static int maps_settle(struct run *run)
{
	struct maps_state *s = run->state;
	const char *text = s->diff_to ? s->diff_to : run->at_text ? run->at_text : "peak";

	run->is_bare = s->view == VIEW_PMAP || s->view == VIEW_SMAPS;
	if (run->at_text && (s->view == VIEW_LIST || s->view == VIEW_DIFF))
		return diag_set(run->diag, STATUS_USAGE, "%s: leave --at out", s->view == VIEW_LIST ?
				"--list shows all moments" : "--diff names its two moments itself");
	s->snapshots = map_snapshots_new(run->recording);
	if (s->view == VIEW_LIST)
		return 0;
	if (run->is_all)
		return diag_set(run->diag, STATUS_USAGE, "an address space is that of one process: --pid=PID "
				"chooses it, maps --list --all shows which there are");
	s->at = maps_moment_find(run, s->snapshots, text);
	if (!s->at)
		return -1;
	if (s->diff_from) {
		s->from = maps_moment_find(run, s->snapshots, s->diff_from);
		if (!s->from)
			return -1;
	}
	run->has_at = true;
	run->at_stamp = s->at->stamp;
	return 0;
}

/* ---- the report ---- */

static void put_view(struct run *run, const struct address_space *a, uint32_t pid,
		     const char *command)
{
	const struct maps_state *s = run->state;

	switch (s->view) {
	case VIEW_PMAP:
		maps_put_pmap(run->out, a, pid, command);
		break;
	case VIEW_SMAPS:
		maps_put_smaps(run->out, a);
		break;
	default:
		maps_put_regions(run->out, a, run->color);
		break;
	}
}

static void put_state(struct run *run, const struct heap *heap, struct address_space *a)
{
	struct maps_state *s = run->state;
	const struct image *image = recording_image(run->recording, s->at->image);
	char *command = image ? image_command(image) : xstrdup("");
	char *reason = maps_moment_reason(s->at);
	struct owners *o = NULL;

	if (heap && (s->view == VIEW_REGIONS || s->view == VIEW_SITES)) {
		s->tree = frame_tree_new(run->resolver, run->wrappers, run->stacks);
		o = owners_new(a, run->replay, heap, s->at, s->tree);
	}
	if (s->view == VIEW_SITES) {
		if (run->format == EMIT_TEXT) {
			put_title(run, s->at);
			putc('\n', run->out);
		}
		if (o)
			touched_put(run, s->tree, o, s->at->has_pages);
	} else if (run->format != EMIT_TEXT) {
		put_rows(run, a, s->at->pid, reason, time_of(run, s->at));
	} else {
		if (s->view != VIEW_PMAP)
			put_title(run, s->at);
		put_view(run, a, s->at->pid, command);
		if (o && s->view == VIEW_REGIONS)
			put_owners(run, a, o);
	}
	owners_free(o);
	free(command);
	free(reason);
}

static void put_diff(struct run *run, const struct address_space *now)
{
	struct maps_state *s = run->state;
	struct address_space *before = address_space_new(s->from->smaps, s->snapshots, s->from->pid);
	const struct emit_options options = { .format = run->format, .color = run->color };
	/* what is gone by now is named by what it was */
	struct replay *earlier = replay_until(run->recording, run->stacks, REPLAY_BLOCKS,
					      s->from->stamp);
	const struct heap *heap = replay_image_heap(earlier, s->from->image);

	if (heap)
		address_space_add_heap(before, earlier, heap, s->from);
	if (run->format == EMIT_TEXT) {
		put_title(run, s->from);
		put_title(run, s->at);
		putc('\n', run->out);
	}
	maps_diff_put(run->out, before, now, &options);
	address_space_free(before);
	replay_free(earlier);
}

/* Of a program that ran no longer, few moments are taken at the usual interval of 10 ms. */
#define SHORT_LIFE 100000000ull

/* The highest snapshot need not be the highest moment. */
static void note_height(struct run *run)
{
	const struct maps_state *s = run->state;
	const struct image *image = recording_image(run->recording, s->at->image);
	uint64_t rss = maps_moment_rss(s->at), life;
	char most[UNITS_MAX], shown[UNITS_MAX];

	if (run->at_text || s->view == VIEW_DIFF || !image || !image->has_exit ||
	    image->maxrss_bytes <= rss + rss / 20)
		return;
	life = recording_span_ns(run->recording, image->start_stamp, image->end_stamp);
	run_note(run, "the highest moment recorded has %s resident, the most there was is %s: record "
		 "--memory-interval=%s takes more of them", units_bytes(shown, rss),
		 units_bytes(most, image->maxrss_bytes), life < SHORT_LIFE ? "1ms" : "10ms");
}

/* There are no sums over programs here: each has its own moments. */
static void note_others(struct run *run)
{
	const struct maps_state *s = run->state;
	bool has_others = false;

	for (size_t i = 0; i < s->snapshots->count; i++)
		has_others |= s->snapshots->items[i].image != s->at->image;
	if (run->is_default && has_others)
		run_note(run, "this is one of several processes: --list --all shows the moments of each, "
			 "--pid=PID chooses one");
}

static int maps_end(struct run *run)
{
	struct maps_state *s = run->state;
	struct address_space *a;
	struct heap *heap;

	if (s->view == VIEW_LIST) {
		put_list(run);
		return 0;
	}
	a = address_space_new(s->at->smaps, s->snapshots, s->at->pid);
	heap = replay_image_heap(run->replay, s->at->image);
	if (heap)
		address_space_add_heap(a, run->replay, heap, s->at);
	if (s->view == VIEW_DIFF)
		put_diff(run, a);
	else
		put_state(run, heap, a);
	note_height(run);
	note_others(run);
	address_space_free(a);
	return 0;
}

static void maps_release(struct run *run)
{
	struct maps_state *s = run->state;

	frame_tree_free(s->tree);
	map_snapshots_free(s->snapshots);
}

/* ---- a living process ---- */

static int maps_live(struct run *run)
{
	struct maps_state *s = run->state;
	struct address_space *a;
	struct smaps *smaps;
	char *command, *shown;

	if (s->view == VIEW_SITES || s->view == VIEW_LIST || s->view == VIEW_DIFF)
		return diag_set(run->diag, STATUS_USAGE, "of a living process only its mappings are "
				"known: record it for --sites, --list and --diff");
	smaps = live_process_read(s->pid, &command, run->diag);
	if (!smaps)
		return -1;
	a = address_space_new(smaps, NULL, s->pid);
	if (run->format != EMIT_TEXT) {
		put_rows(run, a, s->pid, "living", (struct cell){ 0 });
	} else {
		if (s->view == VIEW_REGIONS) {
			shown = visible_fit(command, 60);
			fprintf(run->out, "%s (pid %" PRIu32 "), now\n", shown, s->pid);
			free(shown);
		}
		put_view(run, a, s->pid, command);
	}
	free(command);
	address_space_free(a);
	smaps_free(smaps);
	return 0;
}

static bool maps_is_live(const void *state)
{
	return ((const struct maps_state *)state)->pid != 0;
}

/* ---- options ---- */

enum { KEY_SMAPS = 0x200, KEY_SITES, KEY_LIST, KEY_DIFF };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct form_input *input = state->input;
	struct maps_state *s = input->state;
	char *end;
	unsigned long pid;

	switch (key) {
	case 'x':
		s->view = VIEW_PMAP;
		return 0;
	case KEY_SMAPS:
		s->view = VIEW_SMAPS;
		return 0;
	case KEY_SITES:
		s->view = VIEW_SITES;
		return 0;
	case KEY_LIST:
		s->view = VIEW_LIST;
		return 0;
	case KEY_DIFF:
		/* two words behind the option: the second one is no recording */
		if (state->next >= state->argc || state->argv[state->next][0] == '-')
			form_usage_error(state, "--diff takes two moments: --diff start peak");
		s->view = VIEW_DIFF;
		s->diff_from = arg;
		s->diff_to = state->argv[state->next++];
		return 0;
	case 'p':
		pid = strtoul(arg, &end, 10);
		if (*arg < '0' || *arg > '9' || *end || pid == 0 || pid > INT32_MAX)
			form_usage_error(state, "-p takes the number of a process, not '%s'", arg);
		s->pid = (uint32_t)pid;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "pmap", 'x', NULL, 0, "As pmap -x prints it: a row for each mapping", 0 },
	{ "smaps", KEY_SMAPS, NULL, 0, "The sum of each field of smaps", 0 },
	{ "sites", KEY_SITES, NULL, 0, "By call stack: asked for, resident, never touched", 0 },
	{ "diff", KEY_DIFF, "MOMENT MOMENT", 0, "What changed from one moment to the other", 0 },
	{ "list", KEY_LIST, NULL, 0, "The moments at which the address space was recorded", 0 },
	{ "process", 'p', "PID", 0, "Of a living process, recorded or not", 0 },
	{ 0 },
};

static const struct argp argp = { .options = options, .parser = parse };

const struct form form_maps = {
	.name = "maps",
	.summary = "the address space: mappings, what is resident, who owns it",
	.needs = NEED_EVENTS | NEED_BLOCKS | NEED_SYMBOLS | NEED_REGIONS,
	.options = &argp,
	.doc = "The address space at a moment: when the most memory was resident, or --at=start, peak, "
	       "end, mark:NAME or a time. Heap and mappings are explained by the call stacks that own them.",
	.columns = columns,
	.column_count = COL_COUNT,
	.default_top = 8,
	.takes_at = true,
	.has_moments_only = true,
	.knows_outside = true,
	.state_size = sizeof(struct maps_state),
	.settle = maps_settle,
	.is_live = maps_is_live,
	.live = maps_live,
	.end = maps_end,
	.release = maps_release,
};
