/*
 * form.h - what a report is. A form is one file with a `const struct form` and
 * one row in forms.def; the driver (cli/command.c) parses its options, opens the
 * recording, prepares what it needs, replays the events once and hands it the
 * results. docs/adding-a-form.md builds one step by step.
 *
 * A form prints to run->out only, through base/emit.h where it is a table. It neither
 * reads the environment nor exits; it includes no other form.
 */
#ifndef FORMS_FORM_H
#define FORMS_FORM_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/diag.h"
#include "base/emit.h"
#include "model/replay.h"
#include "symbol/resolve.h"
#include "symbol/wrappers.h"
#include "trace/event.h"
#include "trace/recording.h"
#include "trace/stacks.h"

/* What the driver prepares. Nothing is computed that the form does not need. */
#define NEED_EVENTS  1u  /* event() is called; the images shown are known before the first one */
#define NEED_HEAP    2u  /* run->heaps in end() */
#define NEED_SYMBOLS 4u  /* run->resolver, run->wrappers */
#define NEED_PEAK    8u  /* with --since: figures at the window's own peak (a second replay) */
#define NEED_SIZES   16u /* heap.sizes */
#define NEED_REGIONS 32u /* KIND_MAPPING sites and mapped_* */
#define NEED_ALL     64u /* watch() is called for the events of all images, from the start */
#define NEED_BLOCKS  128u /* replay_each_live in end(), also for images that have ended */

struct run;

/* What a form's option parser finds as state->input. */
struct form_input {
	void *state;           /* the zeroed state of the form */
	/* The driver's: says TEXT and ends the program with STATUS_USAGE. */
	void (*usage_error)(const struct argp_state *state, const char *text)
		__attribute__((noreturn));
};

