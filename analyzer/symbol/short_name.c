/*
 * short_name.c - one pass over the name: brackets are skipped as wholes, a blank outside of them
 * ends a return type. Relies on the shapes that libiberty prints.
 */
#include "symbol/short_name.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"

struct shortening {
	const char *p;          /* what is still to be read */
	char *text;             /* what is kept */
	size_t used;
};

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static bool begins(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

/* Bytes of the bracket at TEXT with all in it; 0 where it is not closed. */
static size_t bracket_bytes(const char *text)
{
	size_t depth = 0;

	for (size_t i = 0; text[i]; i++) {
		/* "->" and operators in arguments are no brackets */
		if (text[i] == '>' && i > 0 && text[i - 1] == '-')
			continue;
		depth += strchr("<([{", text[i]) != NULL;
		if (strchr(">)]}", text[i]) != NULL && --depth == 0)
			return i + 1;
	}
	return 0;
}

static void keep(struct shortening *s, size_t bytes)
{
	memcpy(s->text + s->used, s->p, bytes);
	s->used += bytes;
	s->p += bytes;
}

static void keep_text(struct shortening *s, const char *text)
{
	memcpy(s->text + s->used, text, strlen(text));
	s->used += strlen(text);
}

static bool ends(const struct shortening *s, const char *word)
{
	size_t bytes = strlen(word);

	return s->used >= bytes && memcmp(s->text + s->used - bytes, word, bytes) == 0;
}

/* Bytes of "operator" at TEXT and its sign, which may be a bracket, a type or "new"; 0: none there. */
static size_t operator_bytes(const char *text)
{
	size_t bytes = strlen("operator");

	if (!begins(text, "operator") || is_word(text[bytes]))
		return 0;
	if (begins(text + bytes, "()"))
		return bytes + 2;
	if (text[bytes] == ' ')
		return bytes + 1 + strcspn(text + bytes + 1, "(");
	return bytes + strspn(text + bytes, "<>=+-*/%^&|!~,[]\"");
}

/* Namespaces that are there for the linker: std::__cxx11::, std::__1::, std::_V2:: */
static size_t inline_namespace_bytes(const char *text)
{
	const char *p = text;

	if (begins(p, "__cxx11::"))
		return strlen("__cxx11::");
	p += begins(p, "__ndk") ? 5 : begins(p, "__") || begins(p, "_V") ? 2 : 0;
	if (p == text || !isdigit((unsigned char)*p))
		return 0;
	p += strspn(p, "0123456789");
	return begins(p, "::") ? (size_t)(p - text) + 2 : 0;
}

/* A bracket; returns false where it is not closed. */
static bool take_bracket(struct shortening *s)
{
	size_t bytes = bracket_bytes(s->p);

	if (!bytes)
		return false;
	if (*s->p == '{' || (*s->p == '<' && s->used == 0)) {
		/* a lambda; Rust's "<T as Trait>::f" */
		keep(s, bytes);
	} else if (begins(s->p, "(anonymous namespace)::")) {
		s->p += strlen("(anonymous namespace)::");
	} else if (*s->p == '<' && ends(s, "::")) {
		/* Rust's "f::<T>" */
		s->used -= 2;
		s->p += bytes;
	} else if (*s->p == '<') {
		keep_text(s, bytes > strlen("<...>") ? "<...>" : "");
		if (bytes <= strlen("<...>"))
			keep(s, bytes);
		else
			s->p += bytes;
	} else {
		s->p += bytes;
	}
	return true;
}

/* Whether parameters follow at P, so that a blank before is the end of a return type. */
static bool has_parameters(const char *p)
{
	for (bool is_start = true; *p; ) {
		size_t bytes = is_start ? operator_bytes(p) : 0;

		if (!bytes && *p == '(' && !begins(p, "(anonymous namespace)"))
			return true;
		if (!bytes)
			bytes = strchr("<([{", *p) ? bracket_bytes(p) : 1;
		if (!bytes)
			return false;
		is_start = !is_word(p[bytes - 1]);
		p += bytes;
	}
	return false;
}

/* Shortens into S; returns false where the name is not understood. */
static bool shorten(struct shortening *s)
{
	while (*s->p) {
		bool is_start = s->used == 0 || !is_word(s->text[s->used - 1]);
		size_t bytes;

		if (is_start && (bytes = operator_bytes(s->p)) > 0) {
			keep(s, bytes);
			/* "operator< <int>" */
			if (begins(s->p, " <") && (bytes = bracket_bytes(s->p + 1)) > 0)
				s->p += 1 + bytes;
		} else if (is_start && (bytes = inline_namespace_bytes(s->p)) > 0) {
			s->p += bytes;
		} else if (strchr("<([{", *s->p)) {
			if (!take_bracket(s))
				return false;
		} else if (*s->p == ' ') {
			s->p++;
			if (begins(s->p, "[clone"))
				continue;
			if (has_parameters(s->p))
				s->used = 0;
			else
				return true;  /* "const", "&" behind the parameters */
		} else {
			keep(s, 1);
		}
	}
	return true;
}

char *short_name(const char *name)
{
	struct shortening s = { .p = name };

	/* a C function, or code of another language, has nothing to leave out */
	if (!strpbrk(name, "<(") && !strstr(name, "::") && !strstr(name, " [clone"))
		return xstrdup(name);
	s.text = xcalloc(2 * strlen(name) + 8, 1);
	if (!shorten(&s) || s.used == 0) {
		free(s.text);
		return xstrdup(name);
	}
	s.text[s.used] = '\0';
	return s.text;
}
