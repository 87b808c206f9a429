/*
 * settings.c - puts the settings in force into the recording. Relies on the
 * environment that it is given at start; never reads it afterwards.
 */
#include "settings.h"

#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "clock.h"
#include "meta.h"
#include "session.h"
#include "sysfile.h"

#define KEY_BYTES 64
#define VALUE_BYTES 2048

/* A name that ends in _ stands for all that begin so. */
static const char *const variables[] = {
	"MALLOC_", "GLIBC_TUNABLES", "PYTHONMALLOC", "PYTHONMALLOCSTATS",
	"LD_PRELOAD", "MIMALLOC_", "TCMALLOC_",
};

static const struct {
	int parameter;
	const char *name;
} parameters[] = {
	{ M_MXFAST, "M_MXFAST" },
	{ M_TRIM_THRESHOLD, "M_TRIM_THRESHOLD" },
	{ M_TOP_PAD, "M_TOP_PAD" },
	{ M_MMAP_THRESHOLD, "M_MMAP_THRESHOLD" },
	{ M_MMAP_MAX, "M_MMAP_MAX" },
	{ M_CHECK_ACTION, "M_CHECK_ACTION" },
	{ M_PERTURB, "M_PERTURB" },
	{ M_ARENA_TEST, "M_ARENA_TEST" },
	{ M_ARENA_MAX, "M_ARENA_MAX" },
};

static size_t at_most(size_t bytes, size_t limit)
{
	return bytes < limit ? bytes : limit;
}

static void record(const char *key, size_t key_bytes, const char *value)
{
	uint8_t buffer[KEY_BYTES + VALUE_BYTES + 6 * VARINT_MAX];
	struct meta_builder b;

	meta_init(&b, buffer, sizeof(buffer));
	meta_number(&b, session.image);
	meta_number(&b, clock_stamp());
	meta_bytes(&b, key, at_most(key_bytes, KEY_BYTES));
	meta_bytes(&b, value, at_most(strlen(value), VALUE_BYTES));
	meta_append(META_SETTING, &b);
}

static bool is_wanted(const char *name, size_t bytes)
{
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		size_t length = strlen(variables[i]);
		bool is_prefix = variables[i][length - 1] == '_';

		if (bytes >= length && (is_prefix || bytes == length) &&
		    memcmp(name, variables[i], length) == 0)
			return true;
	}
	return false;
}

void settings_record(char *const *env)
{
	char number[24];

	for (char *const *entry = env; entry && *entry; entry++) {
		const char *equals = strchr(*entry, '=');

		if (equals && is_wanted(*entry, (size_t)(equals - *entry)))
			record(*entry, (size_t)(equals - *entry), equals + 1);
	}
	if (session.options.sample_bytes) {
		sysfile_decimal(number, session.options.sample_bytes);
		record(SETTING_SAMPLE, strlen(SETTING_SAMPLE), number);
	}
}

void settings_mallopt(int parameter, int value)
{
	char key[KEY_BYTES] = "mallopt(";
	char number[24] = "-";
	char *end = key + strlen(key);
	const char *name = NULL;

	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++)
		if (parameters[i].parameter == parameter)
			name = parameters[i].name;
	if (name) {
		strcpy(end, name);
	} else {
		if (parameter < 0)
			*end++ = '-';
		sysfile_decimal(end, parameter < 0 ? -(uint64_t)parameter : (uint64_t)parameter);
	}
	strcat(key, ")");
	sysfile_decimal(number + (value < 0), value < 0 ? -(uint64_t)value : (uint64_t)value);
	record(key, strlen(key), number);
}
