/*
 * diff_request.h - what the command line of `allotrope diff` asks for: which two states, and how they
 * are compared.
 */
#ifndef CLI_DIFF_REQUEST_H
#define CLI_DIFF_REQUEST_H

#include "cli/form_options.h"
#include "forms/diff.h"
#include "forms/metric.h"

enum diff_report { REPORT_SUMMARY, REPORT_SITES, REPORT_SIZES, REPORT_FLAME };

struct diff_request {
	enum diff_report report;
	const char *files[DIFF_SIDES];
	char *old_file;              /* made up: FILE.old; else NULL */
	const char *from, *to, *at;  /* NULL: not given */
	struct form_options options; /* what both sides have alike */
	struct form_options pids[DIFF_SIDES];
	size_t pid_count;            /* 0: no --pid */
	enum metric metric;
	uint32_t depth;              /* 0: whole call stacks */
	bool has_depth;
	bool exit_code;
	bool is_svg;                 /* of flame */
	/* private: parsing */
	size_t file_count;
	bool has_metric;
	const char *format;
};

/*
 * Parse; does not return where the command line is wrong or asks for help. Returns 0, or what
 * argp_parse returns where it fails itself.
 */
int diff_request_parse(struct diff_request *rq, int argc, char **argv);

void diff_request_release(struct diff_request *rq);

/* How SIDE (DIFF_OLD, DIFF_NEW) is read. */
struct form_options diff_request_side(const struct diff_request *rq, int side);

#endif
