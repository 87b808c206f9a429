/*
 * scrubbed.c - see scrubbed.h.
 */
#include "support/scrubbed.h"

#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

char *scrubbed_words(const char *environment, const char *command, const char *maps)
{
	char *words;

	assert_true(asprintf(&words, "%s SCRUB=$(basename %.*s) SCRUB_MAPS=%s LD_PRELOAD=%s", environment,
			     (int)strcspn(command, " "), command, maps,
			     built("tests/subjects/scrub.so")) > 0);
	return words;
}

void record_scrubbed(const char *environment, const char *command)
{
	char *words = scrubbed_words(environment, command, "test.maps");
	struct result r = run_shell("%s %s record -q -o test.data -- %s", words, built("allotrope"),
				    command);

	if (r.status != 0)
		fail_msg("%s: status %d: %s", command, r.status, r.err);
	result_free(&r);
	free(words);
}

void make_inputs(void)
{
	struct result r = run_shell("for i in $(seq 300); do echo \"{\\\"n\\\":$i,\\\"s\\\":"
				    "\\\"text $i\\\",\\\"a\\\":[1,2,$i]}\"; done >in.json;"
				    "{ echo 'create table t(a,b);'; for i in $(seq 200); do echo "
				    "\"insert into t values($i,'row $i');\"; done; echo 'select "
				    "count(*),sum(a) from t group by a%%7;'; } >in.sql");

	assert_int_equal(r.status, 0);
	result_free(&r);
}

struct maps maps_read(const char *path)
{
	FILE *in = fopen(path, "r");
	struct maps m = { NULL, 0 };
	char line[4600], file[4096];

	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		struct mapped row;
		uint64_t offset;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %4095[^\n]", &row.start,
			   &row.end, &offset, file) != 4 || file[0] != '/')
			continue;
		snprintf(row.name, sizeof(row.name), "%.255s", basename(file));
		row.base = row.start - offset;
		/* the parts of a file lie one after the other: the first tells where it begins */
		if (m.count && strcmp(m.rows[m.count - 1].name, row.name) == 0)
			row.base = m.rows[m.count - 1].base;
		m.rows = realloc(m.rows, (m.count + 1) * sizeof(*m.rows));
		assert_non_null(m.rows);
		m.rows[m.count++] = row;
	}
	fclose(in);
	return m;
}

const struct mapped *maps_find(const struct maps *m, uint64_t address)
{
	for (size_t i = 0; i < m->count; i++)
		if (address >= m->rows[i].start && address < m->rows[i].end)
			return &m->rows[i];
	return NULL;
}

void maps_free(struct maps *m)
{
	free(m->rows);
	*m = (struct maps){ NULL, 0 };
}
