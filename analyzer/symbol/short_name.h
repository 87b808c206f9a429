/*
 * short_name.h - names of C++ and Rust functions as people say them: without return
 * type, parameters, what stands in template arguments, and inline namespaces.
 *
 *	void std::__cxx11::basic_string<char, ...>::_M_mutate(unsigned long, ...)
 *	std::basic_string<...>::_M_mutate
 */
#ifndef SYMBOL_SHORT_NAME_H
#define SYMBOL_SHORT_NAME_H

/*
 * NAME (demangled) shortened, malloc'ed, the caller's; NAME itself where nothing can be left out,
 * or nothing would be left. Functions that only differ in what goes become one.
 */
char *short_name(const char *name);

#endif