/* From a form's option parser: say in FORMAT's words what is wrong with the command line. */
void form_usage_error(const struct argp_state *state, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* The value TEXT of --depth: from 0 (all) to DEPTH_MAX, else a usage error. */
uint32_t form_depth(const struct argp_state *state, const char *text);

/* A file format of a form's own, beside text, csv and json: a value of --format. */
struct form_format {
	const char *name;      /* "massif" */
	const char *help;      /* half a line for --help: who reads it */
	bool is_binary;        /* not for a terminal: -o FILE or a redirection is asked for */
	bool is_folder;        /* -o names a folder, which the form makes and fills */
};

/* For form.without: formats that make no sense there. */
#define WITHOUT_TEXT (1u << EMIT_TEXT)
#define WITHOUT_CSV  (1u << EMIT_CSV)
#define WITHOUT_JSON (1u << EMIT_JSON)

struct form {
	const char *name;
	const char *summary;   /* half a line: lower case, no full stop */
	unsigned needs;        /* NEED_* */
	const struct argp *options; /* its own; NULL: none. state->input: struct form_input */
	const char *doc;       /* a paragraph for --help; may be NULL */
	const struct column *columns; /* for --sort and the manual; NULL: no table */
	size_t column_count;
	const char *default_sort;     /* for --sort; NULL where the form does not sort */
	size_t default_top;           /* rows in text without --top; 0: all */
	const struct form_format *formats; /* its own, the last one without a name; NULL: none */
	unsigned without;      /* WITHOUT_*; without text, the first of `formats` is the default */
	bool takes_at;         /* --at=MOMENT: the state at that moment, run->has_at */
	bool has_moments_only; /* --since and --until make no sense: there is no span */
	bool has_bare_text;    /* text is read by programs too: notes go to standard error */
	bool knows_outside;    /* has something to tell of a recording without calls (record --no-preload) */
	bool has_json_notes;   /* JSON holds losses and notes itself: health_add_json */
	size_t state_size;     /* bytes of zeroed state, run->state */
	/*
	 * A report that needs no recording where its options say so: is_live(state) is asked after
	 * the command line, and then live(run) prints; nothing of the recording is in RUN.
	 */
	bool (*is_live)(const void *state);
	int (*live)(struct run *run);
	/* NEED_* beside `needs` that the options ask for. May be NULL. */
	unsigned (*needs_more)(const void *state);
	/* Each may be NULL; each returns 0, or -1 with run->diag set. */
	/*
	 * With takes_at: find the moment that run->at_text (NULL: none was typed) means, instead of
	 * the driver; sets has_at and at_stamp. The images shown are known.
	 */
	int (*settle)(struct run *run);
	int (*begin)(struct run *run);
	/* CHANGE is what EVENT did; only events of the window and of images shown. */
	int (*event)(struct run *run, const struct event *event,
		     const struct change *change);
	/* Every event of every image, of the window or not; whose image is shown is not known yet. */
	void (*watch)(struct run *run, const struct event *event,
		      const struct change *change);
	int (*end)(struct run *run);
	void (*release)(struct run *run); /* free what the state holds; called always */
};

/* One run of one form over one recording. Read only for forms but for state and diag. */
struct run {
	const struct form *form;
	unsigned needs;                  /* of the form and of its options */
	void *state;
	struct diag *diag;
	struct recording *recording;
	struct stacks *stacks;
	struct replay *replay;
	struct resolver *resolver;       /* NEED_SYMBOLS */
	const struct wrappers *wrappers; /* NEED_SYMBOLS */

	FILE *out;
	const char *out_path;            /* NULL: standard output */
	/* One of the form's own formats, or NULL; `format` is then EMIT_TEXT, notes go to stderr. */
	const struct form_format *own_format;
	enum emit_format format;
	bool color;
	int width;                       /* columns of text output, at least 40 */
	int terminal_columns;            /* of the terminal written to; 0: it is none */
	bool is_utf8;                    /* the locale's characters: lines and blocks may be drawn */
	size_t top;                      /* rows wanted; 0: all */
	struct sort_order sort;          /* of form->columns */

	/* What is shown: all images, or those with pid and, if not -1, exec number. */
	bool is_all;
	bool is_default;                 /* neither --pid nor --all was given */
	uint32_t pid;
	int64_t exec_number;
	uint32_t default_image;          /* known before the first event with NEED_EVENTS, and in end() */

	/* The window; from the start (0) to the end (UINT64_MAX) where none was given. */
	bool has_window;
	uint64_t since_stamp, until_stamp;

	/*
	 * --at: the window goes from the start to this moment, so the state then is what the
	 * heaps have at their end (end, mapped_end, replay_each_live).
	 */
	bool has_at;
	uint64_t at_stamp;
	const char *at_text;             /* as it was typed */

	/* In end(): the images shown, with the figures of the window. */
	struct heap **heaps;
	size_t heap_count;

	/*
	 * The exit status where the report itself succeeded: STATUS_CONDITION for a gate that
	 * does not hold (check, leaks --error-if).
	 */
	int status;
	bool is_bare;                    /* like form.has_bare_text, where the options decide */

	char **notes;                    /* of the form: run_note */
	size_t note_count, note_capacity;
};

/* Every form, in the order of forms.def; NULL terminated. */
extern const struct form *const forms[];

/* The form called NAME, or NULL. */
const struct form *form_find(const char *name);

/* Is IMAGE (a number) one of the images shown? */
bool run_shows(const struct run *run, uint32_t image);

/* Rows to show of COUNT. */
size_t run_rows(const struct run *run, size_t count);

/*
 * Text output: which image this is and that there are others, one line, or
 * nothing where the recording has one image only: "3 of 7: python3 x.py (pid 12)".
 */
void run_put_image(const struct run *run, const struct image *image);

/*
 * Something the reader must know of this report: printed with the losses, as
 * "note: ..." (health.h).
 */
void run_note(struct run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Begin a table of the form's columns with the run's format. */
struct emit *run_table(struct run *run, const struct column *columns, size_t count);

/* The command line of IMAGE as a shell would read it; the caller's to free. */
char *image_command(const struct image *image);

#endif
