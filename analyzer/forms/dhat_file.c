/*
 * dhat_file.c - the file that valgrind's dh_view.html reads: JSON, dhatFileVersion 2.
 * Written as it goes, since a recording may have millions of call stacks; only the
 * texts of frames are kept.
 *
 * The viewer refuses a file in which two points have the same list of frames. That
 * happens where code was unloaded and the same code loaded again at the same
 * addresses: the later ones get an outermost frame that says so.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/emit.h"
#include "base/xmem.h"
#include "forms/dhat_report.h"

struct frame_entry {
	char *text;
	uint32_t number;     /* in "ftbl" */
	UT_hash_handle hh;
};

/* The frames of one address: an inlined call has one of its own. */
struct code_entry {
	struct { uint64_t pc; const struct symbol_frame *frames; } key;
	uint32_t count;
	uint32_t *numbers;
	UT_hash_handle hh;
};

struct list_entry {
	uint64_t hash;       /* of a list of frames */
	uint32_t count;      /* points that have it */
	UT_hash_handle hh;
};

struct writer {
	struct run *run;
	struct frame_entry *frames;
	size_t frame_count;
	struct code_entry *codes;
	struct list_entry *lists;
	uint32_t *list;      /* of the point at hand */
	size_t count, capacity;
};

/* TEXT as a JSON string. */
static void put_text(FILE *out, const char *text)
{
	json_t *value = json_from_text(text);

	json_dumpf(value, out, JSON_ENCODE_ANY);
	json_decref(value);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* As valgrind words it: "0x1091A7: leaf (demo.c:5)", "0x48D48CB: ??? (in /lib/libc.so.6)". */
static char *frame_words(uint64_t pc, const struct symbol_frame *f)
{
	const char *function = f->function ? f->function : "???";

	if (f->file && f->line > 0)
		return xasprintf("0x%" PRIX64 ": %s (%s:%d)", pc, function, base_name(f->file), f->line);
	if (f->module)
		return xasprintf("0x%" PRIX64 ": %s (in %s)", pc, function, f->module);
	return xasprintf("0x%" PRIX64 ": %s", pc, function);
}

/* The number of the frame TEXT, which is taken over. */
static uint32_t frame_number(struct writer *w, char *text)
{
	struct frame_entry *entry;

	HASH_FIND_STR(w->frames, text, entry);
	if (entry) {
		free(text);
		return entry->number;
	}
	entry = xcalloc(1, sizeof(*entry));
	entry->text = text;
	entry->number = (uint32_t)++w->frame_count;
	HASH_ADD_KEYPTR(hh, w->frames, entry->text, strlen(entry->text), entry);
	return entry->number;
}

static void list_add(struct writer *w, uint32_t number)
{
	xgrow(&w->list, &w->capacity, w->count, sizeof(*w->list));
	w->list[w->count++] = number;
}

/* How many points before this one have the list at hand. */
static uint32_t list_repeats(struct writer *w)
{
	uint64_t hash = 0xcbf29ce484222325u;
	struct list_entry *entry;

	for (size_t i = 0; i < w->count; i++) {
		hash = (hash ^ w->list[i]) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	HASH_FIND(hh, w->lists, &hash, sizeof(hash), entry);
	if (!entry) {
		entry = xcalloc(1, sizeof(*entry));
		entry->hash = hash;
		HASH_ADD(hh, w->lists, hash, sizeof(entry->hash), entry);
	}
	return entry->count++;
}

static const struct code_entry *code_of(struct writer *w, stack_id stack)
{
	const struct stack_node *node = stacks_node(w->run->stacks, stack);
	const struct symbol *symbol = resolver_frame(w->run->resolver, stack);
	struct code_entry *found, *entry;
	struct code_entry wanted = { .count = symbol->count };

	wanted.key.pc = node->type == FRAME_NATIVE ? node->value : 0;
	wanted.key.frames = symbol->frames;
	HASH_FIND(hh, w->codes, &wanted.key, sizeof(wanted.key), found);
	if (found)
		return found;
	entry = xmalloc(sizeof(*entry));
	*entry = wanted;
	entry->numbers = xcalloc(entry->count, sizeof(*entry->numbers));
	for (uint32_t i = 0; i < entry->count; i++)
		entry->numbers[i] = frame_number(w, frame_words(entry->key.pc, &symbol->frames[i]));
	HASH_ADD(hh, w->codes, key, sizeof(entry->key), entry);
	return entry;
}

static void codes_free(struct writer *w)
{
	struct code_entry *entry, *next;

	HASH_ITER(hh, w->codes, entry, next) {
		HASH_DEL(w->codes, entry);
		free(entry->numbers);
		free(entry);
	}
}

static void make_list(struct writer *w, stack_id stack)
{
	uint32_t repeats;

	w->count = 0;
	if (stack == STACK_NONE)
		list_add(w, frame_number(w, xstrdup("0x0: [no call stack]")));
	for (; stack != STACK_NONE; stack = stacks_node(w->run->stacks, stack)->parent) {
		const struct code_entry *code = code_of(w, stack);

		for (uint32_t i = 0; i < code->count; i++)
			list_add(w, code->numbers[i]);
	}
	repeats = list_repeats(w);
	if (repeats)
		list_add(w, frame_number(w, xasprintf("0x0: [code loaded again: %" PRIu32 "]",
						      repeats + 1)));
}

static void put_point(struct writer *w, const struct dhat_report *report,
		      const struct dhat_row *row, bool is_first)
{
	FILE *out = w->run->out;
	const struct point *pt = row->point;
	struct amount max = dhat_max(report, row);

	make_list(w, row->stack);
	fprintf(out, " %c{\"tb\":%" PRIu64 ",\"tbk\":%" PRIu64 "\n", is_first ? '[' : ',',
		pt->total.bytes, pt->total.blocks);
	fprintf(out, "  ,\"tl\":%" PRIu64 "\n", dhat_units(w->run, report, pt->lifetimes));
	fprintf(out, "  ,\"mb\":%" PRIu64 ",\"mbk\":%" PRIu64 "\n", max.bytes, max.blocks);
	fprintf(out, "  ,\"gb\":%" PRIu64 ",\"gbk\":%" PRIu64 "\n", pt->peak.bytes, pt->peak.blocks);
	fprintf(out, "  ,\"eb\":%" PRIu64 ",\"ebk\":%" PRIu64 "\n", pt->live.bytes, pt->live.blocks);
	fputs("  ,\"fs\":[", out);
	for (size_t i = 0; i < w->count; i++)
		fprintf(out, "%s%" PRIu32, i ? "," : "", w->list[i]);
	fputs("]\n  }\n", out);
}

static void put_header(struct run *run, const struct dhat_report *report)
{
	static const struct { const char *unit, *million; int short_lived; } units[] = {
		[POINTS_TICKS] = { "\u00b5s", "s", 10 },
		[POINTS_BYTES] = { "bytes", "MB", 1024 },
		[POINTS_CALLS] = { "calls", "Mcalls", 10 },
	};
	const struct points *p = report->points;
	char *command = image_command(report->image);
	FILE *out = run->out;

	fputs("{\"dhatFileVersion\":2\n,\"mode\":\"heap\",\"verb\":\"Allocated\"\n"
	      ",\"bklt\":true,\"bkacc\":false\n", out);
	fprintf(out, ",\"tu\":\"%s\",\"Mtu\":\"%s\"\n,\"tuth\":%d\n", units[report->unit].unit,
		units[report->unit].million, units[report->unit].short_lived);
	fputs(",\"cmd\":", out);
	put_text(out, command);
	fprintf(out, "\n,\"pid\":%" PRIu32 "\n", report->image->pid);
	fprintf(out, ",\"te\":%" PRIu64 "\n,\"tg\":%" PRIu64 "\n",
		dhat_units(run, report, points_duration(p)), dhat_units(run, report, p->peak_time));
	free(command);
}

static void put_frames(struct writer *w)
{
	struct frame_entry *entry, *next;

	/* uthash keeps the order of insertion, which is that of the numbers */
	fputs(",\"ftbl\":\n [\"[root]\"\n", w->run->out);
	HASH_ITER(hh, w->frames, entry, next) {
		fputs(" ,", w->run->out);
		put_text(w->run->out, entry->text);
		putc('\n', w->run->out);
		HASH_DEL(w->frames, entry);
		free(entry->text);
		free(entry);
	}
	fputs(" ]\n}\n", w->run->out);
}

void dhat_put_file(struct run *run, const struct dhat_report *report)
{
	struct writer w = { .run = run };
	struct list_entry *entry, *next;

	put_header(run, report);
	fputs(",\"pps\":\n", run->out);
	for (size_t i = 0; i < run_rows(run, report->count); i++)
		put_point(&w, report, &report->rows[i], i == 0);
	fputs(report->count && run_rows(run, report->count) ? " ]\n" : " []\n", run->out);
	put_frames(&w);
	HASH_ITER(hh, w.lists, entry, next) {
		HASH_DEL(w.lists, entry);
		free(entry);
	}
	codes_free(&w);
	free(w.list);
}
