/*
 * elf_subject.h - programs for the tests of symbol/: compiled here and now with
 * the flags that a test is about, in a folder of their own. A subject is linked
 * without PIE, so that an address it prints is one of its file.
 */
#ifndef TESTS_UNIT_ELF_SUBJECT_H
#define TESTS_UNIT_ELF_SUBJECT_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

/* No zero byte in it: test recordings hold it as a string. */
#define SUBJECT_BUILD_ID "\x1a\x2b\x3c\x4d\x5e\x6f\x71\x82"
#define SUBJECT_BUILD_ID_BYTES 8
#define SUBJECT_BUILD_ID_FLAG "-Wl,--build-id=0x1a2b3c4d5e6f7182"

/*
 * Each "capture" line of its output is "NAME HEX": an address in the function
 * that called capture(NAME), as a profiler looks it up.
 */
static const char subject_source[] =
	"#include <cstdio>\n"                                            /*  1 */
	"extern \"C\" __attribute__((noinline)) void capture(const char *name)\n"
	"{\n"
	"	printf(\"%s %lx\\n\", name, (unsigned long)__builtin_return_address(0) - 1);\n"
	"}\n"                                                            /*  5 */
	"#define INLINE inline __attribute__((always_inline))\n"
	"#define OUTLINE __attribute__((noinline))\n"
	"namespace shape {\n"
	"template <class T> struct box {\n"
	"	T side;\n"                                               /* 10 */
	"	INLINE T area(const char *name) { capture(name); asm volatile(\"\"); return side; }\n"
	"};\n"
	"}\n"
	"static INLINE int twice(int n)\n"
	"{\n"                                                            /* 15 */
	"	shape::box<int> b{n};\n"
	"	return b.area(\"inlined\") * 2;\n"
	"}\n"
	"namespace { OUTLINE int hidden(int n)\n"
	"{\n"                                                            /* 20 */
	"	return twice(n) + 1;\n"
	"} }\n"
	"static OUTLINE int own(int n) { capture(\"static\"); asm volatile(\"\"); return n; }\n"
	"extern \"C\" OUTLINE int __own_public(int n) { capture(\"alias\"); asm volatile(\"\"); return n; }\n"
	"extern \"C\" int own_public(int n) __attribute__((alias(\"__own_public\")));\n" /* 25 */
	"int main(int count, char **)\n"
	"{\n"
	"	return hidden(count) + own(count) + own_public(count) > 1000;\n"
	"}\n";

static inline char *subject_folder(void)
{
	const char *tmp = getenv("TMPDIR");
	char *folder;

	assert_true(asprintf(&folder, "%s/allotrope-elf.XXXXXX", tmp ? tmp : "/tmp") > 0);
	assert_non_null(mkdtemp(folder));
	return folder;
}

/* Run a shell command made by the format; fails the test where it fails. */
__attribute__((format(printf, 1, 2)))
static inline void subject_shell(const char *format, ...)
{
	va_list args;
	char command[4096];
	int n;

	va_start(args, format);
	n = vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_in_range(n, 1, sizeof(command) - 1);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

static inline void subject_remove(char *folder)
{
	subject_shell("rm -rf '%s'", folder);
	free(folder);
}

/* Compile SOURCE to FOLDER/NAME by COMPILER (g++, clang++) with FLAGS; its path, malloc'ed. */
static inline char *subject_compile(const char *folder, const char *name,
				    const char *compiler, const char *flags,
				    const char *source)
{
	char *path, file[512];
	FILE *f;

	snprintf(file, sizeof(file), "%s/%s.cc", folder, name);
	f = fopen(file, "w");
	assert_non_null(f);
	fputs(source, f);
	fclose(f);
	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	subject_shell("cd '%s' && %s -no-pie %s %s -o '%s' '%s.cc'", folder, compiler,
		      SUBJECT_BUILD_ID_FLAG, flags, name, name);
	return path;
}

/* The address that the subject at PATH prints for NAME. */
static inline uint64_t subject_address(const char *path, const char *name)
{
	char word[64], command[512];
	unsigned long value, found = 0;
	FILE *f;

	snprintf(command, sizeof(command), "'%s'", path);
	f = popen(command, "r");
	assert_non_null(f);
	while (fscanf(f, "%63s %lx", word, &value) == 2)
		if (strcmp(word, name) == 0)
			found = value;
	pclose(f);
	assert_int_not_equal(found, 0);
	return found;
}

/* Does TEXT end in END? */
static inline bool ends_in(const char *text, const char *end)
{
	size_t n = text ? strlen(text) : 0, m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

#endif
