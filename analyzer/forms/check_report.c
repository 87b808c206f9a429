/*
 * check_report.c - see check_report.h.
 */
#include "forms/check_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/markup.h"
#include "base/term.h"
#include "base/units.h"
#include "base/visible.h"
#include "base/xmem.h"
#include "forms/health.h"

/* Limits spelled out in the line that all is well. */
#define LIMITS_SHOWN 4

/* ---- text ---- */

static const char *number_text(char *buffer, uint64_t n, bool is_bytes)
{
	return is_bytes ? units_bytes(buffer, n) : units_count(buffer, n);
}

static void put_good(struct run *run, const struct check_result *r, const struct baseline *measured,
		     const char *baseline_path)
{
	size_t limits = 0, figures = 0, shown = 0;

	for (size_t i = 0; i < r->count; i++) {
		limits += r->verdicts[i].has_numbers && !r->verdicts[i].has_baseline;
		figures += r->verdicts[i].has_baseline;
	}
	fprintf(run->out, "%sok%s", term_style(run->color, STYLE_GOOD), term_plain(run->color));
	if (measured->count > 1) {
		fprintf(run->out, ": %zu checks of %zu programs hold\n", limits + figures, measured->count);
		return;
	}
	if (measured->count == 1)
		fprintf(run->out, ": %s", measured->programs[0].name);
	for (size_t i = 0; i < r->count && limits <= LIMITS_SHOWN; i++) {
		const struct check_verdict *v = &r->verdicts[i];
		char have[UNITS_MAX], may[UNITS_MAX];

		if (!v->has_numbers || v->has_baseline)
			continue;
		fprintf(run->out, "%s", shown++ ? ", " : ": ");
		visible_put(run->out, v->check);
		fprintf(run->out, " %s of %s", number_text(have, v->actual, v->is_bytes),
			number_text(may, v->limit, v->is_bytes));
	}
	if (limits > LIMITS_SHOWN)
		fprintf(run->out, ": %zu limits hold", limits);
	if (figures) {
		fprintf(run->out, "%s%zu figures within ", limits ? "; " : ": ", figures);
		visible_put(run->out, baseline_path);
	}
	putc('\n', run->out);
}

void check_report_text(struct run *run, const struct check_result *r, const struct baseline *measured,
		       const char *baseline_path)
{
	if (r->failed == 0) {
		/* nothing was asked for but a baseline to be written */
		if (r->count > 1)
			put_good(run, r, measured, baseline_path);
		return;
	}
	for (size_t i = 0; i < r->count; i++)
		if (!r->verdicts[i].is_ok)
			fprintf(run->out, "%sfailed%s: %s\n", term_style(run->color, STYLE_BAD),
				term_plain(run->color), r->verdicts[i].text);
}

/* ---- JSON ---- */

static json_t *program_json(const struct baseline_program *p)
{
	json_t *figures = json_object();

	for (int f = 0; f < FIGURE_COUNT; f++)
		json_object_set_new(figures, figure_key((enum figure)f), json_from_number(p->figures[f]));
	return json_pack("{s:o, s:o, s:o}", "program", json_from_text(p->name), "processes",
			 json_from_number(p->processes), "figures", figures);
}

static json_t *verdict_json(const struct check_verdict *v)
{
	return json_pack("{s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o}",
			 "check", json_from_text(v->check), "program", json_from_text(v->program),
			 "ok", v->is_ok,
			 "actual", v->has_numbers ? json_from_number(v->actual) : json_null(),
			 "limit", v->has_numbers ? json_from_number(v->limit) : json_null(),
			 "baseline", v->has_baseline ? json_from_number(v->baseline) : json_null(),
			 "source", json_from_text(v->source), "text", json_from_text(v->text));
}

void check_report_json(struct run *run, const struct check_result *r, const struct baseline *measured)
{
	json_t *root = json_object(), *programs = json_array(), *checks = json_array();
	json_t *reasons = json_array();
	struct health *health = health_new(run);

	for (size_t i = 0; i < measured->count; i++)
		json_array_append_new(programs, program_json(&measured->programs[i]));
	for (size_t i = 0; i < r->count; i++) {
		json_array_append_new(checks, verdict_json(&r->verdicts[i]));
		if (!r->verdicts[i].is_ok)
			json_array_append_new(reasons, json_from_text(r->verdicts[i].text));
	}
	json_object_set_new(root, "ok", json_boolean(r->failed == 0));
	json_object_set_new(root, "reasons", reasons);
	json_object_set_new(root, "checks", checks);
	json_object_set_new(root, "programs", programs);
	json_object_set_new(root, "sampling_bytes", json_from_number(measured->sampling_bytes));
	json_object_set_new(root, "losses", health_losses(run));
	health_add_json(health, run, root);
	health_free(health);
	json_write(run->out, root);
}

/* ---- JUnit ---- */

static void put_attribute(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	markup_put(out, value);
	putc('"', out);
}

void check_report_junit(struct run *run, const struct check_result *r)
{
	FILE *out = run->out;

	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites tests=\"%zu\" failures=\"%zu\">\n"
		"  <testsuite name=\"allotrope check\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" "
		"skipped=\"0\">\n", r->count, r->failed, r->count, r->failed);
	for (size_t i = 0; i < r->count; i++) {
		const struct check_verdict *v = &r->verdicts[i];
		char *name = v->source ? xasprintf("%s (%s)", v->check, v->has_baseline ? "baseline" :
						   v->source) : xstrdup(v->check);

		fputs("    <testcase", out);
		put_attribute(out, "classname", v->program ? v->program : "recording");
		put_attribute(out, "name", name);
		free(name);
		if (v->is_ok) {
			fputs("/>\n", out);
			continue;
		}
		fputs(">\n      <failure", out);
		put_attribute(out, "message", v->text);
		put_attribute(out, "type", v->check);
		fputs("/>\n    </testcase>\n", out);
	}
	fputs("  </testsuite>\n</testsuites>\n", out);
}
