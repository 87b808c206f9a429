/*
 * demangle_name.h - linkage names as their programmers wrote them: C++ (Itanium
 * ABI), Rust (v0 and legacy), D. By libiberty.
 */
#ifndef SYMBOL_DEMANGLE_NAME_H
#define SYMBOL_DEMANGLE_NAME_H

/*
 * The readable form of NAME with parameters ("ns::f(int)"), malloc'ed, the
 * caller's; NULL where NAME is no mangled name (the usual case in C) or longer
 * than 16 KiB. Suffixes of the compiler's copies stay visible ("[clone .part.0]").
 */
char *demangle_name(const char *name);

#endif
