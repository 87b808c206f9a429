/*
 * fuzz_baseline.c - target: a baseline. What is read must come out the same after it was
 * written again.
 */
#include <string.h>

#include "forms/baseline.h"
#include "fuzz/fuzz.h"

static char *written(const struct baseline *b, size_t *bytes)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, bytes);

	FUZZ_CHECK(out != NULL);
	baseline_print(b, out);
	fclose(out);
	return text;
}

int fuzz_baseline(const uint8_t *data, size_t size)
{
	struct baseline b = { 0 }, again = { 0 };
	struct diag d = { 0 };
	char *text = malloc(size + 1);

	FUZZ_CHECK(text != NULL);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (baseline_parse(&b, text, size, "f", &d) == 0) {
		size_t bytes, bytes_again;
		char *first = written(&b, &bytes), *second;

		FUZZ_CHECK(b.count > 0);
		FUZZ_CHECK(baseline_parse(&again, first, bytes, "g", NULL) == 0);
		second = written(&again, &bytes_again);
		FUZZ_CHECK(bytes == bytes_again && memcmp(first, second, bytes) == 0);
		free(first);
		free(second);
	} else {
		FUZZ_CHECK(d.status == STATUS_USAGE && *d.text);
	}
	baseline_release(&b);
	baseline_release(&again);
	free(text);
	return 0;
}
