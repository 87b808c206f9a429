/*
 * cxx_library.c - see cxx_library.h. Names and paths are those of GCC and LLVM.
 */
#include "symbol/cxx_library.h"

#include <stddef.h>
#include <string.h>

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static const char *module_name(const struct symbol_frame *frame)
{
	const char *slash = frame->module ? strrchr(frame->module, '/') : NULL;

	return slash ? slash + 1 : frame->module ? frame->module : "";
}

/* .../include/c++/12/bits/x.h, .../include/x86_64-linux-gnu/c++/12/..., .../c++/v1/... */
static bool is_header(const char *file)
{
	const char *include = strstr(file, "/include/");
	const char *version = include ? strstr(include, "/c++/") : NULL;

	return version && (starts_with(version + 5, "v1/") ||
			   (version[5] >= '0' && version[5] <= '9'));
}

/* The qualified name in FUNCTION: behind the type that templates have in front of theirs. */
static const char *qualified_name(const char *function)
{
	const char *name = function;
	int depth = 0;

	for (const char *p = function; *p && !(*p == '(' && depth == 0); p++) {
		depth += *p == '<';
		depth -= *p == '>';
		if (*p == ' ' && depth == 0)
			name = p + 1;
	}
	return name;
}

bool cxx_library_has(const struct symbol_frame *frame)
{
	const char *module = module_name(frame);
	const char *name;

	if (starts_with(module, "libstdc++") || starts_with(module, "libc++"))
		return true;
	if (frame->file)
		return is_header(frame->file);
	if (!frame->function)
		return false;
	name = qualified_name(frame->function);
	return starts_with(frame->function, "std::") || starts_with(name, "std::") ||
	       starts_with(name, "__gnu_cxx::");
}

bool c_library_has(const struct symbol_frame *frame)
{
	const char *module = module_name(frame);

	return starts_with(module, "ld-linux") || starts_with(module, "ld-2.") ||
	       starts_with(module, "libc.so") || starts_with(module, "libc-2.") ||
	       starts_with(module, "libpthread");
}
