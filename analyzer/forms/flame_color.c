/*
 * flame_color.c - see flame_color.h. Colours are light, in hue, saturation and lightness, so
 * that the same dark text reads on all of them.
 */
#include "forms/flame_color.h"

#include <stddef.h>
#include <string.h>

#include "symbol/cxx_library.h"

struct palette {
	const char *name;
	int hue, hue_range;          /* degrees; an object is somewhere in the range */
	int saturation;              /* per cent */
	int lightness, light_range;  /* per cent; a function is somewhere in the range */
};

static const struct palette palettes[FLAME_OWNERS] = {
	[FLAME_PROGRAM] =     { "program",         28,  20, 92, 67, 11 },
	[FLAME_SCRIPT] =      { "script",          50,   6, 88, 66, 10 },
	[FLAME_INTERPRETER] = { "interpreter",     92,  28, 46, 67, 11 },
	[FLAME_LIBRARY] =     { "library",        188,  30, 56, 70, 11 },
	[FLAME_CXX] =         { "C++ library",    338,  14, 66, 79,  8 },
	[FLAME_LIBC] =        { "C library",      248,  22, 48, 80,  8 },
	[FLAME_UNKNOWN] =     { "unknown",        220,   0,  6, 78,  8 },
};

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path ? path : "";
}

/* NAME begins with one of the WORDS (NULL terminated), and then comes no letter. */
static bool begins(const char *name, const char *const *words)
{
	for (; *words; words++) {
		size_t length = strlen(*words);
		char next;

		if (strncmp(name, *words, length) != 0)
			continue;
		next = name[length];
		if (!(next >= 'a' && next <= 'z') && !(next >= 'A' && next <= 'Z'))
			return true;
	}
	return false;
}

static bool ends(const char *name, const char *const *words)
{
	size_t length = strlen(name);

	for (; *words; words++) {
		size_t end = strlen(*words);

		if (length > end && strcmp(name + length - end, *words) == 0)
			return true;
	}
	return false;
}

enum flame_owner flame_owner_of(const struct symbol_frame *frame, const char *exe)
{
	static const char *const libc[] = { "libc.so", "libc-2", "ld-linux", "ld-2", "libpthread", "libdl",
					    "libm.so", "libm-2", "libresolv", "[vdso]", NULL };
	static const char *const interpreters[] = {
		"python", "libpython", "pypy", "perl", "libperl", "ruby", "libruby", "node", "libnode",
		"lua", "liblua", "luajit", "libluajit", "php", "libphp", "java", "libjvm", "R", "libR",
		"tclsh", "libtcl", "guile", "libguile", "bash", "sh", "dash", "zsh", "gawk", "mawk", NULL,
	};
	static const char *const scripts[] = { ".py", ".pl", ".pm", ".rb", ".js", ".mjs", ".ts", ".lua",
					       ".php", NULL };
	const char *module = base_name(frame->module);

	if (frame->file && ends(frame->file, scripts))
		return FLAME_SCRIPT;
	if (!*module)
		return FLAME_UNKNOWN;
	if (begins(module, libc))
		return FLAME_LIBC;
	if (cxx_library_has(frame))
		return FLAME_CXX;
	if (begins(module, interpreters))
		return FLAME_INTERPRETER;
	if (exe && strcmp(base_name(exe), module) == 0)
		return FLAME_PROGRAM;
	return FLAME_LIBRARY;
}

const char *flame_owner_name(enum flame_owner owner)
{
	return palettes[owner].name;
}

/* One channel of HSL: https://www.w3.org/TR/css-color-4/#hsl-to-rgb. */
static uint32_t channel(int n, double hue, double saturation, double lightness)
{
	double k = n + hue / 30;
	double a = saturation * (lightness < 0.5 ? lightness : 1 - lightness);
	double low;

	while (k >= 12)
		k -= 12;
	low = k - 3 < 9 - k ? k - 3 : 9 - k;
	if (low > 1)
		low = 1;
	if (low < -1)
		low = -1;
	return (uint32_t)((lightness - a * low) * 255 + 0.5);
}

static uint32_t rgb(int hue, int saturation, int lightness)
{
	double h = hue % 360, s = saturation / 100.0, l = lightness / 100.0;

	return channel(0, h, s, l) << 16 | channel(8, h, s, l) << 8 | channel(4, h, s, l);
}

uint32_t flame_owner_color(enum flame_owner owner)
{
	const struct palette *p = &palettes[owner];

	return rgb(p->hue + p->hue_range / 2, p->saturation, p->lightness + p->light_range / 2);
}

static uint32_t hash_text(const char *text)
{
	uint32_t sum = 2166136261u;

	for (; text && *text; text++)
		sum = (sum ^ (uint8_t)*text) * 16777619u;
	return sum ^ sum >> 15;
}

uint32_t flame_color(const struct symbol_frame *frame, enum flame_owner owner)
{
	const struct palette *p = &palettes[owner];
	uint32_t object = hash_text(base_name(frame->module));
	uint32_t function = frame->function ? hash_text(frame->function) :
			    (uint32_t)(frame->offset * 0x9e3779b97f4a7c15u >> 40);

	return rgb(p->hue + (int)(object % (uint32_t)(p->hue_range + 1)), p->saturation,
		   p->lightness + (int)(function % (uint32_t)(p->light_range + 1)));
}
